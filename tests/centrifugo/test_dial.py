"""Addresses, and the sentences for what goes wrong at them."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import serve

from cadenza_tui.centrifugo.dial import DialFailed, dial, validate_url
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.errors import ConfigError

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response


@pytest.mark.parametrize(
    "url",
    [
        "ws://localhost:8000/connection/websocket",
        "wss://host/connection/websocket?x=1",
        "ws://127.0.0.1",
        "WSS://[::1]:443/",
    ],
)
def test_good_addresses_are_taken(url: str) -> None:
    """An address that can be one comes back as it is."""
    assert validate_url(url) == url


@pytest.mark.parametrize(
    ("url", "sentence", "remedy"),
    [
        ("", "empty", "wss://host"),
        ("localhost:8000", "does not start with ws:// or wss://", "wss://host"),
        ("http://host:1/x", "starts with http://", "write ws://host:1/x"),
        ("https://host/x", "starts with https://", "write wss://host/x"),
        ("ftp://host", "does not start with ws:// or wss://", "wss://host"),
        ("ws:///path", "names no host", "wss://host"),
        ("ws://host:port/", "cannot be read", "wss://host"),
        ("ws://host:99999/", "cannot be read", "wss://host"),
        ("ws://host:0/", "has port 0", "wss://host"),
        ("ws://[::1/", "cannot be read", "wss://host"),
        ("ws://ho st/", "has a space or control character", "wss://host"),
        ("ws://host/\x1b[2J", "has a space or control character", "wss://host"),
        ("ws://host/#x", "has a # part", "wss://host"),
        ("ws://host/#", "has a # part", "wss://host"),
    ],
)
def test_bad_addresses_are_refused_with_a_sentence_and_a_remedy(url: str, sentence: str, remedy: str) -> None:
    """What is wrong with an address is said, and how to write it."""
    with pytest.raises(ConfigError, match=sentence) as refusal:
        validate_url(url)
    assert refusal.value.remedy is not None
    assert remedy in refusal.value.remedy
    assert str(refusal.value).isprintable()


def test_address_with_a_password_is_refused_without_showing_it() -> None:
    """Secrets do not belong into an address, nor into the sentence about it."""
    with pytest.raises(ConfigError) as refusal:
        validate_url("wss://user:secret@host/")
    assert "secret" not in str(refusal.value)


async def test_nobody_listening_is_said() -> None:
    """A refused connection names the host and the likely cause."""
    server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(DialFailed, match=r"127\.0\.0\.1 refuses the connection"):
        await dial(f"ws://127.0.0.1:{port}/", Options())


async def test_unknown_name_is_said() -> None:
    """A name that resolves to nothing is told as such."""
    with pytest.raises(DialFailed, match=r"the name nowhere\.invalid cannot be resolved"):
        await dial("ws://nowhere.invalid/", Options())


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
async def test_impossible_name_is_said(host: str) -> None:
    """A name that cannot be one is told like one that is not known."""
    with pytest.raises(DialFailed, match="cannot be resolved"):
        await dial(f"ws://{host}/", Options())


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "nonsense", "socks5h://127.0.0.1:1"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_loopback_is_dialled_past_any_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str, proxy: str
) -> None:
    """A proxy of the environment does not know this machine's own ports."""
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(DialFailed, match=r"refuses the connection|cannot be reached"):
        await dial(f"ws://{host}:9/", Options())


@pytest.mark.parametrize(
    ("proxy", "sentence"),
    [
        ("nonsense://x", "the proxy of the environment does not lead to host.invalid"),
        ("socks5h://127.0.0.1:1", "python-socks"),
    ],
)
async def test_failing_proxy_is_said(monkeypatch: pytest.MonkeyPatch, proxy: str, sentence: str) -> None:
    """A proxy that cannot be used is named as the cause."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ws_proxy", "wss_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(DialFailed, match=sentence):
        await dial("wss://host.invalid/", Options())


async def test_refused_handshake_is_said() -> None:
    """An HTTP answer other than a WebSocket is told by its status."""

    def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(HTTPStatus.NOT_FOUND, "")

    async def never(_: ServerConnection) -> None: ...

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        (socket, *_) = server.sockets
        with pytest.raises(DialFailed, match="answered HTTP 404 instead of opening a WebSocket"):
            await dial(f"ws://127.0.0.1:{socket.getsockname()[1]}/", Options())


async def answering(answer: bytes, url: str = "ws", **options: float) -> DialFailed:
    """Dial a server that answers every request with these bytes, or with silence."""

    gone = asyncio.Event()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        if not answer:
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as server:
        with pytest.raises(DialFailed) as failure:
            port = server.sockets[0].getsockname()[1]
            await dial(f"{url}://127.0.0.1:{port}/", Options(**options))  # type: ignore[arg-type]
        await gone.wait()
    return failure.value


async def test_server_of_another_protocol_is_said() -> None:
    """Something that does not speak HTTP is no WebSocket server."""
    assert (
        str(await answering(b"SSH-2.0-OpenSSH\r\n")) == "127.0.0.1 does not speak WebSocket at this address"
    )


async def test_silent_server_is_said() -> None:
    """A handshake that gets no answer ends after the open timeout."""
    assert str(await answering(b"", open_timeout=0.05)) == "127.0.0.1 did not answer in time"


async def test_server_without_tls_is_said() -> None:
    """A plain server behind a wss address is told as a failure of TLS."""
    assert str(await answering(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wss")).startswith(
        "127.0.0.1 could not agree on TLS"
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ssl.SSLCertVerificationError(1, "x"), "the certificate of host is not trusted"),
        (OSError(101, "Network is unreachable"), "host cannot be reached: Network is unreachable"),
        (OSError("odd"), "host cannot be reached: OSError"),
    ],
)
async def test_failures_of_the_network_are_said(
    monkeypatch: pytest.MonkeyPatch, error: OSError, sentence: str
) -> None:
    """Each failure has a sentence that names the host."""
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("cadenza_tui.centrifugo.dial.connect", fail)
    with pytest.raises(DialFailed, match=sentence):
        await dial("wss://host/", Options())


def test_transport_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The transport's log would hold frames, and tokens in them."""
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("cadenza_tui.centrifugo.dial.silent").critical("secret")
    assert not caplog.records


@pytest.mark.parametrize("bad", [{"name": "x" * 17}, {"version": "x" * 65}])
def test_names_that_the_server_would_refuse_are_refused(bad: dict[str, str]) -> None:
    """The protocol bounds the client's name and version."""
    with pytest.raises(ValueError, match="may have"):
        Options(**bad)  # type: ignore[arg-type]
