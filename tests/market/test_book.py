"""The order book, one rule at a time."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market import price_sides, sides
from cadenza_tui.market.book import Applied, DeltaRule, DeltaRules, Level, OrderBook
from cadenza_tui.market.layout import LayoutError, layout_of
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from cadenza_tui.market.sides import ZEROS
from tests.market.updates import COLUMNS, INSTRUMENT, diff, snapshot, update

MS = 1_000_000


def made(bids: str = "", asks: str = "", book_type: BookType = BookType.L2) -> OrderBook:
    book = OrderBook(INSTRUMENT)
    assert book.apply(snapshot(bids, asks, book_type)) is Applied.SNAPSHOT
    return book


def pairs(levels: list[Level]) -> list[tuple[str, str]]:
    return [(level.price, level.quantity) for level in levels]


def test_an_empty_book_knows_nothing() -> None:
    """Before anything was applied a book has no type, no touch and is not in sync."""
    book = OrderBook(INSTRUMENT)
    assert (book.book_type, book.has_snapshot, book.in_sync, book.timestamp) == (None, False, False, 0)
    assert (book.best_bid, book.best_ask, book.spread(), book.mid(), book.touch()) == (None,) * 5
    assert not book.crossed
    assert not book.locked
    book.check()


def test_sides_are_read_best_first() -> None:
    """Bids fall, asks rise, whatever the order in which they came."""
    book = made("99:1 101:2 100:3", "105:1 103:2 104:3")
    assert pairs(book.bids.levels()) == [("101", "2"), ("100", "3"), ("99", "1")]
    assert pairs(book.asks.top(2)) == [("103", "2"), ("104", "3")]
    assert book.best_bid == Level("101", "2", None, None)
    assert book.bids.top(0) == book.bids.top(-5) == []


def test_prices_are_ordered_as_numbers() -> None:
    """9 is below 10, and -1 below 0.5."""
    book = made("9:1 10:1 -1:1 0.5:1 100:1")
    assert [level.price for level in book.bids.levels()] == ["100", "10", "9", "0.5", "-1"]


def test_a_diff_before_a_snapshot_is_not_applied() -> None:
    """Without a snapshot there is nothing that a diff could be a difference from."""
    book = OrderBook(INSTRUMENT)
    assert book.apply(diff("1:1")) is Applied.NO_SNAPSHOT
    assert (book.bids.depth, book.diffs, book.version) == (0, 0, 0)


def test_a_diff_sets_and_removes_levels() -> None:
    """A quantity replaces what stood there, zero removes, and removing what is not there changes nothing."""
    book = made("100:1 99:2")
    assert book.apply(diff("100:5 99:0 98:0 97:1")) is Applied.DIFF
    assert pairs(book.bids.levels()) == [("100", "5"), ("97", "1")]
    assert (book.diffs, book.bids.depth) == (1, 2)


def test_the_last_row_about_a_price_wins() -> None:
    """Rows of one message are applied in their order."""
    book = made()
    book.apply(diff("1:1 1:2 2:1 2:0 3:0 3:1"))
    assert pairs(book.bids.levels()) == [("3", "1"), ("1", "2")]


def test_a_snapshot_replaces_everything() -> None:
    """Nothing of the book before is left, neither its levels nor its type."""
    book = made("100:1 99:2", "101:1")
    book.bids.top(5)
    book.apply(snapshot("50:1:3", "", BookType.L2_COUNTED))
    assert book.bids.levels() == [Level("50", "1", 3, None)]
    assert book.asks.levels() == []
    assert book.book_type is BookType.L2_COUNTED
    book.check()


@pytest.mark.parametrize("zero", ["0", "0.0", "0.00000000", "000", "00.00", "0" * 40, "0." + "0" * 38])
@pytest.mark.parametrize("book_type", list(BookType))
def test_zero_removes_in_any_spelling(zero: str, book_type: BookType) -> None:
    """Every way to write zero removes, in every type of book."""
    third = ":7" if len(COLUMNS[book_type]) == 3 else ""
    book = made(f"100:1{third}", "", book_type)
    assert book.bids.depth == 1
    book.apply(diff(f"100:{zero}{third}", "", book_type))
    assert book.bids.depth == 0
    book.apply(snapshot(f"100:{zero}{third}", "", book_type))
    assert book.bids.depth == book.bids.rows == 0


@given(st.from_regex(r"\A[0-9]{1,20}(\.[0-9]{1,19})?\Z"))
def test_the_zero_test_is_exact(text: str) -> None:
    """A text is among the spellings of zero if and only if it is zero."""
    assert (text in ZEROS) == (Decimal(text) == 0)


@pytest.mark.parametrize(
    "columns", [("price", "quantity"), ("quantity", "price"), ("price", "quantity", "note")]
)
def test_spellings_of_one_price_are_one_level(columns: tuple[str, ...]) -> None:
    """``50000.0``, ``50000.00`` and ``050000`` are one level, shown as the feed last spelled it."""

    def row(price: str, quantity: str) -> str:
        cells = {"price": price, "quantity": quantity, "note": "x"}
        return ":".join(cells[column] for column in columns)

    book = OrderBook(INSTRUMENT)
    book.apply(snapshot(row("50000.0", "1"), columns=columns))
    assert pairs(book.bids.levels()) == [("50000.0", "1")]
    book.apply(diff(row("50000.00", "2"), columns=columns))
    assert pairs(book.bids.levels()) == [("50000.00", "2")]
    book.apply(diff(row("50000.0", "3"), columns=columns))
    assert pairs(book.bids.levels()) == [("50000.0", "3")]
    book.apply(diff(row("050000", "0"), columns=columns))
    assert book.bids.depth == 0
    book.apply(diff(row("50000", "4"), columns=columns))
    assert pairs(book.bids.levels()) == [("50000", "4")]
    book.check()


def test_a_finer_price_finds_its_place() -> None:
    """Prices with more decimals than any before are ordered exactly among those that are held."""
    book = made("100:1 101:1")
    book.bids.top(1)
    book.apply(diff("100.5:1"))
    book.apply(diff("100.50000000000000000000000000000000001:1"))
    assert [level.price for level in book.bids.levels()] == [
        "101",
        "100.50000000000000000000000000000000001",
        "100.5",
        "100",
    ]
    book.check()


def test_quantities_keep_every_digit() -> None:
    """What the feed wrote is what is read, trailing zeros included."""
    quantity = "12345678901234567890.1234567890123456700"
    assert made(f"1.10:{quantity}").best_bid == Level("1.10", quantity, None, None)


def test_columns_may_come_in_any_order() -> None:
    """Columns say what is where, and columns that nobody knows are no harm."""
    book = OrderBook(INSTRUMENT)
    columns = ("note", "quantity", "orderCount", "price")
    book.apply(snapshot("x:2:7:100", "", BookType.L2_COUNTED, columns=columns))
    assert book.bids.levels() == [Level("100", "2", 7, None)]


def test_a_diff_may_have_its_columns_in_another_order() -> None:
    """A diff whose columns are the snapshot's in another order is understood by its own."""
    book = made("100:1")
    assert book.apply(diff("2:100 3:99", columns=("quantity", "price"))) is Applied.DIFF
    assert pairs(book.bids.levels()) == [("100", "2"), ("99", "3")]


