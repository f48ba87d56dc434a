"""The feed: keeps the market as the server tells it. Faults of the link are states in ``market.health``."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cadenza_tui import __version__
from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.errors import ConnectionLost, Unauthorized
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.credentials.claims import HOW, Rejected
from cadenza_tui.errors import TokenError
from cadenza_tui.feed import address
from cadenza_tui.feed.attention import Attention
from cadenza_tui.feed.beat import Beat
from cadenza_tui.feed.bootstrap import Bootstrap
from cadenza_tui.feed.channels import Channels
from cadenza_tui.feed.health import Meter
from cadenza_tui.feed.ingest import INTERNAL, Ingest
from cadenza_tui.feed.link import Link
from cadenza_tui.feed.prices import Prices
from cadenza_tui.feed.reconcile import Reconciles
from cadenza_tui.feed.subscriptions import CHANNEL_LIMIT, FULL_PINS, MARKET_KINDS, ChannelOptions, Wants
from cadenza_tui.feed.worth import Worth
from cadenza_tui.market.book import DeltaRules
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.state import Topic
from cadenza_tui.wire.channels import API_PAGE, Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from msgspec import Raw

    from cadenza_tui.credentials.sources import Source
    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.market.interest import Interest
    from cadenza_tui.market.records import AccountId, InstrumentId, Nanoseconds
    from cadenza_tui.market.state import Market
    from cadenza_tui.wire.channels import Templates

MAX_ACCOUNTS = 8
QUERY_TIMEOUT_S = 10.0
TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What to connect to, and what to have. Without ``pinned`` the first nine listed instruments are."""

    url: str
    label: str = "live"
    token: Source | None = None
    templates: Templates = API_PAGE
    accounts: tuple[AccountId, ...] = ()
    """Without any, those listed, at most eight."""
    pinned: tuple[InstrumentId, ...] = ()
    markets: bool = True
    """Whether instruments are wanted at all."""
    with_accounts: bool = True
    options: Options = field(default_factory=lambda: Options(version=__version__))
    channels: ChannelOptions = field(default_factory=ChannelOptions)
    delta_updates: DeltaRules = field(default_factory=DeltaRules)
    """What a book's DELTA means, by venue."""
    reconcile_s: float = 300.0
    """How often accounts are compared with what the queries give, 0 for never."""


