"""What the answer to a query does to an account that pushes are changing meanwhile.

An entry's own time decides, where both have one: an older answer is passed over, a newer one is taken, though
its push may still be on its way. Where times do not decide, a push that came after the question was asked
wins, else the query does. What the query gave otherwise than the pushes had is a difference unless a push
brings the same within ``differences.GRACE_NS``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from cadenza_tui.market import differences
from cadenza_tui.market.accounts import TERMINAL_STATUSES, Account
from cadenza_tui.market.fills import Fill
from cadenza_tui.market.records import UpdateMode
from cadenza_tui.market.times import later, older

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cadenza_tui.market.differences import Content
    from cadenza_tui.market.entries import Entries, Entry
    from cadenza_tui.market.records import Balance, Nanoseconds, Order, Portfolio, Position

UNKNOWN_STATUS = "UNKNOWN"
NOT_LISTED = "not listed any more"


class Question(NamedTuple):
    """When an account was asked about.

    ``pushes`` counts those that had come. ``current``: nothing was known to be missing, so that whatever the
    answer has otherwise is a difference.
    """

    at: Nanoseconds
    pushes: int
    current: bool


class _Age(Enum):
    OLDER = "older"
    NEWER = "newer"
    UNKNOWN = "unknown"


def ask(account: Account, now: Nanoseconds) -> Question:
    """Return the question whose answer is given to one of the functions below: the portfolio's first."""
    return Question(now, account.pushes, account.current)


def answer_portfolio(account: Account, answer: Portfolio, question: Question, now: Nanoseconds) -> bool:
    """Take what a portfolio query gave, and say whether anything changed."""
    before = account.version
    account.doubtful = False
    account.roll_day(now)
    whole = answer.mode is UpdateMode.SNAPSHOT
    told = _Answer(account, question, answer.updated_at, now, whole=whole)
    if answer.balances is not None:
        told.balances(account.aligned(answer.balances))
    if answer.positions is not None:
        told.positions(answer.positions)
    told.summary(answer)
    if answer.account is not None:
        account.apply_account(answer.account, now)
    if whole and not account.has_snapshot:
        account.has_snapshot = True
        account.version += 1
    account.agreed_at = question.at
    account.updated_at = later(answer.updated_at, account.updated_at)
    account.received_at = now
    return account.version != before


def answer_orders(account: Account, orders: Sequence[Order], question: Question, now: Nanoseconds) -> bool:
    """Take the orders that queries listed, all that work among them, and say whether anything changed.

    An order that worked and is not listed ended while nobody looked: nothing tells how, so its status is
    unknown. Executions are facts, from whatever they are told by.
    """
    before = account.version
    told = _Answer(account, question, None, now, whole=True)
    newest = None
    for order in orders:
        newest = later(order.updated_at, newest)
        told.order(order)
    told.unlisted({order.order_id for order in orders}, newest)
    account.listed_until = later(newest, account.listed_until) or 0
    account.received_at = now
    return account.version != before


