"""The depth chart: how much stands between the touch and each price, asks upwards and bids downwards.

Rows are multiples of one step of price, so a row says what can be had to exactly that price. A price farther
than the last one that the book holds has no curve: what stands there nobody knows.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import add, multiply
from cadenza_tui.market.grouped import Grouped
from cadenza_tui.market.increments import increments, tick_of
from cadenza_tui.market.records import BookType
from cadenza_tui.view.bars import EIGHTHS
from cadenza_tui.view.choices import Choice
from cadenza_tui.view.frame import trust_room
from cadenza_tui.view.numbers import (
    MINUS,
    UNKNOWN,
    Column,
    bps,
    fitted,
    number,
    plain,
    price_decimals,
    quantity_decimals,
    rounded,
    short,
    signed,
)
from cadenza_tui.view.rows import Bars, Ground, Pane, Role, Row, Span
from cadenza_tui.view.states import CURRENT, absence, border
from cadenza_tui.view.text import blank, centred, clip, fit_row, message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.book import AnySide, OrderBook
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.market.study import Study
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.choices import Options

TITLE: Row = (Span("Depth", Role.TITLE),)
PERIOD = 400_000_000
"""The curve is drawn at most so often, in ns: it is looked at, not read."""
LABELS = 3
"""Rows from one price to the next."""
LEAST_CURVE = 6
"""Cells of curve, for which the sums give way."""
MAXIMUM_SUM = 12
HEADROOM = 1.15
"""Room to grow: a curve that fills its pane would be drawn to another scale each time."""
AUTO_BPS = Decimal(10)
"""How far the curve goes on each side where the book goes farther, in basis points."""

RANGE = Choice(
    "range",
    "range",
    ("auto", "5", "10", "25", "50", "100", "200", "500"),
    "basis points on each side of the mid",
)
SUM = Choice("sum", "sum", ("quantity", "notional"), "what the curve adds up")
CHOICES = (RANGE, SUM)


class Point(NamedTuple):
    """What can be had to a price, the touch's side of it included; None where the book does not go so far."""

    price: Decimal
    total: Decimal | None


class Form(NamedTuple):
    """What is to be drawn."""

    width: int
    height: int
    bars: Bars
    reach: str
    notional: bool

    @property
    def bids(self) -> int:
        """Rows of the bids; the asks have as many, or one less."""
        return self.height // 2


@dataclass(slots=True)
class DepthMemory:
    """What a depth chart keeps from frame to frame, for one instrument."""

    price: Column = field(default_factory=Column)
    total: Column = field(default_factory=Column)
    scale: float = 0.0
    """What a full row stands for."""
    step: Decimal | None = None
    key: object = None
    at: int = 0
    """When it was drawn last, and when it was looked at last."""
    looked: int = -1
    version: int = -1
    body: tuple[Row, ...] = ()
    sides: dict[int, Grouped] = field(default_factory=dict)
    """Groups of the asks (1) and the bids (−1), where no study keeps them up."""


def depth_chart(
    book: OrderBook,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    memory: DepthMemory,
    options: Options,
    bars: Bars = Bars.TINT,
    now: int = 0,
    study: Study | None = None,
) -> Pane:
    """Return the Depth pane with a body of ``width`` x ``height`` cells.

    ``now`` in ns is the clock that paces it; with a ``study`` of the book its groups need not be made anew.
    """
    tick = tick_of(instrument, book)
    empty = book.best_bid is None and book.best_ask is None
    if not book.has_snapshot or tick is None or empty or width <= 0 or height <= 0:
        words = "The book is empty" if book.has_snapshot else absence(trust, book.instrument_id)
        trusted = border(trust, width=trust_room(TITLE, width))
        return Pane(TITLE, trusted, message(words, width, height), dimmed=trust.dimmed)
    form = Form(width, height, bars, RANGE.of(options), SUM.of(options) == "notional")
    key = (id(book), instrument, form)
    stands, memory.looked = (
        now == memory.looked,
        now,
    )  # as in a replay that pauses: there is nothing to wait for
    due = book.version != memory.version and (stands or not 0 <= now - memory.at < PERIOD)
    if key != memory.key:
        memory.step, memory.scale = None, 0.0
        memory.price = Column(price_decimals(instrument))
        memory.total = Column(2 if form.notional else quantity_decimals(instrument))
    if key != memory.key or due:
        memory.key, memory.at, memory.version = key, now, book.version
        memory.step = _step(book, memory, form, increments(tick))
        memory.body = _body(book, memory, form, memory.step, study)
    return Pane(TITLE, _trusted(book, memory, trust, width), memory.body, dimmed=trust.dimmed)


