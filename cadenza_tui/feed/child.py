"""The demo's simulator: a child process that cannot outlive this one.

The child holds the reading end of a pipe whose writing end only this process has. However this process ends,
SIGKILL included, the pipe closes, and the child ends when it does. See ``cli.simulate``.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.credentials.commands import without_secrets
from cadenza_tui.errors import CadenzaError

if TYPE_CHECKING:
    from collections.abc import Sequence

READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 3.0
MAX_LINE = 65_536
WITH_STDIN = "--until-stdin-closes"
"""The option of ``simulate`` that ties its life to its standard input."""


class Ready(msgspec.Struct):
    """What the simulator says when it can be connected to."""

    url: str
    token: str
    rest: str = ""
    """Where one logs in."""

    def __repr__(self) -> str:
        return f"Ready(url={self.url!r})"


class SimulatorChild:
    """A running ``cadenza-tui simulate``: enter it to start it, then wait for ``ready``; leaving stops it."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self._options = options
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SimulatorChild:
        """Start the process; it gets ready by itself while the caller does something else."""
        command = [sys.executable, "-m", "cadenza_tui", "simulate", "--port", "0", WITH_STDIN, *self._options]
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own words
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env=without_secrets(os.environ),
            start_new_session=True,  # ctrl+c is for the screen; the pipe is what ends the child
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the simulator has not been started")
        return self._process

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> Ready:
        """Wait for the ready line; raises CadenzaError with what the child had to say when none comes."""
        process = self._running()
        line = _read_line(process, time.monotonic() + timeout_s)
        if not line.endswith(b"\n"):
            status = process.poll()
            what = f"did not get ready within {timeout_s:g} s" if status is None else f"ended with {status}"
            raise CadenzaError(f"the simulator {what}{self._last_words()}")
        try:
            return msgspec.json.decode(line, type=Ready)
        except msgspec.MsgspecError as error:
            raise CadenzaError(f"the simulator's ready line cannot be used: {error}") from None

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read(MAX_LINE).decode("utf-8", "replace").split("\n")
        words = [line.strip() for line in lines if line.strip()]
        last = "".join(character for character in " ".join(words[-2:]) if character.isprintable())
        return f": {last[-300:]}" if last else ""

    def stop(self) -> None:
        """End the process by closing its standard input; kill it when that does not do."""
        process = self._process
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._errors.close()


def _read_line(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Read up to the first line break, the deadline, or the end of the process."""
    line = b""
    stdout = process.stdout
    if stdout is None:
        return line
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while b"\n" not in line and len(line) < MAX_LINE:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                break
            piece = os.read(stdout.fileno(), 4_096)
            if not piece:
                process.wait(STOP_TIMEOUT_S)
                break
            line += piece
    return line
