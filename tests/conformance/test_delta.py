"""Fossil deltas: whole payloads for the listener, whatever travelled; a new start where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.codes import Local

if TYPE_CHECKING:
    from .between import Between
    from .broker import Broker
    from .conftest import Connect


def book(turn: int) -> dict[str, Any]:
    """Return a payload of which most stays the same from turn to turn."""
    rows = [[f"{65000 - index * 0.5:.1f}", f"{(turn + index) % 7}.250"] for index in range(20)]
    return {"updateType": "SNAPSHOT", "symbol": "BTC/USDT", "bids": rows, "note": "Σ Δ – é 中", "turn": turn}


async def test_whole_first_then_deltas(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """The first travels whole, the rest as deltas, and the listener is told each in full."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    subscribed = await watched.log.subscribed(channel)
    books = [book(turn) for turn in range(20)]
    await broker.publish(channel, *books)
    told = await watched.log.publications(channel, 20)
    assert told == [(data, offset) for offset, data in enumerate(books, start=1)]
    assert subscribed.delta
    assert [one.get("delta", False) for one in proxied.published(channel)] == [False] + [True] * 19
    assert all(isinstance(one["data"], str) for one in proxied.published(channel))


async def test_a_delta_channel_takes_payloads_that_have_nothing_in_common(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Where a delta would be longer than the payload the server sends that, within the same stream."""
    channel = f"market:{unique}"
    payloads: list[Any] = [book(1), None, 0, "text", [], book(2), {"a": 1}, book(2), book(3)]
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    await watched.log.subscribed(channel)
    await broker.publish(channel, *payloads)
    told = await watched.log.publications(channel, len(payloads))
    assert told == [(data, offset) for offset, data in enumerate(payloads, start=1)]
    assert len(watched.log.of("subscribed", channel)) == 1


async def test_a_channel_without_deltas_negotiates_none(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Asked for where the namespace has none: plain payloads, and the report says so."""
    channel = f"small:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    subscribed = await watched.log.subscribed(channel)
    await broker.publish(channel, book(1), book(2))
    assert await watched.log.publications(channel, 2) == [(book(1), 1), (book(2), 2)]
    assert not subscribed.delta


async def test_two_clients_of_one_channel_each_have_their_way(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """With deltas and without, early and late: all are told the same."""
    channel = f"market:{unique}"
    with_deltas, plain, late = connect(broker), connect(broker), connect(broker)
    with_deltas.client.subscribe(channel, delta=True)
    plain.client.subscribe(channel)
    await with_deltas.log.subscribed(channel)
    await plain.log.subscribed(channel)
    await broker.publish(channel, *(book(turn) for turn in range(5)))
    await with_deltas.log.publications(channel, 5)
    late.client.subscribe(channel, delta=True)
    await late.log.subscribed(channel)
    await broker.publish(channel, *(book(turn) for turn in range(5, 10)))
    everything = [(book(turn), turn + 1) for turn in range(10)]
    assert await with_deltas.log.publications(channel, 10) == everything
    assert await plain.log.publications(channel, 10) == everything
    assert await late.log.publications(channel, 5) == everything[5:]


@pytest.mark.parametrize("missed", [0, 1, 5])
async def test_deltas_go_on_after_a_recovery(
    broker: Broker, proxied: Between, connect: Connect, unique: str, missed: int
) -> None:
    """Behind none, one or several recovered publications the next ones fit."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    await watched.log.subscribed(channel)
    await broker.publish(channel, book(0), book(1))
    await watched.log.publications(channel, 2)
    with proxied.away():
        await watched.log.event("connecting")
        await broker.publish(channel, *(book(turn) for turn in range(2, 2 + missed)))
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, *(book(turn) for turn in range(2 + missed, 6 + missed)))
    told = await watched.log.publications(channel, 6 + missed)
    assert told == [(book(turn), turn + 1) for turn in range(6 + missed)]
    assert (again.was_recovering, again.recovered) == (True, True)
    assert len(watched.log.of("subscribed", channel)) == 2
    whole_first = [False, *[True] * (missed - 1)] if missed else []
    on_the_wire = [one.get("delta", False) for one in proxied.published(channel)]
    assert on_the_wire == [False, True, *whole_first, *[True] * 4]


async def test_deltas_go_on_after_an_unrecovered_loss(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """What was removed is lost, and the next publication is whole."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    await watched.log.subscribed(channel)
    await broker.publish(channel, book(0), book(1))
    await watched.log.publications(channel, 2)
    with proxied.away():
        await watched.log.event("connecting")
        await broker.publish(channel, book(2))
        await broker.remove_history(channel)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, book(3), book(4))
    assert (again.was_recovering, again.recovered) == (True, False)
    assert (await watched.log.publications(channel, 4))[2:] == [(book(3), 4), (book(4), 5)]


def _cut_short(publication: dict[str, Any]) -> None:
    publication["data"] = publication["data"][:-4]


def _without_checksum(publication: dict[str, Any]) -> None:
    publication["data"] = publication["data"][:-1] + "~;"


def _not_a_delta(publication: dict[str, Any]) -> None:
    publication["data"] = "no delta at all"


def _not_text(publication: dict[str, Any]) -> None:
    publication["data"] = {"turn": 1}


@pytest.mark.parametrize("spoil", [_cut_short, _without_checksum, _not_a_delta, _not_text])
async def test_a_delta_that_does_not_apply_begins_anew(
    broker: Broker, proxied: Between, connect: Connect, unique: str, spoil: Any
) -> None:
    """The position is dropped, the channel asked for again on the same connection, and the loss is told."""
    channel = f"market:{unique}"
    spoilt = 0

    def down(line: dict[str, Any]) -> dict[str, Any]:
        nonlocal spoilt
        publication = line.get("push", {}).get("pub")
        if publication is not None and publication["offset"] == 2:
            spoilt += 1
            spoil(publication)
        return line

    proxied.down = down
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    await watched.log.subscribed(channel)
    await broker.publish(channel, book(0), book(1))
    await watched.log.event("subscribing", channel, Local.DELTA_LOST)
    again = await watched.log.subscribed(channel)
    await broker.publish(channel, book(2), book(3))
    told = await watched.log.publications(channel, 3)
    assert spoilt == 1
    assert told == [(book(0), 1), (book(2), 3), (book(3), 4)]
    assert (again.was_recovering, again.recovered, again.offset) == (True, False, 2)
    assert watched.log.names().count("connected") == 1


async def test_a_delta_without_a_base_begins_anew(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A first publication that claims to be a delta: nothing is told of it, and the next start is sound."""
    channel = f"market:{unique}"

    def down(line: dict[str, Any]) -> dict[str, Any]:
        publication = line.get("push", {}).get("pub")
        if publication is not None and publication["offset"] == 1:
            publication |= {"data": "2\n2@0,0;", "delta": True}
        return line

    proxied.down = down
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    await watched.log.subscribed(channel)
    await broker.publish(channel, book(0))
    await watched.log.event("subscribing", channel, Local.DELTA_LOST)
    await watched.log.subscribed(channel)
    await broker.publish(channel, book(1), book(2))
    assert await watched.log.publications(channel, 2) == [(book(1), 2), (book(2), 3)]


async def test_a_delta_that_cuts_a_character_in_two_begins_anew(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """Over JSON such a delta arrives spoilt: nothing wrong is told, and the feed goes on."""
    channel = f"market:{unique}"
    around = "0123456789abcdef" * 8
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    await watched.log.subscribed(channel)
    await broker.publish(channel, around + "é" + around)
    await broker.publish(channel, around + "è" + around)  # differs in the second byte of the character
    await watched.log.event("subscribing", channel, Local.DELTA_LOST)
    await watched.log.subscribed(channel)
    await broker.publish(channel, around + "a", around + "b")
    told = await watched.log.publications(channel, 3)
    assert told == [(around + "é" + around, 1), (around + "a", 3), (around + "b", 4)]
    assert "\ufffd" in proxied.published(channel)[1]["data"]


async def test_a_server_whose_deltas_never_fit_is_asked_without(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """After a few losses in a row the channel goes on in plain payloads, instead of round in circles."""
    channel = f"market:{unique}"
    around = "0123456789abcdef" * 8
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    subscribed = await watched.log.subscribed(channel)
    turns = 0
    while subscribed.delta:
        turns += 1
        assert turns < 10
        await broker.publish(channel, around + "é" + around)
        await watched.log.event("publication", channel)
        await broker.publish(channel, around + "è" + around)
        await watched.log.event("subscribing", channel, Local.DELTA_LOST)
        subscribed = await watched.log.subscribed(channel)
    await broker.publish(channel, "é", "è")
    await watched.log.event("publication", channel, "é")
    await watched.log.event("publication", channel, "è")


async def test_3014_drops_the_base(broker: Broker, proxied: Between, connect: Connect, unique: str) -> None:
    """After an invalidated state the next payload is whole, and the deltas behind it fit."""
    channel = f"market:{unique}"
    watched = connect(broker, url=proxied.url)
    watched.client.subscribe(channel, delta=True)
    await watched.log.subscribed(channel)
    await broker.publish(channel, book(0), book(1))
    await watched.log.publications(channel, 2)
    await broker.disconnect(watched.user, 3014)
    again = await watched.log.subscribed(channel)
    assert (again.was_recovering, again.recovered) == (True, False)
    await broker.publish(channel, book(2), book(3))
    assert (await watched.log.publications(channel, 4))[2:] == [(book(2), 3), (book(3), 4)]
    assert [one.get("delta", False) for one in proxied.published(channel)] == [False, True, False, True]
