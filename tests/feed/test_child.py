"""The demo's simulator process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed.child import SimulatorChild

QUICK = ("--seed", "1", "--instruments", "2")


def alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Wait for a process to be gone."""
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)  # a grandchild: nobody tells us when it ends
    return not alive(pid)


def test_it_says_where_it_is_and_ends_with_the_block() -> None:
    """The URL is on loopback, the token is one, and nothing is left."""
    with SimulatorChild(QUICK) as child:
        ready = child.ready()
        pid = child.pid
        assert ready.url.startswith("ws://127.0.0.1:")
        assert len(ready.token.split(".")) == 3
        assert ready.token not in repr(ready)
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_it_dies_with_a_parent_that_was_killed() -> None:
    """SIGKILL leaves a parent no time, and yet the simulator ends."""
    script = (
        "from cadenza_tui.feed.child import SimulatorChild\n"
        "import time\n"
        f"child = SimulatorChild({QUICK!r}).__enter__()\n"
        "child.ready()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert gone(pid)


def test_what_it_had_to_say_is_told_when_it_cannot_start() -> None:
    """Its last words are part of the sentence."""
    with SimulatorChild(("--rate", "-5")) as child, pytest.raises(CadenzaError, match="rate"):
        child.ready()


def test_one_that_gets_not_ready_in_time_is_named_and_ended() -> None:
    """The wait is bounded."""
    with SimulatorChild(QUICK) as child:
        with pytest.raises(CadenzaError, match="did not get ready within 0 s"):
            child.ready(timeout_s=0)
        pid = child.pid
    assert gone(pid)
