"""The rows of a ladder, each made once for its content."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import MINUS, digits, fitted, number
from cadenza_tui.view.rows import Bars, Ground, Role, Row, Span
from cadenza_tui.view.text import blank, centred, clip, fit_row, left, right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.view.ladder_widths import Geometry, LadderWidths

MASK = "•••••"


class Own(NamedTuple):
    """The own working orders of one price, as texts. ``ahead`` is what stands before the first of them.

    ``through`` says that one stands at or beyond the best price of the other side.
    """

    remaining: str
    total: str
    orders: int
    ahead: str = ""
    through: bool = False


class Flow(NamedTuple):
    """What was traded at a price and, of its side, added and taken away; as texts, empty for nothing."""

    sold: str
    bought: str
    pulled: str
    stacked: str
    net: str


NO_FLOW = Flow("", "", "", "", "")


class Line(NamedTuple):
    """One price of one side. ``quantity`` is empty where only an own order stands."""

    price: str
    quantity: str
    size: float
    note: str
    own: Own | None
    flow: Flow
    sigma: str


def header_row(geometry: Geometry, width: int, note: str, words: tuple[str, str, str, str]) -> Row:
    """Return the names of the columns; ``words`` are those of bids, prices, asks and sums."""
    g = geometry
    bid, price, ask, total = words
    total = total if len(total) <= g.sigma else "Σ"
    if g.quantity < 3:
        return fit_row((Span(blank(g.left + 2) + centred(price, g.price), Role.FAINT),), width)
    sigma = right(total, g.sigma) + " " if g.sigma else ""
    notes = right(note, g.note) + " " if g.note else ""
    names = ("net",) if g.changes == 1 else ("pulled", "stacked")[: g.changes]
    changes = [right(name, g.change) for name in names]
    text = blank(g.before) + sigma + notes + "".join([change + " " for change in changes])
    named = blank(2) + centred(price, g.price) + " " if len(price) <= g.price else centred(price, g.price + 3)
    sold, bought = ((right(name, g.traded - 1) + " ") if g.traded else "" for name in ("sold", "bought"))
    text += right(bid, g.bid_zone - 1) + " " + sold + named + bought
    text += left(" " + ask, g.ask_zone) + "".join([" " + change for change in changes[::-1]])
    text += (" " + right(note, g.note) if g.note else "") + (" " + right(total, g.sigma) if g.sigma else "")
    return fit_row((Span(text, Role.FAINT),), width)


def level_rows(
    lines: Sequence[Line], widths: LadderWidths, geometry: Geometry, bars: str, *, asks: bool
) -> list[Row]:
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
    length_of = bar.length
    rows: list[Row] = []
    for line in lines:
        price, quantity, size, note, own, flow, sigma = line
        length = length_of(size, scale, units, bars)
        key = (asks, price, quantity, length, size >= large_from, note, own, flow)
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


def bare_row(
    price: str, flow: Flow, widths: LadderWidths, geometry: Geometry, role: Role, *, bid: bool
) -> Row:
    """Return the row of a price at which nothing stands, on the side of the bids or of the asks."""
    key = ("bare", price, flow, role, bid)
    row = widths.halves.get(key)
    if row is None:
        g = geometry
        changes = _changes(flow, g) if flow is not NO_FLOW else []
        outer = "".join([text + " " for text in changes]) if bid else ""
        spans = [
            Span(outer.rjust(g.before + g.outer) + blank(g.bid_zone), Role.MUTED),
            Span(_sold(flow.sold, g), Role.ASK),
            Span("  " + _price(price, widths, g) + " ", role),
            Span(_bought(flow.bought, g), Role.BID),
        ]
        outer = "" if bid else "".join([" " + text for text in changes[::-1]])
        spans.append(Span(blank(g.ask_zone) + outer.ljust(g.outer + g.after), Role.MUTED))
        row = widths.halves[key] = _whole(spans, g.width)
    return row


def _number(line: Line, widths: LadderWidths, g: Geometry) -> str:
    if not line.quantity or g.quantity < 1:
        return blank(g.quantity)
    text = widths.quantity.text(line.quantity)
    return text if len(text) <= g.quantity else tight(number(line.quantity), g.quantity).rjust(g.quantity)


def _price(price: str, widths: LadderWidths, g: Geometry) -> str:
    text = widths.price.text(price)
    return text if len(text) <= g.price else tight(number(price), g.price).rjust(g.price)


def _traded(text: str, g: Geometry) -> str:
    return fitted(text, g.traded - 2).rjust(g.traded - 2)


def _sold(text: str, g: Geometry) -> str:
    return " " + _traded(text, g) + " " if g.traded else ""


def _bought(text: str, g: Geometry) -> str:
    return " " + _traded(text, g) + " " if g.traded else ""


def _changes(flow: Flow, g: Geometry) -> list[str]:
    """Return the texts of the columns of changes, from the outer edge inwards."""
    shown = ((), (flow.net,), (flow.pulled, flow.stacked))[g.changes]
    return [fitted(text, g.change).rjust(g.change) for text in shown]


def _columns(line: Line, g: Geometry) -> list[str]:
    """Return the texts of the columns outside the zone, without sigma's, from the outer edge inwards."""
    texts = [right(line.note, g.note)] if g.note else []
    return texts + _changes(line.flow, g) if g.changes else texts


