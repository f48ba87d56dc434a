"""What a token says of itself. It never becomes part of a message, a repr or a log.

A Cadenza access token is a JSON Web Token: three dot-separated base64url parts, the second of which says
until when it is valid. Only the server can tell whether it is genuine; what can be told here is told here,
because a sentence about an expired token helps more than a closed connection.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

import msgspec

from cadenza_tui.errors import TokenError

TOKEN_VARIABLE = "CADENZA_TOKEN"  # noqa: S105  # the name of a variable
FILE_VARIABLE = "CADENZA_TOKEN_FILE"
MAX_TOKEN = 16_384
LEEWAY_S = 60
"""A token this long past its time is still offered: the clock that is wrong may be ours."""

HOW = f"set {TOKEN_VARIABLE} or {FILE_VARIABLE}, or token_file / token_command in the profile"


class Rejected(TokenError):
    """A token that asking the same source again cannot make better."""


class _Claims(msgspec.Struct):
    exp: float | None = None


def expiry(token: str) -> float | None:
    """Return until when ``token`` claims to be valid, in s since the epoch; None where it does not say."""
    body = token.split(".")[1]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims)
    except (binascii.Error, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    return claims.exp


def check_shape(text: str, source: str) -> str:
    """Return the token in ``text`` (white space around it is removed), or raise ``Rejected``.

    ``source`` names where it comes from.
    """
    token = text.strip()
    if not token:
        raise Rejected(f"{source} is empty", remedy=HOW)
    if len(token) > MAX_TOKEN:
        raise Rejected(f"{source} is longer than any token ({MAX_TOKEN:,} characters)", remedy=HOW)
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise Rejected(
            f"{source} is not a token: it has spaces, line breaks or control characters inside",
            remedy="it must hold the access token and nothing else",
        )
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise Rejected(
            f"{source} is not an access token: a JSON Web Token has three parts separated by dots",
            remedy="use the accessToken of a login, not the refresh token or an API key",
        )
    return token


def check(text: str, source: str, now: float) -> str:
    """Return the token in ``text`` unless it is none or its time is over, as ``check_shape`` does.

    ``now`` is in seconds since the epoch.
    """
    token = check_shape(text, source)
    until = expiry(token)
    if until is not None and until + LEEWAY_S < now:
        raise Rejected(
            f"{source}: the token expired {_ago(now - until)} ago{_at(until)}",
            remedy="log in again for a new token",
        )
    return token


def _ago(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(seconds: float) -> str:
    """Return a time in s since the epoch as ``2026-01-31 12:00 UTC``; "" where no calendar holds it."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return ""


def _at(seconds: float) -> str:
    text = moment(seconds)
    return f" ({text})" if text else ""
