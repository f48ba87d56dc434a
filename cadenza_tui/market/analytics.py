"""What can be read out of a book: free functions, computed when asked."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING

from cadenza_tui.market import exact
from cadenza_tui.market.records import BookType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.sides import BookSide, Level

MAXIMUM_EXCHANGES = 64
"""Exchanges at one price that are looked at."""


def cumulative(levels: Iterable[Level], book_type: BookType | None = None) -> list[Decimal]:
    """Return the exact running sum of the levels' quantities, in their order.

    A VWAP book's quantities are running sums already: they are returned as they are.
    """
    quantities = (Decimal(level.quantity) for level in levels)
    return list(quantities) if book_type is BookType.VWAP else list(accumulate(quantities, exact.CONTEXT.add))


def microprice(book: OrderBook) -> Decimal | None:
    """Return the touch's prices, each weighted by the other side's quantity; None while a side is empty.

    The quantity of a price is that of all exchanges that quote it. Rounded half to even, to two decimals more
    than the finer of the two prices.
    """
    bid, ask = book.best_bid, book.best_ask
    if bid is None or ask is None:
        return None
    bid_price, bid_quantity = Decimal(bid.price), _standing(book.bids, bid, book.book_type)
    ask_price, ask_quantity = Decimal(ask.price), _standing(book.asks, ask, book.book_type)
    weighted = exact.add(exact.multiply(bid_price, ask_quantity), exact.multiply(ask_price, bid_quantity))
    places = max(_decimals(bid.price), _decimals(ask.price)) + 2
    return exact.divide(weighted, exact.add(bid_quantity, ask_quantity), places)


def imbalance(book: OrderBook, depth: int) -> float | None:
    """Return (bid − ask) / (bid + ask) over the quantities of the best ``depth`` levels a side.

    From −1 (asks alone) to 1 (bids alone); a rate, hence a float. None while both sides are empty.
    """
    bid = _total(book.bids.top(depth), book.book_type)
    ask = _total(book.asks.top(depth), book.book_type)
    both = exact.add(bid, ask)
    return float(exact.divide(exact.subtract(bid, ask), both, 9)) if both else None


def _standing(side: BookSide, best: Level, book_type: BookType | None) -> Decimal:
    """Return what stands at a side's best price."""
    if book_type is not BookType.L2_EXCHANGE:
        return Decimal(best.quantity)
    price = Decimal(best.price)
    rows = takewhile(lambda level: Decimal(level.price) == price, side.top(MAXIMUM_EXCHANGES))
    return exact.add(*(Decimal(level.quantity) for level in rows))


def _total(levels: list[Level], book_type: BookType | None) -> Decimal:
    return cumulative(levels, book_type)[-1] if levels else Decimal(0)


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])
