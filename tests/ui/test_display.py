"""The gate before the screen: what it lets through, what it owes, and what goes first."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Offset, Region, Size
from textual.screen import Screen
from textual.strip import Strip

from cadenza_tui.ui.display import AT_ONCE, SYNC_END, SYNC_START, Display
from cadenza_tui.ui.painter import Painter, PiecesUpdate
from cadenza_tui.ui.terminal import REQUEST_ACKNOWLEDGEMENT

WIDTH = 40
PANES = ("status", "book", "tape", "instruments")
HEIGHT = len(PANES)
STYLE = Style.parse("#cfd6e1 on #11151c")


def strip(text: str) -> Strip:
    return Strip([Segment(text, STYLE)]).adjust_cell_length(WIDTH, STYLE)


class Pane:
    """A widget of one line."""

    def __init__(self, name: str, y: int) -> None:
        self.id = name
        self.display = True
        self.region = Region(0, y, WIDTH, 1)
        self.size = self.region.size
        self.strips = [strip("")]

    def show(self, text: str) -> None:
        self.strips = [strip(text)]


class Monitor:
    """The screen of the panes."""

    def __init__(self) -> None:
        self.panes = [Pane(name, y) for y, name in enumerate(PANES)]
        self.desk = SimpleNamespace(focused="book")
        self._layout_required = False
        self.outer_size = self.size = Size(WIDTH, HEIGHT)
        self.refreshed = 0

    def query(self, _kind: object) -> list[Pane]:
        return self.panes

    def refresh(self) -> None:
        self.refreshed += 1

    @property
    def update(self) -> LayoutUpdate:
        """What the compositor would make of the panes."""
        return LayoutUpdate([pane.strips for pane in self.panes], Region(0, 0, WIDTH, HEIGHT))


class Clock:
    """A clock that says what the test wants."""

    def __init__(self) -> None:
        self.open = True
        self.asks = True
        self.allowance = 10_000
        self.woken = 0
        self.frames: list[tuple[int, bool]] = []

    def may_display(self) -> bool:
        return self.open

    def wake(self) -> None:
        self.woken += 1

    def displayed(self, size: int, *, unfinished: bool) -> None:
        self.frames.append((size, unfinished))


class Bench:
    """A display with everything around it made up, but for the painter."""

    def __init__(self) -> None:
        self.monitor = Monitor()
        self.written: list[str] = []
        self.painter = Painter()
        self.app = SimpleNamespace(
            is_headless=False,
            is_running=True,
            monitor=self.monitor,
            screen=self.monitor,
            screen_stack=[self.monitor],
            _notifications=[],
            console=Console(color_system="truecolor", width=WIDTH, height=HEIGHT),
            cursor_position=Offset(3, 1),
            send=self.send,
            _display=self.show,
        )
        self.display = Display(self.app, self.painter)  # type: ignore[arg-type]
        self.clock = Clock()
        self.display.clock = self.clock  # type: ignore[assignment]
        self.update()
        self.written.clear()
        self.clock.frames.clear()

    def send(self, text: str) -> int:
        self.written.append(text)
        return len(text.encode())

    def show(self, screen: Any, update: Any) -> None:
        assert self.display.show(screen, update)

    def update(self) -> None:
        """Let Textual display what the panes are now."""
        self.show(self.monitor, self.monitor.update)

    async def put(self, **texts: str) -> None:
        """Change panes, and let the loop write them."""
        for pane in self.monitor.panes:
            if pane.id in texts:
                pane.show(texts[pane.id])
                assert self.display.put(pane, [0])  # type: ignore[arg-type]
        await asyncio.sleep(0)

    async def settle(self) -> None:
        self.display.settle()
        await asyncio.sleep(0)

    @property
    def last(self) -> str:
        return self.written[-1]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_the_panes_of_a_frame_are_written_together(bench: Bench) -> None:
    """In one write, with the question at its end."""
    await bench.put(status="at noon", book="61,837")
    assert len(bench.written) == 1
    assert "at noon" in bench.last
    assert "61,837" in bench.last
    assert bench.last.endswith(REQUEST_ACKNOWLEDGEMENT)
    assert bench.clock.frames == [(len(bench.last), False)]


async def test_a_terminal_that_never_answers_is_not_asked(bench: Bench) -> None:
    """The question would be bytes for nothing."""
    bench.clock.asks = False
    await bench.put(status="at noon")
    assert REQUEST_ACKNOWLEDGEMENT not in bench.last


async def test_what_a_closed_gate_held_back_is_written_as_it_is_then(bench: Bench) -> None:
    """Only the present, once; nothing of what it was meanwhile."""
    bench.clock.open = False
    for text in ("one", "two", "three"):
        await bench.put(book=text)
    assert bench.written == []
    assert bench.clock.woken
    bench.clock.open = True
    await bench.settle()
    assert len(bench.written) == 1
    assert "three" in bench.last
    assert "one" not in bench.last
    await bench.settle()
    assert len(bench.written) == 1


def test_an_update_of_textual_that_comes_too_soon_is_owed(bench: Bench) -> None:
    """It is not written, and the whole screen is made anew when the gate opens."""
    bench.clock.open = False
    bench.monitor.panes[1].show("too soon")
    bench.update()
    assert bench.written == []
    assert not bench.display.put(bench.monitor.panes[2], [0])  # type: ignore[arg-type]
    bench.clock.open = True
    bench.display.settle()
    assert bench.monitor.refreshed == 1
    bench.monitor.panes[1].show("in time")
    bench.update()
    assert "in time" in bench.last
    bench.display.settle()
    assert bench.monitor.refreshed == 1


async def test_what_there_is_no_room_for_stays_owed_pane_by_pane(bench: Bench) -> None:
    """The status line and the focused pane come first; no pane is half written."""
    bench.clock.allowance = 90
    await bench.put(instruments="i" * 30, tape="t" * 30, book="b" * 30, status="s" * 30)
    assert "s" * 30 in bench.last
    assert "i" not in bench.last.replace("\x1b", "")
    assert bench.clock.frames[-1][1]
    for _ in range(5):
        await bench.settle()
    assert "i" * 30 in "".join(bench.written)
    assert not bench.clock.frames[-1][1]
    assert max(size for size, _ in bench.clock.frames) < 110


async def test_no_pane_waits_for_ever(bench: Bench) -> None:
    """However much changes before it in the order, each pane has its turn."""
    bench.clock.allowance = 90
    await bench.put(instruments="i" * 30, tape="t" * 30)
    for number in range(12):
        await bench.put(status=f"{number:02}" * 15, book=f"{number + 50:02}" * 15)
    everything = "".join(bench.written)
    assert "i" * 30 in everything
    assert "t" * 30 in everything


def test_a_whole_screen_that_has_no_room_is_finished_later(bench: Bench) -> None:
    """It too goes by panes, and the rest stays owed."""
    bench.clock.allowance = 50
    for pane in bench.monitor.panes:
        pane.show("0123456789" * 3)
    rounds = 0
    bench.update()
    while bench.clock.frames[-1][1]:
        rounds += 1
        bench.update()
    assert rounds == HEIGHT - 1
    assert bench.monitor.refreshed == 0
    bench.display.settle()
    assert bench.monitor.refreshed == 0


def test_part_of_an_update_that_had_no_room_is_owed(bench: Bench) -> None:
    """Textual will not give it again, so the screen is asked for."""
    bench.clock.allowance = 50
    for pane in bench.monitor.panes:
        pane.show("0123456789" * 3)
    spans = [(y, 0, WIDTH) for y in range(HEIGHT)]
    chops = [{0: pane.strips[0]} for pane in bench.monitor.panes]
    bench.show(bench.monitor, ChopsUpdate(chops, spans, [[WIDTH]] * HEIGHT))
    assert bench.clock.frames[-1][1]
    bench.display.settle()
    assert bench.monitor.refreshed == 1


def test_nothing_is_written_for_an_update_without_a_change(bench: Bench) -> None:
    """Not even a question."""
    bench.update()
    assert bench.written == []


async def test_a_pane_that_something_lies_over_needs_the_compositor(bench: Bench) -> None:
    """A notice or another screen on top, or a layout that is still to be made."""
    pane: Any = bench.monitor.panes[0]
    bench.app._notifications = [object()]
    assert not bench.display.put(pane, [0])
    bench.app._notifications = []
    bench.app.screen_stack.append(object())
    assert not bench.display.put(pane, [0])
    bench.app.screen_stack.pop()
    bench.monitor._layout_required = True
    assert not bench.display.put(pane, [0])
    bench.monitor._layout_required = False
    assert bench.display.put(pane, [0])


async def test_a_pane_that_is_covered_before_it_was_written_goes_by_the_compositor(bench: Bench) -> None:
    """What lies over it must not be written over."""
    bench.monitor.panes[0].show("late")
    assert bench.display.put(bench.monitor.panes[0], [0])  # type: ignore[arg-type]
    bench.app._notifications = [object()]
    await asyncio.sleep(0)
    assert bench.written == []
    assert bench.monitor.refreshed == 1


async def test_only_large_frames_are_marked_to_be_drawn_at_once(bench: Bench) -> None:
    """A digit is drawn in one go anyway."""
    bench.display.synchronised = True
    await bench.put(status="9")
    assert SYNC_START not in bench.last
    await bench.put(status="é" * WIDTH, book="è" * WIDTH, tape="ê" * WIDTH, instruments="ë" * WIDTH)
    assert SYNC_START not in bench.last
    many = Strip([Segment(str(n % 10), Style.parse(f"#{n:02x}{n:02x}{n:02x}")) for n in range(WIDTH)])
    bench.monitor.panes[0].strips = [many]
    assert bench.display.put(bench.monitor.panes[0], [0])  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert len(bench.last) > AT_ONCE
    assert bench.last.startswith(SYNC_START)
    assert bench.last.endswith(SYNC_END + REQUEST_ACKNOWLEDGEMENT)


def test_only_where_something_is_typed_the_cursor_is_put_in_its_place(bench: Bench) -> None:
    """The terminal shows there what an input method is composing; on the monitor nobody sees it."""
    bench.monitor.panes[0].show("monitor")
    bench.update()
    assert "\x1b[2;4H" not in bench.last
    other = SimpleNamespace(outer_size=Size(WIDTH, HEIGHT), size=Size(WIDTH, HEIGHT))
    bench.monitor.panes[0].show("picker")
    bench.show(other, bench.monitor.update)
    assert bench.last.endswith("\x1b[2;4H" + REQUEST_ACKNOWLEDGEMENT)


def test_what_is_no_update_of_the_compositor_is_left_to_textual(bench: Bench) -> None:
    """Its own renderables are none of ours."""
    assert not bench.display.show(bench.monitor, "text")  # type: ignore[arg-type]


def test_before_there_is_a_clock_the_screen_is_owed(bench: Bench) -> None:
    """Textual's first update may come before the terminal was asked anything."""
    bench.display.clock = None
    bench.show(bench.monitor, PiecesUpdate(bench.painter, []))
    bench.display.clock = bench.clock  # type: ignore[assignment]
    bench.display.settle()
    assert bench.monitor.refreshed == 1


def test_the_names_of_textual_that_the_gate_stands_on() -> None:
    """They are private: this fails when a version moves them, before a screen stays black."""
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
    app: App[None] = App()
    for name in ("_driver", "_batch_count", "_notifications", "_handle_exception", "_fatal_error"):
        assert hasattr(app, name), name
    assert hasattr(App, "_close_messages_no_wait")
    assert hasattr(Screen, "_layout_required") or "_layout_required" in vars(Screen())
