"""The tape: prints, newest first, and what they sum up to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import add, divide, multiply, subtract
from cadenza_tui.market.records import Side
from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import (
    DOWN,
    LEVEL,
    SECOND,
    UP,
    Column,
    age,
    fitted,
    plain,
    price_decimals,
    quantity_decimals,
    rounded,
    short,
    signed,
    tape_time,
)
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import CURRENT, absence, border
from cadenza_tui.view.text import blank, clip, fit_row, message, row_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.records import Instrument, Print
    from cadenza_tui.market.tape import Hole, Tape
    from cadenza_tui.market.trust import Trust

TITLE: Row = (Span("Tape", Role.TITLE),)
MAX_BAR = 24
NEIGHBOURS = 100
"""How many of the latest prints say what is large."""
MAX_CACHED = 4096


class Sums(NamedTuple):
    """What the kept prints sum up to, exactly. ``cvd`` is bought minus sold by the aggressors."""

    bought: Decimal
    sold: Decimal
    volume: Decimal
    notional: Decimal
    span_ns: int

    @property
    def cvd(self) -> Decimal:
        """Cumulative volume delta."""
        return subtract(self.bought, self.sold)


@dataclass(slots=True)
class TapeWidths:
    """What a tape remembers from frame to frame: columns, scale, and sums kept up print by print."""

    price: Column = field(default_factory=Column)
    quantity: Column = field(default_factory=Column)
    scale: float = 0.0
    large: float = 0.0
    bars: Bars = Bars.TINT
    rows: dict[int, tuple[Print, int, bool, Row]] = field(default_factory=dict)
    """By the print's identity: the print, the length of its bar, whether it is large, its row."""
    _adopted: tuple[object, ...] | None = None
    _key: tuple[object, ...] = ()
    _counted: int = 0
    _kept: deque[Print] = field(default_factory=deque)
    _bought: Decimal = Decimal(0)
    _sold: Decimal = Decimal(0)
    _volume: Decimal = Decimal(0)
    _notional: Decimal = Decimal(0)

    def adopt(self, instrument_id: str, instrument: Instrument | None) -> None:
        """Begin anew when the instrument is another one, or its decimals have become known."""
        adopted = (instrument_id, price_decimals(instrument), quantity_decimals(instrument))
        if adopted == self._adopted:
            return
        if self._adopted is None or self._adopted[0] != instrument_id:
            self._forget()
        self._adopted = adopted
        self.price, self.quantity = Column(adopted[1]), Column(adopted[2], maximum_fraction=14)
        self.scale = 0.0
        self.rows.clear()

    def grow(self, prints: Sequence[Print]) -> None:
        """Make the columns wide enough for these prints."""
        fresh = [print_ for print_ in prints if id(print_) not in self.rows]
        self.price.grow([plain(print_.price) for print_ in fresh])
        self.quantity.grow([plain(print_.quantity) for print_ in fresh])

    def reshape(self, width: int, shape: tuple[int, ...], bars: Bars) -> None:
        """Drop the rows when anything that all of them depend on has changed."""
        key = (width, shape, bars, self.price.key, self.quantity.key)
        if key != self._key or len(self.rows) > MAX_CACHED:
            self._key, self.bars = key, bars
            self.rows.clear()

    def _forget(self) -> None:
        self._counted = 0
        self._kept.clear()
        self._bought = self._sold = self._volume = self._notional = Decimal(0)

    def sums(self, tape: Tape) -> Sums:
        """Return the sums over the prints that the tape keeps; the work is that of the new ones alone."""
        if tape.count < self._counted:
            self._forget()
        for print_ in reversed(tape.latest(tape.count - self._counted)):
            self._kept.appendleft(print_)
            self._add(print_, Decimal(1))
        self._counted = tape.count
        while len(self._kept) > len(tape):
            self._add(self._kept.pop(), Decimal(-1))
        span = self._kept[0].timestamp - self._kept[-1].timestamp if self._kept else 0
        return Sums(self._bought, self._sold, self._volume, self._notional, max(span, 0))

    def _add(self, print_: Print, sign: Decimal) -> None:
        quantity = multiply(print_.quantity, sign)
        self._volume = add(self._volume, quantity)
        self._notional = add(self._notional, multiply(quantity, print_.price))
        if print_.aggressor is Side.BUY:
            self._bought = add(self._bought, quantity)
        elif print_.aggressor is Side.SELL:
            self._sold = add(self._sold, quantity)


