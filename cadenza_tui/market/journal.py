"""What changes on a side, written down only while somebody looks, so that what is kept up costs what changed.

A side without a journal pays one look at an empty slot for each message. With one, the side notes for each
message what stood at each level that it speaks of, and what stands there now. Any number of
readers follow the journal, each with its own position; a reader that is behind what is kept, or across a
snapshot, begins anew from the side itself.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from cadenza_tui.market.sides import SortedSide

Entry: TypeAlias = "tuple[Any, str | None, str | None]"
"""What one message made of one level: its key, the quantity that stood there, and the one that stands now.

None is nothing, as is zero. A message has one entry for a key, however often it names it.
"""

MAXIMUM_CHANGES = 2_048
"""Changes of levels kept for readers, once trimmed."""
NEAR = 128
"""Best keys that are kept in order while the journal is on."""
ENDLESS = inf
"""Behind every integer key."""


class Journal:
    """The changes of one side, and its best price, kept up without sorting the side."""

    __slots__ = (
        "_endless",
        "_held",
        "_side",
        "base",
        "best",
        "entries",
        "horizon",
        "near",
        "turns",
    )

    def __init__(self, side: SortedSide[Any, Any]) -> None:
        self._side = side
        self._held = side.held
        self._endless = side.endless
        self.entries: list[Entry] = []
        self.base = 0
        """The position of the first entry."""
        self.best: Any = self._endless
        """The best key, ``endless`` while the side is empty."""
        self.turns = 0
        """How often the best price has become another one at the end of a message."""
        self.near: list[Any] = []
        """A heap of every held key before the horizon, and of some that have left."""
        self.horizon: Any = self._endless
        self.begin()

    @property
    def end(self) -> int:
        """The position after the last entry: where a reader is that has read everything."""
        return self.base + len(self.entries)

    def since(self, position: int) -> list[Entry] | None:
        """Return the entries from a position on, None where they are not kept any more."""
        return None if position < self.base else self.entries[position - self.base :]

    def begin(self) -> None:
        """Begin anew: the side holds something else altogether."""
        self.base = self.end + 1
        self.entries.clear()
        self.near.clear()
        self._turn()

    def trim(self) -> None:
        """Drop the older entries where more is kept than should be."""
        if len(self.entries) > MAXIMUM_CHANGES:
            dropped = len(self.entries) - MAXIMUM_CHANGES // 2
            del self.entries[:dropped]
            self.base += dropped

    def note(self, message: list[Entry]) -> None:
        """Write one message down."""
        self.entries += message
        near, horizon = self.near, self.horizon
        for key, before, _ in message:
            if before is None and key < horizon:
                heappush(near, key)
        self.settle()

    def merge(self, start: int) -> None:
        """Make one entry of those that a message, whose first is at an index, has written about one key."""
        first: dict[Any, str | None] = {}
        last: dict[Any, str | None] = {}
        for key, before, after in self.entries[start:]:
            first.setdefault(key, before)
            last[key] = after
        self.entries[start:] = [(key, before, last[key]) for key, before in first.items()]

    def settle(self) -> None:
        """Find the best key after a message. Keys before the horizon that have come are in ``near``."""
        near, best = self.near, self.best
        if near and (near[0] < best or best not in self._held):
            self._turn()
        if len(near) > 8 * NEAR:
            self._thin()

    def rescale(self, factor: int) -> None:
        """Follow the side to keys of finer prices."""
        scaled = self._side.scaled
        self.entries[:] = [(scaled(key, factor), before, after) for key, before, after in self.entries]
        self.near[:] = [scaled(key, factor) for key in self.near]
        self.best = scaled(self.best, factor)
        self.horizon = scaled(self.horizon, factor)

    def _turn(self) -> None:
        """Find the best key, and count it where its price is another one."""
        near, held = self.near, self._held
        while near and near[0] not in held:
            heappop(near)
        if not near:
            near[:] = islice(self._side.ordered(), NEAR)  # ascending, so a heap
            self.horizon = near[-1] if len(near) == NEAR else self._endless
        best = near[0] if near else self._endless
        if best != self.best:
            tick = self._side.tick
            self.turns += tick(best) != tick(self.best)
            self.best = best

    def _thin(self) -> None:
        """Forget what has left, and what is farther than it need be."""
        held = self._held
        near = sorted({key for key in self.near if key in held})
        if len(near) > 4 * NEAR:
            self.horizon = near[NEAR]
            del near[NEAR:]
        self.near[:] = near

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        held, near = self._held, self.near
        assert all(near[(place - 1) // 2] <= near[place] for place in range(1, len(near))), "it is a heap"
        assert {key for key in held if key < self.horizon} <= set(near), "every near key is known"
        assert self.best == (min(held) if held else self._endless), "the best key is known"
