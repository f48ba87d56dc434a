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
is out of sync they are unknown, and so they are of a VWAP book: what stands there are averages and running
sums, of which nothing is added or taken. What was traded is counted since watching began, whatever the book
does.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.market.changes import SideChanges
from cadenza_tui.market.journal import MAXIMUM_CHANGES
from cadenza_tui.market.records import BookType, Side
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
    """The flow of one book. Memory is bounded: see ``changes`` and ``traded``.

    What was traded is counted always. The book's journal is kept, and read, from the first question about
    what it tells until ``sleep``: nobody pays for what nobody looks at.
    """

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._sides: tuple[SideChanges, SideChanges] | None = None
        """The bids' changes and the asks', None while asleep."""
        self._turns = 0
        self._traded = TradedAt()
        self._bought = self._sold = self._unsided = ZERO
        self._counted: deque[Print] = deque(maxlen=EARLY)
        """The latest prints since the touch changed."""
        self.since: Nanoseconds = book.timestamp
        """The book's time when the sums began: of the last change of the touch, or of a snapshot after it."""
        self.touch_changes = 0
        """How often the best bid or ask became another price, since watching began."""
        self.holes = 0
        """Times that prints were missed since watching began: what was traded is more than is counted."""
        self.version = 0
        """Grows with every change of what can be read."""
        self.idle = 0
        """Seconds since somebody asked for what the journal tells, as far as ``Study.rest`` has counted."""

    # --- what comes in

    def after_diff(self) -> None:
        """Take note that the book has applied a diff."""
        if self._sides is None:
            return
        self.version += 1
        bids, asks = self._sides
        turns = bids.journal.turns + asks.journal.turns
        if turns != self._turns:
            self._turns = turns
            self.touch_changes += 1
            self._begin(bids, asks)
        elif len(bids.journal.entries) > MAXIMUM_CHANGES or len(asks.journal.entries) > MAXIMUM_CHANGES:
            bids.follow()
            asks.follow()

    def after_snapshot(self) -> None:
        """Take note that the book holds something else altogether."""
        if self._sides is not None:
            self._wake()

    def add_print(self, fresh: Print) -> None:
        """Take a print that is new."""
        self.version += 1
        self._traded.add(fresh)
        if self._sides is None:
            self._counted.append(fresh)  # it may be later than the book when somebody looks
        elif fresh.timestamp // MILLISECOND > self.since // MILLISECOND:
            self._count(fresh, *self._sides)

    def lose_prints(self) -> None:
        """Take note that prints are missing here."""
        self.holes += 1
        self.version += 1

    def sleep(self) -> None:
        """Let go of what was stacked and pulled: it begins anew when somebody asks again."""
        self._sides = None

    def _wake(self) -> tuple[SideChanges, SideChanges]:
        """Begin with the book as it is."""
        book = self._book
        book.keep_journal(kept=True)
        bids, asks = self._sides = SideChanges(book.bids), SideChanges(book.asks)
        self._turns = bids.journal.turns + asks.journal.turns
        self.version += 1
        self._begin(bids, asks)
        return self._sides

    def _count(self, fresh: Print, bids: SideChanges, asks: SideChanges) -> None:
        """Count a print that is later than the latest change of the touch."""
        self._counted.append(fresh)
        quantity = fresh.quantity
        if fresh.aggressor is not Side.SELL:
            asks.hit(fresh.price, quantity)
        if fresh.aggressor is not Side.BUY:
            bids.hit(fresh.price, quantity)
        if fresh.aggressor is Side.BUY:
            self._bought = exact.CONTEXT.add(self._bought, quantity)
        elif fresh.aggressor is Side.SELL:
            self._sold = exact.CONTEXT.add(self._sold, quantity)
        else:
            self._unsided = exact.CONTEXT.add(self._unsided, quantity)

    # --- what can be read

    @property
    def awake(self) -> bool:
        """Whether the journal is read."""
        return self._sides is not None

    @property
    def known(self) -> bool:
        """Whether what was stacked and pulled is known: the book is in sync, and one of levels."""
        return self._look() is not None

    def side(self, *, bid: bool) -> SideFlow | None:
        """Return the sums of one side since the touch last changed, None while they are not known."""
        sides = self._look()
        if sides is None:
            return None
        changes = sides[0] if bid else sides[1]
        return SideFlow(self._sold if bid else self._bought, changes.stacked(), changes.pulled())

    def changes(self, *, bid: bool) -> SideChanges | None:
        """Return what was stacked and pulled on a side since the touch last changed, price by price.

        Brought up to date, to ``read`` any number of prices of at once. None while it is not known.
        """
        sides = self._look()
        if sides is None:
            return None
        side = sides[0] if bid else sides[1]
        side.follow()
        return side

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

    @property
    def forgotten(self) -> int:
        """Prices whose prints are not kept any more, those traded at longest ago."""
        return self._traded.forgotten

    @property
    def thinned(self) -> bool:
        """Whether prices whose changes are counted in the sums are not kept one by one any more."""
        return self._sides is not None and any(side.thinned for side in self._sides)

    def _look(self) -> tuple[SideChanges, SideChanges] | None:
        """Return both sides' changes, None while the book is out of sync, or where it has no levels."""
        self.idle = 0
        sides = self._sides
        if not self._book.in_sync or self._book.book_type is BookType.VWAP:
            return None
        return self._wake() if sides is None or sides[0].side is not self._book.bids else sides

    def _begin(self, bids: SideChanges, asks: SideChanges) -> None:
        self.since = self._book.timestamp
        self._bought = self._sold = self._unsided = ZERO
        bids.begin()
        asks.begin()
        if self._counted:
            counted, self._counted = self._counted, deque(maxlen=EARLY)
            for early in counted:
                if early.timestamp // MILLISECOND > self.since // MILLISECOND:
                    self._count(early, bids, asks)
