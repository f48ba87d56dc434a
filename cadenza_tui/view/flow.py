"""The Flow pane: who pulls and who stacks since the touch last moved, what a side holds, what trading costs.

Two small tables, beside each other where there is room: one row for each side, and one for each quantity that
might be bought or sold. The quantities fit the book, and stay until it is another one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from cadenza_tui.market.depth import costs, totals
from cadenza_tui.market.exact import divide, multiply, subtract
from cadenza_tui.market.grouped import SideTotal
from cadenza_tui.market.increments import bare
from cadenza_tui.view.choices import Choice
from cadenza_tui.view.frame import trust_room
from cadenza_tui.view.numbers import (
    MINUS,
    UNKNOWN,
    clock,
    count,
    exact,
    plain,
    price_decimals,
    quantity_decimals,
    rounded,
    short,
    signed,
    significant_decimals,
)
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.states import CURRENT, absence, border
from cadenza_tui.view.table import UNKNOWN_CELL, Cell, Heading, Line, TableWidths, number_cell, table
from cadenza_tui.view.text import blank, cut, fit_row, message, row_cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cadenza_tui.market.book import AnySide, OrderBook
    from cadenza_tui.market.depth import Fill
    from cadenza_tui.market.flow import SideFlow
    from cadenza_tui.market.grouped import Totals
    from cadenza_tui.market.records import Instrument, Nanoseconds
    from cadenza_tui.market.sides import Level
    from cadenza_tui.market.study import Study
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.choices import Options

__all__ = ["CHOICES", "FlowMemory", "flow"]

TITLE: Row = (Span("Flow", Role.TITLE),)
DEPTH = Choice("depth", "depth of", ("all", "5", "10", "20", "50"), "levels a side that are summed up")
SIZE = Choice(
    "size",
    "cost of",
    ("auto", "0.001", "0.01", "0.1", "1", "10", "100", "1000", "10000", "100000"),
    "the smallest of the three quantities whose cost is shown; five and twenty times as much are the others",
)
CHOICES: tuple[Choice, ...] = (DEPTH, SIZE)

MULTIPLES = (1, 5, 20)
LIKELY = 20
"""Levels a side that the largest quantity is about as large as, where it is chosen by itself."""
FAR = 4
"""The quantities are chosen anew when the book is so many times deeper or shallower than it was."""
STEPS = (20, 200, 2_000)
"""Levels read at once while a cost is read off: most are found within the first few."""
BESIDE_FROM, ROOMY_FROM = 104, 128
"""Cells from which on the costs stand beside the sides, and from which on they have more than they need."""
COST_WIDTH, MOST_COST_WIDTH = 46, 56
"""Cells of the costs beside the sides, and where there is more room."""
GAP = 4
SIDE_HEADINGS = (
    Heading("", kind="text"),
    Heading("traded", 2),
    Heading("pulled", 1),
    Heading("stacked", 1),
    Heading("net"),
    Heading("depth", 3),
    Heading("notional", 4, kind="right"),
)
NARROW_BELOW = 66
"""Cells below which the sides stand beside each other, a row for each number, where there are rows enough."""
NARROW_HEADINGS = (Heading("", kind="text"), Heading("asks"), Heading("bids"), Heading("Δ", 1))
COST_HEADINGS = (
    Heading("buy at"),
    Heading("bps", 1, kind="right"),
    Heading("sell at"),
    Heading("bps ", 1, kind="right"),
)
MAX_BASE = 8


@dataclass(slots=True)
class FlowMemory:
    """What the pane keeps from frame to frame: widths, which only grow, and the quantities that it prices."""

    widths: TableWidths = field(default_factory=TableWidths)
    quantities: tuple[Decimal, ...] = ()
    price_decimals: int = 0
    quantity_decimals: int = 0
    _chosen: Decimal | None = None
    """What the best levels held when the quantities were chosen."""
    _adopted: tuple[str, int | None, int | None] | None = None
    _key: tuple[object, ...] = ()
    _body: tuple[Row, ...] = ()

    def adopt(self, instrument_id: str, instrument: Instrument | None) -> None:
        """Begin anew when the instrument is another one, or its decimals have become known."""
        adopted = (instrument_id, price_decimals(instrument), quantity_decimals(instrument))
        if adopted != self._adopted:
            self._adopted = adopted
            self.widths = TableWidths()
            self.price_decimals, self.quantity_decimals = adopted[1] or 0, adopted[2] or 0
            self.quantities, self._chosen, self._key = (), None, ()

    def held(self, key: tuple[object, ...]) -> tuple[Row, ...] | None:
        """Return the body that was made for the same content."""
        return self._body if key == self._key else None

    def hold(self, key: tuple[object, ...], body: tuple[Row, ...]) -> tuple[Row, ...]:
        """Keep a body for its content."""
        self._key, self._body = key, body
        return body

    def choose(self, book: OrderBook, options: Options) -> tuple[Decimal, ...]:
        """Return the quantities to price: those that were asked for, else some that the book has."""
        asked = SIZE.of(options)
        if asked != "auto":
            self.quantities, self._chosen = _multiples(Decimal(asked)), None
            return self.quantities
        sides = [side for side in (book.bids, book.asks) if side.depth]
        here = min((totals(side.top(LIKELY), book.book_type).quantity for side in sides), default=Decimal(0))
        was = self._chosen
        if here > 0 and (was is None or here > FAR * was or was > FAR * here):
            self._chosen = here
            self.quantities = _multiples(_round_down(divide(here, Decimal(MULTIPLES[-1]), 40)))
        return self.quantities


def flow(
    book: OrderBook,
    study: Study | None,
    instrument: Instrument | None,
    *,
    width: int,
    height: int,
    trust: Trust,
    memory: FlowMemory,
    options: Options,
    now: Nanoseconds,
) -> Pane:
    """Return the Flow pane with a body of ``width`` x ``height`` cells.

    Without a study nothing is known of the flow, but of depth and cost. ``now`` is in ns.
    """
    memory.adopt(book.instrument_id, instrument)
    since = f"since {clock(study.flow.since)}" if study is not None and study.flow.known else ""
    trusted = _border(trust, since, trust_room(TITLE, width))
    if not book.has_snapshot:
        body = message(absence(trust, book.instrument_id), width, height)
        return Pane(TITLE, trusted, body, dimmed=trust.dimmed)
    key = (
        id(book),
        book.version,
        None if study is None else (id(study.flow), study.flow.version),
        width,
        height,
        SIZE.of(options),
        DEPTH.of(options),
    )
    held = memory.held(key)
    if held is None:
        base = cut(instrument.base, MAX_BASE) if instrument is not None else ""
        made = _body(book, study, base, width=width, height=height, memory=memory, options=options)
        held = memory.hold(key, made)
    return Pane(TITLE, trusted, held, dimmed=trust.dimmed)


def _border(trust: Trust, since: str, room: int) -> Row:
    """Return the state with when the sums began: where it is narrow, one of both."""
    whole = border(trust, since, width=room)
    if row_cells(whole) <= room:
        return whole
    if trust.state in CURRENT and len(since) <= room:
        return (Span(since, Role.TITLE),)
    return border(trust, width=room)


def _body(
    book: OrderBook,
    study: Study | None,
    base: str,
    *,
    width: int,
    height: int,
    memory: FlowMemory,
    options: Options,
) -> tuple[Row, ...]:
    beside = width >= BESIDE_FROM
    cost_width = min(COST_WIDTH + max(width - ROOMY_FROM, 0), MOST_COST_WIDTH) if beside else width
    side_width = width - cost_width - GAP if beside else width
    lines = _side_lines(book, study, memory, options)
    if width < NARROW_BELOW and height >= len(SIDE_HEADINGS):
        of_sides = table("narrow", NARROW_HEADINGS, _turned(lines), width=width, widths=memory.widths)
    else:
        of_sides = table("sides", SIDE_HEADINGS, lines, width=side_width, widths=memory.widths)
    quantities = memory.choose(book, options)
    of_costs = table(
        "costs",
        (Heading(base or "quantity", kind="text"), *COST_HEADINGS),
        _cost_lines(book, quantities, memory),
        width=cost_width,
        widths=memory.widths,
    )
    empty: Row = (Span(blank(width)),)
    if beside:
        deep = max(len(of_sides), len(of_costs))
        of_sides += [(Span(blank(side_width)),)] * (deep - len(of_sides))
        of_costs += [(Span(blank(cost_width)),)] * (deep - len(of_costs))
        rows = [(*one, Span(blank(GAP)), *other) for one, other in zip(of_sides, of_costs, strict=True)]
    elif height < len(of_sides) + 2:  # names of columns alone say nothing
        rows = of_sides
    else:
        rows = [*of_sides, *([empty] if height > len(of_sides) + len(of_costs) else []), *of_costs]
    notes = _notes(study)
    if notes and height > len(rows):
        rows += [empty] * (height > len(rows) + 1) + [fit_row((Span(f"  {notes}", Role.MUTED),), width)]
    return tuple(rows[:height])


def _side_lines(book: OrderBook, study: Study | None, memory: FlowMemory, options: Options) -> list[Line]:
    """Return a line for the asks, one for the bids, and one for how much more the bids have."""
    asks, bids = (None, None) if study is None else (study.flow.side(bid=False), study.flow.side(bid=True))
    below, above = _total(book, book.bids, study, options), _total(book, book.asks, study, options)
    numbers = [number for side in (asks, bids) if side is not None for number in (*side, side.net)]
    _grow(memory, [*numbers, below.quantity, above.quantity])
    decimals = memory.quantity_decimals
    delta = [UNKNOWN_CELL, Cell(""), Cell(""), UNKNOWN_CELL]
    if asks is not None and bids is not None:
        delta[0] = _leaning(subtract(asks.traded, bids.traded), decimals)
        delta[-1] = _leaning(subtract(bids.net, asks.net), decimals)
    return [
        Line((Cell("asks", Role.ASK), *_flow_cells(asks, "▲", decimals), *_depth_cells(above, decimals))),
        Line((Cell("bids", Role.BID), *_flow_cells(bids, "▼", decimals), *_depth_cells(below, decimals))),
        Line(
            (
                Cell("Δ", Role.MUTED),
                *delta,
                _leaning(subtract(below.quantity, above.quantity), decimals),
                Cell(_signed_short(subtract(below.notional, above.notional)), Role.MUTED),
            )
        ),
    ]


def _turned(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of the sides as columns, each number under the other's."""
    names = [heading.name for heading in SIDE_HEADINGS]
    return [
        Line((Cell(name, Role.MUTED), *(line.cells[at] for line in lines)))
        for at, name in enumerate(names)
        if name
    ]


