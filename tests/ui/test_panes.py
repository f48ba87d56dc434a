"""What a person does to panes: focus, zoom, pause, scroll, mask; the account's tabs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.ui.desk import Desk
from cadenza_tui.ui.preferences import Preferences
from cadenza_tui.ui.presenter import Presenter
from cadenza_tui.view.rows import Bars
from cadenza_tui.view.text import row_cells
from tests.support.columns import column

from .stage import SECOND, PaintedApp, Stage, monitor, press, roll, settle, spelled

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from cadenza_tui.view.rows import Row

ACCENT = "e6b450"
CURSOR = "1c2430"
PANES = ("instruments", "book", "tape", "account")


def lit(app: PaintedApp) -> list[str]:
    """Return the panes whose border has the colour of the focus, at its corner and at its side."""
    shown = [name for name in PANES if app.pane(name).display]
    corners = {name: app.pane(name).region for name in shown}
    return [
        name
        for name, at in corners.items()
        if app.glass.colour(at.x, at.y) == app.glass.colour(at.x, at.bottom - 1) == ACCENT
    ]


async def test_tab_moves_the_focus_through_all_panes_and_round() -> None:
    """One border is lit at a time."""
    async with monitor() as (app, pilot):
        seen = [lit(app)]
        for _ in PANES:
            await press(pilot, "tab")
            seen.append(lit(app))
        assert seen == [["book"], ["tape"], ["account"], ["instruments"], ["book"]]


async def test_shift_tab_moves_it_back() -> None:
    """The other way round."""
    async with monitor() as (app, pilot):
        await press(pilot, "shift+tab")
        assert lit(app) == ["instruments"]
        await press(pilot, "shift+tab")
        assert lit(app) == ["account"]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40)])
async def test_every_pane_can_be_reached_at_every_size(size: tuple[int, int]) -> None:
    """A pane that has no room gets it with the focus."""
    async with monitor(size=size) as (app, pilot):
        seen = []
        for _ in PANES:
            await press(pilot, "tab")
            seen += lit(app)
        assert sorted(seen) == sorted(PANES)


async def test_the_focus_returns_with_the_market_view() -> None:
    """It is where it was before the other view."""
    async with monitor() as (app, pilot):
        await press(pilot, "tab", "g", "h", "escape")
        assert lit(app) == ["tape"]


async def test_zoom_gives_a_pane_the_room_and_gives_it_back() -> None:
    """``z`` twice, and escape does the same as the second."""
    async with monitor() as (app, pilot):
        before = {name: app.pane(name).region for name in PANES}
        text = app.glass.text
        for back in ("z", "escape"):
            await press(pilot, "z")
            assert [name for name in PANES if app.pane(name).display] == ["book"]
            assert app.pane("book").region == (0, 1, 120, 38)
            assert len(column(app.part("book"), "price")) > 30
            await press(pilot, back)
            assert {name: app.pane(name).region for name in PANES} == before
            assert app.glass.text == text


async def test_a_zoomed_pane_hands_its_room_to_the_next_by_tab() -> None:
    """The focus moves, the zoom stays."""
    async with monitor() as (app, pilot):
        await press(pilot, "z", "tab")
        assert [name for name in PANES if app.pane(name).display] == ["tape"]


def prints(app: PaintedApp) -> list[str]:
    """Return the prints on the tape, without the sums below them."""
    return [line for line in app.part("tape").split("\n") if "▲ " in line or "▼ " in line][:15]


async def test_a_paused_tape_counts_what_it_does_not_show() -> None:
    """ "+N" is exact, the prints stand still, and the second ``p`` shows all of them."""
    async with monitor() as (app, pilot):
        await press(pilot, "tab", "p")
        assert "‖" in app.part("tape")
        tape = app.stage.market.tape("BINANCE:BTC/USDT")
        before, body = tape.count, prints(app)
        app.stage.advance(1.0)
        await settle(pilot)
        assert tape.count > before
        assert f"‖ paused +{tape.count - before} " in app.part("tape")
        assert prints(app) == body
        await press(pilot, "p")
        assert "‖" not in app.part("tape")
        newest = [f"{trade.price:,}" for trade in tape.latest(10)]
        assert column(app.part("tape"), "price")[:10] == newest


async def test_a_paused_book_stands_and_says_so() -> None:
    """The ladder is frozen and dimmed while the book goes on; the second ``p`` catches up."""
    async with monitor() as (app, pilot):
        frozen = column(app.part("book"), "price")
        colours = app.glass.colours(app.pane("book"))
        await press(pilot, "p")
        assert "‖ paused" in app.part("book")
        assert "57b894" not in app.glass.colours(app.pane("book"))
        app.stage.advance(1.0)
        await settle(pilot)
        assert column(app.part("book"), "price") == frozen
        touch = app.stage.market.book("BINANCE:BTC/USDT").best_bid
        assert touch is not None
        assert f"{float(touch.price):,.2f} ×" in app.glass.lines[0]
        await press(pilot, "p")
        assert "paused" not in app.part("book")
        assert set(column(app.part("book"), "price")) & app.stage.prices("BINANCE:BTC/USDT")
        assert column(app.part("book"), "price") != frozen
        assert app.glass.colours(app.pane("book")) >= colours - {"b794f6"}


async def test_what_stands_is_fitted_to_another_width() -> None:
    """Made narrower while it is paused: the same levels, in rows of the pane's width."""
    async with monitor() as (app, pilot):
        await press(pilot, "p")
        before = column(app.part("book"), "price")
        app.stage.advance(1.0)
        await press(pilot, *["less_than_sign"] * 2)
        assert column(app.part("book"), "price") == before
        pane = app.monitor._panes["book"]
        width, height = pane.inside
        made = app.monitor._presenter.pane("book", width, height, app.stage.now())
        assert {row_cells(row) for row in made.body} == {width}


