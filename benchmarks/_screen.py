"""What an ideal terminal program would have written: the changed cells, each run with one cursor move.

An encoder that knows the screen before and after writes each run of changed cells after one absolute cursor
move, and says colours and attributes only where they differ from the ones in force. Runs that are closer than
a move costs are written as one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from tests.support.terminal import Terminal

GAP = 4
NAMED = {"default", "black", "red", "green", "brown", "blue", "magenta", "cyan", "white"}


def _colour_bytes(colour: str) -> int:
    if colour in NAMED or colour.startswith("bright"):
        return 2
    red, green, blue = (int(colour[i : i + 2], 16) for i in (0, 2, 4))
    return len(f"38;2;{red};{green};{blue}")


def _look(cell: Any) -> tuple[object, ...]:
    return (cell.fg, cell.bg, cell.bold, cell.italics, cell.underscore, cell.reverse)


def _sgr_bytes(now: tuple[object, ...], wanted: tuple[object, ...]) -> int:
    if now == wanted:
        return 0
    parts = 0
    size = 3  # ESC [ m
    if now[2:] != wanted[2:]:
        size += 1 + sum(2 for flag in wanted[2:] if flag)
        now = ("default", "default", *wanted[2:])
        parts += 1
    for index in (0, 1):
        if now[index] != wanted[index]:
            size += _colour_bytes(str(wanted[index]))
            parts += 1
    return size + max(parts - 1, 0)


class IdealDiff:
    """Watches a terminal's screen and adds up what an ideal diff of each chunk would have cost."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._shown: dict[int, list[Any]] = {}
        self._look: tuple[object, ...] = ()
        self.ideal_bytes = 0
        self.cells = 0
        self.snapshot()
        terminal.on_chunk = self._chunk

    def snapshot(self) -> None:
        """Take the present screen as the one that is known."""
        screen = self._terminal.screen
        self._shown = {y: [screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)}
        screen.dirty.clear()

    def _chunk(self, _data: bytes) -> None:
        screen = self._terminal.screen
        for y in sorted(screen.dirty):
            if y in self._shown:
                after = [screen.buffer[y][x] for x in range(screen.columns)]
                self._row(y, self._shown[y], after)
                self._shown[y] = after
        screen.dirty.clear()

    def _row(self, y: int, before: list[Any], after: list[Any]) -> None:
        changed = [x for x, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        if not changed:
            return
        self.cells += len(changed)
        runs: list[list[int]] = []
        for x in changed:
            if runs and x - runs[-1][1] <= GAP:
                runs[-1][1] = x
            else:
                runs.append([x, x])
        for start, end in runs:
            self.ideal_bytes += len(f"\x1b[{y + 1};{start + 1}H")
            for cell in after[start : end + 1]:
                look = _look(cell)
                self.ideal_bytes += _sgr_bytes(self._look or look, look) + len(cell.data.encode())
                self._look = look
