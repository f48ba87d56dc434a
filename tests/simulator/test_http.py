"""The HTTP server, by the letter and through a real client."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cadenza_tui.errors import CadenzaError
from cadenza_tui.simulator.http import Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


async def echo(headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """Answer with what came."""
    return 200, json.dumps({"key": headers.get("x-key"), "body": body.decode()}).encode()


async def broken(_headers: Mapping[str, str], _body: bytes) -> tuple[int, bytes]:
    """Fail."""
    raise RuntimeError("a secret of the handler's")


@pytest.fixture
async def server() -> AsyncIterator[Http]:
    """A server with small limits."""
    http = Http({("POST", "/echo"): echo, ("GET", "/broken"): broken}, max_body=1_000, idle=0.3)
    await http.start()
    yield http
    await http.stop()


async def talk(server: Http, *pieces: bytes) -> bytes:
    """Send bytes as they are and return all that comes back until the server closes."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        answered = await reader.read()
    writer.close()
    return answered


async def test_a_handler_gets_headers_and_body(server: Http) -> None:
    """Names in lower case; what it returns is the answer, as JSON; a query is no part of the path."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        answered = await client.post("/echo?x=1", content="ж", headers={"X-Key": "k"})
    assert (answered.status_code, answered.headers["content-type"]) == (200, "application/json")
    assert answered.json() == {"key": "k", "body": "ж"}


async def test_one_connection_serves_many_requests(server: Http) -> None:
    """Pipelined or one after the other, in their order."""
    request = b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n%d"
    last = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\n3"
    answered = await talk(server, request % 1 + request % 2, last)
    assert answered.count(b"HTTP/1.1 200") == 3
    assert answered.index(b'"1"') < answered.index(b'"2"') < answered.index(b'"3"')


HEAD = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"


async def test_a_body_may_come_in_pieces(server: Http) -> None:
    """Chunked, byte by byte."""
    chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    assert b'"abc"' in await talk(server, *(bytes([byte]) for byte in chunked))


async def test_a_client_that_waits_to_be_told_to_continue_is_told(server: Http) -> None:
    """100 comes before the body is sent, and the answer after it."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(HEAD + b"expect: 100-continue\r\ncontent-length: 1\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 100")
        writer.write(b"z")
        assert b'"z"' in await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n", 400),
        (b"\xff\xfe\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 40_000, 431),
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1001\r\n\r\n" + b"x" * 1001, 413),
        (b"GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 404),
        (b"GET /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 405),
        (b"GET /broken HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 500),
    ],
    ids=["nonsense", "no-host", "length", "binary", "head", "body", "path", "method", "fault"],
)
async def test_what_cannot_be_served_is_said(server: Http, request_: bytes, status: int) -> None:
    """By its status, with a JSON body that tells nothing of the inside; then the connection ends."""
    answered = await talk(server, request_)
    head, _, body = answered.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    told: dict[str, Any] = json.loads(body)
    assert told.keys() == {"error"}
    assert "secret" not in told["error"]


async def test_a_request_that_never_ends_is_cut(server: Http) -> None:
    """Within the idle time, and without an answer."""
    assert await talk(server, b"POST /echo HTTP/1.1\r\nhost: x\r\n") == b""


async def test_stopping_ends_every_connection(server: Http) -> None:
    """Idle ones too; and nothing listens any more."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await server.stop()
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection(host, int(port))


async def test_a_taken_port_is_a_sentence(server: Http) -> None:
    """It names the address."""
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(CadenzaError, match=f":{port}: "):
        await Http({}).start("127.0.0.1", port)
