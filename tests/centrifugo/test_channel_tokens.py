"""Subscriptions that need a token: when it is wanted, what becomes of it, by scripted replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.codes import Local

from .recorder import STREAM, Bench, subscribes

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.tokens import TokenWant


async def source(channel: str) -> str:
    """Stand for a token source: the machine hands it back and never calls it."""
    raise AssertionError(channel)


@pytest.fixture
def bench() -> Bench:
    """A session that is connected, without pings, its events taken."""
    bench = Bench()
    bench.connect(ping=0)
    bench.log.take()
    return bench


def ask(bench: Bench, channel: str = "a") -> None:
    """Ask for a channel that needs a token."""
    bench.session.subscribe(channel, bench.now, token=source)


def bring(bench: Bench, token: str, channel: str = "a") -> None:
    """Bring the token that is wanted."""
    bench.session.sub_token(bench.session.sub_tokens_wanted[channel], token, bench.now)


def live(bench: Bench, channel: str = "a", **result: Any) -> None:
    """Be subscribed with a token."""
    ask(bench, channel)
    bring(bench, "first", channel)
    bench.answer(channel, **result)


def expiring(bench: Bench) -> TokenWant:
    """Be subscribed with a token of 20 s, and let them pass; return what is wanted."""
    live(bench, expires=True, ttl=20)
    bench.later(20)
    bench.log.take()
    return bench.session.sub_tokens_wanted["a"]


def refreshing(bench: Bench, token: str = "second") -> dict[str, Any]:
    """Bring the token that is wanted, and return the command that carries it."""
    bring(bench, token)
    (*_, command) = bench.sent()
    return command


# --- before the subscribe


def test_token_is_wanted_before_the_subscribe(bench: Bench) -> None:
    """Nothing is sent until the token is there, and then it is in the command."""
    ask(bench)
    (want,) = bench.session.sub_tokens_wanted.values()
    assert (want.channel, want.source) == ("a", source)
    assert bench.sent() == []
    bring(bench, "t")
    assert subscribes(bench) == [{"channel": "a", "token": "t"}]
    assert not bench.session.sub_tokens_wanted


def test_no_token_is_wanted_without_a_connection() -> None:
    """A token that is fetched too early may be too old when it is sent."""
    bench = Bench()
    ask(bench)
    assert not bench.session.sub_tokens_wanted
    bench.begin()
    assert list(bench.session.sub_tokens_wanted) == ["a"]


def test_subscribe_may_follow_the_connect_before_its_reply() -> None:
    """A token that comes quickly is sent on right behind the connect."""
    bench = Bench()
    ask(bench)
    bench.begin()
    bring(bench, "t")
    assert [list(command)[1] for command in bench.sent()] == ["connect", "subscribe"]


def test_token_is_used_again_on_the_next_connection(bench: Bench) -> None:
    """A loss of the link costs no new token, and the recovery carries the old one."""
    live(bench, **STREAM, offset=3)
    bench.lose(1006)
    assert subscribes(bench) == [
        {"channel": "a", "token": "first", "recover": True, "epoch": "e", "offset": 3}
    ]


def test_expired_token_is_dropped_and_another_one_fetched(bench: Bench) -> None:
    """Error 109: the reason is told, and after a wait a new token is wanted and tried."""
    ask(bench)
    bring(bench, "old")
    (command,) = bench.sent()
    bench.log.take()
    bench.reply(command, error={"code": 109, "message": "token expired"})
    assert bench.log.take() == [("subscribing", "a", 109)]
    assert not bench.session.sub_tokens_wanted
    assert bench.session.next_deadline() == bench.now + 0.75
    bench.later(0.75)
    bring(bench, "new")
    assert subscribes(bench) == [{"channel": "a", "token": "new"}]


def test_source_that_keeps_giving_expired_tokens_is_asked_less_and_less(bench: Bench) -> None:
    """Each refusal doubles the wait, so that neither source nor server is stormed."""
    ask(bench)
    waits = []
    for _ in range(7):
        bring(bench, "old")
        bench.reply(bench.sent()[-1], error={"code": 109})
        deadline = bench.session.next_deadline()
        assert deadline is not None
        waits.append(deadline - bench.now)
        bench.later(waits[-1])
    assert waits == pytest.approx([0.75, 1.0, 1.5, 2.5, 4.5, 8.5, 10.5])


def test_failing_source_is_told_and_asked_again(bench: Bench) -> None:
    """A token that cannot be had now leaves the channel asked for, with the reason."""
    ask(bench)
    bench.log.take()
    bench.session.sub_token_failed(bench.session.sub_tokens_wanted["a"], "no such file", bench.now)
    assert bench.log.take() == [("subscribing", "a", Local.TOKEN_FAILED)]
    assert bench.log.reasons[-1] == "no such file"
    bench.later(0.75)
    assert list(bench.session.sub_tokens_wanted) == ["a"]


def test_source_without_hope_ends_the_channel_alone(bench: Bench) -> None:
    """The reason is shown, the server never hears of the channel, and others go on."""
    bench.subscribe("b")
    ask(bench)
    bench.sent()
    bench.session.sub_token_refused(bench.session.sub_tokens_wanted["a"], "signed out", bench.now)
    assert bench.log.take()[-1] == ("unsubscribed", "a", Local.UNAUTHORIZED)
    assert bench.log.reasons[-1] == "signed out"
    assert bench.sent() == []
    assert bench.session.channels == ["b"]
    assert bench.session.ending is None


def test_empty_token_is_none(bench: Bench) -> None:
    """A source that returns nothing has no token for the channel."""
    ask(bench)
    bring(bench, "")
    assert bench.log.take()[-1] == ("unsubscribed", "a", Local.UNAUTHORIZED)


def test_token_that_fits_no_frame_ends_the_channel_alone(bench: Bench) -> None:
    """What cannot be sent is told, nothing is sent, and the connection lives."""
    ask(bench)
    bring(bench, "x" * 70_000)
    assert bench.log.take()[-1] == ("unsubscribed", "a", Local.COMMAND_TOO_LARGE)
    assert bench.sent() == []
    assert bench.session.ending is None


# --- stale tokens


def test_token_of_a_channel_that_was_given_up_is_discarded(bench: Bench) -> None:
    """Nothing is sent for a channel that nobody wants any more."""
    ask(bench)
    want = bench.session.sub_tokens_wanted["a"]
    bench.session.unsubscribe("a", bench.now)
    assert not bench.session.sub_tokens_wanted
    bench.session.sub_token(want, "late", bench.now)
    assert bench.sent() == []
    assert bench.session.dropped["token that is wanted no more"] == 1


def test_only_the_token_of_the_latest_request_counts(bench: Bench) -> None:
    """After subscribe, unsubscribe, subscribe the first fetch's token, failure or refusal is nobody's."""
    ask(bench)
    old = bench.session.sub_tokens_wanted["a"]
    bench.session.unsubscribe("a", bench.now)
    ask(bench)
    bench.log.take()
    bench.session.sub_token(old, "late", bench.now)
    bench.session.sub_token_failed(old, "late", bench.now)
    bench.session.sub_token_refused(old, "late", bench.now)
    assert bench.log.take() == []
    assert bench.sent() == []
    bring(bench, "t")
    assert subscribes(bench) == [{"channel": "a", "token": "t"}]


def test_token_fetched_for_one_connection_is_not_used_on_the_next(bench: Bench) -> None:
    """The request ends with its connection; the next one makes its own."""
    ask(bench)
    want = bench.session.sub_tokens_wanted["a"]
    bench.session.lost(1006, "")
    assert not bench.session.sub_tokens_wanted
    bench.session.opened("token", bench.now)
    bench.session.sub_token(want, "late", bench.now)
    assert subscribes(bench) == []
    assert bench.session.sub_tokens_wanted["a"] is not want


# --- renewal


def test_subscription_is_refreshed_at_its_ttl(bench: Bench) -> None:
    """The command names the channel, and the next ttl is counted from the reply."""
    live(bench, expires=True, ttl=20)
    bench.sent()
    bench.later(19)
    assert not bench.session.sub_tokens_wanted
    bench.later(1)
    command = refreshing(bench)
    assert command["sub_refresh"] == {"channel": "a", "token": "second"}
    bench.reply(command, sub_refresh={"expires": True, "ttl": 30})
    assert bench.session.next_deadline() == bench.now + 30
    bench.publish("a", 1)
    assert bench.log.take()[-1] == ("publication", "a", 1)


def test_renewed_token_serves_the_next_connection(bench: Bench) -> None:
    """After a refresh it is the new token that a reconnect sends."""
    expiring(bench)
    bench.reply(refreshing(bench), sub_refresh={})
    bench.lose(1006)
    assert subscribes(bench)[0]["token"] == "second"


def test_token_without_expiry_ends_the_round(bench: Bench) -> None:
    """A refresh to a token that does not expire is the last."""
    expiring(bench)
    bench.reply(refreshing(bench), sub_refresh={})
    assert bench.session.next_deadline() is None


def test_sub_refreshes_do_not_chase_each_other(bench: Bench) -> None:
    """A reply with no time to live does not lead to the next refresh at once."""
    expiring(bench)
    bench.reply(refreshing(bench), sub_refresh={"expires": True})
    assert bench.session.next_deadline() == bench.now + 5


def test_channel_without_a_source_wants_no_token(bench: Bench) -> None:
    """Where the server lets a subscription expire and there is nothing to bring, nothing is asked for."""
    bench.subscribe("a", expires=True, ttl=20)
    bench.push("s", subscribe={"expires": True, "ttl": 20})
    bench.later(30)
    assert not bench.session.sub_tokens_wanted
    assert bench.session.next_deadline() is None


@pytest.mark.parametrize(
    "error", [{"code": 109}, {"code": 100, "temporary": True}, None], ids=["expired", "temporary", "silence"]
)
def test_failing_sub_refresh_is_tried_again_in_five_to_ten_seconds(
    bench: Bench, error: dict[str, Any] | None
) -> None:
    """With another token each time; the subscription and the connection go on meanwhile."""
    expiring(bench)
    command = refreshing(bench)
    if error is None:
        bench.later(10)
    else:
        bench.reply(command, error=error)
    assert bench.session.next_deadline() == bench.now + 7.5
    bench.later(7.5)
    assert refreshing(bench, "third")["sub_refresh"]["token"] == "third"
    assert bench.log.take() == []
    assert bench.session.ending is None


def test_token_that_a_sub_refresh_found_expired_is_not_used_again(bench: Bench) -> None:
    """A loss of the link before the next try asks for another token at once."""
    expiring(bench)
    bench.reply(refreshing(bench), error={"code": 109})
    bench.lose(1006)
    assert subscribes(bench) == []
    assert list(bench.session.sub_tokens_wanted) == ["a"]


def test_source_that_fails_at_a_renewal_is_asked_again(bench: Bench) -> None:
    """The subscription is live until the server ends it."""
    want = expiring(bench)
    bench.session.sub_token_failed(want, "no such file", bench.now)
    assert bench.session.next_deadline() == bench.now + 7.5
    assert bench.log.take() == []


def test_refused_sub_refresh_ends_the_subscription_on_both_sides(bench: Bench) -> None:
    """A terminal error ends the channel by its code, the server is told, the connection goes on."""
    expiring(bench)
    bench.reply(refreshing(bench), error={"code": 103, "message": "permission denied"})
    assert bench.log.take() == [("unsubscribed", "a", 103)]
    assert [held["unsubscribe"] for held in bench.sent()] == [{"channel": "a"}]
    assert bench.session.ending is None


def test_unauthorized_renewal_ends_the_subscription_on_both_sides(bench: Bench) -> None:
    """A source that has no token any more ends the channel with its own words."""
    want = expiring(bench)
    bench.sent()
    bench.session.sub_token_refused(want, "signed out", bench.now)
    assert bench.log.take() == [("unsubscribed", "a", Local.UNAUTHORIZED)]
    assert [held["unsubscribe"] for held in bench.sent()] == [{"channel": "a"}]


def test_reply_to_a_refresh_of_an_ended_subscription_is_discarded(bench: Bench) -> None:
    """A late terminal error does not end the channel that was asked for again meanwhile."""
    expiring(bench)
    command = refreshing(bench)
    bench.session.unsubscribe("a", bench.now)
    live(bench)
    bench.log.take()
    bench.reply(command, error={"code": 103})
    bench.publish("a", 1)
    assert bench.log.take() == [("publication", "a", 1)]
    assert bench.session.dropped["reply to a call that is over"] == 1


def test_unanswered_refresh_of_an_ended_subscription_is_forgotten(bench: Bench) -> None:
    """Its deadline asks for no token any more."""
    expiring(bench)
    refreshing(bench)
    bench.push("a", unsubscribe={"code": 2000})
    bench.later(10)
    bench.later(10)
    assert not bench.session.sub_tokens_wanted
    assert bench.session.next_deadline() is None


# --- the server takes it back


@pytest.mark.parametrize(("code", "spent"), [(2500, False), (2501, True), (2502, True), (2999, False)])
def test_unsubscribe_push_that_spends_the_token(bench: Bench, code: int, spent: bool) -> None:
    """Expired (2501) and invalidated (2502) need another token, other reasons do not."""
    live(bench)
    bench.later(5)
    bench.push("a", unsubscribe={"code": code})
    assert bench.log.take()[-1] == ("subscribing", "a", code)
    assert list(bench.session.sub_tokens_wanted) == (["a"] if spent else [])
    if spent:
        bring(bench, "second")
    assert subscribes(bench)[-1]["token"] == ("second" if spent else "first")


@pytest.mark.parametrize(("code", "spent"), [(3001, False), (3005, False), (3006, True), (3014, True)])
def test_close_that_spends_the_tokens_of_channels(bench: Bench, code: int, spent: bool) -> None:
    """After 3006 and 3014 each channel brings another token on the next connection."""
    live(bench)
    bench.lose(code)
    assert list(bench.session.sub_tokens_wanted) == (["a"] if spent else [])
    assert [held["token"] for held in subscribes(bench)] == ([] if spent else ["first"])


def test_time_to_live_ends_with_its_subscription(bench: Bench) -> None:
    """While the channel is asked for again there is nothing to refresh."""
    live(bench, expires=True, ttl=20)
    bench.later(15)
    bench.push("a", unsubscribe={"code": 2500})
    bench.later(6)
    assert not bench.session.sub_tokens_wanted


def test_expiry_while_a_renewal_is_under_way_makes_that_token_the_next_subscribes(bench: Bench) -> None:
    """The request of the renewal is void; the subscribe that follows makes its own."""
    want = expiring(bench)
    bench.push("a", unsubscribe={"code": 2501})
    assert bench.session.sub_tokens_wanted["a"] is not want
    bench.session.sub_token(want, "late", bench.now)
    bench.sent()
    bring(bench, "third")
    assert subscribes(bench) == [{"channel": "a", "token": "third"}]


def test_request_for_a_token_does_not_show_its_source(bench: Bench) -> None:
    """A source may be bound to a secret, which its representation would tell."""
    ask(bench)
    assert "source" not in repr(bench.session.sub_tokens_wanted["a"])
