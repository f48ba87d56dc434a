"""A line of prices in one row: eighths of a cell, each cell the last price of its share of the time."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = "▁▂▃▄▅▆▇"
"""Never the whole cell: the lines of rows above each other would run together."""
_FLAT = LEVELS[3]


def sparkline(prices: Sequence[float | None], cells: int) -> str:
    """Return ``prices``, oldest first, in exactly ``cells`` cells, the latest at the right.

    The lowest and the highest of them fill the height; one that does not move stands in the middle. Unknown
    prices are blank, and so is time that is still to be filled: few prices are not stretched.
    """
    share = max(-(-len(prices) // cells), 1) if cells > 0 else 1
    shown: list[float | None] = []
    for begin in range(0, len(prices), share):  # from the oldest on: what is full does not change any more
        known = [price for price in prices[begin : begin + share] if price is not None and isfinite(price)]
        shown.append(known[-1] if known else None)
    values = [price for price in shown if price is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)
    scale = (len(LEVELS) - 1) / (high - low) if high > low else 0.0
    if not isfinite(scale):
        scale = 0.0
    text = "".join(
        [
            " " if price is None else LEVELS[round((price - low) * scale)] if scale else _FLAT
            for price in shown
        ]
    )
    return text.rjust(cells) if cells > 0 else ""
