"""What a frame costs by what it shows and by what is behind it: ``python benchmarks/frame.py`` prints a line.

``ladder_us`` has the µs of a frame of the ladder with every column on, by the rows shown and by the levels
that the book holds a side, raw and in groups; between two frames ``MESSAGES`` diffs of ``CHANGES`` levels are
applied, outside of the clock. ``heatmap_us`` has the µs of the frame that brings a second's column, by the
rows of the pane and by the seconds of history, and those of drawing the whole pane anew. CPU time of the
thread, medians; contestants take turns. ``reached`` are the ratios that the targets speak of, each the worst
of its kind: ``by_depth`` is the deepest book over the least deep one that fills the rows, ``by_history`` a
full memory over one minute.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cadenza_tui.market.heat import KEPT
from cadenza_tui.market.records import BookType, BookUpdate, Instrument, Print, Side, UpdateType
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import Trust, TrustState
from cadenza_tui.view.heatmap import HeatMemory, heatmap
from cadenza_tui.view.ladder import LadderMemory, ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK = Decimal("0.01")
INSTRUMENT = Instrument(
    "BINANCE:BTC/USDT", "BINANCE", "BTC/USDT", base="BTC", quote="USDT", tick=TICK, lot=Decimal("0.00001")
)
LIVE = Trust(TrustState.LIVE, "", 100_000_000)
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
MIDDLE = 6_183_764
LEVEL_TICKS = 2
"""From one level to the next."""
DEPTHS = (100, 1_000, 10_000)
ROWS = (20, 40, 60)
GROUPS = (None, Decimal("0.10"), Decimal(1))
MESSAGES = 20
CHANGES = 8
FRAMES = 60
WARM_UP = 5
WIDTH = 100
EVERYTHING = {"traded": "on", "stacked": "on"}
HISTORIES = (60, KEPT)
HEIGHTS = (15, 30, 60)
Table: TypeAlias = dict[str, dict[str, float]]
TARGETS = {"by_depth": 1.5, "by_history": 1.5}


@dataclass
class Scene:
    """A market with one book, of ``depth`` levels a side, that moves by seeded diffs and prints."""

    depth: int
    market: Market = field(default_factory=Market)
    now: int = START

    def __post_init__(self) -> None:
        self.random = random.Random(self.depth)
        self.market.set_instruments([INSTRUMENT])
        self.market.attend(INSTRUMENT.instrument_id, ())
        sides: list[list[tuple[str, ...]]] = [
            [(self._price(sign, at), self._quantity()) for at in range(self.depth)] for sign in (-1, 1)
        ]
        self._apply(UpdateType.SNAPSHOT, *sides)

    def fills(self, rows: int, group: Decimal | None) -> bool:
        """Whether there are as many levels or groups as a ladder of so many rows can show."""
        reach = self.depth if group is None else self.depth * LEVEL_TICKS * TICK / group
        return 2 * reach >= rows

    def _price(self, sign: int, at: int) -> str:
        ticks = MIDDLE + sign * (1 + LEVEL_TICKS * at)
        return f"{ticks // 100}.{ticks % 100:02}"

    def _quantity(self) -> str:
        return f"{self.random.expovariate(1.0):.5f}"

    def _apply(self, kind: UpdateType, bids: list[tuple[str, ...]], asks: list[tuple[str, ...]]) -> None:
        columns = ("price", "quantity")
        self.market.apply_book(
            BookUpdate(INSTRUMENT.instrument_id, kind, BookType.L2, columns, bids, asks, self.now)
        )

    def step(self, messages: int) -> None:
        """Let diffs come, most of them near the touch, and a print with every fifth."""
        draw = self.random.random
        for number in range(messages):
            self.now += SECOND // 1_000
            sides: tuple[list[tuple[str, ...]], list[tuple[str, ...]]] = ([], [])
            for _ in range(CHANGES):
                at = min(int(self.random.expovariate(0.08)), self.depth - 1)
                side = int(draw() * 2)
                gone = at > 0 and draw() < 0.3
                sides[side].append((self._price(2 * side - 1, at), "0" if gone else self._quantity()))
            self._apply(UpdateType.DIFF, *sides)
            if number % 5 == 0:
                aggressor = Side.BUY if draw() < 0.5 else Side.SELL
                price = Decimal(self._price(1 if aggressor is Side.BUY else -1, 0))
                key = str(self.now)
                fresh = Print(
                    INSTRUMENT.instrument_id, price, Decimal(self._quantity()), aggressor, self.now, key
                )
                self.market.apply_print(fresh)


@dataclass
class Ladder:
    """One ladder on a scene, and what its frames cost."""

    scene: Scene
    rows: int
    group: Decimal | None
    memory: LadderMemory = field(default_factory=LadderMemory)
    costs: list[float] = field(default_factory=list)

    def frame(self) -> None:
        """Make a frame and note its cost."""
        market, name = self.scene.market, INSTRUMENT.instrument_id
        study = market.study(name)
        started = time.thread_time_ns()
        ladder(
            market.book(name),
            INSTRUMENT,
            width=WIDTH,
            height=self.rows,
            trust=LIVE,
            memory=self.memory,
            options=EVERYTHING,
            group=self.group,
            study=study,
            now=self.scene.now,
        )
        self.costs.append((time.thread_time_ns() - started) / 1_000)


def ladder_costs() -> Table:
    """Return the µs of a frame by ``rows × group``, then by depth."""
    scenes = {depth: Scene(depth) for depth in DEPTHS}
    found: Table = {}
    for group in GROUPS:
        for rows in ROWS:
            ladders = [Ladder(scene, rows, group) for scene in scenes.values() if scene.fills(rows, group)]
            gc.collect()
            gc.disable()
            for number in range(FRAMES):
                for one in ladders if number % 2 else ladders[::-1]:
                    one.scene.step(MESSAGES)
                    one.frame()
            gc.enable()
            found[f"{rows} rows, {'raw' if group is None else f'group {group}'}"] = {
                str(one.scene.depth): round(statistics.median(one.costs[WARM_UP:]), 1) for one in ladders
            }
    return found


@dataclass
class Heatmap:
    """One heatmap on a scene, and what a new column costs, and a whole drawing."""

    scene: Scene
    rows: int
    memory: HeatMemory = field(default_factory=HeatMemory)
    columns: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    def _cost(self, memory: HeatMemory) -> float:
        market, name = self.scene.market, INSTRUMENT.instrument_id
        started = time.thread_time_ns()
        heatmap(
            market.study(name).heat,
            market.book(name),
            INSTRUMENT,
            width=WIDTH,
            height=self.rows,
            trust=LIVE,
            memory=memory,
            options={"column": "1"},
            now=self.scene.now,
        )
        return (time.thread_time_ns() - started) / 1_000

    def frame(self) -> None:
        """Make the frame of a second that has just been sampled, and now and then one from nothing."""
        self.columns.append(self._cost(self.memory))
        if len(self.columns) % 10 == 0:
            self.whole.append(self._cost(HeatMemory()))


def second(scene: Scene) -> None:
    """Let a second pass and be sampled."""
    at = scene.now // SECOND
    scene.step(10)
    scene.now = (at + 1) * SECOND
    scene.market.health.connection.last_frame = scene.now
    scene.market.sample(scene.now)


def heatmap_costs() -> Table:
    """Return the µs of a column and of a whole pane by rows and history."""
    found: Table = {}
    for history in HISTORIES:
        scene = Scene(1_000)
        for _ in range(history):
            second(scene)
        maps = [Heatmap(scene, rows) for rows in HEIGHTS]
        gc.collect()
        gc.disable()
        for _ in range(FRAMES):
            second(scene)
            for one in maps:
                one.frame()
        gc.enable()
        for one in maps:
            found[f"{one.rows} rows, {history} s"] = {
                "column": round(statistics.median(one.columns[WARM_UP:]), 1),
                "whole": round(statistics.median(one.whole), 1),
            }
    return found


def ratios(ladders: Table, maps: Table) -> Iterator[tuple[str, float]]:
    """Yield the ratios that the targets speak of."""
    yield (
        "by_depth",
        max(costs[-1] / costs[0] for each in ladders.values() if len(costs := list(each.values())) > 1),
    )
    few, full = HISTORIES
    yield (
        "by_history",
        max(
            maps[f"{rows} rows, {full} s"]["column"] / maps[f"{rows} rows, {few} s"]["column"]
            for rows in HEIGHTS
        ),
    )


class Costs(NamedTuple):
    """What was measured."""

    ladder_us: Table
    heatmap_us: Table
    reached: dict[str, float]


def measure() -> Costs:
    """Measure everything."""
    ladders, maps = ladder_costs(), heatmap_costs()
    return Costs(ladders, maps, {name: round(ratio, 2) for name, ratio in ratios(ladders, maps)})


def main() -> None:
    """Measure and print the line."""
    costs = measure()
    met = all(costs.reached[name] <= target for name, target in TARGETS.items())
    report = {"benchmark": "frame", **costs._asdict(), "target": TARGETS, "met": met}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
