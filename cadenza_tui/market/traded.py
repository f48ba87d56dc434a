"""What was traded at each price, and in each group of prices: kept up print by print."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.market.records import Side

if TYPE_CHECKING:
    from cadenza_tui.market.records import Print

MAXIMUM_PRICES = 4_096
"""Prices kept; the one traded at longest ago goes first."""
MAXIMUM_TABLES = 4
"""Increments that are kept up at once."""
ZERO = Decimal(0)


class Traded(NamedTuple):
    """What buyers and sellers took, and what was traded without a word about the aggressor."""

    bought: Decimal
    sold: Decimal
    unsided: Decimal


NOTHING = Traded(ZERO, ZERO, ZERO)


class TradedAt:
    """Sums by price, and by group for the increments asked for."""

    def __init__(self, maximum: int = MAXIMUM_PRICES) -> None:
        self._maximum = maximum
        self._prices: dict[Decimal, Traded] = {}
        """Traded at latest last."""
        self._tables: dict[Decimal, dict[Decimal, Traded]] = {}
        self.forgotten = 0

    def add(self, fresh: Print) -> None:
        """Take a print."""
        price, quantity = fresh.price, fresh.quantity
        before = self._prices.pop(price, NOTHING)
        change = (
            Traded(quantity, ZERO, ZERO)
            if fresh.aggressor is Side.BUY
            else Traded(ZERO, quantity, ZERO)
            if fresh.aggressor is Side.SELL
            else Traded(ZERO, ZERO, quantity)
        )
        self._prices[price] = _sum(before, change)
        for increment, table in self._tables.items():
            _spread(table, increment, price, change)
        if len(self._prices) > self._maximum:
            oldest = next(iter(self._prices))
            gone = self._prices.pop(oldest)
            self.forgotten += 1
            for increment, table in self._tables.items():
                _spread(table, increment, oldest, Traded(*(-part for part in gone)))

    def at(self, price: Decimal, increment: Decimal | None = None) -> Traded:
        """Return what was traded at a price, or, bought up to and sold down to it, in its groups.

        What has no aggressor belongs to no group: on which side it was is not known.
        """
        if increment is None:
            return self._prices.get(price, NOTHING)
        table = self._tables.get(increment)
        if table is None:
            if len(self._tables) >= MAXIMUM_TABLES:
                del self._tables[next(iter(self._tables))]
            table = self._tables[increment] = {}
            for each, traded in self._prices.items():
                _spread(table, increment, each, traded)
        return table.get(price, NOTHING)


def floored(price: Decimal, increment: Decimal) -> Decimal:
    """Return the multiple of ``increment`` at or below a price."""
    above, below = price.as_integer_ratio()
    over, under = increment.as_integer_ratio()
    return exact.multiply(Decimal(above * under // (below * over)), increment)


def _spread(table: dict[Decimal, Traded], increment: Decimal, price: Decimal, change: Traded) -> None:
    down = floored(price, increment)
    up = down if down == price else exact.add(down, increment)
    for group, part in (
        (up, change._replace(sold=ZERO, unsided=ZERO)),
        (down, Traded(ZERO, change.sold, ZERO)),
    ):
        if any(part):
            after = _sum(table.get(group, NOTHING), part)
            if any(after):
                table[group] = after
            else:
                del table[group]


def _sum(one: Traded, other: Traded) -> Traded:
    plus = exact.CONTEXT.add
    return Traded(plus(one[0], other[0]), plus(one[1], other[1]), plus(one[2], other[2]))
