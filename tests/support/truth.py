"""What the exchange's books really were at each message, and a watcher that holds the screen's word to it.

``Ledger`` stands on the exchange's side and takes a digest of a book at the moment a message of it is made.
``Watcher`` stands on the feed's side. A book that is shown as current must be, to the last digit, what the
exchange's book was at the offset that the feed has come to, and may not lag for longer than a dead link takes
to be noticed.

One thing cannot be held to it. A snapshot that is asked for carries no offset, only a time, so between it and
the channel's next message each level is right, but as of one of two messages; see ``feed.hold``.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from cadenza_tui.market.records import BookUpdate, Print
from cadenza_tui.market.trust import TrustState, book_trust
from cadenza_tui.simulator.hub import Hub
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cadenza_tui.centrifugo.listener import Subscribed
    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.feed.worker import Feed
    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.simulator.exchange import Publication
    from cadenza_tui.simulator.markets import InstrumentMarket
    from cadenza_tui.simulator.server import Server

MILLISECOND = 1_000_000
_NUMBER = re.compile(r"\d[\d,.]*")
_KEPT_FACTS = 1_500
_KEPT_TOPS = 240
_TOPS_EVERY_S = 0.25
_KEPT_VIOLATIONS = 50


class Place(NamedTuple):
    """A message of a channel."""

    channel: str
    epoch: str
    offset: int


def digest(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> str:
    """Return a short name of a book's content: prices as spelled, quantities by their value."""
    state = hashlib.blake2b(digest_size=12)
    for side in (bids, asks):
        for price, quantity in side:
            state.update(f"{price} {Decimal(quantity).normalize():f};".encode())
        state.update(b"/")
    return state.hexdigest()


def market_digest(market: InstrumentMarket) -> str:
    """Return the digest of the exchange's own book, L3 rows summed by price."""
    bids, asks = market.text.whole()
    return digest(_levels(bids), _levels(asks))


def _levels(rows: list[list[str]]) -> list[tuple[str, str]]:
    if len({row[0] for row in rows}) == len(rows):
        return [(row[0], row[1]) for row in rows]
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row[0]] += Decimal(row[1])
    return [(price, str(quantity)) for price, quantity in sums.items()]


def book_digest(book: OrderBook) -> str:
    """Return the digest of a book of the feed's."""
    return digest(
        ((level.price, level.quantity) for level in book.bids.levels()),
        ((level.price, level.quantity) for level in book.asks.levels()),
    )


class Truth:
    """The digests that the exchange's side told, and how far its channels were at which time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.facts: OrderedDict[Place, str] = OrderedDict()
        self._clock = clock
        self._tops: deque[tuple[float, dict[str, tuple[str, int]]]] = deque(maxlen=_KEPT_TOPS)
        """The latest minute of them."""

    def tell(self, place: Place, fact: str) -> None:
        """Take a fact in."""
        self.facts[place] = fact
        if len(self.facts) > _KEPT_FACTS:
            self.facts.popitem(last=False)

    def tops(self, tops: dict[str, tuple[str, int]]) -> None:
        """Take in how far each channel has come by now: epoch and offset."""
        now = self._clock()
        if not self._tops or now - self._tops[-1][0] >= _TOPS_EVERY_S:
            self._tops.append((now, tops))

    def behind(self, channel: str, epoch: str, offset: int | None, seconds: float) -> bool:
        """Return whether a reader at this place lacks what was published longer ago than ``seconds``."""
        before = self._clock() - seconds
        then = next((tops for at, tops in reversed(self._tops) if at <= before), None)
        if then is None or channel not in then:
            return False
        epoch_then, offset_then = then[channel]
        if epoch_then == epoch:
            return offset_then > (offset or 0)
        # Of another epoch than now: behind, unless it is one that nothing has been told of yet.
        latest = self._tops[-1][1].get(channel)
        told = any(tops[channel][0] == epoch for _, tops in self._tops if channel in tops)
        return told and latest is not None and latest[0] != epoch


class _WitnessedHub(Hub):
    """A hub that tells its ledger where in the stream a message came."""

    def __init__(self, ledger: Ledger, *, history: int, linger: float) -> None:
        super().__init__(history=history, linger=linger)
        self._ledger = ledger

    def publish(self, channel: str, data: bytes) -> None:
        """Publish, and tell."""
        super().publish(channel, data)
        stream = self._streams.get(channel)
        if stream is not None:
            self._ledger.published(Place(channel, stream.epoch, stream.offset), data)

    def restart(self) -> None:
        """Restart, and tell how far the old streams had come."""
        self._ledger.ended(self.tops())
        super().restart()

    def tops(self) -> dict[str, tuple[str, int]]:
        """Return each channel's epoch and offset."""
        return {channel: (stream.epoch, stream.offset) for channel, stream in self._streams.items()}


