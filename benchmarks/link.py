"""How old the screen is at the end of a link: ``python benchmarks/link.py`` prints one JSON line.

The monitor's Market and Account view at 80x24, and beside them, in the same run, the ladder as stock Textual
paints it (``_link_stock.py``), each on a market of its own whose numbers say when they were sent
(``tests/link/market.py``) and behind a link (``tests/support/link.py``) with 1 MiB of buffer:

* ``2 kB/s + 200 ms`` and ``20 kB/s + 50 ms``, one way. ``age_s`` is that of the oldest of the numbers that
  tell, looked at every 10 ms from the moment the screen is whole: how long ago something newer was sent. Of
  stock Textual it is only how long ago what came last was written, for its frames have no end to look at.
  ``loop_stall_ms`` is how long the event loop stood still at most, ``pings_missed`` how many of the server's
  pings, one a second, were not answered before the next.
* ``stopped``: on the second link nothing is passed on for a while, with 2 KiB of buffer as on a terminal of
  this machine. ``present_after_s`` is from its end to the first frame that is no older than half a second;
  None where none is within 20 s.
* ``bytes``: both views at 20 kB/s for a minute: bytes divided by those of an ideal cell diff of the same
  frames (``_screen.py``); and the Account view while nothing arrives, with its clock and without it.

Ages are left out, and stalls counted as shorter, where the machine was late; ``late_s`` is for how long.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.link.ages import LATE_SHARE, PLACES, Ratio, following
from tests.link.market import PING_S
from tests.link.session import ACCOUNT_VIEW, MARKET_VIEW, QUICK, SLOW, monitor, session
from tests.support.link import LATE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.link.session import Profile, Session

Figures = dict[str, Any]
LINKS = {"2 kB/s + 200 ms": SLOW, "20 kB/s + 50 ms": QUICK}
STOCK_ROWS = "21"
STOCK_PLACES = ("best bid",)
PATIENCE_S = 20.0
STOCK_BEGINS_S = 3.0
"""Stock Textual's first whole screen may not be there before the buffer is full: it is not waited for."""
STEP_S = 0.01
PRESENT_S = 0.5
SHALLOW = 2_048
QUIET_S = 12.0
"""Until the screen has said that nothing arrives any more."""
TARGETS = {
    "age_max_s at 2 kB/s": 2.0,
    "age_max_s at 20 kB/s": 0.5,
    "loop_stall_ms": 50.0,
    "pings_missed": 0,
    "over_ideal": 1.3,
    "idle_bytes_per_s": 50.0,
}


def stock(url: str, trace: Path) -> list[str]:
    """Return the command line of stock Textual's ladder."""
    return [sys.executable, str(Path(__file__).with_name("_link_stock.py")), url, str(trace), STOCK_ROWS]


PROGRAMS: dict[str, tuple[Sequence[str], Sequence[str], Callable[[str, Path], Sequence[str]]]] = {
    "market": (["--view", "market"], MARKET_VIEW, monitor),
    "account": (["--view", "account"], ACCOUNT_VIEW, monitor),
    "stock": ([], (), stock),
}


def ages(watched: Session, places: Sequence[str], since: float, until: float) -> list[float]:
    """Return the age of the oldest place every 10 ms, the moments left out in which the machine was late."""
    sent = watched.market.told()["sent"]
    came: list[tuple[float, float]] = []
    """From when on, since when what is shown is not the present."""
    if places:
        for frame in watched.ages.frames:
            shown = {name: frame.shown.get(name, frame.at) for name in places}
            newer = [following(sent[PLACES[name].channel], at) for name, at in shown.items()]
            came.append((frame.at, min((one for one in newer if one is not None), default=until)))
    else:
        came = [(one.at, one.written) for one in watched.link.arrivals(until=until)]
    found = []
    at = 0
    now = since
    while now < until:
        while at + 1 < len(came) and came[at + 1][0] <= now:
            at += 1
        age = max(now - came[at][1], 0.0)
        if not places or watched.link.late(now - age, now) <= max(LATE_S, LATE_SHARE * age):
            found.append(age)
        now += STEP_S
    return sorted(found)


