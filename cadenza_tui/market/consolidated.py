"""One book of a symbol over the venues that quote it, exact, and what can be taken across them.

Only venues whose book is current take part: one that is stale, out of sync or crossed by itself drops out,
and the result says which and why. A VWAP book drops out too, since its quantities are running sums. The rows
of an L2_EXCHANGE book are quotes of their exchanges, which count as venues.

Each book is read only as far as it is needed. What is read of a book ends at some price, its horizon; merged
levels behind the nearest horizon may lack a venue and are not given out.
"""

from __future__ import annotations

from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cadenza_tui.market import exact
from cadenza_tui.market.records import BookType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.sides import BookSide

MAXIMUM_READ = 4_096
"""Rows of a side that are read of each venue at most; with a coarse group that may give fewer rows."""

_ZERO = Decimal(0)


class VenueBook(NamedTuple):
    """A venue's book. ``current`` is whether it can be taken as what the venue has now, ``why`` why not.

    ``age_ns`` is the age of its newest content, None where unknown.
    """

    venue: str
    instrument_id: InstrumentId
    book: OrderBook
    current: bool
    why: str
    age_ns: int | None = None


class Share(NamedTuple):
    """What one venue quotes of a level."""

    venue: str
    quantity: Decimal


class QuotedLevel(NamedTuple):
    """One price, or one group of prices, over all venues; ``shares`` in the order the venues came in.

    ``notional`` is the exact sum of price times quantity of the raw levels.
    """

    price: Decimal
    quantity: Decimal
    notional: Decimal
    shares: tuple[Share, ...]


class VenueQuote(NamedTuple):
    """One venue's own touch as price and quantity; ``why`` is "" unless it has dropped out."""

    venue: str
    instrument_id: InstrumentId
    bid: tuple[Decimal, Decimal] | None
    ask: tuple[Decimal, Decimal] | None
    age_ns: int | None
    why: str


class Cross(NamedTuple):
    """A bid of one venue at or above the ask of another.

    ``quantity`` is what could be bought at the asks and sold at the bids at once, ``gain`` what that would
    leave in quote units before fees: zero where the touch is only locked.
    """

    bid: Decimal
    ask: Decimal
    bid_venues: tuple[str, ...]
    ask_venues: tuple[str, ...]
    quantity: Decimal
    gain: Decimal

    @property
    def locked(self) -> bool:
        """Whether bid and ask are one price."""
        return self.bid == self.ask


class Consolidated(NamedTuple):
    """The consolidated book: ``bids`` and ``asks`` best first, in groups where asked; the touch never is.

    ``read`` is how many rows a side were read of each venue, a good start for the next time.
    """

    bids: tuple[QuotedLevel, ...]
    asks: tuple[QuotedLevel, ...]
    best_bid: QuotedLevel | None
    best_ask: QuotedLevel | None
    venues: tuple[VenueQuote, ...]
    cross: Cross | None
    read: int

    @property
    def spread(self) -> Decimal | None:
        """Best ask minus best bid over all venues, negative when crossed; None while a side is empty."""
        if self.best_bid is None or self.best_ask is None:
            return None
        return exact.subtract(self.best_ask.price, self.best_bid.price)

    @property
    def mid(self) -> Decimal | None:
        """The exact middle of the touch over all venues; None while a side is empty."""
        if self.best_bid is None or self.best_ask is None:
            return None
        return exact.halve(exact.add(self.best_bid.price, self.best_ask.price))

    @property
    def dropped(self) -> tuple[VenueQuote, ...]:
        """The venues that do not take part."""
        return tuple(quote for quote in self.venues if quote.why)


_Entry: TypeAlias = "tuple[Decimal, int, Decimal]"
"""A price, the place of the venue that quotes it, and the quantity."""


def consolidate(
    books: Sequence[VenueBook], n: int, *, group: Decimal | None = None, read: int = 0
) -> Consolidated:
    """Return the best ``n`` levels a side over the venues.

    ``group`` is a price increment above zero: bids are put together downwards, asks upwards. ``read`` is how
    many rows of each venue to read at first, 0 for as many as are wanted.
    """
    read = min(max(read, n, 1), MAXIMUM_READ)
    while True:
        venues = _Venues(books, read)
        bids, all_bids = venues.levels(bid=True)
        asks, all_asks = venues.levels(bid=False)
        cross, enough = _cross(bids, asks)
        bid_rows, ask_rows = bids, asks
        if group is not None:
            bid_rows = venues.grouped(bids, group, bid=True, whole=all_bids)
            ask_rows = venues.grouped(asks, group, bid=False, whole=all_asks)
        lacking = (not all_bids and (len(bid_rows) < n or not enough)) or (
            not all_asks and (len(ask_rows) < n or not enough)
        )
        if read >= MAXIMUM_READ or not lacking:
            return Consolidated(
                tuple(bid_rows[: max(n, 0)]),
                tuple(ask_rows[: max(n, 0)]),
                bids[0] if bids else None,
                asks[0] if asks else None,
                tuple(venues.quotes),
                cross,
                read,
            )
        read = min(read * 2, MAXIMUM_READ)


