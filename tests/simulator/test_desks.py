"""The two accounts at work in the exchange, told from what is published."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from functools import cache
from typing import Any

from cadenza_tui.simulator.accounts import text
from cadenza_tui.simulator.exchange import Exchange, Publication

from .invariants import check_book

START = 1_723_161_254_000_000_000
SECOND = 10**9
ACCOUNTS = ("desk-1", "desk-2")


@cache
def run() -> tuple[Exchange, dict[str, dict[str, Any]], list[Publication]]:
    """Run eight minutes of the exchange; return it, the portfolios it began with, and what it published."""
    one = Exchange(5, start_ns=START, rate=15.0)
    opening = {key: one.portfolio(one.accounts[key], rpc=False) for key in ACCOUNTS}
    quiet = (":orderBook:", ":ticker:", ":kline:")
    wanted = one.advance(START + 480 * SECOND, lambda name: not any(part in name for part in quiet))
    return one, opening, wanted


def events(account_id: str, kind: str) -> list[dict[str, Any]]:
    """Return the bodies of one account's events of a kind."""
    messages = [json.loads(data) for name, data in run()[2] if name == f"tradingAccount:{account_id}"]
    return [one["data"] for one in messages if one["metadata"]["eventType"] == kind]


def orders(account_id: str) -> dict[str, dict[str, Any]]:
    """Return the last state of each order that was published."""
    return {one["tradeOrderId"]: one for one in events(account_id, "event.trade_order.updated")}


def test_own_orders_rest_fill_in_parts_and_are_cancelled() -> None:
    """Every stage of an order's life is published for both accounts."""
    for account_id in ACCOUNTS:
        seen = Counter(one["status"] for one in events(account_id, "event.trade_order.updated"))
        assert seen.keys() >= {"ACCEPTED", "PARTIALLY_FILLED", "FILLED", "CANCELLED"}
        assert {one["orderType"] for one in orders(account_id).values()} == {"LIMIT", "MARKET"}


def test_balances_follow_from_the_executions() -> None:
    """Opening balances, executions and fees give every published total, to the last digit."""
    one, opening, _ = run()
    for account_id in ACCOUNTS:
        totals = {row["securitySymbol"]: Decimal(row["total"]) for row in opening[account_id]["balances"]}
        contracts: dict[str, list[Decimal]] = {}
        for order in orders(account_id).values():
            base, quote = order["instrumentId"].split(":")[1].split("/")
            sign = 1 if order["orderSide"] == "BUY" else -1
            for each in order["executions"]:
                quantity, price = Decimal(each["executedQuantity"]), Decimal(each["executedPrice"])
                assert Decimal(each["executedCost"]) == quantity * price
                totals[quote] -= sum(Decimal(fee["quantity"]) for fee in each["fees"])
                if "PERP" in base:
                    held = contracts.setdefault(order["instrumentId"], [Decimal(0), Decimal(0)])
                    held[0] += sign * quantity
                    held[1] += sign * quantity * price
                else:
                    totals[base] = totals.get(base, Decimal(0)) + sign * quantity
                    totals[quote] -= sign * quantity * price
        account = one.accounts[account_id]
        for position in account.positions.values():
            quantity, paid = contracts[position.instrument.instrument_id]
            assert Decimal(position.instrument.quantity_text(position.lots)) == quantity
            totals["USDT"] += Decimal(text(position.basis)) - paid  # what closing parts of it realised
        assert {asset: Decimal(text(held.total)) for asset, held in account.balances.items()} == totals


def test_what_is_locked_is_what_working_orders_reserve() -> None:
    """Locked balances are the sum over the working orders, and none is more than the total."""
    one, _, _ = run()
    for account in one.accounts.values():
        locked: Counter[str] = Counter()
        for order in account.working():
            asset, amount = order.reserves
            locked[asset] += amount
        for asset, held in account.balances.items():
            assert held.locked == locked[asset]
            assert held.free >= 0


def test_working_orders_are_the_accounts_orders_in_the_books() -> None:
    """Each working order stands in its book with what is left of it, and no other of an account's does."""
    one, _, _ = run()
    resting = {
        order.owner: order.remaining
        for market in one.markets.values()
        for order in market.book.orders.values()
        if order.owner
    }
    working = {
        order.order_id: order.lots - order.executed
        for account in one.accounts.values()
        for order in account.working()
    }
    assert resting == working
    for market in one.markets.values():
        check_book(market.book)


def test_every_execution_is_a_print() -> None:
    """Price and quantity of an execution are those of the print it names."""
    prints = {
        (message["instrumentId"], message["tradeId"]): (message["price"], message["quantity"])
        for message in (json.loads(data) for name, data in run()[2] if ":trade:" in name)
    }
    executions = [each for key in ACCOUNTS for order in orders(key).values() for each in order["executions"]]
    assert len(executions) > 30
    for each in executions:
        assert prints[each["instrumentId"], each["externalTradeId"]] == (
            each["executedPrice"],
            each["executedQuantity"],
        )


def test_deltas_upon_the_opening_portfolio_give_the_present_one() -> None:
    """Merging each DELTA by its keys leaves the balances and positions of the account."""
    one, opening, _ = run()
    for account_id in ACCOUNTS:
        balances = {row["securitySymbol"]: row for row in opening[account_id]["balances"]}
        quantities: dict[str, str] = {}
        for delta in events(account_id, "event.portfolio.updated"):
            assert delta["updateMode"] == "DELTA"
            balances |= {row["securitySymbol"]: row for row in delta.get("balances", ())}
            quantities |= {row["positionId"]: row["quantity"] for row in delta.get("positions", ())}
        present = one.portfolio(one.accounts[account_id], rpc=False)
        assert list(balances.values()) == present["balances"]
        for row in present["positions"]:
            assert quantities[row["positionId"]] == row["quantity"]


def test_the_margin_account_holds_a_position_and_a_loan() -> None:
    """desk-1 trades the perpetual on margin; desk-2 has no positions at all."""
    one, _, _ = run()
    margin = one.portfolio(one.accounts["desk-1"], rpc=False)
    assert [row["instrumentId"] for row in margin["positions"]] == ["BINANCE:BTC-PERP/USDT"]
    assert Decimal(margin["summary"]["marginLoan"]) == 150_000
    assert one.portfolio(one.accounts["desk-2"], rpc=False)["positions"] == []


def test_equity_is_what_the_assets_are_worth() -> None:
    """The summary's equity is the sum of net balances at the present prices, and open gains."""
    one, _, _ = run()
    portfolio = one.portfolio(one.accounts["desk-1"], rpc=False)
    worth = sum(
        Decimal(row["net"]) * Decimal(text(one.price(row["securitySymbol"]))) for row in portfolio["balances"]
    ) + sum(Decimal(row["unrealizedPnl"]) for row in portfolio["positions"])
    assert abs(Decimal(portfolio["summary"]["equity"]) - worth) < Decimal("0.000001")


def test_ended_orders_are_forgotten_in_time() -> None:
    """However long it runs, an account keeps a bounded number of orders."""
    one, _, _ = run()
    assert all(len(account.orders) <= 220 for account in one.accounts.values())
