"""Where a query's answer differed from what the pushes gave, and no push was on its way that explains it."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cadenza_tui.market.records import Position
from cadenza_tui.market.times import SECOND

if TYPE_CHECKING:
    from cadenza_tui.market.records import Balance, Execution, Nanoseconds, Order, Summary

GRACE_NS = 5 * SECOND
"""A push that brings the same this long after the answer was only slower: that is no difference."""
MAXIMUM_DIFFERENCES = 100
MAXIMUM_PENDING = 1_000
MISSING = "—"

Value: TypeAlias = Decimal | str | None
Content: TypeAlias = dict[str, Value]
"""What is compared of an entry, by the name of the field. None is unknown, and equal to anything."""


class Difference(NamedTuple):
    """One entry that a query gave otherwise than the pushes had, by the first field in which it did.

    ``held`` and ``queried`` are texts, ``MISSING`` where there was none.
    """

    at: Nanoseconds
    what: str
    field: str
    held: str
    queried: str


class _Pending(NamedTuple):
    content: Content | None
    difference: Difference
    since: Nanoseconds


def of_balance(balance: Balance) -> Content:
    """Return what pushes and queries must agree upon."""
    return {
        "total": balance.total,
        "free": balance.free,
        "locked": balance.locked,
        "frozen": balance.frozen,
        "borrowed": balance.borrowed,
        "net": balance.net,
    }


def of_position(position: Position) -> Content:
    """Return what pushes and queries must agree upon: not the mark, nor what follows from it."""
    return {
        "side": position.position_side or None,
        "quantity": position.quantity,
        "entry": position.entry_price,
        "realised": position.realized_pnl,
        "status": position.status or None,
    }


def of_order(order: Order) -> Content:
    """Return what pushes and queries must agree upon."""
    return {
        "status": order.status,
        "filled": order.executed_quantity,
        "quantity": order.quantity,
        "limit": order.limit_price,
        "stop": order.stop_price,
    }


def of_fill(execution: Execution) -> Content:
    """Return what pushes and queries must agree upon."""
    return {"quantity": execution.quantity, "price": execution.price}


def of_summary(summary: Summary) -> Content:
    """Return what pushes and queries must agree upon: nothing that moves with the market."""
    return {
        "currency": summary.currency or None,
        "leverage": summary.leverage,
        "credit": summary.credit,
    }


def is_nothing(entry: Balance | Position) -> bool:
    """Return whether an entry says the same as its absence: no amounts, or a position that was closed."""
    if isinstance(entry, Position):
        return entry.status == "CLOSED" or not entry.quantity
    return not any(of_balance(entry).values())


def differing(held: Content, queried: Content) -> str:
    """Return the first field in which both are known and differ, "" for none."""
    for field, value in held.items():
        other = queried.get(field)
        if value is not None and other is not None and value != other:
            return field
    return ""


class Differences:
    """The differences of one account, newest first, and those that may yet turn out to be none; bounded."""

    def __init__(self) -> None:
        self.found: deque[Difference] = deque(maxlen=MAXIMUM_DIFFERENCES)
        self.count = 0
        self._pending: dict[tuple[str, str], _Pending] = {}

    @property
    def waiting(self) -> bool:
        """Whether any may yet turn out to be none."""
        return bool(self._pending)

    def expect(
        self,
        kind: str,
        key: str,
        what: str,
        *,
        held: Content | None,
        queried: Content | None,
        now: Nanoseconds,
        since: Nanoseconds = 0,
    ) -> None:
        """Note that a query gave ``queried`` where ``held`` was; None is a missing entry.

        ``since`` is when both were last the same, as far as anybody knows.
        """
        if held is not None and queried is not None:
            field = differing(held, queried)
        else:
            field = next(iter(held or queried or {"": None}))
        text = _text(held, field)
        before = self._pending.get((kind, key))
        if before is not None and before.difference.field == field:
            text = before.difference.held
        difference = Difference(now, what, field, text, _text(queried, field))
        if before is not None or len(self._pending) < MAXIMUM_PENDING:
            self._pending[kind, key] = _Pending(
                queried, difference, since if before is None else before.since
            )
        else:
            self._confirm(difference)

    def pushed(self, kind: str, key: str, content: Content | None, *, nothing: bool = False) -> None:
        """Note that a push gave ``content``: where a query gave the same before, it was only faster.

        With ``nothing`` it says the same as a missing entry, which None is.
        """
        pending = self._pending.get((kind, key))
        if pending is None:
            return
        if pending.content is None:
            same = content is None or nothing
        else:
            same = content is not None and not differing(pending.content, content)
        if same:
            del self._pending[kind, key]

    def pushed_whole(self, kind: str, named: set[str]) -> None:
        """Note that a push gave all entries of a kind."""
        for each, key in list(self._pending):
            if each == kind and key not in named:
                self.pushed(kind, key, None)

    def forget(self) -> None:
        """Let go what is not certain: pushes are known to be lost, theirs may be among them."""
        self._pending.clear()

    def settle(self, now: Nanoseconds) -> list[tuple[str, str, Nanoseconds]]:
        """Take for certain what no push has explained in time; return kind, key and ``since`` of each."""
        confirmed = []
        for (kind, key), pending in list(self._pending.items()):
            if not 0 <= now - pending.difference.at < GRACE_NS:
                del self._pending[kind, key]
                self._confirm(pending.difference)
                confirmed.append((kind, key, pending.since))
        return confirmed

    def _confirm(self, difference: Difference) -> None:
        self.found.appendleft(difference)
        self.count += 1


def _text(content: Content | None, field: str) -> str:
    value = None if content is None else content.get(field)
    if value is None:
        return MISSING
    return f"{value:f}" if isinstance(value, Decimal) else value
