"""Reading a busy socket in gulps: a wake-up of the event loop costs more than a frame does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

BUSY_AFTER = 4
"""Frames in a row, each within the pause after the one before, that make a stream busy."""


FULL_GULP = 32 * 1024
"""Bytes within one pause that make a gulp worth its wake-up: a stream this dense is not held up at all."""


class Valve(Protocol):
    """The part of a transport that is needed; both calls do nothing where there is nothing to do."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Gather:
    """Lets a busy socket rest ``pause`` seconds after each gulp; what arrives meanwhile waits in the kernel.

    A frame after a silence, the replies of a quiet connection and a flood are never held up: a rest spares
    wake-ups where frames come one by one, and only costs throughput where each read brings many.
    """

    __slots__ = ("_busy", "_bytes", "_call_later", "_last", "_pause", "_rest", "_since", "_valve")

    def __init__(
        self,
        valve: Valve,
        pause: float,
        call_later: Callable[[float, Callable[[], object]], asyncio.TimerHandle],
    ) -> None:
        self._valve = valve
        self._pause = pause
        self._call_later = call_later
        self._last = float("-inf")
        self._busy = 0
        self._since = float("-inf")
        self._bytes = 0
        self._rest: asyncio.TimerHandle | None = None

    def frame(self, now: float, size: int) -> None:
        """Note that a frame of ``size`` bytes was read at ``now``."""
        self._busy = self._busy + 1 if now - self._last < self._pause else 0
        self._last = now
        if now - self._since > self._pause:
            self._since, self._bytes = now, 0
        self._bytes += size
        if self._bytes >= FULL_GULP:
            if self._rest is not None:
                self._rest.cancel()
                self._open()
        elif self._busy >= BUSY_AFTER:
            self._valve.pause_reading()  # again for each frame: websockets resumes as its queue drains
            if self._rest is None:
                self._rest = self._call_later(self._pause, self._open)

    def _open(self) -> None:
        self._rest = None
        self._valve.resume_reading()

    def close(self) -> None:
        """Leave the socket as it was found."""
        if self._rest is not None:
            self._rest.cancel()
            self._open()
