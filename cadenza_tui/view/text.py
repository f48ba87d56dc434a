"""Text that is safe to paint: every character of it takes exactly one terminal cell, or is a pair of two.

Server text has already lost its control characters in ``wire``; this is the last line before the terminal, so
they are neutralised here again. Terminals disagree about the width of combining marks, joiners and emoji, and
one cell of disagreement breaks a whole line: marks that compose with nothing go, emoji become ``?``. They
agree that East-Asian characters take two cells: in a safe text such a one is followed by ``FILLER``, so that
``len`` is the width of a safe text. Pairs are kept whole here, and the filler never leaves: ``unfilled``
takes it out of what is painted or handed on.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Ground, Role, Row, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

_DROPPED = frozenset({"Cc", "Cf", "Mn", "Me", "Zl", "Zp"})
_REPLACED = frozenset({"Cs", "Co", "Cn", "Mc"})
_MAXIMUM = 4096

FILLER = "\uf8ff"
"""The second cell of a wide character: a private-use code point, which no text from outside keeps."""
_WIDE = (
    "\u2e80-\u2fd5\u2ff0-\u2ffb\u3001-\u303e\u3041-\u3163\u3165-\u3247\u3250-\u4dbf\u4e00-\ua4c6"
    "\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)
"""CJK radicals, punctuation, kana, Hangul syllables, ideographs, full-width forms: wide in every terminal."""
_IS_WIDE = re.compile(f"[{_WIDE}]")
_PAIR = re.compile(f"([{_WIDE}]){FILLER}")
_HALF = re.compile(f"[{_WIDE}](?!{FILLER})|(?<![{_WIDE}]){FILLER}")
_DISPUTED = re.compile(
    "[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7ff\u3164\uffa0\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff"
    "\U0001d300-\U0001d37f\U0001f1e6-\U0001f1ff]"
)
"""Jamo that join, invisible fillers, regional letters, and what Unicode 16 has made wide: no two terminals
agree on these."""

_text = itemgetter(0)
_BLANKS = tuple(" " * n for n in range(512))


def blank(width: int) -> str:
    """Return ``width`` spaces; none for a negative width."""
    if width <= 0:
        return ""
    return _BLANKS[width] if width < len(_BLANKS) else " " * width


@lru_cache(maxsize=8192)
def safe(text: str) -> str:
    """Return ``text`` in characters that cannot move the cursor, each in one cell or with a filler in two."""
    if text.isascii() and text.isprintable():
        return text
    text = _PAIR.sub(r"\1", text[: 2 * _MAXIMUM])[:_MAXIMUM]
    return "".join(map(_cells, unicodedata.normalize("NFC", text)))


def _cells(character: str) -> str:
    if character in "\t\n\r":
        return " "
    category = unicodedata.category(character)
    if category in _DROPPED:
        return ""
    if category in _REPLACED or _DISPUTED.match(character):
        return "?"
    if category == "Zs":
        return " "
    if _IS_WIDE.match(character):
        return character + FILLER
    return "?" if unicodedata.east_asian_width(character) in "WF" else character


def unfilled(text: str) -> str:
    """Return a safe text as a terminal or a program is to be given it: without fillers."""
    return text.replace(FILLER, "")


def clip(text: str, width: int, *, mark: str = "…") -> str:
    """Return ``text`` in at most ``width`` cells; a cut is marked, half a wide character left blank."""
    if len(text) <= width:
        return text
    if width < len(mark):
        return mark[: max(width, 0)]
    end = width - len(mark)
    if end and text[end] == FILLER:
        return text[: end - 1] + " " + mark
    return text[:end] + mark


def cut(text: str, width: int) -> str:
    """Return ``text`` made safe in at most ``width`` cells; a cut is not marked."""
    return clip(safe(text), width, mark="")


def left(text: str, width: int) -> str:
    """Return ``text`` made safe, clipped and padded on the right to exactly ``width`` cells."""
    text = clip(safe(text), width)
    return text + blank(width - len(text))


def right(text: str, width: int) -> str:
    """Return ``text`` made safe, clipped and padded on the left to exactly ``width`` cells."""
    text = clip(safe(text), width)
    return blank(width - len(text)) + text


def centred(text: str, width: int) -> str:
    """Return ``text`` made safe, clipped and padded on both sides to exactly ``width`` cells."""
    text = clip(safe(text), width)
    before = (width - len(text)) // 2
    return blank(before) + text + blank(width - len(text) - before)


def row_cells(row: Iterable[Span]) -> int:
    """Return how many terminal cells a row takes."""
    return sum(map(len, map(_text, row)))


def clip_row(row: Row, width: int) -> Row:
    """Return ``row`` in at most ``width`` cells; a cut is marked in the role of what was cut."""
    if row_cells(row) <= width:
        return row
    kept: list[Span] = []
    room = width
    for span in row:
        size = len(span.text)
        if size < room:
            kept.append(span)
            room -= size
            continue
        if kept and span.text[:1] == FILLER:  # its first half, in the span before, is all that would be left
            before = kept[-1]
            kept[-1] = before._replace(text=before.text[:-1] + " ")
        kept.append(Span(clip(span.text + ("" if size > room else " "), room), span.role, span.ground))
        break
    return tuple(kept)


def fit_row(row: Row, width: int, ground: Ground = Ground.PANEL) -> Row:
    """Return ``row`` clipped or padded with ``ground`` to exactly ``width`` cells."""
    size = row_cells(row)
    if size == width:
        return row
    if size > width:
        row = clip_row(row, width)
        size = row_cells(row)
    return (*row, Span(blank(width - size), Role.TEXT, ground)) if size < width else row


def both_ends(start: Row, end: Row, width: int, ground: Ground = Ground.PANEL) -> Row:
    """Return a row of exactly ``width`` cells with ``end`` at its right; ``start`` gives way."""
    end = clip_row(end, width)
    end_size = row_cells(end)
    start = clip_row(start, max(width - end_size - (1 if end_size else 0), 0))
    return (*start, Span(blank(width - row_cells(start) - end_size), Role.TEXT, ground), *end)


def on_ground(row: Row, ground: Ground) -> Row:
    """Return ``row`` with ``ground`` behind every span that has none of its own."""
    return tuple(Span(s.text, s.role, ground) if s.ground is Ground.PANEL else s for s in row)


def message(words: str, width: int, height: int, role: Role = Role.MUTED) -> tuple[Row, ...]:
    """Return a body that says ``words``, wrapped, in the middle of ``width`` x ``height`` cells."""
    lines = wrapped(words, max(min(width - 4, 60), 1))[: max(height, 0)]
    before = max((height - len(lines)) // 2, 0)
    empty: Row = (Span(blank(width)),)
    rows = [empty] * before
    rows += [(Span(centred(line, width), role),) for line in lines]
    return tuple(rows)


def wrapped(words: str, width: int) -> list[str]:
    """Return ``words`` in lines of at most ``width`` cells, broken between words where that is possible."""
    lines: list[str] = []
    line = ""
    for word in (piece for whole in safe(words).split() for piece in _pieces(whole, width)):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else clip(word, width)
    return [*lines, line] if line else lines


def _pieces(word: str, width: int) -> list[str]:
    """Return a word that is too long in pieces that are not: between wide characters there are no blanks."""
    if len(word) <= width or FILLER not in word or width < 2:
        return [word]
    pieces = [""]
    for part in re.findall(f".{FILLER}|[^{FILLER}]", word):
        if len(pieces[-1]) + len(part) > width:
            pieces.append("")
        pieces[-1] += part
    return pieces


def painted(row: Row) -> Row:
    """Return ``row`` as it goes to the terminal: without fillers, and a blank for half a wide character.

    The texts of spans are shorter than their cells then.
    """
    whole = "".join([span.text for span in row])
    if whole.isascii() or (FILLER not in whole and not _IS_WIDE.search(whole)):
        return row
    whole = _HALF.sub(" ", whole)
    spans: list[Span] = []
    start = 0
    for span in row:
        end = start + len(span.text)
        spans.append(span._replace(text=unfilled(whole[start:end])))
        start = end
    return tuple(spans)
