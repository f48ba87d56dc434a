"""What really goes to the terminal: the cells that changed, and nothing else.

Textual's compositor writes a widget's line from its left edge to the end of the changed span, and says every
style in full. The painter keeps the strips that the terminal already shows, walks each new strip beside the
old one, and writes only the runs of cells that differ, moving the cursor over the rest. After a resize, or
when it is told to forget, everything is written: that heals a terminal that something else has written on.

It stands on three names of Textual's compositor (``LayoutUpdate``, ``ChopsUpdate`` and their
``render_segments``); ``tests/ui/test_painter.py`` fails when they move.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from rich.cells import cell_len
from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from cadenza_tui.ui.sgr import PLAIN, Look, look_of, transition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.segment import Segment
    from rich.style import Style
    from textual.geometry import Size

REWRITE_GAP = 4
"""Unchanged cells between two changed ones that cost less to write again than to move over (``ESC[nC``)."""

COLOUR_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}

MAX_STRIPS_A_LINE = 64
"""More pieces than any layout of ours has: a bound on what is remembered of a line."""


Update = TypeVar("Update")
Piece: TypeAlias = "tuple[int, int, Strip]"
"""Column, line, and what is to stand there."""


class Pen:
    """Collects runs of cells, and writes those of one look together.

    Telling a terminal two colours takes up to 40 bytes, moving its cursor 8: so each look is said once, and
    the runs in it follow from the top left to the bottom right.
    """

    __slots__ = ("_runs", "_system", "_x", "_y")

    def __init__(self, system: ColorSystem | None) -> None:
        self._system = system
        self._runs: dict[Look, list[tuple[int, int, str, int]]] = {}
        self._x = self._y = 0

    def move(self, x: int, y: int) -> None:
        """Go to a cell."""
        self._x, self._y = x, y

    def write(self, text: str, style: Style | None, cells: int) -> None:
        """Write ``text``, which is ``cells`` wide, from where the pen is on."""
        self._runs.setdefault(look_of(style, self._system), []).append((self._y, self._x, text, cells))
        self._x += cells

    def finish(self) -> str:
        """Return everything as one sequence, which leaves the terminal plain."""
        out: list[str] = []
        now = PLAIN
        column = row = -1
        for look in sorted(self._runs, key=_attributes_then_ground):
            out.append(transition(now, look))
            now = look
            for y, x, text, cells in self._runs[look]:
                if y != row or x < column:
                    out.append(f"\x1b[{y + 1};{x + 1}H")
                elif x > column:
                    out.append(f"\x1b[{x - column}C" if x - column > 1 else "\x1b[C")
                out.append(text)
                row, column = y, x + cells
        if now != PLAIN:
            out.append("\x1b[m")
        return "".join(out)


def _attributes_then_ground(look: Look) -> tuple[str, str, str]:
    """Order looks so that neighbours differ in little: an attribute can only be taken back by a reset."""
    return look.attributes, look.background, look.foreground


@lru_cache(maxsize=4096)
def _narrow_text(text: str) -> bool:
    return text.isascii() or all(cell_len(character) == 1 for character in text)


def _narrow(strip: Strip) -> bool:
    """Whether each character of the strip is one cell wide, so that columns are character positions."""
    return all(_narrow_text(segment.text) for segment in strip)


def changed_spans(old: str, new: str, gap: int = REWRITE_GAP) -> Iterator[tuple[int, int]]:
    """Yield the spans ``[start, end)`` in which two texts of one length differ, close ones joined."""
    start = end = -1
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if start < 0:
            start = index
        elif index - end > gap:
            yield start, end
            start = index
        end = index + 1
    if start >= 0:
        yield start, end


def _same_blank(text: str, before: Style | None, after: Style | None) -> bool:
    """Whether two styles look alike on blanks: only the ground shows there."""
    if before is None or after is None or not text.isspace():
        return False
    return before.bgcolor == after.bgcolor and not (
        before.reverse or after.reverse or before.underline or after.underline
    )


def differences(old: Strip, new: Strip) -> Iterator[tuple[int, str, Style | None]]:
    """Yield ``(column, text, style)`` for the runs of ``new`` that differ from ``old``.

    Both strips are equally long and hold characters of one cell each.
    """
    olds: Iterator[Segment] = iter(old)
    before = next(olds, None)
    skip = 0
    column = 0
    for text, style, _ in new:
        position = 0
        while position < len(text):
            while before is not None and skip >= len(before.text):
                before = next(olds, None)
                skip = 0
            if before is None:
                yield column, text[position:], style
                column += len(text) - position
                break
            length = min(len(text) - position, len(before.text) - skip)
            piece = text[position : position + length]
            shown = before.text[skip : skip + length]
            if before.style is style or before.style == style or _same_blank(piece, before.style, style):
                if shown != piece:
                    for start, end in changed_spans(shown, piece):
                        yield column + start, piece[start:end], style
            else:
                yield column, piece, style
            position += length
            skip += length
            column += length


class Painter:
    """Remembers what the terminal shows, and turns the compositor's updates into cell updates."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, Strip]] = {}
        self._size: Size | None = None

    def forget(self) -> None:
        """Trust nothing that was remembered: the next strips are written whole."""
        self._lines.clear()
        self._size = None

    def wrap(self, update: Update) -> Update | CellUpdate:
        """Return an update that, when it is rendered, writes only what ``update`` changes."""
        if isinstance(update, LayoutUpdate | ChopsUpdate):
            return CellUpdate(self, update)
        return update

    def layout(self, update: LayoutUpdate, pen: Pen) -> None:
        """Write a whole screen, or what differs from the one that the terminal is known to show."""
        left = update.region.x
        if self._size != update.region.size:
            self.forget()
            self._size = update.region.size
        for y, strips in enumerate(update.strips, update.region.y):
            line: dict[int, Strip] = {}
            x = left
            for strip in strips:
                line[x] = strip
                x += strip.cell_length
            shown, wanted = self._whole(y), Strip.join(line.values())
            if shown is not None and shown.cell_length == wanted.cell_length:
                self._piece(pen, left, y, shown, wanted)
            else:
                pen.move(left, y)
                _write(pen, wanted)
            self._lines[y] = line

    def _whole(self, y: int) -> Strip | None:
        """Return what the terminal shows on a line, None where a part of it is not known."""
        line = self._lines.get(y)
        if not line:
            return None
        strips = [line[x] for x in sorted(line)]
        x = min(line)
        for at, strip in zip(sorted(line), strips, strict=True):
            if at != x:
                return None
            x += strip.cell_length
        return Strip.join(strips)

    @staticmethod
    def _piece(pen: Pen, x: int, y: int, shown: Strip, wanted: Strip) -> None:
        """Write where two equally long strips differ; all of it where columns are not characters."""
        if not (_narrow(shown) and _narrow(wanted)):
            if shown != wanted:
                pen.move(x, y)
                _write(pen, wanted)
            return
        for column, text, style in differences(shown, wanted):
            pen.move(x + column, y)
            pen.write(text, style, len(text))

    def chops(self, update: ChopsUpdate, pen: Pen) -> None:
        """Write what changed in the spans of a partial update."""
        for y, first, last in update.spans:
            line = self._lines.setdefault(y, {})
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is None or x >= last or end <= first:
                    continue
                shown = line.get(x)
                if shown is strip:
                    continue
                if shown is not None and shown.cell_length == strip.cell_length:
                    self._piece(pen, x, y, shown, strip)
                else:
                    pen.move(x, y)
                    _write(pen, strip)
                    self._drop_overlapping(line, x, x + strip.cell_length)
                line[x] = strip

    def knows(self, x: int, y: int, width: int) -> bool:
        """Return whether one piece of that width is what the terminal shows there."""
        shown = self._lines.get(y, {}).get(x)
        return shown is not None and shown.cell_length == width

    def pieces(self, pieces: Iterable[Piece], pen: Pen) -> None:
        """Write what changed in pieces that are known."""
        for x, y, strip in pieces:
            line = self._lines[y]
            self._piece(pen, x, y, line[x], strip)
            line[x] = strip

    @staticmethod
    def _drop_overlapping(line: dict[int, Strip], start: int, end: int) -> None:
        stale = [x for x, strip in line.items() if x < end and x + strip.cell_length > start]
        for x in stale:
            del line[x]
        if len(line) > MAX_STRIPS_A_LINE:
            line.clear()


def _write(pen: Pen, strip: Iterable[Segment]) -> None:
    for text, style, control in strip:
        if text and not control:
            pen.write(text, style, cell_len(text))


class CellUpdate(CompositorUpdate):
    """A compositor update that is compared with what the terminal shows only when it is really written."""

    def __init__(self, painter: Painter, update: LayoutUpdate | ChopsUpdate) -> None:
        self._painter = painter
        self._update = update

    def render_segments(self, console: Console) -> str:
        """Return the escape sequences and text of the cells that changed."""
        pen = _pen(console)
        if isinstance(self._update, LayoutUpdate):
            self._painter.layout(self._update, pen)
        else:
            self._painter.chops(self._update, pen)
        return pen.finish()


class PiecesUpdate(CompositorUpdate):
    """Lines of widgets that nothing lies over, which need no compositor."""

    def __init__(self, painter: Painter, pieces: Sequence[Piece]) -> None:
        self._painter = painter
        self._pieces = pieces

    def render_segments(self, console: Console) -> str:
        """Return the escape sequences and text of the cells that changed."""
        pen = _pen(console)
        self._painter.pieces(self._pieces, pen)
        return pen.finish()


def _pen(console: Console) -> Pen:
    return Pen(None if console.no_color else COLOUR_SYSTEMS.get(console.color_system or ""))
