"""Accounts on the real simulator, over a real WebSocket: to the last digit the exchange's own."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.credentials import sources
from cadenza_tui.feed import worker
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.state import Market
from cadenza_tui.market.times import DAY, SECOND
from cadenza_tui.simulator import payloads
from cadenza_tui.simulator.accounts import text
from cadenza_tui.simulator.commands import Close
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.server import Server
from cadenza_tui.simulator.tokens import mint

from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_tui.market.accounts import Account

QUICK = Options(backoff_min=0.05, backoff_max=0.2)
STEP_NS = 500_000_000
MIDNIGHT = 20_000 * DAY


class World:
    """An exchange whose time goes on when a test says so, and a feed on it whose clock is the exchange's."""

    def __init__(self, start_ns: int, every_s: float) -> None:
        self.exchange = Exchange(3, instruments=6, rate=20, start_ns=start_ns)
        secret = secrets.token_hex(32)
        self.server = Server(self.exchange, secret)
        self._token = sources.fixed(mint(secret, now=time.time()))
        self._every_s = every_s
        self.feed: Feed

    async def start(self) -> asyncio.Task[None]:
        await self.server.start("127.0.0.1", 0)
        settings = FeedSettings(
            self.server.url, token=self._token, markets=False, options=QUICK, reconcile_s=self._every_s
        )
        self.feed = Feed(Market(), settings, now=lambda: self.exchange.now_ns)
        return asyncio.create_task(self.feed.run())

    def account(self, account_id: str = "desk-1") -> Account:
        return self.feed.market.account(account_id)

    async def advance(self, seconds: float) -> None:
        """Let time go on, in steps between which the feed has its turn."""
        for _ in range(int(seconds * SECOND / STEP_NS)):
            self.server.publish(self.exchange.advance(self.exchange.now_ns + STEP_NS, self.server.hub.wanted))
            await asyncio.sleep(0.003)

    def agree(self) -> bool:
        """Whether all that is held of every account is the exchange's own."""
        for own in self.exchange.accounts_of("demo"):
            held = self.feed.market.account(own.account_id)
            if {each.asset: format(each.total or 0, "f") for each in held.balances.values()} != {
                asset: text(each.total) for asset, each in own.balances.items()
            }:
                return False
            if {each.position_id: str(each.quantity) for each in held.positions.values()} != {
                each.position_id: each.instrument.quantity_text(abs(each.lots))
                for each in own.positions.values()
            }:
                return False
            working = {
                each.order_id: payloads.order_payload(each, True)["executedQuantity"]
                for each in own.orders.values()
                if not each.over
            }
            if {each.order_id: str(each.executed_quantity) for each in held.working_orders()} != working:
                return False
            fills = {each.execution.execution_id for each in held.fills}
            if not fills >= {each.execution_id for order in own.orders.values() for each in order.executions}:
                return False
        return True


@asynccontextmanager
async def world(start_ns: int = 0, every_s: float = 300.0) -> AsyncIterator[World]:
    """A feed that has fetched all accounts once."""
    here = World(start_ns or time.time_ns(), every_s)
    running = await here.start()
    try:
        await here.feed.bootstrapped.wait()
        yield here
    finally:
        await here.feed.close()
        await running
        await here.server.stop()


@pytest.fixture(autouse=True)
def _quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the feed's second strike as fast as the exchange's time goes here."""
    monkeypatch.setattr(worker, "TICK_S", 0.005)


async def test_all_that_is_held_is_the_exchanges_own() -> None:
    """Balances, positions, order lists and fills, while both are compared again and again."""
    async with world(every_s=0.02) as here:
        await here.advance(120)
        await eventually(here.agree)
        assert all(account.difference_count == 0 for account in here.feed.market.accounts.values())
        assert any(order.parent_id for order in here.account().orders.values())


async def test_an_event_that_was_never_sent_is_found() -> None:
    """By the next comparison: what was withheld is a difference, and all is right again."""
    async with world(every_s=0.1) as here:
        await here.advance(10)
        await eventually(here.agree)
        here.exchange.withhold("desk-1", 4)
        await here.advance(8)
        asked = here.exchange.now_ns
        await eventually(lambda: (here.account().reconciled_at or 0) >= asked and here.agree())
        await here.advance(10)
        await eventually(lambda: here.account().difference_count > 0)
        assert here.account("desk-3").difference_count == 0


async def test_a_lost_link_costs_nothing() -> None:
    """What was pushed meanwhile is recovered, compared, and no difference."""
    async with world() as here:
        await here.advance(10)
        for _ in range(3):
            here.server.disconnect(Close.SHUTDOWN)
            await here.advance(5)
        await eventually(lambda: here.account().current and here.agree())
        assert here.account().difference_count == 0


async def test_the_day_begins_at_midnight() -> None:
    """The change counts from there; an account whose link was down then does not know it."""
    async with world(MIDNIGHT - 10 * SECOND) as here:
        await here.advance(5)
        assert here.account().day_change("USDT") is None
        await eventually(lambda: here.account().current)
        await here.advance(5)
        await eventually(here.agree)
        begin = here.account("desk-1").balances["USDT"].total
        await here.advance(60)
        await eventually(here.agree)
        now = here.account("desk-1").balances["USDT"].total
        assert begin is not None
        assert now is not None
        change = here.account().day_change("USDT")
        assert change == now - begin
        assert here.account("desk-3").day_change("DOGE") == 0


async def test_a_link_that_is_down_at_midnight_makes_the_day_unknown() -> None:
    """Though all that was missed is recovered."""
    async with world(MIDNIGHT - 10 * SECOND) as here:
        await here.advance(8)
        await eventually(lambda: here.account().current)
        await here.server.stop()
        await eventually(lambda: not here.account().followed)
        await here.advance(5)
        assert here.account().day_change("USDT") is None
