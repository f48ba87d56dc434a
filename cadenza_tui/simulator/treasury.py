"""Between the accounts: transfers now and then, frozen before they go; and interest on what was borrowed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

from .accounts import DECIMALS
from .numbers import SECOND

if TYPE_CHECKING:
    from .accounts import Account

ROUND_NS = 15 * SECOND
ROUNDS_A_YEAR = 365 * 86_400 // 15
YEARLY_PERCENT = 8
ACCRUES_EVERY = 4
SHARE = 0.2
"""Of the rounds in which nothing is on its way, those that begin a transfer."""
ROUTES = (
    ("desk-1", "desk-2", "USDT", 4_000),
    ("desk-2", "desk-1", "USDT", 4_000),
    ("desk-2", "desk-1", "SOL", 20),
    ("desk-1", "desk-2", "SOL", 20),
    ("desk-2", "desk-3", "USDT", 50),
    ("desk-3", "desk-2", "USDT", 50),
)
"""From, to, asset and the most that goes at once."""


class _Transfer(NamedTuple):
    source: Account
    target: Account
    asset: str
    amount: int


class Treasury:
    """Moves what the accounts hold between them; what one gives the other gets."""

    def __init__(self, seed: int, accounts: dict[str, Account]) -> None:
        self._accounts = accounts
        self._random = Random(f"{seed}/treasury")
        self._rounds = 0
        self._moving: _Transfer | None = None

    def round(self, now_ns: int) -> None:
        """Let one round pass: the accounts know what changed of them."""
        self._rounds += 1
        if not self._rounds % ACCRUES_EVERY:
            self._accrue(now_ns)
        moving, self._moving = self._moving, None
        if moving is not None:
            moving.source.transfer(moving.asset, -moving.amount, now_ns)
            moving.target.transfer(moving.asset, moving.amount, now_ns)
        elif self._random.random() < SHARE:
            self._begin(now_ns)

    def _begin(self, now_ns: int) -> None:
        source, target, asset, most = self._random.choice(ROUTES)
        amount = int(most * (0.1 + 0.9 * self._random.random()) * 100) * 10 ** (DECIMALS - 2)
        if self._accounts[source].balance(asset).free > 2 * amount:
            self._accounts[source].freeze(asset, amount, now_ns)
            self._moving = _Transfer(self._accounts[source], self._accounts[target], asset, amount)

    def _accrue(self, now_ns: int) -> None:
        for account in self._accounts.values():
            for asset, held in account.balances.items():
                if held.borrowed:
                    yearly = held.borrowed * YEARLY_PERCENT // 100
                    account.accrue(asset, yearly * ACCRUES_EVERY // ROUNDS_A_YEAR, now_ns)
