"""A server whose market moves only when the test says so, and a client that speaks plain JSON lines."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.server import Server, ServerOptions
from cadenza_tui.simulator.tokens import mint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

SECRET = "a secret of the tests, long enough for HS256"
START = 1_723_161_254_000_000_000
SECOND = 10**9
BOOK = "market:orderBook:BINANCE:BTC/USDT"


async def eventually(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; for what a client has no event for."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


class Client:
    """One WebSocket, read line by line: pings are answered, replies and pushes told apart."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.pings = 0
        self.frames = 0
        self.pushes: deque[dict[str, Any]] = deque()
        self._lines: deque[str] = deque()
        self._last_id = 0

    async def line(self) -> dict[str, Any]:
        """Return the next line that is not a ping."""
        while True:
            while not self._lines:
                self._lines.extend(str(await self.socket.recv()).split("\n"))
                self.frames += 1
            message: dict[str, Any] = json.loads(self._lines.popleft())
            if message:
                return message
            self.pings += 1
            await self.socket.send("{}")

    async def send(self, **command: Any) -> int:
        """Send one command and return its id."""
        self._last_id += 1
        await self.socket.send(json.dumps({"id": self._last_id, **command}))
        return self._last_id

    async def reply(self, command_id: int) -> dict[str, Any]:
        """Return the reply of a command; pushes that come first are kept."""
        while True:
            message = await self.line()
            if message.get("id") == command_id:
                return message
            self.pushes.append(message["push"])

    async def call(self, **command: Any) -> dict[str, Any]:
        """Send one command and return its reply."""
        return await self.reply(await self.send(**command))

    async def push(self) -> dict[str, Any]:
        """Return the next push."""
        if self.pushes:
            return self.pushes.popleft()
        push: dict[str, Any] = (await self.line())["push"]
        return push

    async def subscribe(self, channel: str, **options: Any) -> dict[str, Any]:
        """Subscribe and return the result."""
        answered = await self.call(subscribe={"channel": channel, **options})
        result: dict[str, Any] = answered["subscribe"]
        return result

    async def closed(self) -> tuple[int | None, str | None]:
        """Read until the server closes; return its code and reason."""
        with suppress(ConnectionClosed):
            while True:
                await self.socket.recv()
        return self.socket.close_code, self.socket.close_reason


class Rig:
    """A server with its exchange."""

    def __init__(self, server: Server) -> None:
        self.server, self.exchange, self.hub = server, server.exchange, server.hub
        self.sockets: list[ClientConnection] = []

    def token(self, user: str = "demo", ttl: float | None = None) -> str:
        """Return a token of the server's."""
        return mint(SECRET, user, now=time.time(), ttl=ttl)

    def advance(self, seconds: float) -> int:
        """Let exchange time pass; return how many publications that made."""
        until = self.exchange.now_ns + int(seconds * SECOND)
        publications = self.exchange.advance(until, self.hub.wanted)
        self.server.publish(publications)
        return len(publications)

    async def open(self, **options: Any) -> Client:
        """Open a WebSocket and send nothing."""
        socket = await connect(
            self.server.url, max_size=None, compression=None, ping_interval=None, **options
        )
        self.sockets.append(socket)
        return Client(socket)

    async def client(self, user: str = "demo", ttl: float | None = None) -> Client:
        """Open a WebSocket and connect."""
        client = await self.open()
        assert "connect" in await client.call(connect={"token": self.token(user, ttl)})
        return client


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Awaitable[Rig]]]:
    """Return a function that starts a server; options are those of ``ServerOptions``."""
    rigs: list[Rig] = []

    async def start(*, instruments: int = 1, rate: float = 100.0, **options: Any) -> Rig:
        exchange = Exchange(7, instruments=instruments, rate=rate, start_ns=START)
        server = Server(exchange, SECRET, ServerOptions(**options))
        await server.start("127.0.0.1", 0)
        rigs.append(Rig(server))
        return rigs[-1]

    yield start
    for rig in rigs:
        for socket in rig.sockets:
            await socket.close()
        await rig.server.stop()


@pytest.fixture
async def rig(make: Callable[..., Awaitable[Rig]]) -> Rig:
    """A server whose namespaces are open to the test."""
    from .opened import NAMESPACES

    return await make(namespaces=NAMESPACES, expired_sub_close_delay=0.0)
