"""Which panes are shown at which size, and where; plain rectangles, borders included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MARKET_PANES = ("instruments", "book", "tape", "account")
SINGLE_PANES = {"account": "accounts", "health": "health"}
"""Views that are one pane."""

FOUR_WIDTH, FOUR_HEIGHT = 120, 32
TWO_WIDTH, TWO_HEIGHT = 100, 18
LEAST_FOR_FOOTER = 6


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
    width: int, height: int, *, zoomed: str | None = None, focused: str = "book", view: str = "market"
) -> Layout:
    """Return the layout of a ``width`` x ``height`` screen.

    120x32 and more show all four panes of the market view, 100 columns two (the book and the focused one,
    else the tape), less than that the focused one. The status line with the touch is always on top.
    """
    width, height = max(width, 1), max(height, 1)
    panes = {"status": Rect(0, 0, width, 1)}
    bottom = height
    if height >= LEAST_FOR_FOOTER:
        bottom -= 1
        panes["footer"] = Rect(0, bottom, width, 1)
    if view in SINGLE_PANES:
        name = SINGLE_PANES[view]
        panes[name] = Rect(0, 1, width, max(bottom - 1, 0))
        return Layout(panes, (name,))
    focused = focused if focused in MARKET_PANES else "book"
    if zoomed in MARKET_PANES:
        panes[zoomed] = Rect(0, 1, width, max(bottom - 1, 0))
        return Layout(panes, MARKET_PANES)
    if width >= FOUR_WIDTH and height >= FOUR_HEIGHT:
        panes.update(_four(width, 1, bottom - 1))
        return Layout(panes, MARKET_PANES)
    top = 1
    if height >= LEAST_FOR_FOOTER:
        panes["tabs"] = Rect(0, 1, width, 1)
        top = 2
    room = max(bottom - top, 0)
    if width >= FOUR_WIDTH and height >= TWO_HEIGHT and focused != "account":
        panes.update(_three(width, top, room))
    elif width >= TWO_WIDTH and height >= TWO_HEIGHT and focused != "account":
        aside = focused if focused != "book" else "tape"
        book = width - _clamped(width * 38 // 100, 36, 48)
        panes["book"] = Rect(0, top, book, room)
        panes[aside] = Rect(book, top, width - book, room)
    else:
        panes[focused] = Rect(0, top, width, room)
    return Layout(panes, MARKET_PANES, tabs="tabs" in panes)


def _four(width: int, top: int, height: int) -> dict[str, Rect]:
    account = _clamped(height * 29 // 100, 9, 22)
    panes = _three(width, top, height - account)
    panes["account"] = Rect(0, top + height - account, width, account)
    return panes


def _three(width: int, top: int, height: int) -> dict[str, Rect]:
    """Place instruments, book and tape: 40, 62 and 38 of 140 columns, the book having most of any more."""
    instruments = _clamped(width * 2 // 7, 34, 60)
    tape = _clamped(width * 38 // 140, 34, 56)
    book = width - instruments - tape
    return {
        "instruments": Rect(0, top, instruments, height),
        "book": Rect(instruments, top, book, height),
        "tape": Rect(instruments + book, top, tape, height),
    }


def _clamped(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)
