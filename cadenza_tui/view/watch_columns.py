"""The columns of the watchlist: which there is room for, and how wide they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view import watch_choices as choices
from cadenza_tui.view.numbers import Column, number, plain, price_decimals
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.text import cut, fit_row, safe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from cadenza_tui.market.records import Instrument, InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.view.choices import Options

VENUE_WIDTH = 3
CHANGE_WIDTH = 4
SPREAD_WIDTH = 4
VOLUME_WIDTH = 6
AGE_WIDTH = 4
TREND_WIDTHS = (4, 8, 12, 24)
LEAST_SYMBOL = 8
MAX_SYMBOL = 14
MAX_VENUE = 11


class Columns(NamedTuple):
    """Cells of each column, 0 for one that is left out."""

    symbol: int
    venue: int
    price: int
    fraction: int | None
    """Cells kept for fractions; None where prices end in one column instead."""
    change: int
    spread: int
    touch: int = 0
    """Of bid and ask each."""
    volume: int = 0
    trend: int = 0
    age: int = 0


@dataclass(slots=True)
class Widths:
    """What columns have needed so far: they only grow."""

    symbol: int = 8
    venue: int = VENUE_WIDTH
    whole: int = 1
    fraction: int = 0
    length: int = 1
    """Of the longest price, for a list too narrow to align prices of different precision at their points."""
    touch: int = 1
    """Of the longest bid or ask."""
    decimals: dict[str, Column] = field(default_factory=dict)
    """By instrument: how many decimals its prices need."""

    def price(self, instrument_id: str, instrument: Instrument | None, value: Decimal) -> str:
        """Return a price in its instrument's decimals, and make the column wide enough for it."""
        text = self.text(instrument_id, instrument, value)
        whole, point, fraction = text.partition(".")
        self.whole = max(self.whole, len(whole))
        self.fraction = max(self.fraction, len(point + fraction))
        self.length = max(self.length, len(text))
        return text

    def text(self, instrument_id: str, instrument: Instrument | None, value: Decimal) -> str:
        """Return a price in its instrument's decimals."""
        column = self.decimals.get(instrument_id)
        decimals = price_decimals(instrument)
        if column is None or column.decimals != decimals:
            column = self.decimals[instrument_id] = Column(decimals)
        text = plain(value)
        column.grow((text,))
        return number(text, column.shown_decimals)

    def beside(
        self, instrument_id: str, instrument: Instrument | None, values: Iterable[Decimal | None]
    ) -> None:
        """Make the columns of bid and ask wide enough for these, all in the decimals of the finest."""
        known = [value for value in values if value is not None]
        texts = [self.text(instrument_id, instrument, value) for value in known]
        if texts and len(texts[0]) != len(self.text(instrument_id, instrument, known[0])):
            texts = [self.text(instrument_id, instrument, value) for value in known]
        self.touch = max(self.touch, *map(len, texts), 0)

    def name(self, market: Market, instrument_id: InstrumentId) -> None:
        """Make the columns wide enough for an instrument's names."""
        self.symbol = max(self.symbol, min(len(symbol_of(market, instrument_id)), MAX_SYMBOL))
        self.venue = max(self.venue, min(len(venue_of(market, instrument_id)), MAX_VENUE))


def fitting(width: int, widths: Widths, options: Options) -> Columns:
    """Share out the width.

    Key, symbol, price and change stay longest; the venue goes before them, the spread before that. What is
    left over goes to a short line of prices, whole symbols, the volume, the age, a longer line, points under
    each other, whole names of venues, bid and ask.
    """
    change = CHANGE_WIDTH if choices.CHANGE.of(options) == "on" else 0
    spread = SPREAD_WIDTH if choices.SPREAD.of(options) == "on" else 0
    least = min(widths.symbol, LEAST_SYMBOL)
    columns, room = Columns(least, 0, widths.length, None, 0, 0), 0
    for with_venue, with_change, with_spread in ((1, 1, 1), (1, 1, 0), (0, 1, 0), (0, 0, 0)):
        columns = Columns(
            least,
            with_venue * VENUE_WIDTH,
            widths.length,
            None,
            with_change * change,
            with_spread * spread,
        )
        room = width - _cells(columns)
        if room >= -1:  # the last blank need not be there
            break
    if room < -1:
        return columns._replace(symbol=max(least + room, 1))
    if columns.venue and columns.spread == spread:
        columns = _further(columns, width, widths, options)
    else:
        columns = columns._replace(symbol=min(widths.symbol, least + max(room, 0)))
    return columns._replace(price=columns.price + max(min(width - _cells(columns), 3), 0))


