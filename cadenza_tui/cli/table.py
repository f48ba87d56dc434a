"""Tables for a person at a prompt: every digit is there, points stand in one column, nothing is cut.

On a terminal that is too narrow the least wanted columns are left out. Cells are safe text, so ``len`` is
their width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view.numbers import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.cli.paper import Paper

GAP = "  "


class Column(NamedTuple):
    """A column: ``kind`` is text (left), right or point; the highest ``wanted`` goes first, 0 never does."""

    title: str
    cells: Sequence[str]
    kind: str = "point"
    wanted: int = 0


def table(columns: Sequence[Column], paper: Paper) -> list[str]:
    """Return the lines of a table, its titles first; a last line names the columns that found no room."""
    shown = [(column, _aligned(column)) for column in columns]
    left_out: list[str] = []
    while paper.width is not None and _width(shown) > paper.width:
        at, (column, _) = max(enumerate(shown), key=lambda each: (each[1][0].wanted, each[0]))
        if not column.wanted:
            break
        left_out.insert(0, column.title)
        del shown[at]
    titles, *rows = (GAP.join(cells).rstrip() for cells in zip(*(cells for _, cells in shown), strict=True))
    lines = [paper.dim(titles), *rows]
    if left_out:
        lines.append(paper.dim(f"no room for {', '.join(left_out)}"))
    return lines


def _width(shown: Sequence[tuple[Column, list[str]]]) -> int:
    return sum(len(cells[0]) for _, cells in shown) + len(GAP) * (len(shown) - 1)


def _aligned(column: Column) -> list[str]:
    cells = at_the_point(column.cells) if column.kind == "point" else column.cells
    width = max(map(len, (*cells, column.title)))
    return [
        cell.ljust(width) if column.kind == "text" else cell.rjust(width) for cell in (column.title, *cells)
    ]


def at_the_point(numbers: Sequence[str]) -> list[str]:
    """Return numbers, all of one width, with their decimal points in one column."""
    parts = [split(number) for number in numbers]
    whole = max((len(left) for left, _ in parts), default=0)
    fraction = max((len(right) for _, right in parts), default=0)
    return [left.rjust(whole) + right.ljust(fraction) for left, right in parts]
