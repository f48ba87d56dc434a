"""The Textual application: themes, the painter, the frame clock and the feed's worker."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App

from cadenza_tui.ui import jobs
from cadenza_tui.ui.bandwidth import Bandwidth
from cadenza_tui.ui.clock import FrameClock
from cadenza_tui.ui.commands import MonitorCommands
from cadenza_tui.ui.desk import View
from cadenza_tui.ui.display import Display
from cadenza_tui.ui.gauges import Gauges
from cadenza_tui.ui.monitor import MonitorScreen
from cadenza_tui.ui.painter import Painter
from cadenza_tui.ui.stall import StallWatch
from cadenza_tui.ui.terminal import Meter, believe_the_terminal, hang_up, is_gone, say, unhurried
from cadenza_tui.ui.theme import AUTO, Brush, chosen, light_background, load_themes, usable
from cadenza_tui.view.glyphs import Glyphs, glyphs_of, substituted
from cadenza_tui.view.rows import Bars

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.screen import Screen

    from cadenza_tui.ui.pane import RowsWidget
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.source import Source
    from cadenza_tui.ui.theme import Palette

GC_THRESHOLDS = (20_000, 20, 100)
"""A flood makes rows by the thousand and no cycles: the default would look for them all the time."""

LAST_ANSWER_WITHIN = 1.0
"""Seconds to wait, on leaving, for the terminal's last answers, lest they land in the shell."""

CLOSE_WITHIN = 1.0
"""Seconds that the feed has to say good-bye."""

LOOK_AGAIN_S = 0.2
"""How often a program in the background looks whether it has the terminal again."""


