"""The rows of the consolidated book: a price a row, all its quantity, and each venue's part in its column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.consolidated import consolidate
from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import (
    Column,
    bps,
    fitted,
    number,
    plain,
    price_decimals,
    quantity_decimals,
    signed,
)
from cadenza_tui.view.rows import Bars, Ground, Role, Row, Span
from cadenza_tui.view.table import TableWidths
from cadenza_tui.view.text import blank, centred, clip, cut, fit_row, left, on_ground, right

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from cadenza_tui.market.consolidated import Consolidated, QuotedLevel, VenueBook
    from cadenza_tui.market.records import Instrument

CODE_WIDTH = 3
MAX_NAME = 10
MAX_ZONE = 32
MIN_GLYPHS = 4
MAX_CACHED = 4_096


class Geometry(NamedTuple):
    """Where the columns stand, in cells: ``before | who | zone | mark price | zone | who | after``.

    A zone holds the quantity of its side and the bar, the mark is two cells, one cell follows the price.
    In ``who`` each of ``names`` has ``venue`` cells and a gap: for its quantity, or for its code where
    ``coded``; 0 where there is no room for either.
    """

    names: tuple[str, ...]
    before: int
    zone: int
    price: int
    after: int
    quantity: int
    venue: int
    coded: bool
    bars: int
    """Longest bar, in cells or eighths."""

    @property
    def who(self) -> int:
        """The cells that say who quotes."""
        return len(self.names) * (self.venue + 1) if self.venue else 0


@dataclass(slots=True)
class VenuesMemory:
    """What the pane remembers from frame to frame: widths that only grow, rows by content, and the cursor."""

    prices: Column = field(default_factory=Column)
    quantities: Column = field(default_factory=Column)
    table: TableWidths = field(default_factory=TableWidths)
    scale: float = 0.0
    large: float = 0.0
    cursor: int = 0
    """Rows from the spread row: below zero among the asks, above among the bids; 0 for none."""
    offset: int = 0
    """Rows that the spread row stands below the middle."""
    reach: tuple[int, int] = (0, 0)
    """Rows of asks and bids that the last frame had."""
    rows: dict[tuple[object, ...], Row] = field(default_factory=dict)
    """By content, for the geometry in force."""
    _adopted: tuple[str, int | None, int | None] | None = None
    _geometry: Geometry | None = None
    _laid_out_for: tuple[object, ...] = ()
    _consolidated: Consolidated | None = None
    _made_of: tuple[object, ...] = ()

    def consolidated(
        self, books: Sequence[VenueBook], height: int, group: Decimal | None = None
    ) -> Consolidated:
        """Return the books as one, for a pane of ``height`` body rows; put together anew when one changed."""
        n = max(height, 1)
        states = [(one.instrument_id, id(one.book), one.book.version, one.current, one.why) for one in books]
        made_of = (n, group, *states)
        held = self._consolidated
        if held is None or made_of != self._made_of:
            read = held.read if held is not None and made_of[:2] == self._made_of[:2] else 0
            held = consolidate(books, n, group=group, read=read)
            self._made_of = made_of
        ages = {one.instrument_id: one.age_ns for one in books}
        aged = [quote._replace(age_ns=ages[quote.instrument_id]) for quote in held.venues]
        held = self._consolidated = held._replace(venues=tuple(aged))
        return held

    def move(self, by: int) -> None:
        """Move the cursor; from none it begins beside the spread row."""
        asks, bids = self.reach
        at = self.cursor + by
        if self.cursor > 0 >= at:
            at -= 1
        elif self.cursor < 0 <= at:
            at += 1
        self.cursor = min(max(at, -asks), bids)

    def page(self, by: int) -> None:
        """Move the rows by half of what is seen."""
        room = sum(self.reach)
        self.offset = min(max(self.offset - by * max(room // 2, 1), -room), room)

    def centre(self) -> None:
        """Bring the spread row back to the middle."""
        self.offset = 0

    def release(self) -> bool:
        """Let go of the cursor; whether there was one."""
        had = bool(self.cursor)
        self.cursor = 0
        return had

    def adopt(self, symbol: str, instrument: Instrument | None) -> None:
        """Begin anew when the symbol is another one, or its decimals have become known."""
        adopted = (symbol, price_decimals(instrument), quantity_decimals(instrument))
        if adopted == self._adopted:
            return
        self._adopted = adopted
        self.prices = Column(adopted[1])
        self.quantities = Column(adopted[2], maximum_fraction=14)
        self.scale, self.cursor, self.offset = 0.0, 0, 0
        self._geometry = None

    def geometry(self, names: tuple[str, ...], width: int, bars: Bars) -> Geometry:
        """Return the columns' places for the widths that the columns have by now."""
        key = (names, width, bars, self.prices.key, self.quantities.key)
        if self._geometry is None or key != self._laid_out_for or len(self.rows) > MAX_CACHED:
            self.rows.clear()
            self._geometry = _laid_out(names, width, bars, self.prices.width, self.quantities.width)
            self._laid_out_for = key
        return self._geometry