class _Answer:
    """One answer being taken; ``time`` is the message's."""

    def __init__(
        self,
        account: Account,
        question: Question,
        time: Nanoseconds | None,
        now: Nanoseconds,
        *,
        whole: bool,
    ) -> None:
        self._account = account
        self._question = question
        self._time = time
        self._now = now
        self._whole = whole
        if not question.current:
            account.compared.forget()

    def balances(self, balances: Sequence[Balance]) -> None:
        account = self._account

        def put(balance: Balance) -> None:
            held = account.balances.get(balance.key)
            time = later(balance.updated_at, account.balance_entries.times.get(balance.key))
            if held is None or balance != held:
                account.put_balance(balance, time if balance.updated_at is not None else None, self._now)

        self._entries(
            "balance",
            account.balance_entries,
            balances,
            content=differences.of_balance,
            name=lambda balance: f"balance {balance.asset}",
            put=put,
            drop=account.drop_balance,
        )

    def positions(self, positions: Sequence[Position]) -> None:
        account = self._account

        def put(position: Position) -> None:
            held = account.positions.get(position.position_id)
            if held is None or position != held:
                account.put_position(position, position.updated_at)

        self._entries(
            "position",
            account.position_entries,
            positions,
            content=differences.of_position,
            name=lambda position: f"position {position.instrument_id or position.position_id}",
            put=put,
            drop=account.drop_position,
        )

    def _entries(
        self,
        kind: str,
        entries: Entries[Entry],
        answered: Iterable[Entry],
        *,
        content: Callable[[Entry], Content],
        name: Callable[[Entry], str],
        put: Callable[[Entry], None],
        drop: Callable[[str], None],
    ) -> None:
        account, asked_after = self._account, self._question.pushes
        listed: set[str] = set()
        since = self._now - differences.GRACE_NS
        entries.answered = {key: at for key, at in entries.answered.items() if at > since}
        for entry in answered:
            key = entries.key_of(entry)
            listed.add(key)
            held = entries.held.get(key)
            if held is None:
                if older(later(self._time, entry.updated_at), entries.whole_time):
                    continue
                if entries.whole_pushed > asked_after:
                    account.doubtful = True  # gone since, or come since
                    continue
                if not differences.is_nothing(entry):
                    self._expect(kind, key, name(entry), None, content(entry))
                put(entry)
                entries.answered[key] = self._now
                continue
            age = _age(entry.updated_at, self._time, held.updated_at, entries.times.get(key))
            if age is _Age.OLDER:
                continue
            differs = bool(differences.differing(content(held), content(entry)))
            if age is _Age.UNKNOWN and entries.pushed.get(key, 0) > asked_after:
                account.doubtful |= differs
                continue
            if differs:
                self._expect(kind, key, name(entry), content(held), content(entry))
            put(entry)
            entries.answered[key] = self._now
        if not self._whole:
            return
        for key, held in list(entries.held.items()):
            if key in listed or older(self._time, entries.times.get(key)):
                continue
            if entries.pushed.get(key, 0) > asked_after:
                account.doubtful |= not differences.is_nothing(held)
                continue
            if not differences.is_nothing(held):
                self._expect(kind, key, name(held), content(held), None)
            drop(key)
            entries.answered[key] = self._now
        if not older(self._time, entries.whole_time):
            entries.whole_time = later(self._time, entries.whole_time)

    def summary(self, answer: Portfolio) -> None:
        account, fresh = self._account, answer.summary
        if fresh is None or older(self._time, account.summary_time):
            return
        held = account.summary
        if held is not None:
            if account.summary_pushed > self._question.pushes and not older(account.summary_time, self._time):
                return
            before, after = differences.of_summary(held), differences.of_summary(fresh)
            if differences.differing(before, after):
                self._expect("summary", "", "summary", before, after)
        if fresh != held:
            account.put_summary(fresh, None)

    def order(self, order: Order) -> None:
        account = self._account
        held = account.orders.get(order.order_id)
        for execution in order.executions:
            fresh = account.add_fill(Fill(order.order_id, execution))
            if fresh and self._since_listed(execution.executed_at):
                name = f"fill {execution.execution_id}"
                self._expect("fill", execution.execution_id, name, None, differences.of_fill(execution))
        name = f"order {order.order_id}"
        after = differences.of_order(order)
        if held is None:
            if order.working or self._since_listed(order.updated_at):
                self._expect("order", order.order_id, name, None, after)
            account.put_order(order)
            return
        if held == order or not account.supersedes(order):
            return
        before = differences.of_order(held)
        differs = bool(differences.differing(before, after))
        newer = older(held.updated_at, order.updated_at)
        if account.order_pushed.get(order.order_id, 0) > self._question.pushes and not newer:
            ended = order.status in TERMINAL_STATUSES and held.working
            if not ended:
                account.doubtful |= differs
                return
        if differs:
            self._expect("order", order.order_id, name, before, after)
        account.put_order(order)

    def unlisted(self, listed: set[str], newest: Nanoseconds | None) -> None:
        """End the working orders that are not listed; where the list may be old, only the second time."""
        account, unlisted = self._account, {}
        for held in account.working_orders():
            if held.order_id in listed:
                continue
            if account.order_pushed.get(held.order_id, 0) > self._question.pushes:
                continue
            stale = newest is None or older(newest, held.updated_at)
            if stale and held.updated_at is not None and account.unlisted.get(held.order_id) is not held:
                unlisted[held.order_id] = held
                account.doubtful = True
                continue
            name = f"order {held.order_id}"
            self._expect("order", held.order_id, name, differences.of_order(held), None)
            account.put_order(replace(held, status=UNKNOWN_STATUS, reason=NOT_LISTED))
        account.unlisted = unlisted

    def _since_listed(self, time: Nanoseconds | None) -> bool:
        """Return whether something is from after the last list, or nobody can tell."""
        until = self._account.listed_until
        return until is not None and (time is None or older(until, time))

    def _expect(self, kind: str, key: str, what: str, held: Content | None, queried: Content | None) -> None:
        account = self._account
        known = account.listed_until is not None if kind in {"order", "fill"} else account.has_snapshot
        if self._question.current and known:
            since = account.agreed_at or 0
            account.compared.expect(kind, key, what, held=held, queried=queried, now=self._now, since=since)


def _age(
    own: Nanoseconds | None,
    message: Nanoseconds | None,
    held_own: Nanoseconds | None,
    held: Nanoseconds | None,
) -> _Age:
    """Return how old an answer's entry is beside the one that is held.

    A message's time may be but the moment of sending: it tells that an answer is old, never that it is new.
    """
    if own is not None and held_own is not None:
        if older(own, held_own):
            return _Age.OLDER
        if older(held_own, own):
            return _Age.NEWER
    return _Age.OLDER if older(later(message, own), held) else _Age.UNKNOWN
