"""One side of a book, in the structure that its type asks for.

Prices are exact integers: the feed's text scaled by the finest decimals seen, found through a bounded cache,
so that ``50000.0`` and ``50000.00`` are one level. Each level keeps the feed's own row, and with it the
spelling and every further column. Keys are negated on the bid side: ascending order is best first on both.

Most changes meet a price that is already there, so the sorted keys are settled only when they are read:
a dict keeps new keys at its end, and ``_gone`` names the keys that left.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from sortedcontainers import SortedList

from cadenza_tui.market import exact
from cadenza_tui.market.records import BookType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.market.layout import Layout

Row: TypeAlias = tuple[str, ...]

MAXIMUM_TEXT = 40
"""Longest price or quantity that ``wire`` lets in, in characters."""

ZEROS = frozenset(
    "0" * whole + ("." + "0" * fraction if fraction else "")
    for whole in range(1, MAXIMUM_TEXT + 1)
    for fraction in range(max(1, MAXIMUM_TEXT - whole))
)
"""Every spelling of zero up to ``MAXIMUM_TEXT`` characters: membership is the exact zero test."""

MAXIMUM_TICKS = 65_536
MAXIMUM_GONE = 4_096


class Level(NamedTuple):
    """One price as read from a side; texts as the feed spelled them.

    For the L3 types ``quantity`` is the exact sum over the price's rows and ``orders`` their number;
    otherwise ``orders`` is the feed's own count, None where it gives none.
    """

    price: str
    quantity: str
    orders: int | None
    exchange: str | None


Key = TypeVar("Key", int, tuple[int, str])
Held = TypeVar("Held")


class BookSide(ABC):
    """What can be read from a side, best price first, whatever its type."""

    __slots__ = ()

    @property
    @abstractmethod
    def depth(self) -> int:
        """Number of levels: of prices, for L2_EXCHANGE of price and exchange."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Number of rows held: for the L3 types the orders."""

    @abstractmethod
    def top(self, n: int) -> list[Level]:
        """Return the best ``n`` levels, best first."""

    def levels(self) -> list[Level]:
        """Return every level, best first."""
        return self.top(self.depth)

    def best(self) -> Level | None:
        """Return the best level, None while the side is empty."""
        return next(iter(self.top(1)), None)

    @abstractmethod
    def replace(self, rows: Sequence[Row]) -> None:
        """Hold these rows and nothing else."""

    @abstractmethod
    def change(self, rows: Sequence[Row]) -> None:
        """Apply the rows of a diff, in their order."""

    @abstractmethod
    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""


class _SortedSide(BookSide, Generic[Key, Held]):
    """The sorted keys of a side, settled when they are read."""

    __slots__ = ("_decimals", "_gone", "_keys", "_levels", "_price", "_quantity", "_sign", "_ticks", "layout")

    def __init__(self, layout: Layout, *, bid: bool) -> None:
        self.layout = layout
        self._price = layout.price
        self._quantity = layout.quantity
        self._sign = -1 if bid else 1
        self._decimals = 0
        self._ticks: dict[str, int] = {}
        self._levels: dict[Key, Held] = {}
        self._gone: set[Key] = set()
        self._keys: Any = SortedList()

    @property
    def depth(self) -> int:
        return len(self._levels)

    @property
    def rows(self) -> int:
        return len(self._levels)

    def replace(self, rows: Sequence[Row]) -> None:
        self._levels.clear()
        self._unsort()
        self.change(rows)

    def top(self, n: int) -> list[Level]:
        if n <= 0:
            return []
        self._settle()
        return self._read(islice(self._keys, n))

    @abstractmethod
    def _read(self, keys: Iterable[Key]) -> list[Level]:
        """Return the levels of these keys."""

    @abstractmethod
    def _scaled(self, key: Key, factor: int) -> Key:
        """Return the key of the same price when prices are ``factor`` times finer."""

    def _learn(self, price: str) -> int:
        """Return the integer of a price not seen lately, and remember it."""
        whole, _, fraction = price.partition(".")
        fraction = fraction.rstrip("0")
        if len(fraction) > self._decimals:
            self._rescale(len(fraction))
        ticks = self._ticks
        if len(ticks) >= MAXIMUM_TICKS:
            ticks.clear()
        tick = ticks[price] = self._sign * int(whole + fraction.ljust(self._decimals, "0"))
        return tick

    def _tick(self, price: str) -> int:
        try:
            return self._ticks[price]
        except KeyError:
            return self._learn(price)

    def _rescale(self, decimals: int) -> None:
        factor = 10 ** (decimals - self._decimals)
        self._decimals = decimals
        self._ticks.clear()
        levels = {self._scaled(key, factor): held for key, held in self._levels.items()}
        self._levels.clear()
        self._levels.update(levels)
        self._unsort()

    def _unsort(self) -> None:
        """Forget the order: the next read sorts anew."""
        self._keys.clear()
        self._gone.clear()

    def _settle(self) -> None:
        levels, keys, gone = self._levels, self._keys, self._gone
        if len(gone) * 8 > len(keys):
            kept = [key for key in keys if key not in gone]
            kept.extend(islice(reversed(levels), len(levels) - len(kept)))
            kept.sort()
            keys.clear()
            keys.update(kept)
            gone.clear()
            return
        if gone:
            for key in gone:
                keys.discard(key)
            gone.clear()
        if len(levels) != len(keys):
            keys.update(list(islice(reversed(levels), len(levels) - len(keys))))

    def check(self) -> None:
        self._settle()
        self._keys._check()
        assert list(self._keys) == sorted(self._levels), "the sorted keys are those that are held"
        assert not self._gone, "nothing is left to settle"
        assert len(self._ticks) <= MAXIMUM_TICKS, "the price cache is bounded"
        for text, tick in self._ticks.items():
            exactly = exact.CONTEXT.scaleb(Decimal(text), self._decimals)
            assert exactly == tick * self._sign, "a price is its own integer"