def _flow_cells(side: SideFlow | None, glyph: str, decimals: int) -> list[Cell]:
    if side is None:
        return [UNKNOWN_CELL] * 4
    traded = number_cell(exact(side.traded, decimals), role=Role.BID if glyph == "▲" else Role.ASK)
    pulled = number_cell(signed(subtract(Decimal(0), side.pulled), decimals))
    return [
        traded._replace(tail=f" {glyph}" if side.traded else "  ", tail_role=traded.role),
        pulled,
        number_cell(signed(side.stacked, decimals)),
        _leaning(side.net, decimals),
    ]


def _depth_cells(total: Totals, decimals: int) -> list[Cell]:
    return [number_cell(exact(total.quantity, decimals)), Cell(short(total.notional), Role.MUTED)]


def _leaning(number: Decimal, decimals: int) -> Cell:
    """Return a number whose sign is what matters."""
    role = Role.BID_STRONG if number > 0 else Role.ASK_STRONG
    return number_cell(signed(number, decimals), role=role)


def _signed_short(number: Decimal) -> str:
    text = short(abs(number))
    return text if not number else f"{'+' if number > 0 else MINUS}{text}"


def _cost_lines(book: OrderBook, quantities: Sequence[Decimal], memory: FlowMemory) -> list[Line]:
    """Return a line for each quantity: the average price and what it is worse than the mid, both ways."""
    mid = book.mid()
    buys = costs(_levels(book.asks), quantities, book.book_type)
    sells = costs(_levels(book.bids), quantities, book.book_type)
    found = [fill.worst for fill in (*buys, *sells) if fill.worst is not None]
    shown = [significant_decimals(plain(price)) for price in found]
    memory.price_decimals = max([memory.price_decimals, *shown])
    return [
        Line(
            (
                Cell(plain(quantity)),
                *_fill_cells(buy, mid, memory.price_decimals, bid=False),
                *_fill_cells(sell, mid, memory.price_decimals, bid=True),
            )
        )
        for quantity, buy, sell in zip(quantities, buys, sells, strict=True)
    ]


