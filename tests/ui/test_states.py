"""Sizes, states, terminals without colour, and what a server may try to put on the screen."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from textual.geometry import Region

from cadenza_tui.feed.replay import ReplayFeed
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.records import Instrument
from cadenza_tui.market.state import Market, Topic
from cadenza_tui.simulator.exchange import Publication
from cadenza_tui.ui.pane import RowsWidget
from tests.support.columns import column

from .stage import SECOND, PaintedApp, Stage, monitor, press, settle, spelled, until

if TYPE_CHECKING:
    from pathlib import Path

SIZES = [(80, 24), (100, 30), (120, 40), (200, 60), (300, 90)]
WIDGETS = ("status", "tabs", "footer", "instruments", "book", "tape", "account", "accounts", "health")


def check_places(app: PaintedApp) -> None:
    """Every widget is inside the screen, none covers another, and together they cover all of it."""
    width, height = app.size
    regions = [app.pane(name).region for name in WIDGETS if app.pane(name).display]
    assert all(Region(0, 0, width, height).contains_region(region) for region in regions)
    assert sum(region.area for region in regions) == width * height
    for at, region in enumerate(regions):
        assert not any(region.overlaps(other) for other in regions[at + 1 :])
    lines = app.glass.lines
    for name in WIDGETS[3:]:
        region = app.pane(name).region
        if app.pane(name).display:
            corners = [
                lines[y][x] for y in (region.y, region.bottom - 1) for x in (region.x, region.right - 1)
            ]
            assert corners == list("╭╮╰╯"), name


def touch(app: PaintedApp) -> str:
    """Return best bid and best ask of the selected book as the status line spells them."""
    book = app.stage.market.book(app.monitor.desk.selected or "")
    assert book.best_bid is not None
    assert book.best_ask is not None
    return f"{spelled(book.best_bid.price)} × {spelled(book.best_ask.price)}"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [[], ["g", "a"], ["g", "h"], ["z"]], ids=" ".join)
async def test_every_view_fits_every_size(size: tuple[int, int], keys: list[str]) -> None:
    """Panes cover the screen exactly, and the touch is on the top line."""
    async with monitor(Stage(instruments=2).open(0.3), size=size) as (app, pilot):
        await press(pilot, *keys)
        check_places(app)
        assert touch(app) in app.glass.lines[0]


async def test_the_size_changes_live() -> None:
    """Through all sizes and back: the first frame of each size is whole already, never blank or torn."""
    async with monitor(size=SIZES[0]) as (app, pilot):
        for before, size in pairwise([*SIZES, *SIZES[::-1], (40, 10), (12, 4), (120, 40)]):
            torn: list[str] = []

            def look(size: tuple[int, int] = size, torn: list[str] = torn) -> None:
                if app.size == size and min(size) >= 24 and len(column(app.part("book"), "price")) < 5:
                    torn.append(app.glass.text)

            app.glass.on_frame = look
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert app.size == size, before
            if min(size) >= 24:
                check_places(app)
                assert touch(app) in app.glass.lines[0]
                assert torn == []


async def test_a_size_too_small_for_anything_does_no_harm() -> None:
    """Down to one cell and back."""
    async with monitor(Stage(instruments=2).open(0.3), size=(80, 24)) as (app, pilot):
        for size in ((1, 1), (2, 200), (200, 2), (7, 3), (80, 24)):
            await pilot.resize_terminal(*size)
            await press(pilot, "tab", "j")
        check_places(app)


# --- states


def stale(stage: Stage) -> None:
    """Let the line be dead for a minute."""
    stage.time += 61 * SECOND
    stage.market.dirty.mark(Topic.HEALTH)


STATES = {
    "live": ("● live", False),
    "stale": ("◔ stale 1 m", True),
    "down": ("◔ stale", True),
    "unauthorised": ("⚠ unauthorised", True),
    "disconnected": ("✕ disconnected", True),
    "ended": ("■ ended", True),
    "replaying": ("▸ replay", False),
}


@pytest.mark.parametrize("state", STATES)
async def test_states_look_different(state: str) -> None:
    """Each has its own glyph and word on the top line; what is not current is dimmed in the book."""
    sign, dimmed = STATES[state]
    stage = Stage(instruments=2).open(0.5)
    async with monitor(stage) as (app, pilot):
        match state:
            case "stale":
                stale(stage)
            case "down":
                stage.say(ConnectionState.CONNECTING, "the connection was reset")
            case "unauthorised":
                stage.say(ConnectionState.UNAUTHORISED, "invalid token", "set CADENZA_TOKEN anew")
            case "disconnected":
                stage.say(ConnectionState.DISCONNECTED, "forced disconnect")
            case "ended":
                stage.say(ConnectionState.ENDED)
            case "replaying":
                stage.market.health.connection.speed = 2.0
                stage.say(ConnectionState.REPLAYING)
        await settle(pilot)
        assert sign in app.glass.lines[0]
        shown = app.glass.colours(app.pane("book"))
        assert ("57b894" in shown) is not dimmed  # the colour of bids
        assert column(app.part("book"), "price")


async def test_the_remedy_of_a_refused_token_is_on_the_screen() -> None:
    """What to do stands where the book would be."""
    stage = Stage(instruments=2)
    stage.connect()
    async with monitor(stage) as (app, pilot):
        stage.say(ConnectionState.UNAUTHORISED, "invalid token", "set CADENZA_TOKEN anew")
        await settle(pilot)
        assert "set CADENZA_TOKEN anew" in " ".join(app.part("book").split())


async def test_connecting_says_so_and_shows_nothing_as_a_market() -> None:
    """No instrument, no number, and the word."""
    async with monitor(Stage(instruments=2)) as (app, _):
        assert "◌ connecting" in app.glass.lines[0]
        assert "no instrument" in app.glass.lines[0]
        check_places(app)
        assert column(app.part("book"), "price") == []


async def test_awaiting_the_first_snapshot_says_so() -> None:
    """Connected, listed, but no book yet; then the book."""
    stage = Stage(instruments=2)
    stage.connect()
    async with monitor(stage) as (app, pilot):
        assert "○ awaiting snapshot" in app.glass.lines[0]
        assert "BINANCE:BTC/USDT" in app.part("book")
        stage.open(0.5)
        await settle(pilot)
        assert "● live" in app.glass.lines[0]
        assert column(app.part("book"), "price")


async def test_a_crossed_book_is_known_as_such() -> None:
    """On the top line, in the border and in the spread row."""
    stage = Stage(instruments=2).open(0.5)
    channel, data = stage.exchange.book_snapshot("BINANCE:BTC/USDT")
    whole = json.loads(data)
    async with monitor(stage) as (app, pilot):
        whole["bids"].insert(0, ["99999.00", "1.00000"])
        stage.feed([Publication(channel, json.dumps(whole).encode())])
        await settle(pilot)
        assert "⇄ crossed" in app.glass.lines[0]
        assert "crossed" in app.part("book").split("\n")[0]
        assert "⇄" in app.glass.lines[0].partition("×")[0]


async def test_a_state_that_comes_alone_is_painted_without_a_key() -> None:
    """The end of a recording stands on the screen though its clock stands still."""
    stage = Stage(instruments=2).open(0.5)
    async with monitor(stage) as (app, pilot):
        stage.say(ConnectionState.ENDED)
        await until(pilot, lambda: "■ ended" in app.glass.lines[0])


async def test_a_recording_is_played_to_its_end(tmp_path: Path) -> None:
    """As fast as can be: its last book, and that it has ended."""
    stage = Stage(instruments=2).open(0.0)
    name = "BINANCE:BTC/USDT"
    lines = [
        json.dumps({"t": stage.time, "push": {"channel": channel, "pub": {"data": json.loads(data)}}})
        for channel, data in [
            stage.exchange.book_snapshot(name),
            *stage.exchange.advance(
                stage.time + SECOND, lambda channel: name in channel and "kline" not in channel
            ),
        ]
    ]
    path = tmp_path / "small.ndjson"
    path.write_text("\n".join(lines) + "\n")
    market = Market()
    feed = ReplayFeed(market, path, speed=0)
    app = PaintedApp(feed)  # type: ignore[arg-type]  # only the surface of a source is asked for
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "■ ended" in app.glass.lines[0])
        await until(pilot, lambda: column(app.part("book"), "price"))
        assert (
            len(
                {spelled(level.price) for level in market.book(name).bids.top(5)}
                & set(column(app.part("book"), "price"))
            )
            == 5
        )


# --- without colour


async def test_without_colour_nothing_coloured_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: attributes only, whatever is opened, and the bars are blocks."""
    monkeypatch.setenv("NO_COLOR", "")
    async with monitor(Stage(instruments=2).open(1.0), size=(200, 60)) as (app, pilot):
        await press(
            pilot, "j", "p", "slash", "escape", "question_mark", "escape", "ctrl+p", "escape", "g", "a", "t"
        )
        await press(pilot, "g", "m", "escape")
        for parameters in set(re.findall(r"\x1b\[([\d;]*)m", app.glass.written)):
            assert not [code for code in parameters.split(";") if code and int(code) >= 30], parameters
        assert re.search("[▏▎▍▌▋▊▉█]", app.part("book"))


