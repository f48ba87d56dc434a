"""One client's WebSocket: the queue of what it is to be sent, its pings, and how it is closed."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from contextlib import suppress
from random import random
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from .commands import Close, Closing

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from websockets.asyncio.server import ServerConnection

    from .server import ServerOptions


class Connection:
    """What is pushed is queued and sent in frames of up to ``batch`` objects; a client that lets more than
    ``queue_bytes`` pile up is closed with 3008. One message on its own may be larger.
    """

    def __init__(self, options: ServerOptions, websocket: ServerConnection) -> None:
        self._options, self._websocket = options, websocket
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._sending = asyncio.Event()
        self._closing: Closing | None = None
        self._awaits_pong = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: asyncio.Task[None]

    def push(self, line: bytes) -> None:
        """Queue one object for sending."""
        if self._closing is not None:
            return
        self._queue.append(line)
        self._queued += len(line)
        if self._queued - len(line) > self._options.queue_bytes:
            self.close(Close.SLOW)
        self._sending.set()

    def close(self, closing: Closing) -> None:
        """Close the connection: what is queued is still sent, unless the client is too slow for it."""
        if self._closing is not None:
            return
        self._closing = closing
        if closing.code == Close.SLOW.code:
            self._queue.clear()
            self._queued = 0
        self._sending.set()
        self._start(self._close(closing))

    def kill(self) -> None:
        """Drop the TCP connection without a word, as a broken link does."""
        self._websocket.transport.abort()

    def _on_closing(self) -> None:
        """Told once, when the connection begins to close."""

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

    async def _close(self, closing: Closing) -> None:
        """Send what is queued and the close frame, neither for longer than ``close_timeout``."""
        self._on_closing()
        patience = 0.0 if closing.code == Close.SLOW.code else self._options.close_timeout
        with suppress(TimeoutError):
            # A writer that is stuck in a full socket holds WebSocket.send's lock: it must go first.
            await asyncio.wait_for(self._writer, patience)
        if closing.code == Close.CONNECTION_CLOSED.code:  # Centrifugo says nothing, as when the link was lost
            self.kill()
            return
        try:
            async with asyncio.timeout(self._options.close_timeout + 1):
                if closing.code == 1000 or 3000 <= closing.code < 5000:
                    await self._websocket.close(closing.code, closing.reason)
                else:
                    await self._close_wrongly(closing)
        except TimeoutError:
            self.kill()

    async def _close_wrongly(self, closing: Closing) -> None:
        """Send a close frame whose code RFC 6455 does not allow; Centrifugo sends what it was told to."""
        body = struct.pack("!H", closing.code) + closing.reason.encode()
        self._websocket.transport.write(Frame(Opcode.CLOSE, body).serialize(mask=False))
        await self._websocket.wait_closed()

    async def _ping(self) -> None:
        """Ping at the interval, first after a half to a whole one; close when a pong stays out."""
        interval, timeout = self._options.ping, self._options.pong_timeout
        await asyncio.sleep(interval * (0.5 + random() / 2))
        while True:
            self._awaits_pong = True
            self.push(b"{}")
            await asyncio.sleep(timeout)
            if self._awaits_pong:
                self.close(Close.NO_PONG)
                return
            await asyncio.sleep(max(0.0, interval - timeout))
