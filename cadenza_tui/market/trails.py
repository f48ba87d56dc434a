"""Where the last prices have been: a short line of samples for each instrument, and what its last day was.

A watchlist draws a line for each row, so the lines of all instruments have one step of time and can be
compared. What is kept is bounded: ``SLOTS`` samples of at most ``MAX_TRAILS`` instruments, and as many days.
When the time since the beginning no longer fits into the slots, the step doubles and every other sample goes.
A line is only ever drawn, so its prices are binary floats: 1.3 KB for an instrument.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import add, halve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.records import Candle, InstrumentId, Nanoseconds, Ticker

SECOND = 1_000_000_000
SLOTS = 64
FIRST_STEP = 2 * SECOND
LONGEST_STEP = 1_024 * FIRST_STEP
MAX_TRAILS = 5_000
HOURS = 24
DAY_LASTS = 900 * SECOND
"""What was asked for so long ago, in ns, is not the last day any more."""
HOUR = 3_600 * SECOND


class Day(NamedTuple):
    """An instrument's last 24 hours as its hourly candles tell them, the running hour among them."""

    closes: tuple[float | None, ...]
    """The close of each hour, oldest first; None for an hour without a candle."""
    volume: Decimal | None
    """What was traded in them, in the base; None where one of them does not say, or the candles do not reach
    back to the first hour. An hour without a candle had no trade."""
    at: Nanoseconds
    """When it was asked for."""


def day_of(candles: Sequence[Candle], now: Nanoseconds) -> Day:
    """Return the last day out of hourly candles."""
    first = now // HOUR - HOURS + 1
    reaches = any(candle.open_time // HOUR <= first for candle in candles)
    hours = {at: candle for candle in candles if 0 <= (at := candle.open_time // HOUR - first) < HOURS}
    closes = tuple([float(hours[at].close) if at in hours else None for at in range(HOURS)])
    volume: Decimal | None = None
    for number, candle in enumerate(hours.values()):
        if candle.volume is None or not reaches:
            return Day(closes, None, now)
        volume = add(volume, candle.volume) if number and volume is not None else candle.volume
    return Day(closes, volume, now)


class Trail:
    """One instrument's samples: of each slot of time the last price in it, where there was one."""

    __slots__ = ("prices", "slots", "version")

    def __init__(self) -> None:
        self.slots = array("q")
        """The numbers of the slots, ascending."""
        self.prices = array("d")
        self.version = 0

    def put(self, slot: int, price: float) -> None:
        """Take a slot's price."""
        if self.slots and self.slots[-1] == slot:
            self.prices[-1] = price
        else:
            self.slots.append(slot)
            self.prices.append(price)
            if len(self.slots) > SLOTS:
                del self.slots[0], self.prices[0]
        self.version += 1

    def halve(self) -> None:
        """Put each two slots into one: the later price stands."""
        kept = {slot // 2: price for slot, price in zip(self.slots, self.prices, strict=True)}
        self.slots, self.prices = array("q", kept), array("d", kept.values())
        self.version += 1


class Trails:
    """The lines of all instruments, and their days. Time is the source's clock, never that of a message."""

    __slots__ = ("_began", "_days", "_news", "_now", "_slot", "_trails", "days_version", "step")

    def __init__(self) -> None:
        self.step = FIRST_STEP
        """Nanoseconds of a slot."""
        self.days_version = 0
        self._began: int | None = None
        self._slot = 0
        self._now: Nanoseconds = 0
        self._news: dict[InstrumentId, Decimal] = {}
        """What the last prices are that came since the last sample."""
        self._trails: dict[InstrumentId, Trail] = {}
        self._days: dict[InstrumentId, Day] = {}

    @property
    def slot(self) -> int:
        """The number of the slot that is being filled."""
        return self._slot

    @property
    def span(self) -> Nanoseconds:
        """How much time the slots that exist so far cover."""
        if self._began is None:
            return 0
        return (self._slot - max(self._began, self._slot - SLOTS + 1) + 1) * self.step

    @property
    def has_days(self) -> bool:
        """Whether any instrument's day is known."""
        return bool(self._days)

    def note(self, instrument_id: InstrumentId, price: Decimal) -> None:
        """Take an instrument's last price; the next sample keeps it."""
        self._news[instrument_id] = price

    def note_ticker(self, ticker: Ticker) -> None:
        """Take the last price of a whole ticker, or the middle of its touch where it has none."""
        if ticker.last_price is not None:
            self._news[ticker.instrument_id] = ticker.last_price
        elif ticker.bid_price is not None and ticker.ask_price is not None:
            self._news[ticker.instrument_id] = halve(add(ticker.bid_price, ticker.ask_price))

    def sample(self, now: Nanoseconds) -> None:
        """Keep what has come, about once a second. Costs what has changed."""
        self._now = now
        slot = now // self.step
        if self._began is None or slot < self._slot:  # the clock was set back: the slots begin anew
            self._trails.clear()
            self.step = FIRST_STEP
            self._began = slot = now // FIRST_STEP
        while slot - self._began >= SLOTS and self.step < LONGEST_STEP:
            self.step *= 2
            slot, self._began = slot // 2, self._began // 2
            for trail in self._trails.values():
                trail.halve()
        self._slot = slot
        for instrument_id, price in self._news.items():
            held = self._trails.get(instrument_id)
            if held is None:
                if len(self._trails) >= MAX_TRAILS:
                    del self._trails[next(iter(self._trails))]
                held = self._trails[instrument_id] = Trail()
            held.put(slot, float(price))
        self._news.clear()

    def of(self, instrument_id: InstrumentId) -> Trail | None:
        """Return an instrument's samples."""
        return self._trails.get(instrument_id)

    def line(self, instrument_id: InstrumentId) -> list[float | None]:
        """Return the price of each slot so far, oldest first, at most ``SLOTS``; None before the first one.

        A slot in which nothing was traded has the price of the one before.
        """
        trail = self._trails.get(instrument_id)
        if trail is None or self._began is None:
            return []
        first = max(self._began, self._slot - SLOTS + 1)
        prices: list[float | None] = []
        at = 0
        last: float | None = None
        for slot in range(first, self._slot + 1):
            while at < len(trail.slots) and trail.slots[at] <= slot:
                last = trail.prices[at]
                at += 1
            prices.append(last)
        return prices

    def set_day(self, instrument_id: InstrumentId, day: Day) -> None:
        """Take what an instrument's last day was."""
        if instrument_id not in self._days and len(self._days) >= MAX_TRAILS:
            del self._days[next(iter(self._days))]
        self._days[instrument_id] = day
        self.days_version += 1

    def day(self, instrument_id: InstrumentId) -> Day | None:
        """Return what an instrument's last day was; None where that was asked for too long ago."""
        day = self._days.get(instrument_id)
        return None if day is None or self._now - day.at > DAY_LASTS else day

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        assert len(self._trails) <= MAX_TRAILS, "the instruments are bounded"
        for trail in self._trails.values():
            assert list(trail.slots) == sorted(set(trail.slots)), "there is one sample of a slot"
            assert len(trail.slots) == len(trail.prices) <= SLOTS, "the samples are bounded"
            assert not trail.slots or trail.slots[-1] <= self._slot, "no sample is of the time to come"
