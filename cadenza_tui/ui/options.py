"""The screen of all that can be chosen about a pane; the pane behind it follows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from cadenza_tui.ui.pane import ListWidget
from cadenza_tui.view.options import option_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from cadenza_tui.ui.theme import Brush
    from cadenza_tui.view.options import Item
    from cadenza_tui.view.rows import Row


class OptionsScreen(ModalScreen[None]):
    """Shows ``items`` and calls ``turn`` with the place of one and the steps to go on.

    It stands ``below``, at the bottom of the screen, or at its top: where it hides less of the pane. Without
    ``arrows`` those keys are words.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,o", "leave", "back", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("right,l,space,enter,plus,right_square_bracket", "turn(1)", "next", show=False),
        Binding("left,h,minus,left_square_bracket", "turn(-1)", "before", show=False),
    ]

    def __init__(
        self,
        title: str,
        brush: Brush,
        items: Callable[[], Sequence[Item]],
        turn: Callable[[int, int], object],
        *,
        below: bool = False,
        arrows: bool = True,
    ) -> None:
        super().__init__()
        self.styles.align_vertical = "bottom" if below else "top"
        self._title = title
        self._brush = brush
        self._items = items
        self._turn = turn
        self._arrows = arrows
        self._cursor = 0

    def rows(self, width: int, _height: int = 0) -> tuple[Row, ...]:
        """Return the rows at a width."""
        return option_rows(self._items(), cursor=self._cursor, width=width)

    def compose(self) -> ComposeResult:
        """Make the box and its rows."""
        with VerticalScroll(id="options") as box:
            box.border_title = f"{self._title} · options"
            keys = ("↑↓", "←→") if self._arrows else ("up down", "left right")
            box.border_subtitle = f"{keys[0]} choose · {keys[1]} change · escape back"
            yield ListWidget(self._brush, self.rows, id="choices")

    def action_move(self, by: int) -> None:
        """Move the cursor, round and round."""
        self._cursor = (self._cursor + by) % max(len(self._items()), 1)
        self.query_one(ListWidget).fill()
        self.query_one("#options", VerticalScroll).scroll_to(y=self._cursor - 3, animate=False)

    def action_turn(self, by: int) -> None:
        """Go on to another value."""
        self._turn(self._cursor, by)
        self.query_one(ListWidget).fill()

    def action_leave(self) -> None:
        """Leave the options as they are."""
        self.dismiss(None)