def _multiple(price: Decimal, group: Decimal, *, up: bool) -> Decimal:
    """Return the multiple of ``group`` at or next below (``up``: above) ``price``."""
    multiple = exact.multiply(exact.CONTEXT.divide_int(price, group), group)
    if up and multiple < price:
        return exact.add(multiple, group)
    if not up and multiple > price:
        return exact.subtract(multiple, group)
    return multiple


def _why_not(one: VenueBook) -> str:
    """Return why a book does not take part, "" where it does."""
    book = one.book
    if not book.has_snapshot:
        return one.why or "no snapshot yet"
    if not one.current:
        return one.why or "not current"
    if not book.in_sync:
        return book.out_of_sync_reason
    if book.book_type is BookType.VWAP:
        return "a VWAP curve, which cannot be summed"
    if book.crossed and book.book_type is not BookType.L2_EXCHANGE:
        return "crossed by itself"
    return ""


def _cross(bids: Sequence[QuotedLevel], asks: Sequence[QuotedLevel]) -> tuple[Cross | None, bool]:
    """Return what can be taken across venues, None for nothing, and whether the levels go far enough to say.

    No venue is crossed by itself, so where a bid is above an ask, both are of different venues.
    """
    if not bids or not asks or bids[0].price < asks[0].price:
        return None, True
    quantity, gain = _ZERO, _ZERO
    enough = True
    if bids[0].price == asks[0].price:
        quantity = _between(bids[0], asks[0])
    else:
        at_bid = at_ask = 0
        left_bid, left_ask = bids[0].quantity, asks[0].quantity
        while bids[at_bid].price > asks[at_ask].price:
            taken = min(left_bid, left_ask)
            quantity = exact.add(quantity, taken)
            margin = exact.subtract(bids[at_bid].price, asks[at_ask].price)
            gain = exact.add(gain, exact.multiply(taken, margin))
            left_bid, left_ask = exact.subtract(left_bid, taken), exact.subtract(left_ask, taken)
            if not left_bid:
                at_bid += 1
            if not left_ask:
                at_ask += 1
            if at_bid == len(bids) or at_ask == len(asks):
                enough = False
                break
            left_bid, left_ask = left_bid or bids[at_bid].quantity, left_ask or asks[at_ask].quantity
    if not quantity:
        return None, True
    sellers, buyers = ([share.venue for share in side[0].shares] for side in (asks, bids))
    return Cross(bids[0].price, asks[0].price, tuple(buyers), tuple(sellers), quantity, gain), enough


def _between(bid: QuotedLevel, ask: QuotedLevel) -> Decimal:
    """Return how much of two levels at one price can meet without a venue meeting itself.

    All of the smaller level, unless one venue has so much of both that the others do not suffice for it.
    """
    both = exact.add(bid.quantity, ask.quantity)
    at_most = min(bid.quantity, ask.quantity)
    asked = dict(ask.shares)
    for venue, quantity in bid.shares:
        others = exact.subtract(both, exact.add(quantity, asked.get(venue, _ZERO)))
        at_most = min(at_most, others)
    return at_most


