"""What keys do to the panes: focus, size, pause, cursor, and what can be chosen about each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from cadenza_tui.ui.desk import View
from cadenza_tui.ui.keys import CYCLE
from cadenza_tui.ui.options import OptionsScreen
from cadenza_tui.ui.panes import PANES
from cadenza_tui.view.layout import resized
from cadenza_tui.view.options import Item
from cadenza_tui.view.rows import Bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.pane import PaneWidget
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.presenter import Presenter
    from cadenza_tui.ui.theme import Brush


class PaneActions(Screen[None]):
    """The part of the monitor that is about its panes; what the user settles on is kept at once."""

    if TYPE_CHECKING:
        preferences: Preferences
        desk: Desk
        _presenter: Presenter
        _panes: Mapping[str, PaneWidget]
        _brush: Brush
        _shown: frozenset[str]

        def _invalidate(self, *names: str) -> None: ...
        def _arrange(self) -> None: ...
        def _keep(self) -> None: ...

    # -- views and places ------------------------------------------------------------------------

    def action_view(self, name: str) -> None:
        """Go to a view."""
        self.desk.go(View(name))
        self.preferences.view = name
        self.preferences.save()
        self._arrange()

    def action_next_view(self) -> None:
        """Go to the next layout, round and round."""
        at = CYCLE.index(self.desk.view.value) if self.desk.view.value in CYCLE else -1
        self.action_view(CYCLE[(at + 1) % len(CYCLE)])

    def action_heat(self) -> None:
        """Go to the heatmap, and from there to the ladder."""
        if self.desk.focused == "heat":
            self.focus_on("book")
        else:
            self.focus_on("heat")

    def focus_on(self, name: str) -> None:
        """Focus a pane, in this view where it has it, else in the Depth view."""
        if name not in self._presenter.places.order:
            self.action_view(View.DEPTH.value)
        self.desk.focused = name
        if self.desk.zoomed is not None:
            self.desk.zoomed = name
        self._arrange()

    def action_focus_pane(self, by: int) -> None:
        """Focus another pane."""
        order = self._presenter.places.order
        at = order.index(self.desk.focused) if self.desk.focused in order else 0
        self.desk.focused = order[(at + by) % len(order)]
        if self.desk.zoomed is not None:
            self.desk.zoomed = self.desk.focused
        self._arrange()

    def action_zoom(self) -> None:
        """Give the focused pane the whole room, or give it back."""
        self.desk.zoomed = None if self.desk.zoomed else self.desk.focused
        self._arrange()

    def action_resize(self, way: str, by: int) -> None:
        """Make the focused pane wider or higher, or the contrary, at its neighbour's cost."""
        if self.desk.zoomed is not None:
            return
        width, height = self.app.size
        view = self.desk.view.value
        sizes = resized(
            width,
            height,
            pane=self.desk.focused,
            across=way == "wide",
            by=by,
            view=view,
            sizes=self.preferences.sizes.get(view),
        )
        if sizes is not None:
            self.preferences.sizes[view] = sizes
            self.preferences.save()
            self._arrange()

    def reset_sizes(self) -> None:
        """Give the panes of this view their own sizes again."""
        self.preferences.sizes.pop(self.desk.view.value, None)
        self.preferences.save()
        self._arrange()

    # -- cursor, rows and time -------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Move the pane's cursor, or its rows."""
        self._presenter.move(self.desk.focused, by)
        self._invalidate(self.desk.focused)

    def action_page(self, by: int) -> None:
        """Move the focused pane by a page."""
        self._presenter.page(self.desk.focused, by, self._panes[self.desk.focused].inside.height)
        self._invalidate(self.desk.focused)

    def action_centre(self) -> None:
        """Bring the touch back to the middle and every list to its first row, in all panes in sight."""
        self._presenter.centre(self._shown)
        self._invalidate(*self._shown)

    def action_aside(self, by: int) -> None:
        """Go on in time where a pane shows time; else show another table of the account."""
        if self._presenter.keys.shift(self.desk.focused, by):
            self._invalidate(self.desk.focused)
        elif self._presenter.accounts.present in self._shown:
            self._presenter.accounts.turn_tab(by)
            self._invalidate("account", "accounts")

    def action_pause(self) -> None:
        """Stop painting the focused pane, or catch up."""
        name = self.desk.focused
        if name == "tape":
            self._presenter.keys.pause_tape()
        elif name in self.desk.paused:
            self.desk.paused.discard(name)
        else:
            self._presenter.pause(name)
        self._invalidate(name)

    # -- what can be chosen ----------------------------------------------------------------------

    def choose(self, pane: str, name: str, value: str) -> None:
        """Choose something about a pane, and keep it."""
        self.preferences.options.setdefault(pane, {})[name] = value
        self._keep()

    def turn(self, pane: str, name: str, by: int = 1) -> None:
        """Go on to another value of a choice, round and round, and keep it."""
        options = self._presenter.panes.options(pane)
        self.preferences.options[pane] = PANES[pane].choice(name).turned(options, by)
        self._keep()

    def step(self, pane: str, name: str, by: int) -> None:
        """Go to a larger or smaller value of a choice, as far as there are any, and keep it."""
        options = self._presenter.panes.options(pane)
        self.preferences.options[pane] = PANES[pane].choice(name).stepped(options, by)
        self._keep()

    def action_turn(self, pane: str, name: str) -> None:
        """Go on to the next value of a choice of a pane that is in sight."""
        if pane in self._shown:
            self.turn(pane, name)

    def action_group(self, by: int) -> None:
        """Go to a coarser or finer step of the focused pane: prices, interval or window."""
        pane = self.desk.focused
        if not (PANES[pane].grouped or PANES[pane].coarser):
            pane = "book"
        if pane in self._shown:  # what is out of sight is not changed
            self.group(pane, by)

    def group(self, pane: str, by: int) -> None:
        """Go to a pane's coarser or finer step, and keep it."""
        if PANES[pane].grouped:
            self._presenter.keys.regroup(pane, by)
            self._keep()
        else:
            self.step(pane, PANES[pane].coarser, by)

    def action_least(self, by: int) -> None:
        """Let the focused pane show less or more: the tape's least size, the heatmap's cut-off."""
        pane = self.desk.focused
        if PANES[pane].more:
            self.step(pane, PANES[pane].more, by)
        elif "tape" in self._shown:
            self.filter_tape(by)

    def filter_tape(self, by: int) -> None:
        """Go to a higher or lower least size of the tape, and keep it."""
        self._presenter.keys.step_filter(by)
        self._keep()

    def ungroup(self, pane: str) -> None:
        """Take a pane's price step for the selected instrument back."""
        self._presenter.keys.ungroup(pane)
        self._keep()

    def unfilter(self) -> None:
        """Show every print of the selected instrument again."""
        self._presenter.keys.unfilter()
        self._keep()

    def action_options(self) -> None:
        """Open the screen of all that can be chosen about the focused pane."""
        pane = self.desk.focused
        if self._items(pane):
            region = self._panes[pane].region
            self.app.push_screen(
                OptionsScreen(
                    PANES[pane].word,
                    self._brush,
                    partial(self._items, pane),
                    partial(self._turn_item, pane),
                    below=region.y + region.bottom <= self.app.size.height,
                    arrows=self._presenter.panes.bars is not Bars.ASCII,
                )
            )

    def _items(self, pane: str) -> list[Item]:
        """Return what can be chosen about a pane, its own steps first."""
        options = self._presenter.panes.options(pane)
        return [
            *(item for item, _ in self._presenter.keys.steps(pane)),
            *(Item(one.word, one.of(options), one.ordered, one.help) for one in PANES[pane].choices),
        ]

    def _turn_item(self, pane: str, at: int, by: int) -> None:
        steps = self._presenter.keys.steps(pane)
        if at < len(steps):
            steps[at][1](by)
            self._keep()
        else:
            self.turn(pane, PANES[pane].choices[at - len(steps)].name, by)