class MonitorApp(App[int]):
    """Opens the monitor on a source."""

    CSS_PATH = "app.tcss"
    TITLE = "cadenza-tui"
    COMMANDS: ClassVar = {MonitorCommands}

    def __init__(
        self,
        source: Source,
        *,
        theme: str = AUTO,
        themes: Mapping[str, Palette] | None = None,
        alongside: Sequence[Callable[[], Awaitable[None]]] = (),
        preferences: Preferences | None = None,
        bandwidth: Bandwidth | None = None,
        view: View = View.MARKET,
    ) -> None:
        self.meter = Meter()
        super().__init__()
        self.console.no_color = self.no_color  # Textual itself would write greys
        self.source = source
        self.glyphs = glyphs_of(os.environ, getattr(sys.__stderr__, "encoding", None))
        every = themes or load_themes()
        self.themes = usable(every, None if self.no_color else self.console.color_system)
        self.palette = chosen(theme, every, self.themes, light=light_background(os.environ))
        for palette in self.themes.values():
            self.register_theme(palette.textual_theme())
        self.theme = self.palette.textual_theme().name
        self._alongside = alongside
        self._bandwidth = bandwidth or Bandwidth()
        self._painter = Painter()
        self._out = Display(self, self._painter)
        self._stall = StallWatch(source.market.health.screen)
        self._gauges = Gauges(source.market.health)
        self._clock: FrameClock | None = None
        self._away = False
        self.key_time = 0.0
        """When the key was pressed that came last."""
        self.last_words = ""
        """What is to be said once the terminal is as it was: the traceback of a bug."""
        self.monitor = MonitorScreen(source, self.brush(), preferences, view)

    async def on_event(self, event: events.Event) -> None:
        """Note when a key was pressed, and pass it on."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.key_time = event.time
        await super().on_event(event)

    def get_driver_class(self) -> type[Driver]:
        """Return the platform's driver, with its bytes counted and never waited for."""
        return unhurried(
            super().get_driver_class(),
            self.meter,
            drained=self._drained,
            answered=self._answered,
            spell=lambda data: substituted(data, self.glyphs),
        )

    def brush(self) -> Brush:
        """Return a brush of the theme in force."""
        return Brush(self.palette, colour=not self.no_color)

    @property
    def bars(self) -> Bars:
        """How size bars can be drawn on this terminal."""
        if self.glyphs is Glyphs.ASCII:
            return Bars.ASCII
        tints = not self.no_color and self.console.color_system in ("truecolor", "256")
        return Bars.TINT if tints and self.palette.tints else Bars.BLOCKS

    def get_default_screen(self) -> Screen[Any]:
        """Return the one screen that everything else opens on."""
        return self.monitor

    def on_mount(self) -> None:
        """Start the clock, the feed and whatever runs beside it."""
        loop = asyncio.get_running_loop()
        health = self.source.market.health.screen
        live = not self.is_headless
        self._clock = self._out.clock = self.monitor.clock = FrameClock(
            self._paint,
            timers=loop,
            health=health,
            pending=lambda: getattr(self._driver, "pending", 0),
            request_acknowledgement=self._out.ask if live else None,
            pace=self._bandwidth.pace(os.environ),
        )
        self.source.market.dirty.on_first = self._clock.wake
        self._clock.start()
        self._stall.start(loop)
        self._gauges.start(loop)
        if live:
            for ending in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(ending, self._terminated, ending)
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                loop.add_signal_handler(signal.SIGHUP, self._hung_up)
            loop.add_signal_handler(signal.SIGTSTP, partial(self._stop_job, group=False))
            loop.add_signal_handler(signal.SIGCONT, self._continued)
        self.run_worker(self.source.run(), name="feed")
        for number, work in enumerate(self._alongside):
            self.run_worker(work(), name=f"alongside-{number}")

    def send(self, text: str) -> int:
        """Write to the terminal; return how many bytes that was."""
        before = self.meter.bytes_written
        if self._driver is not None:
            self._driver.write(text)
        written = self.source.market.health.screen.bytes_written = self.meter.bytes_written
        return written - before

    def _drained(self) -> None:
        if self._clock is not None:
            self._clock.drained()

    def _answered(self) -> None:
        """Take the terminal's answer to a frame; it comes from the thread that reads, which knows no app."""
        if self._clock is not None:
            with self._context():
                self._clock.acknowledged()

    def on_terminal_supports_synchronized_output(self) -> None:
        """Mark what is to be drawn at once."""
        self._out.synchronised = True

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self.is_headless or renderable is None:
            super()._display(screen, self._painter.wrap(renderable))  # type: ignore[arg-type]
            return
        if self._batch_count or not self.is_running:
            return
        try:
            taken = self._out.show(screen, renderable)
        except Exception as error:
            self._handle_exception(error)
            return
        if not taken:
            super()._display(screen, renderable)

    def _paint(self) -> None:
        """Paint what is due. A bug in it ends the program with its traceback: a frozen screen would lie."""
        try:
            self.monitor.paint()
            self._out.settle()
        except Exception as error:
            self._handle_exception(error)

    def _fatal_error(self) -> None:
        """End with the traceback of a bug, without the values of its variables: a token may be one."""
        import rich  # noqa: PLC0415  # the traceback's colours cost a tenth of a second
        from rich.traceback import Traceback  # noqa: PLC0415

        self.bell()
        if not self.last_words:
            with self.error_console.capture() as captured:
                self.error_console.print(Traceback(show_locals=False, width=None, suppress=[rich]))
            self.last_words = captured.get()
        self._close_messages_no_wait()

    def put_lines(self, widget: RowsWidget, lines: Sequence[int]) -> bool:
        """Take changed lines of the monitor to the terminal past the compositor; see ``Display.put``."""
        return self._out.put(widget, lines)

    def action_redraw(self) -> None:
        """Write the whole screen again: something else has written on the terminal."""
        self._painter.forget()
        self.screen.refresh(layout=True)

    def switch_theme(self, name: str) -> None:
        """Show everything in another theme at once."""
        self.palette = self.themes[name]
        self.theme = self.palette.textual_theme().name
        self.monitor.rebrush(self.brush())

    def next_theme(self) -> None:
        """Go to the next theme of its kind, round and round: dark and light, or these in ansi colours."""
        names = sorted(name for name, theme in self.themes.items() if theme.ansi is self.palette.ansi)
        self.switch_theme(names[(names.index(self.palette.name) + 1) % len(names)])

    # -- leaving, for good or for a while ---------------------------------------------------------

    def _terminated(self, number: int) -> None:
        """Leave as politely as ``q`` does, with the exit code of the signal."""
        self._begin_to_leave(128 + number)

    def _hung_up(self) -> None:
        """Leave a terminal that is there as it was found; where it is gone, nothing is left to be done."""
        if is_gone():
            hang_up()
        else:
            self._terminated(signal.SIGHUP)

    async def action_quit(self) -> None:
        """Leave the program."""
        self._begin_to_leave(0)

    def _begin_to_leave(self, code: int) -> None:
        """Leave beside the messages, which bring the answers that are waited for."""
        self.run_worker(self._leave(code), name="leave")

    async def _leave(self, code: int) -> None:
        """Paint no more, let the terminal answer what it was asked, end the feed."""
        clock = self._clock
        if clock is not None:
            clock.stop()
            await self._last_answers(clock)
        self._stall.stop()
        self._gauges.stop()
        with suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await self.source.close()
        self.exit(code, return_code=code)

    async def _last_answers(self, clock: FrameClock) -> None:
        """Wait for answers that are on their way; a terminal that takes nothing will not answer, either."""
        answered = asyncio.Event()
        clock.on_acknowledged = answered.set
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_ANSWER_WITHIN):
                while clock.in_flight and clock.answers and not getattr(self._driver, "pending", 0):
                    answered.clear()
                    await answered.wait()

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell until it continues us, as ``ctrl+z`` does everywhere."""
        self._stop_job(group=True)

    def _stop_job(self, *, group: bool) -> None:
        driver = self._driver
        if driver is None or not driver.can_suspend or self._away:
            return
        self._rest()
        driver.suspend_application_mode()
        jobs.stop(group=group)
        self._return()

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Give the terminal to another program for a while; nothing is painted over it."""
        if self._clock is not None:
            self._clock.stop()
        with super().suspend():
            yield
        self._repaint()

    def _continued(self) -> None:
        """Take the terminal again after a stop that nobody announced: the shell had it meanwhile."""
        if not self._away and self._driver is not None:
            self._rest()
            self._return()

    def _rest(self) -> None:
        self._away = True
        self._stall.stop()  # a job that is stopped does not stall
        if self._clock is not None:
            self._clock.stop()

    def _return(self) -> None:
        """Take the terminal as soon as it is ours: in the background the program goes on unseen."""
        driver = self._driver
        if driver is None or not self.is_running:
            return
        if not jobs.in_foreground():
            asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._return)
            return
        self._away = False
        driver.suspend_application_mode()  # a second time does nothing
        driver.resume_application_mode()
        self._repaint()

    def _repaint(self) -> None:
        """Paint the whole screen, and what time has made of it."""
        self.monitor.rebrush(self.brush())
        self.action_redraw()
        self._stall.stop()
        self._stall.start(asyncio.get_running_loop())
        if self._clock is not None:
            self._clock.forget()
            self._clock.start()
        self._out.owe_screen()


def run_monitor(
    source: Source,
    *,
    theme: str = AUTO,
    alongside: Sequence[Callable[[], Awaitable[None]]] = (),
    preferences: Preferences | None = None,
    bandwidth: Bandwidth | None = None,
    view: str | None = None,
) -> int:
    """Open the monitor on a view, the last one if None, and stay until it is left; return the exit code.

    ``alongside`` are coroutines that live as long as the monitor does, such as the trace.
    """
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    believe_the_terminal()
    app = MonitorApp(
        source,
        theme=theme,
        alongside=alongside,
        preferences=preferences,
        bandwidth=bandwidth,
        view=View(view or (preferences.view if preferences is not None else "") or View.MARKET),
    )
    gc.freeze()  # modules and classes stay: collections need not walk them
    gc.set_threshold(*GC_THRESHOLDS)
    result = app.run()
    say(app.last_words)
    return app.return_code or result or 0
