"""The beat of a source's clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.feed.beat import FILLED_IN, SECOND, Beat
from cadenza_tui.market.state import Market


class Sampled(Market):
    """A market that notes when it is sampled."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[int] = []

    def sample(self, now: int) -> None:
        """Note the second."""
        self.times.append(now // SECOND)


def beats(*times: float) -> list[int]:
    """Return the seconds that are sampled while the clock says these times."""
    market = Sampled()
    beat = Beat(market)
    for time in times:
        beat.to(int(time * SECOND))
    return market.times


def test_each_second_is_sampled_once() -> None:
    """However often the time is told."""
    assert beats(7.1, 7.2, 7.999, 8.0, 8.4, 9.9) == [7, 8, 9]


def test_a_quiet_stretch_is_filled_in_and_a_jump_is_not() -> None:
    """Nothing for a few seconds is a quiet market; nothing for long is a gap."""
    assert beats(1, 4) == [1, 2, 3, 4]
    assert beats(1, 1 + FILLED_IN) == [*range(1, 2 + FILLED_IN)]
    assert beats(1, 2 + FILLED_IN) == [1, 2 + FILLED_IN]


def test_a_clock_that_is_set_back_goes_on_from_there() -> None:
    """As when a recording begins anew."""
    assert beats(100, 7, 8) == [100, 7, 8]


def test_a_message_that_is_taken_in_late_is_no_step_back_in_time() -> None:
    """A clock that has beaten meanwhile does not make what was sampled begin anew."""
    assert beats(100.001, 99.998, 100.5, 101 - FILLED_IN, 101) == [100, 101]


@given(st.lists(st.integers(0, 40 * 10), max_size=60))
def test_the_second_of_now_is_the_last_sampled_unless_it_is_a_little_late(tenths: list[int]) -> None:
    """Whatever way time goes; and no second twice in a row."""
    market = Sampled()
    beat = Beat(market)
    for tenth in tenths:
        beat.to(tenth * SECOND // 10)
        assert 0 <= market.times[-1] - tenth // 10 <= FILLED_IN
    assert all(one != other for one, other in zip(market.times, market.times[1:], strict=False))
