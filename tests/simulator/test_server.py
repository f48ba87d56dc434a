"""What subscribers get: snapshots, recoveries, both spellings, accounts; over real sockets."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.errors import CadenzaError
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.server import Server

from .conftest import BOOK
from .invariants import NaiveBook, whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .conftest import Client, Rig

    Make = Callable[..., Awaitable[Rig]]

KEY = "BINANCE:BTC/USDT"


async def follow(client: Client, book: NaiveBook, rig: Rig, channel: str = BOOK) -> int:
    """Publish what is pending, read every push up to the stream's top into ``book``; return the top."""
    rig.advance(0.0)
    rig.server.publish([rig.exchange.book_snapshot(KEY)._replace(channel=BOOK)])
    stream = rig.hub._streams[BOOK]
    offset = 0
    while offset < stream.offset:
        push = await client.push()
        if push["channel"] == channel:
            offset = push["pub"]["offset"]
            book.apply(push["pub"]["data"])
    return offset


async def test_the_first_publication_of_a_book_is_the_whole_of_it(make: Make) -> None:
    """It follows the reply at once, with the next offset, and diffs follow it without a gap."""
    rig = await make()
    rig.advance(0.5)
    client = await rig.client()
    result = await client.subscribe(BOOK)
    assert result.items() >= {"recoverable": True, "positioned": True}.items()
    assert "offset" not in result
    rig.advance(0.5)
    book = NaiveBook(rig.exchange.markets[KEY].instrument)
    pushes = [await client.push() for _ in range(rig.hub._streams[BOOK].offset)]
    assert [push["pub"]["offset"] for push in pushes] == list(range(1, len(pushes) + 1))
    kinds = [push["pub"]["data"]["updateType"] for push in pushes]
    assert kinds[0] == "SNAPSHOT"
    assert set(kinds[1:]) == {"DIFF"}
    for push in pushes:
        book.apply(push["pub"]["data"])
    mirrored = NaiveBook(rig.exchange.markets[KEY].instrument)
    mirrored.apply(rig.exchange.markets[KEY].state(10_000, lambda ns: ns))
    pending = rig.exchange.markets[KEY].book
    if not (pending.touched_bids or pending.touched_asks):
        assert book.rows() == mirrored.rows()


async def test_a_later_subscriber_does_not_mislead_the_earlier(make: Make) -> None:
    """Whoever joins when, all books are the exchange's: the joiner's snapshot is one for everybody."""
    rig = await make()
    clients: list[tuple[Client, NaiveBook]] = []
    for _ in range(3):
        client = await rig.client()
        await client.subscribe(BOOK)
        clients.append((client, NaiveBook(rig.exchange.markets[KEY].instrument)))
        rig.advance(0.3)
    for client, book in clients:
        await follow(client, book, rig)
        assert book.rows() == whole(rig.exchange.markets[KEY])


async def test_both_spellings_of_a_book_are_the_same_stream(make: Make) -> None:
    """Each under its own name, with the same offsets, to one client or to two."""
    rig = await make()
    client = await rig.client()
    other = "market:orderbook:BINANCE:BTC/USDT"
    first, second = await client.subscribe(BOOK), await client.subscribe(other)
    assert first["epoch"] == second["epoch"]
    rig.advance(0.3)
    pushes = [await client.push() for _ in range(9)]
    by_name: dict[str, dict[int, Any]] = {BOOK: {}, other: {}}
    for push in pushes:
        by_name[push["channel"]][push["pub"]["offset"]] = push["pub"]["data"]
    shared = by_name[BOOK].keys() & by_name[other].keys()
    assert len(shared) >= 3
    assert all(by_name[BOOK][offset] == by_name[other][offset] for offset in shared)


async def test_a_recovery_hands_over_what_was_missed(make: Make) -> None:
    """The reply echoes the offset asked for and carries the rest; no snapshot is needed."""
    rig = await make()
    client = await rig.client()
    result = await client.subscribe(BOOK)
    book = NaiveBook(rig.exchange.markets[KEY].instrument)
    offset = await follow(client, book, rig)
    await client.call(unsubscribe={"channel": BOOK})
    rig.advance(0.5)
    again = await client.subscribe(BOOK, recover=True, offset=offset, epoch=result["epoch"])
    assert (again["was_recovering"], again["recovered"], again["offset"]) == (True, True, offset)
    assert [one["offset"] for one in again["publications"]] == list(
        range(offset + 1, offset + 1 + len(again["publications"]))
    )
    assert {one["data"]["updateType"] for one in again["publications"]} == {"DIFF"}
    for one in again["publications"]:
        book.apply(one["data"])
    await follow(client, book, rig)
    assert book.rows() == whole(rig.exchange.markets[KEY])


async def test_a_failed_recovery_is_followed_by_a_snapshot(make: Make) -> None:
    """Past history's reach: ``was_recovering`` without ``recovered``, the top, and then the whole book."""
    rig = await make(history=5)
    client = await rig.client()
    result = await client.subscribe(BOOK)
    await client.call(unsubscribe={"channel": BOOK})
    rig.advance(1.0)
    top = rig.hub._streams[BOOK].offset
    assert top > 6
    client.pushes.clear()
    again = await client.subscribe(BOOK, recover=True, offset=1, epoch=result["epoch"])
    assert again["was_recovering"]
    assert "recovered" not in again
    assert "publications" not in again
    assert again["offset"] == top
    push = await client.push()
    assert (push["pub"]["offset"], push["pub"]["data"]["updateType"]) == (top + 1, "SNAPSHOT")


