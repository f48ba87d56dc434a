"""The one way by which publications reach the market: live, replayed and streamed alike. Synchronous.

channel → route → decode → apply → health → ``on_event``. What cannot be used is counted by name on the health
of its channel and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from cadenza_tui.feed.books import NOT_AWAITED, Books
from cadenza_tui.feed.health import Lag
from cadenza_tui.feed.route import Route
from cadenza_tui.market.health import ChannelHealth, ChannelState
from cadenza_tui.market.records import (
    BookUpdate,
    Kline,
    Order,
    Portfolio,
    Print,
    Ticker,
    TradingAccount,
    UpdateMode,
)
from cadenza_tui.market.state import Topic
from cadenza_tui.market.times import DAY
from cadenza_tui.wire.channels import ChannelName, Kind, parse
from cadenza_tui.wire.decode import Rejected, decode
from cadenza_tui.wire.rejected import RejectReason

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from cadenza_tui.feed.books import BookWatch
    from cadenza_tui.market.records import InstrumentId, Nanoseconds
    from cadenza_tui.market.state import Market
    from cadenza_tui.wire.channels import Templates

Event: TypeAlias = BookUpdate | Print | Ticker | Kline | Portfolio | Order | TradingAccount
"""What was applied, as ``on_event`` is told."""

MAX_ROUTES = 4_096
UNKNOWN_CHANNEL = "unknown channel"
TOO_MANY_CHANNELS = "too many channels"
UNKNOWN_INSTRUMENT = "unknown instrument"
OTHER_ACCOUNT = "account of another channel"
INTERNAL = "internal error"


class Ingest:
    """Publications in, market state out. ``now`` is the source's clock in ns.

    Channels that were asked for are made known by ``register``. With ``open_routes`` (a recording) any
    channel that can be told apart is taken as asked for, ``on_route`` is told of it, and offsets are checked
    here: live, the client checks them.
    """

    def __init__(
        self,
        market: Market,
        now: Callable[[], Nanoseconds],
        *,
        on_event: Callable[[Event], None] | None = None,
        watch: BookWatch | None = None,
        open_routes: bool = False,
        on_route: Callable[[ChannelName], None] | None = None,
        templates: Templates | None = None,
    ) -> None:
        self.market = market
        self.lag = Lag()
        self.clock_offset = 0
        """Server time minus our time, in ns, where the two differ more than the link explains."""
        self._now = now
        self._on_event = on_event
        self.books = Books(market, self._applied, watch)
        self._open = open_routes
        self._on_route = on_route
        self._templates = templates
        self._routes: dict[str, Route] = {}
        self._channels: dict[tuple[Kind, str], str] = {}
        self._received = self._midnight = 0
        """When the latest publication came, and the beginning of that day."""

    # --- channels

    def register(self, channel: str, name: ChannelName) -> Route:
        """Make a channel known that is asked for."""
        route = self._routes.get(channel)
        if route is None:
            health = self.market.health.channels.get(channel)
            if health is None:
                health = ChannelHealth(channel, since=self._now())
                self.market.health.channels[channel] = health
            route = self._routes[channel] = Route(channel, name, health)
            self._channels[route.subject] = channel
        return route

    def forget(self, channel: str) -> None:
        """Let a channel go, with its health."""
        route = self._routes.pop(channel, None)
        if route is not None and self._channels.get(route.subject) == channel:
            del self._channels[route.subject]
        self.market.health.channels.pop(channel, None)

    def route(self, channel: str) -> Route | None:
        """Return the route of a channel that is known."""
        return self._routes.get(channel)

    def channel_of(self, kind: Kind, subject: str) -> str:
        """Return the channel of a kind that is about an instrument, an account or a venue, in the words of
        ``Route.subject``; "" where there is none."""
        return self._channels.get((kind, subject), "")

    def routes(self) -> list[Route]:
        """Return all routes."""
        return list(self._routes.values())

    def _unknown(self, channel: str) -> Route | None:
        """Return a new route for a channel that nobody registered, or count it."""
        rejected = self.market.health.connection.rejected
        name = parse(channel, self._templates) if self._open else None
        if name is None:
            rejected[UNKNOWN_CHANNEL] += 1
            return None
        if len(self._routes) >= MAX_ROUTES:
            rejected[TOO_MANY_CHANNELS] += 1
            return None
        if self._on_route is not None:
            self._on_route(name)
        return self.register(channel, name)

    def preview(self, channel: str) -> None:
        """Take note of a recording's channel before its publications are played."""
        if self._open and channel not in self._routes:
            self._unknown(channel)

    # --- publications

    def publication(
        self, channel: str, data: msgspec.Raw | bytes, offset: int, epoch: str, received: Nanoseconds
    ) -> None:
        """Take one publication in. Never raises."""
        connection = self.market.health.connection
        connection.messages += 1
        if not 0 <= received - self._midnight < DAY:
            self._begin_day(received)
        self._received = received
        route = self._routes.get(channel) or self._unknown(channel)
        if route is None:
            return
        health = route.health
        health.messages += 1
        health.last_message = received
        if offset:
            if self._open and health.offset is not None and offset > health.offset + 1:
                self._jump(route, offset - health.offset - 1)
            health.offset = offset
            if epoch:
                health.epoch = epoch
        try:
            self._take(route, data, received)
        except Rejected as rejection:
            health.rejected[str(rejection.reason)] += 1
            if rejection.reason is not RejectReason.OTHER_INSTRUMENT:
                self._unread(route, str(rejection.reason))
        except Exception:  # one message must not end the session; the count says that it happened
            health.rejected[INTERNAL] += 1
            self._unread(route, INTERNAL)

    def _begin_day(self, received: Nanoseconds) -> None:
        """Let the accounts see midnight, at whatever speed a recording passes it."""
        if self._received:
            self.market.roll_day(self._received)
        self.market.roll_day(received)
        self._midnight = received - received % DAY

    def _unread(self, route: Route, reason: str) -> None:
        if route.name.kind is Kind.BOOK:
            self.books.unread(route, reason)

    def _jump(self, route: Route, missing: int) -> None:
        """Note that a recording lacks messages. There is nobody to ask, so it is played as it is."""
        health = route.health
        health.gaps += 1
        self._follow(route, followed=False)
        health.reason = f"the recording lacks {missing:,} messages after offset {health.offset}"
        self.market.dirty.mark(Topic.HEALTH)

    def _take(self, route: Route, data: msgspec.Raw | bytes, received: Nanoseconds) -> None:
        decoded = decode(route.name.kind, data, route.name)
        if isinstance(decoded, BookUpdate):
            if self._known(route, decoded.instrument_id):
                self.books.take(route, decoded, received)
        elif isinstance(decoded, Ticker):
            if self._known(route, decoded.instrument_id):
                if self.market.apply_ticker(decoded):
                    self.market.trails.note_ticker(self.market.tickers[decoded.instrument_id])
                self._applied(route, decoded, decoded.timestamp, received)
        elif isinstance(decoded, Kline):
            if self._known(route, decoded.instrument_id):
                self.market.apply_kline(decoded)
                self._applied(route, decoded, None, received)
        elif route.name.kind is Kind.ACCOUNT:
            for event in decoded:
                self._account(route, cast("Portfolio | Order | TradingAccount", event), received)
        else:
            for event in decoded:
                trade = cast("Print", event)
                if self._known(route, trade.instrument_id):
                    if self.market.apply_print(trade):
                        self.market.trails.note(trade.instrument_id, trade.price)
                    self._applied(route, trade, trade.timestamp, received)

    def _known(self, route: Route, instrument_id: InstrumentId) -> bool:
        """Return whether an instrument is the channel's own, or at least a listed one; count it if not."""
        if instrument_id == route.name.instrument_id:
            if not self._open and instrument_id not in self.market.instruments and self.market.instruments:
                route.health.rejected[UNKNOWN_INSTRUMENT] += 1  # counted, and yet it is what was asked for
            return True
        if route.name.instrument_id is None and (self._open or instrument_id in self.market.instruments):
            return True
        route.health.rejected[UNKNOWN_INSTRUMENT] += 1
        return False

    def _applied(
        self, route: Route, event: Event, timestamp: Nanoseconds | None, received: Nanoseconds
    ) -> None:
        health = route.health
        if health.state is not ChannelState.LIVE and _is_whole(route, event):
            self._live(route)
        if timestamp:
            lag = received + self.clock_offset - timestamp
            self.lag.record(lag)
            self.market.health.connection.lag_ms = lag / 1e6
            if route.name.kind is Kind.BOOK:
                health.lag_ns = lag
        if self._on_event is not None:
            self._on_event(event)

    def _live(self, route: Route) -> None:
        health = route.health
        health.state = ChannelState.LIVE
        health.reason = ""
        health.since = self._now()
        if route.name.kind is Kind.BOOK and route.name.instrument_id is not None:
            self.market.unfed.discard(route.name.instrument_id)
        self.market.dirty.mark(Topic.HEALTH)
        self._follow(route, followed=True)

    def follow(self, route: Route) -> None:
        """Tell the account of a channel whose state changed whether it is followed."""
        self._follow(route, followed=route.health.state is ChannelState.LIVE)

    def _follow(self, route: Route, *, followed: bool) -> None:
        if route.name.kind is Kind.ACCOUNT and route.name.account_id is not None:
            since = route.health.last_message or 0
            self.market.follow(route.name.account_id, followed=followed, since=since)

    def _account(
        self, route: Route, event: Portfolio | Order | TradingAccount, received: Nanoseconds
    ) -> None:
        if event.account_id != route.name.account_id:
            route.health.rejected[OTHER_ACCOUNT] += 1
            return
        if isinstance(event, Portfolio):
            self.market.apply_portfolio(event, received)
            if self._open and event.mode is UpdateMode.SNAPSHOT and event.balances is not None:
                self._follow(route, followed=True)
        elif isinstance(event, Order):
            self.market.apply_order(event, received)
        else:
            self.market.apply_account(event, received)
        self._applied(route, event, None, received)

    # --- books

    def hold(self, channel: str, *, missed: bool = False, new_stream: bool = False) -> None:
        """Hold the book updates of a channel back until a snapshot is there.

        ``missed`` says that messages may lack before the next, ``new_stream`` that their times begin anew.
        """
        route = self._routes.get(channel)
        if route is not None:
            self.books.hold(route, missed=missed, new_stream=new_stream)

    def snapshot(self, channel: str, snapshot: BookUpdate, received: Nanoseconds) -> str:
        """Apply a snapshot that was asked for, and on top of it what was held and is not in it.

        Returns why it cannot serve, "" where it does: see ``feed.hold``.
        """
        route = self._routes.get(channel)
        return NOT_AWAITED if route is None else self.books.snapshot(route, snapshot, received)


def _is_whole(route: Route, event: Event) -> bool:
    """Return whether ``event`` makes its channel live: after a loss only what is complete does."""
    state = route.health.state
    if route.name.kind is Kind.BOOK or state not in {ChannelState.RESYNCING, ChannelState.AWAITING}:
        return True
    return (
        state is ChannelState.AWAITING
        and isinstance(event, Portfolio)
        and event.mode is UpdateMode.SNAPSHOT
        and event.balances is not None
    )
