"""The client through real sockets, against a server that says what the test wants."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import CallTimeout, ConnectionLost, ReplyError, Unauthorized
from cadenza_tui.centrifugo.listener import Ended
from cadenza_tui.centrifugo.options import Options

from .scripted import PATIENCE, Log, Peer, Scripted, coroutines, running

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM = {"recoverable": True, "positioned": True, "epoch": "e"}


async def welcome(peer: Peer) -> None:
    """Accept the connect and every subscribe, and stay."""
    await peer.accept()
    while True:
        await peer.answer("subscribe")


async def just_connect(peer: Peer) -> None:
    """Accept the connect, and stay."""
    await peer.accept()
    await peer.stay()


def closing(code: int, reason: str = "") -> Callable[[Peer], Any]:
    """Accept the connect, then close."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.websocket.close(code, reason)

    return script


# --- the normal course


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


async def test_rpc_and_history_return_their_results() -> None:
    """Calls made before there is a connection wait for it."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        rpc = await peer.answer("rpc", data={"answer": [1.5]})
        assert rpc["rpc"] == {"method": "query.x", "data": {"limit": 3}}
        await peer.answer("history", publications=[{"data": 1, "offset": 4}], offset=4, epoch="e")
        failing = await peer.command("rpc")
        await peer.say({"id": failing["id"], "error": {"code": 104, "message": "method not found"}})
        await peer.stay()

    async with running(script) as run:
        assert json.loads(bytes(await run.client.rpc("query.x", {"limit": 3}))) == {"answer": [1.5]}
        history = await run.client.history("a", -1)
        assert (history.offset, history.epoch, len(history.publications)) == (4, "e", 1)
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


# --- endings


async def test_close_ends_everything() -> None:
    """After close, run has returned, calls fail at once, and a second run does nothing."""
    async with running(welcome, channels=("a",)) as run:
        await run.log.until("subscribed", "a")
        waiting = asyncio.create_task(run.client.rpc("m"))
        await asyncio.sleep(0)
        await run.client.close()
        assert await run.ended() == Ended(0, "closed on request", terminal=False)
        assert run.log.events[-1] == ("disconnected", 0)
        with pytest.raises(ConnectionLost):
            await waiting
        with pytest.raises(ConnectionLost):
            await run.client.rpc("m")
        await run.client.close()
        assert not (await run.client.run()).terminal


async def test_close_while_connecting() -> None:
    """A server that never answers the handshake does not hold the close up."""

    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        client = Client(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", Log())
        life = asyncio.create_task(client.run())
        await asked.wait()
        await client.close()
        assert not (await life).terminal
        await gone.wait()


async def test_cancelled_run_ends_like_a_closed_one() -> None:
    """Cancelling the task of run leaves nothing behind, and is not swallowed."""
    async with running(welcome, channels=("a",)) as run:
        await run.log.until("subscribed", "a")
        run.life.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run.life
        assert run.log.events[-1] == ("disconnected", 0)


async def test_one_run_at_a_time() -> None:
    """Two concurrent runs would be two connections."""
    async with running(just_connect) as run:
        await run.log.until("connected")
        with pytest.raises(RuntimeError):
            await run.client.run()
        assert len(run.server.peers) == 1


@pytest.mark.parametrize("code", [3500, 3507, 3999, 4500, 4999])
async def test_terminal_close_ends_the_client(code: int) -> None:
    """No attempt follows a terminal code; the end names it and says what to do."""
    async with running(closing(code, "because")) as run:
        ended = await run.ended()
        assert (ended.code, ended.terminal) == (code, True)
        assert ended.remedy
        assert run.log.events[-1] == ("disconnected", code)
        assert len(run.server.peers) == 1


@pytest.mark.parametrize("code", [1000, 1001, 3000, 3499, 4000, 4499])
async def test_other_close_leads_to_a_reconnect(code: int) -> None:
    """The client comes back by itself, and subscribes again."""
    async with running(closing(code), welcome, channels=("a",)) as run:
        await run.log.until("subscribed", "a")
        assert run.log.names().count("connected") == 2
        assert ("connecting", code) in run.log.events


async def test_run_again_after_a_terminal_end() -> None:
    """A client that was refused can be run again, say with a new token; its channels are asked for again."""
    async with running(closing(3500), welcome, channels=("a",)) as run:
        assert (await run.ended()).terminal
        run.life = asyncio.create_task(run.client.run())
        await run.log.until("subscribed", "a")


async def test_lost_connection_is_dialled_again() -> None:
    """A TCP connection that breaks without a close frame is a temporary loss."""

    async def vanish(peer: Peer) -> None:
        await peer.accept()
        peer.websocket.transport.abort()

    async with running(vanish, welcome, channels=("a",)) as run:
        await run.log.until("subscribed", "a")
        assert run.log.names().count("connecting") == 2


async def test_failed_attempts_are_told_with_a_sentence_and_the_wait() -> None:
    """While nobody listens each attempt is told, until the server is there."""
    server = Scripted((welcome,))
    await server.start()
    await server.kill()
    log = Log()
    client = Client(server.url, log, options=Options(backoff_min=0.01, backoff_max=0.02))
    life = asyncio.create_task(client.run())
    _, sentence, wait = await log.until("attempt_failed", count=2)
    assert sentence == "127.0.0.1 refuses the connection: nothing listens at that address"
    assert 0.01 <= wait <= 0.02
    await server.start()
    await log.until("connected")
    await client.close()
    await life
    await server.kill()


async def test_backoff_is_reset_by_a_connect_reply_alone() -> None:
    """Handshakes that work do not shorten the waits; an accepted connect does."""

    async def refuse(peer: Peer) -> None:
        await peer.websocket.close(3000)

    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    scripts = (refuse, refuse, refuse, closing(3000), just_connect)
    options: dict[str, Any] = {"sleep": sleep, "random": lambda: 1.0, "backoff_min": 1.0, "backoff_max": 20.0}
    async with running(*scripts, **options) as run:
        await run.log.until("connected", count=2)
        assert waits == [2.0, 3.0, 5.0, 2.0]


async def test_silent_server_is_left() -> None:
    """A link that carries nothing for the ping interval and the grace is dialled anew."""

    async def silent(peer: Peer) -> None:
        await peer.accept(ping=1)
        await peer.stay()

    async with running(
        silent, welcome, channels=("a",), dead_link_grace=-0.95, reply_timeout=PATIENCE
    ) as run:
        await run.log.until("connecting", Local.NO_PING)
        await run.log.until("subscribed", "a")


async def test_unanswered_connect_is_left() -> None:
    """A server that takes the connect and says nothing is dialled anew."""

    async def deaf(peer: Peer) -> None:
        await peer.stay()

    async with running(deaf, just_connect, reply_timeout=0.05) as run:
        await run.log.until("attempt_failed", "the server did not answer the connect in time")
        await run.log.until("connected")


async def test_unanswered_subscribe_forces_a_reconnect() -> None:
    """The subscribe that got no reply is asked for on a new connection, never again on the old."""

    async def deaf(peer: Peer) -> None:
        await peer.accept()
        await peer.stay()

    async with running(deaf, welcome, channels=("a",), reply_timeout=0.1) as run:
        await run.log.until("subscribed", "a")
        assert ("connecting", Local.SUBSCRIBE_TIMEOUT) in run.log.events
        assert sum("subscribe" in command for command in run.server.peers[0].received) == 1


async def test_server_that_reads_nothing_is_left() -> None:
    """When the server takes nothing in, a send does not hang for ever."""

    async def stuffed(peer: Peer) -> None:
        await peer.accept()
        peer.websocket.transport.pause_reading()
        await peer.websocket.wait_closed()

    async with running(stuffed, welcome, reply_timeout=0.2, max_calls=100_000) as run:
        await run.log.until("connected")
        calls = [asyncio.create_task(run.client.rpc("m", "x" * 60_000)) for _ in range(400)]
        await run.log.until("connecting", Local.SEND_TIMEOUT)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {ConnectionLost}
        run.server.peers[0].websocket.transport.abort()


async def test_disconnect_push_is_honoured() -> None:
    """A disconnect told in the data ends the connection by its code, whatever the close says."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.say({"push": {"disconnect": {"code": 3507, "reason": "permission denied"}}})
        await peer.stay()

    async with running(script) as run:
        assert (await run.ended()).code == 3507


