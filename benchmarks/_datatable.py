"""The same ladder, written the usual way: a Textual ``DataTable`` whose changed cells are updated.

It runs on the same feed and market as the monitor, shows the same rows (asks, spread, bids) and columns
(Σ, quantity, price, quantity, Σ) with the same texts, and updates only the cells whose text changed, at the
monitor's own pace. Started by ``paint.py``: ``_datatable.py URL TOKEN_FILE INSTRUMENT ROWS``.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.text import Text
from textual.app import App
from textual.widgets import DataTable

from cadenza_tui.credentials import sources
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.state import Market
from cadenza_tui.ui.bandwidth import Pace

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from cadenza_tui.market.book import BookSide

COLUMNS = ("Σ bid", "bid", "price", "ask", "Σ ask")


class TableLadder(App[None]):
    """A ladder in a DataTable."""

    def __init__(self, feed: Feed, instrument_id: str, rows: int, *, column_width: int = 20) -> None:
        super().__init__()
        self._feed = feed
        self._instrument_id = instrument_id
        self._shown: dict[tuple[int, int], str] = {}
        self._rows = rows
        self._column_width = column_width

    def compose(self) -> ComposeResult:
        yield DataTable(id="ladder", cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in COLUMNS:
            table.add_column(column, width=self._column_width, key=column)
        for row in range(self._rows):
            table.add_row(*("" for _ in COLUMNS), key=str(row))
        self.run_worker(self._feed.run())
        self._feed.show(self._instrument_id)
        self.set_interval(Pace().period, self._update)

    def _cells(self) -> dict[tuple[int, int], tuple[str, str]]:
        book = self._feed.market.book(self._instrument_id)
        half = (self._rows - 1) // 2
        cells: dict[tuple[int, int], tuple[str, str]] = {}
        spread = book.spread()
        if spread is None:
            return cells
        cells[half, 0], cells[half, 2] = (f"spread {spread}", "bold"), (f"{book.mid()}", "bold")
        self._side(cells, book.asks, half, -1, (4, 3), "red", half)
        self._side(cells, book.bids, half, +1, (0, 1), "green", self._rows - half - 1)
        return cells

    @staticmethod
    def _side(
        cells: dict[tuple[int, int], tuple[str, str]],
        side: BookSide,
        middle: int,
        step: int,
        columns: tuple[int, int],
        colour: str,
        count: int,
    ) -> None:
        total = Decimal(0)
        for index, level in enumerate(side.top(count), start=1):
            row = middle + step * index
            total += Decimal(level.quantity)
            cells[row, columns[0]] = f"{total:,.3f}", "dim"
            cells[row, columns[1]] = level.quantity, ""
            cells[row, 2] = f"{Decimal(level.price):,}", colour

    def _update(self) -> None:
        self._feed.market.dirty.take()
        table = self.query_one(DataTable)
        for (row, column), (text, style) in self._cells().items():
            if self._shown.get((row, column)) != text:
                self._shown[row, column] = text
                table.update_cell(str(row), COLUMNS[column], Text(text, style=style, justify="right"))


def main() -> None:
    url, token_file, instrument_id, rows = sys.argv[1:5]
    token = sources.fixed(Path(token_file).read_text().strip(), "the simulator's token")
    feed = Feed(
        Market(), FeedSettings(url, label="demo", token=token, pinned=(instrument_id,), with_accounts=False)
    )
    TableLadder(feed, instrument_id, int(rows)).run()


if __name__ == "__main__":
    main()