class PricedSide(_SortedSide[int, Row]):
    """L2, L2_COUNTED and VWAP: a price is held once."""

    __slots__ = ()

    def change(self, rows: Sequence[Row]) -> None:
        ticks, levels, gone = self._ticks, self._levels, self._gone
        price, quantity, zeros = self._price, self._quantity, ZEROS
        for row in rows:
            try:
                key = ticks[row[price]]
            except KeyError:
                key = self._learn(row[price])
            if row[quantity] in zeros:
                if levels.pop(key, None) is not None:
                    gone.add(key)
            else:
                levels[key] = row
        if len(gone) > MAXIMUM_GONE:
            self._unsort()

    def _scaled(self, key: int, factor: int) -> int:
        return key * factor

    def _read(self, keys: Iterable[int]) -> list[Level]:
        price, quantity, count = self._price, self._quantity, self.layout.order_count
        rows = map(self._levels.__getitem__, keys)
        if count is None:
            return [Level(row[price], row[quantity], None, None) for row in rows]
        return [Level(row[price], row[quantity], _count(row[count]), None) for row in rows]

    def check(self) -> None:
        super().check()
        for key, row in self._levels.items():
            assert self._tick(row[self._price]) == key, "a row stands at its own price"
            assert row[self._quantity] not in ZEROS, "an empty level is not held"


class ExchangeSide(_SortedSide[tuple[int, str], Row]):
    """L2_EXCHANGE: a price is held once for each exchange that quotes it."""

    __slots__ = ("_exchange",)

    def __init__(self, layout: Layout, *, bid: bool) -> None:
        super().__init__(layout, bid=bid)
        assert layout.exchange is not None
        self._exchange = layout.exchange

    def change(self, rows: Sequence[Row]) -> None:
        levels, gone = self._levels, self._gone
        for row in rows:
            key = (self._tick(row[self._price]), row[self._exchange])
            if row[self._quantity] in ZEROS:
                if levels.pop(key, None) is not None:
                    gone.add(key)
            else:
                levels[key] = row
        if len(gone) > MAXIMUM_GONE:
            self._unsort()

    def _scaled(self, key: tuple[int, str], factor: int) -> tuple[int, str]:
        return key[0] * factor, key[1]

    def _read(self, keys: Iterable[tuple[int, str]]) -> list[Level]:
        price, quantity, exchange = self._price, self._quantity, self._exchange
        count = self.layout.order_count
        return [
            Level(row[price], row[quantity], None if count is None else _count(row[count]), row[exchange])
            for row in map(self._levels.__getitem__, keys)
        ]

    def check(self) -> None:
        super().check()
        for key, row in self._levels.items():
            assert (self._tick(row[self._price]), row[self._exchange]) == key, "a row stands at its own key"
            assert row[self._quantity] not in ZEROS, "an empty level is not held"