def _cells(columns: Columns) -> int:
    """Return how many cells a row of these columns takes, the last blank among them."""
    cells = 3 + columns.symbol + 1 + columns.price + 1
    cells += columns.venue + 1 if columns.venue else 0
    cells += 2 + columns.change + 1 if columns.change else 0
    cells += columns.spread + 1 if columns.spread else 0
    cells += 2 * columns.touch + 3 if columns.touch else 0
    cells += columns.volume + 2 if columns.volume else 0
    cells += columns.trend + 1 if columns.trend else 0
    return cells + (columns.age + 1 if columns.age else 0)


def _further(columns: Columns, width: int, widths: Widths, options: Options) -> Columns:
    """Return the columns with what there is room for besides; the last blank need not be there."""
    trend = choices.TREND.of(options) != "off"
    aligned = {"price": widths.whole + widths.fraction, "fraction": widths.fraction}
    wanted: tuple[tuple[dict[str, int], bool], ...] = (
        ({"trend": TREND_WIDTHS[0]}, trend),
        ({"symbol": widths.symbol}, True),
        ({"volume": VOLUME_WIDTH}, choices.VOLUME.of(options) == "on"),
        ({"age": AGE_WIDTH}, choices.AGE.of(options) == "on"),
        ({"trend": TREND_WIDTHS[1]}, trend),
        (aligned, True),
        ({"venue": widths.venue}, True),
        ({"touch": widths.touch}, choices.TOUCH.of(options) == "on"),
        ({"trend": TREND_WIDTHS[2]}, trend),
        ({"trend": TREND_WIDTHS[3]}, trend),
    )
    for change, on in wanted:
        larger = columns._replace(**change)
        if on and _cells(larger) <= width + 1:
            columns = larger
        elif on and "symbol" in change:
            spare = width - _cells(columns)
            columns = columns._replace(symbol=columns.symbol + max(spare, 0))
            break
    return columns


def header(columns: Columns, width: int, sort: str, trend: str) -> Row:
    """Return the names of the columns; the one that rows are sorted by has a mark. ``trend`` is its span."""

    def word(name: str, key: str, cells: int) -> str:
        return (name + "▾" if sort == key and len(name) < cells else name).rjust(cells)

    names = columns.symbol + (columns.venue + 1 if columns.venue else 0)
    name = "instrument" if names >= 11 or columns.venue else "symbol"
    name += "▾" if sort == "name" and names > len(name) else ""
    text = "   " + name[:names].ljust(names)
    text += " " + word("last", "last", columns.price) + " "
    text += "  " + word("chg", "change", columns.change) + " " if columns.change else ""
    text += word("bps", "spread", columns.spread) + " " if columns.spread else ""
    if columns.touch:
        text += " " + "bid".rjust(columns.touch) + " " + "ask".rjust(columns.touch) + " "
    text += " " + word("vol", "volume", columns.volume) + " " if columns.volume else ""
    text += trend[: columns.trend].rjust(columns.trend) + " " if columns.trend else ""
    text += "age".rjust(columns.age) + " " if columns.age else ""
    return fit_row((Span(text[:width] if text[width:] == " " else text, Role.FAINT),), width)


def symbol_of(market: Market, instrument_id: InstrumentId) -> str:
    """Return an instrument's symbol, safe to show."""
    instrument = market.instruments.get(instrument_id)
    if instrument is not None:
        return safe(instrument.symbol)
    return safe(instrument_id.partition(":")[2] or instrument_id)


def kind_of(market: Market, instrument_id: InstrumentId) -> str:
    """Return an instrument's kind, spot where nothing is said."""
    instrument = market.instruments.get(instrument_id)
    return instrument.kind if instrument is not None else "SPOT"


def venue_of(market: Market, instrument_id: InstrumentId, width: int = MAX_VENUE) -> str:
    """Return an instrument's venue in at most ``width`` cells."""
    instrument = market.instruments.get(instrument_id)
    return cut(instrument.venue if instrument is not None else instrument_id.partition(":")[0], width)
