"""Subscriptions that the server ends, renews or makes by itself."""

from __future__ import annotations

import pytest

from cadenza_tui.centrifugo.codes import Local

from .recorder import STREAM, Bench, subscribes


@pytest.fixture
def bench() -> Bench:
    """A session that is connected, its events taken."""
    bench = Bench()
    bench.connect()
    bench.log.take()
    return bench


def test_unsubscribe_push_below_2500_ends_the_channel(bench: Bench) -> None:
    """The channel is over, by the server's code."""
    bench.subscribe("a")
    bench.push("a", unsubscribe={"code": 2000})
    bench.publish("a", 1)
    assert bench.log.take()[-1] == ("unsubscribed", "a", 2000)
    assert bench.session.channels == []


def test_unsubscribe_push_from_2500_asks_again_from_the_position(bench: Bench) -> None:
    """The channel is asked for again at once, with recovery."""
    bench.subscribe("a", **STREAM, offset=7)
    bench.later(5)
    bench.push("a", unsubscribe={"code": 2500})
    assert bench.log.take()[-1] == ("subscribing", "a", 2500)
    assert subscribes(bench) == [{"channel": "a", "recover": True, "epoch": "e", "offset": 7}]


def test_unsubscribe_push_right_after_the_subscribe_is_not_answered_at_once(bench: Bench) -> None:
    """Subscribe and unsubscribe do not chase each other without a pause."""
    bench.subscribe("a")
    bench.push("a", unsubscribe={"code": 2500})
    assert subscribes(bench) == []
    bench.later(0.76)
    assert subscribes(bench) == [{"channel": "a"}]


def test_unsubscribe_push_while_a_subscribe_is_under_way_is_not_answered_by_another(bench: Bench) -> None:
    """Two subscribes of one channel would be answered by 105: the reply to the first decides."""
    bench.session.subscribe("a", bench.now)
    (command,) = bench.sent()
    bench.push("a", unsubscribe={"code": 2500})
    assert bench.sent() == []
    bench.reply(command, subscribe={})
    assert bench.log.names() == ["subscribing", "subscribed"]


def test_unsubscribe_push_below_2500_while_a_subscribe_is_under_way_takes_it_back(bench: Bench) -> None:
    """The server may still take the subscribe, so it is told that nobody wants the channel."""
    bench.session.subscribe("a", bench.now)
    bench.sent()
    bench.push("a", unsubscribe={"code": 2000})
    assert bench.log.names()[-1] == "unsubscribed"
    assert [held["unsubscribe"] for held in bench.sent()] == [{"channel": "a"}]


def test_unsubscribe_push_2502_forgets_the_position(bench: Bench) -> None:
    """The next recovery is asked from a position that no stream has, so that the loss is told."""
    bench.subscribe("a", **STREAM, offset=7)
    bench.later(5)
    bench.push("a", unsubscribe={"code": 2502})
    assert subscribes(bench) == [{"channel": "a", "recover": True, "epoch": "_"}]


def test_unsubscribe_push_2502_without_a_position_asks_plainly(bench: Bench) -> None:
    """Where there is no position there is none to forget."""
    bench.subscribe("a")
    bench.later(5)
    bench.push("a", unsubscribe={"code": 2502})
    assert subscribes(bench) == [{"channel": "a"}]


def test_unsubscribe_push_of_an_unknown_channel_is_ignored(bench: Bench) -> None:
    """It may come after the channel was given up."""
    bench.push("a", unsubscribe={"code": 2500})
    assert bench.log.take() == []
    assert bench.sent() == []


def test_close_3014_forgets_all_positions(bench: Bench) -> None:
    """Every channel is recovered from nowhere, and the loss is told by each."""
    bench.subscribe("a", **STREAM, offset=7)
    bench.subscribe("b", **STREAM, offset=9)
    bench.session.lost(3014, "state invalidated")
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [
        {"channel": channel, "recover": True, "epoch": "_"} for channel in ("a", "b")
    ]


def test_server_side_subscriptions_are_told_and_recovered() -> None:
    """What the server subscribes us to when we connect is live, and the next connect recovers it."""
    bench = Bench()
    bench.connect(subs={"s": STREAM | {"offset": 3}})
    bench.publish("s", 1, offset=4)
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    (command,) = bench.sent()
    assert command["connect"]["subs"] == {"s": {"recover": True, "epoch": "e", "offset": 4}}
    recovered = {"recovered": True, "offset": 4, "publications": [{"data": 2, "offset": 5}]}
    bench.reply(command, connect={"subs": {"s": STREAM | recovered}})
    assert [event for event in bench.log.events if event[0] == "publication"] == [
        ("publication", "s", 1),
        ("publication", "s", 2),
    ]


