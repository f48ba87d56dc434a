"""What a tape keeps from frame to frame, and how it is moved through and filtered."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import CONTEXT
from cadenza_tui.market.sweeps import Entries, Rule
from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import Column, plain, price_decimals, quantity_decimals
from cadenza_tui.view.tape_figures import FigureMemory
from cadenza_tui.view.tape_rows import HUGE, HUGE_FROM, LARGE, ORDINARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.records import Instrument
    from cadenza_tui.market.sweeps import Entry
    from cadenza_tui.market.tape import Tape
    from cadenza_tui.view.rows import Row

MAX_CACHED = 4096
SAMPLED = 1_000
"""How many of the latest prints the steps of the filter are fitted to."""


@dataclass(slots=True)
class TapeMemory:
    """What a tape keeps from frame to frame: columns, scale, rows, and where in it somebody reads."""

    price: Column = field(default_factory=Column)
    quantity: Column = field(default_factory=Column)
    scale: float = 0.0
    large: float = 0.0
    entries: Entries = field(default_factory=Entries)
    least: dict[str, Decimal] = field(default_factory=dict)
    """The size filter in force, by unit: ``base`` or ``quote``. Sizes below it are left out."""
    anchor: int | None = None
    """The place of the first entry in sight; None: always the newest."""
    paused: bool = False
    unit: str = "base"
    figures: FigureMemory = field(default_factory=FigureMemory)
    rows: dict[int, tuple[int, int, int, Row]] = field(default_factory=dict)
    """By an entry's place: its prints, the length of its bar, its tier, its row."""
    _adopted: tuple[object, ...] | None = None
    _key: tuple[object, ...] = ()
    _grown: int = 0
    _room: int = 1
    _tape: Tape | None = None

    def move(self, by: int) -> None:
        """Go ``by`` entries back in time (forward where negative); at the newest the tape follows again."""
        entries = self.entries
        newest = entries.latest_place
        at = (newest if self.anchor is None else self.anchor) - by
        oldest = newest - len(entries) + min(self._room, len(entries))
        self.anchor = max(min(at, newest), min(oldest, newest))
        if self.anchor == newest and not self.paused:
            self.anchor = None

    def page(self, by: int) -> None:
        """Go back by almost all that is in sight."""
        self.move(by * max(self._room - 2, 1))

    def centre(self) -> None:
        """Show the newest prints again."""
        self.anchor, self.paused = None, False

    def release(self) -> bool:
        """Show the newest prints again; return whether that was not so."""
        held = self.anchor is not None
        self.centre()
        return held

    def pause(self) -> bool:
        """Stop what moves, or let it go on; return whether it stands now."""
        if self.anchor is not None:
            self.centre()
        else:
            self.anchor, self.paused = self.entries.latest_place, True
        return self.paused

    def step_filter(self, by: int) -> Decimal | None:
        """Leave out more prints or fewer by a step of 1-2-5 in the unit in force; return the least size.

        The first step is about the median of the latest prints, the last one below the smallest: None.
        """
        sizes = sorted(
            CONTEXT.multiply(one.quantity, one.price) if self.unit == "quote" else one.quantity
            for one in (self._tape.latest(SAMPLED) if self._tape is not None else ())
        )
        sizes = [size for size in sizes if size > 0]
        held = self.least.get(self.unit)
        if held is None:
            middle = sizes[len(sizes) // 2] if sizes else Decimal(1)
            wanted = step(middle, 1) if by > 0 else None
        else:
            wanted = step(held, by)
            if sizes and wanted <= sizes[0] and by < 0:
                wanted = None
        if wanted is None:
            self.least.pop(self.unit, None)
        else:
            self.least[self.unit] = wanted
        return wanted

    def adopt(self, instrument_id: str, instrument: Instrument | None) -> None:
        """Begin anew when the instrument is another one, or its decimals have become known."""
        adopted = (instrument_id, price_decimals(instrument), quantity_decimals(instrument))
        if adopted == self._adopted:
            return
        self._adopted = adopted
        self.price, self.quantity = Column(adopted[1]), Column(adopted[2], maximum_fraction=14)
        self.scale = self.large = 0.0
        self._grown = 0
        self.rows.clear()

    def follow(self, tape: Tape, unit: str, *, aggregate: bool) -> None:
        """Take what is new; a filter that has changed shows the newest."""
        self._tape, self.unit = tape, unit
        held = self.entries.held = self.anchor is not None
        rule = Rule(aggregate, self.least.get(unit), unit == "quote")
        if self.entries.follow(tape, rule) and held:
            self.centre()
        if self.anchor is not None:
            self.anchor = min(self.anchor, self.entries.latest_place)

    def grow(self, shown: Sequence[Entry], room: int) -> None:
        """Make the columns wide enough for these entries."""
        self._room = max(room, 1)
        fresh = [entry for entry in shown if entry.place not in self.rows or entry.prints > 1]
        self.price.grow([plain(price) for entry in fresh for price in (entry.low, entry.high)])
        self.quantity.grow([plain(entry.quantity) for entry in fresh])

    def reshape(self, key: tuple[object, ...]) -> None:
        """Drop the rows when anything that all of them depend on has changed."""
        key = (*key, self.price.key, self.quantity.key)
        if key != self._key or len(self.rows) > MAX_CACHED:
            self._key = key
            self.rows.clear()

    def measure(self, sizes: Sequence[float]) -> None:
        """Fit the bars and what is large to these sizes; both stay as they are as long as they serve."""
        self.scale, large = bar.scales(sizes, self.scale)
        if not self.large or not self.large / 1.5 < large < self.large * 1.5:
            self.large = large

    def tier(self, size: float) -> int:
        """Return how far a size stands out."""
        if size < self.large:
            return ORDINARY
        return HUGE if size >= self.large * HUGE_FROM else LARGE


def step(size: Decimal, by: int) -> Decimal:
    """Return the next number of 1-2-5 × 10^n above (``by`` > 0) or below ``size``."""
    exponent = size.adjusted()
    steps = [Decimal(f"{digit}e{exponent + up}") for up in (-1, 0, 1) for digit in (1, 2, 5)]
    if by > 0:
        return next(one for one in steps if one > size)
    return next(one for one in reversed(steps) if one < size)
