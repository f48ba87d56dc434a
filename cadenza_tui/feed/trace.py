"""The trace: one JSON line a second of how the feed and the screen fare."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, TypedDict

import msgspec

from cadenza_tui.errors import CadenzaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cadenza_tui.market.state import Market

INTERVAL_S = 1.0
_PROBE_S = 0.05


class TraceLine(TypedDict):
    """The keys of a line. Counts are totals since the start, ``rate`` is messages a second over the last few.

    ``time`` is the wall clock in UTC; lags are None while nothing arrives; ``books`` counts those with a
    snapshot, ``in_sync`` those of them that follow their stream; ``loop_stall_ms`` is the longest time the
    event loop stood still since the line before.
    """

    time: str
    messages: int
    rate: float
    lag_p50_ms: float | None
    lag_p99_ms: float | None
    frames: int
    skipped: int
    bytes: int
    books: int
    in_sync: int
    reconnects: int
    rejected: int
    loop_stall_ms: float


class Trace:
    """Writes the trace of a market to a file that is made anew. Raises CadenzaError where it cannot be."""

    def __init__(
        self,
        path: Path,
        market: Market,
        *,
        clock: Callable[[], float] = time.time,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._market = market
        self._clock = clock
        self._interval_s = interval_s
        self._due = clock() + interval_s
        try:
            self._file: IO[bytes] = open(path, "wb", opener=_private)  # noqa: SIM115
        except OSError as error:
            raise CadenzaError(f"the trace {path} cannot be written: {error.strerror}") from None

    def line(self) -> TraceLine:
        """Return the line of this moment, and begin to look for the longest stall anew."""
        health = self._market.health
        connection, screen = health.connection, health.screen
        books = [book for book in self._market.books.values() if book.has_snapshot]
        now = datetime.fromtimestamp(self._clock(), UTC)
        stall, screen.loop_stall_ms = screen.loop_stall_ms, 0.0
        return {
            "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "messages": connection.messages,
            "rate": round(connection.rate, 1),
            "lag_p50_ms": _rounded(connection.lag_p50_ms),
            "lag_p99_ms": _rounded(connection.lag_p99_ms),
            "frames": screen.frames,
            "skipped": screen.skipped,
            "bytes": screen.bytes_written,
            "books": len(books),
            "in_sync": sum(book.in_sync for book in books),
            "reconnects": connection.reconnects,
            "rejected": health.rejected,
            "loop_stall_ms": round(stall, 3),
        }

    def write(self) -> None:
        """Write one line."""
        self._file.write(msgspec.json.encode(self.line()) + b"\n")
        self._file.flush()

    def write_if_due(self) -> None:
        """Write a line when a second has gone by since the last: for work that has no event loop."""
        if self._clock() >= self._due:
            self._due = self._clock() + self._interval_s
            self.write()

    async def run(self) -> None:
        """Write a line a second until cancelled, and the last one then. A full disk ends the trace alone."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._interval_s
        try:
            while True:
                before = loop.time()
                pause = min(_PROBE_S, max(0.0, due - before))
                await asyncio.sleep(pause)
                late = (loop.time() - before - pause) * 1_000
                screen = self._market.health.screen
                screen.loop_stall_ms = max(screen.loop_stall_ms, late)
                if loop.time() >= due:
                    due += self._interval_s * max(1, int((loop.time() - due) / self._interval_s) + 1)
                    self.write()
        except OSError:
            return
        finally:
            self.close()

    def close(self) -> None:
        """Write the last line and close the file."""
        if not self._file.closed:
            try:
                self.write()
                self._file.close()
            except OSError:
                pass


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