async def test_a_restart_makes_positions_worthless(make: Make) -> None:
    """Connections close with 3001; with the old epoch nothing is recovered."""
    rig = await make()
    client = await rig.client()
    result = await client.subscribe(BOOK)
    rig.server.restart()
    assert (await client.closed())[0] == 3001
    client = await rig.client()
    again = await client.subscribe(BOOK, recover=True, offset=1, epoch=result["epoch"])
    assert again["epoch"] != result["epoch"]
    assert "recovered" not in again
    assert (await client.push())["pub"]["data"]["updateType"] == "SNAPSHOT"


async def test_an_eviction_is_an_unsubscribe_push(make: Make) -> None:
    """2500 under the spelling used; the client may subscribe again."""
    rig = await make()
    client = await rig.client()
    await client.subscribe(BOOK)
    await client.push()
    rig.server.evict(BOOK)
    assert await client.push() == {
        "channel": BOOK,
        "unsubscribe": {"code": 2500, "reason": "insufficient state"},
    }
    assert await client.subscribe(BOOK)


async def test_history_is_for_subscribers(make: Make) -> None:
    """The latest publications and the top, oldest first."""
    rig = await make()
    client = await rig.client()
    await client.subscribe(BOOK)
    rig.advance(0.3)
    result = (await client.call(history={"channel": BOOK, "limit": 2}))["history"]
    assert [one["offset"] for one in result["publications"]] == [1, 2]
    assert result["offset"] == rig.hub._streams[BOOK].offset
    since = {"offset": 1, "epoch": "other"}
    answered = await client.call(history={"channel": BOOK, "limit": 2, "since": since})
    assert answered["error"]["code"] == 112


async def test_an_account_begins_with_its_whole_portfolio(make: Make) -> None:
    """A SNAPSHOT first, then changes as they come, in the platform's envelopes."""
    rig = await make(instruments=6)
    client = await rig.client()
    await client.subscribe("tradingAccount:desk-1")
    first = (await client.push())["pub"]["data"]
    assert first["metadata"]["eventType"] == "event.portfolio.updated"
    assert first["data"]["updateMode"] == "SNAPSHOT"
    rig.advance(20)
    assert {(await client.push())["pub"]["data"]["metadata"]["eventType"] for _ in range(12)} == {
        "event.portfolio.updated",
        "event.trade_order.updated",
    }


@pytest.mark.parametrize(
    ("channel", "field"),
    [
        ("market:ticker:OKX:BTC/USDT", "bidPrice"),
        ("market:ticker:OKX", "bidPrice"),
        ("market:kline:OKX:BTC/USDT:5m", "candles"),
    ],
)
async def test_tickers_and_candles_begin_with_the_present(make: Make, channel: str, field: str) -> None:
    """So that a quiet instrument shows something at once; what changes follows."""
    rig = await make(instruments=3)
    client = await rig.client()
    await client.subscribe(channel)
    assert field in (await client.push())["pub"]["data"]
    rig.advance(5)
    push = await client.push()
    assert (push["channel"], push["pub"]["offset"]) == (channel, 2)


async def test_a_whole_venue_is_one_channel(make: Make) -> None:
    """It carries the tickers of all the venue's instruments."""
    rig = await make(instruments=3)
    client = await rig.client()
    await client.subscribe("market:ticker:BINANCE")
    seen = {(await client.push())["pub"]["data"]["instrumentId"] for _ in range(2)}
    assert seen == {"BINANCE:BTC/USDT", "BINANCE:ETH/USDT"}


async def test_a_lost_publication_leaves_a_gap(make: Make) -> None:
    """The fault switch: the offsets a client sees jump, and a recovery fills them."""
    rig = await make()
    client = await rig.client()
    result = await client.subscribe(BOOK)
    await client.push()
    rig.hub.lossy.add(BOOK)
    rig.server.publish([rig.exchange.book_snapshot(KEY)])
    rig.hub.lossy.clear()
    rig.server.publish([rig.exchange.book_snapshot(KEY)])
    assert (await client.push())["pub"]["offset"] == 3
    await client.call(unsubscribe={"channel": BOOK})
    again = await client.subscribe(BOOK, recover=True, offset=1, epoch=result["epoch"])
    assert [one["offset"] for one in again["publications"]] == [2, 3]


async def test_a_taken_port_is_a_sentence() -> None:
    """It names the address and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(Exchange(0, instruments=1), "secret")
        with pytest.raises(CadenzaError, match=f":{port}: ") as caught:
            await server.start("127.0.0.1", port)
        assert caught.value.remedy == "choose another --port, or 0 for a free one"


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000)])
async def test_an_address_that_cannot_be_is_a_sentence(host: str, port: int) -> None:
    """A host that is not this machine's, a port that is none."""
    server = Server(Exchange(0, instruments=1), "secret")
    with pytest.raises(CadenzaError, match=r"cannot listen|not a port"):
        await server.start(host, port)
