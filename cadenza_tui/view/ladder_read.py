"""Reads a book for its ladder: levels or groups of one side, no further than is shown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market import exact
from cadenza_tui.market.grouped import Grouped
from cadenza_tui.view.ladder_lines import Read, merged, own_orders, spelled
from cadenza_tui.view.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cadenza_tui.market.book import AnySide, OrderBook
    from cadenza_tui.market.grouped import Group
    from cadenza_tui.market.records import Order
    from cadenza_tui.market.sides import Level, SingleOrder
    from cadenza_tui.market.study import Study
    from cadenza_tui.view.ladder_memory import LadderMemory
    from cadenza_tui.view.ladder_rows import Own
    from cadenza_tui.view.ladder_widths import LadderWidths

ONE = Decimal(1)
MOST_READ = 4096
"""Rows of a side that are read at most: so far a cursor goes."""
_ADD = exact.CONTEXT.add
DEPTHS = {"5": 5, "10": 10, "20": 20, "50": 50}
"""Levels a side that the imbalance is over, by the choice of it; "all" has no number."""


@dataclass(slots=True)
class Reader:
    """One frame's look at a book, in groups of ``increment`` or, with None, as it is."""

    book: OrderBook
    increment: Decimal | None
    study: Study | None
    own: tuple[dict[Decimal, Own], dict[Decimal, Own]]
    groups: dict[bool, Grouped]
    """The groups kept from frame to frame where no study keeps them."""
    texts: dict[bool, tuple[Sequence[Group], Sequence[Level]]]
    """The groups of the last frame, and how they are spelled."""
    names: frozenset[str] = frozenset()
    """The ids of the own orders."""

    def side(self, *, bid: bool) -> AnySide:
        """Return one side of the book."""
        return self.book.bids if bid else self.book.asks

    def grouped(self, *, bid: bool) -> Grouped:
        """Return the groups of one side; only where there is an increment."""
        side, increment = self.side(bid=bid), self.increment or ONE
        if self.study is not None:
            return self.study.grouped(side, increment)
        held = self.groups.get(bid)
        if held is None or held.side is not side or held.increment != increment:
            held = self.groups[bid] = Grouped(side, increment)
        return held

    def read(self, rows: int, *, bid: bool) -> Read:
        """Return the best ``rows`` of a side, own orders in between."""
        rows = min(max(rows, 1), MOST_READ)
        if self.increment is None:
            levels: Sequence[Level] = self.side(bid=bid).top(rows)
            found = Read(levels, None, None, len(levels) < rows)
        else:
            groups = self.grouped(bid=bid).rows(rows)
            found = Read(
                self._spelled(groups, bid=bid),
                [group.notional for group in groups],
                None,
                len(groups) < rows,
            )
        own = self.own[0 if bid else 1]
        return merged(found, own, descending=bid) if own else found

    def _spelled(self, groups: list[Group], *, bid: bool) -> list[Level]:
        """Return groups as levels; one that is the same as in the last frame is not spelled anew."""
        before, texts = self.texts.get(bid, ((), ()))
        levels = [
            text if group is other else spelled(group)
            for group, other, text in zip(groups, before, texts, strict=False)
        ]
        levels += map(spelled, groups[len(levels) :])
        self.texts[bid] = (groups, levels)
        return levels

    def reach(self, price: Decimal, rows: int, widths: LadderWidths, *, bid: bool) -> Read:
        """Return the best ``rows`` of a side, and on to a price that stands deeper."""
        rows = max(rows, 1)
        found = self.read(rows, bid=bid)
        while not found.whole and rows < MOST_READ:
            last = widths.size(found.levels[-1].price)[1]
            if last < price if bid else last > price:
                break
            rows *= 2
            found = self.read(rows, bid=bid)
        return found

    def orders(self, price: Decimal, most: int, *, bid: bool) -> list[tuple[str, SingleOrder]]:
        """Return the first single orders at a price, of a group each with the price that it stands at."""
        side = self.side(bid=bid)
        if self.increment is None:
            return [("", order) for order in side.orders(plain(price))[:most]]
        price_of = self.grouped(bid=bid).price_of
        found: list[tuple[str, SingleOrder]] = []
        for level in side.top(MOST_READ):
            there = price_of(Decimal(level.price))
            if there == price:
                found += [(level.price, order) for order in side.orders(level.price)]
            elif (there < price) is bid or len(found) >= most:
                break
        return found[:most]


def reader(
    book: OrderBook,
    increment: Decimal | None,
    study: Study | None,
    orders: Sequence[Order],
    *,
    memory: LadderMemory,
    queue: bool,
) -> Reader:
    """Return a look at a book with the own working orders of its instrument."""
    made = Reader(book, increment, study, ({}, {}), memory.groups, memory.spelled)
    if orders:
        price_of: tuple[Callable[[Decimal], Decimal], Callable[[Decimal], Decimal]] | None = None
        if increment is not None:
            price_of = (made.grouped(bid=True).price_of, made.grouped(bid=False).price_of)
        ahead = study.queue.ahead if study is not None and queue else None
        made.names = frozenset(
            name
            for order in orders
            for name in (order.external_id, order.order_id, order.client_order_id)
            if name
        )
        touch = tuple(
            None if best is None else Decimal(best.price) for best in (book.best_bid, book.best_ask)
        )
        made.own = own_orders(orders, book.instrument_id, price_of, (touch[0], touch[1]), ahead)
    return made


def depths(look: Reader, depth: str, widths: LadderWidths, reads: Sequence[Read]) -> tuple[Decimal, Decimal]:
    """Return the quantities of the best levels of bids and asks, as many as ``depth`` says.

    What has been ``reads`` already is not read again, where that is the book's own levels.
    """
    book, study = look.book, look.study
    if depth == "all" and study is not None:
        return study.total(book.bids).quantity, study.total(book.asks).quantity
    sums: list[Decimal] = []
    for place, side in enumerate((book.bids, book.asks)):
        levels: Sequence[Level]
        if depth == "all":
            levels = side.levels()
        else:
            wanted = DEPTHS[depth]
            read = reads[place] if reads and look.increment is None else None
            if read is not None and read.own is None and (len(read.levels) >= wanted or read.whole):
                levels = read.levels[:wanted]
            else:
                levels = side.top(wanted)
        size, total = widths.size, Decimal(0)
        for level in levels:
            total = _ADD(total, size(level.quantity)[1])
        sums.append(total)
    return sums[0], sums[1]
