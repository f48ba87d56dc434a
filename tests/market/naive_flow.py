"""Order flow counted in the plainest way, to compare the real one with: every price a Fraction, all kept."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from cadenza_tui.market.records import BookUpdate, Print, Side, UpdateType
from tests.market.naive import NaiveBook, NaiveSide

MILLISECOND = 1_000_000

Sums: TypeAlias = dict[Fraction, Fraction]


def grouped_price(price: Fraction, increment: Fraction | None, *, down: bool) -> Fraction:
    """Return the multiple of ``increment`` that a price falls to."""
    if increment is None:
        return price
    return (floor(price / increment) if down else ceil(price / increment)) * increment


class NaiveFlow:
    """What was traded, stacked and taken; by Fractions, all of it looked through at each question."""

    def __init__(self) -> None:
        self.book = NaiveBook()
        self.prints: list[Print] = []
        self.since = 0
        self.touch_changes = 0
        self.stacked: tuple[Sums, Sums] = (defaultdict(Fraction), defaultdict(Fraction))
        self.taken: tuple[Sums, Sums] = (defaultdict(Fraction), defaultdict(Fraction))

    def apply(self, update: BookUpdate) -> None:
        before = self.touch()
        if update.update_type is UpdateType.SNAPSHOT:
            self.book.snapshot(update)
            self.begin(update.timestamp)
            return
        for index, (side, rows) in enumerate(((self.book.bids, update.bids), (self.book.asks, update.asks))):
            held = standing(side)
            side.change(rows)
            now = standing(side)
            for key in {*held, *now}:
                change = now.get(key, Fraction(0)) - held.get(key, Fraction(0))
                self.stacked[index][key[0]] += max(change, Fraction(0))
                self.taken[index][key[0]] += max(-change, Fraction(0))
        if self.touch() != before:
            self.touch_changes += 1
            self.begin(update.timestamp)

    def begin(self, timestamp: int) -> None:
        self.since = timestamp
        for sums in (*self.stacked, *self.taken):
            sums.clear()

    def touch(self) -> tuple[Fraction | None, Fraction | None]:
        bids, asks = standing(self.book.bids), standing(self.book.asks)
        return (
            max((price for price, _ in bids), default=None),
            min((price for price, _ in asks), default=None),
        )

    def recent(self) -> list[Print]:
        return [one for one in self.prints if one.timestamp // MILLISECOND > self.since // MILLISECOND]

    def pulled_at(self, price: Fraction, index: int) -> Fraction:
        against = Side.BUY if index == 0 else Side.SELL
        hits = sum(
            Fraction(one.quantity)
            for one in self.recent()
            if one.price == price and one.aggressor is not against
        )
        return max(Fraction(0), self.taken[index][price] - hits)

    def stacked_in(self, price: Fraction, index: int, increment: Fraction | None) -> Fraction:
        return sum(
            (
                up
                for each, up in self.stacked[index].items()
                if grouped_price(each, increment, down=index == 0) == price
            ),
            Fraction(0),
        )

    def pulled_in(self, price: Fraction, index: int, increment: Fraction | None) -> Fraction:
        return sum(
            (
                self.pulled_at(each, index)
                for each in list(self.taken[index])
                if grouped_price(each, increment, down=index == 0) == price
            ),
            Fraction(0),
        )

    def traded(self, price: Fraction, aggressor: Side | None, increment: Fraction | None) -> Fraction:
        return sum(
            (
                Fraction(one.quantity)
                for one in self.prints
                if one.aggressor is aggressor
                and grouped_price(Fraction(one.price), increment, down=aggressor is Side.SELL) == price
            ),
            Fraction(0),
        )


def standing(side: NaiveSide) -> dict[tuple[Fraction, str], Fraction]:
    """Return what stands at each price, or at each price and exchange."""
    return {
        (Fraction(price), exchange or ""): Fraction(quantity) for price, quantity, _, exchange in side.read()
    }
