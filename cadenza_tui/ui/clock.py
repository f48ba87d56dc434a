"""When a frame is painted: on the first change at once, then at a steady pace, never into a full terminal.

The clock sleeps while nothing changes. At most one frame is in flight: the next one waits until the terminal
has acknowledged it, so a slow link gets fewer frames and never old ones. A terminal that never answers is
paced by the length of the write queue instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from cadenza_tui.market.health import ScreenHealth


class Timers(Protocol):
    """The part of an event loop that the clock needs."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[], object], /) -> asyncio.TimerHandle: ...


@dataclass(frozen=True)
class Pace:
    """Times in seconds."""

    period: float = 0.08
    """Between two frames on a quick terminal: 12 a second, which the eye takes for continuous digits."""
    answer_within: float = 1.0
    """A terminal that has never answered within this time is taken for one that does not."""
    ask_again: float = 10.0
    """A terminal that used to answer and is silent for so long is asked again."""
    max_backlog: int = 4
    """Writes that may wait in the queue before a frame is skipped."""


class FrameClock:
    """Decides when ``paint`` is called. ``paint`` returns whether anything on the screen changed."""

    def __init__(
        self,
        paint: Callable[[], bool],
        *,
        timers: Timers,
        health: ScreenHealth,
        backlog: Callable[[], int] = lambda: 0,
        request_acknowledgement: Callable[[], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._paint = paint
        self._timers = timers
        self._health = health
        self._backlog = backlog
        self._request = request_acknowledgement
        self._pace = pace or Pace()
        self._handle: asyncio.TimerHandle | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._last_paint = float("-inf")
        self._asked_at: float | None = None
        self._answers = 0
        self._mute = False
        self._wanted = False
        self._frame_pending = False
        self._running = False
        self.round_trip_ms: float | None = None
        self.on_acknowledged: Callable[[], object] | None = None

    @property
    def in_flight(self) -> bool:
        """Whether a frame has not been acknowledged yet."""
        return self._asked_at is not None

    def start(self) -> None:
        """Begin to paint; a wake before this is kept."""
        self._running = True
        self.wake()

    def stop(self) -> None:
        """Paint no more until started again."""
        self._running = False
        for handle in (self._handle, self._watchdog):
            if handle is not None:
                handle.cancel()
        self._handle = self._watchdog = None

    def wake(self) -> None:
        """Something is dirty: paint it at the next slot."""
        self._wanted = True
        if self._handle is not None or not self._running or self.in_flight:
            return
        delay = self._last_paint + self._pace.period - self._timers.time()
        self._handle = self._timers.call_later(max(delay, 0.0), self._fire)

    def hurry(self) -> None:
        """A key was pressed: paint now, whatever the pace, unless the terminal is still busy."""
        self._last_paint = float("-inf")
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self.wake()

    def _fire(self) -> None:
        self._handle = None
        if not self._running:
            return
        if self._backlog() > self._pace.max_backlog:
            self._health.skipped += 1
            self._last_paint = self._timers.time()
            self.wake()
            return
        self._wanted = False
        started = self._timers.time()
        self._last_paint = started
        if self._paint():
            self._health.frames += 1
            self._frame_pending = True
        self._health.paint_ms = (self._timers.time() - started) * 1000

    def displayed(self) -> None:
        """The frame has been handed to the terminal: ask for its acknowledgement."""
        if not self._frame_pending:
            return
        self._frame_pending = False
        if not self._mute and not self.in_flight:
            self._ask()

    def _ask(self) -> None:
        if self._request is None:
            return
        self._request()
        self._asked_at = self._timers.time()
        patience = self._pace.ask_again if self._answers else self._pace.answer_within
        self._watchdog = self._timers.call_later(patience, self._unanswered)

    def _unanswered(self) -> None:
        self._watchdog = None
        if self._answers and self._backlog() > 0:
            self._watchdog = self._timers.call_later(self._pace.ask_again, self._unanswered)
            return
        if self._answers:
            self._ask()
            return
        self._mute = True
        self._asked_at = None
        if self._wanted:
            self.wake()

    def acknowledged(self) -> None:
        """The terminal has drawn everything up to the last frame."""
        if self.on_acknowledged is not None:
            self.on_acknowledged()
        if self._asked_at is None:
            self._mute = False  # it answers after all, only slowly
            self._answers += 1
            return
        now = self._timers.time()
        waited = now - self._asked_at
        self.round_trip_ms = waited * 1000
        self._asked_at = None
        self._answers += 1
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if self._wanted:
            self._health.skipped += max(int(waited / self._pace.period) - 1, 0)
            self.wake()
