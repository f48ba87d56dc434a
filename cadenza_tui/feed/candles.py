"""The candles of the chart: those before by query, what follows by their channel.

Where the server has neither the market says so, and they are made from prints.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cadenza_tui.centrifugo.errors import ReplyError
from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed.resync import NO_SUCH_QUERY
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.interest import CandleOrigin, CandleSource
from cadenza_tui.market.state import Topic
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.market.health import ChannelHealth
    from cadenza_tui.market.records import InstrumentId, Nanoseconds

SECOND = 1_000_000_000
PATIENCE_NS = 5 * SECOND
"""A channel that is live and brings no candle for so long has none, if the query has none either."""
BEHIND_NS = 15 * SECOND
"""Candles that end so long before the latest print, and longer than they last, are not kept up."""
AGAIN_NS = 30 * SECOND
"""Candles that only the query brings, and an answer that failed, are asked for again after so long."""

Chart: TypeAlias = "tuple[InstrumentId, str]"


class _Asked(NamedTuple):
    """What is known of the query: when it was answered (None: not yet), why not, and whether ever."""

    at: Nanoseconds | None = None
    trouble: str = ""
    never: bool = False


class Candles:
    """Keeps the candles that are looked at, and says in ``market.candle_sources`` where they come from.

    ``fetch`` brings and applies those before, raising CadenzaError; ``settled`` returns once channels are
    subscribed to, so that nothing is missed in between.
    """

    def __init__(
        self,
        ingest: Ingest,
        fetch: Callable[[InstrumentId, str], Awaitable[None]],
        settled: Callable[[Sequence[str]], Awaitable[None]],
        now: Callable[[], Nanoseconds],
    ) -> None:
        self._ingest = ingest
        self._market = ingest.market
        self._fetch = fetch
        self._settled = settled
        self._now = now
        self._chart: Chart | None = None
        self._asked = _Asked()
        self._task: asyncio.Task[None] | None = None

    def want(self, chart: Chart | None, *, connected: bool) -> None:
        """Turn to another chart; its channel is wanted already."""
        if chart == self._chart:
            return
        if self._chart is not None:
            self._market.candle_sources.pop(self._chart, None)
        self._chart = chart
        self._forget()
        if connected:
            self.ask()
        self._judge()

    def ask(self) -> None:
        """Ask for the candles before, as when the connection is up, unless that is done."""
        if self._chart is not None and self._task is None:
            self._task = asyncio.create_task(self._bring(self._chart))

    def link_lost(self) -> None:
        """Nothing can be asked for until there is a link."""
        self._forget()

    def look(self) -> None:
        """See whether what was hoped for has come. To be called about once a second."""
        if self._chart is None:
            return
        asked = self._asked
        source = self._market.candle_sources.get(self._chart)
        waits = source is None or source.origin is not CandleOrigin.SERVER or asked.trouble
        idle = self._task is None or self._task.done()
        due = asked.at is not None and self._now() - asked.at >= AGAIN_NS
        if waits and idle and due and not asked.never:
            self._task = asyncio.create_task(self._bring(self._chart))
        self._judge()

    async def close(self) -> None:
        """End. Returns when nothing of it runs any more."""
        task = self._task
        self._forget()
        if task is not None:
            await asyncio.wait([task])

    def _forget(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._asked = _Asked()

    async def _bring(self, chart: Chart) -> None:
        channel = self._ingest.channel_of(Kind.KLINE, ":".join(chart))
        if channel:
            await self._settled([channel])
        trouble, never = "", False
        try:
            await self._fetch(*chart)
        except CadenzaError as error:
            trouble = str(error)
            never = isinstance(error, ReplyError) and error.code in NO_SUCH_QUERY
        self._asked = _Asked(self._now(), trouble, never)
        self._judge()

    def _judge(self) -> None:
        """Say where the candles come from, as far as is known now."""
        if self._chart is None:
            return
        source = self._source(self._chart)
        if self._market.candle_sources.get(self._chart) != source:
            self._market.candle_sources[self._chart] = source
            self._market.dirty.mark(Topic.KLINE, self._chart[0])

    def _source(self, chart: Chart) -> CandleSource:
        health = self._health(chart)
        asked, held = self._asked, self._market.klines.get(chart)
        refused = ""
        if health is None:
            refused = "there is no channel of candles"
        elif health.state is ChannelState.FAILED:
            refused = f"the channel of candles: {health.reason}"
        if held is not None and held.candles:
            if refused or self._behind(chart):
                return CandleSource(
                    CandleOrigin.HISTORY, refused or "the server keeps quiet about what follows"
                )
            return CandleSource(CandleOrigin.SERVER)
        if asked.at is None:
            return CandleSource(CandleOrigin.ASKED)
        if not refused and self._now() - asked.at < PATIENCE_NS:
            return CandleSource(CandleOrigin.ASKED)
        return CandleSource(CandleOrigin.PRINTS, refused or asked.trouble or "the server has sent no candle")

    def _health(self, chart: Chart) -> ChannelHealth | None:
        route = self._ingest.route(self._ingest.channel_of(Kind.KLINE, ":".join(chart)))
        return None if route is None else route.health

    def _behind(self, chart: Chart) -> bool:
        """Return whether prints go on where candles do not."""
        held, tape = self._market.klines[chart], self._market.tapes.get(chart[0])
        latest = tape.latest(1) if tape is not None else []
        lasts = held.candles[-1].open_time - held.candles[-2].open_time if len(held.candles) > 1 else 0
        return bool(latest) and latest[0].timestamp - held.timestamp > max(BEHIND_NS, min(lasts, 60 * SECOND))


def recorded(market_has: bool, interval: str) -> CandleSource:
    """Return where a recording's candles come from."""
    if market_has:
        return CandleSource(CandleOrigin.SERVER)
    return CandleSource(CandleOrigin.PRINTS, f"the recording has no candles of {interval} here")