# --- recovery


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


# --- tokens


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
    waiting = asyncio.Event()
    calls: list[int] = []

    async def token() -> str:
        calls.append(1)
        if len(calls) == 2:
            waiting.set()
            await asyncio.Event().wait()
        return "good"

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        await peer.stay()

    async with running(script, token=token) as run:
        async with asyncio.timeout(PATIENCE):
            await waiting.wait()
        await run.client.close()
        assert "Client._refresh" not in coroutines()


# --- hostile frames


async def test_malformed_frames_are_named_and_the_session_goes_on() -> None:
    """Nonsense, binary frames and half lines cost nothing but themselves."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        await peer.websocket.send("nonsense")
        await peer.websocket.send(b"\x00\xff")
        await peer.websocket.send('{"push":{"channel":"a","pub":{"data":1}}}\n{"push":{"chan\n[]')
        await peer.websocket.send("")
        await peer.publish("a", 2)
        await peer.stay()

    async with running(script, channels=("a",)) as run:
        await run.log.until("publication", "a", 2)
        assert [event[1:] for event in run.log.events if event[0] in ("malformed", "publication")] == [
            ("line is not JSON",),
            ("line is not JSON",),
            ("line is not JSON",),
            ("line has a field of the wrong type",),
            ("a", 1),
            ("a", 2),
        ]


@pytest.mark.parametrize("good", [True, False])
async def test_frame_of_10_mb_is_taken(good: bool) -> None:
    """A frame far over the usual is decoded, or rejected by name; what follows is told either way."""
    payload = "x" * 10_000_000

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        if good:
            await peer.publish("a", payload)
        else:
            await peer.websocket.send(payload)
        await peer.publish("a", "after")
        await peer.stay()

    async with running(script, channels=("a",)) as run:
        await run.log.until("publication", "a", "after")
        expected = ("publication", "a", payload) if good else ("malformed", "line is not JSON")
        assert expected in run.log.events
        assert run.log.names().count("connected") == 1


async def test_frame_beyond_the_limit_is_terminal_with_a_remedy() -> None:
    """A frame larger than the limit ends with 1009: the next one would be as large."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.publish("a", "x" * 20_000)
        await peer.stay()

    async with running(script, max_frame_bytes=10_000) as run:
        ended = await run.ended()
        assert (ended.code, ended.terminal) == (1009, True)
        assert ended.remedy


