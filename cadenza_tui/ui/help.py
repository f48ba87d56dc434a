"""The help screen: the keys of the pane in focus, then every key, grouped."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from cadenza_tui.ui.keys import help_keys
from cadenza_tui.ui.pane import ListWidget
from cadenza_tui.view.help import help_rows

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from cadenza_tui.ui.theme import Brush
    from cadenza_tui.view.rows import Row


class HelpScreen(ModalScreen[None]):
    """Any of escape, q and ? leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "leave", "back", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("up,k", "scroll(-1)", "up", show=False),
    ]

    def __init__(self, brush: Brush, pane: str, word: str, *, arrows: bool = True) -> None:
        super().__init__()
        self._pane, self._word = pane, word
        self._brush = brush
        self._arrows = arrows

    def rows(self, width: int, _height: int = 0) -> tuple[Row, ...]:
        """Return the help's rows at a width."""
        return help_rows(help_keys(self._pane, self._word, arrows=self._arrows), width=width)

    def compose(self) -> ComposeResult:
        """Make the box and its rows."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Keys"
            box.border_subtitle = f"{'↑↓' if self._arrows else 'up down'} scroll · escape back"
            yield ListWidget(self._brush, self.rows, id="keys")

    def action_scroll(self, by: int) -> None:
        """Scroll a long help on a small screen."""
        self.query_one("#help", VerticalScroll).scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        """Leave the help."""
        self.dismiss(None)
