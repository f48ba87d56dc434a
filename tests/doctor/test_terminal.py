"""What is said of a terminal, and a real one that is asked."""

from __future__ import annotations

import os
import pty
import termios
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.doctor.finding import Outcome
from cadenza_tui.doctor.terminal import QUESTIONS, Abilities, ask, colours, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = Abilities(
    {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    is_terminal=True,
    encoding="utf-8",
    columns=120,
    rows=40,
    answers=True,
    synchronized=True,
)


def test_a_good_terminal_is_told_with_its_abilities() -> None:
    """Name, colours, encoding, size, and that it answers."""
    found = judge(GOOD)
    assert found.outcome is Outcome.OK
    assert found.sentence == (
        "TERM is xterm-256color, 16 million colours, UTF-8, 120×40, answers, paints in one go"
    )


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"environ": {"TERM": "dumb"}}, "set TERM"),
        ({"environ": {}}, "set TERM"),
        ({"encoding": "ascii"}, "UTF-8 locale"),
        ({"environ": {"TERM": "xterm-256color", "LC_ALL": "C"}}, "UTF-8 locale"),
        ({"columns": 79}, "make it at least 80×24"),
        ({"rows": 23}, "make it at least 80×24"),
        ({"answers": False}, "where its cursor is"),
    ],
)
def test_what_a_terminal_lacks_has_a_remedy(changes: dict[str, object], remedy: str) -> None:
    """It works all the same, so none of it is a failure."""
    found = judge(replace(GOOD, **changes))  # type: ignore[arg-type]
    assert found.outcome is Outcome.WARN
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("environ", "fact"),
    [
        ({"TERM": "linux"}, "16 colours, UTF-8 in the console's own font"),
        ({"TERM": "xterm", "LANG": "C"}, "16 colours, ASCII alone (encoding utf-8)"),
    ],
)
def test_what_can_be_shown_is_told(environ: dict[str, str], fact: str) -> None:
    """As the screen takes it: the kernel's console has few glyphs, the C locale none beyond ASCII."""
    assert fact in judge(replace(GOOD, environ=environ)).sentence


def test_what_is_no_terminal_says_what_cannot_be_known() -> None:
    """A pipe has neither size nor answers, but an environment."""
    found = judge(Abilities({"TERM": "xterm"}, is_terminal=False, encoding="utf-8"))
    assert found.outcome is Outcome.SKIPPED
    assert found.sentence.startswith("not one: its size and answers cannot be known; TERM is xterm")


def test_tmux_and_ssh_are_told() -> None:
    """Both change what can be expected of a terminal."""
    environ = {**GOOD.environ, "TMUX": "/tmp/tmux", "SSH_CONNECTION": "a b"}
    assert "in tmux over SSH" in judge(replace(GOOD, environ=environ)).sentence


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, "256 colours"),
        ({"TERM": "xterm"}, "16 colours"),
        ({"TERM": "vt100"}, "no colours"),
        ({"TERM": "xterm-direct"}, "16 million colours"),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, "16 million colours"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "no colours (NO_COLOR)"),
    ],
)
def test_colours_are_what_the_environment_says(environ: dict[str, str], expected: str) -> None:
    """NO_COLOR counts by its presence."""
    assert colours(environ) == expected


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    """A terminal of the tests' own: its far end, and the end that a program has."""
    far, near = pty.openpty()
    yield far, near
    os.close(far)
    os.close(near)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"\x1b[?2026;2$y\x1b[12;40R", (True, True)),
        (b"\x1b[?2026;0$y\x1b[1;1R", (True, False)),
        (b"\x1b[1;1R", (True, False)),
        (b"typed ahead\x1b[?2026;1$y\x1b[1;1R", (True, True)),
    ],
)
def test_a_terminal_is_asked(
    line: tuple[int, int], answer: bytes, expected: tuple[bool | None, bool | None]
) -> None:
    """By what the painter uses, and its settings are left as they were."""
    far, near = line
    before = termios.tcgetattr(near)
    asked: list[bytes] = []

    def reply() -> None:
        asked.append(os.read(far, 100))
        os.write(far, answer)

    replying = threading.Thread(target=reply)
    replying.start()
    try:
        assert ask(near, near, within_s=10.0) == expected
    finally:
        replying.join()
    assert asked == [QUESTIONS]
    assert termios.tcgetattr(near) == before


def test_a_terminal_that_does_not_answer_is_not_waited_for(line: tuple[int, int]) -> None:
    """And its settings are left as they were."""
    _, near = line
    before = termios.tcgetattr(near)
    assert ask(near, near, within_s=0.05) == (False, None)
    assert termios.tcgetattr(near) == before


def test_what_is_no_terminal_is_not_asked() -> None:
    """A pipe has no settings to change."""
    reading, writing = os.pipe()
    try:
        assert ask(reading, writing, within_s=10.0) == (None, None)
    finally:
        os.close(reading)
        os.close(writing)
