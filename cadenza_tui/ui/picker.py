"""The fuzzy instrument picker: type a few letters, enter takes the first, ctrl+t pins it or lets go of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from cadenza_tui.ui.pane import ListWidget
from cadenza_tui.view.picker import matches, picker_rows
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from cadenza_tui.market.records import Instrument, InstrumentId
    from cadenza_tui.ui.theme import Brush
    from cadenza_tui.view.picker import Match
    from cadenza_tui.view.rows import Row


class PickerScreen(ModalScreen["InstrumentId | None"]):
    """Ends with the chosen instrument, or None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", show=False),
        Binding("down,ctrl+n,tab", "move(1)", "down", show=False, priority=True),
        Binding("up,ctrl+p,shift+tab", "move(-1)", "up", show=False, priority=True),
        Binding("enter", "choose", "choose", show=False),
        Binding("ctrl+t", "pin", "pin", show=False, priority=True),
    ]

    def __init__(
        self,
        instruments: Mapping[InstrumentId, Instrument],
        pinned: Sequence[InstrumentId],
        brush: Brush,
        on_pin: Callable[[InstrumentId], Sequence[InstrumentId]] | None = None,
    ) -> None:
        """``on_pin`` pins an instrument or lets go of it, and returns those that are pinned then."""
        super().__init__()
        self._instruments = instruments
        self._pinned = tuple(pinned)
        self._brush = brush
        self._on_pin = on_pin
        self._matches: list[Match] = []
        self._cursor = 0

    def compose(self) -> ComposeResult:
        """Make the box, its input and the list."""
        with Vertical(id="picker") as box:
            box.border_title = "Find an instrument"
            pin = " · ctrl+t pin" if self._on_pin is not None else ""
            box.border_subtitle = f"↑↓ choose · enter take{pin} · escape back"
            yield Input(
                placeholder="name, venue, or a few letters of either", id="query", select_on_focus=False
            )
            yield ListWidget(self._brush, self._rows, id="matches")

    def on_mount(self) -> None:
        """Show everything, the pinned first."""
        self.query_one(Input).focus()
        self._find("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Match what has been typed."""
        self._find(event.value)

    def on_input_submitted(self) -> None:
        """Take a match: a priority key would overtake the letters typed before it."""
        self.action_choose()

    def _find(self, query: str) -> None:
        self._matches = matches(query, self._instruments.values(), pinned=self._pinned)
        self._cursor = 0
        self._show()

    def _rows(self, width: int, height: int) -> tuple[Row, ...]:
        return picker_rows(
            self._matches, cursor=self._cursor, width=width, height=height, pinned=self._pinned
        )

    def _show(self) -> None:
        self.query_one(ListWidget).fill()

    def action_move(self, by: int) -> None:
        """Move the cursor, round and round."""
        if self._matches:
            self._cursor = (self._cursor + by) % len(self._matches)
            self._show()

    def action_choose(self) -> None:
        """Take the instrument under the cursor."""
        chosen = self._matches[self._cursor].instrument.instrument_id if self._matches else None
        self.dismiss(chosen)

    def action_pin(self) -> None:
        """Pin the instrument under the cursor, or let go of it, and say so; the list stays as it is."""
        if not self._matches or self._on_pin is None:
            return
        instrument = self._matches[self._cursor].instrument
        self._pinned = tuple(self._on_pin(instrument.instrument_id))
        done = "pinned" if instrument.instrument_id in self._pinned else "let go"
        symbol, venue = safe(instrument.symbol), safe(instrument.venue)
        self.query_one("#picker").border_title = Content(
            f"{symbol} {venue} {done} · {len(self._pinned)} pinned"
        )
        self._show()

    def action_leave(self) -> None:
        """Leave without choosing."""
        self.dismiss(None)
