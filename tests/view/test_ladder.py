"""The ladder."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType, BookUpdate, Side, UpdateType
from cadenza_tui.market.study import Studies
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.ladder import LadderMemory, ladder
from cadenza_tui.view.numbers import digits
from cadenza_tui.view.rows import Bars, Ground, Role, Row
from tests.view.ladders import shown
from tests.view.support import ID, LIVE, bad_widths, book, order, plain, screen, text, trust

BIDS = [("100.01", "1.5"), ("100.00", "0.25"), ("99.50", "2"), ("99.00", "40")]
ASKS = [("100.02", "0.5"), ("100.10", "1.25"), ("101.00", "3"), ("101.50", "0.10")]


def bar_cells(row: Row) -> int:
    """Return how many cells of a row are a bar."""
    return sum(len(span.text) for span in row if span.ground.value.endswith(("-bar", "-large")))


prices = st.integers(1, 10_000_000).map(lambda n: f"{n / 100:.2f}")
quantities = st.integers(1, 10**12).map(lambda n: f"{n / 10**5:.5f}")
levels = st.dictionaries(prices, quantities, max_size=30)


@settings(max_examples=60, deadline=None)
@given(levels, levels, st.integers(1, 300), st.integers(1, 60), st.sampled_from(Bars), st.integers(-5, 5))
def test_every_row_is_exactly_as_wide_as_the_pane(
    bids: dict[str, str], asks: dict[str, str], width: int, height: int, bars: Bars, cursor: int
) -> None:
    """Whatever the book and the size, each row fits and there are exactly as many as there is room for."""
    held = book(
        sorted(bids.items(), key=lambda row: -float(row[0])),
        sorted(asks.items(), key=lambda row: float(row[0])),
    )
    own = [order(Side.BUY, price, "1") for price in list(bids)[:2]] + [order(Side.SELL, "77.77", "2", "1")]
    memory = LadderMemory()
    for options in ({}, {"shape": "dom"}, {"cumulative": "notional"}):
        pane = shown(
            held, width=width, height=height, bars=bars, memory=memory, own_orders=own, options=options
        )
        assert bad_widths(pane.body, width) == []
        assert len(pane.body) == height
        memory.move(cursor)


@settings(max_examples=60, deadline=None)
@given(levels, st.integers(30, 300), st.sampled_from(Bars))
def test_points_of_prices_stand_under_each_other(bids: dict[str, str], width: int, bars: Bars) -> None:
    """All prices have their decimal point in one column, and no two of them read the same."""
    held = book(sorted(bids.items(), key=lambda row: -float(row[0])), [])
    pane = shown(held, width=width, height=80, bars=bars)
    found: list[str] = []
    points: set[int] = set()
    for row in pane.body:
        at = 0
        for span in row:
            if span.role in (Role.BID, Role.BID_STRONG) and "." in span.text:
                found.append(span.text)
                points.add(at + span.text.index("."))
            at += len(span.text)
    assert len(found) == len(set(found)) == len(bids)
    assert len(points) <= 1


def test_the_parts_stand_where_they_belong() -> None:
    """Asks above with the best one nearest the touch, bids below, cumulative quantities outside."""
    rows = plain(shown(book(BIDS, ASKS), height=8))
    assert [row.split()[0] for row in rows[1:4]] == ["101.00", "100.10", "100.02"]
    assert rows[1].split()[-1] == "4.750"
    assert "spread 0.01  1.00 bps" in rows[4]
    assert "100.015" in rows[4]
    assert rows[4].endswith(" ▲ +0.002   imb(20) +0.80 ")
    assert rows[5].split() == ["1.500", "1.50000", "100.01"]
    assert rows[7].split() == ["3.750", "2.00000", "99.50"]


def test_the_mid_shows_one_more_decimal_on_a_half_tick() -> None:
    """The mid is exact: 100.015 between 100.01 and 100.02, 100.02 between 100.01 and 100.03."""
    assert "100.015" in screen(shown(book([("100.01", "1")], [("100.02", "1")])))
    assert "100.02 " in screen(shown(book([("100.01", "1")], [("100.03", "1")])))


def test_six_distinct_levels_are_six_distinct_prices() -> None:
    """Prices finer than the tick show all of their digits."""
    bids = [(f"0.12345{n}", "1") for n in range(6, 0, -1)]
    found = [row.split()[2] for row in plain(shown(book(bids, []), height=14)) if "0.12345" in row]
    assert found == [price for price, _ in bids]


def test_bars_grow_with_the_quantity() -> None:
    """A larger quantity never has a shorter bar, and the largest has the longest."""
    bids = [(f"{100 - n}.00", f"0.{n + 1:02}") for n in range(12)]
    pane = shown(book(bids, []), height=30)
    cells = [bar_cells(row) for row in pane.body if bar_cells(row)]
    assert cells == sorted(cells)
    assert cells[0] < cells[-1]


def test_one_huge_order_does_not_flatten_the_rest() -> None:
    """A level of a thousand times the others leaves them readable bars."""
    bids = [(f"{100 - n}.00", "1") for n in range(9)]
    with_huge = shown(book([*bids, ("50.00", "1000")], []), height=24)
    cells = sorted(bar_cells(row) for row in with_huge.body if bar_cells(row))
    assert cells[0] * 6 >= cells[-1]


def test_a_large_level_has_a_stronger_tint_and_text() -> None:
    """A level of many times the median stands out by ground and role."""
    rows = shown(book([*BIDS[:3], ("99.40", "0.7"), ("99.30", "1"), ("99.00", "40")], ASKS), height=20).body
    large = next(row for row in rows if "40.00000" in text(row))
    assert {Ground.BID_LARGE} == {span.ground for span in large if span.ground is not Ground.PANEL}
    assert any(span.role is Role.STRONG for span in large)


@pytest.mark.parametrize(("bars", "sign"), [(Bars.BLOCKS, "█"), (Bars.ASCII, "=")])
def test_bars_without_tints_are_glyphs(bars: Bars, sign: str) -> None:
    """Where tints cannot be had, bars are glyphs and no ground is used."""
    pane = shown(book(BIDS, ASKS), bars=bars)
    assert sign in screen(pane)
    assert not any(bar_cells(row) for row in pane.body)


def test_narrow_drops_the_cumulative_then_the_bars_never_the_price() -> None:
    """As the pane narrows Σ goes first, then the bars; the prices stay."""
    held = book(BIDS, ASKS)
    wide, narrow, least = (shown(held, width=width) for width in (60, 40, 14))
    assert "Σ" in screen(wide)
    assert "Σ" not in screen(narrow)
    assert any(bar_cells(row) for row in narrow.body)
    for pane in (wide, narrow, least):
        assert "100.01" in screen(pane)
        assert "100.02" in screen(pane)


def test_the_price_column_does_not_move_when_a_longer_price_comes() -> None:
    """A whole digit more takes room on the left: the points stay where they were."""
    memory = LadderMemory()
    before = plain(shown(book([("99.99", "1")], [("100.00", "1")]), memory=memory))
    after = plain(shown(book([("99.99", "1")], [("1000.00", "1")]), memory=memory))

    def point(rows: list[str]) -> int:
        return next(row for row in rows if "99.99" in row).index("99.99")

    assert point(before) == point(after)
    assert "1,000.00" in "".join(after)


def test_widths_stay_when_the_quantities_shrink() -> None:
    """A narrower book does not pull the columns together."""
    memory = LadderMemory()
    shown(book([("99.99", "123456.5")], [("100.00", "1")]), memory=memory)
    width = memory.widths.quantity.width
    shown(book([("99.99", "1.5")], [("100.00", "1")]), memory=memory)
    assert memory.widths.quantity.width == width


def test_own_orders_are_marked_at_their_price() -> None:
    """A working order shows a diamond and, in the empty half, what remains of its total."""
    row = next(
        row
        for row in shown(book(BIDS, ASKS), own_orders=[order(Side.BUY, "100.00", "0.75", "0.25")]).body
        if "100.00" in text(row)
    )
    assert "◆ 100.00" in " ".join(text(row).split())
    assert "0.50000/0.75000" in text(row)
    assert any("0.50000" in span.text and span.role is Role.OWN for span in row)


def test_own_orders_show_where_the_book_has_no_level() -> None:
    """An own price between two levels gets its own row, in order, without a quantity of the book's."""
    rows = plain(shown(book(BIDS, ASKS), own_orders=[order(Side.SELL, "100.05", "0.2")], height=14))
    found = [next(c for c in row.split() if c.startswith("10")) for row in rows[1:6] if "10" in row]
    assert found == ["101.50", "101.00", "100.10", "100.05", "100.02"]
    assert "0.20000/0.20000 ◆ 100.05" in " ".join(rows[4].split())


