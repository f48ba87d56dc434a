"""Figures about the screen that are calm: on a slow link a figure that flickers is traffic of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from cadenza_tui.market.health import Health
    from cadenza_tui.ui.clock import Timers

INTERVAL = 1.0
SMOOTHING = 0.3
"""The weight of the latest second."""
NEARLY = 0.15
"""A change of less than this share is none."""


class Steady:
    """A figure that changes only when what it tells has really changed."""

    def __init__(self) -> None:
        self._mean: float | None = None
        self.shown: float | None = None

    def take(self, value: float | None) -> float | None:
        """Take the latest reading, and return the figure to show: None while there is no reading."""
        if value is None:
            self._mean = self.shown = None
            return None
        self._mean = value if self._mean is None else self._mean + SMOOTHING * (value - self._mean)
        if value == 0 and self._mean < 0.05:
            self._mean = 0.0
        if self.shown is None or abs(self._mean - self.shown) > NEARLY * max(self._mean, self.shown):
            self.shown = self._mean
        return self.shown


class Gauges:
    """Takes the readings once a second and leaves the figures on the screen's health."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._timers: Timers | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0
        self._frames = self._bytes = 0
        self._fps, self._written, self._messages, self._lag = (Steady() for _ in range(4))

    def start(self, timers: Timers) -> None:
        """Begin to read."""
        self._timers, self._at = timers, timers.time()
        screen = self._health.screen
        self._frames, self._bytes = screen.frames, screen.bytes_written
        self._handle = timers.call_later(INTERVAL, self._read)

    def _read(self) -> None:
        if self._timers is None:
            return
        now = self._timers.time()
        elapsed = max(now - self._at, 0.001)
        screen, connection = self._health.screen, self._health.connection
        screen.fps = self._fps.take((screen.frames - self._frames) / elapsed) or 0.0
        screen.steady_bytes_rate = self._written.take((screen.bytes_written - self._bytes) / elapsed)
        screen.steady_messages_rate = self._messages.take(connection.rate)
        screen.steady_lag_ms = self._lag.take(connection.lag_p50_ms)
        self._at, self._frames, self._bytes = now, screen.frames, screen.bytes_written
        self._handle = self._timers.call_later(INTERVAL, self._read)

    def stop(self) -> None:
        """Read no more."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._timers = None
