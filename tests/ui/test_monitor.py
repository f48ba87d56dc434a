"""The monitor on a market that stands still: instruments, picker, palette, views and help."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from textual import events

from cadenza_tui.ui.keys import KEYS, help_keys
from tests.support.columns import column

from .stage import PaintedApp, Stage, monitor, press, settle, until

if TYPE_CHECKING:
    from cadenza_tui.market.records import InstrumentId


def named(app: PaintedApp) -> InstrumentId:
    """Return the instrument that the status line names."""
    symbol, venue = app.glass.lines[0].split()[:2]
    return f"{venue}:{symbol}"


class Watch:
    """Looks at each frame: whatever instrument the top line names, no other's price is in book or tape."""

    def __init__(self, app: PaintedApp) -> None:
        self._app = app
        self._known: dict[InstrumentId, set[str]] = {}
        self.seen: list[InstrumentId] = []
        self.strangers: list[str] = []
        self.learn()
        app.glass.on_frame = self._look

    def learn(self) -> None:
        """Take note of all the prices that the books have now, and of their touch's middle."""
        for name in self._app.stage.exchange.markets:
            self._known.setdefault(name, set()).update(self._app.stage.prices(name))

    def _look(self) -> None:
        name = named(self._app)
        if not self.seen or self.seen[-1] != name:
            self.seen.append(name)
        ladder = column(self._app.part("book"), "price")
        middles = [token for token in ladder if token not in self._known[name]]
        if len(ladder) < 10 or len(middles) > 1:
            self.strangers.append(f"{name}: {ladder}")
        if middles:
            at = ladder.index(middles[0])
            ask, mid, bid = (Decimal(token.replace(",", "")) for token in ladder[at - 1 : at + 2])
            if not ask > mid > bid:
                self.strangers.append(f"{name}: {middles}")
        decimals = {len(price.partition(".")[2]) for price in self._known[name]}
        for price in column(self._app.part("tape"), "price"):
            bid, ask = (Decimal(ladder[0].replace(",", "")), Decimal(ladder[-1].replace(",", "")))
            near = abs(Decimal(price.replace(",", "")) / ((bid + ask) / 2) - 1) < Decimal("0.001")
            if not near or len(price.partition(".")[2]) not in decimals:
                self.strangers.append(f"{name}: print {price}")


async def test_the_first_instrument_is_shown() -> None:
    """Book, tape, balances and status line are there without a key pressed."""
    async with monitor() as (app, _):
        assert named(app) == "BINANCE:BTC/USDT"
        assert app.stage.shown == ["BINANCE:BTC/USDT"]
        shown = column(app.part("book"), "price")
        assert len(app.stage.prices("BINANCE:BTC/USDT") & set(shown)) == len(shown) - 1
        assert column(app.part("tape"), "price")
        assert "812,004.12" in app.part("account")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["n"], ["OKX:BTC/USDT"]),
        (["N"], ["DERIBIT:BTC-PERP/USDC"]),
        (["n", "n", "N"], ["OKX:BTC/USDT", "BINANCE:ETH/USDT", "OKX:BTC/USDT"]),
        (["3", "5", "1"], ["BINANCE:ETH/USDT", "DERIBIT:BTC-PERP/USDC", "BINANCE:BTC/USDT"]),
        (["4", "backspace", "backspace"], ["OKX:SOL/USDT", "BINANCE:BTC/USDT", "OKX:SOL/USDT"]),
        (["9"], []),
    ],
    ids=" ".join,
)
async def test_keys_switch_the_instrument_within_a_frame(keys: list[str], expected: list[str]) -> None:
    """The first frame that names the new instrument shows its prices and no other's, in book and tape."""
    async with monitor() as (app, pilot):
        watch = Watch(app)
        for key in keys:
            app.stage.advance(0.1)
            watch.learn()
            await press(pilot, key)
        assert watch.seen[-len(expected) :] == expected if expected else watch.seen in ([], [named(app)])
        assert watch.strangers == []
        assert app.stage.shown[1:] == expected


async def test_a_key_held_down_never_mixes_two_markets() -> None:
    """Many switches between two frames, while all the books move."""
    async with monitor() as (app, pilot):
        watch = Watch(app)
        for _ in range(4):
            app.stage.advance(0.1)
            watch.learn()
            await pilot.press("n", "n", "2", "N", "backspace", "n")
        await settle(pilot)
        assert len(watch.seen) > 4
        assert watch.strangers == []


