"""One frame of a ladder: what its shapes share, from the user's choices to the rows of the touch and foot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadenza_tui.view import ladder_choices as choices
from cadenza_tui.view.ladder_cursor import Pointed, cursor_row
from cadenza_tui.view.ladder_lines import Summing
from cadenza_tui.view.ladder_read import depths
from cadenza_tui.view.ladder_rows import header_row
from cadenza_tui.view.ladder_touch import Foot, balance, foot_row, touch_of, touch_row
from cadenza_tui.view.ladder_widths import Wanted
from cadenza_tui.view.rows import Ground, Row, Span
from cadenza_tui.view.text import blank, on_ground, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.market.study import Study
    from cadenza_tui.view.choices import Choice, Options
    from cadenza_tui.view.ladder_cursor import Through
    from cadenza_tui.view.ladder_lines import Lines, Read
    from cadenza_tui.view.ladder_memory import LadderMemory
    from cadenza_tui.view.ladder_read import Reader
    from cadenza_tui.view.ladder_rows import Flow
    from cadenza_tui.view.ladder_widths import Geometry
    from cadenza_tui.view.rows import Bars

FOOT_FROM = 10
"""Rows of a body from which there is a foot; a cursor has one from ``CURSOR_FROM``."""
CURSOR_FROM = 4
HEADED_FROM = 3


@dataclass(slots=True)
class Scene:
    """What one frame is made from."""

    book: OrderBook
    instrument: Instrument | None
    width: int
    height: int
    memory: LadderMemory
    options: Options
    reader: Reader
    study: Study | None
    bars: Bars
    masked: bool
    running: bool
    """Whether the book is a VWAP book, whose quantities are sums already."""
    decimals: int
    """Of the raw prices."""

    @property
    def headed(self) -> bool:
        """Whether there is room for the names of the columns."""
        return self.height >= HEADED_FROM

    @property
    def footed(self) -> bool:
        """Whether there is room for a foot."""
        return self.height >= (FOOT_FROM if self.memory.cursor is None else CURSOR_FROM)

    @property
    def summing(self) -> Summing:
        """Return how the cumulative column is made."""
        return Summing(choices.CUMULATIVE.of(self.options) == "notional", self.running)

    def flow_of(self, *, bid: bool) -> Callable[[str], Flow] | None:
        """Return what gives the flow at a price's text, None where no column of it is wanted."""
        study, memory = self.study, self.memory
        traded, changes = self._on(choices.TRADED), self._on(choices.STACKED)
        if study is None or self.running or not (traded or changes):
            return None
        flow, increment, widths = study.flow, self.reader.increment, memory.widths
        memory.flow.begin(flow, widths, increment, traded, changes and flow.known)
        return memory.flow.reading(flow, widths, increment, bid=bid, traded=traded, changes=changes)

    def geometry(self) -> Geometry:
        """Return where the columns stand, once the lines have made them wide enough."""
        note = self._note()
        widths = self.memory.widths
        widths.sigma = max(widths.sigma, len(self._sigma()))
        flowing = self.study is not None and not self.running
        cumulative = choices.CUMULATIVE.of(self.options)
        wanted = Wanted(
            sigma=cumulative == "notional" or (cumulative == "quantity" and not self.running),
            note=note,
            traded=flowing and self._on(choices.TRADED),
            changes=flowing and self._on(choices.STACKED),
            bars=choices.BARS.of(self.options),
        )
        return widths.geometry(self.width, self.bars, wanted, masked=self.masked)

    def header(self, geometry: Geometry) -> Row:
        """Return the names of the columns."""
        halves = self.memory.widths.halves
        made = halves.get(("header",))
        if made is None:
            sizes = ("Σ bid", "vwap", "Σ ask") if self.running else ("bid", "price", "ask")
            words = (*sizes, self._sigma())
            made = halves["header",] = header_row(geometry, self.width, self._note(), words)
        return made

    def touch(self, geometry: Geometry, reads: Sequence[Read] = (), away: str = "") -> Row:
        """Return the touch row; ``away`` points to a touch that is out of sight."""
        memory, book = self.memory, self.book
        bid, ask = book.best_bid, book.best_ask
        key = (bid, ask, self.decimals)
        if memory.touch is None or memory.touch[0] != key:
            memory.touch = (key, touch_of(book, bid, ask, self.decimals))
        touch = memory.touch[1]
        lean = ""
        depth = choices.DEPTH.of(self.options)
        if choices.TOUCH.of(self.options) == "off" and touch.role.value != "warn":
            touch = touch._replace(words="", short="", aside="")
        elif not self.running and (bid is not None or ask is not None):
            lean = balance(*depths(self.reader, depth, memory.widths, reads))
        rows = memory.widths.rows
        said = ("touch", touch, lean, depth, away)
        made = rows.get(said)
        if made is None:
            made = rows[said] = touch_row(
                touch, (lean, depth), memory.widths, geometry, width=self.width, away=away
            )
        return made

    def foot(self, geometry: Geometry, bids: Lines, asks: Lines, there: Through | None) -> Row:
        """Return the last row: what the cursor says, or else what all rows shown come to."""
        memory = self.memory
        if memory.cursor is not None:
            pointed = Pointed(memory.cursor, memory.bid, there, self.book.mid())
            return cursor_row(pointed, memory.widths, self.instrument, self.decimals, self.width)
        shown = (bids.through, asks.through) if self.running else (bids.shown, asks.shown)
        foot = Foot(*shown)
        if geometry.changes and self.study is not None:
            flow, texts = self.study.flow, memory.flow
            changes = tuple(texts.foot(flow, memory.widths, bid=bid) for bid in (True, False))
            foot = foot._replace(bid_changes=changes[0], ask_changes=changes[1])
        rows = memory.widths.rows
        made = rows.get(foot)
        if made is None:
            made = rows[foot] = foot_row(foot, memory.widths, geometry, self.width)
        return made

    def pointed(self, row: Row) -> Row:
        """Return a row as it is under the cursor."""
        rows = self.memory.widths.rows
        key = ("cursor", row)
        made = rows.get(key)
        if made is None:
            made = rows[key] = on_ground(row, Ground.CURSOR)
        return made

    def blank(self) -> Row:
        """Return a row with nothing in it."""
        return (Span(blank(self.width)),)

    def _on(self, choice: Choice) -> bool:
        return choice.of(self.options) == "on"

    def _sigma(self) -> str:
        """Return the name of the cumulative column."""
        notional = self.summing.notional and self.instrument is not None and len(self.instrument.quote) <= 5
        return f"Σ {safe(self.instrument.quote)}".rstrip() if notional and self.instrument else "Σ"

    def _note(self) -> str:
        """Return the name of the column of exchanges or order counts, empty where there is none."""
        kind = self.book.book_type.value if self.book.book_type is not None else ""
        if kind.endswith("EXCHANGE"):
            return "exch" if self._on(choices.EXCHANGE) else ""
        counted = kind.startswith("L3") or kind == "L2_COUNTED"
        return "n" if counted and self._on(choices.ORDERS) else ""
