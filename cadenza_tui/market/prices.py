"""The price of an instrument now: out of its book, its ticker or its last trade, and whether it is stale."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

from cadenza_tui.market import exact

if TYPE_CHECKING:
    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Instrument, Nanoseconds, Ticker
    from cadenza_tui.market.state import Market

STALE_AFTER_NS = 60_000_000_000
WIDE = 100
"""A spread of more than one part in so many of the mid is wide: its middle is nobody's price."""
_TWICE_WIDE = Decimal(2 * WIDE)


class Origin(IntEnum):
    """What a price was read from, the best first."""

    BOOK = 0
    TICKER = 1
    LAST = 2


@dataclass(frozen=True, slots=True)
class PriceNow:
    """The price of one base in quote units; ``reason`` says what makes it stale."""

    price: Decimal
    stale: bool = False
    reason: str = ""
    origin: Origin = Origin.BOOK
    wide: bool = False


def market_price(instrument: Instrument, market: Market, now: Nanoseconds | None = None) -> PriceNow | None:
    """Return the mid of the book where that can be trusted, else the ticker's mid or its last price.

    Of a book and a ticker that are both stale, the later one counts. Prices of zero and below are none.
    Without ``now`` age is not judged.
    """
    book = market.books.get(instrument.instrument_id)
    ticker = market.tickers.get(instrument.instrument_id)
    by_book = None if book is None else _book_price(book, now)
    if by_book is not None and not by_book.stale:
        return by_book
    by_ticker = None if ticker is None else _ticker_price(ticker, now)
    if book is None or by_book is None or ticker is None or by_ticker is None:
        return by_ticker or by_book
    return by_book if by_ticker.stale and book.timestamp > ticker.timestamp else by_ticker


def _book_price(book: OrderBook, now: Nanoseconds | None) -> PriceNow | None:
    touch = book.touch()
    if touch is None or touch[0] <= 0 or touch[1] <= 0:
        return None
    why = book.out_of_sync_reason or ("it is crossed" if touch[0] > touch[1] else "")
    if not why and _old(book.timestamp, now):
        why = "it is old"
    reason = f"the book of {book.instrument_id}: {why}" if why else ""
    return _middle(*touch, reason, Origin.BOOK)


def _ticker_price(ticker: Ticker, now: Nanoseconds | None) -> PriceNow | None:
    reason = f"the ticker of {ticker.instrument_id} is old" if _old(ticker.timestamp, now) else ""
    bid, ask = ticker.bid_price, ticker.ask_price
    if bid is not None and ask is not None and 0 < bid <= ask:
        return _middle(bid, ask, reason, Origin.TICKER)
    last = ticker.last_price
    return PriceNow(last, bool(reason), reason, Origin.LAST) if last is not None and last > 0 else None


def _middle(bid: Decimal, ask: Decimal, reason: str, origin: Origin) -> PriceNow:
    both = exact.add(bid, ask)
    wide = exact.multiply(exact.subtract(ask, bid), _TWICE_WIDE) > both
    return PriceNow(exact.halve(both), bool(reason), reason, origin, wide)


def _old(timestamp: Nanoseconds, now: Nanoseconds | None) -> bool:
    return now is not None and now - timestamp > STALE_AFTER_NS