class _Venues:
    """The venues that take part, each with what was read of its two sides."""

    def __init__(self, books: Sequence[VenueBook], read: int) -> None:
        self.quotes: list[VenueQuote] = []
        self._names: list[str] = []
        self._entries: tuple[list[_Entry], list[_Entry]] = ([], [])
        """Of the asks and of the bids; the best first within a venue."""
        self._horizons: tuple[list[tuple[Decimal, bool]], list[tuple[Decimal, bool]]] = ([], [])
        """The worst price read of each book that goes on behind it, and whether all of it was read."""
        for one in books:
            why = _why_not(one)
            if why:
                self.quotes.append(VenueQuote(one.venue, one.instrument_id, None, None, one.age_ns, why))
            elif one.book.book_type is BookType.L2_EXCHANGE:
                self._add_exchanges(one, read, alone=len(books) == 1)
            else:
                asks, bids = (
                    self._read(one.book.asks, read, bid=False),
                    self._read(one.book.bids, read, bid=True),
                )
                self._add(one.venue, one, asks, bids)

    def levels(self, *, bid: bool) -> tuple[list[QuotedLevel], bool]:
        """Return the merged levels of a side up to the nearest horizon, and whether these are all."""
        entries = sorted(self._entries[bid], key=itemgetter(0), reverse=bid)
        horizons = self._horizons[bid]
        nearest, complete = (
            min(horizons, key=lambda at: (-at[0] if bid else at[0], at[1])) if horizons else (None, True)
        )
        names = self._names
        levels: list[QuotedLevel] = []
        at = 0
        while at < len(entries):
            price, venue, quantity = entries[at]
            if nearest is not None and (
                (price < nearest if bid else price > nearest) or (price == nearest and not complete)
            ):
                break
            at += 1
            shares: tuple[Share, ...] = (Share(names[venue], quantity),)
            while at < len(entries) and entries[at][0] == price:
                _, venue, more = entries[at]
                shares += (Share(names[venue], more),)
                quantity = exact.CONTEXT.add(quantity, more)
                at += 1
            levels.append(QuotedLevel(price, quantity, exact.CONTEXT.multiply(price, quantity), shares))
        return levels, nearest is None

    def grouped(
        self, levels: Sequence[QuotedLevel], group: Decimal, *, bid: bool, whole: bool
    ) -> list[QuotedLevel]:
        """Return the levels of a side put together in multiples of ``group``.

        Where they are not the ``whole`` side, the last group may lack some and is left out.
        """
        add = exact.CONTEXT.add
        groups: list[QuotedLevel] = []
        price = total = notional = _ZERO
        sums: dict[str, Decimal] = {}
        for level in levels:
            if not sums or (level.price < price if bid else level.price > price):
                if sums:
                    groups.append(QuotedLevel(price, total, notional, self._shares(sums)))
                price, sums = _multiple(level.price, group, up=not bid), {}
                total = notional = _ZERO
            total = add(total, level.quantity)
            notional = add(notional, level.notional)
            for venue, quantity in level.shares:
                sums[venue] = add(sums[venue], quantity) if venue in sums else quantity
        if sums and whole:
            groups.append(QuotedLevel(price, total, notional, self._shares(sums)))
        return groups

    def _shares(self, sums: dict[str, Decimal]) -> tuple[Share, ...]:
        return tuple([Share(name, sums[name]) for name in self._names if name in sums])

    def _add(
        self,
        name: str,
        one: VenueBook,
        asks: list[tuple[Decimal, Decimal]],
        bids: list[tuple[Decimal, Decimal]],
    ) -> None:
        place = len(self._names)
        if name in self._names:
            name = one.instrument_id
        self._names.append(name)
        for bid, side in ((False, asks), (True, bids)):
            self._entries[bid].extend([(price, place, quantity) for price, quantity in side])
        ask, bid_ = asks[0] if asks else None, bids[0] if bids else None
        self.quotes.append(VenueQuote(name, one.instrument_id, bid_, ask, one.age_ns, ""))

    def _read(self, side: BookSide, read: int, *, bid: bool) -> list[tuple[Decimal, Decimal]]:
        levels = side.top(read)
        found = [(Decimal(price), Decimal(quantity)) for price, quantity, _, _ in levels]
        if found and len(levels) < side.depth:
            self._horizons[bid].append((found[-1][0], True))
        return found

    def _add_exchanges(self, one: VenueBook, read: int, *, alone: bool) -> None:
        """Add each exchange of a book as a venue of its own, but for those that are crossed by themselves."""
        found: dict[str, tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]] = {}
        for bid, side in ((False, one.book.asks), (True, one.book.bids)):
            levels = side.top(read)
            for level in levels:
                exchange = level.exchange or ""
                sides = found.setdefault(exchange, ([], []))
                sides[bid].append((Decimal(level.price), Decimal(level.quantity)))
            if levels and len(levels) < side.depth:
                self._horizons[bid].append((Decimal(levels[-1].price), False))
        for exchange, (asks, bids) in sorted(found.items()):
            name = exchange if alone else f"{one.venue}/{exchange}"
            if asks and bids and bids[0][0] > asks[0][0]:
                why = "crossed by itself"
                self.quotes.append(VenueQuote(name, one.instrument_id, None, None, one.age_ns, why))
            else:
                self._add(name, one, asks, bids)
