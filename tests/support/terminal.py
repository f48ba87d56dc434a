"""A program in a real pseudo-terminal, with a terminal emulator at the other end that answers."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Any

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


ALTERNATE = 1049
"""The private mode of the second screen, which full-screen programs are shown on."""
_KEYBOARD = re.compile(rb"\x1b\[[<>=][\d;]*u")
"""Sequences of the kitty keyboard protocol, which the emulator would take for text."""


class _Screen(pyte.Screen):
    """Has a second screen, and answers device status reports into the program's input."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        self._first: dict[int, dict[int, Any]] | None = None
        super().__init__(columns, rows)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)

    def set_mode(self, *modes: int, **options: bool) -> None:
        super().set_mode(*modes, **options)
        if options.get("private") and ALTERNATE in modes and self._first is None:
            self._first = {y: dict(line) for y, line in self.buffer.items()}
            self.save_cursor()
            self.erase_in_display(2)

    def reset_mode(self, *modes: int, **options: bool) -> None:
        super().reset_mode(*modes, **options)
        if options.get("private") and ALTERNATE in modes and self._first is not None:
            self.erase_in_display(2)
            for y, line in self._first.items():
                self.buffer[y].update(line)
            self._first = None
            self.restore_cursor()


_SEQUENCE = re.compile(rb"\x1b\[([<=>?]?)([\d;:]*)([ -/]*[@-~])|\x1b([=>78c])")
_CURSOR_SHOWN = "?25"
_NOT_PASSED_ON = ("NO_COLOR", "COLUMNS", "LINES", "COLORFGBG", "TMUX", "STY", "SSH_CONNECTION", "SSH_TTY")


class Modes:
    """What a program has switched on in its terminal and not off again, read from the bytes it writes."""

    def __init__(self) -> None:
        self._on = {_CURSOR_SHOWN}
        self._keyboards = 0
        self._rest = b""
        self.style = b""
        """The parameters of the last SGR sequence, nothing after a reset."""

    def feed(self, data: bytes) -> None:
        """Take what was written; a sequence may come in pieces."""
        data = self._rest + data
        end = 0
        for found in _SEQUENCE.finditer(data):
            end = found.end()
            private, parameters, final = found[1], found[2], found[3]
            if final in (b"h", b"l") and private == b"?":
                modes = {f"?{number.decode()}" for number in parameters.split(b";")}
                self._on = self._on | modes if final == b"h" else self._on - modes
            elif final == b"u" and private == b">":
                self._keyboards += 1
            elif final == b"u" and private == b"<":
                self._keyboards = max(self._keyboards - int(parameters or 1), 0)
            elif final == b"m" and not private:
                self.style = b"" if parameters in (b"", b"0") else parameters
        self._rest = data[max(end, len(data) - 32) :]

    @property
    def left_on(self) -> set[str]:
        """Everything that differs from a terminal nobody has touched."""
        on = self._on ^ {_CURSOR_SHOWN}
        on -= {"?7"}  # lines wrap from the start
        if self._keyboards:
            on = {*on, "kitty keyboard"}
        if self.style:
            on = {*on, f"style {self.style.decode()}"}
        return on


def _take_terminal() -> None:
    """Make the pseudo-terminal the child's own, as a window does: it is told of sizes and hang-ups."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Runs ``argv`` on a pseudo-terminal of ``columns`` x ``rows`` and keeps its screen.

    ``bytes_per_second`` makes it a slow one; without ``answers`` it never says where its cursor is. What is
    None in ``environment`` is taken out of it.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str | None] | None = None,
        bytes_per_second: int | None = None,
        answers: bool = True,
    ) -> None:
        self.columns, self.rows = columns, rows
        self._master, slave = pty.openpty()
        self._slave = os.dup(slave)
        self.resize(columns, rows, tell=False)
        self.settings_before = self.settings
        variables: dict[str, str | None] = {
            **{name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            **(environment or {}),
        }
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  # no threads here, and hang-ups must reach the program
            env={key: value for key, value in variables.items() if value is not None},
        )
        os.close(slave)
        self.screen = _Screen(columns, rows, self.send if answers else lambda _data: None)
        self._stream = pyte.ByteStream(self.screen)
        self._bytes_per_second = bytes_per_second
        self.bytes_read = 0
        self.raw_tail = b""
        self.modes = Modes()
        self.on_chunk: Callable[[bytes], None] | None = None

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Change the size, as a window manager does."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.columns, self.rows = columns, rows
            self.screen.resize(rows, columns)

    @property
    def settings(self) -> list[object]:
        """The terminal's settings, as ``tcgetattr`` returns them."""
        return termios.tcgetattr(self._slave)

    def send(self, keys: str) -> None:
        """Type into the program."""
        try:
            os.write(self._master, keys.encode())
        except OSError:
            return

    def read(self, timeout: float) -> bool:
        """Take what the program has written; return False when there is nothing, and it has ended."""
        if self._master < 0:
            time.sleep(timeout)
            return False
        ready, _, _ = select.select([self._master], [], [], timeout)
        if not ready:
            return self.process.poll() is None
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
        self.modes.feed(data)
        self._stream.feed(_KEYBOARD.sub(b"", data))
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
        os.close(self._slave)
        return code

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
