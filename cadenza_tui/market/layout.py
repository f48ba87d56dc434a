"""Where a book message's rows keep what: the contract's columns, in whatever order they come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cadenza_tui.market.records import BookType

PRICE = "price"
QUANTITY = "quantity"
ORDER_COUNT = "orderCount"
ORDER_ID = "orderId"
EXCHANGE = "exchange"

REQUIRED = {
    BookType.L2: (PRICE, QUANTITY),
    BookType.L2_COUNTED: (PRICE, QUANTITY),
    BookType.VWAP: (PRICE, QUANTITY),
    BookType.L3: (PRICE, QUANTITY),
    BookType.L3_COUNTED: (PRICE, QUANTITY, ORDER_ID),
    BookType.L2_EXCHANGE: (PRICE, QUANTITY, EXCHANGE),
}
"""The columns without which a row of that type cannot be placed."""


class LayoutError(ValueError):
    """These columns cannot hold a book of this type; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions in a row; None where the column is not there."""

    book_type: BookType
    columns: tuple[str, ...]
    price: int
    quantity: int
    order_count: int | None
    order_id: int | None
    exchange: int | None


@lru_cache(maxsize=256)
def layout_of(book_type: BookType, columns: tuple[str, ...]) -> Layout:
    """Return where the rows of a message keep what.

    Raises LayoutError when a column is named twice or one that the type needs is missing.
    """
    if len(set(columns)) != len(columns):
        raise LayoutError("a column is named twice")
    for name in REQUIRED[book_type]:
        if name not in columns:
            raise LayoutError(f"{book_type} needs the column {name}")
    at = {name: place for place, name in enumerate(columns)}
    return Layout(
        book_type,
        columns,
        at[PRICE],
        at[QUANTITY],
        at.get(ORDER_COUNT),
        at.get(ORDER_ID),
        at.get(EXCHANGE),
    )
