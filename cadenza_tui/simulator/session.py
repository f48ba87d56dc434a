"""One client's connection: its commands, its pings, and the queue of what it is to be sent."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from contextlib import suppress
from random import random
from typing import TYPE_CHECKING

import msgspec
from websockets.exceptions import ConnectionClosed

from . import tokens
from .channels import Kind, Target, resolve
from .commands import Close, Closed, Command, Error, Refused, decode, error_reply, reply
from .hub import Position
from .queries import UnknownMethod, answer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from websockets.asyncio.server import ServerConnection

    from .commands import Connect, History, Refresh, Rpc, Subscribe, Unsubscribe
    from .server import Server

VERSION = "cadenza simulator"


class Session:
    """Serves one WebSocket until it closes. Commands are handled in order, each before the next is read.

    What is pushed is queued and sent in frames of up to ``batch`` objects; a client that lets more than
    ``queue_bytes`` pile up is closed with 3008. One message on its own may be larger.
    """

    def __init__(self, server: Server, websocket: ServerConnection) -> None:
        self._server, self._websocket = server, websocket
        self._options = server.options
        self.user = ""
        self.client = ""
        self._channels: dict[str, Target] = {}
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._sending = asyncio.Event()
        self._closing: Close | None = None
        self._ponged = True
        self._expiry: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: asyncio.Task[None]

    async def serve(self) -> None:
        """Read and answer until the connection ends, then leave every channel."""
        self._writer = self._start(self._write())
        stale = asyncio.get_running_loop().call_later(self._options.stale, self._check_stale)
        try:
            async for message in self._websocket:
                if self._closing is not None:
                    break
                self._frame(message)
        except Closed as closed:
            self.close(closed.close)
        except ConnectionClosed:
            pass
        finally:
            stale.cancel()
            if self._expiry is not None:
                self._expiry.cancel()
            self._leave()
            if self._closing is not None:
                await self._websocket.wait_closed()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def push(self, line: bytes) -> None:
        """Queue one object for sending."""
        if self._closing is not None:
            return
        self._queue.append(line)
        self._queued += len(line)
        if self._queued > self._options.queue_bytes and len(self._queue) > 1:
            self.close(Close.SLOW)
        self._sending.set()

    def close(self, close: Close) -> None:
        """Close the connection: what is queued is still sent, unless the client is too slow for it."""
        if self._closing is not None:
            return
        self._closing = close
        if close is Close.SLOW:
            self._queue.clear()
            self._queued = 0
        self._sending.set()
        self._start(self._close(close))

    def evict(self, channel: str, code: int, reason: str) -> None:
        """Take the client out of a channel, under each spelling, and say so. From 2500 on, it comes back."""
        for spelling, target in [*self._channels.items()]:
            if target.channel == channel:
                del self._channels[spelling]
                self._server.leave(target, spelling, self)
                push = {"channel": spelling, "unsubscribe": {"code": code, "reason": reason}}
                self.push(msgspec.json.encode({"push": push}))

    def kill(self) -> None:
        """Drop the TCP connection without a word, as a broken link does."""
        self._websocket.transport.abort()

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _write(self) -> None:
        queue, batch = self._queue, self._options.batch
        while True:
            await self._sending.wait()
            self._sending.clear()
            while queue:
                lines = [queue.popleft() for _ in range(min(batch, len(queue)))]
                self._queued -= sum(map(len, lines))
                try:
                    await self._websocket.send(b"\n".join(lines), text=True)
                except ConnectionClosed:
                    return
            if self._closing is not None:
                return

    async def _close(self, close: Close) -> None:
        """Send what is queued and the close frame, neither for longer than ``close_timeout``."""
        self._leave()
        patience = 0.0 if close is Close.SLOW else self._options.close_timeout
        with suppress(TimeoutError):
            # A writer that is stuck in a full socket holds WebSocket.send's lock: it must go first.
            await asyncio.wait_for(self._writer, patience)
        code, reason = close.value
        try:
            async with asyncio.timeout(self._options.close_timeout + 1):
                await self._websocket.close(code, reason)
        except TimeoutError:
            self.kill()

    def _leave(self) -> None:
        for spelling, target in self._channels.items():
            self._server.leave(target, spelling, self)
        self._channels.clear()

    def _frame(self, message: str | bytes) -> None:
        for line in message.split("\n") if isinstance(message, str) else message.split(b"\n"):
            if line.strip():
                self._line(line)

    def _line(self, line: str | bytes) -> None:
        try:
            command = decode(line)
        except msgspec.MsgspecError as error:
            raise Closed(Close.BAD_REQUEST) from error
        if not command.id:
            if command.send is not None:
                raise Closed(Close.NOT_AVAILABLE)
            if not self.client:
                raise Closed(Close.BAD_REQUEST)
            self._ponged = True
            return
        if command.id < 0 or bool(self.client) is (command.connect is not None):
            raise Closed(Close.BAD_REQUEST)  # connect comes first, and once
        try:
            self._dispatch(command)
        except Refused as refused:
            self.push(error_reply(command.id, refused.error))

    def _dispatch(self, command: Command) -> None:
        self._server.catch_up()
        if command.connect is not None:
            self._connect(command.id, command.connect)
        elif command.subscribe is not None:
            self._subscribe(command.id, command.subscribe)
        elif command.unsubscribe is not None:
            self._unsubscribe(command.id, command.unsubscribe)
        elif command.rpc is not None:
            self._rpc(command.id, command.rpc)
        elif command.history is not None:
            self._history(command.id, command.history)
        elif command.refresh is not None:
            self._refresh(command.id, command.refresh)
        elif command.publish is not None or command.sub_refresh is not None:
            raise Refused(Error.PERMISSION_DENIED)
        elif command.presence is not None or command.presence_stats is not None or command.ping is not None:
            raise Refused(Error.NOT_AVAILABLE)
        else:
            raise Refused(Error.METHOD_NOT_FOUND)

    def _connect(self, command_id: int, request: Connect) -> None:
        if not request.token:
            raise Closed(Close.BAD_REQUEST)
        claims = self._verify(request.token)
        self.user = claims.user
        self.client = secrets.token_hex(16)
        result: dict[str, object] = {"client": self.client, "version": VERSION}
        result |= self._expires(claims)
        result |= {
            "ping": max(1, round(self._options.ping)),
            "pong": True,
            "session": secrets.token_hex(8),
            "node": self._server.node,
            "time": self._server.now_ms(),
        }
        self.push(reply(command_id, "connect", msgspec.json.encode(result)))
        self._start(self._ping())

    def _refresh(self, command_id: int, request: Refresh) -> None:
        claims = self._verify(request.token)
        if claims.user != self.user:
            raise Closed(Close.INVALID_TOKEN)
        self.push(reply(command_id, "refresh", msgspec.json.encode(self._expires(claims))))

    def _verify(self, token: str) -> tokens.Claims:
        try:
            return tokens.verify(self._server.secret, token)
        except tokens.ExpiredToken as error:
            raise Refused(Error.TOKEN_EXPIRED) from error
        except tokens.InvalidToken as error:
            raise Closed(Close.INVALID_TOKEN) from error

    def _expires(self, claims: tokens.Claims) -> dict[str, object]:
        """Return when the connection ends, and end it then and a grace later unless it is refreshed."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if claims.expires is None:
            return {}
        ttl = max(0, claims.expires - self._server.now_ms() // 1000)
        self._expiry = asyncio.get_running_loop().call_later(
            ttl + self._options.expired_close_delay, self.close, Close.EXPIRED
        )
        return {"expires": True, "ttl": ttl}

    def _subscribe(self, command_id: int, request: Subscribe) -> None:
        spelling = request.channel
        if not spelling:
            raise Closed(Close.BAD_REQUEST)
        if spelling in self._channels:
            raise Refused(Error.ALREADY_SUBSCRIBED)
        if len(self._channels) >= self._options.channel_limit:
            raise Refused(Error.LIMIT_EXCEEDED)
        if request.offset < 0:
            raise Refused(Error.BAD_REQUEST)
        target = self._target(spelling)
        self._channels[spelling] = target
        since = Position(request.offset, request.epoch) if request.recover else None
        self._server.join(target, spelling, self, command_id, since)

    def _unsubscribe(self, command_id: int, request: Unsubscribe) -> None:
        if not request.channel:
            raise Closed(Close.BAD_REQUEST)
        target = self._channels.pop(request.channel, None)
        if target is not None:
            self._server.leave(target, request.channel, self)
        self.push(reply(command_id, "unsubscribe", b"{}"))

    def _history(self, command_id: int, request: History) -> None:
        if not request.channel:
            raise Closed(Close.BAD_REQUEST)
        target = self._channels.get(request.channel)
        if target is None:
            self._target(request.channel)
            raise Refused(Error.PERMISSION_DENIED)  # for subscribers only
        since = None
        if request.since is not None:
            if request.since.offset < 0:
                raise Refused(Error.BAD_REQUEST)
            since = Position(request.since.offset, request.since.epoch)
        found = self._server.hub.history(
            target.channel, limit=request.limit, since=since, reverse=request.reverse
        )
        if found is None:
            raise Refused(Error.UNRECOVERABLE)
        publications, top = found
        result = b'{"publications":[%b],"epoch":%b,"offset":%d}' % (
            b",".join(publications),
            msgspec.json.encode(top.epoch),
            top.offset,
        )
        self.push(reply(command_id, "history", result))

    def _rpc(self, command_id: int, request: Rpc) -> None:
        if not request.method:
            raise Closed(Close.BAD_REQUEST)
        try:
            result = answer(self._server.exchange, self.user, request.method, bytes(request.data))
        except UnknownMethod as error:
            raise Refused(Error.METHOD_NOT_FOUND) from error
        except msgspec.MsgspecError as error:
            raise Refused(Error.BAD_REQUEST) from error
        self.push(reply(command_id, "rpc", b'{"data":%b}' % result))

    def _target(self, spelling: str) -> Target:
        target = resolve(spelling, self._server.exchange)
        if target is None:
            raise Refused(Error.UNKNOWN_CHANNEL)
        if target.kind is Kind.ACCOUNT and target.key not in {
            account.account_id for account in self._server.exchange.accounts_of(self.user)
        }:
            raise Refused(Error.PERMISSION_DENIED)
        return target

    def _check_stale(self) -> None:
        if not self.client:
            self.close(Close.STALE)

    async def _ping(self) -> None:
        """Ping at the interval, first after a half to a whole one; close when a pong stays out."""
        interval, timeout = self._options.ping, self._options.pong_timeout
        await asyncio.sleep(interval * (0.5 + random() / 2))
        while True:
            self._ponged = False
            self.push(b"{}")
            await asyncio.sleep(timeout)
            if not self._ponged:
                self.close(Close.NO_PONG)
                return
            await asyncio.sleep(max(0.0, interval - timeout))
