"""A side in groups of one price increment, and its sums, kept up from what changed.

Bids are grouped down and asks up, so that a group never promises a better price than its levels have, and no
bid and ask share a row unless the book is locked or crossed. Sums are integers while they are kept: exact.
A call costs what changed since the last one and the rows asked for, not what the side holds; without a
journal on the side, or after a snapshot, it costs one walk over the side.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sortedcontainers import SortedDict

from cadenza_tui.market import exact
from cadenza_tui.market.records import BookType
from cadenza_tui.market.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.market.journal import Journal
    from cadenza_tui.market.sides import SortedSide


class Group(NamedTuple):
    """The levels of one increment of price. ``price`` is its worst price, to which all of it can be had."""

    price: Decimal
    quantity: Decimal
    notional: Decimal
    orders: int | None
    """None where the book does not count them."""
    levels: int
    """Prices in it; for L2_EXCHANGE prices and exchanges."""


class Totals(NamedTuple):
    """What levels hold together."""

    quantity: Decimal
    notional: Decimal
    orders: int | None
    levels: int


class Sums:
    """Sums in integers: quantity, notional, levels, orders, and levels whose orders nobody counts."""

    __slots__ = ("levels", "notional", "orders", "quantity", "uncounted")

    def __init__(self) -> None:
        self.quantity = self.notional = self.levels = self.orders = self.uncounted = 0


class SideTotal:
    """What a whole side holds, kept up. For VWAP books its last point: they hold running sums already."""

    def __init__(self, side: SortedSide[Any, Any]) -> None:
        self.side = side
        self._running = side.layout.book_type is BookType.VWAP
        self._counted = side.counted
        self._journal: Journal | None = None
        self._position = -1
        self._scale = 0
        """Decimals of the prices in the keys."""
        self._units = Units()
        self._decimals = 0
        """Decimals of the quantities in the sums."""
        self._held: dict[Any, int] = {}
        self._orders: dict[Any, int | None] = {}
        """Where the feed counts them."""
        self._whole = Sums()

    def total(self) -> Totals:
        """Return what the side holds."""
        self.follow()
        if self._running:
            last = max(self._held, default=0)
            quantity = self._held.get(last, 0)
            notional = quantity * self.side.sign * last
            return Totals(
                self._units.decimal(quantity),
                self._units.decimal(notional, self._scale),
                None,
                len(self._held),
            )
        whole = self._whole
        return Totals(
            self._units.decimal(whole.quantity),
            self._units.decimal(whole.notional, self._scale),
            self._orders_of(whole),
            whole.levels,
        )

    def follow(self) -> None:
        """Take in what changed on the side since the last time."""
        journal = self.side.journal
        if journal is None or journal is not self._journal:
            self._journal = journal
            self._position = -1 if journal is None else journal.end
            self._rebuild()
            return
        if self._position == journal.end:
            return
        entries = journal.since(self._position)
        self._position = journal.end
        if entries is None or self._scale != self.side.decimals:
            self._rebuild()
            return
        self._take({key for key, _, _ in entries})

    def _rebuild(self) -> None:
        self._scale = self.side.decimals
        self._held.clear()
        self._orders.clear()
        self._whole = Sums()
        self._take(self.side.held)

    def _take(self, keys: Iterable[Any]) -> None:
        """Take in what stands at these keys now."""
        held, units, total, move = self._held, self._units.known, self.side.total, self._move
        counted = self._counted
        for key in keys:
            text = total(key)
            now = units.get(text)
            if now is None:
                now = self._units.learn(text)
                if self._units.decimals != self._decimals:
                    self._refine()
            was = held.get(key, 0)
            if now != was:
                if now:
                    held[key] = now
                else:
                    del held[key]
                move(key, now - was, (now != 0) - (was != 0))
            if counted:
                self._count(key)

    def _move(self, key: Any, quantity: int, levels: int) -> None:
        """Add to the sums what a key has gained."""
        whole = self._whole
        whole.quantity += quantity
        whole.notional += quantity * self.side.sign * self.side.tick(key)
        whole.levels += levels

    def _count(self, key: Any) -> None:
        """Take in how many orders stand at a key."""
        if key in self._orders:
            was = self._orders.pop(key)
            for sums in self._sums_of(key):
                if was is None:
                    sums.uncounted -= 1
                else:
                    sums.orders -= was
        if key in self._held:
            now = self._orders[key] = self.side.orders_at(key)
            for sums in self._sums_of(key):
                if now is None:
                    sums.uncounted += 1
                else:
                    sums.orders += now

    def _orders_of(self, sums: Sums) -> int | None:
        return sums.orders if self._counted and not sums.uncounted else None

    def _refine(self) -> None:
        """Keep quantities to more decimals from now on."""
        factor = 10 ** (self._units.decimals - self._decimals)
        self._decimals = self._units.decimals
        self._held.update({key: quantity * factor for key, quantity in self._held.items()})
        for sums in self._all_sums():
            sums.quantity *= factor
            sums.notional *= factor

    def _sums_of(self, key: Any) -> Iterable[Sums]:
        """Return the sums that a key is in."""
        return (self._whole,)

    def _all_sums(self) -> list[Sums]:
        return [self._whole]

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        self.follow()
        assert set(self._held) == set(self.side.held), "every level is known"
        for key, quantity in self._held.items():
            assert self._units.decimal(quantity) == Decimal(self.side.total(key) or "0"), "and as it is"
        assert self._whole.quantity == sum(self._held.values()), "the sum is that of the levels"


class Grouped(SideTotal):
    """One side in groups of ``increment``, which is a positive number.

    Groups of a VWAP book are points of its curve, the last in each increment: their quantities are running
    sums and their notionals what that much comes to.
    """

    def __init__(self, side: SortedSide[Any, Any], increment: Decimal) -> None:
        super().__init__(side)
        self.increment = increment
        exponent = increment.as_tuple().exponent
        assert isinstance(exponent, int)
        assert increment > 0
        self._places = max(-exponent, 0)
        self._factor = self._unit = 1
        self._groups: dict[int, Sums] = SortedDict()
        """By number, ascending from the best: what a price is in increments, in the sense of the keys."""
        self._made: dict[int, Group] = {}
        self._points: dict[int, int] = {}
        """For VWAP the last key in each group."""

    def rows(self, n: int) -> list[Group]:
        """Return the best ``n`` groups, best first."""
        self.follow()
        return [self._group(number) for number in islice(self._groups, max(n, 0))]

    def at(self, price: Decimal) -> Group | None:
        """Return the group that a price falls into, None where nothing stands in it."""
        self.follow()
        number = self._number_of(price)
        return self._group(number) if number in self._groups else None

    def price_of(self, price: Decimal) -> Decimal:
        """Return the price of the group that a price falls into: down to it for bids, up to it for asks."""
        return exact.multiply(Decimal(self.side.sign * self._number_of(price)), self.increment)

    def _number_of(self, price: Decimal) -> int:
        above, below = price.as_integer_ratio()
        over, under = self.increment.as_integer_ratio()
        return -(-self.side.sign * above * under // (below * over))

    def _group(self, number: int) -> Group:
        made = self._made.get(number)
        if made is None:
            sums, units = self._groups[number], self._units
            quantity, notional = sums.quantity, sums.notional
            if self._running:
                last = self._points[number]
                quantity = self._held[last]
                notional = quantity * self.side.sign * last
            made = self._made[number] = Group(
                exact.multiply(Decimal(self.side.sign * number), self.increment),
                units.decimal(quantity),
                units.decimal(notional, self._scale),
                self._orders_of(sums),
                sums.levels,
            )
        return made

    def _rebuild(self) -> None:
        self._groups.clear()
        self._made.clear()
        self._points.clear()
        decimals = max(self.side.decimals, self._places)
        self._factor = 10 ** (decimals - self.side.decimals)
        self._unit = int(exact.CONTEXT.scaleb(self.increment, decimals))
        super()._rebuild()

    def _move(self, key: Any, quantity: int, levels: int) -> None:
        side, whole = self.side, self._whole
        tick = side.tick(key)
        notional = quantity * side.sign * tick
        whole.quantity += quantity
        whole.notional += notional
        whole.levels += levels
        number = -(-tick * self._factor // self._unit)
        sums = self._groups.get(number)
        if sums is None:
            sums = self._groups[number] = Sums()
        sums.quantity += quantity
        sums.notional += notional
        if levels:
            sums.levels += levels
            if not sums.levels and not self._counted:
                del self._groups[number]
        self._made.pop(number, None)
        if self._running:
            self._point(number, tick)

    def _count(self, key: Any) -> None:
        super()._count(key)
        number = self._number(key)
        sums = self._groups.get(number)
        if sums is not None and not sums.levels:
            del self._groups[number]
        self._made.pop(number, None)

    def _point(self, number: int, tick: int) -> None:
        """Keep the last point of a VWAP book's group."""
        if number not in self._groups:
            self._points.pop(number, None)
        elif tick in self._held:
            self._points[number] = max(self._points.get(number, tick), tick)
        elif self._points[number] == tick:
            self._points[number] = max(key for key in self._held if self._number(key) == number)

    def _number(self, key: Any) -> int:
        """Return which group a key is in."""
        return -(-self.side.tick(key) * self._factor // self._unit)

    def _refine(self) -> None:
        super()._refine()
        self._made.clear()

    def _sums_of(self, key: Any) -> Iterable[Sums]:
        sums = self._groups.get(self._number(key))
        return (self._whole,) if sums is None else (self._whole, sums)

    def _all_sums(self) -> list[Sums]:
        return [self._whole, *self._groups.values()]

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        super().check()
        assert all(sums.levels > 0 for sums in self._groups.values()), "an empty group is not held"
        assert sum(sums.levels for sums in self._groups.values()) == len(self._held), "a level has one group"
        assert set(self._made) <= set(self._groups), "nothing is remembered of groups that are gone"
