"""Candles from prints."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.simulator.candles import INTERVALS, Candle, Candles, bucket
from cadenza_tui.simulator.exchange import Exchange

START = 1_723_161_254_000_000_000
SECOND = 10**9


def candles() -> Candles:
    return Candles("seed", 6_000, 10, START)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 99), st.integers(1, 9)), min_size=1, max_size=60)
)
def test_a_minute_is_what_its_prints_say(prints: list[tuple[int, int, int]]) -> None:
    """Open, high, low, close and volume of every minute follow from the prints in it alone."""
    kept = candles()
    prints.sort(key=lambda one: one[0])
    minutes: dict[int, list[tuple[int, int]]] = {}
    for second, price, quantity in prints:
        time_ns = START + second * SECOND
        kept.add(time_ns, price, quantity)
        minutes.setdefault(time_ns // (60 * SECOND) * 60_000, []).append((price, quantity))
    expected = [
        Candle(
            open_ms,
            rows[0][0],
            max(price for price, _ in rows),
            min(price for price, _ in rows),
            rows[-1][0],
            sum(quantity for _, quantity in rows),
        )
        for open_ms, rows in minutes.items()
    ]
    assert kept.since("1m", 0) == expected
    hour = kept.since("1h", 0)
    assert sum(one.volume for one in hour) == sum(quantity for _, _, quantity in prints)
    assert (hour[0].open, hour[-1].close) == (prints[0][1], prints[-1][1])


def test_the_past_leads_from_the_day_open_to_the_first_price() -> None:
    """A day of minutes before the start, gapless, begins at the day's open and ends at the starting price."""
    kept = candles()
    past = kept.latest("1m", 5_000)
    assert len(past) == 1_440
    assert (past[0].open, past[-1].close) == (kept.day_open, 6_000)
    assert all(
        after.open_ms - before.open_ms == 60_000 and after.open == before.close
        for before, after in itertools.pairwise(past)
    )
    assert all(one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high for one in past)
    assert past[-1].open_ms + 60_000 == bucket("1m", START // 10**6)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """The two intervals that a division does not give."""
    moment = 1_723_161_254_000

    def opened(interval: str) -> datetime:
        return datetime.fromtimestamp(bucket(interval, moment) / 1000, UTC)

    assert opened("1w") == datetime(2024, 8, 5, tzinfo=UTC)
    assert opened("1M") == datetime(2024, 8, 1, tzinfo=UTC)


def test_every_interval_of_the_contract_is_kept() -> None:
    """Each interval gives candles that open at its bucket."""
    assert " ".join(INTERVALS) == "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M"
    kept = candles()
    kept.add(START, 5, 1)
    for interval in INTERVALS:
        newest = kept.since(interval, None)[-1]
        assert newest.open_ms == bucket(interval, START // 10**6)


def test_the_past_trades_as_much_as_the_present() -> None:
    """What a minute of the seeded past has traded on average is what the running market trades in one."""
    for prints in (None, 20.0):
        exchange = Exchange(7, instruments=1, rate=40, prints=prints)
        exchange.advance(180 * SECOND, lambda _channel: False)
        candles = exchange.markets["BINANCE:BTC/USDT"].candles.latest("1m", 5_000)
        past, present = candles[:1_440], candles[1_440:1_443]
        ratio = sum(one.volume for one in past) / 1_440 / (sum(one.volume for one in present) / 3)
        assert 0.4 < ratio < 2.5
