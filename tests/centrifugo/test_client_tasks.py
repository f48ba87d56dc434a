"""The client through real sockets: nothing that it started outlives it, whenever it is ended."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.dial import dial
from cadenza_tui.centrifugo.fetches import put_down
from cadenza_tui.centrifugo.options import Options

from .scripted import PATIENCE, Log, Peer, Scripted, just_connect, running, tasks_besides, welcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from websockets.asyncio.client import ClientConnection

    from .scripted import Script

    End = Callable[[Client, asyncio.Task[Any]], Awaitable[None]]


async def cancel(client: Client, life: asyncio.Task[Any]) -> None:
    """End a client by cancelling its run."""
    life.cancel()
    await asyncio.wait([life])


async def cancel_twice(client: Client, life: asyncio.Task[Any]) -> None:
    """End a client by cancelling its run, and again while it is ending."""
    life.cancel()
    await asyncio.sleep(0)
    life.cancel()
    await asyncio.wait([life])


async def close(client: Client, life: asyncio.Task[Any]) -> None:
    """End a client by closing it."""
    await client.close()
    await asyncio.wait([life])


async def close_and_cancel(client: Client, life: asyncio.Task[Any]) -> None:
    """End a client by closing it, and cancel its run meanwhile."""
    closing = asyncio.create_task(client.close())
    await asyncio.sleep(0)
    life.cancel()
    await asyncio.wait([life, closing])


ENDS = [cancel, cancel_twice, close, close_and_cancel]


@asynccontextmanager
async def serving(*scripts: Script) -> AsyncIterator[Scripted]:
    """Run a server alone."""
    server = Scripted(scripts)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


async def everything(peer: Peer) -> None:
    """Let each kind of the client's work begin: pings, refreshes of both kinds, subscribes, publications."""
    await peer.accept(expires=True, ttl=0)
    while True:
        command = await peer.command()
        if "subscribe" in command:
            await peer.say({"id": command["id"], "subscribe": {"expires": True, "ttl": 0}}, {})
            await peer.publish(command["subscribe"]["channel"], 1)
        elif "refresh" in command:
            await peer.say({"id": command["id"], "refresh": {"expires": True, "ttl": 0}})
        elif "sub_refresh" in command:
            await peer.say({"id": command["id"], "sub_refresh": {"expires": True, "ttl": 0}})


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("script", [everything, just_connect, welcome])
async def test_no_task_is_left_wherever_the_end_comes(end: End, script: Script) -> None:
    """Ended after each number of turns of the event loop, from none to well into the session."""

    async def token(*_: str) -> str:
        await asyncio.sleep(0)
        return "good"

    options = Options(backoff_min=0.01, token_retry_min=0.0, token_retry_max=0.001, close_timeout=0.2)
    async with serving(script) as server:
        before = asyncio.all_tasks()
        for turns in range(40):
            client = Client(server.url, Log(), token=token, options=options)
            client.subscribe("a", token=token)
            client.subscribe("b")
            life = asyncio.create_task(client.run())
            for _ in range(turns):
                await asyncio.sleep(0)
            await end(client, life)
            assert life.done()
            assert not tasks_besides(before)
        assert not server.errors
        if script is everything:  # so far did the last of them come
            assert any("sub_refresh" in command for command in server.peers[-1].received)


@pytest.mark.parametrize("end", ENDS)
async def test_no_task_is_left_while_waiting_for_the_next_attempt(end: End) -> None:
    """The wait between attempts ends with the client."""
    before = asyncio.all_tasks()
    log = Log()
    client = Client("ws://127.0.0.1:9/", log, options=Options(backoff_min=1000.0, backoff_max=1000.0))
    life = asyncio.create_task(client.run())
    await log.until("attempt_failed")
    await end(client, life)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("end", ENDS)
async def test_no_task_is_left_while_the_goodbye_is_not_answered(end: End) -> None:
    """A server that reads nothing, and so never answers the close, is left all the same."""

    async def deaf(peer: Peer) -> None:
        await peer.accept()
        peer.websocket.transport.pause_reading()
        await peer.websocket.wait_closed()

    before = asyncio.all_tasks()
    async with serving(deaf) as server:
        log = Log()
        client = Client(server.url, log, options=Options(close_timeout=0.05))
        life = asyncio.create_task(client.run())
        await log.until("connected")
        await end(client, life)
        assert not tasks_besides(before)


async def test_cancelled_goodbye_leaves_no_open_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled while it waits for the server's close frame, the client drops the connection at once."""
    dialled: list[ClientConnection] = []

    async def dialling(url: str, options: Options) -> ClientConnection:
        dialled.append(await dial(url, options))
        return dialled[-1]

    async def deaf(peer: Peer) -> None:
        await peer.accept()
        peer.websocket.transport.pause_reading()
        await peer.websocket.wait_closed()

    monkeypatch.setattr("cadenza_tui.centrifugo.client.dial", dialling)
    async with serving(deaf) as server:
        log = Log()
        client = Client(server.url, log, options=Options(close_timeout=1000.0))
        life = asyncio.create_task(client.run())
        await log.until("connected")
        life.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not life.done()
        life.cancel()
        await asyncio.wait([life])
        assert dialled[0].transport.is_closing()


async def test_tasks_are_put_down_even_by_one_who_is_cancelled_meanwhile() -> None:
    """Who waits for tasks to end waits on when cancelled, and is cancelled then."""
    ending, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await may_end.wait()

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    waiter = asyncio.create_task(put_down([task]))
    await ending.wait()
    waiter.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiter.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert task.done()


