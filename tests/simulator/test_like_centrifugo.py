"""The simulator's wire against Centrifugo's: the same commands and calls, line by line the same answers.

Of each transcript only what is another's by nature is made alike: client ids, epochs, the server's name.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

import jwt
import pytest

from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.namespaces import Namespace
from cadenza_tui.simulator.server import Server, ServerOptions
from tests.conformance import centrifugo, rpc_proxy

from .wires import SimulatedApi, Stage, alike

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from .wires import Api

    Scenario: TypeAlias = Callable[["Stage"], Awaitable[None]]

SECRET = centrifugo.SECRET
NAMESPACES = {
    "market": Namespace(history=100, delta=True, history_for_subscriber=True, open=True),
    "small": Namespace(history=2, open=True),
    "private": Namespace(history=100, token_required=True, open=True),
    "crowd": Namespace(history=0, recoverable=False, positioned=False, presence=True, open=True),
    "plain": Namespace(history=0, recoverable=False, positioned=False, open=True),
    "brief": Namespace(history=10, ttl=1.0, open=True),
}
OPTIONS = ServerOptions(
    ping=2.0,
    pong_timeout=1.0,
    stale=1.0,
    expired_close_delay=1.0,
    expired_sub_close_delay=1.0,
    namespaces=NAMESPACES,
)


@pytest.fixture(scope="module")
def real() -> Iterator[centrifugo.Process]:
    """The real server; without its program the tests are skipped, or fail in CI."""
    try:
        binary = centrifugo.find()
    except centrifugo.NoBinary as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with TemporaryDirectory() as folder:
        for proxy in rpc_proxy.serving():
            yield from centrifugo.running(binary, Path(folder), proxy.endpoint)


@pytest.fixture
async def simulated() -> AsyncIterator[Server]:
    """The simulator, with the real server's namespaces."""
    server = Server(Exchange(1, instruments=1), SECRET, OPTIONS)
    await server.start("127.0.0.1", 0)
    yield server
    await server.stop()


async def publications(stage: Stage) -> None:
    """Publications in a channel, and its history from either end."""
    one, channel = await stage.client(), stage.channel("market:a:b/c")
    await one.call(subscribe={"channel": channel})
    several: list[Any] = [{"v": 1}, None, 'text " \u2028 <&> \x07 ж', 5, []]
    for data in several:
        stage.call("publish", channel=channel, data=data)
    await one.settle()
    await one.call(history={"channel": channel})
    epoch = one.said[-1]["history"]["epoch"]
    for limit in (-1, 2, 1000):
        for reverse in (False, True):
            for since in (None, {"offset": 2, "epoch": epoch}, {"offset": 0, "epoch": ""}):
                since_ = {} if since is None else {"since": since}
                await one.call(history={"channel": channel, "limit": limit, "reverse": reverse, **since_})
    for offset in (5, 6, 9):
        await one.call(history={"channel": channel, "limit": 9, "since": {"offset": offset, "epoch": epoch}})
    await one.call(history={"channel": channel, "limit": 9, "since": {"offset": 1, "epoch": "another"}})
    await one.call(subscribe={"channel": channel})
    await one.call(unsubscribe={"channel": channel})
    await one.call(unsubscribe={"channel": channel})
    await one.call(history={"channel": channel})
    stage.call("publish", channel=channel, data=6)
    await one.settle()
    await one.call(subscribe={"channel": channel})
    await one.call(subscribe={"channel": stage.channel("plain:x")})
    for number in range(3):
        stage.call("publish", channel=stage.channel("plain:x"), data=number)
    await one.settle()


async def recoveries(stage: Stage) -> None:
    """From each position, with each epoch, before and after history was removed."""
    channel = stage.channel("small:x")
    one = await stage.client()
    await one.call(subscribe={"channel": channel, "recover": True, "offset": 0, "epoch": ""})
    for number in range(5):
        stage.call("publish", channel=channel, data=number)
    await one.settle()
    epoch = one.said[1]["subscribe"]["epoch"]
    for _ in range(2):
        for offset, known in [*((n, epoch) for n in range(7)), (4, ""), (5, "_"), (4, "_")]:
            wire = await stage.client()
            position = {"recover": True, "offset": offset, "epoch": known}
            await wire.call(subscribe={"channel": channel, **position})
        stage.call("history_remove", channel=channel)
    stage.call("publish", channel=channel, data=5)
    await one.settle()


