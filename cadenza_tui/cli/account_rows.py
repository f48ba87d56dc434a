"""What ``balances``, ``positions`` and ``orders`` print: which rows, what they are worth, and their JSON.

Decimals are strings, digit for digit as the feed has them; times are integer ms since the epoch; what is not
known is null.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cadenza_tui.cli.events import balance_object, decimal_text, order_object, position_object
from cadenza_tui.market import valuation
from cadenza_tui.market.valuation import Total, Valuation, path_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Balance, Nanoseconds, Order, Position
    from cadenza_tui.market.state import Market

_AMOUNTS = ("total", "free", "locked", "borrowed", "frozen", "net", "interest_owed")
_OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class Shown:
    """The market at one moment; ``everything`` shows zero balances, closed positions and ended orders."""

    market: Market
    now: Nanoseconds
    everything: bool = False
    currency: str = ""
    _worths: dict[tuple[str, str], Valuation] = field(default_factory=dict)

    def balances(self, account: Account) -> list[Balance]:
        """Return the balances to show, by asset."""
        rows = (row for row in account.balances.values() if self.everything or not _is_zero(row))
        return sorted(rows, key=lambda row: (row.asset, row.key))

    def positions(self, account: Account) -> list[Position]:
        """Return the positions to show, by instrument."""
        rows = (row for row in account.positions.values() if self.everything or row.status == _OPEN)
        return sorted(rows, key=lambda row: (row.instrument_id, row.asset, row.position_id))

    def orders(self, account: Account) -> list[Order]:
        """Return the orders to show, the oldest first."""
        rows = (row for row in account.orders.values() if self.everything or row.working)
        return sorted(rows, key=lambda row: (row.created_at or row.updated_at or 0, row.order_id))

    def worth(self, account: Account, row: Balance) -> Valuation:
        """Return what a balance's total is worth in the currency."""
        key = (account.account_id, row.key)
        found = self._worths.get(key)
        if found is None:
            found = self._worths[key] = self._worth(account, row)
        return found

    def _worth(self, account: Account, row: Balance) -> Valuation:
        if row.total is None:
            return Valuation(None, reason=f"the total of {row.asset} is not known")
        if not row.total:
            return Valuation(Decimal(0))
        venue = account.account.venue if account.account is not None else ""
        return valuation.value(row.asset, row.total, self.currency, self.market, now=self.now, venue=venue)

    def total(self, accounts: Iterable[Account]) -> Total:
        """Return what all balances to show are worth together."""
        return valuation.total(
            (row.asset, self.worth(account, row)) for account in accounts for row in self.balances(account)
        )

    # --- for programs

    def balance_objects(self, account: Account) -> list[dict[str, Any]]:
        """Return the objects of an account's balances."""
        return [
            balance_object(row) | (self._worth_object(account, row) if self.currency else {})
            for row in self.balances(account)
        ]

    def _worth_object(self, account: Account, row: Balance) -> dict[str, Any]:
        worth = self.worth(account, row)
        return {
            "value": decimal_text(worth.value),
            "value_stale": worth.stale,
            "value_path": path_text(worth),
            "value_reason": worth.reason,
            "value_legs": [
                {
                    "instrument": leg.instrument_id,
                    "inverse": leg.inverse,
                    "price": decimal_text(leg.price),
                    "stale": leg.stale,
                }
                for leg in worth.legs
            ],
        }

    def total_object(self, accounts: Iterable[Account]) -> dict[str, Any]:
        """Return the object of the total in the currency."""
        worth = self.total(accounts)
        return {
            "currency": self.currency,
            "value": decimal_text(worth.value),
            "stale": worth.stale,
            "missing": list(worth.missing),
        }

    def position_objects(self, account: Account) -> list[dict[str, Any]]:
        """Return the objects of an account's positions."""
        return [position_object(row) for row in self.positions(account)]

    def order_objects(self, account: Account) -> list[dict[str, Any]]:
        """Return the objects of an account's orders; ``children`` are the ids of those it brings to life."""
        children: dict[str, list[str]] = {}
        rows = self.orders(account)
        for row in rows:
            if row.parent_id:
                children.setdefault(row.parent_id, []).append(row.order_id)
        return [order_object(row) | {"children": children.get(row.order_id, [])} for row in rows]


def _is_zero(row: Balance) -> bool:
    """Whether every amount that is known is zero, and at least one is: what is unknown may be anything."""
    known = [amount for name in _AMOUNTS if (amount := getattr(row, name)) is not None]
    return bool(known) and not any(known)
