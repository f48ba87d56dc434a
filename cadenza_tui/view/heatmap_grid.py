"""What a heatmap shows, before it is drawn: columns of cells, each with its step of brightness.

A grid has a first column and a bottom price that stay where they are while the market stays inside: a second
that passes changes one column. When the right edge is reached the grid turns a page; when the touch nears the
upper or the lower edge the prices are centred anew.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from math import frexp, ldexp
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.heat import LATE, SECOND
from cadenza_tui.market.heat_window import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.market.heat import Heat
    from cadenza_tui.market.heat_window import Window

LEVELS = 8
"""Steps of brightness above nothing."""
GAMMA = 1.1
"""Brightness grows as the size to the power of 1 / ``GAMMA``: small sizes are seen, large ones stand out."""
FINE = 8
"""Buckets of the cut-off's histogram for each doubling."""
DRIFT = 3
"""Buckets that the cut-off may drift before everything is painted anew: about a third."""


class Dot(NamedTuple):
    """The prints of one aggressor in one cell, summed: 1 for buyers, −1 for sellers, 0 for unknown."""

    quantity: float
    aggressor: int


@dataclass(slots=True)
class Column:
    """One column of cells, lowest price first. ``sizes`` is None where it is a gap."""

    until: int
    """The second after the last one in it."""
    sizes: array[float] | None = None
    """The mean over its seconds of what stood in each cell."""
    bid: int | None = None
    ask: int | None = None
    """The cells of the touch, as it was last in the column; they may lie outside."""
    dots: dict[int, Dot] = field(default_factory=dict)
    kept: bool = True
    """Whether any of its seconds is as late as the first one that is kept."""


class CutOff:
    """A percentile of the sizes of the cells shown that hold anything, kept up as columns come and go."""

    __slots__ = ("_buckets", "_count", "_held", "steps", "value")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._count = 0
        self._held: int | None = None
        self.value = 0.0
        """The size from which a cell is brightest."""
        self.steps: list[float] = []
        """The sizes at which the second step of brightness begins, the third, and so on."""

    def add(self, sizes: Iterable[float], times: int = 1) -> None:
        """Count the cells of a column; with ``times`` −1 it is taken out again."""
        buckets = self._buckets
        for size in sizes:
            if size > 0.0:
                mantissa, exponent = frexp(size)
                bucket = exponent * FINE + int((mantissa - 0.5) * 2 * FINE)
                buckets[bucket] = buckets.get(bucket, 0) + times
                self._count += times

    def settle(self, percentile: float, *, anew: bool = False) -> bool:
        """Take the percentile where it has drifted, or ``anew``; return whether brightness is another now."""
        beyond = int(self._count * (100.0 - percentile) / 100.0)
        found = None
        for bucket in sorted(self._buckets, reverse=True):
            beyond -= self._buckets[bucket]
            if beyond < 0:
                found = bucket
                break
        if found is None or found == self._held:
            return False
        if not anew and self._held is not None and abs(found - self._held) < DRIFT:
            return False
        self._held = found
        exponent, part = divmod(found, FINE)
        self.value = ldexp(0.5 + part / (2 * FINE), exponent)
        self.steps = [self.value * (n / (LEVELS - 1)) ** GAMMA for n in range(1, LEVELS)]
        return True

    def levels(self, sizes: Sequence[float]) -> bytearray:
        """Return the step of brightness of each cell: 0 for nothing, ``LEVELS`` from the cut-off on."""
        steps = self.steps
        return bytearray([bisect_right(steps, size) + 1 if size > 0.0 else 0 for size in sizes])


class Grid:
    """The columns from ``first`` on, of ``seconds`` each, over ``cells`` cells of price."""

    __slots__ = (
        "_percentile",
        "_sampled",
        "bottom",
        "cells",
        "columns",
        "cut",
        "first",
        "heat",
        "seconds",
        "width",
        "window",
    )

    def __init__(
        self, heat: Heat, window: Window, *, first: int, width: int, seconds: int, percentile: float
    ) -> None:
        self.heat = heat
        self.window = window
        self.bottom = window.bottom
        self.cells = window.cells
        self.first = first
        self.width = width
        self.seconds = seconds
        self._percentile = percentile
        self._sampled = 0
        """The second after the last one that was sampled, when the columns were last filled."""
        self.cut = CutOff()
        self.columns: list[Column] = []
        """From ``first`` on, as far as there is anything."""

    def turn(self, first: int) -> int:
        """Begin at another column and keep what is known; return the first place that is another now."""
        by = first - self.first
        if not by:
            return self.width
        for column in self.columns[:by] if by > 0 else self.columns:
            if column.sizes is not None:
                self.cut.add(column.sizes, -1)
        self.columns = self.columns[by:] if by > 0 else []
        self.first = first
        return 0

    def fill(self, now: int) -> int:
        """Bring the columns up to what is sampled, or to the gap there is at ``now`` (ns).

        Returns the place of the first column that is another now; ``width`` for none.
        """
        begun = not self.columns
        heat = self.heat
        end = heat.end
        if now - end * SECOND >= LATE:
            end = now // SECOND
        last = min((end - 1) // self.seconds - self.first, self.width - 1)
        sampled, self._sampled = self._sampled, heat.end
        at = max(min(len(self.columns) - 1, sampled // self.seconds - self.first), 0)
        changed = self.width
        while at <= last:
            wanted = min((self.first + at + 1) * self.seconds, end)
            if at == len(self.columns):
                self.columns.append(Column((self.first + at) * self.seconds))
            elif wanted <= (until := self.columns[at].until) and not sampled < min(until, heat.end):
                at += 1  # nothing was sampled late of what was a gap
                continue
            changed = min(changed, at)
            before = self.columns[at].sizes
            if before is not None:
                self.cut.add(before, -1)
            column = self.columns[at] = self._column(self.first + at, wanted)
            if column.sizes is not None:
                self.cut.add(column.sizes)
            at += 1
        if changed < self.width and self.cut.settle(self._percentile, anew=begun):
            return 0
        return changed

    def _column(self, number: int, end: int) -> Column:
        """Return a column of the seconds from its first up to ``end``."""
        heat, window = self.heat, self.window
        column = Column(end, kept=end > heat.first)
        total: list[int] | None = None
        seconds = 0
        for second in range(number * self.seconds, end):
            sample = heat.at(second)
            if sample is None:
                continue
            sums = window.at(second)
            if sample.prints is not None:
                for price, quantity, aggressor in zip(*sample.prints, strict=True):
                    self._dot(column.dots, window.cell_of(price, sample.decimals), quantity, aggressor)
            if sums is None:
                continue
            seconds += 1
            total = list(sums) if total is None else [a + b for a, b in zip(total, sums, strict=True)]
            column.bid = None if sample.bid is None else window.cell_of(sample.bid, sample.decimals)
            column.ask = None if sample.ask is None else window.cell_of(sample.ask, sample.decimals)
        if total is not None:
            over = UNIT * seconds
            column.sizes = array("d", [size / over for size in total])
        return column

    def _dot(self, dots: dict[int, Dot], cell: int, quantity: float, aggressor: int) -> None:
        """Add prints to a cell: it shows the aggressor that traded more."""
        if 0 <= cell < self.cells:
            held = dots.get(cell)
            if held is None:
                dots[cell] = Dot(quantity, aggressor)
            elif held.aggressor == aggressor:
                dots[cell] = Dot(held.quantity + quantity, aggressor)
            elif quantity > held.quantity:
                dots[cell] = Dot(quantity, aggressor)
