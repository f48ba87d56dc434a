"""What each balance began the session with, and the day in UTC: unknown where nobody saw it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.times import DAY, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.market.records import Nanoseconds

SEEN_WITHIN_NS = 5 * SECOND
"""Midnight was seen where the clock was read this shortly before: else it was set, or the machine slept."""
CLOCKS_APART_NS = 60 * SECOND
"""A change that came on the other side of midnight than its own time says counts where that says, so far."""

NOTHING = Decimal(0)


class Starts:
    """The totals that balances began with, by their keys; a total that was not told is None.

    ``roll`` is to be called with the time about once a second, and before each change is taken.
    """

    def __init__(self) -> None:
        self.session: dict[str, Decimal] = {}
        """The first total known."""
        self.day: dict[str, Decimal | None] = {}
        """The totals at midnight, where ``day_known``; what is not there was not held, and began at 0."""
        self.day_known = False
        self.midnight: Nanoseconds | None = None
        """When the day began that the clock is in."""
        self._seen: Nanoseconds = 0
        self._ahead: dict[str, Decimal | None] = {}
        """What was held before changes that are from after the midnight to come."""

    def roll(
        self, now: Nanoseconds, totals: Callable[[], dict[str, Decimal | None]], *, current: bool
    ) -> None:
        """Begin the day where ``now`` is in another than before; ``current``: ``totals()`` is all there is.

        A day whose beginning nobody saw is unknown until it ends: the first, or the clock was set.
        """
        midnight = now - now % DAY
        if midnight != self.midnight:
            seen = self.midnight is not None and midnight - DAY == self.midnight
            self.day_known = seen and current and now - self._seen <= SEEN_WITHIN_NS
            self.day = {**totals(), **self._ahead} if self.day_known else {}
            self._ahead.clear()
            self.midnight = midnight
        self._seen = now

    def taken(
        self,
        key: str,
        total: Decimal | None,
        before: Decimal | None,
        time: Nanoseconds | None,
        now: Nanoseconds,
        *,
        appeared: bool,
    ) -> None:
        """Note a balance that is taken; ``time`` is the change's own, ``before`` the total that was held.

        ``appeared``: the account was held whole and did not have the asset, so it had none of it until now.
        """
        before = NOTHING if appeared else before
        if total is not None:
            self.session.setdefault(key, NOTHING if appeared else total)
        if time is None or self.midnight is None or abs(now - time) > CLOCKS_APART_NS:
            return
        if time < self.midnight:
            if self.day_known:
                self.day[key] = total
        elif time >= self.midnight + DAY:
            self._ahead.setdefault(key, before)

    def lost(self, since: Nanoseconds) -> None:
        """Note that what was held from ``since`` on may not have been all there was."""
        if self.midnight is not None and since < self.midnight:
            self.day_known = False
            self.day.clear()
        self._ahead.clear()

    def doubt(self, key: str, since: Nanoseconds) -> None:
        """Note that a balance was wrong, and that nobody knows since when after ``since``."""
        if self.day_known and self.midnight is not None and since < self.midnight:
            self.day[key] = None

    def rename(self, key: str, new_key: str) -> None:
        """Hold by another key what was held by ``key``."""
        if key in self.session:
            self.session[new_key] = self.session.pop(key)
        for totals in (self.day, self._ahead):
            if key in totals:
                totals[new_key] = totals.pop(key)

    def of_day(self, key: str) -> Decimal | None:
        """Return a balance's total at midnight, None while it is unknown."""
        return self.day.get(key, NOTHING) if self.day_known else None
