"""Channels: asked for, live, given up, refused, taken away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.codes import Local

from .watching import eventually

if TYPE_CHECKING:
    from .between import Between
    from .broker import Broker
    from .conftest import Connect


async def test_publications_come_in_order_each_once(broker: Broker, connect: Connect, unique: str) -> None:
    """Offsets go up by one from the first, and the data is what was published."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    subscribed = await watched.log.subscribed(channel)
    await broker.publish(channel, *range(100))
    assert await watched.log.publications(channel, 100) == [(index, index + 1) for index in range(100)]
    assert (subscribed.was_recovering, subscribed.recovered, subscribed.offset) == (False, False, 0)
    assert subscribed.recoverable
    assert subscribed.positioned
    assert subscribed.epoch


async def test_a_channel_without_history_has_no_positions(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """Its publications have no offset, and it is neither positioned nor recoverable, even if asked to be."""
    channel = f"plain:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel, recoverable=True)
    subscribed = await watched.log.subscribed(channel)
    await broker.publish(channel, "a", "b")
    assert await watched.log.publications(channel, 2) == [("a", 0), ("b", 0)]
    assert not subscribed.positioned
    assert not subscribed.recoverable


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}, 1.5, "text", [None]], ids=repr)
async def test_any_json_is_a_payload(broker: Broker, connect: Connect, unique: str, value: object) -> None:
    """Null, scalars and empty values arrive as what they are."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, value, "after")
    assert await watched.log.publications(channel, 2) == [(value, 1), ("after", 2)]
    assert not watched.log.of("malformed")


async def test_colons_and_slashes_belong_to_the_name(broker: Broker, connect: Connect, unique: str) -> None:
    """The namespace ends at the first colon; the platform's names have more of them, and slashes."""
    one, other = f"small:orderBook:{unique}:BTC/USDT", f"small:orderBook:{unique}:BTC/USD"
    watched = connect(broker)
    watched.client.subscribe(one)
    watched.client.subscribe(other)
    await watched.log.subscribed(one)
    await watched.log.subscribed(other)
    await broker.publish(one, 1)
    await broker.publish(other, 2)
    assert await watched.log.publications(other, 1) == [(2, 1)]
    assert watched.log.published(one) == [(1, 1)]


