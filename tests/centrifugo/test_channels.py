"""Subscriptions: asking, giving up and being refused, by scripted replies."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.errors import (
    ChannelLimit,
)

from .recorder import STREAM, Bench, subscribes


@pytest.fixture
def bench() -> Bench:
    """A session that is connected, its events taken."""
    bench = Bench()
    bench.connect()
    bench.log.take()
    return bench


def test_subscribe_while_connected_is_sent_at_once(bench: Bench) -> None:
    """The channel goes through subscribing to subscribed, then publications come."""
    bench.subscribe("a")
    bench.publish("a", {"x": None})
    assert bench.log.take() == [
        ("subscribing", "a", Local.CALLED),
        ("subscribed", "a"),
        ("publication", "a", {"x": None}),
    ]


def test_subscribe_twice_is_one_subscribe(bench: Bench) -> None:
    """Asking again for what is asked for changes nothing."""
    bench.session.subscribe("a", bench.now)
    bench.session.subscribe("a", bench.now)
    assert subscribes(bench) == [{"channel": "a"}]
    assert bench.session.channels == ["a"]


def test_recoverable_can_be_asked_for(bench: Bench) -> None:
    """Where the server leaves it to the client, positions are asked for."""
    bench.session.subscribe("a", bench.now, recoverable=True)
    assert subscribes(bench) == [{"channel": "a", "recoverable": True}]


def test_channel_beyond_the_limit_is_refused_with_a_sentence() -> None:
    """The 129th channel is refused here, before the server would; giving one up makes room."""
    bench = Bench()
    for number in range(128):
        bench.session.subscribe(f"c{number}", bench.now)
    bench.session.subscribe("c0", bench.now)
    with pytest.raises(ChannelLimit, match="x would be channel 129, but a connection carries 128") as refusal:
        bench.session.subscribe("x", bench.now)
    assert refusal.value.remedy
    bench.session.unsubscribe("c5", bench.now)
    bench.session.subscribe("x", bench.now)
    assert len(bench.session.channels) == 128


def test_channel_limit_can_be_raised() -> None:
    """A server that carries more is told so by an option."""
    bench = Bench(channel_limit=129)
    for number in range(129):
        bench.session.subscribe(f"c{number}", bench.now)
    assert len(bench.session.channels) == 129


@pytest.mark.parametrize("channel", ["", "x" * 256])
def test_impossible_channel_names_are_refused(bench: Bench, channel: str) -> None:
    """An empty name, or one longer than a server takes, is a defect of the caller."""
    with pytest.raises(ValueError, match="a channel name has 1 to 255 characters"):
        bench.session.subscribe(channel, bench.now)


def test_unsubscribe_stops_publications(bench: Bench) -> None:
    """After giving a channel up nothing more of it is told, even if the server goes on for a while."""
    bench.subscribe("a")
    bench.log.take()
    bench.session.unsubscribe("a", bench.now)
    bench.publish("a", 1)
    assert bench.log.take() == [("unsubscribed", "a", Local.CALLED)]
    assert bench.sent()[-1]["unsubscribe"] == {"channel": "a"}
    assert bench.session.dropped["publication of a channel that is not subscribed"] == 1


def test_unsubscribe_of_an_unknown_channel_does_nothing(bench: Bench) -> None:
    """Giving up what is not asked for is no event."""
    bench.session.unsubscribe("a", bench.now)
    assert bench.log.take() == []
    assert bench.sent() == []


def test_unsubscribe_before_connecting_is_never_sent() -> None:
    """A channel that the server never heard of is simply dropped."""
    bench = Bench()
    bench.session.subscribe("a", bench.now)
    bench.session.unsubscribe("a", bench.now)
    bench.begin()
    assert [list(command)[1] for command in bench.sent()] == ["connect"]


def test_unsubscribe_between_command_and_reply_discards_the_reply(bench: Bench) -> None:
    """The late subscribe reply does not revive the channel."""
    bench.session.subscribe("a", bench.now)
    (command,) = bench.sent()
    bench.session.unsubscribe("a", bench.now)
    bench.log.take()
    bench.reply(command, subscribe={})
    bench.publish("a", 1)
    assert bench.log.take() == []
    assert bench.session.dropped["reply to a call that is over"] == 1


def test_first_of_two_subscribes_of_one_channel_is_stale(bench: Bench) -> None:
    """After subscribe, unsubscribe, subscribe only the last reply counts."""
    bench.session.subscribe("a", bench.now)
    bench.session.unsubscribe("a", bench.now)
    bench.session.subscribe("a", bench.now)
    first, _, second = bench.sent()
    bench.reply(first, error={"code": 103})
    bench.reply(second, subscribe={})
    assert bench.log.names() == ["subscribing", "unsubscribed", "subscribing", "subscribed"]


@pytest.mark.parametrize("answer", ["error", "silence"])
def test_unsubscribe_that_fails_forces_a_reconnect(bench: Bench, answer: str) -> None:
    """What the server still believes is unknown then, so the connection starts over."""
    bench.subscribe("a")
    bench.session.unsubscribe("a", bench.now)
    (command,) = [held for held in bench.sent() if "unsubscribe" in held]
    if answer == "error":
        bench.reply(command, error={"code": 100})
    else:
        bench.later(10)
    assert bench.session.ending is not None
    assert bench.session.ending.code == Local.UNSUBSCRIBE_FAILED
    assert bench.session.ending.decision is Decision.RETRY


def test_confirmed_unsubscribe_ends_nothing(bench: Bench) -> None:
    """The reply to an unsubscribe is no event."""
    bench.subscribe("a")
    bench.session.unsubscribe("a", bench.now)
    (command,) = [held for held in bench.sent() if "unsubscribe" in held]
    bench.reply(command, unsubscribe={})
    bench.later(20)
    assert bench.session.ending is None


def test_listener_may_give_a_channel_up_in_its_callbacks(bench: Bench) -> None:
    """A channel given up while it is announced gets no publications, and is not sent for."""
    give_up = lambda channel, *_: bench.session.unsubscribe(channel, bench.now)  # noqa: E731
    bench.log.hooks = {"subscribing": give_up}
    bench.session.subscribe("a", bench.now)
    assert bench.sent() == []
    bench.log.hooks = {"subscribed": give_up}
    bench.subscribe("b", publications=[{"data": 1, "offset": 1}])
    assert "publication" not in bench.log.names()
    assert bench.session.channels == []


def test_listener_may_give_a_channel_up_at_a_gap(bench: Bench) -> None:
    """What follows the gap is then not told."""
    bench.log.hooks = {"gap": lambda channel, *_: bench.session.unsubscribe(channel, bench.now)}
    bench.subscribe("a", **STREAM, offset=1)
    bench.publish("a", 5, offset=5)
    assert bench.log.names()[-2:] == ["gap", "unsubscribed"]


def test_listener_may_give_a_channel_up_when_it_is_asked_for_again(bench: Bench) -> None:
    """A resubscribe that nobody wants any more is not sent."""
    bench.subscribe("a")
    bench.log.hooks = {"subscribing": lambda channel, *_: bench.session.unsubscribe(channel, bench.now)}
    bench.later(5)
    bench.push("a", unsubscribe={"code": 2500})
    assert subscribes(bench) == []
    assert bench.session.channels == []


@pytest.mark.parametrize("error", [{"code": 100, "temporary": True}, {"code": 109}])
def test_temporary_refusal_is_tried_again_with_backoff(bench: Bench, error: dict[str, Any]) -> None:
    """The wait grows with each refusal, and a success resets it."""
    bench.session.subscribe("a", bench.now)
    for wait in (0.75, 1.0, 1.5):
        (command,) = bench.sent()
        bench.reply(command, error=error)
        assert bench.session.next_deadline() == pytest.approx(bench.now + wait)
        bench.later(wait + 0.001)
    bench.answer("a")
    bench.push("a", unsubscribe={"code": 2500})
    bench.later(0.76)
    assert subscribes(bench) == [{"channel": "a"}]


def test_temporary_refusal_is_told_with_its_reason(bench: Bench) -> None:
    """Who waits for the channel can see why it does not come."""
    bench.session.subscribe("a", bench.now)
    bench.log.take()
    bench.reply(bench.sent()[0], error={"code": 111, "message": "too many requests", "temporary": True})
    assert bench.log.take() == [("subscribing", "a", 111)]
    assert bench.log.reasons[-1] == "too many requests"


def test_channel_whose_epoch_fits_no_frame_ends_alone(bench: Bench) -> None:
    """A server's own absurd epoch cannot be sent back: that channel ends, and the others go on."""
    bench.subscribe("a", recoverable=True, epoch="e" * 70_000)
    bench.subscribe("b")
    bench.lose(1006)
    assert [held["channel"] for held in subscribes(bench)] == ["b"]
    assert ("unsubscribed", "a", Local.COMMAND_TOO_LARGE) in bench.log.events
    assert bench.session.ending is None


