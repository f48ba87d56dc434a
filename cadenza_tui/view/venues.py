"""The Venues pane: one book of a symbol over its venues, who quotes each level, and each venue's own touch.

A venue has its own column on both sides of the book, so that who quotes is read off the place. One line says
who is best, which venues cross and what can be taken, or what the cursor stands on. A venue that has dropped
out keeps its row in the table, which says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.consolidated import VenueBook
from cadenza_tui.market.exact import add, halve, subtract
from cadenza_tui.view.choices import Choice
from cadenza_tui.view.numbers import UNKNOWN, bps, exact, plain, quiet_age, rounded, short, signed
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import absence, words
from cadenza_tui.view.table import UNKNOWN_CELL, Cell, Heading, Line, number_cell, table
from cadenza_tui.view.text import blank, clip, cut, fit_row, left, message, safe
from cadenza_tui.view.venues_rows import VenuesMemory, book_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

    from cadenza_tui.market.consolidated import Consolidated, Cross, QuotedLevel, VenueQuote
    from cadenza_tui.market.records import Instrument, InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.choices import Options

__all__ = ["CHOICES", "VenuesMemory", "venue_books", "venues"]

TITLE: Row = (Span("Venues", Role.TITLE),)
SHOWN = Choice(
    "shown", "shown", ("both", "book", "table"), "the book of all venues, each venue's touch, or both"
)
CHOICES: tuple[Choice, ...] = (SHOWN,)

LEAST_BOOK = 4
"""Rows that a book needs beside the table: its header, the spread, and something on either side."""
BESIDE_FROM = 140
"""Cells from which on the table stands beside the book."""
TABLE_WIDTH = 70
MARKED_FROM = 32
"""Cells from which on the best prices are marked: in fewer, digits need the room."""
MAX_VENUE = 24
HEADINGS = (
    Heading("venue", kind="text"),
    Heading("size", 3),
    Heading("bid"),
    Heading("ask"),
    Heading("size ", 3),
    Heading("bps", 2, kind="right"),
    Heading("age", 1, kind="right"),
)


def venue_books(
    market: Market, instrument_ids: Iterable[InstrumentId], trust_of: Callable[[InstrumentId], Trust]
) -> list[VenueBook]:
    """Return the books of these instruments, of one symbol, each with how far it can be trusted."""
    found: list[VenueBook] = []
    for instrument_id in instrument_ids:
        instrument = market.instruments.get(instrument_id)
        venue = instrument.venue if instrument is not None else instrument_id.partition(":")[0]
        trust = trust_of(instrument_id)
        why = words(trust) if trust.dimmed else ""
        book = market.book(instrument_id)
        found.append(
            VenueBook(cut(venue, MAX_VENUE), instrument_id, book, not trust.dimmed, why, trust.age_ns)
        )
    return found


def venues(
    consolidated: Consolidated,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    memory: VenuesMemory,
    options: Options,
    group: Decimal | None = None,
    bars: Bars = Bars.TINT,
) -> Pane:
    """Return the Venues pane with a body of ``width`` x ``height`` cells.

    ``consolidated`` comes from ``memory.consolidated``, for the same height and ``group``. ``instrument`` is
    any of the symbol's: its decimals are those of the prices. ``trust`` is that of the connection: how far
    each venue can be trusted is part of ``consolidated``.
    """
    symbol = instrument.symbol if instrument is not None else ""
    memory.adopt(symbol, instrument)
    trusted = _standing(consolidated, group)
    if all(quote.why for quote in consolidated.venues):
        return Pane(TITLE, trusted, _nothing(consolidated, trust, symbol, width, height), dimmed=trust.dimmed)
    _grow(consolidated, memory)
    shown = SHOWN.of(options)
    listed = len(consolidated.venues) + 1
    beside = shown == "both" and width >= BESIDE_FROM
    room = 0 if shown == "table" else height - 1 - (listed if shown == "both" and not beside else 0)
    if room < LEAST_BOOK:
        room = height - 1 if shown == "book" else 0
    book_width = width - TABLE_WIDTH - 2 if beside else width
    rows = book_rows(consolidated, memory, book_width, room, bars)[:room] if room > 0 else []
    if beside and rows:
        listing = _table(consolidated, memory, TABLE_WIDTH)[:room]
        listing += [(Span(blank(TABLE_WIDTH)),)] * (room - len(listing))
        rows = [(*row, Span("  "), *other) for row, other in zip(rows, listing, strict=True)]
    else:
        rows += [] if shown == "book" else _table(consolidated, memory, width)
    if memory.cursor and room > 0:
        rows.append(fit_row(_at_cursor(consolidated, instrument, memory), width))
    else:
        rows.append(_line(consolidated, instrument, memory, width))
    return Pane(TITLE, trusted, tuple(rows[:height]), dimmed=trust.dimmed)


def _standing(consolidated: Consolidated, group: Decimal | None) -> Row:
    """Return the right of the border: how many venues take part, and the first that does not."""
    every, out = len(consolidated.venues), consolidated.dropped
    text = f"group {exact(group)} · " if group is not None else ""
    row: Row = (Span(f"{text}{every - len(out)} of {every}", Role.TITLE),)
    if out:
        more = f" +{len(out) - 1}" if len(out) > 1 else ""
        row += (Span(" · ", Role.TITLE), Span(f"⚠ {out[0].venue}{more} out", Role.WARN))
    return row


def _nothing(
    consolidated: Consolidated, trust: Trust, symbol: str, width: int, height: int
) -> tuple[Row, ...]:
    if not consolidated.venues:
        return message(absence(trust, symbol or "no instrument yet"), width, height)
    why = " · ".join(f"{quote.venue}: {safe(quote.why)}" for quote in consolidated.venues)
    return message(f"No venue's book of {symbol} can be trusted now · {why}", width, height)


def _grow(consolidated: Consolidated, memory: VenuesMemory) -> None:
    """Make the columns wide enough for what may be shown."""
    pairs = [(level.price, level.quantity) for level in (*consolidated.bids, *consolidated.asks)]
    pairs += [touch for quote in consolidated.venues for touch in (quote.bid, quote.ask) if touch is not None]
    memory.prices.grow([plain(price) for price, _ in pairs])
    memory.quantities.grow([plain(quantity) for _, quantity in pairs])


def _table(consolidated: Consolidated, memory: VenuesMemory, width: int) -> list[Row]:
    """Return a row for each venue: its own touch, the best of all marked, or why it has dropped out."""
    best_bid = consolidated.best_bid.price if consolidated.best_bid is not None else None
    best_ask = consolidated.best_ask.price if consolidated.best_ask is not None else None
    marks = ("◂", " ") if width >= MARKED_FROM else ("", "")
    lines = [_quote_line(quote, memory, (best_bid, best_ask), marks) for quote in consolidated.venues]
    rows = table("venues", HEADINGS, lines, width=width, widths=memory.table)
    for at, quote in enumerate(consolidated.venues, start=1):
        if quote.why:
            name = left(quote.venue, min(max(len(quote.venue), 8), max(width // 2, 1)))
            spans = (Span(f"  {name}  ", Role.MUTED), Span(f"⚠ out · {safe(quote.why)}", Role.WARN))
            rows[at] = fit_row(spans, width)
    return rows


def _quote_line(
    quote: VenueQuote,
    memory: VenuesMemory,
    bests: tuple[Decimal | None, Decimal | None],
    marks: tuple[str, str],
) -> Line:
    """Return a venue's cells; ``marks`` stand behind a price that is the best of all, and behind others."""
    prices, sizes = memory.prices.shown_decimals, memory.quantities.shown_decimals
    cells = [Cell(quote.venue)]
    for touch, best, role, strong in (
        (quote.bid, bests[0], Role.BID, Role.BID_STRONG),
        (quote.ask, bests[1], Role.ASK, Role.ASK_STRONG),
    ):
        if touch is None:
            pair = [UNKNOWN_CELL, UNKNOWN_CELL]
        else:
            is_best = touch[0] == best
            size = number_cell(exact(touch[1], sizes), role=Role.TEXT if is_best else Role.MUTED)
            price = Cell(
                exact(touch[0], prices),
                strong if is_best else role,
                marks[0] if is_best else marks[1],
                Role.ACCENT,
            )
            pair = [size, price]
        cells += pair if role is Role.BID else pair[::-1]
    part = None
    if quote.bid is not None and quote.ask is not None:
        part = bps(subtract(quote.ask[0], quote.bid[0]), halve(add(quote.ask[0], quote.bid[0])))
    cells.append(UNKNOWN_CELL if part is None else Cell(rounded(part, 2), Role.MUTED))
    cells.append(Cell(UNKNOWN if quote.age_ns is None else quiet_age(quote.age_ns), Role.MUTED))
    return Line(tuple(cells))


