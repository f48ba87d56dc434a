"""The channels of a live feed: kept as they are wanted, and their books as their streams allow."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.errors import ReplyError
from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed.books import UNPROVEN
from cadenza_tui.feed.crossed import CrossedBooks
from cadenza_tui.feed.ingest import MAX_ROUTES
from cadenza_tui.feed.refetch import Refetches
from cadenza_tui.feed.resync import NO_SUCH_QUERY, Resyncs
from cadenza_tui.feed.streams import Streams
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.state import Topic
from cadenza_tui.wire.channels import Kind, parse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cadenza_tui.centrifugo.client import Client
    from cadenza_tui.centrifugo.listener import Subscribed
    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.feed.refetch import Refetch
    from cadenza_tui.feed.resync import Fetch
    from cadenza_tui.feed.route import Route
    from cadenza_tui.feed.subscriptions import ChannelOptions, Wants
    from cadenza_tui.market.records import InstrumentId, Nanoseconds

SETTLED_WITHIN_S = 5.0
"""What a channel is about is asked for then, though its subscribe has not been answered."""
SNAPSHOT_WITHIN_S = 1.0
"""A book that was subscribed to and has no snapshot by then is asked for."""
UNRECOVERED = "missed messages could not be recovered"
_DOWN = frozenset({ChannelState.SUBSCRIBING, ChannelState.FAILED})
"""Where nothing comes, though what came before may still be taken for whole."""
_SHOWN = {
    Kind.BOOK: Topic.BOOK,
    Kind.TRADE: Topic.TAPE,
    Kind.TICKER: Topic.TICKER,
    Kind.KLINE: Topic.KLINE,
    Kind.ACCOUNT: Topic.ACCOUNT,
}
"""What says on the screen how far a channel can be trusted."""


class Channels:
    """Subscribes to what ``wants`` says and follows what becomes of it; watches the books of ``ingest``.

    ``fetch`` brings a book's snapshot, ``refetch`` all that another channel is about, ``request`` asks the
    platform to stream a book; each raises CadenzaError. ``on_failed`` is told of a channel that the server
    refuses for good, ``on_unsynced`` of a book that was in sync and is not any more.
    """

    def __init__(
        self,
        ingest: Ingest,
        wants: Wants,
        now: Callable[[], Nanoseconds],
        *,
        fetch: Fetch,
        refetch: Refetch,
        request: Callable[[InstrumentId], Awaitable[None]],
        on_failed: Callable[[str], None],
        on_unsynced: Callable[[InstrumentId], None],
        on_refetch: Callable[[str], None] = lambda _channel: None,
        options: ChannelOptions,
    ) -> None:
        self._ingest = ingest
        self._market = ingest.market
        self._wants = wants
        self._now = now
        self._on_failed = on_failed
        self._options = options
        self._resyncs = Resyncs(ingest, fetch, now, self._snapshot_refused, on_unsynced)
        self._refetches = Refetches(ingest, refetch, now, on_refetch)
        self._streams = Streams(self._market, request)
        self._attempts: set[str] = set()
        """Channels that are subscribed to anew for the snapshot that this may bring."""
        self._client: Client | None = None
        self._asked: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._replan: asyncio.TimerHandle | None = None
        self._crossed = CrossedBooks(self._market, int(options.crossed_after_s * 1e9))
        self._entered = asyncio.Event()
        """Set, and replaced, whenever a channel's state changes."""

    def open(self, client: Client) -> None:
        """Begin, on a client that runs or is about to."""
        self._client = client
        self.apply_plan()

    def link_lost(self) -> list[asyncio.Task[None]]:
        """There is no link: nothing can be asked for until there is. Returns what still ends."""
        self._resyncs.stop_all()
        self._refetches.stop_all()
        requests = self._streams.clear()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._crossed.clear()
        self._attempts.clear()
        last_frame = self._market.health.connection.last_frame
        for route in self._ingest.routes():
            if route.name.kind is Kind.ACCOUNT and route.name.account_id is not None:
                self._market.follow(
                    route.name.account_id,
                    followed=False,
                    since=self._now() if last_frame is None else last_frame,
                )
        return requests

    async def close(self) -> None:
        """End. Returns when nothing of it runs any more."""
        requests = self.link_lost()
        if self._replan is not None:
            self._replan.cancel()
        self._client = None
        await self._resyncs.close()
        await self._refetches.close()
        if requests:
            await asyncio.wait(requests)

    # --- what is wanted

    def apply_plan(self) -> None:
        """Make the channels what is wanted now; forget the ones that are not."""
        client = self._client
        if client is None:
            return
        now = self._now()
        plan = self._wants.plan(now)
        for channel in self._asked - plan.wanted.keys():
            self._asked.discard(channel)
            client.unsubscribe(channel)
        for route in self._ingest.routes():
            if route.channel not in plan.wanted and not route.by_server:
                self._let_go(route)
        for channel, name in plan.wanted.items():
            if channel not in self._asked:
                self._asked.add(channel)
                self._ingest.register(channel, name)
                self._subscribe(client, channel)
        for channel, name in plan.refused.items():
            self._ingest.register(channel, name)
            limit = (
                f"one more than the {self._wants.limit} channels that a connection carries: unpin something"
            )
            self._fail(channel, limit)
        self._plan_again(now)

    def _plan_again(self, now: Nanoseconds) -> None:
        if self._replan is not None:
            self._replan.cancel()
            self._replan = None
        change = self._wants.next_change()
        if change is not None:
            delay = max(0.0, (change - now) / 1e9)
            self._replan = asyncio.get_running_loop().call_later(delay, self.apply_plan)

    def _subscribe(self, client: Client, channel: str) -> None:
        try:
            client.subscribe(channel, recoverable=True, delta=self._options.delta)
        except (CadenzaError, ValueError) as error:
            self._fail(channel, str(error))

    def _let_go(self, route: Route) -> None:
        channel, instrument_id = route.channel, route.name.instrument_id
        self._resyncs.forget(channel)
        self._refetches.forget(channel)
        self._attempts.discard(channel)
        self._streams.forget(channel)
        if (timer := self._timers.pop(channel, None)) is not None:
            timer.cancel()
        if route.name.account_id is not None:
            self._market.follow(route.name.account_id, followed=False, since=self._now())
        self._ingest.forget(channel)
        # Nobody keeps it up any more: what is held would be taken for current when it is shown again.
        if route.name.kind is Kind.BOOK and instrument_id is not None:
            self._market.books.pop(instrument_id, None)
            self._market.unfed.discard(instrument_id)
            self._crossed.forget(instrument_id)
        elif route.name.kind is Kind.TRADE and instrument_id is not None:
            self._market.lose_prints(instrument_id)  # sums that are kept of them have a hole here
            self._market.tapes.pop(instrument_id, None)
        elif route.name.kind is Kind.KLINE and instrument_id is not None:
            self._market.klines.pop((instrument_id, route.name.interval or ""), None)

    # --- what becomes of it

    def subscribing(self, channel: str, reason: str) -> None:
        """A channel is asked for, or asked for again after it was live."""
        self._resyncs.stop(channel)
        self._refetches.stop(channel)
        self._enter(channel, ChannelState.SUBSCRIBING, reason)

    def subscribed(self, channel: str, subscribed: Subscribed) -> None:
        """A channel is live; what it needs besides depends on what could be recovered."""
        route = self._ingest.route(channel) or self._from_server(channel)
        if route is None:
            return
        health = route.health
        again, before = health.positioned is not None, (health.epoch, health.offset)
        health.epoch, health.positioned = subscribed.epoch, subscribed.positioned
        health.delta = subscribed.delta
        if subscribed.positioned and not subscribed.recovered:
            health.offset = subscribed.offset
        whole = subscribed.recovered or (
            # Nothing was published since: the stream's top is where we are.
            subscribed.positioned
            and not subscribed.was_recovering
            and (health.epoch, health.offset) == before
        )
        lost = again and not whole
        missing = 0  # in another stream, nobody knows how many
        if lost:
            health.gaps += 1
            if subscribed.positioned and health.epoch == before[0]:
                missing = max(0, subscribed.offset - (before[1] or 0))
        if route.name.kind is Kind.BOOK and route.name.instrument_id is not None:
            health.missing += missing
            if not whole and (route.hold is not None or self._market.book(route.name.instrument_id).in_sync):
                new_stream = bool(before[0]) and before[0] != subscribed.epoch
                self._ingest.hold(channel, missed=True, new_stream=new_stream)
            self._book_subscribed(route, route.name.instrument_id, whole=whole)
            return
        self._enter(channel, ChannelState.LIVE)
        if lost:
            self._missed(route, UNRECOVERED, missing)
        elif (reason := self._refetches.owed.get(channel)) is not None:
            self._refetches.start(channel, reason)
        elif not again and route.name.account_id is not None:
            if route.by_server:
                self._refetches.start(channel, "subscribed by the server")
            elif self._market.account(route.name.account_id).has_snapshot:
                self._refetches.start(channel, "subscribed after it was asked for")

    async def settled(self, channels: Sequence[str]) -> None:
        """Return once none of the channels is being subscribed to any more, or that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN_S):
                while any(self._subscribing(channel) for channel in channels):
                    await self._entered.wait()

    def _subscribing(self, channel: str) -> bool:
        route = self._ingest.route(channel)
        return route is not None and route.health.state is ChannelState.SUBSCRIBING

    def _from_server(self, channel: str) -> Route | None:
        """Return a new route for a channel that the server subscribed us to, None where it says nothing."""
        name = parse(channel, self._wants.templates)
        if name is None or len(self._ingest.routes()) >= MAX_ROUTES:
            return None
        route = self._ingest.register(channel, name)
        route.by_server = route.health.by_server = True
        return route

    def _book_subscribed(self, route: Route, instrument_id: InstrumentId, *, whole: bool) -> None:
        self._resyncs.stop(route.channel)  # what it asked for may be older than this subscription
        if self._options.request_streams and not route.by_server:
            self._streams.ask(route, instrument_id)
        book = self._market.book(instrument_id)
        if book.in_sync and whole:
            self._enter(route.channel, ChannelState.LIVE)
        elif book.has_snapshot:
            # After a subscribe that is itself an attempt at a snapshot the pace is kept.
            at_once = route.channel not in self._attempts
            self._resyncs.start(route.channel, book.out_of_sync_reason or UNRECOVERED, at_once=at_once)
        else:
            self._enter(route.channel, ChannelState.AWAITING)
            loop = asyncio.get_running_loop()
            self._timers[route.channel] = loop.call_later(SNAPSHOT_WITHIN_S, self._no_snapshot, route)

    def _no_snapshot(self, route: Route) -> None:
        self._timers.pop(route.channel, None)
        book = self._market.books.get(route.name.instrument_id or "")
        if book is None or not book.has_snapshot:
            self._resyncs.start(route.channel, "no snapshot came by itself")

    def ended(self, channel: str, code: int, reason: str) -> None:
        """A channel ended: given up by us (code 0), or refused for good."""
        route = self._ingest.route(channel)
        if route is not None and route.by_server:
            self._let_go(route)
        elif code:
            self._resyncs.stop(channel)
            self._refetches.stop(channel)
            self._fail(channel, reason)

    def gap(self, channel: str, missing: int) -> None:
        """Messages of a channel are missing; where it is a new stream, nobody knows how many."""
        route = self._ingest.route(channel)
        if route is None:
            return
        route.health.gaps += 1
        messages = "message is" if missing == 1 else "messages are"
        lacks = f"{missing:,} {messages} missing" if missing > 0 else "the stream began anew"
        if route.name.kind is Kind.BOOK:
            self._ingest.hold(channel, missed=True, new_stream=missing <= 0)
            route.health.missing += max(missing, 0)
            self.on_book_lost(channel, f"gap: {lacks}")
        else:
            self._missed(route, f"gap: {lacks}", max(missing, 0))

    def _missed(self, route: Route, reason: str, messages: int) -> None:
        """Mark what a channel other than a book's has missed, and fetch what can be fetched."""
        route.health.missing += messages
        if route.name.kind is Kind.TRADE and route.name.instrument_id is not None:
            self._market.lose_prints(route.name.instrument_id, messages)
            self._market.dirty.mark(Topic.HEALTH)
        else:
            self._refetches.start(route.channel, reason)

    def fetching(self, channel: str) -> bool:
        """Return whether a channel's content is being fetched because it missed messages."""
        return self._refetches.running(channel)

    def _fail(self, channel: str, reason: str) -> None:
        route = self._ingest.route(channel)
        if route is not None and (route.health.state, route.health.reason) != (ChannelState.FAILED, reason):
            self._enter(channel, ChannelState.FAILED, reason)
            self._on_failed(channel)

    def _enter(self, channel: str, state: ChannelState, reason: str = "") -> None:
        route = self._ingest.route(channel)
        if route is None:
            return
        route.health.state = state
        route.health.reason = reason
        route.health.since = self._now()
        self._ingest.follow(route)
        if route.name.kind is Kind.BOOK and route.name.instrument_id is not None:
            if state in _DOWN:
                self._market.unfed.add(route.name.instrument_id)
            else:
                self._market.unfed.discard(route.name.instrument_id)
        self._entered.set()
        self._entered = asyncio.Event()
        self._market.dirty.mark(Topic.HEALTH)
        topic = _SHOWN.get(route.name.kind)
        subject = route.name.instrument_id or route.name.account_id
        if topic is not None and subject is not None:
            self._market.dirty.mark(topic, subject)

    # --- books

    def on_book_lost(self, channel: str, reason: str) -> None:
        """The book does not follow its stream: fetch it anew."""
        # A snapshot that could not be proved was fetched a moment ago: no pace has to be kept.
        self._resyncs.start(channel, reason, at_once=reason == UNPROVEN)

    def on_book_held(self, channel: str) -> None:
        """One more update waits for a snapshot."""
        self._resyncs.held(channel)

    def on_book_found(self, channel: str) -> None:
        """A snapshot came through the channel itself."""
        self._attempts.discard(channel)
        self._resyncs.stop(channel)

    def resync(self, instrument_id: InstrumentId) -> None:
        """Fetch a book anew, as a person asked for."""
        channel = self._ingest.channel_of(Kind.BOOK, instrument_id)
        if channel:
            self._resyncs.start(channel, "asked for", at_once=True)

    def check_crossed(self) -> None:
        """Fetch books anew that have been crossed for too long. To be called about once a second."""
        for instrument_id in self._crossed.look(self._now()):
            channel = self._ingest.channel_of(Kind.BOOK, instrument_id)
            self.on_book_lost(channel, f"crossed for {self._crossed.limit_ns / 1e9:g} s")

    def _snapshot_refused(self, channel: str, error: CadenzaError) -> None:
        """Where the server has no such query, a new subscription may bring a snapshot."""
        route = self._ingest.route(channel)
        if route is None or route.by_server or self._client is None:
            return
        if isinstance(error, ReplyError) and error.code in NO_SUCH_QUERY:
            self._attempts.add(channel)
            self._client.unsubscribe(channel)
            self._subscribe(self._client, channel)
