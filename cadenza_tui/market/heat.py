"""What a book held, second by second: the memory behind a heatmap.

A sample is what stands at each price of the best ``MAXIMUM_LEVELS`` a side. Most of a book stays from one
second to the next, so a sample holds only what changed since the one before; every ``CHAPTER`` seconds, and
after each gap, one is whole. Prices are integers in units of the instrument's last decimal, quantities are
single-precision floats: they serve for colours only.

Nothing is carried over: where the book was not in sync, where nobody asked for a sample, and where the clock
jumped, there is a gap.

Memory: a level of a whole sample, or a change, takes 8 bytes (12 where prices lie far apart). What is kept
never passes ``MAXIMUM_BYTES`` (the oldest goes first), which is ten minutes and more of a book of 1,000
levels of which each changes in every second; an ordinary one takes a fifth of it for ``KEPT`` seconds. Beside
it stand the prices of the last second alone.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cadenza_tui.market import exact
from cadenza_tui.market.price_sides import PlainSide
from cadenza_tui.market.records import BookType, Side

if TYPE_CHECKING:
    from cadenza_tui.market.book import AnySide, OrderBook
    from cadenza_tui.market.records import Nanoseconds, Print

SECOND = 1_000_000_000
KEPT = 900
"""Seconds kept at least, where the bytes allow; at most a chapter more."""
CHAPTER = 64
"""Seconds from one whole sample to the next."""
MAXIMUM_LEVELS = 1_000
"""Levels of a side that are sampled, best first."""
MAXIMUM_PRINTS = 64
"""Prices and aggressors of one second whose prints are kept; the smallest give way."""
MAXIMUM_BYTES = 10_000_000
LATE = 2_500_000_000
"""A sample so late, in ns, has a gap before it; one that skips a second by its beat alone has none."""

_OVERHEAD = 320
"""Bytes of a sample beside its levels: the object, its arrays' heads, its numbers."""
_MOST = 3.0e38
_DIGITS = 18
"""Decimal digits of a price that fit into the integers of an array, its side's bit included."""


Standing: TypeAlias = "dict[int, str]"
"""What stands at each price of a side, best first: quantities as texts, by the price in a sample's units."""


class Prints(NamedTuple):
    """The prints of a second, summed by price and aggressor; three columns."""

    prices: array[int]
    """In the sample's units."""
    quantities: array[float]
    aggressors: array[int]
    """1 for a buyer, −1 for a seller, 0 where the venue does not say."""


@dataclass(slots=True)
class Sample:
    """One second. ``keys`` is None in a gap.

    A key is twice the price in units of 10^−``decimals``, plus 1 for an ask, less ``base``. With ``whole``
    the levels are all there is; else they replace those of the samples before, and a quantity of 0 takes one
    away.
    """

    decimals: int
    whole: bool = False
    base: int = 0
    keys: array[int] | None = None
    quantities: array[float] | None = None
    bid: int | None = None
    ask: int | None = None
    prints: Prints | None = None

    @property
    def bytes(self) -> int:
        """Memory that the sample takes, about."""
        held = _OVERHEAD
        if self.keys is not None and self.quantities is not None:
            held += self.keys.itemsize * len(self.keys) + 4 * len(self.quantities)
        if self.prints is not None:
            held += _OVERHEAD + 13 * len(self.prints.prices)
        return held


