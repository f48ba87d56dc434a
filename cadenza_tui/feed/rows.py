"""What rows of the watchlist say beyond what channels bring: asked for by query, few at a time and seldom."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.errors import ReplyError
from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed.bootstrap import MAX_TICKERS
from cadenza_tui.feed.resync import NO_SUCH_QUERY
from cadenza_tui.market.health import ChannelState
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cadenza_tui.feed.bootstrap import Bootstrap
    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.feed.subscriptions import Wants
    from cadenza_tui.market.records import InstrumentId, Nanoseconds

SECOND = 1_000_000_000
TICKERS_AGAIN_NS = 30 * SECOND
"""Tickers that no channel brings are asked for again after so long."""
DAYS_AGAIN_NS = 300 * SECOND
"""The hours of the last day are asked for again after so long."""
DAYS_AT_ONCE = 8
"""Instruments whose hours are asked for in one query: an answer may have hundreds of candles for each."""


class Rows:
    """Asks for tickers of rows whose channel has not spoken yet, for those out of sight while the list is
    sorted by what they say, and for what the last day was. At most one query of each kind is under way."""

    def __init__(
        self, ingest: Ingest, wants: Wants, queries: Bootstrap, now: Callable[[], Nanoseconds]
    ) -> None:
        self._ingest = ingest
        self._wants = wants
        self._queries = queries
        self._now = now
        self._tickers_at: dict[InstrumentId, Nanoseconds] = {}
        self._days_at: dict[InstrumentId, Nanoseconds] = {}
        self._no_days = False
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def look(self) -> None:
        """Ask for what is due. To be called about once a second, and when other rows came in sight."""
        if tickers := self._due_tickers():
            self._start("tickers", lambda: self._queries.tickers(tickers), self._tickers_at, tickers)
        if days := self._due_days():
            self._start("days", lambda: self._bring_days(days), self._days_at, days)

    def link_lost(self) -> list[asyncio.Task[None]]:
        """Nothing can be asked for until there is a link, and then all of it. Returns what still ends."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        self._tasks.clear()
        self._tickers_at.clear()
        self._days_at.clear()
        self._no_days = False
        return tasks

    async def close(self) -> None:
        """End. Returns when nothing of it runs any more."""
        if tasks := self.link_lost():
            await asyncio.wait(tasks)

    def _due_tickers(self) -> list[InstrumentId]:
        interest = self._wants.interest
        if interest is None or self._running("tickers"):
            return []
        rows: Iterable[InstrumentId] = self._wants.rows()
        if interest.ranked:
            rows = dict.fromkeys((*rows, *self._wants.pinned[len(self._wants.full) :]))
        due = _due(rows, self._tickers_at, self._now() - TICKERS_AGAIN_NS)
        return [one for one in due if not self._brought(one)][:MAX_TICKERS]

    def _brought(self, instrument_id: InstrumentId) -> bool:
        """Return whether a channel brings an instrument's ticker."""
        venue = instrument_id.partition(":")[0]
        for kind, subject in ((Kind.TICKER, instrument_id), (Kind.VENUE_TICKER, venue)):
            route = self._ingest.route(self._ingest.channel_of(kind, subject))
            if route is not None and route.health.state is ChannelState.LIVE and route.health.last_message:
                return instrument_id in self._ingest.market.tickers
        return False

    def _due_days(self) -> list[InstrumentId]:
        interest = self._wants.interest
        if interest is None or not interest.days or self._no_days or self._running("days"):
            return []
        return _due(interest.visible, self._days_at, self._now() - DAYS_AGAIN_NS)[:DAYS_AT_ONCE]

    async def _bring_days(self, ids: list[InstrumentId]) -> None:
        try:
            await self._queries.days(ids)
        except CadenzaError as error:
            self._no_days = isinstance(error, ReplyError) and error.code in NO_SUCH_QUERY

    def _running(self, what: str) -> bool:
        return what in self._tasks and not self._tasks[what].done()

    def _start(
        self,
        what: str,
        make: Callable[[], object],
        asked: dict[InstrumentId, Nanoseconds],
        ids: list[InstrumentId],
    ) -> None:
        now = self._now()
        if len(asked) > 2 * len(self._wants.pinned) + MAX_TICKERS:
            asked.clear()
        asked.update(dict.fromkeys(ids, now))
        self._tasks[what] = asyncio.create_task(make())  # type: ignore[arg-type]


def _due(
    ids: Iterable[InstrumentId], asked: dict[InstrumentId, Nanoseconds], before: Nanoseconds
) -> list[InstrumentId]:
    return [one for one in ids if asked.get(one, before) <= before]
