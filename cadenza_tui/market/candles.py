"""Candles: the contract's intervals, what a server says of them, and those that are made from prints.

Where candles begin: at whole multiples of the interval since the epoch, UTC; weeks on Monday, months on their
first day.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import CONTEXT
from cadenza_tui.market.records import Kline, Side

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.records import Candle, Nanoseconds, Print

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
WEEK = 7 * DAY
MONDAY = 4 * DAY
"""The first Monday after the epoch."""
MONTH = "1M"

INTERVALS: dict[str, int] = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "1w": WEEK,
    MONTH: 30 * DAY,
}
"""The contract's intervals and how long they are in ns; a month's length is only about right."""

MAXIMUM_CANDLES = 1_000


def opening(interval: str, at: Nanoseconds) -> tuple[Nanoseconds, Nanoseconds]:
    """Return when the candle that ``at`` falls in opens, and when the one after it does.

    Raises KeyError for an interval that the contract does not have.
    """
    length = INTERVALS[interval]
    if interval == MONTH:
        return _month(at)
    start = at - (at - (MONDAY if length == WEEK else 0)) % length
    return start, start + length


def _month(at: Nanoseconds) -> tuple[Nanoseconds, Nanoseconds]:
    """Return the first days of a month and of the next; in days counted from a first of March."""
    day = at // DAY + 719_468
    era, of_era = divmod(day, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    first = day - of_year + (153 * month + 2) // 5 - 719_468
    if month == 11:  # February, the last of such a year
        year += era * 400
        leap = (year + 1) % 4 == 0 and ((year + 1) % 100 != 0 or (year + 1) % 400 == 0)
        length = 29 if leap else 28
    else:
        length = (153 * (month + 1) + 2) // 5 - (153 * month + 2) // 5
    return first * DAY, (first + length) * DAY


def merged(held: Kline | None, fresh: Kline) -> Kline | None:
    """Return candles with fresh ones merged in by their opening time; None where nothing fresh is said.

    The latest ``MAXIMUM_CANDLES`` are kept. A message older than what is held is not taken.
    """
    if held is not None and fresh.timestamp < held.timestamp:
        return None
    before = () if held is None else held.candles
    at = len(before)
    while at and fresh.candles and before[at - 1].open_time >= fresh.candles[0].open_time:
        at -= 1
    by_time = {candle.open_time: candle for candle in (*before[at:], *fresh.candles)}
    candles = (*before[:at], *(by_time[time] for time in sorted(by_time)))[-MAXIMUM_CANDLES:]
    of_latest = bool(fresh.candles) and fresh.candles[-1].open_time == candles[-1].open_time
    return _kline(fresh, candles, is_closed=fresh.is_closed if held is None or of_latest else held.is_closed)


def _kline(fresh: Kline, candles: tuple[Candle, ...], *, is_closed: bool) -> Kline:
    return Kline(fresh.instrument_id, fresh.interval, candles, is_closed, fresh.timestamp)


class Bucket:
    """The prints of a stretch of time: where the price went, and what was traded, exactly.

    ``volume`` has the prints without a side too. The open is the price of the earliest print, the close that
    of the latest, by their own times.
    """

    __slots__ = (
        "bought", "close", "first_at", "high", "last_at", "low", "notional", "open", "prints", "sold",
        "volume",
    )  # fmt: skip

    def __init__(self, first: Print) -> None:
        quantity, side = first.quantity, first.aggressor
        nothing = CONTEXT.subtract(quantity, quantity)
        self.open = self.high = self.low = self.close = first.price
        self.first_at = self.last_at = first.timestamp
        self.prints = 1
        self.volume = quantity
        self.notional = CONTEXT.multiply(quantity, first.price)
        self.bought = quantity if side is Side.BUY else nothing
        self.sold = quantity if side is Side.SELL else nothing

    def add(self, print_: Print, notional: Decimal) -> None:
        """Count a print in, its notional being known."""
        price, at, quantity = print_.price, print_.timestamp, print_.quantity
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        if at >= self.last_at:
            self.last_at, self.close = at, price
        elif at < self.first_at:
            self.first_at, self.open = at, price
        self.prints += 1
        self.volume = CONTEXT.add(self.volume, quantity)
        self.notional = CONTEXT.add(self.notional, notional)
        if print_.aggressor is Side.BUY:
            self.bought = CONTEXT.add(self.bought, quantity)
        elif print_.aggressor is Side.SELL:
            self.sold = CONTEXT.add(self.sold, quantity)

    def merge(self, later: Bucket) -> None:
        """Count in what happened after all that is here."""
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close, self.last_at = later.close, later.last_at
        self.prints += later.prints
        self.volume = CONTEXT.add(self.volume, later.volume)
        self.notional = CONTEXT.add(self.notional, later.notional)
        self.bought = CONTEXT.add(self.bought, later.bought)
        self.sold = CONTEXT.add(self.sold, later.sold)

    def copy(self) -> Bucket:
        """Return another bucket of the same content."""
        made = Bucket.__new__(Bucket)
        for name in Bucket.__slots__:
            setattr(made, name, getattr(self, name))
        return made


class Series:
    """The latest ``keep`` buckets of one interval, in order of time; a quarter more between two clearings."""

    __slots__ = ("_end", "_keep", "_start", "buckets", "dropped", "interval", "revised", "times")

    def __init__(self, interval: str, keep: int) -> None:
        self.interval = interval
        self._keep = keep
        self._start = self._end = 0
        self.times: list[Nanoseconds] = []
        self.buckets: dict[Nanoseconds, Bucket] = {}
        self.revised = 0
        """How often anything but the newest bucket changed."""
        self.dropped: Nanoseconds | None = None
        """Where the latest of the buckets that are no longer kept opened."""

    def add(self, print_: Print, notional: Decimal) -> None:
        """Count a print in where its time says."""
        at = print_.timestamp
        if not self._start <= at < self._end:
            self._start, self._end = opening(self.interval, at)
        bucket = self.buckets.get(self._start)
        if bucket is not None:
            bucket.add(print_, notional)
            self.revised += self._start != self.times[-1]
        elif self.dropped is None or self._start > self.dropped:
            self._take(self._start, Bucket(print_))

    def merge(self, open_time: Nanoseconds, later: Bucket) -> None:
        """Count a finer bucket in, which is later than all that is here."""
        start, _ = opening(self.interval, open_time)
        bucket = self.buckets.get(start)
        if bucket is not None:
            bucket.merge(later)
        else:
            self._take(start, later.copy())

    def _take(self, open_time: Nanoseconds, bucket: Bucket) -> None:
        self.buckets[open_time] = bucket
        if not self.times or open_time > self.times[-1]:
            self.times.append(open_time)
        else:
            insort(self.times, open_time)
            self.revised += 1
        if len(self.times) > self._keep + self._keep // 4:
            gone = self.times[: -self._keep]
            del self.times[: len(gone)]
            for time in gone:
                del self.buckets[time]
            self.dropped = gone[-1]

    def since(self, start: Nanoseconds, end: Nanoseconds | None = None) -> list[Bucket]:
        """Return the buckets that open at ``start`` or later, and before ``end``."""
        last = len(self.times) if end is None else bisect_left(self.times, end)
        return [self.buckets[time] for time in self.times[bisect_left(self.times, start) : last]]

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        assert self.times == sorted(self.buckets), "each bucket has its time, in order"
        assert len(self.times) <= self._keep + self._keep // 4, "the buckets are bounded"
        starts: Sequence[int] = [opening(self.interval, time)[0] for time in self.times]
        assert starts == self.times, "a bucket opens where its interval does"
