"""The Textual application: themes, the painter, the frame clock and the feed's worker."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App

from cadenza_tui.errors import ThemeError
from cadenza_tui.ui.clock import FrameClock
from cadenza_tui.ui.commands import MonitorCommands
from cadenza_tui.ui.monitor import MonitorScreen
from cadenza_tui.ui.painter import Painter, PiecesUpdate
from cadenza_tui.ui.stall import StallWatch
from cadenza_tui.ui.terminal import REQUEST_ACKNOWLEDGEMENT, Meter, backlog, metered
from cadenza_tui.ui.theme import Brush, load_themes
from cadenza_tui.view.rows import Bars

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from rich.console import RenderableType
    from textual import events
    from textual.driver import Driver
    from textual.screen import Screen

    from cadenza_tui.ui.painter import Piece
    from cadenza_tui.ui.pane import RowsWidget
    from cadenza_tui.ui.source import Source
    from cadenza_tui.ui.theme import Palette

GC_THRESHOLDS = (20_000, 20, 100)
"""A flood makes rows by the thousand and no cycles: the default would look for them all the time."""

LAST_ANSWER_WITHIN = 0.25
"""Seconds to wait, on leaving, for the terminal's last answer, lest it land in the shell."""


class MonitorApp(App[int]):
    """Opens the monitor on a source."""

    CSS_PATH = "app.tcss"
    TITLE = "cadenza-tui"
    COMMANDS: ClassVar = {MonitorCommands}

    def __init__(
        self,
        source: Source,
        *,
        theme: str = "dark",
        themes: Mapping[str, Palette] | None = None,
        alongside: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self.meter = Meter()
        super().__init__()
        self.console.no_color = self.no_color  # Textual itself would write greys
        self.source = source
        self.themes = dict(themes or load_themes())
        if theme not in self.themes:
            raise ThemeError(
                f"there is no theme {theme!r}", remedy=f"choose one of: {', '.join(sorted(self.themes))}"
            )
        self.palette = self.themes[theme]
        for palette in self.themes.values():
            self.register_theme(palette.textual_theme())
        self.theme = self.palette.textual_theme().name
        self._alongside = alongside
        self._painter = Painter()
        self._pieces: list[Piece] = []
        self._stall = StallWatch(source.market.health.screen)
        self._clock: FrameClock | None = None
        self.monitor = MonitorScreen(source, self.brush())

    def get_driver_class(self) -> type[Driver]:
        """Return the platform's driver with its bytes counted."""
        return metered(super().get_driver_class(), self.meter)

    def brush(self) -> Brush:
        """Return a brush of the theme in force."""
        return Brush(self.palette, colour=not self.no_color, ascii_only=self.bars is Bars.ASCII)

    @property
    def bars(self) -> Bars:
        """How size bars can be drawn on this terminal."""
        encoding = (getattr(sys.__stderr__, "encoding", None) or "utf-8").lower()
        if not encoding.startswith("utf"):
            return Bars.ASCII
        tints = not self.no_color and self.console.color_system in ("truecolor", "256")
        return Bars.TINT if tints else Bars.BLOCKS

    def get_default_screen(self) -> Screen[Any]:
        """Return the one screen that everything else opens on."""
        return self.monitor

    def on_mount(self) -> None:
        """Start the clock, the feed and whatever runs beside it."""
        loop = asyncio.get_running_loop()
        health = self.source.market.health.screen
        live = not self.is_headless
        self._clock = FrameClock(
            self._paint,
            timers=loop,
            health=health,
            backlog=lambda: backlog(self._driver),
            request_acknowledgement=self._request_acknowledgement if live else None,
        )
        self.monitor.clock = self._clock
        self.source.market.dirty.on_first = self._clock.wake
        self._clock.start()
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        self._stall.start(loop)
        if live:
            loop.add_signal_handler(signal.SIGTERM, self._terminated)
        self.run_worker(self.source.run(), name="feed")
        for number, work in enumerate(self._alongside):
            self.run_worker(work(), name=f"alongside-{number}")

    def _request_acknowledgement(self) -> None:
        if self._driver is not None:
            self._driver.write(REQUEST_ACKNOWLEDGEMENT)

    def on_cursor_position(self, _event: events.CursorPosition) -> None:
        """Take the terminal's answer to a frame."""
        if self._clock is not None:
            self._clock.acknowledged()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, self._painter.wrap(renderable))  # type: ignore[arg-type]

    def _paint(self) -> bool:
        """Paint what is due. A bug in it ends the program with its traceback: a frozen screen would lie."""
        try:
            return self.monitor.paint()
        except Exception as error:
            self._handle_exception(error)
            return False

    def _fatal_error(self) -> None:
        """End with the traceback of a bug, without the values of its variables: a token may be one."""
        import rich  # noqa: PLC0415  # the traceback's colours cost a tenth of a second
        from rich.segment import Segments  # noqa: PLC0415
        from rich.traceback import Traceback  # noqa: PLC0415

        self.bell()
        traceback = Traceback(show_locals=False, width=None, suppress=[rich])
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()

    def put_lines(self, widget: RowsWidget, lines: Sequence[int]) -> bool:
        """Take changed lines of the monitor to the terminal past the compositor, all of a frame together.

        Returns False where the compositor is needed: something lies over them, or they are not in place yet.
        """
        x, y, width, _ = region = widget.region
        if region.size != widget.size or not self._uncovered():
            return False
        if not all(self._painter.knows(x, y + line, width) for line in lines):
            return False
        if not self._pieces:
            asyncio.get_running_loop().call_soon(self._display_pieces)
        self._pieces.extend((x, y + line, widget.strips[line]) for line in lines)
        return True

    def _uncovered(self) -> bool:
        monitor = self.monitor
        on_top = self.screen_stack[-1:] == [monitor]
        return on_top and not monitor._layout_required and not len(self._notifications)

    def _display_pieces(self) -> None:
        pieces, self._pieces = self._pieces, []
        if self._uncovered() and all(self._painter.knows(x, y, strip.cell_length) for x, y, strip in pieces):
            update = PiecesUpdate(self._painter, pieces)
            self._display(self.monitor, update)  # type: ignore[arg-type]
        else:
            self.monitor.refresh()

    def post_display_hook(self) -> None:
        """Ask for the frame's acknowledgement and take stock of the bytes."""
        self.source.market.health.screen.bytes_written = self.meter.bytes_written
        if self._clock is not None:
            self._clock.displayed()

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
        """Go to the next theme, round and round."""
        names = sorted(self.themes)
        self.switch_theme(names[(names.index(self.palette.name) + 1) % len(names)])

    def _terminated(self) -> None:
        """Leave as politely as ``q`` does, with the exit code of the signal."""
        self.run_worker(self._leave(128 + signal.SIGTERM), name="leave")

    async def action_quit(self) -> None:
        """Leave the program."""
        await self._leave(0)

    async def _leave(self, code: int) -> None:
        """Paint no more, let the terminal answer the last frame, end the feed."""
        clock = self._clock
        if clock is not None:
            answered = asyncio.Event()
            clock.on_acknowledged = answered.set
            clock.stop()
            if clock.in_flight:
                with suppress(TimeoutError):
                    await asyncio.wait_for(answered.wait(), LAST_ANSWER_WITHIN)
        self._stall.stop()
        with suppress(asyncio.CancelledError):
            await self.source.close()
        self.exit(code, return_code=code)


def run_monitor(
    source: Source, *, theme: str = "dark", alongside: Sequence[Callable[[], Awaitable[None]]] = ()
) -> int:
    """Open the monitor and stay until it is left; return the exit code.

    ``alongside`` are coroutines that live as long as the monitor does, such as the trace.
    """
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    app = MonitorApp(source, theme=theme, alongside=alongside)
    gc.freeze()  # modules and classes stay: collections need not walk them
    gc.set_threshold(*GC_THRESHOLDS)
    result = app.run()
    return app.return_code or result or 0
