"""Calls over the connection: history, presence, RPC."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.errors import CallTimeout, ConnectionLost, ReplyError
from cadenza_tui.centrifugo.frames import StreamPosition

from .rpc_proxy import RpcRefused
from .watching import eventually

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.frames import HistoryResult

    from .between import Between
    from .broker import Broker
    from .conftest import Connect


def _read(history: HistoryResult) -> list[tuple[Any, int]]:
    return [(json.loads(bytes(one.data)), one.offset) for one in history.publications]


async def test_history_by_position_limit_and_direction(broker: Broker, connect: Connect, unique: str) -> None:
    """Nothing but the top, all, some, from a position on, and backwards."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    subscribed = await watched.log.subscribed(channel)
    await broker.publish(channel, *"abcde")
    await watched.log.publications(channel, 5)
    position = await watched.client.history(channel)
    assert (position.offset, position.epoch, _read(position)) == (5, subscribed.epoch, [])
    everything = await watched.client.history(channel, limit=-1)
    assert _read(everything) == [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]
    assert _read(await watched.client.history(channel, limit=2)) == [("a", 1), ("b", 2)]
    since = StreamPosition(3, subscribed.epoch)
    assert _read(await watched.client.history(channel, limit=-1, since=since)) == [("d", 4), ("e", 5)]
    backwards = await watched.client.history(channel, limit=2, reverse=True)
    assert _read(backwards) == [("e", 5), ("d", 4)]
    before = await watched.client.history(channel, limit=-1, since=since, reverse=True)
    assert _read(before) == [("b", 2), ("a", 1)]


