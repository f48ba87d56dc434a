"""A line to type into, at the place of the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

HINT = "asset, instrument, account, venue · enter keeps · empty clears · escape back"
LONGEST = 64


class PromptScreen(ModalScreen["str | None"]):
    """Ends with what was typed, or None when it was left; ``typed`` hears of each change."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back", show=False)]

    def __init__(self, word: str, value: str, typed: Callable[[str], None]) -> None:
        super().__init__()
        self._word = word
        self._value = value
        self._typed = typed

    def compose(self) -> ComposeResult:
        """Make the word, the input, and the hint that it holds while it is empty."""
        with Horizontal(id="prompt"):
            yield Static(f" {self._word} ", id="prompt-word", markup=False)
            line = Input(
                self._value, placeholder=HINT, id="prompt-line", max_length=LONGEST, select_on_focus=False
            )
            line.cursor_blink = False  # a blinking cursor would write all the time
            yield line

    def on_mount(self) -> None:
        """Be ready to be typed into."""
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what has been typed so far."""
        self._typed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)
