"""A market whose every number says when it was sent: ``python -m tests.link.market``.

It speaks as much of Centrifugo's protocol as the monitor needs, and prints ``{"url":…}``. It sends

* ten times a second a ``DIFF`` of eight levels to a book of ``LEVELS`` levels a side, whose touch moves by a
  tick once a second; besides, the best bid's quantity is then ``7.NNNNN``, the best ask's ``8.NNNNN`` and
  that of the bid ``DEEP`` levels below ``9.NNNNN``;
* four times a second a print, its quantity ``6.NNNNN``;
* four times a second a portfolio, a ``DELTA``: ``BTC`` is ``5.NNNNN``, equity ``9NN,NNN`` and the working
  order is filled up to ``4.NNNNN``.

``NNNNN`` is the milliseconds of CLOCK_MONOTONIC, modulo 10^5; no other number begins so. Every second it
pings. A line on its standard input is answered with what it did until then, see ``Told``; it ends when its
input does. With ``quiet`` as its argument it sends no more than what a client begins with.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypedDict

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Callable

INSTRUMENT = "BINANCE:BTC/USDT"
ACCOUNT = "desk-1"
BOOK = f"market:orderBook:{INSTRUMENT}"
PRINTS = f"market:trade:{INSTRUMENT}"
PORTFOLIO = f"tradingAccount:{ACCOUNT}"
MODULO = 10**5
LEVELS = 300
CHANGES = 8
DEEP = 6
REMOVALS = 0.1
MOVES = 0.1
"""The share of book messages with which the touch moves."""
MIDDLE = 6_183_764
PERIODS = {BOOK: 0.1, PRINTS: 0.25, PORTFOLIO: 0.25}
PING_S = 1.0
_NAME = {"instrumentId": INSTRUMENT, "venue": "BINANCE", "symbol": "BTC/USDT"}
LISTED = {
    **_NAME,
    "instrumentType": "SPOT",
    "status": "ACTIVE",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "pipSize": "0.01",
    "lotSize": "0.00001",
}
OWNED = {
    "tradingAccountId": ACCOUNT,
    "nickname": "Market making",
    "venue": "BINANCE",
    "accountType": "MARGIN",
    "status": "ACTIVE",
    "marginMode": "CROSS",
}
STILL = {"USDT": "812004.12", "ETH": "158.4025", "SOL": "2540", "XRP": "214000"}
"""Balances that do not move."""


class Told(TypedDict):
    """What the server says of itself. Times are CLOCK_MONOTONIC, in seconds."""

    sent: dict[str, list[float]]
    """When each message was sent, by channel."""
    pongs: list[float | None]
    """How long each ping's answer took; None while there is none."""
    connections: int


def marker(now: float) -> str:
    """Return a moment of CLOCK_MONOTONIC, in seconds, as the numbers say it."""
    return f"{int(now * 1000) % MODULO:05d}"


def _price(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02d}"


