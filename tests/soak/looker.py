"""Somebody who looks at one instrument after another, and reckons what is shown the plain way.

What is kept up change by change through all the faults (groups, totals, what was traded at each price, what
was stacked, the sums of the tape, the samples of the heatmap) is compared with what the book and the prints
that came say when they are looked through from one end to the other.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter, defaultdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import CONTEXT
from cadenza_tui.market.grouped import Group
from cadenza_tui.market.heat import MAXIMUM_LEVELS
from cadenza_tui.market.increments import increments, tick_of
from cadenza_tui.market.interest import Interest
from cadenza_tui.market.records import BookType, BookUpdate, Print, Side, UpdateType
from cadenza_tui.market.study import MAXIMUM_KEPT
from cadenza_tui.market.tally import ALL

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.feed.worker import Feed
    from cadenza_tui.market.book import AnySide, OrderBook
    from cadenza_tui.market.heat import Heat
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.study import Study

LOOK_S = 0.25
STAY_LOOKS = 30
"""Looks at one instrument until another has its turn."""
ROWS = 12
INTERVALS = ("1m", "1s", "5m")
FINEST = 10
"""So many increments, of which one is looked at."""
KEPT_FAULTS = 20
ZERO = Decimal(0)


class Sums(NamedTuple):
    """What prints add up to."""

    bought: Decimal = ZERO
    sold: Decimal = ZERO
    volume: Decimal = ZERO
    notional: Decimal = ZERO
    prints: int = 0

    def plus(self, fresh: Print) -> Sums:
        """Return the sums with one more print."""
        bought = fresh.quantity if fresh.aggressor is Side.BUY else ZERO
        sold = fresh.quantity if fresh.aggressor is Side.SELL else ZERO
        return Sums(
            CONTEXT.add(self.bought, bought),
            CONTEXT.add(self.sold, sold),
            CONTEXT.add(self.volume, fresh.quantity),
            CONTEXT.add(self.notional, CONTEXT.multiply(fresh.quantity, fresh.price)),
            self.prints + 1,
        )


class Stacked:
    """What was added to each side since the touch last changed; unknown until it changes."""

    def __init__(self) -> None:
        self.known = False
        self.sums = [ZERO, ZERO]
        self._held: tuple[dict[Decimal, Decimal], ...] = ({}, {})
        self._touch: tuple[Decimal, Decimal] | None = None

    def take(self, update: BookUpdate, book: OrderBook) -> None:
        """Take a message that the book has applied."""
        touch = book.touch()
        plain = update.book_type is BookType.L2 and update.update_type is UpdateType.DIFF
        if not plain:
            self.known = False
        else:
            place, size = update.columns.index("price"), update.columns.index("quantity")
            for side, rows in enumerate((update.bids, update.asks)):
                for row in rows:
                    price, quantity = Decimal(row[place]), Decimal(row[size])
                    change = CONTEXT.subtract(quantity, self._held[side].get(price, ZERO))
                    self._held[side][price] = quantity
                    if change > 0:
                        self.sums[side] = CONTEXT.add(self.sums[side], change)
        if touch is None or touch != self._touch:
            self.known = plain and None not in (touch, self._touch)
            self._touch = touch
            self.sums = [ZERO, ZERO]
            self._held = tuple(
                {Decimal(level.price): Decimal(level.quantity) for level in side.levels()}
                for side in (book.bids, book.asks)
            )


class Looker:
    """Looks, and keeps what was wrong in ``faults``."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._feed: Feed | None = None
        self._shown: InstrumentId | None = None
        self._traded: dict[InstrumentId, tuple[Study, dict[Decimal, list[Decimal]]]] = {}
        """Of the instrument that is shown and the one shown before."""
        self._stacked = Stacked()
        self._sums: defaultdict[InstrumentId, Sums] = defaultdict(Sums)
        self.compared: Counter[str] = Counter()
        self.faults: list[str] = []

    def attach(self, feed: Feed) -> None:
        """Look at this feed."""
        self._feed = feed

    def event(self, event: Event) -> None:
        """Take note of what was just applied."""
        feed = self._feed
        if feed is None:
            return
        if isinstance(event, Print):
            self._sums[event.instrument_id] = self._sums[event.instrument_id].plus(event)
            if event.instrument_id in self._traded:
                sums = self._traded_at(event.instrument_id).setdefault(event.price, [ZERO, ZERO])
                if event.aggressor is not None:
                    place = event.aggressor is Side.SELL
                    sums[place] = CONTEXT.add(sums[place], event.quantity)
        elif isinstance(event, BookUpdate) and event.instrument_id == self._shown:
            self._stacked.take(event, feed.market.book(event.instrument_id))

    def _traded_at(self, instrument_id: InstrumentId) -> dict[Decimal, list[Decimal]]:
        assert self._feed is not None
        study = self._feed.market.study(instrument_id)
        held = self._traded.get(instrument_id)
        if held is None or held[0] is not study:  # watching has begun anew
            held = self._traded[instrument_id] = (study, {})
        return held[1]

    async def run(self) -> None:
        """Look for ever."""
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            if self._feed is None or not self._feed.pinned:
                continue
            if looks % STAY_LOOKS == 0:
                self.turn(self._random.choice(self._feed.pinned))
            looks += 1
            self.look()

    def turn(self, instrument_id: InstrumentId) -> None:
        """Turn to an instrument, with a chart of some interval."""
        feed = self._feed
        assert feed is not None
        if instrument_id != self._shown:
            close = (instrument_id, self._shown)
            self._traded = {name: held for name, held in self._traded.items() if name in close}
            self._shown, self._stacked = instrument_id, Stacked()
        feed.show(instrument_id)
        feed.want(Interest(venues=(instrument_id,), candles=(instrument_id, self._random.choice(INTERVALS))))
        self._traded_at(instrument_id)

    def look(self) -> None:
        """Compare what is kept up of the instrument that is shown."""
        feed, shown = self._feed, self._shown
        if feed is None or shown is None:
            return
        market = feed.market
        study, book = market.study(shown), market.book(shown)
        tick = tick_of(market.instruments.get(shown), book)
        if tick is not None and book.book_type not in (None, BookType.VWAP):
            self._groups(study, book, self._random.choice(increments(tick)[:FINEST]))
        if not study.flow.awake:  # it begins with the question
            self._stacked.known = False
        for bid in (True, False):
            flow = study.flow.side(bid=bid)
            if flow is not None and self._stacked.known:
                self._same("stacked", flow.stacked, self._stacked.sums[not bid])
        if not study.flow.forgotten:
            for price, (bought, sold) in self._traded_at(shown).items():
                self._same("traded", tuple(study.flow.traded(price))[:2], (bought, sold))
        self.check("heat", study.heat.check)
        self.check("trails", market.trails.check)
        for tape in market.tapes.values():
            self.check("tapes", tape.check)

    def _groups(self, study: Study, book: OrderBook, increment: Decimal) -> None:
        for bid, side in ((True, book.bids), (False, book.asks)):
            kept = study.grouped(side, increment)
            self._same(f"groups of {increment}", kept.rows(ROWS), _grouped(side, increment, bid=bid)[:ROWS])
            totals = study.total(side)
            whole = _grouped(side, Decimal(10) ** 12, bid=bid)
            self._same("totals", totals.quantity, sum((one.quantity for one in whole), ZERO))
            self._same("totals", totals.notional, sum((one.notional for one in whole), ZERO))

    def end(self) -> tuple[int, list[str]]:
        """Compare, of a market that stands still, the latest samples and the sums of all prints."""
        feed = self._feed
        assert feed is not None
        market = feed.market
        count, wrong = 0, []
        for one, sums in self._sums.items():
            window = market.tape(one).tally.window(ALL, feed.now())
            count += 1
            if window is None or Sums(*window[:5]) != sums:
                wrong.append(f"the tape of {one} adds up to {window}, its prints to {sums}")
        for one in feed.pinned[:MAXIMUM_KEPT]:
            book, heat = market.book(one), market.study(one).heat
            if book.book_type in (None, BookType.VWAP):
                continue
            count += 1
            if _latest(heat) != _standing(book, heat):
                wrong.append(f"the latest sample of {one} is not its book")
        return count, wrong

    # --- what was wrong

    def _same(self, what: str, kept: object, plain: object) -> None:
        self.compared[what.partition(" ")[0]] += 1
        if kept != plain:
            self._say(f"{what} of {self._shown}: kept up {kept}, reckoned {plain}")

    def check(self, what: str, check: Callable[[], None]) -> None:
        """Ask for the invariants of something."""
        self.compared[what] += 1
        try:
            check()
        except AssertionError as error:
            self._say(f"{what}: {error}")

    def _say(self, fault: str) -> None:
        if len(self.faults) < KEPT_FAULTS:
            self.faults.append(fault[:600])


