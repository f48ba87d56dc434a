"""The liquidity heatmap: what stood at each price, second by second, and what was traded there."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.heat import SECOND
from cadenza_tui.market.heat_window import Window
from cadenza_tui.market.increments import increments, tick_of
from cadenza_tui.market.records import BookType
from cadenza_tui.view.choices import Choice
from cadenza_tui.view.frame import trust_room
from cadenza_tui.view.heatmap_axes import PriceAxis, time_row
from cadenza_tui.view.heatmap_cells import Looks, cells_a_row, column_cells, joined
from cadenza_tui.view.heatmap_grid import Grid
from cadenza_tui.view.heatmap_scope import Scope
from cadenza_tui.view.numbers import clock, number, plain
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import CURRENT, absence, border
from cadenza_tui.view.text import blank, fit_row, message

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.heat import Heat
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.choices import Options

TITLE: Row = (Span("Liquidity", Role.TITLE),)
LEAST_ROWS = 5
"""Rows of a pane from which on the last one is the axis of time."""
LEAST_COLUMNS = 4
DOTS_EVERY = 4
"""Columns after which the sizes of dots are looked at anew."""
FEW_DOTS, ENOUGH_DOTS = 4, 12
"""Fewer dots are all drawn, and from so many on some are larger than others."""
NOTABLE, LARGE = 4, 20
"""One in so many dots is of those that are drawn first of all, one in so many is larger."""

COLUMN = Choice(
    "column", "seconds a column", ("2", "5", "10", "1"), "how much time a column of cells stands for"
)
CUT = Choice(
    "cut", "cut-off", ("98.5", "99.5", "100", "90", "95"), "the percentile from which a cell is brightest"
)
PRINTS = Choice(
    "prints", "prints", ("large", "all", "off"), "trades as dots, filled for buyers and hollow for sellers"
)
TOUCH = Choice("touch", "touch line", ("on", "off"), "the way of the best bid and the best ask")
CHOICES = (COLUMN, CUT, PRINTS, TOUCH)


class Wish(NamedTuple):
    """What is to be drawn."""

    width: int
    height: int
    seconds: int
    """Of a column."""
    cut: str
    prints: str
    line: bool
    group: Decimal | None
    bars: Bars


@dataclass(slots=True)
class HeatMemory:
    """What a heatmap keeps from frame to frame, for one instrument."""

    scope: Scope = field(default_factory=Scope)
    axis: PriceAxis | None = None
    grid: Grid | None = None
    key: object = None
    """What the grid was made for."""
    settled: list[Row] = field(default_factory=list)
    """The rows without the newest column, which still changes."""
    settled_columns: int = 0
    chart: list[Row] = field(default_factory=list)
    dots: tuple[float, float] = (0.0, inf)
    """The sizes from which a dot is notable, and from which it is larger."""
    drawn: Wish | None = None
    """What the chart was drawn for."""
    prices: list[Row] | None = None
    """What stands on the right."""
    body: tuple[Row, ...] = ()
    steps: tuple[Decimal, ...] = ()
    cell: Decimal | None = None
    """The price step of a cell that is in force."""

    def move(self, by: int) -> None:
        """Move ``by`` rows of price, upwards if negative; the market is not followed in price then."""
        self.scope.raise_by(-by)

    def page(self, by: int) -> None:
        """Move ``by`` halves of the pane in price, upwards if negative."""
        self.scope.raise_by(-by * max(self.scope.rows // 2, 1))

    def shift(self, by: int) -> None:
        """Move ``by`` quarters of the pane in time, back if negative, as far as there are samples."""
        self.scope.shift(by)

    def centre(self) -> None:
        """Follow the market again, in time and in price."""
        self.scope.follow()

    def release(self) -> bool:
        """Follow the market again; return whether it was not followed."""
        was = not self.scope.following
        self.scope.follow()
        return was

    def step(self, by: int) -> Decimal | None:
        """Return the price step of a cell ``by`` steps coarser than the one in force, finer if negative.

        None before anything has been drawn.
        """
        steps, cell = self.steps, self.cell
        if not steps or cell is None:
            return None
        at = bisect_right(steps, cell) + by - 1 if by > 0 else bisect_left(steps, cell) + by
        return steps[min(max(at, 0), len(steps) - 1)]


def heatmap(
    heat: Heat | None,
    book: OrderBook,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    memory: HeatMemory,
    options: Options,
    group: Decimal | None = None,
    bars: Bars = Bars.TINT,
    now: int = 0,
) -> Pane:
    """Return the Liquidity pane with a body of ``width`` x ``height`` cells.

    ``group`` is the price step of a cell, None for one that suits the market. ``now`` in ns is the source's
    clock: seconds up to it that have no sample are a gap.
    """
    tick = tick_of(instrument, book)
    words = ""
    if book.book_type is BookType.VWAP:
        words = "Its book is a curve of average prices: nothing stands at a price. See the depth chart."
    elif heat is None or tick is None or (not len(heat) and not book.has_snapshot):
        words = absence(trust, book.instrument_id)
    elif not len(heat):
        words = "The first second is being sampled"
    elif memory.grid is None and not (book.best_bid or book.best_ask or heat.last_price):
        words = "The book is empty"
    if words or heat is None or tick is None or width <= 0 or height <= 0:
        trusted = border(trust, width=trust_room(TITLE, width))
        return Pane(TITLE, trusted, message(words, width, height), dimmed=trust.dimmed)
    memory.steps = increments(tick)
    wish = Wish(
        width,
        height,
        int(COLUMN.of(options)),
        CUT.of(options),
        PRINTS.of(options),
        TOUCH.of(options) == "on",
        group,
        bars,
    )
    if memory.axis is None or memory.axis.instrument != instrument:
        memory.axis = PriceAxis(instrument)
    body = _body(heat, book, memory, memory.axis, wish, now=now)
    return Pane(TITLE, _trusted(memory, wish, trust), body, dimmed=trust.dimmed)


def _trusted(memory: HeatMemory, wish: Wish, trust: Trust) -> Row:
    """Return the border's right: what a column, a cell and the brightest stand for, as much as has room."""
    room = trust_room(TITLE, wish.width)
    seconds, cut = wish.seconds, wish.cut
    step = "" if memory.cell is None else number(plain(memory.cell))
    back: Row = ()
    grid = memory.grid
    if grid is not None and not memory.scope.in_present:
        until = clock((grid.first + len(grid.columns)) * grid.seconds * SECOND).removesuffix("Z")
        back = (Span(f"‹ to {until}", Role.ACCENT), Span(" · ", Role.TITLE))
        room -= len(until) + 8
    if trust.state not in CURRENT:
        return (*back, *border(trust, f"{seconds} s · {step} · p{cut}", width=room))
    said = (
        f"{seconds} s a column · {step} a cell · cut at p{cut}",
        f"{seconds} s · {step} a cell · p{cut}",
        f"{seconds} s · {step} · p{cut}",
        f"{seconds} s · {step}",
    )
    words = next((words for words in said if len(words) <= room), said[-1])
    return (*back, Span(words, Role.TITLE))