class OrderSide(_SortedSide[int, dict[str, Row]]):
    """L3_COUNTED: an order is held once, by its id; with another price it moves."""

    __slots__ = ("_order_id", "_places")

    def __init__(self, layout: Layout, *, bid: bool) -> None:
        super().__init__(layout, bid=bid)
        assert layout.order_id is not None
        self._order_id = layout.order_id
        self._places: dict[str, int] = {}

    @property
    def rows(self) -> int:
        return len(self._places)

    def replace(self, rows: Sequence[Row]) -> None:
        self._places.clear()
        super().replace(rows)

    def change(self, rows: Sequence[Row]) -> None:
        levels, places = self._levels, self._places
        for row in rows:
            order_id = row[self._order_id]
            if row[self._quantity] in ZEROS:
                self._remove(order_id)
                continue
            key = self._tick(row[self._price])
            if places.get(order_id) != key:
                self._remove(order_id)
                places[order_id] = key
            orders = levels.get(key)
            if orders is None:
                levels[key] = {order_id: row}
            else:
                orders[order_id] = row
        if len(self._gone) > MAXIMUM_GONE:
            self._unsort()

    def _remove(self, order_id: str) -> None:
        key = self._places.pop(order_id, None)
        if key is None:
            return
        orders = self._levels[key]
        del orders[order_id]
        if not orders:
            del self._levels[key]
            self._gone.add(key)

    def _rescale(self, decimals: int) -> None:
        factor = 10 ** (decimals - self._decimals)
        super()._rescale(decimals)
        for order_id, key in self._places.items():
            self._places[order_id] = key * factor

    def _scaled(self, key: int, factor: int) -> int:
        return key * factor

    def _read(self, keys: Iterable[int]) -> list[Level]:
        return [_summed(self._levels[key].values(), self._price, self._quantity) for key in keys]

    def check(self) -> None:
        super().check()
        placed = {order_id: key for key, orders in self._levels.items() for order_id in orders}
        assert placed == self._places, "every order is known by its id"
        for key, orders in self._levels.items():
            assert orders, "a price without orders is not held"
            for row in orders.values():
                assert self._tick(row[self._price]) == key, "an order stands at its own price"
                assert row[self._quantity] not in ZEROS, "an empty order is not held"


class AnonymousSide(_SortedSide[int, list[Row]]):
    """L3, orders without ids.

    Nothing tells one order of a price from another, so the rows that a diff has for a price replace all the
    rows of that price, and a zero quantity removes it.
    """

    __slots__ = ("_rows",)

    def __init__(self, layout: Layout, *, bid: bool) -> None:
        super().__init__(layout, bid=bid)
        self._rows = 0

    @property
    def rows(self) -> int:
        return self._rows

    def replace(self, rows: Sequence[Row]) -> None:
        self._rows = 0
        super().replace(rows)

    def change(self, rows: Sequence[Row]) -> None:
        price, quantity = self._price, self._quantity
        for row in rows:  # a finer price changes every key: all are learnt before the first is used
            self._tick(row[price])
        decimals = self._decimals
        fresh: dict[int, list[Row]] = {}
        for row in rows:
            orders = fresh.setdefault(self._tick(row[price]), [])
            if row[quantity] in ZEROS:
                orders.clear()
            else:
                orders.append(row)
        assert self._decimals == decimals
        levels = self._levels
        for key, orders in fresh.items():
            self._rows += len(orders) - len(levels.get(key, ()))
            if orders:
                levels[key] = orders
            elif levels.pop(key, None) is not None:
                self._gone.add(key)
        if len(self._gone) > MAXIMUM_GONE:
            self._unsort()

    def _scaled(self, key: int, factor: int) -> int:
        return key * factor

    def _read(self, keys: Iterable[int]) -> list[Level]:
        return [_summed(self._levels[key], self._price, self._quantity) for key in keys]

    def check(self) -> None:
        super().check()
        assert self._rows == sum(map(len, self._levels.values())), "the rows are counted"
        for key, orders in self._levels.items():
            assert orders, "a price without orders is not held"
            for row in orders:
                assert self._tick(row[self._price]) == key, "an order stands at its own price"
                assert row[self._quantity] not in ZEROS, "an empty order is not held"


def side_of(layout: Layout, *, bid: bool) -> BookSide:
    """Return an empty side for books laid out so."""
    match layout.book_type:
        case BookType.L3_COUNTED:
            return OrderSide(layout, bid=bid)
        case BookType.L3:
            return AnonymousSide(layout, bid=bid)
        case BookType.L2_EXCHANGE:
            return ExchangeSide(layout, bid=bid)
        case _:
            return PricedSide(layout, bid=bid)


def _count(text: str) -> int | None:
    """Return a feed's order count, None where the text is not one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAXIMUM_TEXT else None


def _summed(rows: Iterable[Row], price: int, quantity: int) -> Level:
    held = list(rows)
    total = exact.add(*(Decimal(row[quantity]) for row in held))
    return Level(held[0][price], exact.text(total), len(held), None)
