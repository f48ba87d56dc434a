"""Sides that hold prices: one level for each, or one for each and exchange."""

from __future__ import annotations

from decimal import Decimal
from heapq import heappush
from itertools import repeat
from typing import TYPE_CHECKING

from cadenza_tui.market import exact
from cadenza_tui.market.journal import ENDLESS
from cadenza_tui.market.sides import (
    MAXIMUM_GONE,
    MAXIMUM_TEXT,
    ZEROS,
    Level,
    Row,
    SortedSide,
    make_level,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.market.layout import Layout


class PlainSide(SortedSide[int, str]):
    """L2 and VWAP with nothing but prices and quantities, as nearly all books are: a price is held once.

    Only the quantity is held. A price is spelled in one way by nearly every feed, so its text is kept beside
    the cache; once a price has been seen in two spellings, the latest is kept up with every message.
    """

    __slots__ = ("_mixed", "_spelled")

    def __init__(self, layout: Layout, *, bid: bool) -> None:
        super().__init__(layout, bid=bid)
        self._spelled: dict[int, str] = {}
        self._mixed = False

    def change(self, rows: Sequence[Row]) -> int:
        if self.journal is not None:
            return self.note(rows)
        ticks, levels, gone, zeros = self._ticks, self._levels, self._gone, ZEROS
        for price, quantity in rows:
            try:
                key = ticks[price]
            except KeyError:
                key = self._learn(price)
            if quantity in zeros:
                if key in levels:
                    del levels[key]
                    gone.append(key)
            else:
                levels[key] = quantity
        if self._mixed:
            self._spell(rows)
        if len(gone) > MAXIMUM_GONE:
            self._unsort()
        return len(levels)

    def note(self, rows: Sequence[Row]) -> int:
        journal = self.journal
        assert journal is not None
        ticks, levels, gone, zeros = self._ticks, self._levels, self._gone, ZEROS
        near, horizon, entries = journal.near, journal.horizon, journal.entries
        start = len(entries)
        for price, quantity in rows:
            try:
                key = ticks[price]
            except KeyError:
                key = self._learn(price)
                horizon = journal.horizon  # a finer price rescales it, as it does the entries
            before = levels.get(key)
            entries.append((key, before, quantity))
            if quantity in zeros:
                if before is not None:
                    del levels[key]
                    gone.append(key)
            else:
                levels[key] = quantity
                if before is None and key < horizon:
                    heappush(near, key)
        if self._mixed:
            self._spell(rows)
        if len(gone) > MAXIMUM_GONE:
            self._unsort()
        if len(rows) > 1 and (self._mixed or len(dict(rows)) != len(rows)):  # type: ignore[arg-type]
            journal.merge(start)
        journal.settle()
        return len(levels)

    def _spell(self, rows: Sequence[Row]) -> None:
        for price, _ in rows:
            self._spelled[self._tick(price)] = price

    def _learn(self, price: str) -> int:
        if self._knows_enough:
            spelled = {key: self._spelled[key] for key in self._levels}
            self._spelled.clear()
            self._spelled.update(spelled)
        tick = super()._learn(price)
        if self._spelled.setdefault(tick, price) != price:
            self._mixed = True
        return tick

    def _rescale(self, decimals: int) -> None:
        factor = 10 ** (decimals - self._decimals)
        super()._rescale(decimals)
        spelled = ((key * factor, text) for key, text in self._spelled.items())
        self._spelled = {key: text for key, text in spelled if key in self._levels}

    def scaled(self, key: int, factor: int) -> int:
        return key * factor

    def _key(self, row: Row) -> int:
        return self._tick(row[self._price])

    def _quantity_of(self, key: int) -> str:
        return self._levels.get(key, "0")

    def total(self, key: int) -> str | None:
        return self._levels.get(key)

    def best(self) -> Level | None:
        levels, journal = self._levels, self.journal
        if not levels:
            return None
        key = next(iter(self.ordered())) if journal is None else journal.best
        return make_level((self._spelled[key], levels[key], None, None))

    def _read(self, keys: Iterable[int]) -> list[Level]:
        best = list(keys)
        prices, quantities = map(self._spelled.__getitem__, best), map(self._levels.__getitem__, best)
        return list(map(make_level, zip(prices, quantities, repeat(None), repeat(None))))

    def check(self) -> None:
        super().check()
        for key, quantity in self._levels.items():
            assert self._tick(self._spelled[key]) == key, "a price is spelled as itself"
            assert quantity not in ZEROS, "an empty level is not held"


class PricedSide(SortedSide[int, Row]):
    """L2_COUNTED, and whatever has further columns: a price is held once, with its whole row."""

    __slots__ = ()

    def change(self, rows: Sequence[Row]) -> int:
        if self.journal is not None:
            return self.note(rows)
        ticks, levels, gone = self._ticks, self._levels, self._gone
        price, quantity, zeros = self._price, self._quantity, ZEROS
        for row in rows:
            try:
                key = ticks[row[price]]
            except KeyError:
                key = self._learn(row[price])
            if row[quantity] in zeros:
                if key in levels:
                    del levels[key]
                    gone.append(key)
            else:
                levels[key] = row
        if len(gone) > MAXIMUM_GONE:
            self._unsort()
        return len(levels)

    def scaled(self, key: int, factor: int) -> int:
        return key * factor

    def _key(self, row: Row) -> int:
        return self._tick(row[self._price])

    def _quantity_of(self, key: int) -> str:
        held = self._levels.get(key)
        return "0" if held is None else held[self._quantity]

    def total(self, key: int) -> str | None:
        held = self._levels.get(key)
        return None if held is None else held[self._quantity]

    def orders_at(self, key: int) -> int | None:
        count = self.layout.order_count
        return None if count is None else _count(self._levels[key][count])

    def _read(self, keys: Iterable[int]) -> list[Level]:
        price, quantity, count = self._price, self._quantity, self.layout.order_count
        rows = map(self._levels.__getitem__, keys)
        return [
            Level(row[price], row[quantity], None if count is None else _count(row[count]), None)
            for row in rows
        ]

    def check(self) -> None:
        super().check()
        for key, row in self._levels.items():
            assert self._tick(row[self._price]) == key, "a row stands at its own price"
            assert row[self._quantity] not in ZEROS, "an empty level is not held"


class ExchangeSide(SortedSide[tuple[int, str], Row]):
    """L2_EXCHANGE: a price is held once for each exchange that quotes it."""

    __slots__ = ("_exchange",)

    endless = (ENDLESS, "")

    def __init__(self, layout: Layout, *, bid: bool) -> None:
        super().__init__(layout, bid=bid)
        assert layout.exchange is not None
        self._exchange = layout.exchange

    def change(self, rows: Sequence[Row]) -> int:
        if self.journal is not None:
            return self.note(rows)
        levels, gone = self._levels, self._gone
        for row in rows:
            key = (self._tick(row[self._price]), row[self._exchange])
            if row[self._quantity] in ZEROS:
                if key in levels:
                    del levels[key]
                    gone.append(key)
            else:
                levels[key] = row
        if len(gone) > MAXIMUM_GONE:
            self._unsort()
        return len(levels)

    def scaled(self, key: tuple[int, str], factor: int) -> tuple[int, str]:
        return key[0] * factor, key[1]

    def _key(self, row: Row) -> tuple[int, str]:
        return self._tick(row[self._price]), row[self._exchange]

    def _quantity_of(self, key: tuple[int, str]) -> str:
        held = self._levels.get(key)
        return "0" if held is None else held[self._quantity]

    def tick(self, key: tuple[int, str]) -> int:
        return key[0]

    def quantity_at(self, price: Decimal) -> Decimal | None:
        """Return the sum over the exchanges that quote a price: a walk over all of the side."""
        tick = self.key_of(price)
        rows = [row[self._quantity] for key, row in self._levels.items() if key[0] == tick]
        return exact.add(*map(Decimal, rows)) if rows else None

    def total(self, key: tuple[int, str]) -> str | None:
        held = self._levels.get(key)
        return None if held is None else held[self._quantity]

    def orders_at(self, key: tuple[int, str]) -> int | None:
        count = self.layout.order_count
        return None if count is None else _count(self._levels[key][count])

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


def _count(text: str) -> int | None:
    """Return a feed's order count, None where the text is not one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAXIMUM_TEXT else None