def _body(
    heat: Heat, book: OrderBook, memory: HeatMemory, axis: PriceAxis, wish: Wish, *, now: int
) -> tuple[Row, ...]:
    width, scope, per = wish.width, memory.scope, cells_a_row(wish.bars)
    rows = wish.height - 1 if wish.height >= LEAST_ROWS else wish.height
    axis.grow(book, heat.last_price)
    drawn = memory.drawn
    while True:
        columns = max(width - axis.width, min(LEAST_COLUMNS, width))
        scope.frame(heat, columns, rows, per, wish.seconds)
        grid = memory.grid
        key = (id(heat), heat.generation, wish._replace(prints="", line=False), axis.width, memory.steps)
        if grid is None or key != memory.key or scope.lost(heat, book):
            step = scope.place(heat, book, wish.group, memory.steps)
            grid = memory.grid = Grid(
                heat,
                Window(heat, step, scope.bottom, rows * per),
                first=scope.first,
                width=columns,
                seconds=wish.seconds,
                percentile=float(wish.cut),
            )
            memory.key, memory.cell, drawn = key, step, None
        if not axis.reach(grid, per):  # else its prices need more room than there was
            break
    changed = min(grid.turn(scope.first), grid.fill(now))
    if drawn != wish:
        changed, memory.drawn = 0, wish
    if changed < columns:
        _draw(memory, grid, rows, wish, changed)
    prices = axis.rows(grid, heat.last_price, per)
    if changed == columns and prices is memory.prices:
        return memory.body
    memory.prices = prices
    free = columns - len(grid.columns)
    rest = (Span(blank(free)),) if free > 0 else ()
    body = [fit_row((*row, *rest, *price), width) for row, price in zip(memory.chart, prices, strict=True)]
    if rows < wish.height:
        body.append(fit_row(time_row(grid, axis.width, wish.bars), width))
    memory.body = tuple(body)
    return memory.body


def _draw(memory: HeatMemory, grid: Grid, rows: int, wish: Wish, changed: int) -> None:
    """Draw the columns from ``changed`` on; those before the newest are settled."""
    if not changed or len(grid.columns) % DOTS_EVERY == 0:
        dots, before = _dot_sizes(grid), memory.dots
        if not changed or not before[0] * 2 <= dots[0] * 3 <= before[0] * 4.5:
            memory.dots, changed = dots, 0
    settled, at = memory.settled, memory.settled_columns
    if changed < at or not changed:
        settled, at = [()] * rows, 0
    notable, large = memory.dots
    looks = Looks(wish.bars, wish.line, {"large": notable, "all": 0.0}.get(wish.prints), large)
    newest = len(grid.columns) - 1
    chart = settled
    for place in range(at, newest + 1):
        chart = list(map(joined, settled, column_cells(grid.columns[place], grid.cut, rows, looks)))
        if place < newest:
            settled = chart
    memory.chart, memory.settled, memory.settled_columns = chart, settled, max(newest, 0)


def _dot_sizes(grid: Grid) -> tuple[float, float]:
    """Return the sizes from which on a dot is notable, and larger than others, by what is shown."""
    sizes = sorted([dot.quantity for column in grid.columns for dot in column.dots.values()])
    count = len(sizes)
    return (
        sizes[-count // NOTABLE] if count >= FEW_DOTS else 0.0,
        sizes[-count // LARGE] if count >= ENOUGH_DOTS else inf,
    )
