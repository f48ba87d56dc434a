"""Brings back what a channel other than a book's has missed: it is fetched whole, as often as it takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from cadenza_tui.centrifugo.errors import ReplyError
from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed import resync
from cadenza_tui.feed.resync import NO_SUCH_QUERY
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.state import Topic
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.feed.route import Route
    from cadenza_tui.market.records import Nanoseconds
    from cadenza_tui.wire.channels import ChannelName

    Refetch: TypeAlias = Callable[[ChannelName], Awaitable[None]]

MAX_AT_ONCE = 4


@dataclass
class Refetches:
    """The channels whose content is being fetched anew, one task each.

    ``fetch`` brings and applies all that a channel is about, raising CadenzaError where it cannot. Until then
    the channel says that it resyncs, and why. Where the server has no such query, an account waits for the
    next message that tells all of it; a ticker or a candle goes on, since its next message does.
    """

    ingest: Ingest
    fetch: Refetch
    now: Callable[[], Nanoseconds]
    on_start: Callable[[str], None] = lambda _channel: None
    """Called with a channel before it is fetched."""
    owed: dict[str, str] = field(default_factory=dict)
    """By channel, what was missed and has not been fetched yet."""
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_AT_ONCE))

    def start(self, channel: str, reason: str) -> None:
        """Fetch a channel's content. One that is under way begins anew: its answer may be older than this."""
        route = self.ingest.route(channel)
        if route is None:
            return
        self.stop(channel)
        self.on_start(channel)
        self.owed[channel] = reason
        route.health.resyncs += 1
        self._enter(route, ChannelState.RESYNCING, reason)
        task = self._tasks[channel] = asyncio.create_task(self._bring(route, reason))
        task.add_done_callback(lambda done: self._done(channel, done))

    def running(self, channel: str) -> bool:
        """Return whether a channel's content is being fetched."""
        return channel in self._tasks

    def stop(self, channel: str) -> None:
        """Stop for now: nothing can be fetched, or it begins anew. What is owed stays so."""
        if (task := self._tasks.pop(channel, None)) is not None:
            task.cancel()

    def forget(self, channel: str) -> None:
        """Stop for good: the channel is not wanted any more."""
        self.stop(channel)
        self.owed.pop(channel, None)

    def stop_all(self) -> None:
        """Stop all, as when the link is gone."""
        for channel in list(self._tasks):
            self.stop(channel)

    async def close(self) -> None:
        """Stop all, and wait until nothing of it runs."""
        tasks = list(self._tasks.values())
        self.stop_all()
        if tasks:
            await asyncio.wait(tasks)

    def _done(self, channel: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(channel) is task:
            del self._tasks[channel]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.ingest.market.health.connection.rejected[f"refetch: {type(error).__name__}"] += 1

    async def _bring(self, route: Route, reason: str) -> None:
        pause = resync.FIRST_PAUSE_S
        while True:
            try:
                async with self._slots:
                    await self.fetch(route.name)
            except CadenzaError as error:
                if isinstance(error, ReplyError) and error.code in NO_SUCH_QUERY:
                    self._without_query(route, f"{reason}; {error}")
                    return
                self._enter(route, ChannelState.RESYNCING, f"{reason}; not fetched: {error}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, resync.LONGEST_PAUSE_S)
            else:
                self.owed.pop(route.channel, None)
                self._enter(route, ChannelState.LIVE, "")
                return

    def _without_query(self, route: Route, reason: str) -> None:
        self.owed.pop(route.channel, None)
        waits = route.name.kind is Kind.ACCOUNT
        self._enter(route, ChannelState.AWAITING if waits else ChannelState.LIVE, reason if waits else "")

    def _enter(self, route: Route, state: ChannelState, reason: str) -> None:
        health = route.health
        if health.state is not state:
            health.since = self.now()
        health.state = state
        health.reason = reason
        self.ingest.follow(route)
        dirty = self.ingest.market.dirty
        dirty.mark(Topic.HEALTH)
        if route.name.account_id is not None:
            dirty.mark(Topic.ACCOUNT, route.name.account_id)
