"""Subscriptions: states, positions, recovery, refusals, by scripted replies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.errors import ChannelLimit

from .recorder import Bench

STREAM = {"recoverable": True, "positioned": True, "epoch": "e"}


@pytest.fixture
def bench() -> Bench:
    """A session that is connected, its events taken."""
    bench = Bench()
    bench.connect()
    bench.log.take()
    return bench


def subscribes(bench: Bench) -> list[dict[str, Any]]:
    """The subscribe commands sent since the last look."""
    bench.commands = bench.sent()
    return [command["subscribe"] for command in bench.commands if "subscribe" in command]


# --- asking and giving up


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


# --- refusals


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


# --- the server unsubscribes


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


# --- positions


def test_publications_in_order_are_told(bench: Bench) -> None:
    """Offsets one after the other are the normal case."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    for offset in (6, 7, 8):
        bench.publish("a", offset, offset=offset)
    assert bench.log.take() == [("publication", "a", offset) for offset in (6, 7, 8)]


def test_duplicates_and_older_offsets_are_dropped(bench: Bench) -> None:
    """A publication that was told is not told again."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    for offset in (5, 6, 6, 2, 7):
        bench.publish("a", offset, offset=offset)
    assert [event[2] for event in bench.log.take()] == [6, 7]
    assert bench.session.dropped["duplicate publication"] == 3


def test_gap_is_told_before_the_publication_behind_it(bench: Bench) -> None:
    """The listener hears what is missing, then goes on from there."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=9)
    bench.publish("a", "y", offset=10)
    assert bench.log.take() == [("gap", "a", 6, 9), ("publication", "a", "x"), ("publication", "a", "y")]


@given(st.integers(0, 50), st.lists(st.integers(1, 60), max_size=60))
def test_told_offsets_always_rise_and_gaps_fill_the_rest(start: int, offsets: list[int]) -> None:
    """Whatever arrives: told offsets rise strictly, and those between are told to be missing, once."""
    bench = Bench()
    bench.connect()
    bench.subscribe("a", **STREAM, offset=start)
    bench.log.take()
    for offset in offsets:
        bench.publish("a", offset, offset=offset)
    covered: list[int] = []
    for event in bench.log.take():
        covered += range(event[2], event[3]) if event[0] == "gap" else [event[2]]
    assert covered == list(range(start + 1, max([start, *offsets]) + 1))


def test_channel_without_positions_is_not_checked(bench: Bench) -> None:
    """Where the server keeps no position, offsets say nothing."""
    bench.subscribe("a")
    bench.log.take()
    for offset in (5, 3, 0):
        bench.publish("a", offset, offset=offset)
    assert [event[2] for event in bench.log.take()] == [5, 3, 0]


def test_publication_without_offset_in_a_positioned_channel_is_told(bench: Bench) -> None:
    """What was published past the history has no place in the stream and moves nothing."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x")
    bench.publish("a", "y", offset=6)
    assert bench.log.names() == ["publication", "publication"]


def test_first_publication_may_bring_the_epoch(bench: Bench) -> None:
    """In a stream that was empty the publication with offset 1 names the epoch, and recovery uses it."""
    bench.subscribe("a", recoverable=True)
    bench.publish("a", 1, offset=1, epoch="new")
    assert "gap" not in bench.log.names()
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [{"channel": "a", "recover": True, "epoch": "new", "offset": 1}]


def test_stream_that_begins_anew_is_a_gap(bench: Bench) -> None:
    """Offset 1 with another epoch behind a known position: the old stream's rest is missing."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=1, epoch="other")
    bench.publish("a", "y", offset=2)
    assert bench.log.take() == [("gap", "a", 6, 1), ("publication", "a", "x"), ("publication", "a", "y")]


@pytest.mark.parametrize("offset", [3, 5, 6, 90])
def test_publication_of_another_stream_is_never_taken_for_a_duplicate(bench: Bench, offset: int) -> None:
    """Whatever its offset, another epoch means that something may be missing."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=offset, epoch="other")
    bench.publish("a", "y", offset=offset + 1)
    assert bench.log.names() == ["gap", "publication", "publication"]


def test_epoch_that_is_known_changes_nothing(bench: Bench) -> None:
    """A publication that repeats the epoch is placed by its offset."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=6, epoch="e")
    bench.publish("a", "y", offset=1, epoch="e")
    assert bench.log.take() == [("publication", "a", "x")]


# --- recovery


def reconnect(bench: Bench, **result: Any) -> None:
    """Lose the connection, connect again, and answer the subscribe of channel a."""
    bench.session.lost(1006, "")
    bench.reopen()
    bench.log.take()
    bench.answer("a", **STREAM, was_recovering=True, **result)


def test_recovery_asks_from_the_last_publication(bench: Bench) -> None:
    """The position survives the connection and advances with each publication."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.publish("a", 1, offset=6)
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [{"channel": "a", "recover": True, "epoch": "e", "offset": 6}]


def test_recovered_publications_follow_subscribed_and_precede_live_ones(bench: Bench) -> None:
    """The reply's offset echoes the one asked for; recovered publications count on from it."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(
        bench,
        recovered=True,
        offset=5,
        publications=[{"data": "x", "offset": 6}, {"data": "y", "offset": 7}],
    )
    bench.publish("a", "z", offset=8)
    assert bench.log.take() == [
        ("subscribed", "a"),
        ("publication", "a", "x"),
        ("publication", "a", "y"),
        ("publication", "a", "z"),
    ]
    assert bench.log.subscribed[-1].recovered


def test_recovered_publications_survive_a_reply_that_names_the_top(bench: Bench) -> None:
    """A server that answers with the stream's top instead of the echo loses us nothing."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(bench, recovered=True, offset=6, publications=[{"data": "x", "offset": 6}])
    bench.publish("a", "y", offset=7)
    assert bench.log.names() == ["subscribed", "publication", "publication"]


def test_recovery_with_nothing_missed_is_normal(bench: Bench) -> None:
    """Recovered without publications: the next one is the next offset."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(bench, recovered=True, offset=5)
    bench.publish("a", "x", offset=6)
    assert bench.log.names() == ["subscribed", "publication"]


def test_failed_recovery_is_told_and_goes_on_from_the_top(bench: Bench) -> None:
    """Was recovering but not recovered: the loss is told, and live publications count from the new top."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(bench, offset=400)
    bench.publish("a", "x", offset=401)
    assert bench.log.names() == ["subscribed", "publication"]
    assert bench.log.subscribed[-1].was_recovering
    assert not bench.log.subscribed[-1].recovered


def test_channel_that_lost_its_recovery_is_asked_for_plainly(bench: Bench) -> None:
    """A server that no longer keeps positions for a channel is not asked for them."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.session.lost(1006, "")
    bench.reopen()
    bench.answer("a")
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [{"channel": "a"}]


def test_giving_a_channel_up_gives_its_position_up(bench: Bench) -> None:
    """A new subscribe starts afresh."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.session.unsubscribe("a", bench.now)
    bench.session.subscribe("a", bench.now)
    assert subscribes(bench) == [{"channel": "a"}]


# --- server-side subscriptions


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
