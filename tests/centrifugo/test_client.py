"""The client through real sockets: the normal course, and recovery."""

from __future__ import annotations

import asyncio
import json

import pytest

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import CallTimeout, ConnectionLost, ReplyError
from tests.support.fossil import encode

from .recorder import STREAM
from .scripted import Log, Peer, just_connect, running


async def test_connects_subscribes_and_hears_publications() -> None:
    """Connect and subscribes arrive in one frame; then publications flow in order."""

    async def script(peer: Peer) -> None:
        connect = await peer.command()
        assert connect["connect"] == {"token": "secret", "name": "cadenza-tui"}
        assert [peer._unread[index]["subscribe"]["channel"] for index in (0, 1)] == ["a", "b"]
        await peer.say({"id": connect["id"], "connect": {"client": "c"}})
        for _ in range(2):
            await peer.answer("subscribe")
        await peer.say(*({"push": {"channel": "ab"[n % 2], "pub": {"data": n}}} for n in range(20)))
        await peer.stay()

    async def token() -> str:
        return "secret"

    async with running(script, token=token, channels=("a", "b")) as run:
        await run.log.until("publication", "b", 19)
        told = [event[1:] for event in run.log.events if event[0] == "publication"]
        assert told == [("ab"[n % 2], n) for n in range(20)]


async def test_subscribes_while_connected() -> None:
    """A channel asked for later is sent at once; one given up is told to the server."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        unsubscribe = await peer.answer("unsubscribe")
        assert unsubscribe["unsubscribe"] == {"channel": "a"}
        await peer.publish("a", "too late")
        await peer.say({})
        await peer.stay()

    async with running(script) as run:
        await run.log.until("connected")
        run.client.subscribe("a")
        await run.log.until("subscribed", "a")
        run.client.unsubscribe("a")
        await run.log.until("ping")
        assert "publication" not in run.log.names()


async def test_answers_pings() -> None:
    """The server's pings are answered by pongs."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        for _ in range(3):
            await peer.say({})
            assert await peer.command() == {}
        await peer.publish("", 0)
        await peer.websocket.close(3503)

    async with running(script) as run:
        assert (await run.ended()).code == 3503
        assert run.log.names().count("ping") == 3


async def test_calls_return_their_results() -> None:
    """Calls made before there is a connection wait for it."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        rpc = await peer.answer("rpc", data={"answer": [1.5]})
        assert rpc["rpc"] == {"method": "query.x", "data": {"limit": 3}}
        await peer.answer("history", publications=[{"data": 1, "offset": 4}], offset=4, epoch="e")
        who = await peer.answer("presence", presence={"c1": {"client": "c1", "user": "u"}})
        assert who["presence"] == {"channel": "a"}
        await peer.answer("presence_stats", num_clients=3, num_users=2)
        failing = await peer.command("rpc")
        await peer.say({"id": failing["id"], "error": {"code": 104, "message": "method not found"}})
        await peer.stay()

    async with running(script) as run:
        assert json.loads(bytes(await run.client.rpc("query.x", {"limit": 3}))) == {"answer": [1.5]}
        history = await run.client.history("a", -1)
        assert (history.offset, history.epoch, len(history.publications)) == (4, "e", 1)
        assert (await run.client.presence("a"))["c1"].user == "u"
        stats = await run.client.presence_stats("a")
        assert (stats.num_clients, stats.num_users) == (3, 2)
        with pytest.raises(ReplyError, match="method not found"):
            await run.client.rpc("query.y")


async def test_unanswered_rpc_times_out_and_harms_nothing() -> None:
    """A server that never answers costs the call its timeout, and the connection nothing."""
    async with running(just_connect) as run:
        with pytest.raises(CallTimeout):
            await run.client.rpc("m", timeout=0.05)
        assert run.log.names() == ["connecting", "connected"]


async def test_rpc_without_any_connection_times_out() -> None:
    """The wait for a connection is bounded too."""
    client = Client("ws://127.0.0.1:9/", Log())
    with pytest.raises(CallTimeout):
        await client.rpc("m", timeout=0.05)


async def test_cancelled_rpc_leaves_no_trace() -> None:
    """A caller that goes away frees its place."""
    async with running(just_connect, max_calls=1) as run:
        await run.log.until("connected")
        for _ in range(3):
            call = asyncio.create_task(run.client.rpc("m"))
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call


async def test_rpc_fails_when_the_connection_ends() -> None:
    """A call under way does not wait for its timeout when the server is gone."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.command("rpc")
        peer.websocket.transport.abort()

    async with running(script, just_connect) as run:
        with pytest.raises(ConnectionLost):
            await run.client.rpc("m")


