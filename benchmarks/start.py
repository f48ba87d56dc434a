"""From the command to the first book: ``python benchmarks/start.py`` prints one JSON line.

``first_book_s`` is the time from starting ``cadenza-tui demo`` in a 120x40 pseudo-terminal, simulator and
all, to the arrival of the bytes that complete a book with both sides on the screen. Beside it: an interpreter
that does nothing, and one that imports Textual's app and the base of its widgets. Runs take turns; figures
are medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks._probe import PROGRAM, ladder_shows
from tests.support.terminal import Terminal

TARGET_S = 1.5
TIMEOUT_S = 30.0


class TimedTerminal(Terminal):
    """Knows when the latest bytes came: looking at them takes time of its own."""

    arrived = 0.0

    def __enter__(self) -> TimedTerminal:
        return self

    def take(self, data: bytes) -> None:
        self.arrived = time.monotonic()
        super().take(data)


def first_book() -> float:
    """Start the demo, and return the seconds until the book is there."""
    started = time.monotonic()
    with TimedTerminal([PROGRAM, "demo"]) as terminal:
        terminal.wait_for(ladder_shows, timeout=TIMEOUT_S)
        return terminal.arrived - started


def run(code: str) -> float:
    """Return the seconds of an interpreter that runs ``code``."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.monotonic() - started


def main() -> None:
    """Run all rounds and print the line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    seen: dict[str, list[float]] = {"first_book_s": [], "textual_import_s": [], "python_s": []}
    first_book()  # byte code and file caches are warm from here on
    for _ in range(options.rounds):
        seen["first_book_s"].append(first_book())
        seen["textual_import_s"].append(run("import textual.app, textual.screen, textual.widget"))
        seen["python_s"].append(run("pass"))
    medians = {name: round(statistics.median(values), 3) for name, values in seen.items()}
    report = {
        "benchmark": "start",
        "rounds": options.rounds,
        **medians,
        "worst_first_book_s": round(max(seen["first_book_s"]), 3),
        "target": {"first_book_s": TARGET_S},
        "met": medians["first_book_s"] <= TARGET_S,
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
