"""Accounts of the live feed: brought up by queries, and kept by their channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .feeding import BTC, DESK, feeding, listing, live
from .waiting import eventually

if TYPE_CHECKING:
    from .scripted import ScriptedServer

pytestmark = pytest.mark.usefixtures("impatient")


async def test_accounts_are_brought_up_by_queries(server: ScriptedServer) -> None:
    """The listed accounts' channels, portfolios and orders are there."""
    server.rpc["query.trading_account.list"] = lambda _: [{"tradingAccountId": "desk", "nickname": "Desk"}]
    server.rpc["query.portfolio.get"] = lambda params: {
        "tradingAccountId": params["tradingAccountId"],
        "balances": [{"securitySymbol": "USDT", "total": "12.50", "free": "10", "locked": "2.50"}],
        "updatedAt": "2026-01-01T00:00:00Z",
    }
    order = {"tradeOrderId": "o1", "tradingAccountId": "desk", "instrumentId": BTC, "status": "ACCEPTED"}
    server.rpc["query.trade_order.list"] = lambda _: [order]
    async with feeding(server, with_accounts=True) as feed:
        await feed.bootstrapped.wait()
        account = feed.market.account("desk")
        assert account.account is not None
        assert account.account.nickname == "Desk"
        assert [str(balance.total) for balance in account.balances.values()] == ["12.50"]
        assert [held.order_id for held in account.working_orders()] == ["o1"]
        await server.until(lambda: DESK in server.channels())
        assert not feed.troubles.keys() - {"instruments", "tickers"}


async def test_an_order_that_ended_unseen_does_not_go_on_working(server: ScriptedServer) -> None:
    """After a reconnect an order that is not listed any more has an unknown status."""
    order = {"tradeOrderId": "o1", "tradingAccountId": "desk", "instrumentId": BTC, "status": "ACCEPTED"}
    orders = [order]
    server.rpc["query.trade_order.list"] = lambda _: orders
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await feed.bootstrapped.wait()
        assert len(feed.market.account("desk").working_orders()) == 1
        orders.clear()
        await server.drop()
        await eventually(lambda: not feed.market.account("desk").working_orders())
        assert feed.market.account("desk").orders["o1"].status == "UNKNOWN"


async def test_queries_that_fail_are_named_and_do_no_harm(server: ScriptedServer) -> None:
    """Markets are live where nothing can be asked; entries that cannot be used are counted."""
    server.rpc["query.instrument.list"] = lambda _: [{"venue": 3}, *listing(BTC)]
    server.rpc["query.portfolio.get"] = lambda _: [1, 2]
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await live(server, feed)
        await feed.bootstrapped.wait()
        assert {"accounts", "portfolio of desk", "orders of desk"} <= feed.troubles.keys()
        assert "method" in feed.troubles["accounts"]
        assert list(feed.market.instruments) == [BTC]
        assert feed.market.health.connection.rejected["field of a wrong type"] == 1


async def test_an_account_channel_that_missed_messages_is_asked_for_again(server: ScriptedServer) -> None:
    """A gap in it makes the feed query the portfolio once more."""
    totals = iter(["1", "2"])
    server.rpc["query.portfolio.get"] = lambda _: {
        "tradingAccountId": "desk",
        "balances": [{"securitySymbol": "USDT", "total": next(totals)}],
    }
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await feed.bootstrapped.wait()
        await server.publish(DESK, {"data": {"tradingAccountId": "desk", "balances": []}}, skip=3)
        await eventually(
            lambda: any(str(b.total) == "2" for b in feed.market.account("desk").balances.values())
        )
        assert feed.market.health.channels[DESK].gaps == 1


async def test_an_account_event_of_another_account_is_not_taken(server: ScriptedServer) -> None:
    """A channel speaks of its own account alone."""
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await server.until(lambda: DESK in server.channels())
        await server.publish(DESK, {"data": {"tradingAccountId": "other", "balances": []}})
        await eventually(lambda: feed.market.health.channels[DESK].messages == 1)
        assert sum(feed.market.health.channels[DESK].rejected.values()) == 1
        assert "other" not in feed.market.accounts
