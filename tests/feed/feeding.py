"""A live feed of one instrument on a scripted server, and what tests say of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.state import Market

from .scripted import ScriptedServer, book
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_tui.market.book import OrderBook

BTC = "BINANCE:BTC/USDT"
ETH = "BINANCE:ETH/USDT"
BOOK = f"market:orderBook:{BTC}"
TRADE = f"market:trade:{BTC}"
TICKER = f"market:ticker:{BTC}"
DESK = "tradingAccount:desk"
QUICK = Options(backoff_min=0.01, backoff_max=0.05)


@asynccontextmanager
async def feeding(server: ScriptedServer, **settings: Any) -> AsyncIterator[Feed]:
    """Run a feed on the server, of one instrument and without accounts where not said otherwise."""
    chosen: dict[str, Any] = {"pinned": (BTC,), "with_accounts": False, "options": QUICK} | settings
    on_channel = chosen.pop("on_channel", None)
    feed = Feed(Market(), FeedSettings(server.url, **chosen), on_channel=on_channel)
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        await feed.close()
        await running
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in left if "cadenza_tui" in repr(task)]


def snapshot(time: int, bids: list[list[str]], asks: list[list[str]] | None = None) -> dict[str, Any]:
    """Return a snapshot of the first instrument."""
    return book(BTC, "SNAPSHOT", time, bids, [["101", "1"]] if asks is None else asks)


def diff(time: int, bids: list[list[str]], asks: list[list[str]] | None = None) -> dict[str, Any]:
    """Return a diff of the first instrument."""
    return book(BTC, "DIFF", time, bids, asks or [])


def bids(feed: Feed) -> dict[str, str]:
    """Return the bids of the first instrument's book."""
    held: OrderBook = feed.market.book(BTC)
    return {level.price: level.quantity for level in held.bids.levels()}


async def live(server: ScriptedServer, feed: Feed) -> None:
    """Bring the first instrument's book up with a snapshot of its channel."""
    await server.until(lambda: bool(server.subscribes(BOOK)))
    await server.publish(BOOK, snapshot(1, [["100", "1"]]))
    await eventually(lambda: feed.market.book(BTC).in_sync)


def listing(*names: str) -> list[dict[str, Any]]:
    """Return the entries of an instrument list."""
    parts = [name.partition(":") for name in names]
    return [{"instrumentId": n, "venue": v, "symbol": s} for n, (v, _, s) in zip(names, parts, strict=True)]
