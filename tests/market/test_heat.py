"""What a heatmap remembers, against a plain list of everything that stood in the book."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.heat import (
    CHAPTER,
    KEPT,
    MAXIMUM_BYTES,
    MAXIMUM_LEVELS,
    MAXIMUM_PRINTS,
    SECOND,
    Heat,
)
from cadenza_tui.market.heat_window import UNIT, Window
from cadenza_tui.market.records import BookType, Print, Side
from tests.market.updates import INSTRUMENT, diff, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = 1_723_161_254
"""Seconds since the epoch."""


def held(bids: str = "100:1 99:2", asks: str = "101:3 102:4", kind: BookType = BookType.L2) -> OrderBook:
    """Return a book with a snapshot."""
    book = OrderBook(INSTRUMENT)
    book.apply(snapshot(bids, asks, kind))
    return book


def trade(price: str, quantity: str, aggressor: Side | None = Side.BUY) -> Print:
    """Return a print."""
    return Print(INSTRUMENT, Decimal(price), Decimal(quantity), aggressor, 1)


def sums(heat: Heat, second: int, *, step: str = "1", bottom: int = 98, cells: int = 6) -> list[float] | None:
    """Return what stands in cells of price, read from scratch."""
    found = Window(heat, Decimal(step), bottom, cells).at(second)
    return None if found is None else [size / UNIT for size in found]


def plain_sums(levels: Sequence[tuple[str, str]], step: Decimal, bottom: int, cells: int) -> list[Decimal]:
    """Return the sums of levels in cells, the plainest way."""
    found = [Decimal(0)] * cells
    for price, quantity in levels:
        cell = int((Decimal(price) / step).to_integral_value("ROUND_FLOOR")) - bottom
        if 0 <= cell < cells:
            found[cell] += Decimal(quantity)
    return found


prices = st.integers(9_000, 11_000).map(lambda n: f"{n / 100:.2f}") | st.integers(90, 110).map(str)
quantities = st.sampled_from(["0", "0", "0.00001", "0.5", "1", "3.25", "1000000000"])
rows = st.lists(st.tuples(prices, quantities), max_size=12).map(
    lambda found: " ".join(f"{price}:{quantity}" for price, quantity in found)
)
beats = st.lists(
    st.tuples(rows, rows, st.sampled_from([1, 1, 1, 1, 1, 7]), st.sampled_from([True] * 5 + [False])),
    min_size=1,
    max_size=40,
)
steps = st.sampled_from(["0.01", "0.05", "0.5", "1", "2", "5", "0.03"])


@settings(max_examples=60, deadline=None)
@given(beats, steps, st.integers(-40, 40), st.integers(1, 60))
def test_a_cell_holds_the_sum_of_the_levels_in_its_range(
    given_beats: list[tuple[str, str, int, bool]], step: str, below: int, cells: int
) -> None:
    """In every second, forwards and in any order, the sums are those of the levels that stood there."""
    book, heat = OrderBook(INSTRUMENT), Heat()
    book.apply(snapshot())
    stood: dict[int, list[tuple[str, str]] | None] = {}
    second = BEGIN
    for bids, asks, later, in_sync in given_beats:
        second += later
        book.apply(diff(bids, asks))
        assert heat.sample(book, in_sync, second * SECOND)
        levels = [(level.price, level.quantity) for side in (book.bids, book.asks) for level in side.levels()]
        stood[second] = levels if in_sync else None
    heat.check()
    exactly = Decimal(step)
    bottom = int(Decimal(100) / exactly) - cells // 2 + below
    window = Window(heat, exactly, bottom, cells)
    every = list(range(heat.first, heat.end))
    for asked in (*every, *every[::-1], *every[:: max(len(every) // 3, 1)]):
        found, levels_then = window.at(asked), stood.get(asked)
        if levels_then is None:
            assert found is None
            continue
        assert found is not None
        expected = plain_sums(levels_then, exactly, bottom, cells)
        for size, wanted in zip(found, expected, strict=True):
            assert size / UNIT == pytest.approx(float(wanted), rel=1e-6)
            assert bool(size) is bool(wanted), "a cell that emptied is empty"


def test_what_is_unchanged_is_not_held_again() -> None:
    """A second in which nothing changed costs its frame alone, and shows what stood before."""
    book, heat = held(), Heat()
    for second in range(3):
        heat.sample(book, True, (BEGIN + second) * SECOND)
    sample = heat.at(BEGIN + 2)
    assert sample is not None
    assert sample.keys is not None
    assert len(sample.keys) == 0
    assert sums(heat, BEGIN + 2) == [0, 2, 1, 3, 4, 0]


def test_a_second_is_sampled_once() -> None:
    """Asked more often, the first answer of a second stays."""
    book, heat = held(), Heat()
    assert heat.sample(book, True, BEGIN * SECOND)
    book.apply(diff("100:9"))
    assert not heat.sample(book, True, BEGIN * SECOND + SECOND - 1)
    assert sums(heat, BEGIN) == [0, 2, 1, 3, 4, 0]


def test_seconds_that_nobody_sampled_are_a_gap() -> None:
    """After a pause nothing is carried over: neither into the gap nor out of it."""
    book, heat = held(), Heat()
    heat.sample(book, True, BEGIN * SECOND)
    book.apply(diff("99:0"))
    heat.sample(book, True, (BEGIN + 5) * SECOND)
    assert [sums(heat, BEGIN + second) is None for second in range(6)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]
    assert sums(heat, BEGIN + 5) == [0, 0, 1, 3, 4, 0]


def test_a_book_out_of_sync_is_a_gap() -> None:
    """What may be wrong is not shown as if it had stood."""
    book, heat = held(), Heat()
    for second, in_sync in enumerate([True, False, True]):
        heat.sample(book, in_sync, (BEGIN + second) * SECOND)
    assert [sums(heat, BEGIN + second) is None for second in range(3)] == [False, True, False]


def test_a_beat_that_skips_a_second_makes_no_gap() -> None:
    """A clock of about a second meets a second at its end and the next but one at its beginning."""
    book, heat = held(), Heat()
    heat.sample(book, True, BEGIN * SECOND + 990_000_000)
    heat.sample(book, True, (BEGIN + 2) * SECOND + 10_000_000)
    assert [sums(heat, BEGIN + second) for second in range(3)] == [[0, 2, 1, 3, 4, 0]] * 3
    heat.check()


def test_a_clock_that_goes_back_begins_anew() -> None:
    """A recording that is played again does not mix with its first time."""
    book, heat = held(), Heat()
    for second in (0, 1, 2):
        heat.sample(book, True, (BEGIN + second) * SECOND)
    heat.sample(book, True, (BEGIN - 100) * SECOND)
    assert (heat.first, len(heat)) == (BEGIN - 100, 1)


def test_a_jump_beyond_what_is_kept_forgets_what_was_before() -> None:
    """A gap of days takes no memory."""
    book, heat = held(), Heat()
    heat.sample(book, True, BEGIN * SECOND)
    heat.sample(book, True, (BEGIN + 10**6) * SECOND)
    assert (heat.first, len(heat)) == (BEGIN + 10**6, 1)


def test_ten_minutes_and_more_are_kept_and_no_more_than_that() -> None:
    """The oldest chapters go, and what is left can be read from its first second."""
    book, heat = held(), Heat()
    for second in range(KEPT + 3 * CHAPTER):
        book.apply(diff(f"99:{second + 1}"))
        heat.sample(book, True, (BEGIN + second) * SECOND)
        heat.check()
    assert KEPT <= len(heat) <= KEPT + CHAPTER
    assert sums(heat, heat.first) == [0, heat.first - BEGIN + 1, 1, 3, 4, 0]


def test_as_much_is_kept_where_the_beat_skips_every_other_second() -> None:
    """The whole samples stand no farther apart for that."""
    heat, book = Heat(), held()
    for second in range(0, KEPT + 4 * CHAPTER, 2):
        heat.sample(book, True, (BEGIN + second) * SECOND)
        heat.check()
        assert len(heat) >= min(KEPT, second)


def test_ten_minutes_of_a_thousand_levels_fit_whatever_they_do() -> None:
    """Each level of it changes in every second, and none has to go."""
    book, heat = OrderBook(INSTRUMENT), Heat()
    for second in range(600):
        rows = ["".join((str(price), ":", str(second + 1))) for price in range(1, 1_001)]
        book.apply(snapshot(" ".join(rows[:500]), " ".join(rows[500:])))
        heat.sample(book, True, (BEGIN + second) * SECOND)
    heat.check()
    assert len(heat) == 600
    assert heat.bytes <= MAXIMUM_BYTES


def test_the_oldest_goes_where_bytes_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound in bytes holds before the one in time."""
    monkeypatch.setattr("cadenza_tui.market.heat.MAXIMUM_BYTES", 100_000)
    book, heat = held(), Heat()
    for second in range(600):
        book.apply(diff(f"99:{second + 1}"))
        heat.sample(book, True, (BEGIN + second) * SECOND)
        assert heat.bytes <= 100_000
    assert 200 < len(heat) < 300
    assert sums(heat, heat.end - 1) == [0, 600, 1, 3, 4, 0]


