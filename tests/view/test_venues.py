"""The Venues pane: who quotes each level, each venue's own touch, crosses, and venues that drop out."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.consolidated import VenueBook
from cadenza_tui.market.records import BookType, BookUpdate, Instrument, UpdateType
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import Trust, TrustState
from cadenza_tui.view.rows import Bars, Ground, Role
from cadenza_tui.view.venues import VenuesMemory, venue_books, venues
from tests.view.support import BTC, LIVE, NOW, SECOND, bad_widths, plain, screen, text, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.view.rows import Pane

Side: TypeAlias = "Sequence[tuple[str, str]]"


def update(instrument_id: str, bids: Side, asks: Side) -> BookUpdate:
    """Return a snapshot of these rows."""
    columns = ("price", "quantity")
    return BookUpdate(instrument_id, UpdateType.SNAPSHOT, BookType.L2, columns, list(bids), list(asks), NOW)


def venue(name: str, bids: Side, asks: Side, why: str = "", age_s: int = 0) -> VenueBook:
    """Return a venue's book; with a ``why`` it is not current."""
    book = OrderBook(f"{name}:BTC/USDT")
    book.apply(update(book.instrument_id, bids, asks))
    return VenueBook(name, book.instrument_id, book, not why, why, age_s * SECOND)


THREE = [
    venue("BINANCE", [("100.10", "1.5"), ("100.00", "4")], [("100.20", "2"), ("100.40", "1")]),
    venue("OKX", [("100.10", "0.25"), ("99.90", "8")], [("100.30", "3")], age_s=240),
    venue("DERIBIT", [("100.05", "1")], [("100.40", "0.5")]),
]


def pane(
    books: Sequence[VenueBook] = THREE,
    *,
    width: int = 110,
    height: int = 16,
    memory: VenuesMemory | None = None,
    shown: str = "both",
    group: str = "",
    bars: Bars = Bars.TINT,
    of: Trust = LIVE,
    instrument: Instrument | None = BTC,
) -> Pane:
    """Return the pane for these books."""
    memory = memory or VenuesMemory()
    increment = Decimal(group) if group else None
    return venues(
        memory.consolidated(books, height, increment),
        instrument,
        width=width,
        height=height,
        trust=of,
        memory=memory,
        options={"shown": shown},
        group=increment,
        bars=bars,
    )


def row_with(shown: Pane, words: str) -> str:
    """Return the first row that has these words."""
    return next(row for row in plain(shown) if words in row)


def test_a_level_is_the_sum_of_its_venues_each_in_its_own_column() -> None:
    """The total stands beside the price, each venue's part under its name, nothing for who does not quote."""
    shown = pane()
    header, best = plain(shown)[0], row_with(shown, " 100.10 ")
    assert "1.75000" in best
    for name, part in (("BINANCE", "1.50000"), ("OKX", "0.25000")):
        end = header.index(name) + len(name)
        assert best[:end].endswith(part)
    assert best.count("1.00000") == 0


def test_narrow_columns_say_who_by_a_code() -> None:
    """A venue's code stands in its column where its quantity has no room, and nothing where that has none."""
    assert "BIN OKX" in row_with(pane(width=64), " 100.10 ")
    assert "BIN" not in row_with(pane(width=44), " 100.10 ")


def test_the_table_has_each_venue_with_the_best_marked() -> None:
    """Its own touch with sizes and spread; the best bid and the best ask carry the mark, the others none."""
    shown = pane()
    assert re.search(r"BINANCE +1\.50000 +100\.10◂ +100\.20◂ +2\.00000 +9\.99 +·", screen(shown))
    assert re.search(r"OKX +0\.25000 +100\.10◂ +100\.30 +3\.00000 +19\.96 +4 m", screen(shown))
    assert re.search(r"DERIBIT +1\.00000 +100\.05 +100\.40 +0\.50000", screen(shown))


def test_long_names_give_way_to_the_best_prices() -> None:
    """The names are cut with a mark, the prices never."""
    one = venue("A-VENUE-OF-A-VERY-LONG-NAME", [("1000000000.10", "1")], [("1000000000.90", "1")])
    two = venue("B", [("1000000000.00", "1")], [("1000000000.20", "1")])
    for width in (60, 48, 42):
        last = plain(pane([one, two], width=width))[-1]
        assert "1,000,000,000.10" in last
        assert "1,000,000,000.20" in last
    assert "A-VENUE-OF… 1,0" in plain(pane([one, two], width=56))[-1]


def test_the_line_says_who_is_best() -> None:
    """All the venues at the touch are named, with the prices of both sides."""
    assert plain(pane())[-1].split() == ["best", "BINANCE,", "OKX", "100.10", "×", "BINANCE", "100.20"]


