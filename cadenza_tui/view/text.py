"""Text that is safe to paint: every character of it takes exactly one terminal cell.

Server text has already lost its control characters in ``wire``; this is the last line before the terminal, so
they are neutralised here again. Terminals disagree about the width of combining marks, joiners and emoji, and
one cell of disagreement breaks a whole line: combining marks go, what is wide becomes its narrow form or
``?``. So ``len`` is the width of a safe text.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Ground, Pane, Role, Row, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

_DROPPED = frozenset({"Cc", "Cf", "Mn", "Me", "Zl", "Zp"})
_REPLACED = frozenset({"Cs", "Co", "Cn", "Mc"})
_CONJOINING_JAMO = range(0x1100, 0x1200)
_MAXIMUM = 4096

_BLANKS = tuple(" " * n for n in range(512))

_ASCII = str.maketrans(
    {
        "▲": "^", "▼": "v", "▴": "^", "▾": "v", "◆": "*", "◂": "<", "▸": ">", "→": ">", "●": "*", "○": "o",
        "◌": ".", "◐": "%", "◔": "%", "✕": "x", "✗": "x", "×": "x", "⏸": "=", "⏵": ">", "■": "#", "⚠": "!",
        "↻": "@", "⇄": "X", "−": "-", "–": "-", "—": "-", "─": "-", "━": "=", "│": "|", "·": ".", "•": "*",
        "…": "~", "Σ": "S", "Δ": "d", "▰": "#", "▱": "-", "≈": "~", "╌": "-", "µ": "u", "▪": "#",
        "█": "=", "▉": "=", "▊": "=", "▋": "=", "▌": "=", "▍": "=", "▎": "-", "▏": " ", "▐": "=",
    }
)  # fmt: skip


def blank(width: int) -> str:
    """Return ``width`` spaces; none for a negative width."""
    if width <= 0:
        return ""
    return _BLANKS[width] if width < len(_BLANKS) else " " * width


@lru_cache(maxsize=8192)
def safe(text: str) -> str:
    """Return ``text`` in characters that cannot move the cursor and take one cell each."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_one_cell, unicodedata.normalize("NFC", text[:_MAXIMUM])))


def _one_cell(character: str) -> str:
    if character in "\t\n\r":
        return " "
    category = unicodedata.category(character)
    if category in _DROPPED:
        return ""
    if category in _REPLACED or ord(character) in _CONJOINING_JAMO:
        return "?"
    if category == "Zs":
        return " "
    if unicodedata.east_asian_width(character) in "WF":
        narrow = unicodedata.normalize("NFKC", character)
        return narrow if narrow.isascii() and narrow.isprintable() else "?"
    return character


def clip(text: str, width: int, *, mark: str = "…") -> str:
    """Return ``text`` in at most ``width`` cells; a cut is marked."""
    if len(text) <= width:
        return text
    return text[: width - len(mark)] + mark if width >= len(mark) else mark[: max(width, 0)]


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
    return sum(len(span.text) for span in row)


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
    for word in safe(words).split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else clip(word, width)
    return [*lines, line] if line else lines


def to_ascii(row: Row) -> Row:
    """Return ``row`` in ASCII alone, for terminals where nothing else can be trusted; same widths."""
    if all(span.text.isascii() for span in row):
        return row
    return tuple(Span(_plain(span.text), span.role, span.ground) for span in row)


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    text = text.translate(_ASCII)
    return text if text.isascii() else "".join(c if c.isascii() else "?" for c in text)


def pane_to_ascii(pane: Pane) -> Pane:
    """Return ``pane`` in ASCII alone."""
    return Pane(
        title=to_ascii(pane.title),
        trust=to_ascii(pane.trust),
        body=tuple(to_ascii(row) for row in pane.body),
        dimmed=pane.dimmed,
    )
