"""The whole exchange: markets, accounts, one timeline. Pure and seeded: the caller tells the time."""

from __future__ import annotations

from heapq import heapify, heapreplace
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from . import payloads
from .accounts import DECIMALS, Account, OwnOrder
from .desks import KEPT_ORDERS, USERS_ACCOUNTS, Desk, open_accounts
from .instruments import CATALOGUE, DEFAULT_INSTRUMENTS, choose
from .markets import InstrumentMarket, Publication
from .numbers import MILLISECOND, SECOND
from .reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from .flow import Trade
    from .instruments import Instrument

DEFAULT_RATE = 40.0
REVALUE_NS = 2 * SECOND
_UNIT: int = 10**DECIMALS


def _everything(_channel: str) -> bool:
    return True


def _worth(one: Instrument, ticks: int) -> int:
    scale: int = 10 ** (DECIMALS - one.price_decimals)
    return one.tick * ticks * scale


class Exchange:
    """Markets of ``instruments`` instruments that publish ``rate`` book messages a second between them.

    The same ``seed``, ``instruments``, ``rate`` and ``start_ns`` give the same publications, byte for byte,
    however the time is cut into calls of ``advance``. ``start_ns`` is the exchange's time when it opens.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        instruments: int = DEFAULT_INSTRUMENTS,
        rate: float = DEFAULT_RATE,
        start_ns: int = 0,
    ) -> None:
        self.instruments = choose(instruments)
        self.start_ns = self.now_ns = start_ns
        self._reference = Reference(seed, self.instruments, start_ns)
        weights = sum(one.weight for one in self.instruments)
        self._markets = [
            InstrumentMarket(one, seed, rate * one.weight / weights, start_ns, self._reference.prices[index])
            for index, one in enumerate(self.instruments)
        ]
        self.markets = {market.instrument.instrument_id: market for market in self._markets}
        self._desks = [Desk(seed, account, self._markets) for account in open_accounts(start_ns)]
        self.accounts: dict[str, Account] = {desk.account.account_id: desk.account for desk in self._desks}
        self._owners: dict[str, tuple[Desk, OwnOrder]] = {}
        self._events = 0
        self._encode = msgspec.json.Encoder().encode
        self._jitter = [Random(f"{seed}/slots/{one.instrument_id}").random for one in self.instruments]
        # (time, turn): below the number of markets a turn is a market's slot, then each desk's decision, last
        # the accounts' revaluation
        self._timeline = [
            (start_ns + 1 + int(jitter() * market.interval_ns), turn)
            for turn, (jitter, market) in enumerate(zip(self._jitter, self._markets, strict=True))
        ]
        for desk in self._desks:
            self._timeline.append((start_ns + desk.pause_ns(), len(self._timeline)))
        self._timeline.append((start_ns + REVALUE_NS, len(self._timeline)))
        heapify(self._timeline)

    @property
    def next_ns(self) -> int:
        """When something happens next."""
        return self._timeline[0][0]

    def advance(self, until_ns: int, wanted: Callable[[str], bool] = _everything) -> list[Publication]:
        """Let time pass up to ``until_ns``; return what was published to the channels that ``wanted``
        accepts.

        What is not wanted is not built, but the market is the same: a book channel that becomes wanted must
        begin with ``book_snapshot``.
        """
        out: list[Publication] = []
        timeline, markets, desks = self._timeline, self._markets, self._desks
        while timeline[0][0] <= until_ns:
            time_ns, turn = timeline[0]
            self.now_ns = time_ns
            if turn < len(markets):
                self._slot(turn, time_ns, wanted, out)
                pause = int(markets[turn].interval_ns * (0.5 + self._jitter[turn]()))
            elif turn < len(markets) + len(desks):
                desk = desks[turn - len(markets)]
                self._decision(desk, time_ns, wanted, out)
                pause = desk.pause_ns()
            else:
                for desk in desks:
                    self._revalue(desk.account, wanted, out)
                pause = REVALUE_NS
            heapreplace(timeline, (time_ns + max(1, pause), turn))
        self.now_ns = max(self.now_ns, until_ns)
        return out

    def halt(self, duration_ns: int) -> None:
        """Let time pass in which nothing happens: the machine slept, or is slower than the market."""
        self.now_ns += duration_ns
        self._reference.halt(duration_ns)
        for market in self._markets:
            market.flow.time_ns += duration_ns
        self._timeline = [(time_ns + duration_ns, turn) for time_ns, turn in self._timeline]

    def book_snapshot(self, instrument_id: str) -> Publication:
        """Return the whole book of one instrument, as its channel's next message."""
        return self.markets[instrument_id].snapshot(self.now_ns)

    def ticker(self, instrument_id: str) -> Publication:
        """Return the present ticker of one instrument, as its channel's next message."""
        market = self.markets[instrument_id]
        return Publication(market.ticker_channel, self._encode(market.ticker(self.now_ns // MILLISECOND)))

    def kline(self, instrument_id: str, interval: str) -> Publication | None:
        """Return the newest candle of one instrument, as its channel's next message."""
        market = self.markets[instrument_id]
        candles = market.candles.latest(interval, 1)
        return market.kline(interval, candles, self.now_ns) if candles else None

    def portfolio_snapshot(self, account_id: str) -> Publication:
        """Return one account's whole portfolio, as its channel's next message."""
        account = self.accounts[account_id]
        account.changed.clear()
        data = self.portfolio(account, rpc=False) | {"updateMode": "SNAPSHOT"}
        return self._publish(account, "event.portfolio.updated", data)

    def portfolio(self, account: Account, *, rpc: bool) -> dict[str, Any]:
        """Return one account's ``portfolio`` in full."""
        return {
            "tradingAccountId": account.account_id,
            "venue": account.venue,
            "balances": [payloads.balance_payload(account, asset, rpc) for asset in account.balances],
            "positions": self._positions(account, rpc),
            "summary": payloads.summary_payload(account, self.price, self._mark),
            "updatedAt": payloads.stamp(account.updated_ns, rpc),
        }

    def accounts_of(self, user: str) -> list[Account]:
        """Return the accounts a user may see."""
        return [self.accounts[account_id] for account_id in USERS_ACCOUNTS.get(user, ())]

    def price(self, asset: str) -> int:
        """Return what one of an asset is worth in USDT, in 10^-8; by the catalogue where it is not traded."""
        if asset in {"USDT", "USD", "USDC"}:
            return _UNIT
        for market in self._markets:
            one = market.instrument
            if one.base == asset and one.quote in {"USDT", "USD", "USDC"}:
                return _worth(one, market.mark)
        for one in CATALOGUE:
            if one.base == asset and one.quote in {"USDT", "USD", "USDC"}:
                return _worth(one, one.price)
        return 0

    def _mark(self, instrument_id: str) -> int:
        return self.markets[instrument_id].mark

    def _slot(self, turn: int, time_ns: int, wanted: Callable[[str], bool], out: list[Publication]) -> None:
        self._reference.advance(time_ns)
        market = self._markets[turn]
        trades = market.run(time_ns, self._reference.prices[turn])
        self._settle(market, trades, wanted, out)
        market.publish(time_ns, wanted, out)

    def _decision(
        self, desk: Desk, time_ns: int, wanted: Callable[[str], bool], out: list[Publication]
    ) -> None:
        market = desk.pick()
        if market is None:
            return
        self._reference.advance(time_ns)
        fair = self._reference.prices[self._markets.index(market)]
        self._settle(market, market.run(time_ns, fair), wanted, out)
        order, trades = desk.decide(market, time_ns)
        self._owners[order.order_id] = (desk, order)
        self._settle(market, trades, wanted, out)
        if desk.finish(order, time_ns) or not trades:
            self._order_updated(desk.account, order, wanted, out)
        if not order.working:
            self._owners.pop(order.order_id, None)
        desk.account.prune(KEPT_ORDERS)
        self._portfolio_changed(desk.account, wanted, out)

    def _settle(
        self,
        market: InstrumentMarket,
        trades: list[Trade],
        wanted: Callable[[str], bool],
        out: list[Publication],
    ) -> None:
        """Publish prints and book those that an account took part in."""
        if not trades:
            return
        if wanted(market.trade_channel):
            out.extend(market.prints(trades))
        for trade in trades:
            if not trade.maker and not trade.taker:
                continue
            for order_id, is_maker in ((trade.maker, True), (trade.taker, False)):
                if not order_id:
                    continue
                desk, order = self._owners[order_id]
                desk.executed(order, trade, is_maker)
                self._order_updated(desk.account, order, wanted, out)
                self._portfolio_changed(desk.account, wanted, out)
                if not order.working:
                    del self._owners[order_id]

    def _order_updated(
        self, account: Account, order: OwnOrder, wanted: Callable[[str], bool], out: list[Publication]
    ) -> None:
        if wanted(account.channel):
            out.append(
                self._publish(account, "event.trade_order.updated", payloads.order_payload(order, rpc=False))
            )

    def _portfolio_changed(
        self, account: Account, wanted: Callable[[str], bool], out: list[Publication]
    ) -> None:
        """Publish the balances and positions that changed, as a DELTA."""
        changed = account.changed
        if changed and wanted(account.channel):
            data = {
                "tradingAccountId": account.account_id,
                "venue": account.venue,
                "updateMode": "DELTA",
                "balances": [
                    payloads.balance_payload(account, asset, False)
                    for asset in account.balances
                    if asset in changed
                ],
                "positions": [
                    payloads.position_payload(held, self._mark(instrument_id), False)
                    for instrument_id, held in account.positions.items()
                    if instrument_id in changed
                ],
                "updatedAt": payloads.stamp(account.updated_ns, False),
            }
            out.append(self._publish(account, "event.portfolio.updated", data))
        changed.clear()

    def _revalue(self, account: Account, wanted: Callable[[str], bool], out: list[Publication]) -> None:
        """Publish what an account is worth now, and its positions at the present prices."""
        if not wanted(account.channel):
            return
        for held in account.positions.values():
            if held.closed_ns is None:
                held.updated_ns = self.now_ns
        account.updated_ns = self.now_ns
        data = {
            "tradingAccountId": account.account_id,
            "venue": account.venue,
            "updateMode": "DELTA",
            "positions": self._positions(account, False),
            "summary": payloads.summary_payload(account, self.price, self._mark),
            "updatedAt": payloads.stamp(account.updated_ns, False),
        }
        out.append(self._publish(account, "event.portfolio.updated", data))

    def _positions(self, account: Account, rpc: bool) -> list[dict[str, Any]]:
        return [
            payloads.position_payload(held, self._mark(instrument_id), rpc)
            for instrument_id, held in account.positions.items()
        ]

    def _publish(self, account: Account, event_type: str, data: dict[str, Any]) -> Publication:
        self._events += 1
        return Publication(
            account.channel, self._encode(payloads.envelope(event_type, self._events, account, data))
        )


__all__ = ["DEFAULT_RATE", "Exchange", "Publication"]
