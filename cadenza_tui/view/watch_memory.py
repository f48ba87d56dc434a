"""What the watchlist remembers from frame to frame: its order, its cursor, what is in sight, its rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import add, halve, multiply, subtract
from cadenza_tui.market.quote import quote
from cadenza_tui.view.numbers import bps
from cadenza_tui.view.watch_columns import Widths, kind_of, symbol_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from cadenza_tui.market.quote import Quote
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.view.rows import Row

SECOND = 1_000_000_000
SORTED_FOR_NS = 5 * SECOND
"""Rows keep their places at least so long."""
MOST_STEPS = 1_000_000
MAX_ROWS = 4_096
MAX_ALIKE = 64
"""Venues of one symbol that are looked at."""


@dataclass(slots=True)
class WatchMemory:
    """One for the list. What the user does here takes effect with the next frame."""

    widths: Widths = field(default_factory=Widths)
    cursor: InstrumentId | None = None
    """The instrument that the cursor stands on; while it does the order stands still."""
    first: int = 0
    """How many rows are above those in sight."""
    order: list[InstrumentId] = field(default_factory=list)
    visible: tuple[InstrumentId, ...] = ()
    """The rows of the last frame."""
    ranked: bool = False
    """Whether the order depends on what rows out of sight say."""
    days: bool = False
    """Whether what the last day was is shown, or sorted by."""
    rows: dict[InstrumentId, tuple[tuple[object, ...], Row]] = field(default_factory=dict)
    """By instrument: what its row was made of, and the row."""
    _height: int = 0
    _steps: int = 0
    _seeks: str = ""
    """Whose place is to be brought into sight: ``cursor``, ``selected`` or ``middle``."""
    _compared: tuple[InstrumentId, ...] = ()
    _pinned: list[InstrumentId] = field(default_factory=list)
    _places: dict[InstrumentId, int] = field(default_factory=dict)
    _keys: dict[InstrumentId, int] = field(default_factory=dict)
    _selected: InstrumentId | None = None
    _sort: str = ""
    _sorted_at: int = 0
    _alike: tuple[tuple[object, ...], list[InstrumentId]] = ((), [])

    # --- what the user does

    def move(self, by: int) -> None:
        """Move the cursor by rows, down if positive; without one it begins at the selected row."""
        self._steps = min(max(self._steps + by, -MOST_STEPS), MOST_STEPS)

    def page(self, by: int) -> None:
        """Move the cursor by almost all the rows in sight."""
        self.move(by * max(self._height - 2, 1))

    def scroll(self, by: int) -> None:
        """Move the rows in sight, down if positive, and leave the cursor where it is."""
        self.first = max(self.first + by, 0)

    def centre(self) -> None:
        """Bring the selected row back into sight, unless it is."""
        self._seeks = "middle"

    def release(self) -> bool:
        """Let go of the cursor; return whether there was one. The order is made anew then."""
        had = self.cursor is not None
        self.cursor, self._steps = None, 0
        if had:
            self._sorted_at = 0
        return had

    def selected(self) -> InstrumentId | None:
        """Return the instrument under the cursor, None without one."""
        return self.cursor

    def instrument_at(self, row: int) -> InstrumentId | None:
        """Return the instrument in a body row of the last frame; row 0 is the header."""
        return self.visible[row - 1] if 0 < row <= len(self.visible) else None

    def shows(self, instrument_id: InstrumentId) -> bool:
        """Return whether the last frame said anything about an instrument."""
        return instrument_id in self.visible or instrument_id in self._compared

    def key(self, instrument_id: InstrumentId) -> str:
        """Return the digit that selects an instrument, empty for none."""
        at = self._keys.get(instrument_id, 9)
        return str(at + 1) if at < 9 else ""

    # --- what a frame asks for

    def arrange(
        self,
        market: Market,
        pinned: Sequence[InstrumentId],
        selected: InstrumentId | None,
        sort: str,
        now: int,
    ) -> None:
        """Put the rows in order, where it is time to; costs what is listed only then."""
        self.ranked = sort in ("change", "volume", "spread", "last")
        turned = selected != self._selected
        if turned or sort != self._sort or self._pinned != pinned:
            self._pinned = list(pinned)
            self._keys = {instrument_id: at for at, instrument_id in enumerate(pinned[:9])}
            listed = dict.fromkeys((*pinned, *((selected,) if selected is not None else ())))
            if sort != self._sort or sort == "pinned":
                self._sorted_at = 0
                self.order = list(listed)
            else:  # nothing jumps because of a row that came or went
                kept = [one for one in self.order if one in listed]
                self.order = list(dict.fromkeys((*kept, *listed)))
            self._sort, self._selected = sort, selected
            self._place()
        if turned and not self._seeks:
            self._seeks = "selected"
        rests = bool(self._steps) or (self.cursor is not None and self.cursor in self._places)
        if sort != "pinned" and not rests and not 0 <= now - self._sorted_at < SORTED_FOR_NS:
            self.order = _sorted(market, self._pinned, self.order, sort)
            self._sorted_at = now
            self._place()

    def _place(self) -> None:
        self._places = {instrument_id: at for at, instrument_id in enumerate(self.order)}
        if len(self.rows) > MAX_ROWS:
            self.rows.clear()

    def look(self, room: int) -> list[InstrumentId]:
        """Return the instruments of the ``room`` rows in sight, after what the user did."""
        self._height = room
        if self.cursor is not None and self.cursor not in self._places:
            self.cursor = None
        if self._steps and self.order:
            begin = self.cursor if self.cursor is not None else self._selected
            at = self._places.get(begin, 0) if begin is not None else 0
            at = min(max(at + self._steps, 0), len(self.order) - 1)
            self.cursor, self._seeks = self.order[at], "cursor"
        self._steps = 0
        sought = self.cursor if self._seeks == "cursor" else self._selected
        at = self._places.get(sought, -1) if sought is not None and self._seeks else -1
        if at >= 0 and room > 0 and not self.first <= at < self.first + room:
            if self._seeks == "middle":
                self.first = at - room // 2
            else:
                self.first = at if at < self.first else at - room + 1
        self._seeks = ""
        self.first = max(min(self.first, len(self.order) - max(room, 0)), 0)
        self.visible = tuple(self.order[self.first : self.first + max(room, 0)])
        return list(self.visible)

    def compared(self, ids: Sequence[InstrumentId]) -> None:
        """Note which instruments the block under the rows speaks of."""
        self._compared = tuple(ids)

    def alike(self, market: Market, selected: InstrumentId) -> list[InstrumentId]:
        """Return the instruments of the same symbol and kind, the selected one among them."""
        key = (selected, market.instruments, len(market.tickers), len(market.books))
        if key != self._alike[0]:
            wanted = (symbol_of(market, selected), kind_of(market, selected))
            every = dict.fromkeys((*market.instruments, *market.tickers, *market.books))
            same = (i for i in every if (symbol_of(market, i), kind_of(market, i)) == wanted)
            self._alike = (key, list(islice(same, MAX_ALIKE)))
        return self._alike[1]


def _sorted(
    market: Market, pinned: Sequence[InstrumentId], order: Sequence[InstrumentId], sort: str
) -> list[InstrumentId]:
    """Return the rows in another order; those of which it is not known come last, as they were pinned."""
    places = {instrument_id: at for at, instrument_id in enumerate(pinned)}
    rows = sorted(order, key=lambda one: places.get(one, len(places)))
    if sort == "name":
        return sorted(rows, key=lambda one: (symbol_of(market, one), one))
    measure, sign = _MEASURES[sort]
    known: list[tuple[Decimal, InstrumentId]] = []
    unknown: list[InstrumentId] = []
    for one in rows:
        value = measure(market, one, quote(market, one))
        if value is None:
            unknown.append(one)
        else:
            known.append((value * sign, one))
    known.sort(key=lambda pair: pair[0])
    return [*(one for _, one in known), *unknown]


def _change(_market: Market, _one: InstrumentId, now: Quote) -> Decimal | None:
    return now.change


def _last(_market: Market, _one: InstrumentId, now: Quote) -> Decimal | None:
    return now.price


def _volume(market: Market, one: InstrumentId, now: Quote) -> Decimal | None:
    """Return the last day's volume at the last price: volumes of different assets do not compare."""
    day = market.trails.day(one)
    return None if day is None or day.volume is None or now.price is None else multiply(day.volume, now.price)


def _spread(_market: Market, _one: InstrumentId, now: Quote) -> Decimal | None:
    if now.bid is None or now.ask is None:
        return None
    return bps(subtract(now.ask, now.bid), halve(add(now.ask, now.bid)))


_MEASURES: dict[str, tuple[Callable[[Market, str, Quote], Decimal | None], int]] = {
    "change": (_change, -1),
    "volume": (_volume, -1),
    "spread": (_spread, 1),
    "last": (_last, -1),
}
