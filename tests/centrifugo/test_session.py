"""The session machine: connecting, pings, endings, calls and tokens, by scripted replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.errors import (
    CallTimeout,
    CentrifugoError,
    CommandTooLarge,
    ConnectionLost,
    ReplyError,
    TooManyCalls,
)
from cadenza_tui.centrifugo.frames import HistoryRequest, Reply, RpcRequest, StreamPosition
from cadenza_tui.centrifugo.session import SessionState

from .recorder import Bench

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.calls import Call


@pytest.fixture
def bench() -> Bench:
    """A session that has not begun."""
    return Bench()


class Outcome:
    """What a call came to."""

    def __init__(self) -> None:
        self.results: list[Reply | CentrifugoError] = []

    def __call__(self, result: Reply | CentrifugoError) -> None:
        self.results.append(result)

    @property
    def one(self) -> Any:
        """The only result."""
        (result,) = self.results
        return result


def rpc(bench: Bench, method: str = "m", seconds: float = 5.0) -> tuple[Outcome, Call]:
    """Make an RPC."""
    outcome = Outcome()
    return outcome, bench.session.call(RpcRequest(method, {"a": 1}), bench.now + seconds, outcome)


# --- connecting


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


# --- pings


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


# --- endings


def test_lost_connection_goes_back_to_connecting(bench: Bench) -> None:
    """A temporary loss is told with its code; live channels are asked for again."""
    bench.connect()
    bench.subscribe("a")
    bench.log.take()
    ending = bench.session.lost(3001, "shutdown")
    assert (ending.code, ending.decision, ending.was_connected) == (3001, Decision.RETRY, True)
    assert bench.log.take() == [("connecting", 3001), ("subscribing", "a", 3001)]


def test_failed_attempt_is_not_told_as_a_loss(bench: Bench) -> None:
    """While connecting, another failed attempt changes no state."""
    bench.begin()
    bench.log.take()
    bench.session.lost(1006, "")
    assert bench.log.take() == []


def test_terminal_close_is_not_told_as_connecting(bench: Bench) -> None:
    """After a terminal code no attempt follows; the end is told once."""
    bench.connect()
    bench.log.take()
    ending = bench.session.lost(3500, "invalid token")
    bench.session.end(ending.code, ending.reason)
    assert ending.decision is Decision.TERMINAL
    assert bench.log.take() == [("disconnected", 3500)]
    assert bench.session.state is SessionState.DISCONNECTED


@pytest.mark.parametrize(("code", "decision"), [(3499, Decision.RETRY), (3500, Decision.TERMINAL)])
def test_disconnect_push_counts_as_the_close_code(bench: Bench, code: int, decision: Decision) -> None:
    """A disconnect in a push decides, whatever the close frame then says; later lines are passed over."""
    bench.connect()
    bench.subscribe("a")
    bench.log.take()
    bench.say(
        {"push": {"disconnect": {"code": code, "reason": "why", "reconnect": False}}},
        {"push": {"channel": "a", "pub": {"data": 1}}},
    )
    bench.publish("a", 2)
    assert bench.log.take() == []
    ending = bench.session.lost(1000, "")
    assert (ending.code, ending.decision) == (code, decision)
    assert "why" in ending.reason


def test_first_ending_counts(bench: Bench) -> None:
    """What comes after the first reason to end is a consequence of it."""
    bench.connect()
    bench.session.stalled()
    bench.session.close()
    assert bench.session.lost(3500, "").code == Local.SEND_TIMEOUT


@pytest.mark.parametrize(("code", "spent"), [(3005, True), (3014, True), (3001, False), (1006, False)])
def test_token_is_spent_after_expiry_and_invalidation(bench: Bench, code: int, spent: bool) -> None:
    """After 3005 and 3014 the next connect needs another token; after others the same will do."""
    bench.connect()
    assert bench.session.lost(code, "").token_spent is spent


def test_reply_of_an_earlier_connection_is_discarded(bench: Bench) -> None:
    """Ids are never used twice, so a stale reply belongs to nothing."""
    bench.connect()
    old, _ = rpc(bench)
    (command,) = bench.sent()
    bench.session.lost(1006, "")
    bench.reopen()
    new, _ = rpc(bench)
    bench.reply(command, rpc={"data": "stale"})
    assert isinstance(old.one, ConnectionLost)
    assert new.results == []
    assert bench.session.dropped["reply to a call that is over"] == 1


def test_unsent_commands_die_with_their_connection(bench: Bench) -> None:
    """What was queued for one transport is never sent on the next."""
    bench.begin()
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert [command["id"] for command in bench.sent()] == [2]


# --- malformed


def test_malformed_lines_are_told_by_name_and_harm_nothing(bench: Bench) -> None:
    """The lines around one that cannot be used are used."""
    bench.connect()
    bench.subscribe("a")
    bench.log.take()
    bench.session.receive(b'{"push":{"channel":"a","pub":{"data":1}}}\n{"pu\n{}', bench.now)
    assert bench.log.take() == [("malformed", "line is not JSON"), ("publication", "a", 1), ("ping",)]


def test_unknown_pushes_are_ignored(bench: Bench) -> None:
    """Joins, messages and kinds yet to be invented change nothing."""
    bench.connect()
    bench.log.take()
    bench.push("a", join={"info": {}})
    bench.push("", message={"data": 1})
    assert bench.log.take() == []
    assert bench.session.ending is None


def test_frame_sizes_are_told_for_every_frame(bench: Bench) -> None:
    """The listener can count bytes, pings included."""
    bench.connect()
    bench.session.receive(b"{}", bench.now)
    bench.session.receive(b"nonsense", bench.now)
    assert bench.log.sizes[-2:] == [2, 8]


def test_exceptions_of_callbacks_are_counted_and_end_nothing(bench: Bench) -> None:
    """A defect in the listener costs one event, never the session."""

    def defect(*_: object) -> None:
        raise KeyError("defect")

    bench.log.hooks = dict.fromkeys(("publication", "connected", "frame"), defect)
    bench.connect()
    bench.subscribe("a")
    bench.publish("a", 1)
    bench.publish("a", 2)
    assert bench.session.listener_errors["KeyError"] == 2 + 1 + 4
    assert bench.log.names().count("publication") == 2
    assert bench.session.ending is None


# --- calls


def test_rpc_returns_its_data_raw(bench: Bench) -> None:
    """The reply reaches the caller, its data as the server spelled it."""
    bench.connect()
    outcome, _ = rpc(bench, "query.x")
    (command,) = bench.sent()
    assert command["rpc"] == {"method": "query.x", "data": {"a": 1}}
    bench.session.receive(b'{"id":%d,"rpc":{"data":{"p": 1.50}}}' % command["id"], bench.now)
    assert bytes(outcome.one.rpc.data) == b'{"p": 1.50}'


def test_history_asks_from_a_position(bench: Bench) -> None:
    """The limit, the position and the direction are sent, and zero values left out."""
    bench.connect()
    outcome = Outcome()
    bench.session.call(HistoryRequest("a", -1, StreamPosition(3, "e"), reverse=True), bench.now + 5, outcome)
    bench.session.call(HistoryRequest("a"), bench.now + 5, outcome)
    first, second = bench.sent()
    assert first["history"] == {
        "channel": "a",
        "limit": -1,
        "since": {"offset": 3, "epoch": "e"},
        "reverse": True,
    }
    assert second["history"] == {"channel": "a"}
    bench.reply(first, history={"publications": [{"data": 1, "offset": 3}], "offset": 9, "epoch": "e"})
    assert outcome.one.history.offset == 9


def test_error_reply_fails_the_call_with_its_code(bench: Bench) -> None:
    """The caller sees code, sentence and remedy."""
    bench.connect()
    outcome, _ = rpc(bench)
    bench.reply(bench.sent()[0], error={"code": 104, "message": "method not found"})
    assert isinstance(outcome.one, ReplyError)
    assert outcome.one.code == 104
    assert "method not found" in str(outcome.one)
    assert outcome.one.remedy


def test_call_without_reply_times_out(bench: Bench) -> None:
    """After its deadline a call fails, and its late reply is passed over; the connection stays."""
    bench.connect(ping=0)
    outcome, _ = rpc(bench, seconds=5)
    (command,) = bench.sent()
    assert bench.session.next_deadline() == bench.now + 5
    bench.later(5)
    bench.reply(command, rpc={"data": 1})
    assert isinstance(outcome.one, CallTimeout)
    assert bench.session.ending is None


def test_call_waits_for_a_connection(bench: Bench) -> None:
    """A call made while connecting is sent after the connect reply, and survives failed attempts."""
    outcome, _ = rpc(bench)
    bench.begin()
    assert [list(command)[1] for command in bench.sent()] == ["connect"]
    bench.session.lost(1006, "")
    bench.reopen()
    (command,) = bench.sent()
    bench.reply(command, rpc={"data": 1})
    assert isinstance(outcome.one, Reply)


def test_waiting_call_times_out_without_a_connection(bench: Bench) -> None:
    """The wait for a connection is part of the timeout."""
    outcome, _ = rpc(bench, seconds=5)
    bench.later(5)
    assert isinstance(outcome.one, CallTimeout)


def test_calls_under_way_fail_with_their_connection(bench: Bench) -> None:
    """Nobody waits for a reply that cannot come."""
    bench.connect()
    outcome, _ = rpc(bench)
    bench.session.lost(1006, "")
    assert isinstance(outcome.one, ConnectionLost)


def test_waiting_calls_fail_at_the_end(bench: Bench) -> None:
    """When no attempt will follow, nothing keeps waiting."""
    outcome, _ = rpc(bench)
    bench.session.end(0, "closed")
    assert isinstance(outcome.one, ConnectionLost)


@pytest.mark.parametrize("connected", [False, True])
def test_calls_are_bounded(connected: bool) -> None:
    """More calls than the limit are refused at once; a finished, cancelled or lost one makes room."""
    bench = Bench(max_calls=2)
    if connected:
        bench.connect()
    _, first = rpc(bench)
    rpc(bench)
    with pytest.raises(TooManyCalls):
        rpc(bench)
    bench.session.cancel(first)
    bench.session.cancel(first)
    rpc(bench)
    with pytest.raises(TooManyCalls):
        rpc(bench)
    bench.session.end(0, "closed")
    rpc(bench)


def test_cancelled_call_hears_nothing(bench: Bench) -> None:
    """The reply to a cancelled call is passed over."""
    bench.connect()
    outcome, call = rpc(bench)
    (command,) = bench.sent()
    bench.session.cancel(call)
    bench.reply(command, rpc={"data": 1})
    assert outcome.results == []


def test_outcome_is_handed_over_once(bench: Bench) -> None:
    """A call that has ended cannot end again."""
    bench.connect()
    outcome, call = rpc(bench)
    bench.reply(bench.sent()[0], rpc={"data": 1})
    call.fail_lost()
    assert len(outcome.results) == 1


@pytest.mark.parametrize("connected", [False, True])
def test_call_that_fits_no_frame_is_refused_at_once(bench: Bench, connected: bool) -> None:
    """Too large parameters fail where they are given, and end nothing."""
    if connected:
        bench.connect()
    with pytest.raises(CommandTooLarge):
        bench.session.call(RpcRequest("m", "x" * 70_000), bench.now + 5, Outcome())
    with pytest.raises(TypeError):
        bench.session.call(RpcRequest("m", object()), bench.now + 5, Outcome())
    assert bench.session.ending is None


# --- token refresh


def test_new_token_is_asked_for_after_ttl(bench: Bench) -> None:
    """An expiring connection wants a token at its ttl, sends it, and counts the next ttl from the reply."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.later(19)
    assert not bench.session.token_wanted
    bench.later(1)
    assert bench.session.token_wanted
    bench.session.refresh("new", bench.now)
    (command,) = bench.sent()
    assert command["refresh"] == {"token": "new"}
    bench.reply(command, refresh={"expires": True, "ttl": 30})
    assert bench.session.next_deadline() == bench.now + 30


