"""Zero-intelligence order flow for one instrument, after the "Santa Fe" model.

Limit orders, market orders and cancels arrive as independent Poisson processes: limit orders over a band of
prices counted from the opposite best (most of them near it), cancels in proportion to the standing orders
(Smith, Farmer, Gillemot & Krishnamurthy, "Statistical theory of the continuous double auction", 2003). On
top of it, some arrivals pull a book that strayed from the reference price back to it, by taking and by
moving stale quotes and by quoting better, as market makers do.
"""

from __future__ import annotations

from math import exp, floor, log
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from .matching import Fill, LimitOrderBook, RestingOrder

if TYPE_CHECKING:
    from .instruments import Instrument

LIMIT, MARKET, CANCEL = 0.53, 0.055, 0.415  # shares of the arrivals while the book is at its balance
THIN = 12  # levels of a side below which nothing takes from it or cancels in it
SWEEP = 8  # levels a market order may go through before its protection price stops it
STRAY_BPS = 0.8  # a mid further than this from the reference is pulled back
PULL = 0.4  # share of the arrivals that do so while it is
_TABLE = 4_096
_MEAN_AT_ONCE = 256.0


class Trade(NamedTuple):
    """One print: ``taker`` and ``maker`` are the accounts' order ids, empty for the crowd."""

    trade_id: int
    time_ns: int
    price: int
    quantity: int
    is_buy: bool
    taker: str
    maker: str
    maker_order: RestingOrder


