"""What the prints of one instrument sum up to: CVD, VWAP, bought and sold, over windows and as candles."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.candles import HOUR, INTERVALS, MINUTE, SECOND, Bucket, Series
from cadenza_tui.market.exact import CONTEXT, divide, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.market.records import Nanoseconds, Print

WINDOWS: dict[str, int] = {"10s": 10, "1m": 60, "5m": 300, "15m": 900, "1h": 3_600}
"""The windows that sums are taken over, in seconds; beside them there is ``all``."""
ALL = "all"
KEPT = {"1s": 1_024, "1m": 1_500, "1h": 1_000}
"""How many buckets of each kind are kept (a quarter more between two clearings): 17 minutes by the second, 25
hours by the minute, 41 days by the hour, of those that have prints. At most about 3 MB an instrument, and
1 MB for each of ``MAXIMUM_DERIVED`` other intervals that were charted."""
MAXIMUM_DERIVED = 3
MAXIMUM_GAPS = 64
_NONE = Decimal(0)


class Window(NamedTuple):
    """The exact sums over a window; ``since`` is where what they cover begins, at most ``span_ns`` ago.

    ``whole`` says that no print in it is known to be missing.
    """

    bought: Decimal
    sold: Decimal
    volume: Decimal
    notional: Decimal
    prints: int
    since: Nanoseconds
    span_ns: int
    whole: bool

    @property
    def delta(self) -> Decimal:
        """Bought minus sold by the aggressors."""
        return subtract(self.bought, self.sold)

    def vwap(self, places: int) -> Decimal | None:
        """Return the mean price weighted by quantity, rounded once; None where nothing was traded."""
        return divide(self.notional, self.volume, places) if self.volume else None

    def prints_per_second(self) -> float | None:
        """Return prints a second; None over less than a second."""
        return self.prints * SECOND / self.span_ns if self.span_ns >= SECOND else None

    def volume_per_second(self, places: int) -> Decimal | None:
        """Return volume a second, rounded once; None over less than a second."""
        if self.span_ns < SECOND:
            return None
        return divide(CONTEXT.multiply(self.volume, Decimal(SECOND)), Decimal(self.span_ns), places)


class Stretch(NamedTuple):
    """What was traded in a stretch of time that begins at ``start``."""

    start: Nanoseconds
    delta: Decimal
    """Bought minus sold."""
    volume: Decimal


class Gap(NamedTuple):
    """Prints are missing somewhere between these two times; None: nothing has come since."""

    after: Nanoseconds
    before: Nanoseconds | None


class Tally:
    """Sums of prints by second, minute and hour, kept up print by print; each print counts at its own time.

    A window of up to 15 minutes ends now and begins with a whole second, the one of an hour with a whole
    minute: the running second or minute counts as one. What is dated later than now counts as now.
    """

    __slots__ = ("_base", "_derived", "_gaps", "total")

    def __init__(self) -> None:
        self._base = {name: Series(name, keep) for name, keep in KEPT.items()}
        self._derived: dict[str, Series] = {}
        self._gaps: deque[Gap] = deque(maxlen=MAXIMUM_GAPS)
        self.total: Bucket | None = None
        """Every print since the first."""

    def add(self, fresh: Print) -> None:
        """Count a print in."""
        notional = CONTEXT.multiply(fresh.quantity, fresh.price)
        for series in self._base.values():
            series.add(fresh, notional)
        for series in self._derived.values():
            series.add(fresh, notional)
        if self.total is None:
            self.total = Bucket(fresh)
        else:
            self.total.add(fresh, notional)
        if self._gaps and self._gaps[-1].before is None:
            self._gaps[-1] = self._gaps[-1]._replace(before=fresh.timestamp)

    def lose(self) -> None:
        """Note that prints are missing here, after all that was counted."""
        if self.total is None or (self._gaps and self._gaps[-1].before is None):
            return
        self._gaps.append(Gap(self.total.last_at, None))

    def whole(self, start: Nanoseconds, end: Nanoseconds | None = None) -> bool:
        """Return whether a stretch of time was watched from its start on with nothing known to be missing."""
        if self.total is None or start < self.total.first_at:
            return False
        return self._unbroken(start, end)

    def _unbroken(self, start: Nanoseconds, end: Nanoseconds | None) -> bool:
        if len(self._gaps) == MAXIMUM_GAPS and start < self._gaps[0].after:
            return False
        return all(
            (gap.before is not None and gap.before <= start) or (end is not None and gap.after >= end)
            for gap in self._gaps
        )

    def window(self, name: str, now: Nanoseconds) -> Window | None:
        """Return the sums over one of ``WINDOWS`` or ``ALL`` that ends now; None before the first print."""
        total = self.total
        if total is None:
            return None
        if name == ALL:
            return _window([total], total.first_at, now, whole=not self._gaps)
        length = WINDOWS[name]
        if length > 900:
            start = now - now % MINUTE - (length - 60) * SECOND
            buckets = self._base["1m"].since(start)
        else:
            start = now - now % SECOND - (length - 1) * SECOND
            minute = start + -start % MINUTE
            buckets = self._base["1s"].since(start, minute) + self._base["1m"].since(minute)
        since = max(start, total.first_at)
        dropped = self._base["1m" if length > 900 else "1s"].dropped
        covered = dropped is None or dropped < start
        return _window(buckets, since, now, whole=covered and self._unbroken(since, None))

    def stretches(self, seconds: int, n: int, now: Nanoseconds) -> list[Stretch]:
        """Return the latest stretches of so many seconds, at most ``n``, up to now, the oldest first.

        Those before the first print and those that are no longer kept are left out; from a minute on
        ``seconds`` is a number of whole minutes. What is dated later than now counts in the last one.
        """
        series = self._base["1s" if seconds < 60 else "1m"]
        length = seconds * SECOND
        last = now - now % length
        if not series.times:
            return []
        kept = series.times[0] - series.times[0] % length
        kept += length if series.dropped is not None else 0
        first = max(last - (n - 1) * length, min(kept, last))
        made: list[Stretch] = []
        for start in range(first, last + 1, length):
            delta = volume = _NONE
            for bucket in series.since(start, start + length if start < last else None):
                delta = CONTEXT.add(delta, CONTEXT.subtract(bucket.bought, bucket.sold))
                volume = CONTEXT.add(volume, bucket.volume)
            made.append(Stretch(start, delta, volume))
        return made

    def series(self, interval: str) -> Series:
        """Return the candles of one of ``INTERVALS``, kept up from now on; none where no print fell."""
        return self._base.get(interval) or self._derived.get(interval) or self._derive(interval)

    def _derive(self, interval: str) -> Series:
        """Return candles of an interval, made from finer ones now and kept up from now on."""
        finer = self._base["1h" if INTERVALS[interval] % HOUR == 0 else "1m"]
        made = Series(interval, KEPT[finer.interval])
        for time in finer.times:
            made.merge(time, finer.buckets[time])
        while len(self._derived) >= MAXIMUM_DERIVED:
            del self._derived[next(iter(self._derived))]
        self._derived[interval] = made
        return made

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        for series in (*self._base.values(), *self._derived.values()):
            series.check()


def _window(buckets: Iterable[Bucket], since: int, now: int, *, whole: bool) -> Window:
    bought = sold = volume = notional = _NONE
    prints = 0
    for bucket in buckets:
        bought, sold = CONTEXT.add(bought, bucket.bought), CONTEXT.add(sold, bucket.sold)
        volume = CONTEXT.add(volume, bucket.volume)
        notional = CONTEXT.add(notional, bucket.notional)
        prints += bucket.prints
    return Window(bought, sold, volume, notional, prints, since, max(now - since, 0), whole)
