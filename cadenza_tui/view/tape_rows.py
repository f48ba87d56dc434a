"""The rows of a tape, each made once for its content."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.records import Side
from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import DOWN, LEVEL, UP, Column, fitted, plain, rounded, short, tape_time
from cadenza_tui.view.rows import Bars, Ground, Role, Row, Span
from cadenza_tui.view.text import blank, fit_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.sweeps import Entry
    from cadenza_tui.market.tape import Hole

MAX_BAR = 24
NARROW = 4
"""Bars of up to so many cells are drawn to an eighth of one, longer ones as a tint of the ground."""
ORDINARY, LARGE, HUGE = 0, 1, 2
MARKS = (" ", "•", "●")
"""Before the time of an ordinary, a large and a huge print."""
HUGE_FROM = 6.0
"""A huge print is so many times what is large."""
WITH_HOUR, TIME = 13, 10
"""Cells of a time to the millisecond, the blank behind it included, with the hour and without it."""
COUNT = 7
NOTIONAL = 11


class Shape(NamedTuple):
    """How many cells each column of a tape has; 0 for one that is left out."""

    time: int
    price: int
    gap: int
    quantity: int
    bar: int
    several: int = 0
    """For the number of a sweep's prints."""
    opened: int = 0
    notional: int = 0


def shape(width: int, price: int, quantity: int, *, aggregate: bool) -> Shape:
    """Share out the width: when narrow the hour goes first, then the bar, the time, then the size.

    What there is more gives sweeps their count and first price, then the notional, then a longer bar.
    """
    fixed = 1 + 2 + price + quantity
    for time, gap, bar_width in (
        (WITH_HOUR, 2, 2), (WITH_HOUR, 1, 2), (TIME, 2, 2), (TIME, 1, 1), (TIME, 1, 0), (0, 2, 0), (0, 1, 0)
    ):  # fmt: skip
        room = width - fixed - time - gap - (1 if bar_width else 0)
        if room < bar_width:
            continue
        count = COUNT if aggregate and room >= bar_width + COUNT else 0
        room -= count
        opened = price + 2 if count and room >= price + 2 + 6 else 0
        room -= opened
        notional = NOTIONAL if room >= NOTIONAL + 8 else 0
        room -= notional
        return Shape(
            time, price, gap, quantity, min(room, MAX_BAR) if bar_width else 0, count, opened, notional
        )
    return Shape(0, price, 1, max(min(quantity, width - 4 - price), 0), 0)


def header(shape: Shape, width: int) -> Row:
    """Return the names of the columns."""
    text = " " + ("time".ljust(shape.time) if shape.time else "")
    text += "  " + "price".rjust(shape.price) + "from".rjust(shape.opened)[: shape.opened]
    if shape.quantity >= 4:
        text += blank(shape.gap) + ("quantity" if shape.quantity >= 9 else "size").rjust(shape.quantity)
    if shape.several:
        text += "prints".rjust(shape.several)
    if shape.notional:
        text += "notional".rjust(shape.notional)
    return fit_row((Span(text, Role.FAINT),), width)


def entry_row(
    entry: Entry, eighths: int, tier: int, *, shape: Shape, price: Column, quantity: Column, bars: Bars
) -> Row:
    """Return the row of an entry, its bar ``eighths`` of cells long."""
    large = tier > ORDINARY
    ground = Ground.PANEL
    if entry.aggressor is Side.BUY:
        glyph, role = UP, Role.BID_STRONG if large else Role.BID
        ground = Ground.BID_BAR if tier == HUGE and bars is Bars.TINT else ground
    elif entry.aggressor is Side.SELL:
        glyph, role = DOWN, Role.ASK_STRONG if large else Role.ASK
        ground = Ground.ASK_BAR if tier == HUGE and bars is Bars.TINT else ground
    else:
        glyph, role = LEVEL, Role.STRONG if large else Role.TEXT
    number = Role.STRONG if large else Role.TEXT
    time = tape_time(entry.timestamp)
    if shape.time < WITH_HOUR and len(time) > TIME:
        time = time[WITH_HOUR - TIME :]
    time = time.ljust(shape.time) if shape.time else ""
    mark = MARKS[tier]
    spans = [Span(mark, role, ground)] if mark != " " else []
    spans.append(Span(time if spans else mark + time, Role.TEXT if large else Role.MUTED, ground))
    spans.append(Span(f"{glyph} {price.text(plain(entry.far))}", role, ground))
    if shape.opened:
        first = price.text(plain(entry.near)) if entry.near != entry.far else ""
        spans.append(Span(first.rjust(shape.opened)[: shape.opened], Role.MUTED, ground))
    shown = quantity.text(plain(entry.quantity))
    if len(shown) > shape.quantity:
        shown = fitted(shown.strip(), shape.quantity).rjust(shape.quantity)
    spans.append(Span(blank(shape.gap) + shown, number, ground))
    if shape.several:
        prints = fitted(str(entry.prints), shape.several - 2) if entry.prints > 1 else ""
        spans.append(
            Span(f"×{prints}".rjust(shape.several) if prints else blank(shape.several), Role.MUTED, ground)
        )
    if shape.notional:
        spans.append(Span(notional(entry).rjust(shape.notional), Role.MUTED, ground))
    if shape.bar:
        spans.append(Span(" ", number, ground))
    if eighths and bars is Bars.TINT and shape.bar > NARROW:
        spans.append(Span(blank(max(round(eighths / 8), 1)), role, _tint(entry.aggressor, large=large)))
    elif eighths:
        if bars is Bars.TINT:  # blocks in full colour would be louder than the numbers
            role = Role.MUTED if large else Role.FAINT
        spans.append(Span(bar.glyphs(eighths, bars), role))
    return tuple(spans)


def _tint(aggressor: Side | None, *, large: bool) -> Ground:
    if aggressor is Side.BUY:
        return Ground.BID_LARGE if large else Ground.BID_BAR
    if aggressor is Side.SELL:
        return Ground.ASK_LARGE if large else Ground.ASK_BAR
    return Ground.CURSOR


def notional(entry: Entry) -> str:
    """Return what was paid, rounded to two decimals, or shorter; in more of them where it would be 0."""
    shown = rounded(entry.notional, 2)
    if len(shown) < NOTIONAL and (shown.strip("0.") or not entry.notional):
        return shown
    return fitted(short(entry.notional), NOTIONAL - 1)


def missing(holes: Sequence[Hole]) -> str:
    """Return how many messages are missing, as far as anybody knows."""
    if not all(hole.messages for hole in holes):
        return "messages missing"
    messages = sum(hole.messages for hole in holes)
    return f"{messages:,} message{'s' if messages != 1 else ''} missing"


def hole_row(holes: Sequence[Hole], width: int) -> Row:
    """Return the line that stands where messages are missing."""
    words = f" {missing(holes)} "
    if len(words) + 4 > width:
        return fit_row((Span(words, Role.WARN),), width)
    before = (width - len(words)) // 2 - 1
    after = width - 2 - before - len(words)
    return (
        Span(" "),
        Span("╌" * before, Role.FAINT),
        Span(words, Role.WARN),
        Span("╌" * after, Role.FAINT),
        Span(" "),
    )
