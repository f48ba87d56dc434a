"""A server's address: what is accepted, and what of it may be shown."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from cadenza_tui.errors import ConfigError

_EXAMPLE = "wss://host/connection/websocket"
_REST_EXAMPLE = "https://host"
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
    parts, name = _parts(url, where, _EXAMPLE)
    if parts.scheme not in {"ws", "wss"}:
        raise ConfigError(
            f"{where}: a WebSocket URL begins with wss:// (or ws:// on this machine)",
            remedy=f"it looks like {_EXAMPLE}",
        )
    _check_name(parts, url, where, _EXAMPLE)
    if parts.scheme == "ws" and not allow_insecure and not is_loopback(name):
        raise ConfigError(
            f"{where}: ws:// to {name} would send the token unencrypted",
            remedy="use wss://, or say allow_insecure = true in the profile",
        )
    return url


def check_rest(url: str, *, allow_insecure: bool = False, where: str = "rest") -> str:
    """Return the address of a REST server without the slash at its end; ``where`` says who gave it.

    Raises ConfigError for anything but ``http://`` and ``https://``, for one with a user, a query or a
    fragment, and for ``http://`` off loopback unless ``allow_insecure``: it would send the password in the
    clear.
    """
    parts, name = _parts(url, where, _REST_EXAMPLE)
    if parts.scheme not in {"http", "https"}:
        raise ConfigError(
            f"{where}: a REST address begins with https:// (or http:// on this machine)",
            remedy=f"it looks like {_REST_EXAMPLE}",
        )
    _check_name(parts, url, where, _REST_EXAMPLE)
    if parts.username is not None or parts.password is not None or "?" in url or "#" in url:
        raise ConfigError(
            f"{where}: a REST address has no user, no query and no # part",
            remedy=f"it looks like {_REST_EXAMPLE}",
        )
    if parts.scheme == "http" and not allow_insecure and not is_loopback(name):
        raise ConfigError(
            f"{where}: http:// to {name} would send the password unencrypted",
            remedy="use https://, or say allow_insecure = true in the profile",
        )
    return url.rstrip("/")


def _parts(url: str, where: str, example: str) -> tuple[SplitResult, str]:
    """Return the parts of a URL and its host ("" where it has none)."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(
            f"{where}: not a usable URL (spaces, control characters or too long)",
            remedy=f"it looks like {example}",
        )
    try:
        parts = urlsplit(url)
        return parts, parts.hostname or ""
    except ValueError as error:
        raise ConfigError(f"{where}: not a URL: {error}", remedy=f"it looks like {example}") from None


def _check_name(parts: SplitResult, url: str, where: str, example: str) -> None:
    try:
        named = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ConfigError(f"{where}: not a URL: {error}", remedy=f"it looks like {example}") from None
    if not named:
        raise ConfigError(
            f"{where}: {shown(url)!r} names no host and port", remedy=f"it looks like {example}"
        )
