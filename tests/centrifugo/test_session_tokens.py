"""The session machine: renewing the connection's token."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.ending import Ending
from cadenza_tui.centrifugo.tokens import Bearer

from .recorder import Bench


@pytest.fixture
def bench() -> Bench:
    """A session that has not begun."""
    return Bench()


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


def test_refused_as_expired_is_tried_again_with_another_token(bench: Bench) -> None:
    """Error 109 to a refresh: another token is asked for in five to ten seconds."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.later(20)
    bench.session.refresh("old", bench.now)
    bench.reply(bench.sent()[0], error={"code": 109, "message": "token expired"})
    assert bench.session.next_deadline() == bench.now + 7.5
    bench.later(7.5)
    assert bench.session.token_wanted
    assert bench.session.ending is None


def test_refresh_push_moves_the_next_renewal(bench: Bench) -> None:
    """A server that sets another time to live is asked again by that one."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.later(5)
    bench.push(refresh={"expires": True, "ttl": 60})
    assert bench.session.has_news
    assert bench.session.next_deadline() == bench.now + 60


def test_refresh_push_without_expiry_ends_the_renewals(bench: Bench) -> None:
    """A connection that expires no more needs no other token."""
    bench.connect(expires=True, ttl=20, ping=0)
    bench.push(refresh={})
    assert bench.session.next_deadline() is None


def test_refresh_push_before_the_connect_reply_is_ignored(bench: Bench) -> None:
    """There is nothing to renew yet: the connect reply tells the time to live."""
    bench.begin()
    bench.push(refresh={"expires": True, "ttl": 1})
    assert bench.session.next_deadline() == bench.now + 10
    bench.accept(ping=0)
    assert bench.session.next_deadline() is None


# --- the token between its source and the server


def refused() -> Ending:
    """A connect that was answered by 109."""
    return Ending(codes.TOKEN_EXPIRED, "the token expired", Decision.RETRY, was_connected=False)


def closed() -> Ending:
    """A connection that was closed since its token expired."""
    return Ending(codes.EXPIRED, "the connection's token expired", Decision.RETRY, was_connected=True)


def test_first_expired_token_is_nobodys_fault() -> None:
    """Tokens expire: the next is fetched without a word about the source."""
    bearer = Bearer()
    bearer.bring("old", 0.0)
    assert bearer.spent(refused(), 1.0) == ""
    assert bearer.token is None


def test_source_that_gives_an_expired_token_again_is_named() -> None:
    """After a close or a refusal the very same token is no new one."""
    for first in (closed(), refused()):
        bearer = Bearer()
        bearer.bring("same", 0.0)
        bearer.spent(first, 1.0)
        bearer.bring("same", 0.0)
        assert "its source gives the same one again" in bearer.spent(refused(), 1.0)


def test_source_whose_tokens_are_all_expired_is_named() -> None:
    """Different tokens, each refused as expired: a clock is wrong, or the source gives old ones."""
    bearer = Bearer()
    bearer.bring("one", 0.0)
    assert bearer.spent(refused(), 1.0) == ""
    bearer.bring("two", 0.0)
    assert "one of the clocks may be wrong" in bearer.spent(refused(), 1.0)


def test_connection_that_stood_clears_the_source() -> None:
    """A token that was good for a while says that the source works."""
    bearer = Bearer()
    for token, ending in (("one", refused()), ("two", closed()), ("three", refused())):
        bearer.bring(token, 0.0)
        assert bearer.spent(ending, 1.0) == ""


def test_token_that_aged_here_says_nothing_of_its_source() -> None:
    """One that was held while attempts failed may expire meanwhile, even after a fresh one was refused."""
    bearer = Bearer()
    bearer.bring("one", 0.0)
    assert bearer.spent(refused(), 1.0) == ""
    for number in range(3):
        bearer.bring(f"held {number}", 100.0 * number)
        assert bearer.spent(refused(), 100.0 * number + 31.0) == ""
    bearer.bring("fresh", 400.0)
    assert bearer.spent(refused(), 430.0) == ""
    bearer.bring("fresh too", 440.0)
    assert "one of the clocks may be wrong" in bearer.spent(refused(), 441.0)


def test_the_same_expired_token_is_named_at_any_age() -> None:
    """That it came again was seen when it was fetched."""
    bearer = Bearer()
    bearer.bring("same", 0.0)
    bearer.spent(refused(), 1.0)
    bearer.bring("same", 2.0)
    assert "its source gives the same one again" in bearer.spent(refused(), 100.0)
