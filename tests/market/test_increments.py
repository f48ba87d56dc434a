"""The steps that a price axis is grouped by."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.increments import increments, step, tick_of
from cadenza_tui.market.records import Instrument
from tests.market.updates import INSTRUMENT, snapshot

TICKS = st.decimals("1e-12", "1e9", allow_nan=False, allow_infinity=False).map(lambda tick: tick.normalize())


@given(tick=TICKS)
def test_increments_are_one_two_and_five_times_powers_of_ten_ticks(tick: Decimal) -> None:
    """Each is a whole number of ticks that begins with 1, 2 or 5, and none is written with an exponent."""
    steps = increments(tick)
    assert list(steps) == sorted(set(steps))
    assert steps[0] == tick
    assert steps[-1] == tick * 1_000_000
    for each in steps:
        assert str(int(each / tick)).rstrip("0") in {"1", "2", "5"}
        assert "E" not in format(each, "f")
        assert not format(each, "f").endswith("0") or "." not in format(each, "f")


@given(tick=TICKS, by=st.lists(st.sampled_from([-1, 1, 2, -3]), max_size=40))
def test_steps_go_along_the_increments_and_end_at_the_raw_book(tick: Decimal, by: list[int]) -> None:
    """Coarser and finer one by one, clamped at both ends; finer than twice the tick is the raw book."""
    path = [None, *increments(tick)[1:]]
    at, held = 0, None
    for way in by:
        at = min(max(at + way, 0), len(path) - 1)
        held = step(tick, held, way)
        assert held == path[at]


def test_a_step_from_what_is_no_increment_goes_to_its_neighbour() -> None:
    """What was kept for another tick is not lost: the next coarser or finer step is the next one."""
    tick = Decimal("0.01")
    assert step(tick, Decimal("0.07"), 1) == Decimal("0.1")
    assert step(tick, Decimal("0.07"), -1) == Decimal("0.05")
    assert step(tick, Decimal("0.01"), 1) == Decimal("0.02")
    assert step(tick, Decimal("0.01"), -1) is None
    assert step(tick, Decimal(10**9), 1) == Decimal(10_000)


@pytest.mark.parametrize("tick", ["0", "-1", "NaN", "Infinity"])
def test_a_tick_that_is_no_step_has_no_increments(tick: str) -> None:
    """Nothing is grouped where the tick is not a positive number."""
    assert increments(Decimal(tick)) == ()
    assert step(Decimal(tick), None, 1) is None


def test_the_tick_is_the_instruments_else_its_decimals_else_the_books() -> None:
    """``tickSize``, else a one at the last decimal, else the finest decimals that the book has shown."""
    book = OrderBook(INSTRUMENT)
    assert tick_of(None, None) is None
    assert tick_of(None, book) is None
    book.apply(snapshot("10.250:1", "10.5:1"))
    assert tick_of(None, book) == Decimal("0.01")
    told = Instrument(INSTRUMENT, "BINANCE", "BTC/USDT", price_decimals=4)
    assert tick_of(told, book) == Decimal("0.0001")
    told = Instrument(INSTRUMENT, "BINANCE", "BTC/USDT", tick=Decimal("0.50"), price_decimals=4)
    assert str(tick_of(told, book)) == "0.5"
