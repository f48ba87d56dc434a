"""The curve of the CVD beside a wide tape: each column is a stretch of time, drawn as a candle is."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from cadenza_tui.market.charted import Point
from cadenza_tui.market.exact import subtract
from cadenza_tui.market.tally import WINDOWS
from cadenza_tui.view.chart_axes import scale
from cadenza_tui.view.chart_cells import candle_cells, candle_role, volume_cells
from cadenza_tui.view.numbers import SECOND, age, short, signed
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.text import blank, both_ends, fit_row, right

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.tally import Stretch, Tally
    from cadenza_tui.view.rows import Bars
    from cadenza_tui.view.tape_figures import Sums

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds that a column may stand for; from a minute on whole minutes."""
LABEL = 12
LEAST_HEIGHT = 8


def curve(tally: Tally, sums: Sums, *, width: int, height: int, now: int, bars: Bars) -> list[Row]:
    """Return the way of the CVD through the chosen window, what was traded below it, in ``height`` rows."""
    total = sums.total
    plot = width - LABEL - 2
    if total is None or height < LEAST_HEIGHT or plot < LABEL:
        return []
    seconds = WINDOWS.get(sums.name, total.span_ns // SECOND)
    step = next((step for step in STEPS if step * plot >= seconds), STEPS[-1])
    stretches = tally.stretches(step, plot, now)
    points = _points(stretches, total.delta)
    volumes = max((height - 3) // 4, 1)
    rows = height - 3 - volumes
    fitted = scale(None, min(p.low for p in points), max(p.high for p in points), rows, min(sums.decimals, 4))
    cells = [[(" ", Role.TEXT)] * plot for _ in range(rows + volumes)]
    largest = max(stretch.volume for stretch in stretches)
    for x, point in enumerate(points, plot - len(points)):
        first, glyphs = candle_cells(point, fitted, bars)
        for y, glyph in enumerate(glyphs, first):
            cells[y][x] = (glyph, candle_role(point))
        for y, glyph in enumerate(
            volume_cells(float(point.volume or 0), float(largest), volumes, bars), rows
        ):
            cells[y][x] = (glyph, Role.FAINT)
    marks = {fitted.row(points[-1].close): (signed(total.delta, sums.decimals, rounds=True), Role.STRONG)}
    for at in (fitted.top, fitted.bottom):
        row = min(max(fitted.row(at), 0), rows - 1)
        marks.setdefault(row, (signed(at, min(sums.decimals, 2), rounds=True), Role.MUTED))
    marks[rows] = (short(largest), Role.FAINT)
    words = f"{age(step * SECOND)} a column"
    made: list[Row] = [(Span(blank(width)),)]
    about = "≈ " if sums.window is not None and not sums.window.whole else ""
    title = (Span(" CVD ", Role.MUTED), Span(about, Role.WARN), Span(words, Role.FAINT))
    made.append(fit_row(tuple(span for span in title if span.text), width))
    for y, row_cells in enumerate(cells):
        text, role = marks.get(y, ("", Role.MUTED))
        made.append((Span(" "), *_spans(row_cells), Span(" " + right(text, LABEL), role)))
    start = f" −{age(step * plot * SECOND)}"
    axis = both_ends((Span(start, Role.FAINT),), (Span("now", Role.FAINT),), plot + 1)
    made.append(fit_row(axis, width))
    return made


def _points(stretches: Sequence[Stretch], cvd: Decimal) -> list[Point]:
    """Return the CVD as candles that end at ``cvd``: each goes from where the one before it ended."""
    made: list[Point] = []
    for stretch in reversed(stretches):
        before = subtract(cvd, stretch.delta)
        made.append(Point(stretch.start, before, max(before, cvd), min(before, cvd), cvd, stretch.volume))
        cvd = before
    return made[::-1]


def _spans(cells: Sequence[tuple[str, Role]]) -> list[Span]:
    return [
        Span("".join(glyph for glyph, _ in run), role)
        for role, run in groupby(cells, key=lambda cell: cell[1])
    ]
