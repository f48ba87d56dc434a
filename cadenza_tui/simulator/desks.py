"""What the trading accounts do: quote near the touch, take now and then, cancel what has gone stale."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from .accounts import (
    DECIMALS,
    MAKER_BPS,
    TAKER_BPS,
    Account,
    Execution,
    OwnOrder,
    Position,
    cost,
    fee,
)
from .brackets import Brackets
from .numbers import SECOND

if TYPE_CHECKING:
    from .flow import Trade
    from .markets import InstrumentMarket

_UNIT = 10**DECIMALS
PAUSES_NS = {"desk-1": 2.2 * SECOND, "desk-2": 20 * SECOND}
"""Between two decisions, on average; an account that is not in it never trades."""
WORKING_TARGET = 5
STALE_NS = 75 * SECOND
KEPT_ORDERS = 200
USERS_ACCOUNTS = {"demo": ("desk-1", "desk-2", "desk-3")}
OPENING = ("BINANCE:BTC-PERP/USDT", 40_000, 615_000)
"""The position that the margin account opens with: 40 contracts at 61,500.0."""


def open_accounts(start_ns: int) -> list[Account]:
    """Return the accounts as they stand when the exchange opens."""
    return [
        Account(
            "desk-1",
            nickname="Market making",
            venue="BINANCE",
            account_type="MARGIN",
            totals={
                "USDT": 812_004 * _UNIT + 12_000_000,
                "BTC": 7 * _UNIT + 65_000_000,
                "ETH": 118 * _UNIT + 40_250_000,
                "XRP": 214_000 * _UNIT,
                "SOL": 640 * _UNIT,
            },
            borrowed={"USDT": 150_000 * _UNIT},
            start_ns=start_ns,
        ),
        Account(
            "desk-2",
            nickname="Treasury",
            venue="OKX",
            account_type="SPOT",
            totals={
                "USDT": 268_411 * _UNIT + 55_000_000,
                "BTC": 2 * _UNIT + 10_000_000,
                "SOL": 1_900 * _UNIT,
                "ETH": 40 * _UNIT,
                "PEPE": 2_500_000_000 * _UNIT,
            },
            borrowed={},
            start_ns=start_ns,
        ),
        Account(
            "desk-3",
            nickname="東京 小口現金",
            venue="BITFINEX",
            account_type="SPOT",
            totals={
                "USDT": 1_204 * _UNIT + 55_000_000,
                "BTC": 1_234_567,
                "XMR": 14 * _UNIT + 25_000_000,
                "TRY": 41_250 * _UNIT,
                "EUR": 310 * _UNIT + 40_000_000,
                "ETH": 2_100,
                "DOGE": 17 * _UNIT + 31_000_000,
                "SOL": 410_000,
                "XRP": 3 * _UNIT + 90_000_000,
                "LUNC": 88_120 * _UNIT,
                "GALA": 4 * _UNIT + 1,
                "BNBUP": 1,
            },
            borrowed={},
            start_ns=start_ns,
        ),
    ]


class Desk:
    """Trades one account on its venue's markets. Each decision changes one order."""

    def __init__(self, seed: int, account: Account, markets: list[InstrumentMarket]) -> None:
        self.account = account
        self.markets = [market for market in markets if market.instrument.venue == account.venue]
        self._random = Random(f"{seed}/desk/{account.account_id}")
        self._orders = 0
        self._targets: dict[str, int] = {}
        self._open(markets)
        self.brackets = Brackets(self)

    @property
    def trades(self) -> bool:
        """Whether the account trades at all."""
        return self.account.account_id in PAUSES_NS

    def pause_ns(self) -> int:
        """Return the time to the next decision."""
        return 1 + int(self._random.expovariate(1.0) * PAUSES_NS[self.account.account_id])

    def _open(self, markets: list[InstrumentMarket]) -> None:
        """Open with the position that is kept from then on, where its instrument is traded."""
        instrument_id, lots, ticks = OPENING
        for market in markets:
            one, account = market.instrument, self.account
            if account.account_type == "MARGIN" and one.instrument_id == instrument_id:
                account.positions[instrument_id] = Position(
                    f"{account.account_id}-P0",
                    one,
                    account.updated_ns,
                    lots=lots,
                    basis=cost(one, ticks, lots),
                    updated_ns=account.updated_ns,
                )
                self._targets[instrument_id] = lots

    def pick(self) -> InstrumentMarket | None:
        """Return the market of the next decision, or None where the venue has none."""
        if not self.markets:
            return None
        return self._random.choices(self.markets, [one.instrument.weight for one in self.markets])[0]

    def decide(self, market: InstrumentMarket, now_ns: int) -> tuple[OwnOrder, list[Trade]]:
        """Act once in one market; return the order it changed and the prints it caused."""
        account, draw = self.account, self._random.random
        working = [order for order in account.working() if not order.list_id]
        stale = [order for order in working if now_ns - order.created_ns > STALE_NS or self._is_far(order)]
        if stale and (draw() < 0.5 or len(working) >= WORKING_TARGET):
            return self._cancel(stale[0], now_ns), []
        if len(working) > WORKING_TARGET:
            return self._cancel(working[0], now_ns), []
        is_buy = self._side(market)
        mine = [order for order in account.working() if order.instrument is market.instrument]
        if draw() < 0.15 and not any(order.is_buy is not is_buy for order in mine):
            return self._take(market, is_buy, now_ns)
        return self._quote(market, is_buy, now_ns), []

    def executed(self, order: OwnOrder, trade: Trade, is_maker: bool) -> None:
        """Book one print that ``order`` took part in."""
        amount = cost(order.instrument, trade.price, trade.quantity)
        self.account.fill(
            order,
            Execution(
                f"{order.order_id}-{len(order.executions) + 1}",
                trade.trade_id,
                trade.price,
                trade.quantity,
                amount,
                fee(amount, MAKER_BPS if is_maker else TAKER_BPS),
                trade.time_ns,
                is_maker,
            ),
        )

    def _side(self, market: InstrumentMarket) -> bool:
        """Lean against the inventory: a long perpetual is sold, a heavy base balance is sold."""
        one, account = market.instrument, self.account
        if one.kind == "PERPETUAL":
            held = account.positions.get(one.instrument_id)
            target = self._targets.get(one.instrument_id, 0)
            lean = (target - held.lots) / (one.size * 40) if held else 0.2
        else:
            lots = account.balance(one.base).total // (one.lot * 10 ** (DECIMALS - one.quantity_decimals))
            lean = 0.0 if lots > 20 * one.size else 0.25
        return self._random.random() < 0.5 + max(-0.35, min(0.35, lean))

    def _is_far(self, order: OwnOrder) -> bool:
        market = next(one for one in self.markets if one.instrument is order.instrument)
        prices = market.book.bid_prices if order.is_buy else market.book.ask_prices
        reach = prices[-min(25, len(prices))] if order.is_buy else prices[min(25, len(prices)) - 1]
        limit = order.limit or 0  # market orders never rest
        return limit < reach if order.is_buy else limit > reach

    def new(
        self, market: InstrumentMarket, is_buy: bool, lots: int, limit: int | None, now_ns: int
    ) -> OwnOrder:
        """Return an order of the account that is not placed yet."""
        self._orders += 1
        return OwnOrder(
            f"{self.account.account_id}-{now_ns // SECOND}-{self._orders}",
            self.account.account_id,
            market.instrument,
            is_buy,
            max(1, lots),
            limit,
            now_ns,
            updated_ns=now_ns,
        )

    def _quote(self, market: InstrumentMarket, is_buy: bool, now_ns: int) -> OwnOrder:
        """Rest a limit order at the touch, a few levels behind it, or a tick better."""
        draw, book = self._random.random, market.book
        own = book.bid_prices if is_buy else book.ask_prices
        how = draw()
        if how < 0.5:
            limit = own[-1] if is_buy else own[0]
        elif how < 0.85:
            behind = 1 + int(draw() * 6)
            limit = own[-min(behind + 1, len(own))] if is_buy else own[min(behind, len(own) - 1)]
        else:
            limit = (
                min(own[-1] + 1, book.ask_prices[0] - 1)
                if is_buy
                else max(own[0] - 1, book.bid_prices[-1] + 1)
            )
        lots = int(market.instrument.size * (1 + 6 * draw()))
        order = self.new(market, is_buy, lots, limit, now_ns)
        if not self.account.can_place(order):
            self.account.reject(order, "insufficient balance")
            return order
        order.resting, _ = book.limit(is_buy, limit, order.lots, order.order_id)
        self.account.place(order)
        return order

    def _take(self, market: InstrumentMarket, is_buy: bool, now_ns: int) -> tuple[OwnOrder, list[Trade]]:
        one = market.instrument
        order = self.new(market, is_buy, int(one.size * (0.3 + self._random.random())), None, now_ns)
        worst = 2 * cost(one, market.mark, order.lots)
        spends = one.base if not is_buy and one.kind != "PERPETUAL" else one.quote
        need = (
            worst if spends == one.quote else order.lots * one.lot * 10 ** (DECIMALS - one.quantity_decimals)
        )
        if self.account.balance(spends).free < need:
            self.account.reject(order, "insufficient balance")
            return order, []
        self.account.place(order)
        trades = market.take(is_buy, order.lots, now_ns, order.order_id)
        return order, trades

    def finish(self, order: OwnOrder, now_ns: int) -> bool:
        """End a market order that could not be filled whole; return whether it was one."""
        if order.limit is not None or not order.working:
            return False
        self.account.cancel(order, now_ns, "protection price reached")
        return True

    def _cancel(self, order: OwnOrder, now_ns: int) -> OwnOrder:
        return self.cancel(order, now_ns, "withdrawn by the desk")

    def cancel(self, order: OwnOrder, now_ns: int, reason: str) -> OwnOrder:
        """Take an order out of its book, where it rests, and end it."""
        if order.working and order.resting is not None:
            market = next(one for one in self.markets if one.instrument is order.instrument)
            market.book.cancel(order.resting)
        self.account.cancel(order, now_ns, reason)
        return order
