"""What a tape shows: prints as they came or those of one sweep as one, the small ones left out.

A sweep is what follows each other from one aggressor within ``SWEEP_NS``: one order that ate through several
resting ones. Where prints are missing a sweep ends, and prints without a side are never joined.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import CONTEXT
from cadenza_tui.market.records import Side

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.records import Nanoseconds, Print
    from cadenza_tui.market.tape import Hole, Tape

SWEEP_NS = 2_000_000
"""The last print of a sweep is at most so much later than its first."""
MAXIMUM_HELD = 20_000
"""How many entries are kept while somebody reads back in them."""


class Entry:
    """One line of a tape: a print, or several of one sweep. ``number`` is the newest print's on the tape."""

    __slots__ = (
        "aggressor", "high", "low", "notional", "number", "place", "prints", "quantity", "size", "timestamp",
    )  # fmt: skip

    def __init__(self, print_: Print, number: int) -> None:
        self.aggressor: Side | None = print_.aggressor
        self.timestamp: Nanoseconds = print_.timestamp
        """Of the first print."""
        self.high = self.low = print_.price
        self.quantity = print_.quantity
        self.notional = CONTEXT.multiply(print_.quantity, print_.price)
        self.size = float(print_.quantity)
        """The quantity for lengths of bars only."""
        self.prints = 1
        self.number = number
        self.place = 0
        """Which entry it is, counted from the first; 0 while it is too small to be shown."""

    def takes(self, print_: Print) -> bool:
        """Return whether a print that follows belongs to the same sweep."""
        return (
            print_.aggressor is self.aggressor is not None
            and 0 <= print_.timestamp - self.timestamp <= SWEEP_NS
        )

    def join(self, print_: Print, number: int) -> None:
        """Take the next print of the sweep."""
        price = print_.price
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.quantity = CONTEXT.add(self.quantity, print_.quantity)
        self.notional = CONTEXT.add(self.notional, CONTEXT.multiply(print_.quantity, price))
        self.size = float(self.quantity)
        self.prints += 1
        self.number = number

    @property
    def near(self) -> Decimal:
        """Where a sweep began: the best price for its aggressor."""
        return self.low if self.aggressor is Side.BUY else self.high

    @property
    def far(self) -> Decimal:
        """How far a sweep got: the worst price for its aggressor."""
        return self.high if self.aggressor is Side.BUY else self.low


class Rule(NamedTuple):
    """What is shown: whether sweeps are one, the least size (None for all), whether that is of notional."""

    aggregate: bool = False
    least: Decimal | None = None
    quote: bool = False


ALL_PRINTS = Rule()


class Entries:
    """The entries of one tape under one rule, kept up print by print; as many as the tape keeps prints.

    While they are ``held`` there are ten times as many, so that nothing that is read falls away.
    Under a rule that leaves prints out they go further back than the tape does, if they are kept up often
    enough that no print falls from the tape unseen.
    """

    __slots__ = (
        "_counted", "_holes", "_kept", "_open", "_rule", "_tape", "held", "latest_place", "since",
    )  # fmt: skip

    def __init__(self) -> None:
        self._kept: deque[Entry] = deque()
        self._open: Entry | None = None
        self._rule = ALL_PRINTS
        self._tape: Tape | None = None
        self._counted = 0
        self._holes: dict[int, Hole] = {}
        self.held = False
        """Whether somebody reads back: older entries are kept for longer."""
        self.latest_place = 0
        """The place of the newest entry."""
        self.since: Nanoseconds | None = None
        """From when on every entry is here; None where there is nothing."""

    def __len__(self) -> int:
        return len(self._kept)

    def follow(self, tape: Tape, rule: Rule = ALL_PRINTS) -> bool:
        """Take what is new on the tape, which is all the work; return whether everything was begun anew."""
        fresh = tape.count - self._counted
        anew = rule != self._rule or not 0 <= fresh <= len(tape) or tape is not self._tape
        if anew:
            self._rule, self._tape = rule, tape
            self._kept.clear()
            self._holes.clear()
            self._open = self.since = None
            fresh = len(tape)
        if tape.holes:
            for hole in tape.kept_holes():
                self._holes[hole.after] = hole
        if fresh:
            self._take(tape, fresh)
        self._counted = tape.count
        return anew

    def _take(self, tape: Tape, fresh: int) -> None:
        aggregate, least, quote = self._rule
        number = tape.count - fresh
        prints = tape.latest(fresh)
        if self.since is None:
            self.since = prints[-1].timestamp
        for print_ in reversed(prints):
            held = self._open
            if aggregate and held is not None and number not in self._holes and held.takes(print_):
                number += 1
                held.join(print_, number)
            else:
                number += 1
                held = self._open = Entry(print_, number)
            if not held.place and (least is None or (held.notional if quote else held.quantity) >= least):
                self.latest_place += 1
                held.place = self.latest_place
                self._kept.appendleft(held)
        while len(self._kept) > (MAXIMUM_HELD if self.held else tape.maximum):
            self._kept.pop()
            self.since = self._kept[-1].timestamp
        if self._holes:
            oldest = self._kept[-1].number if self._kept else number
            for after in [after for after in self._holes if after < oldest]:
                del self._holes[after]

    def shown(self, place: int | None, n: int) -> list[Entry]:
        """Return ``n`` entries, newest first, from the one at ``place`` on; None for the newest."""
        first = 0 if place is None else self.latest_place - place
        return list(islice(self._kept, max(first, 0), max(first, 0) + max(n, 0)))

    def holes(self) -> list[Hole]:
        """Return the holes between entries, or after the newest, newest first."""
        return [self._holes[after] for after in sorted(self._holes, reverse=True)]
