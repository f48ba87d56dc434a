"""The official SDK as an independent client of the server."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.simulator.tokens import mint

from .conftest import BOOK, SECRET
from .invariants import NaiveBook, whole

centrifuge = pytest.importorskip("centrifuge", reason="centrifuge-python is not installed")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .conftest import Rig

    Make = Callable[..., Awaitable[Rig]]

KEY = "BINANCE:BTC/USDT"


class Heard(centrifuge.SubscriptionEventHandler):  # type: ignore[misc, name-defined]
    """Keeps what a subscription of the SDK was told."""

    def __init__(self) -> None:
        self.publications: asyncio.Queue[Any] = asyncio.Queue()
        self.subscribed: asyncio.Queue[Any] = asyncio.Queue()

    async def on_publication(self, ctx: Any) -> None:
        await self.publications.put(ctx.pub)

    async def on_subscribed(self, ctx: Any) -> None:
        await self.subscribed.put(ctx)


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Rig], Awaitable[Any]]]:
    """Return a function that connects the SDK to a server."""
    clients: list[Any] = []

    async def start(rig: Rig) -> Any:
        async def token() -> str:
            return mint(SECRET, now=time.time())

        client = centrifuge.Client(rig.server.url, get_token=token, min_reconnect_delay=0.02)
        clients.append(client)
        await client.connect()
        await client.ready(5)
        return client

    yield start
    for client in clients:
        await client.disconnect()


async def read(heard: Heard, book: NaiveBook, top: int) -> list[int]:
    """Apply publications up to an offset; return the offsets."""
    offsets: list[int] = []
    async with asyncio.timeout(10):
        while not offsets or offsets[-1] < top:
            publication = await heard.publications.get()
            book.apply(publication.data)
            offsets.append(publication.offset)
    return offsets


async def test_the_sdk_follows_a_book(make: Make, connect: Callable[[Rig], Awaitable[Any]]) -> None:
    """Connect, subscribe, publications without a gap, and the book they make is the exchange's."""
    rig = await make()
    client = await connect(rig)
    heard = Heard()
    subscription = client.new_subscription(BOOK, events=heard)
    await subscription.subscribe()
    await subscription.ready(5)
    rig.advance(0.5)
    rig.server.publish([rig.exchange.book_snapshot(KEY)])
    book = NaiveBook(rig.exchange.markets[KEY].instrument)
    top = rig.hub._streams[BOOK].offset
    assert await read(heard, book, top) == list(range(1, top + 1))
    assert book.rows() == whole(rig.exchange.markets[KEY])


async def test_the_sdk_recovers_after_a_dropped_link(
    make: Make, connect: Callable[[Rig], Awaitable[Any]]
) -> None:
    """It comes back by itself and gets what was published meanwhile, in order and once."""
    rig = await make()
    client = await connect(rig)
    heard = Heard()
    subscription = client.new_subscription(BOOK, events=heard)
    await subscription.subscribe()
    await subscription.ready(5)
    await heard.subscribed.get()
    book = NaiveBook(rig.exchange.markets[KEY].instrument)
    first = await read(heard, book, 1)
    next(iter(rig.server.sessions)).kill()
    rig.advance(0.5)
    async with asyncio.timeout(10):
        again = await heard.subscribed.get()
    assert (again.was_recovering, again.recovered) == (True, True)
    rig.server.publish([rig.exchange.book_snapshot(KEY)])
    top = rig.hub._streams[BOOK].offset
    assert first + await read(heard, book, top) == list(range(1, top + 1))
    assert book.rows() == whole(rig.exchange.markets[KEY])


async def test_the_sdk_starts_over_after_a_restart(
    make: Make, connect: Callable[[Rig], Awaitable[Any]]
) -> None:
    """A new epoch is not recovered; the next publication is a SNAPSHOT."""
    rig = await make()
    client = await connect(rig)
    heard = Heard()
    subscription = client.new_subscription(BOOK, events=heard)
    await subscription.subscribe()
    await subscription.ready(5)
    await heard.subscribed.get()
    await heard.publications.get()
    rig.server.restart()
    async with asyncio.timeout(10):
        again = await heard.subscribed.get()
        publication = await heard.publications.get()
    assert (again.was_recovering, again.recovered) == (True, False)
    assert publication.data["updateType"] == "SNAPSHOT"


async def test_the_sdk_queries_by_rpc_and_reads_history(
    make: Make, connect: Callable[[Rig], Awaitable[Any]]
) -> None:
    """RPC results and errors, and a subscription's history, are as the SDK expects them."""
    rig = await make(instruments=2)
    client = await connect(rig)
    answered = await client.rpc("query.instrument.list", {"venue": "OKX"})
    assert [row["instrumentId"] for row in answered.data["data"]] == ["OKX:BTC/USDT"]
    with pytest.raises(centrifuge.exceptions.ReplyError, match="method not found"):
        await client.rpc("query.nothing", {})
    subscription = client.new_subscription("market:trade:BINANCE:BTC/USDT", events=Heard())
    await subscription.subscribe()
    await subscription.ready(5)
    rig.advance(3)
    history = await subscription.history(limit=2)
    assert [one.offset for one in history.publications] == [1, 2]
