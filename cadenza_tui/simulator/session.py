"""One client's session: its commands, in order, and what they do."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import msgspec
from websockets.exceptions import ConnectionClosed

from . import tokens
from .commands import Close, Closed, Command, Error, Refused, decode, error_reply, reply
from .connection import Connection
from .hub import Position
from .queries import UnknownMethod, answer
from .subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from websockets.asyncio.server import ServerConnection

    from .commands import Connect, History, Presence, Refresh, Rpc
    from .server import Server

VERSION = "cadenza simulator"


class Session(Connection):
    """Serves one WebSocket until it closes. Commands are handled in order, each before the next is read."""

    def __init__(self, server: Server, websocket: ServerConnection) -> None:
        super().__init__(server.options, websocket)
        self._server = server
        self.user = ""
        self.client = ""
        self.subscriptions = Subscriptions(server, self)
        self._expiry: asyncio.TimerHandle | None = None
        self._refused = False  # a connect was answered with an error: nothing more is read

    async def serve(self) -> None:
        """Read and answer until the connection ends, then leave every channel."""
        self._writer = self._start(self._write())
        stale = asyncio.get_running_loop().call_later(self._options.stale, self._check_stale)
        try:
            async for message in self._websocket:
                if self._closing is not None:
                    break
                if not message:
                    raise Closed(Close.BAD_REQUEST)
                for line in message.split("\n") if isinstance(message, str) else message.split(b"\n"):
                    if line.strip() and not self._refused and (waiting := self._line(line)) is not None:
                        await waiting
        except Closed as closed:
            self.close(closed.close)
        except ConnectionClosed:
            pass
        finally:
            stale.cancel()
            self._set_expiry(None)
            self.subscriptions.leave_all()
            if self._closing is not None:
                await self._websocket.wait_closed()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def refresh(self, expire_at: int) -> None:
        """Put the connection's end off to ``expire_at`` s since the epoch, 0 for ever, and say so."""
        result: dict[str, object] = {}
        if expire_at:
            ttl = expire_at - self._server.now_ms() // 1000
            if ttl <= 0:
                self.close(Close.EXPIRED)
                return
            result = {"expires": True, "ttl": ttl}
            self._set_expiry(ttl)
        else:
            self._set_expiry(None)
        self.push(msgspec.json.encode({"push": {"refresh": result}}))

    def _on_closing(self) -> None:
        self.subscriptions.leave_all()

    def _line(self, line: str | bytes) -> Awaitable[None] | None:
        try:
            command = decode(line)
        except msgspec.MsgspecError as error:
            raise Closed(Close.BAD_REQUEST) from error
        if not command.id:
            self._pong(command)
            return None
        if command.id < 0 or bool(self.client) is (command.connect is not None):
            raise Closed(Close.BAD_REQUEST)  # connect comes first, and once
        try:
            return self._dispatch(command)
        except Refused as refused:
            self._refuse(command, refused)
            return None

    def _refuse(self, command: Command, refused: Refused) -> None:
        self.push(error_reply(command.id, refused.error))
        if command.connect is not None:
            self._refused = True
            self._start(self._drop())

    async def _drop(self) -> None:
        await asyncio.sleep(self._options.refused_close_delay)
        self.kill()

    def _pong(self, command: Command) -> None:
        if command.send is not None:
            raise Closed(Close.NOT_AVAILABLE)
        if not self._awaits_pong:
            raise Closed(Close.BAD_REQUEST)  # also when nothing was sent yet
        self._awaits_pong = False

    def _dispatch(self, command: Command) -> Awaitable[None] | None:
        self._server.catch_up()
        subscriptions = self.subscriptions
        if command.connect is not None:
            self._connect(command.id, command.connect)
        elif command.subscribe is not None:
            subscriptions.subscribe(command.id, command.subscribe)
        elif command.unsubscribe is not None:
            subscriptions.unsubscribe(command.id, command.unsubscribe)
        elif command.rpc is not None:
            return self._rpc(command, command.rpc)
        elif command.history is not None:
            self._history(command.id, command.history)
        elif command.refresh is not None:
            self._refresh(command.id, command.refresh)
        elif command.sub_refresh is not None:
            subscriptions.refresh(command.id, command.sub_refresh)
        elif command.presence is not None:
            self._presence(command.id, command.presence)
        elif command.presence_stats is not None:
            self._presence_stats(command.id, command.presence_stats)
        elif command.publish is not None:
            if not command.publish.channel:
                raise Closed(Close.BAD_REQUEST)
            self._server.namespace(command.publish.channel)
            raise Refused(Error.PERMISSION_DENIED)
        elif command.send is not None:
            raise Closed(Close.NOT_AVAILABLE)
        else:
            raise Closed(Close.BAD_REQUEST)
        return None

    def _connect(self, command_id: int, request: Connect) -> None:
        if not request.token:
            raise Closed(Close.BAD_REQUEST)
        try:
            claims = tokens.verify(self._server.secret, request.token)
        except tokens.ExpiredToken as error:
            raise Refused(Error.TOKEN_EXPIRED) from error
        except tokens.InvalidToken as error:
            raise Closed(Close.INVALID_TOKEN) from error
        self.user = claims.user
        subs = self.subscriptions.at_connect(claims.channels, request.subs)
        self.client = secrets.token_hex(16)
        result: dict[str, object] = {"client": self.client, "version": VERSION}
        result |= self._expires(claims)
        if subs.results:
            result["subs"] = subs.results
        result |= {
            "ping": max(1, round(self._options.ping)),
            "pong": True,
            "session": secrets.token_hex(8),
            "node": self._server.node,
            "time": self._server.now_ms(),
        }
        self.push(reply(command_id, "connect", msgspec.json.encode(result)))
        self._start(self._ping())
        self._server.publish(subs.openings)

    def _refresh(self, command_id: int, request: Refresh) -> None:
        if not request.token:
            raise Closed(Close.BAD_REQUEST)
        try:
            claims = tokens.verify(self._server.secret, request.token)
        except tokens.ExpiredToken as error:
            raise Closed(Close.EXPIRED) from error
        except tokens.InvalidToken as error:
            raise Closed(Close.INVALID_TOKEN) from error
        if claims.user != self.user:
            raise Closed(Close.INVALID_TOKEN)
        if not self.subscriptions.agree_with(claims.channels):
            raise Closed(Close.INSUFFICIENT_STATE)
        self.push(reply(command_id, "refresh", msgspec.json.encode(self._expires(claims))))

    def _expires(self, claims: tokens.Claims) -> dict[str, object]:
        """Return when the connection ends, and end it then and a grace later unless it is refreshed.

        A token without an end does not put off an end that there is, as in Centrifugo.
        """
        if claims.expires is None:
            return {}
        ttl = max(0, claims.expires - self._server.now_ms() // 1000)
        self._set_expiry(ttl)
        return {"expires": True, "ttl": ttl} if ttl else {"expires": True}

    def _set_expiry(self, ttl: int | None) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if ttl is not None:
            self._expiry = asyncio.get_running_loop().call_later(
                ttl + self._options.expired_close_delay, self.close, Close.EXPIRED
            )

    def _history(self, command_id: int, request: History) -> None:
        if not request.channel:
            raise Closed(Close.BAD_REQUEST)
        namespace = self._server.namespace(request.channel)
        if namespace.history == 0:
            raise Refused(Error.NOT_AVAILABLE)
        target = self.subscriptions.target(request.channel)
        if target is None or not namespace.history_for_subscriber:
            raise Refused(Error.PERMISSION_DENIED)
        since = None if request.since is None else Position(request.since.offset, request.since.epoch)
        if request.reverse and since is not None and since.offset == 0:
            raise Refused(Error.BAD_REQUEST)
        found = self._server.hub.history(
            target.channel, limit=request.limit, since=since, reverse=request.reverse
        )
        if found is None:
            raise Refused(Error.UNRECOVERABLE)
        publications, top = found
        result = b'{"publications":[%b],"epoch":%b%b}' % (
            b",".join(publications),
            msgspec.json.encode(top.epoch),
            b',"offset":%d' % top.offset if top.offset else b"",
        )
        self.push(reply(command_id, "history", result))

    def _presence(self, command_id: int, request: Presence) -> None:
        present = self._present(request)
        told = {one.client: {"user": one.user, "client": one.client} for one in present}
        self.push(reply(command_id, "presence", msgspec.json.encode({"presence": told})))

    def _presence_stats(self, command_id: int, request: Presence) -> None:
        present = self._present(request)
        counts = {"num_clients": len(present), "num_users": len({one.user for one in present})}
        self.push(reply(command_id, "presence_stats", msgspec.json.encode(counts)))

    def _present(self, request: Presence) -> list[Session]:
        channel = request.channel
        if not channel:
            raise Closed(Close.BAD_REQUEST)
        if not self._server.namespace(channel).presence:
            raise Refused(Error.NOT_AVAILABLE)
        if self.subscriptions.target(channel) is None:
            raise Refused(Error.PERMISSION_DENIED)
        return [one for one in self._server.sessions if one.subscriptions.target(channel) is not None]

    def _rpc(self, command: Command, request: Rpc) -> Awaitable[None] | None:
        data = bytes(request.data)
        if self._server.rpc is not None:
            return self._hooked_rpc(command, request.method, data)
        self._own_rpc(command.id, request.method, data)
        return None

    async def _hooked_rpc(self, command: Command, method: str, data: bytes) -> None:
        """Ask the hook first. No other command is read meanwhile, as in Centrifugo; the end of the connection
        ends the waiting, too."""
        assert self._server.rpc is not None  # noqa: S101
        asking = asyncio.ensure_future(self._server.rpc(self.user, method, data))
        gone = asyncio.ensure_future(self._websocket.wait_closed())
        try:
            await asyncio.wait({asking, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return
            result = asking.result()
            if result is None:
                self._own_rpc(command.id, method, data)
            else:
                self.push(reply(command.id, "rpc", b'{"data":%b}' % result))
        except Refused as refused:
            self._refuse(command, refused)
        finally:
            asking.cancel()
            gone.cancel()
            await asyncio.gather(asking, gone, return_exceptions=True)

    def _own_rpc(self, command_id: int, method: str, data: bytes) -> None:
        try:
            result = answer(self._server.exchange, self.user, method, data)
        except UnknownMethod as error:
            raise Refused(Error.METHOD_NOT_FOUND) from error
        except msgspec.MsgspecError as error:
            raise Refused(Error.BAD_REQUEST) from error
        self.push(reply(command_id, "rpc", b'{"data":%b}' % result))

    def _check_stale(self) -> None:
        if not self.client:
            self.close(Close.STALE)
