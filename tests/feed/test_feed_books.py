"""Books of the live feed: snapshots, gaps, and what is wrong with a message."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_tui.feed import channels
from cadenza_tui.feed.subscriptions import ChannelOptions
from cadenza_tui.market.health import ChannelState, ConnectionState

from .feeding import BOOK, BTC, ETH, TICKER, TRADE, bids, diff, feeding, live, snapshot
from .scripted import Refused, ScriptedServer, book
from .waiting import eventually

pytestmark = pytest.mark.usefixtures("impatient")


async def test_publications_reach_the_market_and_mark_it_dirty(server: ScriptedServer) -> None:
    """A snapshot, a diff, a print and a ticker are where they belong."""
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(2, [["100", "0"], ["99.50", "2"]]))
        trade = {"tradeId": "7", "price": "100.5", "quantity": "3", "side": "BUY", "timestamp": 3}
        await server.publish(TRADE, trade)
        await server.publish(
            TICKER, {"venue": "BINANCE", "symbol": "BTC/USDT", "lastPrice": "9", "timestamp": 4}
        )
        await eventually(lambda: BTC in feed.market.tickers)
        assert bids(feed) == {"99.50": "2"}
        assert [entry.trade_id for entry in feed.market.tape(BTC).prints] == ["7"]
        marks = feed.market.dirty.take()
        assert {("book", BTC), ("tape", BTC), ("ticker", BTC)} <= marks
        health = feed.market.health
        assert health.connection.state is ConnectionState.CONNECTED
        assert health.channels[BOOK].state is ChannelState.LIVE
        assert (health.channels[BOOK].messages, health.channels[BOOK].offset) == (2, 2)


async def test_a_book_without_a_snapshot_is_asked_for(server: ScriptedServer) -> None:
    """Where none comes by itself, the query brings one."""
    server.rpc["query.orderbook.get"] = lambda _: snapshot(5, [["100", "4"]])
    async with feeding(server) as feed:
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"100": "4"}
        assert feed.market.health.channels[BOOK].state is ChannelState.LIVE


async def test_a_diff_before_a_snapshot_is_kept_for_after_it(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes the feed ask at once; older diffs are in the snapshot, newer ones go on top."""
    monkeypatch.setattr(channels, "SNAPSHOT_WITHIN_S", 60)
    server.silent.add("query.orderbook.get")
    async with feeding(server) as feed:
        await server.until(lambda: bool(server.subscribes(BOOK)))
        await server.publish(BOOK, diff(3, [["98", "9"]]))
        await server.until(
            lambda: ("query.orderbook.get", {"instrumentId": BTC, "depth": 1000}) in server.calls
        )
        assert not feed.market.book(BTC).has_snapshot
        await server.publish(BOOK, diff(4, [["98", "8"]]))
        await server.publish(BOOK, diff(6, [["100", "7"]]))
        await eventually(lambda: feed.market.health.channels[BOOK].messages == 3)
        answer = snapshot(5, [["100", "4"], ["98", "1"]])
        await server.send({"id": server.asked("query.orderbook.get"), "rpc": {"data": {"data": answer}}})
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"100": "7", "98": "1"}
        assert not feed.market.health.channels[BOOK].rejected


async def test_a_gap_marks_the_book_and_fetches_it(server: ScriptedServer) -> None:
    """What is held stays, not in sync, until the snapshot is there."""
    server.silent.add("query.orderbook.get")
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(4, [["99", "1"]]), skip=2)
        await server.until(lambda: any(method == "query.orderbook.get" for method, _ in server.calls))
        health = feed.market.health.channels[BOOK]
        assert (health.state, health.gaps, health.resyncs) == (ChannelState.RESYNCING, 1, 1)
        assert health.reason == "gap: 2 messages are missing"
        assert (feed.market.book(BTC).in_sync, bids(feed)) == (False, {"100": "1"})
        answer = snapshot(5, [["97", "2"]])
        await server.send({"id": server.asked("query.orderbook.get"), "rpc": {"data": {"data": answer}}})
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"97": "2"}
        assert health.state is ChannelState.LIVE


async def test_a_snapshot_of_the_channel_ends_a_resync(server: ScriptedServer) -> None:
    """Whichever comes first is taken."""
    server.silent.add("query.orderbook.get")
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(4, [["99", "1"]]), skip=1)
        await eventually(lambda: not feed.market.book(BTC).in_sync)
        await server.publish(BOOK, snapshot(6, [["96", "3"]]))
        await server.publish(BOOK, diff(7, [["96", "4"]]))
        await eventually(lambda: feed.market.book(BTC).in_sync and bids(feed) == {"96": "4"})
        assert feed.market.health.channels[BOOK].state is ChannelState.LIVE


async def test_a_delta_is_never_guessed(server: ScriptedServer) -> None:
    """It is counted by name, and the book is fetched."""
    server.rpc["query.orderbook.get"] = lambda _: snapshot(9, [["95", "1"]])
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, book(BTC, "DELTA", 8, [["100", "5"]], []))
        await eventually(lambda: bids(feed) == {"95": "1"})
        assert feed.market.book(BTC).in_sync
        assert feed.market.health.channels[BOOK].rejected == {"delta not supported": 1}


