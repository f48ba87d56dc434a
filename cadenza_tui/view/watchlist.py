"""The watchlist: pinned instruments, and the selected symbol over every venue that quotes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import add, halve, subtract
from cadenza_tui.view.numbers import (
    Column,
    age,
    arrow,
    bps,
    fitted,
    number,
    percent,
    plain,
    price_decimals,
    rounded,
)
from cadenza_tui.view.rows import Ground, Pane, Role, Row, Span
from cadenza_tui.view.states import SIGNS
from cadenza_tui.view.text import blank, clip, cut, fit_row, left, message, on_ground, safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cadenza_tui.market.records import Instrument, InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

TITLE: Row = (Span("Instruments", Role.TITLE),)
VENUE_WIDTH = 3
CHANGE_WIDTH = 4
SPREAD_WIDTH = 4
MAX_SYMBOL = 14
MAX_VENUES = 6
SPREAD_BEYOND = Decimal(1000)


@dataclass(slots=True)
class WatchWidths:
    """What a watchlist remembers from frame to frame: its columns only grow."""

    symbol: int = 8
    whole: int = 1
    fraction: int = 0
    length: int = 1
    """Of the longest price, for a list too narrow to align prices of different precision at their points."""
    decimals: dict[str, Column] = field(default_factory=dict)
    """By instrument: how many decimals its prices need."""
    _alike: tuple[tuple[object, ...], list[InstrumentId]] = ((), [])

    def alike(self, market: Market, selected: InstrumentId) -> list[InstrumentId]:
        """Return the instruments of the same symbol and kind, the selected one among them."""
        key = (selected, market.instruments, len(market.tickers), len(market.books))
        if key != self._alike[0]:
            wanted = (_symbol(market, selected), _kind(market, selected))
            every = dict.fromkeys((*market.instruments, *market.tickers, *market.books))
            self._alike = (key, [i for i in every if (_symbol(market, i), _kind(market, i)) == wanted])
        return self._alike[1]

    def price(self, instrument_id: str, instrument: Instrument | None, value: Decimal) -> str:
        """Return a price in its instrument's decimals, and make the column wide enough for it."""
        column = self.decimals.get(instrument_id)
        decimals = price_decimals(instrument)
        if column is None or column.decimals != decimals:
            column = self.decimals[instrument_id] = Column(decimals)
        text = plain(value)
        column.grow((text,))
        return number(text, column.shown_decimals)


class Quote(NamedTuple):
    """What is known of one instrument; None is unknown. ``is_mid`` marks a price that is not a last one."""

    price: Decimal | None
    is_mid: bool
    change: Decimal | None
    bid: Decimal | None
    ask: Decimal | None


def quote(market: Market, instrument_id: InstrumentId) -> Quote:
    """Return what is known: the touch of a book that is in sync, else of the ticker; the last price, else the
    latest print's, else the mid."""
    ticker = market.tickers.get(instrument_id)
    book = market.books.get(instrument_id)
    bid = ask = None
    if book is not None and book.in_sync:
        best_bid, best_ask = book.best_bid, book.best_ask
        bid = Decimal(best_bid.price) if best_bid is not None else None
        ask = Decimal(best_ask.price) if best_ask is not None else None
    elif ticker is not None:
        bid, ask = ticker.bid_price, ticker.ask_price
    price = ticker.last_price if ticker is not None else None
    if price is None:
        tape = market.tapes.get(instrument_id)
        latest = tape.latest(1) if tape is not None else []
        price = latest[0].price if latest else None
    is_mid = price is None and bid is not None and ask is not None
    if is_mid and bid is not None and ask is not None:
        price = halve(add(bid, ask))
    return Quote(price, is_mid, ticker.price_change_percent if ticker is not None else None, bid, ask)


