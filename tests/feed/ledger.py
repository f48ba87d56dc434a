"""A venue's own books of one account in plain integers, and what it says of them on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ACCOUNT = "desk"
CHANNEL = f"tradingAccount:{ACCOUNT}"
BEGIN = 1_723_161_300_000_000_000
QUOTE = "USDT"
PRICES = {"BTC": 61_837, "ETH": 2_514, "SOL": 141}
MILLISECOND = 1_000_000
SHAPES = ("milliseconds", "rfc3339")
TIMES = ("both", "message", "none")


def text(amount: int) -> str:
    """Return an amount of 10^-8 as a decimal."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{amount // 10**8}.{amount % 10**8:08d}"


@dataclass
class Held:
    """One asset, in 10^-8."""

    total: int = 0
    locked: int = 0
    frozen: int = 0
    borrowed: int = 0
    at: int = BEGIN

    @property
    def amounts(self) -> dict[str, int]:
        free = self.total - self.locked - self.frozen
        return {
            "total": self.total,
            "free": free,
            "locked": self.locked,
            "borrowed": self.borrowed,
            "net": self.total - self.borrowed,
        }

    @property
    def nothing(self) -> bool:
        return not any((self.total, self.locked, self.frozen, self.borrowed))


@dataclass
class Placed:
    """One order: buys so much of a base for the quote."""

    name: str
    base: str
    quantity: int
    at: int
    status: str = "ACCEPTED"
    fills: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, quantity and time."""

    @property
    def filled(self) -> int:
        return sum(quantity for _, quantity, _ in self.fills)

    @property
    def working(self) -> bool:
        return self.status in {"ACCEPTED", "PARTIALLY_FILLED"}


@dataclass
class Ledger:
    """The truth. Each event returns the bodies that a venue publishes of it."""

    shape: str
    times: str
    now: int = BEGIN
    held: dict[str, Held] = field(default_factory=dict)
    orders: dict[str, Placed] = field(default_factory=dict)
    contracts: dict[str, int] = field(default_factory=dict)
    """Positions by base: contracts, below zero for short."""
    contract_times: dict[str, int] = field(default_factory=dict)

    # --- events

    def transfer(self, asset: str, amount: int) -> list[dict[str, Any]]:
        held = self._touch(asset)
        free = held.amounts["free"]
        held.total += max(amount, -free)
        return [self.delta(asset)]

    def withdraw_all(self, asset: str) -> list[dict[str, Any]]:
        return self.transfer(asset, -(10**30))

    def freeze(self, asset: str, amount: int) -> list[dict[str, Any]]:
        held = self._touch(asset)
        held.frozen = min(amount, held.frozen + held.amounts["free"])
        return [self.delta(asset)]

    def borrow(self, asset: str, amount: int) -> list[dict[str, Any]]:
        held = self._touch(asset)
        held.total += amount
        held.borrowed += amount
        return [self.delta(asset)]

    def place(self, base: str, quantity: int) -> list[dict[str, Any]]:
        quantity = min(quantity, max(0, self.held.get(QUOTE, Held()).amounts["free"]) // PRICES[base])
        if not quantity:
            return []
        placed = Placed(f"o{len(self.orders) + 1}", base, quantity, self.now)
        self.orders[placed.name] = placed
        self._touch(QUOTE).locked += PRICES[base] * quantity
        return [self.order(placed), self.delta(QUOTE)]

    def fill(self, number: int, quantity: int) -> list[dict[str, Any]]:
        placed = self._working(number)
        if placed is None:
            return []
        quantity = max(1, min(quantity, placed.quantity - placed.filled))
        placed.fills.append((f"{placed.name}-e{len(placed.fills) + 1}", quantity, self.now))
        placed.status = "FILLED" if placed.filled == placed.quantity else "PARTIALLY_FILLED"
        placed.at = self.now
        paid = PRICES[placed.base] * quantity
        quote = self._touch(QUOTE)
        quote.total -= paid
        quote.locked -= paid
        self._touch(placed.base).total += quantity
        return [self.order(placed), self.delta(QUOTE, placed.base)]

    def cancel(self, number: int) -> list[dict[str, Any]]:
        placed = self._working(number)
        if placed is None:
            return []
        placed.status, placed.at = "CANCELLED", self.now
        self._touch(QUOTE).locked -= PRICES[placed.base] * (placed.quantity - placed.filled)
        return [self.order(placed), self.delta(QUOTE)]

    def trade_contracts(self, base: str, contracts: int) -> list[dict[str, Any]]:
        self.contracts[base] = self.contracts.get(base, 0) + contracts
        self.contract_times[base] = self.now
        row = self._position(base)
        if not self.contracts[base]:
            del self.contracts[base]
            row["status"] = "CLOSED"
        return [{**self._message("DELTA"), "positions": [row]}]

    def whole(self) -> list[dict[str, Any]]:
        return [self.snapshot()]

    def seems(self, older: Ledger) -> bool:
        """Return whether a time in milliseconds fails to tell a change since ``older`` from before it."""
        changed = [held.at for asset, held in self.held.items() if held != older.held.get(asset)]
        changed += [placed.at for name, placed in self.orders.items() if placed != older.orders.get(name)]
        changed += [
            at
            for base, at in self.contract_times.items()
            if self.contracts.get(base) != older.contracts.get(base)
        ]
        return any(at // MILLISECOND <= older.now // MILLISECOND for at in changed)

    def _working(self, number: int) -> Placed | None:
        working = [placed for placed in self.orders.values() if placed.working]
        return working[number % len(working)] if working else None

    def _touch(self, asset: str) -> Held:
        held = self.held.setdefault(asset, Held())
        held.at = self.now
        return held

    # --- what is said of them

    def delta(self, *assets: str) -> dict[str, Any]:
        return {**self._message("DELTA"), "balances": [self._balance(asset) for asset in assets]}

    def snapshot(self) -> dict[str, Any]:
        """Return the whole portfolio: what was withdrawn and what was closed is not in it."""
        return {
            **self._message("SNAPSHOT"),
            "balances": [self._balance(asset) for asset, held in self.held.items() if not held.nothing],
            "positions": [self._position(base) for base in self.contracts],
        }

    def listed(self) -> list[dict[str, Any]]:
        """Return all orders, newest first."""
        return [self.order(placed) for placed in reversed(self.orders.values())]

    def order(self, placed: Placed) -> dict[str, Any]:
        said: dict[str, Any] = {
            "tradeOrderId": placed.name,
            "tradingAccountId": ACCOUNT,
            "instrumentId": f"V:{placed.base}/{QUOTE}",
            "orderSide": "BUY",
            "status": placed.status,
            "limitPrice": str(PRICES[placed.base]),
            "quantity": text(placed.quantity),
            "executedQuantity": text(placed.filled),
            "executions": [
                {
                    "executionId": name,
                    "executedQuantity": text(quantity),
                    "executedPrice": str(PRICES[placed.base]),
                    "executedAt": self.stamp(at),
                }
                for name, quantity, at in placed.fills
            ],
        }
        if self.times == "both":
            said["updatedAt"] = self.stamp(placed.at)
        return said

    def stamp(self, at: int) -> int | str:
        """Return a time in the ledger's shape."""
        if self.shape == "milliseconds":
            return at // MILLISECOND
        seconds, nanoseconds = divmod(at, 10**9)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"

    def _message(self, mode: str) -> dict[str, Any]:
        said: dict[str, Any] = {"tradingAccountId": ACCOUNT, "updateMode": mode}
        if self.times != "none":
            said["updatedAt"] = self.stamp(self.now)
        return said

    def _balance(self, asset: str) -> dict[str, Any]:
        held = self.held[asset]
        said: dict[str, Any] = {"securitySymbol": asset} | {
            name: text(amount) for name, amount in held.amounts.items()
        }
        if self.shape == "rfc3339":
            said["frozen"] = text(held.frozen)
        if self.times == "both":
            said["updatedAt"] = self.stamp(held.at)
        return said

    def _position(self, base: str) -> dict[str, Any]:
        contracts = self.contracts[base]
        said: dict[str, Any] = {
            "positionId": f"p-{base}",
            "instrumentId": f"V:{base}-PERP/{QUOTE}",
            "status": "OPEN",
            "positionSide": "SHORT" if contracts < 0 else "LONG",
            "quantity": str(abs(contracts)),
        }
        if self.times == "both":
            said["updatedAt"] = self.stamp(self.contract_times[base])
        return said


def enveloped(body: dict[str, Any], envelope: int) -> bytes:
    """Return a publication's payload in one of the three envelopes."""
    is_order = "tradeOrderId" in body
    if envelope == 0:
        event = "event.trade_order.updated" if is_order else "event.portfolio.updated"
        said: dict[str, Any] = {"metadata": {"eventType": event}, "data": body}
    elif envelope == 1:
        said = {"type": "orderUpdate", "order": body} if is_order else {"portfolio": body}
    else:
        said = {"data": body}
    return json.dumps(said).encode()