def test_a_deep_book_is_sampled_near_its_touch() -> None:
    """So many levels a side are kept, best first."""
    bids = " ".join(f"{5_000 - n}:1" for n in range(MAXIMUM_LEVELS + 500))
    heat = Heat()
    heat.sample(held(bids, "6000:1"), True, BEGIN * SECOND)
    found = sums(heat, BEGIN, bottom=3_000, cells=3_001)
    assert found is not None
    assert sum(found) == MAXIMUM_LEVELS + 1
    assert found[2_000] == 1


def test_prints_are_summed_by_price_and_aggressor() -> None:
    """They belong to the second in which they came."""
    book, heat = held(), Heat()
    heat.sample(book, True, BEGIN * SECOND)
    for fresh in (
        trade("101", "1"),
        trade("101", "2"),
        trade("100", "4", Side.SELL),
        trade("100.5", "1", None),
    ):
        heat.add_print(fresh)
    heat.sample(book, True, (BEGIN + 1) * SECOND)
    first, second = heat.at(BEGIN), heat.at(BEGIN + 1)
    assert first is not None
    assert first.prints is None
    assert second is not None
    assert second.prints is not None
    assert sorted(zip(*second.prints, strict=True)) == [(100, 1, 0), (100, 4, -1), (101, 3, 1)]
    assert heat.last_price == Decimal("100.5")