def test_refresh_to_a_token_that_does_not_expire_ends_the_round(bench: Bench) -> None:
    """A token without expiry is the last one asked for."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.later(20)
    bench.session.refresh("new", bench.now)
    bench.reply(bench.sent()[0], refresh={})
    assert bench.session.next_deadline() is None


def test_refreshes_do_not_chase_each_other(bench: Bench) -> None:
    """A refresh reply with no time to live does not lead to the next refresh at once."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.later(20)
    bench.session.refresh("new", bench.now)
    bench.reply(bench.sent()[0], refresh={"expires": True})
    assert bench.session.next_deadline() == bench.now + 5


def test_failing_token_source_is_asked_again_in_five_to_ten_seconds(bench: Bench) -> None:
    """A token that cannot be had now is asked for again."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.later(20)
    bench.session.refresh_failed(bench.now)
    assert not bench.session.token_wanted
    assert bench.session.next_deadline() == bench.now + 7.5
    bench.later(7.5)
    assert bench.session.token_wanted


@pytest.mark.parametrize("reply", [{"error": {"code": 100, "temporary": True}}, None])
def test_failing_refresh_is_tried_again(bench: Bench, reply: dict[str, Any] | None) -> None:
    """A temporary error, or no reply at all, leads to another refresh."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.later(20)
    bench.session.refresh("new", bench.now)
    (command,) = bench.sent()
    if reply is None:
        bench.later(10)
    else:
        bench.reply(command, **reply)
    bench.later(7.5)
    assert bench.session.token_wanted
    assert bench.session.ending is None


