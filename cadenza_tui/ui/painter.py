"""What really goes to the terminal: the cells that changed, and nothing else.

Textual's compositor writes a widget's line from its left edge to the end of the changed span, and says every
style in full. The painter keeps the strips that the terminal already shows, walks each new strip beside the
old one, and writes only the runs of cells that differ. After a resize, or when it is told to forget,
everything is written: that heals a terminal that something else has written on.

What is to be shown is compared when it is written, not when it is made. So a part that a frame has no room
for is only left out: the next frame writes what it is by then.

It stands on three names of Textual's compositor (``LayoutUpdate``, ``ChopsUpdate`` and their
``render_segments``); ``tests/ui/test_painter.py`` fails when they move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from cadenza_tui.ui.cells import differences, narrow, wide_differences
from cadenza_tui.ui.pen import Pen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.segment import Segment
    from textual.geometry import Region, Size

    from cadenza_tui.ui.sgr import Look

COLOUR_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}

MAX_STRIPS_A_LINE = 64
"""More pieces than any layout of ours has: a bound on what is remembered of a line."""
LITTLE = 4
"""So small a part of what is allowed keeps nothing out of its frame."""
CLEAR = "\x1b[m\x1b[2J"


Update = TypeVar("Update")
Piece: TypeAlias = "tuple[int, int, Strip]"
"""Column, line, and what is to stand there."""


class Painted(NamedTuple):
    """What a frame has become."""

    text: str
    parts: int
    """How many of the parts, from the first, are on the screen with it."""


class Painter:
    """Remembers what the terminal shows, and turns what it should show into the cells that differ."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, Strip]] = {}
        self._size: Size | None = None
        self._look: Look | None = None

    def forget(self) -> None:
        """Trust nothing that was remembered: the next strips are written whole, their looks said again."""
        self._lines.clear()
        self._size = None
        self._look = None

    def wrap(self, update: Update) -> Update | CellUpdate:
        """Return an update that, when it is rendered, writes only what ``update`` changes."""
        if isinstance(update, LayoutUpdate | ChopsUpdate):
            return CellUpdate(self, update)
        return update

    def parts(self, update: LayoutUpdate | ChopsUpdate, tiles: Sequence[Region] = ()) -> list[list[Piece]]:
        """Return what an update wants to show: what is in no tile first, then tile by tile."""
        if isinstance(update, LayoutUpdate) and self._size != update.region.size:
            self.forget()
            self._size = update.region.size
        pieces = _layout(update) if isinstance(update, LayoutUpdate) else _chops(update)
        rest: list[Piece] = []
        parts: list[list[Piece]] = [[] for _ in tiles]
        for piece in pieces:
            x, y, _ = piece
            for part, tile in zip(parts, tiles, strict=True):
                if tile.contains(x, y):
                    part.append(piece)
                    break
            else:
                rest.append(piece)
        return [rest, *parts] if tiles else [rest]

    def paint(
        self, parts: Sequence[Iterable[Piece]], console: Console, allowance: int | None = None
    ) -> Painted:
        """Return the escape sequences and text of the cells that change, part after part.

        A part is painted whole or not at all: where the next one would take the frame above ``allowance``
        bytes, it and those after it are left out. The first that is more than a little never is: what is
        focused comes with the status line, however large it is.
        """
        known = bool(self._lines)
        pen = self._pen(console)
        done = 0
        for part in parts:
            mine = self._pen(console)
            changes = self._changes(part, mine)
            full = allowance is not None and pen.estimate + mine.estimate > allowance
            if full and pen.estimate > (allowance or 0) // LITTLE and mine.estimate:
                break
            pen.take(mine)
            self._remember(changes)
            done += 1
        text = pen.finish()
        self._look = pen.look
        if not known and done < len(parts):
            text = CLEAR + text  # blank, until it is their turn, rather than what was there before
        return Painted(text, done)

    def _pen(self, console: Console) -> Pen:
        system = None if console.no_color else COLOUR_SYSTEMS.get(console.color_system or "")
        return Pen(system, self._look, self._size.width if self._size is not None else 0)

    def _changes(self, pieces: Iterable[Piece], pen: Pen) -> list[Piece]:
        """Write where pieces differ from what is shown; return those that are not the very same strips."""
        changes: list[Piece] = []
        lines = self._lines
        for piece in pieces:
            x, y, strip = piece
            line = lines.get(y)
            shown = None if line is None else line.get(x)
            if shown is strip:
                continue
            changes.append(piece)
            if line is not None and (shown is None or shown.cell_length != strip.cell_length):
                shown = _assembled(line, x, x + strip.cell_length)
            if shown is None:
                pen.move(x, y)
                _write(pen, strip)
            else:
                _difference(pen, x, y, shown, strip)
        return changes

    def _remember(self, changes: Iterable[Piece]) -> None:
        for x, y, strip in changes:
            line = self._lines.setdefault(y, {})
            shown = line.get(x)
            if shown is None or shown.cell_length != strip.cell_length:
                _cut(line, x, x + strip.cell_length)
                if len(line) > MAX_STRIPS_A_LINE:
                    line.clear()
            line[x] = strip

    def knows(self, x: int, y: int, width: int) -> bool:
        """Return whether one piece of that width is what the terminal shows there."""
        shown = self._lines.get(y, {}).get(x)
        return shown is not None and shown.cell_length == width

    def knows_all(self, pieces: Iterable[Piece]) -> bool:
        """Return whether something as wide as each piece is what the terminal shows in its place."""
        lines = self._lines
        for x, y, strip in pieces:
            line = lines.get(y)
            shown = None if line is None else line.get(x)
            if shown is not strip and (shown is None or shown.cell_length != strip.cell_length):
                return False
        return True


