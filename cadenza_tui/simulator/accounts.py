"""Trading accounts: balances, positions, own orders. Amounts are integers of 10^-8 of an asset.

Value is conserved but for fees: whatever an account pays for a fill its counterparty gets, to the last
unit, and the fee goes to ``Account.fees_paid``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .numbers import fixed

if TYPE_CHECKING:
    from .instruments import Instrument
    from .matching import RestingOrder

DECIMALS = 8
MAKER_BPS, TAKER_BPS = 2, 5
LEVERAGE = 5
WORKING = frozenset({"ACCEPTED", "PARTIALLY_FILLED"})
WAITING = "CREATED"
"""A child of an order list before its parent was filled."""


def cost(instrument: Instrument, ticks: int, lots: int) -> int:
    """Return price × quantity in units of the quote asset, exactly."""
    places = DECIMALS - instrument.price_decimals - instrument.quantity_decimals
    amount: int = ticks * instrument.tick * lots * instrument.lot * 10**places
    return amount


def base_amount(instrument: Instrument, lots: int) -> int:
    """Return a quantity in units of the base asset."""
    amount: int = lots * instrument.lot * 10 ** (DECIMALS - instrument.quantity_decimals)
    return amount


def fee(amount: int, bps: int) -> int:
    """Return a fee on a cost, rounded up to a whole unit."""
    return -(-amount * bps // 10_000)


def text(amount: int) -> str:
    """Return an amount as the wire writes it."""
    return fixed(amount, DECIMALS)


@dataclass
class Balance:
    """One asset of one account; ``total`` includes what is locked or frozen, and what was borrowed."""

    total: int = 0
    locked: int = 0
    borrowed: int = 0
    frozen: int = 0
    """What a transfer is about to take out."""
    interest: int = 0
    """What is owed besides what was borrowed."""
    updated_ns: int = 0

    @property
    def free(self) -> int:
        """What new orders can use."""
        return self.total - self.locked - self.frozen


@dataclass
class Position:
    """A perpetual: ``lots`` below zero is short; ``basis`` is what it was opened for, signed alike."""

    position_id: str
    instrument: Instrument
    created_ns: int
    lots: int = 0
    basis: int = 0
    realized: int = 0
    updated_ns: int = 0
    closed_ns: int | None = None
    exit_ticks: int | None = None
    leverage: int = LEVERAGE

    def margin(self, ticks: int) -> int:
        """Return what is held for it at ``ticks``, in units of the quote asset, rounded up."""
        return -(-abs(cost(self.instrument, ticks, self.lots)) // self.leverage)

    def unrealized(self, ticks: int) -> int:
        """Return the gain if all were closed at ``ticks``, in units of the quote asset."""
        return cost(self.instrument, ticks, self.lots) - self.basis


@dataclass(frozen=True)
class Execution:
    """One fill of an own order."""

    execution_id: str
    trade_id: int
    ticks: int
    lots: int
    cost: int
    fee: int
    time_ns: int
    is_maker: bool


@dataclass
class OwnOrder:
    """One order of an account. ``limit`` is None for a market order, and for one that waits for ``stop``."""

    order_id: str
    account_id: str
    instrument: Instrument
    is_buy: bool
    lots: int
    limit: int | None
    created_ns: int
    status: str = "ACCEPTED"
    executed: int = 0
    updated_ns: int = 0
    reject_reason: str = ""
    cancel_reason: str = ""
    executions: list[Execution] = field(default_factory=list)
    resting: RestingOrder | None = None
    stop: int | None = None
    parent_id: str = ""
    list_id: str = ""

    @property
    def over(self) -> bool:
        """Whether it can never fill any more."""
        return not self.working and self.status != WAITING

    @property
    def working(self) -> bool:
        """Whether it can still fill."""
        return self.status in WORKING

    @property
    def reserves(self) -> tuple[str, int]:
        """The asset and the amount that what is left of the order keeps from other orders."""
        one = self.instrument
        spends_quote = self.is_buy or one.kind == "PERPETUAL"
        asset = one.quote if spends_quote else one.base
        if self.limit is None or not self.working:
            return asset, 0
        left = self.lots - self.executed
        if not spends_quote:
            return asset, base_amount(one, left)
        amount = cost(one, self.limit, left)
        charge = fee(amount, MAKER_BPS)
        return asset, (-(-amount // LEVERAGE) if one.kind == "PERPETUAL" else amount) + charge


class Account:
    """One trading account. ``changed`` names the assets and instruments that moved since last cleared."""

    def __init__(
        self,
        account_id: str,
        *,
        nickname: str,
        venue: str,
        account_type: str,
        totals: dict[str, int],
        borrowed: dict[str, int],
        start_ns: int,
    ) -> None:
        self.account_id, self.nickname, self.venue = account_id, nickname, venue
        self.account_type = account_type
        self.updated_ns = start_ns
        self.balances = {
            asset: Balance(total, borrowed=borrowed.get(asset, 0), updated_ns=start_ns)
            for asset, total in totals.items()
        }
        self.positions: dict[str, Position] = {}
        self.orders: dict[str, OwnOrder] = {}
        self.fees_paid: dict[str, int] = {}
        self.changed: set[str] = set()

    @property
    def channel(self) -> str:
        """Where the account's changes are published."""
        return f"tradingAccount:{self.account_id}"

    def working(self) -> list[OwnOrder]:
        """Return the orders that can still fill, oldest first."""
        return [order for order in self.orders.values() if order.working]

    def can_place(self, order: OwnOrder) -> bool:
        """Whether the free balance covers what the order would reserve."""
        asset, amount = order.reserves
        return amount <= self.balance(asset).free

    def place(self, order: OwnOrder) -> None:
        """Take an order into the account and reserve what it needs."""
        asset, amount = order.reserves
        self.balance(asset).locked += amount
        self._touch(order, asset)
        self.orders[order.order_id] = order

    def reject(self, order: OwnOrder, reason: str) -> None:
        """Keep an order that was refused, for the record."""
        order.status, order.reject_reason = "REJECTED", reason
        self.orders[order.order_id] = order

    def cancel(self, order: OwnOrder, time_ns: int, reason: str) -> None:
        """End an order and free what it reserved."""
        asset, amount = order.reserves
        order.status, order.cancel_reason, order.updated_ns = "CANCELLED", reason, time_ns
        self.balance(asset).locked -= amount
        self._touch(order, asset)

    def fill(self, order: OwnOrder, execution: Execution) -> None:
        """Book one execution: quantities, fee, reserve, position."""
        one = order.instrument
        asset, before = order.reserves
        order.executed += execution.lots
        order.executions.append(execution)
        order.updated_ns = execution.time_ns
        order.status = "FILLED" if order.executed == order.lots else "PARTIALLY_FILLED"
        self.balance(asset).locked -= before - order.reserves[1]
        quote = self.balance(one.quote)
        quote.total -= execution.fee
        self.fees_paid[one.quote] = self.fees_paid.get(one.quote, 0) + execution.fee
        sign = 1 if order.is_buy else -1
        if one.kind == "PERPETUAL":
            quote.total += self._hold(order, execution, sign)
        else:
            self.balance(one.base).total += sign * base_amount(one, execution.lots)
            quote.total -= sign * execution.cost
            self._touch(order, one.base)
        self._touch(order, one.quote)

    def freeze(self, asset: str, amount: int, time_ns: int) -> None:
        """Keep an amount from orders, that a transfer is about to take out."""
        self.balance(asset).frozen += amount
        self._changed(asset, time_ns)

    def transfer(self, asset: str, amount: int, time_ns: int) -> None:
        """Take an amount in, or, below zero, what was frozen out."""
        held = self.balance(asset)
        held.total += amount
        held.frozen += min(amount, 0)
        self._changed(asset, time_ns)

    def accrue(self, asset: str, amount: int, time_ns: int) -> None:
        """Add to the interest that is owed."""
        self.balance(asset).interest += amount
        self._changed(asset, time_ns)

    def prune(self, keep: int) -> None:
        """Forget the oldest ended orders past ``keep``."""
        ended = [order for order in self.orders.values() if order.over]
        for order in ended[: max(0, len(ended) - keep)]:
            del self.orders[order.order_id]

    def balance(self, asset: str) -> Balance:
        """Return the balance of an asset, made when first met."""
        held = self.balances.get(asset)
        if held is None:
            held = self.balances[asset] = Balance()
        return held

    def _hold(self, order: OwnOrder, execution: Execution, sign: int) -> int:
        """Change the position by one fill; return what closing a part of it realised."""
        one = order.instrument
        held = self.positions.get(one.instrument_id)
        if held is None or held.closed_ns is not None:
            held = Position(f"{self.account_id}-P{execution.trade_id}", one, execution.time_ns)
            self.positions[one.instrument_id] = held
        lots, amount, realized = sign * execution.lots, sign * execution.cost, 0
        if held.lots * lots < 0:
            closed = min(abs(held.lots), abs(lots))
            released = held.basis * closed // abs(held.lots)
            proceeds = cost(one, execution.ticks, closed) * (1 if held.lots > 0 else -1)
            realized = proceeds - released
            held.lots += sign * closed
            held.basis -= released
            held.realized += realized
            held.exit_ticks = execution.ticks
            lots -= sign * closed
            amount = cost(one, execution.ticks, lots)
        held.lots += lots
        held.basis += amount
        held.updated_ns = execution.time_ns
        held.closed_ns = None if held.lots else execution.time_ns
        self.changed.add(one.instrument_id)
        return realized

    def _touch(self, order: OwnOrder, asset: str) -> None:
        self._changed(asset, max(order.updated_ns, order.created_ns))

    def _changed(self, asset: str, time_ns: int) -> None:
        self.changed.add(asset)
        self.updated_ns = max(time_ns, self.updated_ns)
        self.balance(asset).updated_ns = self.updated_ns
