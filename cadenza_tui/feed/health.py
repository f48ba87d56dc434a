"""Measurements for the Health view, in constant memory: rates and lag over the last few seconds."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hdrh.histogram import HdrHistogram

if TYPE_CHECKING:
    from cadenza_tui.market.health import Health

WINDOW_S = 5
"""How many seconds a rate looks back."""
LAG_WINDOW_NS = 10_000_000_000
"""A percentile of lag covers between one and two of these."""
MAX_LAG_US = 3_600_000_000
LEAST_WINDOW_NS = 600_000_000_000
"""The lag that a channel's is held against is its least of between one and two of these."""
CLOCK_STEP_NS = 1_000_000_000
"""A wall clock that moved this much otherwise than time did was set: lags before it tell nothing."""
_DIGITS = 2
_GRAIN = 6
"""Lags are counted in steps of 2^6 µs before they go to the histogram."""
_MAX_WAITING = 1_024


class Rate:
    """Events a second, from readings of a running total taken about once a second."""

    __slots__ = ("_readings",)

    def __init__(self) -> None:
        self._readings: deque[tuple[int, int]] = deque(maxlen=WINDOW_S + 1)

    def reading(self, total: int, now: int) -> float:
        """Take a reading of the running total at ``now`` (ns) and return the rate."""
        readings = self._readings
        if readings and (now <= readings[-1][0] or total < readings[-1][1]):
            readings.clear()
        readings.append((now, total))
        first, before = readings[0]
        return (total - before) * 1e9 / (now - first) if now > first else 0.0


class Lag:
    """How late messages are: percentiles over a sliding window, from two histograms that take turns.

    The one in use and the one before it are read together, so a percentile covers between one and two
    windows and memory does not grow with the rate.
    """

    def __init__(self) -> None:
        self._current = HdrHistogram(1, MAX_LAG_US, _DIGITS)
        self._previous = HdrHistogram(1, MAX_LAG_US, _DIGITS)
        self._both = HdrHistogram(1, MAX_LAG_US, _DIGITS)
        self._since = 0
        self._waiting: dict[int, int] = {}

    def record(self, lag_ns: int) -> None:
        """Count one message. A negative lag, which only clocks that disagree can give, counts as none."""
        waiting = self._waiting
        step = lag_ns // 1_000 >> _GRAIN
        if step in waiting:
            waiting[step] += 1
            return
        if len(waiting) >= _MAX_WAITING:
            self._settle()
        waiting[step] = 1

    def _settle(self) -> None:
        """Hand the counts on: one call of the histogram costs more than all else about a message's lag."""
        for step, count in self._waiting.items():
            middle = (step << _GRAIN) + (1 << _GRAIN) // 2
            self._current.record_value(min(max(middle, 1), MAX_LAG_US), count)
        self._waiting.clear()

    def percentiles_ms(self, now: int) -> tuple[float, float] | None:
        """Return p50 and p99 in ms at ``now`` (ns), or None when nothing came within the window."""
        if not self._since:
            self._since = now
        age = now - self._since
        self._settle()
        if not 0 <= age < LAG_WINDOW_NS:
            self._current, self._previous = self._previous, self._current
            self._current.reset()
            if not 0 <= age < 2 * LAG_WINDOW_NS:
                self._previous.reset()
            self._since = now
        if not self._current.total_count and not self._previous.total_count:
            return None
        self._both.reset()
        self._both.add(self._current)
        self._both.add(self._previous)
        return (
            self._both.get_value_at_percentile(50) / 1_000,
            self._both.get_value_at_percentile(99) / 1_000,
        )


class Backlog:
    """How much later than usual a channel's messages come, which tells a backlog on the way or in here.

    Against its own least lag, not against none: a venue's clock may be wrong, and stays as wrong as it is.
    """

    __slots__ = ("_before", "_least", "_messages", "_since")

    def __init__(self) -> None:
        self._least: int | None = None
        self._before: int | None = None
        self._since = 0
        self._messages = 0

    def reading(self, messages: int, lag: int, now: int) -> int:
        """Return by how much the latest message is late, in ns; 0 where none came since the last reading."""
        came, self._messages = messages != self._messages, messages
        if not came:
            return 0
        if not 0 <= now - self._since < LEAST_WINDOW_NS:
            self._before, self._least, self._since = self._least, None, now
        self._least = lag if self._least is None else min(self._least, lag)
        return lag - (self._least if self._before is None else min(self._least, self._before))


class Meter:
    """Takes the readings, about once a second, for a connection and all its channels."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._rate = Rate()
        self._bytes = Rate()
        self._rates: dict[str, Rate] = {}
        self._backlogs: dict[str, Backlog] = {}
        self._clock: int | None = None

    def measure(self, lag: Lag, monotonic: int, wall: int) -> None:
        """Write rates, percentiles and backlogs into the health.

        ``monotonic`` and ``wall`` in ns: a replay's clock may rest, and the machine's may be set.
        """
        connection, channels = self._health.connection, self._health.channels
        connection.rate = self._rate.reading(connection.messages, monotonic)
        connection.bytes_rate = self._bytes.reading(connection.bytes_received, monotonic)
        clock, self._clock = self._clock, wall - monotonic
        if clock is not None and abs(self._clock - clock) > CLOCK_STEP_NS:
            self._backlogs.clear()
        for channel in self._rates.keys() - channels.keys():
            del self._rates[channel]
            self._backlogs.pop(channel, None)
        for channel, facts in channels.items():
            rate = self._rates.get(channel)
            if rate is None:
                rate = self._rates[channel] = Rate()
            facts.rate = rate.reading(facts.messages, monotonic)
            if facts.lag_ns is not None:
                backlog = self._backlogs.get(channel)
                if backlog is None:
                    backlog = self._backlogs[channel] = Backlog()
                facts.late_ns = backlog.reading(facts.messages, facts.lag_ns, monotonic)
        percentiles = lag.percentiles_ms(monotonic)
        connection.lag_p50_ms, connection.lag_p99_ms = percentiles or (None, None)
