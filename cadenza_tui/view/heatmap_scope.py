"""Which prices and which seconds a heatmap shows, and when that changes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import add, halve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.heat import Heat

AHEAD = 6
"""A new page leaves one part in so many free on its right."""
STRIDE = 4
"""A step in time is one part in so many of the pane."""
EDGE = 10
"""The touch is centred anew when it comes nearer to an edge than one part in so many."""
SHOWN_BPS = Decimal(10)
"""What a pane shows at least, in basis points of the price, where its step is not chosen."""
ROOM = Decimal("1.25")
"""How many times the way of the touch a pane is high at least, where its step is not chosen."""


def cell_at(price: Decimal, step: Decimal) -> int:
    """Return which multiple of ``step`` a price is in, rounded down; exact."""
    above, below = price.as_integer_ratio()
    over, under = step.as_integer_ratio()
    return above * under // (below * over)


@dataclass(slots=True)
class Scope:
    """A heatmap's place: it follows the market until it is moved."""

    step: Decimal | None = None
    bottom: int = 0
    """The lowest price, in steps."""
    first: int = 0
    """The first column, in columns since the epoch."""
    rows: int = 0
    _columns: int = 0
    _per: int = 1
    _seconds: int = 1
    _newest: int = 0
    _oldest: int = 0
    _follows_price: bool = True
    _follows_time: bool = True
    _moved: bool = True
    """Whether it stands elsewhere than what is drawn."""

    @property
    def following(self) -> bool:
        """Whether it follows the market in price and time."""
        return self._follows_price and self._follows_time

    @property
    def in_present(self) -> bool:
        """Whether the newest second is in sight."""
        return self._follows_time

    def raise_by(self, rows: int) -> None:
        """Show prices so many rows higher."""
        self._follows_price = False
        self.bottom += rows * self._per
        self._moved = True

    def shift(self, by: int) -> None:
        """Go ``by`` steps on in time, back if negative, between the oldest sample and the present."""
        present = self._page()
        first = self.first + by * max(self._columns // STRIDE, 1)
        self._follows_time = first >= present
        self.first = max(min(first, present), min(self._oldest, present))

    def follow(self) -> None:
        """Follow the market from now on."""
        if not self.following:
            self._follows_price = self._follows_time = self._moved = True

    def frame(self, heat: Heat, columns: int, rows: int, per: int, seconds: int) -> None:
        """Take note of the pane and of the samples; turn the page where the newest is out of sight.

        A pane of another width has a page of its own: a wider one is not left half empty.
        """
        if seconds != self._seconds:
            self.first = self.first * self._seconds // seconds
        resized = columns != self._columns
        self._columns, self.rows, self._per, self._seconds = columns, rows, per, seconds
        self._newest, self._oldest = (heat.end - 1) // seconds, heat.first // seconds
        if self._follows_time and (resized or not self.first <= self._newest < self.first + columns):
            self.first = self._page()
        elif not self._follows_time:
            self.first = max(self.first, min(self._oldest, self._page()))

    def _page(self) -> int:
        """Return the first column of a page whose free part is still to come."""
        shown = self._columns - self._columns // AHEAD
        return max(self._newest - shown + 1, min(self._oldest, self._newest))

    def lost(self, heat: Heat, book: OrderBook) -> bool:
        """Return whether other prices are to be shown than are drawn: moved, or the touch nears an edge."""
        if self._moved or not self._follows_price or self.step is None:
            return self._moved
        cell = _middle(heat, book, self.step)
        cells = self.rows * self._per
        margin = cells // EDGE
        return cell is not None and not self.bottom + margin <= cell < self.bottom + cells - margin

    def place(self, heat: Heat, book: OrderBook, group: Decimal | None, steps: Sequence[Decimal]) -> Decimal:
        """Choose and return the step, and choose the lowest price: the touch's way in the middle."""
        self._moved = False
        before, kept = self.step, self.bottom
        way = self._way(heat)
        cells = self.rows * self._per
        step = group if group is not None and group > 0 else self._suiting(way, steps, cells)
        self.step = step
        if not self._follows_price:
            if before is not None and before != step:  # the same middle in other steps
                kept = cell_at(Decimal(2 * kept + cells) * before, step * 2) - cells // 2
            self.bottom = kept - kept % self._per
            return step
        cell = _middle(heat, book, step)
        if cell is None:
            cell = 0 if way is None else cell_at(way[1], step)
        middle = cell if way is None else cell_at(halve(add(*way)), step)
        room = cells // 3
        middle = min(max(middle, cell - room), cell + room)
        bottom = middle - cells // 2
        self.bottom = bottom - bottom % self._per
        return step

    def _suiting(self, way: tuple[Decimal, Decimal] | None, steps: Sequence[Decimal], cells: int) -> Decimal:
        """Return the finest step with which the pane shows enough."""
        if way is None:
            return steps[0]
        low, high = way
        wanted = max((high - low) * ROOM, abs(high) * SHOWN_BPS / 10_000)
        return next((step for step in steps if step * cells >= wanted), steps[-1])

    def _way(self, heat: Heat) -> tuple[Decimal, Decimal] | None:
        """Return the lowest and the highest price of the touch in the seconds shown; None for none."""
        low: Decimal | None = None
        high: Decimal | None = None
        begins = max(self.first * self._seconds, heat.first)
        for second in range(begins, min(heat.end, (self.first + self._columns) * self._seconds)):
            sample = heat.at(second)
            if sample is None or sample.bid is None or sample.ask is None:
                continue
            bid, ask = (Decimal(units).scaleb(-sample.decimals) for units in (sample.bid, sample.ask))
            low = min(bid, ask) if low is None else min(bid, ask, low)
            high = max(bid, ask) if high is None else max(bid, ask, high)
        return None if low is None or high is None else (low, high)


def _middle(heat: Heat, book: OrderBook, step: Decimal) -> int | None:
    """Return the cell of the market as it is now: of the touch, else of what one knows instead."""
    touch = book.touch()
    if touch is not None:
        return cell_at(halve(add(*touch)), step)
    best = book.best_bid or book.best_ask
    price = heat.last_price if best is None else Decimal(best.price)
    return None if price is None else cell_at(price, step)
