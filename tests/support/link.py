"""A program at the near end of a link, and a terminal at the far end.

The program runs on a pseudo-terminal. What it writes goes into a buffer, as into the sockets and the relays
of a real connection, leaves it at so many bytes a second, and reaches the far screen a delay later. What is
typed, and what the far terminal answers, comes back in the same way. While the buffer is full nothing is
read from the pseudo-terminal, so that the program's writes fail or block.

A thread of its own moves the bytes; when each one arrives is reckoned, not measured, so a thread that wakes
up late bends no time but its own. Where it does, or where the program itself waited for a processor, the
machine was late: ``late`` says how long, and what was measured meanwhile is worth nothing.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyte

from tests.support.way import Way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SPOKEN = re.compile(rb"\x1b\[(?:6n|\?2026\$p|\?2026l)")
"""A question for the cursor; one for synchronized output; the end of a synchronized update."""
QUESTION, MODE_QUESTION = b"\x1b[6n", b"\x1b[?2026$p"
ANSWER, MODE_ANSWER = b"\x1b[1;1R", b"\x1b[?2026;2$y"
TAIL = len(MODE_QUESTION) - 1
CONTROL = re.compile(rb"\x1b\[[?>=<]?[\d;]*\$?[a-zA-Z]")
TICK_S = 0.01
"""The thread wakes up at least so often, to notice when it cannot."""
LATE_S = 0.01
"""A wake-up that is later than this is the machine's doing."""
WATCH_S = 0.05
"""Between two looks at how long the program waited for a processor."""
MEBIBYTE = 1 << 20
DROPPED = ("NO_COLOR", "COLUMNS", "LINES", "CADENZA_")
"""Variables of whoever runs the tests that would show in the program."""
ON_TERMINAL = 'tty=$1; shift; exec "$@" <>"$tty" >&0 2>&0'
"""A shell that leads its session takes the first terminal it opens as its own, as one in a window does."""


class Arrival(NamedTuple):
    """Bytes that came to the far screen.

    A frame ends with a question for the cursor, or with its synchronized update; where nothing was written
    before that, it is none.
    """

    at: float
    """When the last of them came (CLOCK_MONOTONIC, seconds)."""
    written: float
    """When it was taken from the pseudo-terminal."""
    data: bytes
    ends_frame: bool


