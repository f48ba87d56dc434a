"""The official SDK beside our client: told the same, in the same order, with the same flags."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from .between import Between, between
from .watching import WITHIN, Watched, eventually

centrifuge = pytest.importorskip("centrifuge", reason="centrifuge-python is not installed")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from .broker import Broker
    from .conftest import Connect

STEPS = 14


class Heard(centrifuge.SubscriptionEventHandler):  # type: ignore[misc, name-defined]
    """What the SDK was told of one channel, as ``Ours.told`` has it."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    async def on_subscribed(self, ctx: Any) -> None:
        self.told.append(("subscribed", ctx.was_recovering, ctx.recovered, ctx.positioned))

    async def on_publication(self, ctx: Any) -> None:
        self.told.append(("publication", ctx.pub.offset, ctx.pub.data))

    async def on_unsubscribed(self, ctx: Any) -> None:
        self.told.append(("unsubscribed", ctx.code))


class Ours:
    """Our client, through a proxy of its own."""

    def __init__(self, watched: Watched, proxy: Between) -> None:
        self.user, self.proxy = watched.user, proxy
        self._watched = watched

    def told(self, channel: str) -> list[tuple[Any, ...]]:
        """All that was told of a channel: how each subscription stood, publications, the end."""
        told: list[tuple[Any, ...]] = []
        for name, *rest in self._watched.log.events:
            if rest[:1] != [channel]:
                continue
            if name == "subscribed":
                told.append((name, rest[1].was_recovering, rest[1].recovered, rest[1].positioned))
            elif name == "publication":
                told.append((name, rest[2], rest[1]))
            elif name in ("unsubscribed", "gap"):
                told.append((name, rest[1]))
        return told


class Theirs:
    """The SDK, through a proxy of its own."""

    def __init__(self, user: str, proxy: Between, heard: dict[str, Heard]) -> None:
        self.user, self.proxy = user, proxy
        self._heard = heard

    def told(self, channel: str) -> list[tuple[Any, ...]]:
        """As ``Ours.told``."""
        return self._heard[channel].told


class Play:
    """One server script, and the two who listen to it. Each step ends when both have heard all of it."""

    def __init__(self, broker: Broker, sides: list[Ours | Theirs], channels: list[str], seed: int) -> None:
        self.broker, self.sides, self.channels = broker, sides, channels
        self._random = random.Random(seed)
        self._published = 0

    async def step(self) -> None:
        """Do one thing at random."""
        await self._random.choice(
            [self.publish, self.publish, self.away, self.away, self.disconnect, self.take_out, self.remove]
        )()
        await self.settle()

    async def publish(self, channel: str = "") -> None:
        """Publish a few, or none, to a channel."""
        channel = channel or self._random.choice(self.channels)
        for _ in range(self._random.choice([0, 1, 1, 2, 3, 5])):
            self._published += 1
            rows = [[f"{65000 - row}.0", f"{self._random.randrange(5)}.5"] for row in range(12)]
            await self.broker.publish(channel, {"number": self._published, "bids": rows})

    async def away(self) -> None:
        """Break both links, publish meanwhile, and perhaps forget."""
        subscribed = self._subscribed()
        with self.sides[0].proxy.away(), self.sides[1].proxy.away():
            for channel in self.channels:
                await self.publish(channel)
                if self._random.random() < 0.2:
                    await self.broker.remove_history(channel)
        await self._all_subscribed_since(subscribed)

    async def disconnect(self) -> None:
        """Close both connections with a code that is retried."""
        subscribed = self._subscribed()
        code = self._random.choice([3001, 3005, 3010, 3011, 3014, 4000])
        for side in self.sides:
            await self.broker.disconnect(side.user, code)
        await self._all_subscribed_since(subscribed)

    async def take_out(self) -> None:
        """Take both out of a channel with a code that asks them back."""
        code, channel = self._random.choice([2500, 2501, 2502]), self._random.choice(self.channels)

        def translate(line: dict[str, Any]) -> dict[str, Any]:
            if "unsubscribe" in line.get("push", {}):
                line["push"]["unsubscribe"] = {"code": code, "reason": "of the test"}
            return line

        before = [self._count(side, channel) for side in self.sides]
        for side in self.sides:
            side.proxy.down = translate
            await self.broker.unsubscribe(side.user, channel)
        await eventually(
            lambda: all(
                self._count(side, channel) > count for side, count in zip(self.sides, before, strict=True)
            )
        )
        for side in self.sides:
            side.proxy.down = lambda line: line

    async def remove(self) -> None:
        """Forget a channel's history under both."""
        await self.broker.remove_history(self._random.choice(self.channels))

    async def restart(self) -> None:
        """Kill the server, and bring another one up in its place."""
        subscribed = self._subscribed()
        await self.broker.restart(kill=True)
        await self._all_subscribed_since(subscribed)
        await self.settle()

    async def settle(self) -> None:
        """Publish a last one to each channel, and return when both have it."""
        for channel in self.channels:
            self._published += 1
            fence = {"number": self._published}
            await self.broker.publish(channel, fence)
            for side in self.sides:
                await eventually(lambda s=side, c=channel, f=fence: self._last(s, c) == f)  # type: ignore[misc]

    def _last(self, side: Ours | Theirs, channel: str) -> Any:
        told = side.told(channel)
        return told[-1][-1] if told else None

    def _count(self, side: Ours | Theirs, channel: str) -> int:
        return sum(one[0] == "subscribed" for one in side.told(channel))

    def _subscribed(self) -> list[int]:
        return [self._count(side, channel) for side in self.sides for channel in self.channels]

    async def _all_subscribed_since(self, before: list[int]) -> None:
        await eventually(
            lambda: all(now > then for now, then in zip(self._subscribed(), before, strict=True))
        )

    def compare(self) -> None:
        """Hold what the two were told against each other."""
        for channel in self.channels:
            assert self.sides[0].told(channel) == self.sides[1].told(channel)
            assert not [one for one in self.sides[0].told(channel) if one[0] in ("gap", "unsubscribed")]


