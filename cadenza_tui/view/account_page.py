"""Several tables as one document that is scrolled: only the rows in sight are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cadenza_tui.view.numbers import count
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.table import table
from cadenza_tui.view.text import blank, both_ends, fit_row, row_cells, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.view.account_frame import AccountMemory, Frame, Key, Section

COLUMN_GAP = 3
DETAIL_ROWS = 2
TALL_FOR_DETAIL = 14
"""From so many rows on there are ``DETAIL_ROWS`` for the row that is pointed at, below a line; before one."""


class Column(NamedTuple):
    """A column of the page: rows on top, and sections below each other.

    ``titled`` gives each section its title but the first where ``headless``, ``spaced`` a blank row after it.
    """

    width: int
    sections: Sequence[Section]
    top: Sequence[Row] = ()
    titled: bool = True
    headless: bool = False
    spaced: bool = True

    def rows_of(self, section: Section) -> tuple[int, int, int]:
        """Return the rows that a section has for its title, for its table, and for the blank after it."""
        title = self.titled and not (self.headless and section is self.sections[0])
        spaced = self.spaced and section is not self.sections[-1]
        return int(title), len(section.keys) + 1 if section.keys else 1, int(spaced)

    @property
    def length(self) -> int:
        """The rows of the column."""
        return len(self.top) + sum(sum(self.rows_of(section)) for section in self.sections)


Band: TypeAlias = "Sequence[Column]"
"""Columns beside each other."""


def page(frame: Frame, bands: Sequence[Band], *, height: int) -> list[Row]:
    """Return at most ``height`` rows of the document that the bands make, from ``memory.first`` on.

    The row that is pointed at stays in sight, and the last rows say more about it. Where the first row is in
    the middle of a table, the table's header stands there.
    """
    memory = frame.memory
    memory.sections = [section for band in bands for column in band for section in column.sections]
    _follow(memory)
    details = _detail_rows(frame, height)
    room = max(height - len(details), 0)
    memory.room = room
    memory.total_rows = sum(_height(band) for band in bands) + len(bands) - 1
    first = min(memory.first, memory.total_rows - room)
    if memory.moved and memory.cursor is not None:
        first = _in_sight(bands, memory.cursor, first, room)
        memory.moved = False
    memory.first = first = max(first, 0)
    rows: list[Row] = []
    y = 0
    for band in bands:
        length = _height(band)
        if first < y <= first + room and len(rows) < room:
            rows.append((Span(blank(frame.width)),))
        y += bool(y)
        if y < first + room and y + length > first:
            begin, most = max(first - y, 0), room - len(rows)
            parts = []
            x = 0
            for column in band:
                parts.append(_render(frame, column, begin, most, x=x, y=len(rows)))
                x += column.width + COLUMN_GAP
            wanted = min(length - begin, most)
            rows += parts[0] if len(parts) == 1 else [_beside(band, parts, at) for at in range(wanted)]
        y += length
    if details:
        rows = rows + [(Span(blank(frame.width)),)] * (room - len(rows)) + details
    return rows


def _height(band: Band) -> int:
    return max(column.length for column in band)


def _beside(columns: Sequence[Column], parts: Sequence[Sequence[Row]], y: int) -> Row:
    row: list[Span] = []
    for column, part in zip(columns, parts, strict=True):
        if row:
            row.append(Span(blank(COLUMN_GAP)))
        row += part[y] if y < len(part) else (Span(blank(column.width)),)
    return tuple(row)


# --- where everything is


def _in_sight(bands: Sequence[Band], cursor: tuple[str, Key], first: int, room: int) -> int:
    """Return the first row that has the cursor in sight, below the header that may stand on top."""
    start = 0
    for band in bands:
        for column in band:
            y = start + len(column.top)
            for section in column.sections:
                title, body, blanks = column.rows_of(section)
                if section.name == cursor[0] and cursor[1] in section.keys:
                    at = section.keys.index(cursor[1])
                    row = y + title + 1 + at
                    top = row - 1 if at else y
                    return min(max(first, row - room + 1), top)
                y += title + body + blanks
        start += _height(band) + 1
    return first


def _render(frame: Frame, column: Column, first: int, room: int, *, x: int, y: int) -> list[Row]:
    """Return the rows ``first`` and on of a column that stands at ``x`` and ``y`` of the pane's body."""
    memory, top = frame.memory, y
    rows = list(column.top[first : first + room])
    y = len(column.top)
    end = first + room
    for section in column.sections:
        if y >= end:
            break
        title, body, blanks = column.rows_of(section)
        if title and first <= y:
            rows.append(_title(frame, section, column.width))
        y += title
        if y < end and first < y + body:
            before, begin = len(memory.visible), top + len(rows) + 1
            rows += _section(frame, section, column.width, max(first - y, 0), min(end - y, body))
            place = range(x, x + column.width)
            memory.spots += [(begin + n, place, each) for n, each in enumerate(memory.visible[before:])]
        y += body
        if blanks and first <= y < end:
            rows.append((Span(blank(column.width)),))
        y += blanks
    return rows