def test_an_order_count_that_is_none_is_unknown() -> None:
    """A count is a number or it is not known; the level stays."""
    book = made("100:1:many 99:1:3", "", BookType.L2_COUNTED)
    assert [level.orders for level in book.bids.levels()] == [None, 3]


def test_an_exchange_has_its_own_level() -> None:
    """In an L2_EXCHANGE book each exchange stands for itself, one price's in the order of their names."""
    book = made("100:1:OKX 100:2:BINANCE 101:3:OKX", "", BookType.L2_EXCHANGE)
    assert book.bids.levels() == [
        Level("101", "3", None, "OKX"),
        Level("100", "2", None, "BINANCE"),
        Level("100", "1", None, "OKX"),
    ]
    book.apply(diff("100:0:BINANCE", "", BookType.L2_EXCHANGE))
    assert pairs(book.bids.levels()) == [("101", "3"), ("100", "1")]


def test_orders_of_one_price_are_summed_exactly() -> None:
    """An L3_COUNTED book reads as prices: the exact sum with the most decimals, and how many orders."""
    big = "9999999999999999999999999999.9"
    book = made(f"100:{big}:a 100:0.00000000001:b 99:1:c", "", BookType.L3_COUNTED)
    assert book.bids.levels() == [
        Level("100", "9999999999999999999999999999.90000000001", 2, None),
        Level("99", "1", 1, None),
    ]
    assert (book.bids.depth, book.bids.rows) == (2, 3)


def test_an_order_moves_with_its_id() -> None:
    """An id that comes with another price leaves its old one; zero removes it, whatever the price says."""
    book = made("100:1:a 100:2:b", "", BookType.L3_COUNTED)
    book.apply(diff("101:5:a", "", BookType.L3_COUNTED))
    assert book.bids.levels() == [Level("101", "5", 1, None), Level("100", "2", 1, None)]
    book.apply(diff("7:0:a 100:0:none", "", BookType.L3_COUNTED))
    assert book.bids.levels() == [Level("100", "2", 1, None)]
    book.apply(diff("100.00:3:b 99:1:b", "", BookType.L3_COUNTED))
    assert book.bids.levels() == [Level("99", "1", 1, None)]
    book.check()


