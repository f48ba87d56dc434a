"""A server that says exactly what a test tells it to, over a real WebSocket, in Centrifugo's protocol."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from websockets.asyncio.server import Server, ServerConnection

RpcAnswer = dict[str, Any]


class Refused(Exception):
    """What an ``rpc`` handler raises to answer with a protocol error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class ScriptedServer:
    """Accepts every connect and subscribe, positioned, unless told otherwise.

    ``rpc`` maps a method to a function of its params that returns the answer's ``data``; an unknown method is
    answered with 104, one in ``silent`` never. ``refuse`` maps a channel to an error code; a subscribe to one
    in ``ignore`` is never answered. A ``mute`` server answers no connect, one with ``close_with`` (code and
    reason) closes instead. With ``ssl`` it speaks TLS, as ``localhost``.
    """

    def __init__(self, ssl: SSLContext | None = None) -> None:
        self.url = ""
        self.ssl = ssl
        self.rpc: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.envelope: dict[str, dict[str, Any]] = {}
        self.silent: set[str] = set()
        self.refuse: dict[str, int] = {}
        self.ignore: set[str] = set()
        self.mute = False
        self.close_with: tuple[int, str] | None = None
        self.on_subscribe: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self.on_connect: Callable[[dict[str, Any]], dict[str, Any]] = lambda _request: {}
        self.commands: list[dict[str, Any]] = []
        self.calls: list[tuple[str, Any]] = []
        self.offsets: dict[str, int] = defaultdict(int)
        self.epoch = "e1"
        self._connection: ServerConnection | None = None
        self._server: Server | None = None
        self._news = asyncio.Condition()

    async def __aenter__(self) -> ScriptedServer:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, ping_interval=None, compression=None, ssl=self.ssl
        )
        port = self._server.sockets[0].getsockname()[1]
        start = "ws://127.0.0.1" if self.ssl is None else "wss://localhost"
        self.url = f"{start}:{port}/connection/websocket"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    # --- what a test waits for

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that the client sent makes ``condition`` true."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(condition), 10)

    def subscribes(self, channel: str) -> list[dict[str, Any]]:
        """Return the subscribe commands of a channel, in order."""
        asked = [command["subscribe"] for command in self.commands if "subscribe" in command]
        return [request for request in asked if request["channel"] == channel]

    def asked(self, method: str) -> Any:
        """Return the id of the latest call of a method."""
        calls = [command for command in self.commands if command.get("rpc", {}).get("method") == method]
        return calls[-1]["id"]

    def channels(self) -> set[str]:
        """Return the channels that are subscribed to now."""
        held: set[str] = set()
        for command in self.commands:
            if "connect" in command:
                held.clear()
            elif "subscribe" in command:
                held.add(command["subscribe"]["channel"])
            elif "unsubscribe" in command:
                held.discard(command["unsubscribe"]["channel"])
        return held

    # --- what a test says

    async def publish(self, channel: str, data: Any, *, skip: int = 0) -> None:
        """Publish; ``skip`` leaves offsets out, as if messages had been lost."""
        self.offsets[channel] += 1 + skip
        await self.send(
            {"push": {"channel": channel, "pub": {"data": data, "offset": self.offsets[channel]}}}
        )

    async def send(self, *lines: dict[str, Any] | str) -> None:
        """Send lines in one frame, as they are."""
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        assert self._connection is not None
        await self._connection.send("\n".join(texts))

    async def drop(self, code: int = 3000, reason: str = "test") -> None:
        """Close the connection."""
        assert self._connection is not None
        await self._connection.close(code, reason)

    # --- the protocol

    async def _serve(self, connection: ServerConnection) -> None:
        self._connection = connection
        try:
            async for frame in connection:
                for line in frame.splitlines():
                    command = json.loads(line)
                    if "connect" in command and self.close_with is not None:
                        await connection.close(*self.close_with)
                    for answer in self._answer(command):
                        await connection.send(json.dumps(answer))
                    async with self._news:
                        self.commands.append(command)
                        self._news.notify_all()
        except ConnectionClosed:
            pass

    def _answer(self, command: dict[str, Any]) -> list[dict[str, Any]]:
        number = command.get("id")
        if "connect" in command and (self.mute or self.close_with is not None):
            return []
        if "connect" in command:
            result = {"client": "c", "version": "scripted", "ping": 25, "pong": True}
            return [{"id": number, "connect": result | self.on_connect(command["connect"])}]
        if "subscribe" in command:
            request = command["subscribe"]
            channel = request["channel"]
            if channel in self.ignore:
                return []
            if channel in self.refuse:
                return [{"id": number, "error": {"code": self.refuse[channel], "message": "refused"}}]
            result = {
                "recoverable": True,
                "positioned": True,
                "epoch": self.epoch,
                "offset": self.offsets[channel],
            }
            if channel in self.on_subscribe:
                result |= self.on_subscribe[channel](request)
            return [{"id": number, "subscribe": result}]
        if "unsubscribe" in command:
            return [{"id": number, "unsubscribe": {}}]
        if "rpc" in command:
            return self._rpc(number, command["rpc"])
        return []

    def _rpc(self, number: Any, request: dict[str, Any]) -> list[dict[str, Any]]:
        method = request["method"]
        self.calls.append((method, request.get("data")))
        if method in self.silent:
            return []
        if method not in self.rpc:
            return [{"id": number, "error": {"code": 104, "message": "method not found"}}]
        try:
            data = self.rpc[method](request.get("data") or {})
        except Refused as refused:
            return [{"id": number, "error": {"code": refused.code, "message": str(refused)}}]
        return [{"id": number, "rpc": {"data": {"data": data} | self.envelope.get(method, {})}}]


def book(
    instrument: str,
    kind: str,
    timestamp: int,
    bids: list[list[str]],
    asks: list[list[str]],
    book_type: str = "L2",
) -> dict[str, Any]:
    """Return a book payload as the contract has it."""
    venue, _, symbol = instrument.partition(":")
    columns = {
        "L3_COUNTED": ["price", "quantity", "orderId"],
        "L2_COUNTED": ["price", "quantity", "orderCount"],
    }
    return {
        "updateType": kind,
        "instrumentId": instrument,
        "venue": venue,
        "symbol": symbol,
        "orderBookType": book_type,
        "columns": columns.get(book_type, ["price", "quantity"]),
        "bids": bids,
        "asks": asks,
        "timestamp": timestamp,
    }
