"""What a delta costs: ``python benchmarks/delta.py`` prints one JSON line.

The base is an order book of about 8 KB as JSON, the delta what a message later makes of it: eight levels a
side with other quantities, one level gone, one come, another timestamp; its copies are as long as those of
the real server at least. Both decoders get the same bytes and make the same payload, in alternating rounds
of one run; figures are medians over the rounds, in µs a delta.

* ``ours``: ``centrifugo.delta.apply``
* ``sdk``: the decoder of ``centrifuge-python``, the official client
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from centrifuge.fossil import apply_delta

from cadenza_tui.centrifugo import delta
from tests.support import fossil

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = 142
LIMIT = 1 << 20
TARGET = 5.0

Side = list[list[str]]


def payload(bids: Side, asks: Side, number: int) -> bytes:
    """One publication's bytes."""
    message = {
        "updateType": "SNAPSHOT",
        "venue": "BINANCE",
        "symbol": "BTC/USDT",
        "instrumentId": "BINANCE:BTC/USDT",
        "orderBookType": "L2",
        "columns": ["price", "quantity"],
        "bids": bids,
        "asks": asks,
        "timestamp": 1_723_161_254_000 + number,
    }
    return json.dumps(message, separators=(",", ":")).encode()


def before_and_after() -> tuple[bytes, bytes]:
    """A book, and the same book a message later."""
    chance = random.Random(7)

    def quantity() -> str:
        return f"{chance.randrange(900)}.{chance.randrange(10**8):08}"

    def side(direction: int) -> Side:
        ticks = sorted(chance.sample(range(1, LEVELS * 2), LEVELS + 1))
        return [[f"{(6_183_763 + direction * tick) / 100:.2f}", quantity()] for tick in ticks]

    sides = [side(-1), side(1)]
    base = payload(sides[0][:-1], sides[1][:-1], 0)
    for levels in sides:
        for place in chance.sample(range(LEVELS // 2), 8):
            levels[place][1] = quantity()
    del sides[0][chance.randrange(LEVELS // 2)]
    return base, payload(sides[0], sides[1][:-1], 250)


def timed(decode: Callable[[], object], repeats: int) -> float:
    """Return µs a call."""
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    for _ in range(repeats):
        decode()
    spent = time.perf_counter() - started
    gc.enable()
    return spent / repeats * 1e6


def main() -> None:
    """Run all rounds and print the line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--repeats", type=int, default=200)
    options = arguments.parse_args()
    base, target = before_and_after()
    steps = fossil.steps_between(base, target, fossil.SERVER_GRAM)
    change = fossil.written(steps, target)
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: delta.apply(base, change, LIMIT),
        "sdk": lambda: apply_delta(base, change),
    }
    for name, decode in contestants.items():
        if decode() != target:
            sys.exit(f"{name} does not make the same payload")
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(options.rounds):
        names = list(contestants)
        for name in names if round_number % 2 else reversed(names):
            spent[name].append(timed(contestants[name], options.repeats))
    figures = {
        "benchmark": "delta",
        "unit": "us a delta",
        "us": {name: round(statistics.median(times), 2) for name, times in spent.items()},
        "ratio": round(statistics.median(b / a for a, b in zip(spent["ours"], spent["sdk"], strict=True)), 1),
        "target": TARGET,
        "payload_bytes": len(target),
        "delta_bytes": len(change),
        "copies": sum(isinstance(step, tuple) for step in steps),
        "inserts": sum(isinstance(step, bytes) for step in steps),
        "rounds": options.rounds,
        "python": sys.version.split()[0],
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