async def test_an_instrument_without_a_book_says_so_at_once() -> None:
    """Nothing of the market before is left under the new name."""
    stage = Stage().open()
    del stage.market.books["OKX:BTC/USDT"], stage.market.tapes["OKX:BTC/USDT"]
    async with monitor(stage) as (app, pilot):
        await press(pilot, "2")
        assert column(app.part("book"), "price") == column(app.part("tape"), "price") == []
        assert "snapshot" in app.part("book")


# --- picker


async def test_the_picker_filters_by_letters_and_enter_selects() -> None:
    """``/``, a few letters of symbol and venue, enter."""
    async with monitor() as (app, pilot):
        await press(pilot, "slash")
        assert "Find an instrument" in app.glass.text
        assert app.glass.text.count("ETH/USDT") == 2  # watchlist and picker
        await press(pilot, *"sol")
        matches = app.glass.part(app.screen.query_one("#matches"))
        assert "SOL/USDT" in matches
        assert "ETH/USDT" not in matches
        await press(pilot, "enter")
        assert "Find an instrument" not in app.glass.text
        assert named(app) == "OKX:SOL/USDT"


async def test_letters_and_enter_in_one_go_choose_what_they_mean() -> None:
    """A quick typist or a paste never takes the match of the letters before."""
    async with monitor() as (app, pilot):
        await press(pilot, "slash")
        for key in (*"eth", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: "Find an instrument" not in app.glass.text)
        await settle(pilot)
        assert named(app) == "BINANCE:ETH/USDT"


async def test_the_picker_moves_its_cursor() -> None:
    """Down and up, round and round."""
    async with monitor() as (app, pilot):
        await press(pilot, "slash", "down", "down", "up", "up", "up", "enter")
        assert named(app) == "DERIBIT:BTC-PERP/USDC"


async def test_escape_leaves_the_picker_with_nothing_changed() -> None:
    """Even with something typed; and the keys of the monitor work again."""
    async with monitor() as (app, pilot):
        await press(pilot, "slash", *"eth", "escape")
        assert "Find an instrument" not in app.glass.text
        assert named(app) == "BINANCE:BTC/USDT"
        await press(pilot, "n")
        assert named(app) == "OKX:BTC/USDT"


async def test_letters_typed_into_the_picker_are_no_commands() -> None:
    """``b``, ``n``, ``q`` and ``p`` are text there; no match is said."""
    async with monitor() as (app, pilot):
        await press(pilot, "slash", *"bnqp")
        assert "no instrument matches" in app.glass.text
        assert "812,004.12" in app.glass.text
        await press(pilot, "enter")
        assert named(app) == "BINANCE:BTC/USDT"


# --- help, palette, views


@pytest.mark.parametrize("size", [(120, 48), (80, 80)])
async def test_the_help_shows_every_key(size: tuple[int, int]) -> None:
    """Each key of the table, with what it does, and escape leaves."""
    async with monitor(size=size) as (app, pilot):
        await press(pilot, "question_mark")
        await until(pilot, lambda: KEYS[-1].help in app.glass.text)
        for keys, words, group in help_keys("book", "Book"):
            assert keys in app.glass.text, keys
            assert words in app.glass.text, keys
            assert group in app.glass.text
        await press(pilot, "escape")
        assert KEYS[-4].help not in app.glass.text
        assert named(app) == "BINANCE:BTC/USDT"


async def test_a_long_help_scrolls_on_a_small_screen() -> None:
    """The last key comes into sight at 80x24."""
    async with monitor(size=(80, 24)) as (app, pilot):
        await press(pilot, "question_mark")
        await until(pilot, lambda: KEYS[0].help in app.glass.text)
        await press(pilot, *["j"] * len(KEYS))
        await until(pilot, lambda: "back one level" in app.glass.text)


async def palette(pilot: object, app: PaintedApp, words: str) -> None:
    """Type a command into the palette and take it."""
    from textual.command import CommandPalette
    from textual.pilot import Pilot
    from textual.widgets import OptionList

    assert isinstance(pilot, Pilot)
    await press(pilot, "ctrl+p")
    await until(pilot, lambda: isinstance(app.screen, CommandPalette))
    await press(pilot, *[{" ": "space", ":": "colon"}.get(letter, letter) for letter in words])
    found = app.screen.query_one(OptionList)

    def offered() -> bool:
        return bool(found.option_count) and words in app.glass.text.lower()

    await until(pilot, offered)
    titles = [str(option.prompt).lower() for option in found.options]
    at = next(n for n, title in enumerate(titles) if title.startswith(words))
    while found.highlighted != at:
        await press(pilot, "down")
    await press(pilot, "enter")
    await until(pilot, lambda: not isinstance(app.screen, CommandPalette))
    await settle(pilot)


