"""Textual's driver with our writer: it never waits, and leaves the terminal as it was."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
import termios
import threading
import time
from typing import IO, TYPE_CHECKING, Any

import pytest
from textual.drivers.linux_driver import LinuxDriver

from cadenza_tui.ui.terminal import CANCEL, Meter, believe_the_terminal, say, unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator

MORE_THAN_A_TERMINAL_HOLDS = "x" * 100_000
SIGNALS = ("SIGTSTP", "SIGCONT", "SIGWINCH", "SIGTTOU", "SIGTTIN")


class App:
    """As much of an app as a driver talks to."""

    async def _post_message(self, _message: object) -> bool:
        return True


class Window:
    """A terminal window that a program was started in."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.stdin: IO[str] = os.fdopen(slave, encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(os.dup(slave), "w", encoding="utf-8")
        self.meter = Meter()

    def read(self) -> str:
        """Take what is there."""
        data = b""
        while True:
            try:
                data += os.read(self.master, 65536)
            except OSError:
                return data.decode()

    @property
    def modes(self) -> list[Any]:
        """What stty would show."""
        return termios.tcgetattr(self.stdin.fileno())

    def driver(self, **options: Any) -> Any:
        """Return a driver on this terminal."""
        driver_class = unhurried(LinuxDriver, self.meter, **options)
        return driver_class(App())  # type: ignore[arg-type]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """Be started in a window; what a driver does to the process is undone."""
    handlers = {name: signal.getsignal(getattr(signal, name)) for name in SIGNALS}
    window = Window()
    monkeypatch.setattr(sys, "__stdin__", window.stdin)
    monkeypatch.setattr(sys, "__stderr__", window.stderr)
    yield window
    for name, handler in handlers.items():
        signal.signal(getattr(signal, name), handler)
    window.stdin.close()
    window.stderr.close()
    os.close(window.master)


async def test_a_terminal_is_left_as_it_was_found(window: Window) -> None:
    """Modes and screen are put back, and what the terminal said is not left to the shell."""
    before = window.modes
    driver = window.driver()
    driver.start_application_mode()
    assert window.modes != before
    entered = window.read()
    assert "\x1b[?1049h" in entered
    driver.write("shown")
    driver.stop_application_mode()
    driver.close()
    left = window.read()
    assert left.startswith("shown\x1b[m")
    assert "\x1b[?1049l" in left
    assert "\x1b[?25h" in left
    assert CANCEL not in left
    assert window.modes == before
    assert window.meter.bytes_written == len(entered) + len(left)


async def test_a_stopped_terminal_holds_up_neither_writing_nor_leaving(window: Window) -> None:
    """Nobody reads it; yet each write returns at once, and the modes are restored within a second."""
    before = window.modes
    driver = window.driver()
    driver.start_application_mode()
    started = time.monotonic()
    for _ in range(100):
        driver.write(MORE_THAN_A_TERMINAL_HOLDS)
    assert driver.pending > 0
    driver.stop_application_mode()
    driver.close()
    assert window.modes == before
    assert time.monotonic() - started < 1.5


async def test_a_frame_that_is_cut_in_two_is_ended_first(window: Window) -> None:
    """Half an escape sequence would swallow what puts the terminal back."""
    driver = window.driver()
    driver.start_application_mode()
    driver.write("\x1b[38;2;1;2;3m" * 20_000)
    reading = asyncio.get_running_loop().run_in_executor(None, _read_until, window, "\x1b[?1004l")
    driver.stop_application_mode()
    driver.close()
    assert f"{CANCEL}\x1b[m" in await reading


def _read_until(window: Window, end: str) -> str:
    seen, until = "", time.monotonic() + 10
    while end not in seen and time.monotonic() < until:
        seen += window.read()
        time.sleep(0.01)  # another process would read it
    return seen


async def test_a_lost_terminal_holds_nobody_up(window: Window) -> None:
    """Everything is dropped, and closing returns."""
    driver = window.driver()
    driver.start_application_mode()
    driver.write(MORE_THAN_A_TERMINAL_HOLDS)
    os.close(window.master)
    try:
        driver.write("x")
        driver.stop_application_mode()
        driver.close()
        assert driver.pending == 0
    finally:
        window.master = os.open(os.devnull, os.O_RDONLY)


