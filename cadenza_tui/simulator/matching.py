"""A limit order book in price-time priority. Prices are integer ticks, quantities integer lots."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple


class RestingOrder:
    """One order in the book. ``owner`` is empty for the crowd, else the account's order id."""

    __slots__ = ("is_bid", "order_id", "owner", "price", "remaining", "slot")

    def __init__(self, order_id: int, is_bid: bool, price: int, remaining: int, owner: str) -> None:
        self.order_id = order_id
        self.is_bid = is_bid
        self.price = price
        self.remaining = remaining
        self.owner = owner
        self.slot = -1  # place in ``LimitOrderBook.crowd``


class Level:
    """The orders at one price, oldest first, and their sum."""

    __slots__ = ("orders", "quantity")

    def __init__(self) -> None:
        self.quantity = 0
        self.orders: dict[int, RestingOrder] = {}


class Fill(NamedTuple):
    """One match: ``maker`` gave ``quantity`` at its own price; ``remaining`` is what it still offers."""

    maker: RestingOrder
    price: int
    quantity: int
    remaining: int


class LimitOrderBook:
    """Bids and asks of one instrument.

    ``touched_bids`` and ``touched_asks`` gather the prices (and ``touched_orders`` the orders, where
    ``track_orders`` is set) that changed since whoever publishes them last cleared the three.
    ``crowd`` lists the orders nobody in particular owns, in no order, so that one can be drawn at random.
    """

    def __init__(self, *, track_orders: bool = False) -> None:
        self.bids: dict[int, Level] = {}
        self.asks: dict[int, Level] = {}
        self.bid_prices: list[int] = []  # both ascending: the best bid is last, the best ask first
        self.ask_prices: list[int] = []
        self.orders: dict[int, RestingOrder] = {}
        self.crowd: list[RestingOrder] = []
        self.touched_bids: set[int] = set()
        self.touched_asks: set[int] = set()
        self.track_orders = track_orders
        self.touched_orders: dict[int, tuple[bool, int]] = {}
        self._last_id = 0

    @property
    def best_bid(self) -> int | None:
        """Highest price bid, in ticks."""
        return self.bid_prices[-1] if self.bid_prices else None

    @property
    def best_ask(self) -> int | None:
        """Lowest price asked, in ticks."""
        return self.ask_prices[0] if self.ask_prices else None

    def limit(
        self, is_bid: bool, price: int, quantity: int, owner: str = ""
    ) -> tuple[RestingOrder | None, list[Fill]]:
        """Match what crosses ``price``, rest what remains; return the resting order, if any, and fills."""
        fills: list[Fill] = []
        if is_bid:
            if self.ask_prices and self.ask_prices[0] <= price:
                fills = self._take(True, quantity, price)
        elif self.bid_prices and self.bid_prices[-1] >= price:
            fills = self._take(False, quantity, price)
        for fill in fills:
            quantity -= fill.quantity
        if not quantity:
            return None, fills
        self._last_id += 1
        order = RestingOrder(self._last_id, is_bid, price, quantity, owner)
        self._rest(order)
        return order, fills

    def market(self, is_bid: bool, quantity: int, protection: int) -> list[Fill]:
        """Take up to ``quantity`` from the other side, never past ``protection``; the rest is cancelled."""
        return self._take(is_bid, quantity, protection)

    def cancel(self, order: RestingOrder) -> bool:
        """Remove a resting order; False when it is no longer in the book."""
        if self.orders.pop(order.order_id, None) is None:
            return False
        levels = self.bids if order.is_bid else self.asks
        level = levels[order.price]
        del level.orders[order.order_id]
        level.quantity -= order.remaining
        self._forget(order)
        if not level.orders:
            self._drop(order.is_bid, order.price)
        return True

    def _rest(self, order: RestingOrder) -> None:
        price = order.price
        if order.is_bid:
            levels, prices = self.bids, self.bid_prices
            self.touched_bids.add(price)
        else:
            levels, prices = self.asks, self.ask_prices
            self.touched_asks.add(price)
        level = levels.get(price)
        if level is None:
            level = levels[price] = Level()
            insort(prices, price)
        level.orders[order.order_id] = order
        level.quantity += order.remaining
        self.orders[order.order_id] = order
        if not order.owner:
            order.slot = len(self.crowd)
            self.crowd.append(order)
        if self.track_orders:
            self.touched_orders[order.order_id] = (order.is_bid, price)

    def _take(self, is_bid: bool, quantity: int, limit: int) -> list[Fill]:
        """Fill an aggressor from the best price on, oldest order first."""
        fills: list[Fill] = []
        levels, prices = (self.asks, self.ask_prices) if is_bid else (self.bids, self.bid_prices)
        while quantity and prices:
            price = prices[0] if is_bid else prices[-1]
            if price > limit if is_bid else price < limit:
                break
            level = levels[price]
            (self.touched_asks if is_bid else self.touched_bids).add(price)
            while quantity and level.orders:
                maker = next(iter(level.orders.values()))
                taken = min(quantity, maker.remaining)
                quantity -= taken
                maker.remaining -= taken
                level.quantity -= taken
                fills.append(Fill(maker, price, taken, maker.remaining))
                if maker.remaining:
                    if self.track_orders:
                        self.touched_orders[maker.order_id] = (maker.is_bid, price)
                else:
                    del level.orders[maker.order_id]
                    del self.orders[maker.order_id]
                    self._forget(maker)
            if not level.orders:
                self._drop(not is_bid, price)
        return fills

    def _forget(self, order: RestingOrder) -> None:
        """Mark the order's level as touched and take the order out of the crowd."""
        (self.touched_bids if order.is_bid else self.touched_asks).add(order.price)
        if self.track_orders:
            self.touched_orders[order.order_id] = (order.is_bid, order.price)
        if order.slot >= 0:
            last = self.crowd.pop()
            if last is not order:
                self.crowd[order.slot] = last
                last.slot = order.slot
            order.slot = -1

    def _drop(self, is_bid: bool, price: int) -> None:
        if is_bid:
            del self.bids[price]
            prices = self.bid_prices
        else:
            del self.asks[price]
            prices = self.ask_prices
        del prices[bisect_left(prices, price)]
