"""What stands at one price: the quantity in all, and the orders one by one where the book has them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType
from cadenza_tui.market.sides import SingleOrder
from tests.market.updates import INSTRUMENT, diff, snapshot

ROWS = {
    BookType.L2: "10.50:3 10:4",
    BookType.VWAP: "10.50:3 10:4",
    BookType.L2_COUNTED: "10.50:3:2 10:4:1",
    BookType.L2_EXCHANGE: "10.50:1:OKX 10.50:2:BINANCE 10:4:OKX",
    BookType.L3: "10.50:1 10.50:2 10:4",
    BookType.L3_COUNTED: "10.50:1:a 10.50:2:b 10:4:c",
}


def made(book_type: BookType, *, kept: bool = False) -> OrderBook:
    book = OrderBook(INSTRUMENT)
    book.keep_journal(kept=kept)
    book.apply(snapshot(ROWS[book_type], "", book_type))
    return book


@pytest.mark.parametrize("book_type", list(BookType))
def test_a_price_has_the_quantity_of_all_its_rows(book_type: BookType) -> None:
    """However the price is spelled; nothing stands at any other, be it finer than all there are."""
    side = made(book_type).bids
    assert side.quantity_at(Decimal("10.5")) == 3
    assert side.quantity_at(Decimal("10.000")) == 4
    assert side.quantity_at(Decimal(11)) is None
    assert side.quantity_at(Decimal("10.505")) is None
    assert side.decimals == 1


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("book_type", list(BookType))
def test_the_best_level_is_the_first_one(book_type: BookType, kept: bool) -> None:
    """Whether it is read off the journal or off the order of all."""
    book = made(book_type, kept=kept)
    assert book.best_bid == book.bids.levels()[0]
    gone = {BookType.L2_COUNTED: ":0", BookType.L2_EXCHANGE: ":BINANCE", BookType.L3_COUNTED: ":a"}
    book.apply(diff(f"10.50:0{gone.get(book_type, '')} 12:1{gone.get(book_type, '')}", "", book_type))
    assert book.best_bid == book.bids.levels()[0]
    assert book.best_bid is not None
    assert book.best_bid.price == "12"
    assert book.best_ask is None
    book.check()


def test_orders_come_in_the_order_of_the_feed() -> None:
    """The L3 types have their orders one by one, L3_COUNTED with their ids; the others have none."""
    counted, anonymous = made(BookType.L3_COUNTED).bids, made(BookType.L3).bids
    assert counted.orders("10.5") == [SingleOrder("1", "a"), SingleOrder("2", "b")]
    assert anonymous.orders("10.500") == [SingleOrder("1", ""), SingleOrder("2", "")]
    for side in (counted, anonymous):
        assert side.orders("9") == side.orders("10.55") == []
    assert made(BookType.L2).bids.orders("10.5") == []
