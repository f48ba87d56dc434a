"""The WebSocket server: Centrifugo's client protocol v2 on ``/connection/websocket``.

A client's book is never wrong, by three rules. A subscription that is not a successful recovery is followed
at once, before any other publication, by the whole book as a ``SNAPSHOT`` with an offset of its own; so a
channel's first publication replaces whatever the client held. Each later ``DIFF`` holds every level that
changed since the publication before it, with absolute quantities; and every 30 s a ``SNAPSHOT`` takes a
diff's place. A recovery hands over all that was missed or, with ``recovered`` false, nothing: then the
first rule applies.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from cadenza_tui.errors import CadenzaError

from .channels import Kind
from .commands import Close, reply
from .hub import HISTORY, Hub, Position
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from websockets.asyncio.server import Server as WebSocketServer
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from .channels import Target
    from .exchange import Exchange, Publication

PATH = "/connection/websocket"
_JSON = Subprotocol("centrifuge-json")
_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class ServerOptions:
    """Limits and times, Centrifugo's defaults where it has them. Times in seconds."""

    ping: float = 25.0
    pong_timeout: float = 8.0
    stale: float = 15.0
    expired_close_delay: float = 25.0
    channel_limit: int = 128
    queue_bytes: int = 1 << 20
    batch: int = 64
    max_command_bytes: int = 65_536
    history: int = HISTORY
    linger: float = 60.0
    close_timeout: float = 3.0


class Server:
    """Serves one exchange. Whoever owns it advances the exchange and hands over what that published."""

    def __init__(
        self,
        exchange: Exchange,
        secret: str,
        options: ServerOptions | None = None,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.exchange, self.secret = exchange, secret
        self.options = options or ServerOptions()
        self.hub = Hub(history=self.options.history, linger=self.options.linger)
        self.node = secrets.token_hex(8)
        self.sessions: set[Session] = set()
        self.catch_up: Callable[[], None] = lambda: None
        """Called before each command, to bring the exchange up to the present."""
        self._wall_ns = wall_ns
        self._server: WebSocketServer | None = None
        self.url = ""

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 is any free one. Sets ``url``. Raises ``CadenzaError`` where that cannot be done."""
        try:
            self._server = await serve(
                self._serve,
                host,
                port,
                process_request=_route,
                select_subprotocol=_subprotocol,
                compression=None,
                ping_interval=None,
                max_size=self.options.max_command_bytes,
                close_timeout=self.options.close_timeout,
                logger=_logger,
                server_header=None,
            )
        except OSError as error:
            raise CadenzaError(
                f"the simulator cannot listen on {host}:{port}: {error.strerror or error}",
                remedy="choose another --port, or 0 for a free one" if port else "choose another --host",
            ) from error
        except OverflowError as error:
            raise CadenzaError(f"{port} is not a port", remedy="a port is 0 to 65535") from error
        address = next(iter(self._server.sockets)).getsockname()
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        if address[0] in {"0.0.0.0", "::"}:  # noqa: S104
            shown = "127.0.0.1"
        self.url = f"ws://{shown}:{address[1]}{PATH}"

    async def stop(self) -> None:
        """Close every connection with 3001 and stop listening."""
        if self._server is None:
            return
        self._server.close(close_connections=False)
        self.disconnect(Close.SHUTDOWN)
        try:
            async with asyncio.timeout(self.options.close_timeout + 2):
                await self._server.wait_closed()
        except TimeoutError:  # a peer that neither closes nor finishes its handshake
            for connection in [*self._server.connections]:
                connection.transport.abort()
        self._server = None

    def now_ms(self) -> int:
        """The wall clock, in ms."""
        return self._wall_ns() // 1_000_000

    def publish(self, publications: Iterable[Publication]) -> None:
        """Hand publications to whoever listens."""
        publish = self.hub.publish
        for channel, data in publications:
            publish(channel, data)

    def join(
        self, target: Target, spelling: str, session: Session, command_id: int, since: Position | None
    ) -> None:
        """Subscribe a session: the reply with what it missed or, behind it, the channel's present state."""
        recovery = None if since is None else self.hub.recover(target.channel, since)
        if target.kind is Kind.KLINE:
            self.exchange.markets[target.key].intervals.add(target.interval)
        top = self.hub.join(target.channel, spelling, session)
        recovered = recovery is not None and recovery.recovered
        result: dict[str, object] = {"recoverable": True, "epoch": top.epoch}
        if recovery is not None:
            result["was_recovering"] = True
            if recovery.recovered:
                result["recovered"] = True
            if recovery.publications:
                result["publications"] = [msgspec.Raw(one) for one in recovery.publications]
        result["offset"] = since.offset if recovered and since is not None else top.offset
        result["positioned"] = True
        session.push(reply(command_id, "subscribe", msgspec.json.encode(result)))
        if not recovered:
            self.publish(self._opening(target))

    def leave(self, target: Target, spelling: str, session: Session) -> None:
        """Unsubscribe a session."""
        self.hub.leave(target.channel, spelling, session, time.monotonic())

    def evict(self, channel: str, code: int = 2500, reason: str = "insufficient state") -> None:
        """Take every client out of a channel with an unsubscribe push."""
        for session in [*self.sessions]:
            session.evict(channel, code, reason)

    def restart(self) -> None:
        """Do what a restart does to clients: every connection closed, all history gone, new epochs."""
        self.hub.restart()
        self.disconnect(Close.SHUTDOWN)

    def disconnect(self, close: Close) -> None:
        """Close every connection with a code."""
        for session in [*self.sessions]:
            session.close(close)

    def _opening(self, target: Target) -> list[Publication]:
        exchange = self.exchange
        if target.kind is Kind.BOOK:
            return [exchange.book_snapshot(target.key)]
        if target.kind is Kind.TICKER:
            return [exchange.ticker(target.key)]
        if target.kind is Kind.VENUE_TICKER:
            return [
                exchange.ticker(one.instrument_id)._replace(channel=target.channel)
                for one in exchange.instruments
                if one.venue == target.key
            ]
        if target.kind is Kind.KLINE:
            opening = exchange.kline(target.key, target.interval)
            return [] if opening is None else [opening]
        if target.kind is Kind.ACCOUNT:
            return [exchange.portfolio_snapshot(target.key)]
        return []

    async def _serve(self, websocket: ServerConnection) -> None:
        tcp = websocket.transport.get_extra_info("socket")
        if tcp is not None:
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, websocket)
        self.sessions.add(session)
        try:
            await session.serve()
        finally:
            self.sessions.discard(session)


def _route(connection: ServerConnection, request: Request) -> Response | None:
    if request.path.partition("?")[0] == PATH:
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, f"the simulator answers at {PATH} alone\n")


def _subprotocol(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return _JSON if _JSON in offered else None
