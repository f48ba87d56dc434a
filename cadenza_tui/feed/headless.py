"""A whole recording applied at once, without a screen or a clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, TypedDict

from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.feed.replay import Catalogue
from cadenza_tui.market.records import BookUpdate, Print, Ticker, UpdateType
from cadenza_tui.market.state import Market

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.feed.recording import Recording
    from cadenza_tui.market.records import InstrumentId


class Outcome(TypedDict):
    """What a recording leaves of one instrument: prices and quantities in the feed's own text, best first.

    ``crossed`` counts the book messages after which the best bid was above the best ask, ``rejected`` the
    messages that could not be used.
    """

    instrument: InstrumentId
    bids: list[list[str]]
    asks: list[list[str]]
    trades: int
    tickers: int
    diffs: int
    crossed: int
    rejected: int


class Applied:
    """The recording being applied; ``outcomes`` at any time."""

    def __init__(self) -> None:
        self.market = Market()
        self.time = 0
        self._counts: defaultdict[InstrumentId, Counter[str]] = defaultdict(Counter)
        self._ingest = Ingest(
            self.market,
            lambda: self.time,
            on_event=self._count,
            open_routes=True,
            on_route=Catalogue(self.market),
        )

    def apply(self, recording: Recording, after_each: Callable[[], None] | None = None) -> None:
        """Apply all of a recording; raises RecordingError after what came before the fault."""
        for line in recording:
            if after_each is not None:
                after_each()
            self.time = line.time
            published = line.publication
            self._ingest.publication(
                line.channel, published.data, published.offset, published.epoch, line.time
            )

    def _count(self, event: Event) -> None:
        if isinstance(event, BookUpdate):
            counts = self._counts[event.instrument_id]
            counts["diffs"] += event.update_type is UpdateType.DIFF
            counts["crossed"] += self.market.book(event.instrument_id).crossed
        elif isinstance(event, Print):
            self._counts[event.instrument_id]["trades"] += 1
        elif isinstance(event, Ticker):
            self._counts[event.instrument_id]["tickers"] += 1

    def outcomes(self, depth: int) -> list[Outcome]:
        """Return each instrument's outcome in the order of their appearance, ``depth`` levels a side."""
        rejected: Counter[InstrumentId] = Counter()
        for route in self._ingest.routes():
            if route.name.instrument_id is not None:
                rejected[route.name.instrument_id] += sum(route.health.rejected.values())
        return [
            self._outcome(instrument, depth, rejected[instrument]) for instrument in self.market.instruments
        ]

    def _outcome(self, instrument_id: InstrumentId, depth: int, rejected: int) -> Outcome:
        counts = self._counts[instrument_id]
        book = self.market.book(instrument_id)
        return {
            "instrument": instrument_id,
            "bids": [[level.price, level.quantity] for level in book.bids.top(depth)],
            "asks": [[level.price, level.quantity] for level in book.asks.top(depth)],
            "trades": counts["trades"],
            "tickers": counts["tickers"],
            "diffs": counts["diffs"],
            "crossed": counts["crossed"],
            "rejected": rejected,
        }
