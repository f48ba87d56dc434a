"""Files that only their owner can read: how they are read, and replaced without a gap."""

from __future__ import annotations

import os
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cadenza_tui.credentials.claims import Rejected
from cadenza_tui.errors import TokenError

try:
    import fcntl
except ImportError:  # pragma: no cover  # not POSIX: there is no lock, and one program at a time is meant
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POSIX = os.name == "posix"
LOCK_TIMEOUT_S = 60.0
"""Longer than whoever holds the lock may take: a renewal over a bad link and a keyring that hangs."""
_LOCK_POLL_S = 0.02
_OUTSIDERS = 0o077
_NEW = ".new-"


def check_private(status: os.stat_result, what: str, path: Path) -> None:
    """Raise Rejected where others than the user can read or replace it; ``what`` names it in the sentence."""
    if not POSIX:
        return
    mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
    if status.st_mode & _OUTSIDERS:
        raise Rejected(f"{what} can be read by others", remedy=f"chmod {mode} {path}")
    if status.st_uid not in {os.geteuid(), 0}:
        raise Rejected(f"{what} belongs to another user", remedy=f"chown {os.geteuid()} {path}")


def read_private(path: Path, what: str, most: int) -> bytes | None:
    """Return what the file holds, at most ``most`` + 1 bytes; None where there is none.

    Raises Rejected for one that others can read or that is another user's, a link or no plain file, and
    TokenError for one that cannot be read.
    """
    flags = (
        os.O_RDONLY
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_CLOEXEC", 0)
    )
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TokenError(
            f"{what} cannot be read: {error.strerror}", remedy=f"look at it with: ls -l {path}"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Rejected(f"{what} is no plain file", remedy=f"remove {path}")
        check_private(status, what, path)
        return file.read(most + 1)


def private_folder(path: Path) -> Path:
    """Return the folder, made where it is missing, that only its owner can enter. Raises TokenError."""
    what = f"the folder {path}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        status = path.lstat()
    except OSError as error:
        raise TokenError(f"{what} cannot be made: {error.strerror}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise Rejected(f"{what} is no folder", remedy=f"remove {path}")
    check_private(status, what, path)
    return path


def replace_private(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of the file at once and durably, or leave all as it was. Raises OSError.

    The bytes are only ever in files of mode 0600: the mode is set before the first of them is written.
    """
    for left_over in path.parent.glob(f"{_NEW}*-{path.name}"):  # of a program that was killed meanwhile
        with suppress(OSError):
            left_over.unlink()
    fresh = path.parent / f"{_NEW}{secrets.token_hex(8)}-{path.name}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(fresh, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if POSIX:
                os.fchmod(descriptor, 0o600)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
    if POSIX:
        with suppress(OSError):  # the rename is done; that it survives a power cut is a bonus
            _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock file ``path``, against other threads and other programs.

    Raises TokenError where whoever holds it does not let go within ``timeout_s``. The file stays: removing it
    would let two hold it.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise TokenError(f"the lock {path} cannot be opened: {error.strerror}") from None
    try:
        if fcntl is not None:
            deadline = time.monotonic() + timeout_s
            while not _taken(descriptor):
                if time.monotonic() >= deadline:
                    raise TokenError(
                        f"another program has held the lock {path} for {timeout_s:g} s",
                        remedy="end the other cadenza-tui, or try again",
                    )
                time.sleep(_LOCK_POLL_S)  # flock cannot wait for a set time; no screen waits here
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: whoever is refused looks into the store once more
        return True
    return True