def test_orders_of_others_instruments_and_finished_ones_are_not_marked() -> None:
    """Only working orders of this instrument are on its ladder."""
    elsewhere = order(Side.BUY, "100.00", "1", instrument_id="OKX:BTC/USDT")
    assert "◆" not in screen(shown(book(BIDS, ASKS), own_orders=[elsewhere]))


def test_masked_hides_own_quantities_alone() -> None:
    """Masked, an own order keeps its mark and the market its numbers."""
    pane = shown(book(BIDS, ASKS), own_orders=[order(Side.BUY, "100.00", "0.75")], masked=True)
    assert "•••••" in screen(pane)
    assert "0.75000" not in screen(pane)
    assert "1.50000" in screen(pane)


def test_masked_hides_what_is_ahead_of_an_own_order() -> None:
    """What is displayed at the price, less what is ahead, would be the order's own size."""
    held = book(BIDS, ASKS)
    study = Studies({ID: held}.__getitem__).of(ID)
    options = {"study": study, "own_orders": [order(Side.BUY, "100.01", "0.75")], "width": 100}
    assert "ahead" in screen(shown(held, **options))  # type: ignore[arg-type]
    masked = screen(shown(held, masked=True, **options))  # type: ignore[arg-type]
    assert "•••••" in masked
    assert "ahead" not in masked


