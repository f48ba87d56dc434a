"""The rows of a book as the wire writes them, in the layout of each book type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .numbers import fixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .instruments import Instrument
    from .matching import Level, LimitOrderBook

EXCHANGES = ("ARCA", "BATS", "IEX", "NASDAQ")
"""Who quotes in an L2_EXCHANGE book: each order belongs to one, by its number."""
CURVE = 24
"""Points of a VWAP book's curve."""
CURVE_DECIMALS = 4
"""What a VWAP has more than a price."""

Rows = list[list[str]]


class BookText:
    """Rows of one book as the wire writes them. The texts of prices are kept, for they recur."""

    _KEPT = 50_000

    def __init__(self, one: Instrument, book: LimitOrderBook) -> None:
        self._one, self._book = one, book
        self._prices: dict[int, str] = {}
        self._quoted: dict[tuple[bool, int], set[str]] = {}
        """The exchanges that quoted a price when it was last written, by side."""
        self._lot, self._scale = one.lot, 10**one.quantity_decimals
        self._form = f"%d.%0{one.quantity_decimals}d" if one.quantity_decimals else ""

    def changed(self) -> tuple[Rows, Rows]:
        """Return bid and ask rows for whatever was touched, best first; a quantity of zero removes."""
        book = self._book
        if self._one.book_type == "L3_COUNTED":
            return self._changed_orders(True), self._changed_orders(False)
        return (
            self._rows(True, sorted(book.touched_bids, reverse=True)),
            self._rows(False, sorted(book.touched_asks)),
        )

    def whole(self, depth: int | None = None) -> tuple[Rows, Rows]:
        """Return every bid and ask row, or those of the best ``depth`` levels a side, best first."""
        book = self._book
        bids = book.bid_prices[::-1] if depth is None else book.bid_prices[: -depth - 1 : -1]
        asks = book.ask_prices if depth is None else book.ask_prices[:depth]
        if self._one.book_type == "L3_COUNTED":
            return (
                [
                    self._order(price, order.remaining, key)
                    for price in bids
                    for key, order in book.bids[price].orders.items()
                ],
                [
                    self._order(price, order.remaining, key)
                    for price in asks
                    for key, order in book.asks[price].orders.items()
                ],
            )
        return self._rows(True, bids), self._rows(False, asks)

    @property
    def as_diffs(self) -> bool:
        """Whether changes are sent as diffs: any change of a VWAP curve changes all of it behind."""
        return self._one.book_type != "VWAP"

    def _rows(self, is_bid: bool, prices: Sequence[int]) -> Rows:
        match self._one.book_type:
            case "L3":
                return self._anonymous(is_bid, prices)
            case "L2_EXCHANGE":
                return self._by_exchange(is_bid, prices)
            case "VWAP":
                return self._curve(is_bid, prices)
            case _:
                return self._levels(is_bid, prices)

    def _anonymous(self, is_bid: bool, prices: Iterable[int]) -> Rows:
        """Return one row for each order of a price, one of zero where there is none left."""
        levels = self._book.bids if is_bid else self._book.asks
        rows: Rows = []
        for price in prices:
            level = levels.get(price)
            sizes = [order.remaining for order in level.orders.values()] if level is not None else [0]
            rows += [[self._price(price), self._quantity(size)] for size in sizes]
        return rows

    def _by_exchange(self, is_bid: bool, prices: Iterable[int]) -> Rows:
        """Return one row for each exchange that quotes a price, one of zero for each that has stopped to."""
        levels = self._book.bids if is_bid else self._book.asks
        rows: Rows = []
        for price in prices:
            sums = _by_exchange(levels.get(price))
            sums = dict.fromkeys(self._quoted.get((is_bid, price), ()), 0) | sums
            rows += [[self._price(price), self._quantity(size), name] for name, size in sorted(sums.items())]
            standing = {name for name, size in sums.items() if size}
            if standing:
                self._quoted[is_bid, price] = standing
            else:
                self._quoted.pop((is_bid, price), None)
        return rows

    def _curve(self, is_bid: bool, prices: Sequence[int]) -> Rows:
        """Return what trading up to each of the best levels costs on average, rounded away from the touch."""
        one, levels = self._one, self._book.bids if is_bid else self._book.asks
        scale: int = 10**CURVE_DECIMALS
        quantity = cost = 0
        curve: dict[int, int] = {}
        for price in prices[:CURVE]:
            quantity += levels[price].quantity
            cost += levels[price].quantity * price * one.tick
            average = cost * scale // quantity if is_bid else -(-cost * scale // quantity)
            curve[average] = quantity
        decimals = one.price_decimals + CURVE_DECIMALS
        return [[fixed(average, decimals), self._quantity(size)] for average, size in curve.items()]

    def _levels(self, is_bid: bool, prices: Iterable[int]) -> Rows:
        levels = self._book.bids if is_bid else self._book.asks
        counted = self._one.book_type == "L2_COUNTED"
        price_text, quantity_text = self._price, self._quantity
        rows = []
        for price in prices:
            level = levels.get(price)
            row = [price_text(price), quantity_text(level.quantity if level else 0)]
            if counted:
                row.append(str(len(level.orders) if level else 0))
            rows.append(row)
        return rows

    def _changed_orders(self, is_bid: bool) -> Rows:
        orders = self._book.orders
        touched = [(price, key) for key, (bid, price) in self._book.touched_orders.items() if bid is is_bid]
        touched.sort(key=lambda entry: (-entry[0] if is_bid else entry[0], entry[1]))
        return [
            self._order(price, orders[key].remaining if key in orders else 0, key) for price, key in touched
        ]

    def _order(self, price: int, quantity: int, order_id: int) -> list[str]:
        return [self._price(price), self._quantity(quantity), str(order_id)]

    def _price(self, ticks: int) -> str:
        kept = self._prices.get(ticks)
        if kept is None:
            if len(self._prices) >= self._KEPT:
                self._prices.clear()
            kept = self._prices[ticks] = self._one.price_text(ticks)
        return kept

    def _quantity(self, lots: int) -> str:
        """Spell a quantity as ``Instrument.quantity_text`` does, but faster: quantities seldom recur."""
        if not self._form:
            return str(lots * self._lot)
        spelled: str = self._form % divmod(lots * self._lot, self._scale)
        return spelled


def _by_exchange(level: Level | None) -> dict[str, int]:
    """Return what each exchange has of a level, in lots."""
    sums: dict[str, int] = {}
    for key, order in level.orders.items() if level is not None else ():
        name = EXCHANGES[key % len(EXCHANGES)]
        sums[name] = sums.get(name, 0) + order.remaining
    return sums
