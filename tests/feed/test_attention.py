"""What the screen looks at, as channels and queries: rows in sight, books of venues, last days."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.feed import attention, rows, subscriptions, worker
from cadenza_tui.feed.quotes import quote_trust
from cadenza_tui.market.interest import Interest
from cadenza_tui.market.trust import TrustState

from .feeding import feeding, listing
from .scripted import ScriptedServer, book
from .waiting import eventually

if TYPE_CHECKING:
    from cadenza_tui.feed.worker import Feed

pytestmark = pytest.mark.usefixtures("impatient")

IDS = tuple(f"X:C{number}/USD" for number in range(60))
OPENS = 1_723_161_240_000
HOUR = 3_600_000


def ticker(name: str, price: str, at: int = OPENS) -> dict[str, Any]:
    """Return a ticker message."""
    venue, _, symbol = name.partition(":")
    return {"instrumentId": name, "venue": venue, "symbol": symbol, "timestamp": at, "lastPrice": price}


def tickers(server: ScriptedServer) -> set[str]:
    """Return the instruments whose tickers are subscribed to."""
    return {name.removeprefix("market:ticker:") for name in server.channels() if ":ticker:" in name}


def asked(server: ScriptedServer, method: str) -> list[list[str]]:
    """Return the instruments that each call of a query was about."""
    return [params["instrumentIds"] for name, params in server.calls if name == method]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows count as soon as they are in sight, where a test does not say otherwise."""
    monkeypatch.setattr(attention, "SETTLES_S", 0.0)
    monkeypatch.setattr(worker, "TICK_S", 0.05)


@pytest.fixture
def no_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """No venue has enough instruments for one channel of all its tickers."""
    monkeypatch.setattr(subscriptions, "WHOLE_FROM", 1_000)


async def ready(server: ScriptedServer, feed: Feed) -> None:
    """Wait until what is asked for on a new connection has been."""
    await feed.bootstrapped.wait()
    await server.until(lambda: len(server.channels()) > 0)


@pytest.mark.usefixtures("no_whole")
async def test_scrolling_changes_which_tickers_there_are(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that left are kept for a while, then let go; the rows in sight stay."""
    monkeypatch.setattr(subscriptions, "KEEP_NS", 80_000_000)
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest(visible=IDS[:12]))
        await server.until(lambda: tickers(server) == {*IDS[:12]})
        feed.want(Interest(visible=IDS[40:44]))
        await server.until(lambda: {*IDS[40:44]} <= tickers(server))
        assert {*IDS[9:12]} <= tickers(server)
        await server.until(lambda: tickers(server) == {*IDS[:9], *IDS[40:44]})
        books = {name.removeprefix("market:orderBook:") for name in server.channels() if "orderBook" in name}
        assert books == {*IDS[:9]}


@pytest.mark.usefixtures("no_whole")
async def test_rows_that_fly_past_are_not_asked_for(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what stays in sight is; a way back within the while asks for nothing."""
    monkeypatch.setattr(attention, "SETTLES_S", 0.05)
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest(visible=IDS[:12]))
        await server.until(lambda: {*IDS[9:12]} <= tickers(server))
        for first in range(12, 48):
            feed.want(Interest(visible=IDS[first : first + 4]))
            await asyncio.sleep(0)
        await server.until(lambda: {*IDS[47:51]} <= tickers(server))
        assert tickers(server) == {*IDS[:12], *IDS[47:51]}
        feed.want(Interest(visible=IDS[:12]))
        await asyncio.sleep(0.1)  # nothing is to happen in it
        sent = [str(command) for command in server.commands if ":ticker:" in str(command)]
        assert len(sent) == len(set(sent)) == 12 + 4


@pytest.mark.usefixtures("no_whole")
async def test_the_limit_of_channels_holds_while_scrolling(server: ScriptedServer) -> None:
    """What is kept for a while gives way to what is in sight, and nothing is said to be refused."""
    async with feeding(server, pinned=IDS, options=Options(channel_limit=40)) as feed:
        for first in range(9, 50, 10):
            seen = {*IDS[first : first + 10]}
            feed.want(Interest(visible=IDS[first : first + 10]))
            await server.until(partial(lambda seen: seen <= tickers(server), seen))
            assert len(server.channels()) <= 40
        assert not [one for one in feed.market.health.channels.values() if "channels that" in one.reason]


@pytest.mark.usefixtures("no_whole")
async def test_rows_in_sight_have_what_a_query_knows_at_once(server: ScriptedServer) -> None:
    """Their channel may be silent for long."""
    server.rpc["query.ticker.list"] = lambda params: [ticker(name, "7") for name in params["instrumentIds"]]
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest())
        await ready(server, feed)
        feed.want(Interest(visible=IDS[20:24]))
        await eventually(lambda: {*IDS[20:24]} <= feed.market.tickers.keys())
        assert asked(server, "query.ticker.list")[-1] == [*IDS[20:24]]
        assert IDS[30] not in feed.market.tickers