async def test_killed_and_restarted_server_tells_the_loss() -> None:
    """A server that comes back with another epoch cannot recover; that is told, and live goes on."""

    async def first(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe", **STREAM, offset=5)
        await peer.publish("a", "before", offset=6)
        await peer.stay()

    async def second(peer: Peer) -> None:
        await peer.accept()
        asked = await peer.answer(
            "subscribe", recoverable=True, positioned=True, epoch="f", offset=2, was_recovering=True
        )
        assert asked["subscribe"] == {"channel": "a", "recover": True, "epoch": "e", "offset": 6}
        await peer.publish("a", "after", offset=3)
        await peer.stay()

    async with running(first, second, channels=("a",)) as run:
        await run.log.until("publication", "a", "before")
        await run.server.kill()
        await run.log.until("attempt_failed")
        await run.server.start()
        await run.log.until("publication", "a", "after")
        subscribed = run.log.subscribed[-1]
        assert subscribed.was_recovering
        assert not subscribed.recovered
        assert "gap" not in run.log.names()


async def test_short_interruption_loses_nothing() -> None:
    """Publications missed meanwhile come with the subscribe reply, before the live ones."""

    async def first(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe", **STREAM, offset=5)
        await peer.publish("a", 6, offset=6)
        await peer.websocket.close(3001)

    async def second(peer: Peer) -> None:
        await peer.accept()
        missed = [{"data": offset, "offset": offset} for offset in range(7, 10)]
        echo = {"offset": 6, "publications": missed, "recovered": True, "was_recovering": True}
        await peer.answer("subscribe", **STREAM, **echo)
        await peer.publish("a", 10, offset=10)
        await peer.stay()

    async with running(first, second, channels=("a",)) as run:
        await run.log.until("publication", "a", 10)
        told = [event[2] for event in run.log.events if event[0] == "publication"]
        assert told == [6, 7, 8, 9, 10]


async def test_deltas_go_on_after_a_reconnect() -> None:
    """Full texts and changes, with a loss of the link in between, are told as whole payloads."""
    first, second, third = '{"n":1}', '{"n":2}', '{"n":3}'

    def change(base: str, target: str) -> str:
        return encode(base.encode(), target.encode()).decode()

    async def before(peer: Peer) -> None:
        await peer.accept()
        asked = await peer.answer("subscribe", **STREAM, delta=True)
        assert asked["subscribe"] == {"channel": "a", "delta": "fossil"}
        await peer.publish("a", first, offset=1)
        await peer.websocket.close(3001)

    async def after(peer: Peer) -> None:
        await peer.accept()
        missed = [{"data": change(first, second), "delta": True, "offset": 2}]
        await peer.answer(
            "subscribe",
            **STREAM,
            delta=True,
            was_recovering=True,
            recovered=True,
            offset=1,
            publications=missed,
        )
        await peer.publish("a", change(second, third), delta=True, offset=3)
        await peer.stay()

    async with running(before, after) as run:
        run.client.subscribe("a", delta=True)
        await run.log.until("publication", "a", {"n": 3})
        assert [event[2]["n"] for event in run.log.events if event[0] == "publication"] == [1, 2, 3]


async def test_delta_that_does_not_apply_costs_a_subscribe() -> None:
    """The channel is asked for anew on the same connection, and the server says that messages are lost."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe", **STREAM, delta=True)
        await peer.publish("a", '{"n":1}', offset=1)
        await peer.publish("a", "nonsense", delta=True, offset=2)
        await peer.answer("unsubscribe")
        again = await peer.answer("subscribe", **STREAM, delta=True, was_recovering=True, offset=2)
        assert again["subscribe"] == {"channel": "a", "recover": True, "epoch": "_", "delta": "fossil"}
        await peer.publish("a", '{"n":3}', offset=3)
        await peer.stay()

    async with running(script) as run:
        run.client.subscribe("a", delta=True)
        await run.log.until("publication", "a", {"n": 3})
        assert ("subscribing", "a", Local.DELTA_LOST) in run.log.events
        assert len(run.server.peers) == 1
