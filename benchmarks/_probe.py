"""A program in a pseudo-terminal that is answered at once and looked at afterwards.

While a window is measured nothing is emulated: bytes are kept with the time they came at, and the program's
questions for the cursor (its frames' acknowledgements) are answered from the raw bytes. ``pyte`` gets them
when the window is over, so it slows neither the program nor the clock.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks._screen import IdealDiff
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PROGRAM = str(Path(sys.executable).with_name("cadenza-tui"))
QUESTION = b"\x1b[6n"
ANSWER = "\x1b[1;1R"
BOOK_COLUMNS = slice(34, 86)
"""Where the whole monitor has its book at 120x40."""
_SPREAD = re.compile(r"\d\.\d+ +[\d,]+\.\d+ [▲▼·] ")
FRAME_GAP_S = 0.01
"""Bytes that come within so long of the ones before belong to one frame."""


@dataclass
class Window:
    """What a program did while it was watched."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    chunks: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """Share of a core, in percent."""
        return 100 * self.cpu_seconds / self.seconds

    @property
    def size(self) -> int:
        """Bytes to the terminal."""
        return sum(len(data) for _, data in self.chunks)

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.size / self.seconds

    def frames(self) -> Iterator[tuple[float, bytes]]:
        """Yield each frame's bytes, and when the last of them came (CLOCK_MONOTONIC, seconds)."""
        held: list[bytes] = []
        last = 0.0
        for at, data in self.chunks:
            if held and at - last > FRAME_GAP_S:
                yield last, b"".join(held)
                held = []
            held.append(data)
            last = at
        if held:
            yield last, b"".join(held)


class Probe(Terminal):
    """A terminal that can put off looking."""

    def __init__(self, argv: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self.window: Window | None = None
        self._tail = b""
        self._quiet = False
        super().__init__(argv, environment=environment)

    def __enter__(self) -> Probe:
        return self

    def send(self, keys: str) -> None:
        if not self._quiet:
            super().send(keys)

    def take(self, data: bytes) -> None:
        if self.window is None:
            super().take(data)
            return
        self.window.chunks.append((time.monotonic(), data))
        seen = self._tail + data
        self._tail = seen[-len(QUESTION) + 1 :]
        for _ in range(seen.count(QUESTION)):
            super().send(ANSWER)

    def cpu_seconds(self) -> float:
        """The program's CPU time so far, its children's not included."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @contextmanager
    def watching(self) -> Iterator[Window]:
        """Measure what happens inside."""
        window = self.window = Window()
        cpu, started = self.cpu_seconds(), time.monotonic()
        try:
            yield window
        finally:
            window.seconds = time.monotonic() - started
            window.cpu_seconds = self.cpu_seconds() - cpu
            self.window = None

    def watch(self, seconds: float) -> Window:
        """Measure for a while."""
        with self.watching() as window:
            self.read_for(seconds)
        return window

    def replay(self, window: Window, seen: Callable[[float], None] | None = None) -> IdealDiff:
        """Bring the screen up to date with a window, by frames; ``seen`` is told the time of each."""
        ideal = IdealDiff(self.screen)
        self._quiet = True
        try:
            for at, data in window.frames():
                super().take(data)
                ideal.frame()
                if seen is not None:
                    seen(at)
        finally:
            self._quiet = False
        return ideal


def ladder_shows(text: str) -> bool:
    """Return whether the whole monitor's book has both sides: its spread row says where the market leans."""
    return any(_SPREAD.search(line[BOOK_COLUMNS]) for line in text.split("\n"))


@contextmanager
def monitor(
    url: str, token: str, *arguments: str, options: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[Probe]:
    """Run the monitor on a server, with no configuration but this; no token is ``""``.

    ``options`` are the choices of each pane, as the preferences have them.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.toml").touch()
        preferences = Path(folder) / "state" / "cadenza-tui" / "preferences.json"
        preferences.parent.mkdir(parents=True)
        preferences.write_text(json.dumps({"options": options or {}}))
        environment = {
            "CADENZA_CONFIG": str(Path(folder) / "config.toml"),
            "HOME": folder,
            "XDG_STATE_HOME": str(Path(folder) / "state"),
            **({"CADENZA_TOKEN": token} if token else {}),
        }
        with Probe([PROGRAM, *arguments, "--url", url], environment) as probe:
            yield probe