def test_what_stands_is_whole_again_when_it_has_its_width_back() -> None:
    """A pane that was narrower for a while has lost nothing of what it showed when it was paused."""
    stage, desk = Stage().open(), Desk()
    desk.select(stage.pinned[0])
    presenter = Presenter(stage, desk, Preferences(), bars=Bars.TINT)
    presenter.pause("book")
    before = presenter.pane("book", 70, 20, stage.time)
    assert presenter.pane("book", 20, 20, stage.time) != before
    assert presenter.pane("book", 70, 20, stage.time) == before


async def test_a_pause_ends_with_the_instrument() -> None:
    """A frozen pane never shows another instrument's rows."""
    async with monitor() as (app, pilot):
        await press(pilot, "p", "n")
        assert "paused" not in app.part("book")
        assert len(set(column(app.part("book"), "price")) & app.stage.prices("OKX:BTC/USDT")) > 10


async def test_escape_ends_every_pause() -> None:
    """Book and tape both go on."""
    async with monitor() as (app, pilot):
        await press(pilot, "p", "tab", "p")
        assert "‖ paused" in app.part("book")
        assert "‖" in app.part("tape")
        await press(pilot, "escape")
        assert "‖" not in app.glass.text


def cursor_rows(app: PaintedApp) -> list[str]:
    """Return the rows of the book on the ground of the cursor."""
    at = app.pane("book").region
    buffer = app.glass.screen.buffer
    return [
        app.glass.lines[y][at.x : at.right]
        for y in range(at.y, at.bottom)
        if any(buffer[y][x].bg == CURSOR for x in range(at.x, at.right))
    ]


async def test_the_ladder_cursor_says_the_depth_up_to_it() -> None:
    """``j`` goes down into the bids, ``k`` up into the asks; the row says sum, notional and distance."""
    async with monitor(size=(200, 60)) as (app, pilot):
        book = app.stage.market.book("BINANCE:BTC/USDT")
        ladder = column(app.part("book"), "price")
        spread = cursor_rows(app)
        for key, side in (("j", book.bids), ("k", book.asks)):
            await press(pilot, key)
            level, said = (row for row in cursor_rows(app) if row not in spread)
            assert spelled(side.top(1)[0].price) in level
            assert spelled(side.top(1)[0].price) in said
            assert "Σ" in said
            assert "bps" in said
        assert column(app.part("book"), "price") == ladder


async def test_the_cursor_takes_the_ladder_along_and_space_brings_it_back() -> None:
    """Deep levels come into sight at the edge, and the touch is in the middle again after ``space``."""
    async with monitor() as (app, pilot):
        before = app.part("book")
        await press(pilot, *["j"] * 16)
        assert column(app.part("book"), "price")[-1] != column(before, "price")[-1]
        await press(pilot, "space")
        assert app.part("book") == before


async def test_the_cursor_stays_inside_the_ladder() -> None:
    """However often ``k`` is pressed: no error, a cursor in sight, and ``space`` still works."""
    async with monitor(size=(80, 24)) as (app, pilot):
        before, spread = app.part("book"), cursor_rows(app)
        for key in ("k", "j"):
            for _ in range(50):
                app.monitor.action_move(-1 if key == "k" else 1)
            await press(pilot, key)
            rows = [row for row in cursor_rows(app) if row not in spread]
            assert len([row for row in rows if "▸" not in row]) == 1
        await press(pilot, "space")
        assert app.part("book") == before


async def test_a_tape_scrolls_and_comes_back() -> None:
    """``j`` on the tape shows older prints, lets them stand and says how many newer there are."""
    async with monitor() as (app, pilot):
        await press(pilot, "tab", "j", "j")
        assert "‖ +2 " in app.part("tape")
        await press(pilot, "space")
        assert "‖" not in app.part("tape")


def amounts(app: PaintedApp) -> set[str]:
    """Return every amount of the accounts, spelled as they may stand on the screen, without its zeros."""
    found = set()
    for account in app.stage.market.accounts.values():
        for held in account.balances.values():
            found |= {
                f"{value:,f}".rstrip("0").rstrip(".")
                for value in (held.total, held.free, held.locked)
                if value
            }
    return {amount for amount in found if len(amount) > 3}


