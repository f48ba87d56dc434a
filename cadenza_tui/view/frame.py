"""A pane with its border: titles in the top edge, body rows between the sides, everything exactly as wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Role, Span
from cadenza_tui.view.text import blank, clip_row, fit_row, row_cells

if TYPE_CHECKING:
    from cadenza_tui.view.rows import Pane, Row

LEAST_WIDTH, LEAST_HEIGHT = 8, 2


def _title(pane: Pane, *, focused: bool) -> Row:
    """Return the title; the focused pane's stands out, where the pane itself marks nothing in it."""
    if not focused or any(span.role is Role.ACCENT for span in pane.title):
        return pane.title
    return tuple(span._replace(role=Role.ACCENT) if span.role is Role.TITLE else span for span in pane.title)


def trust_room(title: Row, inside: int) -> int:
    """Return the cells that a pane's border has for its trust, where its body is ``inside`` cells wide."""
    return max(inside - 4 - row_cells(title) - 3, 0)


def _top(pane: Pane, width: int, edge: Role, *, focused: bool) -> Row:
    room = width - 6
    title = clip_row(_title(pane, focused=focused), max(room, 0))
    left = room - row_cells(title)
    trust = clip_row(pane.trust, trust_room(title, width - 2)) if pane.trust and left > 6 else ()
    line = left - (row_cells(trust) + 2 if trust else 0)
    spans = [Span("╭─ ", edge), *title, Span(" " + "─" * max(line, 0), edge)]
    if trust:
        spans += [Span(" ", edge), *trust, Span(" ", edge)]
    return fit_row((*spans, Span("─╮", edge)), width)


def framed(
    pane: Pane,
    width: int,
    height: int,
    *,
    focused: bool = False,
    before: tuple[Pane, tuple[Row, ...]] | None = None,
) -> tuple[Row, ...]:
    """Return ``height`` rows of ``width`` cells: the pane in its border, which alone shows the focus.

    ``before`` is a pane and what this made of it for the same size and focus: the rows of a body that are the
    very same are taken from there.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return tuple((Span(blank(width)),) for _ in range(height))
    edge = Role.ACCENT if focused else Role.LINE
    side = Span("│", edge)
    inside = width - 2
    empty = (Span(blank(inside)),)
    olds = () if before is None else before[0].body
    kept = () if before is None else before[1]
    body = [
        kept[y + 1] if y < len(olds) and row is olds[y] else (side, *fit_row(row, inside), side)
        for y, row in enumerate(pane.body[: height - 2])
    ]
    body += [(side, *empty, side)] * (height - 2 - len(body))
    return (_top(pane, width, edge, focused=focused), *body, (Span("╰" + "─" * inside + "╯", edge),))
