"""Brings books back that do not follow their stream: asks for snapshots, as often as it takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from cadenza_tui.errors import CadenzaError
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.state import Topic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.feed.route import Route
    from cadenza_tui.market.records import BookUpdate, InstrumentId, Nanoseconds

    Fetch: TypeAlias = Callable[[InstrumentId], Awaitable[BookUpdate]]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_STALE_PAUSE_S = 5.0
"""A snapshot that is too old soon is not any more."""
SHORTEST_PAUSE_S = 0.05
NO_SUCH_QUERY = frozenset({103, 104, 108})
"""Codes by which a server says that there is no such query, or not for us."""
CALM_S = 60.0
"""A book that has been well this long starts again with the first pause."""
MAX_AT_ONCE = 4


@dataclass(slots=True)
class _Pace:
    """How soon a book may be asked for again; times in seconds of the loop's clock."""

    pause: float = FIRST_PAUSE_S
    next: float = 0.0


@dataclass
class Resyncs:
    """The books that are being brought back, one task each.

    ``fetch`` brings a snapshot, raising CadenzaError where it cannot; ``on_refused`` is called each time one
    could not be had, ``on_unsynced`` when a book that had one is not in sync any more.
    """

    ingest: Ingest
    fetch: Fetch
    now: Callable[[], Nanoseconds]
    on_refused: Callable[[str, CadenzaError], None]
    on_unsynced: Callable[[InstrumentId], None]
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _paces: dict[str, _Pace] = field(default_factory=dict)
    _news: dict[str, asyncio.Event] = field(default_factory=dict)
    """By channel, what is set when one more update waits."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_AT_ONCE))

    def start(self, channel: str, reason: str, *, at_once: bool = False) -> None:
        """Bring the channel's book back. Does nothing where that is under way, or the channel is unknown."""
        route = self.ingest.route(channel)
        if route is None or route.name.instrument_id is None or channel in self._tasks:
            return
        self.ingest.hold(channel)
        market = self.ingest.market
        book = market.book(route.name.instrument_id)
        if book.has_snapshot:
            book.mark_out_of_sync(reason)
            market.dirty.mark(Topic.BOOK, route.name.instrument_id)
            self.on_unsynced(route.name.instrument_id)
        health = route.health
        health.state = ChannelState.RESYNCING
        health.reason = reason
        health.since = self.now()
        health.resyncs += 1
        market.dirty.mark(Topic.HEALTH)
        pace = self._paces.setdefault(channel, _Pace())
        if at_once:
            pace.next = 0.0
        task = asyncio.create_task(self._bring(route, route.name.instrument_id, reason, pace))
        self._tasks[channel] = task
        task.add_done_callback(lambda done: self._done(channel, done))

    def _done(self, channel: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(channel) is task:
            del self._tasks[channel]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.ingest.market.health.connection.rejected[f"resync: {type(error).__name__}"] += 1

    def stop(self, channel: str) -> None:
        """Stop bringing the channel's book back: it came by itself, or is not wanted any more."""
        task = self._tasks.pop(channel, None)
        if task is not None:
            task.cancel()

    def held(self, channel: str) -> None:
        """Note that one more update waits: a snapshot that is asked for now is newer than those before it."""
        if (news := self._news.get(channel)) is not None:
            news.set()

    def forget(self, channel: str) -> None:
        """Stop, and forget how the channel fared."""
        self.stop(channel)
        self._paces.pop(channel, None)

    async def close(self) -> None:
        """Stop all, and wait until nothing of it runs."""
        tasks = list(self._tasks.values())
        self.stop_all()
        if tasks:
            await asyncio.wait(tasks)

    def stop_all(self) -> None:
        """Stop all, as when the link is gone."""
        for channel in list(self._tasks):
            self.stop(channel)

    async def _bring(self, route: Route, instrument_id: InstrumentId, reason: str, pace: _Pace) -> None:
        clock = asyncio.get_running_loop().time
        channel = route.channel
        hurried = False
        if clock() > pace.next + CALM_S:
            pace.pause = FIRST_PAUSE_S
        while True:
            if (wait := pace.next - clock()) > 0:
                await asyncio.sleep(wait)
            async with self._slots:
                pause = pace.pause
                pace.next, pace.pause = clock() + pause, min(2 * pause, LONGEST_PAUSE_S)
                try:
                    snapshot = await self.fetch(instrument_id)
                except CadenzaError as error:
                    self._say(route, f"{reason}; no snapshot: {error}")
                    self.on_refused(channel, error)
                    continue
            if route.hold is None:  # nothing waits for it any more
                return
            # What the snapshot brings may itself be lost again, which starts anew.
            self._tasks.pop(channel, None)
            if not (refusal := self.ingest.snapshot(channel, snapshot, self.now())):
                return
            self._tasks[channel] = asyncio.current_task()  # type: ignore[assignment]
            self._say(route, f"{reason}; {refusal}: asked for again")
            pace.next = min(pace.next, clock() + LONGEST_STALE_PAUSE_S)
            if not hurried:
                # The next update makes a newer one likely, once; after that it is a matter of time.
                hurried, pace.pause = True, pause
                await self._news_within(channel, pace.next - clock())
                pace.next = min(pace.next, clock() + SHORTEST_PAUSE_S)

    async def _news_within(self, channel: str, seconds: float) -> None:
        """Return once one more update waits, at the latest after so many seconds."""
        news = self._news[channel] = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await news.wait()
        except TimeoutError:
            return
        finally:
            if self._news.get(channel) is news:
                del self._news[channel]

    def _say(self, route: Route, reason: str) -> None:
        route.health.reason = reason
        self.ingest.market.dirty.mark(Topic.HEALTH)
