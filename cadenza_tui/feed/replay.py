"""A recording played through the same ingest as the live feed, by its own clock."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING

from cadenza_tui.errors import RecordingError
from cadenza_tui.feed.beat import FILLED_IN, SECOND, Beat
from cadenza_tui.feed.candles import recorded
from cadenza_tui.feed.health import Meter
from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.feed.recording import Recorded, Recording
from cadenza_tui.feed.subscriptions import FULL_PINS
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.records import Instrument
from cadenza_tui.market.state import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.market.interest import Interest
    from cadenza_tui.market.records import InstrumentId, Nanoseconds
    from cadenza_tui.market.state import Market
    from cadenza_tui.wire.channels import ChannelName

MAX_SPEED = 0.0
"""As fast as it goes."""
HEAD_LINES = 500
_TURN_S = 0.005
"""How long lines are taken in before the event loop gets a turn."""


def instrument_of(instrument_id: InstrumentId) -> Instrument:
    """Return what an instrument's id alone tells of it: a recording has no list of instruments."""
    venue, _, symbol = instrument_id.partition(":")
    base, _, quote = symbol.partition("/")
    return Instrument(instrument_id, venue, symbol, base=base, quote=quote)


class Catalogue:
    """Makes the instruments that a recording speaks of known to the market, as they appear."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def __call__(self, name: ChannelName) -> None:
        """Take note of a channel."""
        instruments = self._market.instruments
        if name.instrument_id is not None and name.instrument_id not in instruments:
            self._market.set_instruments([*instruments.values(), instrument_of(name.instrument_id)])


class ReplayFeed:
    """The surface of ``Feed`` over a recording. ``speed`` 1 is as it was, ``MAX_SPEED`` as fast as can be.

    Raises RecordingError where the beginning of the file is no recording. What is wrong later ends the
    replay, stands in ``error`` and in the health, and leaves all that came before.
    """

    def __init__(
        self,
        market: Market,
        path: Path,
        *,
        speed: float = 1.0,
        on_event: Callable[[Event], None] | None = None,
        monotonic: Callable[[], Nanoseconds] = time.monotonic_ns,
    ) -> None:
        self.market = market
        self.error: RecordingError | None = None
        self.shown: InstrumentId | None = None
        self._pinned: tuple[InstrumentId, ...] | None = None
        self._monotonic = monotonic
        self._speed = speed
        self._paused = False
        self._closed = False
        self._wake = asyncio.Event()
        self._catalogue = Catalogue(market)
        self.ingest = Ingest(market, self.now, on_event=on_event, open_routes=True, on_route=self._appeared)
        self._beat = Beat(market)
        self._chart: tuple[InstrumentId, str] | None = None
        self._meter = Meter(market.health)
        self._recording = Recording(path)
        self._lines = self._guarded()
        head = list(islice(self._lines, HEAD_LINES))
        if not head:
            self._recording.close()
            raise self.error or RecordingError(f"{path}: no publication in it")
        # The clock: the recording's time at an instant of the monotonic one.
        self._last = self._next = head[0].time
        self._mark = (self._last, monotonic())
        self._lines = chain(head, self._lines)
        for channel in dict.fromkeys(line.channel for line in head):
            self.ingest.preview(channel)
        connection = market.health.connection
        connection.label = "replay"
        connection.url = path.name
        connection.state = ConnectionState.REPLAYING
        connection.since = self._last
        connection.ping_interval_s = 0.0
        connection.speed = speed
        connection.progress = 0.0

    def _guarded(self) -> Iterator[Recorded]:
        try:
            yield from self._recording
        except RecordingError as error:
            self.error = error

    # --- the surface of a feed

    def now(self) -> Nanoseconds:
        """Return the recording's time in ns: it stands still while paused, and at the end."""
        recorded, instant = self._mark
        if self._paused or self._closed or not self._speed:
            return max(recorded, self._last)
        return recorded + int((self._monotonic() - instant) * self._speed)

    @property
    def pinned(self) -> Sequence[InstrumentId]:
        """The pinned instruments; the first nine that appeared where none were chosen."""
        if self._pinned is None:
            return tuple(islice(self.market.instruments, FULL_PINS))
        return self._pinned

    def pin(self, ids: Iterable[InstrumentId]) -> None:
        """Replace what is pinned."""
        self._pinned = tuple(dict.fromkeys(ids))
        self._attend()

    def show(self, instrument_id: InstrumentId) -> None:
        """Note what is on screen; a recording brings all of it in any case."""
        self.shown = instrument_id
        self._attend()

    def want(self, interest: Interest) -> None:
        """Note what else is looked at; of the chart say where its candles come from."""
        if interest.candles != self._chart:
            if self._chart is not None:
                self.market.candle_sources.pop(self._chart, None)
            self._chart = interest.candles
            self._find_candles()

    def _find_candles(self) -> None:
        chart, sources = self._chart, self.market.candle_sources
        if chart is None:
            return
        source = recorded(chart in self.market.klines, chart[1])
        if sources.get(chart) != source:
            sources[chart] = source
            self.market.dirty.mark(Topic.KLINE, chart[0])

    def _attend(self) -> None:
        self.market.attend(self.shown, tuple(self.pinned)[:FULL_PINS])

    def _appeared(self, name: ChannelName) -> None:
        self._catalogue(name)
        if self._pinned is None:
            self._attend()

    def resync(self, instrument_id: InstrumentId) -> None:
        """Do nothing: a recording has nobody to ask."""

    def value_in(self, currency: str) -> None:
        """Do nothing: a recording's prices are what they are."""

    async def close(self) -> None:
        """End ``run``."""
        self._stop_clock()
        self._closed = True
        self._wake.set()

    # --- speed

    @property
    def paused(self) -> bool:
        """Whether the clock stands still."""
        return self._paused

    def pause(self, *, paused: bool = True) -> None:
        """Stop the clock, or let it go on."""
        self._stop_clock()
        self._paused = paused
        self._changed()

    def set_speed(self, speed: float) -> None:
        """Go on at another speed."""
        self._stop_clock()
        self._speed = speed
        self.market.health.connection.speed = speed
        self._changed()

    def _stop_clock(self) -> None:
        self._mark = (self.now(), self._monotonic())

    def _changed(self) -> None:
        self._wake.set()
        self.market.dirty.mark(Topic.HEALTH)

    # --- playing

    async def run(self) -> None:
        """Play to the end, or until closed. Never raises for what is in the file."""
        self._stop_clock()
        measuring = asyncio.create_task(self._measure())
        try:
            await self._play()
        finally:
            measuring.cancel()
            with suppress(asyncio.CancelledError):
                await measuring
            self._recording.close()
        self._end()

    async def _play(self) -> None:
        publication = self.ingest.publication
        turn_ends = time.monotonic() + _TURN_S
        for line in self._lines:
            self._next = line.time
            while not self._closed and (self._paused or (self._speed and line.time > self.now())):
                await self._wait(line.time)
                turn_ends = time.monotonic() + _TURN_S
            if self._closed:
                return
            self._last = line.time
            self._beat.to(line.time)
            published = line.publication
            publication(line.channel, published.data, published.offset, published.epoch, line.time)
            if time.monotonic() >= turn_ends:
                self.market.health.connection.last_frame = self._last
                await asyncio.sleep(0)
                turn_ends = time.monotonic() + _TURN_S

    async def _wait(self, until: Nanoseconds) -> None:
        """Wait until the clock gets there, or until it is set otherwise."""
        self.market.health.connection.last_frame = self._last
        self._wake.clear()
        delay = None if self._paused else (until - self.now()) / 1e9 / self._speed
        if delay is not None and delay <= 0:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wake.wait()

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._meter.measure(self.ingest.lag, self._monotonic(), self.now())
            self.market.roll_day(self.now())
            self.go_on()
            self._find_candles()
            self.market.health.connection.progress = self._recording.progress
            self.market.dirty.mark(Topic.HEALTH)

    def go_on(self) -> None:
        """Let time pass between two lines, no farther than to the next: the clock may be ahead of the reader.

        Where that is long, the recorder had paused: nobody knows what was then.
        """
        if self._next - self._last <= FILLED_IN * SECOND:
            self._beat.to(min(self.now(), self._next))

    def _end(self) -> None:
        self._find_candles()
        self._mark = (self._last, self._monotonic())
        self._closed = True
        connection = self.market.health.connection
        connection.state = ConnectionState.ENDED
        connection.since = self._last
        connection.last_frame = self._last
        connection.rate = 0.0
        if self.error is None:
            connection.progress = 1.0
        else:
            connection.reason = str(self.error)
            connection.remedy = self.error.remedy or ""
        self.market.dirty.mark(Topic.HEALTH)
