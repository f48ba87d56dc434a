"""Publications a second from a loopback WebSocket into exact books, ours against the official SDK.

A server in a child process sends the same pre-encoded publications (a snapshot, then diffs of 8+8 levels,
30 % of them removals, on sides of about 300 levels), one and twenty to a frame, as fast as they are taken.

- ``floor``: ``websockets`` alone; frames are received and dropped
- ``client``: this client, raw payloads to a listener that drops them
- ``ours``: this client, the wire's typed decoder, the exact ``OrderBook``
- ``feed``: this client and the feed's whole ingest, health and lag included
- ``sdk``: ``centrifuge-python`` in JSON mode alone, payloads dropped
- ``peer``: ``centrifuge-python`` with a ``SortedDict[Decimal]`` book

Rounds are interleaved and medians printed as one JSON line. The books of ``ours``, ``feed`` and ``peer`` are
compared at the end of each round. Run: ``python benchmarks/ingest.py [--publications N] [--rounds N]``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import random
import statistics
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import centrifuge
import msgspec
from sortedcontainers import SortedDict
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.listener import Listener
from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookUpdate, Instrument
from cadenza_tui.market.state import Market
from cadenza_tui.wire.channels import Kind, parse
from cadenza_tui.wire.decode import decode

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from cadenza_tui.centrifugo.frames import Publication

INSTRUMENT = "BINANCE:BTC/USDT"
CHANNEL = f"market:orderBook:{INSTRUMENT}"
BATCHES = (1, 20)
TARGETS = {1: 1.7, 20: 2.5}
LEVELS = 300
CHUNK = 256 * 1024

Sides = tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]


def payloads(count: int) -> list[dict[str, Any]]:
    """A snapshot and the diffs after it; most changes near the touch, where a price mostly exists already."""
    chance = random.Random(7)
    mid = 6_183_763

    def message(kind: str, bids: list[list[str]], asks: list[list[str]], number: int) -> dict[str, Any]:
        return {
            "updateType": kind,
            "venue": "BINANCE",
            "symbol": "BTC/USDT",
            "instrumentId": INSTRUMENT,
            "orderBookType": "L2",
            "columns": ["price", "quantity"],
            "bids": bids,
            "asks": asks,
            "timestamp": 1_723_161_254_000 + number,
        }

    def row(tick: int, *, removed: bool = False) -> list[str]:
        quantity = 0 if removed else chance.randrange(1, 900_000_000)
        return [f"{tick // 100}.{tick % 100:02}000000", f"{quantity // 10**8}.{quantity % 10**8:08}"]

    def changes(direction: int) -> list[list[str]]:
        ticks = chance.sample(range(1, int(LEVELS * 1.4)), 8)
        return [row(mid + direction * tick, removed=chance.random() < 0.3) for tick in sorted(ticks)]

    full = [[row(mid + direction * tick) for tick in range(1, LEVELS)] for direction in (-1, 1)]
    return [
        message("SNAPSHOT", full[0], full[1], 0),
        *(message("DIFF", changes(-1), changes(1), number) for number in range(1, count)),
    ]


def websocket_frame(payload: bytes) -> bytes:
    """One text frame, to be written straight to the socket: the server must not be what is measured."""
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 65_536:
        head = bytes((0x81, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x81, 127)) + size.to_bytes(8, "big")
    return head + payload


def encoded(count: int, batch: int) -> list[bytes]:
    """The chunks to write for one round."""
    lines = [
        json.dumps(
            {"push": {"channel": CHANNEL, "pub": {"data": data, "offset": number}}}, separators=(",", ":")
        ).encode()
        for number, data in enumerate(payloads(count), 1)
    ]
    wire = b"".join(
        websocket_frame(b"\n".join(lines[start : start + batch])) for start in range(0, count, batch)
    )
    return [wire[start : start + CHUNK] for start in range(0, len(wire), CHUNK)]


async def serving(count: int, ready: Connection) -> None:
    """Serve ``/?batch=N``: accept, then send everything."""
    chunks = {batch: encoded(count, batch) for batch in BATCHES}

    async def converse(websocket: ServerConnection) -> None:
        assert websocket.request is not None
        batch = int(websocket.request.path.rpartition("=")[2])
        async for frame in websocket:
            for line in str(frame).split("\n"):
                command = json.loads(line)
                if "connect" in command:
                    await websocket.send(json.dumps({"id": command["id"], "connect": {"client": "c"}}))
                if "subscribe" in command:
                    result = {"recoverable": True, "positioned": True, "epoch": "e"}
                    await websocket.send(json.dumps({"id": command["id"], "subscribe": result}))
                    for chunk in chunks[batch]:
                        websocket.transport.write(chunk)
                        await websocket.drain()

    async with serve(converse, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        (socket, *_) = server.sockets
        ready.send(socket.getsockname()[1])
        await asyncio.Event().wait()


def serve_in_child(count: int, ready: Connection) -> None:
    """The child's main."""
    asyncio.run(serving(count, ready))


