"""The ladder on an axis of prices: every step has its row, and a price stays where it is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.view import ladder_choices as choices
from cadenza_tui.view.ladder_cursor import Through, through
from cadenza_tui.view.ladder_lines import NOTHING, Lines, Read, merged, side_lines, spelled
from cadenza_tui.view.ladder_orders import turn_fold, with_orders
from cadenza_tui.view.ladder_read import MOST_READ
from cadenza_tui.view.ladder_rows import NO_FLOW, Flow, bare_row, level_rows
from cadenza_tui.view.numbers import plain
from cadenza_tui.view.rows import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cadenza_tui.view.ladder_memory import LadderMemory
    from cadenza_tui.view.ladder_scene import Scene
    from cadenza_tui.view.ladder_widths import Geometry
    from cadenza_tui.view.rows import Row

EDGE = 6
"""The touch is near an edge in the first and last part of so many."""


class Numbers(NamedTuple):
    """The touch in steps of the axis: where best bid and best ask stand, None where there is none."""

    bid: int | None
    ask: int | None

    @property
    def middle(self) -> int | None:
        """Return the number between the two, or of the only one."""
        if self.bid is None or self.ask is None:
            return self.ask if self.bid is None else self.bid
        return (self.bid + self.ask) // 2


class Side(NamedTuple):
    """One side of the axis: what was read, where the lines in sight begin, and the lines."""

    read: Read
    lines: Lines
    whole: bool
    """Whether everything from the touch to the lines was read: without it nothing can be summed up."""


def on_axis(scene: Scene, step: Decimal) -> list[Row]:
    """Return the rows of the body, one for each step of price; the touch has a row of its own above them."""
    memory, widths = scene.memory, scene.memory.widths
    touch = _touch(scene, step)
    _look(memory, touch, step, _room(scene), choices.RECENTRE.of(scene.options))
    _move(scene, touch, step)
    _take_side(memory, touch, step)
    if memory.unfolding:
        turn_fold(memory)
    rows = memory.rows = _room(scene)
    axis = _prices(memory, rows, step)
    bids, asks = (_side(scene, axis, touch, step, bid=bid) for bid in (True, False))
    if axis:
        widths.price.grow([axis[0][1], axis[-1][1]])
    for bid in (True, False):
        flow_of = scene.flow_of(bid=bid)
        if flow_of is not None:
            for _, text in axis:
                flow_of(text)  # the columns are made wide enough before they are placed
    geometry = scene.geometry()
    kind = choices.BARS.of(scene.options)
    widths.rescale([line.size for side in (asks, bids) for line in side.lines.lines], kind)
    body = _body(scene, geometry, axis, touch, sides=(bids, asks))
    there = None
    if memory.cursor is not None:
        there = _through(scene, bids if memory.bid else asks, step)
    top = [scene.touch(geometry, away=_away(memory, touch, rows))]
    if scene.headed:
        top.append(scene.header(geometry))
    body = [*top, *body[:rows]]
    body += [scene.blank()] * (scene.height - scene.footed - len(body))
    if scene.footed:
        body.append(scene.foot(geometry, bids.lines, asks.lines, there))
    return body[: scene.height]


def number_of(price: Decimal, step: Decimal, *, up: bool) -> int:
    """Return the number of the step that a price falls into: up to it for asks, down to it for bids."""
    above, below = price.as_integer_ratio()
    over, under = step.as_integer_ratio()
    numerator, denominator = above * under, below * over
    return -(-numerator // denominator) if up else numerator // denominator


def _room(scene: Scene) -> int:
    return max(scene.height - 1 - scene.headed - scene.footed, 0)


def _touch(scene: Scene, step: Decimal) -> Numbers:
    bid, ask = scene.book.best_bid, scene.book.best_ask
    size = scene.memory.widths.size
    return Numbers(
        None if bid is None else number_of(size(bid.price)[1], step, up=False),
        None if ask is None else number_of(size(ask.price)[1], step, up=True),
    )


def _look(memory: LadderMemory, touch: Numbers, step: Decimal, rows: int, recentre: str) -> None:
    """Have the axis where it is to be: it follows the touch as the user wants, but never under a cursor."""
    middle = touch.middle
    if memory.step != step:
        memory.step, memory.top = step, None
        if memory.cursor is not None:
            middle = number_of(memory.cursor, step, up=not memory.bid)
    if middle is None:
        return
    edge = max(rows // EDGE, 1)
    asked = memory.centring or memory.top is None
    if not asked and memory.cursor is None and memory.top is not None:
        from_top = memory.top - middle
        near = not edge <= from_top < rows - edge or not _both_in_sight(touch, memory.top, rows)
        asked = recentre == "always" or (recentre == "edge" and near)
    if asked:
        memory.top, memory.centring = middle + rows // 2, False


def _both_in_sight(touch: Numbers, top: int, rows: int) -> bool:
    """Return whether best bid and ask have their rows; so far apart that they hardly can, it is no matter."""
    if touch.bid is None or touch.ask is None or abs(touch.ask - touch.bid) > rows // 2:
        return True
    return top - rows < min(touch.bid, touch.ask) and max(touch.bid, touch.ask) <= top


def _move(scene: Scene, touch: Numbers, step: Decimal) -> None:
    """Move the cursor by the steps asked for, and the axis only as far as shows it."""
    memory = scene.memory
    by, memory.steps = memory.steps, 0
    if not by or memory.top is None:
        return
    if memory.cursor is not None:
        number = number_of(memory.cursor, step, up=not memory.bid) - by
    else:
        start = touch.bid if by > 0 else touch.ask
        start = touch.middle if start is None else start
        number = (memory.top if start is None else start) - by + (1 if by > 0 else -1)
    memory.cursor = exact.multiply(Decimal(number), step)
    rows = _room(scene)
    if rows:
        memory.top = max(min(memory.top, number + rows - 1), number)


def _take_side(memory: LadderMemory, touch: Numbers, step: Decimal) -> None:
    """Have the cursor on the side that its price is of by now; between the two it is of the one of before."""
    if memory.cursor is not None:
        number = number_of(memory.cursor, step, up=not memory.bid)
        among = touch.bid is not None and number <= touch.bid, touch.ask is not None and number >= touch.ask
        if among[0] != among[1]:
            memory.bid = among[0]


def _prices(memory: LadderMemory, rows: int, step: Decimal) -> list[tuple[Decimal, str]]:
    """Return the prices of the axis from the top down, as numbers and texts."""
    if memory.top is None:
        return []
    key = (memory.top, rows, step)
    if memory.axis is None or memory.axis[0] != key:
        prices = [exact.multiply(Decimal(memory.top - row), step) for row in range(rows)]
        memory.axis = (key, [(price, plain(price)) for price in prices])
    return memory.axis[1]


def _side(scene: Scene, axis: list[tuple[Decimal, str]], touch: Numbers, step: Decimal, *, bid: bool) -> Side:
    """Read a side from the touch to the axis' end, or to the cursor beyond, and take the lines in sight."""
    memory, reader, widths = scene.memory, scene.reader, scene.memory.widths
    best = touch.bid if bid else touch.ask
    own = reader.own[0 if bid else 1]
    read, whole = merged(NOTHING, own, descending=bid), True
    if best is not None and memory.top is not None and axis:
        end = memory.top - len(axis) + 1 if bid else memory.top
        if memory.cursor is not None and memory.bid is bid:
            there = number_of(memory.cursor, step, up=not bid)
            end = min(end, there) if bid else max(end, there)
        span = (best - end if bid else end - best) + 1
        whole = span <= MOST_READ
        if whole:
            read = reader.read(span, bid=bid)
        else:
            grouped = reader.grouped(bid=bid)
            inwards = axis if bid else axis[::-1]
            found = [group for price, _ in inwards if (group := grouped.at(price)) is not None]
            notionals = [group.notional for group in found]
            read = merged(Read(list(map(spelled, found)), notionals, None, whole=True), own, descending=bid)
    first = count = 0
    if axis:
        high, low = axis[0][0], axis[-1][0]
        prices = [widths.size(level.price)[1] for level in read.levels]
        first = sum(price > high for price in prices) if bid else sum(price < low for price in prices)
        count = sum(low <= price <= high for price in prices)
    lines = side_lines(read, (first, count), widths, scene.summing, scene.flow_of(bid=bid))
    if not whole:
        lines = lines._replace(lines=[line._replace(sigma="") for line in lines.lines])
    return Side(read, lines, whole)


