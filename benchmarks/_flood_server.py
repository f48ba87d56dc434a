"""A server that speaks just enough Centrifugo to flood the monitor with book changes.

Started by ``flood.py``. It prints ``{"url":…}``, then obeys lines on its standard input: ``N`` sends N
messages a second from now on, ``0`` stops and prints ``{"sent":…,"seconds":…,"last":…}``; it ends when its
input does.

A message is a ``DIFF`` of 16 level changes, 30 % of them removals, to a book of about 300 levels a side. All
are encoded beforehand; patched in when one is sent are its offset, its timestamp and the quantity of the best
bid, ``7.NNNNN``: its milliseconds on CLOCK_MONOTONIC, modulo 10^5, by which the screen itself says how old it
is; no other quantity begins so. Messages that are due at once share a frame, at most 16, as with the real
server.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

INSTRUMENT = "BINANCE:BTC/USDT"
CHANNEL = f"market:orderBook:{INSTRUMENT}"
FIRST_OFFSET = 1_000_000_000
MODULO = 10**5
LEVELS = 300
CHANGES = 16
REMOVALS = 0.3
TEMPLATES = 512
MIDDLE = 6_183_764
PING_S = 5
TICK_S = 0.001
MOST_A_FRAME = 16
LISTED = {
    "instrumentId": INSTRUMENT,
    "venue": "BINANCE",
    "symbol": "BTC/USDT",
    "instrumentType": "SPOT",
    "status": "ACTIVE",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "pipSize": "0.01",
    "lotSize": "0.00001",
}


def marker(now: float) -> int:
    """Return a moment of CLOCK_MONOTONIC, in seconds, as the marker says it."""
    return int(now * 1000) % MODULO


def _rows(levels: list[tuple[int, str]]) -> list[list[str]]:
    return [[f"{price // 100}.{price % 100:02d}", size] for price, size in levels]


def _body(kind: str, bids: list[tuple[int, str]], asks: list[tuple[int, str]]) -> str:
    data = {
        "instrumentId": INSTRUMENT,
        "updateType": kind,
        "venue": "BINANCE",
        "symbol": "BTC/USDT",
        "orderBookType": "L2",
        "columns": ["price", "quantity"],
        "bids": _rows(bids),
        "asks": _rows(asks),
        "timestamp": int(time.time() * 1000),
    }
    return json.dumps(data, separators=(",", ":"))


def _line(body: str) -> str:
    return f'{{"push":{{"channel":"{CHANNEL}","pub":{{"data":{body},"offset":{FIRST_OFFSET}}}}}}}'


class Template:
    """A message, and where in it the patches go."""

    def __init__(self, text: str) -> None:
        self.line = bytearray(text.encode())
        self.quantity = text.index('"7.00000"') + 3
        self.timestamp = text.index('"timestamp":') + 12
        self.offset = text.index('"offset":') + 9

    def patched(self, quantity: bytes, timestamp: bytes, offset: int) -> bytes:
        """Return the message as it is sent."""
        line = self.line
        line[self.quantity : self.quantity + 5] = quantity
        line[self.timestamp : self.timestamp + 13] = timestamp
        line[self.offset : self.offset + 10] = b"%d" % offset
        return bytes(line)


class Flood:
    """One book, and how fast it changes."""

    def __init__(self) -> None:
        flow = random.Random(7)
        self.snapshot, self.templates = self._make(flow)
        self.rate = 0.0
        self.sent = 0
        self.offset = FIRST_OFFSET
        self.last = 0
        self.subscriber: ServerConnection | None = None

    @staticmethod
    def _make(flow: random.Random) -> tuple[str, list[Template]]:
        def size() -> str:
            return f"{flow.uniform(0.001, 3):.5f}"

        best = (MIDDLE - 1, "7.00000")
        bids = [best, *((MIDDLE - 1 - step, size()) for step in range(1, LEVELS))]
        asks = [(MIDDLE + step, size()) for step in range(LEVELS)]
        templates = []
        for _ in range(TEMPLATES):
            sides: tuple[list[tuple[int, str]], list[tuple[int, str]]] = ([best], [])
            for _ in range(CHANGES - 1):
                distance = 1 + int(LEVELS * 1.4 * flow.random() ** 2)  # most of it near the touch
                side = flow.random() < 0.5
                price = MIDDLE + distance if side else MIDDLE - 1 - distance
                sides[side].append((price, "0.00000" if flow.random() < REMOVALS else size()))
            templates.append(Template(_line(_body("DIFF", *sides))))
        return _body("SNAPSHOT", bids, asks), templates

    def burst(self, count: int) -> list[bytes]:
        """Return so many messages that are sent now."""
        self.last = marker(time.monotonic())
        quantity, timestamp = b"%05d" % self.last, b"%d" % (time.time_ns() // 1_000_000)
        lines = []
        for _ in range(count):
            self.offset += 1
            lines.append(self.templates[self.sent % TEMPLATES].patched(quantity, timestamp, self.offset))
            self.sent += 1
        return lines

    async def run(self) -> None:
        """Send what is due, for ever."""
        due, before = 0.0, time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            due, before = due + self.rate * (now - before), now
            if not self.rate or self.subscriber is None:
                due = 0.0
                continue
            count = int(due)
            due -= count
            while count:
                lines = self.burst(min(count, MOST_A_FRAME))
                count -= len(lines)
                payload = b"\n".join(lines)
                self.subscriber.transport.write(header(len(payload)) + payload)

    async def converse(self, websocket: ServerConnection) -> None:
        """Answer one client."""
        pinging = asyncio.create_task(self._ping(websocket))
        try:
            async for frame in websocket:
                for text in str(frame).split("\n"):
                    command = json.loads(text)
                    if "id" in command:
                        await websocket.send(json.dumps(self._reply(command)))
                    if command.get("subscribe", {}).get("channel") == CHANNEL:
                        self.offset += 1
                        first = _line(self.snapshot).replace(str(FIRST_OFFSET), str(self.offset))
                        await websocket.send(first)
                        self.subscriber = websocket
        except ConnectionClosed:
            pass
        finally:
            pinging.cancel()
            self.subscriber = None

    def _reply(self, command: dict[str, Any]) -> dict[str, Any]:
        if "connect" in command:
            connected = {"client": "c", "version": "flood", "ping": PING_S, "pong": True}
            return {"id": command["id"], "connect": connected | {"time": int(time.time() * 1000)}}
        if "subscribe" in command:
            place = {"recoverable": True, "positioned": True, "epoch": "e", "offset": self.offset}
            return {"id": command["id"], "subscribe": place}
        if "rpc" in command:
            listed = [LISTED] if command["rpc"]["method"] == "query.instrument.list" else []
            return {"id": command["id"], "rpc": {"data": {"data": listed}}}
        return {"id": command["id"], "error": {"code": 104, "message": "method not found"}}

    @staticmethod
    async def _ping(websocket: ServerConnection) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await websocket.send("{}")


def header(size: int) -> bytes:
    """Return the head of an unmasked text frame."""
    if size < 126:
        return bytes((0x81, size))
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


async def main() -> None:
    """Serve until the standard input ends."""
    flood = Flood()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with serve(flood.converse, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        (socket, *_) = server.sockets
        sys.stdout.write(json.dumps({"url": f"ws://127.0.0.1:{socket.getsockname()[1]}"}) + "\n")
        sys.stdout.flush()
        sending = asyncio.create_task(flood.run())
        sent, since = 0, time.monotonic()
        while line := await reader.readline():
            flood.rate = float(line)
            if flood.rate:
                sent, since = flood.sent, time.monotonic()
            else:
                done = {"sent": flood.sent - sent, "seconds": time.monotonic() - since, "last": flood.last}
                sys.stdout.write(json.dumps(done) + "\n")
                sys.stdout.flush()
        sending.cancel()


if __name__ == "__main__":
    asyncio.run(main())
