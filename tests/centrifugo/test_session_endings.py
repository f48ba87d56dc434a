"""The session machine: how connections end, and what cannot be read."""

from __future__ import annotations

import pytest

from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.ending import SessionState

from .recorder import Bench


@pytest.fixture
def bench() -> Bench:
    """A session that has not begun."""
    return Bench()


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


def test_disconnect_push_and_close_frame_are_one_ending(bench: Bench) -> None:
    """The two say the same thing: the loss is told once, by the first of them."""
    bench.connect()
    bench.log.take()
    bench.push(disconnect={"code": 3001, "reason": "shutdown"})
    bench.push(disconnect={"code": 3503, "reason": "again"})
    ending = bench.session.lost(3001, "shutdown")
    assert (ending.code, ending.decision) == (3001, Decision.RETRY)
    assert bench.log.take() == [("connecting", 3001)]


def test_wait_after_a_loss_is_told(bench: Bench) -> None:
    """The listener can say when the next attempt comes."""
    bench.connect()
    bench.session.lost(3001, "shutdown")
    bench.session.waiting(0.7)
    assert bench.log.take()[-2:] == [("connecting", 3001), ("waiting", 0.7)]


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


def test_unsent_commands_die_with_their_connection(bench: Bench) -> None:
    """What was queued for one transport is never sent on the next."""
    bench.begin()
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert [command["id"] for command in bench.sent()] == [2]


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
    bench.push("a", leave={"info": {}})
    bench.push("", message={"data": 1})
    bench.push("", connect={"client": "x", "subs": {"s": {}}})
    bench.push("", yet_to_be_invented={"data": 1})
    bench.push("")
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


@pytest.mark.parametrize("code", [0, 1, 10, 99])
def test_code_of_the_server_is_never_taken_for_one_of_this_side(bench: Bench, code: int) -> None:
    """A disconnect push with such a code is told as the server's, with its reason, and retried."""
    bench.connect()
    bench.subscribe("a")
    bench.log.take()
    bench.push(disconnect={"code": code, "reason": "maintenance"})
    ending = bench.session.lost(1000, "")
    assert (ending.code, ending.decision) == (Local.BY_SERVER, Decision.RETRY)
    assert ending.reason == "the server gave a code that has no meaning (maintenance)"
    assert bench.log.take() == [("connecting", Local.BY_SERVER), ("subscribing", "a", Local.BY_SERVER)]


def test_close_of_the_transport_with_code_0_is_not_closed_on_request(bench: Bench) -> None:
    """Only what this side asked for is."""
    bench.connect()
    ending = bench.session.lost(0, "maintenance")
    assert (ending.code, ending.decision) == (Local.BY_SERVER, Decision.RETRY)
    assert "on request" not in ending.reason
    bench.reopen()
    bench.session.close()
    assert bench.session.lost(1000, "").code == Local.CALLED


def test_connect_that_is_refused_with_code_0_is_told_by_its_reason(bench: Bench) -> None:
    """An error below 100 is another attempt, and the server's."""
    bench.begin()
    (command,) = bench.sent()
    bench.reply(command, error={"code": 0, "message": "not yet"})
    ending = bench.session.lost(1000, "")
    assert (ending.code, ending.decision) == (Local.BY_SERVER, Decision.RETRY)
    assert "not yet" in ending.reason
