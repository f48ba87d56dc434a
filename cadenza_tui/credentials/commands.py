"""Running a person's own command that prints a secret: ``token_command``, ``password_command``."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from cadenza_tui.credentials.claims import FILE_VARIABLE, MAX_TOKEN, TOKEN_VARIABLE, Rejected
from cadenza_tui.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 15.0
_SECRETS = (TOKEN_VARIABLE, FILE_VARIABLE)


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child process: all but what would let it in."""
    return {name: value for name, value in environ.items() if name not in _SECRETS}


async def run(words: tuple[str, ...], source: str, timeout_s: float = TIMEOUT_S) -> bytes:
    """Run ``words`` (no shell) and return what they print, at most ``MAX_TOKEN`` bytes.

    ``source`` names the command in an error; raises TokenError. The command is in a process group of its own,
    so that nothing of it outlives the time it is given.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=without_secrets(os.environ),
        )
    except OSError as error:
        raise TokenError(
            f"{source} cannot be run: {error.strerror}", remedy="give a command that can be run in a shell"
        ) from None
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
            raise TokenError(
                f"{source} printed nothing usable within {timeout_s:g} s", remedy=remedy
            ) from None
        raise
    finally:
        process._transport.close()  # type: ignore[attr-defined]  # an unread pipe would outlive the loop
    if status != 0:
        raise TokenError(f"{source} failed with exit status {status}", remedy=remedy)
    return raw


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