def test_a_stale_venue_keeps_its_row_and_says_why() -> None:
    """It is in no level, its row says that it is out and why, and the border names it."""
    shown = pane([THREE[0], THREE[1]._replace(current=False, why="stale 14 s"), THREE[2]])
    rows = plain(shown)
    assert rows[-3].split() == ["OKX", "⚠", "out", "·", "stale", "14", "s"]
    assert "1.50000" in row_with(shown, " 100.10 ")
    assert text(shown.trust) == "2 of 3 · ⚠ OKX out"


def test_without_a_current_venue_every_reason_is_told() -> None:
    """Nothing is shown as a market where nobody can be trusted."""
    shown = screen(
        pane([THREE[0]._replace(current=False, why="stale 2 m"), THREE[1]._replace(current=False, why="")])
    )
    assert "BINANCE: stale 2 m" in " ".join(shown.split())
    assert "OKX: not current" in shown
    assert "100.10" not in shown


CROSSED = [
    venue("OKX", [("100.10", "1")], [("100.20", "1")]),
    venue("DERIBIT", [("99", "1")], [("100.00", "0.4")]),
]


@pytest.mark.parametrize("width", [40, 60, 110, 180])
def test_a_cross_says_size_and_bps_at_any_width(width: int) -> None:
    """How much could be bought at one and sold at the other, and by how many bps they cross."""
    last = plain(pane(CROSSED, width=width))[-1]
    assert "⇄" in last
    assert "0.40000" in last
    assert "10.00 bps" in last


def test_a_cross_names_both_venues_and_what_it_would_leave() -> None:
    """The ask's venue, the bid's, and the gain in the quote asset, said to be before fees."""
    words = plain(pane(CROSSED))[-1]
    assert "DERIBIT ask 100.00 under OKX bid 100.10" in words
    assert words.rstrip().endswith("0.0400 USDT before fees")
    assert "crossed −0.10" in row_with(pane(CROSSED), "100.05")


@pytest.mark.parametrize("width", [12, 14, 20, 30, 50, 78, 110, 198])
def test_the_mid_is_never_cut(width: int) -> None:
    """With the decimal more of a half tick it stands under the prices, point under point, or not at all."""
    books = [venue("OKX", [("100.11", "1")], [("100.20", "1")]), venue("B", [("99", "1")], [("100.00", "4")])]
    shown = pane(books, width=width, shown="book")
    assert "100.05…" not in screen(shown)
    if width >= 20:
        assert row_with(shown, "100.055").index("100.055") == row_with(shown, "100.00 ").index("100.00 ")


def test_a_lock_is_flagged() -> None:
    """One venue's bid at another's ask: said with the size, in the book and in the line."""
    books = [venue("OKX", [("100", "1")], [("101", "1")]), venue("DERIBIT", [("99", "1")], [("100", "0.4")])]
    shown = pane(books)
    assert "╪ locked · OKX bid 100.00 equals DERIBIT ask · 0.40000 BTC · 0 bps" in plain(shown)[-1]
    assert "locked" in row_with(shown, "╪")


def test_the_cursor_says_who_quotes_and_what_stands_up_to_there() -> None:
    """Each venue's part, quantity and notional from the touch on, and the distance from the mid."""
    memory = VenuesMemory()
    pane(memory=memory)
    memory.move(2)
    words = plain(pane(memory=memory))[-1]
    assert words.startswith("  100.05  Σ 2.75000 BTC · 275.22 USDT")
    assert "−10.0 bps" in words
    assert words.rstrip().endswith("DERIBIT 1.00000")
    assert any(
        span.ground is Ground.CURSOR for span in pane(memory=memory).body[0] + pane(memory=memory).body[7]
    )


def test_the_cursor_passes_over_the_spread_row_and_stops_at_the_ends() -> None:
    """From the first bid up it goes to the first ask; release lets go, and says whether there was one."""
    memory = VenuesMemory()
    pane(memory=memory)
    memory.move(1)
    memory.move(-1)
    assert memory.cursor == -1
    memory.move(99)
    assert memory.cursor == memory.reach[1] > 0
    assert memory.release()
    assert not memory.release()


@pytest.mark.parametrize("shown", ["both", "book", "table"])
def test_the_cursor_lets_go_of_a_side_that_empties(shown: str) -> None:
    """When the level under it has gone, the line says again what it says without a cursor."""
    memory = VenuesMemory()
    pane(memory=memory)
    memory.move(2)
    rows = plain(pane([venue("OKX", [], [("100.20", "1")])], memory=memory, shown=shown))
    assert rows[-1].split() == ["best", "—", "×", "OKX", "100.20"]


def test_a_number_that_is_cut_says_so() -> None:
    """In a few cells a tiny bid is not shown as zero."""
    books = [venue("OKX", [("-0.0005", "1")], [("0.0001", "1")])]
    shown = pane(books, width=20, height=6, instrument=None, shown="table")
    assert not re.search(r"−0(?![.…0-9])", screen(shown))