class Clock:
    """Wall and CPU time between the first publication and the last."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.seen = 0
        self.done = asyncio.Event()
        self.wall = 0.0
        self.cpu = 0.0

    def tick(self, publications: int = 1) -> None:
        """Count publications."""
        if not self.seen:
            self.wall, self.cpu = -time.perf_counter(), -time.process_time()
        self.seen += publications
        if self.seen >= self.count:
            self.wall += time.perf_counter()
            self.cpu += time.process_time()
            self.done.set()


class Watching(Listener):
    """Counts, and hands publications on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_publication(self, channel: str, publication: Publication) -> None:
        self.clock.tick()


class IntoBook(Watching):
    """Decodes and applies."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.book = OrderBook(INSTRUMENT)
        name = parse(CHANNEL)
        assert name is not None
        self.name = name

    def on_publication(self, channel: str, publication: Publication) -> None:
        update = decode(Kind.BOOK, publication.data, self.name)
        assert isinstance(update, BookUpdate)
        self.book.apply(update)
        self.clock.tick()


class IntoFeed(Watching):
    """Gives everything to the feed's ingest."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.market = Market()
        self.market.set_instruments([Instrument(INSTRUMENT, "BINANCE", "BTC/USDT")])
        self.ingest = Ingest(self.market, time.time_ns)
        name = parse(CHANNEL)
        assert name is not None
        self.ingest.register(CHANNEL, name)

    def on_publication(self, channel: str, publication: Publication) -> None:
        self.ingest.publication(
            channel, publication.data, publication.offset, publication.epoch, time.time_ns()
        )
        self.clock.tick()


def sides(book: OrderBook) -> Sides:
    """A book of ours as plain numbers."""
    bids, asks = (
        {Decimal(level.price): Decimal(level.quantity) for level in side.levels()}
        for side in (book.bids, book.asks)
    )
    return bids, asks


async def run_listener(url: str, listener: Watching) -> None:
    """Run our client until everything has come."""
    client = Client(url, listener)
    client.subscribe(CHANNEL)
    life = asyncio.create_task(client.run())
    await listener.clock.done.wait()
    await client.close()
    await life
    assert not client.session.dropped
    assert not client.session.listener_errors


async def floor(url: str, clock: Clock) -> None:
    """Receive and drop."""
    batch = int(url.rpartition("=")[2])
    async with connect(url, compression=None, max_size=None, ping_interval=None) as websocket:
        await websocket.send(f'{{"id":1,"connect":{{}}}}\n{{"id":2,"subscribe":{{"channel":"{CHANNEL}"}}}}')
        for _ in range(2):
            await websocket.recv()
        while not clock.done.is_set():
            await websocket.recv(decode=False)
            clock.tick(batch)


async def client_alone(url: str, clock: Clock) -> None:
    """Our client, payloads dropped."""
    await run_listener(url, Watching(clock))


async def ours(url: str, clock: Clock) -> Sides:
    """Our client into an exact book."""
    listener = IntoBook(clock)
    await run_listener(url, listener)
    return sides(listener.book)


async def feed(url: str, clock: Clock) -> Sides:
    """Our client into the feed's ingest."""
    listener = IntoFeed(clock)
    await run_listener(url, listener)
    return sides(listener.market.book(INSTRUMENT))