def _fill_cells(fill: Fill, mid: Decimal | None, decimals: int, *, bid: bool) -> list[Cell]:
    """Return what a quantity costs; unknown where the book does not hold as much."""
    if not fill.complete:
        return [UNKNOWN_CELL, UNKNOWN_CELL]
    slippage = rounded(fill.slippage_bps(mid, bid=bid), 2)
    price = number_cell(rounded(fill.vwap, decimals + 1))
    return [price, UNKNOWN_CELL if slippage == UNKNOWN else Cell(slippage, Role.MUTED)]


def _levels(side: AnySide) -> Iterator[Level]:
    """Yield the levels of a side, best first, reading no many more than are taken."""
    read = 0
    for step in (*STEPS, side.depth):
        if read >= side.depth:
            return
        yield from islice(side.top(step), read, None)
        read = max(read, step)


def _total(book: OrderBook, side: AnySide, study: Study | None, options: Options) -> Totals:
    depth = DEPTH.of(options)
    if depth != "all":
        return totals(side.top(int(depth)), book.book_type)
    return SideTotal(side).total() if study is None else study.total(side)


def _notes(study: Study | None) -> str:
    """Return what the numbers leave out, if they do."""
    if study is None:
        return ""
    of = study.flow
    notes = []
    if of.known and of.unsided:
        notes.append(f"{short(of.unsided)} traded without a side")
    if of.holes:
        notes.append("prints are missing")
    if of.forgotten:
        notes.append(f"trades at {count(of.forgotten)} prices are not kept")
    if of.thinned:
        notes.append("so many prices changed that a late print may explain none of it")
    return " · ".join(notes)


def _grow(memory: FlowMemory, numbers: Sequence[Decimal]) -> None:
    """Show as many decimals as any number has needed, so that the columns stand still."""
    decimals = [significant_decimals(plain(number)) for number in numbers]
    memory.quantity_decimals = max([memory.quantity_decimals, *decimals])


def _multiples(smallest: Decimal) -> tuple[Decimal, ...]:
    return tuple(bare(multiply(smallest, Decimal(multiple))) for multiple in MULTIPLES)


def _round_down(number: Decimal) -> Decimal:
    """Return the largest of 1, 2 and 5 times a power of ten that a positive number is at least."""
    magnitude = Decimal(1).scaleb(number.adjusted())
    leading = number.scaleb(-number.adjusted())
    return multiply(magnitude, Decimal(5 if leading >= 5 else 2 if leading >= 2 else 1))
