"""Only what changed goes over the link."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.link.ages import Ratio
from tests.link.session import ACCOUNT_VIEW, MARKET_VIEW, QUICK, run_all, session

SPAN_S = 7.0
"""A part of the minute that ``benchmarks/link.py`` watches: the ratio settles within a few seconds."""
IDLE_S = 4.0


class Measured(NamedTuple):
    """What went over the links."""

    over_ideal: dict[str, float]
    """Bytes divided by an ideal diff's, of each view."""
    frames: dict[str, int]
    with_clock: float
    """Bytes a second of an Account view for which nothing arrives but pings."""
    without_clock: float


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Two busy views and two idle ones, each over a link of its own, all at once to save time."""
    with ExitStack() as stack:
        views = {"market": MARKET_VIEW, "account": ACCOUNT_VIEW}
        busy = {view: stack.enter_context(session("--view", view, **QUICK)) for view in views}
        idle = [
            stack.enter_context(session("--view", "account", quiet=True, columns=100, **QUICK))
            for _ in range(2)
        ]
        run_all([(busy[view], views[view]) for view in views] + [(one, ACCOUNT_VIEW) for one in idle])
        idle[1].link.send("T")
        ratios = {view: Ratio(monitor.link) for view, monitor in busy.items()}
        for view, monitor in busy.items():
            monitor.link.on_frame = ratios[view]
        time.sleep(SPAN_S)  # for so long is looked at what goes by
        for monitor in (*busy.values(), *idle):
            monitor.link.look()
        for monitor in idle:
            monitor.link.wait_for(lambda text: "quiet 10 s" in text)
        time.sleep(1.0)  # until that has been written
        begun = time.monotonic()
        time.sleep(IDLE_S)
        written = [sum(len(one.data) for one in monitor.link.arrivals(begun)) / IDLE_S for monitor in idle]
        return Measured(
            {view: ratio.over_ideal for view, ratio in ratios.items()},
            {view: ratio.frames for view, ratio in ratios.items()},
            *written,
        )


def test_bytes_are_near_those_of_an_ideal_diff(measured: Measured) -> None:
    """At most 1.3 times what an ideal diff of the same frames needs, questions to the terminal included."""
    assert all(frames > SPAN_S for frames in measured.frames.values())
    assert all(ratio <= 1.3 for ratio in measured.over_ideal.values()), measured


def test_an_idle_account_view_writes_its_clock_and_without_it_nothing(measured: Measured) -> None:
    """Under 50 bytes a second while nothing arrives but pings, and none once ``T`` has hidden the clock."""
    assert 0 < measured.with_clock < 50
    assert measured.without_clock < 2
