"""A market whose time goes on only when a test says so, and a screen that shows each frame's bytes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyte
from textual import events
from textual._compositor import CompositorUpdate

import cadenza_tui.ui.app
from cadenza_tui.feed.beat import Beat
from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.interest import CandleOrigin, CandleSource, Interest
from cadenza_tui.market.records import TradingAccount
from cadenza_tui.market.state import Market, Topic
from cadenza_tui.simulator import payloads
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.ui.app import MonitorApp
from cadenza_tui.ui.desk import View
from cadenza_tui.wire.channels import parse
from cadenza_tui.wire.rpc import decode_instruments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from rich.console import RenderableType
    from textual.pilot import Pilot
    from textual.screen import Screen
    from textual.widget import Widget

    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.simulator.exchange import Publication
    from cadenza_tui.ui.preferences import Preferences

SECOND = 1_000_000_000
OPENS = 1_723_161_254 * SECOND


class Stage:
    """A source for the monitor: the seeded exchange, fed by hand, and a clock that stands."""

    def __init__(self, seed: int = 7, *, instruments: int = 5, rate: float = 120) -> None:
        self.exchange = Exchange(seed, instruments=instruments, rate=rate, start_ns=OPENS)
        self.market = Market()
        self.ingest = Ingest(self.market, self.now)
        self.time = OPENS
        self.pinned: Sequence[InstrumentId] = ()
        self.shown: list[InstrumentId] = []
        self.wanted = Interest()
        self.resynced: list[InstrumentId] = []
        self.valued_in: str | None = None
        self._beat = Beat(self.market)
        self._closed = asyncio.Event()

    # --- the surface of a feed

    def now(self) -> int:
        """Return the time that the test has set."""
        return self.time

    def show(self, instrument_id: InstrumentId) -> None:
        """Note what is asked for."""
        self.shown.append(instrument_id)
        self._attend()

    def pin(self, ids: Iterable[InstrumentId]) -> None:
        """Replace what is pinned."""
        self.pinned = list(dict.fromkeys(ids))
        self._attend()

    def _attend(self) -> None:
        self.market.attend(self.shown[-1] if self.shown else None, self.pinned[:9])

    def want(self, interest: Interest) -> None:
        """Note what is looked at."""
        self.wanted = interest

    def resync(self, instrument_id: InstrumentId) -> None:
        """Note what is asked for."""
        self.resynced.append(instrument_id)

    def value_in(self, currency: str) -> None:
        """Note what everything is valued in."""
        self.valued_in = currency

    async def run(self) -> None:
        """Do nothing until closed: the test brings what there is."""
        await self._closed.wait()

    async def close(self) -> None:
        """End ``run``."""
        self._closed.set()

    # --- what the test makes happen

    def connect(self) -> None:
        """Be connected, with every instrument listed and pinned and nothing subscribed yet."""
        link = self.market.health.connection
        link.state, link.label, link.since, link.last_frame = ConnectionState.CONNECTED, "demo", OPENS, OPENS
        listed = [payloads.instrument_payload(one) for one in self.exchange.instruments]
        instruments = decode_instruments(msgspec.json.encode({"data": listed}))
        self.pinned = [one.instrument_id for one in instruments][:9]
        self.market.set_instruments(instruments)
        self._attend()
        self.market.dirty.mark(Topic.HEALTH)

    def open(self, seconds: float = 2.0) -> Stage:
        """Be live: whole books, both accounts, and some seconds of market."""
        self.connect()
        for account in self.exchange.accounts.values():
            self.market.apply_account(
                TradingAccount(
                    account.account_id, account.nickname, account.venue, account.account_type, "ACTIVE"
                ),
                OPENS,
            )
            self.feed([self.exchange.portfolio_snapshot(account.account_id)])
        self.feed(self.exchange.book_snapshot(name) for name in self.exchange.markets)
        self.feed(self.exchange.ticker(name) for name in self.exchange.markets)
        self.advance(seconds)
        return self

    def advance(self, seconds: float) -> None:
        """Let the market and the clock go on."""
        until = self.exchange.now_ns + int(seconds * SECOND)
        while self.time < until:
            self.time = min((self.time // SECOND + 1) * SECOND, until)
            self._beat.to(self.time)
            published = self.exchange.advance(self.time, lambda channel: "kline" not in channel)
            self.market.health.connection.last_frame = self.time
            self.feed(published)

    def feed(self, publications: Iterable[Publication]) -> None:
        """Bring publications, as the connection would."""
        for channel, data in publications:
            name = parse(channel)
            assert name is not None, channel
            self.ingest.register(channel, name)
            self.ingest.publication(channel, data, 0, "", self.time)

    def bring_klines(self, instrument_id: InstrumentId, interval: str) -> None:
        """Have the server's candles, and its channel for those to come."""
        market = self.exchange.markets[instrument_id]
        candles = market.candles.latest(interval, 300)
        self.feed([market.kline(interval, candles, self.exchange.now_ns)])
        self.market.candle_sources[instrument_id, interval] = CandleSource(CandleOrigin.SERVER)

    def say(self, state: ConnectionState, reason: str = "", remedy: str = "") -> None:
        """Change the connection's state."""
        link = self.market.health.connection
        link.state, link.reason, link.remedy = state, reason, remedy
        self.market.dirty.mark(Topic.HEALTH)

    def prices(self, instrument_id: InstrumentId) -> set[str]:
        """Return every price of a book as the ladder spells it."""
        book = self.market.book(instrument_id)
        return {spelled(level.price) for side in (book.bids, book.asks) for level in side.levels()}