class Feed:
    """The live feed. ``run`` it once, in one event loop; all else may be called from that loop at any time.

    ``on_event`` is told of each record right after it was applied, ``on_status`` of each change of the
    connection's state, ``on_channel`` of each channel that fails for good, ``on_unsynced`` of each book that
    was in sync and is not any more.
    """

    def __init__(
        self,
        market: Market,
        settings: FeedSettings,
        *,
        now: Callable[[], Nanoseconds] = time.time_ns,
        on_event: Callable[[Event], None] | None = None,
        on_status: Callable[[], None] | None = None,
        on_channel: Callable[[str], None] | None = None,
        on_unsynced: Callable[[InstrumentId], None] | None = None,
    ) -> None:
        self.market = market
        market.delta_rules = settings.delta_updates
        self.settings = settings
        self.now = now
        self.troubles = market.health.troubles
        """By query, why it brought nothing."""
        self.bootstrapped = asyncio.Event()
        """Set once the first round of queries is over, whatever came of it."""
        self._on_status = on_status or (lambda: None)
        self._on_channel = on_channel or (lambda _channel: None)
        self.wants = Wants(
            settings.templates,
            min(CHANNEL_LIMIT, settings.options.channel_limit),
            MARKET_KINDS if settings.markets else (),
        )
        self.wants.pin(settings.pinned)
        self.wants.accounts = settings.accounts if settings.with_accounts else ()
        self.ingest = Ingest(market, now, on_event=on_event)
        self._queries = Bootstrap(self._call, market, now, self.troubles)
        self._channels = Channels(
            self.ingest,
            self.wants,
            now,
            fetch=self._queries.book,
            refetch=self._queries.again,
            request=self._queries.request_stream,
            on_failed=self._channel_failed,
            on_unsynced=on_unsynced or (lambda _instrument_id: None),
            on_refetch=self._stop_comparing,
            options=settings.channels,
        )
        self._attention = Attention(self.ingest, self.wants, self._channels, self._queries, now)
        self._beat = Beat(market)
        self._reconciles = Reconciles(self.ingest, self._queries.account, settings.reconcile_s)
        self._worth = Worth(market, Prices(self._queries))
        self.ingest.books.watch = self._channels
        self._link = Link(self.ingest, self._channels, now, self._link_changed)
        self._client: Client | None = None
        self._bringing_up: asyncio.Task[None] | None = None
        self._meter = Meter(market.health)
        self._listener_errors = 0
        connection = market.health.connection
        connection.url = address.shown(settings.url)
        connection.label = settings.label
        connection.since = now()

    # --- what the program asks for

    @property
    def pinned(self) -> Sequence[InstrumentId]:
        """The pinned instruments, in the order of their keys."""
        return self.wants.pinned

    @property
    def accounts(self) -> Sequence[AccountId]:
        """The accounts that are watched: the chosen ones, else those listed."""
        return self.wants.accounts

    @property
    def shown(self) -> InstrumentId | None:
        """The instrument that is on screen."""
        return self.wants.shown

    def show(self, instrument_id: InstrumentId) -> None:
        """Turn to an instrument; the one before is kept for a while, then let go unless it is pinned."""
        self.wants.show(instrument_id, self.now())
        self._attend()
        self._channels.apply_plan()

    def pin(self, ids: Iterable[InstrumentId]) -> None:
        """Replace what is pinned."""
        self.wants.pin(ids)
        self._attend()
        self._channels.apply_plan()

    def want(self, interest: Interest) -> None:
        """Have what the screen shows besides: the rows in sight, a chart's candles, the books of venues."""
        self._attention.want(interest)

    def _attend(self) -> None:
        self.market.attend(self.wants.shown, self.wants.pinned[:FULL_PINS])

    def resync(self, instrument_id: InstrumentId) -> None:
        """Fetch the book anew, as a person asked for."""
        if self._connected:
            self._channels.resync(instrument_id)

    def value_in(self, currency: str) -> None:
        """Have prices at hand that value what is held in ``currency``, "" for each account's own."""
        self._worth.currency = currency

    async def run(self) -> None:
        """Keep the market up until closed, or until the server refuses for good; the health says why."""
        if self._client is not None:
            raise RuntimeError("the feed is running already")
        options = replace(self.settings.options, sleep=self._sleep_before_dialling)
        self._client = Client(self.settings.url, self._link, token=self._token(), options=options)
        ticking = asyncio.create_task(self._tick())
        try:
            self._channels.open(self._client)
            await self._client.run()
        finally:
            await self._attention.close()
            await self._channels.close()
            ends = [task for task in (ticking, self._bringing_up) if task is not None]
            for task in ends:
                task.cancel()
            await asyncio.wait(ends)

    async def close(self) -> None:
        """End ``run``."""
        if self._client is not None:
            await self._client.close()

    # --- the link

    @property
    def _connected(self) -> bool:
        return self.market.health.connection.state is ConnectionState.CONNECTED

    async def _call(self, method: str, params: object = None) -> Raw:
        if self._client is None:
            raise ConnectionLost("there is no connection")
        return await self._client.rpc(method, params, QUERY_TIMEOUT_S)

    def _token(self) -> Callable[[], Awaitable[str]] | None:
        source: Source | None = self.settings.token
        if source is None:
            self._link.anonymous = True
            self._link.token_remedy = HOW
            return None

        return lambda: self._fetch_token(source)

    async def _fetch_token(self, source: Source) -> str:
        try:
            token = await source()
        except TokenError as error:
            self._link.token_remedy = error.remedy or ""
            if source.fixed and isinstance(error, Rejected):
                raise Unauthorized(str(error), remedy=error.remedy) from None
            raise
        self._link.dialling()  # the time of a connect tells clocks apart: a slow token is no part of it
        return token

    async def _sleep_before_dialling(self, seconds: float) -> None:
        await (self.settings.options.sleep or asyncio.sleep)(seconds)
        self._link.dialling()

    def _link_changed(self) -> None:
        if self._bringing_up is not None:
            self._bringing_up.cancel()
            self._bringing_up = None
        if not self._connected:
            self._attention.link_lost()
        else:
            self._bringing_up = asyncio.create_task(self._bring_up())
        self._on_status()

    async def _bring_up(self) -> None:
        """Ask for what only queries bring, and from time to time for the accounts and what they are worth."""
        try:
            if self.settings.markets:
                await self._bring_markets()
            if self.settings.with_accounts:
                await self._bring_accounts()
        except Exception as error:  # what the queries bring is wanted, but not at any price
            self.market.health.connection.rejected[f"{INTERNAL}: {type(error).__name__}"] += 1
        self.bootstrapped.set()
        self._on_status()
        priced = self.settings.markets and self.settings.with_accounts
        await asyncio.gather(self._reconciles.run(), *([self._worth.run()] if priced else []))

    async def _bring_markets(self) -> None:
        self._attention.connected()
        await self._queries.instruments()
        if not self.wants.pinned and self.market.instruments:
            self.pin(list(self.market.instruments)[:FULL_PINS])
        self._name_unlisted()
        self._attention.listed()
        await self._queries.tickers(self.wants.instruments(self.now()))

    async def _bring_accounts(self) -> None:
        await self._queries.accounts()
        if not self.wants.accounts and self.market.accounts:
            self.wants.accounts = tuple(list(self.market.accounts)[:MAX_ACCOUNTS])
            self._channels.apply_plan()
        channels = {name: self.ingest.channel_of(Kind.ACCOUNT, name) for name in self.wants.accounts}
        await self._channels.settled(list(channels.values()))  # what is pushed before that would be missed
        for account_id, channel in channels.items():
            if not self._channels.fetching(channel):
                await self._queries.account(account_id)

    def _channel_failed(self, channel: str) -> None:
        self._attention.failed(channel)
        self._on_channel(channel)

    def _stop_comparing(self, channel: str) -> None:
        self._reconciles.stop(channel)

    def _name_unlisted(self) -> None:
        """Say so of each channel that brought nothing, and whose instrument the server does not list."""
        listed = self.market.instruments
        for route in self.ingest.routes():
            instrument_id = route.name.instrument_id
            if not listed or instrument_id is None or instrument_id in listed or route.health.messages:
                continue
            near = get_close_matches(instrument_id, list(listed), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            route.health.reason = f"the server does not list {instrument_id}{hint}"

    # --- once a second

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._meter.measure(self.ingest.lag, time.monotonic_ns(), self.now())
            self.market.roll_day(self.now())
            self._beat.to(self.now())
            self._attention.look()
            if self._connected:
                self._channels.check_crossed()
                self._reconciles.look()
            self._count_for_the_client()
            self.market.dirty.mark(Topic.HEALTH)

    def _count_for_the_client(self) -> None:
        if self._client is None:
            return
        session = self._client.session
        self.market.health.connection.dropped = Counter(session.dropped)
        errors = sum(session.listener_errors.values())
        if errors > self._listener_errors:
            self.market.health.connection.rejected[INTERNAL] += errors - self._listener_errors
            self._listener_errors = errors
