"""A server's address: what is accepted, and what of it may be shown."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from cadenza_tui.errors import ConfigError

_EXAMPLE = "wss://host/connection/websocket"
MAX_URL = 2048


def shown(url: str) -> str:
    """Return ``url`` without user, password, query and fragment: the part that may stand on a screen."""
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
        port = parts.port
    except ValueError:
        return "(not a URL)"
    if ":" in name:
        name = f"[{name}]"
    place = name if port is None else f"{name}:{port}"
    text = f"{parts.scheme}://{place}{parts.path}"
    return "".join(character for character in text if character.isprintable())


def host(url: str) -> str:
    """Return the host of ``url``, for a label; the whole where it cannot be told."""
    try:
        return urlsplit(url).hostname or "server"
    except ValueError:
        return "server"


def is_loopback(name: str) -> bool:
    """Return whether the host ``name`` can only be this machine."""
    name = name.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def check(url: str, *, allow_insecure: bool = False, where: str = "--url") -> str:
    """Return ``url`` when it can be connected to; ``where`` says in an error who gave it.

    Raises ConfigError for anything but ``ws://`` and ``wss://``, and for ``ws://`` off loopback unless
    ``allow_insecure``: it would send the token in the clear.
    """
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(
            f"{where}: not a usable URL (spaces, control characters or too long)",
            remedy=f"it looks like {_EXAMPLE}",
        )
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{where}: not a URL: {error}", remedy=f"it looks like {_EXAMPLE}") from None
    if parts.scheme not in {"ws", "wss"}:
        raise ConfigError(
            f"{where}: a WebSocket URL begins with wss:// (or ws:// on this machine)",
            remedy=f"it looks like {_EXAMPLE}",
        )
    if not name or port == 0:
        raise ConfigError(
            f"{where}: {shown(url)!r} names no host and port", remedy=f"it looks like {_EXAMPLE}"
        )
    if parts.scheme == "ws" and not allow_insecure and not is_loopback(name):
        raise ConfigError(
            f"{where}: ws:// to {name} would send the token unencrypted",
            remedy="use wss://, or say allow_insecure = true in the profile",
        )
    return url
