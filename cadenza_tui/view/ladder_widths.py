"""What a ladder remembers from frame to frame, so that nothing moves but what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import Column, price_decimals, quantity_decimals
from cadenza_tui.view.rows import Bars

if TYPE_CHECKING:
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.view.rows import Row

MAX_ZONE = 48
MIN_GLYPHS = 3
SIGMA_DECIMALS = 3
MAX_SIGMA = 11
MAX_CACHED = 8192


class Geometry(NamedTuple):
    """Where the columns of a ladder stand, in cells; 0 where there is no room for one.

    ``before | sigma note bid_zone | mark price | ask_zone note sigma | after``. A zone holds the quantity of
    its side and the bar, which grows out of the price column. The mark is two cells, and one cell follows
    the price.
    """

    before: int
    sigma: int
    note: int
    bid_zone: int
    price: int
    ask_zone: int
    after: int
    quantity: int
    bars: bool

    @property
    def outer(self) -> int:
        """The cells of sigma and note with the gaps beside them."""
        return (self.sigma + 1 if self.sigma else 0) + (self.note + 1 if self.note else 0)

    @property
    def width(self) -> int:
        """All cells of a row."""
        return self.before + self.bid_zone + self.price + 3 + self.ask_zone + self.after + 2 * self.outer

    @property
    def price_at(self) -> int:
        """The first cell of the price column."""
        return self.before + self.outer + self.bid_zone + 2


@dataclass(slots=True)
class LadderWidths:
    """Columns and scale of one ladder. Widths only grow; another instrument starts anew."""

    price: Column = field(default_factory=Column)
    quantity: Column = field(default_factory=Column)
    sigma: int = 5
    scale: float = 0.0
    large: float = 0.0
    bars: Bars = Bars.TINT
    masked: bool = False
    rows: dict[tuple[object, ...], Row] = field(default_factory=dict)
    """Rows by content, for the geometry in force."""
    halves: dict[tuple[object, ...], Row] = field(default_factory=dict)
    """The same without their cumulative column."""
    _sizes: dict[str, tuple[float, Decimal]] = field(default_factory=dict)
    _adopted: tuple[str, int | None, int | None] | None = None
    _anchor: tuple[int, int, int] | None = None
    """Width of the ladder, cells left of the price column, and the width of a whole part then."""
    _key: tuple[object, ...] = ()
    _geometry: Geometry | None = None

    def adopt(self, instrument_id: str, instrument: Instrument | None) -> None:
        """Begin anew when the instrument is another one, or its decimals have become known."""
        adopted = (instrument_id, price_decimals(instrument), quantity_decimals(instrument))
        if adopted == self._adopted:
            return
        self._adopted = adopted
        self.price = Column(adopted[1])
        self.quantity = Column(adopted[2], maximum_fraction=14)
        self.sigma, self.scale = 5, 0.0
        self._anchor = self._geometry = None
        self.rows.clear()
        self.halves.clear()
        self._sizes.clear()

    @property
    def sigma_decimals(self) -> int:
        """Decimals of the cumulative column: it is read at a glance, so it rounds."""
        return min(self.quantity.shown_decimals, SIGMA_DECIMALS)

    def size(self, text: str) -> tuple[float, Decimal]:
        """Return a quantity as a float for lengths, and exactly for sums."""
        known = self._sizes.get(text)
        if known is None:
            if len(self._sizes) > MAX_CACHED:
                self._sizes.clear()
            known = self._sizes[text] = (float(text), Decimal(text))
        return known

    def rescale(self, sizes: list[float]) -> None:
        """Take what a full bar stands for, and what is large, from the sizes shown."""
        self.scale, self.large = bar.scales(sizes, self.scale)

    def geometry(self, width: int, bars: Bars, note: int, *, masked: bool = False) -> Geometry:
        """Return the columns' places; the decimal point of the price stays put when a column grows."""
        price, quantity = self.price, self.quantity
        key = (width, bars, note, masked, self.sigma, price.key, quantity.key)
        if self._geometry is not None and key == self._key and len(self.rows) < MAX_CACHED:
            return self._geometry
        self.rows.clear()
        self.halves.clear()
        self.bars, self.masked = bars, masked
        left = max((width - price.width - 3) // 2, 0)
        if self._anchor is not None and self._anchor[0] == width:
            anchored = self._anchor[1] - (price.whole - self._anchor[2])
            if min(anchored, width - price.width - 3 - anchored) > quantity.width:
                left = anchored
        self._anchor = (width, left, price.whole)
        made = self._laid_out(left, width - price.width - 3 - left, note)
        self._key, self._geometry = key, made
        return made

    def _laid_out(self, left: int, right: int, note: int) -> Geometry:
        """Share out the cells beside the price: when narrow the cumulative goes first, then the bars."""
        price, quantity, sigma = self.price.width, self.quantity.width, self.sigma
        if right < 2:
            return Geometry(0, 0, 0, 0, max(left + right + price, 0), 0, 0, 0, bars=False)
        glyphs = MIN_GLYPHS + 1 if self.bars is not Bars.TINT else 0
        half = min(left, right)
        margin = 1 if half > quantity + 3 else 0
        room = half - margin
        shown_sigma = shown_note = 0
        if room - sigma - 1 >= quantity + 2 + glyphs:
            shown_sigma = sigma
            room -= sigma + 1
            if note and room - note - 1 >= quantity + 4 + glyphs:
                shown_note = note
                room -= note + 1
        most = max(MAX_ZONE, quantity + 2 + glyphs)
        zones = [min(cells - (half - room), most) for cells in (left, right)]
        outer = half - margin - room
        return Geometry(
            before=left - outer - zones[0],
            sigma=shown_sigma,
            note=shown_note,
            bid_zone=zones[0],
            price=price,
            ask_zone=zones[1],
            after=right - outer - zones[1],
            quantity=max(min(quantity, min(zones) - 1), 0),
            bars=min(zones) >= max(quantity + 1 + glyphs, 5),
        )