def _trusted(book: OrderBook, memory: DepthMemory, trust: Trust, width: int) -> Row:
    room = trust_room(TITLE, width)
    step = "" if memory.step is None else f"{number(plain(memory.step))} a row"
    if trust.state not in CURRENT:
        return border(trust, step, width=room)
    kind = f"{book.book_type} · " if book.book_type is not None else ""
    words = kind + step if len(kind + step) <= room else step
    return (Span(words, Role.TITLE),) if len(words) <= room else ()


def _body(
    book: OrderBook, memory: DepthMemory, form: Form, step: Decimal, study: Study | None
) -> tuple[Row, ...]:
    asks = _points(_grouped(book, book.asks, step, memory, study), form.height - 1 - form.bids, form)
    bids = _points(_grouped(book, book.bids, step, memory, study), form.bids, form)
    both = (*asks, *bids)
    largest = max((float(point.total) for point in both if point.total is not None), default=0.0)
    if not largest <= memory.scale < 2 * largest:
        memory.scale = largest * HEADROOM
    memory.price.grow([plain(point.price) for point in both])
    totals = [_text(point, form) for point in both]
    memory.total.grow([text for text in totals if text != UNKNOWN])
    rows = [_row(point, at, memory, form, asks=True) for at, point in enumerate(asks)]
    empty: Row = (Span(blank(form.width)),)
    rows += [empty] * (form.height - 1 - form.bids - len(rows))
    rows.reverse()
    rows.append(_middle(book, memory, form.width))
    rows += [_row(point, at, memory, form, asks=False) for at, point in enumerate(bids)]
    return tuple(rows)


def _step(book: OrderBook, memory: DepthMemory, form: Form, steps: Sequence[Decimal]) -> Decimal:
    """Return the price step of a row, so that the rows of a side reach as far as is wanted."""
    rows = max(form.bids, 1)
    best = book.best_bid or book.best_ask
    mid = book.mid() or Decimal(best.price if best is not None else 0)
    away = AUTO_BPS if form.reach == "auto" else Decimal(form.reach)
    wanted = abs(multiply(mid, away.scaleb(-4)))
    at = min(bisect_left([step * rows for step in steps], wanted), len(steps) - 1)
    held = memory.step
    # the mid wanders: a step that still serves is kept, lest all rows change
    if (
        held is not None
        and held in steps
        and abs(steps.index(held) - at) <= 1
        and held * rows >= wanted * Decimal("0.9")
    ):
        return held
    return steps[at]


def _grouped(
    book: OrderBook, side: AnySide, step: Decimal, memory: DepthMemory, study: Study | None
) -> Grouped:
    """Return a side in rows: the study's, which is kept up, or one that is made where there is none."""
    if study is not None and study.book is book:
        return study.grouped(side, step)
    held = memory.sides.get(side.sign)
    if held is None or held.side is not side or held.increment != step:
        held = memory.sides[side.sign] = Grouped(side, step)
    return held


def _points(grouped: Grouped, rows: int, form: Form) -> list[Point]:
    """Return the points of one side from the touch on, a step of price apart."""
    groups = grouped.rows(rows)
    if not groups:
        return []
    running = grouped.side.layout.book_type is BookType.VWAP
    away = grouped.increment if grouped.side.sign > 0 else -grouped.increment
    ends = len(groups) < rows
    points: list[Point] = []
    total: Decimal | None = Decimal(0)
    following = iter(groups)
    group = next(following, None)
    for at in range(rows):
        price = add(groups[0].price, multiply(away, Decimal(at)))
        if group is None:
            total = None if ends else total
        elif group.price == price:
            amount = group.notional if form.notional else group.quantity
            total = amount if running or total is None else add(total, amount)
            group = next(following, None)
        points.append(Point(price, total))
    return points


