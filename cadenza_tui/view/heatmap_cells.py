"""A heatmap's cells as glyphs, roles and grounds: in tints, in shades of blocks, and in ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view.heatmap_grid import LEVELS
from cadenza_tui.view.rows import HEAT, HEAT_GROUNDS, Bars, Ground, Role, Row, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.view.heatmap_grid import Column, CutOff, Dot

BID, ASK, TOUCH = LEVELS + 1, LEVELS + 2, LEVELS + 3
"""What a cell is where the best bid's way goes through it, the best ask's, or both."""
_LINES = (
    (Role.BID_LINE, Ground.BID_LINE),
    (Role.ASK_LINE, Ground.ASK_LINE),
    (Role.TOUCH_LINE, Ground.TOUCH_LINE),
)
_CODES = TOUCH + 1

ASCII_SHADES = " .:-=+*#%@"
_SHADES = " ░░░▒▒▒▓█"
_DOTS = {
    Bars.TINT: (("◦", "○"), ("·", "·"), ("•", "●")),
    Bars.BLOCKS: (("▾", "▼"), ("·", "·"), ("▴", "▲")),
    Bars.ASCII: (("v", "V"), ("o", "O"), ("^", "A")),
}
"""Sellers, unknown, buyers; each small and large: no side rests on its colour."""
_DOT_ROLES = (Role.ASK_STRONG, Role.STRONG, Role.BID_STRONG)
DOT_GROUND = 2
"""What stands behind a dot is never brighter: it would not be seen."""
_GAP = {Bars.TINT: "╱", Bars.BLOCKS: "╱", Bars.ASCII: "/"}
EMPTY = Span(" ", Role.TEXT, Ground.GROUND)
BEFORE = Span(" ")
"""Before the first second that is kept."""


def _pair(upper: int, lower: int) -> Span:
    """Return two cells in one: the upper one's colour as a half block, the lower one's as its ground."""

    def role(code: int) -> Role:
        return HEAT[code - 1] if code <= LEVELS else _LINES[code - BID][0]

    def ground(code: int) -> Ground:
        return HEAT_GROUNDS[code] if code <= LEVELS else _LINES[code - BID][1]

    if upper == lower:
        return Span(" ", Role.TEXT, ground(upper))
    if upper == 0:
        return Span("▄", role(lower), Ground.GROUND)
    return Span("▀", role(upper), ground(lower))


_PAIRS = [_pair(upper, lower) for upper in range(_CODES) for lower in range(_CODES)]


def _single(code: int, bars: Bars) -> Span:
    """Return one cell as a glyph, where there are no tints."""
    if code > LEVELS:
        glyphs = "~_x" if bars is Bars.ASCII else "▔_─"
        return Span(
            glyphs[code - BID], (Role.BID_STRONG, Role.ASK_STRONG, Role.STRONG)[code - BID], Ground.GROUND
        )
    if not code:
        return EMPTY
    shades = ASCII_SHADES[0] + ASCII_SHADES[2:] if bars is Bars.ASCII else _SHADES
    return Span(shades[code], HEAT[code - 1], Ground.GROUND)


_SINGLES = {bars: [_single(code, bars) for code in range(_CODES)] for bars in (Bars.BLOCKS, Bars.ASCII)}
_GAPS = {bars: Span(glyph, Role.LINE, Ground.GROUND) for bars, glyph in _GAP.items()}


def cells_a_row(bars: Bars) -> int:
    """Return how many cells of price stand in one row."""
    return 2 if bars is Bars.TINT else 1


class Looks(NamedTuple):
    """What is drawn into the cells, and how."""

    bars: Bars
    line: bool
    """Whether the touch is drawn."""
    least: float | None
    """The size of the smallest dot that is drawn; None for no dots."""
    large: float
    """The size from which a dot is larger."""


def column_cells(column: Column, cut: CutOff, rows: int, looks: Looks) -> list[Span]:
    """Return a column as ``rows`` spans of one cell, from the top."""
    bars = looks.bars
    made: list[Span]
    if not column.kept:
        return [BEFORE] * rows
    if column.sizes is None:
        made = [_GAPS[bars]] * rows
        bare = bytearray(rows * cells_a_row(bars))
    else:
        codes = bare = cut.levels(column.sizes)
        if looks.line:
            codes = bytearray(bare)
            _draw_touch(codes, column)
        if bars is Bars.TINT:
            pairs, count = _PAIRS, _CODES
            made = [
                pairs[upper * count + lower] for lower, upper in zip(codes[::2], codes[1::2], strict=True)
            ]
        else:
            made = [*map(_SINGLES[bars].__getitem__, codes)]
        made.reverse()
    if column.dots and looks.least is not None:
        _draw_dots(made, column.dots, bare, looks)
    return made


def _draw_touch(codes: bytearray, column: Column) -> None:
    bid, ask, cells = column.bid, column.ask, len(codes)
    if bid is not None and 0 <= bid < cells:
        codes[bid] = TOUCH if bid == ask else BID
    if ask is not None and 0 <= ask < cells and ask != bid:
        codes[ask] = ASK


def _draw_dots(made: list[Span], dots: dict[int, Dot], bare: Sequence[int], looks: Looks) -> None:
    """Put dots over the cells; where two fall into one row, the larger."""
    bars, least = looks.bars, looks.least or 0.0
    per = cells_a_row(bars)
    rows = len(made)
    shown: dict[int, int] = {}
    for cell, dot in dots.items():
        row = rows - 1 - cell // per
        other = shown.get(row)
        if dot.quantity >= least and (other is None or dots[other].quantity < dot.quantity):
            shown[row] = cell
    for row, cell in shown.items():
        quantity, aggressor = dots[cell]
        ground = HEAT_GROUNDS[min(bare[cell], DOT_GROUND)] if bars is Bars.TINT else Ground.GROUND
        glyph = _DOTS[bars][aggressor + 1][quantity >= looks.large]
        made[row] = Span(glyph, _DOT_ROLES[aggressor + 1], ground)


def joined(row: Row, cell: Span) -> Row:
    """Return ``row`` with one cell more; like cells are one span."""
    if row:
        last = row[-1]
        text, role, ground = last
        if role is cell.role and ground is cell.ground and text[-1] == cell.text:
            return (*row[:-1], Span(text + cell.text, role, ground))
    return (*row, cell)


def legend(bars: Bars, width: int) -> Row:
    """Return the steps of brightness from the least to the most, one cell each, on the right of ``width``."""
    if width < LEVELS + 1:
        return (Span(" " * width),)
    steps = (
        [Span(" ", Role.TEXT, ground) for ground in HEAT_GROUNDS[1:]]
        if bars is Bars.TINT
        else [_SINGLES[bars][code]._replace(ground=Ground.PANEL) for code in range(1, LEVELS + 1)]
    )
    return (Span(" " * (width - LEVELS)), *steps)
