"""What a person does in the Account view and in the account pane: by keys, as the screen shows it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from cadenza_tui.market.differences import Difference
from cadenza_tui.market.state import Topic
from cadenza_tui.ui.commands import MonitorCommands
from cadenza_tui.ui.desk import View
from cadenza_tui.ui.preferences import Preferences
from cadenza_tui.ui.prompt import PromptScreen

from .stage import SECOND, PaintedApp, Stage, monitor, press, roll, settle, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

SIZES = [(40, 12), (80, 24), (120, 40), (200, 60)]


def stage_of(app: PaintedApp) -> Stage:
    """Return what the monitor is opened on."""
    assert isinstance(app.source, Stage)
    return app.source


def title(app: PaintedApp, pane: str = "accounts") -> str:
    """Return the top edge of a pane."""
    return app.part(pane).split("\n")[0]


def column(app: PaintedApp, heading: str = "asset") -> list[str]:
    """Return the first words of the rows of the first table whose first heading this is."""
    lines = [line.strip("│ ") for line in app.part("accounts").split("\n")]
    at = next(n for n, line in enumerate(lines) if line.startswith(heading))
    rows = []
    for line in lines[at + 1 :]:
        if not line:
            break
        rows.append(line.lstrip("•▸ ").split()[0])
    return rows


async def test_the_view_begins_with_all_accounts_and_goes_round_by_keys() -> None:
    """``.`` and ``,``: all, each of them, and all again; the title says which."""
    async with monitor(view=View.ACCOUNT) as (app, pilot):
        names = [account.nickname for account in app.stage.exchange.accounts.values()]
        assert f"all {len(names)}" in title(app)
        for number, name in enumerate(names, 1):
            await press(pilot, "full_stop")
            assert f"{name} ·" in title(app)
            assert f"{number} of {len(names)}" in title(app)
        await press(pilot, "full_stop")
        assert f"all {len(names)}" in title(app)
        await press(pilot, "comma")
        assert f"{names[-1]} ·" in title(app)


async def test_the_market_views_pane_begins_with_the_first_account() -> None:
    """Each view has its own choice; the pane can show all of them too."""
    async with monitor() as (app, pilot):
        accounts = len(app.stage.exchange.accounts)
        assert f"Market making +{accounts - 1}" in title(app, "account")
        await press(pilot, "comma")
        assert f"all {accounts} accounts" in title(app, "account")
        await press(pilot, "full_stop", "g", "a")
        assert f"all {accounts}" in title(app)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_asset_total_and_value_at_every_size(size: tuple[int, int], theme: str) -> None:
    """The headings and the bitcoins, in both themes; the touch stays on the top line."""
    async with monitor(size=size, theme=theme, view=View.ACCOUNT) as (app, _):
        part = app.part("accounts")
        assert all(word in part for word in ("asset", "total", "value USDT"))
        assert re.search(r"BTC +\d+\.\d+.* \d{3},\d{3}", part)
        assert "BTC/USDT" in app.glass.lines[0]


async def test_the_footer_has_the_accounts_keys_there_alone() -> None:
    """At 80 columns: account, sort, filter, dust, currency, mask; elsewhere those of the market."""
    async with monitor(size=(80, 24), view=View.ACCOUNT) as (app, pilot):
        assert app.part("footer").split("   ")[0].strip().startswith(". account  s sort  f filter  0 dust")
        await press(pilot, "g", "m")
        assert "find" in app.part("footer")
        assert "dust" not in app.part("footer")


async def test_sorting_by_keys_is_shown_in_the_heading_and_kept(tmp_path: Path) -> None:
    """``s`` the next order, ``S`` the other way round; a restart finds it again."""
    path = tmp_path / "preferences.json"
    async with monitor(view=View.ACCOUNT, preferences=Preferences(path)) as (app, pilot):
        assert "value USDT ▾" in app.part("accounts")
        await press(pilot, "s")
        assert "asset ▴" in app.part("accounts")
        assert column(app) == sorted(column(app))
        await press(pilot, "S")
        assert "asset ▾" in app.part("accounts")
        assert column(app) == sorted(column(app), reverse=True)
        before = column(app)
    async with monitor(view=View.ACCOUNT, preferences=Preferences.load(path)) as (app, _):
        assert column(app) == before


async def test_the_sort_key_is_for_the_table_of_the_cursor() -> None:
    """With the arrows one goes from table to table, from the last one to the first."""
    async with monitor(Stage().open(30), view=View.ACCOUNT) as (app, pilot):
        await press(pilot, "left")
        await press(pilot, "s")
        assert app.monitor.preferences.sorts == {"fills": "instrument"}
        await press(pilot, "right", "s")
        assert app.monitor.preferences.sorts["accounts"] == "equity"


async def type_(pilot: Pilot[int], app: PaintedApp, words: str) -> None:
    """Open the filter's prompt and type."""
    await press(pilot, "f")
    await until(pilot, lambda: isinstance(app.screen, PromptScreen))
    await press(pilot, *[{" ": "space"}.get(letter, letter) for letter in words])


