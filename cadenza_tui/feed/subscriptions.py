"""Which channels are wanted: for what is shown, what is pinned, and what was shown a moment ago."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cadenza_tui.wire.channels import ChannelName, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.market.records import AccountId, InstrumentId, Nanoseconds
    from cadenza_tui.wire.channels import Templates

CHANNEL_LIMIT = 128
"""The server's default for one connection."""
KEEP_NS = 30_000_000_000
"""An instrument that was left is kept this long, since the way back is short."""
MARKET_KINDS = (Kind.BOOK, Kind.TRADE, Kind.TICKER)
CROSSED_AFTER_S = 5.0
"""A book that stays crossed this long is taken as wrong, and asked for again."""


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """How channels are subscribed to, and when a book is taken as wrong."""

    delta: bool = False
    """Whether to ask for changes of the payload instead of the payload (fossil delta): far fewer bytes over
    the link, for decoding each of them; worth it on a thin link, not on a fast one."""
    request_streams: bool = False
    """Whether to ask the platform to stream each wanted book, as it does not for one that nobody watches.
    That is a command: without it the program only reads."""
    crossed_after_s: float = CROSSED_AFTER_S


@dataclass(frozen=True, slots=True)
class Plan:
    """The channels to have, most wanted first, and those that the limit leaves out."""

    wanted: dict[str, ChannelName]
    refused: dict[str, ChannelName]


@dataclass(slots=True)
class Wants:
    """What is on screen and what is pinned. Pure: ``now`` (ns) is passed in."""

    templates: Templates
    limit: int = CHANNEL_LIMIT
    kinds: tuple[Kind, ...] = MARKET_KINDS
    """The channels of an instrument."""
    shown: InstrumentId | None = None
    pinned: tuple[InstrumentId, ...] = ()
    accounts: tuple[AccountId, ...] = ()
    _left: dict[InstrumentId, Nanoseconds] = field(default_factory=dict)
    """Instruments that were shown, and when they were left."""

    def show(self, instrument_id: InstrumentId, now: Nanoseconds) -> None:
        """Turn to an instrument."""
        if self.shown is not None and self.shown != instrument_id:
            self._left[self.shown] = now
        self._left.pop(instrument_id, None)
        self.shown = instrument_id

    def pin(self, ids: Iterable[InstrumentId]) -> None:
        """Replace what is pinned."""
        self.pinned = tuple(dict.fromkeys(ids))

    def instruments(self, now: Nanoseconds) -> list[InstrumentId]:
        """Return the instruments that are wanted at ``now``, most wanted first."""
        for instrument_id, since in list(self._left.items()):
            if now - since >= KEEP_NS:
                del self._left[instrument_id]
        latest_left = sorted(self._left, key=self._left.__getitem__, reverse=True)
        shown = () if self.shown is None else (self.shown,)
        return list(dict.fromkeys((*shown, *self.pinned, *latest_left)))

    def next_change(self) -> Nanoseconds | None:
        """Return when an instrument that was left is to be let go, or None."""
        return min(self._left.values()) + KEEP_NS if self._left else None

    def plan(self, now: Nanoseconds) -> Plan:
        """Return the channels for all of it; the accounts come right after what is shown."""
        names: dict[str, ChannelName] = {}
        instruments = self.instruments(now)
        first = instruments[:1] if self.shown is not None else []
        for instrument_id in first:
            self._add_market(names, instrument_id)
        for account_id in self.accounts:
            self._add(names, ChannelName(Kind.ACCOUNT, account_id=account_id))
        for instrument_id in instruments[len(first) :]:
            self._add_market(names, instrument_id)
        entries = list(names.items())
        return Plan(dict(entries[: self.limit]), dict(entries[self.limit :]))

    def _add_market(self, names: dict[str, ChannelName], instrument_id: InstrumentId) -> None:
        for kind in self.kinds:
            self._add(names, ChannelName(kind, instrument_id=instrument_id))

    def _add(self, names: dict[str, ChannelName], name: ChannelName) -> None:
        channel = self.templates.channel(name)
        if channel is not None:
            names.setdefault(channel, name)
