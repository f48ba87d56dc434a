"""The client through real sockets: tokens and their sources."""

from __future__ import annotations

import asyncio

import pytest

from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import Unauthorized

from .scripted import PATIENCE, Peer, closing, just_connect, running


async def test_expired_token_is_fetched_anew() -> None:
    """Error 109 to the connect: the token is dropped, another one fetched, and the connect tried again."""
    tokens = iter(["old", "new"])

    async def token() -> str:
        return next(tokens)

    async def expired(peer: Peer) -> None:
        command = await peer.command("connect")
        await peer.say({"id": command["id"], "error": {"code": 109, "message": "token expired"}})
        await peer.stay()

    async def script(peer: Peer) -> None:
        command = await peer.accept()
        assert command["connect"]["token"] == "new"
        await peer.stay()

    async with running(expired, script, token=token) as run:
        await run.log.until("connected")
        assert run.log.events[1][:2] == ("attempt_failed", "the token expired")


async def test_good_token_is_kept_across_reconnects() -> None:
    """A token that the server accepted is used again."""
    fetched = []

    async def token() -> str:
        fetched.append(1)
        return "good"

    async with running(closing(3001), just_connect, token=token) as run:
        await run.log.until("connected", count=2)
        assert len(fetched) == 1


async def test_token_is_refreshed_before_it_expires() -> None:
    """At its ttl a new token is fetched and sent, on the same connection."""
    tokens = iter(["first", "second"])

    async def token() -> str:
        return next(tokens)

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        refresh = await peer.answer("refresh", expires=True, ttl=100)
        assert refresh["refresh"] == {"token": "second"}
        await peer.publish("", 0)
        await peer.websocket.close(3503)

    async with running(script, token=token) as run:
        assert (await run.ended()).code == 3503
        assert len(run.server.peers) == 1


async def test_failing_refresh_is_retried() -> None:
    """A token source that fails in mid-session is asked again, and the session goes on."""
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("no such file")
        return f"token {len(calls)}"

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        refresh = await peer.answer("refresh")
        assert refresh["refresh"] == {"token": "token 3"}
        await peer.websocket.close(3503)

    async with running(script, token=token, token_retry_min=0.01, token_retry_max=0.02) as run:
        assert (await run.ended()).code == 3503


@pytest.mark.parametrize("good", [0, 1])
async def test_unauthorized_source_ends_the_client(good: int) -> None:
    """A source without hope ends the client, at the start and at a refresh."""
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        if len(calls) > good:
            raise Unauthorized("signed out", remedy="sign in")
        return "good"

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        await peer.stay()

    async with running(script, token=token) as run:
        ended = await run.ended()
        assert (ended.code, ended.terminal) == (Local.UNAUTHORIZED, True)
        assert "signed out" in ended.reason
        assert ended.remedy == "sign in"


async def test_failing_token_source_is_retried_without_telling_its_secret() -> None:
    """A foreign exception's text is not shown, since it might hold the token."""
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("secret")
        return "good"

    async with running(just_connect, token=token) as run:
        await run.log.until("connected")
        assert run.log.events[1][1] == "no token could be had (ValueError)"


async def test_token_fetch_under_way_ends_with_its_session() -> None:
    """A refresh that hangs in the token source is not left behind."""
    waiting, ended = asyncio.Event(), asyncio.Event()
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        if len(calls) == 2:
            waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
        return "good"

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        await peer.stay()

    async with running(script, token=token) as run:
        async with asyncio.timeout(PATIENCE):
            await waiting.wait()
        await run.client.close()
        assert ended.is_set()


async def test_expired_token_that_comes_again_is_named_and_asked_for_in_peace() -> None:
    """A source that gives the refused token again is told of, and waited for as tokens are."""

    async def token() -> str:
        return "same"

    async def expired(peer: Peer) -> None:
        command = await peer.command("connect")
        await peer.say({"id": command["id"], "error": {"code": 109, "message": "token expired"}})
        await peer.stay()

    async with running(expired, token=token, token_retry_min=0.1, token_retry_max=0.2) as run:
        await run.log.until("attempt_failed", count=3)
        (_, first, _), (_, second, wait), (_, third, _) = (
            event for event in run.log.events if event[0] == "attempt_failed"
        )
        assert first == "the token expired"
        assert (
            second == third == "the token expired, and its source gives the same one again: bring a new one"
        )
        assert 0.1 <= wait <= 0.2


async def test_wait_after_a_loss_is_told() -> None:
    """A lost connection is told with its reason, then with the wait until the next attempt."""
    async with running(closing(3001), just_connect) as run:
        await run.log.until("connected", count=2)
        names = run.log.names()
        assert names == ["connecting", "connected", "connecting", "waiting", "connected"]
        assert 0.01 <= run.log.events[3][1] <= 0.05


async def test_token_source_that_never_answers_is_given_up_for_now() -> None:
    """A hanging source is a failing one: it is told, and asked again."""
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        if len(calls) == 1:
            await asyncio.Event().wait()
        return "good"

    async with running(just_connect, token=token, token_timeout=0.05) as run:
        await run.log.until("connected")
        assert run.log.events[1][1] == "no token could be had (TimeoutError)"


@pytest.mark.parametrize("good", [0, 1])
async def test_token_source_that_cancels_itself_is_retried(good: int) -> None:
    """A cancellation that nobody asked for does not end the client, at the start or at a refresh."""
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        if len(calls) == good + 1:
            raise asyncio.CancelledError
        return f"token {len(calls)}"

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        await peer.command("refresh")
        await peer.websocket.close(3503)

    async with running(script, token=token, token_retry_min=0.01, token_retry_max=0.02) as run:
        assert (await run.ended()).code == 3503


async def test_anonymous_connection_that_expires_is_not_refreshed_in_circles() -> None:
    """Without a source there is an empty token to bring, once each time the server asks."""

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        refresh = await peer.answer("refresh", expires=True, ttl=100)
        assert refresh["refresh"] == {"token": ""}
        await peer.websocket.close(3503)

    async with running(script) as run:
        assert (await run.ended()).code == 3503


async def test_tokens_that_are_refused_as_soon_as_fetched_are_named() -> None:
    """Another one each time, and each expired: the second says so, and is followed by the wait for tokens."""
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        return f"token {len(calls)}"

    async def expired(peer: Peer) -> None:
        command = await peer.command("connect")
        await peer.say({"id": command["id"], "error": {"code": 109, "message": "token expired"}})
        await peer.stay()

    async with running(expired, token=token, token_retry_min=0.1, token_retry_max=0.2) as run:
        _, reason, wait = await run.log.until("attempt_failed", count=2)
        assert "one of the clocks may be wrong" in reason
        assert 0.1 <= wait <= 0.2
