"""Sides that hold single orders, read by their prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market import exact
from cadenza_tui.market.sides import MAXIMUM_GONE, ZEROS, Level, Row, SingleOrder, SortedSide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.market.layout import Layout


class OrderSide(SortedSide[int, dict[str, Row]]):
    """L3_COUNTED: an order is held once, by its id; with another price it moves, and goes to the end there.

    So it does where it grows at its price, as by the rules of the field it loses its place in the queue then;
    one that shrinks keeps it.
    """

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
        if self.journal is not None:
            return self.note(rows)
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
                continue
            held = orders.get(order_id)
            if held is not None and Decimal(row[self._quantity]) > Decimal(held[self._quantity]):
                del orders[order_id]
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

    def scaled(self, key: int, factor: int) -> int:
        return key * factor

    def orders(self, price: str) -> list[SingleOrder]:
        at = self.key_of(Decimal(price))
        held = {} if at is None else self._levels.get(at, {})
        return [SingleOrder(row[self._quantity], order_id) for order_id, row in held.items()]

    def ahead_of(self, order_id: str, price: Decimal) -> Decimal | None:
        """Return what stands before an order in the queue of its price, None where it does not stand."""
        key = self._places.get(order_id)
        if key is None or key != self.key_of(price):
            return None
        before: list[Decimal] = []
        for other, row in self._levels[key].items():
            if other == order_id:
                break
            before.append(Decimal(row[self._quantity]))
        return exact.add(*before)

    def _touched(self, rows: Sequence[Row]) -> list[int]:
        for row in rows:
            self._tick(row[self._price])
        keys = [self._tick(row[self._price]) for row in rows]
        left = [self._places.get(row[self._order_id]) for row in rows]
        return keys + [key for key in left if key is not None]

    def total(self, key: int) -> str | None:
        held = self._levels.get(key)
        return None if held is None else _sum(held.values(), self._quantity)

    @property
    def counted(self) -> bool:
        return True

    def orders_at(self, key: int) -> int | None:
        return len(self._levels[key])

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
        if self.journal is not None:
            return self.note(rows)
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

    def scaled(self, key: int, factor: int) -> int:
        return key * factor

    def orders(self, price: str) -> list[SingleOrder]:
        at = self.key_of(Decimal(price))
        held = [] if at is None else self._levels.get(at, [])
        return [SingleOrder(row[self._quantity], "") for row in held]

    def _key(self, row: Row) -> int:
        return self._tick(row[self._price])

    def total(self, key: int) -> str | None:
        held = self._levels.get(key)
        return None if held is None else _sum(held, self._quantity)

    @property
    def counted(self) -> bool:
        return True

    def orders_at(self, key: int) -> int | None:
        return len(self._levels[key])

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
    return Level(held[0][price], _sum(held, quantity), len(held), None)


def _sum(rows: Iterable[Row], quantity: int) -> str:
    return exact.text(exact.add(*(Decimal(row[quantity]) for row in rows)))
