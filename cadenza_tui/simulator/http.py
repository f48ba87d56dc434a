"""A small HTTP/1.1 server of JSON, on `h11`: for what the platform answers over REST, and for RPC proxies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TypeAlias

import h11
import msgspec

from cadenza_tui.errors import CadenzaError

Handler: TypeAlias = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]
"""Headers by their lower-case names and the body, to a status and a JSON body."""

MAX_BODY = 1 << 20
MAX_HEAD = 16_384
IDLE = 60.0
_READ = 65_536
_REASONS = {int(status): status.phrase for status in HTTPStatus}
_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


class Http:
    """Serves handlers by method and path. Sizes in bytes; ``idle`` is how long a request may take to come, s.

    What is no HTTP is answered with 400, an unknown path with 404, another method with 405, a body past
    ``max_body`` with 413, a head past 16 KiB with 431 and a handler that raises with 500.
    """

    def __init__(
        self,
        routes: Mapping[tuple[str, str], Handler],
        *,
        max_body: int = MAX_BODY,
        idle: float = IDLE,
    ) -> None:
        self._routes, self._max_body, self._idle = dict(routes), max_body, idle
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.url = ""
        """Without a path and without a slash at its end; empty before ``start``."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 is any free one. Raises ``CadenzaError`` where that cannot be done."""
        try:
            self._server = await asyncio.start_server(self._accept, host, port)
        except (OSError, OverflowError) as error:
            sentence = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise CadenzaError(
                f"the simulator cannot serve HTTP on {host}:{port}: {sentence}",
                remedy="choose another port, or 0 for a free one",
            ) from error
        address = self._server.sockets[0].getsockname()
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.url = f"http://{shown}:{address[1]}"

    async def stop(self) -> None:
        """Stop listening and end every connection, whatever it is at."""
        if self._server is None:
            return
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        self._serving.add(task)
        try:
            with suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._serving.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests for as long as both sides keep the connection."""
        link = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    request, body = await self._request(link, reader, writer)
            except h11.RemoteProtocolError as error:
                await _answer(link, writer, error.error_status_hint, _problem(str(error)))
                return
            if request is None:
                return
            if body is None:
                await _answer(link, writer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _problem("too large"))
                return
            status, answer, extra = await self._handle(request, body)
            await _answer(link, writer, status, answer, extra)
            if link.our_state is not h11.DONE or link.their_state is not h11.DONE:
                return
            link.start_next_cycle()

    async def _request(
        self, link: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[h11.Request | None, bytes | None]:
        """Read one request. No request: the peer has gone; no body: it is larger than it may be."""
        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = link.next_event()
            if event is h11.NEED_DATA:
                if link.they_are_waiting_for_100_continue:
                    writer.write(link.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                link.receive_data(await reader.read(_READ))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._max_body:
                    return request, None
            elif isinstance(event, h11.EndOfMessage):
                return request, bytes(body)
            else:
                return None, None

    async def _handle(self, request: h11.Request, body: bytes) -> tuple[int, bytes, list[tuple[str, str]]]:
        method = request.method.decode()
        path = request.target.decode().partition("?")[0]
        handler = self._routes.get((method, path))
        if handler is None:
            allowed = sorted(one for one, known in self._routes if known == path)
            if allowed:
                return (
                    HTTPStatus.METHOD_NOT_ALLOWED,
                    _problem("another method"),
                    [("allow", ", ".join(allowed))],
                )
            return HTTPStatus.NOT_FOUND, _problem("nothing is here"), []
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        try:
            return *await handler(headers, body), []
        except Exception:  # a handler's fault is this request's, not the connection's
            _logger.exception("%s %s", method, path)
            return HTTPStatus.INTERNAL_SERVER_ERROR, _problem("the simulator failed"), []


async def _answer(
    link: h11.Connection,
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    extra: list[tuple[str, str]] | None = None,
) -> None:
    if link.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return
    headers = [("content-type", "application/json"), ("content-length", str(len(body))), *(extra or ())]
    for event in (
        h11.Response(status_code=int(status), reason=_reason(status), headers=headers),
        h11.Data(data=body),
        h11.EndOfMessage(),
    ):
        writer.write(link.send(event) or b"")
    await writer.drain()


def _reason(status: int) -> str:
    return _REASONS.get(status, "")


def _problem(sentence: str) -> bytes:
    return msgspec.json.encode({"error": sentence})


__all__ = ["Handler", "Http"]
