"""On terminals that can do less: what leaves the program, byte for byte, and what can still be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.view.glyphs import _CONSOLE, _CONSOLE_HAS
from tests.end_to_end.program import DEMO, HAS_PROC, live
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="reads /proc")

TOUR = (
    ("ga", "- Accounts"),
    ("gh", "- Health"),
    ("gm", "- Book"),
    ("?", "- Keys"),
    ("/", "- Find an instrument"),
    (":", "Next instrument"),
)
"""Keys, and what is on the screen after them: every view, help, picker and palette, which escape leaves."""
OVER = ("- Keys", "- Find an instrument", "Next instrument")
SGR = re.compile(rb"\x1b\[([\d;]*)m")


def toured(environment: Mapping[str, str | None]) -> bytes:
    """Return everything that the program writes while somebody looks at all of it."""
    written = bytearray()
    with Terminal(DEMO, columns=80, rows=24, environment=environment) as terminal:
        terminal.on_chunk = written.extend
        terminal.wait_for(lambda text: "61,8" in text and "live" in text)
        for keys, shown in TOUR:
            terminal.send(keys)
            terminal.wait_for(lambda text, shown=shown: shown in text.replace("─", "-"))  # type: ignore[misc]
            if shown in OVER:
                terminal.send("\x1b")
                terminal.wait_for(lambda text: not any(over in text.replace("─", "-") for over in OVER))
        terminal.send("q")
        assert terminal.wait_for_end() == 0
    return bytes(written)


def parameters(written: bytes) -> set[bytes]:
    """Return every SGR parameter, with what belongs to it: ``31``, ``38;5;72``."""
    whole = re.compile(rb"[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+")
    return {found for sequence in SGR.findall(written) for found in whole.findall(sequence)}


ATTRIBUTES = {b"%d" % number for number in (0, 1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29, 39, 49)}
SIXTEEN = {b"%d" % number for start in (30, 40, 90, 100) for number in range(start, start + 8)}


@pytest.mark.parametrize(
    "locale",
    [{"LANG": "C"}, {"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}],
    ids=["LANG", "LC_ALL"],
)
def test_in_the_c_locale_every_byte_is_ascii(locale: dict[str, str | None]) -> None:
    """Textual's own widgets included; borders are lines of ASCII."""
    written = toured(locale)
    assert written.isascii()
    assert b"+- Accounts" in written


def test_the_kernels_console_gets_what_its_font_has() -> None:
    """No round corners, no eighths of blocks, and its own sixteen colours."""
    written = toured({"TERM": "linux", "COLORTERM": None})
    beyond = {character for character in written.decode() if not character.isascii()}
    assert beyond <= set(_CONSOLE_HAS) | {glyph for glyph in _CONSOLE.values() if not glyph.isascii()}
    assert parameters(written) <= ATTRIBUTES | SIXTEEN


@pytest.mark.parametrize("ground", ["0;15", "15;0"], ids=["light", "dark"])
def test_sixteen_colours_are_the_terminals_own_on_its_own_ground(ground: str) -> None:
    """Nothing is mixed, nothing painted behind text, and no grey that some palettes hide."""
    written = toured({"TERM": "xterm-16color", "COLORTERM": None, "COLORFGBG": ground})
    used = parameters(written)
    assert used <= ATTRIBUTES | SIXTEEN
    assert not used & {b"30", b"37", b"90", b"97", b"40", b"47", b"100", b"107"}
    assert {b"31", b"32"} <= used


def test_256_colours_are_of_the_256() -> None:
    """Where the terminal names no more, no more are used."""
    used = parameters(toured({"COLORTERM": None}))
    assert not {one for one in used if one.startswith((b"38;2", b"48;2"))}
    assert {one for one in used if one.startswith(b"48;5")}


def test_no_color_is_none_at_all() -> None:
    """The variable's presence counts, whatever it says."""
    assert parameters(toured({"NO_COLOR": ""})) <= ATTRIBUTES


@pytest.mark.parametrize(("said", "panel"), [("0;15", b"48;2;255;255;255"), (None, b"48;2;17;21;28")])
def test_a_light_ground_gets_the_light_theme(said: str | None, panel: bytes) -> None:
    """Where the terminal says what its ground is; else the dark one."""
    written = bytearray()
    with Terminal(DEMO, environment={"COLORFGBG": said}) as terminal:
        terminal.on_chunk = written.extend
        terminal.wait_for(live)
    assert panel in parameters(bytes(written))


@pytest.mark.parametrize("term", ["dumb", "", None])
def test_a_terminal_that_cannot_is_told_so(term: str | None) -> None:
    """One sentence and a remedy, and nothing else is written."""
    with Terminal(DEMO, environment={"TERM": term}) as terminal:
        assert terminal.wait_for_end() == 2
        assert "needs a terminal that can move its cursor, and TERM is" in terminal.text
        assert b"\x1b" not in terminal.raw_tail


def test_no_size_is_too_small_to_survive() -> None:
    """Down to one cell, in every view; what is there is back with the room for it."""
    with Terminal(DEMO, columns=40, rows=12) as terminal:
        terminal.wait_for(lambda text: "61,8" in text)
        for view in ("ga", "gh", "gm", "?", "\x1b/", "\x1b"):
            terminal.send(view)
            for columns, rows in ((20, 5), (1, 1), (3, 40), (200, 2), (40, 12)):
                terminal.resize(columns, rows)
                terminal.read_for(0.1)
        terminal.send("\x1bgm")
        terminal.resize(80, 24)
        terminal.wait_for(live)
        terminal.send("q")
        assert terminal.wait_for_end() == 0


FIRST_TOTALS = (r"USDT +1,\d{3},\d{3}\.\d", r"BTC +\d+\.\d{8} ", r"ETH +\d{3}\.\d{8} ", r"SOL +2,540\.\d+ ")


def test_forty_by_twelve_says_the_balances() -> None:
    """The least size that is promised: the totals of the largest assets stand there, with their decimals."""
    with Terminal((*DEMO, "--view", "account"), columns=40, rows=12) as terminal:
        terminal.wait_for(lambda text: all(re.search(total, text) for total in FIRST_TOTALS))


@pytest.mark.parametrize("columns", [100, 80, 57, 40])
def test_wide_nicknames_keep_the_columns_straight(columns: int) -> None:
    """Where East-Asian characters take two cells, every row of the frame reaches to both edges."""
    with Terminal((*DEMO, "--view", "account"), columns=columns, rows=30) as terminal:
        terminal.wait_for(lambda text: "東" in text and straight(terminal))
        terminal.resize(columns + 1, 30)  # the other cell of each pair is cut now
        terminal.wait_for(lambda text: "東" in text and straight(terminal))


def straight(terminal: Terminal) -> bool:
    """Whether a frame reaches to both edges of every line but the first and the last."""
    last = terminal.columns - 1
    edges = [
        (line[0].data, line[last].data) for line in map(terminal.screen.buffer.get, range(1, 29)) if line
    ]
    return edges == [("╭", "╮"), *[("│", "│")] * 26, ("╰", "╯")]
