"""The simulator's pace: the exchange's time goes on as the wall's does, in bounded steps."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from .numbers import MILLISECOND, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .exchange import Exchange, Publication

STEP_NS = 50 * MILLISECOND  # of exchange time simulated before the event loop gets its turn
SHORTEST_NS = 4 * MILLISECOND  # between two wake-ups, so that a fast market comes in batches
IDLE_NS = 500 * MILLISECOND  # between two wake-ups while nobody listens
HALT_NS = 5 * SECOND  # behind by more than this, the exchange was halted meanwhile


class Outlet(Protocol):
    """Where an exchange's publications go."""

    exchange: Exchange
    catch_up: Callable[[], None]
    """Called by whoever needs the exchange at the present."""

    @property
    def busy(self) -> bool:
        """Whether anybody listens to anything."""

    def wanted(self, channel: str) -> bool:
        """Whether anything published to the channel is kept."""

    def publish(self, publications: Iterable[Publication]) -> None:
        """Take what the exchange published."""

    def tidy(self, now: float) -> None:
        """Called now and then, with a monotonic time in seconds."""


class Pacer:
    """Keeps the exchange's time at the wall's: what that was at the start, plus what has elapsed."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet, self._exchange = outlet, outlet.exchange
        self._offset = time.time_ns() - time.monotonic_ns()
        self._asked = asyncio.Event()
        outlet.catch_up = self.catch_up

    def catch_up(self) -> None:
        """Advance towards the present, by one bounded step at most."""
        self._asked.set()
        self._advance(min(self._present(), self._exchange.now_ns + STEP_NS))

    async def run(self) -> None:
        """Advance for ever: wake when something is due, catch up in steps, never spin."""
        while True:
            self._outlet.tidy(time.monotonic())
            behind = self._present() - self._exchange.now_ns
            if behind > HALT_NS:
                self._exchange.halt(behind)
            while self._present() - self._exchange.now_ns > STEP_NS:
                self.catch_up()
                await asyncio.sleep(0)
            self.catch_up()
            pause = self._exchange.next_ns - self._present()
            if self._outlet.busy:
                await asyncio.sleep(max(pause, SHORTEST_NS) / SECOND)
                continue
            self._asked.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), max(pause, IDLE_NS) / SECOND)

    def _present(self) -> int:
        return self._offset + time.monotonic_ns()

    def _advance(self, until_ns: int) -> None:
        if until_ns > self._exchange.now_ns:
            self._outlet.publish(self._exchange.advance(until_ns, self._outlet.wanted))
