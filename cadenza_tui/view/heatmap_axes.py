"""The axes of a heatmap: prices on its right with the last one marked, times below."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import multiply
from cadenza_tui.view.heatmap_cells import legend
from cadenza_tui.view.heatmap_scope import cell_at
from cadenza_tui.view.numbers import SECOND, Column, clock, plain, price_decimals
from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import blank, clip

if TYPE_CHECKING:
    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.view.heatmap_grid import Grid
    from cadenza_tui.view.rows import Bars

EVERY = 5
"""Rows from one price to the next: steps are 1, 2 or 5 times a power of ten, so these are round, too."""
FEW_ROWS = 10
"""In fewer rows than this a price stands at every second one."""
_TIMES = (10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600)
_TIME_ROOM = 12
"""Cells from one time to the next, at least."""


class PriceAxis:
    """The prices on the right. Its width only grows."""

    __slots__ = ("_column", "_made", "_reach", "_rows", "instrument")

    def __init__(self, instrument: Instrument | None) -> None:
        self.instrument = instrument
        self._column = Column(price_decimals(instrument))
        self._made: object = None
        self._reach: object = None
        self._rows: list[Row] = []

    @property
    def width(self) -> int:
        """Cells that the axis takes: a mark, a price, and a blank."""
        return self._column.width + 2

    def grow(self, book: OrderBook, last: Decimal | None) -> None:
        """Make room for the prices of the moment."""
        ask = book.best_ask
        texts = [ask.price] if ask is not None else []
        self._column.grow([*texts, plain(last)] if last is not None else texts)

    def reach(self, grid: Grid, per: int) -> bool:
        """Make room for the prices that stand beside a grid; return whether the axis is wider now."""
        step, bottom, rows = grid.window.step, grid.bottom, grid.cells // per
        if (step, bottom, rows, per) == self._reach:
            return False
        self._reach = (step, bottom, rows, per)
        before = self.width
        shown = range(bottom, bottom + rows * per, per)
        self._column.grow(
            [plain(multiply(step, Decimal(number))) for number in shown if number % _every(rows, per) == 0]
        )
        return self.width > before

    def rows(self, grid: Grid, last: Decimal | None, per: int) -> list[Row]:
        """Return what stands on the right of each row of ``per`` cells, from the top."""
        step, bottom, rows = grid.window.step, grid.bottom, grid.cells // per
        made = (step, bottom, last, rows, per, self._column.key)
        if made != self._made:
            self._made = made
            every = _every(rows, per)
            self._rows = [
                self._label(multiply(step, Decimal(number))) if number % every == 0 else self._blank()
                for number in range(bottom + (rows - 1) * per, bottom - 1, -per)
            ]
            if last is not None and rows:
                at = rows - 1 - (cell_at(last, step) - bottom) // per
                mark = "↑" if at < 0 else "↓" if at >= rows else "◂"
                text = mark + self._price(last) + " "
                self._rows[min(max(at, 0), rows - 1)] = (Span(text, Role.STRONG, Ground.CURSOR),)
        return self._rows

    def _price(self, price: Decimal) -> str:
        return clip(self._column.text(plain(price)), self._column.width)

    def _label(self, price: Decimal) -> Row:
        return (Span(" " + self._price(price) + " ", Role.MUTED),)

    def _blank(self) -> Row:
        return (Span(blank(self.width)),)


def _every(rows: int, per: int) -> int:
    """Return how many steps are from one price to the next."""
    return per * (EVERY if rows >= FEW_ROWS else 2)


def time_row(grid: Grid, axis: int, bars: Bars) -> Row:
    """Return the times below, each under the column that begins with it, and on the right the legend."""
    seconds = grid.seconds
    apart = next((time for time in _TIMES if time >= _TIME_ROOM * seconds), _TIMES[-1])
    text = ""
    begins = grid.first * seconds
    first = -(-begins // apart) * apart
    for time in range(first, begins + grid.width * seconds, apart):
        label = clock(time * SECOND).removesuffix("Z")
        if apart % 60 == 0:
            label = label[:5]
        at = (time - begins) // seconds
        if at + len(label) <= grid.width:
            text = text.ljust(at) + label
    return (Span(text.ljust(grid.width), Role.FAINT), *legend(bars, axis))
