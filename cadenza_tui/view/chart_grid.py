"""The grid of cells that a chart is drawn in: columns that changed are drawn, and their rows made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.charted import missing
from cadenza_tui.view.chart_cells import Scale, candle_cells, candle_role, line_cell, volume_cells
from cadenza_tui.view.rows import Bars, Role, Row, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.charted import Charted, Mean, Point
    from cadenza_tui.market.records import Nanoseconds

GAP = -2
"""In the place of a candle: many are missing here."""
LONGEST_GAP = 3
"""Candles' places that are left free at most, however many are missing."""
BLANK = (" ", Role.TEXT)


def columns_on(times: Sequence[Nanoseconds], first: int, room: int, interval: str) -> list[int]:
    """Return what stands in ``room`` places from the candle ``first`` on: a candle, -1 or ``GAP``."""
    made = [first]
    for place in range(first + 1, len(times)):
        absent = missing(times[place - 1], times[place], interval)
        if len(made) + min(absent, LONGEST_GAP) >= room:
            break
        if absent > LONGEST_GAP:
            made += [-1, GAP, -1]
        else:
            made += [-1] * absent
        made.append(place)
    return made


def columns_back(times: Sequence[Nanoseconds], last: int, room: int, interval: str) -> int:
    """Return the first candle of those that fit into ``room`` places up to the candle ``last``."""
    used, place = 1, last
    while place:
        used += 1 + min(missing(times[place - 1], times[place], interval), LONGEST_GAP)
        if used > room:
            break
        place -= 1
    return place


class Look(NamedTuple):
    """What all columns depend on."""

    scale: Scale
    full: Decimal | None
    """The volume that a full bar stands for."""
    plot: int
    """Cells for candles in a row."""
    pitch: int
    """Cells of a candle and of what is left free behind it."""
    volumes: int
    """Rows of the volumes."""
    means: bool
    """Whether the VWAP is drawn."""
    places: int
    """Decimals of a price."""
    bars: Bars


class Grid:
    """The cells of the candles and of the volumes below them, kept from frame to frame."""

    __slots__ = ("_cells", "_dirty", "_drawn", "_look", "_made", "_marks")

    def __init__(self) -> None:
        self._look: Look | None = None
        self._cells: list[list[tuple[str, Role]]] = []
        self._drawn: list[object] = []
        self._dirty: set[int] = set()
        self._made: list[Row] = []
        self._marks: list[Row] = []

    def draw(self, charted: Charted, shown: Sequence[int], look: Look, cursor: Nanoseconds | None) -> None:
        """Draw the candles ``shown``; the work is that of the columns that changed."""
        if look != self._look:
            rows = look.scale.rows + look.volumes
            self._look = look
            self._cells = [[BLANK] * look.plot for _ in range(rows)]
            self._drawn = [None] * (look.plot // look.pitch + 1)
            self._dirty = set(range(rows))
            self._made, self._marks = [()] * rows, [()] * rows
        for column in range(len(self._drawn)):
            place = shown[column] if column < len(shown) else -1
            if place < 0:
                wanted: object = place if place == GAP else None
                point = mean = None
            else:
                point, mean = charted.points[place], charted.means[place] if look.means else None
                wanted = (point, mean, point.open_time == cursor)
            if wanted != self._drawn[column]:
                self._drawn[column] = wanted
                cells = _column(point, mean, look)
                if place == GAP or (point is not None and point.open_time == cursor):
                    cells = [(one if one[0] != " " else ("┊", Role.FAINT), *rest) for one, *rest in cells]
                self._put(column * look.pitch, cells, look.plot)

    def _put(self, x: int, cells: list[tuple[tuple[str, Role], ...]], plot: int) -> None:
        for y, wanted in enumerate(cells):
            row = self._cells[y]
            for at, cell in enumerate(wanted, x):
                if at < plot and row[at] != cell:
                    row[at] = cell
                    self._dirty.add(y)

    def rows(self, marks: Sequence[Row]) -> list[Row]:
        """Return the rows, each with its mark on the axis."""
        for y, mark in enumerate(marks):
            if y in self._dirty or mark != self._marks[y]:
                self._made[y] = (*_spans(self._cells[y]), *mark)
                self._marks[y] = mark
        self._dirty.clear()
        return list(self._made)


def _column(point: Point | None, mean: Mean | None, look: Look) -> list[tuple[tuple[str, Role], ...]]:
    """Return the cells of one candle, row by row."""
    scale, volumes = look.scale, look.volumes
    empty = (BLANK,) * look.pitch
    cells = [empty] * (scale.rows + volumes)
    if point is None:
        return cells
    price = mean.price(look.places + 1) if mean is not None else None
    line = line_cell(price, scale, look.bars) if price is not None else None
    if line is not None:
        cells[line[0]] = ((line[1], Role.TITLE),) * look.pitch
    first, glyphs = candle_cells(point, scale, look.bars)
    role = candle_role(point)
    for y, glyph in enumerate(glyphs, first):
        cells[y] = ((glyph, role), *cells[y][1:])
    if not volumes:
        return cells
    if point.volume is None:
        cells[-1] = (("—", Role.FAINT), *empty[1:])
    elif look.full is not None:
        bar = volume_cells(float(point.volume), float(look.full), volumes, look.bars)
        for y, glyph in enumerate(bar, scale.rows):
            cells[y] = ((glyph, Role.FAINT), *empty[1:]) if glyph != " " else empty
    return cells


def _spans(cells: Sequence[tuple[str, Role]]) -> list[Span]:
    spans: list[Span] = []
    text, held = "", cells[0][1] if cells else Role.TEXT
    for glyph, role in cells:
        if role is not held and glyph != " ":
            if text:
                spans.append(Span(text, held))
            text, held = "", role
        text += glyph
    spans.append(Span(text, held))
    return spans
