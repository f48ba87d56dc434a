"""Where own orders stand in the queue of their price: at most so much is ahead of them.

Only an L3_COUNTED book says it exactly. Elsewhere it is an upper bound, which falls and never rises while the
order keeps its place:

* What is displayed at the price, less the order itself and own orders that joined later, is ahead at most.
  The order itself counts as displayed once the book is later than the order.
* A print at the price that takes from this side is of those ahead, as queues are served in their order.
  Prints no later than the book that the bound was read from are in it already.
* An order that has filled in part since it was seen is at the front.

An order that moves to another price, or grows, loses its place and is seen anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.market.order_sides import OrderSide
from cadenza_tui.market.records import BookType, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Nanoseconds, Order, Print

MAXIMUM_ORDERS = 1_024
MILLISECOND = 1_000_000
ZERO = Decimal(0)


class Ahead(NamedTuple):
    """What stands before an order: exactly, or at most."""

    quantity: Decimal
    exact: bool


@dataclass(slots=True)
class _Place:
    """The place of an order in its queue, as far as it is known."""

    order: Order
    price: Decimal
    executed: Decimal
    bound: Decimal | None = None
    as_of: Nanoseconds = 0
    """The book's time that the bound was read at."""
    version: int = -1
    """The version of the book that was looked at last."""


class QueueEstimates:
    """The places of the own working orders in one book, for as long as they are asked for."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._places: dict[str, _Place] = {}

    def see(self, orders: Sequence[Order]) -> None:
        """Look at all working orders of this instrument, and let go of any other: the sooner, the closer."""
        for order in orders:
            self.ahead(order)
        known = {order.order_id for order in orders}
        for order_id in [order_id for order_id in self._places if order_id not in known]:
            del self._places[order_id]

    def ahead(self, order: Order) -> Ahead | None:
        """Return what is ahead of a working order, None where that is not known."""
        place = self._placed(order)
        if place is None or not self._book.in_sync:
            return None
        exactly = self._exactly(place)
        if exactly is not None:
            return Ahead(exactly, exact=True)
        self._look(place)
        return None if place.bound is None else Ahead(place.bound, exact=False)

    def add_print(self, fresh: Print) -> None:
        """Take a print: it took from those ahead of the orders at its price."""
        for place in self._places.values():
            if place.price != fresh.price or place.bound is None:
                continue
            if fresh.aggressor is place.order.side:
                continue
            if fresh.timestamp // MILLISECOND > place.as_of // MILLISECOND and fresh.aggressor is not None:
                place.bound = max(ZERO, exact.subtract(place.bound, fresh.quantity))

    def _placed(self, order: Order) -> _Place | None:
        held = self._places.get(order.order_id)
        price = order.limit_price
        if not order.working or order.side is None or price is None or order.quantity is None:
            if held is not None:
                del self._places[order.order_id]
            return None
        executed = order.executed_quantity or ZERO
        if held is not None and held.order is order:
            return held
        if held is not None and held.price == price and order.quantity <= (held.order.quantity or ZERO):
            if executed > held.executed:
                held.bound, held.as_of = ZERO, self._book.timestamp
            held.order, held.executed, held.version = order, executed, -1
            return held
        if held is None and len(self._places) >= MAXIMUM_ORDERS:
            return None
        place = self._places[order.order_id] = _Place(order, price, executed)
        return place

    def _exactly(self, place: _Place) -> Decimal | None:
        side = self._book.bids if place.order.side is Side.BUY else self._book.asks
        if not isinstance(side, OrderSide):
            return None
        for name in (place.order.external_id, place.order.order_id, place.order.client_order_id):
            found = side.ahead_of(name, place.price) if name else None
            if found is not None:
                return found
        return None

    def _look(self, place: _Place) -> None:
        """Lower the bound to what is displayed now."""
        book = self._book
        if place.version == book.version or book.book_type is BookType.VWAP:
            return
        place.version = book.version
        side = book.bids if place.order.side is Side.BUY else book.asks
        displayed = side.quantity_at(place.price)
        if displayed is None:
            if place.bound is None and not self._within(place):
                return
            displayed = ZERO
        if self._displays(place.order):
            displayed = max(ZERO, exact.subtract(displayed, self._own_from(place)))
        if place.bound is None or displayed < place.bound:
            place.bound, place.as_of = displayed, book.timestamp

    def _displays(self, order: Order) -> bool:
        """Return whether the book is later than the order, which is in it then."""
        at = order.updated_at if order.updated_at is not None else order.created_at
        return at is not None and self._book.timestamp // MILLISECOND > at // MILLISECOND

    def _own_from(self, place: _Place) -> Decimal:
        """Return what is left of an order and of the own ones behind it at its price, if displayed."""
        total = ZERO
        for other in self._places.values():
            order = other.order
            same = other is place or (
                other.price == place.price
                and order.side is place.order.side
                and order.created_at is not None
                and place.order.created_at is not None
                and order.created_at > place.order.created_at
                and self._displays(order)
            )
            if same and order.quantity is not None:
                left = exact.subtract(order.quantity, other.executed)
                total = exact.add(total, max(ZERO, left))
        return total

    def _within(self, place: _Place) -> bool:
        """Return whether the price is one that the book would show: no farther than the farthest it has."""
        side = self._book.bids if place.order.side is Side.BUY else self._book.asks
        if not side.depth:
            return False
        scaled = exact.CONTEXT.scaleb(place.price, side.decimals)
        return side.sign * scaled <= side.tick(max(side.held))
