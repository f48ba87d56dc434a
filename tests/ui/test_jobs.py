"""Job control, with real processes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys

import pytest

from cadenza_tui.ui import jobs

STOPPING = """
import signal
from cadenza_tui.ui import jobs
signal.signal(signal.SIGTSTP, lambda *_: print("handled", flush=True))
jobs.stop(group={group})
print(signal.getsignal(signal.SIGTSTP) is not signal.SIG_DFL, flush=True)
"""


@pytest.mark.parametrize("group", [True, False])
def test_a_job_is_stopped_and_continued(group: bool) -> None:
    """By the terminal's own signal, past the program's handler, which is in its place again afterwards."""
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPING.format(group=group)], stdout=subprocess.PIPE, process_group=0
    )
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert os.WSTOPSIG(status) == signal.SIGTSTP
    os.kill(child.pid, signal.SIGCONT)
    assert child.communicate(timeout=10)[0] == b"True\n"


def test_where_nobody_could_continue_it_a_program_is_not_stopped() -> None:
    """As under ``ssh host cadenza-tui``: it would stand there for ever."""
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPING.format(group=True)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.communicate(timeout=10)[0] == b"True\n"


def test_a_terminal_of_another_session_has_no_jobs_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be asked there, so nothing is waited for."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        assert jobs.in_foreground()
    os.close(master)
    monkeypatch.setattr(sys, "__stderr__", None)
    assert jobs.in_foreground()


def test_a_job_in_the_background_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not write to the terminal that is somebody else's."""
    with open(os.devnull, "w") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        monkeypatch.setattr(os, "tcgetpgrp", lambda _fd: os.getpgrp() + 1)
        assert not jobs.in_foreground()
        monkeypatch.setattr(os, "tcgetpgrp", lambda _fd: os.getpgrp())
        assert jobs.in_foreground()
