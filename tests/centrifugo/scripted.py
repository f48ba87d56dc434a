"""A WebSocket server on loopback whose every word is the test's."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.options import Options

from .recorder import Event, Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from cadenza_tui.centrifugo.listener import Ended
    from cadenza_tui.centrifugo.tokens import TokenSource

    Script = Callable[["Peer"], Awaitable[None]]

PATIENCE = 5.0


class Peer:
    """The server's end of one connection."""

    def __init__(self, websocket: ServerConnection) -> None:
        self.websocket = websocket
        self.received: list[dict[str, Any]] = []
        self._unread: list[dict[str, Any]] = []

    async def command(self, kind: str = "") -> dict[str, Any]:
        """Return the next command, or the next of a kind; an empty one is a pong."""
        while True:
            if not self._unread:
                frame = await self.websocket.recv()
                assert isinstance(frame, str)
                assert len(frame.encode()) <= 65_536
                self._unread = [json.loads(line) for line in frame.split("\n")]
                self.received += self._unread
            command = self._unread.pop(0)
            if not kind or kind in command:
                return command

    async def say(self, *lines: Any) -> None:
        """Send one frame of JSON lines."""
        await self.websocket.send("\n".join(map(json.dumps, lines)))

    async def answer(self, kind: str, **result: Any) -> dict[str, Any]:
        """Wait for a command of a kind, answer it, and return it."""
        command = await self.command(kind)
        await self.say({"id": command["id"], kind: result})
        return command

    async def accept(self, **result: Any) -> dict[str, Any]:
        """Answer the connect."""
        return await self.answer("connect", **{"client": "c", "ping": 25, "pong": True} | result)

    async def publish(self, channel: str, data: Any, **fields: Any) -> None:
        """Push one publication."""
        await self.say({"push": {"channel": channel, "pub": {"data": data, **fields}}})

    async def stay(self) -> None:
        """Read on until the client goes."""
        while True:
            await self.command()


async def welcome(peer: Peer) -> None:
    """Accept the connect and every subscribe, and stay."""
    await peer.accept()
    while True:
        await peer.answer("subscribe")


async def just_connect(peer: Peer) -> None:
    """Accept the connect, and stay."""
    await peer.accept()
    await peer.stay()


def closing(code: int, reason: str = "") -> Script:
    """Accept the connect, then close."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.websocket.close(code, reason)

    return script


class Scripted:
    """The server: the n-th connection gets the n-th script, later ones the last."""

    def __init__(self, scripts: tuple[Script, ...]) -> None:
        self.scripts = scripts
        self.peers: list[Peer] = []
        self.port = 0
        self.errors: list[BaseException] = []
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where to connect to."""
        return f"ws://127.0.0.1:{self.port}/connection/websocket"

    async def start(self) -> None:
        """Listen, on the same port again after a stop."""
        self._server = await serve(
            self._converse, "127.0.0.1", self.port, compression=None, ping_interval=None
        )
        (socket, *_) = self._server.sockets
        self.port = socket.getsockname()[1]

    async def kill(self) -> None:
        """Stop as a killed process does: without a word."""
        assert self._server is not None
        for websocket in list(self._server.connections):
            websocket.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    async def _converse(self, websocket: ServerConnection) -> None:
        peer = Peer(websocket)
        script = self.scripts[min(len(self.peers), len(self.scripts) - 1)]
        self.peers.append(peer)
        try:
            await script(peer)
        except ConnectionClosed:
            pass
        except BaseException as error:  # a failed assertion in a script must not pass for a closed connection
            self.errors.append(error)
            raise


class Log(Recorder):
    """A recorder whose events can be awaited."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def _record(self, name: str, *arguments: Any) -> None:
        self._news.set()
        super()._record(name, *arguments)  # a hook may raise

    async def until(self, *event: Any, count: int = 1) -> Event:
        """Wait until an event that begins like this came ``count`` times, and return it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [held for held in self.events if held[: len(event)] == event]
                if len(found) >= count:
                    return found[count - 1]
                self._news.clear()
                await self._news.wait()


class Running:
    """A client at work, its log, and the server it talks to."""

    def __init__(self, server: Scripted, client: Client, log: Log, life: asyncio.Task[Ended]) -> None:
        self.server = server
        self.client = client
        self.log = log
        self.life = life

    async def ended(self) -> Ended:
        """Wait for the end of ``run``."""
        async with asyncio.timeout(PATIENCE):
            return await asyncio.shield(self.life)


Tasks = set[asyncio.Task[Any]]

_SERVING = ("Server.", "serve.", "BaseSelectorEventLoop._accept_connection")


def tasks_besides(before: Tasks) -> Tasks:
    """The tasks that came since, but for the scripted server's own."""
    return {task for task in asyncio.all_tasks() - before if not _name(task).startswith(_SERVING)}


def _name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", "")


@asynccontextmanager
async def running(
    *scripts: Script, token: TokenSource | None = None, channels: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Running]:
    """Run a client with short waits against a scripted server; both are gone afterwards, and all tasks."""
    before = asyncio.all_tasks()
    server = Scripted(scripts)
    await server.start()
    log = Log()
    short = {"backoff_min": 0.01, "backoff_max": 0.05, "close_timeout": 0.2} | options
    client = Client(server.url, log, token=token, options=Options(**short))
    for channel in channels:
        client.subscribe(channel)
    life = asyncio.create_task(client.run())
    try:
        yield Running(server, client, log, life)
    finally:
        await client.close()
        if not life.done():
            await life
        left = tasks_besides(before)
        await server.kill()
    assert not left
    assert not server.errors
