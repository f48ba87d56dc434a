"""A market, its server, two proxies that hurt, and the real feed behind them; watched all the time."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.feed.subscriptions import ChannelOptions
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import TrustState, book_trust
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.server import Server, ServerOptions
from cadenza_tui.simulator.tokens import mint
from cadenza_tui.wire.channels import Kind
from tests.feed.waiting import eventually
from tests.support.frames import FrameProxy
from tests.support.proxy import TcpProxy
from tests.support.truth import Ledger, Truth, Watcher, book_digest, market_digest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.market.trust import Trust

TIMES = "CADENZA_FAULT_TIMES"
"""Names a file; each fault adds a JSON line to it: what was shown, and how long recovery took."""
QUICK = Options(
    backoff_min=0.05,
    backoff_max=0.2,
    reply_timeout=8.0,
    open_timeout=8.0,
    close_timeout=0.2,
    dead_link_grace=10.0,
    token_retry_min=0.1,
    token_retry_max=0.2,
)
"""Comes back at once, but gives up as late as is bearable: a busy machine is not to look like a fault."""
SERVER = ServerOptions(ping=5.0, pong_timeout=4.0, expired_close_delay=0.3, close_timeout=0.3)
PLAIN = ChannelOptions()
STEP_NS = 20_000_000


class Clock:
    """The real clocks, and as much further as a test has made them jump."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        """Return seconds of the monotonic clock."""
        return time.monotonic() + self.ahead

    def time_ns(self) -> int:
        """Return ns since the epoch."""
        return time.time_ns() + int(self.ahead * 1e9)


class Tokens:
    """A source whose tokens last ``ttl`` seconds."""

    source = "the test's tokens"
    fixed = False

    def __init__(self, secret: str, ttl: float | None = 3_600) -> None:
        self._secret = secret
        self.ttl = ttl
        self.fetched = 0

    async def __call__(self) -> str:
        """Return a fresh one."""
        self.fetched += 1
        return mint(self._secret, now=time.time(), ttl=self.ttl)

    async def probe(self) -> None:
        """Do nothing: the first token is fetched when it is wanted."""


@dataclass
class Shown:
    """What the screen said while a fault lasted and until all was current again."""

    fault: str
    states: dict[str, str] = field(default_factory=dict)
    """State and, of the first time, its reason."""
    recovery_s: float = 0.0

    def write(self) -> None:
        """Add it to the file of times, where one is named."""
        path = os.environ.get(TIMES)
        if path:
            line = {"fault": self.fault, "shown": self.states, "recovery_s": round(self.recovery_s, 3)}
            with Path(path).open("a") as file:
                file.write(json.dumps(line) + "\n")


class World:
    """One world. ``live`` and ``trust`` are what the feed says, not what the exchange knows."""

    def __init__(
        self, exchange: Exchange, server: Server, secret: str, clock: Clock, options: Options
    ) -> None:
        self.exchange = exchange
        self.server = server
        self.clock = clock
        self.truth = Truth(clock.monotonic)
        self.ledger = Ledger(server, self.truth.tell, every=2)
        self.tokens = Tokens(secret)
        self.options = replace(options, now=clock.monotonic)
        self.events: list[Callable[[Event], None]] = []
        self.unsynced: list[tuple[str, Trust]] = []
        """Each book that stopped being in sync, and what was said of it from then on."""
        self.frames: FrameProxy
        self.tcp: TcpProxy
        self.feed: Feed
        self.watcher: Watcher
        self.running: asyncio.Task[None]
        self._pacing: asyncio.Task[None] | None = None

    # --- the market

    def advance(self, seconds: float) -> None:
        """Let the exchange's time go on, and publish what happens, step by step."""
        until = self.exchange.now_ns + int(seconds * 1e9)
        while self.exchange.now_ns < until:
            step = min(until, self.exchange.now_ns + STEP_NS)
            self.server.publish(self.exchange.advance(step, self.server.hub.wanted))

    async def _pace(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            self.advance(min(now - last, 0.2))
            last = now

    def open_market(self) -> None:
        """Let the exchange's time go on by itself."""
        if self._pacing is None:
            self._pacing = asyncio.create_task(self._pace())

    async def close_market(self) -> None:
        """Let the exchange's time rest."""
        if self._pacing is not None:
            self._pacing.cancel()
            await asyncio.gather(self._pacing, return_exceptions=True)
            self._pacing = None

    # --- the feed

    def make_feed(self, url: str, channels: ChannelOptions) -> None:
        """Build the feed and its watcher."""
        stale_after = self.options.dead_link_grace + self.server.options.ping + 2.0
        self.watcher = Watcher(self.truth, stale_after=stale_after, every=2, tops=self.ledger.hub.tops)
        settings = FeedSettings(url, token=self.tokens, options=self.options, channels=channels)
        self.feed = Feed(
            Market(),
            settings,
            now=self.clock.time_ns,
            on_event=self._event,
            on_unsynced=lambda name: self.unsynced.append((name, self.trust(name))),
        )
        self.watcher.attach(self.feed)

    def _event(self, event: Event) -> None:
        self.watcher.event(event)
        for look in self.events:
            look(event)

    @property
    def names(self) -> list[str]:
        """The instruments."""
        return list(self.exchange.markets)

    def book_channel(self, name: str) -> str:
        """Return the channel of an instrument's book."""
        return self.feed.ingest.channel_of(Kind.BOOK, name)

    def trust(self, name: str) -> Trust:
        """Return what the screen says of a book."""
        return book_trust(self.feed.market, name, self.book_channel(name), self.feed.now())

    @property
    def live(self) -> bool:
        """Whether every book is shown as current."""
        return len(self.feed.pinned) == len(self.exchange.markets) and not any(
            self.trust(name).dimmed for name in self.feed.pinned
        )

    @property
    def up(self) -> bool:
        """Whether every book is live, every query is over, and a book has been compared."""
        return self.live and self.feed.bootstrapped.is_set() and self.watcher.verified > 0

    @property
    def connected(self) -> bool:
        """Whether the feed counts itself as connected."""
        return self.feed.market.health.connection.state is ConnectionState.CONNECTED

    async def jump(self, seconds: float) -> None:
        """Make the feed's clocks jump, and let it act on that."""
        self.clock.ahead += seconds
        client = self.feed._client
        assert client is not None
        client._wake.set()
        for _ in range(5):
            await asyncio.sleep(0)

    # --- what is held to be so

    @asynccontextmanager
    async def fault(self, name: str) -> AsyncIterator[Shown]:
        """Note what is shown while a fault lasts, which is the body's time, and until all is live again."""
        shown = Shown(name)
        watching = asyncio.create_task(self._watch(shown))
        try:
            yield shown
            over = time.monotonic()
            await eventually(lambda: self.live)
            shown.recovery_s = time.monotonic() - over
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        shown.write()

    async def _watch(self, shown: Shown) -> None:
        while True:
            for name in self.feed.pinned:
                trust = self.trust(name)
                shown.states.setdefault(str(trust.state), trust.reason)
            await asyncio.sleep(0.002)

    async def settle(self) -> None:
        """Let the market say where it stands, stop it, and wait until the feed holds all that is true."""
        await self.close_market()
        self.advance(0.4)  # a message that is missing shows by the next one
        await asyncio.sleep(0)
        for market in self.exchange.markets.values():
            out: list[Any] = []
            market.publish(self.exchange.now_ns, self.server.hub.wanted, out)
            self.server.publish(out)
        try:
            await eventually(lambda: not self.differences())
        except TimeoutError:
            raise AssertionError(f"the feed differs from the exchange: {self.differences()}") from None
        for name in self.feed.pinned:
            self.feed.market.book(name).check()

    def differences(self) -> list[str]:
        """Return what of books and balances is not the exchange's own."""
        held = self.feed.market.books
        found = [
            f"book of {name}"
            for name, market in self.exchange.markets.items()
            if name not in held or not held[name].in_sync or book_digest(held[name]) != market_digest(market)
        ]
        for account in self.exchange.accounts_of("demo"):
            payload = self.exchange.portfolio(account, rpc=True)
            expected = {row["securitySymbol"]: Decimal(row["total"]) for row in payload["balances"]}
            ours = self.feed.market.account(account.account_id).balances.values()
            if {balance.asset: balance.total for balance in ours} != expected:
                found.append(f"balances of {account.account_id}")
        return found


def open_files() -> int:
    """Return how many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


@asynccontextmanager
async def world(
    *,
    options: Options = QUICK,
    server_options: ServerOptions = SERVER,
    instruments: int = 3,
    rate: float = 150,
    seed: int = 5,
    skew_s: float = 0.0,
    url: Callable[[str], str] = lambda url: url,
    start: bool = True,
    channels: ChannelOptions = PLAIN,
) -> AsyncIterator[World]:
    """A world that is up: every book live. At its end nothing was shown that was not so, and nothing is left.

    ``skew_s`` is how far the exchange's and the server's clocks are ahead of ours. Without ``start`` somebody
    else runs the feed and waits until it is live.
    """
    gc.collect()
    tasks, files = asyncio.all_tasks(), open_files()
    secret = secrets.token_hex(32)
    skew_ns = int(skew_s * 1e9)
    clock = Clock()
    exchange = Exchange(seed, instruments=instruments, rate=rate, start_ns=time.time_ns() + skew_ns)
    server = Server(exchange, secret, server_options, wall_ns=lambda: time.time_ns() + skew_ns)
    here = World(exchange, server, secret, clock, options)
    async with (
        _started(server),
        FrameProxy(server.url) as here.frames,
        TcpProxy(here.frames.url) as here.tcp,
    ):
        here.make_feed(url(here.tcp.url), channels)
        here.open_market()
        watching = asyncio.create_task(here.watcher.run())
        if start:
            here.running = asyncio.create_task(here.feed.run())
        try:
            if start:
                await eventually(lambda: here.up)
            yield here
            health = here.feed.market.health
            assert here.watcher.violations == [], here.watcher.violations
            assert not here.feed._listener_errors
            counts = [health.connection.rejected, *(channel.rejected for channel in health.channels.values())]
            assert not [name for count in counts for name in count if "internal" in name]
        finally:
            await here.close_market()
            watching.cancel()
            await here.feed.close()
            ends = [watching, here.running] if start else [watching]
            await asyncio.gather(*ends, return_exceptions=True)
    await _nothing_left(tasks, files)


@asynccontextmanager
async def _started(server: Server) -> AsyncIterator[None]:
    await server.start("127.0.0.1", 0)
    try:
        yield
    finally:
        await server.stop()


async def _nothing_left(tasks: set[asyncio.Task[Any]], files: int) -> None:
    """Wait until no task and no file is open that was not before."""

    def gone() -> bool:
        return asyncio.all_tasks() <= tasks and open_files() <= files

    try:
        await eventually(gone, within=5)
    except TimeoutError:
        left = asyncio.all_tasks() - tasks
        raise AssertionError(f"left: {left}, {open_files() - files} open files") from None


__all__ = ["QUICK", "SERVER", "TrustState", "World", "world"]
