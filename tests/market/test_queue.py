"""Where own orders stand in their queues: an upper bound that is one, and exactly where the book says so."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market import queue
from cadenza_tui.market.queue import Ahead
from cadenza_tui.market.records import BookType, BookUpdate, Order, Print, Side, UpdateType
from cadenza_tui.market.state import Market
from tests.market.updates import COLUMNS, INSTRUMENT, diff, snapshot

if TYPE_CHECKING:
    import pytest

MS = 1_000_000


def order(
    order_id: str = "o", quantity: str = "2", executed: str = "0", price: str = "10", at: int = 900 * MS
) -> Order:
    return Order(
        order_id,
        "a",
        INSTRUMENT,
        Side.BUY,
        "ACCEPTED",
        limit_price=Decimal(price),
        quantity=Decimal(quantity),
        executed_quantity=Decimal(executed),
        created_at=at,
    )


def sold(quantity: str, at: int, price: str = "10", side: Side | None = Side.SELL) -> Print:
    return Print(INSTRUMENT, Decimal(price), Decimal(quantity), side, at)


def watched(bids: str = "10:9 9:5") -> Market:
    market = Market()
    market.study(INSTRUMENT)
    market.apply_book(snapshot(bids, "11:5", timestamp=1_000 * MS))
    return market


def ahead(market: Market, one: Order) -> Decimal | None:
    found = market.study(INSTRUMENT).queue.ahead(one)
    assert found is None or not found.exact
    return None if found is None else found.quantity


def test_at_first_sight_all_that_is_displayed_but_the_order_is_ahead() -> None:
    """An order that the book is later than is displayed in it; one that is fresher may not be."""
    market = watched()
    assert ahead(market, order()) == 7
    assert ahead(market, order("fresh", at=1_000 * MS)) == 9


def test_prints_and_a_smaller_level_lower_the_bound_and_a_larger_one_does_not_raise_it() -> None:
    """Trades take from the front; what is displayed less than the bound is the bound."""
    market, one = watched(), order()
    assert ahead(market, one) == 7
    market.apply_print(sold("3", 1_010 * MS))
    assert ahead(market, one) == 4
    market.apply_book(diff("10:6", "", timestamp=1_011 * MS))
    assert ahead(market, one) == 4
    market.apply_book(diff("10:20", "", timestamp=1_012 * MS))
    assert ahead(market, one) == 4
    market.apply_book(diff("10:3", "", timestamp=1_013 * MS))
    assert ahead(market, one) == 1


def test_prints_that_the_book_has_in_it_are_not_taken_off_twice() -> None:
    """A print no later than the book that the bound was read from has lowered it already."""
    market, one = watched(), order()
    assert ahead(market, one) == 7
    for late in (sold("3", 999 * MS), sold("3", 1_000 * MS), sold("3", 1_010 * MS, price="9")):
        market.apply_print(late)
    market.apply_print(sold("3", 1_010 * MS, side=Side.BUY))
    market.apply_print(sold("3", 1_010 * MS, side=None))
    assert ahead(market, one) == 7


def test_own_orders_that_joined_later_are_not_ahead() -> None:
    """Of several own orders at a price the older ones are ahead of the younger, and not the other way."""
    market = watched()
    first, second = order("first", "2", at=800 * MS), order("second", "3", at=900 * MS)
    places = market.study(INSTRUMENT).queue
    places.ahead(second)
    assert places.ahead(first) == Ahead(Decimal(4), exact=False)
    assert places.ahead(second) == Ahead(Decimal(6), exact=False)


def test_an_order_that_fills_in_part_is_at_the_front() -> None:
    """Nothing is ahead of an order that has been served while it was watched."""
    market = watched()
    assert ahead(market, order()) == 7
    assert ahead(market, order(executed="1")) == 0


def test_an_order_that_moves_or_grows_is_seen_anew() -> None:
    """Another price or more of it loses the place; less of it keeps it."""
    market = watched()
    assert ahead(market, order()) == 7
    market.apply_print(sold("3", 1_010 * MS))
    assert ahead(market, order(quantity="1")) == 4
    assert ahead(market, order(quantity="3")) == 6
    assert ahead(market, order(quantity="3", price="9")) == 2


def test_nothing_is_known_of_orders_that_the_book_cannot_show() -> None:
    """Not while it is out of sync, not farther away than it reaches, not of what does not work or rest."""
    market = watched()
    assert ahead(market, order(price="8")) is None
    assert ahead(market, order(price="9.5")) == 0
    assert (
        ahead(market, order("done", executed="2").__class__("x", "a", INSTRUMENT, Side.BUY, "FILLED")) is None
    )
    market.book(INSTRUMENT).mark_out_of_sync("a gap")
    assert ahead(market, order()) is None


def test_orders_that_are_no_more_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The orders that are looked at are bounded; those that have ended do not count."""
    monkeypatch.setattr(queue, "MAXIMUM_ORDERS", 2)
    market = watched()
    places = market.study(INSTRUMENT).queue
    orders = [order(f"o{number}") for number in range(3)]
    places.see(orders)
    assert [places.ahead(one) is None for one in orders] == [False, False, True]
    places.see(orders[1:])
    assert [places.ahead(one) is None for one in orders[1:]] == [False, False]


