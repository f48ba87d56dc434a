"""The frame clock: quick when it can be, never ahead of the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_tui.market.health import ScreenHealth
from cadenza_tui.ui.clock import FrameClock, Pace

if TYPE_CHECKING:
    from collections.abc import Callable


class Handle:
    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when, self.callback, self.cancelled = when, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Timers:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.handles: list[Handle] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Handle:
        handle = Handle(self.now + delay, callback)
        self.handles.append(handle)
        return handle

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [h for h in self.handles if not h.cancelled and h.when <= end + 1e-9]:
            handle = min(due, key=lambda h: h.when)
            self.handles.remove(handle)
            self.now = max(self.now, handle.when)
            handle.callback()
        self.now = end

    @property
    def waiting(self) -> int:
        return sum(not handle.cancelled for handle in self.handles)


class Bench:
    """A clock with everything around it counted."""

    def __init__(self, *, answers: bool = True) -> None:
        self.timers = Timers()
        self.health = ScreenHealth()
        self.painted: list[float] = []
        self.requests = 0
        self.queue = 0
        self.clock = FrameClock(
            self.paint,
            timers=self.timers,  # type: ignore[arg-type]
            health=self.health,
            backlog=lambda: self.queue,
            request_acknowledgement=self.request if answers else None,
            pace=Pace(period=0.08, answer_within=1.0, ask_again=10.0),
        )
        self.clock.start()
        self.timers.advance(0)
        self.painted.clear()
        if answers:
            self.clock.displayed()
            self.clock.acknowledged()
        self.timers.advance(1)

    def paint(self) -> bool:
        self.painted.append(self.timers.now)
        return True

    def request(self) -> None:
        self.requests += 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_first_change_is_painted_at_once(bench: Bench) -> None:
    """A change after a rest does not wait for the pace."""
    bench.clock.wake()
    bench.timers.advance(0)
    assert bench.painted == [bench.timers.now]


def test_many_changes_make_one_frame(bench: Bench) -> None:
    """Whatever comes within a period is painted together."""
    for _ in range(50):
        bench.clock.wake()
    bench.timers.advance(0.05)
    assert len(bench.painted) == 1


def test_a_clean_screen_sets_no_timer(bench: Bench) -> None:
    """Nothing to paint costs nothing."""
    assert bench.timers.waiting == 0


def test_the_pace_is_kept_between_frames(bench: Bench) -> None:
    """A second frame comes one period after the first."""
    bench.clock.wake()
    bench.timers.advance(0)
    bench.clock.displayed()
    bench.clock.acknowledged()
    bench.clock.wake()
    bench.timers.advance(0.079)
    assert len(bench.painted) == 1
    bench.timers.advance(0.002)
    assert len(bench.painted) == 2


def test_no_frame_is_painted_while_one_is_in_flight(bench: Bench) -> None:
    """A terminal that has not drawn the last frame gets no other."""
    bench.clock.wake()
    bench.timers.advance(0)
    bench.clock.displayed()
    bench.clock.wake()
    bench.timers.advance(5)
    assert len(bench.painted) == 1
    bench.clock.acknowledged()
    bench.timers.advance(0)
    assert len(bench.painted) == 2


def test_slots_lost_to_a_slow_terminal_are_counted(bench: Bench) -> None:
    """Skipped frames are known as such."""
    bench.clock.wake()
    bench.timers.advance(0)
    bench.clock.displayed()
    bench.clock.wake()
    bench.timers.advance(0.84)
    bench.clock.acknowledged()
    assert bench.health.skipped == 9


def test_a_terminal_that_used_to_answer_is_asked_again(bench: Bench) -> None:
    """A lost answer does not stop the screen for good."""
    bench.clock.wake()
    bench.timers.advance(0)
    bench.clock.displayed()
    before = bench.requests
    bench.timers.advance(10.5)
    assert bench.requests == before + 1


def test_a_terminal_that_never_answers_is_painted_without_asking() -> None:
    """After a second of silence the write queue sets the pace."""
    bench = Bench(answers=False)
    bench.clock = FrameClock(
        bench.paint,
        timers=bench.timers,  # type: ignore[arg-type]
        health=bench.health,
        request_acknowledgement=bench.request,
    )
    bench.clock.start()
    bench.timers.advance(0)
    bench.clock.displayed()
    bench.clock.wake()
    bench.timers.advance(1.2)
    painted = len(bench.painted)
    bench.clock.displayed()
    bench.clock.wake()
    bench.timers.advance(0.1)
    assert len(bench.painted) > painted
    assert bench.requests == 1


def test_a_long_write_queue_skips_the_frame() -> None:
    """Frames are dropped, never queued."""
    bench = Bench(answers=False)
    bench.queue = 9
    bench.clock.wake()
    bench.timers.advance(0.5)
    assert bench.painted == []
    assert bench.health.skipped > 0
    bench.queue = 0
    bench.timers.advance(0.1)
    assert len(bench.painted) == 1


def test_a_key_does_not_wait_for_the_pace(bench: Bench) -> None:
    """What a key changes is painted in the same moment."""
    bench.clock.wake()
    bench.timers.advance(0)
    bench.clock.displayed()
    bench.clock.acknowledged()
    bench.clock.hurry()
    bench.timers.advance(0)
    assert len(bench.painted) == 2


def test_a_stopped_clock_paints_nothing(bench: Bench) -> None:
    """While the app is suspended nothing is written."""
    bench.clock.stop()
    bench.clock.wake()
    bench.timers.advance(5)
    assert bench.painted == []