def test_orders_move_right_when_prices_become_finer() -> None:
    """The place of an order is known at the new scale."""
    book = made("100:1:a 101:1:b", "", BookType.L3_COUNTED)
    book.apply(diff("100.5:1:c 100.25:9:a", "", BookType.L3_COUNTED))
    assert [level.price for level in book.bids.levels()] == ["101", "100.5", "100.25"]
    book.check()


def test_orders_without_ids_are_replaced_price_by_price() -> None:
    """In an L3 book a diff's rows of a price replace that price's rows; zero removes them."""
    book = made("100:1 100:2 99:5", "", BookType.L3)
    assert book.bids.levels() == [Level("100", "3", 2, None), Level("99", "5", 1, None)]
    book.apply(diff("100:4 100:0.5 99:0 98:1 98:0 98:2", "", BookType.L3))
    assert book.bids.levels() == [Level("100", "4.5", 2, None), Level("98", "2", 1, None)]
    assert book.bids.rows == 3
    book.check()


def test_a_diff_of_another_type_is_not_applied() -> None:
    """It leaves a hole: the book says so until the next snapshot, and keeps what it has."""
    book = made("100:1")
    assert book.apply(diff("99:1:2", "", BookType.L2_COUNTED)) is Applied.OTHER_TYPE
    assert book.out_of_sync_reason == "a L2_COUNTED diff for a L2 book"
    assert pairs(book.bids.levels()) == [("100", "1")]
    book.apply(snapshot("1:1"))
    assert book.in_sync


def test_a_diff_with_other_columns_is_not_applied() -> None:
    """Columns that the snapshot did not have cannot be kept beside its rows."""
    book = made("100:1")
    assert book.apply(diff("99:1:x", columns=("price", "quantity", "note"))) is Applied.OTHER_COLUMNS
    assert not book.in_sync
    assert book.bids.depth == 1


@pytest.mark.parametrize("columns", [("price",), ("price", "price", "quantity"), ()])
def test_a_snapshot_that_cannot_be_laid_out_is_not_applied(columns: tuple[str, ...]) -> None:
    """What is held stays, marked as out of sync."""
    book = made("100:1")
    update = snapshot("", columns=columns)
    assert book.apply(update) is Applied.BAD_LAYOUT
    assert pairs(book.bids.levels()) == [("100", "1")]
    assert not book.in_sync
    assert OrderBook(INSTRUMENT).apply(update) is Applied.BAD_LAYOUT
    with pytest.raises(LayoutError):
        layout_of(BookType.L2, columns)


def test_a_diff_older_than_the_snapshot_is_not_applied() -> None:
    """What is of an earlier ms is in the snapshot already; what is of the same one may not be."""
    book = OrderBook(INSTRUMENT)
    book.apply(snapshot("100:1", timestamp=50 * MS + 7))
    assert book.apply(diff("100:9", timestamp=49 * MS)) is Applied.STALE
    assert pairs(book.bids.levels()) == [("100", "1")]
    assert book.in_sync
    assert book.apply(diff("100:2", timestamp=50 * MS)) is Applied.DIFF
    assert book.apply(diff("100:3", timestamp=60 * MS)) is Applied.DIFF
    assert book.apply(diff("100:4", timestamp=55 * MS)) is Applied.DIFF
    assert (pairs(book.bids.levels()), book.timestamp) == ([("100", "4")], 55 * MS)


def test_a_delta_is_never_guessed() -> None:
    """Not applied, and from then on the book is out of sync."""
    delta = update(UpdateType.DELTA, "99:1")
    book = made("100:1")
    assert book.apply(delta) is Applied.DELTA_UNSUPPORTED
    assert pairs(book.bids.levels()) == [("100", "1")]
    assert "DELTA" in book.out_of_sync_reason
    assert OrderBook(INSTRUMENT).apply(delta) is Applied.DELTA_UNSUPPORTED


def delta(bids: str = "", asks: str = "", book_type: BookType = BookType.L2) -> BookUpdate:
    """Return a DELTA."""
    return update(UpdateType.DELTA, bids, asks, book_type)


def ruled(rule: DeltaRule, bids: str, asks: str = "", book_type: BookType = BookType.L2) -> OrderBook:
    """Return a book with that rule and a snapshot."""
    book = OrderBook(INSTRUMENT, delta_rule=rule)
    assert book.apply(delta("1:1")) in {Applied.NO_SNAPSHOT, Applied.DELTA_UNSUPPORTED}
    book.apply(snapshot(bids, asks, book_type))
    return book


