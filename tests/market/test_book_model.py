"""The order book against naive dicts, through any sequence of messages, read at any moment."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cadenza_tui.market import order_sides, price_sides, sides
from cadenza_tui.market.book import Applied, DeltaRule, OrderBook
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from tests.market.naive import NaiveBook, Read
from tests.market.updates import COLUMNS, INSTRUMENT

if TYPE_CHECKING:
    import pytest


@st.composite
def price_texts(draw: st.DrawFn) -> str:
    """Few prices, in many spellings; now and then a finer or a far larger one."""
    whole = draw(st.integers(-3, 12) | st.sampled_from([10**9, 10**24]))
    fraction = draw(st.sampled_from(["", "0", "00", "5", "50", "500", "25", "250", "75", "0000001"]))
    sign = "-" if whole < 0 else ""
    zeros = "0" * draw(st.sampled_from([0, 0, 0, 1]))
    return f"{sign}{zeros}{abs(whole)}" + (f".{fraction}" if fraction else "")


@st.composite
def quantity_texts(draw: st.DrawFn) -> str:
    """Zero in a third of the cases, in any spelling; else anything of up to 38 digits."""
    if draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from(["0", "0.0", "0.00000000", "000", "00.0", "0." + "0" * 38, "0" * 40]))
    return draw(st.from_regex(r"\A[1-9][0-9]{0,18}(\.[0-9]{1,19})?\Z|\A0\.0{0,9}[1-9][0-9]{0,9}\Z"))


CELLS = {
    "price": price_texts(),
    "quantity": quantity_texts(),
    "orderCount": st.integers(0, 99).map(str),
    "orderId": st.sampled_from("abcdefgh"),
    "exchange": st.sampled_from(["OKX", "BINANCE", "DERIBIT"]),
    "note": st.sampled_from(["", "x"]),
}
EXTRA = [(), ("note",)]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[BookType, tuple[str, ...]]:
    book_type = draw(st.sampled_from([BookType.L2, BookType.L2, *BookType]))
    columns = draw(st.permutations(COLUMNS[book_type] + draw(st.sampled_from(EXTRA))))
    return book_type, tuple(columns)


class BookMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.book = OrderBook(INSTRUMENT)
        self.naive = NaiveBook()
        self.layout = (BookType.L2, COLUMNS[BookType.L2])

    def rows(self, data: st.DataObject, most: int) -> list[tuple[str, ...]]:
        cells = st.tuples(*(CELLS[column] for column in self.layout[1]))
        return data.draw(st.lists(cells, max_size=most))

    def message(self, data: st.DataObject, update_type: UpdateType, most: int) -> BookUpdate:
        return BookUpdate(
            INSTRUMENT,
            update_type,
            *self.layout,
            self.rows(data, most),
            self.rows(data, most),
            timestamp=1,
        )

    def apply_snapshot(self, layout: tuple[BookType, tuple[str, ...]], data: st.DataObject) -> None:
        self.layout = layout
        update = self.message(data, UpdateType.SNAPSHOT, 20)
        version = self.book.version
        assert self.book.apply(update) is Applied.SNAPSHOT
        assert self.book.version > version
        assert self.book.in_sync
        self.naive.snapshot(update)

    @initialize(layout=layouts(), data=st.data())
    def first(self, layout: tuple[BookType, tuple[str, ...]], data: st.DataObject) -> None:
        diff = self.message(data, UpdateType.DIFF, 4)
        assert self.book.apply(diff) is Applied.NO_SNAPSHOT
        assert not self.book.bids.depth
        assert not self.book.asks.depth
        self.apply_snapshot(layout, data)

    @rule(layout=layouts(), data=st.data(), same=st.booleans())
    def snapshot(self, layout: tuple[BookType, tuple[str, ...]], data: st.DataObject, same: bool) -> None:
        self.apply_snapshot(self.layout if same else layout, data)

    @rule(data=st.data())
    def diff(self, data: st.DataObject) -> None:
        update = self.message(data, UpdateType.DIFF, 12)
        version, diffs = self.book.version, self.book.diffs
        assert self.book.apply(update) is Applied.DIFF
        assert (self.book.version > version, self.book.diffs) == (True, diffs + 1)
        self.naive.diff(update)

    @rule(data=st.data())
    def diff_in_another_order_of_columns(self, data: st.DataObject) -> None:
        update = self.message(data, UpdateType.DIFF, 6)
        order = data.draw(st.permutations(range(len(update.columns))))
        shuffled = BookUpdate(
            INSTRUMENT,
            UpdateType.DIFF,
            update.book_type,
            tuple(update.columns[place] for place in order),
            [tuple(row[place] for place in order) for row in update.bids],
            [tuple(row[place] for place in order) for row in update.asks],
            timestamp=1,
        )
        assert self.book.apply(shuffled) is Applied.DIFF
        self.naive.diff(update)

    @precondition(lambda self: self.book.bids.depth)
    @rule(data=st.data())
    def remove_all_bids(self, data: st.DataObject) -> None:
        price, quantity = self.layout[1].index("price"), self.layout[1].index("quantity")
        removals = []
        for row in self.flat(self.naive.bids.rows.values()):
            cells = list(row)
            cells[quantity] = "0.000"
            if self.layout[0] is BookType.L3_COUNTED:
                cells[price] = "1"
            removals.append(tuple(cells))
        update = BookUpdate(INSTRUMENT, UpdateType.DIFF, *self.layout, removals, [], timestamp=1)
        assert self.book.apply(update) is Applied.DIFF
        self.naive.diff(update)
        assert self.book.bids.depth == 0
        assert self.book.best_bid is None

    @staticmethod
    def flat(held: object) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for each in held:  # type: ignore[attr-defined]
            rows.extend(each if isinstance(each, list) else [each])
        return rows

    @rule(n=st.integers(-1, 25))
    def read_top(self, n: int) -> None:
        expected: tuple[Read, Read] = self.naive.bids.read(), self.naive.asks.read()
        assert self.book.bids.top(n) == expected[0][: max(n, 0)]
        assert self.book.asks.top(n) == expected[1][: max(n, 0)]

    @rule()
    def read_everything(self) -> None:
        bids, asks = self.naive.bids.read(), self.naive.asks.read()
        assert self.book.bids.levels() == bids
        assert self.book.asks.levels() == asks
        assert (self.book.bids.depth, self.book.asks.depth) == (len(bids), len(asks))
        assert self.book.best_bid == (bids[0] if bids else None)
        assert self.book.best_ask == (asks[0] if asks else None)

    @rule()
    def read_touch(self) -> None:
        bids, asks = self.naive.bids.read(), self.naive.asks.read()
        if not (bids and asks):
            assert self.book.spread() is None
            assert self.book.mid() is None
            assert not self.book.crossed
            assert not self.book.locked
            return
        bid, ask = Fraction(bids[0][0]), Fraction(asks[0][0])
        spread, mid = self.book.spread(), self.book.mid()
        assert spread is not None
        assert mid is not None
        assert Fraction(spread) == ask - bid
        assert Fraction(mid) * 2 == ask + bid
        assert self.book.crossed == (bid > ask)
        assert self.book.locked == (bid == ask)

    @rule()
    def check(self) -> None:
        self.book.check()

    @invariant()
    def rows_are_counted(self) -> None:
        assert self.book.bids.rows == len(self.flat(self.naive.bids.rows.values()))
        assert self.book.asks.rows == len(self.flat(self.naive.asks.rows.values()))

    def teardown(self) -> None:
        self.read_everything()
        self.book.check()


CHECKS = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_book_agrees_with_naive_dicts() -> None:
    """Whatever is applied and whenever it is read, the book is what plain dicts of Decimals are."""
    run_state_machine_as_test(BookMachine, settings=CHECKS)


def test_book_agrees_with_naive_dicts_when_its_caches_are_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of the price cache and of the unsettled keys change nothing that can be read."""
    monkeypatch.setattr(sides, "MAXIMUM_TICKS", 3)
    for module in (price_sides, order_sides):
        monkeypatch.setattr(module, "MAXIMUM_GONE", 2)
    run_state_machine_as_test(BookMachine, settings=settings(CHECKS, max_examples=15))


