"""The accounts at work in the exchange, told from what is published."""

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
ACCOUNTS = ("desk-1", "desk-2", "desk-3")
TRADING = ACCOUNTS[:2]


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
    """Every stage of an order's life is published."""
    seen = Counter(one["status"] for one in events("desk-1", "event.trade_order.updated"))
    assert seen.keys() >= {"CREATED", "ACCEPTED", "PARTIALLY_FILLED", "FILLED", "CANCELLED"}
    assert {one["orderType"] for one in orders("desk-1").values()} == {"LIMIT", "MARKET", "STOP_MARKET"}


def test_the_treasury_is_quiet() -> None:
    """It trades now and then, the small account never."""
    assert 0 < len(orders("desk-2")) * 4 < len(orders("desk-1"))
    assert not orders("desk-3")


def test_an_order_list_has_a_parent_and_two_children() -> None:
    """The children wait for the parent's fill, and one of them cancels the other."""
    children = [order for order in orders("desk-1").values() if "parentOrderId" in order]
    assert len(children) > 3
    for child in children:
        parent = orders("desk-1")[child["parentOrderId"]]
        assert child["orderListId"] == parent["orderListId"]
        siblings = [one for one in children if one["parentOrderId"] == child["parentOrderId"]]
        assert {one["orderType"] for one in siblings} == {"LIMIT", "STOP_MARKET"}
        filled = [one for one in siblings if Decimal(one["executedQuantity"])]
        assert len(filled) <= 1
        assert not filled or parent["status"] == "FILLED"
    assert any(Decimal(one["executedQuantity"]) for one in children)
    assert {one["status"] for one in children} >= {"FILLED", "CANCELLED"}


def test_balances_follow_from_the_executions() -> None:
    """Opening balances, executions and fees give all accounts' totals, to the last digit."""
    one, opening, _ = run()
    totals: dict[str, Decimal] = {}
    for account_id in ACCOUNTS:
        for row in opening[account_id]["balances"]:
            asset = row["securitySymbol"]
            totals[asset] = totals.get(asset, Decimal(0)) + Decimal(row["total"])
        contracts = {
            row["instrumentId"]: [
                Decimal(row["quantity"]),
                Decimal(row["quantity"]) * Decimal(row["entryPrice"]),
            ]
            for row in opening[account_id]["positions"]
        }
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
    present: dict[str, Decimal] = {}
    for account in one.accounts.values():
        for asset, balance in account.balances.items():
            present[asset] = present.get(asset, Decimal(0)) + Decimal(text(balance.total))
    assert present == totals


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
    """Each but those that wait for a stop stands in its book with what is left of it; no other does."""
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
        if order.stop is None
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
            if delta["updateMode"] == "SNAPSHOT":
                assert account_id == "desk-1"
                balances = {}
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


def test_the_margin_summary_is_that_of_its_position() -> None:
    """A third of the equity is in use, and the figures agree with one another."""
    one, _, _ = run()
    margin = one.portfolio(one.accounts["desk-1"], rpc=False)
    summary = {name: Decimal(value) for name, value in margin["summary"].items() if name != "currency"}
    assert summary["margin"] == sum(Decimal(row["margin"]) for row in margin["positions"])
    assert summary["leverage"] == Decimal(margin["positions"][0]["leverage"])
    assert Decimal("0.2") < summary["marginUsage"] < Decimal("0.6")
    assert summary["marginLevel"] > 2
    assert summary["marginRequirement"] < summary["equity"]
    assert summary["credit"] == 500_000 - summary["marginLoan"]
    assert 0 < summary["riskExposureRate"] < 1


def test_transfers_are_frozen_before_they_go() -> None:
    """What one account gives, another gets; interest is owed for what was borrowed."""
    frozen = {
        (account_id, row["securitySymbol"])
        for account_id in ACCOUNTS
        for event in events(account_id, "event.portfolio.updated")
        for row in event.get("balances", ())
        if Decimal(row["frozen"])
    }
    assert len(frozen) > 1
    owed = [
        Decimal(row["interestOwed"])
        for event in events("desk-1", "event.portfolio.updated")
        for row in event.get("balances", ())
        if row["securitySymbol"] == "USDT"
    ]
    assert owed == sorted(owed)
    assert Decimal("0.1") < owed[-1] < Decimal("0.2")


def test_an_event_can_be_withheld() -> None:
    """Nobody is told, and the exchange has it all the same."""
    one, other = (Exchange(5, start_ns=START, rate=15.0) for _ in range(2))
    one.withhold("desk-1", 3)
    channel = "tradingAccount:desk-1"
    published, all_of_them = (
        [each.data for each in exchange.advance(START + 60 * SECOND) if each.channel == channel]
        for exchange in (one, other)
    )
    assert len(all_of_them) - len(published) == 3
    assert one.portfolio(one.accounts["desk-1"], rpc=True) == other.portfolio(
        other.accounts["desk-1"], rpc=True
    )


def test_the_small_account_has_what_is_hard_to_value() -> None:
    """Dust, assets that only a hop or an inverse prices, and some that nothing does."""
    one, opening, _ = run()
    rows = opening["desk-3"]["balances"]
    assert len(rows) == 12
    assert {row["securitySymbol"] for row in rows if not one.price(row["securitySymbol"])} == {
        "LUNC",
        "GALA",
        "BNBUP",
    }
    pairs = [instrument.symbol for instrument in one.instruments]
    assert "XMR/BTC" in pairs
    assert "USDT/TRY" in pairs
    assert not {"XMR/USDT", "TRY/USDT"} & set(pairs)


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
