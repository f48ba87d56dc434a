"""Subscription tokens: what opens a channel that is closed to others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import Unauthorized

if TYPE_CHECKING:
    from .between import Between
    from .broker import Broker
    from .conftest import Connect


class Source:
    """Mints tokens of one user for any channel, as ``test_tokens.Source`` does for the connection."""

    def __init__(self, broker: Broker, user: str, *lasting: float | None) -> None:
        self.asked = 0
        self._broker, self._user, self._lasting = broker, user, lasting

    async def __call__(self, channel: str) -> str:
        """Return a token."""
        lasting = self._lasting[min(self.asked, len(self._lasting) - 1)]
        self.asked += 1
        return self._broker.sub_token(self._user, channel, lasting)


async def test_a_token_opens_a_private_channel(broker: Broker, connect: Connect, unique: str) -> None:
    """With a token the channel is live; without one it is refused with 103."""
    channel, user = f"private:{unique}", f"user-{unique}"
    watched, other = connect(broker, user=user), connect(broker)
    watched.client.subscribe(channel, token=Source(broker, user, None))
    other.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await other.log.event("unsubscribed", channel, 103)
    await broker.publish(channel, 1)
    assert await watched.log.publications(channel, 1) == [(1, 1)]


async def test_a_token_is_kept_across_a_reconnect(broker: Broker, connect: Connect, unique: str) -> None:
    """The source is asked once, and the recovery goes through with the same token."""
    channel, user = f"private:{unique}", f"user-{unique}"
    source = Source(broker, user, None)
    watched = connect(broker, user=user)
    watched.client.subscribe(channel, token=source)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await broker.disconnect(user, 3011)
    again = await watched.log.subscribed(channel)
    assert (again.was_recovering, again.recovered) == (True, True)
    assert source.asked == 1


async def test_3014_drops_the_subscription_s_token(broker: Broker, connect: Connect, unique: str) -> None:
    """An invalidated state asks the source again."""
    channel, user = f"private:{unique}", f"user-{unique}"
    source = Source(broker, user, None)
    watched = connect(broker, user=user)
    watched.client.subscribe(channel, token=source)
    await watched.log.subscribed(channel)
    await broker.disconnect(user, 3014)
    await watched.log.subscribed(channel)
    assert source.asked == 2


async def test_an_expired_token_at_subscribe_is_replaced(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """109 to the subscribe: another token is fetched, and that opens the channel."""
    channel, user = f"private:{unique}", f"user-{unique}"
    source = Source(broker, user, -60, None)
    watched = connect(broker, user=user)
    watched.client.subscribe(channel, token=source)
    await watched.log.subscribed(channel)
    assert source.asked == 2
    assert not watched.log.of("unsubscribed")


async def test_a_subscription_is_refreshed_without_a_gap(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """At the end of the token's time a sub_refresh with the channel and another token, and nothing else."""
    channel, user = f"private:{unique}", f"user-{unique}"
    source = Source(broker, user, 1, 3600)
    watched = connect(broker, url=proxied.url, user=user)
    watched.client.subscribe(channel, token=source)
    await watched.log.subscribed(channel)
    sent = 0
    while not (refreshed := [line["sub_refresh"] for line in proxied.heard if "sub_refresh" in line]):
        await broker.publish(channel, sent)
        sent += 1
        await asyncio.sleep(0.05)  # so that there are some before, during and after
    await broker.publish(channel, sent)
    assert await watched.log.publications(channel, sent + 1) == [(n, n + 1) for n in range(sent + 1)]
    assert proxied.sent("sub_refresh")[0]["channel"] == channel
    assert refreshed[0]["ttl"] > 3500
    assert len(watched.log.of("subscribed", channel)) == 1
    assert source.asked == 2


async def test_a_subscription_that_expires_unrefreshed_comes_back_with_2501(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A source too slow for the grace: 2501, another token, and what was missed is recovered."""
    channel, user = f"private:{unique}", f"user-{unique}"
    minted = Source(broker, user, 1, 3600)
    ended = asyncio.Event()

    async def source(name: str) -> str:
        if minted.asked:
            await ended.wait()
        return await minted(name)

    watched = connect(broker, user=user)
    watched.client.subscribe(channel, token=source)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await watched.log.event("subscribing", channel, 2501)
    await broker.publish(channel, 2)
    ended.set()
    again = await watched.log.subscribed(channel)
    assert await watched.log.publications(channel, 2) == [(1, 1), (2, 2)]
    assert (again.was_recovering, again.recovered) == (True, True)
    assert watched.log.names().count("connected") == 1


async def test_a_source_that_fails_is_retried(broker: Broker, connect: Connect, unique: str) -> None:
    """Errors of the source delay the one channel; others are live meanwhile."""
    channel, user = f"private:{unique}", f"user-{unique}"
    minted = Source(broker, user, None)
    failures = iter([True, True, False])

    async def source(name: str) -> str:
        if next(failures):
            raise OSError("no way")
        return await minted(name)

    watched = connect(broker, user=user)
    watched.client.subscribe(channel, token=source)
    watched.client.subscribe(f"market:{unique}")
    await watched.log.until(lambda: len(watched.log.of("subscribed")) == 2)
    assert watched.log.of("subscribed")[0][1] == f"market:{unique}"


async def test_an_unauthorized_source_ends_the_subscription_alone(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """That channel is refused on this side; the connection and the other channels stay."""

    async def source(_channel: str) -> str:
        raise Unauthorized("not yours")

    watched = connect(broker)
    watched.client.subscribe(f"private:{unique}", token=source)
    watched.client.subscribe(f"market:{unique}")
    await watched.log.until(lambda: watched.log.of("unsubscribed", f"private:{unique}", Local.UNAUTHORIZED))
    await watched.log.until(lambda: watched.log.of("subscribed", f"market:{unique}"))
    assert watched.log.names().count("connected") == 1


async def test_a_token_of_another_channel_ends_the_connection_with_3500(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """The server takes it for a forgery, and so it is terminal for the whole client."""
    user = f"user-{unique}"

    async def source(_channel: str) -> str:
        return broker.sub_token(user, f"private:{unique}-other")

    watched = connect(broker, user=user)
    watched.client.subscribe(f"private:{unique}", token=source)
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (3500, True)


async def test_a_token_of_another_user_ends_the_connection_with_3500(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A subscription token is good for its user alone."""
    watched = connect(broker)
    watched.client.subscribe(f"private:{unique}", token=Source(broker, "somebody-else", None))
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (3500, True)