def _own_text(own: Own, widths: LadderWidths, room: int) -> str:
    """Return what an own order says, the least needed left out where there is no room."""
    if widths.masked:  # what is ahead of it too: the rest of what is displayed there would be its size
        return clip(MASK, room)
    ahead = f" · {own.ahead} ahead" if own.ahead else ""
    decimals = widths.quantity.shown_decimals
    remaining = ("⇄ " if own.through else "") + number(own.remaining, decimals)
    whole = f"{remaining}/{number(own.total, decimals)}"
    more = f" ×{own.orders}" if own.orders > 1 else ""
    brief = ahead.removesuffix("ead")
    tries = (whole + more + ahead, whole + ahead, whole + brief, remaining + ahead, remaining + brief, whole)
    return next((text for text in tries if len(text) <= room), fitted(remaining, room))


def _bid_half(line: Line, widths: LadderWidths, g: Geometry, length: int, large: bool) -> Row:
    """Return a bid's row without the cumulative column, the margin before it included where there is none."""
    number = _number(line, widths, g)
    text_role = Role.STRONG if large else Role.TEXT
    outer = "".join([column + " " for column in _columns(line, g)])
    spans: list[Span] = [Span(outer if g.sigma else blank(g.before) + outer, Role.MUTED)]
    if widths.bars is Bars.TINT:
        zone = (number + " ").rjust(g.bid_zone)[: g.bid_zone]
        ground = Ground.BID_LARGE if large else Ground.BID_BAR
        _split(spans, zone, g.bid_zone - length, text_role, ground, bar_first=False)
    else:
        drawn = bar.glyphs(length, widths.bars, leftwards=True)
        spans.append(Span(drawn.rjust(g.bid_zone - g.quantity - 2), Role.BID_STRONG if large else Role.BID))
        spans.append(Span((" " + number + " ")[-g.bid_zone :] if g.bid_zone else "", text_role))
    spans.append(Span(_sold(line.flow.sold, g), Role.ASK))
    spans.append(Span("◆ " if line.own is not None else "  ", Role.OWN))
    spans.append(Span(_price(line.price, widths, g), Role.BID_STRONG if large else Role.BID))
    text = "" if g.traded else " "
    if g.traded:
        spans.append(Span(" " + _bought(line.flow.bought, g), Role.BID))
    room = g.ask_zone + g.outer - 2
    if line.own is not None and room > 2:
        text += "  " + _own_text(line.own, widths, room)
    spans.append(Span(text.ljust(g.right - (g.traded + 1 if g.traded else 0)), Role.OWN))
    return _whole(spans, g.width - (g.before + g.sigma + 1 if g.sigma else 0))


def _ask_half(line: Line, widths: LadderWidths, g: Geometry, length: int, large: bool) -> Row:
    """Return an ask's row without the cumulative column, the margin after it included where there is none."""
    room = g.bid_zone + g.outer - 1
    own = _own_text(line.own, widths, room) + " " if line.own is not None and room > 3 else ""
    number = _number(line, widths, g)
    text_role = Role.STRONG if large else Role.TEXT
    mark = "◆ " if line.own is not None else "  "
    spans = [Span(own.rjust(g.left - g.traded) + ("" if g.traded else mark), Role.OWN)]
    if g.traded:
        spans += (Span(_sold(line.flow.sold, g), Role.ASK), Span(mark, Role.OWN))
    spans.append(Span(_price(line.price, widths, g), Role.ASK_STRONG if large else Role.ASK))
    spans.append(Span(" " + _bought(line.flow.bought, g), Role.BID if g.traded else Role.TEXT))
    if widths.bars is Bars.TINT:
        zone = (" " + number).ljust(g.ask_zone)[: g.ask_zone]
        ground = Ground.ASK_LARGE if large else Ground.ASK_BAR
        _split(spans, zone, length, text_role, ground, bar_first=True)
    else:
        spans.append(Span((" " + number + " ")[: g.ask_zone], text_role))
        drawn = bar.glyphs(length, widths.bars)
        spans.append(Span(drawn.ljust(g.ask_zone - g.quantity - 2), Role.ASK_STRONG if large else Role.ASK))
    outer = "".join([" " + column for column in _columns(line, g)[::-1]])
    spans.append(Span(outer if g.sigma else outer + blank(g.after), Role.MUTED))
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


def tight(shown: str, width: int) -> str:
    """Return a shown number in ``width`` cells as ``fitted`` does; where no digit but zeros would be left of
    it, as ``1.2e−17``."""
    text = fitted(shown, width)
    if len(text) == len(shown) or any(digit in text for digit in "123456789"):
        return text
    value = digits(shown)
    if not value:
        return text
    power = f"e{MINUS}{-value.adjusted()}"
    places = max(min(width - len(power) - 2, 2), 0)
    return clip(f"{value.scaleb(-value.adjusted()):.{places}f}{power}".replace("-", MINUS), width)
