"""Channel names, in both spellings the platform documents, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .candles import INTERVALS

if TYPE_CHECKING:
    from .exchange import Exchange


class Kind(Enum):
    """What a channel carries."""

    BOOK = "orderBook"
    TRADE = "trade"
    TICKER = "ticker"
    VENUE_TICKER = "venue ticker"
    KLINE = "kline"
    ACCOUNT = "tradingAccount"


@dataclass(frozen=True)
class Target:
    """A channel that exists. ``channel`` is the one spelling it is kept under."""

    kind: Kind
    channel: str
    key: str
    """The instrument's id, the venue or the account's id."""
    interval: str = ""


def resolve(name: str, exchange: Exchange) -> Target | None:
    """Return what a channel name stands for, or None for a namespace, an instrument or an interval we lack.

    An account that does not exist resolves all the same: who may see it is another question.
    """
    namespace, _, rest = name.partition(":")
    if namespace == "tradingAccount" and rest:
        return Target(Kind.ACCOUNT, name, rest)
    if namespace != "market":
        return None
    kind, _, key = rest.partition(":")
    if kind in {"orderBook", "orderbook"} and key in exchange.markets:
        return Target(Kind.BOOK, f"market:orderBook:{key}", key)
    if kind == "trade" and key in exchange.markets:
        return Target(Kind.TRADE, name, key)
    if kind == "ticker":
        if key in exchange.markets:
            return Target(Kind.TICKER, name, key)
        if any(one.venue == key for one in exchange.instruments):
            return Target(Kind.VENUE_TICKER, name, key)
    if kind == "kline":
        instrument_id, _, interval = key.rpartition(":")
        if instrument_id in exchange.markets and interval in INTERVALS:
            return Target(Kind.KLINE, name, instrument_id, interval)
    return None
