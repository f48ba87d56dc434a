"""The client through real sockets: tokens of channels and their sources."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import Unauthorized

from .recorder import STREAM
from .scripted import PATIENCE, Peer, running


class Source:
    """A token source whose n-th answer is the n-th outcome: a token, an exception, or None for no end."""

    def __init__(self, *outcomes: str | BaseException | None) -> None:
        self.outcomes = outcomes
        self.asked: list[str] = []
        self.hanging = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, channel: str) -> str:
        self.asked.append(channel)
        outcome = self.outcomes[min(len(self.asked), len(self.outcomes)) - 1]
        if isinstance(outcome, str):
            return outcome
        if outcome is not None:
            raise outcome
        self.hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        raise AssertionError


async def bounded(event: asyncio.Event) -> None:
    """Wait for an event, but not for ever."""
    async with asyncio.timeout(PATIENCE):
        await event.wait()


async def test_token_is_fetched_with_the_channels_name_and_sent() -> None:
    """The source is asked once for the channel, and its token is in the subscribe."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        subscribe = await peer.answer("subscribe")
        assert subscribe["subscribe"] == {"channel": "a", "token": "secret"}
        await peer.publish("a", 1)
        await peer.stay()

    source = Source("secret")
    async with running(script) as run:
        run.client.subscribe("a", token=source)
        await run.log.until("publication", "a", 1)
        assert source.asked == ["a"]


async def test_expired_channel_token_is_fetched_anew() -> None:
    """Error 109 to a subscribe leads to another fetch and another subscribe on the same connection."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        refused = await peer.command("subscribe")
        assert refused["subscribe"]["token"] == "old"
        await peer.say({"id": refused["id"], "error": {"code": 109, "message": "token expired"}})
        accepted = await peer.answer("subscribe")
        assert accepted["subscribe"]["token"] == "new"
        await peer.stay()

    async with running(script) as run:
        run.client.subscribe("a", token=Source("old", "new"))
        await run.log.until("subscribed", "a")
        assert ("subscribing", "a", 109) in run.log.events


async def test_channel_token_is_refreshed_at_its_ttl() -> None:
    """The sub_refresh names its channel; failures of the source, and of the refresh, are retried."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe", expires=True, ttl=0)
        refused = await peer.command("sub_refresh")
        assert refused["sub_refresh"] == {"channel": "a", "token": "third"}
        await peer.say({"id": refused["id"], "error": {"code": 109}})
        refresh = await peer.answer("sub_refresh", expires=True, ttl=100)
        assert refresh["sub_refresh"] == {"channel": "a", "token": "fourth"}
        await peer.publish("a", 1)
        await peer.stay()

    source = Source("first", OSError("no such file"), "third", "fourth")
    async with running(script, token_retry_min=0.01, token_retry_max=0.02) as run:
        run.client.subscribe("a", token=source)
        await run.log.until("publication", "a", 1)
        assert run.log.names().count("subscribing") == 1


@pytest.mark.parametrize("good", [0, 1])
async def test_unauthorized_source_ends_its_channel_alone(good: int) -> None:
    """At the subscribe or at a renewal: the channel ends with the source's words, others stay live."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        while True:
            command = await peer.command()
            if command.get("subscribe", {}).get("channel") == "a":
                await peer.say({"id": command["id"], "subscribe": {"expires": True}})
            elif "subscribe" in command:
                await peer.say({"id": command["id"], "subscribe": {}})

    source = Source(*["good"] * good, Unauthorized("signed out"))
    async with running(script, channels=("b",)) as run:
        run.client.subscribe("a", token=source)
        await run.log.until("unsubscribed", "a", Local.UNAUTHORIZED)
        assert run.log.reasons[-1] == "signed out"
        await run.log.until("subscribed", "b")
        assert run.client.session.channels == ["b"]


async def test_failing_source_is_retried_without_telling_its_secret() -> None:
    """A foreign exception's text might hold a token: its class alone is shown."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        await peer.stay()

    async with running(script) as run:
        run.client.subscribe("a", token=Source(ValueError("secret"), "good"))
        await run.log.until("subscribed", "a")
        assert "no token could be had (ValueError)" in run.log.reasons