class Ledger:
    """Follows an exchange and its server; give it before the server starts.

    A digest is taken of each message whose time in ms is a multiple of ``every``.
    """

    def __init__(self, server: Server, tell: Callable[[Place, str], None], *, every: int = 1) -> None:
        self.every = every
        self.deaths: dict[tuple[str, str], int] = {}
        """The offset that a stream had come to when its epoch ended, by channel and epoch."""
        self._tell = tell
        self._pending: dict[bytes, str] = {}
        self.hub = _WitnessedHub(self, history=server.options.history, linger=server.options.linger)
        self.hub.on_lost = server.hub.on_lost
        server.hub = self.hub
        for market in server.exchange.markets.values():
            market.witness = self._witness(market)

    def _witness(self, market: InstrumentMarket) -> Callable[[Publication], None]:
        def witness(publication: Publication) -> None:
            if market.book_ms % self.every == 0:
                self._pending[publication.data] = market_digest(market)

        return witness

    def published(self, place: Place, data: bytes) -> None:
        """Take note of where a message came."""
        fact = self._pending.pop(data, None)
        if fact is not None:
            self._tell(place, fact)
        elif len(self._pending) > 4_096:  # made for channels that nobody wanted in the end
            self._pending.clear()

    def ended(self, tops: dict[str, tuple[str, int]]) -> None:
        """Take note of streams that are over."""
        for channel, (epoch, offset) in tops.items():
            self.deaths[channel, epoch] = offset