class _Shape(NamedTuple):
    time: int
    price: int
    gap: int
    quantity: int
    bar: int


def tape(
    tape: Tape,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    widths: TapeWidths,
    instrument_id: str = "",
    paused_at: int | None = None,
    scroll: int = 0,
    bars: Bars = Bars.TINT,
) -> Pane:
    """Return the Tape pane with a body of ``width`` x ``height`` cells.

    ``paused_at`` is ``tape.count`` at the moment of the pause: the prints as they were then stay, and the
    border says how many have come since. ``scroll`` is how many of the newest to leave out.
    """
    instrument_id = instrument.instrument_id if instrument is not None else instrument_id
    widths.adopt(instrument_id, instrument)
    newer = max(tape.count - paused_at, 0) if paused_at is not None else 0
    skipped = newer + max(scroll, 0)
    summary_rows = 2 if height >= 8 else 1 if height >= 5 else 0
    header_rows = 1 if height >= 3 else 0
    room = max(height - header_rows - summary_rows, 0)
    holes = tape.kept_holes()
    latest: Sequence[Print] = tape.latest(skipped + max(room, NEIGHBOURS))[skipped:]
    if paused_at is not None:
        trusted: Row = (Span(f"‖ paused +{newer:,}", Role.ACCENT),)
    elif scroll:
        trusted = (Span(f"+{scroll:,} newer", Role.ACCENT),)
    elif trust.state not in CURRENT:
        trusted = border(trust)
    elif holes:
        trusted = (Span(f"⚠ {_missing(holes)}", Role.WARN),)
    else:
        trusted = (Span("all prints", Role.TITLE),)
    if not latest:
        words = "Those prints are no longer kept" if skipped else absence(trust, "no prints yet")
        return Pane(TITLE, trusted, message(words, width, height), dimmed=trust.dimmed)
    shown = latest[:room]
    widths.grow(shown)
    shape = _shape(width, widths)
    widths.reshape(width, shape, bars)
    sizes = [float(print_.quantity) for print_ in latest]
    widths.scale, widths.large = bar.scales(sizes, widths.scale)
    rows = [_header(shape, widths, width)] if header_rows else []
    prints = _rows(shown, sizes, widths, shape, width)
    rows += _with_holes(prints, tape.count - skipped, holes, width)[:room]
    rows += [(Span(blank(width)),)] * (height - summary_rows - len(rows))
    if summary_rows == 2:
        rows.append((Span(blank(width)),))
    if summary_rows:
        rows.append(_summary(widths.sums(tape), widths, width, holes))
    return Pane(TITLE, trusted, tuple(rows), dimmed=trust.dimmed)


def _missing(holes: Sequence[Hole]) -> str:
    """Return how many messages are missing, as far as anybody knows."""
    if not all(hole.messages for hole in holes):
        return "messages missing"
    messages = sum(hole.messages for hole in holes)
    return f"{messages:,} message{'s' if messages != 1 else ''} missing"


def _with_holes(prints: Sequence[Row], newest: int, holes: Sequence[Hole], width: int) -> list[Row]:
    """Return the rows of prints, of which the first is number ``newest``, with a line for each hole."""
    if not holes:
        return list(prints)
    by_place = {hole.after: hole for hole in holes}
    rows: list[Row] = []
    for number, row in zip(range(newest, newest - len(prints), -1), prints, strict=True):
        if (hole := by_place.get(number)) is not None:
            rows.append(_hole(hole, width))
        rows.append(row)
    return rows


def _hole(hole: Hole, width: int) -> Row:
    words = f" {_missing([hole])} "
    if len(words) + 4 > width:
        return fit_row((Span(words, Role.WARN),), width)
    before = (width - len(words)) // 2 - 1
    after = width - 2 - before - len(words)
    return (
        Span(" "),
        Span("╌" * before, Role.FAINT),
        Span(words, Role.WARN),
        Span("╌" * after, Role.FAINT),
        Span(" "),
    )


