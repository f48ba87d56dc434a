"""The simulator's connection tokens: JWT, HS256, ``sub`` the user, ``exp`` when it ends."""

from __future__ import annotations

import secrets
import warnings
from typing import NamedTuple

import jwt
from jwt.warnings import InsecureKeyLengthWarning

USER = "demo"
DAY_SECONDS = 24 * 3600


class Claims(NamedTuple):
    """Who a token speaks for, and until when: seconds since the epoch, None for ever."""

    user: str
    expires: int | None


class InvalidToken(Exception):
    """Not a token of ours."""


class ExpiredToken(Exception):
    """A token of ours whose time is over."""


def new_secret() -> str:
    """Return a random signing secret."""
    return secrets.token_hex(32)


def mint(secret: str, user: str = USER, *, now: float, ttl: float | None = DAY_SECONDS) -> str:
    """Sign a token for ``user`` that ends ``ttl`` seconds after ``now``, or never."""
    claims: dict[str, object] = {"sub": user, "iat": int(now)}
    if ttl is not None:
        claims["exp"] = int(now + ttl)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)  # the user's own choice of a secret
        return jwt.encode(claims, secret, algorithm="HS256")


def verify(secret: str, token: str) -> Claims:
    """Check a token; raise ``InvalidToken`` or ``ExpiredToken``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        try:
            claims = jwt.decode(
                token, secret, algorithms=["HS256"], options={"verify_iat": False, "verify_aud": False}
            )
        except jwt.ExpiredSignatureError as error:
            raise ExpiredToken from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise InvalidToken from error
    user = claims.get("sub")
    if not isinstance(user, str) or not user:
        raise InvalidToken
    expires = claims.get("exp")
    return Claims(user, None if expires is None else int(expires))