def test_groups_go_down_for_bids_and_up_for_asks() -> None:
    """The border says the group; the spread stays that of the raw prices."""
    shown = pane(group="1")
    assert "6.75000" in row_with(shown, " 100.00 ")
    assert "6.50000" in row_with(shown, " 101.00 ")
    assert text(shown.trust) == "group 1 · 3 of 3"
    assert "spread 0.10" in screen(shown)


@pytest.mark.parametrize(("shown", "has_book", "has_table"), [("book", True, False), ("table", False, True)])
def test_book_and_table_can_be_had_alone(shown: str, has_book: bool, has_table: bool) -> None:
    """Each alone, and the line under it in either case."""
    seen = screen(pane(shown=shown))
    assert ("spread" in seen, "venue " in seen) == (has_book, has_table)
    assert "best BINANCE, OKX" in seen


def test_a_wide_pane_has_the_table_beside_the_book() -> None:
    """The first row has the names of the columns of both."""
    first = plain(pane(width=160))[0]
    assert first.index("price") < first.index("venue")


def test_without_colour_the_bars_are_glyphs() -> None:
    """Sizes are drawn as blocks, and in ASCII as well."""
    assert "█" in screen(pane(bars=Bars.BLOCKS))
    assert "==" in screen(pane(bars=Bars.ASCII))
    assert not any(span.ground is Ground.BID_BAR for row in pane(bars=Bars.ASCII).body for span in row)


def test_the_books_of_a_market_carry_their_trust() -> None:
    """A dimmed trust takes its venue out, in the words of its state."""
    market = Market()
    for name in ("OKX", "DERIBIT"):
        market.apply_book(update(f"{name}:BTC/USDT", [("1", "1")], [("2", "1")]))
    trusts = {"OKX:BTC/USDT": LIVE, "DERIBIT:BTC/USDT": trust(TrustState.STALE, "", 14)}
    books = venue_books(market, trusts, trusts.__getitem__)
    assert [(one.venue, one.current, one.why) for one in books] == [
        ("OKX", True, ""),
        ("DERIBIT", False, "stale 14 s"),
    ]


def test_a_frame_is_put_together_anew_only_when_a_book_has_changed() -> None:
    """The same books give the same rows without reading them; a change, or another group, reads them."""
    memory = VenuesMemory()
    first = memory.consolidated(THREE, 10)
    assert memory.consolidated(THREE, 10).bids is first.bids
    assert memory.consolidated(THREE, 10, Decimal(1)).bids is not first.bids
    again = venue("OKX", [("100.10", "9")], [])
    assert memory.consolidated([THREE[0], again], 10).best_bid != first.best_bid


def test_hostile_names_stay_in_their_cells() -> None:
    """A venue's name with controls, wide characters or no end does not move the others."""
    books = [
        venue("\x1b[2J取引所" * 9, [("1", "1")], [("2", "1")], why="\x07\n" * 99),
        venue("OKX", [("1", "1")], []),
    ]
    market = Market()
    for one in books:
        market.apply_book(update(one.instrument_id, [("1", "1")], [("2", "1")]))
    found = venue_books(market, [one.instrument_id for one in books], lambda _: LIVE)
    for width in (40, 80, 160):
        assert not bad_widths(pane(found, width=width).body, width)


SIZES = st.sampled_from(["1", "0.000000000000000001", "1000000000", "12.5"])
MARKETS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(["0.000000000001", "9.9", "10", "999999999"]), SIZES), max_size=4),
        st.lists(st.tuples(st.sampled_from(["10", "10.1", "1000000000"]), SIZES), max_size=4),
        st.sampled_from(["", "", "stale 3 s"]),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    MARKETS,
    st.integers(8, 200),
    st.integers(1, 40),
    st.sampled_from(list(Bars)),
    st.sampled_from(["both", "book", "table"]),
    st.integers(-5, 5),
    st.sampled_from(["", "0.5"]),
)
def test_every_row_is_exactly_as_wide_as_the_pane(
    made: list[tuple[list[tuple[str, str]], list[tuple[str, str]], str]],
    width: int,
    height: int,
    bars: Bars,
    shown: str,
    cursor: int,
    group: str,
) -> None:
    """At any size, with sides empty, crossed books, any scale of price and size, and any cursor."""
    books = [
        venue(name, *sides) for name, sides in zip(("BINANCE", "OKX", "B", "DERIBIT"), made, strict=False)
    ]
    memory = VenuesMemory()
    for instrument in (BTC, None):
        for _ in range(2):
            found = pane(
                books,
                width=width,
                height=height,
                memory=memory,
                shown=shown,
                group=group,
                bars=bars,
                instrument=instrument,
            )
            memory.move(cursor)
            assert not bad_widths(found.body, width)
            assert len(found.body) <= height


def test_roles_repeat_what_the_mark_says() -> None:
    """The touch is stronger than the levels behind it."""
    rows = pane().body
    best = next(row for row in rows if " 100.10" in text(row))
    assert any(span.role is Role.BID_STRONG and "100.10" in span.text for span in best)
