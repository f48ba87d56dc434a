"""The frame clock: quick when it can be, never ahead of the terminal."""

from __future__ import annotations

import pytest

from cadenza_tui.market.health import ScreenHealth
from cadenza_tui.ui.bandwidth import Pace
from cadenza_tui.ui.clock import FrameClock
from tests.ui.timers import Timers

QUESTION = 4
PACE = Pace(period=0.08, answer_within=1.0, ask_again=10.0)


class Bench:
    """A clock with everything around it counted. Each frame is of ``size`` bytes and displayed at once."""

    def __init__(
        self, *, starts: bool = True, answers: bool = True, pace: Pace = PACE, round_trip: float = 0.0
    ) -> None:
        self.timers = Timers()
        self.health = ScreenHealth()
        self.painted: list[float] = []
        self.requests = 0
        self.pending = 0
        self.size = 40
        self.unfinished = False
        self.clock = FrameClock(
            self.paint,
            timers=self.timers,  # type: ignore[arg-type]
            health=self.health,
            pending=lambda: self.pending,
            request_acknowledgement=self.request,
            pace=pace,
        )
        if not starts:
            return
        self.clock.start()
        if answers:
            self.timers.advance(round_trip)
            self.clock.acknowledged()
            self.timers.advance(round_trip)
            self.clock.acknowledged()
        self.timers.advance(5)
        self.painted.clear()
        self.requests = 0

    def paint(self) -> None:
        self.painted.append(self.timers.now)
        self.display(self.size)

    def display(self, size: int) -> None:
        """Write a frame, with the question at its end."""
        self.requests += self.clock.asks
        self.clock.displayed(size, unfinished=self.unfinished)

    def request(self) -> int:
        self.requests += 1
        return QUESTION

    def frame(self) -> None:
        """Let one change be painted."""
        self.clock.wake()
        self.timers.advance(0)


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
    bench.frame()
    bench.clock.acknowledged()
    bench.clock.wake()
    bench.timers.advance(0.079)
    assert len(bench.painted) == 1
    bench.timers.advance(0.002)
    assert len(bench.painted) == 2


def test_before_the_first_frame_it_is_asked_how_far_the_terminal_is() -> None:
    """The round trip is known before anything large is on its way, and paints nothing."""
    bench = Bench(round_trip=0.3)
    assert bench.clock.link.base == pytest.approx(0.3)


def test_the_first_frame_does_not_wait_for_the_first_answer() -> None:
    """Only the second does: whether the terminal answers at all is known a second later."""
    bench = Bench(answers=False, starts=False)
    bench.clock.start()
    bench.frame()
    bench.clock.wake()
    bench.timers.advance(0.5)
    assert len(bench.painted) == 1
    bench.timers.advance(0.6)
    assert len(bench.painted) == 2


def test_no_frame_is_painted_while_one_is_in_flight(bench: Bench) -> None:
    """A terminal that has not drawn the last frame gets no other."""
    bench.frame()
    bench.clock.wake()
    bench.timers.advance(5)
    assert len(bench.painted) == 1
    bench.clock.acknowledged()
    bench.timers.advance(0)
    assert len(bench.painted) == 2


def test_never_more_than_two_are_in_flight() -> None:
    """However long the way and however eager the user."""
    bench = Bench(round_trip=0.5)
    for _ in range(20):
        bench.clock.hurry()
        bench.timers.advance(0.02)
    assert bench.clock.link.in_flight == 2
    assert len(bench.painted) == 2


def test_slots_lost_to_a_slow_terminal_are_counted(bench: Bench) -> None:
    """Skipped frames are known as such."""
    bench.frame()
    bench.clock.wake()
    bench.timers.advance(0.84)
    bench.clock.acknowledged()
    bench.timers.advance(0)
    assert bench.health.skipped == 9


def test_nothing_is_painted_while_bytes_are_pending(bench: Bench) -> None:
    """Frames are dropped, never queued: not even a key gets past a terminal that takes nothing."""
    bench.pending = 1
    bench.clock.wake()
    bench.clock.hurry()
    assert not bench.clock.may_display()
    bench.timers.advance(30)
    assert bench.painted == []
    bench.pending = 0
    bench.clock.drained()
    bench.timers.advance(0)
    assert len(bench.painted) == 1
    assert bench.health.skipped > 300


def test_a_terminal_that_used_to_answer_is_asked_again(bench: Bench) -> None:
    """A lost answer does not stop the screen for good."""
    bench.frame()
    bench.timers.advance(10.5)
    assert bench.requests == 2
    bench.clock.acknowledged()
    assert not bench.clock.in_flight


