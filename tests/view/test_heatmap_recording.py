"""The heatmap of a real market."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.feed.recording import Recording
from cadenza_tui.feed.replay import Catalogue
from cadenza_tui.market.heat import MAXIMUM_LEVELS, SECOND, Heat
from cadenza_tui.market.state import Market
from cadenza_tui.view.heatmap import HeatMemory, heatmap
from cadenza_tui.view.rows import Bars
from tests.feed.recordings import real_recording
from tests.view.support import BTC, ID, LIVE, bad_widths

SECONDS = 25
STEP = Decimal(2)


def test_the_newest_column_holds_what_the_book_holds() -> None:
    """In each second every cell is the sum of the levels in its range, and the touch is in sight."""
    path = real_recording()
    if path is None:
        pytest.skip("there is no recording of a real market")
    market, heat, memory, time = Market(), Heat(), HeatMemory(), [0]
    ingest = Ingest(market, lambda: time[0], open_routes=True, on_route=Catalogue(market))
    book = market.book(ID)
    compared = 0
    recording = Recording(path)
    for line in recording:
        if line.time // SECOND != time[0] // SECOND and book.has_snapshot:
            heat.sample(book, book.in_sync, time[0])
            pane = heatmap(
                heat,
                book,
                BTC,
                width=100,
                height=31,
                trust=LIVE,
                memory=memory,
                options={"column": "1"},
                group=STEP,
                bars=Bars.TINT,
                now=time[0],
            )
            assert bad_widths(pane.body, 100) == []
            grid = memory.grid
            assert grid is not None
            column = grid.columns[-1]
            assert column.sizes is not None
            wanted = [Decimal(0)] * grid.cells
            for side in (book.bids, book.asks):
                for level in side.top(MAXIMUM_LEVELS):
                    cell = int(Decimal(level.price) // STEP) - grid.bottom
                    if 0 <= cell < grid.cells:
                        wanted[cell] += Decimal(level.quantity)
            assert list(column.sizes) == pytest.approx([float(size) for size in wanted], rel=1e-6)
            touch = book.touch()
            assert touch is not None
            assert column.bid == touch[0] // STEP - grid.bottom
            assert column.ask == touch[1] // STEP - grid.bottom
            assert column.bid is not None
            assert column.ask is not None
            assert 0 <= column.bid <= column.ask < grid.cells
            compared += 1
            if compared == SECONDS:
                break
        time[0] = line.time
        published = line.publication
        ingest.publication(line.channel, published.data, published.offset, published.epoch, line.time)
    recording.close()
    assert compared == SECONDS
