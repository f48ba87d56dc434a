"""The cursor of the ladder, and the single orders under it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.records import BookType, Instrument, Side
from cadenza_tui.market.study import Studies
from cadenza_tui.view.ladder import LadderMemory
from cadenza_tui.view.rows import Ground, Role
from tests.view.ladders import ASKS, BIDS, books, shown
from tests.view.support import ID, bad_widths, book, order, plain, screen, text


def test_the_cursor_appears_at_the_touch() -> None:
    """Down it begins at the best bid, up at the best ask, and goes over the touch line."""
    held, memory = book(BIDS, ASKS), LadderMemory()
    visited = []
    for by in (1, 1, -1, -1, -1, -9, 4, 99):
        memory.move(by)
        shown(held, memory=memory)
        visited.append((str(memory.cursor), memory.bid))
    bids, asks = [(price, True) for price, _ in BIDS], [(price, False) for price, _ in ASKS]
    assert visited == [bids[0], bids[1], bids[0], asks[0], asks[1], asks[3], bids[0], bids[3]]


def test_the_cursor_stands_on_its_price_when_the_book_moves() -> None:
    """Better levels that come or go leave it where it is; a price that left is the last one before it."""
    memory = LadderMemory()
    memory.move(2)
    for rows, quantity in (
        (BIDS, "1.750"),
        ([("100.015", "1"), *BIDS], "2.750"),
        ([BIDS[0], *BIDS[2:]], "1.500"),
    ):
        pane = shown(book(rows, ASKS), memory=memory)
        assert memory.cursor == Decimal("100.00")
        assert plain(pane)[-1].split()[:4] == ["▸", "100.00", "Σ", quantity]


@pytest.mark.parametrize("shape", ["stack", "dom"])
def test_the_cursor_changes_sides_with_its_price(shape: str) -> None:
    """When the market has gone through its price, the cursor is among the asks."""
    memory, options = LadderMemory(), {"shape": shape}
    memory.move(1)
    shown(book(BIDS, ASKS), memory=memory, options=options)
    later = book([("99.00", "1")], [("99.50", "2"), ("100.01", "3")])
    pane = shown(later, memory=memory, width=90, options=options)
    assert not memory.bid
    assert "Σ 5.000" in plain(pane)[-1]
    assert "buy" in plain(pane)[-1]


def test_the_row_of_the_cursor_is_on_its_ground() -> None:
    """One row of a price is marked, the touch line beside it."""
    memory = LadderMemory()
    memory.move(2)
    pane = shown(book(BIDS, ASKS), memory=memory)
    marked = [text(row) for row in pane.body[:-1] if all(s.ground is not Ground.PANEL for s in row)]
    assert len(marked) == 2
    assert " 100.00 " in marked[1]


def test_a_cursor_deeper_than_the_rows_takes_the_view_along() -> None:
    """Past the last row the levels scroll, the touch stays in sight, and space brings them back."""
    bids = [(f"{100 - n / 100:.2f}", "1") for n in range(60)]
    held, memory = book(bids, ASKS), LadderMemory()
    memory.move(50)
    pane = shown(held, memory=memory, height=12, width=90)
    assert " 99.51 " in plain(pane)[-2]
    assert "Σ 50.000 BTC" in plain(pane)[-1]
    assert "spread" in plain(pane)[1]
    memory.centre()
    pane = shown(held, memory=memory, height=12, width=90)
    assert "spread" in plain(pane)[5]
    assert "Σ 50.000 BTC" in plain(pane)[-1]
    assert memory.release()
    assert not memory.release()
    assert "shown" in plain(shown(held, memory=memory, height=12, width=90))[-1]


def test_a_cursor_stays_in_sight_while_the_market_moves() -> None:
    """The stack goes as far as shows the cursor's price, and comes back to the middle with the market."""
    memory = LadderMemory()

    def frame(best: int) -> list[str]:
        bids = [(f"{(best - n) / 100:.2f}", "1") for n in range(80)]
        asks = [(f"{(best + 1 + n) / 100:.2f}", "1") for n in range(80)]
        return plain(shown(book(bids, asks), memory=memory, height=12, width=90))

    frame(10000)
    memory.move(-3)
    assert " 100.03 " in frame(10000)[2]
    assert " 100.03 " in frame(9970)[1]
    back = frame(10000)
    assert " 100.03 " in back[2]
    assert "spread" in back[5]


def test_a_page_is_what_is_in_sight_but_two_rows() -> None:
    """Paging moves the cursor by the rows of the last frame."""
    bids = [(f"{100 - n / 100:.2f}", "1") for n in range(60)]
    memory = LadderMemory()
    shown(book(bids, ASKS), memory=memory, height=13)
    memory.page(1)
    shown(book(bids, ASKS), memory=memory, height=13)
    assert memory.cursor == Decimal("99.93")


@pytest.mark.parametrize("width", [24, 30, 40, 60, 80, 120])
def test_the_cursor_line_fits(width: int) -> None:
    """As it narrows it says less, and no number is cut."""
    memory = LadderMemory()
    memory.move(2)
    pane = shown(book(BIDS, ASKS), memory=memory, width=width)
    line = plain(pane)[-1]
    assert bad_widths(pane.body, width) == []
    assert "…" not in line
    assert line.split()[1:4] == ["100.00", "Σ", "1.750"]
    assert ("sell" in line) is (width >= 40)