async def test_history_since_another_epoch_is_unrecoverable(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A position of a stream that is not this one is refused with 112."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    with pytest.raises(ReplyError) as refused:
        await watched.client.history(channel, limit=-1, since=StreamPosition(1, "another"))
    assert refused.value.code == 112


@pytest.mark.parametrize(
    ("namespace", "code"), [("market", 103), ("tradingAccount", 103), ("plain", 108), ("nowhere", 102)]
)
async def test_history_where_it_is_not_to_be_had(
    broker: Broker, connect: Connect, unique: str, namespace: str, code: int
) -> None:
    """Not subscribed, not allowed, none kept, no such namespace: each its own code."""
    watched = connect(broker)
    with pytest.raises(ReplyError) as refused:
        await watched.client.history(f"{namespace}:{unique}")
    assert refused.value.code == code


async def test_rpc_carries_data_both_ways(broker: Broker, connect: Connect, unique: str) -> None:
    """The method's answer is given the user and the parameters, and comes back as raw JSON."""
    method = f"echo.{unique}"
    broker.answer_rpc(method, lambda user, data: {"user": user, "heard": data})
    watched = connect(broker)
    raw = await watched.client.rpc(method, {"instrumentId": "BINANCE:BTC/USDT", "depth": 10})
    assert json.loads(bytes(raw)) == {
        "user": watched.user,
        "heard": {"instrumentId": "BINANCE:BTC/USDT", "depth": 10},
    }


async def test_rpc_errors_are_raised_with_their_code(broker: Broker, connect: Connect, unique: str) -> None:
    """What the method refuses is a ReplyError, temporary where it says so; the connection stays."""

    def refuse(_user: str, data: Any) -> Any:
        raise RpcRefused(data, "refused by the test", temporary=data == 100)

    broker.answer_rpc(f"refuse.{unique}", refuse)
    watched = connect(broker)
    for code in (107, 100, 4242):
        with pytest.raises(ReplyError) as refused:
            await watched.client.rpc(f"refuse.{unique}", code)
        assert (refused.value.code, refused.value.temporary) == (code, code == 100)
    assert watched.log.names() == ["connecting", "connected"]


async def test_an_unknown_method_is_104(broker: Broker, connect: Connect, unique: str) -> None:
    """A method that nobody answers is refused, and a remedy is given."""
    watched = connect(broker)
    with pytest.raises(ReplyError) as refused:
        await watched.client.rpc(f"nobody.answers.{unique}")
    assert refused.value.code == 104
    assert refused.value.remedy


async def test_calls_wait_for_the_connection_and_run_side_by_side(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """Fifty calls made before the client runs are all answered, each with its own answer."""
    method = f"echo.{unique}"
    broker.answer_rpc(method, lambda _user, data: data)
    watched = connect(broker, run=False)
    calls = [asyncio.create_task(watched.client.rpc(method, index)) for index in range(50)]
    await asyncio.sleep(0)
    watched.start()
    answers = await asyncio.gather(*calls)
    assert [json.loads(bytes(answer)) for answer in answers] == list(range(50))


async def test_a_call_whose_reply_is_lost_times_out(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """The call fails by its own deadline, and the connection stays."""
    broker.answer_rpc(f"echo.{unique}", lambda _user, data: data)
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    proxied.down = lambda line: None if "rpc" in line else line
    with pytest.raises(CallTimeout):
        await watched.client.rpc(f"echo.{unique}", 1, timeout=0.1)
    proxied.down = lambda line: line
    assert bytes(await watched.client.rpc(f"echo.{unique}", 2)) == b"2"
    assert watched.log.names() == ["connecting", "connected"]


async def test_a_call_under_way_fails_with_its_connection(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Whether the server acted is not known: the call is not repeated, and says so."""
    broker.answer_rpc(f"echo.{unique}", lambda _user, data: data)
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    proxied.down = lambda line: None if "rpc" in line else line
    call = asyncio.create_task(watched.client.rpc(f"echo.{unique}", 1))
    await eventually(lambda: proxied.sent("rpc"))
    proxied.cut()
    with pytest.raises(ConnectionLost):
        await call
    assert len(proxied.sent("rpc")) == 1


async def test_a_call_awaited_in_a_task_of_a_callback_does_not_deadlock(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A publication asks for a query, whose reply comes over the same connection."""
    channel, method = f"market:{unique}", f"echo.{unique}"
    broker.answer_rpc(method, lambda _user, data: data)
    watched = connect(broker)
    calls: list[asyncio.Task[Any]] = []

    def ask(_channel: str, data: Any, _offset: int) -> None:
        calls.append(asyncio.create_task(watched.client.rpc(method, data)))

    watched.log.hooks["publication"] = ask
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, *range(10))
    await watched.log.publications(channel, 10)
    answers = await asyncio.gather(*calls)
    assert [json.loads(bytes(answer)) for answer in answers] == list(range(10))


async def test_presence_tells_who_is_there(broker: Broker, connect: Connect, unique: str) -> None:
    """Each subscribed connection with its user, and their numbers; two connections may be of one user."""
    channel = f"crowd:{unique}"
    watched = [connect(broker, user=user) for user in ("ann-" + unique, "ben-" + unique, "ben-" + unique)]
    ids = []
    for one in watched:
        ids.append((await one.log.event("connected"))[1].client)
        one.client.subscribe(channel)
        await one.log.subscribed(channel)
    there = await watched[0].client.presence(channel)
    assert {client: info.user for client, info in there.items()} == dict(
        zip(ids, [one.user for one in watched], strict=True)
    )
    assert all(info.client == client for client, info in there.items())
    stats = await watched[0].client.presence_stats(channel)
    assert (stats.num_clients, stats.num_users) == (3, 2)
    await watched[2].close()
    while (await watched[0].client.presence_stats(channel)).num_clients != 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert sorted(await watched[0].client.presence(channel)) == sorted(ids[:2])


@pytest.mark.parametrize(("namespace", "code"), [("market", 108), ("crowd", 103), ("nowhere", 102)])
async def test_presence_where_it_is_not_to_be_had(
    broker: Broker, connect: Connect, unique: str, namespace: str, code: int
) -> None:
    """None kept, not subscribed, no such namespace: each its own code, for both calls."""
    watched = connect(broker)
    for call in (watched.client.presence, watched.client.presence_stats):
        with pytest.raises(ReplyError) as refused:
            await call(f"{namespace}:{unique}")
        assert refused.value.code == code
