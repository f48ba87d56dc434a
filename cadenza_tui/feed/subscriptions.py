"""Which channels are wanted: for what is shown, what is pinned, and what was looked at a moment ago."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from cadenza_tui.market.interest import Interest
from cadenza_tui.wire.channels import ChannelName, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cadenza_tui.market.records import AccountId, InstrumentId, Nanoseconds
    from cadenza_tui.wire.channels import Templates

CHANNEL_LIMIT = 128
"""The server's default for one connection."""
KEEP_NS = 30_000_000_000
"""What was left is kept this long, since the way back is short."""
MARKET_KINDS = (Kind.BOOK, Kind.TRADE, Kind.TICKER)
CROSSED_AFTER_S = 5.0
"""A book that stays crossed this long is taken as wrong, and asked for again."""
FULL_PINS = 9
"""The pinned instruments that have all their channels though they are not shown: those with a key."""
MAX_VENUES = 12
"""The books of one symbol that are wanted at once."""
WHOLE_FROM = 24
"""Instruments of one venue that make the channel of all its tickers worth it ..."""
WHOLE_SHARE = 4
"""... if they are one of so many that the venue lists: more would bring mostly what nobody looks at."""

T = TypeVar("T")


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
    """The channels to have, most wanted first, and those that the limit leaves out.

    What is merely kept for a while is in neither where there is no room for it.
    """

    wanted: dict[str, ChannelName]
    refused: dict[str, ChannelName]


