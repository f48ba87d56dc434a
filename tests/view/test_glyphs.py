"""What stands for the characters that a terminal cannot show."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

import cadenza_tui
from cadenza_tui.view import text
from cadenza_tui.view.glyphs import _CONSOLE, _CONSOLE_HAS, Glyphs, glyphs_of, substituted
from cadenza_tui.view.states import SIGNS

FULL = dict.fromkeys(("LC_ALL", "LC_CTYPE", "LANG"), "")


def written_by_us() -> set[str]:
    """Return every character beyond ASCII in the source of what is shown."""
    package = Path(cadenza_tui.__file__).parent
    sources = [path for room in ("view", "ui") for path in (package / room).glob("*.py")]
    return {character for path in sources for character in path.read_text() if not character.isascii()}


def test_every_glyph_of_ours_has_a_stand_in() -> None:
    """In ASCII none becomes a question mark, and each takes one cell."""
    ours = written_by_us() - set(_CONSOLE.values())
    assert [glyph for glyph in sorted(ours) if substituted(glyph, Glyphs.ASCII) in ("?", "??", "")] == []


def test_the_console_gets_what_its_fonts_have() -> None:
    """Each glyph of ours becomes one that the kernel's font and the common Latin ones hold."""
    fonts = set(_CONSOLE_HAS) | set("•♦«»░▒")
    shown = {glyph: substituted(glyph, Glyphs.CONSOLE) for glyph in written_by_us()}
    assert {
        glyph: there for glyph, there in shown.items() if not there.isascii() and there not in fonts
    } == {}


@pytest.mark.parametrize("glyphs", Glyphs)
def test_states_differ_by_their_glyph(glyphs: Glyphs) -> None:
    """A watchlist has room for the glyph alone: no two states share one."""
    shown = [substituted(sign.glyph, glyphs) for sign in SIGNS.values()]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("glyphs", Glyphs)
def test_what_changed_what_is_mine_and_what_is_live_differ(glyphs: Glyphs) -> None:
    """The mark of a change, the one of an own order, the live sign and both directions are told apart."""
    assert len({substituted(glyph, glyphs) for glyph in "•◆▲▼"}) == 4
    assert len({substituted(glyph, glyphs) for glyph in "●◆▲▼▸■"}) == 6


@given(st.text(max_size=40) | st.text("东京Ｂ가▲─█é💰", max_size=40), st.sampled_from(Glyphs))
def test_nothing_moves(given_text: str, glyphs: Glyphs) -> None:
    """Whatever is written takes the same cells in other glyphs."""
    safe = text.safe(given_text)
    shown = substituted(text.unfilled(safe), glyphs)
    assert sum(map(wcwidth, shown)) == len(safe)
    assert glyphs is not Glyphs.ASCII or shown.isascii()


@given(st.text(max_size=40))
def test_ascii_is_ascii_whatever_is_written(given_text: str) -> None:
    """Emoji and combining marks that another writes, too."""
    assert substituted(given_text, Glyphs.ASCII).isascii()


def test_wide_text_in_ascii() -> None:
    """Full-width letters can be read; what has no ASCII form is two question marks."""
    assert substituted("ＢＴＣ 東é", Glyphs.ASCII) == "B T C  ???"


def test_escape_sequences_pass() -> None:
    """What controls the terminal is left alone; so is everything where everything can be shown."""
    assert substituted("\x1b[1;38;5;2m▲ 1\x1b[m", Glyphs.ASCII) == "\x1b[1;38;5;2m^ 1\x1b[m"
    assert substituted("▲ 東", Glyphs.UNICODE) == "▲ 東"


@pytest.mark.parametrize(
    ("environ", "encoding", "expected"),
    [
        ({"LANG": "C.UTF-8"}, "utf-8", Glyphs.UNICODE),
        ({"LANG": "de_DE.utf8@euro"}, "utf-8", Glyphs.UNICODE),
        ({}, "utf-8", Glyphs.UNICODE),
        ({"LANG": "C"}, "utf-8", Glyphs.ASCII),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", Glyphs.ASCII),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, "utf-8", Glyphs.ASCII),
        ({"LC_ALL": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", Glyphs.ASCII),
        ({"LANG": "C", "LC_CTYPE": "ja_JP.UTF-8"}, "utf-8", Glyphs.UNICODE),
        ({"LANG": "de_DE.ISO-8859-1"}, "utf-8", Glyphs.ASCII),
        ({"LANG": "de_DE"}, "iso8859-1", Glyphs.ASCII),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, "utf-8", Glyphs.CONSOLE),
        ({"LC_ALL": "C", "TERM": "linux"}, "utf-8", Glyphs.ASCII),
    ],
)
def test_the_locale_decides(environ: dict[str, str], encoding: str, expected: Glyphs) -> None:
    """LC_ALL comes before LC_CTYPE and that before LANG; C is ASCII though Python would write UTF-8."""
    assert glyphs_of({**FULL, **environ}, encoding) is expected