def listed(
    pinned: Sequence[InstrumentId], selected: InstrumentId | None, height: int, scroll: int = 0
) -> list[tuple[int, InstrumentId]]:
    """Return the instruments that a watchlist of ``height`` body rows shows, with their places from 0 on.

    The first of them stands in body row 1, under the header. The selected one follows the pinned ones when it
    is none of them, and is always among those shown.
    """
    every = [*pinned, selected] if selected is not None and selected not in pinned else [*pinned]
    room = max(height - 1, 0)
    first = min(max(scroll, 0), max(len(every) - room, 0))
    if selected is not None and room:
        at = every.index(selected)
        first = max(min(first, at), at - room + 1)
    return list(enumerate(every))[first : first + room]


def watchlist(
    market: Market,
    pinned: Sequence[InstrumentId],
    selected: InstrumentId | None,
    *,
    width: int,
    height: int,
    widths: WatchWidths,
    trusts: Mapping[InstrumentId, Trust] | None = None,
    scroll: int = 0,
) -> Pane:
    """Return the Instruments pane with a body of ``width`` x ``height`` cells.

    ``trusts`` says how far each instrument can be trusted, where that is known: one that is dimmed has no
    colours, and shows its age or its state's glyph in place of a spread, the glyph where there is no spread.
    """
    trusted: Row = (Span(f"{len(pinned)} pinned", Role.TITLE),)
    trusts = trusts or {}
    shown = listed(pinned, selected, height, scroll)
    if not shown:
        return Pane(TITLE, trusted, message("No instrument is pinned · press / to find one", width, height))
    quotes = {instrument_id: quote(market, instrument_id) for _, instrument_id in shown}
    prices: dict[str, str] = {}
    for _, instrument_id in shown:
        value = quotes[instrument_id].price
        if value is not None:
            text = widths.price(instrument_id, market.instruments.get(instrument_id), value)
            prices[instrument_id] = text
            whole, point, fraction = text.partition(".")
            widths.whole = max(widths.whole, len(whole))
            widths.fraction = max(widths.fraction, len(point + fraction))
            widths.length = max(widths.length, len(text))
        widths.symbol = max(widths.symbol, min(len(_symbol(market, instrument_id)), MAX_SYMBOL))
    columns = _columns(width, widths)
    rows: list[Row] = [_header(columns, width)]
    for at, instrument_id in shown:
        row = _row(
            (
                str(at + 1) if at < min(len(pinned), 9) else "",
                _symbol(market, instrument_id),
                _venue(market, instrument_id),
            ),
            quotes[instrument_id],
            prices.get(instrument_id, ""),
            trusts.get(instrument_id),
            columns,
            chosen=instrument_id == selected,
        )
        row = fit_row(row, width)
        rows.append(on_ground(row, Ground.CURSOR) if instrument_id == selected else row)
    if selected is not None:
        block = _over_venues(market, selected, widths.alike(market, selected), trusts, width)
        if block and len(rows) + 1 + len(block) <= height:
            rows += [(Span(blank(width)),), *block]
    return Pane(TITLE, trusted, tuple(rows[:height]))


class _Columns(NamedTuple):
    symbol: int
    venue: int
    price: int
    fraction: int | None
    """Cells kept for fractions; None where prices end in one column instead."""
    change: int
    spread: int


def _columns(width: int, widths: WatchWidths) -> _Columns:
    """Share out the width. Aligned points go first, then the spread, the change, the venue."""
    aligned, ended = widths.whole + widths.fraction, widths.length
    for price, venue, change, spread in (
        (aligned, 1, 1, 1),
        (ended, 1, 1, 1),
        (ended, 1, 1, 0),
        (ended, 1, 0, 0),
        (ended, 0, 0, 0),
    ):
        fixed = 3 + 1 + price + 1 + venue * (VENUE_WIDTH + 1)
        fixed += change * (2 + CHANGE_WIDTH + 1) + spread * (SPREAD_WIDTH + 1)
        room = width - fixed
        if room >= min(widths.symbol, 8):
            break
    symbol = max(min(widths.symbol, room), 1)
    return _Columns(
        symbol,
        venue * VENUE_WIDTH,
        price + max(min(room - symbol, 3), 0),
        widths.fraction if price == aligned else None,
        change * CHANGE_WIDTH,
        spread * SPREAD_WIDTH,
    )


