"""The channels of a live feed: kept as they are wanted, and their books as their streams allow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.errors import ReplyError
from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed.resync import Resyncs
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.state import Topic
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.centrifugo.client import Client
    from cadenza_tui.centrifugo.listener import Subscribed
    from cadenza_tui.feed.ingest import Ingest, Route
    from cadenza_tui.feed.resync import Fetch
    from cadenza_tui.feed.subscriptions import Wants
    from cadenza_tui.market.records import InstrumentId, Nanoseconds

SNAPSHOT_WITHIN_S = 1.0
"""A book that was subscribed to and has no snapshot by then is asked for."""
CROSSED_FOR_NS = 5_000_000_000
"""A book that stays crossed this long is taken as wrong, and asked for again."""
UNRECOVERED = "missed messages could not be recovered"
_NO_SUCH_QUERY = frozenset({103, 104, 108})


class Channels:
    """Subscribes to what ``wants`` says and follows what becomes of it; watches the books of ``ingest``.

    ``on_failed`` is told of a channel that the server refuses for good, ``on_account_lost`` of an account
    channel that missed messages, ``on_unsynced`` of a book that was in sync and is not any more.
    """

    def __init__(
        self,
        ingest: Ingest,
        wants: Wants,
        fetch: Fetch,
        now: Callable[[], Nanoseconds],
        *,
        on_failed: Callable[[str], None],
        on_account_lost: Callable[[], None],
        on_unsynced: Callable[[InstrumentId], None],
    ) -> None:
        self._ingest = ingest
        self._market = ingest.market
        self._wants = wants
        self._now = now
        self._on_failed = on_failed
        self._on_account_lost = on_account_lost
        self._resyncs = Resyncs(ingest, fetch, now, self._snapshot_refused, on_unsynced)
        self._client: Client | None = None
        self._asked: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._replan: asyncio.TimerHandle | None = None
        self._crossed: dict[InstrumentId, Nanoseconds] = {}

    def open(self, client: Client) -> None:
        """Begin, on a client that runs or is about to."""
        self._client = client
        self.apply_plan()

    def link_lost(self) -> None:
        """There is no link: nothing can be asked for until there is."""
        self._resyncs.stop_all()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._crossed.clear()

    async def close(self) -> None:
        """End. Returns when nothing of it runs any more."""
        self.link_lost()
        if self._replan is not None:
            self._replan.cancel()
        self._client = None
        await self._resyncs.close()

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
            if route.channel not in plan.wanted:
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
            client.subscribe(channel, recoverable=True)
        except (CadenzaError, ValueError) as error:
            self._fail(channel, str(error))

    def _let_go(self, route: Route) -> None:
        channel, instrument_id = route.channel, route.name.instrument_id
        self._resyncs.forget(channel)
        if (timer := self._timers.pop(channel, None)) is not None:
            timer.cancel()
        self._ingest.forget(channel)
        if instrument_id is not None:
            # Nobody keeps it up any more: what is held would be taken for current when it is shown again.
            self._market.books.pop(instrument_id, None)
            self._market.tapes.pop(instrument_id, None)
            self._crossed.pop(instrument_id, None)

    # --- what becomes of it

    def subscribing(self, channel: str, reason: str) -> None:
        """A channel is asked for, or asked for again after it was live."""
        self._resyncs.stop(channel)
        self._enter(channel, ChannelState.SUBSCRIBING, reason)

    def subscribed(self, channel: str, subscribed: Subscribed) -> None:
        """A channel is live; what it needs besides depends on what could be recovered."""
        route = self._ingest.route(channel)
        if route is None:
            return
        route.health.epoch = subscribed.epoch
        lost = subscribed.was_recovering and not subscribed.recovered
        if lost:
            route.health.gaps += 1
        if route.name.kind is Kind.BOOK and route.name.instrument_id is not None:
            self._book_subscribed(route, route.name.instrument_id, subscribed)
            return
        self._enter(channel, ChannelState.LIVE)
        if lost and route.name.kind is Kind.ACCOUNT:
            self._on_account_lost()

    def _book_subscribed(self, route: Route, instrument_id: InstrumentId, subscribed: Subscribed) -> None:
        self._resyncs.stop(route.channel)  # what it asked for may be older than this subscription
        book = self._market.book(instrument_id)
        if book.in_sync and subscribed.recovered:
            self._enter(route.channel, ChannelState.LIVE)
        elif book.has_snapshot:
            self._resyncs.start(route.channel, book.out_of_sync_reason or UNRECOVERED, at_once=True)
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
        if code:
            self._resyncs.stop(channel)
            self._fail(channel, reason)

    def gap(self, channel: str, missing: int) -> None:
        """Messages of a channel are missing; where it is a new stream, nobody knows how many."""
        route = self._ingest.route(channel)
        if route is None:
            return
        route.health.gaps += 1
        if route.name.kind is Kind.BOOK:
            lacks = f"{missing:,} messages are missing" if missing > 0 else "the stream began anew"
            self.on_book_lost(channel, f"gap: {lacks}")
        elif route.name.kind is Kind.ACCOUNT:
            self._on_account_lost()

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
        self._market.dirty.mark(Topic.HEALTH)
        if route.name.kind is Kind.BOOK and route.name.instrument_id is not None:
            self._market.dirty.mark(Topic.BOOK, route.name.instrument_id)

    # --- books

    def on_book_lost(self, channel: str, reason: str) -> None:
        """The book does not follow its stream: fetch it anew."""
        self._resyncs.start(channel, reason)

    def on_book_found(self, channel: str) -> None:
        """A snapshot came through the channel itself."""
        self._resyncs.stop(channel)

    def resync(self, instrument_id: InstrumentId) -> None:
        """Fetch a book anew, as a person asked for."""
        channel = self._ingest.channel_of(Kind.BOOK, instrument_id)
        if channel:
            self._resyncs.start(channel, "asked for", at_once=True)

    def check_crossed(self) -> None:
        """Fetch books anew that have been crossed for too long. To be called about once a second."""
        now = self._now()
        for instrument_id, book in self._market.books.items():
            if not book.crossed or not book.in_sync:
                self._crossed.pop(instrument_id, None)
            elif now - self._crossed.setdefault(instrument_id, now) >= CROSSED_FOR_NS:
                del self._crossed[instrument_id]
                self.on_book_lost(self._ingest.channel_of(Kind.BOOK, instrument_id), "crossed for too long")

    def _snapshot_refused(self, channel: str, error: CadenzaError) -> None:
        """Where the server has no such query, a new subscription may bring a snapshot."""
        if isinstance(error, ReplyError) and error.code in _NO_SUCH_QUERY and self._client is not None:
            self._client.unsubscribe(channel)
            self._subscribe(self._client, channel)
