"""Connecting, staying connected, ending."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import ConnectionLost, Unauthorized
from cadenza_tui.centrifugo.options import Options

from .between import between
from .centrifugo import free_port
from .watching import WITHIN, Log, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from .between import Between
    from .broker import Broker
    from .conftest import Connect


async def test_connecting_and_closing_are_told_in_order(broker: Broker, connect: Connect) -> None:
    """Connecting, connected, disconnected: each once, and the end is one on request."""
    watched = connect(broker)
    connected = (await watched.log.event("connected"))[1]
    await watched.client.close()
    ended = await watched.ended()
    assert watched.log.names() == ["connecting", "connected", "disconnected"]
    assert (ended.code, ended.terminal) == (Local.CALLED, False)
    assert connected.client
    assert (connected.ping, connected.pong) == (2, True)


async def test_fast_loops_of_connect_and_close_leave_nothing(broker: Broker, proxied: Between) -> None:
    """Clients that are closed at any moment of their connect end, and so do their connections."""
    for turn in range(30):
        client = Client(proxied.url, Log(), token=_say(broker.token("loop")), options=Options())
        life = asyncio.create_task(client.run())
        for _ in range(turn):
            await asyncio.sleep(0)
        await client.close()
        assert not (await life).terminal
    await eventually(lambda: proxied.open == 0)


async def test_a_wrong_address_is_retried_until_something_answers(broker: Broker, connect: Connect) -> None:
    """Attempts fail with a sentence and go on; once something answers there, the client is connected."""
    port = free_port()
    watched = connect(broker, url=f"ws://127.0.0.1:{port}/connection/websocket")
    await watched.log.until(lambda: len(watched.log.of("attempt_failed")) >= 3)
    assert "refuses the connection" in watched.log.of("attempt_failed")[0][1]
    assert "connected" not in watched.log.names()
    async with between(broker.url, port):
        await watched.log.event("connected")
        await watched.close()


async def test_a_path_where_no_websocket_is_retries(broker: Broker, connect: Connect) -> None:
    """An HTTP answer in place of the handshake is told with its status, and tried again."""
    watched = connect(broker, url=broker.url + "/nowhere")
    await watched.log.until(lambda: len(watched.log.of("attempt_failed")) >= 2)
    assert "HTTP 404" in watched.log.of("attempt_failed")[0][1]


async def test_a_client_closed_before_it_ran_never_connects(broker: Broker, connect: Connect) -> None:
    """Close before run: run returns at once, and calls fail."""
    watched = connect(broker, run=False)
    await watched.client.close()
    watched.start()
    assert not (await watched.ended()).terminal
    assert watched.log.events == []
    with pytest.raises(ConnectionLost):
        await watched.client.rpc("anything")


async def test_a_client_closed_while_it_dials_never_connects(broker: Broker, connect: Connect) -> None:
    """Close before the socket is open: disconnected, without having been connected."""
    watched = connect(broker)
    await watched.log.event("connecting")
    await watched.client.close()
    assert watched.log.names() == ["connecting", "disconnected"]


async def test_concurrent_runs_share_one_connection(
    broker: Broker, proxied: Between, connect: Connect
) -> None:
    """A second run of a running client is refused, and opens nothing."""
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    refused = await asyncio.gather(*(watched.client.run() for _ in range(5)), return_exceptions=True)
    assert all(isinstance(one, RuntimeError) for one in refused)
    assert proxied.connections == 1
    assert watched.log.names() == ["connecting", "connected"]


async def test_a_closed_client_leaves_no_task_and_no_timer(broker: Broker, connect: Connect) -> None:
    """After a life with subscriptions, a call, a lost connection and a failed call, all is as before."""
    loop = asyncio.get_running_loop()

    def standing() -> tuple[int, int]:
        timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        return len(asyncio.all_tasks()), len(timers)

    async with asyncio.timeout(WITHIN):
        before = standing()
        watched = connect(broker, run=False)
        life = asyncio.create_task(watched.client.run())
        for index in range(10):
            watched.client.subscribe(f"market:{watched.user}-{index}")
        await watched.log.until(lambda: len(watched.log.of("subscribed")) == 10)
        await broker.disconnect(watched.user, 3011)
        await watched.log.until(lambda: len(watched.log.of("subscribed")) == 20)
        call = asyncio.create_task(watched.client.rpc("nothing.answers.this"))
        await watched.client.close()
        await asyncio.wait([life, call])
        assert call.exception() is not None
        while standing() != before:  # noqa: ASYNC110 - there is no event for what is not there
            await asyncio.sleep(0.005)


async def test_pings_are_answered_and_keep_the_connection(broker: Broker, connect: Connect) -> None:
    """The server's pings are told, and their pongs keep it from closing with 3012."""
    watched = connect(broker)
    await watched.log.until(lambda: watched.log.pings >= 2)
    assert watched.log.names() == ["connecting", "connected"]