class Book:
    """Every tick near the middle has a level."""

    def __init__(self) -> None:
        self._flow = random.Random(7)
        self._bid = MIDDLE - 1
        self._marked: dict[int, str] = {}
        self._sizes = {MIDDLE + step: self._size() for step in range(-LEVELS, LEVELS)}

    def _size(self) -> str:
        return f"{self._flow.uniform(0.001, 3):.5f}"

    def snapshot(self, now: float) -> dict[str, Any]:
        """Return the whole book."""
        self._mark(now)
        return self._payload("SNAPSHOT", self._sizes)

    def change(self, now: float) -> dict[str, Any]:
        """Return what changes now."""
        changed: dict[int, str] = {}
        crossing: int | None = None
        if self._flow.random() < MOVES:
            up = self._bid < MIDDLE - 1 + self._flow.randint(-3, 3)
            self._bid += 1 if up else -1
            crossing = self._bid if up else self._bid + 1
            changed[crossing] = self._size()
        for _ in range(CHANGES):
            distance = int(LEVELS * self._flow.random() ** 2)  # most of it near the touch
            price = self._bid + 1 + distance if self._flow.random() < 0.5 else self._bid - distance
            changed[price] = "0.00000" if self._flow.random() < REMOVALS and distance > DEEP else self._size()
        changed |= {price: self._size() for price in self._marked}
        self._sizes |= changed
        changed |= self._mark(now)
        payload = self._payload("DIFF", changed)
        if crossing is not None:
            payload["asks" if crossing <= self._bid else "bids"].insert(0, [_price(crossing), "0.00000"])
        return payload

    def _mark(self, now: float) -> dict[int, str]:
        said = marker(now)
        self._marked = {
            self._bid: f"7.{said}",
            self._bid + 1: f"8.{said}",
            self._bid - DEEP: f"9.{said}",
        }
        self._sizes |= self._marked
        return self._marked

    def _payload(self, kind: str, sizes: dict[int, str]) -> dict[str, Any]:
        rows = [
            [_price(price), size] for price, size in sorted(sizes.items()) if kind == "DIFF" or size[0] != "0"
        ]
        best = _price(self._bid)
        bids = [row for row in rows if row[0] <= best]
        return {
            **_NAME,
            "updateType": kind,
            "orderBookType": "L2",
            "columns": ["price", "quantity"],
            "bids": bids[::-1],
            "asks": rows[len(bids) :],
            "timestamp": int(time.time() * 1000),
        }


def _balance(asset: str, total: str) -> dict[str, Any]:
    return {
        "securitySymbol": asset,
        "securityType": "CURRENCY",
        "status": "ACTIVE",
        "free": total,
        "locked": "0",
        "borrowed": "0",
        "total": total,
        "net": total,
        "updatedAt": int(time.time() * 1000),
    }


def portfolio(now: float, *, whole: bool) -> dict[str, Any]:
    """Return the account, or what has changed."""
    said = marker(now)
    balances = [_balance("BTC", f"5.{said}")]
    if whole:
        balances += [_balance(*still) for still in STILL.items()]
    return {
        "tradingAccountId": ACCOUNT,
        "venue": "BINANCE",
        "updateMode": "SNAPSHOT" if whole else "DELTA",
        "balances": balances,
        "positions": [],
        "summary": {
            "currency": "USDT",
            "equity": f"9{said}.25",
            "margin": "40211.75",
            "marginUsage": "0.1204",
            "marginLevel": "8.31",
            "leverage": "5",
        },
        "updatedAt": int(time.time() * 1000),
    }


def order(now: float) -> dict[str, Any]:
    """Return the working order as it is filled now."""
    moment = int(time.time() * 1000)
    return {
        "tradeOrderId": "o-1",
        "clientOrderId": "c-1",
        "tradingAccountId": ACCOUNT,
        "venue": "BINANCE",
        "instrumentId": INSTRUMENT,
        "orderSide": "BUY",
        "orderType": "LIMIT",
        "timeInForce": "GTC",
        "status": "PARTIALLY_FILLED",
        "limitPrice": _price(MIDDLE - 400),
        "quantity": "10.00000",
        "executedQuantity": f"4.{marker(now)}",
        "executedPrice": _price(MIDDLE - 400),
        "createdAt": 1_723_161_254_000,
        "updatedAt": moment,
    }


def _event(kind: str, now: float, data: dict[str, Any]) -> dict[str, Any]:
    head = {"eventType": kind, "eventId": f"e-{now}", "sender": "test", "receiver": PORTFOLIO}
    return {"metadata": head, "data": data}


