"""The candles of a chart, from a server's klines, from prints, or from both; and their VWAP."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.candles import DAY, INTERVALS, MONTH, opening
from cadenza_tui.market.exact import CONTEXT, divide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.candles import Bucket, Series
    from cadenza_tui.market.records import Candle, Kline, Nanoseconds
    from cadenza_tui.market.tally import Tally


EPOCH = date(1970, 1, 1).toordinal()
MEAN_MONTH = DAY * 30.44


class Point(NamedTuple):
    """One candle of a chart. Whatever a server says, ``high`` and ``low`` enclose the other two."""

    open_time: Nanoseconds
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    notional: Decimal | None = None
    """What was paid, exactly; None where only the candle is known."""
    whole: bool = True
    """Whether all of it was watched."""
    at_least: bool = False
    """Whether there is more volume than ``volume``, nobody knows how much."""


class Mean(NamedTuple):
    """A VWAP as its exact parts: thrice the notional over thrice the volume."""

    notional: Decimal
    volume: Decimal
    about: bool
    """Whether candles' typical prices stand for the prints in it."""

    def price(self, places: int) -> Decimal | None:
        """Return the mean, rounded once; None where nothing was traded."""
        return divide(self.notional, self.volume, places) if self.volume else None


def of_candle(candle: Candle) -> Point:
    """Return a server's candle."""
    high = max(candle.open, candle.high, candle.low, candle.close)
    low = min(candle.open, candle.high, candle.low, candle.close)
    return Point(candle.open_time, candle.open, high, low, candle.close, candle.volume)


def of_bucket(open_time: Nanoseconds, bucket: Bucket, *, whole: bool) -> Point:
    """Return a candle made from prints."""
    b = bucket
    return Point(open_time, b.open, b.high, b.low, b.close, b.volume, b.notional, whole, at_least=not whole)


class Charted:
    """The candles of one chart, kept up: while only the newest changes, only that is made anew."""

    __slots__ = (
        "_before",
        "_key",
        "_kline",
        "_vwap_before",
        "interval",
        "means",
        "points",
        "times",
    )

    def __init__(self) -> None:
        self.interval = ""
        self.points: list[Point] = []
        self.times: list[Nanoseconds] = []
        self.means: list[Mean | None] = []
        """The VWAP at the end of each candle; None where a volume in it is not known."""
        self._kline: Kline | None = None
        self._key: tuple[object, ...] = ()

    def follow(self, interval: str, kline: Kline | None, tally: Tally | None) -> None:
        """Take what is new. With both, prints make what is later than the klines."""
        series = tally.series(interval) if tally is not None else None
        last = series.times[-1] if series is not None and series.times else None
        key = (interval, tally, series.revised if series is not None else 0, last)
        if key == self._key and self.points and (kline is self._kline or self._only_newest(kline)):
            newest = _newest(kline, tally, series)
            if newest is not None and newest.open_time == self.times[-1]:
                self._kline = kline
                self.points[-1] = newest
                self.means[-1] = mean(
                    self.means[-2] if len(self.means) > 1 else None, self.points, -1, interval
                )
                return
        self._kline, self._key, self.interval = kline, key, interval
        points = [of_candle(candle) for candle in kline.candles] if kline is not None else []
        if tally is not None and series is not None:
            points = _joined(points, tally, series)
        self.points, self.times = points, [point.open_time for point in points]
        self.means = means(points, interval)

    def _only_newest(self, kline: Kline | None) -> bool:
        """Return whether klines differ from those before in their newest candle alone."""
        before = self._kline.candles if self._kline is not None else ()
        fresh = kline.candles if kline is not None else ()
        if not fresh or not before or fresh[-1].open_time != self.times[-1]:
            return False
        return before[-1].open_time == fresh[-1].open_time and before[:-1] == fresh[:-1]


def _newest(kline: Kline | None, tally: Tally | None, series: Series | None) -> Point | None:
    candle = of_candle(kline.candles[-1]) if kline is not None and kline.candles else None
    if tally is None or series is None or not series.times:
        return candle
    last = series.times[-1]
    if candle is not None and candle.open_time > last:
        return candle
    made = of_bucket(last, series.buckets[last], whole=tally.whole(last, opening(series.interval, last)[1]))
    return extended(candle, made) if candle is not None and candle.open_time == last else made


def _joined(points: list[Point], tally: Tally, series: Series) -> list[Point]:
    """Return a server's candles and those that prints make from its last one on."""
    first = bisect_left(series.times, points[-1].open_time) if points else 0
    made = [
        of_bucket(time, series.buckets[time], whole=tally.whole(time, opening(series.interval, time)[1]))
        for time in series.times[first:]
    ]
    if points and made and made[0].open_time == points[-1].open_time:
        made[0] = extended(points.pop(), made[0])
    return points + made


def extended(candle: Point, prints: Point) -> Point:
    """Return a server's candle, asked for at some moment, with the prints of its time that we know of.

    Where we have watched all of it, ours is exact; else, or where the server knows of more than we have seen,
    the price goes on and the volume is a least one.
    """
    if prints.whole and (candle.volume is None or prints.volume is None or prints.volume >= candle.volume):
        return prints
    volume = candle.volume
    if volume is not None and prints.volume is not None:
        volume = max(volume, prints.volume)
    return candle._replace(
        high=max(candle.high, prints.high),
        low=min(candle.low, prints.low),
        close=prints.close,
        volume=volume,
        whole=False,
        at_least=True,
    )


def means(points: Sequence[Point], interval: str) -> list[Mean | None]:
    """Return the VWAP at the end of each candle: of its UTC day, for days of its month, else of its year."""
    made: list[Mean | None] = []
    for place in range(len(points)):
        made.append(mean(made[-1] if made else None, points, place, interval))
    return made


def mean(before: Mean | None, points: Sequence[Point], place: int, interval: str) -> Mean | None:
    """Return the VWAP at the end of one candle, ``before`` being that of the candle before it."""
    point = points[place]
    place %= len(points)
    first = not place or session(points[place - 1].open_time, interval) != session(point.open_time, interval)
    if point.volume is None or (before is None and not first):
        return None
    if point.notional is not None:
        notional = CONTEXT.add(CONTEXT.add(point.notional, point.notional), point.notional)
    else:
        notional = CONTEXT.multiply(
            CONTEXT.add(CONTEXT.add(point.high, point.low), point.close), point.volume
        )
    volume = CONTEXT.add(CONTEXT.add(point.volume, point.volume), point.volume)
    about = point.notional is None or point.at_least
    if not place and session(point.open_time - 1, interval) == session(point.open_time, interval):
        about = True  # the session had begun before
    if first or before is None:
        return Mean(notional, volume, about)
    return Mean(
        CONTEXT.add(before.notional, notional), CONTEXT.add(before.volume, volume), before.about or about
    )


def session(at: Nanoseconds, interval: str) -> int:
    """Return a number of the session whose VWAP a candle belongs to."""
    length = INTERVALS[interval]
    if length < DAY:
        return at // DAY
    if length < 7 * DAY:
        return opening(MONTH, at)[0]
    return date.fromordinal(min(EPOCH + at // DAY, date.max.toordinal())).year


def missing(before: Nanoseconds, at: Nanoseconds, interval: str) -> int:
    """Return how many candles there are none of between two that follow each other."""
    if interval == MONTH:
        return max(round((at - before) / MEAN_MONTH) - 1, 0)
    return max((at - before) // INTERVALS[interval] - 1, 0)
