"""The platform's REST that gives tokens: ``auth/login`` and ``auth/token/refresh``, for ``http.Http``.

A refresh token is good for one renewal. One that was spent already ends the whole session that it belongs
to, as it does on the platform: somebody else has it.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, TypeVar

import msgspec

from . import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .http import Handler

LOGIN = "/api/v3/auth/login"
REFRESH = "/api/v3/auth/token/refresh"
EMAIL = "demo@example.com"
PASSWORD = "demo"  # noqa: S105  # there is nothing behind it
ACCESS_SECONDS = 3600.0
MAX_SESSIONS = 1_000

BAD_REQUEST = 40_000
BAD_CREDENTIALS = 40_101
BAD_REFRESH_TOKEN = 40_102

Body = TypeVar("Body")


class _Login(msgspec.Struct):
    email: str
    password: str


class _Refresh(msgspec.Struct):
    refreshToken: str  # noqa: N815  # as on the wire


class Auth:
    """The sessions of one simulator, whose tokens are signed with ``secret``.

    ``access_seconds`` is what an access token lives, ``now`` is in s since the epoch.
    """

    def __init__(
        self,
        secret: str,
        *,
        access_seconds: float = ACCESS_SECONDS,
        passwords: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.access_seconds = access_seconds
        self.renewals = 0
        """How many access tokens were given for a refresh token."""
        self._secret, self._now = secret, now
        self._passwords = {EMAIL: PASSWORD} if passwords is None else dict(passwords)
        self._live: dict[str, str] = {}
        """By refresh token that can be used, its session."""
        self._spent: dict[str, str] = {}

    def routes(self) -> dict[tuple[str, str], Handler]:
        """Return the handlers by method and path."""
        return {("POST", LOGIN): self.login, ("POST", REFRESH): self.refresh}

    async def login(self, _headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Begin a session for ``{"email","password"}``."""
        request = _decoded(body, _Login)
        if request is None:
            return _error(400, BAD_REQUEST, "email and password are required")
        known = self._passwords.get(request.email)
        given = request.password.encode()
        if known is None or not secrets.compare_digest(known.encode(), given):
            return _error(401, BAD_CREDENTIALS, "Invalid login credentials")
        return self._grant(secrets.token_hex(8), request.email)

    async def refresh(self, _headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Go on with a session for ``{"refreshToken"}``, which is spent by that."""
        request = _decoded(body, _Refresh)
        if request is None:
            return _error(400, BAD_REQUEST, "refreshToken is required")
        if request.refreshToken in self._spent:
            self.revoke(self._spent[request.refreshToken])
            return _error(401, BAD_REFRESH_TOKEN, "Invalid Refresh Token: Already Used")
        session = self._live.pop(request.refreshToken, None)
        if session is None:
            return _error(401, BAD_REFRESH_TOKEN, "Invalid Refresh Token: Refresh Token Not Found")
        self._spent[request.refreshToken] = session
        self.renewals += 1
        return self._grant(session, EMAIL)

    def revoke(self, session: str | None = None) -> None:
        """End a session, or all."""
        for table in (self._live, self._spent):
            for token in [each for each, owner in table.items() if session in {None, owner}]:
                del table[token]

    def _grant(self, session: str, email: str) -> tuple[int, bytes]:
        for table in (self._live, self._spent):
            while len(table) >= MAX_SESSIONS:
                del table[next(iter(table))]
        now = self._now()
        refresh = secrets.token_urlsafe(24)
        self._live[refresh] = session
        data = {
            "accessToken": tokens.mint(self._secret, now=now, ttl=self.access_seconds),
            "refreshToken": refresh,
            "tokenType": "bearer",
            "expiresIn": self.access_seconds,
            "expiresAt": int(now + self.access_seconds),
            "user": {"id": tokens.USER, "email": email},
        }
        return 200, msgspec.json.encode({"success": True, "errno": 0, "data": data})


def _decoded(body: bytes, shape: type[Body]) -> Body | None:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _error(status: int, errno: int, sentence: str) -> tuple[int, bytes]:
    return status, msgspec.json.encode({"success": False, "errno": errno, "error": sentence})
