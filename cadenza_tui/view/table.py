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


class Cell(NamedTuple):
    """One cell: its text and role. ``tail`` follows in another role, inside the same column."""

    text: str
    role: Role = Role.TEXT
    tail: str = ""
    tail_role: Role = Role.MUTED


class Heading(NamedTuple):
    """A column: its name, and how soon it is given up when narrow (0 never is, the highest first).

    ``kind`` is how it is aligned: ``text`` left, ``right``, or ``point``, with the fraction dimmer.
    """

    name: str
    wanted: int = 0
    kind: str = "point"


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


UNKNOWN_CELL = Cell(UNKNOWN, Role.FAINT)


def number_cell(shown: str, *, role: Role = Role.TEXT, masked: bool = False) -> Cell:
    """Return a cell for a shown number: unknown is faint, zero a muted 0, a masked one always the same."""
    if shown == UNKNOWN:
        return UNKNOWN_CELL
    if masked:
        return Cell(MASK, Role.MUTED)
    if not any(character in "123456789" for character in shown):
        return Cell("0", Role.MUTED) if shown[:1] in "0+−" else Cell(shown, role)
    return Cell(shown, role)


def table(
    name: str, headings: Sequence[Heading], lines: Sequence[Line], *, width: int, widths: TableWidths
) -> list[Row]:
    """Return the header and the rows of a table, each ``width`` cells."""
    for at, heading in enumerate(headings):
        key = (name, heading.name)
        for line in lines:
            cell = line.cells[at]
            if cell.text == MASK:
                continue  # masked and open, the columns are the same
            if heading.kind == "point" and cell.role is not Role.WARN:
                whole, fraction = split(cell.text)
                widths.grow(key, len(whole), len(fraction) + len(cell.tail))
            else:
                limit = MAX_TEXT if heading.kind == "text" else 40
                widths.grow(key, min(len(cell.text) + len(cell.tail), limit), 0)
        least = len(heading.name) - widths.fraction.get(key, 0)
        widths.grow(key, least, 0)
    kept = _kept(name, headings, width, widths)
    sizes = [_size(name, headings[at], widths) for at in kept]
    spare = width - 3 - sum(sizes)
    gap = min(max(spare // (len(kept) - 1), 1), MAX_GAP) if len(kept) > 1 else 1
    if len(kept) == 1:
        sizes = [min(sizes[0], max(width - 3, 1))]
    header = "  "
    for order, (at, size) in enumerate(zip(kept, sizes, strict=True)):
        heading = headings[at]
        text = heading.name.ljust(size) if heading.kind == "text" else heading.name.rjust(size)
        header += (blank(gap) if order else "") + clip(text, size)
    rows = [fit_row((Span(header, Role.FAINT),), width)]
    for line in lines:
        spans = [Span((line.mark or " ").ljust(2)[:2], Role.ACCENT)]
        for order, (at, size) in enumerate(zip(kept, sizes, strict=True)):
            if order:
                spans.append(Span(blank(gap)))
            spans += _cell(
                line.cells[at], headings[at], size, widths.fraction.get((name, headings[at].name), 0)
            )
        row = fit_row(tuple(span for span in spans if span.text), width)
        rows.append(on_ground(row, Ground.CURSOR) if line.mark else row)
    return rows


def _size(name: str, heading: Heading, widths: TableWidths) -> int:
    key = (name, heading.name)
    size = widths.whole.get(key, 0) + widths.fraction.get(key, 0)
    return max(size, len(MASK)) if heading.kind == "point" else size


def _kept(name: str, headings: Sequence[Heading], width: int, widths: TableWidths) -> list[int]:
    """Return the columns that fit, in their order."""
    kept = list(range(len(headings)))
    while len(kept) > 1:
        needed = 3 + sum(_size(name, headings[at], widths) for at in kept) + MIN_GAP * (len(kept) - 1)
        least = max(kept, key=lambda at: (headings[at].wanted, at))
        if needed <= width or not headings[least].wanted:
            break
        kept.remove(least)
    return kept


def _cell(cell: Cell, heading: Heading, size: int, fraction: int) -> list[Span]:
    if heading.kind == "text":
        text = clip(safe(cell.text), size)
        tail = clip(cell.tail, size - len(text)) if cell.tail else ""
        return [Span(text, cell.role), Span(tail + blank(size - len(text) - len(tail)), cell.tail_role)]
    if heading.kind == "right" or cell.role is Role.WARN:
        text = clip(safe(cell.text) + cell.tail, size)
        return [Span(text.rjust(size), cell.role)]
    whole, part = split(cell.text)
    room = size - fraction
    if len(whole) > room and len(whole) <= size and not part and not cell.tail:
        return [Span(whole.rjust(size), cell.role)]
    if len(whole) > room or len(part) + len(cell.tail) > fraction:
        return [Span(fitted(cell.text, size).rjust(size), cell.role)]
    part_role = Role.FAINT if cell.role is Role.FAINT else Role.MUTED
    if cell.role not in (Role.TEXT, Role.STRONG, Role.MUTED, Role.FAINT):
        part_role = cell.role
    return [
        Span(whole.rjust(room), cell.role),
        Span(part, part_role),
        Span(cell.tail + blank(fraction - len(part) - len(cell.tail)), cell.tail_role),
    ]
