"""Each feature of the order-flow views in the real program, as text that is compared exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.ui.desk import View
from cadenza_tui.ui.preferences import Preferences

from .stage import Stage, monitor, press, settle
from .test_snapshots import compare

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from .stage import PaintedApp

BTC = "BINANCE:BTC/USDT"
SIZES = {"40x12": (40, 12), "80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
ALL = {"traded": "on", "stacked": "on", "cumulative": "notional", "bars": "log", "depth": "10"}


async def still(app: PaintedApp, pilot: Pilot[int]) -> None:
    """Let everything be painted as of the stage's time."""
    await settle(pilot)
    app.monitor._tick()
    await settle(pilot)


@pytest.mark.parametrize("size", ["80x24", "120x40", "200x60"])
@pytest.mark.parametrize("view", ["depth", "tape", "wide"])
async def test_the_presets(view: str, size: str) -> None:
    """Market and Account have theirs elsewhere."""
    stage = Stage().open(90)
    async with monitor(stage, size=SIZES[size], view=View(view)) as (app, pilot):
        await still(app, pilot)
        compare(f"view-{view}-{size}", app)


LADDERS: dict[str, tuple[dict[str, str], str | None, list[str]]] = {
    "dom": ({"shape": "dom"}, None, []),
    "grouped": ({}, "0.5", []),
    "dom-grouped": ({"shape": "dom"}, "0.5", []),
    "all-columns": (ALL, None, []),
    "cursor": ({}, None, ["k", "k", "k"]),
}


@pytest.mark.parametrize("name", LADDERS)
async def test_the_ladder(name: str) -> None:
    """Maximised: its shapes, groups, columns and its cursor."""
    options, group, keys = LADDERS[name]
    kept = Preferences(options={"book": dict(options)})
    if group is not None:
        kept.set_group("book", BTC, Decimal(group))
    stage = Stage().open(3)
    async with monitor(stage, preferences=kept) as (app, pilot):
        await press(pilot, "z", *keys)
        stage.advance(2)
        await still(app, pilot)
        compare(f"ladder-{name}", app)


BOOKS = {
    "l3-unfolded": ("BITFINEX:ETH/USD", ["j", "j", "x"]),
    "l3-counted": ("DERIBIT:BTC-PERP/USDC", ["k", "x"]),
    "vwap": ("WINTERMUTE:BTC/USDT", []),
    "l2-exchange": ("IBKR:AAPL/USD", ["j"]),
}


@pytest.mark.parametrize("kind", BOOKS)
async def test_books_of_other_types(kind: str) -> None:
    """Single orders of a level, a curve that is never added up, and who quotes."""
    name, keys = BOOKS[kind]
    stage = Stage(instruments=29, rate=40).open(1)
    async with monitor(stage, size=(100, 30)) as (app, pilot):
        app.monitor.select(name)
        await press(pilot, "z", *keys)
        await still(app, pilot)
        compare(f"book-{kind}", app)


@pytest.mark.parametrize("name", ["filtered", "aggregated", "scrolled"])
async def test_the_tape(name: str) -> None:
    """Maximised: a least size, sweeps as one, and scrolled while prints go on."""
    kept = Preferences(options={"tape": {"aggregate": "on"}} if name == "aggregated" else {})
    stage = Stage().open(20)
    async with monitor(stage, preferences=kept) as (app, pilot):
        keys = {"filtered": ["plus", "plus"], "scrolled": ["j"] * 5}.get(name, [])
        await press(pilot, "tab", "z", *keys)
        stage.advance(2)
        await still(app, pilot)
        compare(f"tape-{name}", app)


@pytest.mark.parametrize("size", ["40x12", "200x60"])
@pytest.mark.parametrize("source", ["klines", "prints"])
async def test_the_chart(source: str, size: str) -> None:
    """From the server's candles and from prints, on the smallest and the largest screen."""
    stage = Stage(instruments=2).open(1)
    if source == "klines":
        stage.bring_klines(BTC, "1m")
    kept = Preferences(options={"chart": {"interval": "1m" if source == "klines" else "1s"}})
    async with monitor(stage, size=SIZES[size], view=View.TAPE, preferences=kept) as (app, pilot):
        app.monitor.focus_on("chart")
        await press(pilot, "z")
        stage.advance(40)
        await still(app, pilot)
        compare(f"chart-{source}-{size}", app)


@pytest.mark.parametrize("look", ["tints", "no-color", "ascii"])
@pytest.mark.parametrize("pane", ["heat", "depth", "chart"])
async def test_without_colours_and_without_blocks(
    pane: str, look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures as glyphs: of blocks, and of nothing but ASCII."""
    if look != "tints":
        monkeypatch.setenv("NO_COLOR", "1")
    if look == "ascii":
        monkeypatch.setenv("LC_ALL", "C")
    stage = Stage(instruments=2).open(90)
    stage.bring_klines(BTC, "1m")
    async with monitor(stage, size=(80, 24)) as (app, pilot):
        app.monitor.action_view("tape" if pane == "chart" else "depth")
        app.monitor.focus_on(pane)
        await still(app, pilot)
        compare(f"{pane}-{look}", app)


async def test_the_watchlist_sorted() -> None:
    """By change, maximised: every column."""
    kept = Preferences(options={"instruments": {"sort": "change"}})
    async with monitor(Stage().open(20), preferences=kept) as (app, pilot):
        await press(pilot, "shift+tab", "z")
        await still(app, pilot)
        compare("watchlist-sorted", app)


@pytest.mark.parametrize("size", ["80x24", "200x60"])
async def test_the_venues_of_a_symbol(size: str) -> None:
    """One book of all venues: who is best where, crossed, and how each stands."""
    async with monitor(Stage().open(5), size=SIZES[size], view=View.DEPTH) as (app, pilot):
        app.monitor.focus_on("venues")
        await press(pilot, "z")
        await still(app, pilot)
        compare(f"venues-{size}", app)


async def test_the_screen_of_options() -> None:
    """Over the ladder."""
    async with monitor(Stage().open(2)) as (app, pilot):
        await press(pilot, "o", "j")
        compare("options-book", app)
