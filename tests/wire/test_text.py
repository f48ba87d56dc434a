"""Texts from outside, made harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.wire.text import clean


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("BTC/USDT", "BTC/USDT"),
        ("übrig 価格", "übrig 価格"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]0;title\x07rest", "rest"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdcs\x1b\\after", "after"),
        ("a\x00b\x07c\x7fd\x85", "abcd "),
        ("tab\tline\nreturn\r", "tab line return "),
        ("\u202eevil\u202c \u2066x\u2069\u200f", "evil x"),
        ("zero\u200bwidth\ufeff\u00ad", "zerowidth"),
        ("a\u2028b\u00a0c", "a b c"),
        ("lone\udfffsurrogate", "lonesurrogate"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("", ""),
    ],
)
def test_only_what_can_be_shown_is_left(text: str, cleaned: str) -> None:
    """Control, escape, bidirectional and invisible characters go; white space becomes a space."""
    assert clean(text) == cleaned


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    """The length is bounded, and a cut is shown."""
    assert clean("x" * 70, 10) == "xxxxxxxxx…"
    assert clean("x" * 10, 10) == "x" * 10


@given(st.text(st.characters()) | st.text("\x1b[]0123;mP\\\x07\x9b\u202ea "), st.integers(1, 80))
def test_nothing_that_moves_a_cursor_is_left(text: str, maximum: int) -> None:
    """Whatever the text, each character of the result is printable and can be encoded; the length holds."""
    cleaned = clean(text, maximum)
    assert len(cleaned) <= maximum
    assert all(unicodedata.category(character)[0] != "C" for character in cleaned)
    assert cleaned.isprintable()
    cleaned.encode("utf-8")
    assert clean(cleaned, maximum) == cleaned