async def deltas(stage: Stage) -> None:
    """Whole, then deltas, also within a recovery and behind one; never where they were not asked for."""
    channel = stage.channel("market:d")
    one, plain = await stage.client(), await stage.client()
    await one.call(subscribe={"channel": channel, "delta": "fossil"})
    await plain.call(subscribe={"channel": channel})
    await one.call(subscribe={"channel": stage.channel("small:d"), "delta": "fossil"})
    for value in ("x" * 300, "x" * 300 + "1", "x" * 300 + "2ж", None, "short", "x" * 100 + "ж" * 100):
        stage.call("publish", channel=channel, data={"k": value})
    await one.settle()
    late = [await stage.client() for _ in range(8)]
    for offset, wire in enumerate(late):
        position = {"recover": True, "offset": offset, "epoch": ""}
        await wire.call(subscribe={"channel": channel, "delta": "fossil", **position})
    fresh = await stage.client()
    await fresh.call(subscribe={"channel": channel, "delta": "fossil"})
    for value in ("x" * 100 + "ж" * 100 + "3", "x" * 101 + "ж" * 100 + "3"):
        stage.call("publish", channel=channel, data={"k": value})
    stage.call("history_remove", channel=channel)
    stage.call("publish", channel=channel, data={"k": "x" * 102 + "ж" * 100 + "3"})
    for wire in (one, plain, fresh, *late):
        await wire.settle()


async def subscription_tokens(stage: Stage) -> None:
    """None, wrong ones, another's, spent ones; refreshes of each kind."""
    channel, now = stage.channel("private:x"), int(time.time())
    good = stage.token(channel=channel)
    one = await stage.client()
    for token in ("", "bad", stage.token(channel=channel, exp=now - 5), stage.token(), good):
        await one.call(subscribe={"channel": channel, "token": token})
    for token in ("", good, stage.token(channel=channel, exp=now - 5)):
        await one.call(sub_refresh={"channel": channel, "token": token})
    await one.call(sub_refresh={"channel": stage.channel("private:y"), "token": good})
    stranger = jwt.encode({"sub": "eve", "channel": channel}, SECRET, algorithm="HS256")
    for token in (stage.token(channel="private:other"), stranger):
        wire = await stage.client()
        await wire.call(subscribe={"channel": channel, "token": token})
        wire = await stage.client()
        await wire.call(subscribe={"channel": channel, "token": good})
        await wire.call(sub_refresh={"channel": channel, "token": token})
    for command in ({"channel": channel, "token": "bad"}, {"token": good}):
        wire = await stage.client()
        await wire.call(subscribe={"channel": channel, "token": good})
        await wire.call(sub_refresh=command)
    open_one = await stage.client()
    await open_one.call(subscribe={"channel": stage.channel("plain:x"), "token": "bad"})
    token = stage.token(channel=stage.channel("plain:x"))
    await open_one.call(subscribe={"channel": stage.channel("plain:x"), "token": token})


async def ends_of_subscriptions(stage: Stage) -> None:
    """A subscription whose token ends is taken out with 2501, one that is refreshed stays."""
    channel, other = stage.channel("private:x"), stage.channel("private:y")
    one = await stage.client()
    ends = int(time.time()) + 1
    first = await one.call(subscribe={"channel": channel, "token": stage.token(channel=channel, exp=ends)})
    assert 0 <= first["subscribe"].pop("ttl") <= 1
    second = await one.call(subscribe={"channel": other, "token": stage.token(channel=other, exp=ends)})
    second["subscribe"].pop("ttl")
    later = await one.call(sub_refresh={"channel": other, "token": stage.token(channel=other, exp=ends + 60)})
    assert 50 < later["sub_refresh"].pop("ttl") <= 61
    await one.until("unsubscribe")
    await one.call(subscribe={"channel": other})


