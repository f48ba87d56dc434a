"""The screen takes no more than it is allowed, and no more than a link takes that says nothing of itself."""

from __future__ import annotations

import time
from contextlib import ExitStack

from tests.link.session import MARKET_VIEW, QUICK, SLOW, run_all, session

WATCHED_S = 4.0
KIB = 1024
BURST_S = 0.5
"""A span may begin or end with so many seconds' worth of the budget: frames are not cut."""


def test_a_terminal_that_never_answers_is_paced() -> None:
    """The market moves, a key works, and less than a second's worth waits in the buffer before the link.

    On a thin link, of which nothing can be known then, that is what ``--bandwidth`` is for.
    """
    with ExitStack() as stack:
        market = ["--view", "market"]
        quick = stack.enter_context(session(*market, answers=False, **QUICK))
        thin = stack.enter_context(session(*market, "--bandwidth", "1", answers=False, **SLOW))
        watched = {quick: QUICK["down"], thin: SLOW["down"]}
        run_all([(monitor, MARKET_VIEW) for monitor in watched])
        waited = dict.fromkeys(watched, 0)
        seen: dict[object, set[str]] = {monitor: set() for monitor in watched}
        end = time.monotonic() + WATCHED_S
        while time.monotonic() < end:
            time.sleep(0.1)  # between two looks
            for monitor in watched:
                waited[monitor] = max(waited[monitor], monitor.link.waiting())
                seen[monitor].add(monitor.link.look())
        quick.link.send("ga")
        quick.link.wait_for(lambda text: "Working orders" in text, 5.0)
    assert len(seen[quick]) > 2 * WATCHED_S
    assert len(seen[thin]) > WATCHED_S / 2
    assert all(waited[monitor] < rate for monitor, rate in watched.items()), waited.values()


def test_the_screen_keeps_to_its_bandwidth() -> None:
    """``--bandwidth 2``: no more than 2 KiB/s over a link that would take ten times as much."""
    with session("--view", "market", "--bandwidth", "2", **QUICK) as monitor:
        begun = monitor.run(MARKET_VIEW)
        monitor.link.watch(WATCHED_S)
        written = sum(len(one.data) for one in monitor.link.arrivals(begun, begun + WATCHED_S))
    assert WATCHED_S * 100 < written <= (WATCHED_S + BURST_S) * 2 * KIB
