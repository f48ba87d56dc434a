"""The single orders of a price, for the books that have them: unfolded under the price of the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.ladder_rows import tight
from cadenza_tui.view.numbers import number
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.text import blank, clip, fit_row, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.view.ladder_memory import LadderMemory
    from cadenza_tui.view.ladder_rows import Line
    from cadenza_tui.view.ladder_scene import Scene
    from cadenza_tui.view.ladder_widths import Geometry, LadderWidths

MOST_ORDERS = 100


def turn_fold(memory: LadderMemory) -> None:
    """Unfold the price under the cursor, or fold what is unfolded there."""
    memory.unfolding = False
    if memory.unfolded is not None and memory.cursor in (None, memory.unfolded):
        memory.unfolded = None
    else:
        memory.unfolded = memory.cursor


def unfolded_rows(
    scene: Scene, geometry: Geometry, lines: Sequence[Line], rows: list[Row], *, bid: bool
) -> list[Row]:
    """Return the rows of a side, best first, with the orders of the unfolded price behind its own."""
    size = scene.memory.widths.size
    for index, line in enumerate(lines):
        if size(line.price)[1] == scene.memory.unfolded:
            return [*rows[: index + 1], *with_orders(scene, geometry, line, bid=bid), *rows[index + 1 :]]
    return rows


def with_orders(scene: Scene, geometry: Geometry, line: Line, *, bid: bool) -> list[Row]:
    """Return a row for each single order of a line, the first in the queue first."""
    if not line.quantity:
        return []
    widths = scene.memory.widths
    rows: list[Row] = []
    orders = scene.reader.orders(widths.size(line.price)[1], MOST_ORDERS, bid=bid)
    for place, (price, order) in enumerate(orders, 1):
        own = order.order_id in scene.reader.names and not widths.masked  # the book is everybody's
        said = ("order", bid, place, price, order, own)
        row = widths.rows.get(said)
        if row is None:
            name = f"{number(price) if price else ''} {safe(order.order_id)}".strip()
            row = _order_row((f"#{place}", name, order.quantity), widths, geometry, bid=bid, own=own)
            widths.rows[said] = row
        rows.append(row)
    return rows


def _order_row(said: tuple[str, str, str], widths: LadderWidths, g: Geometry, *, bid: bool, own: bool) -> Row:
    """Return one order: its size under those of its side, its place under the price, its name opposite."""
    mark, name, size = said
    quantity = widths.quantity.text(size) if g.quantity else ""
    if len(quantity) > g.quantity:
        quantity = tight(number(size), g.quantity).rjust(g.quantity)
    mark = clip(mark, g.price).rjust(g.price)
    before, after = g.left, g.right
    if not bid:
        name = clip(name, max(before - g.traded - 2, 0))
        left = Span((name + " ").rjust(before) if name else blank(before), Role.OWN if own else Role.FAINT)
        right = Span((blank(2 + g.traded) + quantity).ljust(after), Role.MUTED)
    else:
        zone = before - g.traded - 1
        left = Span((quantity.rjust(zone) if zone > 0 else "").ljust(before), Role.MUTED)
        name = clip(name, max(after - g.traded - g.after - 3, 0))
        right = Span((blank(3 + g.traded) + name).ljust(after), Role.OWN if own else Role.FAINT)
    spans = (left, Span(("◆ " if own else "  ") + mark, Role.OWN if own else Role.FAINT), right)
    return fit_row(tuple([span for span in spans if span.text]), g.width)