@pytest.mark.parametrize(
    ("quantity", "executed", "words"),
    [(None, "0", "—/—"), ("2", None, "—/2.00000"), ("2", "0.5", "1.50000/2.00000")],
)
def test_what_is_left_of_an_own_order_is_not_invented(
    quantity: str | None, executed: str | None, words: str
) -> None:
    """An order whose size or filled part was not told has a dash for it, and so has a sum with it."""
    own = msgspec.structs.replace(
        order(Side.BUY, "100.01", "1"),
        quantity=None if quantity is None else Decimal(quantity),
        executed_quantity=None if executed is None else Decimal(executed),
    )
    assert words in screen(shown(book(BIDS, ASKS), own_orders=[own], width=100))
    both = screen(shown(book(BIDS, ASKS), own_orders=[own, order(Side.BUY, "100.01", "1")], width=100))
    assert ("2.50000/3.00000 ×2" in both) is (words == "1.50000/2.00000")


@pytest.mark.parametrize("shape", ["stack", "dom"])
def test_an_own_order_through_the_other_side_is_marked(shape: str) -> None:
    """An ask at or below the best bid, a bid at or above the best ask: book and account do not agree."""
    own = [order(Side.SELL, "100.01", "1"), order(Side.SELL, "101.00", "2"), order(Side.BUY, "99.50", "3")]
    pane = shown(book(BIDS, ASKS), own_orders=own, width=100, height=220, options={"shape": shape})
    found = [row for row in plain(pane) if "◆" in row]
    assert len(found) == 3
    assert [row for row in found if "⇄" in row] == [row for row in found if "1.00000/1.00000" in row]


@given(st.decimals("0.00000001", "100000000", places=8))
def test_a_bound_of_what_is_ahead_is_never_rounded_down(quantity: Decimal) -> None:
    """``≤`` with fewer digits is still true."""
    held = book([("100.00", f"{quantity + 1:f}")], [])
    study = Studies({ID: held}.__getitem__).of(ID)
    pane = shown(held, study=study, own_orders=[order(Side.BUY, "100.00", "1")], width=140)
    words = screen(pane).partition("≤")[2].split()[0]
    scale = {"k": 10**3, "m": 10**6}.get(words[-1], 1)
    bound = digits(words.rstrip("km")) * scale
    assert quantity <= bound <= quantity * Decimal("1.1")


@pytest.mark.parametrize(
    ("bids", "asks", "words"),
    [
        ([("100.05", "1")], [("100.00", "1")], "crossed −0.05  −5.00 bps"),
        ([("100.00", "1")], [("100.00", "1")], "locked  0.00 bps"),
        ([], [("100.00", "1")], "no bids"),
        ([("100.00", "1")], [], "no asks"),
        ([], [], "the book is empty"),
    ],
)
def test_the_spread_row_says_what_is_wrong(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]], words: str
) -> None:
    """A book that is crossed, locked or one-sided says so in the spread row, as a warning."""
    pane = shown(book(bids, asks), height=9)
    row = next(row for row in pane.body if words in text(row))
    assert any(span.role is Role.WARN for span in row)


