"""Waiting longer and longer between attempts, never in step with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LAST_STEP = 32  # 2**32 times any sensible minimum is beyond any sensible maximum


class Backoff:
    """Full jitter: ``min(max, min + U(0, min(max, min * 2**step)))`` seconds.

    To be reset only by a successful connect or subscribe reply: a handshake that works proves little.
    """

    __slots__ = ("_maximum", "_minimum", "_random", "step")

    def __init__(self, minimum: float, maximum: float, random: Callable[[], float]) -> None:
        self._minimum = minimum
        self._maximum = maximum
        self._random = random
        self.step = 0

    def next(self) -> float:
        """Return the seconds to wait now, and step up."""
        span = min(self._maximum, self._minimum * 2.0**self.step)
        self.step = min(self.step + 1, _LAST_STEP)
        return min(self._maximum, self._minimum + self._random() * span)

    def reset(self) -> None:
        """Start again from the shortest wait."""
        self.step = 0