async def test_subscribing_twice_is_one_subscription(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A duplicate sends nothing, and each publication is told once."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    watched.client.subscribe(channel)
    await broker.publish(channel, 1)
    assert await watched.log.publications(channel, 1) == [(1, 1)]
    assert len(proxied.sent("subscribe")) == 1


async def test_loops_of_subscribe_and_unsubscribe_end_in_the_last_wish(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """However fast the wishes change, the last one stands, on both sides."""
    kept, dropped = f"market:{unique}-kept", f"market:{unique}-dropped"
    watched = connect(broker)
    await watched.log.event("connected")
    for turn in range(50):
        watched.client.subscribe(kept)
        watched.client.subscribe(dropped)
        if turn % 3 == 0:
            await asyncio.sleep(0)
        watched.client.unsubscribe(dropped)
        if turn < 49:
            watched.client.unsubscribe(kept)
        if turn % 7 == 0:
            await asyncio.sleep(0.001)
    await watched.log.until(lambda: watched.client.session.channels == [kept])
    await watched.settle(broker, f"market:{unique}-fence")
    await broker.publish(dropped, "unwanted")
    await broker.publish(kept, "wanted")
    await watched.log.publications(kept, 1)
    assert watched.log.published(dropped) == []
    assert watched.log.published(kept) == [("wanted", 1)]
    assert not watched.log.of("unsubscribed", kept, 105)
    assert len(watched.log.of("connected")) == 1


async def test_many_channels_on_one_connection(broker: Broker, connect: Connect, unique: str) -> None:
    """As many as the server allows are live at once, each with its own stream."""
    channels = [f"market:{unique}-{index}" for index in range(128)]
    watched = connect(broker)
    for channel in channels:
        watched.client.subscribe(channel)
    await watched.log.until(lambda: len(watched.log.of("subscribed")) == 128)
    for channel in channels:
        await broker.publish(channel, channel)
    for channel in channels:
        assert await watched.log.publications(channel, 1) == [(channel, 1)]


async def test_the_129th_channel_is_refused_with_106(broker: Broker, connect: Connect, unique: str) -> None:
    """Past the server's limit that one channel ends, with a remedy; the others and the connection stay."""
    watched = connect(broker, channel_limit=129)
    for index in range(129):
        watched.client.subscribe(f"market:{unique}-{index}")
    refused = await watched.log.event("unsubscribed")
    assert refused[1:3] == (f"market:{unique}-128", 106)
    await watched.log.until(lambda: len(watched.log.of("subscribed")) == 128)
    assert watched.log.names().count("connected") == 1


async def test_an_unknown_namespace_is_refused_with_102(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A channel that the server does not know ends for good; the connection stays."""
    watched = connect(broker)
    watched.client.subscribe(f"nowhere:{unique}")
    watched.client.subscribe(f"market:{unique}")
    await watched.log.event("unsubscribed", f"nowhere:{unique}", 102)
    await watched.log.until(lambda: watched.log.of("subscribed", f"market:{unique}"))
    assert watched.log.names().count("connected") == 1


async def test_unsubscribing_ends_the_publications(broker: Broker, connect: Connect, unique: str) -> None:
    """After an unsubscribe nothing of the channel is told, and a fresh subscribe starts without recovery."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    watched.client.unsubscribe(channel)
    await watched.log.event("unsubscribed", channel, Local.CALLED)
    await broker.publish(channel, 2)
    watched.client.subscribe(channel)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 3)
    assert await watched.log.publications(channel, 2) == [(1, 1), (3, 3)]
    assert (again.was_recovering, again.offset) == (False, 2)


async def test_an_unsubscribe_between_command_and_reply_wins(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """The reply that comes afterwards makes nothing live, and the server is told to forget the channel."""
    channel = f"market:{unique}"
    held: list[dict[str, Any]] = []

    def hold(line: dict[str, Any]) -> dict[str, Any] | None:
        if "subscribe" in line:
            held.append(line)
            return None
        return line

    proxied.down = hold
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await eventually(lambda: held)
    watched.client.unsubscribe(channel)
    await watched.log.event("unsubscribed", channel, Local.CALLED)
    await proxied.say(*held)
    await eventually(lambda: proxied.sent("unsubscribe"))
    proxied.down = lambda line: line
    await watched.settle(broker, f"market:{unique}-fence")
    await broker.publish(channel, 1)
    await watched.settle(broker, f"market:{unique}-fence-2")
    assert not watched.log.of("subscribed", channel)
    assert watched.log.published(channel) == []


async def test_a_reply_of_an_earlier_subscribe_is_not_taken_for_this_one(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Subscribe, unsubscribe, subscribe: an error to the first leaves the second standing."""
    channel = f"market:{unique}"
    ids: list[int] = []

    def first_fails(line: dict[str, Any]) -> dict[str, Any] | None:
        if "subscribe" in line:
            ids.append(int(str(line["id"])))
            if len(ids) == 1:
                return {"id": line["id"], "error": {"code": 103, "message": "permission denied"}}
        return line

    proxied.down = first_fails
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    watched.client.subscribe(channel)
    watched.client.unsubscribe(channel)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    assert len(ids) == 2
    assert not watched.log.of("unsubscribed", channel, 103)


async def test_a_reply_that_crosses_a_reconnect_is_discarded(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A reply with an id of the session before changes nothing in this one."""
    channel = f"market:{unique}"
    held: list[dict[str, Any]] = []

    def hold(line: dict[str, Any]) -> dict[str, Any] | None:
        if "subscribe" in line and not held:
            held.append(line)
            return None
        return line

    proxied.down = hold
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await eventually(lambda: held)
    proxied.cut()
    await watched.log.event("connecting")
    await watched.log.subscribed(channel)
    await proxied.say({**held[0], "subscribe": {"offset": 999, "epoch": "another", "recoverable": True}})
    await broker.publish(channel, 1)
    assert await watched.log.publications(channel, 1) == [(1, 1)]
    assert len(watched.log.of("subscribed", channel)) == 1
    assert not watched.log.of("gap")


async def test_a_subscribe_that_is_never_answered_reconnects(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """The server may have taken it: a bare retry would be answered by 105, a new connection is not."""
    channel = f"market:{unique}"
    proxied.down = lambda line: None if "subscribe" in line else line
    watched = connect(broker, url=proxied.url, reply_timeout=0.3)
    watched.client.subscribe(channel)
    await watched.log.event("connecting", Local.SUBSCRIBE_TIMEOUT)
    proxied.down = lambda line: line
    await watched.log.subscribed(channel)
    assert not watched.log.of("unsubscribed")


async def test_a_subscribe_refused_for_now_is_tried_again(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A temporary error is retried on the same connection, until the channel is live."""
    channel = f"market:{unique}"
    refusals = iter([100, 111])

    def astray(line: dict[str, Any]) -> dict[str, Any]:
        if "subscribe" in line and len(proxied.sent("subscribe")) <= 2:
            line["subscribe"]["channel"] = "nowhere:x"  # else the server would call the next one a duplicate
        return line

    def for_now(line: dict[str, Any]) -> dict[str, Any]:
        if "error" in line:
            line["error"] = {"code": next(refusals), "message": "of the test", "temporary": True}
        return line

    proxied.up, proxied.down = astray, for_now
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    assert len(proxied.sent("subscribe")) == 3
    assert watched.log.names().count("connected") == 1
    assert not watched.log.of("unsubscribed")


async def test_an_unsubscribe_by_the_server_is_for_good(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """2000 takes the client out of the channel, and it stays out; the connection stays."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.unsubscribe(watched.user, channel)
    await watched.log.event("unsubscribed", channel, 2000)
    await broker.publish(channel, 1)
    await watched.settle(broker, f"market:{unique}-fence")
    assert watched.log.published(channel) == []
    assert watched.client.session.channels == [f"market:{unique}-fence"]


async def test_a_subscription_of_the_server_s_comes_and_goes(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A server-side subscription is told, its publications arrive, and the server can end it."""
    channel = f"market:{unique}"
    watched = connect(broker)
    await watched.log.event("connected")
    await broker.subscribe(watched.user, channel)
    subscribed = await watched.log.subscribed(channel)
    await broker.publish(channel, 1, 2)
    assert await watched.log.publications(channel, 2) == [(1, 1), (2, 2)]
    await broker.unsubscribe(watched.user, channel)
    await watched.log.event("unsubscribed", channel, 2000)
    assert subscribed.positioned


async def test_channels_asked_for_before_the_connect_are_live_after_it(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Subscribes go out behind the connect command, in the same frame, and in the order of asking."""
    watched = connect(broker, url=proxied.url, run=False)
    for index in range(5):
        watched.client.subscribe(f"market:{unique}-{index}")
    watched.start()
    await watched.log.until(lambda: len(watched.log.of("subscribed")) == 5)
    assert [event[1] for event in watched.log.of("subscribed")] == [
        f"market:{unique}-{index}" for index in range(5)
    ]
    assert len(proxied.command_frames) == 1


async def test_a_callback_may_subscribe_and_unsubscribe(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """Asking for a channel and giving one up inside a callback neither deadlocks nor loses anything."""
    first, second = f"market:{unique}-1", f"market:{unique}-2"
    watched = connect(broker)

    def swap(channel: str, *_rest: object) -> None:
        if channel == first:
            watched.client.unsubscribe(first)
            watched.client.subscribe(second)

    watched.log.hooks["publication"] = swap
    watched.client.subscribe(first)
    await watched.log.subscribed(first)
    await broker.publish(first, 1, 2)
    await watched.log.subscribed(second)
    await broker.publish(second, 3)
    await watched.log.publications(second, 1)
    assert watched.log.published(first) == [(1, 1)]


async def test_an_exception_in_a_callback_ends_nothing(broker: Broker, connect: Connect, unique: str) -> None:
    """The listener's defect is counted, and the next publication is told all the same."""
    channel = f"market:{unique}"

    def fail(*_arguments: object) -> None:
        raise RuntimeError("a defect of the listener's")

    watched = connect(broker)
    watched.log.hooks["publication"] = fail
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1, 2)
    assert await watched.log.publications(channel, 2) == [(1, 1), (2, 2)]
    assert watched.log.names().count("connected") == 1
