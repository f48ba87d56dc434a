"""The order book against a naive model, and the rules of price-time priority."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.simulator.matching import LimitOrderBook

from .invariants import check_book

PRICES = st.integers(95, 105)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("limit"), st.booleans(), PRICES, st.integers(1, 20)),
        st.tuples(st.just("market"), st.booleans(), PRICES, st.integers(1, 60)),
        st.tuples(st.just("cancel"), st.integers(0, 200), st.just(0), st.just(0)),
    ),
    max_size=80,
)


class NaiveMatcher:
    """Orders in a list, in order of arrival; every match searched for anew."""

    def __init__(self) -> None:
        self.orders: list[list[int]] = []  # [is_bid, price, remaining]

    def take(self, is_bid: bool, quantity: int, limit: int) -> tuple[list[tuple[int, int]], int]:
        fills = []
        while quantity:
            other = [one for one in self.orders if bool(one[0]) is not is_bid]
            other = [one for one in other if (one[1] <= limit if is_bid else one[1] >= limit)]
            if not other:
                break
            best = (min if is_bid else max)(one[1] for one in other)
            maker = next(one for one in other if one[1] == best)
            taken = min(quantity, maker[2])
            maker[2] -= taken
            quantity -= taken
            fills.append((best, taken))
            if not maker[2]:
                self.orders.remove(maker)
        return fills, quantity


@settings(max_examples=150, deadline=None)
@given(ACTIONS)
def test_matches_as_a_naive_matcher_does(actions: list[tuple[str, int, int, int]]) -> None:
    """Any sequence of orders and cancels gives the naive matcher's fills and leaves its book."""
    book, naive = LimitOrderBook(track_orders=True), NaiveMatcher()
    resting: list[tuple[object, list[int]]] = []
    for kind, first, price, quantity in actions:
        if kind == "cancel":
            if resting:
                order, mirror = resting.pop(first % len(resting))
                gone = book.cancel(order)  # type: ignore[arg-type]
                assert gone is any(one is mirror for one in naive.orders)
                naive.orders = [one for one in naive.orders if one is not mirror]
        elif kind == "limit":
            placed, fills = book.limit(bool(first), price, quantity)
            expected, left = naive.take(bool(first), quantity, price)
            assert [(fill.price, fill.quantity) for fill in fills] == expected
            assert (placed is None) is (left == 0)
            if placed is not None:
                mirror = [first, price, left]
                naive.orders.append(mirror)
                resting.append((placed, mirror))
        else:
            fills = book.market(bool(first), quantity, price)
            assert [(fill.price, fill.quantity) for fill in fills] == naive.take(
                bool(first), quantity, price
            )[0]
        check_book(book)
        assert sorted([one.is_bid, one.price, one.remaining] for one in book.orders.values()) == sorted(
            naive.orders
        )


@settings(max_examples=100, deadline=None)
@given(ACTIONS)
def test_quantity_is_conserved(actions: list[tuple[str, int, int, int]]) -> None:
    """What was offered rests, was matched (maker and taker alike), was cancelled or was left unfilled."""
    book = LimitOrderBook()
    offered = matched = cancelled = unfilled = 0
    for kind, first, price, quantity in actions:
        if kind == "cancel":
            orders = list(book.orders.values())
            if orders:
                cancelled += orders[first % len(orders)].remaining
                book.cancel(orders[first % len(orders)])
            continue
        offered += quantity
        if kind == "limit":
            _, fills = book.limit(bool(first), price, quantity)
        else:
            fills = book.market(bool(first), quantity, price)
            unfilled += quantity - sum(fill.quantity for fill in fills)
        matched += sum(fill.quantity for fill in fills)
    rests = sum(order.remaining for order in book.orders.values())
    assert offered == rests + 2 * matched + cancelled + unfilled


@settings(max_examples=100, deadline=None)
@given(ACTIONS)
def test_touched_names_everything_that_changed(actions: list[tuple[str, int, int, int]]) -> None:
    """A price whose quantity differs from before is touched, and so is an order that did."""
    book = LimitOrderBook(track_orders=True)
    for kind, first, price, quantity in actions:
        before = {(True, one): level.quantity for one, level in book.bids.items()} | {
            (False, one): level.quantity for one, level in book.asks.items()
        }
        orders = {key: order.remaining for key, order in book.orders.items()}
        for touched in (book.touched_bids, book.touched_asks, book.touched_orders):
            touched.clear()
        if kind == "cancel":
            if book.crowd:
                book.cancel(book.crowd[first % len(book.crowd)])
        elif kind == "limit":
            book.limit(bool(first), price, quantity)
        else:
            book.market(bool(first), quantity, price)
        after = {(True, one): level.quantity for one, level in book.bids.items()} | {
            (False, one): level.quantity for one, level in book.asks.items()
        }
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert {one for is_bid, one in changed if is_bid} <= book.touched_bids
        assert {one for is_bid, one in changed if not is_bid} <= book.touched_asks
        remaining = {key: order.remaining for key, order in book.orders.items()}
        moved = {key for key in orders.keys() | remaining.keys() if orders.get(key) != remaining.get(key)}
        assert moved <= book.touched_orders.keys()


def test_the_better_price_is_taken_first() -> None:
    """An aggressor walks from the best price outwards and pays each maker its own price."""
    book = LimitOrderBook()
    for price in (103, 101, 102):
        book.limit(False, price, 5)
    _, fills = book.limit(True, 102, 12)
    assert [(fill.price, fill.quantity) for fill in fills] == [(101, 5), (102, 5)]
    assert (book.best_bid, book.bids[102].quantity, book.best_ask) == (102, 2, 103)


def test_the_older_order_of_a_price_is_taken_first() -> None:
    """At one price, orders fill in order of arrival; a partial fill keeps its place."""
    book = LimitOrderBook()
    first, _ = book.limit(True, 100, 5)
    second, _ = book.limit(True, 100, 5)
    assert [fill.maker for fill in book.market(False, 2, 0)] == [first]
    assert [fill.maker for fill in book.market(False, 5, 0)] == [first, second]
    assert second is not None
    assert second.remaining == 3


def test_a_market_order_stops_at_its_protection_price() -> None:
    """Nothing is paid past the protection price and the remainder does not rest."""
    book = LimitOrderBook()
    for price in (101, 102, 103):
        book.limit(False, price, 1)
    assert [fill.price for fill in book.market(True, 10, 102)] == [101, 102]
    assert (book.best_bid, book.best_ask) == (None, 103)


def test_a_cancelled_order_cannot_be_cancelled_again() -> None:
    """The second cancel says that there was nothing to cancel."""
    book = LimitOrderBook()
    order, _ = book.limit(True, 100, 5)
    assert order is not None
    assert book.cancel(order)
    assert not book.cancel(order)
    assert book.best_bid is None
