"""Book updates that wait for a snapshot, and which of them the snapshot already has in it.

A snapshot that is asked for comes beside the stream of diffs, not in it. Both carry the venue's
``timestamp``, in ms, so several updates can share one. The rule is:

* a diff older than the snapshot is in it, and is dropped;
* a newer one is not, and is applied;
* one of the same ms may be either. Where a row names its level (by price, by price and exchange, by order
  id) and carries the level's whole quantity, applying it again changes nothing as long as all later ones of
  that ms are applied after it, in order: each level ends with what the last of them says, which is what it
  has at that time. So these are applied. Where rows have no name of their own (``L3``), a second time would
  add a second order, and they are dropped.

The same rule holds for diffs that were still on their way when the snapshot came: the channel keeps its
order, so it ends with the first one that is not in the snapshot.
"""

from __future__ import annotations

from collections import deque

from cadenza_tui.market.records import BookType, BookUpdate

MAX_UPDATES = 10_000
MAX_ROWS = 500_000


def included(update: BookUpdate, snapshot: BookUpdate) -> bool:
    """Return whether what ``update`` changes is in ``snapshot`` already."""
    if update.book_type is BookType.L3:
        return update.timestamp <= snapshot.timestamp
    return update.timestamp < snapshot.timestamp


class Hold:
    """Updates in the order they came, bounded; ``overflowed`` when some had to be let go."""

    __slots__ = ("_rows", "_updates", "overflowed")

    def __init__(self) -> None:
        self._updates: deque[BookUpdate] = deque()
        self._rows = 0
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._updates)

    def add(self, update: BookUpdate) -> None:
        """Keep an update; the oldest goes when there are too many."""
        self._updates.append(update)
        self._rows += len(update.bids) + len(update.asks)
        while len(self._updates) > MAX_UPDATES or (self._rows > MAX_ROWS and len(self._updates) > 1):
            gone = self._updates.popleft()
            self._rows -= len(gone.bids) + len(gone.asks)
            self.overflowed = True

    def clear(self) -> None:
        """Begin anew, as when a snapshot is asked for: it will have in it all that came before."""
        self._updates.clear()
        self._rows = 0
        self.overflowed = False

    def after(self, snapshot: BookUpdate) -> list[BookUpdate]:
        """Return the updates to apply on top of ``snapshot``.

        From the first that is not in it on, all of them: the stream is in order, a clock need not be.
        """
        updates = list(self._updates)
        for number, update in enumerate(updates):
            if not included(update, snapshot):
                return updates[number:]
        return []
