"""What painting costs: ``python benchmarks/paint.py`` prints one JSON line.

The monitor and a ``DataTable`` ladder of as many rows (``_datatable.py``) take turns on one simulator that
sends 500 book updates a second of one instrument (and its prints, tickers and accounts), each alone in a
120x40 pseudo-terminal that answers at once. ``zoomed`` is the monitor with the book on the whole screen,
which is what the table shows; ``whole`` is the monitor with all its panes. CPU is of the process alone, the
feed included, in percent of a core; figures are medians over the rounds. ``over_ideal`` is bytes divided by
those of an ideal cell diff of the same frames, see ``_screen.py``.

``everything`` is the wide view with every column on (ladder, tape, heatmap and chart at once) at 1,000 book
updates and 200 prints a second, against the table alone at the same rates, ``datatable_busy``.

Both mean to paint at one pace. On a busy machine the table does not get round to it and so costs less than it
would; ``per_frame`` has the ratios for one painted frame. ``frame_cost`` is what ``frame.py`` measures.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import frame
from benchmarks._probe import Probe, Window, ladder_shows, monitor
from cadenza_tui.feed.child import Ready, SimulatorChild

INSTRUMENT = "BINANCE:BTC/USDT"
RATE = 500
BUSY_RATE, BUSY_PRINTS = 1_000, 200
LADDER_ROWS = 35
"""Rows of the zoomed ladder at 120x40, the spread row included."""
TARGETS = {
    "cpu_ratio": 0.2,
    "bytes_ratio": 0.2,
    "over_ideal": 1.6,
    "everything_cpu_ratio": 0.25,
    "everything_over_ideal": 1.6,
    **frame.TARGETS,
}

Figures: TypeAlias = dict[str, float]
Round: TypeAlias = Callable[[Ready, float, float], dict[str, Figures]]


def figures(probe: Probe, window: Window) -> Figures:
    """Return what a window comes to."""
    ideal = probe.replay(window)
    frames = sum(1 for _ in window.frames())
    return {
        "cpu_percent": window.cpu,
        "kib_per_s": window.rate / 1024,
        "over_ideal": window.size / max(ideal.bytes, 1),
        "frames_per_s": frames / window.seconds,
        "changed_cells_per_s": ideal.cells / window.seconds,
    }


def table_round(ready: Ready, seconds: float, warm_up: float, name: str = "datatable") -> dict[str, Figures]:
    """Measure the DataTable once."""
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        token.write_text(ready.token)
        script = str(Path(__file__).with_name("_datatable.py"))
        argv = [sys.executable, script, ready.url, str(token), INSTRUMENT, str(LADDER_ROWS)]
        with Probe(argv) as probe:
            probe.wait_for(lambda text: "spread" in text)
            probe.read_for(warm_up)
            return {name: figures(probe, probe.watch(seconds))}


def monitor_round(ready: Ready, seconds: float, warm_up: float) -> dict[str, Figures]:
    """Measure the monitor once, whole and zoomed."""
    with monitor(ready.url, ready.token, INSTRUMENT) as probe:
        probe.wait_for(ladder_shows)
        probe.read_for(warm_up)
        whole = figures(probe, probe.watch(seconds))
        probe.send("z")
        probe.wait_for(lambda text: "spread" in text)
        probe.read_for(warm_up)
        return {"whole": whole, "zoomed": figures(probe, probe.watch(seconds))}


def everything_round(ready: Ready, seconds: float, warm_up: float) -> dict[str, Figures]:
    """Measure the monitor once with all of it on: four panes, every column of the ladder."""
    options = {"book": frame.EVERYTHING}
    with monitor(ready.url, ready.token, INSTRUMENT, "--view", "wide", options=options) as probe:
        probe.wait_for(lambda text: all(word in text for word in ("sold", "CVD", "a cell", "VWAP ")))
        probe.read_for(warm_up)
        return {"everything": figures(probe, probe.watch(seconds))}


def busy_table_round(ready: Ready, seconds: float, warm_up: float) -> dict[str, Figures]:
    """Measure the DataTable once, at the rates that everything is measured at."""
    return table_round(ready, seconds, warm_up, "datatable_busy")


def run(
    simulator_options: list[str],
    turns: list[Round],
    options: argparse.Namespace,
    seen: dict[str, list[Figures]],
) -> None:
    """Let contestants take turns on one simulator, the order changing from round to round."""
    with SimulatorChild([*simulator_options, "--instruments", "1", "--seed", "7"]) as simulator:
        ready = simulator.ready()
        for number in range(options.rounds):
            for turn in turns if number % 2 == 0 else turns[::-1]:
                for name, found in turn(ready, options.seconds, options.warm_up).items():
                    seen.setdefault(name, []).append(found)


def main() -> None:
    """Run all rounds and print the line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--warm-up", type=float, default=2.0)
    options = arguments.parse_args()
    seen: dict[str, list[Figures]] = {}
    costs = frame.measure()
    run(["--rate", str(RATE)], [table_round, monitor_round], options, seen)
    busy = ["--rate", str(BUSY_RATE), "--prints", str(BUSY_PRINTS)]
    run(busy, [busy_table_round, everything_round], options, seen)
    medians = {
        name: {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        for name, rounds in seen.items()
    }
    zoomed, table = medians["zoomed"], medians["datatable"]
    everything, busy_table = medians["everything"], medians["datatable_busy"]
    reached = {
        "cpu_ratio": zoomed["cpu_percent"] / table["cpu_percent"],
        "bytes_ratio": zoomed["kib_per_s"] / table["kib_per_s"],
        "over_ideal": zoomed["over_ideal"],
        "everything_cpu_ratio": everything["cpu_percent"] / busy_table["cpu_percent"],
        "everything_over_ideal": everything["over_ideal"],
        **costs.reached,
    }
    report = {
        "benchmark": "paint",
        "book_updates_per_s": RATE,
        "busy": {"book_updates_per_s": BUSY_RATE, "prints_per_s": BUSY_PRINTS},
        "rounds": options.rounds,
        "seconds": options.seconds,
        **{name: {key: round(value, 2) for key, value in found.items()} for name, found in medians.items()},
        "reached": {key: round(value, 3) for key, value in reached.items()},
        "per_frame": {
            key: round(zoomed[one] / zoomed["frames_per_s"] / (table[one] / table["frames_per_s"]), 3)
            for key, one in (("cpu_ratio", "cpu_percent"), ("bytes_ratio", "kib_per_s"))
        },
        "frame_cost": {"ladder_us": costs.ladder_us, "heatmap_us": costs.heatmap_us},
        "target": TARGETS,
        "met": all(reached[key] <= target for key, target in TARGETS.items()),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
