"""The simulator's tokens: JWT, HS256. For a connection ``sub`` is the user, ``exp`` when it ends, and
``channels`` what the server subscribes it to; for a subscription ``channel`` is the one channel it opens."""

from __future__ import annotations

import secrets
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
from jwt.warnings import InsecureKeyLengthWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

USER = "demo"
DAY_SECONDS = 24 * 3600


class Claims(NamedTuple):
    """Who a token speaks for, and until when: seconds since the epoch, None for ever."""

    user: str
    expires: int | None
    channels: tuple[str, ...] = ()


class SubscriptionClaims(NamedTuple):
    """Who may subscribe to which channel, and until when."""

    user: str
    channel: str
    expires: int | None


class InvalidToken(Exception):
    """Not a token of ours."""


class ExpiredToken(Exception):
    """A token of ours whose time is over."""


def new_secret() -> str:
    """Return a random signing secret."""
    return secrets.token_hex(32)


def mint(
    secret: str,
    user: str = USER,
    *,
    now: float,
    ttl: float | None = DAY_SECONDS,
    channels: Sequence[str] = (),
) -> str:
    """Sign a connection token for ``user`` that ends ``ttl`` seconds after ``now``, or never."""
    return _sign(secret, {"sub": user, "channels": list(channels)} if channels else {"sub": user}, now, ttl)


def mint_subscription(
    secret: str, channel: str, user: str = USER, *, now: float, ttl: float | None = DAY_SECONDS
) -> str:
    """Sign a token with which ``user`` may subscribe to ``channel``."""
    return _sign(secret, {"sub": user, "channel": channel}, now, ttl)


def verify(secret: str, token: str) -> Claims:
    """Check a connection token; raise ``InvalidToken`` or ``ExpiredToken``."""
    claims = _check(secret, token)
    user = claims.get("sub")
    channels = claims.get("channels", [])
    if not isinstance(user, str) or not user or not isinstance(channels, list):
        raise InvalidToken
    if not all(isinstance(channel, str) for channel in channels):
        raise InvalidToken
    return Claims(user, _end(claims), tuple(dict.fromkeys(filter(None, channels))))


def verify_subscription(secret: str, token: str) -> SubscriptionClaims:
    """Check a subscription token; raise ``InvalidToken`` or ``ExpiredToken``."""
    claims = _check(secret, token)
    user, channel = claims.get("sub", ""), claims.get("channel")
    if not isinstance(user, str) or not isinstance(channel, str) or not channel:
        raise InvalidToken
    return SubscriptionClaims(user, channel, _end(claims))


def _sign(secret: str, claims: dict[str, object], now: float, ttl: float | None) -> str:
    claims |= {"iat": int(now), "jti": secrets.token_hex(8)}
    if ttl is not None:
        claims["exp"] = int(now + ttl)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)  # the user's own choice of a secret
        return jwt.encode(claims, secret, algorithm="HS256")


def _check(secret: str, token: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        try:
            claims: dict[str, Any] = jwt.decode(
                token, secret, algorithms=["HS256"], options={"verify_iat": False, "verify_aud": False}
            )
        except jwt.ExpiredSignatureError as error:
            raise ExpiredToken from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise InvalidToken from error
    return claims


def _end(claims: dict[str, Any]) -> int | None:
    expires = claims.get("exp")
    return None if expires is None else int(expires)