def test_a_delta_that_replaces_says_what_its_levels_hold() -> None:
    """Zero removes one, others stay."""
    book = ruled(DeltaRule.REPLACE_LEVELS, "100:1 99:2", "101:3")
    assert book.apply(delta("100:0 98:5", "101:4")) is Applied.DIFF
    assert pairs(book.bids.levels()) == [("99", "2"), ("98", "5")]
    assert pairs(book.asks.levels()) == [("101", "4")]


def test_a_delta_that_adds_changes_its_levels_by_so_much() -> None:
    """Exactly, in any spelling of the price; a level that reaches zero goes, a price may come twice."""
    book = ruled(DeltaRule.ADD, "100.0:0.1 99:2 98:1", "101:9007199254740993.000001")
    assert book.apply(delta("100:0.2 99:-2.0 97:4 98:1 98:-0.5", "101:0.000001")) is Applied.DIFF
    assert pairs(book.bids.levels()) == [("100", "0.3"), ("98", "1.5"), ("97", "4")]
    assert pairs(book.asks.levels()) == [("101", "9007199254740993.000002")]
    book.check()


@pytest.mark.parametrize("rule", [DeltaRule.ADD, DeltaRule.REPLACE_LEVELS])
def test_a_delta_below_zero_is_not_applied_at_all(rule: DeltaRule) -> None:
    """No level holds less than nothing: the book is wrong, and is fetched."""
    book = ruled(rule, "100:1", "101:3")
    assert book.apply(delta("100:1", "101:-3.1")) is Applied.BELOW_ZERO
    assert (pairs(book.bids.levels()), pairs(book.asks.levels())) == ([("100", "1")], [("101", "3")])
    assert "less than nothing" in book.out_of_sync_reason


def test_exchanges_are_added_to_one_by_one() -> None:
    """A level of a consolidated book is a price at an exchange."""
    book = ruled(DeltaRule.ADD, "100:1:OKX 100:2:BINANCE", book_type=BookType.L2_EXCHANGE)
    book.apply(delta("100:-2:BINANCE 100:1:OKX", book_type=BookType.L2_EXCHANGE))
    assert pairs(book.bids.levels()) == [("100", "2")]


@pytest.mark.parametrize("book_type", [BookType.L3, BookType.VWAP])
def test_what_cannot_be_summed_is_not_added_to(book_type: BookType) -> None:
    """Quantities of single orders, and cumulative ones: the book is fetched."""
    book = ruled(DeltaRule.ADD, "100:1", book_type=book_type)
    assert book.apply(delta("100:1", book_type=book_type)) is Applied.DELTA_UNSUPPORTED
    assert str(book_type) in book.out_of_sync_reason


def test_a_delta_of_another_layout_is_not_added() -> None:
    """It leaves the book out of sync, as a diff of another layout does."""
    book = ruled(DeltaRule.ADD, "100:1")
    assert book.apply(delta("100:1:1", book_type=BookType.L2_COUNTED)) is Applied.OTHER_TYPE
    assert not book.in_sync


def test_each_venue_has_its_own_rule() -> None:
    """Venues without one have the default."""
    rules = DeltaRules(DeltaRule.RESYNC, {"BINANCE": DeltaRule.ADD})
    assert rules.of("BINANCE:BTC/USDT") is DeltaRule.ADD
    assert rules.of("BINANCE_UAT:BTC/USDT") is DeltaRule.RESYNC


def test_a_book_out_of_sync_stays_readable_and_follows() -> None:
    """The doubt is noted and lasts until the next snapshot; diffs are applied meanwhile."""
    book = made("100:1")
    version = book.version
    book.mark_out_of_sync("gap")
    assert (book.in_sync, book.out_of_sync_reason, book.version > version) == (False, "gap", True)
    assert book.apply(diff("99:1")) is Applied.DIFF
    assert book.bids.depth == 2
    assert not book.in_sync
    book.apply(snapshot("1:1"))
    assert (book.in_sync, book.out_of_sync_reason) == (True, "")


