"""The ladder of a book: one price a row and every number at its place, as a stack or on an axis of prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.increments import tick_of
from cadenza_tui.market.records import BookType
from cadenza_tui.view import ladder_choices as choices
from cadenza_tui.view.frame import trust_room
from cadenza_tui.view.ladder_axis import on_axis
from cadenza_tui.view.ladder_choices import CHOICES
from cadenza_tui.view.ladder_lines import resolve
from cadenza_tui.view.ladder_memory import LadderMemory
from cadenza_tui.view.ladder_read import reader
from cadenza_tui.view.ladder_scene import Scene
from cadenza_tui.view.ladder_stack import stack
from cadenza_tui.view.ladder_widths import group_decimals
from cadenza_tui.view.numbers import number, plain, price_decimals
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import absence, border
from cadenza_tui.view.text import fit_row, message, row_cells

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Instrument, Order
    from cadenza_tui.market.study import Study
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.choices import Options

__all__ = ["CHOICES", "LadderMemory", "ladder"]

TITLE: Row = (Span("Book", Role.TITLE),)
LEAST_WIDTH = 3
"""Cells that the mark and the price take at least."""
NEAR = 20
"""Levels a side that show how large sums are going to be."""


def ladder(
    book: OrderBook,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    memory: LadderMemory,
    options: Options,
    group: Decimal | None = None,
    study: Study | None = None,
    own_orders: Sequence[Order] = (),
    bars: Bars = Bars.TINT,
    masked: bool = False,
    now: int = 0,
) -> Pane:
    """Return the Book pane with a body of ``width`` x ``height`` cells.

    ``group`` is the increment of price in force, None for the book's own levels; the axis then goes by the
    tick. A VWAP book is a curve: it is never grouped, and always a stack. Without a ``study`` nothing is said
    of order flow and queues. ``own_orders`` may be of any instrument and in any state; the working ones of
    this one are marked. ``now`` is not used: nothing here ages but the trust.
    """
    kind = book.book_type.value if book.book_type is not None else ""
    running = book.book_type is BookType.VWAP
    if running or group is None or not group.is_finite() or group <= 0:
        group = None
    grouped = ""
    if group is not None:
        grouped = f"group {number(plain(group), group_decimals(group, price_decimals(instrument)))}"
    trusted = _border(trust, kind, grouped, trust_room(TITLE, width))
    if not book.has_snapshot:
        body = message(absence(trust, book.instrument_id), width, height)
        return Pane(TITLE, trusted, body, dimmed=trust.dimmed)
    flow = None
    if study is not None:  # to ask whether it is known keeps it awake, also while nothing is made anew
        flow = (study.flow.version, choices.STACKED.of(options) == "on" and study.flow.known)
    markets = (book, book.version, instrument, study, flow)
    given = (*markets, tuple(own_orders), dict(options), group, width, height, bars, masked)
    kept = memory.unchanged(given)
    if kept is not None:
        return Pane(TITLE, trusted, kept, dimmed=trust.dimmed)
    step = group
    if choices.SHAPE.of(options) == "dom" and not running:
        step = group or tick_of(instrument, book)
    on_an_axis = step is not None and choices.SHAPE.of(options) == "dom"
    notional = choices.CUMULATIVE.of(options) == "notional"
    memory.widths.adopt(book.instrument_id, instrument, step, kind, on_an_axis, notional)
    if memory.widths.sums.decimals < 0:
        resolve([*book.bids.top(NEAR), *book.asks.top(NEAR)], memory.widths)
    scene = Scene(
        book=book,
        instrument=instrument,
        width=width,
        height=height,
        memory=memory,
        options=options,
        reader=reader(book, step, study, own_orders, memory=memory, queue=choices.QUEUE.of(options) == "on"),
        study=study,
        bars=bars,
        masked=masked,
        running=running,
        decimals=memory.raw_decimals(instrument, book),
    )
    rows = on_axis(scene, step) if on_an_axis and step is not None else stack(scene)
    body = tuple(rows if width >= LEAST_WIDTH else [fit_row(row, width) for row in rows])
    memory.keep(given, body)
    return Pane(TITLE, trusted, body, dimmed=trust.dimmed)


def _border(trust: Trust, kind: str, grouped: str, room: int) -> Row:
    """Return the state with the kind of book and the group in force: where it is narrow, the group alone."""
    whole = border(trust, " · ".join(word for word in (kind, grouped) if word), width=room)
    return border(trust, grouped, width=room) if grouped and row_cells(whole) > room else whole
