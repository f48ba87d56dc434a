"""Where two lines differ: the runs of cells that turn one into the other."""

from __future__ import annotations

from functools import lru_cache
from itertools import compress, count, islice
from operator import ne
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from textual.cache import FIFOCache
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.segment import Segment
    from rich.style import Style

REWRITE_GAP = 4
"""Unchanged cells between two changed ones that cost less to write again than to move over (``ESC[nC``)."""


class RowStrip(Strip):
    """A strip of a row whose width is known, and whether each of its characters is one cell wide.

    What Textual caches of a strip it makes when that is first asked for: few of ours are ever cut or styled,
    and to make the caches takes longer than all the rest of it.
    """

    __slots__ = ("narrow",)

    def __init__(self, segments: list[Segment], cells: int, *, narrow: bool) -> None:
        self._segments = segments
        self._cell_length = cells
        self._render_cache = None
        self._link_ids = None
        self._cell_count = None
        self.narrow = narrow

    def __getattr__(self, name: str) -> Any:
        if name not in _CACHES:
            raise AttributeError(name)
        made: FIFOCache[Any, Any] = FIFOCache(4)
        setattr(self, name, made)
        return made


_CACHES = frozenset(name for name in Strip.__slots__ if name.endswith("_cache")) - {"_render_cache"}


@lru_cache(maxsize=4096)
def _narrow_text(text: str) -> bool:
    return text.isascii() or all(cell_len(character) == 1 for character in text)


def narrow(strip: Strip) -> bool:
    """Whether each character of the strip is one cell wide, so that columns are character positions."""
    if isinstance(strip, RowStrip):
        return strip.narrow
    return all(_narrow_text(segment.text) for segment in strip)


def changed_spans(old: str, new: str, gap: int = REWRITE_GAP) -> Iterator[tuple[int, int]]:
    """Yield the spans ``[start, end)`` in which two texts of one length differ, close ones joined."""
    places = list(compress(count(), map(ne, old, new)))
    if not places:
        return
    start = end = places[0]
    for index in places:
        if index - end > gap:
            yield start, end
            start = index
        end = index + 1
    yield start, end


def same_blank(text: str, before: Style | None, after: Style | None) -> bool:
    """Whether two styles look alike on blanks: only the ground shows there."""
    if before is None or after is None or not text.isspace():
        return False
    return before.bgcolor == after.bgcolor and not (
        before.reverse or after.reverse or before.underline or after.underline
    )


def differences(old: Strip, new: Strip) -> Iterator[tuple[int, str, Style | None]]:
    """Yield ``(column, text, style)`` for the runs of ``new`` that differ from ``old``.

    Both strips are equally long and hold characters of one cell each.
    """
    column = same = 0
    for (text, style, _), (shown, was, _) in zip(new, old, strict=False):
        if len(text) != len(shown) or (style is not was and style != was):
            break  # from here on the two are cut otherwise
        if text != shown:
            for start, end in changed_spans(shown, text):
                yield column + start, text[start:end], style
        column += len(text)
        same += 1
    olds: Iterator[Segment] = islice(old, same, None)
    before = next(olds, None)
    skip = 0
    for segment in islice(new, same, None):
        if not skip and before is not None and (segment is before or segment == before):
            column += len(segment.text)
            before = next(olds, None)
            continue
        text, style, _ = segment
        position = 0
        while position < len(text):
            while before is not None and skip >= len(before.text):
                before = next(olds, None)
                skip = 0
            if before is None:
                yield column, text[position:], style
                column += len(text) - position
                break
            length = min(len(text) - position, len(before.text) - skip)
            piece = text[position : position + length]
            shown = before.text[skip : skip + length]
            if before.style is style or before.style == style or same_blank(piece, before.style, style):
                if shown != piece:
                    for start, end in changed_spans(shown, piece):
                        yield column + start, piece[start:end], style
            else:
                yield column, piece, style
            position += length
            skip += length
            column += length


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    """Return the strip cell by cell.

    A wide character stands in its first cell and ``""`` in its second; one that takes no cell is part of the
    cell before it.
    """
    cells: list[tuple[str, Style | None]] = []
    for text, style, control in strip:
        if control:
            continue
        for character in text:
            width = cell_len(character)
            if width == 0 and cells:
                at = len(cells) - 1
                while at > 0 and not cells[at][0]:
                    at -= 1
                cells[at] = (cells[at][0] + character, cells[at][1])
            else:
                cells.append((character, style))
                cells += [("", style)] * (width - 1)
    return cells


def wide_differences(old: Strip, new: Strip) -> Iterator[tuple[int, str, Style | None, int]]:
    """Yield ``(column, text, style, cells)`` for the runs of ``new`` that differ from ``old``, cell by cell.

    Both strips are equally wide. Half a wide character is never written, and where half of one is written
    over, what the other half becomes is written, too: terminals blank it, or do not.
    """
    before, after = _cells(old), _cells(new)
    if len(before) != len(after):
        yield 0, new.text, None, new.cell_length
        return
    changed = [was != now for was, now in zip(before, after, strict=True)]
    for cells in (before, after):
        for index in range(1, len(cells)):
            if not cells[index][0] and changed[index - 1] != changed[index]:
                changed[index - 1] = changed[index] = True
    column = 0
    while column < len(after):
        if not changed[column]:
            column += 1
            continue
        start, style = column, after[column][1]
        while column < len(after) and changed[column] and after[column][1] == style:
            column += 1
        yield start, "".join(text for text, _ in after[start:column]), style, column - start
