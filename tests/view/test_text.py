"""Text that is safe to paint."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcwidth

from cadenza_tui.view import text
from cadenza_tui.view.rows import Ground, Role, Row, Span
from tests.view.support import text as joined

anything = st.text(max_size=40) | st.text(
    "ab 東京만세ｶﾞＢ。か\u3099가\u0301\u1100💰" + text.FILLER, max_size=40
)
safe_rows = st.lists(st.builds(Span, anything.map(text.safe), st.sampled_from(Role)), max_size=6).map(tuple)


def cells(row: Row) -> int:
    """Return how many cells a terminal gives a row, as two tables of widths say alike."""
    shown = "".join(span.text for span in text.painted(row))
    width = sum(map(wcwidth, shown))
    assert cell_len(shown) == width
    return width


@given(st.text(max_size=40))
def test_safe_text_cannot_move_the_cursor(given_text: str) -> None:
    """No control, format, combining or surrogate character is left, and it stays so when made safe again."""
    safe = text.safe(given_text)
    assert not {unicodedata.category(c) for c in safe} & {"Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp"}
    assert text.safe(safe) == safe


@given(anything)
def test_the_length_of_a_safe_text_is_its_width(given_text: str) -> None:
    """Terminals give it as many cells as it has characters, fillers included, and never a filler itself."""
    safe = text.safe(given_text)
    assert cells((Span(safe),)) == len(safe)
    assert text.FILLER not in text.unfilled(safe)


def test_no_character_is_wider_than_it_is_taken_for() -> None:
    """Two tables of widths agree on whatever is left of every character there is."""
    for code in range(0x110000):
        safe = text.safe(chr(code))
        assert sum(map(wcwidth, text.unfilled(safe))) == len(safe), hex(code)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("ＢＴＣ/東京 💰", "ＢＴＣ/東京 ?"),
        ("서울 か\u3099 ｶ", "서울 が ｶ"),
        ("\u1112\u1161\u11ab\u1112", "한?"),
        ("e\u0301\u200d\x1b[2J\x07", "é[2J"),
        ("q\u0301", "q"),
        (f"a{text.FILLER}東{text.FILLER}{text.FILLER}", "a?東?"),
    ],
    ids=["wide", "kana", "jamo", "composed", "composes with nothing", "a filler from outside"],
)
def test_wide_text_stays_as_it_is(given_text: str, shown: str) -> None:
    """East-Asian text keeps its characters; emoji and what joins to nothing do not."""
    assert text.unfilled(text.safe(given_text)) == shown


@given(anything, st.integers(0, 60))
def test_padding_is_exact(given_text: str, width: int) -> None:
    """Left, right and centred texts have exactly the wanted width."""
    for made in (
        text.left(given_text, width),
        text.right(given_text, width),
        text.centred(given_text, width),
    ):
        assert len(made) == width == cells((Span(made),))


@given(anything, st.integers(0, 60))
def test_no_cut_leaves_half_a_character(given_text: str, width: int) -> None:
    """What is cut at any width holds whole characters only."""
    safe = text.safe(given_text)
    for made in (text.clip(safe, width), text.cut(given_text, width)):
        assert len(made) == min(len(safe), width) == len(text.unfilled(made)) + made.count(text.FILLER)
        assert text.painted((Span(made),))[0].text == text.unfilled(made)


def test_a_cut_is_marked() -> None:
    """A clipped text ends in an ellipsis."""
    assert text.clip("BINANCE", 4) == "BIN…"
    assert text.clip("BINANCE", 7) == "BINANCE"
    assert text.clip("BINANCE", 0) == ""
    assert text.unfilled(text.clip(text.safe("東京都"), 4)) == "東 …"
    assert text.unfilled(text.cut("東京都", 5)) == "東京 "


@given(safe_rows, st.integers(0, 50))
def test_rows_fit_exactly(row: Row, width: int) -> None:
    """A row is clipped or filled to exactly the width."""
    fitted = text.fit_row(row, width)
    assert len(joined(fitted)) == width == cells(fitted)


@given(safe_rows, safe_rows, st.integers(0, 50))
def test_both_ends(start: Row, end: Row, width: int) -> None:
    """Two ends share a row of exactly the width."""
    made = text.both_ends(start, end, width)
    assert len(joined(made)) == width == cells(made)


@given(anything.map(text.safe), st.lists(st.integers(0, 80), max_size=6), st.integers(0, 50))
def test_spans_may_part_a_wide_character(whole: str, cuts: list[int], width: int) -> None:
    """However a text falls into spans, the row is painted in exactly its cells."""
    places = [0, *sorted(cuts), len(whole)]
    row = tuple(Span(whole[a:b]) for a, b in pairwise(places) if whole[a:b])
    fitted = text.fit_row(row, width)
    assert len(joined(fitted)) == width == cells(fitted)


@given(st.text("a東" + text.FILLER, max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_half_a_wide_character_is_painted_as_a_blank(given_text: str, first: int, last: int) -> None:
    """A text that was cut by hand keeps its width, too."""
    halves = text.safe(given_text)[first:last]
    assert cells((Span(halves),)) == len(halves)


def test_a_ground_does_not_cover_a_bar() -> None:
    """The cursor's ground goes behind what has none of its own."""
    row = (Span("a"), Span("b", Role.TEXT, Ground.BID_BAR))
    assert [span.ground for span in text.on_ground(row, Ground.CURSOR)] == [Ground.CURSOR, Ground.BID_BAR]


def test_long_sentences_are_wrapped() -> None:
    """A message stands in the middle, broken between words."""
    body = text.message("Awaiting the first snapshot of the book", 24, 5)
    assert [joined(row).strip() for row in body if joined(row).strip()] == [
        "Awaiting the first",
        "snapshot of the book",
    ]
    assert {len(joined(row)) for row in body} == {24}


@given(anything, st.integers(1, 30))
def test_wrapped_lines_fit(words: str, width: int) -> None:
    """No line is wider than it may be, whatever is wrapped."""
    assert all(len(line) <= width for line in text.wrapped(words, width))


def test_text_without_blanks_is_wrapped_between_its_characters() -> None:
    """A Chinese sentence has no blanks to break at."""
    assert [text.unfilled(line) for line in text.wrapped("订单已被交易所拒绝", 8)] == [
        "订单已被",
        "交易所拒",
        "绝",
    ]
