"""Candles of one instrument, made from its prints; before the first print, a seeded past."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from functools import cached_property
from math import exp, log
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from .numbers import MILLISECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
DAY_MINUTES = 1_440
INTERVALS = {
    "1s": 1_000,
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": _HOUR,
    "2h": 2 * _HOUR,
    "4h": 4 * _HOUR,
    "6h": 6 * _HOUR,
    "8h": 8 * _HOUR,
    "12h": 12 * _HOUR,
    "1d": _DAY,
    "3d": 3 * _DAY,
    "1w": 7 * _DAY,
    "1M": 0,  # by the calendar
}
_MONDAY = 4 * _DAY  # the epoch was a Thursday


class Candle(NamedTuple):
    """``open_ms`` in ms since the epoch, prices in ticks, ``volume`` in lots."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def bucket(interval: str, time_ms: int) -> int:
    """Return when the candle that holds ``time_ms`` opened. Weeks begin on Monday, months on the 1st."""
    length = INTERVALS[interval]
    if interval == "1w":
        return (time_ms - _MONDAY) // length * length + _MONDAY
    if not length:
        moment = datetime.fromtimestamp(time_ms // 1000, UTC)
        return int(moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1000
    return time_ms // length * length


class Candles:
    """Running candles of a second and a minute; the longer ones are summed from minutes when asked for.

    ``day_open`` is the price 24 hours before ``start_ns``, which the seeded past begins with;
    ``minute_lots`` is what is traded in a minute of it on average, in lots.
    """

    def __init__(self, key: str, price: int, minute_lots: float, start_ns: int) -> None:
        self._random = Random(f"{key}/past")
        self._price, self._minute_lots = price, minute_lots
        self._start_ms = bucket("1m", start_ns // MILLISECOND)
        self.day_open = max(1, round(price * exp(-self._random.gauss(0.002, 0.018))))
        self._seconds: deque[Candle] = deque(maxlen=900)
        self._minutes: deque[Candle] = deque(maxlen=3 * DAY_MINUTES)

    def add(self, time_ns: int, price: int, quantity: int) -> None:
        """Count one print."""
        time_ms = time_ns // MILLISECOND
        for candles, open_ms in (
            (self._seconds, time_ms // 1_000 * 1_000),
            (self._minutes, time_ms // _MINUTE * _MINUTE),
        ):
            last = candles[-1] if candles else None
            if last is None or last.open_ms < open_ms:
                candles.append(Candle(open_ms, price, price, price, price, quantity))
            else:
                candles[-1] = Candle(
                    last.open_ms,
                    last.open,
                    max(last.high, price),
                    min(last.low, price),
                    price,
                    last.volume + quantity,
                )

    def since(self, interval: str, open_ms: int | None) -> list[Candle]:
        """Return the candles made of prints from ``open_ms`` on, oldest first; None: the newest alone."""
        base = self._seconds if interval == "1s" else self._minutes
        if not base:
            return []
        if open_ms is None:
            open_ms = bucket(interval, base[-1].open_ms)
        newest: list[Candle] = []
        for candle in reversed(base):
            if candle.open_ms < open_ms:
                break
            newest.append(candle)
        return _group(interval, reversed(newest))

    def latest(self, interval: str, limit: int) -> list[Candle]:
        """Return up to ``limit`` candles, oldest first, the seeded past included (no past in seconds)."""
        if interval == "1s":
            return [*self._seconds][-limit:]
        return _group(interval, (*self._past, *self._minutes))[-limit:]

    @cached_property
    def _past(self) -> tuple[Candle, ...]:
        """A day of minutes from ``day_open`` to the first price: a Brownian bridge."""
        draw = self._random.gauss
        steps = [draw(0.0, 5e-4) for _ in range(DAY_MINUTES)]
        drift = (log(self._price / self.day_open) - sum(steps)) / DAY_MINUTES
        candles: list[Candle] = []
        level, opened = log(self.day_open), self.day_open
        for index, step in enumerate(steps):
            level += step + drift
            closed = max(1, round(exp(level)))
            reach = abs(draw(0.0, 2e-4))
            candles.append(
                Candle(
                    self._start_ms - (DAY_MINUTES - index) * _MINUTE,
                    opened,
                    round(max(opened, closed) * (1 + reach)),
                    max(1, round(min(opened, closed) * (1 - reach))),
                    closed,
                    max(1, round(2 * self._minute_lots * self._random.random())),
                )
            )
            opened = closed
        return tuple(candles)


def _group(interval: str, candles: Iterable[Candle]) -> list[Candle]:
    groups: dict[int, list[Candle]] = {}
    for candle in candles:
        groups.setdefault(bucket(interval, candle.open_ms), []).append(candle)
    return [_sum(open_ms, parts) for open_ms, parts in groups.items()]


def _sum(open_ms: int, parts: list[Candle]) -> Candle:
    return Candle(
        open_ms,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.volume for part in parts),
    )
