"""The WebSocket server: Centrifugo's client protocol v2 on ``/connection/websocket``.

A client's book is never wrong, by three rules. A subscription that is not a successful recovery is followed
at once, before any other publication, by the whole book as a ``SNAPSHOT`` with an offset of its own; so a
channel's first publication replaces whatever the client held. Each later ``DIFF`` holds every level that
changed since the publication before it, with absolute quantities; and every 30 s a ``SNAPSHOT`` takes a
diff's place. A recovery hands over all that was missed or, with ``recovered`` false, nothing: then the
first rule applies.

Whoever owns the server can do with it what Centrifugo's HTTP API can do: publish to a channel, disconnect,
unsubscribe, subscribe and refresh a user, remove history, answer RPC methods.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from cadenza_tui.errors import CadenzaError

from .channels import resolve
from .commands import CLOSED, Close, Closing, Error, Refused
from .hub import HISTORY, Hub
from .namespaces import DEFAULT_NAMESPACES, WITHOUT, Namespace, namespace_of
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from websockets.asyncio.server import Server as WebSocketServer
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from .channels import Target
    from .exchange import Exchange, Publication
    from .hub import Sink

PATH = "/connection/websocket"
SWEEP_S = 0.2  # between two looks for streams whose time is over, where there are such
_JSON = Subprotocol("centrifuge-json")
_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class ServerOptions:
    """Limits and times, Centrifugo's defaults where it has them. Times in seconds.

    The end of a subscription is noticed when it comes, that of a stream by the next publication; Centrifugo
    looks once every ``presence_update_interval``, 27 s, besides.
    """

    ping: float = 25.0
    pong_timeout: float = 8.0
    stale: float = 15.0
    refused_close_delay: float = 5.0
    """Until the link of a client is cut whose connect was answered with an error."""
    expired_close_delay: float = 25.0
    expired_sub_close_delay: float = 25.0
    channel_limit: int = 128
    queue_bytes: int = 1 << 20
    batch: int = 64
    max_command_bytes: int = 65_536
    history: int = HISTORY
    linger: float = 60.0
    close_timeout: float = 3.0
    namespaces: Mapping[str, Namespace] = field(default_factory=lambda: DEFAULT_NAMESPACES)


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
        self.hub.on_lost = self._lost
        self.node = secrets.token_hex(8)
        self.sessions: set[Session] = set()
        self.catch_up: Callable[[], None] = lambda: None
        """Called before each command, to bring the exchange up to the present."""
        self.rpc: Callable[[str, str, bytes], Awaitable[bytes | None]] | None = None
        """Asked first about each RPC: user, method and params to the result as JSON, or None for a method of
        the exchange's. It may raise ``Refused`` and ``Closed``."""
        self._wall_ns = wall_ns
        self._server: WebSocketServer | None = None
        self._sweeping: asyncio.Task[None] | None = None
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
        if any(namespace.ttl is not None for namespace in self.options.namespaces.values()):
            self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self, *, kill: bool = False) -> None:
        """Close every connection with 3001, or cut it as a process that is killed does; stop listening."""
        if self._server is None:
            return
        if self._sweeping is not None:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping
        self._server.close(close_connections=False)
        if kill:
            self._cut()
        else:
            self.disconnect(Close.SHUTDOWN)
        try:
            async with asyncio.timeout(self.options.close_timeout + 2):
                await self._server.wait_closed()
        except TimeoutError:  # a peer that neither closes nor finishes its handshake
            self._cut()
        self._server = None

    @property
    def busy(self) -> bool:
        """Whether anybody listens to anything."""
        return self.hub.busy

    def wanted(self, channel: str) -> bool:
        """Whether anything published to the channel is kept."""
        return self.hub.wanted(channel)

    def tidy(self, now: float) -> None:
        """Forget the channels that nobody has listened to for a while."""
        self.hub.expire(now)

    def now_ms(self) -> int:
        """The wall clock, in ms."""
        return self._wall_ns() // 1_000_000

    def publish(self, publications: Iterable[Publication]) -> None:
        """Hand publications to whoever listens."""
        publish = self.hub.publish
        for channel, data in publications:
            publish(channel, data)

    def namespace(self, channel: str) -> Namespace:
        """Return a channel's namespace; raises ``Refused`` with 102 where there is none."""
        name = namespace_of(channel)
        namespace = self.options.namespaces.get(name)
        if namespace is not None:
            return namespace
        if name:
            raise Refused(Error.UNKNOWN_CHANNEL)
        return WITHOUT

    def find(self, channel: str, namespace: Namespace) -> Target | None:
        """Return what a channel stands for, None where nothing is published to it."""
        return resolve(channel, self.exchange, namespace)

    def leave(self, target: Target, spelling: str, session: Session) -> None:
        """Unsubscribe a session."""
        self.hub.leave(target.channel, spelling, session, time.monotonic())

    def evict(self, channel: str, code: int = 2500, reason: str | None = None) -> None:
        """Take every client out of a channel with an unsubscribe push; those whom the server subscribed
        are disconnected from 2500 on, as in Centrifugo."""
        for session in [*self.sessions]:
            session.subscriptions.lose(channel, code, reason)

    def restart(self, *, kill: bool = False) -> None:
        """Do what a restart does to clients: every connection closed with 3001, or cut, all history gone,
        new epochs. The port stays open."""
        self.hub.restart()
        if kill:
            self._cut()
        else:
            self.disconnect(Close.SHUTDOWN)

    def disconnect(self, close: Closing) -> None:
        """Close every connection with a code."""
        for session in [*self.sessions]:
            session.close(close)

    def publish_to(self, channel: str, data: bytes) -> None:
        """Publish JSON to a channel, as ``publish`` of Centrifugo's HTTP API: history begins with the first,
        whether anybody listens or not. Raises ``Refused`` with 102 for a channel that there is not."""
        namespace = self.namespace(channel)
        target = self.find(channel, namespace)
        if target is None:
            raise Refused(Error.UNKNOWN_CHANNEL)
        self.hub.open(target.channel, namespace)
        self.hub.publish(target.channel, data)

    def disconnect_user(
        self, user: str, code: int = Close.FORCE_NO_RECONNECT.code, reason: str | None = None
    ) -> None:
        """Close every connection of a user, as ``disconnect`` does: with any code, whatever it means to the
        client, and whether RFC 6455 allows it or not; 3000 cuts the link without a close frame."""
        for session in self._sessions_of(user):
            session.close(Closing(code, CLOSED.get(code, "") if reason is None else reason))

    def unsubscribe_user(self, user: str, channel: str, code: int = 2000, reason: str | None = None) -> None:
        """Take a user out of a channel, as ``unsubscribe`` does: each connection is told, subscribed or not.
        Centrifugo's own code is 2000."""
        for session in self._sessions_of(user):
            session.subscriptions.take_out(channel, code, reason)

    def subscribe_user(self, user: str, channel: str) -> None:
        """Subscribe a user's connections from the server's side, as ``subscribe`` does, by a push; one that
        has no room is closed with 3505. Raises ``Refused`` for a channel that there is not."""
        for session in self._sessions_of(user):
            session.subscriptions.force(channel)

    def refresh_user(self, user: str, *, expired: bool = False, expire_at: int = 0) -> None:
        """Refresh a user's connections, as ``refresh`` does: ``expired`` or an ``expire_at`` (s since the
        epoch) that is past closes them with 3005, another is told by a push, 0 ends their expiry."""
        for session in self._sessions_of(user):
            if expired:
                session.close(Close.EXPIRED)
            else:
                session.refresh(expire_at)

    def remove_history(self, channel: str) -> None:
        """Forget a channel's publications, as ``history_remove`` does: epoch and offset stay, so that only
        who missed nothing recovers."""
        target = self.find(channel, self.namespace(channel))
        if target is not None:
            self.hub.remove_history(target.channel)

    def _sessions_of(self, user: str) -> list[Session]:
        return [session for session in self.sessions if session.client and session.user == user]

    def _cut(self) -> None:
        if self._server is not None:
            for connection in [*self._server.connections]:
                connection.transport.abort()

    def _lost(self, channel: str, sink: Sink) -> None:
        if isinstance(sink, Session):
            sink.subscriptions.lose(channel, 2500)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.hub.expire(time.monotonic())

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
