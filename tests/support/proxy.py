"""A TCP proxy on loopback that does to a connection what networks do; each fault is a method."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_READ = 65_536
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_MERGE_FOR_S = 0.002
"""How long a rest that a cut left over waits for more to be merged with."""


class Pieces:
    """Cuts a byte stream, and merges what arrives apart, anywhere; seeded."""

    def __init__(self, seed: int, longest: int = 3_000) -> None:
        self._random = random.Random(seed)
        self._longest = longest
        self._rest = b""

    def take(self, data: bytes) -> list[bytes]:
        """Return pieces to pass on now; what is left over stays for the next time."""
        data = self._rest + data
        pieces = []
        at = 0
        while True:
            size = self._random.choice((1, 2, 7, self._random.randint(1, self._longest)))
            if at + size > len(data):
                break
            pieces.append(data[at : at + size])
            at += size
        self._rest = data[at:]
        return pieces

    def flush(self) -> bytes:
        """Return what is left over."""
        rest, self._rest = self._rest, b""
        return rest


class _Link:
    """One connection through the proxy: a stream on each side."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near = near
        self.far = far
        self.swallowing = False

    def reset(self) -> None:
        for writer in (self.near, self.far):
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST in the place of FIN."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    writer.transport.abort()


class TcpProxy:
    """Passes bytes between whoever connects to ``port`` and a server; ``attempts`` are times of the loop."""

    def __init__(self, upstream: str, *, port: int = 0) -> None:
        parts = urlsplit(upstream)
        self._host, self._upstream = parts.hostname or "127.0.0.1", parts.port or 80
        self._path = parts.path
        self.port = port
        self.attempts: list[float] = []
        """When somebody connected, refused ones included."""
        self.bytes_passed = 0
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._one_by_one = False
        self._pieces: Callable[[], Pieces] | None = None
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where to connect to."""
        return f"ws://127.0.0.1:{self.port}{self._path}"

    @property
    def links(self) -> int:
        """How many connections are open, dead ones included."""
        return len(self._links)

    async def __aenter__(self) -> TcpProxy:
        await self.open_door()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shut_door()
        self._flowing.set()
        for link in list(self._links):
            link.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- faults

    async def open_door(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    def shut_door(self) -> None:
        """Stop listening: the system refuses whoever comes. What is connected stays so."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def refuse(self, refusing: bool = True) -> None:
        """Reset whoever connects, at once; attempts are counted, unlike behind a shut door."""
        self._refusing = refusing

    def cut(self) -> None:
        """Reset every connection (RST, both sides)."""
        for link in list(self._links):
            link.reset()

    def half_open(self) -> None:
        """Let nothing through any more on the present connections, and keep them open."""
        for link in self._links:
            link.swallowing = True

    def stall(self) -> None:
        """Hold everything until ``flow``."""
        self._flowing.clear()

    def flow(self) -> None:
        """Pass on what was held, and everything after it."""
        self._flowing.set()

    def one_byte_at_a_time(self, trickling: bool = True) -> None:
        """Pass each byte on by itself."""
        self._one_by_one = trickling

    def cut_anywhere(self, seed: int | None) -> None:
        """Cut and merge the byte streams anywhere; None ends it."""
        self._pieces = None if seed is None else lambda: Pieces(seed)

    def heal(self) -> None:
        """End every fault but a shut door; what is half-open stays dead."""
        self.refuse(False)
        self.one_byte_at_a_time(False)
        self.cut_anywhere(None)
        self.flow()

    # --- passing on

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.attempts.append(asyncio.get_running_loop().time())
        if self._refusing:
            _reset(writer)
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        except asyncio.CancelledError:
            _reset(writer)
        finally:
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._upstream)
        except OSError:
            _reset(writer)
            return
        link = _Link(writer, far_writer)
        self._links.add(link)
        for one in (writer, far_writer):
            sock = one.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up = asyncio.create_task(self._pump(reader, far_writer, link))
        down = asyncio.create_task(self._pump(far_reader, writer, link))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.ALL_COMPLETED)
        finally:
            for pump in (up, down):
                pump.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            self._links.discard(link)
            for one in (writer, far_writer):
                one.close()
            for one in (writer, far_writer):
                with suppress(OSError):
                    await one.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link) -> None:
        pieces: Pieces | None = None
        try:
            while True:
                if pieces is None:
                    data = await reader.read(_READ)
                else:
                    try:
                        async with asyncio.timeout(_MERGE_FOR_S):
                            data = await reader.read(_READ)
                    except TimeoutError:
                        if rest := pieces.flush():
                            await self._pass(writer, link, [rest])
                        pieces = None
                        continue
                if not data:
                    break
                if self._pieces is not None:
                    pieces = pieces or self._pieces()
                    await self._pass(writer, link, pieces.take(data))
                    continue
                if pieces is not None:
                    data = pieces.flush() + data
                    pieces = None
                await self._pass(writer, link, [data])
            if pieces is not None:
                await self._pass(writer, link, [pieces.flush()])
            if not link.swallowing and writer.can_write_eof():
                writer.write_eof()
        except OSError:
            link.reset()

    async def _pass(self, writer: asyncio.StreamWriter, link: _Link, pieces: list[bytes]) -> None:
        for piece in pieces:
            await self._flowing.wait()
            if link.swallowing:
                return
            self.bytes_passed += len(piece)
            if self._one_by_one:
                for at in range(len(piece)):
                    if link.swallowing:
                        return
                    if not self._one_by_one:  # healed meanwhile: the rest at once
                        writer.write(piece[at:])
                        break
                    writer.write(piece[at : at + 1])
                    await writer.drain()
                    await asyncio.sleep(0)
                continue
            writer.write(piece)
            await writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0)
