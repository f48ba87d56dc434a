"""A WebSocket proxy between client and server, for what a server cannot be made to say or to lose."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, contextmanager, suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from .broker import as_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from websockets.asyncio.client import ClientConnection
    from websockets.asyncio.server import Server, ServerConnection

    Pass: TypeAlias = Callable[[dict[str, Any]], dict[str, Any] | None]
    """What becomes of one line: itself, another, or None where it is lost."""


class Between:
    """Passes lines on, each through ``up`` or ``down``; keeps what both said; can speak for the server."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.up: Pass = lambda line: line
        self.down: Pass = lambda line: line
        self.commands: list[dict[str, Any]] = []
        """What the client said, before ``up``."""
        self.heard: list[dict[str, Any]] = []
        """What the server said, before ``down``."""
        self.command_frames: list[int] = []
        """Sizes in bytes of the frames that the client sent."""
        self.flowing = asyncio.Event()
        """While it is not set, nothing is read from the server."""
        self.flowing.set()
        self.connections = 0
        self.open = 0
        self.url = ""
        self._client: ServerConnection | None = None

    async def say(self, *lines: dict[str, Any]) -> None:
        """Send one frame to the client."""
        assert self._client is not None
        await self._client.send("\n".join(map(as_json, lines)))

    async def push(self, channel: str = "", **push: Any) -> None:
        """Send one push to the client."""
        await self.say({"push": {"channel": channel, **push}})

    def cut(self) -> None:
        """Let the link break."""
        assert self._client is not None
        self._client.transport.abort()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let the link break, and every next attempt fail for as long as this lasts."""
        upstream, self.upstream = self.upstream, "ws://127.0.0.1:1/"
        self.cut()
        try:
            yield
        finally:
            self.upstream = upstream

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """The commands of a kind that the client sent, oldest first."""
        return [command[kind] for command in self.commands if kind in command]

    def published(self, channel: str) -> list[dict[str, Any]]:
        """The publications of a channel that the server pushed or let recover, as they were on the wire."""
        told: list[dict[str, Any]] = []
        for line in self.heard:
            push = line.get("push", {})
            if push.get("channel") == channel and "pub" in push:
                told.append(push["pub"])
            told += line.get("subscribe", {}).get("publications", [])
        return told

    async def serve(self, client: ServerConnection) -> None:
        """Serve one connection."""
        self.connections += 1
        self.open += 1
        try:
            async with connect(
                self.upstream, max_size=None, max_queue=2, compression=None, ping_interval=None
            ) as server:
                self._client = client
                await self._pass(client, server)
        except OSError:  # there is nothing upstream: the link breaks
            client.transport.abort()
        finally:
            self.open -= 1

    async def _pass(self, client: ServerConnection, server: ClientConnection) -> None:
        ways = {
            asyncio.create_task(self._upward(client, server)),
            asyncio.create_task(self._downward(server, client)),
        }
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        await server.close()
        if server.close_code is not None and server.close_code >= 3000:
            await client.close(server.close_code, server.close_reason or "")
        else:
            client.transport.abort()
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)

    async def _upward(self, client: ServerConnection, server: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in client:
                self.command_frames.append(len(frame.encode() if isinstance(frame, str) else frame))
                lines = _lines(frame)
                self.commands += deepcopy(lines)
                await _pass_on(lines, self.up, server)

    async def _downward(self, server: ClientConnection, client: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in server:
                await self.flowing.wait()
                if client.transport.is_closing():  # cut, and the server does not know yet
                    return
                lines = _lines(frame)
                self.heard += deepcopy(lines)
                await _pass_on(lines, self.down, client)


def _lines(frame: str | bytes) -> list[dict[str, Any]]:
    text = frame if isinstance(frame, str) else frame.decode()
    return [json.loads(line) for line in text.split("\n")]


async def _pass_on(
    lines: list[dict[str, Any]], through: Pass, to: ClientConnection | ServerConnection
) -> None:
    passed = [line for line in map(through, lines) if line is not None]
    if passed:
        await to.send("\n".join(map(as_json, passed)))


@asynccontextmanager
async def between(upstream: str, port: int = 0) -> AsyncIterator[Between]:
    """Stand between clients and a server, on any free port where none is named."""
    proxy = Between(upstream)
    server: Server
    async with serve(
        proxy.serve, "127.0.0.1", port, max_size=None, compression=None, ping_interval=None, close_timeout=0.5
    ) as server:
        proxy.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/connection/websocket"
        yield proxy
