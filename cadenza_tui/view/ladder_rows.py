"""The rows of a ladder, each made once for its content."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import fitted, number
from cadenza_tui.view.rows import Bars, Ground, Role, Row, Span
from cadenza_tui.view.text import blank, centred, clip, fit_row, left, on_ground, right, row_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.view.ladder_widths import Geometry, LadderWidths

MASK = "•••••"


class Own(NamedTuple):
    """The own working orders of one price, as texts."""

    remaining: str
    total: str
    orders: int


class Touch(NamedTuple):
    """What the spread row says; ``short`` is what it says where ``words`` do not fit."""

    words: str
    short: str
    role: Role
    mid: str
    aside: str = ""
    aside_role: Role = Role.MUTED


class Line(NamedTuple):
    """One price of one side. ``quantity`` is empty where only an own order stands."""

    price: str
    quantity: str
    size: float
    note: str
    own: Own | None
    sigma: str


def header_row(geometry: Geometry, width: int, note: str) -> Row:
    """Return the names of the columns."""
    g = geometry
    if g.quantity < 3:
        return fit_row((Span(blank(g.price_at) + centred("price", g.price), Role.FAINT),), width)
    sigma = right("Σ", g.sigma) + " " if g.sigma else ""
    notes = right(note, g.note) + " " if g.note else ""
    text = (
        blank(g.before) + sigma + notes + right("bid", g.bid_zone - 1) + blank(3) + centred("price", g.price)
    )
    text += " " + left(" ask", g.ask_zone)
    text += (" " + right(note, g.note) if g.note else "") + (" " + right("Σ", g.sigma) if g.sigma else "")
    return fit_row((Span(text, Role.FAINT),), width)


def level_rows(lines: Sequence[Line], widths: LadderWidths, geometry: Geometry, *, asks: bool) -> list[Row]:
    """Return the rows of one side, in the order of its lines.

    The cumulative quantity of a row changes with every better one, so it is kept apart from the rest.
    """
    g = geometry
    units = 0
    if g.bars:
        reach = min(g.bid_zone, g.ask_zone)
        units = reach if widths.bars is Bars.TINT else (reach - g.quantity - 2) * 8
    scale, large_from, known, halves = widths.scale, widths.large, widths.rows, widths.halves
    before, after, sigma_width = blank(g.before), blank(g.after), g.sigma
    rows: list[Row] = []
    for line in lines:
        price, quantity, size, note, own, sigma = line
        length = bar.length(size, scale, units)
        key = (asks, price, quantity, length, size >= large_from, note, own)
        row = known.get((key, sigma))
        if row is None:
            half = halves.get(key)
            if half is None:
                made = _ask_half if asks else _bid_half
                half = halves[key] = made(line, widths, g, length, size >= large_from)
            if not sigma_width:
                row = half
            else:
                shown = sigma if len(sigma) <= sigma_width else fitted(sigma, sigma_width)
                if asks:
                    row = (*half, Span(shown.rjust(sigma_width + 1) + after, Role.MUTED))
                else:
                    row = (Span(before + shown.rjust(sigma_width) + " ", Role.MUTED), *half)
            known[key, sigma] = row
        rows.append(row)
    return rows


def _number(line: Line, widths: LadderWidths, g: Geometry) -> str:
    if not line.quantity or g.quantity < 1:
        return blank(g.quantity)
    text = widths.quantity.text(line.quantity)
    return text if len(text) <= g.quantity else fitted(text.strip(), g.quantity).rjust(g.quantity)


def _price(line: Line, widths: LadderWidths, g: Geometry) -> str:
    text = widths.price.text(line.price)
    return text if len(text) <= g.price else clip(text.strip(), g.price).rjust(g.price)


def _own_text(own: Own, widths: LadderWidths, room: int) -> str:
    if widths.masked:
        return clip(MASK, room)
    decimals = widths.quantity.shown_decimals
    remaining = number(own.remaining, decimals)
    text = f"{remaining}/{number(own.total, decimals)}"
    if own.orders > 1 and len(text) + 4 <= room:
        text += f" ×{own.orders}"
    return text if len(text) <= room else fitted(remaining, room)


def _bid_half(line: Line, widths: LadderWidths, g: Geometry, length: int, large: bool) -> Row:
    """Return a bid's row without the cumulative column, the margin before it included where there is none."""
    number = _number(line, widths, g)
    text_role = Role.STRONG if large else Role.TEXT
    outer = (blank(g.before) if not g.sigma else "") + (right(line.note, g.note) + " " if g.note else "")
    spans: list[Span] = [Span(outer, Role.MUTED)] if outer else []
    if widths.bars is Bars.TINT:
        zone = (number + " ").rjust(g.bid_zone)[: g.bid_zone]
        ground = Ground.BID_LARGE if large else Ground.BID_BAR
        _split(spans, zone, g.bid_zone - length, text_role, ground, bar_first=False)
    else:
        drawn = bar.glyphs(length, widths.bars, leftwards=True)
        spans.append(Span(drawn.rjust(g.bid_zone - g.quantity - 2), Role.BID_STRONG if large else Role.BID))
        spans.append(Span((" " + number + " ")[-g.bid_zone :] if g.bid_zone else "", text_role))
    spans.append(Span("◆ " if line.own is not None else "  ", Role.OWN))
    spans.append(Span(_price(line, widths, g), Role.BID_STRONG if large else Role.BID))
    room = g.ask_zone + g.outer - 1
    text = " "
    if line.own is not None and room > 3:
        text += "  " + _own_text(line.own, widths, room - 1)
    spans.append(Span(text.ljust(g.ask_zone + g.outer + g.after + 1), Role.OWN))
    return _whole(spans, g.width - (g.before + g.sigma + 1 if g.sigma else 0))


