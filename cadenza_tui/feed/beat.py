"""The beat of a source's clock: once a second what is sampled is sampled, at whatever speed time goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_tui.market.records import Nanoseconds
    from cadenza_tui.market.state import Market

SECOND = 1_000_000_000
FILLED_IN = 10
"""Seconds without a message that are taken for a quiet market; after more of them time has jumped. Back by no
more than that it has not: a message that is taken in late has the time that it came at."""


class Beat:
    """Samples the market at each whole second that the clock passes; a second is sampled once."""

    __slots__ = ("_earliest", "_market", "_next", "_second")

    def __init__(self, market: Market) -> None:
        self._market = market
        self._second: int | None = None
        self._earliest = self._next = 0
        """From when and up to when time goes on from here without another second."""

    def to(self, now: Nanoseconds) -> None:
        """Note the time, before what happened at it is applied. Cheap while the second is the same."""
        if self._earliest <= now < self._next:
            return
        second = now // SECOND
        last = second - 1 if self._second is None else self._second
        passed = second - last
        if 0 < passed <= FILLED_IN:
            for one in range(last + 1, second + 1):
                self._sample(one * SECOND)
        else:  # forward or back
            self._sample(second * SECOND)
        self._second, self._next = second, (second + 1) * SECOND
        self._earliest = (second - FILLED_IN) * SECOND

    def _sample(self, now: Nanoseconds) -> None:
        self._market.sample(now)
        self._market.trails.sample(now)