def test_permanent_refusal_ends_the_channel_alone(bench: Bench) -> None:
    """The channel ends with the server's code, the connection and the others go on."""
    bench.subscribe("b")
    bench.session.subscribe("a", bench.now)
    (command,) = [held for held in bench.sent() if held.get("subscribe", {}).get("channel") == "a"]
    bench.reply(command, error={"code": 103, "message": "permission denied"})
    bench.publish("b", 1)
    assert bench.log.take()[-2:] == [("unsubscribed", "a", 103), ("publication", "b", 1)]
    assert bench.session.channels == ["b"]


def test_subscribe_without_reply_forces_a_reconnect(bench: Bench) -> None:
    """The server may have taken it, and a bare retry would be answered by 105."""
    bench.session.subscribe("a", bench.now)
    bench.later(10)
    ending = bench.session.lost(1000, "")
    assert (ending.code, ending.decision) == (Local.SUBSCRIBE_TIMEOUT, Decision.RETRY)
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [{"channel": "a"}]


def test_pending_retry_is_replaced_by_the_reconnect(bench: Bench) -> None:
    """A channel that waits for its retry is asked for at once on the next connection, and once."""
    bench.session.subscribe("a", bench.now)
    bench.reply(bench.sent()[0], error={"code": 100, "temporary": True})
    bench.session.lost(1006, "")
    bench.reopen()
    assert [held for held in bench.commands if "subscribe" in held]
    bench.later(5)
    assert subscribes(bench) == []