def test_a_stopped_terminal_is_not_asked_again(bench: Bench) -> None:
    """What has taken no bytes cannot answer them."""
    bench.frame()
    bench.pending = 30
    bench.timers.advance(60)
    assert bench.requests == 1


def test_answers_to_questions_asked_again_acknowledge_no_later_frame(bench: Bench) -> None:
    """After a stop all answers come at once; a frame that is sent then still waits for its own."""
    bench.frame()
    bench.timers.advance(31)
    assert bench.requests == 4
    bench.clock.acknowledged()
    bench.frame()
    for _ in range(3):
        bench.clock.acknowledged()
    assert bench.clock.in_flight
    bench.clock.acknowledged()
    assert not bench.clock.in_flight


def test_a_terminal_that_never_answers_is_painted_without_asking() -> None:
    """After a second of silence the bytes it has not taken set the pace."""
    bench = Bench(answers=False)
    for _ in range(3):
        bench.frame()
        bench.timers.advance(0.08)
    assert len(bench.painted) == 3
    assert bench.requests == 0


def test_a_terminal_that_never_answers_over_ssh_has_a_budget() -> None:
    """Its link may be slow behind buffers that take everything."""
    bench = Bench(answers=False, pace=Pace(mute_bytes_per_s=1000))
    bench.size = 1000
    for _ in range(40):
        bench.clock.wake()
        bench.timers.advance(0.1)
    assert 4 <= len(bench.painted) <= 6


def test_a_terminal_that_answers_late_is_asked_from_then_on() -> None:
    """It was taken for one that never does."""
    bench = Bench(answers=False)
    bench.clock.acknowledged()
    bench.frame()
    assert bench.requests == 1


def test_a_key_does_not_wait_for_the_pace(bench: Bench) -> None:
    """What a key changes is painted in the same moment."""
    bench.frame()
    bench.clock.acknowledged()
    bench.clock.hurry()
    bench.timers.advance(0)
    assert len(bench.painted) == 2


def test_a_key_goes_behind_one_frame_that_is_in_flight(bench: Bench) -> None:
    """It does not wait for the answer to a small one."""
    bench.frame()
    assert bench.clock.in_flight
    bench.clock.hurry()
    bench.timers.advance(0)
    assert len(bench.painted) == 2


def test_a_debt_delays_the_next_frame() -> None:
    """The budget is kept on average, and a key may overdraw it a little."""
    bench = Bench(pace=Pace(bytes_per_s=1000))
    bench.size = 2000
    bench.frame()
    bench.clock.acknowledged()
    bench.clock.wake()
    bench.timers.advance(1.5)
    assert len(bench.painted) == 1
    bench.timers.advance(0.3)
    assert len(bench.painted) == 2


def test_what_a_frame_had_no_room_for_follows_at_once(bench: Bench) -> None:
    """The rest of a screen does not wait for the pace, but for the answer."""
    bench.unfinished = True
    bench.frame()
    bench.unfinished = False
    bench.clock.acknowledged()
    bench.timers.advance(0)
    assert len(bench.painted) == 2


def test_on_a_long_way_a_second_frame_follows_the_first() -> None:
    """Once the first should have left the link the next is sent, with what is so then."""
    bench = Bench(round_trip=0.5)
    bench.size = 300
    bench.frame()
    bench.timers.advance(0.6)
    bench.clock.acknowledged()
    bench.frame()
    bench.clock.wake()
    bench.timers.advance(0.05)
    assert len(bench.painted) == 2
    bench.timers.advance(0.1)
    assert len(bench.painted) == 3


def test_updates_of_others_pass_the_same_gate(bench: Bench) -> None:
    """Two in flight, bytes pending, or a clock that stands: the update is owed."""
    assert bench.clock.may_display()
    bench.display(50)
    assert bench.clock.may_display()
    bench.display(50)
    assert not bench.clock.may_display()
    bench.clock.acknowledged()
    assert bench.clock.may_display()
    bench.clock.stop()
    assert not bench.clock.may_display()


def test_a_busy_link_is_measured_again_with_a_bare_question(bench: Bench) -> None:
    """Large frames alone would never tell that the way has become another."""
    bench.size = 3000
    for _ in range(100):
        bench.frame()
        bench.timers.advance(0.5)
        bench.clock.acknowledged()
    assert bench.requests > len(bench.painted)


def test_a_stopped_clock_paints_nothing(bench: Bench) -> None:
    """While the app is suspended nothing is written, and nothing is expected."""
    bench.frame()
    bench.clock.stop()
    bench.clock.forget()
    bench.clock.wake()
    bench.timers.advance(15)
    assert len(bench.painted) == 1
    assert bench.timers.waiting == 0
    bench.clock.start()
    bench.timers.advance(0)
    assert len(bench.painted) == 2