def spelled(price: str) -> str:
    """Return a price with its thousands set apart."""
    whole, point, fraction = price.partition(".")
    return f"{int(whole):,}{point}{fraction}"


class Glass:
    """A terminal's screen: fed with what would be written, looked at frame by frame."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.Stream(self.screen)
        self.frames = 0
        self.written = ""
        self.on_frame: Callable[[], object] | None = None

    def take(self, sequences: str) -> None:
        """Show one frame."""
        if not sequences:
            return
        self.written += sequences
        self._stream.feed(sequences)
        self.frames += 1
        if self.on_frame is not None:
            self.on_frame()

    @property
    def lines(self) -> list[str]:
        """The lines as a person reads them."""
        return list(self.screen.display)

    @property
    def text(self) -> str:
        """The whole screen as one text."""
        return "\n".join(self.screen.display)

    def part(self, widget: Widget) -> str:
        """Return what stands where a widget is."""
        region = widget.region
        return "\n".join(line[region.x : region.right] for line in self.lines[region.y : region.bottom])

    def colour(self, x: int, y: int) -> str:
        """Return the colour that a cell is written in."""
        return str(self.screen.buffer[y][x].fg)

    def colours(self, widget: Widget) -> set[str]:
        """Return the colours of all that is written inside a pane, its border apart."""
        region = widget.region.shrink((1, 1, 1, 1))
        cells = [
            self.screen.buffer[y][x]
            for y in range(region.y, region.bottom)
            for x in range(region.x, region.right)
        ]
        return {str(cell.fg) for cell in cells if cell.data.strip()}


class PaintedApp(MonitorApp):
    """The monitor with a glass in the place of the terminal."""

    CSS_PATH = str(
        Path(cadenza_tui.ui.app.__file__).with_name("app.tcss")
    )  # else it is sought beside this file

    def __init__(
        self,
        source: Stage,
        *,
        theme: str = "dark",
        preferences: Preferences | None = None,
        view: View = View.MARKET,
    ) -> None:
        self.glass = Glass()
        self.stage = source
        super().__init__(source, theme=theme, preferences=preferences, view=view)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        width, height = self.size
        if (self.glass.screen.columns, self.glass.screen.lines) != (width, height):
            self.glass.screen.resize(height, width)
        update = self._painter.wrap(renderable)
        if isinstance(update, CompositorUpdate) and not self._batch_count:
            self.glass.take(update.render_segments(self.console))
        super()._display(screen, None)

    @property
    def painted_all(self) -> bool:
        """Whether nothing waits to be painted."""
        clock, monitor = self._clock, self.monitor
        waiting = self.stage.market.dirty.any or monitor._due or monitor._retry is not None
        return clock is not None and clock._handle is None and not waiting

    def pane(self, name: str) -> Widget:
        """Return a pane or a line of the monitor."""
        return self.monitor.query_one(f"#{name}")

    def part(self, name: str) -> str:
        """Return what the glass shows of a pane."""
        return self.glass.part(self.pane(name))


async def until(pilot: Pilot[int], condition: Callable[[], object], rounds: int = 60) -> None:
    """Let the program run until ``condition`` holds; say what the screen shows when it never does."""
    for _ in range(rounds):
        if condition():
            return
        await pilot.pause()
    app = pilot.app
    assert isinstance(app, PaintedApp)
    raise AssertionError(f"it never came; the screen shows:\n{app.glass.text}")


def roll(app: PaintedApp, name: str, by: int = 1) -> None:
    """Turn the wheel once over a pane, down if positive."""
    x, y = app.pane(name).region.center
    kind = events.MouseScrollDown if by > 0 else events.MouseScrollUp
    event = kind(None, 0, 0, 0, by, 0, False, False, False, screen_x=int(x), screen_y=int(y))
    (app.monitor.on_mouse_scroll_down if by > 0 else app.monitor.on_mouse_scroll_up)(event)  # type: ignore[arg-type]


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys, and wait for the frame that answers the last of them."""
    app = pilot.app
    assert isinstance(app, PaintedApp)
    await pilot.press(*keys)
    await settle(pilot)


async def settle(pilot: Pilot[int]) -> None:
    """Let the program run until everything that is due has been painted and two looks are the same."""
    app = pilot.app
    assert isinstance(app, PaintedApp)
    before = -1

    def still() -> bool:
        nonlocal before
        same, before = app.glass.frames == before, app.glass.frames
        return same and app.painted_all

    await until(pilot, still)


@asynccontextmanager
async def monitor(
    stage: Stage | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    theme: str = "dark",
    preferences: Preferences | None = None,
    view: View = View.MARKET,
) -> AsyncIterator[tuple[PaintedApp, Pilot[int]]]:
    """Open the monitor, on a live market unless another stage is given, and leave it at the end."""
    stage = stage if stage is not None else Stage().open()
    app = PaintedApp(stage, theme=theme, preferences=preferences, view=view)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield app, pilot