async def test_the_palette_changes_the_theme() -> None:
    """``ctrl+p``, "theme: light", enter: every cell is in the other theme."""
    async with monitor() as (app, pilot):
        await palette(pilot, app, "theme: light")
        assert app.palette.name == "light"
        grounds = {str(cell.bg) for row in app.glass.screen.buffer.values() for cell in row.values()}
        assert "faf9f6" in grounds
        assert not grounds & {"0d1015", "11151c"}


async def test_the_palette_shows_an_instrument() -> None:
    """ "Show X" is there for every instrument."""
    async with monitor() as (app, pilot):
        await palette(pilot, app, "show okx:sol")
        assert named(app) == "OKX:SOL/USDT"


async def test_the_palette_does_what_a_key_does() -> None:
    """Every action is there by its words."""
    async with monitor() as (app, pilot):
        await palette(pilot, app, "mask and unmask")
        assert "812,004.12" not in app.glass.text


async def test_the_theme_changes_live() -> None:
    """``t`` and ``t`` again; colours of the old theme are gone from the whole screen."""
    async with monitor() as (app, pilot):
        assert app.glass.colour(3, 0) == "f2f5f9"
        dark = {str(cell.fg) for row in app.glass.screen.buffer.values() for cell in row.values()}
        await press(pilot, "t")
        light = {str(cell.fg) for row in app.glass.screen.buffer.values() for cell in row.values()}
        assert app.glass.colour(3, 0) == "000000"
        assert not (dark & light) - {"default"}
        await press(pilot, "t")
        assert app.glass.colour(3, 0) == "f2f5f9"


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (["g", "a"], "accounts"),
        (["f2"], "accounts"),
        (["g", "h"], "health"),
        (["f3"], "health"),
        (["i"], "health"),
        (["g", "a", "g", "m"], "book"),
        (["g", "h", "f1"], "book"),
        (["g", "a", "escape"], "book"),
        (["g", "h", "g", "a"], "accounts"),
    ],
    ids=lambda keys: " ".join(keys) if isinstance(keys, list) else keys,
)
async def test_views(keys: list[str], shown: str) -> None:
    """The view's pane has the room, and the panes of the others are not on the screen."""
    async with monitor() as (app, pilot):
        await press(pilot, *keys)
        on_screen = {name for name in ("book", "accounts", "health") if app.pane(name).display}
        assert on_screen == {shown}
        wanted = {"book": "Book", "accounts": "Market making", "health": "orderBook"}[shown]
        assert wanted in app.part(shown)


async def test_a_letter_after_g_that_is_no_view_is_itself() -> None:
    """The footer offers the views while ``g`` waits; ``g n`` is the next instrument."""
    async with monitor() as (app, pilot):
        await press(pilot, "g")
        assert "m market" in app.part("footer")
        await press(pilot, "n")
        assert named(app) == "OKX:BTC/USDT"
        assert "find" in app.part("footer")


async def test_escape_after_g_just_ends_the_waiting() -> None:
    """``g escape a`` is not the account view."""
    async with monitor() as (app, pilot):
        await press(pilot, "g", "escape")
        assert "find" in app.part("footer")
        await press(pilot, "a")
        assert app.pane("book").display


async def test_resync_asks_the_feed() -> None:
    """``R`` is for the selected book."""
    async with monitor() as (app, pilot):
        await press(pilot, "3", "R")
        assert app.stage.resynced == ["BINANCE:ETH/USDT"]


async def test_quit_ends_the_feed_and_leaves_with_zero() -> None:
    """``q`` closes the source."""
    async with monitor() as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: app.return_code is not None or app._exit)
        assert app.return_value == 0
        assert app.stage._closed.is_set()


async def test_a_bug_in_painting_ends_the_program() -> None:
    """A screen that stands still without a word would lie."""
    stage = Stage().open(0.5)
    app = PaintedApp(stage)
    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=(120, 40)) as pilot:
            app.monitor._presenter.line = lambda *_: 1 / 0  # type: ignore[assignment,method-assign]
            await pilot.press("n")
            await pilot.pause()
