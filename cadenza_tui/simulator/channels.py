"""Channel names, in both spellings the platform documents, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .candles import INTERVALS

if TYPE_CHECKING:
    from .exchange import Exchange, Publication
    from .namespaces import Namespace


class Kind(Enum):
    """What a channel carries."""

    BOOK = "orderBook"
    TRADE = "trade"
    TICKER = "ticker"
    VENUE_TICKER = "venue ticker"
    KLINE = "kline"
    ACCOUNT = "tradingAccount"
    OPEN = "open"


@dataclass(frozen=True)
class Target:
    """A channel that exists. ``channel`` is the one spelling it is kept under."""

    kind: Kind
    channel: str
    key: str
    """The instrument's id, the venue or the account's id; of an open channel the name itself."""
    interval: str = ""


def resolve(name: str, exchange: Exchange, namespace: Namespace) -> Target | None:
    """Return what a channel name stands for, or None for an instrument or an interval we lack.

    In an open namespace what the exchange lacks stands for itself. Elsewhere an account that does not exist
    resolves all the same: who may see it is another question.
    """
    target = _known(name, exchange)
    if not namespace.open:
        return target
    if target is None or (target.kind is Kind.ACCOUNT and target.key not in exchange.accounts):
        return Target(Kind.OPEN, name, name)
    return target


def opening(target: Target, exchange: Exchange) -> list[Publication]:
    """Return the present state of a channel, as its next messages; nothing for prints and open channels."""
    if target.kind is Kind.BOOK:
        return [exchange.book_snapshot(target.key)]
    if target.kind is Kind.TICKER:
        return [exchange.ticker(target.key)]
    if target.kind is Kind.VENUE_TICKER:
        return [
            exchange.ticker(one.instrument_id)._replace(channel=target.channel)
            for one in exchange.instruments
            if one.venue == target.key
        ]
    if target.kind is Kind.KLINE:
        newest = exchange.kline(target.key, target.interval)
        return [] if newest is None else [newest]
    if target.kind is Kind.ACCOUNT:
        return [exchange.portfolio_snapshot(target.key)]
    return []


def _known(name: str, exchange: Exchange) -> Target | None:
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
