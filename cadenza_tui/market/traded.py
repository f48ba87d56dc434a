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
_PLACES: dict[Side | None, int] = {Side.BUY: 0, Side.SELL: 1, None: 2}
"""Where in the sums a print counts."""


class TradedAt:
    """Sums by price, and by group for the increments asked for."""

    def __init__(self, maximum: int = MAXIMUM_PRICES) -> None:
        self._maximum = maximum
        self._prices: dict[Decimal, list[Decimal]] = {}
        """Traded at latest last."""
        self._tables: dict[Decimal, dict[Decimal, list[Decimal]]] = {}
        self.forgotten = 0

    def add(self, fresh: Print) -> None:
        """Take a print."""
        price = fresh.price
        place = _PLACES[fresh.aggressor]
        sums = self._prices.pop(price, None) or [ZERO, ZERO, ZERO]
        sums[place] = exact.CONTEXT.add(sums[place], fresh.quantity)
        self._prices[price] = sums
        for increment, table in self._tables.items():
            _spread(table, increment, price, place, fresh.quantity)
        if len(self._prices) > self._maximum:
            oldest = next(iter(self._prices))
            gone = self._prices.pop(oldest)
            self.forgotten += 1
            for increment, table in self._tables.items():
                for place, quantity in enumerate(gone):
                    _spread(table, increment, oldest, place, -quantity)

    def at(self, price: Decimal, increment: Decimal | None = None) -> Traded:
        """Return what was traded at a price, or, bought up to and sold down to it, in its groups.

        What has no aggressor belongs to no group: on which side it was is not known.
        """
        if increment is None:
            sums = self._prices.get(price)
            return NOTHING if sums is None else Traded(*sums)
        table = self._tables.get(increment)
        if table is None:
            if len(self._tables) >= MAXIMUM_TABLES:
                del self._tables[next(iter(self._tables))]
            table = self._tables[increment] = {}
            for each, sums in self._prices.items():
                for place, quantity in enumerate(sums):
                    _spread(table, increment, each, place, quantity)
        sums = table.get(price)
        return NOTHING if sums is None else Traded(*sums)


def floored(price: Decimal, increment: Decimal) -> Decimal:
    """Return the multiple of ``increment`` at or below a price."""
    above, below = price.as_integer_ratio()
    over, under = increment.as_integer_ratio()
    return exact.multiply(Decimal(above * under // (below * over)), increment)


def _spread(
    table: dict[Decimal, list[Decimal]], increment: Decimal, price: Decimal, place: int, quantity: Decimal
) -> None:
    """Add to the group that a price is in for the ones who trade there: up to it bought, down to it sold."""
    if place == _PLACES[None] or not quantity:
        return
    group = floored(price, increment)
    if place == _PLACES[Side.BUY] and group != price:
        group = exact.add(group, increment)
    sums = table.get(group)
    if sums is None:
        sums = table[group] = [ZERO, ZERO, ZERO]
    sums[place] = exact.CONTEXT.add(sums[place], quantity)
    if not any(sums):
        del table[group]
