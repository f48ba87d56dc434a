"""The columns of a ladder: where they stand, and how their widths grow from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view import bars as bar
from cadenza_tui.view.numbers import MINUS, Column, decimals_of, price_decimals, quantity_decimals
from cadenza_tui.view.rows import Bars

if TYPE_CHECKING:
    from cadenza_tui.market.records import Instrument
    from cadenza_tui.view.rows import Row

MAX_ZONE = 48
MIN_GLYPHS = 3
SUM_DECIMALS = 3
SUM_DIGITS = 3
"""Digits of a sum that can be read at least, however small it is."""
MAX_SUM_DECIMALS = 19
MAX_SIGMA = 11
LARGE_WORTH = 1000
"""A notional of this much is read without decimals."""
MIN_NOTE = 3
MIN_FLOW = 7
"""Cells of a column of flow from the beginning, names included: it does not come with the first print."""
MAX_NOTE = 8
MAX_CACHED = 8192
ABOUT_ZERO = "≈0"
"""Stands for a sum that its decimals cannot show: it is not nothing."""


class Wanted(NamedTuple):
    """The columns that are wanted beside price and quantity, as far as there is room."""

    sigma: bool = True
    note: str = ""
    """The name of the column of order counts or exchanges; empty for none."""
    traded: bool = False
    changes: bool = False
    bars: str = "root"


class Geometry(NamedTuple):
    """Where the columns of a ladder stand, in cells; 0 where there is no room for one.

    ``before | sigma note pulled stacked bid_zone sold | mark price | bought ask_zone stacked pulled note
    sigma | after``. A zone holds the quantity of its side and the bar, which grows out of the price column.
    The mark is two cells, and one cell follows the price.
    """

    before: int
    sigma: int
    note: int
    change: int
    """Cells of one column of changes, of which there are ``changes``: one has the net, two have both."""
    changes: int
    traded: int
    bid_zone: int
    price: int
    ask_zone: int
    after: int
    quantity: int
    bars: bool
    columns: int
    """The cells of the columns outside a zone with the gaps beside them, without sigma's."""
    outer: int
    """The same with sigma's."""
    left: int
    """All cells before the mark."""
    right: int
    """All cells from the one after the price on."""
    width: int
    """All cells of a row."""


@dataclass(slots=True)
class Sums:
    """How sums are written: rounded, since they are read at a glance. The decimals only grow."""

    decimals: int = -1
    """Below 0 before the first sum."""
    shape: str = ",.0f"
    zero: str = "0"

    def resolve(self, first: Decimal, least: int, most: int) -> None:
        """Have ``least`` decimals, or as many as ``first``, the smallest sum, needs; at most ``most``."""
        needed = SUM_DIGITS - 1 - first.adjusted() if first else 0
        wanted = min(max(least, needed), most, MAX_SUM_DECIMALS)
        if wanted > self.decimals:
            self.decimals = wanted
            self.shape = f",.{wanted}f"
            self.zero = format(Decimal(0), self.shape)

    def text(self, total: Decimal) -> str:
        """Return a sum; one that rounds to nothing is not said to be it."""
        shown = format(total, self.shape)
        if shown[0] == "-":
            shown = MINUS + shown[1:]
        return ABOUT_ZERO if shown.lstrip(MINUS) == self.zero and total else shown

    @property
    def most(self) -> int:
        """The widest that a column of sums may become."""
        return MAX_SIGMA + max(self.decimals - SUM_DECIMALS, 0)


