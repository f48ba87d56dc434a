"""Text that is safe to paint."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cadenza_tui.view import text
from cadenza_tui.view.rows import Ground, Role, Span
from tests.view.support import text as joined


@given(st.text(max_size=40))
def test_safe_text_cannot_move_the_cursor(given_text: str) -> None:
    """No control, format, combining or surrogate character is left, and it stays so when made safe again."""
    safe = text.safe(given_text)
    assert not {unicodedata.category(c) for c in safe} & {"Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp"}
    assert text.safe(safe) == safe


@given(st.text(max_size=40))
def test_every_safe_character_takes_one_cell(given_text: str) -> None:
    """The length of a safe text is its width."""
    assert all(unicodedata.east_asian_width(c) not in "WF" for c in text.safe(given_text))


@given(st.text(st.characters(max_codepoint=0x2FFF), max_size=40))
def test_the_terminal_library_measures_the_same(given_text: str) -> None:
    """The painter's own idea of the width agrees."""
    safe = text.safe(given_text)
    assert cell_len(safe) <= len(safe)


def test_wide_text_becomes_narrow() -> None:
    """Full-width letters get their narrow form, what has none a question mark."""
    assert text.safe("ＢＴＣ/東京 💰") == "BTC/?? ?"
    assert text.safe("e\u0301\u200d\x1b[2J\x07") == "é[2J"


@given(st.text(max_size=40), st.integers(0, 60))
def test_padding_is_exact(given_text: str, width: int) -> None:
    """Left, right and centred texts have exactly the wanted width."""
    for made in (
        text.left(given_text, width),
        text.right(given_text, width),
        text.centred(given_text, width),
    ):
        assert len(made) == width


def test_a_cut_is_marked() -> None:
    """A clipped text ends in an ellipsis."""
    assert text.clip("BINANCE", 4) == "BIN…"
    assert text.clip("BINANCE", 7) == "BINANCE"
    assert text.clip("BINANCE", 0) == ""


rows = st.lists(st.builds(Span, st.text("abc ", max_size=8), st.sampled_from(Role)), max_size=6).map(tuple)


@given(rows, st.integers(0, 50))
def test_rows_fit_exactly(row: tuple[Span, ...], width: int) -> None:
    """A row is clipped or filled to exactly the width."""
    assert len(joined(text.fit_row(row, width))) == width


@given(rows, rows, st.integers(0, 50))
def test_both_ends(start: tuple[Span, ...], end: tuple[Span, ...], width: int) -> None:
    """Two ends share a row of exactly the width."""
    assert len(joined(text.both_ends(start, end, width))) == width


def test_a_ground_does_not_cover_a_bar() -> None:
    """The cursor's ground goes behind what has none of its own."""
    row = (Span("a"), Span("b", Role.TEXT, Ground.BID_BAR))
    assert [span.ground for span in text.on_ground(row, Ground.CURSOR)] == [Ground.CURSOR, Ground.BID_BAR]


def test_ascii_keeps_every_width() -> None:
    """In ASCII each sign has a stand-in of one character."""
    row = (Span("▲ 1.24 ● live ━━ Σ — − é"),)
    assert joined(text.to_ascii(row)) == "^ 1.24 * live == S - - ?"


def test_long_sentences_are_wrapped() -> None:
    """A message stands in the middle, broken between words."""
    body = text.message("Awaiting the first snapshot of the book", 24, 5)
    assert [joined(row).strip() for row in body if joined(row).strip()] == [
        "Awaiting the first",
        "snapshot of the book",
    ]
    assert {len(joined(row)) for row in body} == {24}
