"""Presets, sizes of panes and what is found again after a restart."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.ui.desk import View
from cadenza_tui.ui.keys import KEYS
from cadenza_tui.ui.preferences import Preferences
from cadenza_tui.view.arrangements import VIEWS

from .stage import PaintedApp, Stage, monitor, press, settle

if TYPE_CHECKING:
    from pathlib import Path

SIZES = [(40, 12), (80, 24), (120, 40), (200, 60)]
BUSY = {"book": {"traded": "on", "stacked": "on", "shape": "dom"}, "tape": {"aggregate": "on"}}


def shown(app: PaintedApp) -> set[str]:
    """Return the panes that have a place on the screen."""
    return {name for name, pane in app.monitor._panes.items() if pane.display}


def quick() -> Stage:
    """Return a small live market."""
    return Stage(instruments=3).open(2)


async def test_the_key_for_the_next_layout_goes_through_all_presets() -> None:
    """Market, depth, tape, account, wide and market again; each has its panes."""
    async with monitor(quick()) as (app, pilot):
        seen = []
        for _ in range(5):
            await press(pilot, "backslash")
            seen.append((app.monitor.desk.view.value, shown(app)))
        assert [view for view, _ in seen] == ["depth", "tape", "account", "wide", "market"]
        assert dict(seen) == {
            "depth": {"heat", "depth", "flow"},
            "tape": {"tape", "chart"},
            "account": {"accounts"},
            "wide": {"book", "tape", "heat", "chart"},
            "market": {"instruments", "book", "tape", "account"},
        }


@pytest.mark.parametrize(
    ("keys", "view"),
    [
        (["g", "d"], "depth"),
        (["d"], "depth"),
        (["f4"], "depth"),
        (["g", "t"], "tape"),
        (["f5"], "tape"),
        (["g", "w"], "wide"),
        (["f6"], "wide"),
        (["g", "w", "escape"], "market"),
    ],
    ids=lambda keys: " ".join(keys) if isinstance(keys, list) else keys,
)
async def test_views_by_letter(keys: list[str], view: str) -> None:
    """Each has a letter after ``g`` and a function key; escape leads back."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, *keys)
        assert app.monitor.desk.view.value == view


@pytest.mark.parametrize("view", [View.DEPTH, View.TAPE, View.WIDE])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_pane_of_a_view_is_reached_by_tab_and_painted(view: View, size: tuple[int, int]) -> None:
    """Whatever the size: it gets its room with the focus, and something is in it."""
    async with monitor(quick(), size=size, view=view) as (app, pilot):
        reached = []
        for _ in app.monitor._presenter.places.order:
            await press(pilot, "tab")
            focused = app.monitor.desk.focused
            reached.append(focused)
            assert app.pane(focused).display
            assert app.pane(focused).has_focus
            assert app.part(focused).strip("╭╮╰╯│─ \n")
        assert sorted(reached) == sorted(app.monitor._presenter.places.order)
        assert set(reached) <= set(VIEWS[view.value])


async def test_wide_has_everything_where_there_is_room() -> None:
    """Seven panes at 200x60, four at 120x40."""
    async with monitor(quick(), size=(200, 60), view=View.WIDE) as (app, _):
        assert shown(app) == set(VIEWS["wide"])


async def test_h_goes_to_the_heatmap_and_back_to_the_ladder() -> None:
    """From the Market view into the Depth view; each has the focus in turn."""
    async with monitor(quick(), size=(80, 24)) as (app, pilot):
        await press(pilot, "h")
        assert (app.monitor.desk.view, app.monitor.desk.focused) == (View.DEPTH, "heat")
        assert shown(app) == {"heat"}
        await press(pilot, "h")
        assert (app.monitor.desk.view, app.monitor.desk.focused) == (View.DEPTH, "book")
        assert shown(app) == {"book"}


async def test_panes_are_made_wider_and_higher_and_stay_so_after_a_restart(tmp_path: Path) -> None:
    """The neighbours give the room; the sizes are those of the view."""
    path = tmp_path / "preferences.json"
    async with monitor(quick(), preferences=Preferences.load(path)) as (app, pilot):
        before = {name: app.pane(name).region for name in ("book", "tape", "account")}
        await press(pilot, "greater_than_sign", "greater_than_sign", "left_curly_bracket")
        after = {name: app.pane(name).region for name in before}
        assert after["book"].width == before["book"].width + 4
        assert after["tape"].width == before["tape"].width - 4
        assert after["book"].height == before["book"].height - 1
        assert after["account"].height == before["account"].height + 1
    async with monitor(quick(), preferences=Preferences.load(path)) as (app, pilot):
        assert {name: app.pane(name).region for name in before} == after
        await press(pilot, "less_than_sign", "less_than_sign", "right_curly_bracket")
        assert {name: app.pane(name).region for name in before} == before
        app.monitor.reset_sizes()
        assert Preferences.load(path).sizes == {}