def test_prints_of_a_second_are_bounded_and_the_largest_stay() -> None:
    """A sweep over thousands of prices leaves its largest prints."""
    book, heat = held(), Heat()
    for n in range(1, 1_000):
        heat.add_print(trade(str(n), str(n % 500 + 1)))
    heat.sample(book, True, BEGIN * SECOND)
    sample = heat.at(BEGIN)
    assert sample is not None
    assert sample.prints is not None
    assert len(sample.prints.prices) == MAXIMUM_PRINTS
    assert min(sample.prints.quantities) > 450


@pytest.mark.parametrize(
    ("bid", "ask", "step"),
    [
        ("0.000000000001", "0.000000000002", "0.000000000001"),
        ("1000000000", "1000000000.5", "0.5"),
        ("1000000000.000000000000000001", "1000000001", "1"),
        (
            "100000000000000000000000000000",
            "300000000000000000000000000000",
            "100000000000000000000000000000",
        ),
    ],
)
def test_prices_of_any_size_have_their_cell(bid: str, ask: str, step: str) -> None:
    """From 1e-12 to beyond what an integer of an array holds."""
    book, heat = held(f"{bid}:0.000000000000000001", f"{ask}:2"), Heat()
    heat.sample(book, True, BEGIN * SECOND)
    book.apply(diff("", f"{ask}:4"))
    heat.sample(book, True, (BEGIN + 1) * SECOND)
    bottom = int(Decimal(bid) / Decimal(step))
    last = int(Decimal(ask) / Decimal(step)) - bottom
    found = sums(heat, BEGIN + 1, step=step, bottom=bottom, cells=last + 1)
    assert found is not None
    assert found[0] == pytest.approx(1e-18, rel=1e-6)
    assert found[last] == 4


def test_a_finer_price_than_before_is_taken_exactly() -> None:
    """The unit of prices follows the feed."""
    book, heat = held("100:1", "101:1"), Heat()
    heat.sample(book, True, BEGIN * SECOND)
    book.apply(diff("100.375:5"))
    heat.sample(book, True, (BEGIN + 1) * SECOND)
    assert sums(heat, BEGIN + 1, step="0.125", bottom=800, cells=9) == [1, 0, 0, 5, 0, 0, 0, 0, 1]


def test_exchanges_of_one_price_are_summed() -> None:
    """An L2_EXCHANGE book stands at a price with all that quote it, however they spell it."""
    book, heat = held("100:1:A 100.0:2:B", "101:3:A", BookType.L2_EXCHANGE), Heat()
    heat.sample(book, True, BEGIN * SECOND)
    assert sums(heat, BEGIN) == [0, 0, 3, 3, 0, 0]


def test_a_vwap_book_has_no_levels_to_sample() -> None:
    """Its quantities are running sums: nothing of it stands at a price."""
    heat = Heat()
    heat.sample(held("100:1 99:3", "101:2", BookType.VWAP), True, BEGIN * SECOND)
    assert sums(heat, BEGIN) is None
