"""From a side of a book to the lines of a ladder: its levels or groups, own orders, sums, what was traded."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.market.records import Side
from cadenza_tui.market.sides import Level
from cadenza_tui.view.ladder_rows import NO_FLOW, Flow, Line, Own
from cadenza_tui.view.ladder_widths import (
    ABOUT_ZERO,
    LARGE_WORTH,
    MAX_NOTE,
    MAX_SUM_DECIMALS,
    SUM_DECIMALS,
)
from cadenza_tui.view.numbers import MINUS, UNKNOWN, plain, short
from cadenza_tui.view.text import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cadenza_tui.market.grouped import Group
    from cadenza_tui.market.records import Order
    from cadenza_tui.view.ladder_widths import LadderWidths

ZERO = Decimal(0)
MILLION = 10**6


class Read(NamedTuple):
    """What stands on one side, best first, as far as it has been read, with own orders at other prices."""

    levels: Sequence[Level]
    notionals: Sequence[Decimal] | None
    """Of groups; those of levels are quantity times price."""
    own: Sequence[Own | None] | None
    """The own orders at each of the levels; None where there are none at all."""
    whole: bool
    """Whether nothing stands beyond."""


NOTHING = Read((), None, None, whole=True)


class Lines(NamedTuple):
    """Some lines of one side, best first, and the sums of all better ones and up to the last of them."""

    lines: list[Line]
    before: Decimal
    through: Decimal

    @property
    def shown(self) -> Decimal:
        """The quantity of the lines together."""
        return exact.subtract(self.through, self.before)


class Summing(NamedTuple):
    """How the cumulative column of a ladder is made."""

    notional: bool
    running: bool
    """Whether quantities are sums already, as in a VWAP book."""


def spelled(group: Group) -> Level:
    """Return a group as a level of texts. Of several quotes nobody in particular is named."""
    note = None if group.orders is not None or group.levels == 1 else f"×{group.levels}"
    return Level(plain(group.price), plain(group.quantity), group.orders, note)


class _Sum(NamedTuple):
    """The own orders of one price; a sum is None where one of its parts is unknown."""

    remaining: Decimal | None
    total: Decimal | None
    orders: int
    through: bool


NONE_YET = _Sum(ZERO, ZERO, 0, through=False)


def _both(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else exact.add(one, other)


def _spelled(sum_: Decimal | None) -> str:
    return UNKNOWN if sum_ is None else plain(sum_)


def own_orders(
    orders: Sequence[Order],
    instrument_id: str,
    price_of: tuple[Callable[[Decimal], Decimal], Callable[[Decimal], Decimal]] | None,
    touch: tuple[Decimal | None, Decimal | None],
    ahead: Callable[[Order], tuple[Decimal, bool] | None] | None,
) -> tuple[dict[Decimal, Own], dict[Decimal, Own]]:
    """Return the working orders of an instrument by side (bids, asks) and price, summed.

    ``price_of`` has, for a side, the price of the group that a price belongs to. One at or through the other
    side's best price in ``touch`` (bid, ask) is marked: the book and the account do not agree. ``ahead`` says
    what stands before an order and whether it is known exactly; of several the least is told.
    """
    sums: tuple[dict[Decimal, _Sum], dict[Decimal, _Sum]] = ({}, {})
    before: tuple[dict[Decimal, tuple[Decimal, bool]], dict[Decimal, tuple[Decimal, bool]]] = ({}, {})
    for order in orders:
        price, total = order.limit_price, order.quantity
        if order.instrument_id != instrument_id or not order.working or price is None or order.side is None:
            continue
        side = 0 if order.side is Side.BUY else 1
        best = touch[1 - side]
        through = best is not None and (price >= best if side == 0 else price <= best)
        if price_of is not None:
            price = price_of[side](price)
        entry = sums[side].get(price, NONE_YET)
        done = order.executed_quantity
        left = None if total is None or done is None else exact.subtract(total, done)
        sums[side][price] = _Sum(
            _both(entry.remaining, left),
            _both(entry.total, total),
            entry.orders + 1,
            entry.through or through,
        )
        stands = ahead(order) if ahead is not None else None
        if stands is not None and (price not in before[side] or stands[0] < before[side][price][0]):
            before[side][price] = stands
    bids, asks = (
        {
            price: Own(
                _spelled(found.remaining),
                _spelled(found.total),
                found.orders,
                _ahead(waiting.get(price)),
                found.through,
            )
            for price, found in side.items()
        }
        for side, waiting in zip(sums, before, strict=True)
    )
    return bids, asks


def _ahead(stands: tuple[Decimal, bool] | None) -> str:
    """Return what stands before an order; an estimate is the most that it can be."""
    if stands is None:
        return ""
    quantity, exactly = stands
    shown = "0" if not quantity else short(quantity if exactly else _rounded_up(quantity))
    if quantity and not shown.strip("0."):
        shown = ABOUT_ZERO
    return shown if exactly or not quantity or shown == ABOUT_ZERO else f"≤{shown}"


def _rounded_up(quantity: Decimal) -> Decimal:
    """Return a quantity in no more digits than are shown of it, and never less: it is a bound."""
    places = 4 if Decimal("0.1") <= quantity < MILLION else 2
    return quantity.quantize(Decimal(1).scaleb(quantity.adjusted() + 1 - places), ROUND_CEILING)


def side_lines(
    read: Read,
    window: tuple[int, int],
    widths: LadderWidths,
    summing: Summing,
    flow_of: Callable[[str], Flow] | None,
) -> Lines:
    """Return the lines of one side, best first: ``window`` is the first of them and how many.

    The columns are made wide enough for them.
    """
    levels, notionals, here, _ = read
    first, rows = window
    shown = levels[first : first + rows]
    widths.price.grow([level.price for level in shown])
    widths.quantity.grow([level.quantity for level in shown if level.quantity])
    size, add_exactly = widths.size, exact.CONTEXT.add
    notional, running = summing
    sums = widths.worths if notional else widths.sums
    before = total = ZERO
    worth = ZERO
    if first:
        before, worth = _skipped(levels[:first], notionals, widths, summing)
        total = before
    shape, zero = sums.shape, sums.zero
    lines: list[Line] = []
    text = ""
    for index, (price, quantity, orders, exchange) in enumerate(shown, first):
        note = cut(exchange, MAX_NOTE) if exchange is not None else "" if orders is None else str(orders)
        widths.note = max(widths.note, len(note))
        flow = NO_FLOW if flow_of is None else flow_of(price)
        own = None if here is None else here[index]
        if not quantity:
            lines.append(Line(price, "", 0.0, note, own, flow, ""))
            continue
        length, exactly = size(quantity)
        total = exactly if running else add_exactly(total, exactly)
        if notional:
            part = notionals[index] if notionals is not None else exact.multiply(exactly, size(price)[1])
            worth = part if running else add_exactly(worth, part)
            text = format(worth, shape)
            if worth < 0:  # a price below zero, as of a spread
                text = zero if text[1:] == zero else MINUS + text[1:]
        else:
            text = format(total, shape)
        if text == zero:
            text = ABOUT_ZERO
        lines.append(Line(price, quantity, length, note, own, flow, text))
    widths.sigma = max(widths.sigma, min(len(text), sums.most))
    return Lines(lines, before, total)


def _skipped(
    levels: Sequence[Level], notionals: Sequence[Decimal] | None, widths: LadderWidths, summing: Summing
) -> tuple[Decimal, Decimal]:
    """Return the quantity and, where it is wanted, the notional of the lines before those shown."""
    total = worth = ZERO
    if summing.running:
        return ZERO, ZERO
    for index, level in enumerate(levels):
        if level.quantity:
            exactly = widths.size(level.quantity)[1]
            total = exact.CONTEXT.add(total, exactly)
            if summing.notional:
                part = notionals[index] if notionals is not None else None
                part = exact.multiply(exactly, widths.size(level.price)[1]) if part is None else part
                worth = exact.CONTEXT.add(worth, part)
    return total, worth


def resolve(levels: Sequence[Level], widths: LadderWidths) -> None:
    """Give the sums their decimals, by the largest of some levels: dust at the touch says nothing."""
    if not levels:
        return
    widths.quantity.grow([level.quantity for level in levels])
    largest = max(levels, key=lambda level: widths.size(level.quantity)[0])
    quantity, most = widths.size(largest.quantity)[1], widths.quantity.shown_decimals
    widths.sums.resolve(quantity, min(SUM_DECIMALS, most), most)
    worth = exact.multiply(quantity, widths.size(largest.price)[1])
    widths.worths.resolve(worth, 0 if abs(worth) >= LARGE_WORTH else 2, MAX_SUM_DECIMALS)


def merged(read: Read, own: dict[Decimal, Own], *, descending: bool) -> Read:
    """Return what stands with own orders at their prices, and prices of own orders alone between them."""
    levels: list[Level] = []
    worths: list[Decimal] = []
    here: list[Own | None] = []
    waiting = sorted(own, reverse=not descending)

    def alone() -> None:
        price = waiting.pop()
        levels.append(Level(plain(price), "", None, None))
        worths.append(ZERO)
        here.append(own[price])

    for index, level in enumerate(read.levels):
        price = Decimal(level.price)
        while waiting and (waiting[-1] > price if descending else waiting[-1] < price):
            alone()
        levels.append(level)
        worths.append(read.notionals[index] if read.notionals is not None else ZERO)
        here.append(own[waiting.pop()] if waiting and waiting[-1] == price else None)
    while waiting and read.whole:
        alone()
    return Read(levels, worths if read.notionals is not None else None, here, read.whole)