def _ask_half(line: Line, widths: LadderWidths, g: Geometry, length: int, large: bool) -> Row:
    """Return an ask's row without the cumulative column, the margin after it included where there is none."""
    own = ""
    room = g.bid_zone + g.outer - 1
    if line.own is not None and room > 3:
        own = _own_text(line.own, widths, room) + " "
    number = _number(line, widths, g)
    text_role = Role.STRONG if large else Role.TEXT
    spans = [
        Span(own.rjust(g.before + g.outer + g.bid_zone) + ("◆ " if line.own is not None else "  "), Role.OWN),
        Span(_price(line, widths, g), Role.ASK_STRONG if large else Role.ASK),
    ]
    if widths.bars is Bars.TINT:
        spans.append(Span(" "))
        zone = (" " + number).ljust(g.ask_zone)[: g.ask_zone]
        ground = Ground.ASK_LARGE if large else Ground.ASK_BAR
        _split(spans, zone, length, text_role, ground, bar_first=True)
    else:
        spans.append(Span(" " + (" " + number + " ")[: g.ask_zone], text_role))
        drawn = bar.glyphs(length, widths.bars)
        spans.append(Span(drawn.ljust(g.ask_zone - g.quantity - 2), Role.ASK_STRONG if large else Role.ASK))
    outer = (" " + right(line.note, g.note) if g.note else "") + (blank(g.after) if not g.sigma else "")
    spans.append(Span(outer, Role.MUTED))
    return _whole(spans, g.width - (g.sigma + 1 + g.after if g.sigma else 0))


def _whole(spans: list[Span], width: int) -> Row:
    """Return the spans in exactly ``width`` cells, whatever had to be left out."""
    return fit_row(tuple([span for span in spans if span.text]), width)


def _split(spans: list[Span], zone: str, at: int, role: Role, ground: Ground, *, bar_first: bool) -> None:
    """Add the zone's text in two spans, one of them on the ground that is the bar."""
    first, second = zone[:at], zone[at:]
    if first:
        spans.append(Span(first, role, ground if bar_first else Ground.PANEL))
    if second:
        spans.append(Span(second, role, Ground.PANEL if bar_first else ground))


def spread_row(touch: Touch, widths: LadderWidths, geometry: Geometry, width: int) -> Row:
    """Return the row between the sides: spread, mid under the prices, microprice."""
    g = geometry
    before = g.before + g.outer + g.bid_zone
    words = touch.words if len(touch.words) < before else touch.short
    words = right(words, before - 1) + " " if before > 3 else blank(before)
    whole, point, fraction = touch.mid.partition(".")
    mid = "  " + whole.rjust(widths.price.whole) + point + fraction
    if len(mid) > g.price + 3 or not point:
        mid = ("  " + touch.mid.rjust(g.price))[: g.price + 3]
    mid = mid.ljust(g.price + 3)
    after = g.ask_zone + g.outer + g.after
    said = (touch.aside, touch.aside.replace("microprice ", ""))  # shorter, but a number is never cut
    aside = next((" " + words for words in said if len(words) < after), "")
    row = (Span(words, touch.role), Span(mid, Role.STRONG), Span(aside.ljust(after), touch.aside_role))
    return on_ground(fit_row(tuple(span for span in row if span.text), width), Ground.CURSOR)


def with_cursor(row: Row, geometry: Geometry, words: str, width: int, *, asks: bool) -> Row:
    """Return the row under the cursor: on its ground, and ``words`` in its empty half when they fit there."""
    g = geometry
    has_own = any(span.role is Role.OWN and span.text.strip() for span in row)
    if words and not has_own:
        if asks:
            room = row_cells(row[:1]) - 3
            if len(words) <= room and row[0].role is Role.OWN:
                row = (Span(right(words, room + 1), Role.MUTED), Span(blank(2), Role.OWN), *row[1:])
        else:
            room = g.ask_zone + g.outer + g.after
            if len(words) <= room - 2 and row[-1].role is Role.OWN:
                row = (*row[:-1], Span(left("  " + words, room + 1), Role.MUTED))
    return on_ground(fit_row(row, width), Ground.CURSOR)
