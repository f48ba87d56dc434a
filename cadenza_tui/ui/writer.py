"""Bytes to a terminal that may take them slowly, or never: nobody here waits for it without a bound.

The terminal is opened once more, non-blocking. That is an open file description of our own, so neither the
shell's nor standard input's flags change. Where it cannot be had, a thread blocks in our place, alone.
"""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

MOST_PENDING = 1 << 18
"""Bytes kept for a terminal that takes none. Frames never come near it; what else is written is dropped."""
PORTION = 1 << 14
POLL_S = 0.02
"""How often to try again where the event loop cannot watch the terminal."""


class Writer(Protocol):
    """A way to the terminal."""

    gone: bool
    """Whether the terminal was taken away: everything written from then on is dropped."""

    @property
    def pending(self) -> int:
        """Bytes that the terminal has not taken yet."""

    def write(self, data: bytes) -> None:
        """Hand bytes over; never waits."""

    def drop(self) -> bool:
        """Forget what is pending; return whether there was anything, so that a sequence may be cut in two."""

    def drain(self, seconds: float) -> bool:
        """Wait until all is taken, for at most so long; return whether it is."""

    def close(self) -> None:
        """Give the terminal back. Does not wait."""


class TerminalWriter:
    """Writes to a non-blocking descriptor, which it owns, and leaves the rest to the event loop."""

    def __init__(
        self, fd: int, loop: asyncio.AbstractEventLoop, drained: Callable[[], object] = lambda: None
    ) -> None:
        self._fd = fd
        self._loop = loop
        self._drained = drained
        self._buffer = bytearray()
        self._watching = False
        self._timer: asyncio.TimerHandle | None = None
        self.gone = False

    @property
    def pending(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return len(self._buffer)

    def write(self, data: bytes) -> None:
        """Write what the terminal takes at once, and keep the rest for when it takes more."""
        if self.gone or len(self._buffer) > MOST_PENDING:
            return
        self._buffer += data
        if not self._watching:
            self._advance()
            if self._buffer:
                self._watch()

    def _advance(self) -> None:
        """Write as much as the terminal takes now."""
        while self._buffer:
            try:
                taken = os.write(self._fd, self._buffer[:PORTION])
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # EIO, EPIPE: whatever it is, nothing can be written any more
                self.gone = True
                self._buffer.clear()
                return
            del self._buffer[:taken]

    def _watch(self) -> None:
        self._watching = True
        try:
            self._loop.add_writer(self._fd, self._ready)
        except (OSError, NotImplementedError):  # a kqueue does not take every terminal
            self._timer = self._loop.call_later(POLL_S, self._ready)

    def _ready(self) -> None:
        self._advance()
        if not self._buffer:
            self._unwatch()
            self._drained()
        elif self._timer is not None:
            self._timer = self._loop.call_later(POLL_S, self._ready)

    def _unwatch(self) -> None:
        if not self._watching:
            return
        self._watching = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif not self._loop.is_closed():
            self._loop.remove_writer(self._fd)

    def drop(self) -> bool:
        """Forget what is pending; return whether there was anything."""
        cut = bool(self._buffer)
        self._buffer.clear()
        self._unwatch()
        return cut

    def drain(self, seconds: float) -> bool:
        """Write until all is taken or the time is over."""
        end = time.monotonic() + seconds
        self._advance()
        while self._buffer and (left := end - time.monotonic()) > 0:
            with suppress(OSError):
                select.select([], [self._fd], [], left)
            self._advance()
        if not self._buffer:
            self._unwatch()
        return not self._buffer

    def close(self) -> None:
        """Give the descriptor back."""
        self.drop()
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
        self.gone = True


class ThreadWriter:
    """Writes to a blocking descriptor, which it owns, from a thread that nobody ever waits for."""

    def __init__(
        self, fd: int, loop: asyncio.AbstractEventLoop, drained: Callable[[], object] = lambda: None
    ) -> None:
        self._fd = fd
        self._loop = loop
        self._drained = drained
        self._buffer = bytearray()
        self._writing = 0
        self._closed = False
        self._changed = threading.Condition()
        self.gone = False
        threading.Thread(target=self._run, name="terminal", daemon=True).start()

    @property
    def pending(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return len(self._buffer) + self._writing

    def write(self, data: bytes) -> None:
        """Hand bytes to the thread."""
        with self._changed:
            if not self.gone and len(self._buffer) <= MOST_PENDING:
                self._buffer += data
                self._changed.notify_all()

    def _run(self) -> None:
        try:
            self._write_all()
        finally:
            os.close(self._fd)  # not before: a write into a number that is somebody else's by then

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._buffer or self._closed)
                if not self._buffer:
                    return
                data = bytes(self._buffer[:PORTION])
                del self._buffer[: len(data)]
                self._writing = len(data)
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                self.gone = True
            with self._changed:
                self._writing = 0
                if self.gone:
                    self._buffer.clear()
                empty = not self._buffer
                self._changed.notify_all()
            if empty:
                with suppress(RuntimeError):  # the loop has ended, and nobody asks any more
                    self._loop.call_soon_threadsafe(self._drained)
            if self.gone:
                return

    def drop(self) -> bool:
        """Forget what the thread has not begun; what it is writing may be cut by whoever ends us."""
        with self._changed:
            cut = bool(self._buffer or self._writing)
            self._buffer.clear()
            return cut

    def drain(self, seconds: float) -> bool:
        """Wait for the thread, but not longer than this."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.pending, seconds)

    def close(self) -> None:
        """Let the thread end once it has written what it has; it is not waited for."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def open_writer(
    fd: int, loop: asyncio.AbstractEventLoop, drained: Callable[[], object] = lambda: None
) -> Writer:
    """Return a writer to the terminal that ``fd`` is open on.

    ``drained`` is called on the loop whenever pending bytes have all been taken, or are lost.
    """
    own = reopened(fd)
    return ThreadWriter(os.dup(fd), loop, drained) if own is None else TerminalWriter(own, loop, drained)


def reopened(fd: int) -> int | None:
    """Open the terminal behind ``fd`` once more, non-blocking; None where it has no name that can be opened.

    In a container the name may be missing or be that of another terminal, so it must be the same device.
    """
    try:
        own = os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    if os.fstat(own).st_rdev == os.fstat(fd).st_rdev and os.isatty(own):
        return own
    os.close(own)
    return None
