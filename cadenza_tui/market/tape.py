"""The latest prints of one instrument."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_tui.market.records import Print

MAXIMUM_PRINTS = 2_000


class Tape:
    """The last ``maximum`` prints in the order of their arrival; a trade id is taken once within them."""

    __slots__ = ("_ids", "_maximum", "_prints", "count", "version")

    def __init__(self, maximum: int = MAXIMUM_PRINTS) -> None:
        self._maximum = maximum
        self._prints: deque[Print] = deque()
        self._ids: set[str] = set()
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
        if len(self._prints) > self._maximum:
            self._ids.discard(self._prints.pop().trade_id)
        self.count += 1
        self.version += 1
        return True

    def clear(self) -> None:
        """Forget the prints; the count stays."""
        self._prints.clear()
        self._ids.clear()
        self.version += 1

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        ids = [p.trade_id for p in self._prints if p.trade_id]
        assert len(ids) == len(set(ids)), "a trade id is kept once"
        assert set(ids) == self._ids, "ids are known for the kept prints alone"
        assert len(self._prints) <= min(self._maximum, self.count), "the tape is bounded"
