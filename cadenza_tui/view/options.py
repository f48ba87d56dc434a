"""The screen of what can be chosen about a pane: a row for each choice, and what the one pointed at means."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import blank, fit_row, left, row_cells, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = 17
"""Cells of the choices' names, where there is room."""
GAP = 2


class Item(NamedTuple):
    """A choice as a row: ``values`` are all there are, empty where they have no end."""

    word: str
    value: str
    values: tuple[str, ...]
    help: str


def option_rows(items: Sequence[Item], *, cursor: int, width: int) -> tuple[Row, ...]:
    """Return rows of ``width`` cells; the value in force stands in marks, the others beside it."""
    words = min(max((len(item.word) for item in items), default=0) + GAP, max(width // 2, 1), WORDS + GAP)
    rows = [_row(item, words, width, pointed=at == cursor) for at, item in enumerate(items)]
    rows.append((Span(blank(width)),))
    said = [wrapped(item.help, width - 2) for item in items]
    tallest = max((len(lines) for lines in said), default=0)
    told = said[cursor] if 0 <= cursor < len(said) else []
    told += [""] * (tallest - len(told))
    rows += [fit_row((Span(" " + line, Role.MUTED),), width) for line in told]
    return tuple(rows)


def _row(item: Item, words: int, width: int, *, pointed: bool) -> Row:
    ground = Ground.CURSOR if pointed else Ground.PANEL
    start: Row = (
        Span("▸" if pointed else " ", Role.ACCENT, ground),
        Span(left(item.word, words), Role.STRONG if pointed else Role.TEXT, ground),
    )
    values: list[Span] = []
    for value in item.values or (item.value,):
        if value == item.value:
            values.append(Span(f"‹{value}›", Role.ACCENT, ground))
        else:
            values.append(Span(f" {value} ", Role.MUTED, ground))
    if row_cells((*start, *values)) > width:
        values = [Span(f"‹{item.value}›", Role.ACCENT, ground)]
    return fit_row((*start, *values), width, ground)