@pytest.mark.parametrize("book_type", list(BookType))
def test_a_book_is_bounded(book_type: BookType) -> None:
    """A book with too many rows on a side is out of sync by name and takes no more, until a snapshot."""
    third = ":{}" if len(COLUMNS[book_type]) == 3 else ""

    def rows(prices: range) -> str:
        return " ".join(f"{price}:1" + third.format(price) for price in prices)

    book = OrderBook(INSTRUMENT, maximum_rows=10)
    book.apply(snapshot(rows(range(10)), rows(range(50, 60)), book_type))
    assert book.in_sync
    assert book.apply(diff("", rows(range(60, 61)), book_type)) is Applied.DIFF
    assert book.out_of_sync_reason == "more than 10 rows on a side"
    assert book.apply(diff(rows(range(10, 20)), "", book_type)) is Applied.OVERFULL
    assert (book.bids.rows, book.asks.rows) == (10, 11)
    book.check()
    book.apply(snapshot(rows(range(2)), "", book_type))
    assert book.in_sync
    assert book.apply(diff(rows(range(3)), "", book_type)) is Applied.DIFF


def test_a_snapshot_too_large_is_kept_but_not_trusted() -> None:
    """The rule is the same for a snapshot."""
    book = OrderBook(INSTRUMENT, maximum_rows=2)
    assert book.apply(snapshot("1:1 2:1 3:1")) is Applied.SNAPSHOT
    assert not book.in_sync


def test_a_cleared_book_awaits_a_snapshot() -> None:
    """Nothing is held, and a diff is not applied."""
    book = made("100:1", "101:1")
    book.clear()
    assert (book.has_snapshot, book.book_type, book.bids.depth) == (False, None, 0)
    assert book.apply(diff("1:1")) is Applied.NO_SNAPSHOT
    book.check()


@pytest.mark.parametrize(
    ("bid", "ask", "spread", "mid", "crossed", "locked"),
    [
        ("100.01", "100.02", "0.01", "100.015", False, False),
        ("100.00", "100.02", "0.02", "100.01", False, False),
        ("100", "101", "1", "100.5", False, False),
        ("99.5", "100", "0.5", "99.75", False, False),
        ("100.00", "100", "0.00", "100.00", False, True),
        ("101", "100.5", "-0.5", "100.75", True, False),
        ("-1", "1", "2", "0", False, False),
        (
            "12345678901234567890123456789012345678.1",
            "12345678901234567890123456789012345678.2",
            "0.1",
            "12345678901234567890123456789012345678.15",
            False,
            False,
        ),
    ],
)
def test_the_touch_is_exact(bid: str, ask: str, spread: str, mid: str, crossed: bool, locked: bool) -> None:
    """Spread and mid have every digit; the mid one more where it must; crossed and locked are told apart."""
    book = made(f"{bid}:1", f"{ask}:1")
    assert (str(book.spread()), str(book.mid())) == (spread, mid)
    assert (book.crossed, book.locked) == (crossed, locked)


def test_the_version_grows_with_every_change_and_no_other() -> None:
    """A painter can tell by the version whether there is anything new."""
    book = made("100:1")
    book.apply(snapshot("100:1", timestamp=5 * MS))
    version = book.version
    book.apply(diff("100:2", timestamp=4 * MS))
    assert book.version == version
    book.bids.top(5)
    assert book.version == version
    book.apply(diff("100:2", timestamp=6 * MS))
    assert book.version > version


def test_prices_that_a_wandering_market_left_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A side remembers few more prices than it has levels, and as many as it has where there are many."""
    monkeypatch.setattr(sides, "KEPT_TICKS", 20)
    book = made("1:1")
    for price in range(2, 500):
        book.apply(diff(f"{price}:1 {price - 1}:0"))
        assert len(book.bids._ticks) <= 20
    book.apply(diff(" ".join(f"{price}:1" for price in range(1_000, 1_100))))
    assert book.bids.depth == 101
    assert len(book.bids._ticks) >= 100
    book.check()


def test_much_coming_and_going_between_reads_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A book that nobody reads remembers neither all prices ever seen nor all that ever left."""
    monkeypatch.setattr(sides, "MAXIMUM_TICKS", 50)
    monkeypatch.setattr(price_sides, "MAXIMUM_GONE", 20)
    book = made("1:1")
    for price in range(2, 2_000):
        book.apply(diff(f"{price}:1 {price - 1}:0"))
    side = book.bids
    assert isinstance(side, price_sides.PlainSide)
    assert (len(side._gone) <= 20, len(side._ticks) <= 50, len(side._spelled) <= 60) == (True,) * 3
    assert pairs(side.levels()) == [("1999", "1")]
    book.check()


def test_rows_are_not_kept_alive_for_the_garbage_collector() -> None:
    """A plain book holds texts alone, nothing that the collector would have to walk through."""
    import gc

    book = made("100:1 99:2")
    side = book.bids
    assert isinstance(side, price_sides.PlainSide)
    assert not gc.is_tracked(side._levels)
