"""A scripted server with accounts, and the commands that print them run as processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tests.doctor.rig import token
from tests.feed.scripted import Refused, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WITHIN_S = 40
LONGEST_LINE = 8_000_000


class Desk(ScriptedServer):
    """Has the accounts ``a`` and ``b``, some markets, and answers about others as the platform does."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {"a": "BINANCE", "b": "OKX"}
        self.balances: dict[str, list[dict[str, Any]]] = {
            "a": [balance("USDT", "1000.50"), balance("BTC", "0.50000000"), balance("DUST", "0.00")],
            "b": [balance("EUR", "20")],
        }
        self.positions: dict[str, list[dict[str, Any]]] = {"a": [], "b": []}
        self.orders: dict[str, list[dict[str, Any]]] = {"a": [], "b": []}
        self.summary: dict[str, str] | None = None
        self.denied: set[str] = set()
        self.age_s = 0
        """How old the tickers are."""
        self.prices = {"BINANCE:BTC/USDT": "60000.1", "OKX:EUR/USDT": "1.1"}
        self.rpc |= {
            "query.trading_account.list": lambda _: [
                {"tradingAccountId": name, "nickname": name.upper(), "venue": venue, "accountType": "SPOT"}
                for name, venue in self.accounts.items()
            ],
            "query.portfolio.get": lambda params: {
                "tradingAccountId": params["tradingAccountId"],
                "balances": self._of(self.balances, params),
                "positions": self._of(self.positions, params),
                "summary": self.summary,
                "updatedAt": int(time.time() * 1_000),
            },
            "query.trade_order.list": lambda params: self._of(self.orders, params),
            "query.instrument.list": lambda _: [listed(name) for name in self.prices],
            "query.ticker.list": lambda params: [
                {
                    "instrumentId": name,
                    "venue": name.partition(":")[0],
                    "symbol": name.partition(":")[2],
                    "lastPrice": self.prices[name],
                    "timestamp": int((time.time() - self.age_s) * 1_000),
                }
                for name in params["instrumentIds"]
            ],
        }

    def _of(self, rows: dict[str, list[dict[str, Any]]], params: dict[str, Any]) -> list[dict[str, Any]]:
        name = params["tradingAccountId"]
        if name in self.denied:
            raise Refused(103, "permission denied")
        if name not in self.accounts:
            raise Refused(100, f"no account {name}")
        return rows[name]

    async def push_balance(self, name: str, *rows: dict[str, Any]) -> None:
        """Publish a change of an account's balances."""
        await self.publish(
            f"tradingAccount:{name}",
            {
                "metadata": {"eventType": "event.portfolio.updated"},
                "data": {"tradingAccountId": name, "updateMode": "DELTA", "balances": list(rows)},
            },
        )


def listed(name: str) -> dict[str, Any]:
    """Return an instrument as the platform lists it."""
    venue, _, symbol = name.partition(":")
    base, _, quote = symbol.partition("/")
    return {
        "instrumentId": name, "venue": venue, "symbol": symbol, "baseAsset": base, "quoteAsset": quote,
        "instrumentType": "SPOT", "status": "ACTIVE",
    }  # fmt: skip


def balance(asset: str, total: str, **more: str) -> dict[str, Any]:
    """Return a balance of which all is free."""
    return {"securitySymbol": asset, "total": total, "free": total, "locked": "0", "borrowed": "0"} | more


def order(name: str, order_id: str, **more: Any) -> dict[str, Any]:
    """Return a working order."""
    return {
        "tradeOrderId": order_id, "tradingAccountId": name, "instrumentId": "BINANCE:BTC/USDT",
        "orderSide": "BUY", "orderType": "LIMIT", "timeInForce": "GTC", "status": "ACCEPTED",
        "limitPrice": "59000.10", "quantity": "2.50", "executedQuantity": "0.25",
        "createdAt": int(time.time() * 1_000),
    } | more  # fmt: skip