@settings(max_examples=40, deadline=None)
@given(books(), st.lists(st.integers(-40, 40), max_size=5), st.sampled_from(("stack", "dom")))
def test_a_cursor_moved_is_in_sight(
    sides: tuple[list[tuple[str, str]], list[tuple[str, str]]], steps: list[int], shape: str
) -> None:
    """Wherever it is sent, the row of the cursor can be seen in the next frame."""
    memory, held = LadderMemory(), book(*sides)
    for by in steps:
        memory.move(by)
        pane = shown(held, memory=memory, height=12, width=70, options={"shape": shape})
        if by and any(sides):
            shown_price = f" {memory.cursor:.2f} "
            assert any(shown_price in row for row in plain(pane)[1:-1])


def test_unfolding_shows_the_orders_of_the_level() -> None:
    """Each order of an L3_COUNTED price has its size, place and id; folding hides them."""
    columns = ("price", "quantity", "orderId")
    bids = [("100.00", "1", "a-1"), ("100.00", "2.5", "b-2"), ("99.00", "4", "c-3")]
    held, memory = book(bids, [("101.00", "7", "d-4")], BookType.L3_COUNTED, columns), LadderMemory()
    memory.move(1)
    memory.unfold()
    rows = plain(shown(held, memory=memory, width=80, height=14))
    at = next(index for index, row in enumerate(rows) if "3.50000" in row)
    assert rows[at].split()[1:] == ["2", "3.50000", "100.00"]
    assert [row.split() for row in rows[at + 1 : at + 3]] == [
        ["1.00000", "#1", "a-1"],
        ["2.50000", "#2", "b-2"],
    ]
    assert "99.00" in rows[at + 3]
    memory.unfold()
    assert "a-1" not in screen(shown(held, memory=memory, width=80, height=14))


@pytest.mark.parametrize("shape", ["stack", "dom"])
def test_a_group_unfolds_to_the_orders_of_its_prices(shape: str) -> None:
    """The orders of a group say at which price they stand; an L3 book names none of them."""
    asks = [("100.30", "1"), ("100.30", "2"), ("100.80", "4"), ("101.10", "9")]
    held, memory = book([("99.50", "1")], asks, BookType.L3), LadderMemory()
    memory.move(-1)
    memory.unfold()
    options: dict[str, object] = {"options": {"shape": shape}, "group": Decimal(1)}
    rows = plain(shown(held, memory=memory, width=80, height=16, **options))
    words = [row.split() for row in rows if "#" in row]
    places = [["100.30", "#1", "1.00000"], ["100.30", "#2", "2.00000"], ["100.80", "#3", "4.00000"]]
    assert words == (places[::-1] if shape == "stack" else places)


def test_an_own_order_is_marked_among_the_others() -> None:
    """An unfolded order that is the user's own has the mark and the role of own orders."""
    columns = ("price", "quantity", "orderId")
    held = book([("100.00", "1", "other"), ("100.00", "2", "BUY100.002")], [], BookType.L3_COUNTED, columns)
    memory = LadderMemory()
    memory.move(1)
    memory.unfold()
    pane = shown(held, memory=memory, width=80, own_orders=[order(Side.BUY, "100.00", "2")])
    other, own = (next(row for row in pane.body if word in text(row)) for word in ("#1", "#2"))
    assert text(own).split() == ["2.00000", "◆", "#2", "BUY100.002"]
    assert any(span.role is Role.OWN and "BUY100.002" in span.text for span in own)
    assert not any(span.role is Role.OWN for span in other)


def test_an_own_order_is_known_by_the_id_of_its_venue() -> None:
    """That is how an L3_COUNTED book names it; masked, none is told from the others."""
    columns = ("price", "quantity", "orderId")
    held = book([("100.00", "1", "other"), ("100.00", "2", "venue-7")], [], BookType.L3_COUNTED, columns)
    own = msgspec.structs.replace(order(Side.BUY, "100.00", "2"), external_id="venue-7")
    for masked in (False, True):
        memory = LadderMemory()
        memory.move(1)
        memory.unfold()
        pane = shown(held, memory=memory, width=80, own_orders=[own], masked=masked)
        row = next(row for row in pane.body if "venue-7" in text(row))
        assert any(span.role is Role.OWN for span in row) is not masked
        assert "2.00000" in text(row)


def test_the_cursor_line_is_made_safe() -> None:
    """What an asset is called comes from outside: no control character reaches the terminal."""
    evil = Instrument(ID, "BINANCE", "BTC/USDT", base="B\x1b[2JTC", quote="U\x07SD" + "T" * 90)
    memory = LadderMemory()
    memory.move(1)
    held = book([("100.00", "1")], [("101.00", "2")])
    pane = shown(held, memory=memory, width=120, instrument=evil)
    assert bad_widths(pane.body, 120) == []
    assert not set("\x1b\x07") & set(screen(pane))
    assert "T" * 9 not in screen(pane)


def test_the_queue_ahead_of_an_own_order_is_told() -> None:
    """Exactly where the book knows the order, else as the most that it can be, and not where it is off."""
    columns = ("price", "quantity", "orderId")
    bids = [("100.00", "2.5", "other"), ("100.00", "1", "BUY100.001")]
    for held, words in (
        (book(bids, [], BookType.L3_COUNTED, columns), "· 2.500 ahead"),
        (book([("100.00", "3.5")], []), "· ≤2.500 ahead"),
    ):
        study = Studies({ID: held}.__getitem__).of(ID)
        own = order(Side.BUY, "100.00", "1")
        options: dict[str, object] = {"study": study, "own_orders": [own], "width": 100}
        row = next(row for row in shown(held, **options).body if "100.00" in text(row))  # type: ignore[arg-type]
        assert any(words in span.text and span.role is Role.OWN for span in row)
        off = shown(held, options={"queue": "off"}, **options)  # type: ignore[arg-type]
        assert "ahead" not in screen(off)
