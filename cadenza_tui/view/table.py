"""Tables of numbers: points under each other, columns that only grow, the least wanted ones given up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view.numbers import UNKNOWN, fitted, split
from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import blank, clip, fit_row, on_ground, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

MASK = "•••••"
MAX_GAP = 8
MIN_GAP = 2
MAX_TEXT = 24
MAX_RIGHT = 40
MARGIN = 3
"""Cells of a row that no column has: two for its mark, one at its end."""
SHORT_FRACTION = 9
"""What the fraction of a column that can be given up is cut to first: a point and eight decimals."""
LEAST_FRACTION = 6
"""A point and five digits: where there is no room for these, points need not stand under each other."""
LEAST_TEXT = 4
CUT = "…"


class Cell(NamedTuple):
    """One cell: its text and role. ``tail`` follows in another role, inside the same column."""

    text: str
    role: Role = Role.TEXT
    tail: str = ""
    tail_role: Role = Role.MUTED


class Heading(NamedTuple):
    """A column: its name, and how soon it is given up when narrow (0 never is, the highest first).

    ``kind`` is how it is aligned: ``text`` left, ``right``, or ``point``, with the fraction dimmer.
    ``mark`` stands behind the name, such as the glyph of a sort order; None where there never is one.
    """

    name: str
    wanted: int = 0
    kind: str = "point"
    mark: str | None = None

    @property
    def room(self) -> int:
        """Cells that the name and its mark need, whether there is one now or not."""
        return len(self.name) + (0 if self.mark is None or not self.name else 2)


class Line(NamedTuple):
    """A row's cells, one for each heading; a mark stands before it for a moment when it has changed."""

    cells: tuple[Cell, ...]
    mark: str = ""


@dataclass(slots=True)
class TableWidths:
    """Widths of the columns of some tables, by table and column; they only grow."""

    whole: dict[tuple[str, str], int] = field(default_factory=dict)
    fraction: dict[tuple[str, str], int] = field(default_factory=dict)

    def grow(self, key: tuple[str, str], whole: int, fraction: int) -> None:
        """Make a column at least this wide."""
        if whole > self.whole.get(key, 0):
            self.whole[key] = whole
        if fraction > self.fraction.get(key, 0):
            self.fraction[key] = fraction


class _Column(NamedTuple):
    at: int
    heading: Heading
    size: int
    fraction: int
    """Cells of the size that stand behind the whole part."""
    loose: bool = False
    """Whether points stand no longer under each other, so that more digits are seen."""


UNKNOWN_CELL = Cell(UNKNOWN, Role.FAINT)
ZERO_CELL = Cell("0", Role.MUTED)


def number_cell(shown: str, *, role: Role = Role.TEXT, masked: bool = False) -> Cell:
    """Return a cell for a shown number: unknown is faint, zero a muted 0, a masked one always the same."""
    if shown == UNKNOWN:
        return UNKNOWN_CELL
    if masked:
        return Cell(MASK, Role.MUTED)
    if not any(character in "123456789" for character in shown):
        return ZERO_CELL if shown[:1] in "0+−" else Cell(shown, role)
    return Cell(shown, role)


def table(
    name: str,
    headings: Sequence[Heading],
    lines: Sequence[Line],
    *,
    width: int,
    widths: TableWidths,
    cursor: int | None = None,
) -> list[Row]:
    """Return the header and the rows of a table, each ``width`` cells; the row at ``cursor`` stands out.

    Where it is narrow, long fractions of the columns that can be given up are cut first, then these columns
    go; of the others the fractions are cut last. A cut is marked.
    """
    for at, heading in enumerate(headings):
        _measure(name, heading, [line.cells[at] for line in lines], widths)
    columns, gap = _arranged(name, headings, width, widths)
    header = "  "
    for order, (_, heading, size, *_) in enumerate(columns):
        words = f"{heading.name} {heading.mark}" if heading.mark else heading.name
        text = words.ljust(size) if heading.kind == "text" else words.rjust(size)
        header += (blank(gap) if order else "") + clip(text, size)
    rows = [fit_row((Span(header, Role.MUTED),), width)]
    for number, line in enumerate(lines):
        pointed = number == cursor
        spans = [Span(("▸" if pointed else line.mark or " ").ljust(2)[:2], Role.ACCENT)]
        for order, column in enumerate(columns):
            if order:
                spans.append(Span(blank(gap)))
            spans += _cell(line.cells[column.at], column)
        row = fit_row(tuple(span for span in spans if span.text), width)
        rows.append(on_ground(row, Ground.CURSOR) if pointed else row)
    return rows


def _measure(name: str, heading: Heading, cells: Sequence[Cell], widths: TableWidths) -> None:
    key = (name, heading.name)
    for cell in cells:
        if cell.text == MASK:
            continue  # masked and open, the columns are the same
        if heading.kind == "point" and cell.role is not Role.WARN:
            whole, fraction = split(cell.text)
            widths.grow(key, len(whole), len(fraction) + len(cell.tail))
        else:
            limit = MAX_TEXT if heading.kind == "text" else MAX_RIGHT
            widths.grow(key, min(len(cell.text) + len(cell.tail), limit), 0)


