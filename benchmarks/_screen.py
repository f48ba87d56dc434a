"""What an ideal terminal program would have written: the changed cells, and the cheapest moves between them.

The ideal knows the screen before and after each frame. It goes from one changed cell to the next by the
shortest of an absolute address, a column address and a jump to the right, or by writing the cells between as
well where that costs less; it says colours and attributes only where they differ from the ones in force, in
the shorter of a change and a reset, and on blanks only the ground. It writes the cells in the cheaper of two
orders, frame by frame: row by row, or all cells of one look before those of the next. It never clears, asks
or resets at the end of a frame. Trade-offs over more than one step (a detour that pays later) are not looked
for, so a program may come out a little below it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pyte

NAMED = {"default", "black", "red", "green", "brown", "blue", "magenta", "cyan", "white"}


class Look(NamedTuple):
    """How a cell is written."""

    foreground: str
    background: str
    flags: tuple[bool, ...]


NOTHING = (False,) * 5
UNKNOWN = Look("default", "default", NOTHING)


class Cell(NamedTuple):
    """What can be seen of a cell: on a blank that is the ground alone, so its foreground is None."""

    text: str
    foreground: str | None
    background: str
    flags: tuple[bool, ...]

    def look(self, now: Look) -> Look:
        """Return how to write it; a blank leaves the foreground and its attributes as they are."""
        if self.foreground is None:
            underlined = now.flags[2] or now.flags[3] or now.flags[4]
            return Look(now.foreground, self.background, NOTHING if underlined else now.flags)
        return Look(self.foreground, self.background, self.flags)


def cell_of(char: Any) -> Cell:
    """Return a pyte cell as it can be seen."""
    flags = (char.bold, char.italics, char.underscore, char.reverse, char.strikethrough)
    if char.data == " " and not any(flags[2:]):
        return Cell(" ", None, char.bg, NOTHING)
    return Cell(char.data, char.fg, char.bg, flags)


def _colour(colour: str) -> int:
    if colour in NAMED or colour.startswith("bright"):
        return 2
    return len(";".join(("38", "2", *(str(int(colour[i : i + 2], 16)) for i in (0, 2, 4)))))


@lru_cache(maxsize=65_536)
def transition(now: Look, wanted: Look) -> int:
    """Return the bytes of the shortest sequence from one look to the other."""
    if now == wanted:
        return 0
    flags = sum(wanted.flags)
    colours = [_colour(c) for c in wanted[:2] if c != "default"]
    reset = 1 if wanted == UNKNOWN else 1 + 2 * flags + sum(1 + size for size in colours)
    if wanted == UNKNOWN:
        reset = 0  # ESC[m
    change = [_colour(b) for a, b in zip(now[:2], wanted[:2], strict=True) if a != b]
    for had, has in zip(now.flags, wanted.flags, strict=True):
        if had != has:
            change.append(1 if has else 2)
    return 3 + min(reset, sum(change) + len(change) - 1)


class _Walk:
    """Writes cells in the order they are given in, and adds up what that costs."""

    def __init__(self, look: Look, at: tuple[int, int]) -> None:
        self.look = look
        self.at = at
        self.bytes = 0

    def write(self, y: int, x: int, line: list[Cell]) -> None:
        """Go to a cell of a line and write it."""
        if self.at != (y, x):
            self._go(y, x, line)
        cell = line[x]
        wanted = cell.look(self.look)
        self.bytes += transition(self.look, wanted) + len(cell.text.encode())
        self.look = wanted
        self.at = (y, x + 1)

    def _go(self, y: int, x: int, line: list[Cell]) -> None:
        at_y, at_x = self.at
        jump = len(f"\x1b[{y + 1};{x + 1}H") if x else len(f"\x1b[{y + 1}H")
        if at_y == y and at_x < x:
            gap = x - at_x
            jump = min(jump, len(f"\x1b[{gap}C") if gap > 1 else 3, len(f"\x1b[{x + 1}G"))
            between, look = 0, self.look
            for cell in line[at_x:x][: jump + 40]:
                wanted = cell.look(look)
                between += transition(look, wanted) + len(cell.text.encode())
                look = wanted
            lands = line[x]
            if between + transition(look, lands.look(look)) <= jump + transition(
                self.look, lands.look(self.look)
            ):
                self.bytes += between
                self.look = look
                return
        self.bytes += jump


class IdealDiff:
    """Adds up what an ideal diff of each frame costs. Call ``frame`` after the screen took one in."""

    def __init__(self, screen: pyte.Screen) -> None:
        self._screen = screen
        self._look = UNKNOWN
        self._at = (-1, -1)
        self._shown: dict[int, list[Cell]] = {}
        self.bytes = 0
        self.cells = 0
        self.snapshot()

    def _line(self, y: int) -> list[Cell]:
        row = self._screen.buffer[y]
        return [cell_of(row[x]) for x in range(self._screen.columns)]

    def snapshot(self) -> None:
        """Take the present screen as the one that is known."""
        self._shown = {y: self._line(y) for y in range(self._screen.lines)}
        self._screen.dirty.clear()

    def frame(self) -> None:
        """Count what has changed since the last frame."""
        changed: list[tuple[int, int]] = []
        for y in sorted(self._screen.dirty):
            if y in self._shown:
                after = self._line(y)
                before = self._shown[y]
                changed += [(y, x) for x, cell in enumerate(after) if cell != before[x]]
                self._shown[y] = after
        self._screen.dirty.clear()
        self.cells += len(changed)
        walks = []
        for order in (changed, self._by_look(changed)):
            walk = _Walk(self._look, self._at)
            for y, x in order:
                walk.write(y, x, self._shown[y])
            walks.append(walk)
        best = min(walks, key=lambda walk: walk.bytes)
        self.bytes += best.bytes
        self._look, self._at = best.look, best.at

    def _by_look(self, changed: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the cells look by look; blanks go with the first look that has their ground."""
        groups: dict[tuple[str | None, str, tuple[bool, ...]], list[tuple[int, int]]] = {}
        blanks: list[tuple[int, int]] = []
        for y, x in changed:
            cell = self._shown[y][x]
            if cell.foreground is None:
                blanks.append((y, x))
            else:
                groups.setdefault(cell[1:], []).append((y, x))
        by_ground = {key[1]: group for key, group in reversed(groups.items())}
        for y, x in blanks:
            ground = self._shown[y][x].background
            by_ground.setdefault(ground, groups.setdefault((None, ground, NOTHING), [])).append((y, x))
        return [place for group in groups.values() for place in sorted(group)]