async def test_missing_pongs_close_with_3012_and_the_client_comes_back(
    broker: Broker, proxied: Between, connect: Connect
) -> None:
    """A server that sees no pong closes with 3012, which is retried."""
    proxied.up = lambda line: line or None  # a pong is an empty object
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    await watched.log.event("connecting", 3012)
    proxied.up = lambda line: line
    await watched.log.event("connected")


async def test_a_silent_server_is_given_up(broker: Broker, proxied: Between, connect: Connect) -> None:
    """Without a frame for the ping interval and the grace, the link counts as dead and is replaced."""
    watched = connect(broker, url=proxied.url, dead_link_grace=0.1)
    # From a ping on, a whole interval passes before the server can miss a pong.
    await watched.log.until(lambda: watched.log.pings >= 1)
    proxied.down = lambda _line: None
    await watched.log.event("connecting", Local.NO_PING)
    proxied.down = lambda line: line
    await watched.log.event("connected")


async def test_a_server_that_never_answers_the_connect_is_tried_again(
    broker: Broker, proxied: Between, connect: Connect
) -> None:
    """A connect without a reply in time is another attempt."""
    proxied.down = lambda _line: None
    watched = connect(broker, url=proxied.url, reply_timeout=0.2)
    failed = await watched.log.event("attempt_failed")
    assert "did not answer the connect in time" in failed[1]
    proxied.down = lambda line: line
    await watched.log.event("connected")


async def test_refused_connects_wait_longer_and_longer(
    broker: Broker, proxied: Between, connect: Connect
) -> None:
    """A handshake that works proves little: only a connect reply ends the growth of the waits."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    def refuse(line: dict[str, Any]) -> dict[str, Any]:
        error = {"code": 100, "message": "internal server error", "temporary": True}
        return {"id": line["id"], "error": error} if "connect" in line else line

    proxied.down = refuse
    watched = connect(
        broker, url=proxied.url, sleep=wait, random=lambda: 1.0, backoff_min=0.5, backoff_max=20.0
    )
    await eventually(lambda: len(waits) >= 8)
    proxied.down = lambda line: line
    await watched.log.event("connected")
    assert waits[:8] == [1.0, 1.5, 2.5, 4.5, 8.5, 16.5, 20.0, 20.0]
    await broker.disconnect(watched.user, 3011)
    await watched.log.event("connected")
    assert waits[-1] == 1.0


@pytest.mark.parametrize("code", [101, 103, 106, 108])
async def test_a_connect_refused_for_good_is_terminal(
    broker: Broker, proxied: Between, connect: Connect, code: int
) -> None:
    """An error that is not temporary ends the client with its code."""
    proxied.down = lambda line: {"id": line["id"], "error": {"code": code, "message": "of the test"}}
    watched = connect(broker, url=proxied.url)
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (code, True)
    assert proxied.connections == 1


async def test_an_invalid_token_is_terminal(broker: Broker, connect: Connect) -> None:
    """A token of another key ends the client with 3500 and a remedy."""
    watched = connect(broker, token=_say("not.a.token"))
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (3500, True)
    assert ended.remedy
    assert watched.log.names() == ["connecting", "disconnected"]


async def test_a_token_source_that_fails_is_retried(broker: Broker, connect: Connect) -> None:
    """Errors of the token source delay the connect; the first token connects."""
    answers = iter([OSError("no way"), ValueError("no way"), broker.token("patient")])

    async def source() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    watched = connect(broker, token=source)
    await watched.log.event("connected")
    assert watched.log.names() == ["connecting", "attempt_failed", "attempt_failed", "connected"]


async def test_an_unauthorized_token_source_is_terminal(broker: Broker, connect: Connect) -> None:
    """A source that says unauthorized ends the client, without a connection."""

    async def source() -> str:
        raise Unauthorized("signed out", remedy="sign in")

    watched = connect(broker, token=source)
    ended = await watched.ended()
    assert (ended.code, ended.terminal, ended.remedy) == (Local.UNAUTHORIZED, True, "sign in")


async def test_sigterm_closes_with_3001_and_the_client_comes_back(
    own_broker: Broker, connect: Connect
) -> None:
    """A server that shuts down says so, and is found again when it is back on its port."""
    watched = connect(own_broker)
    await watched.log.event("connected")
    await own_broker.restart(kill=False)
    await watched.log.event("connecting", 3001)
    await watched.log.event("connected")


async def test_a_killed_server_is_a_lost_connection(own_broker: Broker, connect: Connect) -> None:
    """A server that dies without a word is found again when it is back."""
    watched = connect(own_broker)
    await watched.log.event("connected")
    await own_broker.restart(kill=True)
    lost = await watched.log.event("connecting")
    assert lost[1] in (1006, Local.TRANSPORT_CLOSED)
    await watched.log.event("connected")


def _say(token: str) -> Callable[[], asyncio.Future[str]]:
    def source() -> asyncio.Future[str]:
        said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        said.set_result(token)
        return said

    return source