async def test_the_filter_follows_what_is_typed_and_enter_keeps_it() -> None:
    """Letters that are keys elsewhere are text there; the title says that it filters, and what is hidden."""
    async with monitor(view=View.ACCOUNT) as (app, pilot):
        await type_(pilot, app, "btc")
        assert "filter btc" in title(app)
        assert column(app) == ["BTC"]
        assert "filter btc" in app.part("footer")
        assert not app.monitor.preferences.masked
        await press(pilot, "enter")
        assert column(app) == ["BTC"]
        assert "hidden by the filter" in app.part("accounts")
        assert ". account" in app.part("footer")


async def test_escape_leaves_the_prompt_and_then_takes_the_filter_away() -> None:
    """What was typed meanwhile is forgotten; an empty filter hides nothing."""
    async with monitor(view=View.ACCOUNT) as (app, pilot):
        everything = column(app)
        await type_(pilot, app, "eth")
        await press(pilot, "escape")
        assert column(app) == everything
        await type_(pilot, app, "eth")
        await press(pilot, "enter", "escape")
        assert (column(app), app.monitor.desk.view) == (everything, View.ACCOUNT)
        await type_(pilot, app, "eth")
        await press(pilot, "enter")
        await press(pilot, "f")
        assert app.screen.query_one(Input).value == "eth"
        await press(pilot, "backspace", "backspace", "backspace", "enter")
        assert column(app) == everything


async def test_the_prompt_lies_on_the_footer_alone() -> None:
    """What is filtered stays in sight and goes on."""
    async with monitor(view=View.ACCOUNT, size=(80, 24)) as (app, pilot):
        await press(pilot, "f")
        assert "filter" in app.glass.lines[-1]
        assert "asset, instrument, account" in app.glass.lines[-1]
        assert "Totals by asset" in app.glass.text
        before = app.part("accounts")
        app.stage.advance(30)
        app.monitor._tick()
        await settle(pilot)
        assert app.part("accounts") != before


async def test_dust_goes_by_a_key_and_is_counted() -> None:
    """``0``, and ``0`` again; the choice is kept."""
    stage = Stage().open()
    async with monitor(stage, view=View.ACCOUNT) as (app, pilot):
        held = next(iter(stage.market.accounts.values()))
        nothing = dict.fromkeys(("total", "free", "locked", "net"), Decimal(0))
        held.balances["SOL"] = replace(held.balances["SOL"], **nothing)
        await press(pilot, "full_stop")
        assert "SOL" in column(app)
        await press(pilot, "0")
        assert "SOL" not in column(app)
        assert "1 dust hidden" in app.part("accounts")
        await press(pilot, "0")
        assert "SOL" in column(app)


async def test_the_currency_goes_round_and_says_what_is_unknown() -> None:
    """``v`` through all that something is quoted in and back to each account's own."""
    async with monitor(view=View.ACCOUNT) as (app, pilot):
        seen = []
        for _ in range(6):
            found = re.search(r"value (\w+)", app.part("accounts"))
            assert found is not None
            seen.append((found[1], app.monitor.preferences.currency))
            await press(pilot, "v")
        assert seen[0] == ("USDT", "")
        assert ("USDC", "USDC") in seen
        assert len(set(seen)) >= 3


async def test_a_mask_is_on_every_pane_and_over_a_restart(tmp_path: Path) -> None:
    """From the first frame on, in every view; ``b`` takes it away, and that is kept too."""
    path = tmp_path / "preferences.json"
    async with monitor(preferences=Preferences(path)) as (_, pilot):
        await press(pilot, "b")
    stage = Stage().open()
    app = PaintedApp(stage, preferences=Preferences.load(path), view=View.ACCOUNT)
    frames: list[str] = []
    app.glass.on_frame = lambda: frames.append(app.part("accounts"))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for keys in (["full_stop"], ["j", "j"], ["right"], ["right"], ["comma"], ["g", "h"], ["g", "m"]):
            await press(pilot, *keys)
        totals = [f"{b.total:,}" for a in stage.market.accounts.values() for b in a.balances.values()]
        assert frames
        assert not any(total in frame for frame in frames for total in totals)
        assert not any(total in app.glass.text for total in totals)
        assert "amounts masked" in app.part("footer")
        await press(pilot, "b", "g", "a")
        assert any(total.rstrip("0") in app.glass.text for total in totals)
    assert not Preferences.load(path).masked


async def test_the_cursor_tells_the_price_behind_a_value() -> None:
    """``j`` points at rows; escape lets go before it leaves the view."""
    async with monitor(view=View.ACCOUNT) as (app, pilot):
        await press(pilot, "full_stop", "j", "j")
        assert "BTC · BINANCE:BTC/USDT 61," in app.part("accounts")
        await press(pilot, "escape")
        assert "▸" not in app.part("accounts")
        assert app.pane("accounts").display
        await press(pilot, "escape")
        assert app.pane("book").display


