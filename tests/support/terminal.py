"""A program in a real pseudo-terminal, with a terminal emulator at the other end that answers."""

from __future__ import annotations

import fcntl
import os
import pty
import select
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


def _take_terminal() -> None:
    """Make the pseudo-terminal the child's own, as a window does: it is told of sizes and hang-ups."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Runs ``argv`` on a pseudo-terminal of ``columns`` x ``rows`` and keeps its screen.

    ``bytes_per_second`` makes it a slow one; without ``answers`` it never says where its cursor is.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
        bytes_per_second: int | None = None,
        answers: bool = True,
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
            preexec_fn=_take_terminal,  # noqa: PLW1509  # no threads here, and hang-ups must reach the program
            env={
                **{
                    key: value
                    for key, value in os.environ.items()
                    if key not in ("NO_COLOR", "COLUMNS", "LINES")
                },
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                **(environment or {}),
            },
        )
        os.close(slave)
        self.screen = _Screen(columns, rows, self.send if answers else lambda _data: None)
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

    def send(self, keys: str) -> None:
        """Type into the program."""
        try:
            os.write(self._master, keys.encode())
        except OSError:
            return

    def read(self, timeout: float) -> bool:
        """Take what the program has written; return False when it has closed its terminal."""
        if self._master < 0:
            time.sleep(timeout)
            return False
        ready, _, _ = select.select([self._master], [], [], timeout)
        if not ready:
            return True
        try:
            portion = max(self._bytes_per_second // 20, 1) if self._bytes_per_second else 65536
            data = os.read(self._master, portion)
        except OSError:
            return False
        if not data:
            return False
        self.bytes_read += len(data)
        self.take(data)
        if self._bytes_per_second:
            time.sleep(len(data) / self._bytes_per_second)  # a slow link is what is being modelled
        return True

    def take(self, data: bytes) -> None:
        """Bring the screen up to date with what the program wrote."""
        self.raw_tail = (self.raw_tail + data)[-4096:]
        self._stream.feed(data)
        if self.on_chunk is not None:
            self.on_chunk(data)

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

    def wait_for_end(self, timeout: float = 20.0) -> int:
        """Read all that is still written until the program has ended; return its exit code."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not self.read(0.05):
                return self.process.wait(max(end - time.monotonic(), 0.1))
            if self.process.poll() is not None and not select.select([self._master], [], [], 0)[0]:
                return self.process.returncode
        raise AssertionError(f"the program never ended; the screen shows:\n{self.text}")

    @property
    def lines(self) -> list[str]:
        """The screen's lines."""
        return list(self.screen.display)

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.screen.display)

    def hang_up(self) -> None:
        """Take the terminal away, as a lost connection does."""
        os.close(self._master)
        self._master = -1

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
        if self._master >= 0:
            os.close(self._master)
        return code

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
