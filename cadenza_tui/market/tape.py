"""The latest prints of one instrument."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.tally import Tally

if TYPE_CHECKING:
    from cadenza_tui.market.records import Print

MAXIMUM_PRINTS = 2_000
MAXIMUM_HOLES = 256


class Hole(NamedTuple):
    """Messages that are missing right after the print with this number; 0 of them: nobody knows how many."""

    after: int
    messages: int


class Tape:
    """The last ``maximum`` prints in the order of their arrival; a trade id is taken once within them.

    Where messages were missed there is a hole: what is summed up over it is not complete. ``tally`` sums up
    more than the kept prints.
    """

    __slots__ = ("_holes", "_ids", "_prints", "count", "holes", "maximum", "tally", "version")

    def __init__(self, maximum: int = MAXIMUM_PRINTS) -> None:
        self.maximum = maximum
        self.tally = Tally()
        self._prints: deque[Print] = deque()
        self._ids: set[str] = set()
        self._holes: deque[Hole] = deque(maxlen=MAXIMUM_HOLES)
        self.holes = 0
        """Holes there ever were."""
        self.count = 0
        """Prints ever taken, those no longer kept included."""
        self.version = 0

    def __len__(self) -> int:
        return len(self._prints)

    @property
    def prints(self) -> tuple[Print, ...]:
        """Everything kept, newest first."""
        return tuple(self._prints)

    def latest(self, n: int) -> list[Print]:
        """Return the newest ``n`` prints, newest first."""
        return list(islice(self._prints, max(n, 0)))

    def add(self, fresh: Print) -> bool:
        """Take a print and say whether it was new."""
        if fresh.trade_id:
            if fresh.trade_id in self._ids:
                return False
            self._ids.add(fresh.trade_id)
        self._prints.appendleft(fresh)
        if len(self._prints) > self.maximum:
            self._ids.discard(self._prints.pop().trade_id)
        self.tally.add(fresh)
        self.count += 1
        self.version += 1
        return True

    def lose(self, messages: int = 0) -> None:
        """Note that messages are missing here, after all that was taken; 0 is an unknown number of them."""
        held = self._holes[-1] if self._holes else None
        if held is not None and held.after == self.count:
            self._holes.pop()
            messages = held.messages + messages if held.messages and messages else 0
        else:
            self.holes += 1
        self._holes.append(Hole(self.count, messages))
        self.tally.lose()
        self.version += 1

    def kept_holes(self) -> list[Hole]:
        """Return the holes between prints that are kept, or after the newest, newest first."""
        oldest = self.count - len(self._prints)
        return [hole for hole in reversed(self._holes) if hole.after > oldest]

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        ids = [p.trade_id for p in self._prints if p.trade_id]
        assert len(ids) == len(set(ids)), "a trade id is kept once"
        assert set(ids) == self._ids, "ids are known for the kept prints alone"
        assert len(self._prints) <= min(self.maximum, self.count), "the tape is bounded"
        places = [hole.after for hole in self._holes]
        assert places == sorted(set(places)), "there is one hole at a place"
        self.tally.check()