class Lately(Generic[T]):
    """What was looked at until a moment ago. Pure: ``now`` (ns) is passed in."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: dict[T, Nanoseconds] = {}

    def turn(self, before: Iterable[T], after: Collection[T], now: Nanoseconds) -> None:
        """Note that what was looked at ``before`` has given way to what is now."""
        for one in before:
            if one not in after:
                self._left[one] = now
        for one in after:
            self._left.pop(one, None)

    def kept(self, now: Nanoseconds) -> list[T]:
        """Return what is kept at ``now``, the latest left first; forget the rest."""
        for one, since in list(self._left.items()):
            if now - since >= KEEP_NS:
                del self._left[one]
        return sorted(self._left, key=self._left.__getitem__, reverse=True)

    def next_change(self) -> Nanoseconds | None:
        """Return when the first of it is to be let go, or None."""
        return min(self._left.values()) + KEEP_NS if self._left else None


@dataclass(slots=True)
class Wants:
    """What is on screen and what is pinned. Pure: ``now`` (ns) is passed in."""

    templates: Templates
    limit: int = CHANNEL_LIMIT
    kinds: tuple[Kind, ...] = MARKET_KINDS
    """The channels of an instrument; without any only accounts are wanted."""
    shown: InstrumentId | None = None
    pinned: tuple[InstrumentId, ...] = ()
    accounts: tuple[AccountId, ...] = ()
    interest: Interest | None = None
    """None while nobody looks, as without a screen: then every pinned instrument has all its channels. Else
    only those with a key have, and of the others the rows in sight have tickers."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """How many instruments each venue lists, as far as that is known."""
    without_whole: set[str] = field(default_factory=set)
    """Venues that have no channel of all their tickers."""
    _shown_lately: Lately[InstrumentId] = field(default_factory=Lately)
    _rows_lately: Lately[InstrumentId] = field(default_factory=Lately)
    _venues_lately: Lately[InstrumentId] = field(default_factory=Lately)
    _candles_lately: Lately[tuple[InstrumentId, str]] = field(default_factory=Lately)

    def show(self, instrument_id: InstrumentId, now: Nanoseconds) -> None:
        """Turn to an instrument."""
        self._shown_lately.turn(_one(self.shown), (instrument_id,), now)
        self.shown = instrument_id

    def pin(self, ids: Iterable[InstrumentId]) -> None:
        """Replace what is pinned."""
        self.pinned = tuple(dict.fromkeys(ids))

    def want(self, interest: Interest, now: Nanoseconds) -> None:
        """Turn to what the screen shows besides."""
        before, self.interest = self.interest or Interest(), interest
        self._rows_lately.turn(before.visible, dict.fromkeys(interest.visible), now)
        self._venues_lately.turn(before.venues, interest.venues, now)
        self._candles_lately.turn(_one(before.candles), _one(interest.candles), now)

    @property
    def full(self) -> tuple[InstrumentId, ...]:
        """The pinned instruments that have all their channels."""
        return self.pinned if self.interest is None else self.pinned[:FULL_PINS]

    def instruments(self, now: Nanoseconds) -> list[InstrumentId]:
        """Return the instruments that are wanted with all their channels at ``now``, most wanted first."""
        return list(dict.fromkeys((*_one(self.shown), *self.full, *self._shown_lately.kept(now))))

    def rows(self) -> list[InstrumentId]:
        """Return the instruments of which tickers alone are wanted, the rows in sight."""
        having = {*_one(self.shown), *self.full}
        visible = () if self.interest is None else self.interest.visible
        return [one for one in dict.fromkeys(visible) if one not in having]

    def next_change(self) -> Nanoseconds | None:
        """Return when something that was left is to be let go, or None."""
        changes = [
            change
            for lately in (self._shown_lately, self._rows_lately, self._venues_lately, self._candles_lately)
            if (change := lately.next_change()) is not None
        ]
        return min(changes, default=None)

    def plan(self, now: Nanoseconds) -> Plan:
        """Return the channels for all of it.

        What is shown comes first, then the accounts, the chart's candles, the venues' books, the pinned, the
        rows in sight, and what was left a moment ago.
        """
        names: dict[str, ChannelName] = {}
        whole = self.whole()
        self._add_market(names, _one(self.shown), ())
        for account_id in self.accounts:
            self._add(names, ChannelName(Kind.ACCOUNT, account_id=account_id))
        if self.kinds:
            interest = self.interest or Interest()
            self._add_candles(names, _one(interest.candles))
            self._add_books(names, interest.venues[:MAX_VENUES])
            self._add_market(names, self.full, whole)
            for venue in whole:
                self._add(names, ChannelName(Kind.VENUE_TICKER, venue=venue))
            self._add_tickers(names, self.rows(), whole)
        needed = len(names)
        if self.kinds:
            self._add_market(names, self._shown_lately.kept(now), whole)
            self._add_candles(names, self._candles_lately.kept(now))
            self._add_books(names, self._venues_lately.kept(now))
            self._add_tickers(names, self._rows_lately.kept(now), whole)
        entries = list(names.items())
        return Plan(dict(entries[: self.limit]), dict(entries[self.limit : needed]))

    def whole(self) -> tuple[str, ...]:
        """Return the venues all of whose tickers are wanted in one channel: those with many pinned."""
        listed = self.pinned[len(self.full) :]
        if not self.kinds or len(listed) < WHOLE_FROM:
            return ()
        counted = Counter(one.partition(":")[0] for one in listed)
        return tuple(
            venue
            for venue, count in counted.items()
            if count >= WHOLE_FROM
            and count * WHOLE_SHARE >= self.sizes.get(venue, 0)
            and venue not in self.without_whole
            and self.templates.channel(ChannelName(Kind.VENUE_TICKER, venue=venue)) is not None
        )

    def _add_market(
        self, names: dict[str, ChannelName], ids: Iterable[InstrumentId], whole: Collection[str]
    ) -> None:
        for instrument_id in ids:
            for kind in self.kinds:
                if kind is Kind.TICKER:
                    self._add_tickers(names, (instrument_id,), whole)
                else:
                    self._add(names, ChannelName(kind, instrument_id=instrument_id))

    def _add_tickers(
        self, names: dict[str, ChannelName], ids: Iterable[InstrumentId], whole: Collection[str]
    ) -> None:
        if Kind.TICKER not in self.kinds:
            return
        for instrument_id in ids:
            if instrument_id.partition(":")[0] not in whole:
                self._add(names, ChannelName(Kind.TICKER, instrument_id=instrument_id))

    def _add_books(self, names: dict[str, ChannelName], ids: Iterable[InstrumentId]) -> None:
        for instrument_id in ids:
            self._add(names, ChannelName(Kind.BOOK, instrument_id=instrument_id))

    def _add_candles(self, names: dict[str, ChannelName], charts: Iterable[tuple[InstrumentId, str]]) -> None:
        for instrument_id, interval in charts:
            self._add(names, ChannelName(Kind.KLINE, instrument_id=instrument_id, interval=interval))

    def _add(self, names: dict[str, ChannelName], name: ChannelName) -> None:
        channel = self.templates.channel(name)
        if channel is not None:
            names.setdefault(channel, name)


def _one(thing: T | None) -> tuple[T, ...]:
    return () if thing is None else (thing,)
