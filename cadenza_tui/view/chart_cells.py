"""The cells of a candle chart: each candle is a column of glyphs, drawn to half a cell.

A candle that closed below its opening is solid, one that did not is a thick line: colour only repeats that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view.rows import Bars, Role

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.charted import Point

EIGHTHS = " ▁▂▃▄▅▆▇█"
_UP = {
    ("body", "body"): "┃", ("body", "wick"): "╿", ("wick", "body"): "╽", ("body", ""): "╹", ("", "body"): "╻",
}  # fmt: skip
_DOWN = {
    ("body", "body"): "█", ("body", "wick"): "▀", ("wick", "body"): "▄", ("body", ""): "▀", ("", "body"): "▄",
}  # fmt: skip
_WICK = {("wick", "wick"): "│", ("wick", ""): "╵", ("", "wick"): "╷"}
_LINE = ("▔", "▁")


class Scale(NamedTuple):
    """Prices from ``bottom`` to ``top`` over ``rows`` rows."""

    top: Decimal
    bottom: Decimal
    rows: int

    def half(self, price: Decimal) -> int:
        """Return which half of a row, counted from the top, a price stands in; beyond the edges as well."""
        return int(float(self.top - price) / float(self.top - self.bottom) * self.rows * 2 + 1e-9)

    def row(self, price: Decimal) -> int:
        """Return which row a price stands in; beyond the edges as well."""
        return self.half(price) // 2


def candle_cells(point: Point, scale: Scale, bars: Bars) -> tuple[int, str]:
    """Return the first row of a candle and its glyphs from there down, those in sight alone."""
    last = 2 * scale.rows - 1
    top, bottom = scale.half(point.high), scale.half(point.low)
    rises = point.close >= point.open
    upper, lower = (point.close, point.open) if rises else (point.open, point.close)
    body, foot = scale.half(upper), scale.half(lower)
    first, end = max(top, 0) // 2, min(bottom, last) // 2
    glyphs = [
        _cell(
            [_part(half, top, body, foot, bottom) for half in (2 * row, 2 * row + 1)], rises=rises, bars=bars
        )
        for row in range(first, end + 1)
    ]
    return first, "".join(glyphs)


def _part(half: int, top: int, body: int, foot: int, bottom: int) -> str:
    if body <= half <= foot:
        return "body"
    return "wick" if top <= half <= bottom else ""


def _cell(parts: list[str], *, rises: bool, bars: Bars) -> str:
    upper, lower = parts
    if "body" in parts:
        if bars is Bars.ASCII:
            return "O" if rises else "#"
        return (_UP if rises else _DOWN)[upper, lower]
    if bars is Bars.ASCII:
        return "|" if upper or lower else " "
    return _WICK.get((upper, lower), " ")


def candle_role(point: Point) -> Role:
    """Return the colour of a candle."""
    return Role.BID if point.close >= point.open else Role.ASK


def line_cell(price: Decimal, scale: Scale, bars: Bars) -> tuple[int, str] | None:
    """Return the row and glyph of a line through a price; None out of sight."""
    half = scale.half(price)
    if not 0 <= half < 2 * scale.rows:
        return None
    return half // 2, "-" if bars is Bars.ASCII else _LINE[half % 2]


def volume_cells(size: float, full: float, rows: int, bars: Bars) -> str:
    """Return the glyphs of a volume bar over ``rows`` rows, from the top down."""
    eighths = 0 if size <= 0 or full <= 0 else max(min(int(size / full * rows * 8 + 0.5), rows * 8), 1)
    if bars is Bars.ASCII:
        return "".join("#" if eighths > 8 * row else " " for row in range(rows - 1, -1, -1))
    return "".join(EIGHTHS[min(max(eighths - 8 * row, 0), 8)] for row in range(rows - 1, -1, -1))
