"""The lines of last prices, and the last day out of its hours."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market import trails as module
from cadenza_tui.market.records import Candle, Ticker
from cadenza_tui.market.trails import DAY_LASTS, FIRST_STEP, HOUR, HOURS, SLOTS, Trails, day_of

A, B = "X:A/USD", "X:B/USD"
BEGIN = 1_000 * FIRST_STEP


def test_a_slot_has_its_last_price_and_one_without_that_before() -> None:
    """The line has no holes but before the first price."""
    trails = Trails()
    trails.sample(BEGIN)
    for step, price in ((1, "5"), (1, "6"), (3, "7")):
        trails.note(A, Decimal(price))
        trails.sample(BEGIN + step * FIRST_STEP)
    trails.note(B, Decimal(9))
    trails.sample(BEGIN + 4 * FIRST_STEP)
    assert trails.line(A) == [None, Decimal(6), Decimal(6), Decimal(7), Decimal(7)]
    assert trails.line(B) == [None, None, None, None, Decimal(9)]
    assert trails.line("X:C/USD") == []
    assert trails.span == 5 * FIRST_STEP


def test_a_ticker_without_a_last_price_gives_the_middle_of_its_touch() -> None:
    """Some venues only quote."""
    trails = Trails()
    trails.note_ticker(Ticker(A, 1, bid_price=Decimal(1), ask_price=Decimal(2)))
    trails.note_ticker(Ticker(B, 1, bid_price=Decimal(1)))
    trails.sample(BEGIN)
    assert trails.line(A) == [Decimal("1.5")]
    assert trails.line(B) == []


def test_the_step_doubles_when_the_time_no_longer_fits() -> None:
    """The line goes on over all that was seen, in the same number of slots."""
    trails = Trails()
    for slot in range(4 * SLOTS):
        trails.note(A, Decimal(slot))
        trails.sample(BEGIN + slot * FIRST_STEP)
    assert trails.step == 4 * FIRST_STEP
    assert trails.line(A) == [float(slot) for slot in range(3, 4 * SLOTS, 4)]
    assert trails.span == 4 * SLOTS * FIRST_STEP


def test_at_the_longest_step_the_oldest_slots_go() -> None:
    """The line is never longer than its slots."""
    trails = Trails()
    for slot in range(3 * SLOTS):
        trails.note(A, Decimal(slot))
        trails.sample(slot * module.LONGEST_STEP)
    assert trails.step == module.LONGEST_STEP
    assert trails.line(A) == [float(slot) for slot in range(2 * SLOTS, 3 * SLOTS)]
    trails.check()


def test_a_clock_that_is_set_back_begins_anew() -> None:
    """What a recording showed before it began again is not its past."""
    trails = Trails()
    trails.note(A, Decimal(1))
    trails.sample(BEGIN)
    trails.sample(BEGIN - FIRST_STEP)
    assert trails.line(A) == []


def test_the_instruments_are_bounded() -> None:
    """The one that came first goes."""
    trails = Trails()
    for number in range(module.MAX_TRAILS + 1):
        trails.note(f"X:{number}/USD", Decimal(1))
        trails.set_day(f"X:{number}/USD", day_of([], BEGIN))
    trails.sample(BEGIN)
    assert trails.line("X:0/USD") == []
    assert trails.day("X:0/USD") is None
    assert trails.line("X:1/USD") == [Decimal(1)]
    trails.check()


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from((A, B)), st.integers(1, 99)), max_size=80))
def test_the_line_is_that_of_a_naive_model(steps: list[tuple[int, str, int]]) -> None:
    """Each slot has the last price that was noted up to its end, out of all that ever were."""
    trails = Trails()
    trails.sample(BEGIN)
    slot, noted = BEGIN // FIRST_STEP, []
    for ahead, name, price in steps:
        slot += ahead
        trails.note(name, Decimal(price))
        trails.sample(slot * FIRST_STEP)
        noted.append((slot, name, price))
    trails.check()
    size = trails.step // FIRST_STEP
    first, last = BEGIN // FIRST_STEP // size, slot // size
    assert last - first < SLOTS
    for name in (A, B):
        own = [(at, price) for at, each, price in noted if each == name]
        naive = [
            next((Decimal(price) for at, price in reversed(own) if at // size <= one), None)
            for one in range(first, last + 1)
        ]
        assert trails.line(name) == (naive if own else [])


def candle(hour: int, close: str, volume: str | None) -> Candle:
    """Return an hour's candle."""
    price = Decimal(close)
    return Candle(hour * HOUR, price, price, price, price, None if volume is None else Decimal(volume))


def test_a_day_is_its_last_24_hours_added_up_exactly() -> None:
    """The running hour is the last of them; what is older or to come does not count."""
    candles = [candle(hour, str(hour), "0.1") for hour in range(70, 102)]
    day = day_of(candles, 100 * HOUR + 5)
    assert day.closes == tuple(range(77, 101))
    assert str(day.volume) == "2.4"


def test_a_day_of_which_an_hours_volume_is_unknown_has_none() -> None:
    """A sum that lacks a part would be a lie, as where the candles begin later; an hour without one had no
    trade."""
    assert day_of([candle(99, "1", "5"), candle(100, "2", None)], 100 * HOUR).volume is None
    assert day_of([], 100 * HOUR).volume is None
    short = [candle(98, "1", "5")]
    assert day_of(short, 100 * HOUR).volume is None
    day = day_of([candle(70, "1", "3"), *short], 100 * HOUR)
    assert (day.volume, day.closes[-3:]) == (Decimal(5), (1.0, None, None))
    assert len(day.closes) == HOURS


def test_a_day_that_was_asked_for_too_long_ago_is_not_known() -> None:
    """Its volume would be that of another day: where nobody answers any more it goes."""
    trails, now = Trails(), 100 * HOUR
    trails.set_day(A, day_of([candle(70, "1", "3"), candle(99, "1", "5")], now))
    trails.sample(now + DAY_LASTS)
    assert trails.day(A) is not None
    trails.sample(now + DAY_LASTS + 1)
    assert trails.day(A) is None
