"""What the user has chosen: instrument, panes, tabs. Nothing of the market is in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from cadenza_tui.view.arrangements import FIRST, VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.records import InstrumentId


class View(StrEnum):
    """The views of the program."""

    MARKET = "market"
    DEPTH = "depth"
    TAPE = "tape"
    ACCOUNT = "account"
    WIDE = "wide"
    HEALTH = "health"


@dataclass
class Desk:
    """The choices of one sitting."""

    pinned: list[InstrumentId] = field(default_factory=list)
    selected: InstrumentId | None = None
    last: InstrumentId | None = None
    view: View = View.MARKET
    focused: str = "book"
    zoomed: str | None = None
    label: str = ""
    """The server whose pinned instruments these are."""
    focuses: dict[View, str] = field(default_factory=dict)
    """Which pane had the focus in each view."""
    accounts: dict[str, str] = field(default_factory=dict)
    """The account that a pane shows, by pane, empty for all of them; nothing where none was chosen."""
    filter: str = ""
    """What the rows of the account panes are filtered by, as it was typed."""
    tab: int = 0
    scroll: dict[str, int] = field(default_factory=dict)
    """First row shown, by pane."""
    paused: set[str] = field(default_factory=set)
    """Panes that stand; the tape knows by itself whether it does."""

    def select(self, instrument_id: InstrumentId) -> bool:
        """Choose an instrument; return whether that changed anything."""
        if instrument_id == self.selected:
            return False
        self.last, self.selected = self.selected, instrument_id
        self.scroll.clear()
        self.paused.clear()
        return True

    def go(self, view: View) -> None:
        """Go to a view; the pane that had the focus in it has it again."""
        self.focuses[self.view] = self.focused
        if view is not self.view:
            self.zoomed = None
        self.view = view
        every = VIEWS[view.value]
        self.focused = self.focuses.get(view, FIRST.get(view.value, every[0]))

    def step(self, by: int) -> InstrumentId | None:
        """Return the instrument ``by`` places on among the pinned ones, round and round."""
        if not self.pinned:
            return None
        if self.selected not in self.pinned:
            return self.pinned[0 if by > 0 else -1]
        return self.pinned[(self.pinned.index(self.selected) + by) % len(self.pinned)]

    def pin(self, instruments: Sequence[InstrumentId]) -> None:
        """Take a new list of pinned instruments."""
        self.pinned = list(dict.fromkeys(instruments))