@pytest.mark.usefixtures("no_whole")
async def test_a_sorted_list_knows_rows_out_of_sight(server: ScriptedServer) -> None:
    """They are asked for by query, all of them in one, as often as is worth it."""
    server.rpc["query.ticker.list"] = lambda params: [ticker(name, "7") for name in params["instrumentIds"]]
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest())
        await ready(server, feed)
        feed.want(Interest(visible=IDS[20:24], ranked=True))
        await eventually(lambda: {*IDS} <= feed.market.tickers.keys())
        assert len(asked(server, "query.ticker.list")) == 2


async def test_many_of_a_venue_come_by_one_channel(server: ScriptedServer) -> None:
    """One subscription brings them all, and each row is as old as its own ticker."""
    server.rpc["query.instrument.list"] = lambda _params: listing(*IDS)
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest(visible=IDS[10:40]))
        await server.until(lambda: "market:ticker:X" in server.channels())
        await feed.bootstrapped.wait()
        assert tickers(server) == {"X"}
        now = feed.now()
        await server.publish("market:ticker:X", ticker(IDS[11], "7", now // 1_000_000 - 5_000))
        await server.publish("market:ticker:X", ticker(IDS[50], "8", now // 1_000_000))
        await eventually(lambda: IDS[50] in feed.market.tickers)
        trust = quote_trust(feed.ingest, IDS[11], now)
        assert (trust.state, trust.dimmed) == (TrustState.LIVE, False)
        assert trust.age_ns is not None
        assert 5_000_000_000 <= trust.age_ns < 5_100_000_000
        feed.ingest.clock_offset = -3_000_000_000  # our clock is ahead of the server's
        assert quote_trust(feed.ingest, IDS[11], now).age_ns == trust.age_ns - 3_000_000_000


async def test_a_venue_without_such_a_channel_is_asked_row_by_row(server: ScriptedServer) -> None:
    """Refused once, it is not asked for again, and the rows in sight have their own."""
    server.refuse["market:ticker:X"] = 103
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest(visible=IDS[10:14]))
        await server.until(lambda: {*IDS[10:14]} <= tickers(server))
        assert len(server.subscribes("market:ticker:X")) == 1


async def test_the_venues_books_come_when_wanted_and_go_afterwards(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Books alone; after a while nothing is left of them."""
    monkeypatch.setattr(subscriptions, "KEEP_NS", 50_000_000)
    names = ("A:C/USD", "B:C/USD")
    channels = {f"market:orderBook:{name}" for name in names}
    async with feeding(server) as feed:
        feed.want(Interest(venues=names))
        await server.until(lambda: channels <= server.channels())
        assert not [name for name in server.channels() if ":C/USD" in name and "orderBook" not in name]
        await server.publish(
            f"market:orderBook:{names[0]}", book(names[0], "SNAPSHOT", 1, [["1", "1"]], [["2", "1"]])
        )
        await eventually(lambda: feed.market.book(names[0]).in_sync)
        feed.want(Interest())
        await server.until(lambda: not channels & server.channels())
        assert names[0] not in feed.market.books


async def test_the_last_day_is_asked_for_where_it_is_shown(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of the hours, a few rows in one query; volumes are added up to the last digit."""
    monkeypatch.setattr(rows, "DAYS_AT_ONCE", 3)
    begun = time.time_ns() // 1_000_000
    begin = (begun // HOUR - 29) * HOUR

    def hours(params: dict[str, Any]) -> list[dict[str, Any]]:
        assert params["interval"] == "1h"
        return [
            {
                "instrumentId": name,
                "venue": "X",
                "symbol": "C",
                "interval": "1h",
                "candles": [[begin + n * HOUR, "1", "1", "1", str(n), "0.1"] for n in range(30)],
                "isClosed": False,
                "timestamp": begin,
            }
            for name in params["instrumentIds"]
        ]

    server.rpc["query.kline.list"] = hours
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest())
        await ready(server, feed)
        monkeypatch.setattr(feed._queries, "now", lambda: begun * 1_000_000)
        feed.want(Interest(visible=IDS[20:24]))
        await asyncio.sleep(0)
        assert asked(server, "query.kline.list") == []
        feed.want(Interest(visible=IDS[20:24], days=True))
        await eventually(lambda: all(feed.market.trails.day(name) for name in IDS[20:24]))
        assert asked(server, "query.kline.list") == [[*IDS[20:23]], [IDS[23]]]
        day = feed.market.trails.day(IDS[20])
        assert day is not None
        assert str(day.volume) == "2.4"
        assert day.closes == tuple(range(6, 30))


async def test_a_server_without_hours_is_asked_once(server: ScriptedServer) -> None:
    """There is nothing to be had."""
    async with feeding(server, pinned=IDS) as feed:
        feed.want(Interest())
        await ready(server, feed)
        feed.want(Interest(visible=IDS[:4], days=True))
        await server.until(lambda: bool(asked(server, "query.kline.list")))
        for _ in range(3):
            feed._attention.look()
            await asyncio.sleep(0)
        assert len(asked(server, "query.kline.list")) == 1
