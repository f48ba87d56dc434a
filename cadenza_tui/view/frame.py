"""A pane with its border: titles in the top edge, body rows between the sides, everything exactly as wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Ground, Role, Row, Span

if TYPE_CHECKING:
    from cadenza_tui.view.rows import Pane

BLANK = " "


def row_width(row: Row) -> int:
    """Return the cells of a row; its text is of one-cell characters only."""
    return sum(len(span.text) for span in row)


def clip(row: Row, width: int) -> Row:
    """Return ``row`` cut to ``width`` cells, an ellipsis in the last one where something was cut."""
    if row_width(row) <= width:
        return row
    kept: list[Span] = []
    left = width - 1
    for span in row:
        if left <= 0:
            break
        kept.append(span._replace(text=span.text[:left]))
        left -= len(kept[-1].text)
    last = kept[-1] if kept else Span("")
    return (*kept, last._replace(text="…")) if width > 0 else ()


def fit(row: Row, width: int, ground: Ground = Ground.PANEL) -> Row:
    """Return ``row`` cut or filled with blanks to exactly ``width`` cells."""
    missing = width - row_width(row)
    if missing == 0:
        return row
    if missing < 0:
        return clip(row, width)
    return (*row, Span(BLANK * missing, Role.TEXT, ground))


def _top(pane: Pane, width: int, edge: Role) -> Row:
    room = width - 6
    title = clip(pane.title, max(room, 0))
    left = room - row_width(title)
    trust = clip(pane.trust, max(left - 3, 0)) if pane.trust and left > 6 else ()
    line = left - (row_width(trust) + 2 if trust else 0)
    spans = [Span("╭─ ", edge), *title, Span(" " + "─" * max(line, 0), edge)]
    if trust:
        spans += [Span(" ", edge), *trust, Span(" ", edge)]
    return fit((*spans, Span("─╮", edge)), width)


def framed(pane: Pane, width: int, height: int, *, focused: bool = False) -> tuple[Row, ...]:
    """Return ``height`` rows of ``width`` cells: the pane in its border, which alone shows the focus."""
    if width < 8 or height < 2:
        return tuple((Span(BLANK * width),) for _ in range(height))
    edge = Role.ACCENT if focused else Role.LINE
    side = Span("│", edge)
    inside = width - 2
    blank = (Span(BLANK * inside),)
    body = [(side, *fit(row, inside), side) for row in pane.body[: height - 2]]
    body += [(side, *blank, side)] * (height - 2 - len(body))
    return (_top(pane, width, edge), *body, (Span("╰" + "─" * inside + "╯", edge),))