def share(ordered: Sequence[float], part: float) -> float | None:
    """Return a percentile in seconds; None of nothing."""
    return round(ordered[min(int(part * len(ordered)), len(ordered) - 1)], 3) if ordered else None


def stall_ms(watched: Session, since: float, until: float) -> float:
    """Return the longest stall, what the machine was late taken off."""
    stalls = watched.stalls(since, until)
    return round(max((max(one.ms - 1000 * one.late, 0.0) for one in stalls), default=0.0), 1)


def missed(pongs: Sequence[float | None]) -> int:
    """Return how many pings were not answered before the next."""
    return sum(pong is None or pong > PING_S for pong in pongs[:-1])


def begin(watched: Session, places: Sequence[str]) -> float:
    """Wait until the program is running; return from when on."""
    if places:
        return watched.run(places)
    watched.link.watch(STOCK_BEGINS_S)
    return time.monotonic()


def on_a_link(name: str, seconds: float, link: Profile) -> Figures:
    """Measure one program on a link."""
    arguments, places, program = PROGRAMS[name]
    with session(*arguments, program=program, synchronized=program is stock, **link) as watched:
        since = begin(watched, places)
        watched.link.watch(seconds)
        until = time.monotonic()
        found = ages(watched, places, since, until)
        arrived = sum(len(one.data) for one in watched.link.arrivals(since, until))
        frames = sum(since < frame.at <= until for frame in watched.ages.frames)
        return {
            "age_s": {"p50": share(found, 0.5), "p99": share(found, 0.99), "max": share(found, 1.0)},
            "loop_stall_ms": stall_ms(watched, since, until),
            "pings_missed": missed(watched.market.told()["pongs"]),
            "bytes_per_s": round(arrived / (until - since)),
            "frames_per_s": round(frames / (until - since), 2),
            "waiting_bytes": watched.link.waiting(),
            "late_s": round(watched.link.late(since, until), 3),
        }


def stopped(seconds: float) -> dict[str, Figures]:
    """Measure all programs on a link that stands still for a while, all at once."""
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(
                session(*arguments, program=program, synchronized=program is stock, buffer=SHALLOW, **QUICK)
            )
            for name, (arguments, _, program) in PROGRAMS.items()
        }
        places = {"market": MARKET_VIEW, "account": ACCOUNT_VIEW, "stock": STOCK_PLACES}
        begun = {name: watched.run(places[name], 60.0) for name, watched in running.items()}
        for watched in running.values():
            watched.link.stop()
        time.sleep(seconds)  # the stop that is measured
        found = {}
        for name, watched in running.items():
            gone = watched.link.go()
            end = time.monotonic() + PATIENCE_S
            while (after := present(watched, gone, places[name])) is None and time.monotonic() < end:
                watched.link.watch(0.5)
            watched.link.watch(2.0)  # the trace has its line by then
            told = watched.market.told()
            found[name] = {
                "present_after_s": after,
                "loop_stall_ms": stall_ms(watched, begun[name], time.monotonic()),
                "pings_missed": missed(told["pongs"]),
                "connections": told["connections"],
                "resident_mib": round(watched.link.resident_bytes() / (1 << 20), 1),
            }
        return found


def present(watched: Session, gone: float, places: Sequence[str]) -> float | None:
    """Return how long after the stop the first frame came that shows the present."""
    sent = watched.market.told()["sent"]
    for frame in watched.ages.frames:
        if frame.at <= gone or not all(name in frame.shown for name in places):
            continue
        newer = [following(sent[PLACES[name].channel], frame.shown[name]) for name in places]
        if all(one is None or frame.at - one <= PRESENT_S for one in newer):
            return round(frame.at - gone, 3)
    return None


