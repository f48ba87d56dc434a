"""Where access tokens come from. A token is never part of a message, a repr or a log.

A Cadenza access token is a JSON Web Token: three dot-separated base64url parts, the second of which says
until when it is valid. Only the server can tell whether it is genuine; what can be told here is told here,
because a sentence about an expired token helps more than a closed connection.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import signal
import stat
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TOKEN_VARIABLE = "CADENZA_TOKEN"  # noqa: S105  # the name of a variable
FILE_VARIABLE = "CADENZA_TOKEN_FILE"
MAX_TOKEN = 16_384
COMMAND_TIMEOUT_S = 15.0
LEEWAY_S = 60
"""A token this long past its time is still offered: the clock that is wrong may be ours."""

HOW = f"set {TOKEN_VARIABLE} or {FILE_VARIABLE}, or token_file / token_command in the profile"
_OUTSIDERS = 0o077


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


def check(text: str, source: str, now: float) -> str:
    """Return the token in ``text`` (white space around it is removed), or raise ``Rejected``.

    ``source`` names where it comes from, ``now`` is in seconds since the epoch.
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
    until = expiry(token)
    if until is not None and until + LEEWAY_S < now:
        raise Rejected(
            f"{source}: the token expired {_ago(now - until)} ago{_at(until)}",
            remedy="log in again for a new one",
        )
    return token


def _ago(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _at(seconds: float) -> str:
    try:
        return f" ({datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC)"
    except (OverflowError, ValueError, OSError):
        return ""


@dataclass
class Tokens:
    """A source of tokens, asked again for each connection. Call it; it raises TokenError.

    ``Rejected`` from a ``fixed`` source cannot get better; a file or a command may bring another token.
    """

    source: str
    """Where the tokens come from, for people."""
    _read: Callable[[], str] | tuple[str, ...] = field(repr=False)
    fixed: bool = False
    clock: Callable[[], float] = field(default=time.time, repr=False)
    timeout_s: float = COMMAND_TIMEOUT_S
    _ahead: str | None = field(default=None, repr=False)

    async def __call__(self) -> str:
        """Return a token that looks valid now."""
        token, self._ahead = self._ahead, None
        if token is None:
            if isinstance(self._read, tuple):
                text = await _run(self._read, self.source, self.timeout_s)
            else:
                text = await asyncio.to_thread(self._read)
            token = text
        return check(token, self.source, self.clock())

    async def probe(self) -> None:
        """Fetch the first token now, so that what is wrong with it is said before a screen is opened."""
        self._ahead = await self()


def fixed(token: str, source: str = TOKEN_VARIABLE) -> Tokens:
    """Return a source that always gives ``token``."""
    return Tokens(source, lambda: token, fixed=True)


def from_file(path: Path) -> Tokens:
    """Return a source that reads ``path`` each time; a file that others can read is refused."""
    source = f"the token file {path}"
    return Tokens(source, lambda: _read_file(path, source))


def from_command(words: tuple[str, ...], timeout_s: float = COMMAND_TIMEOUT_S) -> Tokens:
    """Return a source that runs ``words`` (no shell) and takes what it prints."""
    return Tokens(f"the token command {words[0]!r}", words, timeout_s=timeout_s)


def find(
    environ: Mapping[str, str], token_file: Path | None = None, token_command: tuple[str, ...] | None = None
) -> Tokens | None:
    """Return the source that applies: the environment's before the profile's; None where there is none."""
    if TOKEN_VARIABLE in environ:
        return fixed(environ[TOKEN_VARIABLE])
    if named := environ.get(FILE_VARIABLE):
        from pathlib import Path  # noqa: PLC0415  # only a type elsewhere here

        return from_file(Path(named).expanduser())
    if token_file is not None:
        return from_file(token_file)
    if token_command is not None:
        return from_command(token_command)
    return None


def _read_file(path: Path, source: str) -> str:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if os.name == "posix" and stat.S_ISREG(status.st_mode) and status.st_mode & _OUTSIDERS:
                raise Rejected(f"{source} can be read by others", remedy=f"chmod 600 {path}")
            raw = file.read(MAX_TOKEN + 1)
    except FileNotFoundError:
        raise TokenError(f"{source} does not exist", remedy=HOW) from None
    except OSError as error:
        raise TokenError(f"{source} cannot be read: {error.strerror}", remedy=HOW) from None
    return _text(raw, source)


def _text(raw: bytes, source: str) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise Rejected(
            f"{source} does not hold a token", remedy="it must hold the access token and nothing else"
        ) from None


async def _run(words: tuple[str, ...], source: str, timeout_s: float) -> str:
    """Run the command in a process group of its own, so that nothing of it outlives the time it is given."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise TokenError(f"{source} cannot be run: {error.strerror}", remedy=HOW) from None
    remedy = "run it by itself in a shell to see why"
    try:
        async with asyncio.timeout(timeout_s):
            raw = b"" if process.stdout is None else await _read_some(process.stdout)
            if len(raw) > MAX_TOKEN:
                raise Rejected(f"{source} printed more than any token", remedy=remedy)
            status = await process.wait()
    except BaseException as error:
        _kill(process)
        await process.wait()
        if isinstance(error, TimeoutError):
            raise TokenError(f"{source} gave no token within {timeout_s:g} s", remedy=remedy) from None
        raise
    finally:
        process._transport.close()  # type: ignore[attr-defined]  # an unread pipe would outlive the loop
    if status != 0:
        raise TokenError(f"{source} failed with exit status {status}", remedy=remedy)
    return _text(raw, source)


async def _read_some(stdout: asyncio.StreamReader) -> bytes:
    """Read to the end, or to one byte more than the longest token."""
    raw = b""
    while len(raw) <= MAX_TOKEN and (piece := await stdout.read(MAX_TOKEN + 1)):
        raw += piece
    return raw


def _kill(process: asyncio.subprocess.Process) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
