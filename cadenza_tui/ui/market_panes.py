"""The panes of the market: what each is made from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cadenza_tui.feed.quotes import quote_trust
from cadenza_tui.market.interest import CandleOrigin, Interest
from cadenza_tui.market.quote import quote
from cadenza_tui.ui.memories import Kept, Memory, remembered
from cadenza_tui.ui.panes import PANES
from cadenza_tui.view.chart import INTERVAL, ChartMemory, chart
from cadenza_tui.view.depth_chart import DepthMemory, depth_chart
from cadenza_tui.view.flow import FlowMemory, flow
from cadenza_tui.view.heatmap import HeatMemory, heatmap
from cadenza_tui.view.ladder import LadderMemory, ladder
from cadenza_tui.view.states import empty_pane
from cadenza_tui.view.tape import tape
from cadenza_tui.view.tape_memory import TapeMemory
from cadenza_tui.view.venues import VenuesMemory, venue_books, venues
from cadenza_tui.view.watch_memory import WatchMemory
from cadenza_tui.view.watchlist import watchlist
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.ui.account_panes import AccountPanes
    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.source import Source
    from cadenza_tui.ui.trusts import Trusts
    from cadenza_tui.view.choices import Options
    from cadenza_tui.view.rows import Bars, Pane


class MarketPanes:
    """Makes the panes of the instrument that is selected, and the watchlist."""

    def __init__(
        self,
        source: Source,
        desk: Desk,
        preferences: Preferences,
        trusts: Trusts,
        accounts: AccountPanes,
        *,
        bars: Bars,
    ) -> None:
        self._source = source
        self._market = source.market
        self._desk = desk
        self._preferences = preferences
        self._trusts = trusts
        self._accounts = accounts
        self.bars = bars
        self.watch = WatchMemory()
        self.ladders = Kept(lambda _: LadderMemory())
        self.tapes = Kept(self._tape_memory)
        self.heats = Kept(lambda _: HeatMemory())
        self._flows: dict[InstrumentId, FlowMemory] = {}
        self._depths: dict[InstrumentId, DepthMemory] = {}
        self.charts = Kept(lambda _: ChartMemory())
        self.venues = Kept(lambda _: VenuesMemory())
        self._kept: dict[str, Kept[Any]] = {
            "book": self.ladders,
            "tape": self.tapes,
            "heat": self.heats,
            "chart": self.charts,
            "venues": self.venues,
        }
        self._makers: dict[str, Callable[[InstrumentId, int, int, int], Pane]] = {
            "book": self._book,
            "tape": self._tape,
            "heat": self._heat,
            "depth": self._depth,
            "flow": self._flow,
            "chart": self._chart,
            "venues": self._venues,
        }
        self.makers: dict[str, Callable[[int, int, int], Pane]] = {
            "instruments": self._instruments,
            **{name: partial(self._of_selected, name) for name in self._makers},
        }

    # -- what they remember ----------------------------------------------------------------------

    def memory(self, name: str) -> Memory | None:
        """Return what a pane remembers of the selected instrument, None where there is nothing to."""
        if name == "instruments":
            return self.watch
        kept, selected = self._kept.get(name), self._desk.selected
        return kept.of(selected) if kept is not None and selected is not None else None

    def _tape_memory(self, instrument_id: InstrumentId) -> TapeMemory:
        memory = TapeMemory()
        for unit, least in self._preferences.filters.items():
            if instrument_id in least:
                memory.least[unit] = least[instrument_id]
        return memory

    def options(self, name: str) -> Options:
        """Return what was chosen about a pane."""
        return self._preferences.options.get(name, {})

    def interest(self, shown: Collection[str]) -> Interest:
        """Return what the panes that are ``shown`` need beside the instrument and the pinned ones."""
        selected = self._desk.selected
        listed = "instruments" in shown
        return Interest(
            visible=tuple(self.watch.visible) if listed else (),
            venues=self._alike(selected) if selected is not None and "venues" in shown else (),
            candles=(selected, INTERVAL.of(self.options("chart")))
            if selected is not None and "chart" in shown
            else None,
            ranked=listed and self.watch.ranked,
            days=listed and self.watch.days,
        )

    def _alike(self, selected: InstrumentId) -> tuple[InstrumentId, ...]:
        return tuple(self.watch.alike(self._market, selected)) or (selected,)

    # -- panes -----------------------------------------------------------------------------------

    def _of_selected(self, name: str, width: int, height: int, now: int) -> Pane:
        """Return a pane of the selected instrument, or one that says why there is none yet."""
        selected = self._desk.selected
        if selected is None:
            return empty_pane(PANES[name].word, self._trusts.connection(now), width, height)
        return self._makers[name](selected, width, height, now)

    def _instruments(self, width: int, height: int, now: int) -> Pane:
        return watchlist(
            self._market,
            self._desk.pinned,
            self._desk.selected,
            width=width,
            height=height,
            memory=self.watch,
            options=self.options("instruments"),
            trust_of=lambda one: quote_trust(self._source.ingest, one, now),
            now=now,
        )

    def _book(self, selected: InstrumentId, width: int, height: int, now: int) -> Pane:
        return ladder(
            self._market.book(selected),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._trusts.book(selected, now),
            memory=self.ladders.of(selected),
            options=self.options("book"),
            group=self._preferences.group("book", selected),
            study=self._market.study(selected),
            own_orders=self._accounts.own_orders(),
            bars=self.bars,
            masked=self._preferences.masked,
            now=now,
        )

    def _tape(self, selected: InstrumentId, width: int, height: int, now: int) -> Pane:
        return tape(
            self._market.tape(selected),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._trusts.channel(Kind.TRADE, selected, now),
            memory=self.tapes.of(selected),
            options=self.options("tape"),
            instrument_id=selected,
            bars=self.bars,
            now=self._at_venue(now),
        )

    def _at_venue(self, now: int) -> int:
        """Return the server's time: prints are dated by it, so windows of them end there."""
        return now + int((self._market.health.connection.clock_offset_ms or 0.0) * 1_000_000)

    def _heat(self, selected: InstrumentId, width: int, height: int, now: int) -> Pane:
        return heatmap(
            self._market.study(selected).heat,
            self._market.book(selected),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._trusts.book(selected, now),
            memory=self.heats.of(selected),
            options=self.options("heat"),
            group=self._preferences.group("heat", selected),
            bars=self.bars,
            now=now,
        )

    def _depth(self, selected: InstrumentId, width: int, height: int, now: int) -> Pane:
        return depth_chart(
            self._market.book(selected),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._trusts.book(selected, now),
            memory=remembered(self._depths, selected, DepthMemory),
            options=self.options("depth"),
            study=self._market.study(selected),
            bars=self.bars,
            now=now,
        )

    def _flow(self, selected: InstrumentId, width: int, height: int, now: int) -> Pane:
        return flow(
            self._market.book(selected),
            self._market.study(selected),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._trusts.book(selected, now),
            memory=remembered(self._flows, selected, FlowMemory),
            options=self.options("flow"),
            now=now,
        )

    def _chart(self, selected: InstrumentId, width: int, height: int, now: int) -> Pane:
        options = self.options("chart")
        interval = INTERVAL.of(options)
        source = self._market.candle_sources.get((selected, interval))
        served = source is not None and source.origin is CandleOrigin.SERVER
        held = self._market.tapes.get(selected)
        return chart(
            self._market.klines.get((selected, interval)),
            held.tally if held is not None else None,
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._trusts.channel(Kind.KLINE, f"{selected}:{interval}", now)
            if served
            else self._trusts.channel(Kind.TRADE, selected, now),
            memory=self.charts.of(selected),
            options=options,
            source=source,
            bars=self.bars,
            now=now,
            last=quote(self._market, selected).price,
        )

    def _venues(self, selected: InstrumentId, width: int, height: int, now: int) -> Pane:
        memory = self.venues.of(selected)
        group = self._preferences.group("venues", selected)
        books = venue_books(self._market, self._alike(selected), lambda one: self._trusts.book(one, now))
        return venues(
            memory.consolidated(books, height, group),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._trusts.connection(now),
            memory=memory,
            options=self.options("venues"),
            group=group,
            bars=self.bars,
        )
