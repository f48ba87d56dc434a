"""Short ways to write book messages in tests."""

from __future__ import annotations

from typing import TypeAlias

from cadenza_tui.market.records import BookType, BookUpdate, UpdateType

INSTRUMENT = "BINANCE:BTC/USDT"
COLUMNS = {
    BookType.L2: ("price", "quantity"),
    BookType.L2_COUNTED: ("price", "quantity", "orderCount"),
    BookType.L3: ("price", "quantity"),
    BookType.L3_COUNTED: ("price", "quantity", "orderId"),
    BookType.L2_EXCHANGE: ("price", "quantity", "exchange"),
    BookType.VWAP: ("price", "quantity"),
}

Rows: TypeAlias = str
"""Rows as ``"100.5:2 101:0:id"``."""


def rows(text: Rows) -> list[tuple[str, ...]]:
    return [tuple(row.split(":")) for row in text.split()]


def update(
    update_type: UpdateType,
    bids: Rows = "",
    asks: Rows = "",
    book_type: BookType = BookType.L2,
    *,
    columns: tuple[str, ...] | None = None,
    timestamp: int = 1_000,
) -> BookUpdate:
    return BookUpdate(
        INSTRUMENT,
        update_type,
        book_type,
        COLUMNS[book_type] if columns is None else columns,
        rows(bids),
        rows(asks),
        timestamp,
    )


def snapshot(
    bids: Rows = "",
    asks: Rows = "",
    book_type: BookType = BookType.L2,
    *,
    columns: tuple[str, ...] | None = None,
    timestamp: int = 1_000,
) -> BookUpdate:
    return update(UpdateType.SNAPSHOT, bids, asks, book_type, columns=columns, timestamp=timestamp)


def diff(
    bids: Rows = "",
    asks: Rows = "",
    book_type: BookType = BookType.L2,
    *,
    columns: tuple[str, ...] | None = None,
    timestamp: int = 1_000,
) -> BookUpdate:
    return update(UpdateType.DIFF, bids, asks, book_type, columns=columns, timestamp=timestamp)
