"""What the sides of all types of book have in common.

Prices are exact integers: the feed's text scaled by the finest decimals seen, found through a bounded cache,
so that ``50000.0`` and ``50000.00`` are one level. What the feed wrote stays beside them, digit for digit.
Keys are negated on the bid side: ascending order is best first on both.

Most changes meet a price that is already there, so the sorted keys are brought up to date only when they are
read: a dict keeps new keys at its end, and ``_gone`` names the keys that left.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from sortedcontainers import SortedList

from cadenza_tui.market import exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cadenza_tui.market.layout import Layout

Row: TypeAlias = tuple[str, ...]

MAXIMUM_TEXT = 40
"""Longest price or quantity that ``wire`` lets in, in characters."""

ZEROS = dict.fromkeys(
    "0" * whole + ("." + "0" * fraction if fraction else "")
    for whole in range(1, MAXIMUM_TEXT + 1)
    for fraction in range(max(1, MAXIMUM_TEXT - whole))
)
"""Every spelling of zero up to ``MAXIMUM_TEXT`` characters: membership is the exact zero test.

A dict, since what is not in it is told from 4 KB of indices; a set this large would miss the cache each time.
"""

KEPT_TICKS = 4_096
"""Prices that a side remembers at least."""
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


make_level: Callable[[tuple[str, str, None, None]], Level] = partial(tuple.__new__, Level)
"""A Level out of a tuple of its parts, without the cost of a call in Python."""

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
    def replace(self, rows: Sequence[Row]) -> int:
        """Hold these rows and nothing else; return how many that makes."""

    @abstractmethod
    def change(self, rows: Sequence[Row]) -> int:
        """Apply the rows of a diff, in their order; return how many rows are held then."""

    @abstractmethod
    def sums(self, rows: Sequence[Row]) -> list[Row] | None:
        """Return rows with what their levels hold once these quantities are added; None where it is below 0.

        Changes nothing that can be read. For sides that hold a row for each level.
        """

    @abstractmethod
    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""


class SortedSide(BookSide, Generic[Key, Held]):
    """The sorted keys of a side, brought up to date when they are read."""

    __slots__ = (
        "_decimals",
        "_gone",
        "_keys",
        "_levels",
        "_price",
        "_quantity",
        "_sign",
        "_ticks",
        "layout",
    )

    def __init__(self, layout: Layout, *, bid: bool) -> None:
        self.layout = layout
        self._price = layout.price
        self._quantity = layout.quantity
        self._sign = -1 if bid else 1
        self._decimals = 0
        self._ticks: dict[str, int] = {}
        self._levels: dict[Key, Held] = {}
        self._gone: list[Key] = []
        self._keys: Any = SortedList()

    @property
    def depth(self) -> int:
        return len(self._levels)

    @property
    def rows(self) -> int:
        return len(self._levels)

    def replace(self, rows: Sequence[Row]) -> int:
        self._levels.clear()
        self._unsort()
        return self.change(rows)

    def top(self, n: int) -> list[Level]:
        if n <= 0:
            return []
        return self._read(islice(self._ordered(), n))

    def sums(self, rows: Sequence[Row]) -> list[Row] | None:
        price, quantity = self._price, self._quantity
        for row in rows:  # a finer price changes every key: all are learnt before the first is used
            self._tick(row[price])
        decimals = self._decimals
        totals: dict[Key, tuple[Decimal, Row]] = {}
        for row in rows:
            key = self._key(row)
            before = totals[key][0] if key in totals else Decimal(self._quantity_of(key))
            totals[key] = (exact.add(before, Decimal(row[quantity])), row)
        assert self._decimals == decimals
        sums: list[Row] = []
        for total, last in totals.values():
            if total < 0:
                return None
            cells = list(last)
            cells[quantity] = exact.text(total)
            sums.append(tuple(cells))
        return sums

    def _key(self, row: Row) -> Key:
        """Return the key of the level that a row is about."""
        raise NotImplementedError  # `sums` is for layouts with one quantity a level; the book asks no other

    def _quantity_of(self, key: Key) -> str:
        """Return what a level holds, "0" where there is none."""
        raise NotImplementedError  # as above

    @abstractmethod
    def _read(self, keys: Iterable[Key]) -> list[Level]:
        """Return the levels of these keys."""

    @abstractmethod
    def _scaled(self, key: Key, factor: int) -> Key:
        """Return the key of the same price when prices are ``factor`` times finer."""

    @property
    def _knows_enough(self) -> bool:
        """Whether the prices known are to be forgotten before another is learnt: a market wanders, and most
        of what it leaves behind does not come back."""
        known = len(self._ticks)
        return known >= MAXIMUM_TICKS or (known >= KEPT_TICKS and known >= 2 * len(self._levels))

    def _learn(self, price: str) -> int:
        """Return the integer of a price not seen lately, and remember it."""
        whole, _, fraction = price.partition(".")
        fraction = fraction.rstrip("0")
        if len(fraction) > self._decimals:
            self._rescale(len(fraction))
        ticks = self._ticks
        if self._knows_enough:
            ticks.clear()
        tick = ticks[price] = self._sign * int(whole + fraction.ljust(self._decimals, "0"))
        return tick

    def _tick(self, price: str) -> int:
        tick = self._ticks.get(price)
        return self._learn(price) if tick is None else tick

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

    def _ordered(self) -> Iterable[Key]:
        """Return the keys in order, brought up to date: what left is taken out, what came is put in."""
        levels, keys, gone = self._levels, self._keys, self._gone
        if len(gone) * 16 > len(keys):  # one costs about 16 times what a key costs to sort anew
            keys.clear()
            keys.update(levels)
        else:
            for key in gone:
                keys.discard(key)
            if len(levels) != len(keys):
                keys.update(list(islice(reversed(levels), len(levels) - len(keys))))
        gone.clear()
        ordered: Iterable[Key] = keys
        return ordered

    def check(self) -> None:
        assert list(self._ordered()) == sorted(self._levels), "the sorted keys are those that are held"
        assert not self._gone, "nothing is left to settle"
        self._keys._check()
        assert len(self._ticks) <= MAXIMUM_TICKS, "the price cache is bounded"
        for text, tick in self._ticks.items():
            exactly = exact.CONTEXT.scaleb(Decimal(text), self._decimals)
            assert exactly == tick * self._sign, "a price is its own integer"
