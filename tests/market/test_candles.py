"""Candles: where they open, and what is merged into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.candles import INTERVALS, MAXIMUM_CANDLES, SECOND, merged, opening
from cadenza_tui.market.records import Candle, Kline

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
seconds = st.integers(0, 7_900_000_000)


def at(moment: datetime) -> int:
    """Return nanoseconds."""
    return int((moment - EPOCH).total_seconds()) * SECOND


@given(seconds, st.sampled_from(list(INTERVALS)), st.integers(0, SECOND - 1))
def test_a_candle_opens_where_the_calendar_says(second: int, interval: str, part: int) -> None:
    """Days at midnight, weeks on Monday, months on their first; the one after it follows at once."""
    moment = EPOCH + timedelta(seconds=second)
    start, end = opening(interval, second * SECOND + part)
    if interval == "1M":
        first = moment.replace(day=1, hour=0, minute=0, second=0)
        assert (start, end) == (at(first), at((first + timedelta(days=32)).replace(day=1)))
    elif interval == "1w":
        monday = moment.replace(hour=0, minute=0, second=0) - timedelta(days=moment.weekday())
        assert (start, end) == (at(monday), at(monday + timedelta(days=7)))
    else:
        length = {"s": 1, "m": 60, "h": 3600, "d": 86400}[interval[-1]] * int(interval[:-1])
        assert (start, end) == (second // length * length * SECOND, (second // length + 1) * length * SECOND)


def test_an_unknown_interval_is_an_error() -> None:
    """What the contract does not have is not guessed at."""
    with pytest.raises(KeyError):
        opening("7m", 0)


def candle(place: int, close: int = 1) -> Candle:
    """Return a candle."""
    one = Decimal(close)
    return Candle(place * SECOND, one, one, one, one, None)


def kline(timestamp: int, *candles: Candle, is_closed: bool = False) -> Kline:
    """Return a message."""
    return Kline("BINANCE:BTC/USDT", "1s", candles, is_closed, timestamp)


pushes = st.lists(
    st.tuples(st.integers(0, 9), st.lists(st.tuples(st.integers(0, 12), st.integers(1, 9)), max_size=5)),
    max_size=10,
)


@given(pushes)
def test_pushes_are_merged_by_their_opening_time(made: list[tuple[int, list[tuple[int, int]]]]) -> None:
    """Whatever comes in whatever order, what is held is what a plain dict by time holds."""
    held: Kline | None = None
    naive: dict[int, Candle] = {}
    newest = 0
    for timestamp, cells in made:
        candles = sorted((candle(place, close) for place, close in cells), key=lambda one: one.open_time)
        fresh = merged(held, kline(timestamp, *candles))
        if held is not None and timestamp < newest:
            assert fresh is None
            continue
        assert fresh is not None
        held, newest = fresh, timestamp
        naive.update({one.open_time: one for one in candles})
        assert held.candles == tuple(naive[time] for time in sorted(naive))


def test_the_first_message_may_repeat_a_candle() -> None:
    """The later one of two that open together counts from the first message on."""
    held = merged(None, kline(1, candle(1, 1), candle(1, 2)))
    assert held is not None
    assert [one.close for one in held.candles] == [2]


def test_candles_are_bounded_and_the_latest_stay() -> None:
    """The oldest fall out."""
    held = merged(None, kline(1, *(candle(place) for place in range(MAXIMUM_CANDLES + 5))))
    assert held is not None
    held = merged(held, kline(2, candle(MAXIMUM_CANDLES + 5)))
    assert held is not None
    assert len(held.candles) == MAXIMUM_CANDLES
    assert held.candles[0].open_time == 6 * SECOND


def test_closed_speaks_of_the_latest_candle_alone() -> None:
    """A message about an older one says nothing of the latest."""
    held = merged(None, kline(1, candle(1), candle(2), is_closed=False))
    later = merged(held, kline(2, candle(1, 5), is_closed=True))
    assert later is not None
    assert not later.is_closed
    closed = merged(later, kline(3, candle(2, 5), is_closed=True))
    assert closed is not None
    assert closed.is_closed
