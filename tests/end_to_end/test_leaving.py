"""However the monitor ends or pauses, the terminal is left as it was found, and no process stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.program import DEMO, HAS_PROC, below, command, live, wait_for_ends, wait_until
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="reads /proc")

SECOND_SCREEN = b"\x1b[?1049h"
GONE_WITHIN = 2.0
"""Seconds in which a lost terminal takes the program and its children along."""

DEFECT = """
import sys
from cadenza_tui.ui.monitor import MonitorScreen
paint, frames = MonitorScreen.paint, []
def broken(self):
    frames.append(1)
    if len(frames) > 10 and self._panes["tape"].rows:
        raise RuntimeError("a bug of the test's own")
    return paint(self)
MonitorScreen.paint = broken
sys.argv[:] = ["cadenza-tui", "demo", "--seed", "7"]
from cadenza_tui.__main__ import main
main()
"""
"""The program with a bug in its painting."""


def as_found(terminal: Terminal) -> bool:
    """Whether settings and modes of the terminal are those of before."""
    assert terminal.modes.left_on == set()
    assert terminal.settings == terminal.settings_before
    return True


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by job control."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def test_the_modes_are_seen_at_all() -> None:
    """While it runs the monitor has changed both settings and modes: else these tests would say nothing."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        assert {"?1049", "?25", "?1006", "?2004"} <= terminal.modes.left_on
        assert terminal.settings != terminal.settings_before


def by_key(key: str) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.send(key)


def by_signal(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: terminal.process.send_signal(number)


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        pytest.param(by_key("q"), 0, id="q"),
        pytest.param(by_key("\x03"), 0, id="ctrl+c"),
        pytest.param(by_signal(signal.SIGTERM), 128 + signal.SIGTERM, id="SIGTERM"),
        pytest.param(by_signal(signal.SIGINT), 128 + signal.SIGINT, id="SIGINT"),
        pytest.param(by_signal(signal.SIGHUP), 128 + signal.SIGHUP, id="SIGHUP"),
    ],
)
def test_leaving_restores_the_terminal(leave: Callable[[Terminal], None], code: int) -> None:
    """By a key or a signal: settings, screen, cursor, mouse, paste and keyboard as before, no child left."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        children = below(terminal.process.pid)
        leave(terminal)
        assert terminal.wait_for_end() == code
        assert as_found(terminal)
        wait_for_ends(children, GONE_WITHIN)


def test_a_crash_restores_the_terminal_and_says_what_happened() -> None:
    """The traceback stands on the first screen, where it can be read and copied."""
    with Terminal([sys.executable, "-c", DEFECT]) as terminal:
        assert terminal.wait_for_end() == 1
        assert as_found(terminal)
        assert b"a bug of the test's own" in terminal.raw_tail.rpartition(b"\x1b[?1049l")[2]


def test_a_stopped_and_continued_monitor_goes_on() -> None:
    """SIGSTOP leaves no time to do anything; after SIGCONT the market moves, keys work, and q leaves well."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        terminal.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: is_stopped(terminal.process.pid), "the stop")
        terminal.read_for(0.1)
        since = bytearray()
        terminal.on_chunk = since.extend
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(lambda text: SECOND_SCREEN in since and live(text))
        terminal.send("n")  # what is typed before that is not for the monitor: the shell had the terminal
        terminal.wait_for(lambda text: "BTC/USDT OKX" in text.partition("\n")[0] and live(text))
        terminal.send("q")
        assert terminal.wait_for_end() == 0
        assert as_found(terminal)


def test_a_terminal_that_nobody_reads_holds_nobody_up() -> None:
    """With a full terminal SIGTERM ends the monitor all the same, and the settings are restored."""
    with Terminal((*DEMO, "--rate", "1000")) as terminal:
        terminal.wait_for(live)
        children = below(terminal.process.pid)
        time.sleep(1.5)  # nothing is read meanwhile: the terminal is full, which cannot be seen from here
        terminal.process.terminate()
        assert terminal.process.wait(5) == 128 + signal.SIGTERM
        assert terminal.settings == terminal.settings_before
        wait_for_ends(children, GONE_WITHIN)


@pytest.mark.parametrize("state", ["running", "stopped", "flooded"])
def test_a_lost_terminal_takes_everything_along(state: str) -> None:
    """A dropped session ends the monitor and its children within two seconds, whatever it was doing."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        everybody = [terminal.process.pid, *below(terminal.process.pid)]
        assert len(everybody) > 1
        if state == "stopped":
            terminal.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: is_stopped(terminal.process.pid), "the stop")
        elif state == "flooded":
            time.sleep(1.0)  # nothing is read meanwhile
        terminal.hang_up()
        wait_for_ends(everybody, GONE_WITHIN)


# --- jobs of a shell

SHELL = shutil.which("bash")
PROMPT = "ready> "


@pytest.mark.skipif(SHELL is None, reason="there is no bash")
@pytest.mark.parametrize("way", ["ctrl+z", "SIGTSTP"])
def test_suspended_and_resumed_as_a_job(way: str) -> None:
    """The shell gets its terminal back, settings and all; ``fg`` shows the present, and q leaves well."""
    assert SHELL is not None
    environment: dict[str, str | None] = {"PS1": PROMPT, "PS0": "", "PROMPT_COMMAND": "", "HISTFILE": None}
    with Terminal([SHELL, "--norc", "--noprofile", "-i"], environment=environment) as terminal:

        def at_prompt(text: str, times: int = 1) -> bool:
            return text.count(PROMPT) >= times and text.rstrip().endswith(PROMPT.strip())

        terminal.wait_for(at_prompt)
        terminal.send("bind 'set enable-bracketed-paste off' 2>/dev/null; PS1='ready> '\r")
        terminal.wait_for(lambda text: at_prompt(text, 2))
        prompt_settings = terminal.settings
        terminal.modes = type(terminal.modes)()
        terminal.send(" ".join(DEMO) + "\r")
        terminal.wait_for(live)
        (monitor,) = [pid for pid in below(terminal.process.pid) if is_monitor(pid)]
        for _ in range(2):
            if way == "ctrl+z":
                terminal.send("\x1a")
            else:
                os.kill(monitor, signal.SIGTSTP)
            terminal.wait_for(lambda text: "Stopped" in text and at_prompt(text, 2))
            assert is_stopped(monitor)
            assert terminal.modes.left_on == set()
            assert terminal.settings == prompt_settings
            terminal.send("fg\r")
            first = terminal.wait_for(live)
            terminal.wait_for(lambda text, first=first: live(text) and text != first)  # type: ignore[misc]
            assert {"?1049", "?25", "?2004"} <= terminal.modes.left_on
        terminal.send("q")
        terminal.wait_for(lambda text: at_prompt(text, 2))
        assert terminal.modes.left_on == set()
        assert terminal.settings == prompt_settings
        terminal.send("echo code $?.\r")
        terminal.wait_for(lambda text: "code 0." in text)
        terminal.send("exit\r")
        terminal.wait_for_end()


def is_monitor(pid: int) -> bool:
    """Whether a process is the monitor itself, not its simulator."""
    return "demo" in command(pid)
