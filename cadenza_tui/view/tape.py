"""The tape: prints, newest first, and what they sum up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.tally import ALL
from cadenza_tui.view import bars as bar
from cadenza_tui.view import tape_figures as figures
from cadenza_tui.view.choices import Choice
from cadenza_tui.view.frame import trust_room
from cadenza_tui.view.numbers import (
    SECOND,
    age,
    exact,
)
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import CURRENT, absence, border
from cadenza_tui.view.tape_curve import curve
from cadenza_tui.view.tape_rows import (
    ORDINARY,
    Shape,
    entry_row,
    header,
    hole_row,
    missing,
    shape,
)
from cadenza_tui.view.text import blank, fit_row, message, safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.records import Instrument
    from cadenza_tui.market.sweeps import Entry
    from cadenza_tui.market.tape import Hole, Tape
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.choices import Options
    from cadenza_tui.view.tape_memory import TapeMemory

NEIGHBOURS = 100
"""How many of the latest prints say what is large."""
LEAST_PRINTS = 44
"""Cells of the prints beside the table of figures."""
WIDEST_PRINTS = 78
ROOMY_WIDTH, ROOMY_HEIGHT = 58, 30
"""From here on there is room for the table of figures below the prints."""

WINDOW = Choice(
    "window",
    "window",
    ("1m", "10s", "5m", "15m", "1h", ALL),
    "the stretch that VWAP, volumes and rates cover",
)
AGGREGATE = Choice("aggregate", "sweeps as one", ("off", "on"), "one row for the prints of one sweep")
UNIT = Choice("unit", "filter in", ("base", "quote"), "what the size filter measures: quantity or notional")
TIERS = Choice("tiers", "large stand out", ("on", "off"), "mark prints that are large for this market")
FIGURES = Choice("figures", "figures", ("on", "off"), "sums over the window below or beside the prints")
CHOICES = (WINDOW, AGGREGATE, UNIT, TIERS, FIGURES)


def tape(
    tape: Tape,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    memory: TapeMemory,
    options: Options,
    now: int,
    instrument_id: str = "",
    bars: Bars = Bars.TINT,
) -> Pane:
    """Return the Tape pane with a body of ``width`` x ``height`` cells.

    Scrolled or paused by way of its memory, the prints in sight stay where they are, and the border says how
    many have come since.
    """
    instrument_id = instrument.instrument_id if instrument is not None else instrument_id
    memory.adopt(instrument_id, instrument)
    unit, aggregate = UNIT.of(options), AGGREGATE.of(options) == "on"
    memory.follow(tape, unit, aggregate=aggregate)
    entries, anchor = memory.entries, memory.anchor
    title = _title(memory.least.get(unit), unit, instrument, aggregate=aggregate)
    holes = entries.holes()
    trusted = _trust(memory, trust, holes, now, trust_room(title, width))
    if not len(tape):
        return Pane(title, trusted, message(absence(trust, "no prints yet"), width, height), trust.dimmed)

    beside, below = _places(width, height) if FIGURES.of(options) == "on" else (0, 0)
    inner = width - beside
    room = max(height - (1 if height >= 3 else 0) - below, 0)
    shown = entries.shown(anchor, room)
    memory.grow(shown, room)
    shape_ = shape(inner, memory.price.width, memory.quantity.width, aggregate=aggregate)
    tiers = TIERS.of(options) == "on"
    memory.reshape((inner, shape_, bars, tiers))
    memory.measure([entry.size for entry in entries.shown(anchor, NEIGHBOURS)])
    rows: list[Row] = [header(shape_, inner)] if height >= 3 else []
    if shown:
        rows += _with_holes(
            shown, _rows(shown, memory, shape_, inner, bars, tiers=tiers), holes, inner, newest=anchor is None
        )
    else:
        words = "These prints are no longer kept" if anchor is not None else "No print as large as that yet"
        rows += message(words, inner, room)
    del rows[height - below :]
    rows += [(Span(blank(inner)),)] * (height - below - len(rows))
    if below:
        rows += _below(memory, tape, WINDOW.of(options), width=inner, rows=below, now=now, bars=bars)
    if beside:
        side = _table(memory, tape, WINDOW.of(options), width=beside - 2, height=height, now=now, bars=bars)
        rows = [(*row, Span("  "), *other) for row, other in zip(rows, side, strict=True)]
    return Pane(title, trusted, tuple(rows), dimmed=trust.dimmed)


def _title(least: Decimal | None, unit: str, instrument: Instrument | None, *, aggregate: bool) -> Row:
    """Return the title: it says what is left out, and that sweeps are one."""
    title = [Span("Tape", Role.TITLE)]
    if least is not None:
        asset = (instrument.base if unit == "base" else instrument.quote) if instrument is not None else ""
        title += [Span(" ≥ ", Role.WARN), Span(exact(least), Role.STRONG)]
        title.append(Span(f" {safe(asset) or unit}", Role.TITLE))
    if aggregate:
        title.append(Span(" · sweeps", Role.TITLE))
    return tuple(title)


def _trust(memory: TapeMemory, trust: Trust, holes: Sequence[Hole], now: int, room: int) -> Row:
    """Return what the border says: what has come since the pause, what is missing, how far back it goes.

    In shorter words where there are fewer than ``room`` cells.
    """
    if memory.anchor is not None:
        newer = f"+{memory.entries.latest_place - memory.anchor:,}"
        paused = (f"‖ paused {newer}",) if memory.paused else ()
        return _fitting((*paused, f"‖ {newer}", newer), room, Role.ACCENT)
    if trust.state not in CURRENT:
        return border(trust, width=room)
    if holes:
        lacks = missing(holes)
        return _fitting((f"⚠ {lacks}", f"⚠ {lacks.replace('messages ', '')}", "⚠"), room, Role.WARN)
    since = memory.entries.since
    if since is None:
        return ()
    back = f"{age(now - since)} back"
    every = (f"all prints · {back}",) if memory.least.get(memory.unit) is None else ()
    return _fitting((*every, back), room, Role.TITLE)


def _fitting(words: Sequence[str], room: int, role: Role) -> Row:
    """Return the first of several words that fits, nothing where none does."""
    return next(((Span(one, role),) for one in words if len(one) <= room), ())


def _rows(
    shown: Sequence[Entry], memory: TapeMemory, shape: Shape, width: int, bars: Bars, *, tiers: bool
) -> list[Row]:
    """Return the rows of entries; each is made once, as long as its bar stays as it is."""
    units, scale, known = shape.bar * 8, memory.scale, memory.rows
    rows: list[Row] = []
    for entry in shown:
        length, tier = bar.length(entry.size, scale, units), memory.tier(entry.size) if tiers else ORDINARY
        kept = known.get(entry.place)
        if kept is None or kept[0] != entry.prints or kept[1] != length or kept[2] != tier:
            row = entry_row(
                entry, length, tier, shape=shape, price=memory.price, quantity=memory.quantity, bars=bars
            )
            kept = known[entry.place] = (entry.prints, length, tier, fit_row(row, width))
        rows.append(kept[3])
    return rows


def _with_holes(
    shown: Sequence[Entry], made: list[Row], holes: Sequence[Hole], width: int, *, newest: bool
) -> list[Row]:
    """Return the rows of entries, the newest first, with a line where messages are missing."""
    if not holes:
        return made
    rows: list[Row] = []
    left = list(holes)
    for place, (entry, row) in enumerate(zip(shown, made, strict=True)):
        here = [hole for hole in left if hole.after >= entry.number]
        left = left[len(here) :]
        if here and (place or newest or here[-1].after == entry.number):
            rows.append(hole_row(here, width))
        rows.append(row)
    return rows


def _places(width: int, height: int) -> tuple[int, int]:
    """Return the columns beside the prints and the rows below them that the figures have."""
    if width - LEAST_PRINTS >= figures.LEAST_TABLE and height >= 8:
        return max(width - WIDEST_PRINTS, figures.LEAST_TABLE), 0
    if width >= ROOMY_WIDTH and height >= ROOMY_HEIGHT:
        return 0, 1 + figures.TABLE_ROWS
    return 0, 5 if height >= 14 else 2 if height >= 8 else 1 if height >= 5 else 0


def _below(
    memory: TapeMemory, tape: Tape, chosen: str, *, width: int, rows: int, now: int, bars: Bars
) -> list[Row]:
    cells = min(max(width - figures.AROUND - memory.price.width, figures.LEAST_SUM), figures.SUM)
    sums = _sums(memory, tape, chosen, now, cells)
    if rows > figures.TABLE_ROWS:
        line = figures.proportion(sums.window, width)
        return [line, *_table(memory, tape, chosen, width=width, height=rows - 1, now=now, bars=bars)]
    return [figures.line(sums, width)] if rows == 1 else figures.grid(sums, width, rows)


def _sums(memory: TapeMemory, tape: Tape, chosen: str, now: int, cells: int = figures.SUM) -> figures.Sums:
    window, total = tape.tally.window(chosen, now), tape.tally.window(ALL, now)
    decimals = figures.adapt(memory.figures, memory.quantity.shown_decimals, (window, total), cells)
    return figures.Sums(chosen, window, total, decimals, memory.price.shown_decimals, cells)


def _table(
    memory: TapeMemory, tape: Tape, chosen: str, *, width: int, height: int, now: int, bars: Bars
) -> list[Row]:
    """Return the table of figures and the curve; they change once a second, lest everything flicker.

    While the clock stands, as in a replay that pauses, there is no next second to wait for.
    """
    held = memory.figures
    stands, held.at = now == held.at, now
    key = (tape.tally, now // SECOND, chosen, width, height, memory.price.key, memory.quantity.key, bars)
    if key != held.key or stands:
        held.key = key
        sums = _sums(memory, tape, chosen, now)
        made = figures.table(tape.tally, sums, memory.price.width, width=width, now=now)
        made += curve(tape.tally, sums, width=width, height=height - len(made), now=now, bars=bars)
        made += [(Span(blank(width)),)] * (height - len(made))
        held.slow = tuple(made[:height])
    return list(held.slow)
