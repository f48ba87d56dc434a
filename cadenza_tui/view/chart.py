"""The candle chart of one instrument: a server's candles, or those made from prints and labelled so."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cadenza_tui.market.candles import INTERVALS
from cadenza_tui.market.charted import Charted
from cadenza_tui.market.interest import CandleOrigin
from cadenza_tui.view import chart_axes as axes
from cadenza_tui.view.chart_grid import Grid, Look, columns_back, columns_on
from cadenza_tui.view.choices import Choice
from cadenza_tui.view.frame import trust_room
from cadenza_tui.view.numbers import Column, clock, plain, price_decimals, quantity_decimals
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import CURRENT, absence, border
from cadenza_tui.view.text import blank, message, safe

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.interest import CandleSource
    from cadenza_tui.market.records import Instrument, Kline, Nanoseconds
    from cadenza_tui.market.tally import Tally
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.chart_cells import Scale
    from cadenza_tui.view.choices import Options

INTERVAL = Choice(
    "interval", "interval", ("1m", *(name for name in INTERVALS if name != "1m")), "of one candle"
)
VOLUME = Choice("volume", "volume", ("on", "off"), "what was traded, below the candles")
VWAP = Choice("vwap", "VWAP line", ("on", "off"), "mean price of the day, of the month for days and longer")
SPACING = Choice("spacing", "columns a candle", ("auto", "1", "2", "3"), "how wide a candle and its gap are")
CHOICES = (INTERVAL, VOLUME, VWAP, SPACING)
LEAST_PLOT = 10
"""Cells of candles below which the prices beside them have to go."""


@dataclass(slots=True)
class ChartMemory:
    """What a chart keeps from frame to frame: candles, scales, cells, and where in time it stands."""

    price: Column = field(default_factory=Column)
    charted: Charted = field(default_factory=Charted)
    grid: Grid = field(default_factory=Grid)
    cursor: Nanoseconds | None = None
    """Opening time of the candle that is looked at; None: the newest."""
    first: Nanoseconds | None = None
    """Opening time of the first candle in sight."""
    scale: Scale | None = None
    full: Decimal | None = None
    """The volume that a full bar stands for."""
    _adopted: tuple[object, ...] = ()
    _room: int = 1

    def move(self, by: int) -> None:
        """Look at another candle, ``by`` later or, negative, earlier; beyond the newest it follows again."""
        times = self.charted.times
        if not times:
            return
        at = len(times) - 1 if self.cursor is None else min(bisect_left(times, self.cursor), len(times) - 1)
        if by > 0 and at + by > len(times) - 1:
            self.cursor = None
        else:
            self.cursor = times[max(at + by, 0)]

    def page(self, by: int) -> None:
        """Move by almost all that is in sight."""
        self.move(by * max(self._room - 2, 1))

    def centre(self) -> None:
        """Follow the newest candle."""
        self.cursor = self.first = None

    def release(self) -> bool:
        """Let go of the candle that is looked at; return whether there was one."""
        held = self.cursor is not None
        self.centre()
        return held

    def adopt(self, instrument: Instrument | None, interval: str) -> None:
        """Begin anew when the instrument or the interval is another one."""
        adopted = (price_decimals(instrument), interval)
        if adopted == self._adopted:
            return
        if not self._adopted or self._adopted[0] != adopted[0]:
            self.price = Column(price_decimals(instrument))
        self._adopted = adopted
        self.cursor = self.first = None
        self.scale = self.full = None

    def place(self, room: int) -> list[int]:
        """Return the candles in sight by their place, -1 for none, ``chart_grid.GAP`` where many are.

        The newest moves on to the right; the rest moves when it has no more room, for seconds by a quarter.
        """
        self._room = room
        times, interval = self.charted.times, self.charted.interval
        newest = len(times) - 1
        at = newest if self.cursor is None else min(bisect_left(times, self.cursor), newest)
        first = bisect_left(times, self.first) if self.first is not None else -1
        shown = columns_on(times, first, room, interval) if 0 <= first <= newest else []
        spare = room // 4 if interval == "1s" else 0
        if self.cursor is not None:
            keeps = at in shown
        else:
            keeps = at in shown and (not first or len(shown) >= room - max(spare, 1))
        if not keeps:
            if self.cursor is not None and first >= 0 and at < first:
                first = at
            else:
                first = columns_back(times, at, room - (spare if self.cursor is None else 0), interval)
            shown = columns_on(times, first, room, interval)
        self.first = times[first] if first else None
        if self.first is None and times:
            self.first = times[0]
        return shown

    def fit(self, shown: list[int], last: Decimal | None, rows: int, volumes: int) -> Scale:
        """Fit the scales to the candles in sight, and return that of prices; they stay while they serve."""
        points = [self.charted.points[place] for place in shown if place >= 0]
        low = min(point.low for point in points)
        high = max(point.high for point in points)
        if last is not None and self.cursor is None:
            low, high = min(low, last), max(high, last)
        self.scale = axes.scale(self.scale, low, high, rows, self.price.shown_decimals)
        traded = [point.volume for point in points if point.volume is not None]
        largest = max(traded, default=None) if volumes else None
        if largest is None or self.full is None or not largest <= self.full <= 2 * largest:
            self.full = largest
        return self.scale


def chart(
    kline: Kline | None,
    tally: Tally | None,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    memory: ChartMemory,
    options: Options,
    source: CandleSource | None = None,
    bars: Bars = Bars.TINT,
    now: Nanoseconds,
    last: Decimal | None = None,
) -> Pane:
    """Return the Chart pane with a body of ``width`` x ``height`` cells.

    Candles come from ``kline`` where the server has them, else from the prints in ``tally``; the title says
    so. ``trust`` is that of the channel they come from, ``last`` the last price, which stands on the axis.
    """
    interval = INTERVAL.of(options)
    memory.adopt(instrument, interval)
    origin = source.origin if source is not None else None
    if kline is not None and not kline.candles:
        kline = None
    asked = kline is None and origin in (CandleOrigin.ASKED, CandleOrigin.SERVER)
    from_prints = not asked and (kline is None or origin is CandleOrigin.HISTORY)
    memory.charted.follow(interval, kline, tally if from_prints else None)
    title = _title(interval, kline, made=from_prints)
    reason = safe(source.reason) if source is not None and from_prints else ""
    if not memory.charted.points:
        words = absence(trust, "the server is asked for candles" if asked else "no prints yet")
        return Pane(title, border(trust), message(words, width, height), dimmed=trust.dimmed)

    legend, timeline = height >= 7, height >= 5
    body = height - legend - timeline
    volumes = min(max(body // 5, 1), 8) if VOLUME.of(options) == "on" and body >= 7 else 0
    rows = max(body - volumes, 1)
    told = axes.told(memory.charted, memory.cursor)
    memory.price.grow([plain(price) for price in (told.open, told.high, told.low, told.close)])
    if last is not None:
        memory.price.grow([plain(last)])
    axis = memory.price.width + 3 if width >= memory.price.width + 3 + LEAST_PLOT else 0
    plot = width - axis
    spacing = SPACING.of(options)
    pitch = int(spacing) if spacing != "auto" else 2 if plot >= 56 else 1
    shown = memory.place(max(plot // pitch, 1))
    scale = memory.fit(shown, last, rows, volumes)
    ticks = axes.price_ticks(scale, memory.price)
    if axis and memory.price.width + 3 != axis:  # a price beside the candles needs more room than they did
        axis = min(memory.price.width + 3, width - 1)
        plot = width - axis
        shown = memory.place(max(plot // pitch, 1))
    look = Look(
        scale, memory.full, plot, pitch, volumes, VWAP.of(options) == "on", memory.price.shown_decimals, bars
    )
    memory.grid.draw(memory.charted, shown, look, memory.cursor)
    made: list[Row] = []
    if legend:
        decimals = quantity_decimals(instrument)
        made.append(
            axes.legend(memory.charted, look, memory.cursor, memory.price, decimals=decimals, width=width)
        )
    made += memory.grid.rows(axes.price_axis(look, ticks, last, memory.price, width=axis))
    if timeline:
        made.append(axes.time_axis(memory.charted, shown, look, memory.cursor, width=width))
    made += [(Span(blank(width)),)] * (height - len(made))
    since = tally.total.first_at if from_prints and tally is not None and tally.total is not None else None
    trusted = _trust(memory, shown, trust, since, reason=reason, room=trust_room(title, width))
    return Pane(title, trusted, tuple(made[:height]), dimmed=trust.dimmed)


def _title(interval: str, kline: Kline | None, *, made: bool) -> Row:
    title = [Span("Chart", Role.TITLE), Span(f" · {interval}", Role.TITLE)]
    if made:
        title.append(Span(" · from prints" if kline is None else " · newest from prints", Role.WARN))
    return tuple(title)


def _trust(
    memory: ChartMemory, shown: list[int], trust: Trust, since: Nanoseconds | None, *, reason: str, room: int
) -> Row:
    """Return what the border says in ``room`` cells: how much is later, else how far it can be trusted."""
    newest = len(memory.charted.points) - 1
    latest = max(shown)
    if memory.cursor is not None and latest < newest:
        return (Span(f"‖ {newest - latest:,} later", Role.ACCENT),)
    if trust.state not in CURRENT or since is None:
        return border(trust, width=room)
    words = f"since {clock(since)[:5]}"
    if reason and len(reason) + len(words) + 3 <= room:
        words = f"{reason} · {words}"
    return (Span(words, Role.TITLE),) if len(words) <= room else ()
