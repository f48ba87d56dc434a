"""How many bytes and frames a terminal may get: ``--bandwidth auto|N``, and the pace that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadenza_tui.ui.link import LEAST_ALLOWANCE, MOST_ALLOWANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

KIB = 1024
BURST_S = 0.25
"""Seconds' worth of unused budget that can be spent at once."""
HURRIED_S = 0.5
"""Seconds' worth of debt that a key's frame may be sent into."""
SSH_VARIABLES = ("SSH_CONNECTION", "SSH_TTY")


@dataclass(frozen=True)
class Pace:
    """What the frame clock keeps to. Times in seconds, sizes in bytes."""

    period: float = 0.08
    """Between two frames on a quick terminal: 12 a second, which the eye takes for continuous digits."""
    answer_within: float = 1.0
    """A terminal that has never answered within this time is taken for one that does not."""
    ask_again: float = 10.0
    """A terminal that used to answer and is silent for so long is asked again."""
    bytes_per_s: float | None = None
    """The budget; None for none."""
    mute_bytes_per_s: float | None = None
    """The budget for a terminal that never answers: its link may be slow behind buffers that take all."""
    allowance: int = MOST_ALLOWANCE
    """Bytes of a frame while nothing is known of the link."""


LOCAL = Pace()
REMOTE = Pace(period=1 / 6, bytes_per_s=64 * KIB, mute_bytes_per_s=1.5 * KIB, allowance=4 * KIB)
"""Over SSH: half the frames, and modest until the link has shown what it takes."""


@dataclass(frozen=True)
class Bandwidth:
    """What the user allows, in KiB/s; None leaves it to the program."""

    kib_per_s: float | None = None

    def pace(self, environ: Mapping[str, str]) -> Pace:
        """Return the pace for a terminal in this environment."""
        remote = any(environ.get(name) for name in SSH_VARIABLES)
        pace = REMOTE if remote else LOCAL
        if self.kib_per_s is None:
            return pace
        budget = self.kib_per_s * KIB
        most = max(int(budget * BURST_S), LEAST_ALLOWANCE)
        return Pace(
            period=pace.period,
            bytes_per_s=budget,
            mute_bytes_per_s=budget,
            allowance=min(pace.allowance, most),
        )


class Budget:
    """A token bucket over frames: what a large frame costs too much, the next one waits for."""

    def __init__(self, bytes_per_s: float | None) -> None:
        self.bytes_per_s = bytes_per_s
        self._free_at = float("-inf")

    def spend(self, size: int, now: float) -> None:
        """Take ``size`` bytes out of the bucket, into debt if need be."""
        if self.bytes_per_s is not None:
            self._free_at = max(self._free_at, now - BURST_S) + size / self.bytes_per_s

    def free_at(self, *, hurried: bool = False) -> float:
        """Return when the debt is paid, or small enough for what is ``hurried``."""
        return self._free_at - (HURRIED_S if hurried else 0.0)

    @property
    def allowance(self) -> int:
        """Bytes that a frame should have at most, lest the next one wait for long."""
        if self.bytes_per_s is None:
            return MOST_ALLOWANCE
        return max(int(self.bytes_per_s * BURST_S), LEAST_ALLOWANCE)
