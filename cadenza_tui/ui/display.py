"""The one gate that everything passes on its way to the screen: the monitor's frames and Textual's updates.

While the gate is closed nothing is written and nothing is queued: what was to be shown is *owed*, as the
widgets that have changed or as the whole screen, and when the gate opens it is made anew from what is so
then. What a frame has no room for stays owed as well, pane by pane, so that no pane is ever half painted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rich.control import Control
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region

from cadenza_tui.ui.painter import PiecesUpdate
from cadenza_tui.ui.pane import RowsWidget
from cadenza_tui.ui.terminal import REQUEST_ACKNOWLEDGEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType
    from textual.screen import Screen

    from cadenza_tui.ui.app import MonitorApp
    from cadenza_tui.ui.clock import FrameClock
    from cadenza_tui.ui.painter import Painter, Piece

SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
AT_ONCE = 256
"""A frame of so few bytes is drawn in one go anyway, and not worth two markers."""
BAND = 4
"""Lines of a screen that has no panes, which are left to the next frame together."""
RANKS = {
    "status": 0,
    "tabs": 1,
    "footer": 1,
    "book": 1,
    "account": 1,
    "accounts": 1,
    "tape": 2,
}
"""Which pane goes first where a frame has not room for all. Each frame that it waits counts as one rank."""
LAST_RANK = 3


class Display:
    """Decides what of the screen is written now, and owes the rest."""

    def __init__(self, app: MonitorApp, painter: Painter) -> None:
        self._app = app
        self._painter = painter
        self._owed: dict[RowsWidget, None] = {}
        self._owes_screen = False
        self._scheduled = False
        self._waited: dict[str, int] = {}
        self.synchronised = False
        """Whether the terminal draws what stands between two markers at once."""
        self.clock: FrameClock | None = None

    # -- owing -----------------------------------------------------------------------------------

    def put(self, widget: RowsWidget, lines: Sequence[int]) -> bool:
        """Take changed lines of the monitor to the terminal past the compositor, all of a frame together.

        Returns False where the compositor is needed: something lies over them, or they are not in place yet.
        """
        x, y, width, _ = region = widget.region
        if region.size != widget.size or self._owes_screen or not self._uncovered():
            return False
        if not all(self._painter.knows(x, y + line, width) for line in lines):
            return False
        self._owed[widget] = None
        self._schedule()
        return True

    def owe_screen(self) -> None:
        """Write the whole screen, as far as it differs, as soon as may be."""
        self._owes_screen = True
        if self.clock is not None:
            self.clock.wake()

    def settle(self) -> None:
        """Begin to write what is owed: the clock says that a frame may go."""
        if self._owes_screen:
            self._app.screen.refresh()
        elif self._owed:
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _uncovered(self) -> bool:
        app, monitor = self._app, self._app.monitor
        on_top = app.screen_stack[-1:] == [monitor]
        return on_top and not monitor._layout_required and not len(app._notifications)

    def _flush(self) -> None:
        """Write the widgets that are owed, as many as may be."""
        self._scheduled = False
        if not self._owed or not self._app.is_running:
            return
        if not self._gate_open():
            if self.clock is not None:
                self.clock.wake()
            return
        widgets = self._in_order(widget for widget in self._owed if widget.display)
        self._owed = dict.fromkeys(widgets)
        parts = [_pieces(widget) for widget in widgets]
        if self._uncovered() and all(map(self._painter.knows_all, parts)):
            self._app._display(self._app.monitor, PiecesUpdate(self._painter, parts))  # type: ignore[arg-type]
        else:
            self._app.monitor.refresh()
        self._owed = dict.fromkeys(widget for widget in widgets if self._waited.get(str(widget.id)))

    def _gate_open(self) -> bool:
        return self._app.is_headless or (self.clock is not None and self.clock.may_display())

    # -- writing ---------------------------------------------------------------------------------

    def show(self, screen: Screen[Any], update: RenderableType | None) -> bool:
        """Write an update, or owe it; return False for one that is not the compositor's."""
        if not isinstance(update, LayoutUpdate | ChopsUpdate | PiecesUpdate):
            return False
        if self.clock is None or not self.clock.may_display():
            self.owe_screen()
            return True
        if isinstance(update, PiecesUpdate):
            names = [str(widget.id) for widget in self._owed]
            parts: Sequence[Sequence[Piece]] = update.parts
        else:
            tiles = self._tiles(screen)
            names = ["", *tiles]
            parts = self._painter.parts(update, list(tiles.values()))
        painted = self._painter.paint(parts, self._app.console, self.clock.allowance)
        for name in names[: painted.parts]:
            self._waited.pop(name, None)
        for name in names[painted.parts :]:
            self._waited[name] = self._waited.get(name, 0) + 1
        unfinished = painted.parts < len(parts)
        if isinstance(update, LayoutUpdate):
            self._owes_screen = unfinished
            self._owed.clear()
        elif isinstance(update, ChopsUpdate):
            self._owes_screen = self._owes_screen or unfinished
        if painted.text:
            self._write(screen, painted.text, unfinished=unfinished)
        return True

    def _write(self, screen: Screen[Any], text: str, *, unfinished: bool) -> None:
        app = self._app
        if screen is not app.monitor:  # where a text is typed, the terminal may show what is being composed
            x, y = screen.outer_size.clamp_offset(app.cursor_position)
            text += Control.move_to(x, y).segment.text
        if self.synchronised and len(text) > AT_ONCE:
            text = f"{SYNC_START}{text}{SYNC_END}"
        if self.clock is not None:
            size = app.send(text + REQUEST_ACKNOWLEDGEMENT if self.clock.asks else text)
            self.clock.displayed(size, unfinished=unfinished)

    def ask(self) -> int:
        """Ask the terminal for an answer to all that was written; return the bytes of the question."""
        return self._app.send(REQUEST_ACKNOWLEDGEMENT)

    # -- what goes first -------------------------------------------------------------------------

    def _in_order(self, widgets: Iterable[RowsWidget]) -> list[RowsWidget]:
        return sorted(widgets, key=lambda widget: self._rank(str(widget.id)))

    def _rank(self, name: str) -> int:
        focused = name == self._app.monitor.desk.focused
        return (0 if focused else RANKS.get(name, LAST_RANK)) - self._waited.get(name, 0)

    def _tiles(self, screen: Screen[Any]) -> dict[str, Region]:
        """Return the parts of a screen that are written whole or not at all, those that go first first."""
        if screen is self._app.monitor:
            widgets = [widget for widget in screen.query(RowsWidget) if widget.display]
            return {str(widget.id): widget.region for widget in self._in_order(widgets)}
        width, height = screen.size
        bands = {f"lines {y}": Region(0, y, width, BAND) for y in range(0, height, BAND)}
        return dict(sorted(bands.items(), key=lambda band: -self._waited.get(band[0], 0)))


def _pieces(widget: RowsWidget) -> list[Piece]:
    x, y, _, height = widget.region
    return [(x, y + line, strip) for line, strip in enumerate(widget.strips[:height])]
