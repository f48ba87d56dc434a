"""What stands around a chart's candles: prices, times, and the numbers of one candle."""

from __future__ import annotations

from bisect import bisect_left
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from time import gmtime
from typing import TYPE_CHECKING

from cadenza_tui.market.candles import DAY, HOUR, INTERVALS, MINUTE, SECOND
from cadenza_tui.market.charted import MEAN_MONTH
from cadenza_tui.market.exact import CONTEXT
from cadenza_tui.view.chart_cells import Scale
from cadenza_tui.view.numbers import (
    DOWN,
    UNKNOWN,
    UP,
    Column,
    clock,
    exact,
    fitted,
    number,
    plain,
    rounded,
    short,
)
from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import blank, fit_row, row_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.charted import Charted, Mean, Point
    from cadenza_tui.market.records import Nanoseconds
    from cadenza_tui.view.chart_grid import Look

ROWS_A_TICK = 3
"""Rows between two prices on the axis, about."""
PADDING = Decimal("0.06")
"""What of the candles' range is left free above and below them."""
LEAST_USED = Decimal("0.6")
"""A scale of which the candles take less than this is fitted anew."""
MONTH_LENGTH = 28 * DAY
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (
    SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE,
    15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
)  # fmt: skip


def scale(held: Scale | None, low: Decimal, high: Decimal, rows: int, decimals: int) -> Scale:
    """Return a scale for prices from ``low`` to ``high``: the held one as long as it serves."""
    size = CONTEXT.subtract(high, low)
    if held is not None and held.rows == rows and held.bottom <= low and high <= held.top:
        used = CONTEXT.multiply(CONTEXT.subtract(held.top, held.bottom), LEAST_USED)
        if size >= used:
            return held
    least = CONTEXT.multiply(Decimal(1).scaleb(-decimals), Decimal(rows))
    if size >= least:
        room = CONTEXT.multiply(size, PADDING)
    else:  # a price that hardly moves: a row is a step of the price
        room = CONTEXT.multiply(CONTEXT.subtract(least, size), Decimal("0.5"))
    if not room:
        room = Decimal(1)
    return Scale(CONTEXT.add(high, room), CONTEXT.subtract(low, room), rows)