async def test_a_refused_snapshot_is_asked_for_again(server: ScriptedServer) -> None:
    """The reason stands on the channel meanwhile."""
    answers = iter([Refused(100, "busy"), Refused(100, "busy"), snapshot(9, [["95", "1"]])])
    reasons: list[str] = []

    def answer(_: dict[str, Any]) -> Any:
        reasons.append(feed.market.health.channels[BOOK].reason)
        reply = next(answers)
        if isinstance(reply, Refused):
            raise reply
        return reply

    server.rpc["query.orderbook.get"] = answer
    async with feeding(server) as feed:
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert "busy" in reasons[1]
        assert bids(feed) == {"95": "1"}


async def test_where_there_is_no_query_the_channel_is_subscribed_anew(server: ScriptedServer) -> None:
    """A server that knows no snapshots may send one to a new subscriber."""
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(4, [["99", "1"]]), skip=1)
        await server.until(lambda: len(server.subscribes(BOOK)) == 2)
        await server.publish(BOOK, snapshot(6, [["96", "3"]]))
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"96": "3"}


MALFORMED: list[tuple[Any, str]] = [
    ("nonsense", "field of a wrong type"),
    ({"updateType": "DIFF"}, "missing field"),
    (diff(2, [["100"]]), "row of a wrong length"),
    (diff(2, [["100", "-1"]]), "negative quantity"),
    (diff(2, [["100", "NaN"]]), "not a decimal"),
]


@pytest.mark.parametrize(("payload", "reason"), MALFORMED)
async def test_a_malformed_publication_is_counted_and_its_book_is_fetched_anew(
    server: ScriptedServer, payload: Any, reason: str
) -> None:
    """What it would have changed nobody can tell, so the book is out of sync until a snapshot is there."""
    server.silent.add("query.orderbook.get")
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, payload)
        await eventually(lambda: not feed.market.book(BTC).in_sync)
        assert reason in feed.market.book(BTC).out_of_sync_reason
        assert feed.market.health.channels[BOOK].rejected == {reason: 1}
        await server.publish(BOOK, book(BTC, "SNAPSHOT", 3, [["98", "2"]], []))
        await eventually(lambda: bids(feed) == {"98": "2"})
        assert feed.market.book(BTC).in_sync


async def test_a_publication_about_another_instrument_is_counted_and_nothing_is_lost(
    server: ScriptedServer,
) -> None:
    """It says nothing of this book, which is as it was, and follows its stream from there."""
    payload, reason = book(ETH, "DIFF", 2, [["100", "5"]], []), "instrument of another channel"
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, payload)
        await server.publish(BOOK, diff(3, [["99", "1"]]))
        await eventually(lambda: bids(feed) == {"100": "1", "99": "1"})
        assert feed.market.book(BTC).in_sync
        assert feed.market.health.channels[BOOK].rejected == {reason: 1}
        assert feed.market.health.rejected == 1


async def test_a_book_that_stays_crossed_is_fetched(server: ScriptedServer) -> None:
    """A moment's cross is known as such and left alone; a lasting one is taken as an error."""
    server.rpc["query.orderbook.get"] = lambda _: snapshot(9, [["95", "1"]])
    async with feeding(server, channels=ChannelOptions(crossed_after_s=0.0)) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(2, [["102", "1"]]))
        await eventually(lambda: feed.market.book(BTC).crossed)
        await eventually(lambda: bids(feed) == {"95": "1"})
        assert feed.market.health.channels[BOOK].resyncs == 1


async def test_a_person_can_ask_for_a_book_anew(server: ScriptedServer) -> None:
    """Held levels give way to the snapshot's."""
    server.rpc["query.orderbook.get"] = lambda _: snapshot(9, [["95", "1"]])
    async with feeding(server) as feed:
        await live(server, feed)
        feed.resync(BTC)
        assert feed.market.book(BTC).out_of_sync_reason == "asked for"
        await eventually(lambda: bids(feed) == {"95": "1"})


async def test_a_change_nobody_agreed_to_puts_the_book_out_of_sync(server: ScriptedServer) -> None:
    """The channel is asked for anew, and the book waits for a snapshot; what was passed over is named."""
    server.silent.add("query.orderbook.get")
    async with feeding(server) as feed:
        await live(server, feed)
        server.offsets[BOOK] += 1
        pub = {"data": snapshot(2, [["1", "1"]]), "offset": server.offsets[BOOK], "delta": True}
        await server.send({"push": {"channel": BOOK, "pub": pub}})
        await eventually(lambda: not feed.market.book(BTC).in_sync)
        assert len(server.subscribes(BOOK)) == 2
        assert bids(feed) == {"100": "1"}
        await server.publish(BOOK, snapshot(3, [["95", "1"]]))
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"95": "1"}
        name = "delta on a channel that agreed to none"
        await eventually(lambda: feed.market.health.connection.dropped == {name: 1})
        assert feed.market.health.rejected == 0
