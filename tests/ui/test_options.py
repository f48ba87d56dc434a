"""What can be chosen about a pane: by the screen of options, by direct keys and by commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.ui.preferences import Preferences
from cadenza_tui.view.options import Item, option_rows
from cadenza_tui.view.rows import Ground
from tests.support.columns import column
from tests.view.support import bad_widths, text

from .stage import PaintedApp, Stage, monitor, press
from .test_monitor import palette

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = (
    Item("shape", "stack", ("stack", "dom"), "asks above bids, or one axis of prices that stays put"),
    Item("group", "0.50", (), "prices in one row"),
    Item("size bars", "log", ("root", "linear", "log", "off"), "how long a bar is"),
)


def quick() -> Stage:
    """Return a small live market."""
    return Stage(instruments=3).open(2)


@given(st.integers(4, 120), st.integers(0, 2))
def test_option_rows_fit_and_say_what_is_in_force(width: int, cursor: int) -> None:
    """At every width; the row pointed at is on the cursor's ground, and its meaning is said."""
    rows = option_rows(ITEMS, cursor=cursor, width=width)
    assert bad_widths(rows, width) == []
    assert [any(span.ground is Ground.CURSOR for span in row) for row in rows[:3]] == [
        at == cursor for at in range(3)
    ]
    if width >= 40:
        assert [f"‹{item.value}›" in text(row) for item, row in zip(ITEMS, rows, strict=False)] == [True] * 3
        assert ITEMS[cursor].help.split()[0] in text(rows[4])


async def test_the_options_change_the_pane_at_once_and_are_kept(tmp_path: Path) -> None:
    """``o``, down to the choice, right: the ladder behind has it, and so has the file."""
    path = tmp_path / "preferences.json"
    async with monitor(quick(), preferences=Preferences.load(path)) as (app, pilot):
        await press(pilot, "o")
        assert "Book · options" in app.glass.text
        assert "‹quantity› notional" in app.glass.text
        await press(pilot, "down", "down", "down", "down", "right", "right")
        assert "‹off›" in app.glass.text
        assert Preferences.load(path).options == {"book": {"cumulative": "off"}}
        await press(pilot, "left", "escape")
        assert "options" not in app.glass.text.replace("o options", "")
        assert Preferences.load(path).options == {"book": {"cumulative": "notional"}}


async def test_the_group_is_among_the_options_of_the_ladder() -> None:
    """The first row; right and left go on and back."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, "o", "right")
        assert "‹0.02›" in app.glass.text
        await press(pilot, "left")
        assert "‹raw›" in app.glass.text


async def test_a_pane_without_choices_has_no_options() -> None:
    """``o`` does nothing in the accounts."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, "shift+tab", "shift+tab", "o")
        assert app.monitor.desk.focused == "account"
        assert "options" not in app.glass.text.replace("o options", "")


async def test_direct_keys_work_from_every_pane() -> None:
    """``m`` is for the ladder and ``+`` for the tape even while another pane has the focus."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, "shift+tab", "m", "plus")
        assert app.monitor.preferences.options["book"] == {"shape": "dom"}
        assert app.monitor.preferences.filters["base"]["BINANCE:BTC/USDT"] > 0
        assert "all prints" not in app.part("tape")
        await press(pilot, *["minus"] * 12)
        assert app.monitor.preferences.filters == {"base": {}}


async def test_what_is_out_of_sight_is_not_changed() -> None:
    """The direct keys of ladder and tape do nothing in the Account view."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, "f2", "m", "a", "w", "plus", "right_square_bracket")
        assert app.monitor.preferences.options == {}
        assert not any(app.monitor.preferences.groups.values())
        assert not any(app.monitor.preferences.filters.values())


async def test_commands_say_every_value_of_every_choice() -> None:
    """The palette sets one by name."""
    async with monitor(quick()) as (app, pilot):
        await palette(pilot, app, "book: shape dom")
        assert app.monitor.preferences.options["book"] == {"shape": "dom"}


async def test_a_level_is_unfolded_and_escape_lets_go_of_the_cursor() -> None:
    """Escape first lets go of the cursor, and leaves the view only then."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, "d", "tab", "tab", "j")
        assert app.monitor.desk.focused == "book"
        assert app.monitor._presenter.panes.ladders.of("BINANCE:BTC/USDT").cursor is not None
        await press(pilot, "escape")
        assert app.monitor._presenter.panes.ladders.of("BINANCE:BTC/USDT").cursor is None
        assert app.monitor.desk.view.value == "depth"
        await press(pilot, "escape")
        assert app.monitor.desk.view.value == "market"


def first_symbols(app: PaintedApp) -> list[str]:
    """Return the names in the watchlist's rows."""
    lines = app.part("instruments").split("\n")[2:5]
    return [" ".join(line.strip("│").split()[1:3]) for line in lines]


async def test_the_watchlist_is_walked_sorted_and_chosen_from() -> None:
    """The cursor stands still while rows are sorted elsewhere; enter shows what it points at."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, "shift+tab", "j", "j", "enter")
        assert app.monitor.desk.selected == "BINANCE:ETH/USDT"
        await press(pilot, "escape", *["s"] * 5)
        assert app.monitor.preferences.options["instruments"]["sort"] == "name"
        assert first_symbols(app) == sorted(first_symbols(app))


async def test_pins_come_and_go_and_the_last_one_stays() -> None:
    """``P`` lets go of the selected one and takes it back at the end."""
    stage = quick()
    async with monitor(stage) as (app, pilot):
        await press(pilot, "P")
        assert stage.pinned == ["OKX:BTC/USDT", "BINANCE:ETH/USDT"]
        await press(pilot, "P")
        assert stage.pinned == ["OKX:BTC/USDT", "BINANCE:ETH/USDT", "BINANCE:BTC/USDT"]
        for name in ("OKX:BTC/USDT", "BINANCE:ETH/USDT", "BINANCE:BTC/USDT"):
            app.monitor.toggle_pin(name)
        assert stage.pinned == ["BINANCE:BTC/USDT"]


async def test_arrows_go_back_in_time_on_the_heatmap() -> None:
    """And space follows the market again."""
    stage = Stage(instruments=2).open(90)
    kept = Preferences(options={"heat": {"column": "1"}})
    async with monitor(stage, size=(80, 24), preferences=kept) as (app, pilot):
        await press(pilot, "h")
        now = app.part("heat")
        await press(pilot, "left")
        assert app.part("heat") != now
        await press(pilot, "space")
        assert app.part("heat") == now


async def test_grouping_adds_prices_up() -> None:
    """Prices of the ladder are multiples of the group."""
    async with monitor(quick()) as (app, pilot):
        await press(pilot, *["right_square_bracket"] * 5)
        group = app.monitor.preferences.group("book", "BINANCE:BTC/USDT")
        assert group is not None
        prices = [price.replace(",", "") for price in column(app.part("book"), "price")]
        on = [price for price in prices if (float(price) / float(group)) % 1 in (0.0,)]
        assert len(on) >= len(prices) - 1
