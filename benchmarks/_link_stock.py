"""A ladder as stock Textual paints it, for ``link.py``: its own driver and compositor, and a ``DataTable``.

The feed and the market are the monitor's, and so is the trace, which says how long the loop stood still.
Started as ``_link_stock.py URL TRACE ROWS``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks._datatable import TableLadder
from cadenza_tui.feed.trace import Trace
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.state import Market
from tests.link.market import INSTRUMENT

COLUMN_WIDTH = 13
"""Five of them and their padding fit into 80 columns."""


class StockLadder(TableLadder):
    """The ladder, and a trace beside it."""

    def __init__(self, feed: Feed, rows: int, trace: Path) -> None:
        super().__init__(feed, INSTRUMENT, rows, column_width=COLUMN_WIDTH)
        self._trace = Trace(trace, feed.market)

    def on_mount(self) -> None:
        """Begin the trace; Textual calls the ladder's own method, too."""
        self.run_worker(self._trace.run())


def main() -> None:
    """Show it until it is ended."""
    url, trace, rows = sys.argv[1:4]
    feed = Feed(Market(), FeedSettings(url, label="stock", pinned=(INSTRUMENT,), with_accounts=False))
    StockLadder(feed, int(rows), Path(trace)).run()


if __name__ == "__main__":
    main()
