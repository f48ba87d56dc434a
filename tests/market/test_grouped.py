"""Groups and sums that are kept up, against what a naive sum over the whole side makes of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from cadenza_tui.market import grouped, journal, sides, units
from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.grouped import Group, Grouped, SideTotal
from cadenza_tui.market.records import BookType
from tests.market.naive_flow import grouped_price
from tests.market.test_book_model import CHECKS, BookMachine, price_texts
from tests.market.updates import diff, snapshot

if TYPE_CHECKING:
    import pytest

    from tests.market.naive import NaiveSide

INCREMENTS = (
    Decimal("0.50"),
    Decimal("0.2"),
    Decimal(3),
    Decimal("0.000001"),
    Decimal(10**25),
)

Sums = tuple[Fraction, Fraction, int | None, int]


def naive_groups(side: NaiveSide, increment: Decimal) -> list[tuple[Fraction, Sums]]:
    """Return the groups of a side, best first: every level looked at."""
    found: dict[Fraction, list[tuple[Fraction, Fraction, int | None]]] = {}
    for price, quantity, orders, _ in side.read():
        at = grouped_price(Fraction(price), Fraction(increment), down=side.bid)
        found.setdefault(at, []).append((Fraction(price), Fraction(quantity), orders))
    running = side.book_type is BookType.VWAP
    return [
        (at, naive_sums(found[at][-1:] if running else found[at], len(found[at]), side))
        for at in sorted(found, reverse=side.bid)
    ]


def naive_sums(levels: list[tuple[Fraction, Fraction, int | None]], number: int, side: NaiveSide) -> Sums:
    orders: int | None = 0
    for _, _, here in levels:
        orders = None if orders is None or here is None else orders + here
    counted = "orderCount" in side.columns or side.book_type in (BookType.L3, BookType.L3_COUNTED)
    return (
        sum((quantity for _, quantity, _ in levels), Fraction(0)),
        sum((price * quantity for price, quantity, _ in levels), Fraction(0)),
        orders if counted else None,
        number,
    )


def parts(group: Any) -> Sums:
    quantity, notional, orders, levels = group[-4:]
    return Fraction(quantity), Fraction(notional), orders, levels


class WatchedMachine(BookMachine):
    """The machine of the book, with a journal and readers that look at it at any moment."""

    @initialize()
    def watch(self) -> None:
        self.book.keep_journal(kept=True)
        self.readers: dict[tuple[bool, Decimal], Grouped] = {}
        self.totals: dict[bool, SideTotal] = {}

    @rule(bid=st.booleans(), increment=st.sampled_from(INCREMENTS), n=st.integers(0, 8), price=price_texts())
    def read_groups(self, bid: bool, increment: Decimal, n: int, price: str) -> None:
        side = self.book.bids if bid else self.book.asks
        naive = naive_groups(self.naive.bids if bid else self.naive.asks, increment)
        reader = self.readers.get((bid, increment))
        if reader is None or reader.side is not side:
            reader = self.readers[bid, increment] = Grouped(side, increment)
        read = reader.rows(n)
        assert [(Fraction(group.price), parts(group)) for group in read] == naive[:n]
        assert all(group.price.as_tuple().exponent == increment.as_tuple().exponent for group in read)
        at = grouped_price(Fraction(price), Fraction(increment), down=bid)
        assert reader.price_of(Decimal(price)) == at
        here = reader.at(Decimal(price))
        assert (None if here is None else parts(here)) == dict(naive).get(at)
        reader.check()

    @rule(bid=st.booleans())
    def read_total(self, bid: bool) -> None:
        side = self.book.bids if bid else self.book.asks
        levels = (self.naive.bids if bid else self.naive.asks).read()
        reader = self.totals.get(bid)
        if reader is None or reader.side is not side:
            reader = self.totals[bid] = SideTotal(side)
        last = levels[-1:] if self.layout[0] is BookType.VWAP else levels
        parted = [(Fraction(price), Fraction(quantity), orders) for price, quantity, orders, _ in last]
        expected = naive_sums(parted, len(levels), self.naive.bids if bid else self.naive.asks)
        if self.layout[0] is BookType.VWAP:
            expected = (*expected[:2], None, expected[3])
        assert parts(reader.total()) == expected
        reader.check()

    @rule()
    def trim(self) -> None:
        for side in (self.book.bids, self.book.asks):
            if side.journal is not None:
                side.journal.trim()
                assert len(side.journal.entries) <= journal.MAXIMUM_CHANGES

    @rule(kept=st.booleans())
    def keep_or_not(self, kept: bool) -> None:
        self.book.keep_journal(kept=kept)


def test_groups_and_sums_agree_with_naive_ones() -> None:
    """Whatever is applied and whenever it is read, groups and totals are exact sums over their levels."""
    run_state_machine_as_test(WatchedMachine, settings=settings(CHECKS, max_examples=30))


def test_groups_and_sums_agree_when_every_bound_is_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds of the journal, the near prices and the caches change nothing that can be read."""
    monkeypatch.setattr(journal, "MAXIMUM_CHANGES", 4)
    monkeypatch.setattr(journal, "NEAR", 2)
    monkeypatch.setattr(units, "MAXIMUM_KNOWN", 3)
    monkeypatch.setattr(sides, "MAXIMUM_TICKS", 3)
    run_state_machine_as_test(WatchedMachine, settings=settings(CHECKS, max_examples=12))


