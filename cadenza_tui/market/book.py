"""The order book of one instrument, exact to the last digit and spelled as the feed spells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from cadenza_tui.market import exact
from cadenza_tui.market.layout import PRICE, QUANTITY, LayoutError, layout_of
from cadenza_tui.market.order_sides import AnonymousSide, OrderSide
from cadenza_tui.market.price_sides import ExchangeSide, PlainSide, PricedSide
from cadenza_tui.market.records import BookType, InstrumentId, UpdateType
from cadenza_tui.market.sides import BookSide, Level, Row, SortedSide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cadenza_tui.market.layout import Layout
    from cadenza_tui.market.records import BookUpdate, Nanoseconds

__all__ = ["MAXIMUM_ROWS", "Applied", "BookSide", "DeltaRule", "DeltaRules", "Level", "OrderBook"]

MAXIMUM_ROWS = 50_000
"""Rows a side may hold; a book that passes it is out of sync rather than growing without end."""

_MILLISECOND = 1_000_000

_NO_BOOK = layout_of(BookType.L2, (PRICE, QUANTITY))


class Applied(StrEnum):
    """What became of a message."""

    SNAPSHOT = "snapshot"
    DIFF = "diff"
    NO_SNAPSHOT = "diff before a snapshot"
    OVERFULL = "diff for a book that is too large"
    STALE = "diff older than the snapshot"
    OTHER_TYPE = "diff of another book type"
    OTHER_COLUMNS = "diff with other columns"
    BAD_LAYOUT = "columns do not fit the book type"
    DELTA_UNSUPPORTED = "delta not supported"
    BELOW_ZERO = "delta below zero"

    @property
    def changed(self) -> bool:
        """Whether the book is another one than before."""
        return self is Applied.SNAPSHOT or self is Applied.DIFF


# Members of an enum are looked up anew each time: these two are on the path of every message.
_DIFF = UpdateType.DIFF
_APPLIED_DIFF = Applied.DIFF


class DeltaRule(StrEnum):
    """What to do with a DELTA, whose meaning the contract leaves to each venue; never guessed."""

    REPLACE_LEVELS = "replace-levels"
    """Each row is what its level holds from then on; zero removes it."""
    ADD = "add"
    """Each row's quantity, which may be negative, is added to its level's; one that reaches zero goes."""
    RESYNC = "resync"
    """Not applied; the book is out of sync until the next snapshot."""


@dataclass(frozen=True, slots=True)
class DeltaRules:
    """The rule of each venue, and of those that have none of their own."""

    default: DeltaRule = DeltaRule.RESYNC
    venues: Mapping[str, DeltaRule] = field(default_factory=dict)

    def of(self, instrument_id: InstrumentId) -> DeltaRule:
        """Return the rule for an instrument, which begins with its venue."""
        if not self.venues:
            return self.default
        return self.venues.get(instrument_id.partition(":")[0], self.default)


_ADDABLE = frozenset({BookType.L2, BookType.L2_EXCHANGE})
"""Where a row names its level and its quantity can be summed: not a cumulative one, not a count of orders."""


AnySide: TypeAlias = "SortedSide[Any, Any]"


def side_of(layout: Layout, *, bid: bool) -> AnySide:
    """Return an empty side for books laid out so."""
    match layout.book_type:
        case BookType.L3_COUNTED:
            return OrderSide(layout, bid=bid)
        case BookType.L3:
            return AnonymousSide(layout, bid=bid)
        case BookType.L2_EXCHANGE:
            return ExchangeSide(layout, bid=bid)
        case _:
            return (PlainSide if layout.columns == (PRICE, QUANTITY) else PricedSide)(layout, bid=bid)


class OrderBook:
    """Both sides of one instrument.

    A snapshot replaces everything. A diff is applied to a book that has a snapshot; one that cannot be
    applied leaves a hole, so it puts the book out of sync until the next snapshot. An out-of-sync book stays
    readable and follows its diffs, since most of it is right, but says that it is not to be trusted.
    """

    __slots__ = (
        "_follows",
        "_journaled",
        "_layout",
        "_maximum_rows",
        "_snapshot_time",
        "asks",
        "bids",
        "delta_rule",
        "diffs",
        "has_snapshot",
        "instrument_id",
        "out_of_sync_reason",
        "timestamp",
        "version",
    )

    def __init__(
        self,
        instrument_id: InstrumentId,
        *,
        delta_rule: DeltaRule = DeltaRule.RESYNC,
        maximum_rows: int = MAXIMUM_ROWS,
    ) -> None:
        self.instrument_id = instrument_id
        self.delta_rule = delta_rule
        self._maximum_rows = maximum_rows
        self._follows = False
        """Whether diffs are taken: there is a snapshot, and room."""
        self._journaled = False
        self._layout: Layout = _NO_BOOK
        self._snapshot_time: Nanoseconds = 0
        self.bids: AnySide = side_of(_NO_BOOK, bid=True)
        self.asks: AnySide = side_of(_NO_BOOK, bid=False)
        self.has_snapshot = False
        self.out_of_sync_reason = ""
        self.timestamp: Nanoseconds = 0
        """The feed's time of the last message applied, ns; 0 before the first."""
        self.diffs = 0
        """Diffs applied since the book was made."""
        self.version = 0
        """Grows with every change of what can be read."""

    @property
    def book_type(self) -> BookType | None:
        """The snapshot's type, None before the first."""
        return self._layout.book_type if self.has_snapshot else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The snapshot's columns."""
        return self._layout.columns

    @property
    def in_sync(self) -> bool:
        """Whether the book is what the feed says it is: it has a snapshot and missed nothing since."""
        return self.has_snapshot and not self.out_of_sync_reason

    def apply(self, update: BookUpdate) -> Applied:
        """Apply one message whole, or not at all, and say which."""
        kind = update.update_type
        if kind is _DIFF:
            return self._apply_diff(update)
        if kind is UpdateType.SNAPSHOT:
            return self._apply_snapshot(update)
        if self.delta_rule is DeltaRule.REPLACE_LEVELS:
            return self._apply_replacing(update)
        if self.delta_rule is DeltaRule.ADD:
            return self._apply_adding(update)
        return self._refuse(Applied.DELTA_UNSUPPORTED, "a DELTA, after which the book is fetched anew")

    def mark_out_of_sync(self, reason: str) -> None:
        """Distrust what is held, which stays readable, until the next snapshot."""
        self.out_of_sync_reason = reason
        self.version += 1

    def clear(self) -> None:
        """Forget everything held: the book awaits a snapshot again."""
        self._lay_out(_NO_BOOK)
        self.has_snapshot = self._follows = False
        self.out_of_sync_reason = ""
        self.timestamp = 0
        self.version += 1

    def keep_journal(self, *, kept: bool) -> None:
        """Begin or end to write down what changes on both sides: see ``market.journal``."""
        self._journaled = kept
        self.bids.keep_journal(kept=kept)
        self.asks.keep_journal(kept=kept)

    def trim_journal(self) -> None:
        """Bound the journal, if one is kept, of which nobody else reads all."""
        for side in (self.bids, self.asks):
            if side.journal is not None:
                side.journal.trim()

    @property
    def best_bid(self) -> Level | None:
        """The highest bid, None while there is none."""
        return self.bids.best()

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask, None while there is none."""
        return self.asks.best()

    def touch(self) -> tuple[Decimal, Decimal] | None:
        """Return the best bid and ask prices, None while a side is empty."""
        bid, ask = self.bids.best(), self.asks.best()
        return None if bid is None or ask is None else (Decimal(bid.price), Decimal(ask.price))

    def spread(self) -> Decimal | None:
        """Return ask minus best bid in quote units, negative when crossed; None while a side is empty."""
        touch = self.touch()
        return None if touch is None else exact.subtract(touch[1], touch[0])

    def mid(self) -> Decimal | None:
        """Return the exact middle of the touch, with one more decimal on a half tick; None as for spread."""
        touch = self.touch()
        return None if touch is None else exact.halve(exact.add(*touch))

    @property
    def crossed(self) -> bool:
        """Whether the best bid is above the best ask: not a market, an error somewhere."""
        touch = self.touch()
        return touch is not None and touch[0] > touch[1]

    @property
    def locked(self) -> bool:
        """Whether the best bid and ask are one price."""
        touch = self.touch()
        return touch is not None and touch[0] == touch[1]

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        for side in (self.bids, self.asks):
            side.check()
            prices = [Decimal(level.price) for level in side.levels()]
            assert prices == sorted(prices, reverse=side is self.bids), "best price first"
            assert len(prices) == side.depth <= side.rows, "every level is read"
            assert self.has_snapshot or not prices, "nothing is held before a snapshot"
            assert side.rows <= self._maximum_rows or not self._follows, "the book is bounded"

    def _apply_snapshot(self, update: BookUpdate) -> Applied:
        try:
            layout = layout_of(update.book_type, update.columns)
        except LayoutError as error:
            if self.has_snapshot:
                self.mark_out_of_sync(f"a snapshot that cannot be read: {error}")
            return Applied.BAD_LAYOUT
        if layout is not self._layout:
            self._lay_out(layout)
        most = max(self.bids.replace(update.bids), self.asks.replace(update.asks))
        self.has_snapshot = self._follows = True
        self.out_of_sync_reason = ""
        self.timestamp = update.timestamp
        self._snapshot_time = update.timestamp - update.timestamp % _MILLISECOND  # a diff's own precision
        self.version += 1
        if most > self._maximum_rows:
            self._stop_following()
        return Applied.SNAPSHOT

    def _apply_diff(self, update: BookUpdate) -> Applied:
        if not self._follows:
            return Applied.OVERFULL if self.has_snapshot else Applied.NO_SNAPSHOT
        timestamp, bids, asks = update.timestamp, update.bids, update.asks
        if timestamp < self._snapshot_time:
            return Applied.STALE
        layout = self._layout
        if update.book_type is not layout.book_type:
            self.mark_out_of_sync(f"a {update.book_type} diff for a {layout.book_type} book")
            return Applied.OTHER_TYPE
        if update.columns != layout.columns:
            if sorted(update.columns) != sorted(layout.columns):
                self.mark_out_of_sync("a diff with other columns than the snapshot's")
                return Applied.OTHER_COLUMNS
            order = [update.columns.index(name) for name in layout.columns]
            bids, asks = _reordered(bids, order), _reordered(asks, order)
        most = 0
        if bids:
            most = self.bids.change(bids)
        if asks:
            most = max(most, self.asks.change(asks))
        self.timestamp = timestamp
        self.diffs += 1
        self.version += 1
        if most > self._maximum_rows:
            self._stop_following()
        return _APPLIED_DIFF

    def _apply_replacing(self, update: BookUpdate) -> Applied:
        quantity = update.columns.index(QUANTITY)
        if any(row[quantity].startswith("-") for rows in (update.bids, update.asks) for row in rows):
            return self._refuse(Applied.BELOW_ZERO, "a DELTA that leaves less than nothing at a price")
        return self._apply_diff(update)

    def _apply_adding(self, update: BookUpdate) -> Applied:
        """Add to the levels, exactly: as the diff that says what they hold afterwards."""
        layout = self._layout
        if not self._follows or update.timestamp < self._snapshot_time:
            return self._apply_diff(update)
        same = update.book_type is layout.book_type and sorted(update.columns) == sorted(layout.columns)
        if same and (layout.book_type not in _ADDABLE or layout.order_count is not None):
            return self._refuse(
                Applied.DELTA_UNSUPPORTED, f"a DELTA for a {layout.book_type} book, which cannot be added"
            )
        if not same:
            return self._apply_diff(update)  # which says what does not fit
        bids, asks = update.bids, update.asks
        if update.columns != layout.columns:
            order = [update.columns.index(name) for name in layout.columns]
            bids, asks = _reordered(bids, order), _reordered(asks, order)
        bid_sums, ask_sums = self.bids.sums(bids), self.asks.sums(asks)
        if bid_sums is None or ask_sums is None:
            return self._refuse(Applied.BELOW_ZERO, "a DELTA that leaves less than nothing at a price")
        return self._apply_diff(
            msgspec.structs.replace(update, columns=layout.columns, bids=bid_sums, asks=ask_sums)
        )

    def _refuse(self, applied: Applied, reason: str) -> Applied:
        if self.has_snapshot:
            self.mark_out_of_sync(reason)
        return applied

    def _lay_out(self, layout: Layout) -> None:
        self._layout = layout
        self.bids = side_of(layout, bid=True)
        self.asks = side_of(layout, bid=False)
        if self._journaled:
            self.keep_journal(kept=True)

    def _stop_following(self) -> None:
        self._follows = False
        self.mark_out_of_sync(f"more than {self._maximum_rows:,} rows on a side")


def _reordered(rows: list[Row], order: list[int]) -> list[Row]:
    return [tuple([row[place] for place in order]) for row in rows]
