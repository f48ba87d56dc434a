"""The ladder on an axis of prices."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType, BookUpdate, Instrument, UpdateType
from cadenza_tui.view.ladder import LadderMemory
from tests.view.ladders import ASKS, BIDS, seen, shown
from tests.view.support import ID, bad_widths, book, plain, screen

DOM = {"shape": "dom"}


def market(middle: int, sides: str = "both") -> OrderBook:
    """Return a book of ten prices a side, a tick apart, with ``middle`` ticks as its best bid."""
    bids = [(f"{(middle - n) / 100:.2f}", f"{n + 1}") for n in range(10)] if sides != "asks" else []
    asks = [(f"{(middle + 1 + n) / 100:.2f}", f"{n + 1}") for n in range(10)] if sides != "bids" else []
    return book(bids, asks)


def row_of(price: str, middle: int, memory: LadderMemory, **options: str) -> int | None:
    """Return the row that a price stands on after a frame; None where it is out of sight."""
    pane = shown(market(middle), height=24, memory=memory, options={**DOM, **options})
    return next((at for at, row in enumerate(plain(pane)[2:-1]) if f" {price} " in row), None)


def test_prices_stay_where_they_are_while_the_touch_moves() -> None:
    """A price keeps its row until the touch nears an edge; then the touch is in the middle again."""
    memory = LadderMemory()
    before = row_of("100.00", 10_000, memory)
    assert [row_of("100.00", 10_000 + step, memory) for step in (1, 2, 3, 6)] == [before] * 4
    assert row_of("100.00", 10_009, memory) != before
    assert row_of("100.09", 10_009, memory) == before


def test_both_sides_of_the_touch_stay_in_sight() -> None:
    """Their middle may be far from an edge: where the spread is wide the best bid or ask is at it first."""
    memory = LadderMemory()
    shown(book([("100.00", "1")], [("100.01", "1")]), height=24, memory=memory, options=DOM)
    for bid, ask in (("99.88", "99.98"), ("100.02", "100.12"), ("99.90", "99.91")):
        pane = shown(book([(bid, "1")], [(ask, "1")]), height=24, memory=memory, options=DOM)
        assert {str(row.price) for row in seen(pane)} == {bid, ask}


def test_always_keeps_the_touch_in_the_middle() -> None:
    """Re-centring always, the touch has its row and prices move."""
    memory = LadderMemory()
    before = row_of("100.00", 10_000, memory, recentre="always")
    assert row_of("100.01", 10_001, memory, recentre="always") == before


def test_never_waits_to_be_asked_and_points_to_the_touch() -> None:
    """Without re-centring the axis stays, says where the touch is, and follows when asked to."""
    memory = LadderMemory()
    before = row_of("100.00", 10_000, memory, recentre="never")
    assert row_of("100.00", 10_500, memory, recentre="never") == before
    held = shown(market(10_500), height=24, memory=memory, options={**DOM, "recentre": "never"})
    assert "▲ 105.005" in plain(held)[0]
    memory.centre()
    assert row_of("105.00", 10_500, memory, recentre="never") == before
    held = shown(market(10_100), height=24, memory=memory, options={**DOM, "recentre": "never"})
    assert "▼ 101.005" in plain(held)[0]


def test_the_axis_waits_while_a_cursor_stands() -> None:
    """Nothing moves under a cursor, until it is let go."""
    memory = LadderMemory()
    before = row_of("100.00", 10_000, memory)
    memory.move(1)
    assert row_of("100.00", 10_000, memory) == before
    assert row_of("100.00", 10_020, memory) == before
    assert memory.release()
    assert row_of("100.20", 10_020, memory) == before


def test_the_cursor_moves_along_the_axis_and_takes_it_along_at_its_end() -> None:
    """The cursor goes from price to price, holes included, and the axis no further than it needs."""
    memory = LadderMemory()
    held = book(BIDS, ASKS)
    shown(held, height=14, memory=memory, options=DOM)
    memory.move(3)
    pane = shown(held, height=14, memory=memory, options=DOM)
    assert memory.cursor == Decimal("99.99")
    assert "▸ 99.99   Σ 1.750" in plain(pane)[-1]
    memory.move(40)
    pane = shown(held, height=14, memory=memory, options=DOM)
    assert memory.cursor == Decimal("99.59")
    assert " 99.59 " in plain(pane)[-2]
    memory.move(-45)
    shown(held, height=14, memory=memory, options=DOM)
    assert memory.cursor == Decimal("100.04")
    assert not memory.bid


def test_a_price_off_the_axis_is_not_lost() -> None:
    """A level between two steps stands at the step below a bid, above an ask."""
    pane = shown(book([("100.004", "1"), ("100.00", "2")], [("100.006", "5")]), height=14, options=DOM)
    rows = [(row.price, row.quantity) for row in seen(pane)]
    assert rows == [(Decimal("100.01"), Decimal(5)), (Decimal("100.00"), Decimal(3))]


@pytest.mark.parametrize("ask", ["100.00", "99.97"])
def test_a_locked_or_crossed_book_has_a_row_for_each_side(ask: str) -> None:
    """A price with a bid and an ask is shown twice, the ask above, and the touch says what is wrong."""
    pane = shown(
        book([("100.00", "1"), ("99.97", "4")], [(ask, "2"), ("100.01", "3")]), height=20, options=DOM
    )
    both = [row for row in seen(pane) if row.price == Decimal(ask)]
    assert [row.bid for row in both] == [False, True]
    assert ("locked" if ask == "100.00" else "crossed −0.03") in plain(pane)[0]


@pytest.mark.parametrize("sides", ["bids", "asks"])
def test_one_side_alone_has_its_axis(sides: str) -> None:
    """With one side empty the axis is about the other, and says so."""
    pane = shown(market(10_000, sides), height=24, options=DOM)
    assert {row.bid for row in seen(pane)} == {sides == "bids"}
    assert ("no asks" if sides == "bids" else "no bids") in plain(pane)[0]


def test_an_empty_book_and_a_curve_have_no_axis() -> None:
    """Nothing to hold on to: an empty book says so, a VWAP book stays a stack."""
    assert "the book is empty" in screen(shown(book([], []), options=DOM))
    held = book([("100.00", "1"), ("99.987", "3")], [("101.00", "1")], BookType.VWAP)
    assert "99.987" in screen(shown(held, options=DOM, height=14))


def test_a_far_window_reads_what_is_in_sight() -> None:
    """Farther from the touch than is read, sizes are shown, and no sum that would not be whole."""
    far = [("1.00", "7"), ("0.99", "8")]
    memory = LadderMemory()
    memory.move(9_901)
    held = book([("100.00", "1"), *far], [("100.01", "1")])
    for _ in range(4):
        memory.move(3_000)
        pane = shown(held, height=14, memory=memory, options=DOM)
    memory.move(-(int((Decimal("1.00") - (memory.cursor or Decimal(0))) * 100)))
    pane = shown(held, height=14, memory=memory, options=DOM)
    assert memory.cursor == Decimal("1.00")
    rows = [row for row in plain(pane)[2:-1] if row.split()]
    assert [row.split() for row in rows if "7.00000" in row] == [["7.00000", "1.00"]]
    assert "Σ" not in plain(pane)[-1]


prices = st.integers(1, 3_000).map(lambda n: f"{n / 100:.2f}")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(prices, prices), min_size=1, max_size=6),
    st.sampled_from(("edge", "always", "never")),
    st.integers(1, 40),
    st.lists(st.integers(-90, 90), max_size=4),
)
def test_the_axis_never_skips_a_price(
    touches: list[tuple[str, str]], recentre: str, height: int, steps: list[int]
) -> None:
    """Whatever moves, crossed or not, rows fit, prices descend by one step, and the cursor is in sight."""
    memory = LadderMemory()
    for index, (bid, ask) in enumerate(touches):
        if index < len(steps):
            memory.move(steps[index])
        held = book([(bid, "1")], [(ask, "2")])
        pane = shown(held, width=70, height=height, memory=memory, options={**DOM, "recentre": recentre})
        assert len(pane.body) == height
        assert bad_widths(pane.body, 70) == []
        listed = [price for price, _ in memory.axis[1]] if memory.axis is not None else []
        assert all(one - other == Decimal("0.01") for one, other in pairwise(listed))


def test_without_a_tick_the_step_is_the_finest_decimal() -> None:
    """Where no tick is known, the book's own decimals make the axis."""
    held = OrderBook(ID)
    rows = [("0.5", "1"), ("0.25", "2")]
    held.apply(BookUpdate(ID, UpdateType.SNAPSHOT, BookType.L2, ("price", "quantity"), [*rows], [], 1))
    bare = Instrument(ID, "BINANCE", "BTC/USDT")
    pane = shown(held, instrument=bare, height=70, options=DOM)
    assert [row.price for row in seen(pane)] == [Decimal("0.50"), Decimal("0.25")]
    assert " 0.49 " in screen(pane)
