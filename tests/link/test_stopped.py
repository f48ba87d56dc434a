"""A terminal that stops taking anything, as with ``ctrl+s`` or a paused pane, stops nothing else."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.link.session import ACCOUNT_VIEW, MARKET_VIEW, QUICK, run_all, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.link.ages import Frame
    from tests.link.session import Session

SHALLOW = 2_048
"""A buffer that one frame can fill: then the program's writes block, as on a terminal of this machine."""
STOP_S = 30.0
AGAIN_S = 1.5
HELD = 2
"""At most so many frames may be on their way when the screen stops."""
PRESENT_S = 0.5
SOON_S = 1.0
QUEUED = 24 * 1024
"""More bytes than two whole screens."""
MIB = 1 << 20


def press_all_over(*watched: Session) -> None:
    """Go from view to view and change the size, as somebody does who sees nothing happen."""
    for width in (*range(90, 100), 80):
        for keys in ("gh", "ga", "gm"):
            for monitor in watched:
                monitor.link.send(keys)
            time.sleep(0.07)  # a person's fingers
        for monitor in watched:
            monitor.link.resize(width, 24)


def check_present(monitor: Session, places: Sequence[str]) -> None:
    """Let a screen go on, and check that the first frame that was not held shows the present.

    A frame is held that was written before an answer to what came before can have reached the program.
    """
    gone = monitor.link.go()
    answered = gone + 2 * QUICK["delay"]

    def after(*, held: bool) -> list[Frame]:
        frames = [frame for frame in monitor.ages.frames if frame.at > gone]
        return [frame for frame in frames if (frame.written < answered) == held]

    assert monitor.link.watch(10.0, lambda: after(held=False)), monitor.link.text
    assert len(after(held=True)) <= HELD
    first = after(held=False)[0]
    assert monitor.age_in(first, places) <= PRESENT_S + monitor.link.late(gone, first.at), first


def check_soon_present(monitor: Session, places: Sequence[str]) -> None:
    """Let a screen go on, and check that it soon shows the present: two whole screens may come first."""
    gone = monitor.link.go()

    def present() -> list[Frame]:
        frames = [frame for frame in monitor.ages.frames if frame.at > gone]
        return [frame for frame in frames if monitor.age_in(frame, places) <= PRESENT_S]

    assert monitor.link.watch(10.0, present), monitor.link.text
    first = present()[0]
    assert first.at - gone - monitor.link.late(gone, first.at) <= SOON_S


def test_half_a_minute_of_standstill_stops_nothing_else() -> None:
    """Pings are answered, books stay in sync, the loop runs on, memory does not grow; then comes the present.

    One screen stops with a shallow buffer before it and keys that go on, one with a deep buffer.
    """
    with ExitStack() as stack:
        market = stack.enter_context(session("--view", "market", buffer=SHALLOW, **QUICK))
        account = stack.enter_context(session("--view", "account", buffer=MIB, **QUICK))
        watched = ((market, MARKET_VIEW), (account, ACCOUNT_VIEW))
        since = run_all(watched)
        memory = [monitor.link.resident_bytes() for monitor, _ in watched]
        stopped = [monitor.link.stop() for monitor, _ in watched]
        press_all_over(market)
        time.sleep(max(stopped[0] + STOP_S - time.monotonic(), 0.0))  # the length of the stop is the test
        for (monitor, _), before in zip(watched, memory, strict=True):
            told = monitor.market.told()
            assert told["connections"] == 1
            pongs = told["pongs"][:-1]
            assert len(pongs) > STOP_S * 0.9
            assert None not in pongs
            assert monitor.link.resident_bytes() - before < 8 * MIB
            assert monitor.link.waiting() < QUEUED, "frames were queued"
        check_present(account, ACCOUNT_VIEW)
        check_soon_present(market, MARKET_VIEW)
        market.link.watch(1.0)
        market.link.stop()
        market.link.watch(AGAIN_S)
        check_present(market, MARKET_VIEW)
        market.link.watch(1.2)  # the trace has its line of that second by then
        for monitor, _ in watched:
            assert monitor.stall_ms(since, time.monotonic()) <= 50.0
            assert all(line["in_sync"] == line["books"] == 1 for line in monitor.trace()[2:])


def test_one_can_leave_a_screen_that_has_stopped() -> None:
    """``q`` ends the program within two seconds, and the terminal's settings are those it was found with.

    Of two screens one has a shallow buffer before it, one a deep one.
    """
    with ExitStack() as stack:
        watched = [
            stack.enter_context(session("--view", "market", buffer=buffer, **QUICK))
            for buffer in (SHALLOW, MIB)
        ]
        run_all([(monitor, MARKET_VIEW) for monitor in watched])
        for monitor in watched:
            monitor.link.stop()
        press_all_over(*watched)
        for monitor in watched:
            pressed = monitor.link.send("q")
            try:
                assert monitor.link.process.wait(10) == 0
            except subprocess.TimeoutExpired:
                pytest.fail("it never ended")
            now = time.monotonic()
            assert now - pressed - monitor.link.late(pressed, now) <= 2.0
            assert monitor.link.attributes() == monitor.link.found
