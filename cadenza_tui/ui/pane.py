"""The widget that every live part of the screen is: rows in, changed lines out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region, Size
from textual.widget import Widget

from cadenza_tui.view.frame import framed
from cadenza_tui.view.rows import Ground, Span
from cadenza_tui.view.text import blank, fit_row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.strip import Strip

    from cadenza_tui.ui.theme import Brush
    from cadenza_tui.view.rows import Pane, Row


class RowsWidget(Widget):
    """Paints rows by content. ``show`` compares them with what is there and refreshes the changed lines only.

    It renders whole lines itself, past Textual's style cache: the rows say their own ground and border.
    """

    DEFAULT_CSS = """
    RowsWidget { position: absolute; }
    """

    def __init__(self, brush: Brush, *, id: str, ground: Ground = Ground.PANEL) -> None:  # noqa: A002
        super().__init__(id=id)
        self._brush = brush
        self._ground = ground
        self._rows: tuple[Row, ...] = ()
        self._dimmed = False
        self._strips: list[Strip] = []
        self._rows_size = Size(0, 0)
        self._filling = False
        self.bring: Callable[[], object] | None = None
        """Shows rows of the present size here, for ``fill``."""
        self.put: Callable[[RowsWidget, Sequence[int]], bool] | None = None
        """Takes changed lines to the terminal past the compositor, and answers False where it cannot."""

    @property
    def strips(self) -> Sequence[Strip]:
        """The lines as last shown."""
        return self._strips

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as last shown."""
        return self._rows

    def show(self, rows: tuple[Row, ...], *, dimmed: bool = False) -> bool:
        """Show these rows; return whether any line changed."""
        width, height = self.size
        if not width or not height:
            return False
        before, strips = self._rows, self._strips
        whole = self._rows_size != self.size or dimmed is not self._dimmed
        empty: Row = (Span(blank(width), ground=self._ground),)
        wanted = tuple(rows[:height]) + (empty,) * (height - len(rows))
        if whole:
            strips = [self._strip(row, width, dimmed) for row in wanted]
            changed = list(range(height))
        else:
            strips = list(strips)
            changed = []
            for y, row in enumerate(wanted):
                if row is not before[y] and row != before[y]:
                    strips[y] = self._strip(row, width, dimmed)
                    changed.append(y)
        self._rows, self._strips, self._dimmed = wanted, strips, dimmed
        self._rows_size = self.size
        if changed and not self._filling and not (self.put is not None and self.put(self, changed)):
            # never with no regions at all: that repaints everything
            self.refresh(*(Region(0, y, width, 1) for y in changed))
        return bool(changed)

    def _strip(self, row: Row, width: int, dimmed: bool) -> Strip:
        return self._brush.strip(fit_row(row, width, self._ground), dimmed=dimmed)

    def rebrush(self, brush: Brush) -> None:
        """Paint everything again in another palette."""
        self._brush = brush
        self._strips = [self._strip(row, self.size.width, self._dimmed) for row in self._rows]
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the strips of the cropped region."""
        if self._rows_size != self.size:
            self._filling = True  # what is shown now is part of the frame that is being made
            try:
                self.fill()
            finally:
                self._filling = False
        x1, x2 = crop.column_span
        strips = self._strips[crop.y : crop.bottom]
        missing = crop.height - len(strips)
        width = self.size.width
        if missing:
            empty = self._brush.strip((Span(blank(width), ground=self._ground),))
            strips = [*strips, *([empty] * missing)]
        if (x1, x2) != (0, width) or any(strip.cell_length != width for strip in strips):
            strips = [strip.crop(x1, x2) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return one line, for whatever in Textual asks for lines one by one."""
        return self.render_lines(Region(0, y, self.size.width, 1))[0]

    def forget(self) -> None:
        """Take the rows for outdated: the next frame that shows the widget has them made anew."""
        self._rows_size = Size(0, 0)

    def fill(self) -> None:
        """Show rows of the present size, where there are any: asked for by the first frame of a new size."""
        if self.bring is not None:
            self.bring()


class ListWidget(RowsWidget):
    """Rows that are made for whatever width they get, and take as much height as there are of them."""

    DEFAULT_CSS = """
    ListWidget { position: relative; width: 100%; height: auto; }
    """

    def __init__(self, brush: Brush, make: Callable[[int, int], tuple[Row, ...]], *, id: str) -> None:  # noqa: A002
        super().__init__(brush, id=id)
        self._make = make

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows at this width."""
        return len(self._make(width, viewport.height))

    def fill(self) -> None:
        """Make the rows anew."""
        width, height = self.size
        if width and height:
            self.show(self._make(width, height))


class PaneWidget(RowsWidget, can_focus=True):
    """A pane with a border and titles; it can have the focus."""

    def __init__(self, brush: Brush, *, id: str) -> None:  # noqa: A002
        super().__init__(brush, id=id)
        self._pane: Pane | None = None
        self._framed: tuple[Row, ...] = ()
        self._framed_for: tuple[int, int, bool] | None = None

    @property
    def inside(self) -> Size:
        """The room for body rows."""
        return Size(max(self.size.width - 2, 0), max(self.size.height - 2, 0))

    def show_pane(self, pane: Pane) -> bool:
        """Show a pane in its border; return whether any line changed."""
        before, self._pane = self._pane, pane
        width, height = self.size
        framed_for = (width, height, self.has_focus)
        known = None if before is None or framed_for != self._framed_for else (before, self._framed)
        self._framed = framed(pane, width, height, focused=self.has_focus, before=known)
        self._framed_for = framed_for
        return self.show(self._framed, dimmed=pane.dimmed)

    def _reframe(self) -> None:
        if self._pane is not None:
            self.show_pane(self._pane)

    def on_focus(self) -> None:
        """Light the border."""
        self._reframe()

    def on_blur(self) -> None:
        """Let the border fade."""
        self._reframe()