def _laid_out(names: tuple[str, ...], width: int, bars: Bars, price: int, quantity: int) -> Geometry:
    """Share out the cells: when narrow, the venues' quantities become codes, then they go, then the bars."""
    price = min(price, max(width - 3, 0))
    half = max((width - price - 3) // 2, 0)
    quantity = max(min(quantity, half - 1), 0)
    glyphs = MIN_GLYPHS + 1 if bars is not Bars.TINT else 0
    margin = 1 if half > quantity + 3 else 0
    room = half - margin - quantity - 2 - glyphs
    named = max(quantity, min(max(map(len, names), default=0), MAX_NAME))
    venue = next((size for size in (named, quantity, CODE_WIDTH) if len(names) * (size + 1) <= room), 0)
    who = len(names) * (venue + 1) if venue else 0
    zone = min(half - margin - who, max(MAX_ZONE, quantity + 2 + glyphs))
    before = half - who - zone
    longest = zone if bars is Bars.TINT else max(zone - quantity - 2, 0) * 8
    after = width - before - 2 * (who + zone) - price - 3
    coded = venue < quantity
    return Geometry(names, before, zone, price, after, quantity, venue, coded, longest)


def header_row(g: Geometry, width: int) -> Row:
    """Return the names of the columns."""
    who = "".join(right(name, g.venue) + " " for name in g.names) if g.venue and not g.coded else blank(g.who)
    asks = "".join(" " + right(name, g.venue) for name in g.names) if g.venue and not g.coded else ""
    if g.quantity < 3:
        return fit_row((Span(blank(g.before + g.zone + 2) + centred("price", g.price), Role.FAINT),), width)
    text = blank(g.before) + who + right("bid", g.zone - 1) + blank(3) + centred("price", g.price)
    return fit_row((Span(text + " " + left(" ask", g.zone) + asks, Role.FAINT),), width)


def book_rows(
    consolidated: Consolidated, memory: VenuesMemory, width: int, height: int, bars: Bars
) -> list[Row]:
    """Return ``height`` rows: the names of the columns, asks, the spread, bids."""
    names = tuple(quote.venue for quote in consolidated.venues if not quote.why)
    g = memory.geometry(names, width, bars)
    room = max(height - 2, 0)
    ask_rows = min(max(room // 2 + memory.offset, 0), room)
    asks, bids = consolidated.asks[:ask_rows], consolidated.bids[: room - ask_rows]
    memory.reach = (len(asks), len(bids))
    memory.cursor = min(max(memory.cursor, -len(asks)), len(bids))
    sizes = [float(level.quantity) for level in (*asks, *bids)]
    memory.scale, memory.large = bar.scales(sizes, memory.scale)
    empty: Row = (Span(blank(width)),)
    rows = [header_row(g, width), *[empty] * (ask_rows - len(asks))]
    rows += [_row(level, memory, g, bars, asks=True, best=not at) for at, level in enumerate(asks)][::-1]
    spread_at = len(rows)
    rows.append(_spread(consolidated, memory, g, width))
    rows += [_row(level, memory, g, bars, asks=False, best=not at) for at, level in enumerate(bids)]
    rows += [empty] * (height - len(rows))
    if memory.cursor:
        at = spread_at + memory.cursor
        rows[at] = on_ground(rows[at], Ground.CURSOR)
    return rows


def _row(level: QuotedLevel, memory: VenuesMemory, g: Geometry, bars: Bars, *, asks: bool, best: bool) -> Row:
    size = float(level.quantity)
    length = bar.length(size, memory.scale, g.bars)
    large = size >= memory.large
    key = (level, length, large, asks, best)
    row = memory.rows.get(key)
    if row is None:
        row = memory.rows[key] = _made(level, memory, g, bars, (length, large, asks, best))
    return row


def _made(
    level: QuotedLevel,
    memory: VenuesMemory,
    g: Geometry,
    bars: Bars,
    looks: tuple[int, bool, bool, bool],
) -> Row:
    length, large, asks, best = looks
    text = memory.quantities.text(plain(level.quantity))
    shown = text if len(text) <= g.quantity else fitted(text.strip(), g.quantity).rjust(g.quantity)
    price = memory.prices.text(plain(level.price))
    price = price if len(price) <= g.price else clip(price.strip(), g.price).rjust(g.price)
    strong = Role.STRONG if large else Role.TEXT
    plain_role, strong_role = (Role.ASK, Role.ASK_STRONG) if asks else (Role.BID, Role.BID_STRONG)
    zone: list[Span] = []
    if bars is Bars.TINT:
        cells = (" " + shown).ljust(g.zone)[: g.zone] if asks else (shown + " ").rjust(g.zone)[: g.zone]
        tint = (
            (Ground.ASK_LARGE if large else Ground.ASK_BAR)
            if asks
            else Ground.BID_LARGE
            if large
            else Ground.BID_BAR
        )
        at = length if asks else g.zone - length
        grounds = (tint, Ground.PANEL) if asks else (Ground.PANEL, tint)
        zone = [Span(cells[:at], strong, grounds[0]), Span(cells[at:], strong, grounds[1])]
    else:
        drawn = bar.glyphs(length, bars, leftwards=not asks)
        room, role = max(g.zone - g.quantity - 2, 0), strong_role if large else plain_role
        number_ = Span((" " + shown + " ")[: g.zone], strong)
        zone = [number_, Span(drawn.ljust(room), role)] if asks else [Span(drawn.rjust(room), role), number_]
    at_price = Span(price, strong_role if large or best else plain_role)
    who = _who(level, memory, g, best=best, asks=asks)
    if asks:
        spans = [Span(blank(g.before + g.who + g.zone + 2)), at_price, Span(" "), *zone, *who]
    else:
        spans = [Span(blank(g.before)), *who, *zone, Span("  "), at_price]
    return fit_row(
        tuple([span for span in spans if span.text]), g.before + g.after + 2 * (g.who + g.zone) + g.price + 3
    )


def _who(level: QuotedLevel, memory: VenuesMemory, g: Geometry, *, best: bool, asks: bool) -> list[Span]:
    """Return each venue's part in its own column; nothing where a venue does not quote."""
    if not g.venue:
        return []
    shares = dict(level.shares)
    text = ""
    for name in g.names:
        quantity = shares.get(name)
        if quantity is None:
            cell = blank(g.venue)
        elif g.coded:
            cell = cut(name, g.venue).ljust(g.venue)
        else:
            cell = memory.quantities.text(plain(quantity))
            cell = (cell if len(cell) <= g.venue else fitted(cell.strip(), g.venue)).rjust(g.venue)
        text += " " + cell if asks else cell + " "
    return [Span(text, Role.TEXT if best else Role.MUTED)]


def _spread(consolidated: Consolidated, memory: VenuesMemory, g: Geometry, width: int) -> Row:
    """Return the row between the sides: spread and mid of the touch over all venues."""
    key = ("spread", consolidated.spread, consolidated.mid, consolidated.cross)
    row = memory.rows.get(key)
    if row is not None:
        return row
    decimals = memory.prices.shown_decimals
    spread, mid, cross = consolidated.spread, consolidated.mid, consolidated.cross
    role, aside = Role.MUTED, ""
    if spread is None or mid is None:
        one_side = consolidated.best_bid is None
        both = one_side and consolidated.best_ask is None
        said, shown_mid, role = "empty" if both else "no bids" if one_side else "no asks", "—", Role.WARN
    else:
        shown_mid = number(plain(mid), decimals)
        ratio = f"{signed(bps(spread, mid), 2, rounds=True).removeprefix('+')} bps"
        name = "spread" if spread > 0 else "crossed" if spread else "locked"
        said = (
            f"{name} {signed(spread, decimals).removeprefix('+')}  {ratio}" if spread else f"locked  {ratio}"
        )
        if spread <= 0:
            role = Role.WARN
            aside = "⇄ " if spread else "╪ "
            aside += number(plain(cross.quantity), memory.quantities.shown_decimals) if cross else ""
    room = g.before + g.who + g.zone
    if len(said) >= room:
        said = said.partition("  ")[0]
    spans = (
        Span(right(said, room - 1) + " " if room > 3 else blank(room), role),
        Span(_mid(shown_mid, memory, g), Role.STRONG),
        Span(" " + aside, Role.WARN),
    )
    row = memory.rows[key] = on_ground(
        fit_row(tuple(span for span in spans if span.text), width), Ground.CURSOR
    )
    return row


def _mid(shown: str, memory: VenuesMemory, g: Geometry) -> str:
    """Return the mid under the prices, its point under theirs; nothing where it would have to be cut."""
    whole, point, fraction = shown.partition(".")
    room = g.price + 3
    aligned = (
        f"  {whole.rjust(memory.prices.whole)}{point}{fraction}" if point else f"  {shown.rjust(g.price)}"
    )
    fitting = next((text for text in (aligned, f" {shown}", shown) if len(text) <= room), "")
    return fitting.ljust(room)