def _grouped(side: AnySide, increment: Decimal, *, bid: bool) -> list[Group]:
    """Return the groups of a side, best first, all of it looked through."""
    rounding = ROUND_FLOOR if bid else ROUND_CEILING
    sums: dict[Decimal, list[Decimal]] = {}
    counted: Counter[Decimal] = Counter()
    orders: dict[Decimal, int | None] = {}
    for level in side.levels():
        price, quantity = Decimal(level.price), Decimal(level.quantity)
        group = (price / increment).to_integral_value(rounding) * increment
        held = sums.setdefault(group, [ZERO, ZERO])
        held[0] += quantity
        held[1] += quantity * price
        counted[group] += 1
        before = orders.get(group, 0)
        orders[group] = None if before is None or level.orders is None else before + level.orders
    return [
        Group(price, sums[price][0], sums[price][1], orders[price], counted[price])
        for price in sorted(sums, reverse=bid)
    ]


def _latest(heat: Heat) -> dict[int, float]:
    """Return the latest sample: quantities by its keys, read from the last whole one on."""
    held: dict[int, float] = {}
    for second in range(heat.whole_before(heat.end - 1), heat.end):
        sample = heat.at(second)
        if sample is None or sample.keys is None or sample.quantities is None:
            held = {}
            continue
        if sample.whole:
            held = {}
        for key, quantity in zip(sample.keys, sample.quantities, strict=True):
            held[key + sample.base] = quantity
    return {key: quantity for key, quantity in held.items() if quantity}


def _standing(book: OrderBook, heat: Heat) -> dict[int, float]:
    """Return what the book holds, keyed as in the latest sample."""
    sample = heat.at(heat.end - 1)
    decimals = sample.decimals if sample is not None else 0
    held: defaultdict[int, Decimal] = defaultdict(Decimal)
    for number, side in enumerate((book.bids, book.asks)):
        for level in list(side.levels())[:MAXIMUM_LEVELS]:
            held[2 * int(Decimal(level.price).scaleb(decimals)) + number] += Decimal(level.quantity)
    single = array("f", map(float, held.values()))
    return dict(zip(held, single, strict=True))
