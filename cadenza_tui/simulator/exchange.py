"""The whole exchange: markets, accounts, one timeline. Pure and seeded: the caller tells the time."""

from __future__ import annotations

from collections import Counter
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
from .treasury import ROUND_NS, Treasury

if TYPE_CHECKING:
    from collections.abc import Callable

    from .flow import Trade
    from .instruments import Instrument

DEFAULT_RATE = 40.0
REVALUE_NS = 2 * SECOND
WHOLE_EVERY, SPOT_EVERY = 30, 15
"""Every so many revaluations bring a margin account's whole portfolio, or are of the others as well."""
_UNIT: int = 10**DECIMALS


def _everything(_channel: str) -> bool:
    return True


def _worth(one: Instrument, ticks: int) -> int:
    scale: int = 10 ** (DECIMALS - one.price_decimals)
    return one.tick * ticks * scale


class Exchange:
    """Markets of ``instruments`` instruments that publish ``rate`` book messages a second between them.

    ``prints`` is how many prints a second there are between them; None for as many as the flow makes.
    The same ``seed``, ``instruments``, ``rate``, ``prints`` and ``start_ns`` give the same publications, byte
    for byte, however the time is cut into calls of ``advance``. ``start_ns`` is the exchange's time when it
    opens.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        instruments: int = DEFAULT_INSTRUMENTS,
        rate: float = DEFAULT_RATE,
        prints: float | None = None,
        start_ns: int = 0,
    ) -> None:
        self.instruments = choose(instruments)
        self.start_ns = self.now_ns = start_ns
        self._reference = Reference(seed, self.instruments, start_ns)
        weights = sum(one.weight for one in self.instruments)
        self._markets = [
            InstrumentMarket(
                one,
                seed,
                rate * one.weight / weights,
                start_ns,
                self._reference.prices[index],
                prints_per_second=None if prints is None else prints * one.weight / weights,
            )
            for index, one in enumerate(self.instruments)
        ]
        self.markets = {market.instrument.instrument_id: market for market in self._markets}
        self._desks = [Desk(seed, account, self._markets) for account in open_accounts(start_ns)]
        self.accounts: dict[str, Account] = {desk.account.account_id: desk.account for desk in self._desks}
        self._owners: dict[str, tuple[Desk, OwnOrder]] = {}
        self._treasury = Treasury(seed, self.accounts)
        self._revaluations = 0
        self._withheld: Counter[str] = Counter()
        self._events = 0
        self._encode = msgspec.json.Encoder().encode
        self._jitter = [Random(f"{seed}/slots/{one.instrument_id}").random for one in self.instruments]
        # (time, turn): below the number of markets a turn is a market's slot, then the decision of each desk
        # that trades, then the accounts' revaluation, last what goes on between them
        self._timeline = [
            (start_ns + 1 + int(jitter() * market.interval_ns), turn)
            for turn, (jitter, market) in enumerate(zip(self._jitter, self._markets, strict=True))
        ]
        self._trading = [desk for desk in self._desks if desk.trades]
        for desk in self._trading:
            self._timeline.append((start_ns + desk.pause_ns(), len(self._timeline)))
        self._timeline.append((start_ns + REVALUE_NS, len(self._timeline)))
        self._timeline.append((start_ns + ROUND_NS, len(self._timeline)))
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
        timeline, markets, desks = self._timeline, self._markets, self._trading
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
            elif turn == len(markets) + len(desks):
                self._revalue_all(wanted, out)
                pause = REVALUE_NS
            else:
                self._treasury.round(time_ns)
                for account in self.accounts.values():
                    self._portfolio_changed(account, wanted, out)
                pause = ROUND_NS
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

    def withhold(self, account_id: str, events: int = 1) -> None:
        """Let so many of an account's next events go unpublished, as if they had never been sent."""
        self._withheld[account_id] += events

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
            ticks = self.markets[one.instrument_id].mark if one.instrument_id in self.markets else one.price
            if one.base == asset and one.quote in {"USDT", "USD", "USDC"}:
                return _worth(one, ticks)
            if one.base == asset and one.quote == "BTC":
                return _worth(one, ticks) * self.price("BTC") // _UNIT
            if one.quote == asset and one.base == "USDT":
                return _UNIT * _UNIT // _worth(one, ticks)
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
        self._attend(desk, market, time_ns, wanted, out)
        desk.account.prune(KEPT_ORDERS)
        self._portfolio_changed(desk.account, wanted, out)

    def _attend(
        self,
        desk: Desk,
        market: InstrumentMarket,
        time_ns: int,
        wanted: Callable[[str], bool],
        out: list[Publication],
    ) -> None:
        """Let a desk do what is next for its order list."""
        listed = desk.brackets.market
        if listed is not None and listed is not market:
            market = listed
            fair = self._reference.prices[self._markets.index(market)]
            self._settle(market, market.run(time_ns, fair), wanted, out)
        changed, trades = desk.brackets.attend(market, time_ns)
        for order in changed:
            self._owners[order.order_id] = (desk, order)
        for order in changed:
            self._order_updated(desk.account, order, wanted, out)
        self._settle(market, trades, wanted, out)
        for order in changed:
            if order.over:
                self._owners.pop(order.order_id, None)

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

    def _withhold(self, account: Account) -> bool:
        """Return whether the next event of an account is withheld, and count it."""
        if not self._withheld[account.account_id]:
            return False
        self._withheld[account.account_id] -= 1
        return True

    def _order_updated(
        self, account: Account, order: OwnOrder, wanted: Callable[[str], bool], out: list[Publication]
    ) -> None:
        if wanted(account.channel) and not self._withhold(account):
            out.append(
                self._publish(account, "event.trade_order.updated", payloads.order_payload(order, rpc=False))
            )

    def _portfolio_changed(
        self, account: Account, wanted: Callable[[str], bool], out: list[Publication]
    ) -> None:
        """Publish the balances and positions that changed, as a DELTA."""
        changed = account.changed
        if changed and wanted(account.channel) and not self._withhold(account):
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

    def _revalue_all(self, wanted: Callable[[str], bool], out: list[Publication]) -> None:
        self._revaluations += 1
        for account in self.accounts.values():
            if account.account_type == "MARGIN":
                if self._revaluations % WHOLE_EVERY:
                    self._revalue(account, wanted, out)
                elif wanted(account.channel):
                    self._mark_positions(account)
                    out.append(self.portfolio_snapshot(account.account_id))
            elif not self._revaluations % SPOT_EVERY:
                self._revalue(account, wanted, out)

    def _mark_positions(self, account: Account) -> None:
        for held in account.positions.values():
            if held.closed_ns is None:
                held.updated_ns = self.now_ns
        account.updated_ns = self.now_ns

    def _revalue(self, account: Account, wanted: Callable[[str], bool], out: list[Publication]) -> None:
        """Publish what an account is worth now, and its positions at the present prices."""
        if not wanted(account.channel):
            return
        self._mark_positions(account)
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