def environment() -> dict[str, str]:
    """Return the environment of a process: a good token, and nothing of this machine's."""
    given = {key: value for key, value in os.environ.items() if not key.startswith("CADENZA")}
    given |= {"CADENZA_CONFIG": os.devnull, "PYTHONIOENCODING": "utf-8"}
    return given | {"CADENZA_TOKEN": token(exp=time.time() + 3_600)}


async def started(url: str | None, *words: str, **more: str) -> Process:
    """Start the program with an environment of its own."""
    if url is not None:
        words = (*words, "--url", url)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cadenza_tui", *words,
        stdin=DEVNULL, stdout=PIPE, stderr=PIPE, limit=LONGEST_LINE, env=environment() | more,
    )  # fmt: skip


async def run(url: str | None, *words: str, **more: str) -> tuple[int | None, str, str]:
    """Run the program to its end and return its code and what it said."""
    process = await started(url, *words, **more)
    async with asyncio.timeout(WITHIN_S):
        out, err = await process.communicate()
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def watching(url: str, *words: str, **more: str) -> AsyncIterator[Process]:
    """Run the program with ``--watch``; kill it if it is left running."""
    process = await started(url, *words, "--watch", **more)
    try:
        async with asyncio.timeout(WITHIN_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    """Return the next line of what a process prints."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip("\n")


async def said(process: Process) -> str:
    """Return the next line of a process's stderr."""
    assert process.stderr is not None
    return (await process.stderr.readline()).decode().rstrip("\n")


# --- the shapes that README promises, decoded strictly


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Missing(_Strict):
    what: str
    account: str
    reason: str
    remedy: str


class Leg(_Strict):
    instrument: str
    inverse: bool
    price: Decimal
    stale: bool


class BalanceTold(_Strict):
    asset: str
    total: str | None
    free: str | None
    locked: str | None
    borrowed: str | None
    frozen: str | None
    net: str | None
    interest_owed: str | None
    updated_at: int | None
    value: str | None = None
    value_stale: bool = False
    value_path: str = ""
    value_reason: str = ""
    value_legs: tuple[Leg, ...] = ()


class PositionTold(_Strict):
    position_id: str
    instrument: str
    asset: str
    status: str
    side: str
    quantity: str | None
    entry_price: str | None
    current_price: str | None
    unrealized_pnl: str | None
    realized_pnl: str | None
    margin: str | None
    leverage: str | None
    roe_percent: str | None
    created_at: int | None
    updated_at: int | None


class OrderTold(_Strict):
    order_id: str
    client_order_id: str
    parent_id: str
    list_id: str
    children: list[str]
    venue: str
    instrument: str
    side: str | None
    type: str
    time_in_force: str
    status: str
    limit_price: str | None
    stop_price: str | None
    quantity: str | None
    executed_quantity: str | None
    executed_price: str | None
    executed_cost: str | None
    reason: str
    created_at: int | None
    updated_at: int | None
    expire_at: int | None


class SummaryTold(_Strict):
    currency: str
    leverage: str | None
    equity: str | None
    margin: str | None
    margin_loan: str | None
    margin_usage: str | None
    margin_requirement: str | None
    margin_level: str | None
    credit: str | None
    risk_exposure: str | None
    max_risk_exposure: str | None
    risk_exposure_rate: str | None


class AccountTold(_Strict):
    account: str
    nickname: str
    venue: str
    type: str
    state: str
    reason: str
    balances: list[BalanceTold] | None = None
    positions: list[PositionTold] | None = None
    orders: list[OrderTold] | None = None
    summary: SummaryTold | None = None


class TotalTold(_Strict):
    currency: str
    value: str | None
    stale: bool
    missing: list[str]


class Told(_Strict):
    time: int
    state: str
    complete: bool
    missing: list[Missing]
    accounts: list[AccountTold]
    total: TotalTold | None = None


def told(text: str) -> Told:
    """Decode a line of JSON; the part that was asked for stands in every account."""
    parts = {"balances", "positions", "orders"}
    for account in json.loads(text)["accounts"]:
        assert len(parts & set(account)) == 1
    return msgspec.json.decode(text, type=Told)