def _header(columns: _Columns, width: int) -> Row:
    text = "   " + "instrument"[: columns.symbol + columns.venue + 1].ljust(
        columns.symbol + (columns.venue + 1 if columns.venue else 0)
    )
    text += " " + "last".rjust(columns.price) + " "
    text += "  " + "chg".rjust(columns.change) + " " if columns.change else ""
    text += "bps".rjust(columns.spread) + " " if columns.spread else ""
    return fit_row((Span(text, Role.FAINT),), width)


def _row(
    names: tuple[str, str, str],
    now: Quote,
    price: str,
    trust: Trust | None,
    columns: _Columns,
    *,
    chosen: bool,
) -> Row:
    """Return one instrument's row; ``names`` are its key, symbol and venue."""
    key, symbol, venue = names
    dimmed = trust is not None and trust.dimmed
    spans = [
        Span(f" {key or '›' if chosen else key or ' '} ", Role.ACCENT if chosen else Role.FAINT),
        Span(left(symbol, columns.symbol), Role.STRONG if chosen else Role.MUTED if dimmed else Role.TEXT),
    ]
    if columns.venue:
        spans.append(Span(" " + left(venue, columns.venue), Role.MUTED))
    if price:
        if columns.fraction is not None:
            _, point, fraction = price.partition(".")
            price += blank(columns.fraction - len(point + fraction))
        text = clip(price.rjust(columns.price), columns.price)
        digits = text.rstrip()
        after = blank(len(text) - len(digits))
        spans.append(Span(" " + digits, Role.MUTED if dimmed else Role.TEXT))
        if trust is not None and dimmed and not columns.spread:
            spans.append(Span(after + SIGNS[trust.state].glyph, Role.WARN))
        else:
            spans.append(Span("m" + after if now.is_mid else after + " ", Role.FAINT))
    else:
        spans.append(Span(" " + ("—" + blank(columns.fraction or 0)).rjust(columns.price) + " ", Role.FAINT))
    if columns.change:
        if now.change is None:
            spans.append(Span("  " + "—".rjust(columns.change) + " ", Role.FAINT))
        else:
            role = Role.BID if now.change > 0 else Role.ASK if now.change < 0 else Role.MUTED
            role = Role.MUTED if dimmed else role
            decimals = 2 if abs(now.change) < 10 else 1 if abs(now.change) < 100 else 0
            text = fitted(percent(now.change, decimals), columns.change).rjust(columns.change)
            spans.append(Span(f"{arrow(now.change)} {text} ", role))
    if columns.spread:
        spans.append(_spread(now, trust, columns.spread))
        spans.append(Span(" "))
    return tuple(spans)


def _spread(now: Quote, trust: Trust | None, width: int) -> Span:
    """Return the spread in bps, or what is wrong: the age when stale, else the state's glyph."""
    if trust is not None and trust.dimmed:
        sign = SIGNS[trust.state]
        text = age(trust.age_ns).replace(" ", "") if sign.aged and trust.age_ns is not None else sign.glyph
        return Span(text.rjust(width), Role.WARN)
    if now.bid is None or now.ask is None:
        return Span("—".rjust(width), Role.FAINT)
    if now.bid > now.ask:
        return Span("⇄".rjust(width), Role.WARN)
    part = bps(subtract(now.ask, now.bid), halve(add(now.ask, now.bid)))
    if part is None or part >= SPREAD_BEYOND:
        return Span((">1k" if part is not None else "—").rjust(width), Role.MUTED)
    return Span(rounded(part, 1 if part < 100 else 0).rjust(width), Role.MUTED)


