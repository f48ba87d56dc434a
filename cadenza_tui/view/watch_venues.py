"""The selected symbol over every venue that quotes it, under the watchlist."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import subtract
from cadenza_tui.market.quote import quote
from cadenza_tui.market.records import BookType
from cadenza_tui.view.numbers import Column, bps, number, plain, price_decimals, rounded
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.text import fit_row, left
from cadenza_tui.view.watch_columns import VENUE_WIDTH, symbol_of, venue_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

MAX_VENUES = 6


class _Venue(NamedTuple):
    name: str
    bid: Decimal
    ask: Decimal
    current: bool
    """Whether it can be the best: its quotes are the present's, and prices that can be dealt at."""
    instrument_id: str


def over_venues(
    market: Market,
    selected: InstrumentId,
    alike: Sequence[InstrumentId],
    trust_of: Callable[[InstrumentId], Trust],
    *,
    width: int,
    names: int = VENUE_WIDTH,
) -> list[Row]:
    """Return one row for each venue that quotes the selected symbol, if more than one does.

    ``names`` are the cells that a venue's name may take.
    """
    if len(alike) < 2:
        return []
    symbol = symbol_of(market, selected)
    venues: list[_Venue] = []
    for instrument_id in alike:
        now = quote(market, instrument_id)
        if now.bid is None or now.ask is None:
            continue
        current = not trust_of(instrument_id).dimmed and not _is_curve(market, instrument_id)
        name = venue_of(market, instrument_id, names)
        venues.append(_Venue(name, now.bid, now.ask, current, instrument_id))
    if len(venues) < 2:
        return []
    venues = sorted(venues, key=lambda venue: (venue.instrument_id != selected, venue.name))
    counted = len(venues)
    judged = [venue for venue in venues if venue.current]
    best_bid = max(judged, key=lambda venue: venue.bid, default=None)
    best_ask = min(judged, key=lambda venue: venue.ask, default=None)
    wanted = sorted(venues[1:], key=lambda venue: venue is not best_bid and venue is not best_ask)
    kept = [*venues[:1], *wanted][:MAX_VENUES]
    venues = [venue for venue in venues if venue in kept]
    instrument = market.instruments.get(selected)
    prices = Column(price_decimals(instrument))
    prices.grow([plain(price) for venue in venues for price in (venue.bid, venue.ask)])
    room = width - 3 - names - 2 * (1 + prices.width)
    rows = [fit_row((Span(f" {symbol} over {counted} venues", Role.FAINT),), width)]
    for venue in venues:
        has_bid, has_ask = venue is best_bid, venue is best_ask
        word = "both" if has_bid and has_ask else "bid" if has_bid else "ask" if has_ask else ""
        marks = (f" ◂ best {word}", f" ◂ {word}", f" ◂{word[:1]}") if word else ()
        best = next((mark for mark in marks if len(mark) <= room), "◂" if word else "")
        bid_role, ask_role = (Role.BID, Role.ASK) if venue.current else (Role.FAINT, Role.FAINT)
        row: Row = (
            Span("   " + left(venue.name, names), Role.MUTED),
            Span(" " + prices.text(plain(venue.bid)), bid_role),
            Span(" " + prices.text(plain(venue.ask)), ask_role),
            Span(best, Role.ACCENT),
        )
        rows.append(fit_row(tuple(span for span in row if span.text), width))
    if best_bid is not None and best_ask is not None and best_bid.bid > best_ask.ask:
        words = _crossed(best_bid, best_ask, prices, max(width - 3, 0))
        rows.append(fit_row((Span("   " + words, Role.WARN),), width))
    return rows


def _is_curve(market: Market, instrument_id: InstrumentId) -> bool:
    """Return whether a venue's prices are averages over a quantity, which no level of it quotes."""
    book = market.books.get(instrument_id)
    return book is not None and book.book_type is BookType.VWAP


def _crossed(best_bid: _Venue, best_ask: _Venue, prices: Column, width: int) -> str:
    """Return by how much the venues cross, where one would buy and sell, and bps, as far as there is room."""
    over = subtract(best_bid.bid, best_ask.ask)
    crossed = f"crossed {number(plain(over), prices.shown_decimals)}"
    way, part = f" · {best_ask.name}→{best_bid.name}", f" · {rounded(bps(over, best_bid.bid), 2)} bps"
    return next((text for text in (crossed + part + way, crossed + way) if len(text) <= width), crossed)
