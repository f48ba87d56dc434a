"""What a quantity of one asset is worth in another, and whether that can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cadenza_tui.market import exact

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.records import Instrument, Nanoseconds
    from cadenza_tui.market.state import Market

INVERSE_PLACES = 12
"""Decimals of a value that had to be divided; a product needs no rounding."""
STALE_AFTER_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class PriceNow:
    """The price of one base in quote units; ``reason`` says what makes it stale."""

    price: Decimal
    stale: bool = False
    reason: str = ""


PriceSource: TypeAlias = Callable[["Instrument"], PriceNow | None]
"""Gives an instrument's price, None where there is none."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """``value`` in quote units, None while no price is known; ``reason`` says why it is stale or missing."""

    value: Decimal | None
    stale: bool = False
    reason: str = ""


def value(
    asset: str,
    quantity: Decimal,
    quote: str,
    market: Market,
    *,
    now: Nanoseconds | None = None,
    price_of: PriceSource | None = None,
) -> Valuation:
    """Return the worth of ``quantity`` of ``asset`` in ``quote``.

    A market quoted so is multiplied exactly; one quoted the other way round is divided, to
    ``INVERSE_PLACES`` decimals. A fresh price is preferred to a stale one. Without ``now`` a price's age is
    not judged.
    """
    if asset == quote:
        return Valuation(quantity)
    source = price_of or (lambda instrument: market_price(instrument, market, now))
    stale: Valuation | None = None
    for instrument in market.instruments.values():
        direct = instrument.base == asset and instrument.quote == quote
        if not direct and not (instrument.base == quote and instrument.quote == asset):
            continue
        found = source(instrument)
        if found is None or found.price <= 0:
            continue
        worth = (
            exact.multiply(quantity, found.price)
            if direct
            else exact.divide(quantity, found.price, INVERSE_PLACES)
        )
        if not found.stale:
            return Valuation(worth)
        stale = stale or Valuation(worth, stale=True, reason=found.reason)
    return stale or Valuation(None, reason=f"no price of {asset} in {quote}")


def market_price(instrument: Instrument, market: Market, now: Nanoseconds | None = None) -> PriceNow | None:
    """Return the mid of the book where it is in sync, else of the ticker, else its last price."""
    book = market.books.get(instrument.instrument_id)
    mid = None if book is None else book.mid()
    if book is not None and mid is not None and book.in_sync and not book.crossed:
        old = now is not None and now - book.timestamp > STALE_AFTER_NS
        if not old:
            return PriceNow(mid)
    ticker = market.tickers.get(instrument.instrument_id)
    if ticker is not None:
        old = now is not None and now - ticker.timestamp > STALE_AFTER_NS
        reason = f"the ticker of {instrument.instrument_id} is old" if old else ""
        if ticker.bid_price is not None and ticker.ask_price is not None:
            return PriceNow(exact.halve(exact.add(ticker.bid_price, ticker.ask_price)), old, reason)
        if ticker.last_price is not None:
            return PriceNow(ticker.last_price, old, reason)
    if book is None or mid is None:
        return None
    why = book.out_of_sync_reason or ("it is crossed" if book.crossed else "it is old")
    return PriceNow(mid, stale=True, reason=f"the book of {instrument.instrument_id}: {why}")