async def test_choices_survive_a_restart(tmp_path: Path) -> None:
    """View, options, group, least size and pinned instruments are there again."""
    path = tmp_path / "preferences.json"
    async with monitor(quick(), preferences=Preferences.load(path)) as (app, pilot):
        await press(pilot, "right_square_bracket", "right_square_bracket", "m")
        await press(pilot, "tab", "plus", "w", "2", "P", "f6")
        assert app.monitor.desk.pinned == ["BINANCE:BTC/USDT", "BINANCE:ETH/USDT"]
        grouped = app.monitor.preferences.group("book", "BINANCE:BTC/USDT")
        assert grouped is not None
        least = app.monitor.preferences.filters["base"]["BINANCE:BTC/USDT"]
    kept = Preferences.load(path)
    assert (kept.view, kept.options["book"], kept.options["tape"]) == (
        "wide",
        {"shape": "dom"},
        {"window": "5m"},
    )
    stage = quick()
    async with monitor(stage, preferences=kept, view=View(kept.view)) as (app, pilot):
        assert app.monitor.desk.pinned == stage.pinned == ["BINANCE:BTC/USDT", "BINANCE:ETH/USDT"]
        assert f"{grouped:f}" in app.part("book").split("\n")[0]
        assert app.monitor._presenter.panes.tapes.of("BINANCE:BTC/USDT").least == {"base": least}
        await press(pilot, "n", "n")
        assert app.monitor.desk.selected == "BINANCE:BTC/USDT"


async def test_pins_of_the_command_line_stand_beside_those_that_are_kept() -> None:
    """Neither takes the place of the other."""
    kept = Preferences(pinned={"demo": ["OKX:BTC/USDT"]}, keeps_pinned=False)
    stage = quick()
    async with monitor(stage, preferences=kept) as (_, pilot):
        assert len(stage.pinned) == 3
        await press(pilot, "P")
        assert len(stage.pinned) == 2
        assert kept.pinned == {"demo": ["OKX:BTC/USDT"]}


async def test_pins_that_are_no_longer_listed_are_left_out() -> None:
    """And another server's pins are its own."""
    kept = Preferences(pinned={"demo": ["GONE:X/Y", "OKX:BTC/USDT"], "prod": ["BINANCE:ETH/USDT"]})
    stage = quick()
    async with monitor(stage, preferences=kept) as (app, _):
        assert stage.pinned == app.monitor.desk.pinned == ["OKX:BTC/USDT"]
        assert app.monitor.desk.selected == "OKX:BTC/USDT"


async def test_a_group_is_remembered_for_each_instrument() -> None:
    """Another instrument has its own; the way back finds the first one's."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, "right_square_bracket")
        first = app.part("book").split("\n")[0]
        assert "group" in first
        await press(pilot, "n")
        assert "group" not in app.part("book").split("\n")[0]
        await press(pilot, "N")
        assert app.part("book").split("\n")[0] == first
        await press(pilot, "left_square_bracket")
        assert "group" not in app.part("book").split("\n")[0]


async def test_the_source_hears_what_is_looked_at() -> None:
    """Rows of the watchlist, books of the venues and the chart's candles, only while they are in sight."""
    stage = quick()
    async with monitor(stage) as (app, pilot):
        assert set(stage.pinned) <= set(stage.wanted.visible)
        assert stage.wanted.candles is None
        await press(pilot, "f5")
        assert stage.wanted.candles == ("BINANCE:BTC/USDT", "1m")
        assert stage.wanted.visible == ()
        await press(pilot, "tab", "right_square_bracket")
        assert stage.wanted.candles == ("BINANCE:BTC/USDT", "3m")
        app.monitor.focus_on("venues")
        await settle(pilot)
        assert set(stage.wanted.venues) == {"BINANCE:BTC/USDT", "OKX:BTC/USDT"}


async def test_the_footer_is_that_of_the_pane_in_focus() -> None:
    """Its own keys first, and the keys for help and the end always."""
    async with monitor(quick(), view=View.WIDE) as (app, pilot):
        words = {"book": "[ ] group", "tape": "- + least", "heat": "- + cut-off", "chart": "[ ] interval"}
        for _ in words:
            assert words[app.monitor.desk.focused] in app.part("footer")
            assert "? help" in app.part("footer")
            await press(pilot, "tab")


KEYS_THAT_LEAVE = {"quit", "suspend", "palette", "find", "filter", "options", "help"}


@pytest.mark.parametrize(("seed", "size"), [(0, (40, 12)), (1, (120, 40))])
async def test_any_keys_in_any_order_do_no_harm(seed: int, size: tuple[int, int]) -> None:
    """While the market goes on: every pane keeps its width, and the program goes on."""
    chance = random.Random(seed)
    keys = [key.keys.split(",")[0] for key in KEYS if key.id not in KEYS_THAT_LEAVE]
    stage = quick()
    async with monitor(stage, size=size) as (app, pilot):
        for _ in range(5):
            await pilot.press(*chance.choices(keys, k=12))
            stage.advance(0.3)
            await settle(pilot)
            for name in shown(app):
                pane = app.monitor._panes[name]
                assert all(strip.cell_length == pane.size.width for strip in pane.strips), name
        assert app.return_code is None