def test_an_l3_counted_book_says_it_exactly() -> None:
    """What stands before the order in its price's queue, for an order that is known by one of its ids."""
    market = Market()
    places = market.study(INSTRUMENT).queue
    market.apply_book(snapshot("10:1:x 10:2:y 10:3:o 10:4:z", "", BookType.L3_COUNTED, timestamp=1_000 * MS))
    assert places.ahead(order("o")) == Ahead(Decimal(3), exact=True)
    market.apply_book(diff("10:0:x", "", BookType.L3_COUNTED, timestamp=1_001 * MS))
    assert places.ahead(order("o")) == Ahead(Decimal(2), exact=True)
    assert places.ahead(order("unknown")) == Ahead(Decimal(7), exact=False)
    market.apply_book(diff("10:3:y 10:2:z", "", BookType.L3_COUNTED, timestamp=1_002 * MS))
    assert places.ahead(order("o")) == Ahead(Decimal(0), exact=True), "one that grows goes to the end"
    market.apply_book(diff("10:4:o 10:1:z", "", BookType.L3_COUNTED, timestamp=1_003 * MS))
    assert places.ahead(order("o", quantity="4")) == Ahead(Decimal(4), exact=True), "the own one as well"
    by_venue = msgspec.structs.replace(order("ours"), external_id="z")
    assert places.ahead(by_venue) == Ahead(Decimal(0), exact=True)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_bound_is_never_below_what_is_ahead(data: st.DataObject) -> None:
    """Against a line in which everything is known: orders join, leave and are served, messages come late."""
    line: deque[tuple[str, int]] = deque()
    number = 0
    at = 1_000

    def displayed() -> int:
        return sum(quantity for _, quantity in line)

    for _ in range(data.draw(st.integers(0, 4))):
        line.append((f"{number}", data.draw(st.integers(1, 5))))
        number += 1
    market = watched(f"10:{displayed()} 9:5" if line else "9.99:1 9:5")
    mine = order(at=at * MS)
    line.append(("mine", 2))
    late: list[Print] = []
    book = [displayed()]
    for _ in range(data.draw(st.integers(1, 12))):
        at += data.draw(st.integers(1, 3))
        what = data.draw(st.sampled_from(["join", "leave", "trade", "look", "deliver"]))
        if what == "join":
            line.append((f"{number}", data.draw(st.integers(1, 5))))
            number += 1
        elif what == "leave":
            others = [each for each in line if each[0] != "mine"]
            if others:
                line.remove(data.draw(st.sampled_from(others)))
        elif what == "trade" and line[0][0] != "mine":
            name, quantity = line.popleft()
            taken = data.draw(st.integers(1, quantity))
            if taken < quantity:
                line.appendleft((name, quantity - taken))
            late.append(sold(str(taken), at * MS))
        elif what == "deliver":
            for one in late:
                market.apply_print(one)
            late.clear()
        if book[-1] != displayed() and data.draw(st.booleans()):
            book.append(displayed())
            rows: list[tuple[str, ...]] = [("10", str(displayed()))]
            market.apply_book(
                BookUpdate(INSTRUMENT, UpdateType.DIFF, BookType.L2, COLUMNS[BookType.L2], rows, [], at * MS)
            )
        before = 0
        for name, quantity in line:
            if name == "mine":
                break
            before += quantity
        bound = ahead(market, mine)
        assert bound is not None
        assert bound >= before
