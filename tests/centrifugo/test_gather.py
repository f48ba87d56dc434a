"""A busy socket is read in gulps, a quiet one at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_tui.centrifugo.gather import BUSY_AFTER, FULL_GULP, Gather

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

PAUSE = 0.02
SIZE = 500


class Valve:
    """Notes whether reading is paused; time passes by ``ring``."""

    def __init__(self) -> None:
        self.paused = False
        self.timers: list[tuple[float, Callable[[], object]]] = []
        self.cancelled = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def call_later(self, delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        self.timers.append((delay, callback))
        return self  # type: ignore[return-value]

    def cancel(self) -> None:
        self.cancelled = True

    def ring(self) -> None:
        self.timers.pop()[1]()


@pytest.fixture
def valve() -> Valve:
    """A valve that is open."""
    return Valve()


def busy(valve: Valve, pause: float = PAUSE) -> Gather:
    """Return a gather that has just seen a stream become busy."""
    gather = Gather(valve, pause, valve.call_later)
    for number in range(BUSY_AFTER + 1):
        gather.frame(1.0 + number * 0.001, SIZE)
    return gather


def test_a_busy_stream_rests_for_the_pause(valve: Valve) -> None:
    """After a gulp reading pauses, once, and goes on when the pause is over."""
    gather = busy(valve)
    assert valve.paused
    gather.frame(1.006, SIZE)
    assert [delay for delay, _ in valve.timers] == [PAUSE]
    valve.ring()
    assert not valve.paused


def test_a_rest_holds_though_websockets_resumes(valve: Valve) -> None:
    """Frames that were queued when the rest began do not end it."""
    gather = busy(valve)
    valve.resume_reading()
    gather.frame(1.007, SIZE)
    assert valve.paused


def test_few_frames_and_frames_far_apart_are_never_held_up(valve: Valve) -> None:
    """Replies in a row, pings and slow markets find the socket open."""
    gather = Gather(valve, PAUSE, valve.call_later)
    for number in range(BUSY_AFTER):
        gather.frame(1.0 + number * 0.001, SIZE)
    for number in range(50):
        gather.frame(2.0 + number * PAUSE, SIZE)
    assert not valve.paused
    assert not valve.timers


def test_no_pause_is_no_rest(valve: Valve) -> None:
    """A pause of 0 turns it off."""
    busy(valve, pause=0.0)
    assert not valve.paused


def test_closing_opens_the_socket_again(valve: Valve) -> None:
    """The close handshake can be read."""
    gather = busy(valve)
    gather.close()
    assert valve.cancelled
    assert not valve.paused


def test_a_flood_is_not_held_up(valve: Valve) -> None:
    """Where each pause brings a full gulp, the rest that has begun ends and none begins."""
    gather = busy(valve)
    gather.frame(1.006, FULL_GULP)
    assert not valve.paused
    assert valve.cancelled
    gather.frame(1.007, SIZE)
    assert not valve.paused


def test_a_flood_that_ebbs_is_read_in_gulps_again(valve: Valve) -> None:
    """The bytes are those of one pause, not of all time."""
    gather = busy(valve)
    gather.frame(1.006, FULL_GULP)
    for number in range(BUSY_AFTER + 1):
        gather.frame(1.03 + number * 0.001, SIZE)
    assert valve.paused