def _section(frame: Frame, section: Section, width: int, first: int, end: int) -> list[Row]:
    """Return the body rows ``first`` to ``end`` of a section; the header takes the first one's place."""
    if not section.keys:
        words = "nothing else" if section.dust else "nothing matches" if section.hidden else section.empty
        return [fit_row((Span(f"  {words}", Role.MUTED),), width)]
    sticky = first > 0
    begin = first if sticky else 0  # the row at ``first`` gives way to the header
    keys = section.keys[begin : max(end - 1, begin)]
    cursor = frame.memory.cursor
    pointed = None
    if cursor is not None and cursor[0] == section.name and cursor[1] in keys:
        pointed = list(keys).index(cursor[1])
    lines = [section.line(key) for key in keys]
    rows = table(
        section.name, section.headings, lines, width=width, widths=frame.memory.tables, cursor=pointed
    )
    frame.memory.visible += [(section.name, key) for key in keys]
    return rows[: end - first]


def _title(frame: Frame, section: Section, width: int) -> Row:
    cursor = frame.memory.cursor
    pointed = cursor is not None and cursor[0] == section.name
    start = (
        Span(f" {section.title}", Role.ACCENT if pointed else Role.TITLE),
        Span(hidden_words(section.hidden, section.dust), Role.WARN if section.hidden else Role.MUTED),
    )
    end: Row = ()
    for short in (False, True) if section.end is not None else ():
        end = section.end(short) if section.end is not None else ()
        if row_cells(start) + row_cells(end) + 2 <= width:
            break
    return both_ends(tuple(span for span in start if span.text), (*end, Span(" ")), width)


def hidden_words(filtered: int, dust: int) -> str:
    """Return how many rows are hidden and why, nothing where none are."""
    words = [f"{count(filtered)} hidden by the filter"] if filtered else []
    words += [f"{count(dust)} dust hidden"] if dust else []
    return "".join(f" · {each}" for each in words)


# --- the row that is pointed at


def _detail_rows(frame: Frame, height: int) -> list[Row]:
    cursor = frame.memory.cursor
    section = next((s for s in frame.memory.sections if cursor is not None and s.name == cursor[0]), None)
    if cursor is None or section is None or section.detail is None or height < 4:
        return []
    width = frame.width
    most = DETAIL_ROWS if height >= TALL_FOR_DETAIL else 1
    lines = wrapped(section.detail(cursor[1]), max(width - 4, 8))
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]  # which is cut where it does not fit
    lines += [""] * (most - len(lines))
    marks = ["▸ ", *["  "] * (most - 1)]
    rows: list[Row] = [
        fit_row((Span(mark, Role.ACCENT), Span(line)), width) for mark, line in zip(marks, lines, strict=True)
    ]
    return [(Span("─" * width, Role.LINE),), *rows] if most > 1 else rows


def _follow(memory: AccountMemory) -> None:
    """Keep the cursor on its row; where that is gone, on the one that has taken its place."""
    memory.visible, memory.spots = [], []
    if memory.cursor is None:
        return
    name, key = memory.cursor
    section = next((each for each in memory.sections if each.name == name and each.keys), None)
    if section is None:
        memory.cursor = None
    elif key in section.keys:
        memory.cursor_at = section.keys.index(key)
    else:
        memory.cursor_at = min(memory.cursor_at, len(section.keys) - 1)
        memory.cursor = (name, section.keys[memory.cursor_at])


def move(memory: AccountMemory, by: int) -> None:
    """Move the cursor by rows; the first move puts it on the first row in sight, or on the last."""
    if memory.cursor is None:
        if memory.visible:
            memory.cursor = memory.visible[0 if by > 0 else -1]
            memory.moved = True
        return
    rows = [(section.name, key) for section in memory.sections for key in section.keys]
    if memory.cursor in rows:
        at = min(max(rows.index(memory.cursor) + by, 0), len(rows) - 1)
        memory.cursor = rows[at]
        memory.moved = True


def point(memory: AccountMemory, x: int, y: int) -> None:
    """Put the cursor on the row at a cell of the pane's body; nothing where there is none."""
    for row, cells, place in memory.spots:
        if row == y and x in cells:
            memory.cursor, memory.moved = place, True


def turn(memory: AccountMemory, by: int) -> None:
    """Move the cursor to the first row of another table, round and round."""
    filled = [section for section in memory.sections if section.keys]
    if not filled:
        return
    at = next((n for n, section in enumerate(filled) if section.name == memory.focused), 0)
    section = filled[(at + by) % len(filled)] if memory.cursor is not None else filled[0 if by > 0 else -1]
    memory.cursor = (section.name, section.keys[0])
    memory.moved = True


def scroll(memory: AccountMemory, by: int) -> None:
    """Move what is in sight; the cursor may go out of it."""
    memory.first = max(min(memory.first + by, memory.total_rows - memory.room), 0)