def test_server_side_subscription_without_positions_is_not_recovered() -> None:
    """There is nothing to recover from."""
    bench = Bench()
    bench.connect(subs={"s": {}})
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert "subs" not in bench.sent()[0]["connect"]


def test_server_side_subscription_that_does_not_come_back_is_over() -> None:
    """The next connect result decides."""
    bench = Bench()
    bench.connect(subs={"s": {}, "t": {}})
    bench.session.lost(1006, "")
    bench.reopen(subs={"t": {}})
    assert ("unsubscribed", "s", 2000) in bench.log.events
    assert bench.session.channels == ["t"]


def test_server_side_subscription_comes_and_goes_by_push(bench: Bench) -> None:
    """A subscribe push makes a channel live, an unsubscribe push ends it, whatever its code."""
    bench.push("s", subscribe={"recoverable": True, "epoch": "e", "offset": 1})
    bench.publish("s", 2, offset=2)
    bench.push("s", unsubscribe={"code": 2500})
    assert bench.log.take() == [("subscribed", "s"), ("publication", "s", 2), ("unsubscribed", "s", 2500)]
    assert bench.sent() == []


def test_listener_may_give_up_several_that_did_not_come_back() -> None:
    """A channel that is given up while another one's end is told ends once."""
    bench = Bench()
    bench.connect(subs={"s": {}, "t": {}})
    bench.log.hooks = {"unsubscribed": lambda *_: bench.session.unsubscribe("t", bench.now)}
    bench.session.lost(1006, "")
    bench.reopen()
    assert [event[1:] for event in bench.log.events if event[0] == "unsubscribed"] == [("s", 2000), ("t", 0)]
    assert not bench.session.listener_errors


def test_server_side_subscriptions_are_bounded() -> None:
    """A server that subscribes us to more than a connection carries does not fill our memory."""
    bench = Bench(channel_limit=3)
    bench.connect(subs={f"s{number}": {} for number in range(5)})
    bench.push("more", subscribe={})
    assert len(bench.session.channels) == 3
    assert bench.session.dropped["server-side subscription beyond the channel limit"] == 3


def test_subscription_of_the_program_wins_over_one_of_the_server(bench: Bench) -> None:
    """A channel is told once, by the subscription that was asked for."""
    bench.subscribe("a")
    bench.log.take()
    bench.push("a", subscribe={})
    assert bench.log.take() == []


def test_unsubscribe_push_with_code_0_is_the_servers(bench: Bench) -> None:
    """The channel is over, and not because the program gave it up."""
    bench.subscribe("a")
    bench.log.take()
    bench.push("a", unsubscribe={"code": 0, "reason": "delisted"})
    assert bench.log.take() == [("unsubscribed", "a", Local.BY_SERVER)]
    assert bench.log.reasons[-1] == "the server gave a code that has no meaning (delisted)"


def test_subscribe_that_is_refused_with_code_0_is_told_by_its_reason(bench: Bench) -> None:
    """It is asked for again, and what is told of it is the server's."""
    bench.session.subscribe("a", bench.now)
    (command,) = bench.sent()
    bench.log.take()
    bench.reply(command, error={"code": 0, "message": "not yet"})
    assert bench.log.take() == [("subscribing", "a", Local.BY_SERVER)]
    assert "not yet" in bench.log.reasons[-1]


def test_delta_of_a_server_side_subscription_is_a_gap() -> None:
    """It is not told; the server alone could subscribe it anew, so what it said counts as missing."""
    bench = Bench()
    bench.connect(subs={"s": STREAM | {"offset": 3}, "t": {}})
    bench.log.take()
    bench.publish("s", "7\n7:{}", offset=4, delta=True)
    bench.publish("s", "7\n7:{}", offset=7, delta=True)
    bench.publish("s", 8, offset=8)
    bench.publish("t", "7\n7:{}", delta=True)
    assert bench.log.take() == [
        ("gap", "s", 4, 5), ("gap", "s", 5, 8), ("publication", "s", 8), ("gap", "t", 1, 2)
    ]  # fmt: skip
    assert bench.session.dropped == {"delta on a channel that agreed to none": 3}
    assert bench.sent() == []
