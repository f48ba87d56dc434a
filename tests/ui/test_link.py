"""What frames and their answers teach about a link, against a model of one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.ui.link import LEAST_ALLOWANCE, MOST_ALLOWANCE, Link

WHOLE_SCREEN = 12_000


class Model:
    """A link of a rate and a delay each way, and a sender that always has more to show than fits."""

    def __init__(self, rate: float, delay: float, allowance: int = MOST_ALLOWANCE) -> None:
        self.link = Link(allowance)
        self.rate, self.delay = rate, delay
        self.now = 0.0
        self._free = 0.0
        self._answers: list[float] = []
        self.shown: list[tuple[float, float]] = []
        """When each frame was made, and when it was drawn."""
        self.send(0)

    def send(self, size: int) -> None:
        """Send a frame of that size now."""
        self._free = max(self._free, self.now) + size / self.rate
        self._answers.append(self._free + 2 * self.delay)
        self.shown.append((self.now, self._free + self.delay))
        self.link.sent(size, self.now)

    def until_answered(self) -> None:
        """Let the next answer come."""
        self.now = max(self.now, self._answers.pop(0))
        self.link.answered(self.now)

    def run(self, seconds: float) -> None:
        """Fill every frame as far as it may be, as soon as it may go."""
        end = self.now + seconds
        while self.now < end:
            at = self.link.free_at(hurried=False)
            if at is not None and (not self._answers or at <= self._answers[0]):
                self.now = max(self.now, at)
                self.send(min(self.link.allowance, WHOLE_SCREEN))
            else:
                self.until_answered()

    def oldest(self, since: float) -> float:
        """Return the greatest age of what was on the screen, just before the next was drawn."""
        later = [(made, drawn) for made, drawn in self.shown if drawn >= since]
        return max(drawn - made for (made, _), (_, drawn) in pairwise(later))


@pytest.mark.parametrize(
    ("rate", "delay", "limit"), [(2_000, 0.2, 2.0), (20_000, 0.05, 0.5), (1e6, 0.001, 0.25)]
)
@pytest.mark.parametrize("allowance", [MOST_ALLOWANCE, 4096])
def test_what_is_on_the_screen_is_never_old(rate: float, delay: float, limit: float, allowance: int) -> None:
    """A sender that always fills its frames stays young once the link has been learned."""
    model = Model(rate, delay, allowance)
    model.run(60)
    assert model.oldest(since=45) < limit


@settings(max_examples=60, deadline=None)
@given(
    st.floats(500, 200_000),
    st.floats(0.0, 0.4),
    st.sampled_from([1024, 4096, MOST_ALLOWANCE]),
)
def test_a_frame_soon_takes_no_longer_than_it_should(rate: float, delay: float, allowance: int) -> None:
    """Whatever the link, frames settle at what it draws in the time of an answer, and use it well."""
    model = Model(rate, delay, allowance)
    model.run(120)
    fits = max(rate * model.link.target, LEAST_ALLOWANCE)
    assert min(model.link.allowance, WHOLE_SCREEN) <= 1.3 * fits + 1
    assert model.link.allowance >= min(0.45 * fits, WHOLE_SCREEN)


def test_only_a_long_way_is_worth_a_second_frame() -> None:
    """Near a terminal the answer comes before the next frame is due."""
    near, far = Model(20_000, 0.001), Model(20_000, 0.2)
    for model in (near, far):
        model.until_answered()
        model.send(300)
        assert model.link.free_at(hurried=False) is None, "nothing is known of its rate"
        model.until_answered()
        model.send(100)
    assert near.link.free_at(hurried=False) is None
    assert far.link.free_at(hurried=False) is not None
    assert near.link.free_at(hurried=True) is not None


def test_the_second_frame_goes_when_the_first_has_left() -> None:
    """It is made as late as it can be without the link standing idle."""
    model = Model(2_000, 0.2)
    model.until_answered()
    model.send(600)
    model.until_answered()
    began = model.now
    model.send(600)
    assert model.link.free_at(hurried=False) == pytest.approx(began + 0.3, abs=0.01)


def test_two_frames_in_flight_are_enough() -> None:
    """Not even a key gets a third."""
    link = Link()
    link.sent(0, 0)
    link.answered(0.5)
    link.sent(10, 1)
    link.sent(10, 1)
    assert link.free_at(hurried=True) is None
    assert link.bytes_in_flight == 20


def test_a_large_frame_in_flight_holds_a_key_back() -> None:
    """What is sent behind it would come late, and be old by then."""
    link = Link(1000)
    link.sent(0, 0)
    link.answered(0.001)
    link.sent(1500, 1)
    assert link.free_at(hurried=True) is None


@pytest.mark.parametrize("stop", [1.5, 30])
@pytest.mark.parametrize("rate", [20_000, 1e8])
def test_a_stop_is_no_slow_link(rate: float, stop: float) -> None:
    """After a standstill the frames are as large as before."""
    model = Model(rate, 0.05, 4096)
    model.run(20)
    while model.link.in_flight:
        model.until_answered()
    before = model.link.allowance
    model.send(500)
    model.now += stop
    model.until_answered()
    assert model.link.allowance == before


def test_a_link_that_has_become_slow_is_believed() -> None:
    """A stop is followed by a frame as quick as ever."""
    model = Model(200_000, 0.05)
    model.run(20)
    while model.link.in_flight:
        model.until_answered()
    model.rate = 2_000
    for _ in range(6):
        model.send(min(model.link.allowance, 4_000))
        model.until_answered()
    assert model.link.allowance <= 400


def test_a_late_answer_to_a_small_frame_is_no_verdict() -> None:
    """It costs half of what is allowed, not all."""
    link = Link(8000)
    link.sent(0, 0)
    link.answered(0.01)
    link.sent(20, 1)
    link.answered(1.6)
    assert link.allowance == 4000


def test_the_way_is_measured_again_after_a_while() -> None:
    """A route that has become longer is taken as it is, not for a slow link."""
    link = Link()
    now = 0.0
    for round_trip in [0.02] * 5 + [0.3] * 5:
        now += 15
        link.sent(10, now)
        link.answered(now + round_trip)
    assert link.base == pytest.approx(0.3)
    assert not link.wants_probe(now + 1)
    assert link.wants_probe(now + 60)


def test_an_answer_that_nobody_asked_for_is_none() -> None:
    """A terminal may say where its cursor is of its own accord."""
    link = Link()
    link.answered(1.0)
    assert link.in_flight == 0
    assert link.base is None