def _shape(width: int, widths: TapeWidths) -> _Shape:
    """Share out the width: when narrow the milliseconds go first, then the bar, the time, then the size."""
    price, quantity = widths.price.width, widths.quantity.width
    fixed = 1 + 2 + price + quantity
    for time, gap, bar_width in ((13, 2, 2), (13, 1, 2), (9, 2, 2), (9, 1, 0), (0, 2, 0), (0, 1, 0)):
        room = width - fixed - time - gap - (1 if bar_width else 0)
        if room >= bar_width:
            return _Shape(time, price, gap, quantity, min(room, MAX_BAR) if bar_width else 0)
    return _Shape(0, price, 1, max(min(quantity, width - 4 - price), 0), 0)


def _header(shape: _Shape, widths: TapeWidths, width: int) -> Row:
    text = " " + ("time".ljust(shape.time) if shape.time else "")
    text += "  " + "price".rjust(shape.price)
    name = "quantity" if shape.quantity >= 8 else "qty"
    text += blank(shape.gap) + name.rjust(shape.quantity) if shape.quantity >= 3 else ""
    return fit_row((Span(text, Role.FAINT),), width)


def _rows(
    shown: Sequence[Print], sizes: Sequence[float], widths: TapeWidths, shape: _Shape, width: int
) -> list[Row]:
    """Return the rows of prints; each is made once, as long as its bar stays as it is."""
    units, scale, large_from, known = shape.bar * 8, widths.scale, widths.large, widths.rows
    rows: list[Row] = []
    for print_, size in zip(shown, sizes, strict=False):
        length, large = bar.length(size, scale, units), size >= large_from
        kept = known.get(id(print_))
        if kept is None or kept[0] is not print_ or kept[1] != length or kept[2] is not large:
            row = _row(print_, bar.glyphs(length, widths.bars), widths, shape, large=large)
            kept = known[id(print_)] = (print_, length, large, fit_row(row, width))
        rows.append(kept[3])
    return rows


def _row(print_: Print, drawn: str, widths: TapeWidths, shape: _Shape, *, large: bool) -> Row:
    if print_.aggressor is Side.BUY:
        glyph, role = UP, Role.BID_STRONG if large else Role.BID
    elif print_.aggressor is Side.SELL:
        glyph, role = DOWN, Role.ASK_STRONG if large else Role.ASK
    else:
        glyph, role = LEVEL, Role.STRONG if large else Role.TEXT
    time = tape_time(print_.timestamp)[: shape.time - 1].ljust(shape.time) if shape.time else ""
    price = widths.price.text(plain(print_.price))
    quantity = widths.quantity.text(plain(print_.quantity))
    if len(quantity) > shape.quantity:
        quantity = fitted(quantity.strip(), shape.quantity).rjust(shape.quantity)
    spans = (
        Span(" " + time, Role.TEXT if large else Role.MUTED),
        Span(f"{glyph} {price}", role),
        Span(blank(shape.gap) + quantity + " ", Role.STRONG if large else Role.TEXT),
        Span(drawn, role),
    )
    return spans if drawn else spans[:3]


def _summary(sums: Sums, widths: TapeWidths, width: int, holes: Sequence[Hole]) -> Row:
    """Return CVD and VWAP over the kept prints; what does not fit goes, from the right.

    Over a hole they are not complete, which ``≈`` says.
    """
    about = "≈ " if holes else ""
    decimals = min(widths.quantity.shown_decimals, 2)
    cvd = sums.cvd
    role = Role.BID if cvd > 0 else Role.ASK if cvd < 0 else Role.MUTED
    shown = signed(cvd, decimals, rounds=True)
    if len(shown) > 12:
        shown = ("+" if cvd > 0 else "") + short(cvd)
    parts: list[Row] = [(Span("CVD ", Role.MUTED), Span(about, Role.WARN), Span(shown, role))]
    if sums.volume:
        places = widths.price.shown_decimals
        vwap = rounded(divide(sums.notional, sums.volume, places), places)
        parts.append((Span("VWAP ", Role.MUTED), Span(about, Role.WARN), Span(vwap, Role.TEXT)))
        parts.append((Span(age(sums.span_ns) if sums.span_ns >= SECOND else "", Role.FAINT),))
    row: Row = (Span(" "),)
    for part in parts:
        if row_cells(row) + row_cells(part) + 3 > width and len(row) > 1:
            break
        row = (*row, *(span for span in part if span.text), Span("   "))
    return fit_row(
        row if row_cells(row) <= width else tuple(s._replace(text=clip(s.text, width)) for s in row), width
    )
