"""Opening the WebSocket, and saying in words why it did not open."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.errors import CentrifugoError
from cadenza_tui.errors import ConfigError

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.options import Options

_EXAMPLE = "write it like wss://host/connection/websocket"

# The transport's debug log holds whole frames, tokens among them, and stderr belongs to the screen.
_silent = logging.getLogger(f"{__name__}.silent")
_silent.setLevel(logging.CRITICAL + 1)
_silent.propagate = False
_silent.addHandler(logging.NullHandler())


class DialFailed(CentrifugoError):
    """The WebSocket could not be opened; another attempt may succeed."""


def validate_url(url: str) -> str:
    """Return the address as it is. Raises ConfigError, saying what is wrong with it and how to write it."""
    if not url:
        raise ConfigError("the server's address is empty", remedy=_EXAMPLE)
    shown = codes.printable(url)
    if not url.isprintable() or " " in url:
        raise ConfigError(
            f"the server's address {shown!r} has a space or control character in it", remedy=_EXAMPLE
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(
            f"the server's address {shown!r} cannot be read: {error}", remedy=_EXAMPLE
        ) from error
    if parts.username is not None or parts.password is not None:
        raise ConfigError("the server's address holds a user name or password", remedy="give a token instead")
    if parts.scheme in ("http", "https"):
        better = f"ws{parts.scheme[4:]}://{parts.netloc}{parts.path}"
        raise ConfigError(
            f"the server's address {shown!r} starts with {parts.scheme}://, not ws:// or wss://",
            remedy=f"write {codes.printable(better)}",
        )
    if parts.scheme not in ("ws", "wss"):  # urlsplit has lowered it
        raise ConfigError(
            f"the server's address {shown!r} does not start with ws:// or wss://", remedy=_EXAMPLE
        )
    if not parts.hostname:
        raise ConfigError(f"the server's address {shown!r} names no host", remedy=_EXAMPLE)
    if port == 0:
        raise ConfigError(f"the server's address {shown!r} has port 0", remedy=_EXAMPLE)
    if parts.fragment or url.endswith("#"):
        raise ConfigError(f"the server's address {shown!r} has a # part", remedy=_EXAMPLE)
    return url


async def dial(url: str, options: Options) -> ClientConnection:
    """Open the WebSocket. Raises DialFailed with a sentence for a person."""
    try:
        return await connect(
            url,
            compression="deflate" if options.compression else None,
            open_timeout=options.open_timeout,
            close_timeout=options.close_timeout,
            ping_interval=None,  # Centrifugo pings by itself, in the data
            max_size=options.max_frame_bytes,
            max_queue=options.max_queue,
            proxy=None if _is_loopback(url) else True,
            logger=_silent,
            ssl=(options.ssl or True) if url.startswith("wss:") else None,
        )
    except (OSError, WebSocketException, UnicodeError, ImportError) as error:
        raise DialFailed(_sentence(error, url)) from error


def _is_loopback(url: str) -> bool:
    """Whether no proxy of the environment can know the way."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sentence(error: Exception, url: str) -> str:
    host = urlsplit(url).hostname
    match error:
        case TimeoutError():
            return f"{host} did not answer in time"
        case socket.gaierror() | UnicodeError():  # the latter from names that cannot be one
            return f"the name {host} cannot be resolved"
        case ConnectionRefusedError():
            return f"{host} refuses the connection: nothing listens at that address"
        case ssl.SSLCertVerificationError():
            return f"the certificate of {host} is not trusted: {codes.printable(error.verify_message)}"
        case ssl.SSLError():
            return f"{host} could not agree on TLS: {codes.printable(error.reason or 'unknown reason')}"
        case OSError():
            return f"{host} cannot be reached: {codes.printable(error.strerror or type(error).__name__)}"
        case ProxyError() | InvalidProxy():
            return f"the proxy of the environment does not lead to {host}"
        case ImportError():
            return "the proxy of the environment is a SOCKS one, which needs the package python-socks"
        case InvalidStatus():
            return f"{host} answered HTTP {error.response.status_code} instead of opening a WebSocket"
        case InvalidHandshake():
            return f"{host} does not speak WebSocket at this address"
        case _:
            return f"{host} could not be connected to ({type(error).__name__})"
