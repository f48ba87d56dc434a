"""When a frame is painted: on the first change at once, then at a steady pace, never into a full terminal.

The clock sleeps while nothing changes. A frame waits until the terminal has taken the bytes of the last one
and acknowledged it, or is about to; so a slow link gets fewer frames and never old ones. A terminal that
never answers is paced by the bytes it has not taken, and by a budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cadenza_tui.ui.bandwidth import Budget, Pace
from cadenza_tui.ui.link import Link

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from cadenza_tui.market.health import ScreenHealth


class Timers(Protocol):
    """The part of an event loop that the clock needs."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[], object], /) -> asyncio.TimerHandle: ...


class FrameClock:
    """Decides when ``paint`` is called, and whether what Textual wants to display may be displayed now.

    ``pending`` are the bytes that the terminal has not taken. ``request_acknowledgement`` asks it for an
    answer to all that was written before, and returns the bytes of the question; None where nobody would.
    """

    def __init__(
        self,
        paint: Callable[[], object],
        *,
        timers: Timers,
        health: ScreenHealth,
        pending: Callable[[], int] = lambda: 0,
        request_acknowledgement: Callable[[], int] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._paint = paint
        self._timers = timers
        self._health = health
        self._pending = pending
        self._request = request_acknowledgement
        self._pace = pace or Pace()
        self._budget = Budget(self._pace.bytes_per_s)
        self.link = Link(self._pace.allowance)
        self._handle: asyncio.TimerHandle | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._last_frame = float("-inf")
        self._blocked_since: float | None = None
        self._answers = 0
        self._strays = 0
        """Answers that are still to come to questions that were asked again."""
        self._strays_until = float("-inf")
        self._mute = False
        self._wanted = False
        self._hurried = False
        self._unfinished = False
        self._running = False
        self.on_acknowledged: Callable[[], object] | None = None

    @property
    def in_flight(self) -> bool:
        """Whether a frame has not been acknowledged yet."""
        return self.link.in_flight > 0

    @property
    def asks(self) -> bool:
        """Whether a frame ends with a question to the terminal: one that never answers is not asked."""
        return self._request is not None and not self._mute

    @property
    def answers(self) -> bool:
        """Whether this terminal answers at all, as far as is known."""
        return self._answers > 0 and not self._mute

    @property
    def allowance(self) -> int:
        """Bytes that the next frame should have at most."""
        return min(self.link.allowance, self._budget.allowance)

    def start(self) -> None:
        """Begin to paint; a wake before this is kept. Asks first how far away the terminal is."""
        self._running = True
        if self.asks and self.link.base is None:
            self._ask()
        self.wake()

    def stop(self) -> None:
        """Paint no more until started again."""
        self._running = False
        for handle in (self._handle, self._watchdog):
            if handle is not None:
                handle.cancel()
        self._handle = self._watchdog = None

    def forget(self) -> None:
        """Expect no answer to what was written: the terminal was somebody else's meanwhile."""
        self.link.forget()
        self._strays = 0

    def wake(self) -> None:
        """Something is dirty: paint it at the next slot."""
        self._wanted = True
        if self._handle is not None or not self._running:
            return
        delay = self._delay()
        if delay is not None:
            self._handle = self._timers.call_later(delay, self._fire)
        elif self._blocked_since is None:
            self._blocked_since = self._timers.time()

    def hurry(self) -> None:
        """A key was pressed: paint now, whatever the pace, unless the terminal is still busy."""
        self._hurried = True
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self.wake()

    def may_display(self) -> bool:
        """Whether an update that is not the clock's own may be written now; else it is to be owed."""
        if not self._running:
            return False
        delay = self._delay(hurried=True)
        return delay is not None and delay <= 0

    def _delay(self, *, hurried: bool | None = None) -> float | None:
        """Return the seconds until a frame may go, None where the terminal has the word."""
        hurried = self._hurried if hurried is None else hurried
        if self._pending() > 0:
            return None
        at = self.link.free_at(hurried=hurried)
        if at is None:
            return None
        at = max(at, self._budget.free_at(hurried=hurried))
        if not hurried and not self._unfinished:
            at = max(at, self._last_frame + self._pace.period)
        return max(at - self._timers.time(), 0.0)

    def _fire(self) -> None:
        self._handle = None
        if not self._running:
            return
        delay = self._delay()
        if delay is None or delay > 0.001:
            self.wake()
            return
        now = self._timers.time()
        if self.asks and not self._hurried and self.link.wants_probe(now):
            self._ask()
            return
        if self._blocked_since is not None:
            lost = int((now - self._blocked_since) / self._pace.period) - 1
            self._health.skipped += max(lost, 0)
            self._blocked_since = None
        self._wanted = self._hurried = self._unfinished = False
        self._last_frame = now
        self._paint()
        self._health.paint_ms = (self._timers.time() - now) * 1000

    def displayed(self, size: int, *, unfinished: bool = False) -> None:
        """A frame of ``size`` bytes has been handed to the terminal, a question at its end if it ``asks``.

        ``unfinished`` frames leave something for the next one, which then does not wait for the pace.
        """
        now = self._timers.time()
        self._health.frames += 1
        if now - self._last_frame > self._pace.period:  # not the clock's own
            self._last_frame = now
        self._sent(size, now)
        if unfinished:
            self._unfinished = True
            self.wake()

    def drained(self) -> None:
        """The terminal has taken all that was pending."""
        if self._wanted:
            self.wake()

    def _ask(self) -> None:
        """Ask without a frame."""
        if self._request is not None:
            self._sent(self._request(), self._timers.time())

    def _sent(self, size: int, now: float) -> None:
        self._budget.spend(size, now)
        if not self.asks:
            return
        self.link.sent(size, now)
        self._note()
        if self._watchdog is None:
            self._watch()

    def _watch(self) -> None:
        patience = self._pace.ask_again if self._answers else self._pace.answer_within
        if self._strays:
            patience = self._pace.answer_within
        self._watchdog = self._timers.call_later(patience, self._unanswered)

    def _unanswered(self) -> None:
        self._watchdog = None
        if not self._answers:
            self._mute = True
            self._budget.bytes_per_s = self._pace.mute_bytes_per_s
            self.link.forget()
            self._note()
            if self._wanted:
                self.wake()
            return
        if self._pending() == 0 and self._request is not None:
            self._strays += 1
            self._strays_until = float("inf")
            self._budget.spend(self._request(), self._timers.time())
        self._watchdog = self._timers.call_later(self._pace.ask_again, self._unanswered)

    def acknowledged(self) -> None:
        """The terminal has answered a question: it has drawn all that was written before."""
        now = self._timers.time()
        if self._mute:
            self._mute = False  # it answers after all, only slowly
            self._budget.bytes_per_s = self._pace.bytes_per_s
        self._answers += 1
        if self._strays and now > self._strays_until:
            self._strays = 0
        if self._strays and self._strays_until < float("inf"):
            self._strays -= 1
            return
        self.link.answered(now)
        self._note()
        if not self.in_flight and self._strays:
            self._strays_until = now + self._pace.answer_within
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if self.in_flight and self._running:
            self._watch()
        if self.on_acknowledged is not None:
            self.on_acknowledged()
        if self._wanted:
            self.wake()

    def _note(self) -> None:
        health, link = self._health, self.link
        health.in_flight = link.in_flight
        health.allowance = self.allowance
        if link.round_trip is not None:
            health.round_trip_ms = link.round_trip * 1000
