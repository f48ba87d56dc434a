"""Sums of a book over time in equal cells of price: what a heatmap's columns are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.heat import CHAPTER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.heat import Heat, Sample

UNIT = 2.0**149
"""One part in so many divides every single-precision float: sums are of integers, and a cell that empties is
empty."""


class Window:
    """``cells`` cells of ``step`` from ``bottom`` × ``step`` upwards, kept up from one second to the next.

    A step forward costs what changed in that second. A step back, or far, begins at a whole sample.
    """

    __slots__ = (
        "_generation",
        "_heat",
        "_levels",
        "_ratio",
        "_scales",
        "_second",
        "_sums",
        "bottom",
        "cells",
        "step",
    )

    def __init__(self, heat: Heat, step: Decimal, bottom: int, cells: int) -> None:
        self._heat = heat
        self.step = step
        self.bottom = bottom
        self.cells = cells
        self._ratio = step.as_integer_ratio()
        self._scales: dict[int, tuple[int, int]] = {}
        self._second = -CHAPTER
        self._generation = heat.generation
        self._levels: dict[int, int] = {}
        """Quantities by key, of the levels inside."""
        self._sums: list[int] | None = None

    def at(self, second: int) -> Sequence[int] | None:
        """Return the sums of the cells in a second, lowest price first, in 1/``UNIT``; None in a gap.

        The next call changes what was returned.
        """
        heat = self._heat
        if heat.generation != self._generation:
            self._generation = heat.generation
            self._second = -CHAPTER
        sample = heat.at(second)
        if sample is None:
            return None
        if second != self._second:
            start = self._second + 1
            if not start <= second < start + CHAPTER or start < heat.first:
                start = heat.whole_before(second)
            for between in range(start, second + 1):
                held = heat.at(between)
                assert held is not None
                self._take(held)
            self._second = second
        return self._sums

    def cell_of(self, units: int, decimals: int) -> int:
        """Return the cell of a price in units of 10^−``decimals``, from the bottom; it may lie outside."""
        times, over = self._scale(decimals)
        return units * times // over - self.bottom

    def _scale(self, decimals: int) -> tuple[int, int]:
        """Return what a price in such units is multiplied with and divided by to count steps."""
        scale = self._scales.get(decimals)
        if scale is None:
            over, times = self._ratio
            if decimals >= 0:
                over *= 10**decimals
            else:
                times *= 10**-decimals
            scale = self._scales[decimals] = (times, over)
        return scale

    def _take(self, sample: Sample) -> None:
        """Bring levels and sums from the second before to this sample's."""
        levels, keys, quantities = self._levels, sample.keys, sample.quantities
        if keys is None or quantities is None:
            levels.clear()
            self._sums = None
            return
        if sample.whole:
            levels.clear()
            self._sums = [0] * self.cells
        sums = self._sums
        assert sums is not None, "changes follow a whole sample"
        times, over = self._scale(sample.decimals)
        base, bottom, whole = sample.base, self.bottom, sample.whole
        # most of a deep book lies outside, and costs one comparison
        low = -(-bottom * over // times) * 2 - base
        high = -(-(bottom + self.cells) * over // times) * 2 - base
        for key, quantity in zip(keys, quantities, strict=True):
            if low <= key < high:
                cell = ((key + base) >> 1) * times // over - bottom
                size = int(quantity * UNIT)
                before = levels.get(key, 0)
                if whole:
                    size += before
                if size:
                    levels[key] = size
                elif before:
                    del levels[key]
                sums[cell] += size - before