@dataclass(slots=True)
class LadderWidths:
    """Columns and scale of one ladder. Widths only grow; another instrument or group starts anew."""

    price: Column = field(default_factory=Column)
    quantity: Column = field(default_factory=Column)
    sigma: int = 5
    note: int = 0
    traded: int = 0
    change: int = 0
    sums: Sums = field(default_factory=Sums)
    """Of quantities."""
    worths: Sums = field(default_factory=Sums)
    """Of notionals."""
    scale: float = 0.0
    large: float = 0.0
    bars: Bars = Bars.TINT
    masked: bool = False
    rows: dict[tuple[object, ...], Row] = field(default_factory=dict)
    """Rows by content, for the geometry in force."""
    halves: dict[tuple[object, ...], Row] = field(default_factory=dict)
    """The same without their cumulative column."""
    _sizes: dict[str, tuple[float, Decimal]] = field(default_factory=dict)
    _adopted: tuple[object, ...] | None = None
    _anchor: tuple[int, int, int] | None = None
    """Width of the ladder, cells left of the price column, and the width of a whole part then."""
    _key: tuple[object, ...] = ()
    _geometry: Geometry | None = None

    def adopt(
        self, instrument_id: str, instrument: Instrument | None, group: Decimal | None, *kind: object
    ) -> None:
        """Begin anew when the instrument, its decimals, the group or the ``kind`` of rows is another one."""
        adopted = (instrument_id, price_decimals(instrument), quantity_decimals(instrument), group, kind)
        if adopted == self._adopted:
            return
        self._adopted = adopted
        shown = adopted[1] if group is None else group_decimals(group, adopted[1])
        self.price = Column(shown)
        self.quantity = Column(adopted[2], maximum_fraction=MAX_SUM_DECIMALS + 1)
        self.sums, self.worths = Sums(), Sums()
        self.sigma, self.scale = 5, 0.0
        self.note = MIN_NOTE
        self.traded = self.change = MIN_FLOW
        self._anchor = self._geometry = None
        self.rows.clear()
        self.halves.clear()
        self._sizes.clear()

    def size(self, text: str) -> tuple[float, Decimal]:
        """Return a quantity or price as a float for lengths, and exactly for sums."""
        known = self._sizes.get(text)
        if known is None:
            if len(self._sizes) > MAX_CACHED:
                self._sizes.clear()
            known = self._sizes[text] = (float(text), Decimal(text))
        return known

    def rescale(self, sizes: list[float], kind: str) -> None:
        """Take what a full bar stands for, and what is large, from the sizes shown."""
        self.scale, self.large = bar.scales(sizes, self.scale, kind)

    def geometry(self, width: int, bars: Bars, wanted: Wanted, *, masked: bool = False) -> Geometry:
        """Return the columns' places; the decimal point of the price stays put when a column grows."""
        price, quantity = self.price, self.quantity
        grown = (self.sigma, self.note, self.traded, self.change, self.sums.decimals, self.worths.decimals)
        key = (width, bars, wanted, masked, grown, price.key, quantity.key)
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
        made = self._laid_out(left, width - price.width - 3 - left, wanted)
        self._key, self._geometry = key, made
        return made

    def _laid_out(self, left: int, right: int, wanted: Wanted) -> Geometry:
        """Share out the cells beside the price.

        When it narrows the cumulative column goes first, then the bars, then the counts; what was traded and
        what was pulled and stacked, which somebody has asked for, after these.
        """
        price, quantity = self.price.width, self.quantity.width
        if right < 2:
            whole = max(left + right + price, 0)
            return Geometry(0, 0, 0, 0, 0, 0, 0, whole, 0, 0, 0, False, 0, 0, 0, 1, whole + 3)
        half = min(left, right)
        margin = 1 if half > quantity + 3 else 0
        spare = half - margin - quantity - 2
        glyphs = MIN_GLYPHS + 1 if self.bars is not Bars.TINT and wanted.bars != "off" else 0
        costs = (
            (self.traded if wanted.traded else 0),
            (self.change + 1 if wanted.changes else 0),
            (max(self.note, len(wanted.note)) + 1 if wanted.note else 0),
            glyphs,
            (self.change + 1 if wanted.changes else 0),
            (self.sigma + 1 if wanted.sigma else 0),
        )
        taken: list[int] = []
        for cost in costs:
            if cost > spare:
                break
            spare -= cost
            taken.append(cost)
        traded, net, note, drawn, both, sigma = (*taken, *[0] * (len(costs) - len(taken)))
        outer = net + note + both + sigma
        most = max(MAX_ZONE, quantity + 2 + glyphs)
        zones = [min(cells - margin - outer - traded, most) for cells in (left, right)]
        return Geometry(
            before=left - outer - traded - zones[0],
            sigma=max(sigma - 1, 0),
            note=max(note - 1, 0),
            change=max(net - 1, 0),
            changes=bool(net) + bool(both),
            traded=traded,
            bid_zone=zones[0],
            price=price,
            ask_zone=zones[1],
            after=right - outer - traded - zones[1],
            quantity=max(min(quantity, min(zones) - 1), 0),
            bars=wanted.bars != "off" and drawn == glyphs and min(zones) >= max(quantity + 1 + glyphs, 5),
            columns=outer - sigma,
            outer=outer,
            left=left,
            right=right + 1,
            width=left + 2 + price + 1 + right,
        )


def group_decimals(group: Decimal, most: int | None) -> int:
    """Return the decimals of grouped prices: the increment's, two at least where it has any, as for money."""
    decimals = decimals_of(group)
    if not decimals:
        return 0
    return max(decimals, min(2, most if most is not None else decimals))
