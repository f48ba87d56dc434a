"""One trading account: what it holds, what it has working and what was filled."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cadenza_tui.market import exact
from cadenza_tui.market.completed import amounts, completed_balance, completed_position
from cadenza_tui.market.differences import (
    GRACE_NS,
    Differences,
    differing,
    is_nothing,
    of_balance,
    of_fill,
    of_order,
    of_position,
    of_summary,
)
from cadenza_tui.market.entries import Entries
from cadenza_tui.market.fills import Fill, Fills
from cadenza_tui.market.records import UpdateMode
from cadenza_tui.market.starts import Starts
from cadenza_tui.market.times import later, older

if TYPE_CHECKING:
    from collections import deque
    from decimal import Decimal

    from cadenza_tui.market.differences import Difference
    from cadenza_tui.market.entries import Entry
    from cadenza_tui.market.records import (
        AccountId,
        Balance,
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


class Account:
    """Everything known of one account.

    An update never overwrites what is newer: its time is the later of the message's and the entry's own, and
    an update without any time counts as newest. The answers to queries follow ``market.reconcile``.
    """

    def __init__(self, account_id: AccountId, *, maximum_fills: int = MAXIMUM_FILLS) -> None:
        self.account_id = account_id
        self.account: TradingAccount | None = None
        self.balance_entries: Entries[Balance] = Entries(attrgetter("key"), MAXIMUM_ENTRIES)
        self.balances: dict[str, Balance] = self.balance_entries.held
        self.position_entries: Entries[Position] = Entries(attrgetter("position_id"), MAXIMUM_ENTRIES)
        self.positions: dict[str, Position] = self.position_entries.held
        self.summary: Summary | None = None
        self.summary_time: Nanoseconds | None = None
        self.orders: dict[str, Order] = {}
        self._fills = Fills(maximum_fills)
        self.fills: deque[Fill] = self._fills.held
        """Newest first by the time of execution."""
        self.updated_at: Nanoseconds | None = None
        """The venue's time of the newest portfolio applied."""
        self.received_at: Nanoseconds | None = None
        """When anything of this account last arrived."""
        self.has_snapshot = False
        """Whether a whole portfolio has been seen: until then an asset that is missing is unknown."""
        self.followed = False
        """Whether all changes arrive, as far as the feed knows."""
        self.reconciled_at: Nanoseconds | None = None
        """When what is held was last compared with what the queries give."""
        self.version = 0
        self.changed_at: dict[str, Nanoseconds] = {}
        """When a balance's amounts last changed on our side, by its key."""
        self.starts = Starts()
        self.compared = Differences()
        self.pushes = 0
        """Messages applied that nobody asked for."""
        self.order_pushed: dict[str, int] = {}
        """The number of the push that last told of a held order."""
        self.summary_pushed = 0
        self.listed_until: Nanoseconds | None = None
        """The time of the newest order when all were last listed, None while they have not been."""
        self.unlisted: dict[str, Order] = {}
        """Working orders that the latest list did not have, where it may have been older than they are."""
        self.doubtful = False
        """Whether the latest answers left something open, so that it is worth to ask again soon."""
        self.agreed_at: Nanoseconds | None = None
        """When the question was asked that what is held was last compared by."""
        self._refused_orders = 0
        self._finished: dict[str, None] = {}
        """The orders that can fill no more, in the order in which they ended."""

    @property
    def known(self) -> bool:
        """Whether any portfolio of this account has been seen."""
        return self.has_snapshot or bool(self.balances) or bool(self.positions)

    @property
    def current(self) -> bool:
        """Whether what is held is all there is, as far as the feed knows."""
        return self.followed and self.has_snapshot

    @property
    def dropped(self) -> int:
        """Entries not held because a bound was reached."""
        return self.balance_entries.dropped + self.position_entries.dropped + self._refused_orders

    @property
    def differences(self) -> deque[Difference]:
        """Where queries gave otherwise than the pushes had, newest first; the latest hundred."""
        return self.compared.found

    @property
    def difference_count(self) -> int:
        """How often that was so."""
        return self.compared.count

    # --- pushes

    def apply_portfolio(self, portfolio: Portfolio, now: Nanoseconds) -> bool:
        """Merge or replace the portfolio's parts and say whether anything was taken."""
        before = self.version
        time = portfolio.updated_at
        whole = portfolio.mode is UpdateMode.SNAPSHOT
        self.pushes += 1
        self.roll_day(now)
        if portfolio.balances is not None:
            self._push_balances(self.aligned(portfolio.balances), time, now, whole=whole)
        if portfolio.positions is not None:
            self._push_positions(portfolio.positions, time, now, whole=whole)
        if portfolio.summary is not None and not older(time, self.summary_time):
            self.compared.pushed("summary", "", of_summary(portfolio.summary))
            self.summary_pushed = self.pushes
            self.put_summary(portfolio.summary, time)
        if portfolio.account is not None:
            self.apply_account(portfolio.account, now)
        if whole and not self.has_snapshot:
            self.has_snapshot = True
            self.version += 1
        self.updated_at = later(time, self.updated_at)
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
        self.pushes += 1
        for execution in order.executions:
            if self.compared.waiting:
                self.compared.pushed("fill", execution.execution_id, of_fill(execution))
            self.add_fill(Fill(order.order_id, execution))
        if self.supersedes(order):
            self.compared.pushed("order", order.order_id, of_order(order), nothing=not order.working)
            if self.put_order(order):
                self.order_pushed[order.order_id] = self.pushes
        return self.version != before

    def supersedes(self, order: Order) -> bool:
        """Return whether an order's state is no older than the one held.

        Of two states of one moment, the one that is further is the later: more was filled, or it has ended.
        """
        held = self.orders.get(order.order_id)
        if held is None:
            return True
        if older(order.updated_at, held.updated_at):
            return False
        if older(held.updated_at, order.updated_at):
            return True
        if held.status in TERMINAL_STATUSES and order.status not in TERMINAL_STATUSES:
            return False
        timed = order.updated_at is not None and held.updated_at is not None
        return not timed or (order.executed_quantity or 0) >= (held.executed_quantity or 0)

    def working_orders(self) -> list[Order]:
        """Return the orders that can still fill, oldest first as they were first seen."""
        return [order for order in self.orders.values() if order.working]

    # --- changes over time

    def session_change(self, key: str) -> Decimal | None:
        """Return a balance's total minus the first one known, None while either is unknown.

        An asset that appears in an account that was held whole began with nothing.
        """
        return self._change(key, self.starts.session.get(key))

    def day_change(self, key: str) -> Decimal | None:
        """Return a balance's total minus what it was at the last midnight UTC, None while either is unknown.

        It is known where the account was held whole and followed at midnight; an asset that it did not have
        then began with nothing.
        """
        return self._change(key, self.starts.of_day(key))

    def roll_day(self, now: Nanoseconds) -> None:
        """Note the time; to be called about once a second, and before anything is applied."""
        self.starts.roll(now, self._totals, current=self.current)

    def lose(self, since: Nanoseconds) -> None:
        """Note that changes after ``since`` may be missing; what was compared later is not in doubt."""
        self.followed = False
        self.starts.lost(max(since, self.agreed_at or 0))

    def settle(self, now: Nanoseconds) -> bool:
        """Take the differences for certain that no push has explained, and say whether there are any.

        Not while the account is not followed: what is on its way may be recovered.
        """
        if not self.followed:
            return False
        confirmed = self.compared.settle(now)
        for kind, key, since in confirmed:
            if kind == "balance":
                self.starts.doubt(key, since)
        if confirmed:
            self.version += 1
        return bool(confirmed)

    def _change(self, key: str, start: Decimal | None) -> Decimal | None:
        held = self.balances.get(key)
        if held is None or held.total is None or start is None:
            return None
        return exact.subtract(held.total, start)

    # --- what is held

    def put_balance(self, balance: Balance, time: Nanoseconds | None, now: Nanoseconds) -> None:
        """Hold a balance; ``time`` is the change's, as far as it is known."""
        key = balance.key
        held = self.balances.get(key)
        if not self.balance_entries.put(balance, time):
            return
        appeared = held is None and self.has_snapshot and not self.balance_entries.dropped
        before = None if held is None else held.total
        self.starts.taken(key, balance.total, before, time, now, appeared=appeared)
        if held is None or amounts(held) != amounts(balance):
            self.changed_at[key] = now
        self.version += 1

    def drop_balance(self, key: str) -> None:
        """Let a balance go that the account does not have any more."""
        self.balance_entries.drop(key)
        del self.changed_at[key]
        self.version += 1

    def put_position(self, position: Position, time: Nanoseconds | None) -> None:
        """Hold a position."""
        self.position_entries.put(position, time)
        self.version += 1

    def drop_position(self, key: str) -> None:
        """Let a position go that the account does not have any more."""
        self.position_entries.drop(key)
        self.version += 1

    def put_summary(self, summary: Summary, time: Nanoseconds | None) -> None:
        """Hold a summary."""
        self.summary = summary
        self.summary_time = later(time, self.summary_time)
        self.version += 1

    def put_order(self, order: Order) -> bool:
        """Hold an order, and say whether there was room."""
        if order.order_id not in self.orders and len(self.orders) >= MAXIMUM_ORDERS:
            self._refused_orders += 1
            return False
        self.orders[order.order_id] = order
        if order.working:
            self._finished.pop(order.order_id, None)
        else:
            self._finished[order.order_id] = None
            if len(self._finished) > MAXIMUM_FINISHED:
                oldest = next(iter(self._finished))
                del self._finished[oldest], self.orders[oldest]
                self.order_pushed.pop(oldest, None)
        self.version += 1
        return order.order_id in self.orders

    def add_fill(self, fill: Fill) -> bool:
        """Keep a fill, once, and say whether it was not known."""
        added = self._fills.add(fill)
        self.version += added
        return added

    def aligned(self, balances: tuple[Balance, ...]) -> list[Balance]:
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

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        self.balance_entries.check()
        self.position_entries.check()
        self._fills.check()
        finished = {key for key, order in self.orders.items() if not order.working}
        assert finished == set(self._finished), "the orders that ended are known"
        assert set(self.order_pushed) <= set(self.orders), "no push without its order"
        assert set(self.changed_at) == set(self.balances), "every balance says when it changed"

    def _totals(self) -> dict[str, Decimal | None]:
        return {key: balance.total for key, balance in self.balances.items()}

    def _push_balances(
        self, balances: list[Balance], time: Nanoseconds | None, now: Nanoseconds, *, whole: bool
    ) -> None:
        taken, gone = self.balance_entries.push(balances, time, self.pushes, whole=whole)
        if whole and self.compared.waiting:
            self.compared.pushed_whole("balance", {balance.key for balance in balances})
        for key in gone:
            self._doubt(self.balance_entries, key, time, now)
            self.drop_balance(key)
        for balance in taken:
            key, entry_time = balance.key, later(time, balance.updated_at)
            held = self.balances.get(key)
            if key in self.balance_entries.answered:
                content = of_balance(balance)
                if held is None or differing(of_balance(held), content):
                    self._doubt(self.balance_entries, key, entry_time, now)
                self.compared.pushed("balance", key, content, nothing=is_nothing(balance))
            self.put_balance(completed_balance(balance, held), entry_time, now)

    def _push_positions(
        self, positions: tuple[Position, ...], time: Nanoseconds | None, now: Nanoseconds, *, whole: bool
    ) -> None:
        taken, gone = self.position_entries.push(positions, time, self.pushes, whole=whole)
        if whole and self.compared.waiting:
            self.compared.pushed_whole("position", {position.position_id for position in positions})
        for key in gone:
            self._doubt(self.position_entries, key, time, now)
            self.drop_position(key)
        for position in taken:
            key, entry_time = position.position_id, later(time, position.updated_at)
            held = self.positions.get(key)
            if key in self.position_entries.answered:
                content = of_position(position)
                if held is None or differing(of_position(held), content):
                    self._doubt(self.position_entries, key, entry_time, now)
                self.compared.pushed("position", key, content, nothing=is_nothing(position))
            self.put_position(completed_position(position, held), entry_time)

    def _doubt(self, entries: Entries[Entry], key: str, time: Nanoseconds | None, now: Nanoseconds) -> None:
        """Note that a push changes an entry: where an answer just told otherwise, one of both may be old."""
        at = entries.answered.get(key)
        if at is None or not 0 <= now - at < GRACE_NS:
            return
        held = entries.held.get(key)
        own = entries.times.get(key) if held is None else held.updated_at
        if not older(own, time) or not older(entries.times.get(key), time):
            self.doubtful = True

    def _rename(self, key: str, new_key: str) -> None:
        self.balance_entries.rename(key, replace(self.balances[key], key=new_key))
        self.changed_at[new_key] = self.changed_at.pop(key)
        self.starts.rename(key, new_key)
