"""The stack: asks above, the touch, bids below; the levels of the book one under the other, without holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view import ladder_choices as choices
from cadenza_tui.view.ladder_cursor import locate, moved, prices_of, through
from cadenza_tui.view.ladder_lines import side_lines
from cadenza_tui.view.ladder_orders import turn_fold, unfolded_rows
from cadenza_tui.view.ladder_read import DEPTHS
from cadenza_tui.view.ladder_rows import level_rows

if TYPE_CHECKING:
    from cadenza_tui.view.ladder_lines import Read
    from cadenza_tui.view.ladder_scene import Scene
    from cadenza_tui.view.rows import Row


def stack(scene: Scene) -> list[Row]:
    """Return the rows of the body."""
    memory = scene.memory
    rows = max(scene.height - scene.headed - 1 - scene.footed, 0)
    memory.rows = rows
    if memory.centring:
        memory.shift, memory.centring, memory.follows = 0, False, False
    if memory.steps:
        _move(scene, rows)
        rows = memory.rows = max(scene.height - scene.headed - 1 - scene.footed, 0)
    follows = memory.follows and memory.cursor is not None
    above = rows // 2 + (0 if follows and memory.unfolded is None else memory.shift)
    reads = _reads(scene, above, rows)
    at = 0
    if memory.cursor is not None:
        prices = prices_of(reads[0], memory.widths), prices_of(reads[1], memory.widths)
        at = locate(memory.cursor, memory.bid, *prices)
        memory.bid = at > 0 if at else memory.bid
    if follows:  # the market moves, and with it the line of the cursor's price
        above = _in_sight(at, above, rows) if at else above
        memory.shift = above - rows // 2
    if memory.unfolding:
        above = _unfold(scene, at, above, rows)
    above = _clamped(above, reads, rows)
    shown_asks = min(max(above, 0), rows)
    ask_window, bid_window = (max(above - rows, 0), shown_asks), (max(-above, 0), rows - shown_asks)
    widths, summing = memory.widths, scene.summing
    bids = side_lines(reads[0], bid_window, widths, summing, scene.flow_of(bid=True))
    asks = side_lines(reads[1], ask_window, widths, summing, scene.flow_of(bid=False))
    geometry = scene.geometry()
    kind = choices.BARS.of(scene.options)
    widths.rescale([line.size for line in asks.lines] + [line.size for line in bids.lines], kind)
    ask_rows = level_rows(asks.lines, widths, geometry, kind, asks=True)
    bid_rows = level_rows(bids.lines, widths, geometry, kind, asks=False)
    there = None
    if at:
        index, first = abs(at) - 1, (bid_window if at > 0 else ask_window)[0]
        there = through(reads[0] if at > 0 else reads[1], index, widths, running=scene.running)
        side = bid_rows if at > 0 else ask_rows
        if 0 <= index - first < len(side):
            side[index - first] = scene.pointed(side[index - first])
    if memory.unfolded is not None:
        bid_rows = unfolded_rows(scene, geometry, bids.lines, bid_rows, bid=True)[: bid_window[1]]
        ask_rows = unfolded_rows(scene, geometry, asks.lines, ask_rows, bid=False)[: ask_window[1]]
    nothing = scene.blank()
    body = [scene.header(geometry)] if scene.headed else []
    body += [nothing] * (ask_window[1] - len(ask_rows))
    body += ask_rows[::-1]
    body.append(scene.touch(geometry, reads))
    body += bid_rows
    body += [nothing] * (scene.height - scene.footed - len(body))
    if scene.footed:
        body.append(scene.foot(geometry, bids, asks, there))
    return body[: scene.height]


def _reads(scene: Scene, above: int, rows: int) -> tuple[Read, Read]:
    """Read both sides as far as they are in sight, the cursor stands, and the imbalance is of."""
    memory, reader = scene.memory, scene.reader
    if memory.cursor is None:
        least = 0 if reader.increment is not None else DEPTHS.get(choices.DEPTH.of(scene.options), 0)
        return reader.read(max(rows - above, least), bid=True), reader.read(max(above, least), bid=False)
    return (
        reader.reach(memory.cursor, rows - above, memory.widths, bid=True),
        reader.reach(memory.cursor, above, memory.widths, bid=False),
    )


def _clamped(above: int, reads: tuple[Read, Read], rows: int) -> int:
    """Return ``above`` so that a row at least of what there is stays in sight."""
    bids, asks = len(reads[0].levels), len(reads[1].levels)
    return max(min(above, rows + max(asks - 1, 0)), -max(bids - 1, 0))


def _move(scene: Scene, rows: int) -> None:
    """Move the cursor by the steps asked for, and what is in sight only as far as the cursor needs."""
    memory = scene.memory
    by, memory.steps = memory.steps, 0
    above = rows // 2 + memory.shift
    bids, asks = (prices_of(read, memory.widths) for read in _reads(scene, above, rows))
    at = 0 if memory.cursor is None else locate(memory.cursor, memory.bid, bids, asks)
    far = abs(at) + abs(by) + 1
    if by > 0 and far > len(bids):
        bids = prices_of(scene.reader.read(far, bid=True), memory.widths)
    elif by < 0 and far > len(asks):
        asks = prices_of(scene.reader.read(far, bid=False), memory.widths)
    at = moved(at, by, bids, asks)
    if at:
        memory.bid, memory.follows = at > 0, True
        memory.cursor = bids[at - 1] if at > 0 else asks[-at - 1]
        rows = max(scene.height - scene.headed - 1 - scene.footed, 0)
        memory.shift = _in_sight(at, rows // 2 + memory.shift, rows) - rows // 2


def _in_sight(at: int, above: int, rows: int) -> int:
    """Return ``above`` changed as little as shows the line ``at``."""
    if at > 0:
        return max(min(above, rows - at), 1 - at)
    return rows - max(min(rows - above, rows + at), 1 + at)


def _unfold(scene: Scene, at: int, above: int, rows: int) -> int:
    """Unfold the orders under the cursor, or fold them, and make room for them where it is short."""
    memory = scene.memory
    turn_fold(memory)
    if memory.unfolded is not None and at:
        room = len(scene.reader.orders(memory.unfolded, rows // 2, bid=memory.bid))
        deeper = at + room if at > 0 else at - room
        above = _in_sight(at, _in_sight(deeper, above, rows), rows)
        memory.shift = above - rows // 2
    return above
