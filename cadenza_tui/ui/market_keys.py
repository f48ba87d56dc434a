"""What keys do in the panes of the market: cursors, steps of prices and sizes, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.increments import step, tick_of
from cadenza_tui.ui.panes import PANES
from cadenza_tui.view.options import Item
from cadenza_tui.view.tape import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from decimal import Decimal

    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.market_panes import MarketPanes
    from cadenza_tui.ui.preferences import Preferences

WORDS = {
    "book": "raw",
    "venues": "raw",
    "heat": "auto",
}
"""What it is called where no price step was chosen."""


class MarketKeys:
    """Acts on what the panes remember of the selected instrument; the next frame shows it."""

    def __init__(self, market: Market, desk: Desk, preferences: Preferences, panes: MarketPanes) -> None:
        self._market = market
        self._desk = desk
        self._preferences = preferences
        self._panes = panes

    def begin(self) -> None:
        """Follow the market in every pane, with no cursor anywhere: the instrument is another one."""
        for name in self._panes.makers:
            memory = self._panes.memory(name)
            if memory is not None and name != "instruments":
                memory.release()
                memory.centre()

    def centre(self, names: Collection[str]) -> None:
        """Bring the touch back to the middle of these panes, and each list to its first row."""
        for name in names:
            memory = self._panes.memory(name)
            if memory is not None:
                memory.release()
                memory.centre()

    def shift(self, name: str, by: int) -> bool:
        """Go back in time, or on, where a pane shows time; return whether it does."""
        selected = self._desk.selected
        if selected is None or name not in ("heat", "chart"):
            return name in ("heat", "chart")
        if name == "heat":
            self._panes.heats.of(selected).shift(by)
        else:
            self._panes.charts.of(selected).move(by)
        return True

    def unfold(self) -> None:
        """Show the orders of the level under the ladder's cursor, or fold them."""
        if self._desk.selected is not None:
            self._panes.ladders.of(self._desk.selected).unfold()

    def pointed(self) -> InstrumentId | None:
        """Return the instrument under the watchlist's cursor."""
        return self._panes.watch.selected()

    def pause_tape(self) -> None:
        """Let the tape stand, or catch up."""
        if self._desk.selected is not None:
            self._panes.tapes.of(self._desk.selected).pause()

    def resume_tape(self) -> bool:
        """Let the tape catch up; return whether it stood."""
        selected = self._desk.selected
        if selected is None or not self._panes.tapes.of(selected).paused:
            return False
        return self._panes.tapes.of(selected).release()

    def regroup(self, name: str, by: int) -> None:
        """Go to a coarser or finer price step of the selected instrument in a pane."""
        selected = self._desk.selected
        if selected is None:
            return
        if name == "heat":
            self._preferences.set_group(name, selected, self._panes.heats.of(selected).step(by))
            return
        tick = tick_of(self._market.instruments.get(selected), self._market.book(selected))
        if tick is not None:
            held = self._preferences.group(name, selected)
            self._preferences.set_group(name, selected, step(tick, held, by))

    def ungroup(self, name: str) -> None:
        """Take a pane's price step of the selected instrument back."""
        if self._desk.selected is not None:
            self._preferences.set_group(name, self._desk.selected, None)

    def step_filter(self, by: int) -> None:
        """Go to a higher or lower least size of the selected instrument's tape."""
        selected = self._desk.selected
        if selected is not None:
            least = self._panes.tapes.of(selected).step_filter(by)
            self._preferences.set_filter(self._unit(), selected, least)

    def unfilter(self) -> None:
        """Show every print of the selected instrument again."""
        selected = self._desk.selected
        if selected is not None:
            self._panes.tapes.of(selected).least.pop(self._unit(), None)
            self._preferences.set_filter(self._unit(), selected, None)

    def _unit(self) -> str:
        return UNIT.of(self._panes.options("tape"))

    def steps(self, name: str) -> list[tuple[Item, Callable[[int], None]]]:
        """Return what a pane has of numbers that are kept by instrument, and what turns each."""
        selected = self._desk.selected
        if selected is None:
            return []
        if PANES[name].grouped:
            value = _spelled(self._preferences.group(name, selected), WORDS[name])
            words = "prices in one row: 1, 2 and 5 times powers of ten of the tick"
            return [(Item(PANES[name].grouped, value, (), words), lambda by: self.regroup(name, by))]
        if name == "tape":
            value = _spelled(self._panes.tapes.of(selected).least.get(self._unit()), "all")
            return [(Item("least size", value, (), "smaller prints are left out"), self.step_filter)]
        return []


def _spelled(number: Decimal | None, word: str) -> str:
    return word if number is None else f"{number:f}"
