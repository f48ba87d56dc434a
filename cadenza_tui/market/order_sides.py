"""Sides that hold single orders, read by their prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market import exact
from cadenza_tui.market.sides import MAXIMUM_GONE, ZEROS, Level, Row, SortedSide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.market.layout import Layout


class OrderSide(SortedSide[int, dict[str, Row]]):
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

    def replace(self, rows: Sequence[Row]) -> int:
        self._places.clear()
        return super().replace(rows)

    def change(self, rows: Sequence[Row]) -> int:
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
        return len(places)

    def _remove(self, order_id: str) -> None:
        key = self._places.pop(order_id, None)
        if key is None:
            return
        orders = self._levels[key]
        del orders[order_id]
        if not orders:
            del self._levels[key]
            self._gone.append(key)

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


class AnonymousSide(SortedSide[int, list[Row]]):
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

    def replace(self, rows: Sequence[Row]) -> int:
        self._rows = 0
        return super().replace(rows)

    def change(self, rows: Sequence[Row]) -> int:
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
                self._gone.append(key)
        if len(self._gone) > MAXIMUM_GONE:
            self._unsort()
        return self._rows

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


def _summed(rows: Iterable[Row], price: int, quantity: int) -> Level:
    held = list(rows)
    total = exact.add(*(Decimal(row[quantity]) for row in held))
    return Level(held[0][price], exact.text(total), len(held), None)
