"""One trading account: what it holds, what it has working and what was filled."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from msgspec.structs import replace

from cadenza_tui.market import exact
from cadenza_tui.market.records import UpdateMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from cadenza_tui.market.records import (
        AccountId,
        Balance,
        Execution,
        Nanoseconds,
        Order,
        Portfolio,
        Position,
        Summary,
        TradingAccount,
    )

MAXIMUM_FILLS = 1_000
MAXIMUM_ENTRIES = 10_000
"""Balances, and positions, of one account; further keys are counted in ``dropped`` and not held."""
MAXIMUM_FINISHED = 1_000
"""Orders kept that can fill no more; the oldest go first."""
MAXIMUM_ORDERS = 10_000

TERMINAL_STATUSES = frozenset({"FILLED", "CANCELLED", "REPLACED", "REJECTED", "EXPIRED", "REVOKED"})

Entry = TypeVar("Entry", "Balance", "Position")


class Fill(NamedTuple):
    """One execution and the order it belongs to."""

    order_id: str
    execution: Execution


class Account:
    """Everything known of one account.

    An update never overwrites what is newer: its time is the later of the message's and the entry's own, and
    an update without any time counts as newest.
    """

    def __init__(self, account_id: AccountId, *, maximum_fills: int = MAXIMUM_FILLS) -> None:
        self.account_id = account_id
        self.account: TradingAccount | None = None
        self.balances: dict[str, Balance] = {}
        self.positions: dict[str, Position] = {}
        self.summary: Summary | None = None
        self.orders: dict[str, Order] = {}
        self.fills: deque[Fill] = deque()
        """Newest first by the time of execution."""
        self.updated_at: Nanoseconds | None = None
        """The venue's time of the newest portfolio applied."""
        self.received_at: Nanoseconds | None = None
        """When anything of this account last arrived."""
        self.has_snapshot = False
        """Whether a whole portfolio has been seen: until then an asset that is missing is unknown."""
        self.version = 0
        self.dropped = 0
        """Entries not held because a bound was reached."""
        self.session_start: dict[str, Decimal] = {}
        """The first total seen, by the balance's key."""
        self.changed_at: dict[str, Nanoseconds] = {}
        """When a balance's amounts last changed on our side, by its key."""
        self._maximum_fills = maximum_fills
        self._execution_ids: set[str] = set()
        self._finished: dict[str, None] = {}
        """The orders that can fill no more, in the order in which they ended."""
        self._balance_times: dict[str, Nanoseconds] = {}
        self._position_times: dict[str, Nanoseconds] = {}
        self._summary_time: Nanoseconds | None = None
        self._snapshot_time: Nanoseconds | None = None

    @property
    def known(self) -> bool:
        """Whether any portfolio of this account has been seen."""
        return self.has_snapshot or bool(self.balances) or bool(self.positions)

    def apply_portfolio(self, portfolio: Portfolio, now: Nanoseconds) -> bool:
        """Merge or replace the portfolio's parts and say whether anything was taken."""
        before = self.version
        time = portfolio.updated_at
        whole = portfolio.mode is UpdateMode.SNAPSHOT
        if portfolio.balances is not None:
            self._apply_balances(portfolio.balances, time, now, whole=whole)
        if portfolio.positions is not None:
            self._apply_positions(portfolio.positions, time, whole=whole)
        if portfolio.summary is not None and not _older(time, self._summary_time):
            self._summary_time = _later(time, self._summary_time)
            self.summary = portfolio.summary
            self.version += 1
        if portfolio.account is not None:
            self.apply_account(portfolio.account, now)
        if whole and not _older(time, self._snapshot_time):
            self._snapshot_time = _later(time, self._snapshot_time)
            self.has_snapshot = True
            self.version += 1
        self.updated_at = _later(time, self.updated_at)
        self.received_at = now
        return self.version != before

    def apply_account(self, account: TradingAccount, now: Nanoseconds) -> bool:
        """Replace what the platform says of the account itself."""
        self.received_at = now
        if account == self.account:
            return False
        self.account = account
        self.version += 1
        return True

    def apply_order(self, order: Order, now: Nanoseconds) -> bool:
        """Take an order's new state and its executions, and say whether anything was new.

        Executions are facts: they are taken from an older update as well. An order that has ended comes back
        to life only by an update that is strictly newer.
        """
        before = self.version
        self.received_at = now
        for execution in order.executions:
            self._add_fill(Fill(order.order_id, execution))
        held = self.orders.get(order.order_id)
        if held is None:
            if len(self.orders) >= MAXIMUM_ORDERS:
                self.dropped += 1
                return self.version != before
        elif _older(order.updated_at, held.updated_at) or (
            held.status in TERMINAL_STATUSES
            and order.status not in TERMINAL_STATUSES
            and not _older(held.updated_at, order.updated_at)
        ):
            return self.version != before
        self.orders[order.order_id] = order
        if order.working:
            self._finished.pop(order.order_id, None)
        else:
            self._finished[order.order_id] = None
            if len(self._finished) > MAXIMUM_FINISHED:
                oldest = next(iter(self._finished))
                del self._finished[oldest], self.orders[oldest]
        self.version += 1
        return True

    def working_orders(self) -> list[Order]:
        """Return the orders that can still fill, oldest first as they were first seen."""
        return [order for order in self.orders.values() if order.working]

    def session_change(self, key: str) -> Decimal | None:
        """Return a balance's total minus the first one seen, None while either is unknown."""
        held, start = self.balances.get(key), self.session_start.get(key)
        if held is None or held.total is None or start is None:
            return None
        return exact.subtract(held.total, start)

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        ids = [fill.execution.execution_id for fill in self.fills if fill.execution.execution_id]
        assert len(ids) == len(set(ids)), "an execution is kept once"
        assert set(ids) == self._execution_ids, "ids are known for the kept fills alone"
        assert len(self.fills) <= self._maximum_fills, "fills are bounded"
        finished = {key for key, order in self.orders.items() if not order.working}
        assert finished == set(self._finished), "the orders that ended are known"
        times = [fill.execution.executed_at or 0 for fill in self.fills]
        assert times == sorted(times, reverse=True), "fills stand newest first"
        assert all(key == balance.key for key, balance in self.balances.items())
        assert all(key == position.position_id for key, position in self.positions.items())
        assert set(self._balance_times) <= set(self.balances), "no time without its balance"
        assert set(self._position_times) <= set(self.positions), "no time without its position"
        assert set(self.changed_at) == set(self.balances), "every balance says when it changed"

    def _apply_balances(
        self, balances: tuple[Balance, ...], time: Nanoseconds | None, now: Nanoseconds, *, whole: bool
    ) -> None:
        for key, balance in self._fresh(
            self._aligned(balances),
            lambda entry: entry.key,
            self.balances,
            self._balance_times,
            time,
            whole=whole,
        ):
            held = self.balances.get(key)
            if held is None or _amounts(held) != _amounts(balance):
                self.changed_at[key] = now
            if balance.total is not None:
                self.session_start.setdefault(key, balance.total)
            self.balances[key] = balance
        if len(self.changed_at) != len(self.balances):
            self.changed_at = {key: at for key, at in self.changed_at.items() if key in self.balances}

    def _aligned(self, balances: tuple[Balance, ...]) -> list[Balance]:
        """Return the balances under the keys that they are held by.

        A venue may give an entry's id in one shape and not in another: an entry without one is the only entry
        of its asset, and one with an id is what was held of the asset without.
        """
        if not self.balances or all(balance.key in self.balances for balance in balances):
            return list(balances)
        by_asset: dict[str, list[str]] = {}
        for key, held in self.balances.items():
            by_asset.setdefault(held.asset, []).append(key)
        aligned = []
        for balance in balances:
            held_as = by_asset.get(balance.asset, [])
            if len(held_as) == 1 and balance.key not in self.balances:
                if balance.key == balance.asset:
                    aligned.append(replace(balance, key=held_as[0]))
                    continue
                if held_as[0] == balance.asset:
                    self._rename(balance.asset, balance.key)
                    by_asset[balance.asset] = [balance.key]
            aligned.append(balance)
        return aligned

    def _rename(self, key: str, new_key: str) -> None:
        self.balances[new_key] = replace(self.balances.pop(key), key=new_key)
        for facts in (self.session_start, self.changed_at, self._balance_times):
            if key in facts:
                facts[new_key] = facts.pop(key)  # type: ignore[assignment]

    def _apply_positions(
        self, positions: tuple[Position, ...], time: Nanoseconds | None, *, whole: bool
    ) -> None:
        for key, position in self._fresh(
            positions,
            lambda entry: entry.position_id,
            self.positions,
            self._position_times,
            time,
            whole=whole,
        ):
            self.positions[key] = position

    def _fresh(
        self,
        entries: Iterable[Entry],
        key_of: Callable[[Entry], str],
        held: dict[str, Entry],
        times: dict[str, Nanoseconds],
        time: Nanoseconds | None,
        *,
        whole: bool,
    ) -> list[tuple[str, Entry]]:
        """Return the entries to take; from a whole portfolio, drop what it no longer has."""
        taken: list[tuple[str, Entry]] = []
        room = MAXIMUM_ENTRIES - len(held)
        named: set[str] = set()
        for entry in entries:
            key = key_of(entry)
            named.add(key)
            entry_time = _later(time, entry.updated_at)
            if _older(entry_time, times.get(key)):
                continue
            if key not in held and key not in times:
                if room <= 0:
                    self.dropped += 1
                    continue
                room -= 1
            if entry_time is not None:
                times[key] = entry_time
            taken.append((key, entry))
        gone = [key for key in held if key not in named and not _older(time, times.get(key))] if whole else []
        for key in gone:
            del held[key]
            times.pop(key, None)
        if taken or gone:
            self.version += 1
        return taken

    def _add_fill(self, fill: Fill) -> None:
        execution_id = fill.execution.execution_id
        if execution_id and execution_id in self._execution_ids:
            return
        time = fill.execution.executed_at or 0
        if len(self.fills) >= self._maximum_fills and time < (self.fills[-1].execution.executed_at or 0):
            return  # as below, but at once: a message may bring thousands of those
        place = 0
        for held in self.fills:
            if (held.execution.executed_at or 0) <= time:
                break
            place += 1
        if place >= self._maximum_fills:
            return
        self.fills.insert(place, fill)
        if execution_id:
            self._execution_ids.add(execution_id)
        if len(self.fills) > self._maximum_fills:
            self._execution_ids.discard(self.fills.pop().execution.execution_id)
        self.version += 1


def _amounts(balance: Balance) -> tuple[Decimal | None, ...]:
    return (
        balance.total,
        balance.free,
        balance.locked,
        balance.borrowed,
        balance.frozen,
        balance.net,
    )


def _older(time: Nanoseconds | None, held: Nanoseconds | None) -> bool:
    return time is not None and held is not None and time < held


def _later(time: Nanoseconds | None, other: Nanoseconds | None) -> Nanoseconds | None:
    if time is None or other is None:
        return other if time is None else time
    return max(time, other)
