"""Accounts are compared with what the queries give, on each link and every few minutes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.feed import reconcile, worker
from cadenza_tui.feed.ingest import Ingest
from cadenza_tui.feed.refetch import Refetches
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market import differences
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.state import Market, Topic
from cadenza_tui.wire.channels import ChannelName, Kind

from .scripted import Refused, ScriptedServer
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_tui.market.accounts import Account

DESK = "tradingAccount:desk"
QUICK = Options(backoff_min=0.01, backoff_max=0.05)
PORTFOLIO, ORDERS = "query.portfolio.get", "query.trade_order.list"


class Venue:
    """One account of a scripted server."""

    def __init__(self, server: ScriptedServer) -> None:
        self.total, self.time = 5, 1_000
        server.rpc[PORTFOLIO] = lambda _: self.portfolio("SNAPSHOT")
        server.rpc[ORDERS] = lambda _: []

    def portfolio(self, mode: str) -> dict[str, Any]:
        balance = {"securitySymbol": "USDT", "total": str(self.total), "updatedAt": self.time}
        return {
            "tradingAccountId": "desk",
            "updateMode": mode,
            "balances": [balance],
            "updatedAt": self.time,
        }

    def change(self) -> dict[str, Any]:
        """Let the total change, and return what is pushed of it."""
        self.total, self.time = self.total + 1, self.time + 1
        return {"data": self.portfolio("DELTA")}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a push that is on its way have little time."""
    monkeypatch.setattr(differences, "GRACE_NS", 20_000_000)
    monkeypatch.setattr(reconcile, "AGAIN_AFTER_S", 0.02)
    monkeypatch.setattr(worker, "TICK_S", 0.02)


@asynccontextmanager
async def watching(server: ScriptedServer, every_s: float) -> AsyncIterator[tuple[Feed, Account]]:
    """Run a feed of one account, until which it has been fetched."""
    settings = FeedSettings(server.url, accounts=("desk",), markets=False, options=QUICK, reconcile_s=every_s)
    feed = Feed(Market(), settings)
    running = asyncio.create_task(feed.run())
    try:
        await feed.bootstrapped.wait()
        yield feed, feed.market.account("desk")
    finally:
        await feed.close()
        await running
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in left if "cadenza_tui" in repr(task)]


def asked(server: ScriptedServer) -> int:
    return sum(method == PORTFOLIO for method, _ in server.calls)


async def compared(server: ScriptedServer) -> None:
    """Wait until a question that is asked from now on has been answered."""
    before = asked(server)
    await eventually(lambda: asked(server) >= before + 2)


async def test_an_update_that_never_came_is_found_and_shown(server: ScriptedServer) -> None:
    """The query wins, the difference counts, and the account and Health are marked."""
    venue = Venue(server)
    async with watching(server, 0.05) as (feed, account):
        assert account.current
        assert account.reconciled_at is not None
        feed.market.dirty.take()
        venue.change()
        await eventually(lambda: account.difference_count == 1)
        difference = account.differences[0]
        assert (difference.what, difference.held, difference.queried) == ("balance USDT", "5", "6")
        assert str(account.balances["USDT"].total) == "6"
        assert {(Topic.ACCOUNT, "desk"), (Topic.HEALTH, "")} <= feed.market.dirty.take()


async def test_what_was_pushed_is_no_difference(server: ScriptedServer) -> None:
    """However often it is compared."""
    venue = Venue(server)
    async with watching(server, 0.05) as (_, account):
        for _ in range(3):
            await server.publish(DESK, venue.change())
            await compared(server)
        assert account.difference_count == 0
        assert str(account.balances["USDT"].total) == "8"


async def test_the_answer_to_an_early_question_does_not_undo_a_push(server: ScriptedServer) -> None:
    """Not even where the wire gives no times."""
    venue = Venue(server)
    server.silent.add(PORTFOLIO)
    settings = FeedSettings(server.url, accounts=("desk",), markets=False, options=QUICK)
    feed = Feed(Market(), settings)
    running = asyncio.create_task(feed.run())
    await server.until(lambda: asked(server) == 1)
    early = venue.portfolio("SNAPSHOT")
    pushed = venue.change()
    for body in (early, pushed["data"]):
        del body["updatedAt"], body["balances"][0]["updatedAt"]
    await server.publish(DESK, pushed)
    await server.send({"id": server.asked(PORTFOLIO), "rpc": {"data": {"data": early}}})
    await feed.bootstrapped.wait()
    assert str(feed.market.account("desk").balances["USDT"].total) == "6"
    await feed.close()
    await running