async def server_side_subscriptions(stage: Stage) -> None:
    """By the token, by what connect asks for, by the API; with positions, and beside the client's own."""
    x, y, delta = stage.channel("small:x"), stage.channel("small:y"), stage.channel("market:d")
    one = await stage.client(channels=[x])
    epoch = one.said[0]["connect"]["subs"][x]["epoch"]
    for number in range(3):
        stage.call("publish", channel=x, data=number)
    await one.settle()
    await one.call(subscribe={"channel": x})
    await one.call(sub_refresh={"channel": x, "token": stage.token(channel=x)})
    for offset in (3, 2, 0):
        await stage.client({x: {"recover": True, "offset": offset, "epoch": epoch}}, channels=[x])
    await stage.client({x: {"recover": True, "offset": 2, "epoch": epoch}, stage.channel("private:z"): {}})
    await stage.client({"nowhere:x": {}})
    await stage.client(channels=["nowhere:x"])
    await stage.client({delta: {"delta": "fossil"}}, channels=[delta])
    await stage.client(channels=[stage.channel(f"small:{number}") for number in range(129)])
    two = await stage.client(channels=[x, y])
    await two.call(unsubscribe={"channel": x})
    await two.call(refresh={"token": stage.token(channels=[y])})
    await two.call(refresh={"token": stage.token(channels=[y, x])})
    three = await stage.client(channels=[x, y])
    await three.call(refresh={"token": stage.token(channels=[y])})


async def levers_on_subscriptions(stage: Stage) -> None:
    """Unsubscribe and subscribe by the API, of who is subscribed and who is not."""
    x = stage.channel("small:x")
    one, two = await stage.client(), await stage.client()
    await one.call(subscribe={"channel": x})
    for method in ("unsubscribe", "subscribe", "subscribe"):
        stage.call(method, user=stage.user, channel=x)
        stage.call("publish", channel=x, data=method)
        await one.settle()
        await two.settle()
    stage.call("subscribe", user=stage.user, channel=stage.channel("plain:x"))
    stage.call("unsubscribe", user=stage.user, channel=x)
    for wire in (one, two):
        await wire.settle()
        await wire.call(subscribe={"channel": x})


async def refreshes(stage: Stage) -> None:
    """Of the connection, by the client and by the API."""
    now = int(time.time())
    for token in ("bad", stage.token(exp=now - 5), stage.token(), "", stage.token(channels=["small:x"])):
        wire = await stage.client(exp=now + 10_000)
        wire.said[-1]["connect"].pop("ttl")
        await wire.call(refresh={"token": token})
    one = await stage.client()
    answered = await one.call(refresh={"token": stage.token(exp=now + 10_000)})
    assert 9_900 < answered["refresh"].pop("ttl") <= 10_000
    stage.call("refresh", user=stage.user, expire_at=0)
    await one.settle()
    stage.call("refresh", user=stage.user, expire_at=now + 10_000)
    await one.settle()
    assert 9_900 < one.said[-1]["push"]["refresh"].pop("ttl") <= 10_000
    stage.call("refresh", user=stage.user, expired=True)
    await one.ended()
    one = await stage.client()
    stage.call("refresh", user=stage.user, expire_at=now - 100)
    await one.ended()


async def disconnects(stage: Stage) -> None:
    """By the API, with each kind of code."""
    for code in (1000, 3000, 3001, 3499, 3500, 3999, 4000, 4500, 4999, 5000, 2999, 0):
        one = await stage.client()
        stage.call("disconnect", user=stage.user, disconnect={"code": code, "reason": "said"})
        await one.ended()
    one = await stage.client()
    stage.call("disconnect", user=stage.user, disconnect={"code": 4000})
    await one.ended()


async def broken_commands(stage: Stage) -> None:
    """What is no command, what is refused, what closes."""
    channel = stage.channel("market:x")
    for frame in (
        '{"id":2}',
        '{"id":2,"dance":{}}',
        '{"id":2,"ping":{}}',
        '{"id":2,"connect":{}}',
        '{"id":-1,"rpc":{"method":"x"}}',
        '{"id":2,"subscribe":{}}',
        '{"id":2,"subscribe":{"channel":5}}',
        '{"id":2,"subscribe":{"channel":"market:y","offset":-1}}',
        '{"id":2,"subscribe":{"channel":"market:y","delta":"other"}}',
        '{"id":2,"unsubscribe":{}}',
        '{"id":2,"history":{}}',
        '{"id":2,"presence":{}}',
        '{"id":2,"presence_stats":{}}',
        '{"id":2,"publish":{"data":1}}',
        '{"id":2,"sub_refresh":{}}',
        '{"id":2,"refresh":{}}',
        '{"send":{"data":1}}',
        "{}",
        "nonsense",
    ):
        wire = await stage.client()
        await wire.raw(frame, 2)
    one = await stage.client()
    await one.call(subscribe={"channel": channel})
    for command in (
        {"subscribe": {"channel": "nowhere:x"}},
        {"subscribe": {"channel": "market"}},
        {"publish": {"channel": channel, "data": 1}},
        {"publish": {"channel": "nowhere:x", "data": 1}},
        {"history": {"channel": stage.channel("plain:x")}},
        {"history": {"channel": stage.channel("small:x")}},
        {"presence": {"channel": channel}},
        {"presence": {"channel": "nowhere:x"}},
        {"presence": {"channel": stage.channel("crowd:x")}},
        {"presence_stats": {"channel": stage.channel("crowd:x")}},
        {"sub_refresh": {"channel": stage.channel("market:y"), "token": "x"}},
        {"history": {"channel": "market"}},
        {"publish": {"channel": "market", "data": 1}},
        {"rpc": {"method": "nothing"}},
    ):
        await one.call(**command)