class Heat:
    """The samples of one instrument's book, bounded in time and in bytes."""

    __slots__ = (
        "_asks",
        "_bids",
        "_decimals",
        "_exact",
        "_fresh",
        "_samples",
        "_since_whole",
        "_time",
        "bytes",
        "first",
        "generation",
        "last_price",
    )

    def __init__(self) -> None:
        self._samples: list[Sample] = []
        self._bids: Standing = {}
        self._asks: Standing = {}
        self._since_whole = CHAPTER
        self._decimals = 0
        self._exact = True
        """Whether no two prices of the chapter are one in its units."""
        self._time: Nanoseconds = 0
        self._fresh: dict[tuple[Decimal, int], float] = {}
        self.first = 0
        """The second of the oldest sample, since the epoch."""
        self.bytes = 0
        """Memory that the samples take, about; at most ``MAXIMUM_BYTES``."""
        self.generation = 0
        """Grows when everything is forgotten."""
        self.last_price: Decimal | None = None
        """The price of the latest print."""

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def end(self) -> int:
        """The second after the latest sample's."""
        return self.first + len(self._samples)

    def at(self, second: int) -> Sample | None:
        """Return the sample of a second; None where none is kept."""
        index = second - self.first
        return self._samples[index] if 0 <= index < len(self._samples) else None

    def whole_before(self, second: int) -> int:
        """Return the second of the latest whole sample or gap up to ``second``, from where it can be read."""
        index = second - self.first
        samples = self._samples
        while index > 0 and samples[index].keys is not None and not samples[index].whole:
            index -= 1
        return self.first + index

    def add_print(self, fresh: Print) -> None:
        """Take a print: it belongs to the next sample."""
        self.last_price = fresh.price
        aggressor = 0 if fresh.aggressor is None else 1 if fresh.aggressor is Side.BUY else -1
        held = self._fresh
        key = (fresh.price, aggressor)
        quantity = held.get(key, 0.0) + float(fresh.quantity)
        if key not in held and len(held) >= MAXIMUM_PRINTS:
            least = min(held, key=held.__getitem__)
            if held[least] >= quantity:
                return
            del held[least]
        held[key] = quantity

    def sample(self, book: OrderBook, in_sync: bool, now: Nanoseconds) -> bool:
        """Take the sample of this second, if there is none yet; return whether it was taken.

        ``in_sync`` is whether the book can be trusted: it missed nothing, and its feed is alive. If not, the
        second is a gap. A clock that goes backwards begins anew.
        """
        second = now // SECOND
        skipped = 0
        if self._samples:
            skipped = second - self.end
            if skipped < -1:
                self.clear()
                skipped = 0
            elif skipped < 0:
                return False
        beat = skipped == 1 and now - self._time < LATE
        if not self._samples:
            self.first = second
        elif skipped and not beat:
            self._skip(second, skipped)
        taken = self._read(book) if in_sync and book.book_type not in (None, BookType.VWAP) else self._gap()
        if beat:
            self._add(taken)
            self._since_whole += 1
            taken = self._nothing_since(taken)
        if self._fresh:
            taken.prints = self._prints(taken.decimals)
            self._fresh.clear()
        self._add(taken)
        self._time = now
        self._trim()
        return True

    def clear(self) -> None:
        """Forget every sample."""
        self._samples.clear()
        self._forget_book()
        self.bytes = 0
        self.generation += 1

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        assert self.bytes == sum(sample.bytes for sample in self._samples), "the bytes are counted"
        assert self.bytes <= MAXIMUM_BYTES, "the bytes are bounded"
        assert len(self._samples) <= KEPT + CHAPTER, "the time is bounded"
        assert len(self._fresh) <= MAXIMUM_PRINTS, "the prints of a second are bounded"
        if self._samples:
            first = self._samples[0]
            assert first.whole or first.keys is None, "what is kept can be read from its beginning"

    # --- samples

    def _add(self, sample: Sample) -> None:
        self._samples.append(sample)
        self.bytes += sample.bytes

    def _skip(self, second: int, skipped: int) -> None:
        """Put gaps where seconds are missing; where too many are, forget everything before."""
        if skipped >= KEPT:
            self.clear()
            self.first = second
            return
        for _ in range(skipped):
            self._add(self._gap())

    def _gap(self) -> Sample:
        self._forget_book()
        return Sample(self._decimals)

    def _forget_book(self) -> None:
        self._bids, self._asks = {}, {}
        self._since_whole = CHAPTER

    def _nothing_since(self, taken: Sample) -> Sample:
        """Return a sample that changes nothing of ``taken``."""
        if taken.keys is None:
            return Sample(taken.decimals)
        same = Sample(taken.decimals, base=taken.base, bid=taken.bid, ask=taken.ask)
        same.keys, same.quantities = array(taken.keys.typecode), array("f")
        return same

    def _trim(self) -> None:
        """Let the oldest chapters go while there are more than are wanted."""
        samples = self._samples
        surplus = len(samples) - KEPT - CHAPTER
        if surplus <= 0 and self.bytes <= MAXIMUM_BYTES:
            return
        gone = 0
        while gone < len(samples):
            readable = samples[gone].whole or samples[gone].keys is None
            if readable and gone >= surplus and self.bytes <= MAXIMUM_BYTES:
                break
            self.bytes -= samples[gone].bytes
            gone += 1
        del samples[:gone]
        self.first += gone
        if not samples:
            self.clear()

    # --- reading the book

    def _read(self, book: OrderBook) -> Sample:
        sample: Sample | None = None
        if self._since_whole < CHAPTER and self._exact:
            bids, asks, same = self._stands(book)
            sample = self._changes(bids, asks) if same else None
        if sample is None:
            self._decimals = _decimals_for((book.bids, book.asks))
            bids, asks, self._exact = self._stands(book)
            sample = self._whole(bids, asks)
            self._since_whole = 0
        self._since_whole += 1
        self._bids, self._asks = bids, asks
        sample.bid, sample.ask = next(iter(bids), None), next(iter(asks), None)
        return sample

    def _stands(self, book: OrderBook) -> tuple[Standing, Standing, bool]:
        """Return what stands on each side, best first, and whether our units hold all of its prices."""
        bids, bids_exact = _standing(book.bids, self._decimals)
        asks, asks_exact = _standing(book.asks, self._decimals)
        return bids, asks, bids_exact and asks_exact

    def _whole(self, bids: Standing, asks: Standing) -> Sample:
        keys = [2 * units for units in bids] + [2 * units + 1 for units in asks]
        base = keys[0] & ~1 if keys else 0
        quantities = array("f", [min(float(text), _MOST) for held in (bids, asks) for text in held.values()])
        offsets = [key - base for key in keys]
        try:
            packed = array("i", offsets)
        except OverflowError:
            packed = array("q", offsets)
        return Sample(self._decimals, whole=True, base=base, keys=packed, quantities=quantities)

    def _changes(self, bids: Standing, asks: Standing) -> Sample | None:
        """Return what is another than in the sample before; None where that is most of the book."""
        latest = self._samples[-1]
        if latest.keys is None:
            return None
        base = latest.base
        keys: list[int] = []
        quantities: list[float] = []
        room = len(bids) + len(asks)
        for side, held, before in ((0, bids, self._bids), (1, asks, self._asks)):
            gone = before.keys() - held.keys()
            changed = [(units, text) for units, text in held.items() if before.get(units) != text]
            room -= len(gone) + len(changed)
            if room < 0:
                return None
            keys += [2 * units + side - base for units in gone]
            quantities += [0.0] * len(gone)
            keys += [2 * units + side - base for units, _ in changed]
            quantities += [min(float(text), _MOST) for _, text in changed]
        try:
            offsets = array(latest.keys.typecode, keys)
        except OverflowError:
            return None
        return Sample(latest.decimals, base=base, keys=offsets, quantities=array("f", quantities))

    def _prints(self, decimals: int) -> Prints:
        made = Prints(array("q"), array("f"), array("b"))
        for (price, aggressor), quantity in self._fresh.items():
            units = floor_units(price, decimals)
            if abs(units) < 10**_DIGITS:
                made.prices.append(units)
                made.quantities.append(min(quantity, _MOST))
                made.aggressors.append(aggressor)
        return made


