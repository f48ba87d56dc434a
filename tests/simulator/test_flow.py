"""The order flow of one instrument: plausible, two-sided, and never crossed."""

from __future__ import annotations

from statistics import fmean

import pytest

from cadenza_tui.simulator.flow import OrderFlow, Trade
from cadenza_tui.simulator.instruments import CATALOGUE, DEFAULT_INSTRUMENTS, Instrument
from cadenza_tui.simulator.reference import Reference

from .invariants import check_book

SECOND = 10**9
DEFAULT = CATALOGUE[:DEFAULT_INSTRUMENTS]


def flow(one: Instrument, events: float = 200.0) -> OrderFlow:
    made = OrderFlow(one, 11, events, 0)
    made.warm_up(one.price)
    return made


@pytest.mark.parametrize("one", DEFAULT, ids=lambda one: one.instrument_id)
def test_a_book_stays_two_sided_uncrossed_and_near_its_reference(one: Instrument) -> None:
    """Over half a minute of a moving reference both sides keep their depth and the mid follows."""
    made = flow(one)
    index = DEFAULT.index(one)
    reference = Reference(11, DEFAULT, 0)
    for quarter in range(1, 121):
        reference.advance(quarter * SECOND // 4)
        fair = reference.prices[index]
        made.run(quarter * SECOND // 4, fair)
        book = made.book
        assert min(len(book.bid_prices), len(book.ask_prices)) >= 12
        mid = (book.bid_prices[-1] + book.ask_prices[0]) / 2
        assert abs(mid - fair) < max(4.0, fair * 15e-4)
    check_book(made.book)


def test_the_busiest_book_is_deep() -> None:
    """The first instrument begins with hundreds of levels a side, many of them near the touch."""
    book = flow(CATALOGUE[0]).book
    assert 100 <= len(book.bid_prices) <= 700
    assert 100 <= len(book.ask_prices) <= 700
    near = [price for price in book.bid_prices if price > book.bid_prices[-1] - 2_000]
    assert len(near) > 50


def test_prints_are_at_resting_prices() -> None:
    """A buy pays the best asks of the moment and upwards, a sell the best bids and downwards."""
    made = flow(CATALOGUE[0])
    seen = 0
    for step in range(1, 3_000):
        asks, bids = made.book.ask_prices[:], made.book.bid_prices[:]
        trades: list[Trade] = []
        made._arrival(step, float(CATALOGUE[0].price), trades)
        buys = [one.price for one in trades if one.is_buy]
        sells = [one.price for one in trades if not one.is_buy]
        assert buys == sorted(buys)
        assert set(buys) == set(asks[: len(set(buys))])
        assert sells == sorted(sells, reverse=True)
        assert set(sells) == set(bids[len(bids) - len(set(sells)) :])
        seen += len(trades)
    assert seen > 50


def test_the_number_of_arrivals_is_poisson() -> None:
    """Mean and variance of the counts agree with the mean asked for, small and large."""
    made = flow(CATALOGUE[0])
    for mean, draws in ((0.3, 30_000), (6.0, 5_000), (700.0, 800)):
        counts = [made._poisson(mean) for _ in range(draws)]
        assert fmean(counts) == pytest.approx(mean, rel=0.05)
        spread = fmean((count - mean) ** 2 for count in counts)
        assert spread == pytest.approx(mean, rel=0.2)


def test_sizes_are_varied_with_round_and_large_ones() -> None:
    """Sizes are positive, many are round, and a few are more than twenty medians."""
    sizes = flow(CATALOGUE[0])._sizes
    assert min(sizes) >= 1
    assert sum(size % 1_000 == 0 for size in sizes) > len(sizes) / 10
    assert 5 < sum(size > 20 * CATALOGUE[0].size for size in sizes) < len(sizes) / 20


def test_times_of_prints_never_go_back() -> None:
    """Prints come in order of time and their ids rise by one."""
    made = flow(CATALOGUE[0])
    trades = [trade for step in range(1, 40) for trade in made.run(step * SECOND, CATALOGUE[0].price)]
    assert [one.time_ns for one in trades] == sorted(one.time_ns for one in trades)
    assert [one.trade_id for one in trades] == list(
        range(trades[0].trade_id, trades[0].trade_id + len(trades))
    )


def test_venues_of_one_symbol_track_one_another() -> None:
    """The reference prices of BTC/USDT on three venues differ by a few basis points at most, and do move."""
    reference = Reference(3, DEFAULT, 0)
    indexes = [index for index, one in enumerate(DEFAULT) if one.symbol == "BTC/USDT"]
    assert len(indexes) == 3
    for minute in range(1, 30):
        reference.advance(minute * 60 * SECOND)
        worth = [
            reference.prices[index] * DEFAULT[index].tick / 10 ** DEFAULT[index].price_decimals
            for index in indexes
        ]
        assert max(worth) / min(worth) < 1 + 12e-4
    assert worth[0] != pytest.approx(61_837.64, rel=1e-5)
