"""Channel names: the two spellings the platform documents, or templates of one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache

MAXIMUM_CHANNEL = 255
"""The server's own limit on a channel's name."""


class Kind(StrEnum):
    """What a channel carries."""

    BOOK = "book"
    TRADE = "trade"
    TICKER = "ticker"
    VENUE_TICKER = "venue_ticker"
    KLINE = "kline"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class ChannelName:
    """What a channel is about: an instrument, a venue (all its tickers) or an account."""

    kind: Kind
    instrument_id: str | None = None
    account_id: str | None = None
    interval: str | None = None
    venue: str | None = None


_PARTS = {
    "instrumentId": r"(?P<instrumentId>[^:]+:.+)",
    "venue": r"(?P<venue>[^:]+)",
    "symbol": r"(?P<symbol>.+)",
    "interval": r"(?P<interval>[0-9]{1,4}[a-zA-Z])",
    "accountId": r"(?P<accountId>.+)",
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NEEDED = {
    Kind.BOOK: "an instrument",
    Kind.TRADE: "an instrument",
    Kind.TICKER: "an instrument",
    Kind.VENUE_TICKER: "a venue",
    Kind.KLINE: "an instrument and an interval",
    Kind.ACCOUNT: "an account",
}


def _check(kind: Kind, template: str) -> None:
    if not template:
        return
    names = _PLACEHOLDER.findall(template)
    unknown = [each for each in names if each not in _PARTS]
    if unknown or len(set(names)) != len(names):
        wrong = f"{{{unknown[0]}}} is unknown" if unknown else "a placeholder stands twice"
        raise ValueError(f"channel template {template!r}: {wrong}")
    subject = {
        Kind.VENUE_TICKER: {"venue"} <= set(names),
        Kind.ACCOUNT: {"accountId"} <= set(names),
    }.get(kind, "instrumentId" in names or {"venue", "symbol"} <= set(names))
    if not subject or (kind is Kind.KLINE and "interval" not in names):
        raise ValueError(f"channel template {template!r}: it must name {_NEEDED[kind]}")


@dataclass(frozen=True, slots=True)
class Templates:
    """How each kind of channel is spelled; an empty template means that there is no such channel.

    Placeholders are ``{instrumentId}`` or ``{venue}`` and ``{symbol}``, ``{interval}`` and ``{accountId}``.
    Raises ValueError, with a sentence for the user, where a template cannot name its subject.
    """

    book: str
    trade: str
    ticker: str
    kline: str
    account: str
    venue_ticker: str = "market:ticker:{venue}"

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(Kind(each.name), getattr(self, each.name))

    def channel(self, name: ChannelName) -> str | None:
        """Return the channel's name, None where these templates have none for it."""
        template: str = getattr(self, name.kind.value)
        venue, _, symbol = (name.instrument_id or "").partition(":")
        values = {
            "instrumentId": name.instrument_id,
            "venue": venue or name.venue,
            "symbol": symbol,
            "interval": name.interval,
            "accountId": name.account_id,
        }
        wanted = _PLACEHOLDER.findall(template)
        if not template or not all(values[each] for each in wanted):
            return None
        return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)

    def parse(self, channel: str) -> ChannelName | None:
        """Return what a channel spelled so is about, None where it is spelled otherwise."""
        if len(channel) > MAXIMUM_CHANNEL:
            return None
        for kind, pattern in _patterns(self):
            found = pattern.fullmatch(channel)
            if found is not None:
                return _named(kind, found.groupdict())
        return None


API_PAGE = Templates(
    book="market:orderBook:{instrumentId}",
    trade="market:trade:{instrumentId}",
    ticker="market:ticker:{instrumentId}",
    kline="market:kline:{instrumentId}:{interval}",
    account="tradingAccount:{accountId}",
)
"""As the WebSocket API page spells them; tickers and klines, which it lacks, as OpenAPI does."""

OPENAPI = Templates(
    book="market:orderbook:{venue}:{symbol}",
    trade="market:trade:{venue}:{symbol}",
    ticker="market:ticker:{venue}:{symbol}",
    kline="market:kline:{venue}:{symbol}:{interval}",
    account="tradingAccount:{accountId}",
)
"""As the OpenAPI document 3.0.1 spells them."""

PRESETS = {"api-page": API_PAGE, "openapi": OPENAPI}


@lru_cache(maxsize=4_096)
def parse(channel: str, templates: Templates | None = None) -> ChannelName | None:
    """Return what a channel is about in either spelling, or in that of ``templates``; None for any other."""
    for each in (templates, API_PAGE, OPENAPI):
        named = None if each is None else each.parse(channel)
        if named is not None:
            return named
    return None


@lru_cache(maxsize=32)
def _patterns(templates: Templates) -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    patterns = []
    for kind in (Kind.BOOK, Kind.TRADE, Kind.TICKER, Kind.VENUE_TICKER, Kind.KLINE, Kind.ACCOUNT):
        template: str = getattr(templates, kind.value)
        if template:
            pieces = _PLACEHOLDER.split(template)
            pattern = "".join(
                _PARTS[piece] if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)
            )
            patterns.append((kind, re.compile(pattern)))
    return tuple(patterns)


def _named(kind: Kind, parts: dict[str, str]) -> ChannelName:
    instrument_id = parts.get("instrumentId")
    if instrument_id is None and "symbol" in parts:
        instrument_id = f"{parts['venue']}:{parts['symbol']}"
    return ChannelName(
        kind,
        instrument_id,
        parts.get("accountId"),
        parts.get("interval"),
        parts.get("venue") if kind is Kind.VENUE_TICKER else None,
    )
