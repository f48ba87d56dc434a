"""What is known of one instrument in one line: its last price, its change, its touch."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import add, halve

if TYPE_CHECKING:
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market


class Quote(NamedTuple):
    """What is known of one instrument; None is unknown. ``is_mid`` marks a price that is not a last one."""

    price: Decimal | None
    is_mid: bool
    change: Decimal | None
    bid: Decimal | None
    ask: Decimal | None


def quote(market: Market, instrument_id: InstrumentId) -> Quote:
    """Return what is known: the touch of a book that is in sync, else of the ticker; the last price of the
    ticker or of the tape, whichever is later, else the mid."""
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
    tape = market.tapes.get(instrument_id)
    latest = tape.latest(1) if tape is not None else []
    if latest and (price is None or (ticker is not None and latest[0].timestamp > ticker.timestamp)):
        price = latest[0].price
    is_mid = price is None and bid is not None and ask is not None
    if is_mid and bid is not None and ask is not None:
        price = halve(add(bid, ask))
    return Quote(price, is_mid, ticker.price_change_percent if ticker is not None else None, bid, ask)
