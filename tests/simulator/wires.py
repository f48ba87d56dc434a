"""A connection that writes down what it is told, and Centrifugo's API over either server."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import jwt
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.conformance.centrifugo import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

    from cadenza_tui.simulator.server import Server


class Api(Protocol):
    """Centrifugo's HTTP API, or what stands for it."""

    @property
    def url(self) -> str:
        """Where clients connect."""

    def call(self, method: str, **parameters: Any) -> object:
        """Call one method."""


class SimulatedApi:
    """The simulator's own levers under Centrifugo's names."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self._levers: dict[str, Callable[..., None]] = {
            "publish": lambda channel, data: server.publish_to(channel, as_json(data)),
            "disconnect": lambda user, disconnect: server.disconnect_user(user, **disconnect),
            "history_remove": server.remove_history,
            "unsubscribe": server.unsubscribe_user,
            "subscribe": server.subscribe_user,
            "refresh": server.refresh_user,
        }

    def call(self, method: str, **parameters: Any) -> None:
        self._levers[method](**parameters)


def as_json(data: Any) -> bytes:
    """Return the bytes that the real server is sent, too."""
    return json.dumps(data, ensure_ascii=False).encode()


class Wire:
    """A connection that writes down every line it is sent, and how it ended."""

    def __init__(self, socket: ClientConnection, said: list[Any], user: str) -> None:
        self.socket, self.said, self.user = socket, said, user
        self.last_id = 0

    async def call(self, **command: Any) -> dict[str, Any]:
        """Send a command and read up to its reply."""
        self.last_id += 1
        return await self.raw(json.dumps({"id": self.last_id, **command}), self.last_id)

    async def raw(self, frame: str, command_id: int) -> dict[str, Any]:
        """Send a frame and read up to a reply, or to the end: then an empty one."""
        with suppress(ConnectionClosed):  # reading says so too
            await self.socket.send(frame)
        return await self._read(lambda message: message.get("id") == command_id)

    async def until(self, push: str) -> None:
        """Read up to a push of a kind, unless it has come."""
        if not any(push in said.get("push", {}) for said in self.said if isinstance(said, dict)):
            await self._read(lambda message: push in message.get("push", {}))

    async def ended(self) -> None:
        """Read up to the end."""
        await self._read(lambda _message: False)

    async def _read(self, enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        try:
            while not found:
                for line in str(await self.socket.recv()).split("\n"):
                    message: dict[str, Any] = json.loads(line)
                    if not message:
                        await self.socket.send("{}")
                        continue
                    self.said.append(message)
                    if enough(message):
                        found = message
        except ConnectionClosed:
            self.said.append(["closed", self.socket.close_code, self.socket.close_reason])
        return found

    async def settle(self) -> None:
        """Read all that the server has sent: a command's reply comes behind it."""
        await self.call(history={"channel": "nowhere:x"})
        if isinstance(self.said[-1], dict):
            self.said.pop()


class Stage:
    """One server and the connections to it, each with its transcript."""

    def __init__(self, api: Api, unique: str) -> None:
        self._api, self.user, self.unique = api, f"user-{unique}", unique
        self.transcripts: list[list[Any]] = []
        self._sockets: list[ClientConnection] = []

    def channel(self, name: str) -> str:
        """Return a channel that no other test has."""
        return f"{name}-{self.unique}"

    def call(self, method: str, **parameters: Any) -> None:
        """Call the API."""
        self._api.call(method, **parameters)

    def token(self, **claims: Any) -> str:
        """Return a token of the user's."""
        return jwt.encode({"sub": self.user, **claims}, SECRET, algorithm="HS256")

    async def open(self) -> Wire:
        """Open a WebSocket and send nothing."""
        socket = await connect(self._api.url, max_size=None, compression=None, ping_interval=None)
        self._sockets.append(socket)
        self.transcripts.append([])
        return Wire(socket, self.transcripts[-1], self.user)

    async def client(self, subs: dict[str, Any] | None = None, **claims: Any) -> Wire:
        """Open and connect."""
        wire = await self.open()
        await wire.call(connect={"token": self.token(**claims), **({"subs": subs} if subs else {})})
        return wire

    async def close(self) -> None:
        """Close every connection."""
        for socket in self._sockets:
            await socket.close()


def alike(transcripts: list[list[Any]]) -> list[list[Any]]:
    """Return transcripts in which what is another's by nature is named in the order of its coming."""
    names: dict[tuple[str, str], str] = {}

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(one) for one in value]
        if not isinstance(value, dict):
            return value
        told = {}
        for key, one in sorted(value.items()):  # Centrifugo joins a connect's channels in any order
            if key in {"epoch", "client"} and isinstance(one, str):
                told[key] = names.setdefault((key, one), f"{key} {len(names)}")
            elif key not in {"version", "session", "node", "time"}:
                told[names.get(("client", key), key)] = walk(one)
        return told

    return [walk(one) for one in transcripts]