async def test_thousands_of_publications_in_one_frame_leave_others_their_turn() -> None:
    """The reader yields within a frame: another task runs between its first and last publication."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        await peer.say(*({"push": {"channel": "a", "pub": {"data": number}}} for number in range(5000)))
        await peer.stay()

    async with running(script, channels=("a",), yield_after=0.0) as run:
        turns: list[int] = []

        async def other() -> None:
            while True:
                turns.append(run.log.names().count("publication"))
                await asyncio.sleep(0)

        await run.log.until("subscribed", "a")
        watcher = asyncio.create_task(other())
        await run.log.until("publication", "a", 4999)
        watcher.cancel()
        assert any(0 < seen < 5000 for seen in turns)


async def test_reader_yields_while_frames_are_queued() -> None:
    """Frames that lie ready do not keep other tasks from running."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        for number in range(500):
            await peer.publish("a", number)
        await peer.stay()

    async with running(script, channels=("a",), yield_after=0.0, max_queue=1000) as run:
        turns: set[int] = set()

        async def other() -> None:
            while True:
                turns.add(run.log.names().count("publication"))
                await asyncio.sleep(0)

        watcher = asyncio.create_task(other())
        await run.log.until("publication", "a", 499)
        watcher.cancel()
        assert len(turns) > 250


async def test_listener_defects_end_nothing() -> None:
    """An exception out of a callback costs one event, and is counted."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        await peer.publish("a", 1)
        await peer.publish("a", 2)
        await peer.stay()

    async with running(script, channels=("a",)) as run:

        def defect(*_: object) -> None:
            raise ZeroDivisionError

        run.log.hooks["publication"] = defect
        await run.log.until("publication", "a", 2)
        assert run.client.session.listener_errors == {"ZeroDivisionError": 2}


async def test_defect_of_the_client_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect behind the scenes ends run with its exception, and not in silence."""
    async with running(just_connect) as run:
        await run.log.until("connected")

        def defect(_: float) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(run.client.session, "poll", defect)
        run.client.subscribe("a")
        with pytest.raises(ZeroDivisionError):
            await run.ended()