def _body(
    scene: Scene,
    geometry: Geometry,
    axis: list[tuple[Decimal, str]],
    touch: Numbers,
    *,
    sides: tuple[Side, Side],
) -> list[Row]:
    """Return the rows of the axis. A price with a bid and an ask, of a crossed book, has one for each."""
    memory, widths = scene.memory, scene.memory.widths
    placed: dict[Decimal, list[tuple[bool, Row]]] = {}
    for bid, side in ((False, sides[1]), (True, sides[0])):
        kind = choices.BARS.of(scene.options)
        made = level_rows(side.lines.lines, widths, geometry, kind, asks=not bid)
        for line, row in zip(side.lines.lines, made, strict=True):
            price = widths.size(line.price)[1]
            placed.setdefault(price, []).append((bid, row))
            if price == memory.unfolded:
                placed[price] += [(not bid, order) for order in with_orders(scene, geometry, line, bid=bid)]
    flows = scene.flow_of(bid=True), scene.flow_of(bid=False)
    at = None
    if memory.cursor is not None and memory.step is not None:
        at = exact.multiply(Decimal(number_of(memory.cursor, memory.step, up=not memory.bid)), memory.step)
    body: list[Row] = []
    for index, (price, text) in enumerate(axis):
        number = (memory.top or 0) - index
        found = placed.get(price)
        if found is None:
            found = [(memory.bid, _bare(number, text, touch, scene, geometry, flows=flows))]
        if price == at:
            one = len(found) == 1 or all(bid is not memory.bid for bid, _ in found)
            pointed = 0 if one else next(place for place, (bid, _) in enumerate(found) if bid is memory.bid)
            found[pointed] = (memory.bid, scene.pointed(found[pointed][1]))
        body += [row for _, row in found]
    return body


