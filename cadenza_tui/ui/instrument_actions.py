"""What keys do about instruments: which is shown, which are pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from cadenza_tui.ui.picker import PickerScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.presenter import Presenter
    from cadenza_tui.ui.source import Source
    from cadenza_tui.ui.theme import Brush


class InstrumentActions(Screen[None]):
    """The part of the monitor that is about which instrument is looked at."""

    if TYPE_CHECKING:
        preferences: Preferences
        desk: Desk
        _presenter: Presenter
        _source: Source
        _brush: Brush
        _shown: frozenset[str]

        def _invalidate(self, *names: str) -> None: ...

    def _adopt_instruments(self) -> None:
        """Take over what is pinned, as it was left on this server, and choose the first where none is."""
        market = self._source.market
        link = market.health.connection
        label = link.label if link.speed is None else ""  # what a recording has comes one by one
        if label and label != self.desk.label and market.instruments:
            self.desk.label = label
            kept = [name for name in self.preferences.pinned.get(label, ()) if name in market.instruments]
            if kept and self.preferences.keeps_pinned:
                self._source.pin(kept)
        pinned = list(self._source.pinned)
        if pinned and pinned != self.desk.pinned:
            self.desk.pin(pinned)
        if self.desk.selected is None and self.desk.pinned:
            self.select(self.desk.pinned[0])

    def select(self, instrument_id: InstrumentId) -> None:
        """Show an instrument everywhere, at once."""
        if self.desk.select(instrument_id):
            self._source.show(instrument_id)
            self._presenter.keys.begin()
            self._invalidate(*self._shown)

    def toggle_pin(self, instrument_id: InstrumentId) -> Sequence[InstrumentId]:
        """Pin an instrument, the last of all, or let go of it; return those that are pinned now.

        The last one stays: a watchlist is never empty.
        """
        pinned = [name for name in self.desk.pinned if name != instrument_id]
        if len(pinned) == len(self.desk.pinned):
            pinned.append(instrument_id)
        if pinned:
            self._source.pin(pinned)
            self.desk.pin(pinned)
            if self.desk.label and self.preferences.keeps_pinned:
                self.preferences.pinned[self.desk.label] = pinned
                self.preferences.save()
            self._invalidate(*self._shown)
        return self.desk.pinned

    def action_pin(self) -> None:
        """Pin the instrument under the watchlist's cursor, else the selected one, or let go of it."""
        pointed = self._presenter.keys.pointed() if self.desk.focused == "instruments" else None
        chosen = pointed or self.desk.selected
        if chosen is not None:
            self.toggle_pin(chosen)

    def action_choose(self) -> None:
        """Show the instrument under the watchlist's cursor; unfold the level under the ladder's."""
        if self.desk.focused == "instruments":
            pointed = self._presenter.keys.pointed()
            if pointed is not None:
                self.select(pointed)
        elif self.desk.focused == "book":
            self.action_unfold()

    def action_unfold(self) -> None:
        """Show the orders of the level under the ladder's cursor, or fold them."""
        if "book" in self._shown:
            self._presenter.keys.unfold()
            self._invalidate("book")

    def action_next_instrument(self) -> None:
        """Show the next pinned instrument."""
        self._step(1)

    def action_previous_instrument(self) -> None:
        """Show the pinned instrument before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        instrument_id = self.desk.step(by)
        if instrument_id is not None:
            self.select(instrument_id)

    def action_pinned(self, number: int) -> None:
        """Show a pinned instrument by its number."""
        if 0 < number <= len(self.desk.pinned):
            self.select(self.desk.pinned[number - 1])

    def action_last_instrument(self) -> None:
        """Go back to the instrument shown before."""
        if self.desk.last is not None:
            self.select(self.desk.last)

    def action_find(self) -> None:
        """Open the fuzzy picker."""

        def chosen(instrument_id: InstrumentId | None) -> None:
            if instrument_id is not None:
                self.select(instrument_id)

        instruments = self._source.market.instruments
        self.app.push_screen(
            PickerScreen(instruments, self.desk.pinned, self._brush, self.toggle_pin), chosen
        )

    def action_resync(self) -> None:
        """Ask for the selected book again."""
        if self.desk.selected is not None:
            self._source.resync(self.desk.selected)
