"""How far what a row of the watchlist says can be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cadenza_tui.market.trust import Trust, book_trust, channel_trust
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.market.records import InstrumentId, Nanoseconds


def quote_trust(ingest: Ingest, instrument_id: InstrumentId, now: Nanoseconds) -> Trust:
    """Return the trust of an instrument's book where one is kept, else that of its ticker.

    Where a venue's tickers come through one channel the age is that of the instrument's own, by the server's
    clock.
    """
    market = ingest.market
    channel = ingest.channel_of(Kind.BOOK, instrument_id)
    if channel:
        return book_trust(market, instrument_id, channel, now)
    channel = ingest.channel_of(Kind.TICKER, instrument_id)
    if channel:
        return channel_trust(market.health, channel, now)
    channel = ingest.channel_of(Kind.VENUE_TICKER, instrument_id.partition(":")[0])
    trust = channel_trust(market.health, channel, now)
    ticker = market.tickers.get(instrument_id)
    age = None if ticker is None else max(0, now + ingest.clock_offset - ticker.timestamp)
    return replace(trust, age_ns=age)