async def test_it_is_asked_when_the_channel_is_there(server: ScriptedServer) -> None:
    """What is pushed before that would be missed: the account is not current without."""
    venue = Venue(server)
    server.ignore.add(DESK)
    feed = Feed(Market(), FeedSettings(server.url, accounts=("desk",), markets=False, options=QUICK))
    running = asyncio.create_task(feed.run())
    await server.until(lambda: bool(server.subscribes(DESK)))
    await server.until(lambda: any(method == "query.trading_account.list" for method, _ in server.calls))
    await asyncio.sleep(0.05)  # in which the portfolio would be asked for
    assert asked(server) == 0
    venue.change()
    subscribe = next(command["id"] for command in server.commands if "subscribe" in command)
    result = {"recoverable": True, "positioned": True, "epoch": "e1", "offset": 0}
    await server.send({"id": subscribe, "subscribe": result})
    await feed.bootstrapped.wait()
    assert feed.market.account("desk").current
    assert str(feed.market.account("desk").balances["USDT"].total) == "6"
    await feed.close()
    await running


async def test_it_is_compared_on_a_new_link(server: ScriptedServer) -> None:
    """Where all messages were recovered, what differs is a difference."""
    venue = Venue(server)
    server.on_subscribe[DESK] = lambda request: {"recovered": True} if request.get("recover") else {}
    async with watching(server, 300.0) as (_, account):
        venue.change()
        await server.drop()
        await eventually(lambda: account.difference_count == 1)
        assert account.current


async def test_what_was_missed_is_fetched_and_no_difference(server: ScriptedServer) -> None:
    """A gap in the channel says itself that something is missing; nothing is asked twice at once."""
    venue = Venue(server)
    async with watching(server, 0.05) as (feed, account):
        venue.change()
        await server.publish(DESK, venue.change(), skip=1)
        await eventually(lambda: feed.market.health.channels[DESK].resyncs == 1 and account.current)
        assert str(account.balances["USDT"].total) == "7"
        await compared(server)
        assert account.difference_count == 0


async def test_a_channel_that_is_being_fetched_is_not_compared(server: ScriptedServer) -> None:
    """The fetch goes on until it is answered; comparisons wait."""
    venue = Venue(server)
    async with watching(server, 0.3) as (feed, account):
        server.silent.add(PORTFOLIO)
        before = asked(server)
        venue.change()
        await server.publish(DESK, venue.change(), skip=1)
        await eventually(lambda: feed.market.health.channels[DESK].state is ChannelState.RESYNCING)
        await asyncio.sleep(0.7)  # in which two comparisons are due
        assert asked(server) == before + 1
        assert not account.current


async def test_a_comparison_makes_way_for_a_fetch() -> None:
    """What it was asking may be older than what was missed."""
    asking, stopped, fetched = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def ask(_account_id: str) -> None:
        asking.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def fetch(_name: ChannelName) -> None:
        fetched.set()

    ingest = Ingest(Market(), lambda: 1)
    route = ingest.register(DESK, ChannelName(Kind.ACCOUNT, account_id="desk"))
    route.health.state = ChannelState.LIVE
    comparing = reconcile.Reconciles(ingest, ask, 0.01)
    running = asyncio.create_task(comparing.run())
    await asyncio.wait_for(asking.wait(), 10)
    refetches = Refetches(ingest, fetch, lambda: 1, comparing.stop)
    refetches.start(DESK, "gap")
    async with asyncio.timeout(10):
        await stopped.wait()
        await fetched.wait()
    running.cancel()
    await asyncio.wait({running})
    await refetches.close()


async def test_a_query_that_fails_is_a_trouble_until_it_does_not(server: ScriptedServer) -> None:
    """And harms nothing that is held."""
    venue = Venue(server)
    async with watching(server, 0.05) as (feed, account):

        def refuse(_params: dict[str, Any]) -> Any:
            raise Refused(100, "internal server error")

        server.rpc[PORTFOLIO] = refuse
        await eventually(lambda: "portfolio of desk" in feed.troubles)
        assert account.current
        assert str(account.balances["USDT"].total) == "5"
        server.rpc[PORTFOLIO] = lambda _: venue.portfolio("SNAPSHOT")
        await eventually(lambda: "portfolio of desk" not in feed.troubles)


async def test_nothing_is_compared_where_that_is_not_wanted(server: ScriptedServer) -> None:
    """Nor while there is no link."""
    Venue(server)
    async with watching(server, 0) as (_, account):
        await server.drop()
        await eventually(lambda: asked(server) == 2)
        assert account.difference_count == 0