def _layout(update: LayoutUpdate) -> Iterable[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield x, y, strip
            x += strip.cell_length


def _chops(update: ChopsUpdate) -> Iterable[Piece]:
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < last and end > first:
                yield x, y, strip


def _assembled(line: dict[int, Strip], start: int, end: int) -> Strip | None:
    """Return what a line shows from ``start`` to ``end``, None where a part of it is not known."""
    strips: list[Strip] = []
    at = start
    for x in sorted(line):
        strip = line[x]
        if x + strip.cell_length <= at:
            continue
        if x > at or at >= end:
            break
        if x < at or x + strip.cell_length > end:
            if not narrow(strip):  # half a character may be left of a wide one
                return None
            strip = strip.crop(at - x, min(end - x, strip.cell_length))
        strips.append(strip)
        at += strip.cell_length
    return Strip.join(strips) if at == end else None


def _cut(line: dict[int, Strip], start: int, end: int) -> None:
    """Forget what is shown from ``start`` to ``end``; what stands beside it is kept."""
    overlapping = [(x, strip) for x, strip in line.items() if x < end and x + strip.cell_length > start]
    for x, strip in overlapping:
        del line[x]
        if not narrow(strip):
            continue
        if x < start:
            line[x] = strip.crop(0, start - x)
        if x + strip.cell_length > end:
            line[end] = strip.crop(end - x, strip.cell_length)


def _difference(pen: Pen, x: int, y: int, shown: Strip, wanted: Strip) -> None:
    """Write where two equally wide strips differ."""
    if narrow(shown) and narrow(wanted):
        for column, text, style in differences(shown, wanted):
            pen.move(x + column, y)
            pen.write(text, style, len(text))
        return
    for column, text, style, cells in wide_differences(shown, wanted):
        pen.move(x + column, y)
        pen.write(text, style, cells)


def _write(pen: Pen, strip: Iterable[Segment]) -> None:
    for text, style, control in strip:
        if text and not control:
            pen.write(text, style, cell_len(text))


class CellUpdate(CompositorUpdate):
    """A compositor update that is compared with what the terminal shows only when it is really written."""

    def __init__(self, painter: Painter, update: LayoutUpdate | ChopsUpdate) -> None:
        self._painter = painter
        self.update = update

    def render_segments(self, console: Console) -> str:
        """Return the escape sequences and text of the cells that changed."""
        return self._painter.paint(self._painter.parts(self.update), console).text


class PiecesUpdate(CompositorUpdate):
    """Lines of widgets that nothing lies over, which need no compositor; part by part."""

    def __init__(self, painter: Painter, parts: Sequence[Sequence[Piece]]) -> None:
        self._painter = painter
        self.parts = parts

    def render_segments(self, console: Console) -> str:
        """Return the escape sequences and text of the cells that changed."""
        return self._painter.paint(self.parts, console).text
