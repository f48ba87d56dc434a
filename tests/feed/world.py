"""An exchange whose time a test moves, the simulator's server on loopback, and a feed on it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.credentials import sources
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.state import Market
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.server import Server
from cadenza_tui.simulator.tokens import mint

from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_tui.market.book import BookSide

QUICK = Options(backoff_min=0.05, backoff_max=0.2)
STEP_NS = 200_000_000


class World:
    """An exchange whose time goes on when a test says so, served on loopback, and a feed on it."""

    def __init__(self, exchange: Exchange, server: Server, feed: Feed) -> None:
        self.exchange = exchange
        self.server = server
        self.feed = feed

    def advance(self, steps: int = 1) -> None:
        """Let the exchange's time go on, and publish what happens."""
        for _ in range(steps):
            self.server.publish(self.exchange.advance(self.exchange.now_ns + STEP_NS, self.server.hub.wanted))

    async def in_step(self) -> None:
        """Wait until every pinned book equals the exchange's own, level by level and digit by digit."""
        await eventually(lambda: all(self.equal(name) for name in self.feed.pinned) and self.feed.pinned)

    def equal(self, name: str) -> bool:
        """Return whether one book equals the exchange's own, which keeps L3 rows one by one."""
        book = self.feed.market.books.get(name)
        if book is None or not book.in_sync:
            return False
        bids, asks = self.exchange.markets[name].text.whole()
        return _held(book.bids) == _levels(bids) and _held(book.asks) == _levels(asks)


def _levels(rows: list[list[str]]) -> list[tuple[str, Decimal]]:
    """Sum rows by price, in the order in which the prices come."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row[0]] += Decimal(row[1])
    return list(sums.items())


def _held(side: BookSide) -> list[tuple[str, Decimal]]:
    return [(level.price, Decimal(level.quantity)) for level in side.levels()]


@asynccontextmanager
async def world(
    *pinned: str, instruments: int = 5, start_ns: int | None = None, **settings: Any
) -> AsyncIterator[World]:
    """A small market and a feed that is connected to it."""
    begins = time.time_ns() if start_ns is None else start_ns
    exchange = Exchange(3, instruments=instruments, rate=400, start_ns=begins)
    secret = secrets.token_hex(32)
    server = Server(exchange, secret)
    await server.start("127.0.0.1", 0)
    token = sources.fixed(mint(secret, now=time.time()))
    feed = Feed(Market(), FeedSettings(server.url, token=token, options=QUICK, pinned=pinned, **settings))
    running = asyncio.create_task(feed.run())
    try:
        yield World(exchange, server, feed)
    finally:
        await feed.close()
        await running
        await server.stop()
