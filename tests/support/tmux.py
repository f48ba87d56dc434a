"""A tmux server of the test's own: no configuration of the user's, ended with the block."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

TMUX = shutil.which("tmux")
OUTSIDE = (
    "TMUX",
    "TMUX_PANE",
    "STY",
    "COLORTERM",
    "NO_COLOR",
    "SSH_CONNECTION",
    "SSH_TTY",
    "COLUMNS",
    "LINES",
)
"""Variables that would not be there, or would say something else, in a terminal of a user's own."""


class Server:
    """One server with one window, ``watch``."""

    def __init__(self, configuration: Path) -> None:
        self._base = [str(TMUX), "-u", "-L", f"cadenza-{os.getpid()}-{time.monotonic_ns()}"]
        self._configuration = configuration
        self.environment = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
        self.environment["TERM"] = "xterm-256color"

    def start(self, argv: Sequence[str], columns: int, rows: int) -> None:
        """Run a program in a session that nobody looks at, of a given size."""
        size = ("-x", str(columns), "-y", str(rows))
        self._run("-f", str(self._configuration), "new-session", "-d", "-s", "watch", *size, *argv)

    def _run(self, *words: str, check: bool = True) -> str:
        command = [*self._base, *words]
        return subprocess.run(
            command, check=check, capture_output=True, text=True, timeout=20, env=self.environment
        ).stdout

    def attach(self) -> list[str]:
        """Return the command that looks at the session from another terminal."""
        return [*self._base, "attach-session", "-t", "watch"]

    def keys(self, keys: str) -> None:
        """Type."""
        self._run("send-keys", "-t", "watch", "-l", keys)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._run("resize-window", "-t", "watch", "-x", str(columns), "-y", str(rows))

    def screen(self, *, styled: bool = False) -> str:
        """Return what the window shows, with its escape sequences where they are wanted."""
        return self._run("capture-pane", "-p", "-t", "watch", *(("-e",) if styled else ()))

    def pane(self) -> int:
        """Return the process that runs in the window."""
        return int(self._run("display-message", "-p", "-t", "watch", "#{pane_pid}"))

    def wait_for(self, condition: Callable[[str], bool], within: float = 20.0) -> str:
        """Look until the window shows what is wanted; return its text.

        Raises:
            AssertionError: it never did; carries the last screen.
        """
        end = time.monotonic() + within
        while True:
            text = self.screen()
            if condition(text):
                return text
            assert time.monotonic() < end, f"the window never showed it; it shows:\n{text}"
            time.sleep(0.05)  # another process: it has no event to be awaited here

    def kill_session(self) -> None:
        """End the session, as closing its last window does."""
        self._run("kill-session", "-t", "watch")

    def close(self) -> None:
        """End the server, whatever is left of it."""
        self._run("kill-server", check=False)


@contextmanager
def server(folder: Path, terminal: str) -> Iterator[Server]:
    """Return a server whose windows are terminals of the type ``terminal``."""
    configuration = folder / "tmux.conf"
    configuration.write_text(
        f"set -g default-terminal {terminal}\nset -g status off\nset -sg escape-time 10\n"
    )
    made = Server(configuration)
    try:
        yield made
    finally:
        made.close()
