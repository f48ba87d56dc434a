"""The client through real sockets: how it ends, and how it comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import ConnectionLost
from cadenza_tui.centrifugo.listener import Ended
from cadenza_tui.centrifugo.options import Options

from .scripted import PATIENCE, Log, Peer, Scripted, closing, just_connect, running, welcome


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