def _text(point: Point, form: Form) -> str:
    """Return a sum as plain text: a notional is rounded to two decimals, to two digits where that were 0."""
    if point.total is None:
        return UNKNOWN
    if not form.notional:
        return plain(point.total)
    shown = rounded(point.total, 2)
    if point.total and not shown.strip("0."):
        return short(point.total)
    return shown.replace(",", "").replace(MINUS, "-")


def _row(point: Point, at: int, memory: DepthMemory, form: Form, *, asks: bool) -> Row:
    """Return one price's row: the price, the curve, the sum. Every third one says its numbers."""
    width = form.width
    said = at % LABELS == 0
    price_width = memory.price.width
    total_width = min(memory.total.width, MAXIMUM_SUM)
    curve = width - price_width - total_width - 2
    if curve < LEAST_CURVE:
        total_width = -1
        curve = max(width - price_width - 1, 0)
    price = clip(memory.price.text(plain(point.price)), price_width) if said else blank(price_width)
    spans = [Span(price + " ", Role.MUTED)]
    spans += _curve(point.total, memory.scale, curve, form.bars, asks=asks)
    if total_width >= 0:
        spans.append(
            Span(" " + (_sum(_text(point, form), memory, total_width) if said else blank(total_width)))
        )
    return fit_row(tuple([span for span in spans if span.text]), width)


def _sum(text: str, memory: DepthMemory, width: int) -> str:
    if text == UNKNOWN:
        return memory.total.at_point(UNKNOWN)[-width:].rjust(width)
    shown = memory.total.text(text)
    return shown if len(shown) <= width else fitted(shown.strip(), width).rjust(width)


def _curve(total: Decimal | None, scale: float, cells: int, bars: Bars, *, asks: bool) -> list[Span]:
    """Return the curve's row: a tint up to its edge, which ends in eighths of a cell."""
    if total is None or cells <= 0 or scale <= 0.0:
        return [Span(blank(cells))]
    eighths = min(round(float(total) / scale * cells * 8), cells * 8) if total > 0 else 0
    eighths = max(eighths, 1) if total > 0 else 0
    role, ground = (Role.ASK, Ground.ASK_BAR) if asks else (Role.BID, Ground.BID_BAR)
    full, part = divmod(eighths, 8)
    if bars is Bars.ASCII:
        text = "=" * (full + (part > 0))
        return [Span(text, role), Span(blank(cells - len(text)))]
    inside = max(full - 1, 0)
    edge = "█" * (full - inside) + EIGHTHS[part]
    within = Span(blank(inside), Role.TEXT, ground) if bars is Bars.TINT else Span("░" * inside, role)
    return [within, Span(edge, role), Span(blank(cells - inside - len(edge)))]


def _middle(book: OrderBook, memory: DepthMemory, width: int) -> Row:
    """Return the row between the sides: the mid, and the spread where there is room."""
    mid, spread = book.mid(), book.spread()
    if mid is None or spread is None:
        words = "no bids" if book.best_bid is None else "no asks"
        return (Span(centred(words, width), Role.WARN, Ground.CURSOR),)
    shown = number(plain(mid), memory.price.shown_decimals)
    ratio = f"{signed(bps(spread, mid), 2, rounds=True).removeprefix('+')} bps"
    said = number(plain(spread), memory.price.shown_decimals)
    words = (
        f"spread {said}  {ratio}" if spread > 0 else f"locked  {ratio}" if not spread else f"crossed {said}"
    )
    role = Role.MUTED if spread > 0 else Role.WARN
    room = width - len(shown) - 2
    text = next((text for text in (words, words.partition("  ")[0], "") if len(text) <= room), "")
    row = (Span(shown, Role.STRONG, Ground.CURSOR), Span("  " + text, role, Ground.CURSOR))
    return fit_row(row, width, Ground.CURSOR)
