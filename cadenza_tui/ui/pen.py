"""Runs of cells as the shortest sequence that writes them all.

Telling a terminal two colours takes up to 40 bytes, moving its cursor 8. So a look is not said again while it
is in force, from one frame to the next either; all runs of a look are written before those of the next, and
only a whole screen line by line, where that is shorter. The first move of a frame is an absolute one, lest
anything that moved the cursor between two frames be heard of for ever.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.ui.sgr import Look, look_of, transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.color import ColorSystem
    from rich.style import Style

MOST_COMPARED = 40
"""Looks whose best order is sought; more are a screen that is written whole."""
A_SCREEN = 200
"""Runs of a frame that may be shorter line by line; with fewer it never is."""
RUN_COST = 5
LOOK_COST = 20
"""Bytes of a move and of a look, for an estimate of what was collected."""
UNDERLINE_AND_SUCH = frozenset("479")
"""Attributes that can be seen on a blank."""


class Run(NamedTuple):
    """Cells of one look, side by side."""

    y: int
    x: int
    text: str
    cells: int


make_run: Callable[[tuple[int, int, str, int]], Run] = partial(tuple.__new__, Run)
"""A Run out of a tuple of its parts, without the cost of a call in Python."""


class Pen:
    """Collects runs of cells, and writes them on a screen of ``width`` cells."""

    __slots__ = ("_blanks", "_looks", "_runs", "_system", "_width", "_x", "_y", "estimate", "look")

    def __init__(self, system: ColorSystem | None, look: Look | None, width: int = 0) -> None:
        self._system = system
        self._looks: dict[int, tuple[Style | None, Look]] = {}
        """The looks of styles met, by where they are: to hash a style costs more than the rest of a run."""
        self._width = width
        self._runs: dict[Look, list[Run]] = {}
        self._blanks: dict[Look, list[Run]] = {}
        self._x = self._y = 0
        self.estimate = 0
        """About how many bytes have been collected."""
        self.look = look
        """What the terminal writes with; None where that is not known."""

    def move(self, x: int, y: int) -> None:
        """Go to a cell."""
        self._x, self._y = x, y

    def write(self, text: str, style: Style | None, cells: int) -> None:
        """Write ``text``, which is ``cells`` wide, from where the pen is on."""
        known = self._looks.get(id(style))
        if known is None or known[0] is not style:
            known = self._looks[id(style)] = (style, look_of(style, self._system))
        look = known[1]
        run = make_run((self._y, self._x, text, cells))
        groups = self._blanks if text.isspace() and not _seen_on_blanks(look) else self._runs
        group = groups.get(look)
        if group is None:
            group = groups[look] = []
            self.estimate += LOOK_COST
        group.append(run)
        self.estimate += RUN_COST + (cells if text.isascii() else len(text.encode()))
        self._x += cells

    def take(self, other: Pen) -> None:
        """Take over what another pen has collected."""
        for mine, theirs in ((self._runs, other._runs), (self._blanks, other._blanks)):
            for look, runs in theirs.items():
                if look in mine:
                    mine[look] += runs
                    self.estimate -= LOOK_COST
                else:
                    mine[look] = runs
        self.estimate += other.estimate

    def finish(self) -> str:
        """Return everything as one sequence, after which ``look`` is in force."""
        if not self._runs and not self._blanks:
            return ""
        groups = self._groups()
        if len(groups) == 1:
            ((look, runs),) = groups.items()
            text, self.look = _sequence([(look, run) for run in sorted(runs)], self.look, self._width)
            return text
        by_look = [
            (look, run) for look in _ordered(frozenset(groups), self.look) for run in sorted(groups[look])
        ]
        ways = [_sequence(by_look, self.look, self._width)]
        if len(by_look) >= A_SCREEN:
            ways.append(_sequence(sorted(by_look, key=_place), self.look, self._width))
        text, self.look = min(ways, key=_length)
        return text

    def _groups(self) -> dict[Look, list[Run]]:
        """Return the runs by look; on blanks only the ground shows, so any look that has it will do."""
        groups = {look: list(runs) for look, runs in self._runs.items()}
        for look, runs in self._blanks.items():
            groups.setdefault(self._stand_in(look, groups), []).extend(runs)
        return groups

    def _stand_in(self, look: Look, groups: Iterable[Look]) -> Look:
        if look in self._runs:
            return look
        for other in (self.look, *groups):
            if other is not None and other.background == look.background and not _seen_on_blanks(other):
                return other
        return look


def _seen_on_blanks(look: Look) -> bool:
    return bool(look.attributes) and not UNDERLINE_AND_SUCH.isdisjoint(look.attributes)


def _place(item: tuple[Look, Run]) -> tuple[int, int]:
    return item[1].y, item[1].x


def _length(item: tuple[str, Look | None]) -> int:
    return len(item[0])


@lru_cache(maxsize=2048)
def _ordered(looks: frozenset[Look], now: Look | None) -> Sequence[Look]:
    """Return the looks so that each is told cheaply after the one before."""
    left = sorted(looks, key=lambda look: (look.background, look.foreground, look.attributes))
    if len(left) > MOST_COMPARED:
        return left
    ordered: list[Look] = []
    while left:
        now = min(left, key=lambda look: len(transition(now, look)))
        left.remove(now)
        ordered.append(now)
    return ordered


def _sequence(items: Iterable[tuple[Look, Run]], look: Look | None, width: int) -> tuple[str, Look | None]:
    """Write runs in their order; return the sequence and the look that is in force after it."""
    out: list[str] = []
    row = column = -1
    for wanted, (y, x, text, cells) in items:
        if wanted != look:
            out.append(transition(look, wanted))
            look = wanted
        if y != row or x != column:
            out.append(motion(row, column, y, x))
        out.append(text)
        row, column = y, x + cells
        if cells != len(text) or column >= width:
            row = -1  # how wide the terminal took it to be, and what it does at its edge, is its own affair
    return "".join(out), look


@lru_cache(maxsize=1 << 15)
def motion(row: int, column: int, y: int, x: int) -> str:
    """Return the shortest sequence that moves the cursor; from a row of -1, which is not known, by address.

    No line feed of any kind is among them: terminals differ in whether it keeps the column.
    """
    address = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"
    if row < 0 or y < row:
        return address
    down = "" if y == row else "\x1b[B" if y - row == 1 else f"\x1b[{y - row}B"
    return min(*(down + across for across in _across(column, x)), address, key=len)


def _across(column: int, x: int) -> Sequence[str]:
    """Return the ways from one column to another."""
    if x == column:
        return ("",)
    to_column = f"\x1b[{x + 1}G" if x else "\x1b[G"
    if x > column:
        return (f"\x1b[{x - column}C" if x - column > 1 else "\x1b[C", to_column)
    return (to_column, "\b" * (column - x) if column - x <= 5 else f"\x1b[{column - x}D")
