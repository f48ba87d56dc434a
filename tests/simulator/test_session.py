"""Connecting, commands, errors and close codes, over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus

from cadenza_tui.simulator.commands import Close
from cadenza_tui.simulator.tokens import mint

from .conftest import BOOK, SECRET, eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .conftest import Client, Rig

    Make = Callable[..., Awaitable[Rig]]


async def test_connect_answers_with_what_a_client_needs(make: Make) -> None:
    """Client id, ping and pong, session, node, the server's time in ms."""
    rig = await make()
    client = await rig.open()
    result = (await client.call(connect={"token": rig.token(), "name": "test"}))["connect"]
    assert result.keys() == {"client", "version", "ping", "pong", "session", "node", "time"}
    assert (result["ping"], result["pong"]) == (25, True)
    assert abs(result["time"] - time.time() * 1000) < 60_000


async def test_a_token_with_an_end_makes_the_connection_expire(make: Make) -> None:
    """``expires`` and ``ttl`` say when a refresh is due."""
    rig = await make()
    client = await rig.open()
    result = (await client.call(connect={"token": rig.token(ttl=100)}))["connect"]
    assert result["expires"]
    assert 98 <= result["ttl"] <= 100


async def test_an_expired_token_is_error_109(make: Make) -> None:
    """A client comes back with another token by another connection: this one is deaf, and is soon cut."""
    rig = await make(refused_close_delay=0.05)
    client = await rig.open()
    answered = await client.call(connect={"token": rig.token(ttl=-5)})
    assert answered["error"] == {"code": 109, "message": "token expired"}
    await client.send(connect={"token": rig.token()})
    with pytest.raises(Exception, match="no close frame"):
        await client.line()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"id":1,"connect":{"token":"nonsense"}}', 3500),
        (json.dumps({"id": 1, "connect": {"token": mint("other", now=0, ttl=None)}}), 3500),
        ('{"id":1,"connect":{}}', 3501),
        ('{"id":1,"subscribe":{"channel":"market:trade:X"}}', 3501),
        ("{}", 3501),
        ("not JSON", 3501),
        ('{"id":1,"connect":{"token":5}}', 3501),
        ('{"id":-1,"connect":{"token":"x"}}', 3501),
    ],
)
async def test_a_bad_start_is_closed(make: Make, frame: str, code: int) -> None:
    """Tokens that are not ours end with 3500; anything but a connect, and what cannot be read, with 3501."""
    rig = await make()
    client = await rig.open()
    await client.socket.send(frame)
    assert (await client.closed())[0] == code


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"subscribe": {"channel": "nowhere:x"}}, 102),
        ({"subscribe": {"channel": "market:orderBook:NO:PE"}}, 102),
        ({"subscribe": {"channel": "market:kline:BINANCE:BTC/USDT:7m"}}, 102),
        ({"subscribe": {"channel": "tradingAccount:desk-9"}}, 103),
        ({"history": {"channel": BOOK}}, 103),
        ({"rpc": {"method": "query.nothing"}}, 104),
        ({"rpc": {"method": "query.ticker.list", "data": {"venue": 3}}}, 107),
        ({"rpc": {}}, 104),
        ({"publish": {"channel": BOOK, "data": 1}}, 103),
        ({"publish": {"channel": "nowhere:x", "data": 1}}, 102),
        ({"presence": {"channel": BOOK}}, 108),
        ({"presence_stats": {"channel": "nowhere:x"}}, 102),
        ({"history": {"channel": "nowhere:x"}}, 102),
        ({"sub_refresh": {"channel": BOOK, "token": "x"}}, 103),
    ],
)
async def test_a_refused_command_is_an_error_and_no_more(
    make: Make, command: dict[str, Any], code: int
) -> None:
    """The reply carries the code, and the connection goes on."""
    rig = await make()
    client = await rig.client()
    assert (await client.call(**command))["error"]["code"] == code
    assert "rpc" in await client.call(rpc={"method": "query.venue.list"})


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"id":9,"connect":{"token":"x"}}', 3501),
        ('{"id":9,"subscribe":{}}', 3501),
        ('{"id":9,"subscribe":{"channel":7}}', 3501),
        ('{"id":9,"subscribe":{"channel":"market:x","offset":-1}}', 3501),
        ('{"id":9,"subscribe":{"channel":"market:x","delta":"other"}}', 3501),
        ('{"id":9,"presence":{}}', 3501),
        ('{"id":9,"refresh":{}}', 3501),
        ('{"id":9,"sub_refresh":{"token":"x"}}', 3501),
        ('{"id":9,"ping":{}}', 3501),
        ('{"id":9,"dance":{}}', 3501),
        ("{}", 3501),
        ('{"send":{"data":1}}', 3508),
        ('{"id":9,"refresh":{"token":"nonsense"}}', 3500),
        (json.dumps({"id": 9, "refresh": {"token": mint(SECRET, now=0)}}), 3005),
        (json.dumps({"id": 9, "refresh": {"token": mint(SECRET, "eve", now=0, ttl=None)}}), 3500),
        ("x" * 70_000, 1009),
    ],
)
async def test_a_broken_command_is_closed(make: Make, frame: str, code: int) -> None:
    """A second connect, no channel, no such command, another user's or a spent token, a pong to no ping, a
    frame past 64 KB."""
    rig = await make()
    client = await rig.client()
    await client.socket.send(frame)
    assert (await client.closed())[0] == code


