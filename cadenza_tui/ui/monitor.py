"""The screen everything happens on: it owns the panes, hears the keys and paints what is due."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from cadenza_tui.market.state import Topic
from cadenza_tui.ui.account_actions import AccountActions
from cadenza_tui.ui.account_panes import ACCOUNT_PANES
from cadenza_tui.ui.desk import Desk, View
from cadenza_tui.ui.due import made_due
from cadenza_tui.ui.help import HelpScreen
from cadenza_tui.ui.instrument_actions import InstrumentActions
from cadenza_tui.ui.keys import GOTO, bindings
from cadenza_tui.ui.pane import PaneWidget, RowsWidget
from cadenza_tui.ui.pane_actions import PaneActions
from cadenza_tui.ui.panes import LINES, PANES
from cadenza_tui.ui.preferences import Preferences
from cadenza_tui.ui.presenter import Presenter
from cadenza_tui.ui.terminal import hang_up, is_gone
from cadenza_tui.view.layout import layout
from cadenza_tui.view.rows import Bars, Ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from cadenza_tui.market.interest import Interest
    from cadenza_tui.ui.app import MonitorApp
    from cadenza_tui.ui.clock import FrameClock
    from cadenza_tui.ui.source import Source
    from cadenza_tui.ui.theme import Brush
    from cadenza_tui.view.layout import Rect

NS = 1_000_000_000
TICK = 1.0
"""Seconds between two looks at what changes with time alone: ages, the clock, staleness."""


class MonitorScreen(PaneActions, InstrumentActions, AccountActions):
    """The monitor: status line, panes, footer."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(
        self,
        source: Source,
        brush: Brush,
        preferences: Preferences | None = None,
        view: View = View.MARKET,
    ) -> None:
        super().__init__(id="monitor")
        self.preferences = preferences if preferences is not None else Preferences()
        self.desk = Desk()
        self.desk.go(view)
        self.clock: FrameClock | None = None
        self._source = source
        self._brush = brush
        self._presenter = Presenter(source, self.desk, self.preferences, bars=Bars.TINT)
        self._panes = {name: PaneWidget(brush, id=name) for name in PANES}
        self._lines = {name: RowsWidget(brush, id=name, ground=Ground.GROUND) for name in LINES}
        for name, widget in {**self._panes, **self._lines}.items():
            widget.bring = partial(self._bring, name)
            widget.put = self._put
        self._due: set[str] = set()
        self._forced = False
        self._painted: dict[str, int] = {}
        self._shown: frozenset[str] = frozenset()
        self._prefix = False
        self._prefix_since = 0.0
        self._wanted: Interest | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._bytes_before = 0

    @property
    def monitor_app(self) -> MonitorApp:
        """The application, as what it is."""
        return self.app  # type: ignore[return-value]

    def compose(self) -> ComposeResult:
        """Make every widget once; the layout decides which are seen."""
        yield from self._lines.values()
        yield from self._panes.values()

    def on_mount(self) -> None:
        """Learn what the terminal can draw and begin to watch the time."""
        self._presenter.panes.bars = self.monitor_app.bars
        self.set_interval(TICK, self._tick)
        self._source.value_in(self.preferences.currency)
        self._adopt_instruments()
        self._arrange()

    def on_resize(self, _event: events.Resize) -> None:
        """Arrange the panes for the new size."""
        self._arrange()

    # -- what is where ---------------------------------------------------------------------------

    def _arrange(self) -> None:
        width, height = self.app.size
        view = self.desk.view.value
        places = layout(
            width,
            height,
            view=view,
            focused=self.desk.focused,
            zoomed=self.desk.zoomed,
            sizes=self.preferences.sizes.get(view),
        )
        self._shown = frozenset(places.panes)
        for name, widget in {**self._panes, **self._lines}.items():
            rect = places.panes.get(name)
            if rect is not None and not widget.display:
                widget.forget()
            widget.display = rect is not None
            if rect is not None:
                _place(widget, rect)
        if self.desk.focused not in self._shown:
            focusable = [name for name in places.order if name in self._panes]
            if focusable:
                self.desk.focused = focusable[0]
        self._focus()
        self._presenter.places = places
        self._invalidate(*self._shown)

    def _focus(self) -> None:
        pane = self._panes.get(self.desk.focused)
        if pane is not None and pane.display and not pane.has_focus:
            self.set_focus(pane)

    def rebrush(self, brush: Brush) -> None:
        """Paint everything in another palette."""
        self._brush = brush
        self._presenter.panes.bars = self.monitor_app.bars
        for widget in (*self._panes.values(), *self._lines.values()):
            widget.rebrush(brush)
        self._invalidate(*self._shown)

    # -- painting --------------------------------------------------------------------------------

    def _invalidate(self, *names: str) -> None:
        """Paint these panes now: the user did something."""
        self._due.update(names)
        self._forced = True
        if self.clock is not None:
            self.clock.hurry()

    def _tick(self) -> None:
        """Look at what time alone changes: ages, the clock, the terminal's byte rate, whether it is there."""
        if not self.app.is_headless and is_gone():
            hang_up()
        screen = self._source.market.health.screen
        screen.bytes_rate = (screen.bytes_written - self._bytes_before) / TICK
        self._bytes_before = screen.bytes_written
        self._due.update(self._shown)
        if self.clock is not None:
            self.clock.wake()

    def paint(self) -> bool:
        """Show what is due; return whether anything on the screen changed."""
        market = self._source.market
        now = self._source.now()
        instant = time.monotonic_ns()  # a recording's own clock may stand, and then this would never be due
        for topic, key in market.dirty.take():
            self._mark(topic, key)
        forced, self._forced = self._forced, False
        changed = False
        later: list[int] = []
        for name in tuple(self._due):
            if name not in self._shown:
                self._due.discard(name)
                continue
            pause = self._pause(name) - (instant - self._painted.get(name, 0))
            if pause > 0 and not forced:
                later.append(pause)
                continue
            self._due.discard(name)
            self._painted[name] = instant
            changed = self._paint_one(name, now) or changed
        self._want()
        if later and self._retry is None and self.clock is not None:
            loop = asyncio.get_running_loop()  # a timer of Textual's is a task, a dozen times a second
            self._retry = loop.call_later(min(later) / NS, self._paint_later)
        return changed

    def _want(self) -> None:
        """Have the source bring what the panes on the screen show, and no more."""
        wanted = self._presenter.panes.interest(self._shown)
        if wanted != self._wanted:
            self._wanted = wanted
            self._source.want(wanted)

    def _paint_later(self) -> None:
        self._retry = None
        if self.clock is not None:
            self.clock.wake()

    @staticmethod
    def _pause(name: str) -> int:
        kind = PANES.get(name)
        return LINES[name] if kind is None else kind.pause

    def _put(self, widget: RowsWidget, lines: Sequence[int]) -> bool:
        return self.monitor_app.put_lines(widget, lines)

    def _bring(self, name: str) -> None:
        """Make a pane that has just got its place part of the very frame that shows it there."""
        self._paint_one(name, self._source.now())

    def _paint_one(self, name: str, now: int) -> bool:
        pane = self._panes.get(name)
        if pane is not None:
            width, height = pane.inside
            if width <= 0 or height <= 0:
                return False
            return pane.show_pane(self._presenter.pane(name, width, height, now))
        line = self._lines[name]
        return line.show((self._presenter.line(name, line.size.width, now),))

    def _mark(self, topic: Topic, key: str) -> None:
        self._due |= made_due(topic, key, self.desk.selected)
        if topic in (Topic.BOOK, Topic.TICKER, Topic.TAPE):
            if self._presenter.panes.watch.shows(key):
                self._due.add("instruments")
            if topic is Topic.BOOK and self._wanted is not None and key in self._wanted.venues:
                self._due.add("venues")
        elif topic is Topic.INSTRUMENTS:
            self._adopt_instruments()
            self._due.update(self._shown)

    # -- what the user does ----------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take the letter after ``g``; any other key just ends the waiting.

        One that was pressed before ``g`` may come here after it, for that is acted on at once.
        """
        if not self._prefix or event.time <= self._prefix_since:
            return
        self._prefix = self._presenter.prefix = False
        view = GOTO.get(event.key)
        if view is not None:
            event.stop()
            event.prevent_default()
            self.action_view(view)
        self._invalidate("footer")

    def action_goto(self) -> None:
        """Wait for the letter of a view; the footer says which there are."""
        self._prefix = self._presenter.prefix = True
        self._prefix_since = self.monitor_app.key_time
        self._invalidate("footer")

    def action_suspend_process(self) -> None:
        """Hand the terminal back to the shell until the program is brought to the front again."""
        self.app.action_suspend_process()

    def action_theme(self) -> None:
        """Go to the next theme."""
        self.monitor_app.next_theme()

    def action_redraw(self) -> None:
        """Write the whole screen again."""
        self.monitor_app.action_redraw()

    def action_command_palette(self) -> None:
        """Open Textual's command palette."""
        self.app.action_command_palette()

    def action_help(self) -> None:
        """Open the help screen."""
        pane = self.desk.focused
        arrows = self.monitor_app.bars is not Bars.ASCII
        self.app.push_screen(HelpScreen(self._brush, pane, PANES[pane].word, arrows=arrows))

    def action_back(self) -> None:
        """Undo one step: the row pointed at, the filter, zoom, then pause, then another view."""
        if self._presenter.release(self.desk.focused):
            if self.desk.focused == "tape":  # which knows by itself that it stood
                self.desk.paused.clear()
        elif self.desk.focused in ACCOUNT_PANES and self.desk.filter:
            self.desk.filter = ""
        elif self.desk.zoomed is not None:
            self.desk.zoomed = None
        elif self._presenter.resume():
            pass
        elif self.desk.view is not View.MARKET:
            self.action_view(View.MARKET.value)
        self._arrange()

    async def action_quit(self) -> None:
        """Leave the program."""
        await self.app.action_quit()

    def on_click(self, event: events.Click) -> None:
        """Focus the pane under the mouse; in the watchlist choose the instrument."""
        widget = event.widget
        if isinstance(widget, PaneWidget) and widget.id in self._panes:
            name = str(widget.id)
            self.desk.focused = name
            if name == "instruments":
                chosen = self._presenter.panes.watch.instrument_at(event.screen_y - widget.region.y - 1)
                if chosen is not None:
                    self.select(chosen)
            elif name in ACCOUNT_PANES:
                left, top = widget.region.x + 1, widget.region.y + 1
                self._presenter.accounts.point(name, int(event.screen_x) - left, int(event.screen_y) - top)
            self._invalidate(*self._shown)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll the pane under the mouse with the wheel; the focus stays where it is."""
        self._roll(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll the pane under the mouse with the wheel."""
        self._roll(event, -1)

    def _roll(self, event: events.MouseEvent, by: int) -> None:
        for name in self._shown & self._panes.keys():
            if self._panes[name].region.contains(int(event.screen_x), int(event.screen_y)):
                self._presenter.roll(name, by)
                self._invalidate(name)


def _place(widget: RowsWidget, rect: Rect) -> None:
    styles = widget.styles
    wanted = (rect.x, rect.y, rect.width, rect.height)
    if getattr(widget, "_rect", None) != wanted:
        widget._rect = wanted  # type: ignore[attr-defined]
        styles.offset = (rect.x, rect.y)
        styles.width, styles.height = rect.width, rect.height
