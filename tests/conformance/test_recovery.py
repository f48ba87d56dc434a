"""Positions across lost connections: what is recovered, what is known to be lost, and what is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .watching import eventually

if TYPE_CHECKING:
    from .between import Between
    from .broker import Broker
    from .conftest import Connect
    from .watching import Watched


async def _away(broker: Broker, proxied: Between, watched: Watched, channel: str, *data: object) -> None:
    """Cut the link and keep the client out while something is published."""
    with proxied.away():
        await watched.log.event("connecting")
        await broker.publish(channel, *data)


async def test_what_was_missed_is_recovered_after_a_lost_link(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Publications of the absence come in order and once, behind the report, and live ones follow."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1, 2)
    await watched.log.publications(channel, 2)
    await _away(broker, proxied, watched, channel, 3, 4, 5)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 6)
    assert await watched.log.publications(channel, 6) == [(n, n) for n in range(1, 7)]
    assert (again.was_recovering, again.recovered) == (True, True)
    told = [event[0] for event in watched.log.events if event[1] == channel]
    assert told == [
        "subscribing",
        "subscribed",
        *["publication"] * 2,
        "subscribing",
        "subscribed",
        *["publication"] * 4,
    ]


async def test_a_recovery_of_nothing_is_a_success(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Recovered without publications: nothing was missed, and the next offset is no gap."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await _away(broker, proxied, watched, channel)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 2)
    assert await watched.log.publications(channel, 2) == [(1, 1), (2, 2)]
    assert (again.was_recovering, again.recovered, again.offset) == (True, True, 1)
    assert not watched.log.of("gap")


async def test_a_recovery_from_the_very_start(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A channel that had no publication yet when the link broke is recovered from offset 0."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await _away(broker, proxied, watched, channel, "first")
    again = await watched.log.subscribed(channel)
    assert await watched.log.publications(channel, 1) == [("first", 1)]
    assert (again.was_recovering, again.recovered) == (True, True)


async def test_a_disconnect_by_the_server_is_recovered_from(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """Rounds of disconnects while publications go on lose none of them."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    for turn in range(8):
        await broker.publish(channel, *range(turn * 10, turn * 10 + 5))
        await broker.disconnect(watched.user, 3011)
        await broker.publish(channel, *range(turn * 10 + 5, turn * 10 + 10))
        again = await watched.log.subscribed(channel)
        assert (again.was_recovering, again.recovered) == (True, True)
    assert await watched.log.publications(channel, 80) == [(n, n + 1) for n in range(80)]
    assert not watched.log.of("gap")