class Market:
    """What is sent to the one client there is, and what it answered."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self.told: Told = {"sent": {channel: [] for channel in PERIODS}, "pongs": [], "connections": 0}
        self._offsets = dict.fromkeys(PERIODS, 0)
        self._book = Book()
        self._trades = 0
        self._pinged: list[float] = []

    async def converse(self, websocket: ServerConnection) -> None:
        """Serve one client."""
        self.told["connections"] += 1
        tasks = [asyncio.create_task(self._ping(websocket))]
        try:
            async for frame in websocket:
                for text in str(frame).split("\n"):
                    command = json.loads(text)
                    if not command:
                        self._ponged()
                        continue
                    await websocket.send(json.dumps(self._reply(command)))
                    channel = command.get("subscribe", {}).get("channel")
                    if channel in PERIODS:
                        tasks.append(asyncio.create_task(self._publish(websocket, channel)))
        except ConnectionClosed:
            pass
        finally:
            for task in tasks:
                task.cancel()

    def _ponged(self) -> None:
        if None in self.told["pongs"]:
            number = self.told["pongs"].index(None)
            self.told["pongs"][number] = time.monotonic() - self._pinged[number]

    async def _ping(self, websocket: ServerConnection) -> None:
        while True:
            await asyncio.sleep(PING_S)
            self._pinged.append(time.monotonic())
            self.told["pongs"].append(None)
            with suppress(ConnectionClosed):
                await websocket.send("{}")

    async def _publish(self, websocket: ServerConnection, channel: str) -> None:
        makers: dict[str, Callable[[float], list[dict[str, Any]]]] = {
            BOOK: lambda now: [self._book.change(now)],
            PRINTS: lambda now: [self._print(now)],
            PORTFOLIO: lambda now: [
                _event("event.portfolio.updated", now, portfolio(now, whole=False)),
                _event("event.trade_order.updated", now, order(now)),
            ],
        }
        if channel == BOOK:
            await self._send(websocket, channel, [self._book.snapshot(time.monotonic())])
        if self._quiet:
            return
        due = time.monotonic()
        with suppress(ConnectionClosed):
            while True:
                due += PERIODS[channel]
                await asyncio.sleep(max(due - time.monotonic(), 0))
                now = time.monotonic()
                await self._send(websocket, channel, makers[channel](now))
                self.told["sent"][channel].append(now)

    def _print(self, now: float) -> dict[str, Any]:
        self._trades += 1
        return {
            **_NAME,
            "tradeId": str(self._trades),
            "price": _price(MIDDLE - self._trades % 2),
            "quantity": f"6.{marker(now)}",
            "side": "BUY" if self._trades % 3 else "SELL",
            "timestamp": int(time.time() * 1000),
        }

    async def _send(self, websocket: ServerConnection, channel: str, payloads: list[dict[str, Any]]) -> None:
        for data in payloads:
            self._offsets[channel] += 1
            publication = {"data": data, "offset": self._offsets[channel]}
            await websocket.send(json.dumps({"push": {"channel": channel, "pub": publication}}))

    def _reply(self, command: dict[str, Any]) -> dict[str, Any]:
        number = command["id"]
        if "connect" in command:
            connected = {"client": "c", "version": "0", "ping": int(PING_S), "pong": True}
            return {"id": number, "connect": connected | {"time": int(time.time() * 1000)}}
        if "subscribe" in command:
            channel = command["subscribe"]["channel"]
            if channel not in PERIODS:
                return {"id": number, "error": {"code": 102, "message": "unknown channel"}}
            place = {"recoverable": True, "positioned": True, "epoch": "e", "offset": self._offsets[channel]}
            return {"id": number, "subscribe": place}
        if "rpc" in command:
            return {"id": number, "rpc": {"data": self._answer(command["rpc"]["method"])}}
        return {"id": number, "error": {"code": 104, "message": "method not found"}}

    @staticmethod
    def _answer(method: str) -> dict[str, Any]:
        now = time.monotonic()
        rows: dict[str, list[dict[str, Any]]] = {
            "query.instrument.list": [LISTED],
            "query.trading_account.list": [OWNED],
            "query.trade_order.list": [order(now)],
        }
        if method == "query.portfolio.get":
            return {"data": portfolio(now, whole=True)}
        found = rows.get(method, [])
        return {"data": found, "pagination": {"total": len(found), "limit": 100, "offset": 0}}


async def main() -> None:
    """Serve until the standard input ends."""
    market = Market(quiet=sys.argv[1:] == ["quiet"])
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with serve(market.converse, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        (socket, *_) = server.sockets
        sys.stdout.write(json.dumps({"url": f"ws://127.0.0.1:{socket.getsockname()[1]}"}) + "\n")
        sys.stdout.flush()
        while await reader.readline():
            sys.stdout.write(json.dumps(market.told) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
