"""Which channels the live feed has, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.feed import subscriptions, worker
from cadenza_tui.market.health import ChannelState
from cadenza_tui.wire.channels import API_PAGE, OPENAPI, Kind

from .feeding import BOOK, BTC, ETH, TICKER, TRADE, bids, diff, feeding, listing, live, snapshot
from .scripted import ScriptedServer, book
from .waiting import eventually

SECOND = 1_000_000_000

pytestmark = pytest.mark.usefixtures("impatient")


async def test_a_publication_of_a_channel_nobody_asked_for_is_passed_over(server: ScriptedServer) -> None:
    """It makes no book and takes no memory."""
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(f"market:orderBook:{ETH}", book(ETH, "SNAPSHOT", 2, [["1", "1"]], []))
        await server.publish(BOOK, diff(3, [["99", "1"]]))
        await eventually(lambda: "99" in bids(feed))
        assert ETH not in feed.market.books
        assert set(feed.market.health.channels) == {BOOK, TRADE, TICKER}


async def test_what_is_left_is_let_go_after_a_while(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instrument that was left is kept a little, then unsubscribed and forgotten; a pinned one stays."""
    monkeypatch.setattr(subscriptions, "KEEP_NS", 50_000_000)
    async with feeding(server) as feed:
        feed.show(ETH)
        await server.until(lambda: f"market:orderBook:{ETH}" in server.channels())
        feed.show(BTC)
        await server.until(lambda: f"market:orderBook:{ETH}" not in server.channels())
        assert server.channels() == {BOOK, TRADE, TICKER}
        assert set(feed.market.health.channels) == {BOOK, TRADE, TICKER}
        assert ETH not in feed.market.books


async def test_going_back_in_time_keeps_the_subscription(server: ScriptedServer) -> None:
    """Within the while nothing is unsubscribed."""
    async with feeding(server) as feed:
        feed.show(ETH)
        feed.show(BTC)
        feed.show(ETH)
        await server.until(lambda: f"market:orderBook:{ETH}" in server.channels())
        assert len(server.subscribes(f"market:orderBook:{ETH}")) == 1
        assert not [command for command in server.commands if "unsubscribe" in command]


async def test_a_refused_channel_fails_with_its_reason(server: ScriptedServer) -> None:
    """The others are live, and the program is told."""
    server.refuse[TICKER] = 103
    failed: list[str] = []
    async with feeding(server, on_channel=failed.append) as feed:
        await live(server, feed)
        await eventually(lambda: bool(failed))
        health = feed.market.health.channels[TICKER]
        assert (failed, health.state) == ([TICKER], ChannelState.FAILED)
        assert "permission denied" in health.reason
        assert feed.market.health.channels[BOOK].state is ChannelState.LIVE


async def test_channels_beyond_the_limit_say_why(server: ScriptedServer) -> None:
    """What is shown comes first; what has no room is named, and gets its place when there is one."""
    pins = tuple(f"X:C{number}/USD" for number in range(4))
    async with feeding(server, pinned=pins, options=Options(channel_limit=7)) as feed:
        feed.show("X:C3/USD")
        await server.until(lambda: len(server.channels()) == 7)
        assert {f"market:{kind}:X:C3/USD" for kind in ("orderBook", "trade", "ticker")} <= server.channels()
        refused = [
            health for health in feed.market.health.channels.values() if health.state is ChannelState.FAILED
        ]
        assert len(refused) == 5
        assert all("one more than the 7 channels" in health.reason for health in refused)
        feed.pin(pins[:1])
        await server.until(lambda: len(server.channels()) == 6)
        await eventually(
            lambda: all(h.state is not ChannelState.FAILED for h in feed.market.health.channels.values())
        )


async def test_either_spelling_of_channels_can_be_chosen(server: ScriptedServer) -> None:
    """The OpenAPI's names are asked for, and their publications taken."""
    async with feeding(server, templates=OPENAPI) as feed:
        channel = "market:orderbook:BINANCE:BTC/USDT"
        await server.until(lambda: channel in server.channels())
        await server.publish(channel, snapshot(1, [["100", "1"]]))
        await eventually(lambda: bids(feed) == {"100": "1"})
        assert feed.ingest.channel_of(Kind.BOOK, BTC) == channel
        assert API_PAGE.book != OPENAPI.book


async def test_without_pins_the_first_nine_listed_are_pinned(server: ScriptedServer) -> None:
    """Their channels are asked for."""
    names = [f"X:C{number}/USD" for number in range(12)]
    server.rpc["query.instrument.list"] = lambda _: listing(*names)
    async with feeding(server, pinned=()) as feed:
        await server.until(lambda: len(server.channels()) == 27)
        assert list(feed.pinned) == names[:9]
        assert len(feed.market.instruments) == 12


async def test_an_unlisted_instrument_is_named_with_the_nearest(server: ScriptedServer) -> None:
    """A slip of the finger is told on its channel."""
    server.rpc["query.instrument.list"] = lambda _: listing(BTC, ETH)
    async with feeding(server, pinned=("BINANCE:BTC/USTD",)) as feed:
        await feed.bootstrapped.wait()
        reason = feed.market.health.channels["market:trade:BINANCE:BTC/USTD"].reason
        assert reason == f"the server does not list BINANCE:BTC/USTD; did you mean {BTC}?"


async def test_a_list_is_read_page_by_page(server: ScriptedServer) -> None:
    """Until the total is reached, whatever size the server gives its pages."""
    names = [f"X:C{number}/USD" for number in range(7)]

    def page(params: dict[str, Any]) -> Any:
        offset = params.get("offset", 0)
        return listing(*names[offset : offset + 3])

    server.rpc["query.instrument.list"] = page
    server.envelope["query.instrument.list"] = {"pagination": {"total": 7}}
    async with feeding(server) as feed:
        await eventually(lambda: len(feed.market.instruments) == 7)
        assert sum(method == "query.instrument.list" for method, _ in server.calls) == 3


async def test_a_channel_ended_with_code_0_is_not_taken_for_given_up(server: ScriptedServer) -> None:
    """The server ended it, and that is told."""
    async with feeding(server) as feed:
        await live(server, feed)
        end = {"code": 0, "reason": "delisted"}
        await server.send({"push": {"channel": TICKER, "unsubscribe": end}})
        facts = feed.market.health.channels[TICKER]
        await eventually(lambda: facts.state is ChannelState.FAILED)
        assert "delisted" in facts.reason


async def test_liquidity_is_not_sampled_of_a_book_whose_channel_ended(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book is as whole as it was, but it is not the market now: a gap, from then on."""
    monkeypatch.setattr(worker, "TICK_S", 600)
    async with feeding(server) as feed:
        await live(server, feed)
        feed.show(BTC)
        heat, begin = feed.market.study(BTC).heat, feed.now() // SECOND * SECOND
        feed.market.sample(begin)
        await server.send({"push": {"channel": BOOK, "unsubscribe": {"code": 2001, "reason": "delisted"}}})
        await eventually(lambda: feed.market.health.channels[BOOK].state is ChannelState.FAILED)
        assert feed.market.book(BTC).in_sync
        feed.market.sample(begin + SECOND)
        sampled = [heat.at(begin // SECOND + second) for second in (0, 1)]
        assert [sample is not None and sample.keys is not None for sample in sampled] == [True, False]
