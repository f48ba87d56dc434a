"""What the screen looks at, turned into channels and queries: the rows that stay, not those that fly past."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from cadenza_tui.feed.candles import Candles
from cadenza_tui.feed.rows import Rows
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.feed.bootstrap import Bootstrap
    from cadenza_tui.feed.channels import Channels
    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.feed.subscriptions import Wants
    from cadenza_tui.market.interest import Interest
    from cadenza_tui.market.records import Nanoseconds

SETTLES_S = 0.15
"""Rows that have been in sight this long are looked at: those scrolled past are not asked for."""


class Attention:
    """Follows ``want``. All of it in one event loop."""

    def __init__(
        self,
        ingest: Ingest,
        wants: Wants,
        channels: Channels,
        queries: Bootstrap,
        now: Callable[[], Nanoseconds],
    ) -> None:
        self._ingest = ingest
        self._market = ingest.market
        self._wants = wants
        self._channels = channels
        self._now = now
        self._candles = Candles(ingest, queries.candles, channels.settled, now)
        self._rows = Rows(ingest, wants, queries, now)
        self._next: Interest | None = None
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None

    def want(self, interest: Interest) -> None:
        """Look at this besides what is shown: the chart and the venues at once, the rows when they stay."""
        before = self._next or self._wants.interest
        if interest == before:
            return
        self._next = interest
        if self._timer is not None:
            self._timer.cancel()
        now = self._wants.interest
        if now is None or (interest.candles, interest.venues) != (now.candles, now.venues):
            self._turn()
        else:
            self._timer = asyncio.get_running_loop().call_later(SETTLES_S, self._turn)

    def _turn(self) -> None:
        self._timer = None
        interest, self._next = self._next, None
        if interest is not None:
            self._wants.want(interest, self._now())
        self._channels.apply_plan()
        chart = None if self._wants.interest is None else self._wants.interest.candles
        self._candles.want(chart, connected=self._connected)
        if self._connected:
            self._rows.look()

    def listed(self) -> None:
        """The list of instruments is known: how much of a venue is looked at decides about its channel."""
        self._wants.sizes = Counter(each.venue for each in self._market.instruments.values())
        self._channels.apply_plan()
        self._rows.look()

    def connected(self) -> None:
        """The connection is up: the chart does not wait for the lists."""
        self._candles.ask()

    def link_lost(self) -> None:
        """Nothing can be asked for until there is a link."""
        self._candles.link_lost()
        self._rows.link_lost()

    def look(self) -> None:
        """See to what is due. To be called about once a second."""
        if self._connected:
            self._candles.look()
            self._rows.look()

    def failed(self, channel: str) -> None:
        """A channel was refused for good: a venue's tickers are then asked for one by one."""
        route = self._ingest.route(channel)
        if route is None or route.name.kind is not Kind.VENUE_TICKER or route.name.venue is None:
            return
        self._wants.without_whole.add(route.name.venue)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self._turn)

    async def close(self) -> None:
        """End. Returns when nothing of it runs any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._candles.close()
        await self._rows.close()

    @property
    def _connected(self) -> bool:
        return self._market.health.connection.state is ConnectionState.CONNECTED
