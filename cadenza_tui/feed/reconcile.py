"""Compares each account with what the queries give, every few minutes while the link is up."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cadenza_tui.market.differences import GRACE_NS
from cadenza_tui.market.health import ChannelState
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.feed.route import Route
    from cadenza_tui.market.records import AccountId

JITTER = 0.1
AGAIN_AFTER_S = GRACE_NS / 1e9
"""An account is asked about again this soon where pushes came between question and answer, or were late."""
MAX_AGAIN = 3
"""So often at most before all accounts are compared again: on some links pushes always come in between."""


@dataclass
class Reconciles:
    """Asks about one account after another, and never about one that is being fetched.

    ``fetch`` asks and applies, as ``market.reconcile`` has it, and keeps its troubles to itself. With
    ``every_s`` 0 nothing is asked.
    """

    ingest: Ingest
    fetch: Callable[[AccountId], Awaitable[None]]
    every_s: float
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _doubts: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Compare until cancelled. To be run anew on each link, when all has been fetched once."""
        if not self.every_s:
            return
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + self.every_s * random.uniform(1 - JITTER, 1 + JITTER)
            for _ in range(MAX_AGAIN):
                if not await self._in_doubt(due):
                    break
                await asyncio.sleep(min(self.every_s, AGAIN_AFTER_S))
                for route in self._doubtful():
                    await self._compare(route)
            await asyncio.sleep(due - clock())
            for route in self._routes():
                await self._compare(route)

    def look(self) -> None:
        """Ask again soon where something is in doubt. To be called about once a second."""
        if self._doubtful():
            self._doubts.set()

    async def _in_doubt(self, due: float) -> bool:
        """Return whether anything comes to be in doubt before it is time to compare all again."""
        self._doubts.clear()
        try:
            async with asyncio.timeout_at(due):
                await self._doubts.wait()
        except TimeoutError:
            return False
        return True

    def stop(self, channel: str) -> None:
        """Stop asking about a channel's account: all of it is fetched now."""
        if (task := self._asking.pop(channel, None)) is not None:
            task.cancel()

    def _routes(self) -> list[Route]:
        return [route for route in self.ingest.routes() if route.name.kind is Kind.ACCOUNT]

    def _doubtful(self) -> list[Route]:
        accounts = self.ingest.market.accounts
        return [
            route
            for route in self._routes()
            if (account := accounts.get(route.name.account_id or "")) is not None and account.doubtful
        ]

    async def _compare(self, route: Route) -> None:
        channel = route.channel
        if route.health.state is not ChannelState.LIVE:
            return  # there is no link, or all of it is being fetched
        task = self._asking[channel] = asyncio.create_task(self._ask(route))
        try:
            await asyncio.wait({task})
        finally:
            self.stop(channel)

    async def _ask(self, route: Route) -> None:
        try:
            await self.fetch(route.name.account_id or "")
        except Exception as error:  # a comparison is wanted, but not at any price
            self.ingest.market.health.connection.rejected[f"reconcile: {type(error).__name__}"] += 1