@pytest.fixture
async def play(connect: Connect, unique: str) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that brings both clients up, on a delta channel, a plain one and a small one."""
    async with AsyncExitStack() as stack:

        async def start(broker: Broker, seed: int) -> Play:
            channels = [f"market:{unique}-delta", f"market:{unique}-plain", f"small:{unique}"]
            ours = await stack.enter_async_context(between(broker.url))
            theirs = await stack.enter_async_context(between(broker.url))
            watched = connect(broker, url=ours.url)
            heard = {channel: Heard() for channel in channels}
            client, user = await _sdk(broker, theirs.url, f"sdk-{unique}", heard)
            stack.push_async_callback(client.disconnect)
            for channel in channels:
                watched.client.subscribe(channel, delta=channel.endswith("delta"))
            started = Play(broker, [Ours(watched, ours), Theirs(user, theirs, heard)], channels, seed)
            await started._all_subscribed_since([0] * 6)
            return started

        yield start


async def _sdk(broker: Broker, url: str, user: str, heard: dict[str, Heard]) -> tuple[Any, str]:
    async def token() -> str:
        return broker.token(user)

    client = centrifuge.Client(url, get_token=token, min_reconnect_delay=0.02, max_reconnect_delay=0.2)
    for channel, events in heard.items():
        delta = centrifuge.DeltaType.FOSSIL if channel.endswith("delta") else None
        subscription = client.new_subscription(channel, events, delta=delta, min_resubscribe_delay=0.02)
        await subscription.subscribe()
    async with asyncio.timeout(WITHIN):
        await client.connect()
    return client, user


@pytest.mark.parametrize("seed", range(6))
async def test_both_are_told_the_same(broker: Broker, play: Callable[..., Any], seed: int) -> None:
    """A random script of publications, broken links, disconnects, forced resubscribes and lost history."""
    staged = await play(broker, seed)
    for _ in range(STEPS):
        await staged.step()
    staged.compare()
    flags = {
        one[1:3] for channel in staged.channels for one in staged.sides[0].told(channel) if len(one) == 4
    }
    assert (True, True) in flags


@pytest.mark.parametrize("seed", range(2))
async def test_both_are_told_the_same_across_restarts(
    own_broker: Broker, play: Callable[..., Any], seed: int
) -> None:
    """The same with a server that is killed in between: another epoch, and offsets that begin again."""
    staged = await play(own_broker, 100 + seed)
    for _ in range(2):
        for _ in range(3):
            await staged.step()
        await staged.restart()
    staged.compare()
    for channel in staged.channels:
        assert ("subscribed", True, False, True) in staged.sides[0].told(channel)
