"""What a change makes due, and that it makes nothing else."""

from __future__ import annotations

import pytest

from cadenza_tui.market.state import Topic
from cadenza_tui.ui.due import made_due
from cadenza_tui.ui.panes import LINES, PANES

from .stage import Stage, monitor, settle

EVERY = {*PANES, *LINES}


@pytest.mark.parametrize("topic", Topic)
def test_what_is_due_is_on_the_screen_at_all(topic: Topic) -> None:
    """Every name is a pane or a line."""
    assert made_due(topic, "A:X/Y", "A:X/Y") <= EVERY


@pytest.mark.parametrize("topic", [Topic.BOOK, Topic.TAPE, Topic.TICKER, Topic.KLINE])
def test_another_instrument_makes_nothing_of_the_selected_one_due(topic: Topic) -> None:
    """However much it trades."""
    assert made_due(topic, "A:X/Y", "B:X/Y") == frozenset()
    assert made_due(topic, "A:X/Y", None) == frozenset()


@pytest.mark.parametrize(
    ("topic", "panes"),
    [
        (Topic.BOOK, {"book", "depth", "flow", "status"}),
        (Topic.TAPE, {"tape", "chart", "book", "flow", "heat", "status"}),
        (Topic.KLINE, {"chart"}),
        (Topic.TICKER, {"status"}),
    ],
)
def test_a_change_of_the_selected_instrument(topic: Topic, panes: set[str]) -> None:
    """Makes those due that are made from it."""
    assert made_due(topic, "A:X/Y", "A:X/Y") == panes


async def test_a_book_of_another_venue_makes_only_the_venues_due() -> None:
    """While the pane is on the screen; the ladder is not painted for it."""
    async with monitor(Stage(instruments=3).open(1), size=(80, 24)) as (app, pilot):
        app.monitor.focus_on("venues")
        await settle(pilot)
        app.monitor._due.clear()
        app.stage.market.dirty.take()
        app.monitor._mark(Topic.BOOK, "OKX:BTC/USDT")
        assert "venues" in app.monitor._due
        assert not app.monitor._due & {"book", "depth", "flow", "status"}
