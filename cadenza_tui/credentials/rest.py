"""The platform's two calls that give tokens: ``auth/login`` and ``auth/token/refresh``.

Source of the shapes: the Cadenza OpenAPI document 3.0.1. Answers are bounded in size and time and checked;
what the server says in words is cleaned before it is shown.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import msgspec

from cadenza_tui import __version__
from cadenza_tui.credentials.certificates import context
from cadenza_tui.credentials.claims import Rejected, check_shape, expiry
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.errors import UNREACHABLE, TokenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

LOGIN = "/api/v3/auth/login"
REFRESH = "/api/v3/auth/token/refresh"
TIMEOUT_S = 15.0
"""For a whole exchange: name, TCP, TLS, question and answer."""
MAX_ANSWER = 262_144
MAX_REFRESH_TOKEN = 8_192
LONGEST_S = 366 * 86_400.0
"""What an access token lives at most, and one that does not say."""
MAX_SENTENCE = 200
_CHUNK = 65_536
_CHECK = "check rest in the profile: it is the address of the platform's REST"
_REFUSALS = frozenset({400, 401, 403, 422})

Text = Annotated[str, msgspec.Meta(max_length=16_384)]


class Refused(TokenError):
    """The server understood, and said no: the same question will be answered the same."""


class Unreachable(TokenError):
    """The server did not answer, or cannot do it now; another attempt may bring more."""

    exit_code = UNREACHABLE


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login or a renewal brought. ``ends`` is in s since the epoch by this machine's clock."""

    access: Secret
    refresh: Secret
    ends: float
    lifetime_s: float
    """From the answer until ``ends``."""


class _Session(msgspec.Struct, rename="camel"):
    access_token: Text
    refresh_token: Text
    expires_in: float | None = None
    expires_at: float | None = None

    def __repr__(self) -> str:
        return "_Session()"


class _Answer(msgspec.Struct):
    success: bool
    errno: int | str | None = None
    error: str | None = None
    data: _Session | None = None


class _Failure(msgspec.Struct):
    success: bool
    errno: int | str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """One REST server. ``url`` has no slash at its end and was found fit to send a password to.

    ``trust`` says whose certificates are good, None is the system's authorities; ``clock`` is in s since the
    epoch.
    """

    url: str
    trust: ssl.SSLContext | None = None
    timeout_s: float = TIMEOUT_S
    clock: Callable[[], float] = time.time

    async def login(self, email: str, password: Secret) -> Grant:
        """Log in. Raises Refused where the server says no, and TokenError where it cannot be asked."""
        return await self._ask(LOGIN, {"email": email, "password": password})

    async def refresh(self, token: Secret) -> Grant:
        """Renew. Raises Refused where the refresh token is none any more, TokenError for anything else."""
        return await self._ask(REFRESH, {"refreshToken": token})

    async def _ask(self, path: str, fields: dict[str, str | Secret]) -> Grant:
        import httpx  # noqa: PLC0415  # it costs a tenth of a second, and most starts do not need it

        host = urlsplit(self.url).hostname or "the server"
        body = Secret(
            msgspec.json.encode(
                {name: text.reveal() if isinstance(text, Secret) else text for name, text in fields.items()}
            ).decode()
        )
        try:
            async with asyncio.timeout(self.timeout_s):
                status, date, raw = await self._exchange(path, body)
        except TimeoutError:
            raise Unreachable(f"{host} did not answer within {self.timeout_s:g} s") from None
        except _TooLong:
            raise TokenError(f"{host} answered more than {MAX_ANSWER:,} bytes, which no login is") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError, OSError) as error:
            raise Unreachable(_sentence(error, host)) from None
        return self._grant(status, date, raw, host)

    async def _exchange(self, path: str, body: Secret) -> tuple[int, str, bytes]:
        async with self._client() as client:
            request = client.build_request(
                "POST",
                self.url + path,
                content=body.reveal().encode(),
                headers={
                    "content-type": "application/json",
                    "accept": "application/json",
                    "accept-encoding": "identity",  # what is bounded is what arrives
                    "user-agent": f"cadenza-tui/{__version__}",
                },
            )
            answer = await client.send(request, stream=True)
            try:
                pieces, size = [], 0
                async for piece in answer.aiter_raw(_CHUNK):
                    size += len(piece)
                    if size > MAX_ANSWER:
                        raise _TooLong
                    pieces.append(piece)
            finally:
                await answer.aclose()
            return answer.status_code, answer.headers.get("date", ""), b"".join(pieces)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        import httpx  # noqa: PLC0415

        logging.getLogger("httpcore").setLevel(
            logging.WARNING
        )  # its debug log holds headers, cookies among them
        # No proxy knows the way to this machine, and one would read what goes there unencrypted.
        outside = not _is_loopback(urlsplit(self.url).hostname or "")
        async with httpx.AsyncClient(
            verify=self.trust or context(None),
            follow_redirects=False,
            timeout=self.timeout_s * 2 / 3,  # of one step: one that hangs is then closed in an orderly way
            trust_env=outside,
        ) as client:
            yield client

    def _grant(self, status: int, date: str, raw: bytes, host: str) -> Grant:
        if 300 <= status < 400:
            raise TokenError(
                f"{host} sends on to another address (HTTP {status}), where no password is sent",
                remedy="set rest in the profile to the address that answers itself",
            )
        if status >= 400:
            raise _failure(status, raw, host)
        try:
            answer = msgspec.json.decode(raw, type=_Answer)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            if _told(raw) is not None:
                raise _failure(status, raw, host) from None
            raise TokenError(f"{host} answered something that is no login", remedy=_CHECK) from None
        if not answer.success:
            raise _failure(status, raw, host)
        if answer.data is None:
            raise TokenError(f"{host} answered something that is no login", remedy=_CHECK)
        return self._checked(answer.data, date, host)

    def _checked(self, session: _Session, date: str, host: str) -> Grant:
        try:
            access = check_shape(session.access_token, f"the access token of {host}")
        except Rejected as error:
            raise TokenError(str(error), remedy="report this to the operator of the server") from None
        refresh = session.refresh_token
        if not refresh or len(refresh) > MAX_REFRESH_TOKEN or not refresh.isprintable():
            raise TokenError(
                f"the refresh token of {host} cannot be used",
                remedy="report this to the operator of the server",
            )
        now = self.clock()
        lifetime = session.expires_in
        if lifetime is None:  # then both ends by the server's clock, where it says what that shows
            ends = session.expires_at if session.expires_at is not None else expiry(access)
            lifetime = LONGEST_S if ends is None else ends - (_moment(date) or now)
        if lifetime <= 0:
            raise TokenError(f"{host} gave an access token whose time is over already")
        lifetime = min(lifetime, LONGEST_S)
        return Grant(Secret(access), Secret(refresh), now + lifetime, lifetime)