def price_ticks(scale: Scale, price: Column) -> dict[int, str]:
    """Return the prices that stand on the axis, round ones, by their row."""
    size = CONTEXT.subtract(scale.top, scale.bottom)
    about = size / Decimal(max(scale.rows // ROWS_A_TICK, 1))
    step = Decimal(1).scaleb(about.adjusted())
    step = next(step * digit for digit in (1, 2, 5, 10) if step * digit >= about)
    step = max(step, Decimal(1).scaleb(-price.shown_decimals))
    first = int((scale.bottom / step).to_integral_value(ROUND_CEILING))
    end = int((scale.top / step).to_integral_value(ROUND_FLOOR))
    made: dict[int, str] = {}
    for multiple in range(first, min(end, first + 200) + 1):
        at = CONTEXT.multiply(step, Decimal(multiple))
        row = min(scale.row(at), scale.rows - 1)
        if row >= 0:
            text = plain(at)
            price.grow([text])
            made[row] = text
    return made


def price_axis(
    look: Look, ticks: dict[int, str], last: Decimal | None, price: Column, *, width: int
) -> list[Row]:
    """Return the marks beside the rows: prices, the last price among them, and the volume of a full bar."""
    scale, volumes, full = look.scale, look.volumes, look.full
    if not width:
        return [()] * (scale.rows + volumes)
    empty: Row = (Span(blank(width)),)
    marks = [empty] * (scale.rows + volumes)
    for row, text in ticks.items():
        marks[row] = (Span("  " + price.text(text) + " ", Role.MUTED),)
    if last is not None:
        row = scale.row(last)
        if 0 <= row < scale.rows:
            shown = price.text(plain(last))
            marks[row] = (Span(" "), Span("◂" + shown + " ", Role.STRONG, Ground.CURSOR))
    if volumes and full is not None:
        marks[scale.rows] = (Span(fitted(short(full), width - 1).rjust(width - 1) + " ", Role.FAINT),)
    return [fit_row(mark, width) for mark in marks]


def time_axis(
    charted: Charted, shown: Sequence[int], look: Look, cursor: Nanoseconds | None, *, width: int
) -> Row:
    """Return the line of times below the candles: round ones, each beginning where its candle stands."""
    pitch, plot = look.pitch, look.plot
    text = [" "] * plot
    length = INTERVALS[charted.interval]
    step = next((step for step in _STEPS if step >= length and step * pitch >= 11 * length), 0)
    at_cursor, taken = -1, 0
    for column, place in enumerate(shown):
        x = column * pitch
        if place < 0 or x >= plot:
            continue
        at = charted.times[place]
        if at == cursor:
            at_cursor = x
        due = at % step < length if step else _number(at, length) % -(-11 // pitch) == 0
        words = _when(at, step, year=length >= MONTH_LENGTH)
        if due and x >= taken and x + len(words) <= plot:
            text[x : x + len(words)] = words
            taken = x + len(words) + 3
    if at_cursor < 0:
        return fit_row((Span("".join(text), Role.FAINT),), width)
    before, after = "".join(text[:at_cursor]), "".join(text[at_cursor + 1 :])
    if text[at_cursor] != " " or before[-1:].strip():  # what is left of a word says something else
        before = before.rpartition("   ")[0]
        after = "   " + after.partition("   ")[2]
    row = (Span(before.ljust(at_cursor), Role.FAINT), Span("▴", Role.ACCENT))
    return fit_row((*row[not at_cursor :], Span(after.rjust(plot - at_cursor - 1), Role.FAINT)), width)


def _number(at: Nanoseconds, length: int) -> int:
    """Return a number that goes up by one with each day, week or month."""
    return round(at / MEAN_MONTH) if length >= MONTH_LENGTH else at // length


def _day(at: Nanoseconds) -> tuple[str, str]:
    """Return the day and month, and the year; unknown where no calendar has it."""
    if not 0 <= at < 253_402_300_800 * SECOND:
        return UNKNOWN, UNKNOWN
    moment = gmtime(at // SECOND)
    return f"{moment.tm_mday} {_MONTHS[moment.tm_mon - 1]}", str(moment.tm_year)


def _when(at: Nanoseconds, step: int, *, year: bool = False) -> str:
    """Return a time on the axis: seconds below a minute, else minutes, the day at midnight."""
    if step and at % DAY:
        return clock(at)[:8] if step < MINUTE else clock(at)[:5]
    day, of_year = _day(at)
    return f"{day.rpartition(' ')[2]} {of_year}" if year else day


def _told(charted: Charted, cursor: Nanoseconds | None) -> int:
    newest = len(charted.points) - 1
    return newest if cursor is None else min(bisect_left(charted.times, cursor), newest)


def told(charted: Charted, cursor: Nanoseconds | None) -> Point:
    """Return the candle whose numbers are told: the one at the cursor, else the newest."""
    return charted.points[_told(charted, cursor)]


def legend(
    charted: Charted,
    look: Look,
    cursor: Nanoseconds | None,
    price: Column,
    *,
    decimals: int | None,
    width: int,
) -> Row:
    """Return the numbers of the candle at the cursor, else of the newest; what does not fit goes.

    ``decimals`` are those of a volume, None for as many as it needs.
    """
    place = _told(charted, cursor)
    point, mean = charted.points[place], charted.means[place]
    rises = point.close >= point.open
    role = Role.BID if rises else Role.ASK
    moment = _moment(point.open_time, charted.interval, dated=cursor is not None)
    time: Row = (Span(moment, Role.MUTED),)
    close: Row = (Span("C ", Role.MUTED), Span(f"{UP if rises else DOWN} {_text(point.close, price)}", role))
    parts: dict[str, Row] = {
        "time": time,
        "open": (Span("O ", Role.MUTED), Span(_text(point.open, price), Role.TEXT)),
        "high": (Span("H ", Role.MUTED), Span(_text(point.high, price), Role.TEXT)),
        "low": (Span("L ", Role.MUTED), Span(_text(point.low, price), Role.TEXT)),
        "close": close,
        "volume": _volume(point, decimals),
        "vwap": _mean(mean, price) if look.means else (),
        "whole": () if point.whole else (Span("not watched as a whole", Role.WARN),),
    }
    wanted: list[str] = []
    for name in ("close", "time", "volume", "vwap", "open", "high", "low", "whole"):
        joined = [*wanted, name] if parts[name] else wanted
        if sum(row_cells(parts[one]) + 2 for one in joined) - 1 <= width:
            wanted = joined
    row: Row = (Span(" "),)
    for name in (name for name in parts if name in wanted):
        row = (*row, *(Span("  "),)[: len(row) > 1], *parts[name])
    return fit_row(row, width)


def _text(value: Decimal, price: Column) -> str:
    return number(plain(value), price.shown_decimals)


def _volume(point: Point, decimals: int | None) -> Row:
    shown = exact(point.volume, decimals if decimals is not None else 0)
    if point.at_least and point.volume is not None:
        return (Span("V ", Role.MUTED), Span("≥ ", Role.WARN), Span(shown, Role.TEXT))
    return (Span("V ", Role.MUTED), Span(shown, Role.TEXT))


def _mean(mean: Mean | None, price: Column) -> Row:
    shown = UNKNOWN if mean is None else rounded(mean.price(price.shown_decimals), price.shown_decimals)
    about = "≈ " if mean is not None and mean.about else ""
    spans = (Span("VWAP ", Role.MUTED), Span(about, Role.WARN), Span(shown, Role.TITLE))
    return spans if about else (spans[0], spans[2])


def _moment(at: Nanoseconds, interval: str, *, dated: bool) -> str:
    """Return when a candle opens, with its day where that goes without saying no longer."""
    length = INTERVALS[interval]
    day, year = _day(at)
    if length >= MONTH_LENGTH:
        return f"{day.rpartition(' ')[2]} {year}"
    if length >= DAY:
        return f"{day} {year}"
    time = clock(at)[: 8 if length < MINUTE else 5]
    return f"{day} {time}" if dated or length >= HOUR else time