async def test_another_users_account_is_denied(make: Make) -> None:
    """A user sees the markets, but not the accounts of others."""
    rig = await make()
    client = await rig.client(user="eve")
    answered = await client.call(subscribe={"channel": "tradingAccount:desk-1"})
    assert answered["error"]["code"] == 103
    assert await client.subscribe(BOOK)


async def test_subscribing_twice_is_error_105(make: Make) -> None:
    """Until it is unsubscribed."""
    rig = await make()
    client = await rig.client()
    await client.subscribe(BOOK)
    assert (await client.call(subscribe={"channel": BOOK}))["error"]["code"] == 105
    assert (await client.call(unsubscribe={"channel": BOOK}))["unsubscribe"] == {}
    assert (await client.subscribe(BOOK))["offset"] == 1


async def test_the_channel_past_the_limit_is_error_106(make: Make) -> None:
    """Another place is free again after an unsubscribe."""
    rig = await make(channel_limit=2, instruments=2)
    client = await rig.client()
    await client.subscribe("market:trade:BINANCE:BTC/USDT")
    await client.subscribe("market:trade:OKX:BTC/USDT")
    assert (await client.call(subscribe={"channel": BOOK}))["error"]["code"] == 106
    await client.call(unsubscribe={"channel": "market:trade:OKX:BTC/USDT"})
    assert await client.subscribe(BOOK)


async def test_pipelined_commands_are_answered_in_order(make: Make) -> None:
    """One frame of many commands, the first being connect."""
    rig = await make()
    client = await rig.open()
    commands: list[dict[str, Any]] = [{"id": 1, "connect": {"token": rig.token()}}]
    commands += [{"id": n, "rpc": {"method": "query.venue.list"}} for n in range(2, 40)]
    await client.socket.send("\n".join(map(json.dumps, commands)))
    assert [(await client.line())["id"] for _ in commands] == list(range(1, 40))


async def test_pings_come_and_their_pongs_keep_the_connection(make: Make) -> None:
    """A client that answers stays connected over many pings."""
    rig = await make(ping=0.04, pong_timeout=0.03)
    client = await rig.client()
    reading = asyncio.create_task(client.line())
    async with asyncio.timeout(5):
        await eventually(lambda: client.pings >= 5)
    assert not reading.done()
    reading.cancel()


async def test_a_client_that_does_not_pong_is_closed(make: Make) -> None:
    """3012, which asks it to reconnect."""
    rig = await make(ping=0.05, pong_timeout=0.05)
    client = await rig.client()
    assert await client.closed() == (3012, "no pong")


async def test_a_client_that_never_connects_is_closed(make: Make) -> None:
    """3502: a WebSocket alone is not a connection."""
    rig = await make(stale=0.05)
    client = await rig.open()
    assert await client.closed() == (3502, "stale")


async def test_an_expired_connection_is_closed_unless_refreshed(make: Make) -> None:
    """At the token's end and a grace later 3005 comes; a refresh with a new token puts it off."""
    rig = await make(expired_close_delay=0.0)
    refreshed, late = await rig.client(ttl=1), await rig.client(ttl=1)
    result = (await refreshed.call(refresh={"token": rig.token(ttl=60)}))["refresh"]
    assert result["expires"]
    assert result["ttl"] >= 58
    assert await late.closed() == (3005, "connection expired")
    assert "rpc" in await refreshed.call(rpc={"method": "query.venue.list"})