def over_ideal(view: str, seconds: float) -> Figures:
    """Measure a view's bytes against the ideal."""
    arguments, places, program = PROGRAMS[view]
    with session(*arguments, program=program, **QUICK) as watched:
        watched.run(places)
        ratio = watched.link.on_frame = Ratio(watched.link)
        watched.link.watch(seconds)
        return {
            "bytes_per_s": round(ratio.written / ratio.seconds),
            "frames_per_s": round(ratio.frames / ratio.seconds, 1),
            "over_ideal": round(ratio.over_ideal, 3),
        }


def idle(seconds: float) -> Figures:
    """Measure the Account view while nothing arrives but pings, until its prices are old enough to say so."""
    found = {}
    for name, keys in (("with_clock", ""), ("without_clock", "T")):
        with session("--view", "account", quiet=True, columns=100, **QUICK) as watched:
            watched.run(ACCOUNT_VIEW)
            watched.link.send(keys)
            watched.link.watch(QUIET_S)
            begun = time.monotonic()
            watched.link.watch(seconds)
            written = sum(len(one.data) for one in watched.link.arrivals(begun))
            found[f"{name}_bytes_per_s"] = round(written / seconds, 1)
    return found


def ratios(found: dict[str, Figures]) -> Figures:
    """Return what stock Textual's figures are of the worse of the two views'."""

    def of(key: str, read: Callable[[Figures], float | None]) -> dict[str, float | None]:
        ours = [read(found[view]) for view in ("market", "account")]
        theirs = read(found["stock"])
        worst = max((one for one in ours if one is not None), default=None)
        return {key: round(theirs / worst, 1) if theirs is not None and worst else None}

    return {
        **of("age_max", lambda one: one["age_s"]["max"]),
        **of("age_p50", lambda one: one["age_s"]["p50"]),
        **of("bytes_per_s", lambda one: one["bytes_per_s"]),
        **of("loop_stall", lambda one: one["loop_stall_ms"]),
    }


def main() -> None:
    """Run all parts and print the line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20.0, help="on each link")
    arguments.add_argument("--stop-seconds", type=float, default=30.0)
    arguments.add_argument("--bytes-seconds", type=float, default=60.0)
    arguments.add_argument("--idle-seconds", type=float, default=30.0)
    options = arguments.parse_args()
    links: dict[str, Any] = {}
    for label, link in LINKS.items():
        found = {name: on_a_link(name, options.seconds, link) for name in PROGRAMS}
        links[label] = {**found, "stock_over_ours": ratios(found)}
    standing = stopped(options.stop_seconds)
    written = {view: over_ideal(view, options.bytes_seconds) for view in ("market", "account")}
    quiet = idle(options.idle_seconds)
    views = ("market", "account")
    reached = {
        "age_max_s at 2 kB/s": max(links["2 kB/s + 200 ms"][view]["age_s"]["max"] for view in views),
        "age_max_s at 20 kB/s": max(links["20 kB/s + 50 ms"][view]["age_s"]["max"] for view in views),
        "loop_stall_ms": max(
            one[view]["loop_stall_ms"] for one in (*links.values(), standing) for view in views
        ),
        "pings_missed": sum(
            one[view]["pings_missed"] for one in (*links.values(), standing) for view in views
        ),
        "over_ideal": max(one["over_ideal"] for one in written.values()),
        "idle_bytes_per_s": quiet["with_clock_bytes_per_s"],
    }
    report = {
        "benchmark": "link",
        "seconds": options.seconds,
        "links": links,
        "stopped": {"seconds": options.stop_seconds, **standing},
        "bytes": {"seconds": options.bytes_seconds, **written, "idle_account": quiet},
        "reached": reached,
        "target": TARGETS,
        "met": all(value is not None and value <= TARGETS[name] for name, value in reached.items()),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
