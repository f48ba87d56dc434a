"""The link itself: it brings every byte, in order, when a link of that rate and delay would."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.link import ANSWER, Link
from tests.support.way import Way

PUTS = st.lists(st.tuples(st.floats(0.0, 3.0), st.binary(min_size=1, max_size=50)), max_size=12)
PAUSES = st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 5.0)).map(sorted)


def naive(puts: list[tuple[float, bytes]], rate: float, delay: float, pause: list[float]) -> list[float]:
    """Return when each byte arrives, reckoned byte by byte."""
    stop, go = pause
    free, arrivals = 0.0, []
    for at, data in puts:
        for _ in data:
            done = max(free, at) + 1 / rate
            if done > stop and go > stop:
                done = max(free, at, go) + 1 / rate
            arrivals.append(done + delay)
            free = done
    return arrivals


@given(puts=PUTS, rate=st.sampled_from([7.0, 50.0, 2000.0]), delay=st.sampled_from([0.0, 0.25]), pause=PAUSES)
def test_bytes_arrive_when_they_should(
    puts: list[tuple[float, bytes]], rate: float, delay: float, pause: list[float]
) -> None:
    """One after another at the rate, a delay later, in order; and none that had not left before a stop."""
    puts.sort(key=lambda put: put[0])
    way = Way(rate, delay)
    events = [(at, "put", data) for at, data in puts] + [(pause[0], "stop", b""), (pause[1], "go", b"")]
    for at, what, data in sorted(events, key=lambda event: event[0]):
        if what == "put":
            way.put(data, at)
        elif what == "stop":
            way.stop(at)
        else:
            way.go(at)
    expected = naive(puts, rate, delay, pause)
    arrived = b""
    for now in [step / 4 for step in range(500)]:
        before = len(arrived)
        arrived += b"".join(piece for _, piece in way.take(now))
        assert all(at <= now + 1e-6 for at in expected[before : len(arrived)])
        assert all(at > now - 1 / rate - 1e-6 for at in expected[len(arrived) :])
    assert arrived == b"".join(data for _, data in puts)


ASK = """
import os, time, tty
tty.setraw(0)
begun, answer = time.monotonic(), b""
os.write(1, b"x" * 200 + b"\\x1b[6n")
while not answer.endswith(b"R"):
    answer += os.read(0, 64)
os.write(1, b"\\r\\n%.3f." % (time.monotonic() - begun))
"""
FILL = """
import os, select, sys
os.set_blocking(1, False)
total = 0
while select.select([], [1], [], 0.5)[1]:
    total += os.write(1, b"." * 100)
open(sys.argv[1], "w").write(str(total))
"""


def test_an_answer_takes_the_way_there_and_back() -> None:
    """A question is answered after all bytes before it, and the answer comes a delay later."""
    with Link([sys.executable, "-c", ASK], down=1000.0, up=1000.0, delay=0.15) as link:
        text = link.wait_for(lambda text: text.rstrip().endswith("."))
    soonest = (200 + 4) / 1000 + 0.15 + len(ANSWER) / 1000 + 0.15
    assert soonest <= float(text.split()[-1].rstrip(".")) < soonest + 0.3


def test_a_full_buffer_stops_the_writer(tmp_path: Path) -> None:
    """While nothing is shown no more than the buffer and the kernel's own few KiB can be written."""
    written = tmp_path / "written"
    with Link([sys.executable, "-c", FILL, str(written)], down=1000.0, buffer=10_000) as link:
        link.stop()
        link.process.wait(20)
        assert link.waiting() == 10_000
    assert 10_000 <= int(written.read_text()) < 10_000 + 80_000


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this kernel does not tell")
def test_a_late_machine_is_noticed() -> None:
    """A program that may not run when it could is a moment in which nothing can be measured."""
    with Link([sys.executable, "-c", "while True: pass"]) as link:
        begun = time.monotonic()
        os.sched_setaffinity(link.process.pid, {min(os.sched_getaffinity(0))})
        with Link([sys.executable, "-c", "while True: pass"]) as rival:
            os.sched_setaffinity(rival.process.pid, os.sched_getaffinity(link.process.pid))
            link.watch(20, lambda: link.late(begun, time.monotonic()) > 0.2)
        assert link.late(begun, time.monotonic()) > 0.2