async def stall(rig: Rig) -> tuple[Client, Client]:
    """Return a client that did not read until the server had enough of it, and one that read all."""
    slow, fast = await rig.client(), await rig.client()
    await slow.subscribe(BOOK)
    await fast.subscribe(BOOK)
    slow.socket.transport.pause_reading()
    listeners = rig.hub._streams[BOOK].listeners
    async with asyncio.timeout(10):
        while len(listeners[BOOK]) > 1:
            rig.server.publish([rig.exchange.book_snapshot("BINANCE:BTC/USDT")])
            offset = rig.hub._streams[BOOK].offset
            while (await fast.push())["pub"]["offset"] < offset:
                pass
    return slow, fast


async def test_a_slow_consumer_is_closed_and_others_are_not(make: Make) -> None:
    """A client that reads nothing fills its queue and gets 3008; one that reads misses nothing."""
    slow, fast = await stall(await make(queue_bytes=200_000, close_timeout=5.0))
    slow.socket.transport.resume_reading()
    assert await slow.closed() == (3008, "slow")
    assert "rpc" in await fast.call(rpc={"method": "query.venue.list"})


async def test_a_consumer_that_never_reads_again_is_cut_off(make: Make) -> None:
    """Its close frame cannot be delivered, and its connection does not linger."""
    rig = await make(queue_bytes=200_000, close_timeout=0.1)
    slow, _ = await stall(rig)
    async with asyncio.timeout(5):
        await eventually(lambda: len(rig.server.sessions) == 1)
    slow.socket.transport.abort()


async def test_many_publications_at_once_share_frames(make: Make) -> None:
    """Under load a frame holds up to 64 objects, one a line."""
    rig = await make(rate=2_000.0, instruments=1)
    client = await rig.client()
    await client.subscribe(BOOK)
    await client.push()
    frames = client.frames
    count = rig.advance(0.2)
    for _ in range(count):
        await client.push()
    assert count > 300
    assert client.frames - frames <= count / 64 + 2


async def test_stopping_closes_every_connection(make: Make) -> None:
    """3001, after which clients come back, and nothing listens any more."""
    rig = await make()
    clients = [await rig.client() for _ in range(3)]
    await asyncio.gather(rig.server.stop(), *(client.closed() for client in clients))
    assert [client.socket.close_code for client in clients] == [3001] * 3
    with pytest.raises(OSError, match=r"refused|reset|Connect call failed"):
        await rig.open()


async def test_a_dropped_connection_ends_without_a_close_frame(make: Make) -> None:
    """The fault switch cuts the TCP connection."""
    rig = await make()
    client = await rig.client()
    next(iter(rig.server.sessions)).kill()
    with pytest.raises(Exception, match="no close frame"):
        await client.line()


async def test_any_close_code_can_be_sent_to_all(make: Make) -> None:
    """The fault switch closes every connection with the given code."""
    rig = await make()
    client = await rig.client()
    rig.server.disconnect(Close.FORCE_RECONNECT)
    assert await client.closed() == (3011, "force reconnect")


async def test_nothing_is_served_elsewhere(make: Make) -> None:
    """Another path is 404."""
    rig = await make()
    rig.server.url = rig.server.url.replace("/connection", "/wrong")
    with pytest.raises(InvalidStatus, match="404"):
        await rig.open()


async def test_the_json_subprotocol_may_be_offered(make: Make) -> None:
    """It is chosen where offered, and none where not."""
    rig = await make()
    assert (await rig.open(subprotocols=["centrifuge-json"])).socket.subprotocol == "centrifuge-json"
    assert (await rig.open()).socket.subprotocol is None


async def test_a_session_leaves_nothing_behind(make: Make) -> None:
    """When the client goes, its session, its places in channels and its tasks go."""
    rig = await make()
    before = asyncio.all_tasks()
    client = await rig.client()
    await client.subscribe(BOOK)
    await client.socket.close()
    async with asyncio.timeout(5):
        await eventually(lambda: not rig.server.sessions and not asyncio.all_tasks() - before)
    assert not rig.hub.busy
