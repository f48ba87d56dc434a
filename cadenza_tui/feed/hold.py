"""Book updates that wait for a snapshot, whether a snapshot can be trusted, and which updates are in it.

A snapshot that is asked for comes beside the stream of diffs, not in it, and may come out of a cache that is
older than what has been streamed. Both carry the venue's ``timestamp``; in ms, so several updates can share
one, and whatever is finer is not compared. An update is in a snapshot of a later ms, and is not in one of an
earlier ms; of the same ms it may be either.

**Which snapshot serves.** Between the last update that was applied and the first one that came after a gap
something may have been missed, of any time between the two. Only a snapshot of a later ms than that first one
is sure to have it. One of the same ms may have been made in the middle of it, and is taken only once the
stream has rested for ``SETTLED_NS``: a cache may be late, but not by that much and in the middle of a ms.
Where nothing was missed, the time to pass is that of the last update that was applied.

**What goes on top.** Of the updates that are held, all from the first one on that is not in the snapshot: the
stream is in order, a clock need not be. Those of the snapshot's own ms are applied: where a row carries what
is there afterwards, applying it again changes nothing as long as all later ones of that ms follow in order.
Where a row carries a change (``adds``) a second time would count twice, so such a snapshot does not serve.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from cadenza_tui.market.records import UpdateType

if TYPE_CHECKING:
    from cadenza_tui.market.records import BookUpdate, Nanoseconds

MAX_UPDATES = 10_000
MAX_ROWS = 500_000
MILLISECOND = 1_000_000
SETTLED_NS = 1_000_000_000

TOO_OLD = "the snapshot is older than the stream"
SAME_TIME = "the snapshot may lack messages of its own millisecond"


def included(update: BookUpdate, snapshot: BookUpdate) -> bool:
    """Return whether what ``update`` changes is surely in ``snapshot`` already."""
    return update.timestamp // MILLISECOND < snapshot.timestamp // MILLISECOND


def same_time(update: BookUpdate, snapshot: BookUpdate) -> bool:
    """Return whether the two are of one ms, so that nothing tells which was first."""
    return update.timestamp // MILLISECOND == snapshot.timestamp // MILLISECOND


class Hold:
    """Updates in the order they came, bounded, and the time that a snapshot has to be newer than.

    ``applied`` is the time of the last update before. With ``missed`` something may lack between that and the
    first update that is held; without, the stream is whole.
    """

    __slots__ = ("_floor", "_rows", "_updates", "missed")

    def __init__(self, applied: Nanoseconds = 0, *, missed: bool = False) -> None:
        self._updates: deque[BookUpdate] = deque()
        self._rows = 0
        self._floor = applied
        self.missed = missed
        """Whether something may lack before the next update, whose time is not known yet."""

    def __len__(self) -> int:
        return len(self._updates)

    def add(self, update: BookUpdate) -> None:
        """Keep an update; where there are too many the oldest goes, and is missed from then on."""
        if self.missed:
            self.missed = False
            self._floor = max(self._floor, update.timestamp)
        self._updates.append(update)
        self._rows += len(update.bids) + len(update.asks)
        while len(self._updates) > MAX_UPDATES or (self._rows > MAX_ROWS and len(self._updates) > 1):
            gone = self._updates.popleft()
            self._rows -= len(gone.bids) + len(gone.asks)
            self._floor = max(self._floor, self._updates[0].timestamp)

    def pass_over(self, update: BookUpdate) -> None:
        """Note an update that cannot be applied: a snapshot must have it, and all before it."""
        self._forget()
        self.missed = False
        self._floor = max(self._floor, update.timestamp)

    def gap(self, *, new_stream: bool = False) -> None:
        """Note that updates are missing after what is held; a new stream's time begins anew."""
        self._floor = 0 if new_stream else max((self._floor, *(one.timestamp for one in self._updates)))
        self._forget()
        self.missed = True

    def _forget(self) -> None:
        self._updates.clear()
        self._rows = 0

    def refusal(self, snapshot: BookUpdate, *, settled: bool = False, adds: bool = False) -> str:
        """Return why ``snapshot`` does not serve, in words; "" where it does.

        ``settled`` says that the stream has rested for ``SETTLED_NS``, ``adds`` that a DELTA carries changes.
        """
        late = snapshot.timestamp // MILLISECOND - self._floor // MILLISECOND
        if late < 0:
            return f"{TOO_OLD} (by {-late:,} ms)"
        if late == 0 and self._floor and not settled:
            return SAME_TIME
        if adds and any(
            same_time(one, snapshot) for one in self._updates if one.update_type is UpdateType.DELTA
        ):
            return SAME_TIME
        return ""

    def after(self, snapshot: BookUpdate) -> list[BookUpdate]:
        """Return the updates to apply on top of a snapshot that serves."""
        updates = list(self._updates)
        for number, update in enumerate(updates):
            if not included(update, snapshot):
                return updates[number:]
        return []
