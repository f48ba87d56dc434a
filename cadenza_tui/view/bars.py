"""Size bars: how long one is, and its glyphs where a tint cannot be had. Floats serve for lengths only."""

from __future__ import annotations

from math import inf, log10, sqrt
from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Bars

if TYPE_CHECKING:
    from collections.abc import Sequence

EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
LARGE = 4.0
"""A size stands out from this many medians of its neighbours on."""
FEW = 5
"""Fewer sizes than this have no ordinary one to stand out from."""
HUGE = 25.0
"""A size beyond this many medians does not stretch the scale: one huge order must not flatten the rest."""


DECADES = 3
"""What a logarithmic bar spans: a size of a thousandth of the largest has none but its first unit."""


def scales(sizes: Sequence[float], before: float = 0.0, kind: str = "root") -> tuple[float, float]:
    """Return the size that a full bar stands for, and the one from which a size stands out.

    A full bar is the largest size, for ``root`` bars never more than ``HUGE`` medians. The scale of the frame
    before is kept until it is passed or twice too large, lest every bar move with every change. What stands
    out has ``LARGE`` medians and is larger than most of its neighbours.
    """
    ordered = sorted([size for size in sizes if size > 0])
    if not ordered:
        return before, inf
    middle = ordered[len(ordered) // 2]
    full = min(ordered[-1], middle * HUGE) if kind == "root" else ordered[-1]
    if full <= before < 2 * full:
        full = before
    large = max(middle * LARGE, ordered[len(ordered) * 85 // 100]) if len(ordered) >= FEW else inf
    return full, large


def length(size: float, scale: float, units: int, kind: str = "root") -> int:
    """Return the length of a bar in units (cells or eighths), ``linear``, of the ``root`` or of the ``log``.

    The square root lets small sizes be seen, the logarithm those of a thousandth. Grows with ``size``;
    anything above zero has at least one unit, nothing has more than ``units``.
    """
    if size >= scale:
        return units if size > 0 else 0
    if size <= 0 or not units:
        return 0
    part = size / scale
    if kind == "root":
        part = sqrt(part)
    elif kind == "log":
        part = 1 + log10(part) / DECADES if part else 0.0
    return int(units * part + 0.5) if units * part >= 0.5 else 1


def glyphs(eighths: int, bars: Bars, *, leftwards: bool = False) -> str:
    """Return a bar of ``eighths`` of cells, not padded. Blocks that grow leftwards come in halves alone."""
    if bars is Bars.ASCII:
        return "=" * -(-eighths // 8)
    if leftwards:
        halves = -(-eighths // 4)
        return "▐" * (halves % 2) + "█" * (halves // 2)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8]
