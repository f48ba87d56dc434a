"""Book updates on their way into the market: applied in order, or held back until a snapshot is there.

The rule by which a fetched snapshot joins the stream stands in ``feed.hold``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cadenza_tui.feed.hold import MILLISECOND, SETTLED_NS, Hold, included
from cadenza_tui.market.book import Applied, DeltaRule
from cadenza_tui.market.records import UpdateType
from cadenza_tui.market.state import Topic

if TYPE_CHECKING:
    from cadenza_tui.feed.route import Route
    from cadenza_tui.market.records import BookUpdate, Nanoseconds
    from cadenza_tui.market.state import Market

UNPROVEN = "the snapshot may be older than where the stream was joined"
NOT_AWAITED = "nothing waits for a snapshot"
_DIFF = UpdateType.DIFF  # members of an enum are looked up anew each time


class BookWatch(Protocol):
    """Who brings snapshots to the books that need one. Without a watch nothing is held back."""

    def on_book_lost(self, channel: str, reason: str) -> None:
        """The channel's book does not follow its stream any more; its updates are being held."""

    def on_book_found(self, channel: str) -> None:
        """A snapshot came through the channel itself."""

    def on_book_held(self, channel: str) -> None:
        """One more update waits for a snapshot."""


class ToldOf(Protocol):
    """Who is told of an update that was applied, with its time where it has one that tells a lag."""

    def __call__(
        self, route: Route, event: BookUpdate, timestamp: Nanoseconds | None, received: Nanoseconds, /
    ) -> None: ...


class Books:
    """The books of one market. Without a ``watch`` nothing is held back."""

    def __init__(self, market: Market, applied: ToldOf, watch: BookWatch | None = None) -> None:
        self.market = market
        self.watch = watch
        """Who brings snapshots to the books that need one, if anybody does."""
        self._applied = applied

    def take(self, route: Route, update: BookUpdate, received: Nanoseconds) -> None:
        """Take an update in that came through the route's channel."""
        if update.update_type is UpdateType.SNAPSHOT:
            held = route.hold is not None
            route.hold = route.snapshot = None
            if held and self.watch is not None:
                self.watch.on_book_found(route.channel)
        elif route.hold is not None:
            self._hold_back(route, route.hold, update)
            return
        elif route.snapshot is not None and not self._goes_on(route, route.snapshot, update):
            return
        elif update.update_type is not _DIFF and self._may_count_twice(route, update):
            self._lose(route, update)
            return
        self._apply(route, update, received)

    def unread(self, route: Route, reason: str) -> None:
        """Note a message that could not be used: nothing tells what it would have changed."""
        lost = f"a message that cannot be used: {reason}"
        if self.watch is not None:
            self.hold(route, missed=True)
            self.watch.on_book_lost(route.channel, lost)
            return
        book = self.market.books.get(route.name.instrument_id or "")
        if book is not None and book.has_snapshot:
            book.mark_out_of_sync(lost)
            self.market.dirty.mark(Topic.BOOK, book.instrument_id)

    def _hold_back(self, route: Route, hold: Hold, update: BookUpdate) -> None:
        if self._unusable(update):
            hold.pass_over(update)
        else:
            hold.add(update)
        if self.watch is not None:
            self.watch.on_book_held(route.channel)

    def _unusable(self, update: BookUpdate) -> bool:
        """Return whether an update is one that only a snapshot can bring."""
        return (
            update.update_type is UpdateType.DELTA
            and self.market.delta_rules.of(update.instrument_id) is DeltaRule.RESYNC
        )

    def _goes_on(self, route: Route, snapshot: BookUpdate, update: BookUpdate) -> bool:
        """Return whether an update that follows a fetched snapshot is to be applied.

        One that is in it is passed over. The first that is not must be the next: where nothing that was
        streamed has shown that, the book is lost.
        """
        if included(update, snapshot):
            route.unproven = False  # all before it is in the snapshot, too
            return False
        route.snapshot = None
        if route.unproven and self.watch is not None:
            self._lose(route, update, missed=True)
            return False
        return True

    def _may_count_twice(self, route: Route, update: BookUpdate) -> bool:
        """Return whether an update that adds to levels may be in the last fetched snapshot already."""
        return (
            self.watch is not None
            and update.update_type is UpdateType.DELTA
            and update.timestamp // MILLISECOND == route.fetched_ms
            and self.market.delta_rules.of(update.instrument_id) is DeltaRule.ADD
        )

    def _lose(self, route: Route, update: BookUpdate, *, missed: bool = False) -> None:
        """Hold an update back that cannot be told to be the next; what is in sync is not any more."""
        self.hold(route, missed=missed)
        if route.hold is not None:
            self._hold_back(route, route.hold, update)
        if self.watch is not None:
            self.watch.on_book_lost(route.channel, UNPROVEN)

    def _apply(self, route: Route, update: BookUpdate, received: Nanoseconds) -> None:
        applied = self.market.apply_book(update)
        if applied.changed:
            timestamp = update.timestamp if applied is Applied.DIFF else None
            self._applied(route, update, timestamp, received)
        elif applied is Applied.STALE and route.snapshot is not None:
            return  # it was on its way while the snapshot was made, and is in it
        elif self.watch is None or applied is Applied.STALE:
            route.health.rejected[applied.value] += 1
        else:
            self._lost(route, update, applied, self.watch)

    def _lost(self, route: Route, update: BookUpdate, applied: Applied, watch: BookWatch) -> None:
        # Before the first snapshot nobody knows what came before this message; after it nothing was missed.
        self.hold(route, missed=applied is Applied.NO_SNAPSHOT)
        if route.hold is not None:
            if update.update_type is UpdateType.SNAPSHOT or self._unusable(update):
                route.hold.pass_over(update)
            else:
                route.hold.add(update)
        if applied is not Applied.NO_SNAPSHOT:
            route.health.rejected[applied.value] += 1
        book = self.market.book(update.instrument_id)
        watch.on_book_lost(route.channel, book.out_of_sync_reason or applied.value)

    def hold(self, route: Route, *, missed: bool = False, new_stream: bool = False) -> None:
        """Hold updates back until a snapshot is there; see ``Ingest.hold``."""
        if route.hold is None:
            book = self.market.books.get(route.name.instrument_id or "")
            known = book is not None and book.has_snapshot
            applied = book.timestamp if book is not None and not new_stream else 0
            route.hold = Hold(applied, missed=missed or not known)
            route.snapshot = None
        elif missed:
            route.hold.gap(new_stream=new_stream)

    def snapshot(self, route: Route, snapshot: BookUpdate, received: Nanoseconds) -> str:
        """Apply a snapshot that was asked for, and on top of it what was held; see ``Ingest.snapshot``."""
        if route.hold is None:
            return NOT_AWAITED
        hold = route.hold
        last = route.health.last_message
        settled = last is None or received - last >= SETTLED_NS
        adds = self.market.delta_rules.of(snapshot.instrument_id) is DeltaRule.ADD
        if refusal := hold.refusal(snapshot, settled=settled, adds=adds):
            return refusal
        held, route.hold = hold.after(snapshot), None
        route.snapshot = None if held else snapshot
        route.fetched_ms = snapshot.timestamp // MILLISECOND
        route.unproven = hold.missed
        self._apply(route, snapshot, received)
        for update in held:
            if route.hold is None:
                self._apply(route, update, received)
            else:  # one of them was unusable, and the book is lost again
                self._hold_back(route, route.hold, update)
        return ""
