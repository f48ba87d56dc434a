"""The client through real sockets: hostile frames, floods and defects."""

from __future__ import annotations

import asyncio
import logging

import pytest

from cadenza_tui.centrifugo.dial import dial
from cadenza_tui.centrifugo.options import Options

from .scripted import PATIENCE, Peer, Scripted, just_connect, running


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


async def test_frames_that_nobody_reads_are_held_back_at_the_server() -> None:
    """The queue is bounded: beyond it the server waits, and nothing is lost when reading goes on."""
    sent: list[int] = []

    async def flood(peer: Peer) -> None:
        for number in range(1000):
            await peer.websocket.send(b"x" * 65_536)
            sent.append(number)

    server = Scripted((flood,))
    await server.start()
    websocket = await dial(server.url, Options(max_queue=4))
    async with asyncio.timeout(PATIENCE):
        while websocket.transport.is_reading():  # noqa: ASYNC110  # the transport tells nobody
            await asyncio.sleep(0)
        assert len(sent) < 500
        for _ in range(1000):
            await websocket.recv()
        await websocket.close()
    await server.kill()
    assert len(sent) == 1000


async def test_nothing_of_the_wire_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With all logging on, no token, payload or frame is in a record, and so none is turned into text."""
    caplog.set_level(logging.CRITICAL, "websockets.server")  # the scripted server's own
    caplog.set_level(logging.DEBUG)

    async def token(*_: str) -> str:
        return "secret-token"

    async def script(peer: Peer) -> None:
        await peer.accept(expires=True, ttl=0)
        await peer.answer("subscribe")
        await peer.answer("refresh")
        await peer.publish("a", "secret-payload")
        await peer.stay()

    async with running(script, token=token) as run:
        run.client.subscribe("a", token=token)
        await run.log.until("publication", "a", "secret-payload")
    assert "secret" not in caplog.text