async def visit(app: PaintedApp, pilot: Pilot[int]) -> dict[str, str]:
    """Return what stands in the account pane's tabs and in the account view."""
    seen = {}
    for tab in ("balances", "positions", "orders", "fills"):
        seen[tab] = " ".join(app.part("account").split())
        await press(pilot, "right")
    await press(pilot, "g", "a")
    seen["accounts"] = " ".join(app.part("accounts").split())
    await press(pilot, "g", "m")
    return seen


async def test_masking_hides_every_amount_and_shows_it_again() -> None:
    """No digit of a balance, an equity, a quantity of an order or fill is on any screen while masked."""
    stage = Stage(instruments=3, rate=60).open(30.0)
    async with monitor(stage) as (app, pilot):
        open_ = await visit(app, pilot)
        assert sum(amount in open_["balances"] for amount in amounts(app)) >= 4
        await press(pilot, "b")
        assert "amounts masked" in app.part("footer")
        masked = await visit(app, pilot)
        for name, text in masked.items():
            assert not [amount for amount in amounts(app) if amount in text], name
            assert "•••••" in text or "No " in text, name
        digits = re.sub(
            r"\d+ (s|m|h)\b|\+\d|Orders \d+|Fills \d+|\d+%", "", masked["balances"].partition("age")[2]
        )
        assert not re.search(r"\d", digits), digits
        await press(pilot, "b")
        assert await visit(app, pilot) == open_


async def test_arrows_turn_the_tabs_of_the_account() -> None:
    """Right and left, round and round; the tab's name is the lit one."""
    async with monitor() as (app, pilot):
        heads = [app.part("account").split("\n")[1]]
        for _ in range(4):
            await press(pilot, "right")
            heads.append(app.part("account").split("\n")[1])
        assert heads[0] == heads[4]
        await press(pilot, "left", "left")
        assert "No working orders" in app.part("account") or "filled" in app.part("account")


async def test_full_stop_and_comma_turn_the_accounts() -> None:
    """The other account's name and balances."""
    async with monitor() as (app, pilot):
        assert "Market making" in app.part("account")
        await press(pilot, "full_stop")
        assert "Treasury" in app.part("account")
        assert "268,411.55" in app.part("account")
        await press(pilot, "comma")
        assert "Market making" in app.part("account")


async def test_a_click_focuses_a_pane_and_chooses_an_instrument() -> None:
    """The mouse does what the keys do."""
    async with monitor() as (app, pilot):
        await pilot.click("#tape", offset=(5, 5))
        await settle(pilot)
        assert lit(app) == ["tape"]
        await pilot.click("#instruments", offset=(5, 4))
        await settle(pilot)
        assert app.glass.lines[0].split()[:2] == ["ETH/USDT", "BINANCE"]


async def test_the_wheel_scrolls_the_pane_under_the_mouse() -> None:
    """Whichever has the focus, which stays there; over no pane nothing happens."""
    async with monitor() as (app, pilot):
        panes = app.monitor._presenter.panes
        roll(app, "tape")
        await settle(pilot)
        assert "‖" in app.part("tape").split("\n")[0]
        assert panes.ladders.of("BINANCE:BTC/USDT").cursor is None
        assert lit(app) == ["book"]
        roll(app, "footer")
        await settle(pilot)
        assert panes.ladders.of("BINANCE:BTC/USDT").cursor is None
        roll(app, "book", -1)
        await settle(pilot)
        assert panes.ladders.of("BINANCE:BTC/USDT").cursor is not None


async def test_no_key_changes_what_is_out_of_sight() -> None:
    """With the tape alone on the screen, accounts, their tables and other panes stay as they are."""
    async with monitor(size=(80, 24)) as (app, pilot):
        await press(pilot, "d", "tab", "tab", "j", "f1")
        cursor = app.monitor._presenter.panes.ladders.of("BINANCE:BTC/USDT").cursor
        assert cursor is not None
        await press(pilot, "tab")
        assert app.monitor.desk.focused == "tape"
        await press(pilot, "x", "space", "full_stop", "right", "s", "S", "0", "v", "f", "escape")
        assert app.monitor.desk.tab == 0
        assert app.monitor.preferences == Preferences(view="market")
        ladder = app.monitor._presenter.panes.ladders.of("BINANCE:BTC/USDT")
        assert (ladder.cursor, ladder.unfolding) == (cursor, False)


def test_windows_of_the_tape_end_at_the_servers_time() -> None:
    """Our clock is half a minute ahead, prints are dated by the server: the last ten seconds are the same."""
    stage, desk, preferences = Stage().open(), Desk(), Preferences(options={"tape": {"window": "10s"}})
    desk.select(stage.pinned[0])

    def body() -> tuple[Row, ...]:
        return Presenter(stage, desk, preferences, bars=Bars.TINT).pane("tape", 60, 20, stage.time).body

    before = body()
    stage.time += 30 * SECOND
    assert body() != before
    stage.market.health.connection.clock_offset_ms = -30_000.0
    assert body() == before