class OrderFlow:
    """The book of one instrument and the crowd that trades in it, driven by exchange time alone.

    As many market orders arrive as the model has it, or as many as make ``prints_per_second``.
    """

    def __init__(
        self,
        instrument: Instrument,
        seed: int,
        events_per_second: float,
        start_ns: int,
        *,
        prints_per_second: float | None = None,
    ) -> None:
        self.instrument = instrument
        self.book = LimitOrderBook(track_orders=instrument.book_type.startswith("L3"))
        self.time_ns = start_ns
        self.last: Trade | None = None
        self._rate = events_per_second / 1e9
        self._random = Random(f"{seed}/flow/{instrument.instrument_id}")
        self._draw = self._random.random
        self._trades = (
            start_ns // 1_000_000
        )  # ids keep rising over a restart, so none is mistaken for an old one
        self._sizes = [self._size() for _ in range(_TABLE)]
        self._distances = [self._distance() for _ in range(_TABLE)]
        self._stray = max(1.0, instrument.price * STRAY_BPS * 1e-4)
        self._cancel_each = CANCEL / instrument.orders
        self._start_ns = start_ns
        self._prints_ns = None if prints_per_second is None else prints_per_second / 1e9
        self._printed = 0

    def warm_up(self, fair: float) -> None:
        """Fill an empty book around ``fair``, then let the flow shape it for a while. Nothing is reported."""
        middle = floor(fair)
        for _ in range(self.instrument.orders):
            is_bid = self._draw() < 0.5
            away = self._distances[int(self._draw() * _TABLE)] - 1
            price = middle - away if is_bid else middle + 1 + away
            self.book.limit(is_bid, max(1, price), self._sizes[int(self._draw() * _TABLE)])
        trades: list[Trade] = []
        for _ in range(self.instrument.orders):
            self._arrival(self.time_ns, fair, trades)
        self._printed = 0
        book = self.book
        for touched in (book.touched_bids, book.touched_asks, book.touched_orders):
            touched.clear()

    def run(self, until_ns: int, fair: float) -> list[Trade]:
        """Let the crowd act up to ``until_ns``; return what traded, in order.

        The number of arrivals in the span is Poisson; given their number their times are uniform in it.
        """
        span = until_ns - self.time_ns
        if span <= 0:
            return []
        standing = LIMIT + MARKET + self._cancel_each * len(self.book.crowd)
        count = self._poisson(span * self._rate * standing)
        trades: list[Trade] = []
        start, draw = self.time_ns, self._draw
        for offset in sorted([draw() for _ in range(count)]):
            self._arrival(start + int(offset * span), fair, trades)
        self.time_ns = until_ns
        return trades

    def take(self, is_buy: bool, quantity: int, time_ns: int, owner: str) -> list[Trade]:
        """Execute an account's market order; what its protection price leaves unfilled is cancelled."""
        protection = self._protection(is_buy, SWEEP)
        if protection is None:
            return []
        trades: list[Trade] = []
        self._report(self.book.market(is_buy, quantity, protection), is_buy, time_ns, owner, trades)
        return trades

    def _arrival(self, time_ns: int, fair: float, trades: list[Trade]) -> None:
        draw, book = self._draw, self.book
        bids, asks = book.bid_prices, book.ask_prices
        strayed = fair - (bids[-1] + asks[0]) / 2 if bids and asks else 0.0
        markets = MARKET
        if self._prints_ns is not None:
            markets = 0.0
            while self._may_print(time_ns) and self._hit(time_ns, strayed, trades):
                pass
        if (strayed > self._stray or strayed < -self._stray) and draw() < PULL:
            self._pull(time_ns, fair, strayed > 0, trades)
            return
        cancels = self._cancel_each * len(book.crowd)
        kind = draw() * (LIMIT + markets + cancels)
        if kind < LIMIT:
            self._quote(draw() < 0.5)
        elif kind < LIMIT + markets:
            self._hit(time_ns, strayed, trades)
        elif book.crowd:
            self._withdraw(book.crowd[int(draw() * len(book.crowd))])

    def _may_print(self, time_ns: int) -> bool:
        """Whether there have been fewer prints so far than there are to be."""
        return self._prints_ns is None or self._printed < (time_ns - self._start_ns) * self._prints_ns

    def _hit(self, time_ns: int, strayed: float, trades: list[Trade]) -> bool:
        """Let a crowd's market order come; return whether it traded."""
        draw = self._draw
        tilt = 0.5 + max(-0.3, min(0.3, 0.1 * strayed / self._stray))
        is_buy = draw() < tilt
        protection = self._protection(is_buy, SWEEP)
        if protection is None:
            return False
        size = self._sizes[int(draw() * _TABLE)]
        fills = self.book.market(is_buy, size, protection)
        self._report(fills, is_buy, time_ns, "", trades)
        return bool(fills)

    def _quote(self, is_bid: bool) -> None:
        """Place a crowd's limit order: joining the touch, improving it, or anywhere in the band."""
        draw, book = self._draw, self.book
        own = book.bid_prices if is_bid else book.ask_prices
        other = book.ask_prices if is_bid else book.bid_prices
        how = draw()
        size = self._sizes[int(draw() * _TABLE)]
        if not own or not other:
            away = self._distances[int(draw() * _TABLE)]
            anchor = (other[0] if is_bid else other[-1]) if other else self.instrument.price
            price = anchor - away if is_bid else anchor + away
        elif how < 0.22:
            price = own[-1] if is_bid else own[0]
        elif how < 0.28:
            price = min(own[-1] + 1, other[0] - 1) if is_bid else max(own[0] - 1, other[-1] + 1)
        else:
            away = self._distances[int(draw() * _TABLE)]
            price = other[0] - away if is_bid else other[-1] + away
        book.limit(is_bid, max(1, price), size)

    def _pull(self, time_ns: int, fair: float, up: bool, trades: list[Trade]) -> None:
        """Bring the mid nearer to the reference: take stale quotes, move them, or quote up to it."""
        draw, book = self._draw, self.book
        bids, asks = book.bid_prices, book.ask_prices
        bound = floor(fair) if up else floor(fair) + 1
        stale = asks[0] < bound if up else bids[-1] > bound
        how = draw()
        if stale and how < 0.2 and self._may_print(time_ns):
            protection = self._protection(up, SWEEP)
            if protection is not None:
                limit = min(bound, protection) if up else max(bound, protection)
                size = 2 * self._sizes[int(draw() * _TABLE)]
                self._report(book.market(up, size, limit), up, time_ns, "", trades)
        elif stale and how < 0.6:
            best = book.asks[asks[0]] if up else book.bids[bids[-1]]
            for order in list(best.orders.values())[-3:]:
                if not order.owner and self._withdraw(order):
                    away = self._distances[int(draw() * _TABLE)] // 4
                    price = max(bound + 1, bids[-1] + 1) + away if up else min(bound, asks[0]) - 1 - away
                    book.limit(not up, max(1, price), order.remaining)
        else:
            near = max(1, self._distances[int(draw() * _TABLE)] // 8)
            price = min(bound, asks[0]) - near if up else max(bound, bids[-1]) + near
            book.limit(up, max(1, price), self._sizes[int(draw() * _TABLE)])

    def _withdraw(self, order: RestingOrder) -> bool:
        prices = self.book.bid_prices if order.is_bid else self.book.ask_prices
        return len(prices) > THIN and self.book.cancel(order)

    def _protection(self, is_buy: bool, levels: int) -> int | None:
        """Return the worst price an aggressor may pay, or None while that side is too thin to take from."""
        prices = self.book.ask_prices if is_buy else self.book.bid_prices
        if len(prices) <= THIN:
            return None
        levels = min(levels, len(prices) - THIN)
        return prices[levels - 1] if is_buy else prices[-levels]

    def _report(self, fills: list[Fill], is_buy: bool, time_ns: int, taker: str, trades: list[Trade]) -> None:
        self._printed += len(fills)
        for maker, price, quantity, _ in fills:
            self._trades += 1
            trade = Trade(self._trades, time_ns, price, quantity, is_buy, taker, maker.owner, maker)
            trades.append(trade)
            self.last = trade

    def _poisson(self, mean: float) -> int:
        count = 0
        while mean > _MEAN_AT_ONCE:  # exp(-mean) would vanish; sums of Poisson numbers are Poisson
            count += self._poisson(_MEAN_AT_ONCE)
            mean -= _MEAN_AT_ONCE
        draw = self._draw
        bound, product = exp(-mean), draw()
        while product > bound:
            count += 1
            product *= draw()
        return count

    def _size(self) -> int:
        """Draw an order size in lots: log-normal, often round, now and then large."""
        size = self._random.lognormvariate(log(self.instrument.size), 1.1)
        if self._draw() < 0.012:
            size *= 10 + 40 * self._draw()
        if self._draw() < 0.4:
            unit = 10 ** max(0, len(str(int(size))) - 1)
            size = unit * self._random.choice((1, 1, 2, 2.5, 5, 5, 10))
        return max(1, round(size))

    def _distance(self) -> int:
        """Draw a distance from the opposite best in ticks, at least 1: heavy-tailed, within the band."""
        scale = self.instrument.scale
        while True:
            away = scale * (max(self._draw(), 1e-9) ** -0.8 - 1.0)
            if away < 60 * scale and away < 0.2 * self.instrument.price:
                break
        ticks = 1 + int(away)
        if ticks > 20 and self._draw() < 0.15:
            ticks = round(ticks, -1)
        return ticks
