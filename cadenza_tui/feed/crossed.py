"""Books that stay crossed: no venue leaves its best bid above its best ask for seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cadenza_tui.market.records import InstrumentId, Nanoseconds
    from cadenza_tui.market.state import Market


class CrossedBooks:
    """Since when books have been crossed; ``limit_ns`` of it is too long."""

    def __init__(self, market: Market, limit_ns: Nanoseconds) -> None:
        self.limit_ns = limit_ns
        self._market = market
        self._since: dict[InstrumentId, Nanoseconds] = {}

    def look(self, now: Nanoseconds) -> Iterator[InstrumentId]:
        """Give the books that have been crossed for too long, each once. To be called about once a second."""
        for instrument_id, book in list(self._market.books.items()):
            if not book.crossed or not book.in_sync:
                self._since.pop(instrument_id, None)
            elif now - self._since.setdefault(instrument_id, now) >= self.limit_ns:
                del self._since[instrument_id]
                yield instrument_id

    def forget(self, instrument_id: InstrumentId) -> None:
        """A book is not kept any more."""
        self._since.pop(instrument_id, None)

    def clear(self) -> None:
        """Nothing is known any more, as when the link is gone."""
        self._since.clear()