class Dropping(centrifuge.SubscriptionEventHandler):  # type: ignore[misc]
    """The SDK's handler: counts."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    async def on_publication(self, ctx: Any) -> None:
        """Take one publication in."""
        self.clock.tick()


class IntoSortedDict(Dropping):
    """The obvious first version of an exact book."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.bids: SortedDict = SortedDict()
        self.asks: SortedDict = SortedDict()

    async def on_publication(self, ctx: Any) -> None:
        """Take one publication in."""
        data = ctx.pub.data
        if data["updateType"] == "SNAPSHOT":
            self.bids.clear()
            self.asks.clear()
        for side, rows in ((self.bids, data["bids"]), (self.asks, data["asks"])):
            for price_text, quantity_text in rows:
                price, quantity = Decimal(price_text), Decimal(quantity_text)
                if quantity:
                    side[price] = quantity
                else:
                    side.pop(price, None)
        self.clock.tick()


async def run_sdk(url: str, handler: Dropping) -> None:
    """Run the official client until everything has come."""
    client = centrifuge.Client(url, events=centrifuge.ClientEventHandler())
    subscription = client.new_subscription(CHANNEL, events=handler)
    await client.connect()
    await subscription.subscribe()
    await handler.clock.done.wait()
    await client.disconnect()


async def sdk(url: str, clock: Clock) -> None:
    """The official client, payloads dropped."""
    await run_sdk(url, Dropping(clock))


async def peer(url: str, clock: Clock) -> Sides:
    """The official client into a SortedDict of Decimals."""
    handler = IntoSortedDict(clock)
    await run_sdk(url, handler)
    return dict(handler.bids), dict(handler.asks)


CONTENDERS: dict[str, Any] = {
    "floor": floor,
    "client": client_alone,
    "ours": ours,
    "feed": feed,
    "sdk": sdk,
    "peer": peer,
}


def measure(name: str, port: int, batch: int, count: int) -> tuple[float, float, Sides | None]:
    """Run one contender once; seconds of wall and CPU time a publication."""

    async def once() -> tuple[float, float, Sides | None]:
        clock = Clock(count)
        book = await CONTENDERS[name](f"ws://127.0.0.1:{port}/?batch={batch}", clock)
        return clock.wall / count, clock.cpu / count, book

    gc.collect()
    return asyncio.run(once())


def main() -> None:
    """Run all rounds and print the line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--publications", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    count = options.publications // 20 * 20
    context = multiprocessing.get_context("spawn")
    ready, child_end = context.Pipe()
    child = context.Process(target=serve_in_child, args=(count, child_end), daemon=True)
    child.start()
    port = ready.recv()
    wall: dict[tuple[int, str], list[float]] = {(b, name): [] for b in BATCHES for name in CONTENDERS}
    cpu: dict[tuple[int, str], list[float]] = {key: [] for key in wall}
    equal = True
    for round_number in range(options.rounds):
        for batch in BATCHES:
            books = []
            names = list(CONTENDERS)
            for name in names if round_number % 2 else reversed(names):
                seconds, busy, book = measure(name, port, batch, count)
                wall[batch, name].append(seconds)
                cpu[batch, name].append(busy)
                if book is not None:
                    books.append(book)
            equal = equal and all(book == books[0] for book in books) and len(books[0][0]) > LEVELS // 2
    child.terminate()
    child.join()
    report: dict[str, Any] = {
        "benchmark": "ingest",
        "publications": count,
        "levels_a_publication": 16,
        "rounds": options.rounds,
        "books_equal": equal,
    }
    for batch in BATCHES:
        of = {name: statistics.median(wall[batch, name]) for name in CONTENDERS}
        busy_of = {name: statistics.median(cpu[batch, name]) for name in CONTENDERS}
        report[f"per_frame_{batch}"] = {
            "us_each": {name: round(seconds * 1e6, 2) for name, seconds in of.items()},
            "cpu_us_each": {name: round(seconds * 1e6, 2) for name, seconds in busy_of.items()},
            "publications_per_second": {name: round(1 / of[name]) for name in ("ours", "feed", "peer")},
            "client_over_floor_us": round((of["client"] - of["floor"]) * 1e6, 2),
            "ratio": round(of["peer"] / of["ours"], 2),
            "ratio_feed": round(of["peer"] / of["feed"], 2),
            "target": TARGETS[batch],
        }
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")


if __name__ == "__main__":
    main()
