"""Which panes are shown at which size, and where; plain rectangles, borders included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from cadenza_tui.view.arrangements import FIRST, VIEWS, Part, Split, arranged

LEAST_FOR_FOOTER = 6
FLOOR_WIDE, FLOOR_HIGH = 16, 4
"""No pane is made smaller than this by hand."""
STEP_WIDE, STEP_HIGH = 2, 1
"""Cells that one press makes a pane wider or higher."""
THOUSAND = 1000

Sizes: TypeAlias = Mapping[str, int]
"""What was set by hand: per mille of the room that a part shares with its neighbours, by ``Part.key``."""


class Rect(NamedTuple):
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is. ``panes`` has the lines ``status``, ``tabs`` and ``footer`` too, where shown.

    ``order`` is the order in which panes take the focus, those included that have no room just now.
    ``tabs`` says whether some have none, so that the tab strip is needed.
    """

    panes: dict[str, Rect]
    order: tuple[str, ...]
    tabs: bool = False


def layout(
    width: int,
    height: int,
    *,
    zoomed: str | None = None,
    focused: str = "book",
    view: str = "market",
    sizes: Sizes | None = None,
) -> Layout:
    """Return the layout of a ``width`` x ``height`` screen.

    ``arrangements`` says which panes a view has room for; the focused one always has. The status line with
    the touch is always on top. ``sizes`` are those of this view that were set by hand.
    """
    panes, room, what, order, tabs = _planned(width, height, zoomed=zoomed, focused=focused, view=view)
    _place(what, room, sizes or {}, panes)
    return Layout(panes, order, tabs)


def resized(
    width: int,
    height: int,
    *,
    pane: str,
    across: bool,
    by: int,
    view: str = "market",
    sizes: Sizes | None = None,
) -> dict[str, int] | None:
    """Return the sizes with a pane ``by`` steps wider (``across``) or higher; None where it has no neighbour.

    A pane that takes what is left over grows by what its neighbour gives.
    """
    sizes = sizes or {}
    _, rect, what, _, _ = _planned(width, height, zoomed=None, focused=pane, view=view)
    found: tuple[Split, int, list[int]] | None = None
    while isinstance(what, Split):
        at = next((at for at, part in enumerate(what.parts) if pane in part.panes), None)
        if at is None:
            return None
        if what.across is across:
            found = what, at, _extents(what, rect.width if across else rect.height, sizes)
        rect, what = _divided(what, rect, sizes)[at], what.parts[at].what
    if found is None:
        return None
    split, at, extents = found
    if at == split.rest:
        at, by = (at + 1 if at + 1 < len(split.parts) else at - 1), -by
    whole = sum(extents)
    step = STEP_WIDE if across else STEP_HIGH
    floors = [_floor(part.what, across) for part in split.parts]
    wanted = min(max(extents[at] + by * step, floors[at]), whole - sum(floors) + floors[at])
    share = -(-wanted * THOUSAND // max(whole, 1))
    return {**sizes, split.parts[at].key(across): min(max(share, 1), THOUSAND)}


def _planned(
    width: int, height: int, *, zoomed: str | None, focused: str, view: str
) -> tuple[dict[str, Rect], Rect, Split | str, tuple[str, ...], bool]:
    """Return the lines, the room between them, what is to stand there, the order of focus, whether tabs."""
    width, height = max(width, 1), max(height, 1)
    panes = {"status": Rect(0, 0, width, 1)}
    bottom = height
    if height >= LEAST_FOR_FOOTER:
        bottom -= 1
        panes["footer"] = Rect(0, bottom, width, 1)
    every = VIEWS[view]
    focused = focused if focused in every else FIRST.get(view, every[0])
    what, order = arranged(view, width, height, focused)
    if zoomed in every:
        return panes, Rect(0, 1, width, max(bottom - 1, 0)), zoomed, order, False
    top = 1
    shown = what.panes if isinstance(what, Split) else (what,)
    tabs = len(shown) < len(order) and height >= LEAST_FOR_FOOTER
    if tabs:
        panes["tabs"] = Rect(0, 1, width, 1)
        top = 2
    return panes, Rect(0, top, width, max(bottom - top, 0)), what, order, tabs


def _place(what: Split | str, rect: Rect, sizes: Sizes, panes: dict[str, Rect]) -> None:
    if isinstance(what, str):
        panes[what] = rect
        return
    for part, room in zip(what.parts, _divided(what, rect, sizes), strict=True):
        _place(part.what, room, sizes, panes)


def _divided(split: Split, rect: Rect, sizes: Sizes) -> list[Rect]:
    made: list[Rect] = []
    at = 0
    for extent in _extents(split, rect.width if split.across else rect.height, sizes):
        if split.across:
            made.append(Rect(rect.x + at, rect.y, extent, rect.height))
        else:
            made.append(Rect(rect.x, rect.y + at, rect.width, extent))
        at += extent
    return made


def _extents(split: Split, whole: int, sizes: Sizes) -> list[int]:
    """Return the cells of each part: its share within its bounds, one part having what is left."""
    floors = [_floor(part.what, split.across) for part in split.parts]
    left, behind = whole, sum(floors)
    extents = [0] * len(split.parts)
    for at, part in enumerate(split.parts):
        if at == split.rest:
            continue
        behind -= floors[at]
        extents[at] = min(_wanted(part, split, whole, sizes, floors[at]), max(left - behind, 0))
        left -= extents[at]
    extents[split.rest] = left
    return extents


def _floor(what: Split | str, across: bool) -> int:
    """Return the least cells, in one direction, in which every pane of a part has its own least."""
    if isinstance(what, str):
        return FLOOR_WIDE if across else FLOOR_HIGH
    floors = [_floor(part.what, across) for part in what.parts]
    return sum(floors) if what.across is across else max(floors)


def _wanted(part: Part, split: Split, whole: int, sizes: Sizes, floor: int) -> int:
    share = sizes.get(part.key(split.across))
    if share is not None:
        return max(whole * share // THOUSAND, floor)
    return min(max(whole * part.share // THOUSAND, part.least), part.most)