class _Venue(NamedTuple):
    name: str
    bid: Decimal
    ask: Decimal
    current: bool
    instrument_id: str


def _over_venues(
    market: Market,
    selected: InstrumentId,
    alike: Sequence[InstrumentId],
    trusts: Mapping[InstrumentId, Trust],
    width: int,
) -> list[Row]:
    """Return one row for each venue that quotes the selected symbol, if more than one does."""
    symbol = _symbol(market, selected)
    venues: list[_Venue] = []
    for instrument_id in alike:
        now = quote(market, instrument_id)
        if now.bid is None or now.ask is None:
            continue
        trust = trusts.get(instrument_id)
        current = trust is None or not trust.dimmed
        venues.append(_Venue(_venue(market, instrument_id), now.bid, now.ask, current, instrument_id))
    if len(venues) < 2:
        return []
    venues = sorted(venues, key=lambda venue: (venue.instrument_id != selected, venue.name))
    counted = len(venues)
    venues = venues[:MAX_VENUES]
    judged = [venue for venue in venues if venue.current]
    best_bid = max(judged, key=lambda venue: venue.bid, default=None)
    best_ask = min(judged, key=lambda venue: venue.ask, default=None)
    instrument = market.instruments.get(selected)
    prices = Column(price_decimals(instrument))
    prices.grow([plain(price) for venue in venues for price in (venue.bid, venue.ask)])
    room = width - 3 - VENUE_WIDTH - 2 * (1 + prices.width)
    rows = [fit_row((Span(f" {symbol} over {counted} venues", Role.FAINT),), width)]
    for venue in venues:
        has_bid, has_ask = venue is best_bid, venue is best_ask
        word = "both" if has_bid and has_ask else "bid" if has_bid else "ask" if has_ask else ""
        marks = (f" ◂ best {word}", f" ◂ {word}", f" ◂{word[:1]}") if word else ()
        best = next((mark for mark in marks if len(mark) <= room), "◂" if word else "")
        bid_role, ask_role = (Role.BID, Role.ASK) if venue.current else (Role.FAINT, Role.FAINT)
        row: Row = (
            Span("   " + left(venue.name, VENUE_WIDTH), Role.MUTED),
            Span(" " + prices.text(plain(venue.bid)), bid_role),
            Span(" " + prices.text(plain(venue.ask)), ask_role),
            Span(best, Role.ACCENT),
        )
        rows.append(fit_row(tuple(span for span in row if span.text), width))
    if best_bid is not None and best_ask is not None and best_bid.bid > best_ask.ask:
        words = _crossed(best_bid, best_ask, prices, max(width - 3, 0))
        rows.append(fit_row((Span("   " + words, Role.WARN),), width))
    return rows


def _crossed(best_bid: _Venue, best_ask: _Venue, prices: Column, width: int) -> str:
    """Return by how much the venues cross, where one would buy and sell, and bps, as far as there is room."""
    over = subtract(best_bid.bid, best_ask.ask)
    crossed = f"crossed {number(plain(over), prices.shown_decimals)}"
    way, part = f" · {best_ask.name}→{best_bid.name}", f" · {rounded(bps(over, best_bid.bid), 2)} bps"
    return next((text for text in (crossed + part + way, crossed + way) if len(text) <= width), crossed)


def _symbol(market: Market, instrument_id: InstrumentId) -> str:
    instrument = market.instruments.get(instrument_id)
    if instrument is not None:
        return safe(instrument.symbol)
    return safe(instrument_id.partition(":")[2] or instrument_id)


def _kind(market: Market, instrument_id: InstrumentId) -> str:
    instrument = market.instruments.get(instrument_id)
    return instrument.kind if instrument is not None else "SPOT"


def _venue(market: Market, instrument_id: InstrumentId) -> str:
    instrument = market.instruments.get(instrument_id)
    venue = instrument.venue if instrument is not None else instrument_id.partition(":")[0]
    return cut(venue, VENUE_WIDTH)