async def test_no_thread_writes(window: Window) -> None:
    """Textual's own has nothing to do and is ended; this fails when Textual calls it otherwise."""
    driver = window.driver()
    driver.start_application_mode()
    assert "textual-output" not in {thread.name for thread in threading.enumerate()}
    assert driver._writer_thread is None
    driver.stop_application_mode()
    driver.close()


async def test_a_write_from_the_thread_of_the_keys_goes_through_the_loop(window: Window) -> None:
    """It may not cut into a frame."""
    driver = window.driver()
    driver.start_application_mode()
    window.read()
    await asyncio.to_thread(driver.write, "from elsewhere")
    await asyncio.sleep(0)
    assert "from elsewhere" in window.read()
    driver.stop_application_mode()
    driver.close()


async def test_what_was_written_after_leaving_is_dropped(window: Window) -> None:
    """The terminal is the shell's then; and leaving twice is leaving once."""
    driver = window.driver()
    driver.start_application_mode()
    driver.suspend_application_mode()
    window.read()
    driver.write("too late")
    driver.suspend_application_mode()
    assert window.read() == ""


async def test_a_suspended_terminal_is_taken_again(window: Window) -> None:
    """Modes and screen are set anew, and once more put back as they were before."""
    before = window.modes
    driver = window.driver()
    for _ in range(2):
        driver.start_application_mode()
        assert "\x1b[?1049h" in window.read()
        assert window.modes != before
        driver.suspend_application_mode()
        assert window.modes == before


async def test_everything_is_spelled_for_the_terminal(window: Window) -> None:
    """Textual's own widgets obey it, too."""
    driver = window.driver(spell=str.upper)
    driver.start_application_mode()
    window.read()
    driver.write("loud")
    assert window.read() == "LOUD"
    driver.stop_application_mode()
    driver.close()


async def test_an_answer_to_a_frame_is_told_at_once(window: Window) -> None:
    """Where the cursor is tells that all before has been drawn."""
    told = asyncio.Event()
    driver = window.driver(answered=told.set)
    driver.start_application_mode()
    os.write(window.master, b"\x1b[5;7R")
    await asyncio.wait_for(told.wait(), 5)
    driver.stop_application_mode()
    driver.close()


async def test_whoever_waits_is_told_when_the_terminal_has_taken_all(window: Window) -> None:
    """So nothing has to look again and again."""
    drained = asyncio.Event()
    driver = window.driver(drained=drained.set)
    driver.start_application_mode()
    driver.write(MORE_THAN_A_TERMINAL_HOLDS)
    assert driver.pending
    asyncio.get_running_loop().add_reader(window.master, window.read)
    async with asyncio.timeout(10):
        await drained.wait()
    asyncio.get_running_loop().remove_reader(window.master)
    assert driver.pending == 0
    driver.stop_application_mode()
    driver.close()


@pytest.mark.parametrize(("rows", "kept"), [(30, None), (0, "99")])
def test_a_size_that_was_exported_counts_only_where_the_terminal_tells_none(
    rows: int, kept: str | None, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not change with the window; a serial line has no size of its own."""
    monkeypatch.setenv("COLUMNS", "99")
    monkeypatch.setenv("LINES", "99")
    monkeypatch.setattr(sys, "__stdout__", window.stderr)
    termios.tcsetwinsize(window.stderr.fileno(), (rows, 100 if rows else 0))
    believe_the_terminal()
    assert os.environ.get("COLUMNS") == kept
    assert os.environ.get("LINES") == kept


@pytest.mark.parametrize(("text", "shown"), [("a bug", True), ("y" * 100_000, False)])
def test_last_words_are_said_if_somebody_listens(window: Window, text: str, shown: bool) -> None:
    """A traceback is written; a terminal that takes none is not waited for."""
    started = time.monotonic()
    say(text)
    assert time.monotonic() - started < 1
    assert (text in window.read()) is shown


def test_last_words_go_to_a_file_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, window: Window
) -> None:
    """Where standard error is no terminal."""
    with (tmp_path / "log").open("w+") as file:
        monkeypatch.setattr(sys, "__stderr__", file)
        say("a bug")
        file.seek(0)
        assert file.read() == "a bug"
