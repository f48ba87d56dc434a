"""The check of the terminal: what it says of itself, and whether it answers what the painter asks."""

from __future__ import annotations

import asyncio
import os
import re
import select
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadenza_tui.doctor.finding import Finding, ok, skipped, warn
from cadenza_tui.view.glyphs import Glyphs, glyphs_of
from cadenza_tui.wire.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

TERMINAL = "terminal"
LEAST = (80, 24)
"""Columns and rows below which views leave things out."""
ANSWER_WITHIN_S = 0.6
"""A round trip over a slow SSH link."""
QUESTIONS = b"\x1b[?2026$p\x1b[6n"
"""Whether frames can be painted in one go (mode 2026), and where the cursor is: the last is answered last."""
_LETTERS = {Glyphs.UNICODE: "UTF-8", Glyphs.CONSOLE: "UTF-8 in the console's own font"}
_CURSOR = re.compile(rb"\x1b\[\d+;\d+R")
_SYNCHRONIZED = re.compile(rb"\x1b\[\?2026;([0-4])\$y")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What is known of a terminal; ``answers`` and ``synchronized`` are None where it was not asked."""

    environ: Mapping[str, str]
    is_terminal: bool
    encoding: str
    columns: int = 0
    rows: int = 0
    answers: bool | None = None
    synchronized: bool | None = None


def colours(environ: Mapping[str, str]) -> str:
    """Return how many colours the environment lets one expect."""
    if "NO_COLOR" in environ:
        return "no colours (NO_COLOR)"
    term = environ.get("TERM", "")
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or term.endswith("-direct"):
        return "16 million colours"
    if "256" in term:
        return "256 colours"
    return "no colours" if term in {"", "dumb"} or term.startswith("vt") else "16 colours"


def judge(abilities: Abilities) -> Finding:
    """Return what the abilities mean for the monitor."""
    environ = abilities.environ
    term = clean(environ.get("TERM", ""))
    glyphs = glyphs_of(environ, abilities.encoding)
    facts = [f"TERM is {term}" if term else "TERM is not set", colours(environ)]
    facts.append(_LETTERS.get(glyphs) or f"ASCII alone (encoding {clean(abilities.encoding)})")
    if not abilities.is_terminal:
        return skipped(TERMINAL, f"not one: its size and answers cannot be known; {', '.join(facts)}")
    facts.append(f"{abilities.columns}×{abilities.rows}")
    inside = [word for name, word in (("TMUX", "tmux"), ("STY", "screen")) if environ.get(name)]
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        inside.append("SSH")
    if inside:
        facts.append("in " + " over ".join(inside))
    if abilities.answers:
        facts.append("answers")
    if abilities.synchronized is not None:
        facts.append("paints in one go" if abilities.synchronized else "no synchronized output")
    problems = _problems(abilities, utf8=glyphs is not Glyphs.ASCII)
    if problems:
        return warn(TERMINAL, ", ".join(facts), "; ".join(problems))
    return ok(TERMINAL, ", ".join(facts))


def _problems(abilities: Abilities, *, utf8: bool) -> list[str]:
    problems: list[str] = []
    if abilities.environ.get("TERM", "") in {"", "dumb", "unknown"}:
        problems.append("set TERM to what the terminal is, as xterm-256color")
    if not utf8:
        problems.append("set a UTF-8 locale, as LC_ALL=C.UTF-8")
    if abilities.columns < LEAST[0] or abilities.rows < LEAST[1]:
        problems.append(f"make it at least {LEAST[0]}×{LEAST[1]}")
    if abilities.answers is False:
        problems.append("it does not say where its cursor is: over a slow link the picture may lag behind")
    return problems


async def terminal(environ: Mapping[str, str]) -> Finding:
    """Look at the terminal that this process has."""
    encoding = getattr(sys.stdout, "encoding", None) or "unknown"
    if not (_is_terminal(sys.stdout) and _is_terminal(sys.stdin)):
        return judge(Abilities(environ, is_terminal=False, encoding=encoding))
    size = os.get_terminal_size(sys.stdout.fileno())
    answers, synchronized = await asyncio.to_thread(ask, sys.stdin.fileno(), sys.stdout.fileno())
    return judge(
        Abilities(
            environ,
            is_terminal=True,
            encoding=encoding,
            columns=size.columns,
            rows=size.lines,
            answers=answers,
            synchronized=synchronized,
        )
    )


def _is_terminal(stream: object) -> bool:
    try:
        return stream is not None and bool(stream.isatty())  # type: ignore[attr-defined]
    except ValueError:  # closed
        return False


def ask(reading: int, writing: int, within_s: float = ANSWER_WITHIN_S) -> tuple[bool | None, bool | None]:
    """Ask a terminal, and return whether it answered, and whether it paints in one go.

    None where there is no way to ask. What it had typed ahead is lost; its settings are as before.
    """
    try:
        import termios  # noqa: PLC0415  # not on every system
        import tty  # noqa: PLC0415
    except ImportError:
        return None, None
    try:
        before = termios.tcgetattr(reading)
    except termios.error:
        return None, None
    try:
        tty.setcbreak(reading, termios.TCSANOW)
        os.write(writing, QUESTIONS)
        answer = _answer(reading, time.monotonic() + within_s)
    finally:
        termios.tcsetattr(reading, termios.TCSAFLUSH, before)
    found = _SYNCHRONIZED.search(answer)
    answers = _CURSOR.search(answer) is not None
    if not answers and found is None:
        return False, None
    return answers, found is not None and found[1] in b"1234"


def _answer(reading: int, until: float) -> bytes:
    answer = b""
    while (left := until - time.monotonic()) > 0 and len(answer) < 4_096:
        if not select.select([reading], [], [], left)[0]:
            break
        piece = os.read(reading, 1_024)
        answer += piece
        if not piece or _CURSOR.search(answer):
            break
    return answer
