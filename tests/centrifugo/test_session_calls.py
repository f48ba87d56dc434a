"""The session machine: calls, by scripted replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.errors import (
    CallTimeout,
    CentrifugoError,
    CommandTooLarge,
    ConnectionLost,
    ReplyError,
    TooManyCalls,
)
from cadenza_tui.centrifugo.frames import (
    HistoryRequest,
    PresenceRequest,
    PresenceStatsRequest,
    Reply,
    RpcRequest,
    StreamPosition,
)

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


def test_presence_asks_for_one_channel(bench: Bench) -> None:
    """Who is there, and how many, come typed; what is known of each as the server spelled it."""
    bench.connect()
    who, many = Outcome(), Outcome()
    bench.session.call(PresenceRequest("a"), bench.now + 5, who)
    bench.session.call(PresenceStatsRequest("a"), bench.now + 5, many)
    first, second = bench.sent()
    assert first["presence"] == second["presence_stats"] == {"channel": "a"}
    bench.reply(first, presence={"presence": {"c1": {"client": "c1", "user": "u", "conn_info": {"x": 1}}}})
    bench.reply(second, presence_stats={"num_clients": 2, "num_users": 1})
    info = who.one.presence.presence["c1"]
    assert (info.client, info.user, bytes(info.conn_info), bytes(info.chan_info)) == (
        "c1",
        "u",
        b'{"x": 1}',
        b"null",
    )
    assert (many.one.presence_stats.num_clients, many.one.presence_stats.num_users) == (2, 1)


@pytest.mark.parametrize(("code", "temporary"), [(112, False), (113, True)])
def test_pagination_errors_reach_the_caller(bench: Bench, code: int, temporary: bool) -> None:
    """A position that is gone, and a page that is busy, fail the call and nothing else."""
    bench.connect()
    outcome = Outcome()
    bench.session.call(HistoryRequest("a", 10, StreamPosition(3, "e")), bench.now + 5, outcome)
    bench.reply(bench.sent()[0], error={"code": code, "message": "why", "temporary": temporary})
    assert isinstance(outcome.one, ReplyError)
    assert (outcome.one.code, outcome.one.temporary) == (code, temporary)
    assert bench.session.ending is None


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