def test_refused_refresh_is_terminal(bench: Bench) -> None:
    """A server that will not have the new token ends the client."""
    bench.connect(expires=True, ttl=20)
    bench.later(20)
    bench.session.refresh("new", bench.now)
    bench.reply(bench.sent()[0], error={"code": 103})
    ending = bench.session.lost(1000, "")
    assert (ending.code, ending.decision) == (103, Decision.TERMINAL)


def test_refresh_that_fits_no_frame_is_terminal(bench: Bench) -> None:
    """A token that no frame can carry ends the client with a sentence."""
    bench.connect(expires=True, ttl=20)
    bench.session.refresh("x" * 70_000, bench.now)
    assert bench.session.lost(1000, "").code == Local.COMMAND_TOO_LARGE


def test_token_that_comes_after_the_loss_is_not_sent(bench: Bench) -> None:
    """A refresh belongs to its connection."""
    bench.connect(expires=True, ttl=20)
    bench.session.lost(1006, "")
    bench.session.refresh("new", bench.now)
    assert bench.sent() == []


def test_unauthorized_source_is_terminal(bench: Bench) -> None:
    """A source that will have no token ends the client."""
    bench.connect()
    bench.session.unauthorized("signed out")
    ending = bench.session.lost(1000, "")
    assert (ending.code, ending.decision) == (Local.UNAUTHORIZED, Decision.TERMINAL)
    assert "signed out" in ending.reason
