"""What painting costs: ``python benchmarks/paint.py`` prints one JSON line.

The monitor and a ``DataTable`` ladder of as many rows (``_datatable.py``) take turns on one simulator that
sends 500 book updates a second of one instrument (and its prints, tickers and accounts), each alone in a
120x40 pseudo-terminal that answers at once. ``zoomed`` is the monitor with the book on the whole screen,
which is what the table shows; ``whole`` is the monitor with all its panes. CPU is of the process alone, the
feed included, in percent of a core; figures are medians over the rounds. ``over_ideal`` is bytes divided by
those of an ideal cell diff of the same frames, see ``_screen.py``.

Both mean to paint at one pace. On a busy machine the table does not get round to it and so costs less than it
would; ``per_frame`` has the ratios for one painted frame.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks._probe import Probe, Window, ladder_shows, monitor
from cadenza_tui.feed.child import Ready, SimulatorChild

INSTRUMENT = "BINANCE:BTC/USDT"
RATE = 500
LADDER_ROWS = 35
"""Rows of the zoomed ladder at 120x40, the spread row included."""
TARGETS = {"cpu_ratio": 0.2, "bytes_ratio": 0.2, "over_ideal": 1.6}

Figures = dict[str, float]


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


def table_round(ready: Ready, seconds: float, warm_up: float) -> dict[str, Figures]:
    """Measure the DataTable once."""
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        token.write_text(ready.token)
        script = str(Path(__file__).with_name("_datatable.py"))
        argv = [sys.executable, script, ready.url, str(token), INSTRUMENT, str(LADDER_ROWS)]
        with Probe(argv) as probe:
            probe.wait_for(lambda text: "spread" in text)
            probe.read_for(warm_up)
            return {"datatable": figures(probe, probe.watch(seconds))}


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


def main() -> None:
    """Run all rounds and print the line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--warm-up", type=float, default=2.0)
    options = arguments.parse_args()
    seen: dict[str, list[Figures]] = {}
    with SimulatorChild(["--rate", str(RATE), "--instruments", "1", "--seed", "7"]) as simulator:
        ready = simulator.ready()
        for number in range(options.rounds):
            turns = [table_round, monitor_round]
            for turn in turns if number % 2 == 0 else turns[::-1]:
                for name, found in turn(ready, options.seconds, options.warm_up).items():
                    seen.setdefault(name, []).append(found)
    medians = {
        name: {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        for name, rounds in seen.items()
    }
    zoomed, table = medians["zoomed"], medians["datatable"]
    reached = {
        "cpu_ratio": zoomed["cpu_percent"] / table["cpu_percent"],
        "bytes_ratio": zoomed["kib_per_s"] / table["kib_per_s"],
        "over_ideal": zoomed["over_ideal"],
    }
    report = {
        "benchmark": "paint",
        "book_updates_per_s": RATE,
        "rounds": options.rounds,
        "seconds": options.seconds,
        **{name: {key: round(value, 2) for key, value in found.items()} for name, found in medians.items()},
        "reached": {key: round(value, 3) for key, value in reached.items()},
        "per_frame": {
            key: round(zoomed[one] / zoomed["frames_per_s"] / (table[one] / table["frames_per_s"]), 3)
            for key, one in (("cpu_ratio", "cpu_percent"), ("bytes_ratio", "kib_per_s"))
        },
        "target": TARGETS,
        "met": all(reached[key] <= target for key, target in TARGETS.items()),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
