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
from cadenza_tui.market.journal import ENDLESS, Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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


class SingleOrder(NamedTuple):
    """One order of an L3 book; texts as the feed spelled them, ``order_id`` "" where it names none."""

    quantity: str
    order_id: str


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

    @abstractmethod
    def best(self) -> Level | None:
        """Return the best level, None while the side is empty."""

    @property
    @abstractmethod
    def decimals(self) -> int:
        """The finest decimals of any price seen, without trailing zeros."""

    @abstractmethod
    def quantity_at(self, price: Decimal) -> Decimal | None:
        """Return what stands at a price, summed over its rows; None where nothing does."""

    @abstractmethod
    def orders(self, price: str) -> list[SingleOrder]:
        """Return the single orders at a price in the order in which the feed gave them; for the L3 types."""

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
        "journal",
        "layout",
    )

    endless: Any = ENDLESS
    """Behind every key."""

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
        self.journal: Journal | None = None
        """Where changes are written down, None while nobody reads them."""

    @property
    def depth(self) -> int:
        return len(self._levels)

    @property
    def rows(self) -> int:
        return len(self._levels)

    @property
    def decimals(self) -> int:
        return self._decimals

    @property
    def held(self) -> Mapping[Key, Held]:
        """What is held, by key, in the side's own form."""
        return self._levels

    @property
    def sign(self) -> int:
        """What a key is to be multiplied with to be the price: -1 on the bid side."""
        return self._sign

    def replace(self, rows: Sequence[Row]) -> int:
        journal, self.journal = self.journal, None
        try:
            self._levels.clear()
            self._unsort()
            return self.change(rows)
        finally:
            self.journal = journal
            if journal is not None:
                journal.begin()

    def note(self, rows: Sequence[Row]) -> int:
        """Apply the rows of a diff as ``change`` does, and write down what they did."""
        journal = self.journal
        assert journal is not None
        keys = list(dict.fromkeys(self._touched(rows)))
        befores = [self.total(key) for key in keys]
        self.journal = None
        try:
            held = self.change(rows)
        finally:
            self.journal = journal
        journal.note([(key, before, self.total(key)) for key, before in zip(keys, befores, strict=True)])
        return held

    def keep_journal(self, *, kept: bool) -> None:
        """Begin or end to write changes down."""
        if not kept:
            self.journal = None
        elif self.journal is None:
            self.journal = Journal(self)

    def key_of(self, price: Decimal) -> int | None:
        """Return the integer of a price, None where it is finer than any price of this side."""
        scaled = exact.CONTEXT.scaleb(price, self._decimals)
        whole = int(scaled)
        return self._sign * whole if whole == scaled else None

    def quantity_at(self, price: Decimal) -> Decimal | None:
        key: Any = self.key_of(price)
        total = None if key is None else self.total(key)
        return None if total is None else Decimal(total)

    def orders(self, price: str) -> list[SingleOrder]:
        return []

    def tick(self, key: Any) -> int:
        """Return the integer of a key's price."""
        tick: int = key
        return tick

    def top(self, n: int) -> list[Level]:
        if n <= 0:
            return []
        return self._read(islice(self.ordered(), n))

    def best(self) -> Level | None:
        if not self._levels:
            return None
        if self.journal is not None:  # which knows it without an order of the rest
            return self._read((self.journal.best,))[0]
        return self._read(islice(self.ordered(), 1))[0]

    @property
    def counted(self) -> bool:
        """Whether the feed says how many orders stand at a price, at some of them at least."""
        return self.layout.order_count is not None

    def orders_at(self, key: Key) -> int | None:
        """Return how many orders stand at a key that is held, None where nobody says."""
        return None

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

    def _touched(self, rows: Sequence[Row]) -> list[Key]:
        """Return the keys that a diff may change; every price is known afterwards, at the finest scale."""
        price = self._price
        for row in rows:
            self._tick(row[price])
        return [self._key(row) for row in rows]

    @abstractmethod
    def total(self, key: Key) -> str | None:
        """Return the quantity at a key, None where nothing stands."""

    @abstractmethod
    def _read(self, keys: Iterable[Key]) -> list[Level]:
        """Return the levels of these keys."""

    @abstractmethod
    def scaled(self, key: Key, factor: int) -> Key:
        """Return the key of the same price when prices are ``factor`` times finer."""

    @property
    def _knows_enough(self) -> bool:
        """Whether the prices known are to be forgotten before another is learnt: a market wanders, and most
        of what it leaves behind does not come back."""
        known = len(self._ticks)
        return known >= MAXIMUM_TICKS or (known >= KEPT_TICKS and known >= 2 * len(self._levels))

    def _learn(self, price: str) -> int:
        """Return the integer of a price not seen lately, and remember it."""
        decimals = self._decimals
        if decimals and price[-decimals - 1 : -decimals] == ".":
            tick = self._sign * int(price[: -decimals - 1] + price[-decimals:])
        else:
            whole, _, fraction = price.partition(".")
            fraction = fraction.rstrip("0")
            if len(fraction) > decimals:
                self._rescale(len(fraction))
            tick = self._sign * int(whole + fraction.ljust(self._decimals, "0"))
        ticks = self._ticks
        if self._knows_enough:
            ticks.clear()
        ticks[price] = tick
        return tick

    def _tick(self, price: str) -> int:
        tick = self._ticks.get(price)
        return self._learn(price) if tick is None else tick

    def _rescale(self, decimals: int) -> None:
        factor = 10 ** (decimals - self._decimals)
        self._decimals = decimals
        self._ticks.clear()
        levels = {self.scaled(key, factor): held for key, held in self._levels.items()}
        self._levels.clear()
        self._levels.update(levels)
        self._unsort()
        if self.journal is not None:
            self.journal.rescale(factor)

    def _unsort(self) -> None:
        """Forget the order: the next read sorts anew."""
        self._keys.clear()
        self._gone.clear()

    def ordered(self) -> Iterable[Key]:
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
        assert list(self.ordered()) == sorted(self._levels), "the sorted keys are those that are held"
        assert not self._gone, "nothing is left to settle"
        if self.journal is not None:
            self.journal.check()
        self._keys._check()
        assert len(self._ticks) <= MAXIMUM_TICKS, "the price cache is bounded"
        for text, tick in self._ticks.items():
            exactly = exact.CONTEXT.scaleb(Decimal(text), self._decimals)
            assert exactly == tick * self._sign, "a price is its own integer"
