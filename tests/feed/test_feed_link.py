"""The link of the live feed: lost, recovered, refused, ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.health import ChannelState, ConnectionState
from cadenza_tui.market.state import Market

from .feeding import BOOK, BTC, QUICK, TICKER, bids, diff, feeding, live, snapshot
from .waiting import eventually

if TYPE_CHECKING:
    from .scripted import ScriptedServer

pytestmark = pytest.mark.usefixtures("impatient")


async def test_a_recovered_channel_goes_on_where_it_was(server: ScriptedServer) -> None:
    """After a reconnect with nothing lost the book is not fetched."""
    async with feeding(server) as feed:
        await live(server, feed)
        missed = {"data": diff(2, [["99", "1"]]), "offset": 2}
        server.on_subscribe[BOOK] = lambda request: {
            "was_recovering": True,
            "recovered": True,
            "offset": request["offset"],
            "publications": [missed],
        }
        await server.drop()
        await eventually(lambda: bids(feed) == {"100": "1", "99": "1"})
        assert server.subscribes(BOOK)[1]["offset"] == 1
        assert feed.market.book(BTC).in_sync
        assert feed.market.health.connection.reconnects == 1
        assert not [method for method, _ in server.calls if method == "query.orderbook.get"]


async def test_a_channel_that_could_not_be_recovered_is_fetched(server: ScriptedServer) -> None:
    """The book held is not taken for current: its levels from before are gone."""
    server.rpc["query.orderbook.get"] = lambda _: snapshot(9, [["95", "1"]])
    async with feeding(server) as feed:
        await live(server, feed)
        server.on_subscribe[BOOK] = lambda _: {"was_recovering": True, "epoch": "e2", "offset": 40}
        server.offsets[BOOK] = 40
        await server.drop()
        await eventually(lambda: bids(feed) == {"95": "1"})
        health = feed.market.health.channels[BOOK]
        assert (health.gaps, health.resyncs, feed.market.book(BTC).in_sync) == (1, 1, True)


async def test_a_lost_link_says_so_and_keeps_what_is_held(server: ScriptedServer) -> None:
    """The state is connecting, the reason is the server's, and the book is still there."""
    async with feeding(server, options=Options(backoff_min=30)) as feed:
        await live(server, feed)
        await server.drop(3001, "shutdown")
        await eventually(lambda: feed.market.health.connection.state is ConnectionState.CONNECTING)
        assert "shutting down" in feed.market.health.connection.reason
        assert feed.market.health.channels[BOOK].state is ChannelState.SUBSCRIBING
        assert bids(feed) == {"100": "1"}


async def test_another_terminal_code_ends_as_disconnected(server: ScriptedServer) -> None:
    """With the server's reason."""
    feed = Feed(Market(), FeedSettings(server.url, options=QUICK))
    running = asyncio.create_task(feed.run())
    await server.until(lambda: bool(server.commands))
    await server.drop(3504, "connection limit")
    await running
    connection = feed.market.health.connection
    assert connection.state is ConnectionState.DISCONNECTED
    assert "too many connections" in connection.reason
    assert connection.remedy


async def test_a_malformed_line_is_counted(server: ScriptedServer) -> None:
    """The good line of the same frame is taken."""
    async with feeding(server) as feed:
        await live(server, feed)
        push = {"push": {"channel": BOOK, "pub": {"data": diff(3, [["99", "1"]]), "offset": 2}}}
        await server.send("{broken", push)
        await eventually(lambda: "99" in bids(feed))
        assert feed.market.health.connection.rejected == {"line is not JSON": 1}


async def test_a_second_run_is_refused(server: ScriptedServer) -> None:
    """A feed is run once."""
    async with feeding(server) as feed:
        await live(server, feed)
        with pytest.raises(RuntimeError):
            await feed.run()


async def test_a_disconnect_with_code_0_is_not_taken_for_our_own(server: ScriptedServer) -> None:
    """The server's reason is told, of the connection and of its channels, and another attempt follows."""
    async with feeding(server, options=Options(backoff_min=5, backoff_max=5)) as feed:
        await live(server, feed)
        await server.send({"push": {"disconnect": {"code": 0, "reason": "maintenance"}}})
        health = feed.market.health
        await eventually(lambda: health.connection.state is ConnectionState.CONNECTING)
        for reason in (health.connection.reason, health.connection.drops[-1].reason):
            assert reason == "the server gave a code that has no meaning (maintenance)"
        assert "maintenance" in health.channels[TICKER].reason
        await eventually(lambda: health.connection.next_attempt is not None)
