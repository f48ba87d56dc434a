"""The help screen: every key in its group, in as many columns as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.text import blank, fit_row, left

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMN = 46
GAP = 3


def help_rows(keys: Iterable[tuple[str, str, str]], *, width: int) -> tuple[Row, ...]:
    """Return rows of ``width`` cells from ``(key, words, group)``; groups keep the order they come in."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, words, group in keys:
        groups.setdefault(group, []).append((key, words))
    if not groups:
        return ()
    key_width = min(max(len(key) for entries in groups.values() for key, _ in entries), max(width // 3, 1))
    columns = max(min((width + GAP) // (COLUMN + GAP), 3, len(groups)), 1)
    column_width = (width - GAP * (columns - 1)) // columns
    blocks = [_block(name, entries, key_width, column_width) for name, entries in groups.items()]
    stacks: list[list[Row]] = [[] for _ in range(columns)]
    fair = -(-sum(len(block) for block in blocks) // columns)
    at = 0
    for block in blocks:
        if stacks[at] and len(stacks[at]) + len(block) // 2 > fair and at < columns - 1:
            at += 1
        stacks[at] += block
    height = max(len(stack) for stack in stacks)
    empty: Row = (Span(blank(column_width)),)
    rows: list[Row] = []
    for y in range(height):
        cells: Row = ()
        for at, stack in enumerate(stacks):
            part = stack[y] if y < len(stack) else empty
            cells = (*cells, Span(blank(GAP)), *part) if at else part
        rows.append(fit_row(cells, width))
    while rows and all(not span.text.strip() for span in rows[-1]):
        rows.pop()
    return tuple(rows)


def _block(name: str, entries: list[tuple[str, str]], key_width: int, width: int) -> list[Row]:
    rows: list[Row] = [fit_row((Span(left(name, len(name)), Role.STRONG),), width)]
    for key, words in entries:
        row: Row = (
            Span(left(key, key_width), Role.ACCENT),
            Span("  " + left(words, max(width - key_width - 2, 0)), Role.TEXT),
        )
        rows.append(fit_row(row, width))
    rows.append((Span(blank(width)),))
    return rows