def _line(consolidated: Consolidated, instrument: Instrument | None, memory: VenuesMemory, width: int) -> Row:
    """Return which venues cross, else who is best."""
    prices = memory.prices.shown_decimals
    if consolidated.cross is not None:
        said = _cross_words(consolidated.cross, instrument, prices, memory.quantities.shown_decimals)
        fitting = next((words for words in said if len(words) + 2 <= width), said[-1])
        return fit_row((Span("  " + fitting, Role.WARN),), width)
    sides = (
        (consolidated.best_bid, Role.BID, " × "),
        (consolidated.best_ask, Role.ASK, ""),
    )
    texts = [UNKNOWN if level is None else exact(level.price, prices) for level, _, _ in sides]
    names = [_who(level) if level is not None else "" for level, _, _ in sides]
    # the names give way, never a price
    room = max(width - len("  best ") - len(" × ") - sum(map(len, texts)) - 2, 0)
    if sum(map(len, names)) > room:
        names = [
            clip(name, max(room // 2, room - len(other)))
            for name, other in zip(names, names[::-1], strict=True)
        ]
    spans: list[Span] = [Span("  best ", Role.FAINT)]
    for (level, role, between), price, name in zip(sides, texts, names, strict=True):
        spans.append(Span(name + " " if name else "", Role.TEXT))
        spans.append(Span(price, Role.FAINT if level is None else role))
        spans.append(Span(between, Role.FAINT))
    return fit_row(tuple(span for span in spans if span.text), width)


def _cross_words(cross: Cross, instrument: Instrument | None, prices: int, sizes: int) -> tuple[str, ...]:
    """Return what can be said of a cross, the longest first: size and bps are in all of it."""
    bid, ask = exact(cross.bid, prices), exact(cross.ask, prices)
    base, quote = _units(instrument)
    buyers, sellers = ", ".join(cross.bid_venues), ", ".join(cross.ask_venues)
    size = exact(cross.quantity, sizes)
    if cross.locked:
        return (
            f"╪ locked · {buyers} bid {bid} equals {sellers} ask · {size}{base} · 0 bps",
            f"╪ {buyers} = {sellers} {bid} · {size} · 0 bps",
            f"╪ locked · {size} · 0 bps",
        )
    ratio = f"{rounded(bps(subtract(cross.bid, cross.ask), halve(add(cross.bid, cross.ask))), 2)} bps"
    plain_words = f"⇄ crossed · {sellers} ask {ask} under {buyers} bid {bid} · {size}{base} · {ratio}"
    return (
        f"{plain_words} · {short(cross.gain)}{quote} before fees",
        plain_words,
        f"⇄ {sellers} {ask} → {buyers} {bid} · {size} · {ratio}",
        f"⇄ crossed · {size} · {ratio}",
    )


def _at_cursor(consolidated: Consolidated, instrument: Instrument | None, memory: VenuesMemory) -> Row:
    """Return who quotes the level under the cursor, and quantity, notional and distance up to it."""
    asks = memory.cursor < 0
    levels: Sequence[QuotedLevel] = (consolidated.asks if asks else consolidated.bids)[: abs(memory.cursor)]
    sizes = memory.quantities.shown_decimals
    level = levels[-1]
    total = add(*(one.quantity for one in levels))
    notional = add(*(one.notional for one in levels))
    base, quote = _units(instrument)
    said = f"  Σ {exact(total, sizes)}{base} · {short(notional)}{quote}"
    mid = consolidated.mid
    if mid is not None:
        said += f" · {signed(bps(subtract(level.price, mid), mid), 1, rounds=True)} bps"
    shares = " · ".join(f"{share.venue} {exact(share.quantity, sizes)}" for share in level.shares)
    return (
        Span("  " + exact(level.price, memory.prices.shown_decimals), Role.ASK if asks else Role.BID),
        Span(said, Role.TEXT),
        Span("  " + shares, Role.MUTED),
    )


def _who(level: QuotedLevel) -> str:
    return ", ".join(share.venue for share in level.shares)


def _units(instrument: Instrument | None) -> tuple[str, str]:
    """Return the names of base and quote asset, each after a space, "" where unknown."""
    if instrument is None:
        return "", ""
    base, quote = safe(instrument.base), safe(instrument.quote)
    return (f" {base}" if base else "", f" {quote}" if quote else "")