async def test_with_few_colours_the_bars_are_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 16 colours has no tints."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM")
    async with monitor(Stage(instruments=2).open(1.0), size=(200, 60)) as (app, _):
        assert re.search("[▏▎▍▌▋▊▉█]", app.part("book"))
        assert not re.search(r"[38]8;[25];[\d;]*m", app.glass.written)


# --- hostile names

HOSTILE = {
    "escapes": "\x1b]0;owned\x07\x1b[2J\x1b[31mBTC\x9b5m/USDT",
    "markup": "[bold red]BTC[/bold red]/[@click=app.quit]USDT[/]",
    "bidi": "\u202eTDSU/\u2066CTB\u2069\u200b\ufeff",
    "wide": "比特币/テザー👩‍👩‍👧",
    "combining": "B̸̢̛T̵̡C̷̨/U̶S̴D̵T̶",
    "long": "B" * 10_000 + "/USDT",
    "lines": "BTC\r\n/US\tDT",
    "empty": "",
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_name_stays_text(kind: str) -> None:
    """In status line, watchlist, book, picker, palette, health: no sequence of its own, no line misplaced."""
    hostile = HOSTILE[kind]
    stage = Stage(instruments=2).open(0.5)
    bad = Instrument(
        f"OKX:{hostile}", hostile or "OKX", hostile, base=hostile, quote=hostile, tick=Decimal("0.1")
    )
    stage.market.set_instruments([*stage.market.instruments.values(), bad])
    stage.pinned = [*stage.pinned, bad.instrument_id]
    async with monitor(stage) as (app, pilot):
        await press(pilot, "3")
        assert app.monitor.desk.selected == bad.instrument_id
        check_places(app)
        await press(pilot, "slash", "down", "down")
        await press(pilot, "escape", "ctrl+p", *"show")
        await press(pilot, "escape", "escape", "g", "h", "g", "a", "g", "m")
        check_places(app)
        for sequence in re.findall(r"\x1b[^\x1b]*", app.glass.written):
            assert re.match(r"\x1b\[[\d;]*[A-DGHmKX]", sequence), sequence
        for widget in app.monitor.query(RowsWidget):
            assert all(segment.text.isprintable() for strip in widget.strips for segment in strip)
        visible = re.sub(r"\x1b\[[\d;]*[A-DGHmKX]|[\b\v]", "", app.glass.written)
        assert visible.isprintable(), [c for c in visible if not c.isprintable()]
        assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u0300-\u036f]", visible)
        if kind == "markup":
            assert "[bold red]BTC" in app.glass.lines[0]
        assert app.return_code is None