class _TooLong(Exception):
    """An answer beyond all bounds."""


def _moment(date: str) -> float | None:
    """Return an HTTP date in s since the epoch."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  # most answers need none of it

    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _told(raw: bytes) -> _Failure | None:
    """Return the failure that the server tells in its own form."""
    try:
        failure = msgspec.json.decode(raw, type=_Failure)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return None if failure.success else failure


def _failure(status: int, raw: bytes, host: str) -> TokenError:
    failure = _told(raw)
    if failure is None:
        if status < 500 and status != 429:
            return TokenError(
                f"{host} answered HTTP {status} and not as a login does",
                remedy=_CHECK,
            )
        return Unreachable(f"{host} answered HTTP {status}", remedy="try again in a while")
    number = "" if failure.errno in {None, ""} else f" (errno {plain(str(failure.errno))})"
    words = plain(failure.error or "") or "no reason given"
    if status == 429 or status >= 500:
        return Unreachable(f"{host} cannot do it now: {words}{number}", remedy="try again in a while")
    if status < 400 or status in _REFUSALS:
        return Refused(f"{host} refuses it: {words}{number}")
    return TokenError(f"{host} answered HTTP {status}: {words}{number}")


def plain(text: str) -> str:
    """Return words of the server's that can be shown: one line, bounded, no control characters."""
    text = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * MAX_SENTENCE])
    text = " ".join(text.split())
    return text if len(text) <= MAX_SENTENCE else text[: MAX_SENTENCE - 1] + "…"


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _sentence(error: BaseException, host: str) -> str:
    """Say why there was no answer, by what lies beneath the library's own exception."""
    import socket  # noqa: PLC0415

    import httpx  # noqa: PLC0415

    beneath: BaseException | None = error
    while beneath is not None:
        match beneath:
            case ssl.SSLCertVerificationError():
                return f"the certificate of {host} is not trusted: {plain(beneath.verify_message)}"
            case ssl.SSLError():
                return f"{host} could not agree on TLS: {plain(beneath.reason or 'unknown reason')}"
            case socket.gaierror():
                return f"the name {host} cannot be resolved"
            case ConnectionRefusedError():
                return f"{host} refuses the connection: nothing listens at that address"
            case httpx.ProxyError():
                return f"the proxy of the environment does not lead to {host}"
            case httpx.TimeoutException():
                return f"{host} did not answer in time"
            case httpx.RemoteProtocolError():
                return f"{host} broke off or does not speak HTTP"
            case ImportError():
                return "the proxy of the environment is a SOCKS one, which needs the package socksio"
        beneath = beneath.__cause__ or beneath.__context__
    if isinstance(error, ValueError):
        return "a proxy of the environment has an address that cannot be used"
    return f"{host} cannot be reached ({type(error).__name__})"
