"""Asking the platform to stream books that nobody watches yet, each once on a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_tui.errors import CadenzaError
from cadenza_tui.market.state import Topic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cadenza_tui.feed.route import Route
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market


class Streams:
    """The requests under way and those made; the channel's health says what came of each."""

    def __init__(self, market: Market, request: Callable[[InstrumentId], Awaitable[None]]) -> None:
        self._market = market
        self._request = request
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def ask(self, route: Route, instrument_id: InstrumentId) -> None:
        """Ask for a channel's book, unless that has been done on this connection."""
        if route.channel not in self._tasks:
            self._tasks[route.channel] = asyncio.create_task(self._ask(route, instrument_id))

    async def _ask(self, route: Route, instrument_id: InstrumentId) -> None:
        try:
            await self._request(instrument_id)
        except CadenzaError as error:
            route.health.note = f"the platform was asked to stream it: {error}"
        else:
            route.health.note = ""
        self._market.dirty.mark(Topic.HEALTH)

    def forget(self, channel: str) -> None:
        """The channel is not wanted any more."""
        if (task := self._tasks.pop(channel, None)) is not None:
            task.cancel()

    def clear(self) -> list[asyncio.Task[None]]:
        """Forget all, as when the link is gone; return what may still run."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        self._tasks.clear()
        return tasks
