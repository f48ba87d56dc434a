"""Frames at their bounds, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .between import Between
    from .broker import Broker
    from .conftest import Connect


async def test_a_batch_of_subscribes_beyond_64_kib_is_split(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Long names and long tokens: each frame is within the server's limit, and every channel is live."""
    user = f"user-{unique}"
    channels = [f"private:{unique}-{index:03}-{'x' * 220}" for index in range(128)]

    async def source(channel: str) -> str:
        return broker.sub_token(user, channel)

    watched = connect(broker, url=proxied.url, user=user)
    for channel in channels:
        watched.client.subscribe(channel, token=source)
    await watched.log.until(lambda: len(watched.log.of("subscribed")) == 128)
    before = len(proxied.command_frames)
    await broker.disconnect(user, 3011)  # with all tokens at hand, all go out at once
    await watched.log.until(lambda: len(watched.log.of("subscribed")) == 256)
    frames = proxied.command_frames[before:]
    assert sum(frames) > 65_536
    assert max(frames) <= 65_536
    assert len(frames) < 10
    assert watched.log.names().count("connected") == 2


async def test_a_frame_beyond_1_mib_arrives(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A recovery of large publications is one frame, of whatever size: all of it is taken.

    The real server now and then finds its queue too full for a reply so large, and closes with 3008.
    """
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, "first")
    await watched.log.publications(channel, 1)
    large = [f"{index}" * 30_000 for index in range(10, 50)]
    with proxied.away():
        await watched.log.event("connecting")
        await broker.publish(channel, *large)
    again = await watched.log.subscribed(channel)
    told = await watched.log.publications(channel, 41)
    assert again.recovered
    assert told == [(data, offset) for offset, data in enumerate(["first", *large], start=1)]
    assert watched.log.largest_frame > 2 * 1024 * 1024


async def test_a_publication_beyond_1_mib_arrives_once(broker: Broker, connect: Connect, unique: str) -> None:
    """It fills the server's queue all by itself; pushed or recovered after 3008, it is told, and once."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    large = "x" * 1_200_000
    await broker.publish(channel, large)
    await watched.log.publications(channel, 1)
    await broker.publish(channel, "after")
    assert await watched.log.publications(channel, 2) == [(large, 1), ("after", 2)]


async def test_a_frame_beyond_our_own_limit_is_terminal(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """1009 on this side: another attempt would meet the same frame, so a person is told."""
    channel = f"market:{unique}"
    watched = connect(broker, max_frame_bytes=100_000)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, "x" * 100_001)
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (1009, True)
    assert ended.remedy


async def test_a_reader_too_slow_is_dropped_and_knows_what_it_lost(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Past what the network holds the server's queue fills and it closes; back again, the loss is told."""
    channel = f"small:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, "first")
    await watched.log.publications(channel, 1)
    proxied.flowing.clear()
    await broker.publish(channel, *["x" * 400_000] * 50)
    proxied.flowing.set()
    lost = await watched.log.event("connecting")
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, "after")
    await watched.log.event("publication", channel, "after", 52)
    offsets = [offset for _, offset in watched.log.published(channel)]
    assert lost[1] in (3008, 1006)  # a close frame may find no room either
    assert (again.was_recovering, again.recovered, again.offset) == (True, False, 51)
    assert offsets == [*range(1, len(offsets)), 52]
    assert len(offsets) < 52
    assert not watched.log.of("gap")
