"""How long the event loop stands still: a timer that notices how late it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from cadenza_tui.market.health import ScreenHealth
    from cadenza_tui.ui.clock import Timers

INTERVAL = 0.5


class StallWatch:
    """Keeps the longest stall on the screen's health; whoever writes a trace line sets it back to zero."""

    def __init__(self, health: ScreenHealth) -> None:
        self._health = health
        self._timers: Timers | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self, timers: Timers) -> None:
        """Begin to watch."""
        self._timers = timers
        self._arm(timers)

    def _arm(self, timers: Timers) -> None:
        self._due = timers.time() + INTERVAL
        self._handle = timers.call_later(INTERVAL, self._ring)

    def _ring(self) -> None:
        if self._timers is None:
            return
        late = (self._timers.time() - self._due) * 1000
        self._health.loop_stall_ms = max(self._health.loop_stall_ms, late)
        self._arm(self._timers)

    def stop(self) -> None:
        """Watch no more."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._timers = None
