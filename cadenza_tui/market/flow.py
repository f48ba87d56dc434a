"""Order flow: what was traded at each price, and what was added and taken away since the touch last changed.

Prints and the book arrive on two channels, in either order and each with the venue's time. They are brought
together so:

* *stacked* is the sum of all increases of a price's quantity, message by message; *taken* that of all
  decreases. Both begin anew when, after a message, the best bid or ask is another price than before.
* *pulled* is what was taken less what was traded there: prints at that price whose aggressor hits that side,
  or is not known, never more than was taken. A print that comes after the book's change lowers it then.
* A print belongs to the time since the touch changed when its millisecond is a later one than that of the
  message that changed it: book messages are timed to the millisecond, and the trade that moves the touch has
  the time of the change.

A snapshot, whatever brings it, begins them anew as well: nobody knows what happened between. While the book
is out of sync they are unknown. What was traded is counted since watching began, whatever the book does.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.market.changes import SideChanges
from cadenza_tui.market.journal import MAXIMUM_CHANGES
from cadenza_tui.market.records import Side
from cadenza_tui.market.traded import Traded, TradedAt

if TYPE_CHECKING:
    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Nanoseconds, Print

__all__ = ["OrderFlow", "SideFlow", "Traded"]

ZERO = Decimal(0)
MILLISECOND = 1_000_000
EARLY = 256
"""Prints remembered that may turn out to be later than a change of the touch that has yet to arrive."""


class SideFlow(NamedTuple):
    """One side since the touch last changed; ``traded`` took from it."""

    traded: Decimal
    stacked: Decimal
    pulled: Decimal

    @property
    def net(self) -> Decimal:
        """What was stacked less what was pulled."""
        return exact.subtract(self.stacked, self.pulled)


class OrderFlow:
    """The flow of one book, whose journal is kept. Memory is bounded: see ``changes`` and ``traded``."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._bids = SideChanges(book.bids)
        self._asks = SideChanges(book.asks)
        self._journals = self._bids.journal, self._asks.journal
        self._turns = sum(journal.turns for journal in self._journals)
        self._traded = TradedAt()
        self._bought = self._sold = self._unsided = ZERO
        self._counted: deque[Print] = deque(maxlen=EARLY)
        """The latest prints since the touch changed."""
        self.since: Nanoseconds = book.timestamp
        """The book's time when the sums began: of the last change of the touch, or of a snapshot after it."""
        self.touch_changes = 0
        """How often the best bid or ask became another price, since watching began."""
        self.began: Nanoseconds | None = None
        """The time of the first print that was counted."""
        self.holes = 0
        """Times that prints were missed since watching began: what was traded is more than is counted."""
        self.version = 0
        """Grows with every change of what can be read."""

    # --- what comes in

    def after_diff(self) -> None:
        """Take note that the book has applied a diff."""
        self.version += 1
        bids, asks = self._journals
        turns = bids.turns + asks.turns
        if turns != self._turns:
            self._turns = turns
            self.touch_changes += 1
            self._begin()
        elif bids.changes > MAXIMUM_CHANGES or asks.changes > MAXIMUM_CHANGES:
            self._bids.follow()
            self._asks.follow()

    def after_snapshot(self) -> None:
        """Take note that the book holds something else altogether."""
        self.version += 1
        if self._bids.side is not self._book.bids:
            self._bids, self._asks = SideChanges(self._book.bids), SideChanges(self._book.asks)
            self._journals = self._bids.journal, self._asks.journal
        self._turns = sum(journal.turns for journal in self._journals)
        self._begin()

    def add_print(self, fresh: Print) -> None:
        """Take a print that is new."""
        self.version += 1
        if self.began is None:
            self.began = fresh.timestamp
        self._traded.add(fresh)
        if fresh.timestamp // MILLISECOND > self.since // MILLISECOND:
            self._count(fresh)

    def lose_prints(self) -> None:
        """Take note that prints are missing here."""
        self.holes += 1
        self.version += 1

    def _count(self, fresh: Print) -> None:
        """Count a print that is later than the latest change of the touch."""
        self._counted.append(fresh)
        quantity = fresh.quantity
        if fresh.aggressor is not Side.SELL:
            self._asks.hit(fresh.price, quantity)
        if fresh.aggressor is not Side.BUY:
            self._bids.hit(fresh.price, quantity)
        if fresh.aggressor is Side.BUY:
            self._bought = exact.CONTEXT.add(self._bought, quantity)
        elif fresh.aggressor is Side.SELL:
            self._sold = exact.CONTEXT.add(self._sold, quantity)
        else:
            self._unsided = exact.CONTEXT.add(self._unsided, quantity)

    # --- what can be read

    @property
    def known(self) -> bool:
        """Whether what was stacked and pulled is known: the book is in sync."""
        return self._book.in_sync and self._bids.side is self._book.bids

    def side(self, *, bid: bool) -> SideFlow | None:
        """Return the sums of one side since the touch last changed, None while they are not known."""
        if not self.known:
            return None
        changes = self._bids if bid else self._asks
        return SideFlow(self._sold if bid else self._bought, changes.stacked(), changes.pulled())

    @property
    def unsided(self) -> Decimal:
        """What was traded since the touch last changed without a word about the aggressor."""
        return self._unsided

    def traded(self, price: Decimal, increment: Decimal | None = None) -> Traded:
        """Return what was bought and sold at a price since watching began.

        With an increment: at the prices up to it that ask groups of it hold, bought, and at those down to it
        that bid groups hold, sold.
        """
        return self._traded.at(price, increment)

    def stacked(self, price: Decimal, increment: Decimal | None = None, *, bid: bool) -> Decimal | None:
        """Return what was added at a price, or in its group, since the touch last changed."""
        changes = self._bids if bid else self._asks
        return changes.at(price, increment).stacked if self.known else None

    def pulled(self, price: Decimal, increment: Decimal | None = None, *, bid: bool) -> Decimal | None:
        """Return what was taken away untraded at a price, or in its group, since the touch last changed."""
        changes = self._bids if bid else self._asks
        return changes.at(price, increment).pulled if self.known else None

    @property
    def forgotten(self) -> int:
        """Prices whose prints are not kept any more, those traded at longest ago."""
        return self._traded.forgotten

    @property
    def thinned(self) -> bool:
        """Whether prices whose changes are counted in the sums are not kept one by one any more."""
        return self._bids.thinned or self._asks.thinned

    def _begin(self) -> None:
        self.since = self._book.timestamp
        self._bought = self._sold = self._unsided = ZERO
        self._bids.begin()
        self._asks.begin()
        if self._counted:
            counted, self._counted = self._counted, deque(maxlen=EARLY)
            for early in counted:
                if early.timestamp // MILLISECOND > self.since // MILLISECOND:
                    self._count(early)