def _bare(
    number: int,
    text: str,
    touch: Numbers,
    scene: Scene,
    geometry: Geometry,
    *,
    flows: Sequence[Callable[[str], Flow] | None],
) -> Row:
    """Return the row of a price at which nothing stands; what was traded and pulled there is still said."""
    among_bids = touch.bid is not None and number <= touch.bid
    among_asks = touch.ask is not None and number >= touch.ask
    role = Role.MUTED if among_bids or among_asks else Role.FAINT
    flow, bid = NO_FLOW, among_bids
    for one in (among_bids, not among_bids) if role is Role.FAINT else (among_bids,):
        flow_of = flows[0 if one else 1]
        if flow_of is not None:
            flow, bid = flow_of(text), one
            if flow.net:
                break
    return bare_row(text, flow, scene.memory.widths, geometry, role, bid=bid)


def _through(scene: Scene, side: Side, step: Decimal) -> Through | None:
    """Return what stands from the touch to the cursor, None where that is nothing, or not all was read."""
    memory = scene.memory
    if memory.cursor is None or not side.whole:
        return None
    price = exact.multiply(Decimal(number_of(memory.cursor, step, up=not memory.bid)), step)
    prices = [memory.widths.size(level.price)[1] for level in side.read.levels]
    reached = sum(other >= price if memory.bid else other <= price for other in prices)
    return through(side.read, reached - 1, memory.widths, running=False) if reached else None


def _away(memory: LadderMemory, touch: Numbers, rows: int) -> str:
    """Return where the touch is when it is out of sight."""
    middle = touch.middle
    if middle is None or memory.top is None or memory.top - rows < middle <= memory.top:
        return ""
    return "▲" if middle > memory.top else "▼"
