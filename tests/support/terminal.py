"""A program in a real pseudo-terminal, with a terminal emulator on the other end that answers as terminals do."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class _Screen(pyte.Screen):
    """Answers device status reports into the program's input."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        super().__init__(columns, rows)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """Runs ``argv`` on a pseudo-terminal of ``columns`` x ``rows`` and keeps its screen."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
        bytes_per_second: int | None = None,
    ) -> None:
        self.columns, self.rows = columns, rows
        self._master, slave = pty.openpty()
        self.resize(columns, rows, tell=False)
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={
                **{key: value for key, value in os.environ.items() if key != "NO_COLOR"},
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                **(environment or {}),
            },
        )
        os.close(slave)
        self.screen = _Screen(columns, rows, self.send)
        self._stream = pyte.ByteStream(self.screen)
        self._bytes_per_second = bytes_per_second
        self.bytes_read = 0
        self.raw_tail = b""
        self.on_chunk: Callable[[bytes], None] | None = None

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Change the size, as a window manager does."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.columns, self.rows = columns, rows
            self.screen.resize(rows, columns)
            os.killpg(self.process.pid, signal.SIGWINCH)

    def send(self, keys: str) -> None:
        """Type into the program."""
        try:
            os.write(self._master, keys.encode())
        except OSError:
            return

    def read(self, timeout: float) -> bool:
        """Take what the program has written; return False when it has closed its terminal."""
        ready, _, _ = select.select([self._master], [], [], timeout)
        if not ready:
            return True
        try:
            data = os.read(self._master, self._bytes_per_second or 65536)
        except OSError:
            return False
        if not data:
            return False
        self.bytes_read += len(data)
        self.raw_tail = (self.raw_tail + data)[-4096:]
        self._stream.feed(data)
        if self.on_chunk is not None:
            self.on_chunk(data)
        if self._bytes_per_second:
            time.sleep(len(data) / self._bytes_per_second)  # a slow link is what is being modelled
        return True

    def read_for(self, seconds: float) -> None:
        """Keep the screen up to date for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self.read(left):
                return

    def wait_for(self, condition: Callable[[str], bool], timeout: float = 20.0) -> str:
        """Read until the screen's text satisfies ``condition``; return the text.

        Raises:
            AssertionError: it never did; carries the last screen.
        """
        end = time.monotonic() + timeout
        while True:
            text = self.text
            if condition(text):
                return text
            left = end - time.monotonic()
            if left <= 0 or not self.read(min(left, 0.5)):
                raise AssertionError(f"the screen never showed it; it shows:\n{self.text}")

    @property
    def lines(self) -> list[str]:
        """The screen's lines."""
        return list(self.screen.display)

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.screen.display)

    def close(self) -> int:
        """End the program, at the latest by force, and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        end = time.monotonic() + 5
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        if self.process.poll() is None:
            self.process.kill()
        code = self.process.wait()
        os.close(self._master)
        return code

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
