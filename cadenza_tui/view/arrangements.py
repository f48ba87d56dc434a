"""The presets: which panes stand beside and above each other in a view, by the room that there is.

An arrangement is a tree of splits. Of the parts of a split one has what the others leave over; theirs is a
share of the room, within bounds.
"""

from __future__ import annotations

from typing import NamedTuple

MARKET_PANES = ("instruments", "book", "tape", "account")
DEPTH_PANES = ("heat", "depth", "book", "flow", "venues")
TAPE_PANES = ("tape", "chart")
WIDE_PANES = ("instruments", "book", "tape", "heat", "chart", "flow", "account")
VIEWS = {
    "market": MARKET_PANES,
    "depth": DEPTH_PANES,
    "tape": TAPE_PANES,
    "account": ("accounts",),
    "wide": WIDE_PANES,
    "health": ("health",),
}
"""The panes of each view; those are all that there can be."""
FIRST = {"market": "book", "wide": "book"}
"""The pane that has the focus at first, where it is not the first one."""

FOUR_WIDTH, FOUR_HEIGHT = 120, 32
TWO_WIDTH, TWO_HEIGHT = 100, 18
FULL_WIDTH, FULL_HEIGHT = 160, 44
STACKED_HEIGHT = 36
"""Where two panes can stand above each other though not side by side."""


class Part(NamedTuple):
    """One part of a split: a pane or a split, with its share in per mille and its bounds in cells."""

    what: str | Split
    share: int = 0
    least: int = 1
    most: int = 1_000_000

    @property
    def panes(self) -> tuple[str, ...]:
        """The panes in it."""
        return self.what.panes if isinstance(self.what, Split) else (self.what,)

    def key(self, across: bool) -> str:
        """Return the name of its size in a split ``across``: ``tape-wide``, ``account-high``."""
        return f"{self.panes[0]}-{'wide' if across else 'high'}"


class Split(NamedTuple):
    """Parts side by side (``across``) or above each other; the one at ``rest`` has what is left."""

    across: bool
    rest: int
    parts: tuple[Part, ...]

    @property
    def panes(self) -> tuple[str, ...]:
        """The panes in it, from left to right and from above."""
        return tuple(name for part in self.parts for name in part.panes)


def arranged(view: str, width: int, height: int, focused: str) -> tuple[Split | str, tuple[str, ...]]:
    """Return what a view shows on a screen of this size, and the order in which its panes take the focus.

    ``focused`` is one of the view's panes: it is always among those shown.
    """
    match view:
        case "market":
            return _market(width, height, focused), MARKET_PANES
        case "depth":
            return _depth(width, height, focused), DEPTH_PANES
        case "tape":
            return _tape(width, height, focused), TAPE_PANES
        case "wide":
            return _wide(width, height, focused)
        case _:
            return VIEWS[view][0], VIEWS[view]


def _beside(rest: int, *parts: Part) -> Split:
    return Split(True, rest, parts)


def _above(rest: int, *parts: Part) -> Split:
    return Split(False, rest, parts)


THREE = _beside(1, Part("instruments", 286, 34, 60), Part("book"), Part("tape", 272, 38, 56))
"""40, 62 and 38 of 140 columns, the book having most of any more."""


def _market(width: int, height: int, focused: str) -> Split | str:
    """All four from 120x32 on; from 100 columns on the book and the focused one, else the tape."""
    if width >= FOUR_WIDTH and height >= FOUR_HEIGHT:
        return _above(0, Part(THREE), Part("account", 290, 9, 22))
    if focused == "account" or height < TWO_HEIGHT or width < TWO_WIDTH:
        return focused
    if width >= FOUR_WIDTH:
        return THREE
    return _beside(0, Part("book"), Part(focused if focused != "book" else "tape", 380, 36, 48))


def _depth(width: int, height: int, focused: str) -> Split | str:
    """The heatmap with the curve beside it and the flow below; the ladder and the venues where it is wide."""
    if width >= FULL_WIDTH and height >= FOUR_HEIGHT:
        top = _beside(0, Part("heat"), Part("depth", 190, 30, 56), Part("book", 290, 48, 72))
        return _above(0, Part(top), Part(_beside(0, Part("flow"), Part("venues", 480, 56, 110)), 270, 10, 18))
    if width >= FOUR_WIDTH and height >= FOUR_HEIGHT:
        aside = focused if focused in ("book", "venues") else "depth"
        share = Part(aside, 250, 30, 48) if aside == "depth" else Part(aside, 420, 48, 72)
        return _above(0, Part(_beside(0, Part("heat"), share)), Part("flow", 180, 7, 12))
    if width < TWO_WIDTH or height < TWO_HEIGHT or focused in ("flow", "venues"):
        return focused
    aside = focused if focused != "heat" else "depth"
    return _beside(0, Part("heat"), Part(aside, 380, 34, 56))


def _tape(width: int, height: int, focused: str) -> Split | str:
    """The tape and the chart, side by side or above each other."""
    if width >= TWO_WIDTH and height >= TWO_HEIGHT:
        return _beside(1, Part("tape", 380, 44, 80), Part("chart"))
    if height >= STACKED_HEIGHT:
        return _above(1, Part("chart", 480, 12, 40), Part("tape"))
    return focused


def _wide(width: int, height: int, focused: str) -> tuple[Split | str, tuple[str, ...]]:
    """Book, tape, heatmap and chart at once; with instruments, flow and account where there is room."""
    four = ("book", "tape", "heat", "chart")
    if width >= FULL_WIDTH and height >= FOUR_HEIGHT:
        top = _beside(0, Part("book"), Part("tape", 420, 44, 72))
        middle = _beside(0, Part("heat"), Part("chart", 460, 40, 120))
        right = _above(0, Part(top), Part(middle, 460, 12, 40))
        left = _above(0, Part("instruments"), Part("flow", 360, 10, 24))
        whole = _beside(1, Part(left, 230, 44, 60), Part(right))
        if height >= FULL_HEIGHT:
            return _above(0, Part(whole), Part("account", 180, 8, 14)), WIDE_PANES
        return whole, tuple(name for name in WIDE_PANES if name != "account")
    if width >= FOUR_WIDTH and height >= FOUR_HEIGHT:
        top = _beside(0, Part("book"), Part("tape", 400, 40, 60))
        bottom = _beside(0, Part("heat"), Part("chart", 460, 40, 120))
        return _above(0, Part(top), Part(bottom, 480, 10, 60)), four
    if focused not in four:
        focused = "book"
    if width < TWO_WIDTH or height < TWO_HEIGHT:
        return focused, four
    aside = {"book": "tape", "tape": "book", "heat": "chart", "chart": "heat"}[focused]
    first, second = (focused, aside) if focused in ("book", "heat") else (aside, focused)
    return _beside(0, Part(first), Part(second, 400, 36, 60)), four