async def presences(stage: Stage) -> None:
    """Who is in a channel, as those in it are told."""
    channel = stage.channel("crowd:x")
    one, two = await stage.client(), await stage.client()
    await one.call(subscribe={"channel": channel})
    await one.call(presence={"channel": channel})
    await two.call(presence={"channel": channel})
    await two.call(subscribe={"channel": channel})
    await one.call(presence_stats={"channel": channel})
    await two.call(unsubscribe={"channel": channel})
    await one.call(presence_stats={"channel": channel})


async def limits(stage: Stage) -> None:
    """The 129th channel, whoever asks for it."""
    one = await stage.client()
    for number in range(129):
        await one.call(subscribe={"channel": stage.channel(f"small:{number}")})
    stage.call("subscribe", user=stage.user, channel=stage.channel("small:x"))
    await one.ended()


async def bad_starts(stage: Stage) -> None:
    """Tokens that cannot be, and commands before there is a connection."""
    now = int(time.time())
    for token in ("bad", stage.token(exp=now - 5), "", jwt.encode({"sub": "x"}, "x" * 40, algorithm="HS256")):
        wire = await stage.open()
        await wire.call(connect={"token": token})
    for frame in ("{}", '{"id":1,"subscribe":{"channel":"market:x"}}', "nonsense", '{"id":0,"connect":{}}'):
        wire = await stage.open()
        await wire.raw(frame, 1)
    await (await stage.open()).ended()


async def forgotten_streams(stage: Stage) -> None:
    """A stream that is forgotten has another epoch, and who listened is told so by the next publication."""
    channel = stage.channel("brief:x")
    one = await stage.client()
    await one.call(subscribe={"channel": channel})
    stage.call("publish", channel=channel, data=1)
    await one.settle()
    await asyncio.sleep(3.5)
    stage.call("publish", channel=channel, data=2)
    await one.settle()
    await one.until("unsubscribe")
    position = {"recover": True, "offset": 1, "epoch": one.said[1]["subscribe"]["epoch"]}
    await one.call(subscribe={"channel": channel, **position})
    stage.call("publish", channel=channel, data=3)
    await one.settle()


@pytest.mark.parametrize(
    "scenario",
    [
        publications,
        recoveries,
        deltas,
        subscription_tokens,
        ends_of_subscriptions,
        server_side_subscriptions,
        levers_on_subscriptions,
        refreshes,
        disconnects,
        broken_commands,
        presences,
        limits,
        bad_starts,
        forgotten_streams,
    ],
    ids=lambda scenario: scenario.__name__,
)
async def test_the_simulator_answers_as_centrifugo_does(
    real: centrifugo.Process, simulated: Server, scenario: Scenario
) -> None:
    """Line by line, to the same commands and the same calls of the API."""

    async def play(api: Api) -> list[str]:
        stage = Stage(api, f"{scenario.__name__}-{time.time_ns()}")
        await scenario(stage)
        await stage.close()
        transcripts = json.loads(json.dumps(stage.transcripts).replace(stage.unique, "U"))
        return [json.dumps(line, sort_keys=True) for one in alike(transcripts) for line in one]

    theirs, ours = await asyncio.gather(play(real), play(SimulatedApi(simulated)))
    for place, (expected, said) in enumerate(zip_longest(theirs, ours)):
        assert said == expected, f"line {place}"