CHANGES = st.lists(
    st.tuples(
        price_texts(),
        quantity_texts() | quantity_texts().map(lambda text: "-" + text),
        st.sampled_from(["OKX", "BINANCE"]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(
    book_type=st.sampled_from([BookType.L2, BookType.L2_EXCHANGE]),
    note=st.booleans(),
    held=st.lists(
        st.tuples(price_texts(), quantity_texts(), st.sampled_from(["OKX", "BINANCE"])), max_size=12
    ),
    deltas=st.lists(CHANGES, max_size=6),
    data=st.data(),
)
def test_what_is_added_is_what_plain_fractions_make_of_it(
    book_type: BookType,
    note: bool,
    held: list[tuple[str, str, str]],
    deltas: list[list[tuple[str, str, str]]],
    data: st.DataObject,
) -> None:
    """Deltas that add lead where the sums of exact fractions do; one that goes below zero changes nothing."""
    columns = tuple(data.draw(st.permutations(COLUMNS[book_type] + (("note",) if note else ()))))
    by_exchange = book_type is BookType.L2_EXCHANGE

    def rows(cells: list[tuple[str, str, str]], kind: UpdateType) -> BookUpdate:
        named = [dict(zip(("price", "quantity", "exchange"), each, strict=True)) for each in cells]
        made = [tuple(one.get(column, "x") for column in columns) for one in named]
        return BookUpdate(INSTRUMENT, kind, book_type, columns, made, [], timestamp=1)

    def key(price: str, exchange: str) -> tuple[Fraction, str]:
        return Fraction(price), exchange if by_exchange else ""

    book = OrderBook(INSTRUMENT, delta_rule=DeltaRule.ADD)
    book.apply(rows(held, UpdateType.SNAPSHOT))
    plain: dict[tuple[Fraction, str], Fraction] = {}
    for price, quantity, exchange in held:
        plain[key(price, exchange)] = Fraction(quantity)
    for cells in deltas:
        sums = dict(plain)
        for price, quantity, exchange in cells:
            sums[key(price, exchange)] = sums.get(key(price, exchange), Fraction(0)) + Fraction(quantity)
        possible = all(total >= 0 for total in sums.values())
        if possible:
            plain = {each: total for each, total in sums.items() if total}
        expected = Applied.DIFF if possible else Applied.BELOW_ZERO
        assert book.apply(rows(cells, UpdateType.DELTA)) is expected
        read = {
            (Fraction(Decimal(level.price)), level.exchange or ""): Fraction(Decimal(level.quantity))
            for level in book.bids.levels()
        }
        assert read == {each: total for each, total in plain.items() if total}
        book.check()