async def test_a_small_history_that_overflowed_is_known_to_be_lost(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """More missed than the history holds: was_recovering without recovered, nothing old, live goes on."""
    channel = f"small:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await _away(broker, proxied, watched, channel, 2, 3, 4, 5)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 6)
    assert await watched.log.publications(channel, 2) == [(1, 1), (6, 6)]
    assert (again.was_recovering, again.recovered, again.offset) == (True, False, 5)
    assert not watched.log.of("gap")


async def test_as_much_missed_as_a_small_history_holds_is_recovered(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """The boundary of an overflow: two missed of a history of two."""
    channel = f"small:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await _away(broker, proxied, watched, channel, 2, 3)
    again = await watched.log.subscribed(channel)
    assert await watched.log.publications(channel, 3) == [(1, 1), (2, 2), (3, 3)]
    assert (again.was_recovering, again.recovered) == (True, True)


async def test_a_removed_history_is_known_to_be_lost(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Missed and then removed: not recovered, although the epoch is the same."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    first = await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    with proxied.away():
        await watched.log.event("connecting")
        await broker.publish(channel, 2)
        await broker.remove_history(channel)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 3)
    assert await watched.log.publications(channel, 2) == [(1, 1), (3, 3)]
    assert (again.was_recovering, again.recovered) == (True, False)
    assert again.epoch == first.epoch


async def test_a_removed_history_matters_to_nobody_who_missed_nothing(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """At the top of the stream a recovery succeeds, with or without a history."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await broker.remove_history(channel)
    await _away(broker, proxied, watched, channel)
    again = await watched.log.subscribed(channel)
    assert (again.was_recovering, again.recovered) == (True, True)


async def test_a_restart_is_another_epoch(own_broker: Broker, connect: Connect, unique: str) -> None:
    """The history is gone and so is the epoch: not recovered, offsets begin again, live goes on."""
    channel = f"market:{unique}"
    watched = connect(own_broker)
    watched.client.subscribe(channel)
    first = await watched.log.subscribed(channel)
    await own_broker.publish(channel, 1, 2)
    await watched.log.publications(channel, 2)
    await own_broker.restart(kill=True)
    again = await watched.log.subscribed(channel)
    await own_broker.publish(channel, 3)
    assert await watched.log.publications(channel, 3) == [(1, 1), (2, 2), (3, 1)]
    assert (again.was_recovering, again.recovered, again.offset) == (True, False, 0)
    assert again.epoch != first.epoch


async def test_a_stream_that_the_server_lost_is_resubscribed_with_2500(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """The server's stream starts over under a live subscription: 2500, and the loss is told."""
    channel = f"brief:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    first = await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await broker.lose_stream(channel)
    await watched.log.event("subscribing", channel, 2500)
    again = await watched.log.subscribed(channel)
    assert (again.was_recovering, again.recovered) == (True, False)
    assert again.epoch != first.epoch
    assert not watched.log.of("unsubscribed")


@pytest.mark.parametrize("code", [2500, 2501])
async def test_an_unsubscribe_from_2500_on_resubscribes_and_recovers(
    broker: Broker, proxied: Between, connect: Connect, unique: str, code: int
) -> None:
    """The position is kept: what is missed meanwhile is recovered, on the same connection."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await _taken_out(broker, proxied, watched, channel, code)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 3)
    assert await watched.log.publications(channel, 3) == [(1, 1), (2, 2), (3, 3)]
    assert (again.was_recovering, again.recovered) == (True, True)
    assert watched.log.names().count("connected") == 1


async def test_an_unsubscribe_with_2502_forgets_the_position(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Recovery is asked for all the same, from nowhere: so the loss is told."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await _taken_out(broker, proxied, watched, channel, 2502)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 3)
    assert await watched.log.publications(channel, 2) == [(1, 1), (3, 3)]
    assert (again.was_recovering, again.recovered, again.offset) == (True, False, 2)
    asked = proxied.sent("subscribe")[-1]
    assert (asked["recover"], asked.get("offset", 0), asked["epoch"]) == (True, 0, "_")


async def _taken_out(broker: Broker, proxied: Between, watched: Watched, channel: str, code: int) -> None:
    """Let the server take the client out of the channel, let it miss one, and say another code."""

    def translate(line: dict[str, object]) -> dict[str, object]:
        push = line.get("push")
        if isinstance(push, dict) and "unsubscribe" in push:
            push["unsubscribe"] = {"code": code, "reason": "of the test"}
            held.append(line)
            return {"push": {"channel": "held back"}}
        return line

    held: list[dict[str, object]] = []
    proxied.down = translate
    await broker.unsubscribe(watched.user, channel)
    await eventually(lambda: held)
    proxied.down = lambda line: line
    await broker.publish(channel, 2)
    await proxied.say(*held)
    await watched.log.event("subscribing", channel, code)


async def test_3010_keeps_the_position(broker: Broker, connect: Connect, unique: str) -> None:
    """Insufficient state: another connection, and a recovery from where the client stood."""
    channel = f"market:{unique}"
    watched = connect(broker)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await broker.disconnect(watched.user, 3010)
    await watched.log.event("connecting", 3010)
    again = await watched.log.subscribed(channel)
    assert (again.was_recovering, again.recovered, again.offset) == (True, True, 1)


async def test_3014_forgets_positions_and_the_token(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """State invalidated: a fresh token, and a recovery from nowhere, so that the loss is told."""
    channel = f"market:{unique}"
    asked = 0

    async def source() -> str:
        nonlocal asked
        asked += 1
        return broker.token(user)

    user = f"user-{unique}"
    watched = connect(broker, url=proxied.url, user=user, token=source)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await broker.disconnect(user, 3014)
    await watched.log.event("connecting", 3014)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 2)
    assert await watched.log.publications(channel, 2) == [(1, 1), (2, 2)]
    assert (again.was_recovering, again.recovered, again.offset) == (True, False, 1)
    assert proxied.sent("subscribe")[-1]["epoch"] == "_"
    assert asked == 2


async def test_a_reconnect_without_3014_keeps_the_token(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A lost connection alone asks for no other token."""
    asked = 0

    async def source() -> str:
        nonlocal asked
        asked += 1
        return broker.token(user)

    user = f"user-{unique}"
    watched = connect(broker, user=user, token=source)
    await watched.log.event("connected")
    await broker.disconnect(user, 3011)
    await watched.log.event("connecting")
    await watched.log.event("connected")
    assert asked == 1


async def test_a_subscription_of_the_server_s_is_recovered_with_the_connect(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Its position travels in the connect command, and what was missed comes behind the reply to that."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    await broker.subscribe(watched.user, channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await _away(broker, proxied, watched, channel, 2, 3)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, 4)
    assert await watched.log.publications(channel, 4) == [(n, n) for n in range(1, 5)]
    assert (again.was_recovering, again.recovered) == (True, True)
    subs = proxied.sent("connect")[-1]["subs"]
    assert (subs[channel]["recover"], subs[channel]["offset"]) == (True, 1)
    assert proxied.sent("subscribe") == []


async def test_a_gap_in_the_offsets_is_told(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A publication lost on the way is noticed with the next one, which is told behind the gap."""
    channel = f"market:{unique}"

    def lose_the_second(line: dict[str, object]) -> dict[str, object] | None:
        push = line.get("push")
        lost = isinstance(push, dict) and push.get("pub", {}).get("offset") == 2
        return None if lost else line

    proxied.down = lose_the_second
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1, 2, 3)
    await watched.log.publications(channel, 2)
    told = [event for event in watched.log.events if event[0] in ("gap", "publication")]
    assert told == [
        ("publication", channel, 1, 1),
        ("gap", channel, 2, 3),
        ("publication", channel, 3, 3),
    ]


async def test_a_duplicate_is_dropped(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A publication that comes twice is told once."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    await broker.publish(channel, 1, 2)
    await watched.log.publications(channel, 2)
    await proxied.push(channel, pub={"data": 2, "offset": 2})
    await broker.publish(channel, 3)
    assert await watched.log.publications(channel, 3) == [(1, 1), (2, 2), (3, 3)]
    assert not watched.log.of("gap")


async def test_an_epoch_in_a_first_publication_is_taken_over(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Subscribed while the stream had no epoch: offset 1 brings it, and the recovery asks for that one."""
    channel = f"market:{unique}"
    epochs: list[str] = []

    def without_epoch(line: dict[str, object]) -> dict[str, object] | None:
        result, push = line.get("subscribe"), line.get("push")
        if isinstance(result, dict) and not epochs:
            epochs.append(str(result.pop("epoch")))
        elif isinstance(push, dict) and push.get("pub", {}).get("offset") == 1:
            push["pub"]["epoch"] = epochs[0]
        return line

    proxied.down = without_epoch
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel)
    assert (await watched.log.subscribed(channel)).epoch == ""
    await broker.publish(channel, 1)
    await watched.log.publications(channel, 1)
    await _away(broker, proxied, watched, channel, 2)
    again = await watched.log.subscribed(channel)
    assert await watched.log.publications(channel, 2) == [(1, 1), (2, 2)]
    assert (again.was_recovering, again.recovered) == (True, True)
    assert proxied.sent("subscribe")[-1]["epoch"] == epochs[0]
    assert not watched.log.of("gap")
