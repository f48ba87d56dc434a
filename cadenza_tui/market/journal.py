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
    from collections.abc import Sequence

    from cadenza_tui.market.sides import SortedSide

Entry: TypeAlias = "tuple[list[Any], list[str | None], Sequence[tuple[str | None, ...]]]"
"""One message: keys, the quantity that stood at each, and, second in a pair, the one that stands there now.

None is nothing, as is zero. A key that a message names twice may be there twice, one change after the other.
"""

MAXIMUM_CHANGES = 8_192
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
        "changes",
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
        self.changes = 0
        """Changes of levels in the entries."""
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
        self.changes = 0
        self.near.clear()
        self._turn()

    def trim(self) -> None:
        """Drop the older entries where more is kept than should be."""
        if self.changes <= MAXIMUM_CHANGES:
            return
        dropped = 0
        while self.changes > MAXIMUM_CHANGES // 2:
            self.changes -= len(self.entries[dropped][0])
            dropped += 1
        del self.entries[:dropped]
        self.base += dropped

    def note(
        self, keys: list[Any], befores: list[str | None], afters: Sequence[tuple[str | None, ...]]
    ) -> None:
        """Write one message down. Keys before the horizon that have come must be in ``near`` already."""
        if not keys:
            return
        self.entries.append((keys, befores, afters))
        self.changes += len(keys)
        best = self.best
        if min(keys) < best or (best not in self._held and best != self._endless):
            self._turn()
        if len(self.near) > 8 * NEAR:
            self._thin()

    def welcome(self, keys: list[Any], befores: list[str | None]) -> None:
        """Take in the keys that a message has brought, those before the horizon."""
        near, horizon = self.near, self.horizon
        for key, before in zip(keys, befores, strict=True):
            if before is None and key < horizon:
                heappush(near, key)

    def rescale(self, factor: int) -> None:
        """Follow the side to keys of finer prices."""
        scaled = self._side.scaled
        for keys, _, _ in self.entries:
            keys[:] = [scaled(key, factor) for key in keys]
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
        assert self.changes == sum(len(keys) for keys, _, _ in self.entries), "the changes are counted"