async def test_giving_the_channel_up_cancels_the_fetch_and_a_new_one_stands() -> None:
    """A fetch that hangs is put down with its channel, while the client goes on."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        subscribe = await peer.answer("subscribe")
        assert subscribe["subscribe"]["token"] == "good"
        await peer.stay()

    source = Source(None, "good")
    async with running(script) as run:
        run.client.subscribe("a", token=source)
        await bounded(source.hanging)
        run.client.unsubscribe("a")
        run.client.subscribe("a", token=source)
        await bounded(source.cancelled)
        await run.log.until("subscribed", "a")


async def test_fetch_ends_with_its_connection() -> None:
    """A loss of the link puts hanging fetches down; the next connection asks again."""

    async def first(peer: Peer) -> None:
        await peer.accept()
        async with asyncio.timeout(PATIENCE):
            await source.hanging.wait()
        await peer.websocket.close(3001)

    async def second(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        await peer.stay()

    source = Source(None, "good")
    async with running(first, second) as run:
        run.client.subscribe("a", token=source)
        await run.log.until("subscribed", "a")
        assert source.cancelled.is_set()


async def test_close_puts_a_hanging_fetch_down() -> None:
    """Closing the client ends the source's work before it returns."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.stay()

    source = Source(None)
    async with running(script) as run:
        run.client.subscribe("a", token=source)
        await bounded(source.hanging)
        await run.client.close()
        assert source.cancelled.is_set()


async def test_source_that_never_answers_is_asked_again() -> None:
    """A fetch has its time, and the channel then says why it does not come."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        await peer.stay()

    async with running(script, token_timeout=0.05) as run:
        run.client.subscribe("a", token=Source(None, "good"))
        await run.log.until("subscribed", "a")
        assert "no token could be had (TimeoutError)" in run.log.reasons


async def test_few_sources_are_asked_at_once() -> None:
    """A hundred channels do not mean a hundred requests for tokens at the same time."""
    busy: list[int] = [0]
    most: list[int] = [0]

    async def source(channel: str) -> str:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        await asyncio.sleep(0)
        busy[0] -= 1
        return channel

    async def script(peer: Peer) -> None:
        await peer.accept()
        for _ in range(100):
            subscribe = (await peer.answer("subscribe"))["subscribe"]
            assert subscribe["token"] == subscribe["channel"]
        await peer.stay()

    async with running(script, token_fetches=4) as run:
        for number in range(100):
            run.client.subscribe(f"c{number}", token=source)
        await run.log.until("subscribed", count=100)
        assert most == [4]


async def test_defect_of_the_client_in_a_fetch_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that is not the source's ends run, and does not leave the channel waiting in silence."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.stay()

    async with running(script) as run:

        def defect(*_: object) -> None:
            raise ZeroDivisionError

        await run.log.until("connected")
        monkeypatch.setattr(run.client.session, "sub_token", defect)
        run.client.subscribe("a", token=Source("good"))
        with pytest.raises(ZeroDivisionError):
            await run.ended()


async def test_expired_subscription_is_asked_for_with_another_token() -> None:
    """Unsubscribe 2501 in mid-session: another token, and the recovery from where it was."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe", **STREAM, offset=5)
        await peer.say({"push": {"channel": "a", "unsubscribe": {"code": 2501, "reason": "expired"}}})
        again: dict[str, Any] = await peer.answer("subscribe", **STREAM, offset=5, recovered=True)
        assert again["subscribe"] == {
            "channel": "a",
            "token": "second",
            "recover": True,
            "epoch": "e",
            "offset": 5,
        }
        await peer.stay()

    async with running(script) as run:
        run.client.subscribe("a", token=Source("first", "second"))
        await run.log.until("subscribed", "a", count=2)
        assert ("subscribing", "a", 2501) in run.log.events
