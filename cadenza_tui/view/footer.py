"""The lines of keys and tabs: accent for what can be pressed, muted for what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import fit_row, on_ground, row_cells, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 3


def footer(keys: Sequence[tuple[str, str]], *, width: int, end: Row = ()) -> Row:
    """Return the keys row of ``width`` cells from ``(key, word)``, the most wanted first.

    As it narrows the gaps close up, then the last keys go; a key is never cut. ``end`` stands at the right.
    """
    room = width - 1 - (row_cells(end) + GAP if end else 0)
    gap = GAP
    sizes = [len(key) + 1 + len(word) for key, word in keys]
    if sum(sizes) + gap * (len(sizes) - 1) > room:
        gap = 2
    spans: list[Span] = [Span(" ", Role.MUTED)]
    used = 0
    for (key, word), size in zip(keys, sizes, strict=True):
        if used + size > room:
            break
        spans += [Span(safe(key), Role.ACCENT), Span(" " + safe(word) + " " * gap, Role.MUTED)]
        used += size + gap
    row: Row = tuple(spans)
    if end:
        row = _cut(row, width - row_cells(end) - 1)
        row = (*row, Span(" " * (width - row_cells(row) - row_cells(end) - 1)), *end, Span(" "))
    else:
        row = _cut(row, width)
    return on_ground(fit_row(row, width), Ground.GROUND)


def _cut(row: Row, width: int) -> Row:
    """Take trailing blanks away until the row fits."""
    over = row_cells(row) - width
    if over > 0 and row:
        last = row[-1]
        row = (*row[:-1], last._replace(text=last.text[: len(last.text) - over]))
    return row


def tabs(names: Sequence[tuple[str, str]], shown: Sequence[str], focused: str, *, width: int) -> Row:
    """Return the tab strip of ``width`` cells from ``(name, word)``: the focused pane in accent, the others
    that are shown in text, those that have no room muted."""
    spans: list[Span] = [Span(" ", Role.FAINT)]
    for at, (name, word) in enumerate(names):
        if at:
            spans.append(Span(" │ ", Role.FAINT))
        role = Role.ACCENT if name == focused else Role.TEXT if name in shown else Role.MUTED
        spans.append(Span(safe(word), role))
    spans.append(Span("   tab", Role.ACCENT))
    spans.append(Span(" next", Role.MUTED))
    return on_ground(fit_row(tuple(spans), width), Ground.GROUND)