def test_bids_go_down_and_asks_go_up() -> None:
    """No group promises a better price than its levels have, and no bid and ask share a row."""
    book = OrderBook("X")
    book.apply(snapshot("10.49:1 10.01:2 9.99:4", "10.51:1 10.99:2 11.01:4"))
    bids, asks = Grouped(book.bids, Decimal("0.5")), Grouped(book.asks, Decimal("0.5"))
    assert [(str(group.price), str(group.quantity)) for group in bids.rows(9)] == [
        ("10.0", "3"),
        ("9.5", "4"),
    ]
    assert [(str(group.price), str(group.quantity)) for group in asks.rows(9)] == [
        ("11.0", "3"),
        ("11.5", "4"),
    ]


def test_a_locked_book_keeps_its_sides_apart() -> None:
    """A bid and an ask at one price are two groups, each of its own side."""
    book = OrderBook("X")
    book.apply(snapshot("10:1", "10:2"))
    bids, asks = Grouped(book.bids, Decimal(5)).rows(1), Grouped(book.asks, Decimal(5)).rows(1)
    assert bids == [Group(Decimal(10), Decimal(1), Decimal(10), None, 1)]
    assert asks == [Group(Decimal(10), Decimal(2), Decimal(20), None, 1)]


def test_a_vwap_book_is_not_summed_again() -> None:
    """Its groups are points of the curve: the last quantity in each, which is a running sum already."""
    book = OrderBook("X")
    book.keep_journal(kept=True)
    book.apply(snapshot("", "10.1:1 10.2:3 10.7:8", BookType.VWAP))
    asks = Grouped(book.asks, Decimal("0.5"))
    assert [(str(group.price), str(group.quantity)) for group in asks.rows(9)] == [
        ("10.5", "3"),
        ("11.0", "8"),
    ]
    assert asks.rows(1)[0].notional == Decimal("30.6")
    book.apply(diff("", "10.2:0", BookType.VWAP))
    assert asks.rows(1)[0].quantity == 1
    assert asks.total().quantity == 8


@settings(max_examples=30, deadline=None)
@given(depth=st.integers(1, 40), increment=st.sampled_from(INCREMENTS))
def test_a_reader_of_a_side_without_a_journal_is_right_as_well(depth: int, increment: Decimal) -> None:
    """Groups need no journal: then each call walks over the side."""
    book = OrderBook("X")
    book.apply(snapshot(" ".join(f"{100 - n}.{n:02}:{n + 1}" for n in range(depth)), ""))
    reader = Grouped(book.bids, increment)
    reader.rows(1)
    book.apply(diff("100.00:0 3.5:7", ""))
    assert sum(group.quantity for group in reader.rows(depth + 1)) == sum(range(2, depth + 1)) + 7


def test_a_frame_costs_what_changed_and_not_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten changes in a side of ten thousand levels are ten levels looked at; a snapshot is all of them."""
    book = OrderBook("X")
    book.keep_journal(kept=True)
    book.apply(snapshot(" ".join(f"{20_000 - n}:1" for n in range(10_000)), ""))
    reader = Grouped(book.bids, Decimal(5))
    looked: list[int] = []
    take = grouped.SideTotal._take

    def counting(self: SideTotal, keys: Any) -> None:
        looked.append(len(keys))
        take(self, keys)

    monkeypatch.setattr(grouped.SideTotal, "_take", counting)
    reader.rows(40)
    book.apply(diff(" ".join(f"{20_000 - n}:2" for n in range(0, 100, 10)), ""))
    reader.rows(40)
    reader.rows(40)
    assert looked == [10_000, 10]