class Link:
    """Runs ``argv`` on a terminal of ``columns`` x ``rows`` at the other end of a link.

    ``down`` and ``up`` are bytes a second to the screen and from the keys, None for at once; ``delay`` is
    one way, in seconds; ``buffer`` is in bytes. Without ``answers`` the terminal never says where its cursor
    is; only with ``synchronized`` it has synchronized updates. Enter it to start the program.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        down: float | None = None,
        up: float | None = None,
        delay: float = 0.0,
        buffer: int = MEBIBYTE,
        answers: bool = True,
        synchronized: bool = False,
    ) -> None:
        self._argv = argv
        self._environment = environment or {}
        self._size = (rows, columns)
        self._answers: dict[bytes, bytes] = {}
        if answers:
            self._answers[QUESTION] = ANSWER
        if synchronized:
            self._answers[MODE_QUESTION] = MODE_ANSWER
        self._buffer = buffer
        self._down, self._up = Way(down, delay), Way(up, delay, whole=True)
        self._typed = bytearray()
        self._tail = self._frame = b""
        self._log: list[Arrival] = []
        self._seen = 0
        self._late: list[tuple[float, float]] = []
        self._lock = threading.Lock()
        self._ending = False
        self._master = self._slave = -1
        self._wake = (-1, -1)
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._waited_ns: int | None = None
        self._watched = 0.0
        self.process: subprocess.Popen[bytes]
        self.found: list[Any] = []
        """The terminal's settings before the program began."""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.on_frame: Callable[[Arrival], None] | None = None
        """Called by ``look`` when a frame is on the screen."""

    # --- the program

    def __enter__(self) -> Link:
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        os.set_blocking(self._master, False)
        self.found = self.attributes()
        self._wake = os.pipe()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(DROPPED)}
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", ON_TERMINAL, "sh", os.ttyname(self._slave), *self._argv],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", **self._environment},
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program, at the latest by force."""
        self.go()
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._ending = True
        os.write(self._wake[1], b".")
        self._thread.join()
        for descriptor in (self._master, self._slave, *self._wake):
            os.close(descriptor)

    def attributes(self) -> list[Any]:
        """Return the terminal's settings, as the shell that the program came from finds them."""
        return termios.tcgetattr(self._slave)

    def resident_bytes(self) -> int:
        """Return the memory the program has at this moment."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0

    # --- the person

    def send(self, keys: str) -> float:
        """Type at the far end; return when."""
        with self._lock:
            now = time.monotonic()
            self._up.put(keys.encode(), now)
        os.write(self._wake[1], b".")
        return now

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size."""
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def stop(self) -> float:
        """Show nothing more, as ``ctrl+s`` or a paused pane does; the buffer fills. Return when."""
        with self._lock:
            now = time.monotonic()
            self._down.stop(now)
        return now

    def go(self) -> float:
        """Show again what comes; return when."""
        with self._lock:
            now = time.monotonic()
            self._down.go(now)
        os.write(self._wake[1], b".")
        return now

    def look(self) -> str:
        """Bring the screen up to date with what has arrived; return its text."""
        while True:
            with self._lock:
                piece = self._log[self._seen] if self._seen < len(self._log) else None
            if piece is None:
                return self.text
            self._seen += 1
            self._stream.feed(piece.data)
            if piece.ends_frame and self.on_frame is not None:
                self.on_frame(piece)

    @property
    def text(self) -> str:
        """The screen as it was last looked at."""
        return "\n".join(self.screen.display)

    def watch(self, seconds: float, until: Callable[[], object] = lambda: False) -> bool:
        """Look at the screen for a while, or ``until`` holds; return whether it does."""
        end = time.monotonic() + seconds
        while True:
            self.look()
            if until():
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)  # the far end: it has no event to be awaited here

    def wait_for(self, condition: Callable[[str], bool], timeout: float = 30.0) -> str:
        """Look until the screen's text satisfies ``condition``; return the text.

        Raises:
            AssertionError: it never did; carries the last screen.
        """
        if not self.watch(timeout, lambda: condition(self.text)):
            raise AssertionError(f"the far screen never showed it; it shows:\n{self.text}")
        return self.text

    # --- what can be asked afterwards

    def arrivals(self, since: float = float("-inf"), until: float = float("inf")) -> list[Arrival]:
        """Return what came to the screen after ``since`` and up to ``until``."""
        with self._lock:
            return [one for one in self._log if since < one.at <= until]

    def waiting(self) -> int:
        """Return how many bytes are in the buffer."""
        with self._lock:
            return self._down.waiting(time.monotonic())

    def late(self, since: float, until: float) -> float:
        """Return for how many seconds of a span the machine was late."""
        with self._lock:
            return sum(max(min(until, end) - max(since, start), 0.0) for start, end in self._late)

    # --- the thread

    def _run(self) -> None:
        descriptor, waker = self._master, self._wake[0]
        while not self._ending:
            woke = time.monotonic()
            with self._lock:
                self._watch_machine(woke)
                self._receive(woke)
                self._deliver(woke)
                self._press(woke)
                now = time.monotonic()
                if now - woke > LATE_S:
                    self._late.append((woke, now))
                due = min(max(self._down.due(), now + TICK_S / 4), self._up.due(), now + TICK_S)
                reading = self._down.waiting(now) < self._buffer
            wanted = [descriptor, waker] if reading else [waker]
            ready, _, _ = select.select(wanted, [], [], max(due - time.monotonic(), 0.0))
            if waker in ready:
                os.read(waker, 4096)
            now = time.monotonic()
            if not ready and now - due > LATE_S:
                with self._lock:
                    self._late.append((due, now))

    def _receive(self, now: float) -> None:
        room = self._buffer - self._down.waiting(now)
        if room <= 0:
            return
        with suppress(OSError):
            if data := os.read(self._master, min(room, 65_536)):
                self._down.put(data, now)

    def _deliver(self, now: float) -> None:
        for segment, piece in self._down.take(now):
            before = segment.arrived - len(piece)
            seen = self._tail + piece
            cut = 0
            for match in SPOKEN.finditer(seen):
                end = match.end() - len(self._tail)
                at = self._down.arrival(segment, before + end)
                self._frame += piece[cut:end]
                ends_frame = match[0] != MODE_QUESTION and bool(CONTROL.sub(b"", self._frame))
                self._log.append(Arrival(at, segment.written, piece[cut:end], ends_frame))
                self._frame, cut = b"", end
                if answer := self._answers.get(match[0]):
                    self._up.put(answer, at)
            if cut < len(piece):
                self._frame += piece[cut:]
                at = self._down.arrival(segment, segment.arrived)
                self._log.append(Arrival(at, segment.written, piece[cut:], False))
            self._tail = piece[cut:][-TAIL:] if cut else seen[-TAIL:]

    def _press(self, now: float) -> None:
        for _, piece in self._up.take(now):
            self._typed += piece
        if self._typed:
            with suppress(BlockingIOError):
                del self._typed[: os.write(self._master, self._typed)]

    def _watch_machine(self, now: float) -> None:
        """Notice how long the program was ready to run and did not; see proc(5), ``schedstat``."""
        if now - self._watched < WATCH_S:
            return
        try:
            waited_ns = int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1])
        except (OSError, IndexError):
            return
        if self._waited_ns is not None and (late := (waited_ns - self._waited_ns) / 1e9) > LATE_S:
            self._late.append((max(now - late, self._watched), now))
        self._waited_ns, self._watched = waited_ns, now
