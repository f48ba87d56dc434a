"""What must hold of an order book, and a naive book kept from published messages alone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cadenza_tui.simulator.instruments import Instrument
    from cadenza_tui.simulator.markets import InstrumentMarket
    from cadenza_tui.simulator.matching import LimitOrderBook, RestingOrder


def check_book(book: LimitOrderBook) -> None:
    """Assert that a book is sorted, uncrossed, and that its sums and indexes are right."""
    assert book.bid_prices == sorted(book.bids)
    assert book.ask_prices == sorted(book.asks)
    if book.bid_prices and book.ask_prices:
        assert book.bid_prices[-1] < book.ask_prices[0]
    seen: dict[int, RestingOrder] = {}
    for is_bid, levels in ((True, book.bids), (False, book.asks)):
        for price, level in levels.items():
            assert level.orders
            assert level.quantity == sum(order.remaining for order in level.orders.values())
            assert list(level.orders) == sorted(level.orders)
            for order in level.orders.values():
                assert order.remaining > 0
                assert (order.is_bid, order.price) == (is_bid, price)
            seen |= level.orders
    assert seen == book.orders
    assert all(order.slot == slot for slot, order in enumerate(book.crowd))
    assert len(book.crowd) == sum(not order.owner for order in seen.values())


class NaiveBook:
    """A book kept as a client would: rows by key, replaced by a SNAPSHOT, upserted or removed by a DIFF."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.timestamps: list[int] = []
        self.bids: dict[str, list[str]] = {}
        self.asks: dict[str, list[str]] = {}

    def apply(self, message: dict[str, Any]) -> None:
        """Apply one ``orderBook`` message."""
        assert message["instrumentId"] == self._instrument.instrument_id
        key = 2 if message["orderBookType"] == "L3_COUNTED" else 0
        self.timestamps.append(message["timestamp"])
        for held, rows in ((self.bids, message["bids"]), (self.asks, message["asks"])):
            if message["updateType"] == "SNAPSHOT":
                held.clear()
            for row in rows:
                assert len(row) == len(message["columns"])
                if Decimal(row[1]):
                    held[row[key]] = row
                else:
                    held.pop(row[key], None)

    def rows(self) -> tuple[list[list[str]], list[list[str]]]:
        """Return bids and asks, best first; orders of one price by their id."""
        orders = self._instrument.book_type == "L3_COUNTED"

        def ordered(rows: dict[str, list[str]], sign: int) -> list[list[str]]:
            return sorted(
                rows.values(), key=lambda row: (sign * Decimal(row[0]), int(row[2]) if orders else 0)
            )

        return ordered(self.bids, -1), ordered(self.asks, 1)


def decoded(publications: list[Any], channel: str) -> list[dict[str, Any]]:
    """Return the messages of one channel."""
    return [json.loads(one.data) for one in publications if one.channel == channel]


def whole(market: InstrumentMarket) -> tuple[list[list[str]], list[list[str]]]:
    """Return an exchange's own book as the wire would write it."""
    return market.text.whole()