async def test_fast_loops_of_connect_and_close_leave_nothing() -> None:
    """Fifty clients, each closed as soon as it is connected: told in order, one connection each."""
    async with serving(just_connect) as server:
        before = asyncio.all_tasks()
        for _ in range(50):
            log = Log()
            client = Client(server.url, log)
            life = asyncio.create_task(client.run())
            await log.until("connected")
            await client.close()
            await life
            assert log.names() == ["connecting", "connected", "disconnected"]
            assert not tasks_besides(before)
        assert len(server.peers) == 50


async def test_close_before_open_dials_nobody() -> None:
    """A client that was closed first never connects, and says that it was closed on request."""
    async with serving(just_connect) as server:
        log = Log()
        client = Client(server.url, log)
        await client.close()
        assert not (await client.run()).terminal
        assert log.names() == []
        assert server.peers == []


async def test_close_at_once_after_run_dials_nobody() -> None:
    """Closed before the event loop ran it at all."""
    async with serving(just_connect) as server:
        client = Client(server.url, Log())
        life = asyncio.create_task(client.run())
        await client.close()
        assert not (await life).terminal
        assert server.peers == []


async def test_concurrent_closes_all_return() -> None:
    """Whoever closes, however often, waits for the one end."""
    async with running(welcome, channels=("a",)) as run:
        await run.log.until("subscribed", "a")
        await asyncio.gather(*(run.client.close() for _ in range(5)))
        assert run.log.names().count("disconnected") == 1


async def test_token_source_may_close_the_client() -> None:
    """Neither the first fetch nor a refresh waits for itself."""
    for good in (0, 1):
        calls: list[int] = []
        clients: list[Client] = []

        async def token(calls: list[int] = calls, clients: list[Client] = clients, good: int = good) -> str:
            calls.append(1)
            if len(calls) > good:
                await clients[0].close()
            return "good"

        async with serving(everything) as server:
            before = asyncio.all_tasks()
            client = Client(server.url, Log(), token=token)
            clients.append(client)
            async with asyncio.timeout(PATIENCE):
                assert not (await client.run()).terminal
            assert not tasks_besides(before)


async def test_many_subscribes_at_once_are_one_connection_and_one_command_each() -> None:
    """Asked for from many tasks while connecting, twice each: every channel goes live once."""
    names = [f"c{number}" for number in range(100)]

    async with running(welcome) as run:

        async def ask(name: str) -> None:
            run.client.subscribe(name)
            await asyncio.sleep(0)
            run.client.subscribe(name)

        await asyncio.gather(*map(ask, names))
        await run.log.until("subscribed", count=100)
        (peer,) = run.server.peers
        asked = [held["subscribe"]["channel"] for held in peer.received if "subscribe" in held]
        assert sorted(asked) == sorted(names)


async def test_loops_of_subscribe_and_unsubscribe_end_as_the_last_one_says() -> None:
    """Fifty rounds without waiting: the server sees them in order, and the channel is live at the end."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        while True:
            command = await peer.command()
            kind = "subscribe" if "subscribe" in command else "unsubscribe"
            await peer.say({"id": command["id"], kind: {}})

    async with running(script) as run:
        await run.log.until("connected")
        for _ in range(50):
            run.client.subscribe("a")
            await asyncio.sleep(0)
            run.client.unsubscribe("a")
        run.client.subscribe("a")
        await run.log.until("subscribed", "a")
        (peer,) = run.server.peers
        kinds = [list(held)[1] for held in peer.received[1:]]
        assert kinds == (["subscribe", "unsubscribe"] * (len(kinds) // 2)) + ["subscribe"]
        assert run.client.session.channels == ["a"]


async def test_reply_of_an_earlier_session_is_nobodys() -> None:
    """A reply whose id was sent on another connection is passed over, and the session goes on."""
    stale: list[int] = []

    async def first(peer: Peer) -> None:
        await peer.accept()
        stale.append((await peer.command("subscribe"))["id"])
        await peer.websocket.close(3001)

    async def second(peer: Peer) -> None:
        await peer.accept()
        command = await peer.command("subscribe")
        await peer.say({"id": stale[0], "error": {"code": 103, "message": "stale"}})
        await peer.say({"id": command["id"], "subscribe": {}})
        await peer.stay()

    async with running(first, second, channels=("a",)) as run:
        await run.log.until("subscribed", "a")
        assert "unsubscribed" not in run.log.names()
        assert run.client.session.dropped["reply to a call that is over"] == 1


async def test_call_may_be_awaited_by_what_a_callback_starts() -> None:
    """A callback that starts a task which calls the server does not hold the session up."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.answer("subscribe")
        await peer.publish("a", 1)
        await peer.answer("rpc", data="answer")
        await peer.publish("a", 2)
        await peer.stay()

    answers: list[bytes] = []

    async with running(script, channels=("a",)) as run:
        asking: list[asyncio.Task[None]] = []

        async def ask() -> None:
            answers.append(bytes(await run.client.rpc("m")))

        def publication(*_: object) -> None:
            if not asking:
                asking.append(asyncio.create_task(ask()))

        run.log.hooks["publication"] = publication
        await run.log.until("publication", "a", 2)
        await asking[0]
        assert answers == [b'"answer"']
