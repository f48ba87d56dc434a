"""The watchlist: pinned instruments, and the selected symbol over every venue that quotes it.

A frame costs what is in sight: rows are kept by what they say, and only a sort, every few seconds, looks at
all that is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.quote import quote
from cadenza_tui.market.trails import HOURS
from cadenza_tui.view import watch_choices as choices
from cadenza_tui.view.numbers import age, quiet_age
from cadenza_tui.view.rows import Ground, Pane, Role, Row, Span
from cadenza_tui.view.text import blank, fit_row, message, on_ground, row_cells
from cadenza_tui.view.watch_columns import VENUE_WIDTH, fitting, header, symbol_of, venue_of
from cadenza_tui.view.watch_rows import Facts, watch_row
from cadenza_tui.view.watch_venues import over_venues

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cadenza_tui.market.quote import Quote
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.choices import Options
    from cadenza_tui.view.watch_columns import Columns
    from cadenza_tui.view.watch_memory import WatchMemory

TITLE: Row = (Span("Instruments", Role.TITLE),)
CHOICES = choices.CHOICES


def watchlist(
    market: Market,
    pinned: Sequence[InstrumentId],
    selected: InstrumentId | None,
    *,
    width: int,
    height: int,
    memory: WatchMemory,
    options: Options,
    trust_of: Callable[[InstrumentId], Trust],
    now: int,
) -> Pane:
    """Return the Instruments pane with a body of ``width`` x ``height`` cells.

    The selected instrument follows the pinned ones when it is none of them. ``trust_of`` says how far each
    instrument can be trusted: one that is dimmed has no colours, and shows its age or its state's glyph.
    """
    sort = choices.SORT.of(options)
    memory.arrange(market, pinned, selected, sort, now)
    shown = memory.look(max(height - 1, 0))
    if not shown:
        memory.compared(())
        words = "No instrument is pinned · press / to find one"
        return Pane(TITLE, _title(memory, pinned, sort), message(words, width, height))
    quotes = {instrument_id: quote(market, instrument_id) for instrument_id in shown}
    prices = _prices(market, quotes, memory, touch=choices.TOUCH.of(options) == "on")
    columns = fitting(width, memory.widths, options)
    memory.days = bool(columns.volume or columns.trend) or sort == "volume"
    by_day = choices.TREND.of(options) == "24h" and market.trails.has_days
    seen = market.trails.span
    span = f"{HOURS}h" if by_day else age(seen).replace(" ", "") if seen else "trend"
    rows: list[Row] = [header(columns, width, sort, span if columns.trend else "")]
    frame = _Frame(market, memory, columns, width, selected, by_day)
    for instrument_id in shown:
        chosen = instrument_id == (selected if memory.cursor is None else memory.cursor)
        price = prices.get(instrument_id, "")
        row = _row(frame, instrument_id, quotes[instrument_id], price, trust_of(instrument_id))
        rows.append(on_ground(row, Ground.CURSOR) if chosen else row)
    alike: list[InstrumentId] = []
    if selected is not None and choices.VENUES.of(options) == "on" and len(rows) + 4 <= height:
        alike = memory.alike(market, selected)
        names = columns.venue or VENUE_WIDTH
        block = over_venues(market, selected, alike, trust_of, width=width, names=names)
        if block and len(rows) + 1 + len(block) <= height:
            rows += [(Span(blank(width)),), *block]
    memory.compared(alike)
    return Pane(TITLE, _title(memory, pinned, sort), tuple(rows[:height]))


def _title(memory: WatchMemory, pinned: Sequence[InstrumentId], sort: str) -> Row:
    """Return how many are pinned, which of them are in sight, and how they are sorted."""
    text = f"{len(pinned)} pinned"
    if len(memory.visible) < len(memory.order):
        text = f"{memory.first + 1}–{memory.first + len(memory.visible)} of {text}"
    if sort != "pinned":
        text += f" · by {sort}" + (" · held" if memory.cursor is not None else "")
    return (Span(text, Role.TITLE),)


def _prices(
    market: Market, quotes: dict[InstrumentId, Quote], memory: WatchMemory, *, touch: bool
) -> dict[InstrumentId, str]:
    """Return the prices as they are shown, and make room for them."""
    prices: dict[InstrumentId, str] = {}
    for instrument_id, now in quotes.items():
        instrument = market.instruments.get(instrument_id)
        if touch:
            memory.widths.beside(instrument_id, instrument, (now.bid, now.ask, now.price))
        if now.price is not None:
            prices[instrument_id] = memory.widths.price(instrument_id, instrument, now.price)
        memory.widths.name(market, instrument_id)
    return prices


class _Frame(NamedTuple):
    """What the rows of a frame have in common."""

    market: Market
    memory: WatchMemory
    columns: Columns
    width: int
    chosen: InstrumentId | None
    by_day: bool


def _row(frame: _Frame, instrument_id: InstrumentId, now: Quote, price: str, trust: Trust) -> Row:
    """Return a row, the one of the last frame where nothing that it says has changed."""
    market, memory, columns, width, chosen, by_day = frame
    selected = instrument_id == chosen
    trails = market.trails
    day, trail = trails.day(instrument_id), trails.of(instrument_id)
    key = memory.key(instrument_id)
    instrument = market.instruments.get(instrument_id)
    old = trust.age_ns
    made_of = (
        now,
        price,
        key,
        selected,
        columns,
        width,
        trust.state,
        instrument,
        (age(old) if trust.dimmed else quiet_age(old)) if old is not None else None,
        (day, by_day, None if by_day or trail is None else (trail.version, trails.slot)),
    )
    held = memory.rows.get(instrument_id)
    if held is not None and held[0] == made_of:
        return held[1]
    text = memory.widths.text
    facts = Facts(
        key,
        symbol_of(market, instrument_id),
        venue_of(market, instrument_id, columns.venue or VENUE_WIDTH),
        now,
        price,
        text(instrument_id, instrument, now.bid) if columns.touch and now.bid is not None else "",
        text(instrument_id, instrument, now.ask) if columns.touch and now.ask is not None else "",
        None if day is None else day.volume,
        _trend(market, instrument_id, now, by_day=by_day) if columns.trend else (),
        trust,
        selected,
    )
    row = watch_row(facts, columns)
    if row[-1].text.endswith(" ") and row_cells(row) == width + 1:
        row = (*row[:-1], row[-1]._replace(text=row[-1].text[:-1]))
    row = fit_row(row, width)
    memory.rows[instrument_id] = (made_of, row)
    return row


def _trend(
    market: Market, instrument_id: InstrumentId, now: Quote, *, by_day: bool
) -> Sequence[float | None]:
    """Return the prices of the line: of each hour of the last day, the last of them now; else the samples."""
    if not by_day:
        return market.trails.line(instrument_id)
    day = market.trails.day(instrument_id)
    if day is None:
        return ()
    return (*day.closes[:-1], float(now.price) if now.price is not None else day.closes[-1])
