"""How the monitor fares in a flood: ``python benchmarks/flood.py`` prints one JSON line.

The whole monitor (all panes, 120x40) is fed 16 level changes a message by ``_flood_server.py`` over a
loopback WebSocket. Each message's best bid says when it was sent, so each frame on the terminal says how old
it is.

* ``steady``: 500 messages a second for a minute. CPU is of the process, in percent of a core.
  ``push_to_screen`` counts every millisecond of sending once: from then to the end of the first frame that
  shows what was sent, or something newer. ``behind`` is the number of messages that are not on the screen
  0.3 s after the last was sent.
* ``keys``: the same flood, and ``b`` (hide amounts) pressed now and then: from the key to the end of the
  first frame whose footer shows it.
* ``most``: the rate is raised step by step until what the screen shows is 250 ms old.
* ``idle``: nothing arrives but a ping every 5 s.

The bytes of a window are emulated (``pyte``) after it is over; see ``_probe.py``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks._flood_server import INSTRUMENT, MODULO, marker
from benchmarks._probe import Probe, Window, monitor

if TYPE_CHECKING:
    from types import TracebackType

STEADY = 500
STEPS = (1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 10_000, 12_000, 15_000, 20_000, 25_000)
BEHIND_MS = 250
MASKED = "amounts masked"
TARGETS = {
    "cpu_percent": 12.0,
    "push_to_screen_p99_ms": 150.0,
    "behind": 0,
    "key_ms": 100.0,
    "most_per_s": 5_000,
    "idle_cpu_percent": 1.0,
}
_MARKER = re.compile(r"\b7\.(\d{5})\b")


class Server:
    """The flooding child."""

    def __init__(self) -> None:
        script = str(Path(__file__).with_name("_flood_server.py"))
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.url = str(self._said()["url"])

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))

    def send(self, rate: int) -> None:
        """Send so many messages a second from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{rate}\n")

    def stop(self) -> dict[str, Any]:
        """Send no more, and say what was sent."""
        self.send(0)
        return self._said()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(5)


def shown(probe: Probe) -> int | None:
    """Return the newest marker on the screen."""
    found = [int(digits) for digits in _MARKER.findall(probe.text)]
    return max(found, default=None)


def ages(probe: Probe, window: Window) -> tuple[list[int], list[float]]:
    """Return, in ms, each sent millisecond's way to the screen, and the age of each frame's newest."""
    pushes: list[int] = []
    newest: list[float] = []
    before = None

    def frame(at: float) -> None:
        nonlocal before
        now = shown(probe)
        if now is None or now == before:
            return
        age = (marker(at) - now) % MODULO
        newest.append(age)
        if before is not None:
            pushes.extend(range(age, age + (now - before) % MODULO))
        before = now

    probe.replay(window, frame)
    return pushes, newest


def percentile(values: list[Any], share: float) -> float:
    """Return a percentile; NaN of nothing."""
    ordered = sorted(values)
    return float(ordered[min(int(share * len(ordered)), len(ordered) - 1)]) if ordered else float("nan")


def steady(probe: Probe, server: Server, seconds: float) -> dict[str, Any]:
    """Measure at the steady rate."""
    server.send(STEADY)
    probe.read_for(2)
    window = probe.watch(seconds)
    pushes, newest = ages(probe, window)
    probe.read_for(1)  # the terminal was not read meanwhile
    with probe.watching() as rest:
        probe.read_for(0.5)
        sent = server.stop()
        probe.read_for(0.3)
    probe.replay(rest)
    now = shown(probe)
    late_ms = 0 if now is None else (sent["last"] - now) % MODULO
    return {
        "rate": round(sent["sent"] / sent["seconds"]),
        "seconds": seconds,
        "cpu_percent": round(window.cpu, 1),
        "kib_per_s": round(window.rate / 1024, 1),
        "frames_per_s": round(len(newest) / window.seconds, 1),
        "push_to_screen_ms": {
            "p50": percentile(pushes, 0.5),
            "p99": percentile(pushes, 0.99),
            "max": percentile(pushes, 1.0),
        },
        "behind": round(late_ms * STEADY / 1000) if now is not None else None,
    }


def keys(probe: Probe, server: Server, presses: int) -> dict[str, float]:
    """Measure how long a key takes."""
    server.send(STEADY)
    probe.read_for(1)
    found: list[float] = []
    for number in range(presses):
        with probe.watching() as window:
            probe.read_for(0.3 + 0.017 * number)  # at any moment of a frame
            pressed = time.monotonic()
            Probe.send(probe, "b")
            probe.read_for(0.4)
        was = MASKED in probe.text
        answers: list[float] = []

        def frame(at: float, was: bool = was, answers: list[float] = answers) -> None:
            if (MASKED in probe.text) != was:
                answers.append(at)

        probe.replay(window, frame)
        found.append(1000 * (answers[0] - pressed) if answers else float("inf"))
    server.stop()
    return {
        "presses": presses,
        "p50_ms": round(percentile(found, 0.5), 1),
        "max_ms": round(max(found), 1),
    }


def most(probe: Probe, server: Server, seconds: float) -> dict[str, Any]:
    """Raise the rate until the screen is behind."""
    reached = 0
    steps = []
    for rate in STEPS:
        server.send(rate)
        probe.read_for(1)
        window = probe.watch(seconds)
        sent = server.stop()
        _, newest = ages(probe, window)
        late = newest[len(newest) // 2 :]
        step = {
            "rate": round(sent["sent"] / sent["seconds"]),
            "cpu_percent": round(window.cpu, 1),
            "frame_age_p95_ms": percentile(late, 0.95),
            "frames_per_s": round(len(newest) / window.seconds, 1),
        }
        steps.append(step)
        if not late or percentile(late, 0.95) > BEHIND_MS:
            break
        reached = int(step["rate"])
        probe.read_for(1)
    return {"per_s": reached, "steps": steps}


def main() -> None:
    """Run all parts and print the line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--steady-seconds", type=float, default=60.0)
    arguments.add_argument("--step-seconds", type=float, default=5.0)
    arguments.add_argument("--idle-seconds", type=float, default=30.0)
    arguments.add_argument("--presses", type=int, default=20)
    options = arguments.parse_args()
    with Server() as server, monitor(server.url, "", INSTRUMENT) as probe:
        probe.wait_for(lambda text: "7.00000" in text)
        probe.read_for(5)
        idle = probe.watch(options.idle_seconds)
        probe.replay(idle)
        at_rate = steady(probe, server, options.steady_seconds)
        pressed = keys(probe, server, options.presses)
        raised = most(probe, server, options.step_seconds)
    reached = {
        "cpu_percent": at_rate["cpu_percent"],
        "push_to_screen_p99_ms": at_rate["push_to_screen_ms"]["p99"],
        "behind": at_rate["behind"],
        "key_ms": pressed["max_ms"],
        "most_per_s": raised["per_s"],
        "idle_cpu_percent": round(idle.cpu, 2),
    }
    report = {
        "benchmark": "flood",
        "changes_a_message": 16,
        "steady": at_rate,
        "keys": pressed,
        "most": raised,
        "idle": {
            "cpu_percent": reached["idle_cpu_percent"],
            "bytes_per_s": round(idle.rate, 1),
            "seconds": options.idle_seconds,
        },
        "reached": reached,
        "target": TARGETS,
        "met": reached["most_per_s"] >= TARGETS["most_per_s"]
        and all(
            value is not None and value <= TARGETS[name]
            for name, value in reached.items()
            if name != "most_per_s"
        ),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
