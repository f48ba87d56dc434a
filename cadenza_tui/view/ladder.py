"""The ladder: asks above, the spread row, bids below; one price a row and every number at its place."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.analytics import microprice
from cadenza_tui.market.book import Level
from cadenza_tui.market.exact import CONTEXT, add, halve, multiply, subtract
from cadenza_tui.market.records import BookType
from cadenza_tui.view.frame import trust_room
from cadenza_tui.view.ladder_rows import Line, Own, Touch, header_row, level_rows, spread_row, with_cursor
from cadenza_tui.view.ladder_widths import MAX_SIGMA
from cadenza_tui.view.numbers import bps, number, plain, short, signed
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import absence, border
from cadenza_tui.view.text import blank, message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Instrument, Order
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.ladder_widths import Geometry, LadderWidths

TITLE: Row = (Span("Book", Role.TITLE),)
EXCHANGE_WIDTH = 3
COUNT_WIDTH = 4


def ladder(
    book: OrderBook,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    widths: LadderWidths,
    cursor: int = 0,
    centre: int = 0,
    own_orders: Sequence[Order] = (),
    bars: Bars = Bars.TINT,
    masked: bool = False,
) -> Pane:
    """Return the Book pane with a body of ``width`` x ``height`` cells.

    ``cursor`` is a row, counted from the spread row: negative among the asks, positive among the bids, 0 for
    none. ``centre`` moves the spread row down by that many rows, to see more asks (up, if negative).
    ``own_orders`` may be of any instrument and in any state; the working ones of this one are marked.
    """
    widths.adopt(book.instrument_id, instrument)
    kind = book.book_type.value if book.book_type is not None else ""
    trusted = border(trust, kind, width=trust_room(TITLE, width))
    if not book.has_snapshot:
        body = message(absence(trust, book.instrument_id), width, height)
        return Pane(TITLE, trusted, body, dimmed=trust.dimmed)
    ask_rows, bid_rows = sides(height, centre)
    asks, bids = book.asks.top(max(ask_rows, 1)), book.bids.top(max(bid_rows, 1))
    best_ask, best_bid = asks[0] if asks else None, bids[0] if bids else None
    own = _own_orders(own_orders, book.instrument_id) if own_orders else ({}, {})
    running = book.book_type is BookType.VWAP
    ask_lines = _lines(asks, own[1], ask_rows, widths, descending=False, running=running)
    bid_lines = _lines(bids, own[0], bid_rows, widths, descending=True, running=running)
    note, note_name = _note_column(kind)
    geometry = widths.geometry(width, bars, note, masked=masked)
    sizes = [line.size for line in ask_lines] + [line.size for line in bid_lines]
    widths.rescale(sizes)

    blanks: Row = (Span(blank(width)),)
    header = widths.halves.get(("header",))
    if header is None:
        header = widths.halves["header",] = header_row(geometry, width, note_name)
    rows: list[Row] = [header] if height > 2 else []
    top = len(rows)
    rows += [blanks] * (ask_rows - len(ask_lines))
    rows += level_rows(ask_lines, widths, geometry, asks=True)[::-1]
    spread_at = len(rows)
    rows.append(_spread(book, (best_bid, best_ask), widths, geometry, width))
    rows += level_rows(bid_lines, widths, geometry, asks=False)
    rows += [blanks] * (height - len(rows))
    at = spread_at + cursor
    if cursor and top <= at < len(rows):
        lines, index = (bid_lines, cursor - 1) if cursor > 0 else (ask_lines, -cursor - 1)
        words = "" if running or index >= len(lines) else _depth_words(book, lines[: index + 1], instrument)
        rows[at] = with_cursor(rows[at], geometry, words, width, asks=cursor < 0)
    return Pane(TITLE, trusted, tuple(rows[:height]), dimmed=trust.dimmed)


def sides(height: int, centre: int = 0) -> tuple[int, int]:
    """Return how many rows the asks and the bids have in a body of ``height`` rows."""
    rows = max(height - (2 if height > 2 else 1), 0)
    asks = min(max(rows // 2 + centre, 0), rows)
    return asks, rows - asks


def _note_column(kind: str) -> tuple[int, str]:
    if kind.endswith("EXCHANGE"):
        return EXCHANGE_WIDTH, "exc"
    return (COUNT_WIDTH, "n") if kind.startswith("L3") or kind == "L2_COUNTED" else (0, "")


def _own_orders(orders: Sequence[Order], instrument_id: str) -> tuple[dict[Decimal, Own], dict[Decimal, Own]]:
    """Return the working orders of an instrument by side (bids, asks) and price, summed."""
    sums: tuple[dict[Decimal, list[Decimal]], dict[Decimal, list[Decimal]]] = ({}, {})
    for order in orders:
        price, total = order.limit_price, order.quantity
        if order.instrument_id != instrument_id or not order.working or price is None or order.side is None:
            continue
        total = total if total is not None else Decimal(0)
        done = order.executed_quantity if order.executed_quantity is not None else Decimal(0)
        entry = sums[0 if order.side.value == "BUY" else 1].setdefault(price, [Decimal(0)] * 3)
        entry[0], entry[1], entry[2] = (
            add(entry[0], subtract(total, done)),
            add(entry[1], total),
            entry[2] + 1,
        )
    bids, asks = (
        {price: Own(plain(left_), plain(total), int(n)) for price, (left_, total, n) in side.items()}
        for side in sums
    )
    return bids, asks


def _lines(
    levels: Sequence[Level],
    own: dict[Decimal, Own],
    rows: int,
    widths: LadderWidths,
    *,
    descending: bool,
    running: bool,
) -> list[Line]:
    """Return the lines of one side, best first: its levels, and own orders at prices that are no level.

    The columns are made wide enough for them. ``running`` quantities are cumulative already, as in a VWAP
    book.
    """
    merged: Sequence[tuple[Level, Own | None]]
    merged = _merged(levels, own, descending) if own else [(level, None) for level in levels]
    merged = merged[:rows]
    widths.price.grow([level.price for level, _ in merged])
    widths.quantity.grow([level.quantity for level, _ in merged if level.quantity])
    size, add_exactly, shape = widths.size, CONTEXT.add, f",.{widths.sigma_decimals}f"
    lines: list[Line] = []
    total = Decimal(0)
    for (price, quantity, orders, exchange), here in merged:
        note = exchange if exchange is not None else "" if orders is None else str(orders)
        if quantity:
            length, exactly = size(quantity)
            total = exactly if running else add_exactly(total, exactly)
            lines.append(Line(price, quantity, length, note, here, format(total, shape)))
        else:
            lines.append(Line(price, "", 0.0, note, here, ""))
    widths.sigma = max(widths.sigma, min(len(format(total, shape)), MAX_SIGMA))
    return lines


def _merged(
    levels: Sequence[Level], own: dict[Decimal, Own], descending: bool
) -> list[tuple[Level, Own | None]]:
    merged: list[tuple[Level, Own | None]] = []
    waiting = sorted(own, reverse=not descending)
    for level in levels:
        price = Decimal(level.price)
        while waiting and (waiting[-1] > price if descending else waiting[-1] < price):
            merged.append(_alone(waiting.pop(), own))
        here = own[waiting.pop()] if waiting and waiting[-1] == price else None
        merged.append((level, here))
    while waiting:
        merged.append(_alone(waiting.pop(), own))
    return merged


def _alone(price: Decimal, own: dict[Decimal, Own]) -> tuple[Level, Own | None]:
    return Level(plain(price), "", None, None), own[price]


def _spread(
    book: OrderBook,
    touch: tuple[Level | None, Level | None],
    widths: LadderWidths,
    geometry: Geometry,
    width: int,
) -> Row:
    """Return the row between the sides: the spread is of the raw best prices, and a cross is said."""
    bid, ask = touch
    key = ("spread", bid, ask, widths.price.shown_decimals)
    row = widths.rows.get(key)
    if row is None:
        row = widths.rows[key] = spread_row(_touch(book, bid, ask, widths), widths, geometry, width)
    return row


def _touch(book: OrderBook, bid: Level | None, ask: Level | None, widths: LadderWidths) -> Touch:
    decimals = widths.price.shown_decimals
    if bid is None or ask is None:
        words = "the book is empty" if bid is ask else "no bids" if bid is None else "no asks"
        return Touch(words, words, Role.WARN, "—")
    bid_price, ask_price = Decimal(bid.price), Decimal(ask.price)
    spread, mid = subtract(ask_price, bid_price), halve(add(ask_price, bid_price))
    shown_mid = number(plain(mid), decimals)
    ratio = f"{signed(bps(spread, mid), 2, rounds=True).removeprefix('+')} bps"
    if spread < 0:
        shown = signed(spread, decimals)
        return Touch(
            f"crossed {shown}  {ratio}",
            f"crossed {shown}",
            Role.WARN,
            shown_mid,
            "⇄ bid above ask",
            Role.WARN,
        )
    if not spread:
        return Touch(f"locked  {ratio}", "locked", Role.WARN, shown_mid, "╪ bid equals ask", Role.WARN)
    shown = number(plain(spread), decimals)
    return Touch(f"spread {shown}  {ratio}", shown, Role.MUTED, shown_mid, *_lean(book, mid, decimals))


def _lean(book: OrderBook, mid: Decimal, decimals: int) -> tuple[str, Role]:
    """Return where the microprice stands, seen from the mid."""
    micro = microprice(book)
    if micro is None:
        return "", Role.MUTED
    away = subtract(micro, mid)
    glyph, role = ("▲", Role.BID) if away > 0 else ("▼", Role.ASK) if away < 0 else ("·", Role.MUTED)
    return f"{glyph} microprice {signed(away, decimals + 1, rounds=True)}", role


def _depth_words(book: OrderBook, lines: Sequence[Line], instrument: Instrument | None) -> str:
    """Return what a cursor says: quantity and notional from the touch to here, and the way from the mid."""
    total = notional = Decimal(0)
    for line in lines:
        if line.quantity:
            quantity = Decimal(line.quantity)
            total = add(total, quantity)
            notional = add(notional, multiply(quantity, Decimal(line.price)))
    quote = f" {instrument.quote}" if instrument is not None and instrument.quote else ""
    words = f"Σ {short(total)} · {short(notional)}{quote}"
    mid = book.mid()
    if mid is not None:
        words += f" · {signed(bps(subtract(Decimal(lines[-1].price), mid), mid), 1, rounds=True)} bps"
    return words