@pytest.mark.parametrize(
    ("width", "words"), [(70, "spread 0.01  1.00 bps"), (44, "spread 0.01"), (30, "0.01"), (24, "0.01")]
)
def test_the_spread_keeps_its_name_as_long_as_there_is_room(width: int, words: str) -> None:
    """The basis points go first, then the word; the number stays."""
    row = next(row for row in plain(shown(book(BIDS, ASKS), width=width)) if "100.015" in row)
    assert row.partition("100.015")[0].strip() == words


def test_a_book_without_a_snapshot_says_what_it_waits_for() -> None:
    """Instead of an empty ladder there is the reason for it."""
    pane = shown(OrderBook(ID), trust=trust(TrustState.AWAITING, "subscribing", None))
    words = " ".join(screen(pane).split())
    assert "Awaiting the first snapshot" in words
    assert "subscribing" in words
    assert ID in words
    assert pane.dimmed
    assert bad_widths(pane.body, 60) == []


@pytest.mark.parametrize(
    ("state", "reason", "age", "words"),
    [
        (TrustState.LIVE, "", 0.1, "L2 · in sync · 0.1 s"),
        (TrustState.STALE, "", 14, "L2 · ◔ stale 14 s"),
        (TrustState.RESYNCING, "gap 120→123", 1, "↻ resyncing: gap 120→123"),
    ],
)
def test_the_border_says_how_far_it_can_be_trusted(
    state: TrustState, reason: str, age: float, words: str
) -> None:
    """Kind of book, state, and age or reason stand at the right of the border."""
    pane = shown(book(BIDS, ASKS), trust=trust(state, reason, age))
    assert text(pane.trust) == words
    assert text(pane.title) == "Book"


def test_counted_books_show_their_counts() -> None:
    """Where the feed counts orders and there is room, the counts have a column."""
    columns = ("price", "quantity", "orderCount")
    held = book([("100.00", "1", "17")], [("100.10", "1", "3")], BookType.L2_COUNTED, columns)
    assert " 17 " in screen(shown(held, width=80))


def test_a_vwap_book_is_not_summed_up_again() -> None:
    """Its quantities are cumulative already."""
    held = book([("100.00", "1"), ("99.00", "3")], [("101.00", "1")], BookType.VWAP)
    rows = plain(shown(held))
    assert next(row for row in rows if "99.00" in row).split() == ["3.00000", "99.00"]
    assert rows[0].split() == ["Σ", "bid", "vwap", "Σ", "ask"]
    assert rows[-1].split()[0] == "3.000"


def test_an_unchanged_row_is_the_same_object() -> None:
    """Rows are made once for their content, so that the painter can tell by identity."""
    memory, held = LadderMemory(), book(BIDS, ASKS)
    before, after = shown(held, memory=memory), shown(held, memory=memory)
    assert all(a is b for a, b in zip(before.body, after.body, strict=True) if text(a).strip())


def test_another_instrument_starts_anew() -> None:
    """Widths adopted for one instrument are not kept for the next."""
    memory = LadderMemory()
    shown(book([("1234567.89", "1")], []), memory=memory)
    other = OrderBook("OKX:XRP/USD")
    ladder(other, None, width=60, height=9, trust=LIVE, memory=memory, options={})
    other.apply(
        BookUpdate(
            other.instrument_id,
            UpdateType.SNAPSHOT,
            BookType.L2,
            ("price", "quantity"),
            [("0.5", "1")],
            [],
            1,
        )
    )
    ladder(other, None, width=60, height=9, trust=LIVE, memory=memory, options={})
    assert memory.widths.price.whole == 1


def test_sums_are_exact() -> None:
    """Cumulative quantities are decimal sums, rounded once for the eye."""
    bids = [(f"{100 - n}.00", "0.1") for n in range(10)]
    last = next(row for row in plain(shown(book(bids, []), height=24)) if " 91.00" in row)
    assert Decimal(last.split()[0]) == Decimal("1.000")


@pytest.mark.parametrize(
    ("width", "words"), [(60, "L2 · group 0.50 · in sync · 0.1 s"), (36, "group 0.50 · in sync · 0.1 s")]
)
def test_the_border_says_the_group_in_force(width: int, words: str) -> None:
    """The increment stands in the border in its own decimals, and stays there when it is narrow."""
    assert text(shown(book(BIDS, ASKS), width=width, group=Decimal("0.5")).trust) == words
