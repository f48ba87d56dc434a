"""The session machine: connecting and pings, by scripted replies."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.ending import SessionState

from .recorder import Bench


@pytest.fixture
def bench() -> Bench:
    """A session that has not begun."""
    return Bench()


def test_connect_is_the_first_command_and_subscribes_follow_unasked() -> None:
    """The subscribes of what was declared before are pipelined behind the connect, in its frame."""
    bench = Bench(name="tui", version="1.2")
    bench.session.subscribe("a", bench.now)
    bench.begin()
    (frame,) = bench.session.take_outgoing()
    assert frame == (
        b'{"id":1,"connect":{"token":"token","name":"tui","version":"1.2"}}\n'
        b'{"id":2,"subscribe":{"channel":"a"}}'
    )


def test_many_subscribes_are_split_into_frames_of_64_kb() -> None:
    """No frame to the server is longer than it accepts."""
    bench = Bench(channel_limit=1000)
    names = [f"market:{number:04}:" + "x" * 200 for number in range(1000)]
    for name in names:
        bench.session.subscribe(name, bench.now)
    bench.begin()
    packed = bench.session.take_outgoing()
    assert len(packed) == 4
    assert max(map(len, packed)) <= 65_536
    assert sum(frame.count(b'"subscribe"') for frame in packed) == 1000


def test_connected_tells_what_the_server_said(bench: Bench) -> None:
    """The connect result reaches the listener, the server's text cleaned."""
    bench.connect(version="6.9\x1b[2J", time=1_700_000_000_000, session="s", node="n", data={"x": 1})
    (connected,) = bench.log.connected
    assert (connected.client, connected.ping, connected.pong) == ("c", 25, True)
    assert (connected.version, connected.time_ms) == ("6.9[2J", 1_700_000_000_000)
    assert bytes(connected.data) == b'{"x": 1}'
    assert bench.log.names() == ["connecting", "connected"]
    assert bench.session.state is SessionState.CONNECTED


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        ({"code": 100, "temporary": True}, Decision.RETRY),
        ({"code": 109}, Decision.RETRY),
        ({"code": 101}, Decision.TERMINAL),
        ({"code": 103, "message": "no"}, Decision.TERMINAL),
    ],
)
def test_connect_error_ends_the_attempt_as_its_code_says(
    bench: Bench, error: dict[str, Any], decision: Decision
) -> None:
    """A refused connect is tried again when temporary or expired, and is the end otherwise."""
    bench.begin()
    bench.reply(bench.sent()[0], error=error)
    assert bench.session.ending is not None
    assert bench.session.ending.code == error["code"]
    assert bench.session.ending.decision is decision
    assert bench.session.ending.token_spent is (error["code"] == 109)
    assert not bench.session.ending.was_connected


def test_connect_without_reply_is_tried_again(bench: Bench) -> None:
    """A server that takes the connect and says nothing is given up after the reply timeout."""
    bench.begin()
    assert bench.session.next_deadline() == bench.now + 10
    bench.later(9.9)
    assert bench.session.ending is None
    bench.later(0.2)
    assert bench.session.ending is not None
    assert bench.session.ending.code == Local.CONNECT_TIMEOUT
    assert bench.session.ending.decision is Decision.RETRY


def test_token_beyond_the_frame_limit_is_terminal(bench: Bench) -> None:
    """A token that no frame can carry is reported, and nothing is sent."""
    bench.session.begin()
    bench.session.subscribe("a", bench.now)
    bench.session.opened("x" * 70_000, bench.now)
    assert bench.sent() == []
    ending = bench.session.lost(1000, "")
    assert (ending.code, ending.decision) == (Local.COMMAND_TOO_LARGE, Decision.TERMINAL)


def test_pings_are_answered_and_told(bench: Bench) -> None:
    """An empty line is a ping; a server that asks for pongs gets one."""
    bench.connect()
    bench.say({})
    assert bench.session.has_news
    assert bench.sent() == [{}]
    assert not bench.session.has_news
    assert bench.log.names()[-1] == "ping"


@pytest.mark.parametrize("result", [{"pong": False}, {"ping": 0}])
def test_pings_are_not_answered_unless_asked_for(bench: Bench, result: dict[str, Any]) -> None:
    """Without ``pong`` in the connect result nothing is sent back."""
    bench.connect(**result)
    bench.say({})
    assert bench.sent() == []


def test_silence_beyond_ping_plus_ten_seconds_ends_the_connection(bench: Bench) -> None:
    """A link is dead when nothing at all came for the ping interval and 10 s; then it is dialled anew."""
    bench.connect()
    assert bench.session.next_deadline() == bench.now + 35
    bench.later(34.9)
    assert bench.session.ending is None
    bench.later(0.2)
    assert bench.session.ending is not None
    assert bench.session.ending.code == Local.NO_PING
    assert bench.session.ending.decision is Decision.RETRY


def test_any_frame_proves_the_link_alive(bench: Bench) -> None:
    """A publication, a reply and even a malformed frame put the deadline off."""
    bench.connect()
    bench.later(30)
    bench.session.receive(b"nonsense", bench.now)
    bench.later(30)
    assert bench.session.ending is None
    assert bench.session.next_deadline() == bench.now + 5


def test_replies_are_news_since_they_move_deadlines(bench: Bench) -> None:
    """Who waits for a deadline is told to look again: a reply may have brought an earlier one."""
    bench.connect(expires=True, ttl=1)
    assert bench.session.has_news
    assert bench.sent() == []
    assert not bench.session.has_news
    assert bench.session.next_deadline() == bench.now + 1


def test_server_without_pings_is_never_called_silent(bench: Bench) -> None:
    """With ``ping`` 0 there is nothing to wait for."""
    bench.connect(ping=0)
    assert bench.session.next_deadline() is None
    bench.later(1_000_000)
    assert bench.session.ending is None
