"""What is kept up for the instruments that are looked at, and for no others.

Of the one that is shown, and of the one shown before it, what was traded at each price is counted, so that
the way back finds it whole; and their books keep a journal, with flow and groups out of it, while somebody
reads that. Of these and a few more the liquidity is sampled for the heatmap. Whatever leaves is dropped with
its memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.book import Applied
from cadenza_tui.market.flow import OrderFlow
from cadenza_tui.market.grouped import Grouped, SideTotal, Totals
from cadenza_tui.market.heat import Heat
from cadenza_tui.market.queue import QueueEstimates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from decimal import Decimal

    from cadenza_tui.market.book import AnySide, OrderBook
    from cadenza_tui.market.records import InstrumentId, Nanoseconds, Order, Print

MAXIMUM_KEPT = 9
"""Instruments beside the shown ones whose liquidity is sampled."""
MAXIMUM_GROUPED = 4
"""Increments kept up at once on a side."""
IDLE = 10
"""Seconds for which the journal of a book is kept that nobody asks about."""

_SNAPSHOT = (
    Applied.SNAPSHOT
)  # members of an enum are looked up anew each time: this is on the path of a message


class Study:
    """What is kept up for one instrument that is looked at.

    Its book keeps a journal for as long as somebody asks for what is made of it.
    """

    def __init__(self, book: OrderBook, heat: Heat) -> None:
        self.book = book
        self.idle = 0
        """Seconds since somebody asked for groups or sums, as far as ``rest`` has counted."""
        self.heat = heat
        self.flow = OrderFlow(book)
        self.queue = QueueEstimates(book)
        self._grouped: dict[tuple[bool, Decimal], Grouped] = {}
        self._totals: dict[bool, SideTotal] = {}

    def grouped(self, side: AnySide, increment: Decimal) -> Grouped:
        """Return one of the book's sides in groups of ``increment``, kept up from now on."""
        self._look()
        key = (side is self.book.bids, increment)
        held = self._grouped.pop(key, None)
        if held is None or held.side is not side:
            of_side = [other for other in self._grouped if other[0] is key[0]]
            if len(of_side) >= MAXIMUM_GROUPED:
                del self._grouped[of_side[0]]
            held = Grouped(side, increment)
        self._grouped[key] = held  # the one used latest last
        return held

    def total(self, side: AnySide) -> Totals:
        """Return what one of the book's sides holds in all, kept up from now on."""
        self._look()
        key = side is self.book.bids
        for (bid, _), grouped in reversed(self._grouped.items()):
            if bid is key and grouped.side is side:  # which sums up the same
                return grouped.total()
        held = self._totals.get(key)
        if held is None or held.side is not side:
            held = self._totals[key] = SideTotal(side)
        return held.total()

    def rest(self) -> None:
        """Note that a second has passed; let go of what nobody has asked for in the last few."""
        self.idle += 1
        self.flow.idle += 1
        if self.flow.idle > IDLE:
            self.flow.sleep()
            if self.idle > IDLE:
                self.book.keep_journal(kept=False)

    def after_diff(self) -> None:
        """Take note that the book has applied a diff."""
        self.flow.after_diff()
        if not self.flow.awake:
            self.book.trim_journal()

    def _look(self) -> None:
        self.idle = 0
        if self.book.bids.journal is None:
            self.book.keep_journal(kept=True)


class Studies:
    """The studies of a market, of whose books ``book_of`` gives one by its instrument."""

    def __init__(self, book_of: Callable[[InstrumentId], OrderBook]) -> None:
        self._book_of = book_of
        self._studies: dict[InstrumentId, Study] = {}
        """Of the instrument that is shown, which is first, and of the one shown before it."""
        self._heats: dict[InstrumentId, Heat] = {}
        """Of these and of those that are kept."""
        self._kept: tuple[InstrumentId, ...] = ()

    def attend(self, shown: InstrumentId | None, kept: Sequence[InstrumentId]) -> None:
        """Keep up what is shown and what was shown before; sample that and the first of ``kept``."""
        few = tuple(kept[:MAXIMUM_KEPT])
        close = tuple(self._studies)
        if shown is not None and close[:1] != (shown,):
            close = (shown, *close[:1])
        elif few == self._kept:
            return
        self._kept = few
        heats = self._heats
        self._heats = {name: heats[name] if name in heats else Heat() for name in (*close, *few)}
        for name in [name for name in self._studies if name not in close]:
            self._studies.pop(name).book.keep_journal(kept=False)
        self._studies = {name: self._studies.get(name) or self._begun(name) for name in close}

    def of(self, instrument_id: InstrumentId) -> Study:
        """Return the study of an instrument, which is looked at from now on."""
        if instrument_id not in self._studies:
            self.attend(instrument_id, self._kept)
        study = self._studies[instrument_id]
        if study.book is not self._book_of(instrument_id):
            study = self._studies[instrument_id] = self._begun(instrument_id)
        return study

    def after_book(self, book: OrderBook, applied: Applied) -> None:
        """Take note of what a book has made of a message that changed it."""
        study = self._studies.get(book.instrument_id)
        if study is None:
            return
        if study.book is not book:  # the feed has let the one before go
            self._studies[book.instrument_id] = self._begun(book.instrument_id)
        elif applied is _SNAPSHOT:
            study.flow.after_snapshot()
        else:
            study.after_diff()

    def add_print(self, fresh: Print) -> None:
        """Take a print that is new."""
        heat = self._heats.get(fresh.instrument_id)
        if heat is None:
            return
        heat.add_print(fresh)
        study = self._studies.get(fresh.instrument_id)
        if study is not None:
            study.flow.add_print(fresh)
            study.queue.add_print(fresh)

    def lose_prints(self, instrument_id: InstrumentId) -> None:
        """Take note that prints of an instrument are missing here."""
        study = self._studies.get(instrument_id)
        if study is not None:
            study.flow.lose_prints()

    def see(self, orders: Iterable[Order]) -> None:
        """Look at all own orders that work: where they stand in their queues."""
        by_instrument: dict[InstrumentId, list[Order]] = {name: [] for name in self._studies}
        for order in orders:
            if order.instrument_id in by_instrument:
                by_instrument[order.instrument_id].append(order)
        for name, study in self._studies.items():
            study.queue.see(by_instrument[name])

    def sample(
        self, now: Nanoseconds, *, alive: bool, unfed: Collection[InstrumentId] = ()
    ) -> list[InstrumentId]:
        """Sample the liquidity of each that is kept; return those that have another sample than before.

        ``alive`` is whether the books' feed is, ``unfed`` of which books alone it is not: what those hold is
        not the market now.
        """
        for study in self._studies.values():
            study.rest()
        sampled = []
        for name, heat in self._heats.items():
            book = self._book_of(name)
            if heat.sample(book, alive and book.in_sync and name not in unfed, now):
                sampled.append(name)
        return sampled

    def _begun(self, instrument_id: InstrumentId) -> Study:
        return Study(self._book_of(instrument_id), self._heats[instrument_id])