class Prints:
    """The prints of one instrument that reached the feed; the exchange numbers its prints one by one."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.last = first
        self.count = 1

    @property
    def lacking(self) -> int:
        """How many between the first and the last did not come."""
        return self.last - self.first + 1 - self.count


class Watcher:
    """Samples what the screen would say of each book, all the time, and keeps what was not so.

    Give ``event`` to the feed as ``on_event``, then ``attach`` the feed. ``stale_after`` is the longest time
    (s) that a dead link may go unnoticed.
    """

    def __init__(
        self,
        truth: Truth,
        *,
        stale_after: float,
        every: int = 1,
        tops: Callable[[], dict[str, tuple[str, int]]] | None = None,
    ) -> None:
        self.violations: list[str] = []
        self.violated = 0
        self.verified = 0
        self.unverified = 0
        """Digests for which the exchange's side told nothing."""
        self.samples: Counter[TrustState] = Counter()
        self.reasons: Counter[str] = Counter()
        """Of marked books, why they were."""
        self.prints: dict[str, Prints] = {}
        self.losses: dict[tuple[str, str], tuple[int | None, int]] = {}
        """By channel and epoch that was over: where the feed was in it, and where it joined the next one."""
        self._truth = truth
        self._stale_after = stale_after
        self._every = every
        self._tops = tops
        self._feed: Feed | None = None
        self._fetching = False
        self._fetched: dict[str, int] = {}
        self._waiting: OrderedDict[Place, tuple[str, float]] = OrderedDict()

    def attach(self, feed: Feed) -> None:
        """Watch a feed."""
        self._feed = feed
        ingest = feed.ingest
        whole = ingest.snapshot

        def snapshot(channel: str, snapshot: BookUpdate, received: int) -> Any:
            self._fetching = True
            self._fetched[channel] = snapshot.timestamp
            try:
                return whole(channel, snapshot, received)
            finally:
                self._fetching = False

        ingest.snapshot = snapshot  # type: ignore[method-assign]
        link = feed._link
        go_on = link.on_subscribed

        def on_subscribed(channel: str, subscribed: Subscribed) -> None:
            health = feed.market.health.channels.get(channel)
            if health is not None and health.epoch not in {"", subscribed.epoch}:
                self.losses[channel, health.epoch] = health.offset, subscribed.offset
            go_on(channel, subscribed)

        link.on_subscribed = on_subscribed  # type: ignore[method-assign]

    def say(self, violation: str) -> None:
        """Keep a violation."""
        self.violated += 1
        if len(self.violations) < _KEPT_VIOLATIONS:
            self.violations.append(violation)

    def event(self, event: Event) -> None:
        """Look at what was just applied."""
        if isinstance(event, BookUpdate):
            self._book(event)
        elif isinstance(event, Print):
            number = int(event.trade_id)
            held = self.prints.get(event.instrument_id)
            if held is None:
                self.prints[event.instrument_id] = Prints(number)
            elif number <= held.last:
                self.say(f"print {number} of {event.instrument_id} came after {held.last}")
            else:
                held.last = number
                held.count += 1

    def _book(self, update: BookUpdate) -> None:
        feed = self._feed
        if feed is None or self._fetching:
            return
        channel = feed.ingest.channel_of(Kind.BOOK, update.instrument_id)
        if update.timestamp <= self._fetched.get(channel, -1):
            return
        self._fetched.pop(channel, None)
        if update.timestamp // MILLISECOND % self._every:
            return
        health = feed.market.health.channels[channel]
        trust = book_trust(feed.market, update.instrument_id, channel, feed.now())
        if trust.dimmed or health.offset is None:
            return
        place = Place(channel, health.epoch, health.offset)
        held = book_digest(feed.market.book(update.instrument_id))
        self._judge(place, held)

    def _judge(self, place: Place, held: str) -> None:
        fact = self._truth.facts.get(place)
        if fact is None:
            self._waiting[place] = held, time.monotonic()
        elif fact == held:
            self.verified += 1
        else:
            self.say(f"{place.channel} at {place.epoch}/{place.offset} is not the exchange's book")

    def _judge_waiting(self) -> None:
        """Compare what was seen before the exchange's side told of it."""
        now = time.monotonic()
        for place, (held, since) in list(self._waiting.items()):
            if place in self._truth.facts:
                del self._waiting[place]
                self._judge(place, held)
            elif now - since > 5.0:
                del self._waiting[place]
                self.unverified += 1

    def look(self) -> None:
        """Take one sample of every pinned book."""
        feed = self._feed
        if feed is None:
            return
        if self._tops is not None:
            self._truth.tops(self._tops())
        self._judge_waiting()
        now = feed.now()
        for instrument_id in feed.pinned:
            channel = feed.ingest.channel_of(Kind.BOOK, instrument_id)
            trust = book_trust(feed.market, instrument_id, channel, now)
            self.samples[trust.state] += 1
            if trust.dimmed:
                if not trust.reason and trust.state is not TrustState.CONNECTING:
                    self.say(f"{instrument_id} is {trust.state} without a reason")
                self.reasons[f"{trust.state}: {_NUMBER.sub('N', trust.reason)}"] += 1
                continue
            book = feed.market.books.get(instrument_id)
            if book is None or not book.in_sync:
                self.say(f"{instrument_id} is {trust.state}, and yet not in sync")
                continue
            health = feed.market.health.channels[channel]
            if self._truth.behind(channel, health.epoch, health.offset, self._stale_after):
                self.say(
                    f"{instrument_id} is {trust.state}, and yet at {health.epoch}/{health.offset}, "
                    f"behind for more than {self._stale_after} s"
                )

    async def run(self, pause: float = 0.01) -> None:
        """Sample for ever."""
        while True:
            self.look()
            await asyncio.sleep(pause)