def floor_units(price: Decimal, decimals: int) -> int:
    """Return a price in units of 10^−``decimals``, rounded down."""
    return int(exact.CONTEXT.scaleb(price, decimals).to_integral_value(ROUND_FLOOR))


def _standing(side: AnySide, decimals: int) -> tuple[Standing, bool]:
    """Return what stands at each of the best prices, best first, and whether none was rounded down."""
    up = 10 ** max(decimals - side.decimals, 0) * side.sign
    down = 10 ** max(side.decimals - decimals, 0)
    held, best = side.held, islice(side.ordered(), MAXIMUM_LEVELS)
    if down == 1 and isinstance(side, PlainSide):
        return {key * up: held[key] for key in best}, True
    exactly = True
    found: Standing = {}
    for key in best:
        units, rest = divmod(side.tick(key) * up, down)
        exactly = exactly and not rest
        text = side.total(key) or "0"
        # exchanges of one price, or prices that are one in our units
        found[units] = exact.text(exact.add(Decimal(found[units]), Decimal(text))) if units in found else text
    return found, exactly


def _decimals_for(sides: tuple[AnySide, AnySide]) -> int:
    """Return the decimals that the sides' prices have, or as many as an array's integer holds of them."""
    most = 1
    for side in sides:
        ticks = [abs(side.tick(key)) for key in islice(side.ordered(), MAXIMUM_LEVELS)]
        most = max(most, max(ticks, default=0) // 10**side.decimals)
    return min(max(side.decimals for side in sides), _DIGITS - len(str(most)))