def _least(heading: Heading) -> int:
    """Return the cells of a column in which there is nothing yet."""
    return max(heading.room, len(MASK)) if heading.kind == "point" else heading.room


def _arranged(
    name: str, headings: Sequence[Heading], width: int, widths: TableWidths
) -> tuple[list[_Column], int]:
    """Return the columns that fit, in their order, and the gap between them."""
    columns = [
        _Column(at, heading, max(whole + fraction, _least(heading)), fraction)
        for at, heading in enumerate(headings)
        for whole, fraction in [
            (widths.whole.get((name, heading.name), 0), widths.fraction.get((name, heading.name), 0))
        ]
    ]
    if _needed(columns, MIN_GAP) > width:
        columns = [_cut_to(column, SHORT_FRACTION) if column.heading.wanted else column for column in columns]
    while len(columns) > 1 and _needed(columns, MIN_GAP) > width:
        least = max(columns, key=lambda column: (column.heading.wanted, column.at))
        if not least.heading.wanted:
            break
        columns.remove(least)
    while (over := _needed(columns, 1) - width) > 0:
        longest = max(columns, key=lambda column: column.fraction)
        if longest.fraction and (cut := _cut_to(longest, max(longest.fraction - over, 0))) != longest:
            loose = cut.fraction < LEAST_FRACTION
            columns[columns.index(longest)] = cut._replace(fraction=0, loose=True) if loose else cut
            continue
        longest = max(columns, key=lambda column: column.size)
        if longest.size <= LEAST_TEXT:
            break
        columns[columns.index(longest)] = longest._replace(size=max(longest.size - over, LEAST_TEXT))
    if len(columns) == 1:
        return [columns[0]._replace(size=min(columns[0].size, max(width - MARGIN, 1)))], 1
    spare = width - _needed(columns, 0)
    return columns, min(max(spare // (len(columns) - 1), 1), MAX_GAP)


def _needed(columns: Sequence[_Column], gap: int) -> int:
    return MARGIN + sum(column.size for column in columns) + gap * (len(columns) - 1)


def _cut_to(column: _Column, fraction: int) -> _Column:
    if column.fraction <= fraction:
        return column
    size = max(column.size - column.fraction + fraction, column.heading.room)
    return column._replace(size=size, fraction=min(fraction, size))


def _cell(cell: Cell, column: _Column) -> list[Span]:
    _, heading, size, fraction, loose = column
    if heading.kind == "text":
        text = clip(safe(cell.text), size)
        tail = clip(cell.tail, size - len(text)) if cell.tail else ""
        return [Span(text, cell.role), Span(tail + blank(size - len(text) - len(tail)), cell.tail_role)]
    if heading.kind == "right" or cell.role is Role.WARN:
        text = clip(safe(cell.text) + cell.tail, size)
        return [Span(text.rjust(size), cell.role)]
    whole, part = split(cell.text)
    if loose:
        tail = cell.tail if len(whole) + len(cell.tail) <= size else ""
        if len(whole) + len(tail) == size and _says(part):
            return [Span(fitted(cell.text, size).rjust(size), cell.role)]
        part = _cut(part, size - len(whole) - len(tail))
        if len(whole) <= size:
            before = blank(size - len(whole) - len(part) - len(tail))
            return [Span(before + whole, cell.role), Span(part, _fainter(cell)), Span(tail, cell.tail_role)]
    room = size - fraction
    if len(whole) > room and len(whole) <= size and not part and not cell.tail:
        return [Span(whole.rjust(size), cell.role)]
    if len(whole) > room:
        return [Span(fitted(cell.text, size).rjust(size), cell.role)]
    tail = cell.tail if len(cell.tail) <= fraction else ""
    if len(tail) == fraction and _says(part):
        text = fitted(cell.text, size - len(tail)).rjust(size - len(tail))
        return [Span(text, cell.role), Span(tail, cell.tail_role)]
    part = _cut(part, fraction - len(tail))
    return [
        Span(whole.rjust(room), cell.role),
        Span(part, _fainter(cell)),
        Span(tail + blank(fraction - len(part) - len(tail)), cell.tail_role),
    ]


def _fainter(cell: Cell) -> Role:
    """Return the role of a number's fraction."""
    if cell.role in (Role.TEXT, Role.STRONG, Role.MUTED):
        return Role.MUTED
    return cell.role


def _says(part: str) -> bool:
    """Return whether a fraction is more than zeros: where there is no cell even for the mark that it was cut,
    its number has to be said otherwise."""
    return bool(part.strip("0."))


def _cut(part: str, room: int) -> str:
    """Return a fraction in at most ``room`` cells: zeros at its end just go, a digit that goes is marked."""
    if len(part) <= room:
        return part
    shorter = part.rstrip("0").rstrip(".")
    if len(shorter) <= room:
        return part[:room].rstrip(".")
    return part[: max(room - 1, 0)] + CUT[:room]
