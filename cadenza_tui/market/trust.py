"""How far what is on the screen can be trusted, in one word and one sentence.

Quiet and stale differ by life on the line, not by data: a market may rest for minutes, but the server's pings
do not (a watchdog that only counts data fires on every quiet market).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cadenza_tui.market.health import ChannelState, ConnectionState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.market.health import ChannelHealth, ConnectionHealth, Health
    from cadenza_tui.market.records import InstrumentId, Nanoseconds
    from cadenza_tui.market.state import Market

SECOND = 1_000_000_000
QUIET_AFTER_NS = 5 * SECOND
LATE_NS = 3 * SECOND
"""A book whose changes come this much later than usual is not what the venue has."""
PONG_GRACE_S = 10.0
"""The client's own dead-link timer waits as long past a ping that is due."""


class TrustState(StrEnum):
    """The states that look different at a glance."""

    CONNECTING = "connecting"
    AWAITING = "awaiting snapshot"
    LIVE = "live"
    QUIET = "quiet"
    STALE = "stale"
    RESYNCING = "resyncing"
    CROSSED = "crossed"
    LOCKED = "locked"
    UNAUTHORISED = "unauthorised"
    DISCONNECTED = "disconnected"
    REPLAYING = "replaying"
    FAILED = "failed"
    ENDED = "ended"


_CURRENT = frozenset({TrustState.LIVE, TrustState.QUIET, TrustState.LOCKED, TrustState.REPLAYING})


@dataclass(frozen=True, slots=True)
class Trust:
    """A state, why it is so, and how old the newest content is.

    ``age_ns`` is None while nothing has arrived. ``dimmed`` means: do not take the content as current.
    """

    state: TrustState
    reason: str = ""
    age_ns: int | None = None
    dimmed: bool = False


def connection_trust(health: Health, now: Nanoseconds) -> Trust:
    """Return how far the connection can be trusted; the age is that of the last frame, pings included."""
    connection = health.connection
    age = None if connection.last_frame is None else max(0, now - connection.last_frame)
    return _trust(*_connection_state(connection, age), age)


def channel_trust(health: Health, channel: str, now: Nanoseconds) -> Trust:
    """Return how far one channel can be trusted; the age is that of its last message."""
    link = connection_trust(health, now)
    facts = health.channels.get(channel)
    age = None if facts is None or facts.last_message is None else max(0, now - facts.last_message)
    return _trust(*_channel_state(link, facts, age), age)


def book_trust(market: Market, instrument_id: InstrumentId, channel: str, now: Nanoseconds) -> Trust:
    """Return how far one book can be trusted: its channel's state, and what the book knows of itself."""
    of_channel = channel_trust(market.health, channel, now)
    if of_channel.state not in _CURRENT and of_channel.state is not TrustState.AWAITING:
        return of_channel
    age = of_channel.age_ns
    book = market.books.get(instrument_id)
    if book is None or not book.has_snapshot:
        return _trust(TrustState.AWAITING, "no snapshot yet", age)
    if book.out_of_sync_reason:
        return _trust(TrustState.RESYNCING, book.out_of_sync_reason, age)
    if book.crossed:
        return _trust(TrustState.CROSSED, "the best bid is above the best ask", age)
    if of_channel.state is TrustState.AWAITING:
        return of_channel
    if book.locked and of_channel.state is TrustState.LIVE:
        return _trust(TrustState.LOCKED, "the best bid and ask are one price", age)
    return of_channel


def worst(trusts: Iterable[Trust]) -> Trust | None:
    """Return the first of the trusts whose content is not current, else the first; None for none."""
    first: Trust | None = None
    for trust in trusts:
        if trust.dimmed:
            return trust
        first = first or trust
    return first


def _trust(state: TrustState, reason: str, age_ns: int | None) -> Trust:
    return Trust(state, reason, age_ns, dimmed=state not in _CURRENT)


def _connection_state(connection: ConnectionHealth, age: int | None) -> tuple[TrustState, str]:
    match connection.state:
        case ConnectionState.UNAUTHORISED:
            return TrustState.UNAUTHORISED, connection.remedy or connection.reason
        case ConnectionState.DISCONNECTED:
            return TrustState.DISCONNECTED, connection.reason
        case ConnectionState.ENDED:
            return TrustState.ENDED, connection.reason or "the recording has ended"
        case ConnectionState.REPLAYING:
            return TrustState.REPLAYING, connection.reason
        case ConnectionState.CONNECTING:
            if connection.last_frame is None:
                return TrustState.CONNECTING, connection.reason
            return TrustState.STALE, connection.reason or "the connection is down"
        case ConnectionState.CONNECTED:
            limit = int((connection.ping_interval_s + PONG_GRACE_S) * SECOND)
            if connection.ping_interval_s and age is not None and age > limit:
                return TrustState.STALE, f"nothing for {age // SECOND} s, not even a ping"
            return TrustState.LIVE, ""


def _channel_state(link: Trust, facts: ChannelHealth | None, age: int | None) -> tuple[TrustState, str]:
    if link.state not in _CURRENT:
        return link.state, link.reason
    if facts is None:
        return TrustState.AWAITING, "not subscribed"
    match facts.state:
        case ChannelState.FAILED:
            return TrustState.FAILED, facts.reason
        case ChannelState.RESYNCING:
            return TrustState.RESYNCING, facts.reason
        case ChannelState.AWAITING:
            return TrustState.AWAITING, facts.reason
        case ChannelState.SUBSCRIBING:
            return TrustState.AWAITING, facts.reason or "subscribing"
        case ChannelState.LIVE:
            if link.state is TrustState.REPLAYING:
                return link.state, link.reason
            if facts.late_ns >= LATE_NS:
                return TrustState.STALE, f"its changes come {facts.late_ns // SECOND} s late"
            if age is None or age > QUIET_AFTER_NS:
                return TrustState.QUIET, ""
            return TrustState.LIVE, ""
