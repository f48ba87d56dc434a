"""Where access tokens come from, other than a login: the environment, a file, a command."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cadenza_tui.credentials import commands
from cadenza_tui.credentials.claims import FILE_VARIABLE, HOW, MAX_TOKEN, TOKEN_VARIABLE, Rejected, check
from cadenza_tui.credentials.files import check_private
from cadenza_tui.credentials.secret import Secret
from cadenza_tui.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Source(Protocol):
    """What gives access tokens, asked again whenever the last one is no good any more."""

    @property
    def source(self) -> str:
        """Where the tokens come from, for people."""

    @property
    def fixed(self) -> bool:
        """Whether ``Rejected`` is final: asking this source again brings nothing better."""

    async def __call__(self) -> str:
        """Return a token that looks valid now; raises TokenError."""

    async def probe(self) -> None:
        """Fetch the first token now, so that what is wrong with it is said before a screen is opened."""


@dataclass
class Tokens:
    """A source of tokens, asked again for each connection. Call it; it raises TokenError.

    ``Rejected`` from a ``fixed`` source cannot get better; a file or a command may bring another token.
    """

    source: str
    """Where the tokens come from, for people."""
    _read: Callable[[], Secret] | tuple[str, ...] = field(repr=False)
    fixed: bool = False
    clock: Callable[[], float] = field(default=time.time, repr=False)
    timeout_s: float = commands.TIMEOUT_S
    _ahead: Secret | None = field(default=None, repr=False)

    async def __call__(self) -> str:
        """Return a token that looks valid now."""
        text, self._ahead = self._ahead, None
        if text is None:
            if isinstance(self._read, tuple):
                text = secret_text(await commands.run(self._read, self.source, self.timeout_s), self.source)
            else:
                text = await asyncio.to_thread(self._read)
        return check(text.reveal(), self.source, self.clock())

    async def probe(self) -> None:
        """Fetch the first token now, so that what is wrong with it is said before a screen is opened."""
        self._ahead = Secret(await self())


def fixed(token: str, source: str = TOKEN_VARIABLE) -> Tokens:
    """Return a source that always gives ``token``."""
    held = Secret(token)
    return Tokens(source, lambda: held, fixed=True)


def from_file(path: Path) -> Tokens:
    """Return a source that reads ``path`` each time; a file that others can read is refused."""
    source = f"the token file {path}"
    return Tokens(source, lambda: _read_file(path, source))


def from_command(words: tuple[str, ...], timeout_s: float = commands.TIMEOUT_S) -> Tokens:
    """Return a source that runs ``words`` (no shell) and takes what it prints."""
    return Tokens(f"the token command {words[0]!r}", words, timeout_s=timeout_s)


def find(
    environ: Mapping[str, str], token_file: Path | None = None, token_command: tuple[str, ...] | None = None
) -> Tokens | None:
    """Return the source that applies: the environment's before the profile's; None where there is none.

    Raises TokenError where the environment names a file in the home of a user that there is none of.
    """
    if TOKEN_VARIABLE in environ:
        return fixed(environ[TOKEN_VARIABLE])
    if named := environ.get(FILE_VARIABLE):
        from pathlib import Path  # noqa: PLC0415  # only a type elsewhere here

        try:
            return from_file(Path(named).expanduser())
        except RuntimeError:
            raise TokenError(
                f"{FILE_VARIABLE}: {named!r} has no home directory", remedy="write the path out"
            ) from None
    if token_file is not None:
        return from_file(token_file)
    if token_command is not None:
        return from_command(token_command)
    return None


def _read_file(path: Path, source: str) -> Secret:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode):
                check_private(status, source, path)
            raw = file.read(MAX_TOKEN + 1)
    except FileNotFoundError:
        raise TokenError(f"{source} does not exist", remedy=HOW) from None
    except OSError as error:
        raise TokenError(f"{source} cannot be read: {error.strerror}", remedy=HOW) from None
    return secret_text(raw, source)


def secret_text(raw: bytes, source: str) -> Secret:
    """Return the bytes as a token's text; raises Rejected where they are none."""
    try:
        return Secret(raw.decode("ascii"))
    except UnicodeDecodeError:
        raise Rejected(
            f"{source} does not hold a token", remedy="it must hold the access token and nothing else"
        ) from None