async def test_a_click_points_at_a_row() -> None:
    """At whichever has been clicked, in either of two columns; where there is none nothing happens."""
    async with monitor(Stage().open(30), view=View.ACCOUNT, size=(200, 60)) as (app, pilot):

        async def click(x: int, line: int) -> str:
            await pilot.click("#accounts", offset=(x, line - app.pane("accounts").region.y))
            await settle(pilot)
            return app.monitor._presenter.accounts.memories["accounts"].focused

        for word in ("Treasury", "XRP", "ETH"):
            line = next(n for n, line in enumerate(app.glass.lines) if f" {word} " in line[:20])
            await click(6, line)
            assert app.glass.lines[line].startswith(f"│▸ {word}")
        orders = next(n for n, line in enumerate(app.glass.lines) if "Working orders" in line)
        assert await click(130, orders + 2) == "orders"
        fills = next(n for n, line in enumerate(app.glass.lines) if "Latest fills" in line)
        assert await click(6, fills + 2) == "fills"
        assert await click(6, orders) == "fills"


async def test_a_page_and_the_wheel_go_through_many_rows() -> None:
    """``ctrl+d`` and ``ctrl+u`` by pages, ``space`` back to the first row."""
    async with monitor(view=View.ACCOUNT, size=(80, 24)) as (app, pilot):
        first = app.part("accounts")
        app.monitor.action_page(1)
        await press(pilot, "ctrl+d")
        assert app.part("accounts") != first
        await press(pilot, "space")
        assert app.part("accounts").split("\n")[1:] == first.split("\n")[1:]
        roll(app, "accounts")
        await settle(pilot)
        assert "rows 2–" in title(app)


async def test_what_was_corrected_is_seen_in_the_title_and_in_health() -> None:
    """The latest with what was held and what is; masked, without either."""
    async with monitor(view=View.ACCOUNT) as (app, pilot):
        account = next(iter(app.stage.market.accounts.values()))
        account.compared.found.appendleft(
            Difference(app.stage.time, "balance BTC", "total", "7.65000000", "7.60000000")
        )
        account.compared.count += 1
        app.stage.market.dirty.mark(Topic.ACCOUNT, account.account_id)
        app.monitor._tick()
        await until(pilot, lambda: "≠ 1 corrected 23:54" in title(app))
        await press(pilot, "g", "h")
        assert "balance BTC total: held 7.65000000, is 7.60000000" in app.part("health")
        await press(pilot, "b")
        assert "7.65000000" not in app.part("health")
        assert "balance BTC total: •••••" in app.part("health")


async def test_an_idle_view_writes_nothing_but_the_clock() -> None:
    """Without the clock not one byte, for half a minute between two minutes of its ages."""
    stage = Stage().open()
    stage.market.health.connection.rate = 0.0
    async with monitor(stage, view=View.ACCOUNT, size=(80, 24), preferences=Preferences(clock=False)) as (
        app,
        pilot,
    ):
        stage.time += 125 * SECOND
        stage.market.health.connection.last_frame = stage.time
        app.monitor._tick()
        await settle(pilot)
        before, shown = len(app.glass.written), app.part("accounts")
        for _ in range(5):
            stage.time += 6 * SECOND
            stage.market.health.connection.last_frame = stage.time
            app.monitor._tick()
            await settle(pilot)
        assert app.part("accounts") == shown
        assert len(app.glass.written) == before


async def test_the_clock_goes_by_a_key_and_stays_away(tmp_path: Path) -> None:
    """``T``; at 140 columns there is room for it."""
    path = tmp_path / "preferences.json"
    async with monitor(size=(140, 40), preferences=Preferences(path)) as (app, pilot):
        assert re.search(r"\d\d:\d\d:\d\dZ", app.glass.lines[0])
        await press(pilot, "T")
        assert not re.search(r"\d\d:\d\d:\d\dZ", app.glass.lines[0])
    assert not Preferences.load(path).clock


async def test_a_file_that_cannot_be_read_is_told_on_the_top_line(tmp_path: Path) -> None:
    """And everything is masked."""
    async with monitor(size=(120, 40), preferences=Preferences.load(tmp_path)) as (app, _):
        assert "preferences not read (Is a directory) · b unmasks" in app.glass.lines[0]
        assert "812,004" not in app.glass.text


async def test_the_palette_values_in_a_currency() -> None:
    """One command for each that something is quoted in, and one for each account's own."""
    async with monitor(view=View.ACCOUNT) as (app, pilot):
        commands = MonitorCommands(app.monitor)
        titles = {title: run for title, _, run in commands._commands()}
        titles["Value in USDC"]()
        await settle(pilot)
        assert "value USDC" in app.part("accounts")
        assert stage_of(app).valued_in == "USDC", "the feed brings the prices for it"
        titles["Value in each account's own currency"]()
        await settle(pilot)
        assert "value USDT" in app.part("accounts")


async def test_ctrl_z_suspends(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the application, which knows how."""
    suspended: list[bool] = []
    async with monitor() as (app, pilot):
        monkeypatch.setattr(app, "action_suspend_process", lambda: suspended.append(True))
        await press(pilot, "ctrl+z")
        assert suspended == [True]
