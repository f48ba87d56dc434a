"""What a person sees of a fault: the monitor on the real feed, whose link is cut and comes back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from tests.feed.waiting import eventually
from tests.ui.stage import PaintedApp, Stage, spelled

from .world import world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from msgspec import Raw

    from .world import World

BID, ASK = "57b894", "e0707e"
"""The dark theme's colours of the two sides; what is dimmed has neither."""


@pytest.fixture(autouse=True)
def terminal_with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on a terminal of 24-bit colours, whatever this one is."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@asynccontextmanager
async def screen(here: World) -> AsyncIterator[PaintedApp]:
    """Open the monitor on a world's feed, which it runs, and leave it at the end."""
    app = PaintedApp(cast("Stage", here.feed))
    async with app.run_test(size=(160, 48)):
        await eventually(lambda: here.up and "live" in app.part("status"))
        yield app


async def test_a_cut_is_on_the_screen_with_its_reason_until_it_is_over() -> None:
    """The book stays readable but dimmed, the reason stands beside it; live again, its colours are back."""
    async with world(rate=20, instruments=1, start=False) as here, screen(here) as app:
        await eventually(lambda: app.glass.colours(app.pane("book")) >= {BID, ASK})
        here.tcp.shut_door()
        here.tcp.cut()
        await eventually(lambda: "refuses the connection" in app.part("book"))
        await eventually(lambda: "stale" in app.part("status"))
        await eventually(lambda: not app.glass.colours(app.pane("book")) & {BID, ASK})
        best = here.feed.market.book(here.names[0]).best_bid
        assert best is not None
        assert spelled(best.price) in app.part("book")
        await here.tcp.open_door()
        await eventually(lambda: here.live)
        await eventually(lambda: app.glass.colours(app.pane("book")) >= {BID, ASK})
        await eventually(lambda: "refuses the connection" not in app.glass.text)
        await here.settle()


async def test_a_gap_is_on_the_screen_until_the_book_was_fetched() -> None:
    """A book that misses a message says so on its pane while the snapshot is on its way."""
    async with world(rate=20, instruments=1, start=False) as here, screen(here) as app:
        name = app.monitor.desk.selected or here.names[0]
        here.feed._queries.call = _never  # the snapshot that is asked for does not come
        here.frames.drop(here.book_channel(name), 1)
        await eventually(lambda: "1 message is missing" in app.part("book"))
        assert here.trust(name).dimmed
        here.server.evict(here.book_channel(name), 2502, "")
        await eventually(lambda: "1 message is missing" not in app.part("book"))
        await eventually(lambda: here.live)
        await here.settle()


async def _never(method: str, params: object = None) -> Raw:
    await asyncio.Event().wait()
    raise AssertionError(method, params)
