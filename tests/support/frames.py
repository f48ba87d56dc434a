"""A WebSocket proxy that reads Centrifugo's frames and does to them what servers and brokers do."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection
    from websockets.asyncio.server import Server, ServerConnection

Line = dict[str, Any]
PATH = "/connection/websocket"
_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())
_logger.propagate = False


class FrameProxy:
    """Stands between a client and a Centrifugo server; without a fault, every frame passes as it came.

    Faults of a channel hit its publications in their order: ``drop``, ``duplicate``, ``swap``, ``delay``.
    """

    def __init__(self, upstream: str, *, port: int = 0) -> None:
        self.upstream = upstream
        self.port = port
        self.withhold_subscribes = False
        """Whether replies to subscribe commands are kept from the client."""
        self.rewrite: Callable[[str, Line], Line] | None = None
        """Applied to each publication's data; given the channel."""
        self.hit: defaultdict[str, int] = defaultdict(int)
        """How many publications each kind of fault has hit."""
        self._drop: defaultdict[str, int] = defaultdict(int)
        self._duplicate: defaultdict[str, int] = defaultdict(int)
        self._swap: dict[str, bytes | None] = {}
        self._delayed: dict[str, list[bytes]] = {}
        self._asked: dict[int, str] = {}
        """Subscribe commands under way, by id."""
        self._clients: set[ServerConnection] = set()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where to connect to."""
        return f"ws://127.0.0.1:{self.port}{PATH}"

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    async def __aenter__(self) -> FrameProxy:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            compression=None,
            ping_interval=None,
            max_size=None,
            close_timeout=0.5,
            logger=_logger,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        for client in list(self._clients):
            client.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    # --- faults of a channel

    def drop(self, channel: str, publications: int = 1) -> None:
        """Lose the next publications."""
        self._drop[channel] += publications

    def duplicate(self, channel: str, publications: int = 1) -> None:
        """Send each of the next publications twice."""
        self._duplicate[channel] += publications

    def swap(self, channel: str) -> None:
        """Send the next publication after the one behind it."""
        self._swap[channel] = None

    def delay(self, channel: str) -> None:
        """Hold the channel's publications until ``release``; all else passes."""
        self._delayed.setdefault(channel, [])

    async def release(self, channel: str) -> None:
        """Send what was held, in order."""
        lines = self._delayed.pop(channel, [])
        if lines:
            await self.inject(*lines)

    # --- faults of the connection

    async def inject(self, *lines: bytes | Line) -> None:
        """Send lines of the server's, in one frame, to every client."""
        frame = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        for client in list(self._clients):
            with suppress(ConnectionClosed):
                await client.send(frame, text=True)

    async def disconnect_push(self, code: int, reason: str = "") -> None:
        """Send a disconnect push; the connection itself stays."""
        await self.inject({"push": {"disconnect": {"code": code, "reason": reason}}})

    async def close(self, code: int, reason: str = "") -> None:
        """Close every client's connection with a code."""
        for client in list(self._clients):
            await client.close(code, reason)

    def heal(self) -> None:
        """End every fault; what was held is lost."""
        self.withhold_subscribes = False
        self.rewrite = None
        for faults in (self._drop, self._duplicate, self._swap, self._delayed):
            faults.clear()

    def _forget_held(self) -> None:
        """What was held for a connection does not reach the next one."""
        for channel in self._swap:
            self._swap[channel] = None
        for lines in self._delayed.values():
            lines.clear()

    @property
    def _idle(self) -> bool:
        return not (
            self.withhold_subscribes
            or self.rewrite
            or self._drop
            or self._duplicate
            or self._swap
            or self._delayed
        )

    # --- passing on

    async def _serve(self, client: ServerConnection) -> None:
        try:
            server = await connect(
                self.upstream,
                compression=None,
                ping_interval=None,
                max_size=None,
                close_timeout=0.5,
                logger=_logger,
                proxy=None,
            )
        except (OSError, InvalidHandshake, EOFError):
            client.transport.abort()
            return
        self._clients.add(client)
        self._forget_held()
        up = asyncio.create_task(self._up(client, server))
        down = asyncio.create_task(self._down(client, server))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._clients.discard(client)
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            await _end(client, server)

    async def _up(self, client: ServerConnection, server: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in client:
                text = frame if isinstance(frame, str) else frame.decode()
                for line in text.split("\n"):
                    if '"subscribe"' in line:
                        command = json.loads(line)
                        if "subscribe" in command:
                            self._asked[command["id"]] = command["subscribe"]["channel"]
                await server.send(text)

    async def _down(self, client: ServerConnection, server: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                frame = await server.recv(decode=False)
                if not self._idle:
                    lines = [out for line in frame.split(b"\n") for out in self._through(line)]
                    if not lines:
                        continue
                    frame = b"\n".join(lines)
                await client.send(frame, text=True)

    def _through(self, line: bytes) -> list[bytes]:
        """Return what becomes of one line."""
        told = cast("Line", json.loads(line))
        number = told.get("id", 0)
        if number:
            asked = self._asked.pop(number, None)
            if asked is not None and self.withhold_subscribes:
                self.hit["withheld"] += 1
                return []
            return [line]
        push = told.get("push", {})
        if "pub" not in push:
            return [line]
        channel = push["channel"]
        if self.rewrite is not None:
            push["pub"]["data"] = self.rewrite(channel, push["pub"]["data"])
            line = json.dumps(told).encode()
        if channel in self._delayed:
            self.hit["delayed"] += 1
            self._delayed[channel].append(line)
            return []
        if self._spend(self._drop, channel):
            self.hit["dropped"] += 1
            return []
        if channel in self._swap:
            first = self._swap[channel]
            if first is None:
                self._swap[channel] = line
                return []
            del self._swap[channel]
            self.hit["swapped"] += 1
            return [line, first]
        if self._spend(self._duplicate, channel):
            self.hit["duplicated"] += 1
            return [line, line]
        return [line]

    @staticmethod
    def _spend(counts: defaultdict[str, int], channel: str) -> bool:
        if counts.get(channel, 0) <= 0:
            return False
        counts[channel] -= 1
        if not counts[channel]:
            del counts[channel]
        return True


async def _end(client: ServerConnection, server: ClientConnection) -> None:
    """Hand the end of one side on to the other, with its code; without a close frame, as a reset."""
    for this, other in ((server, client), (client, server)):
        if this.close_code is None:
            continue
        received = this.protocol.close_rcvd
        if received is None:
            other.transport.abort()
        else:
            with suppress(ConnectionClosed):
                await other.close(received.code if _sendable(received.code) else 1000, received.reason)
    for connection in (client, server):
        if connection.close_code is None:
            connection.transport.abort()
            await connection.wait_closed()


def _sendable(code: int) -> bool:
    return code in {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011} or 3000 <= code < 5000
