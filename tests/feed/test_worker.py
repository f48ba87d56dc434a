"""The live feed, against a server that says exactly what a test tells it to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.credentials import sources
from cadenza_tui.feed import channels, resync, subscriptions
from cadenza_tui.feed.subscriptions import ChannelOptions
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.health import ChannelState, ConnectionState
from cadenza_tui.market.state import Market
from cadenza_tui.wire.channels import API_PAGE, OPENAPI, Kind

from .scripted import Refused, ScriptedServer, book
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cadenza_tui.market.book import OrderBook

BTC = "BINANCE:BTC/USDT"
ETH = "BINANCE:ETH/USDT"
BOOK = f"market:orderBook:{BTC}"
TRADE = f"market:trade:{BTC}"
TICKER = f"market:ticker:{BTC}"
DESK = "tradingAccount:desk"
QUICK = Options(backoff_min=0.01, backoff_max=0.05)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for snapshots soon, so that tests need not wait for what is about time."""
    monkeypatch.setattr(channels, "SNAPSHOT_WITHIN_S", 0.05)
    monkeypatch.setattr(resync, "FIRST_PAUSE_S", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server."""
    async with ScriptedServer() as running:
        yield running


@asynccontextmanager
async def feeding(server: ScriptedServer, **settings: Any) -> AsyncIterator[Feed]:
    """Run a feed on the server, of one instrument and without accounts where not said otherwise."""
    chosen: dict[str, Any] = {"pinned": (BTC,), "with_accounts": False, "options": QUICK} | settings
    on_channel = chosen.pop("on_channel", None)
    feed = Feed(Market(), FeedSettings(server.url, **chosen), on_channel=on_channel)
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        await feed.close()
        await running
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in left if "cadenza_tui" in repr(task)]


def snapshot(time: int, bids: list[list[str]], asks: list[list[str]] | None = None) -> dict[str, Any]:
    """Return a snapshot of the first instrument."""
    return book(BTC, "SNAPSHOT", time, bids, [["101", "1"]] if asks is None else asks)


def diff(time: int, bids: list[list[str]], asks: list[list[str]] | None = None) -> dict[str, Any]:
    """Return a diff of the first instrument."""
    return book(BTC, "DIFF", time, bids, asks or [])


def bids(feed: Feed) -> dict[str, str]:
    """Return the bids of the first instrument's book."""
    held: OrderBook = feed.market.book(BTC)
    return {level.price: level.quantity for level in held.bids.levels()}


async def live(server: ScriptedServer, feed: Feed) -> None:
    """Bring the first instrument's book up with a snapshot of its channel."""
    await server.until(lambda: bool(server.subscribes(BOOK)))
    await server.publish(BOOK, snapshot(1, [["100", "1"]]))
    await eventually(lambda: feed.market.book(BTC).in_sync)


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


async def test_a_refused_token_ends_as_unauthorised(server: ScriptedServer) -> None:
    """Nothing is raised; the reason and what to do stand in the health."""
    source = sources.fixed("a.b.c")
    feed = Feed(Market(), FeedSettings(server.url, token=source, options=QUICK))
    running = asyncio.create_task(feed.run())
    await server.until(lambda: bool(server.commands))
    await server.drop(3500, "invalid token")
    await running
    connection = feed.market.health.connection
    assert connection.state is ConnectionState.UNAUTHORISED
    assert "token" in connection.reason
    assert "CADENZA_TOKEN" in connection.remedy
    assert "a.b.c" not in repr(feed.market.health)


async def test_a_server_that_wants_a_token_is_unauthorised_without_one(server: ScriptedServer) -> None:
    """A connect without a token that is refused as bad says that a token is missing."""
    feed = Feed(Market(), FeedSettings(server.url, options=QUICK))
    running = asyncio.create_task(feed.run())
    await server.until(lambda: bool(server.commands))
    await server.drop(3501, "bad request")
    await running
    connection = feed.market.health.connection
    assert (connection.state, connection.reason) == (ConnectionState.UNAUTHORISED, "the server wants a token")
    assert connection.remedy


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


async def test_an_expired_token_of_the_environment_ends_before_a_connection(server: ScriptedServer) -> None:
    """It cannot get better by itself, and it is not sent."""
    expired = "e30.eyJleHAiOjEwMDB9.x"
    feed = Feed(Market(), FeedSettings(server.url, token=sources.fixed(expired), options=QUICK))
    await feed.run()
    connection = feed.market.health.connection
    assert connection.state is ConnectionState.UNAUTHORISED
    assert "expired" in connection.reason
    assert not server.commands


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


async def test_a_malformed_line_is_counted(server: ScriptedServer) -> None:
    """The good line of the same frame is taken."""
    async with feeding(server) as feed:
        await live(server, feed)
        push = {"push": {"channel": BOOK, "pub": {"data": diff(3, [["99", "1"]]), "offset": 2}}}
        await server.send("{broken", push)
        await eventually(lambda: "99" in bids(feed))
        assert feed.market.health.connection.rejected == {"line is not JSON": 1}


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


def listing(*names: str) -> list[dict[str, Any]]:
    """Return the entries of an instrument list."""
    parts = [name.partition(":") for name in names]
    return [{"instrumentId": n, "venue": v, "symbol": s} for n, (v, _, s) in zip(names, parts, strict=True)]


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


async def test_accounts_are_brought_up_by_queries(server: ScriptedServer) -> None:
    """The listed accounts' channels, portfolios and orders are there."""
    server.rpc["query.trading_account.list"] = lambda _: [{"tradingAccountId": "desk", "nickname": "Desk"}]
    server.rpc["query.portfolio.get"] = lambda params: {
        "tradingAccountId": params["tradingAccountId"],
        "balances": [{"securitySymbol": "USDT", "total": "12.50", "free": "10", "locked": "2.50"}],
        "updatedAt": "2026-01-01T00:00:00Z",
    }
    order = {"tradeOrderId": "o1", "tradingAccountId": "desk", "instrumentId": BTC, "status": "ACCEPTED"}
    server.rpc["query.trade_order.list"] = lambda _: [order]
    async with feeding(server, with_accounts=True) as feed:
        await feed.bootstrapped.wait()
        account = feed.market.account("desk")
        assert account.account is not None
        assert account.account.nickname == "Desk"
        assert [str(balance.total) for balance in account.balances.values()] == ["12.50"]
        assert [held.order_id for held in account.working_orders()] == ["o1"]
        await server.until(lambda: DESK in server.channels())
        assert not feed.troubles.keys() - {"instruments", "tickers"}


async def test_an_order_that_ended_unseen_does_not_go_on_working(server: ScriptedServer) -> None:
    """After a reconnect an order that is not listed any more has an unknown status."""
    order = {"tradeOrderId": "o1", "tradingAccountId": "desk", "instrumentId": BTC, "status": "ACCEPTED"}
    orders = [order]
    server.rpc["query.trade_order.list"] = lambda _: orders
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await feed.bootstrapped.wait()
        assert len(feed.market.account("desk").working_orders()) == 1
        orders.clear()
        await server.drop()
        await eventually(lambda: not feed.market.account("desk").working_orders())
        assert feed.market.account("desk").orders["o1"].status == "UNKNOWN"


async def test_queries_that_fail_are_named_and_do_no_harm(server: ScriptedServer) -> None:
    """Markets are live where nothing can be asked; entries that cannot be used are counted."""
    server.rpc["query.instrument.list"] = lambda _: [{"venue": 3}, *listing(BTC)]
    server.rpc["query.portfolio.get"] = lambda _: [1, 2]
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await live(server, feed)
        await feed.bootstrapped.wait()
        assert {"accounts", "portfolio of desk", "orders of desk"} <= feed.troubles.keys()
        assert "method" in feed.troubles["accounts"]
        assert list(feed.market.instruments) == [BTC]
        assert feed.market.health.connection.rejected["field of a wrong type"] == 1


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


async def test_an_account_channel_that_missed_messages_is_asked_for_again(server: ScriptedServer) -> None:
    """A gap in it makes the feed query the portfolio once more."""
    totals = iter(["1", "2"])
    server.rpc["query.portfolio.get"] = lambda _: {
        "tradingAccountId": "desk",
        "balances": [{"securitySymbol": "USDT", "total": next(totals)}],
    }
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await feed.bootstrapped.wait()
        await server.publish(DESK, {"data": {"tradingAccountId": "desk", "balances": []}}, skip=3)
        await eventually(
            lambda: any(str(b.total) == "2" for b in feed.market.account("desk").balances.values())
        )
        assert feed.market.health.channels[DESK].gaps == 1


async def test_an_account_event_of_another_account_is_not_taken(server: ScriptedServer) -> None:
    """A channel speaks of its own account alone."""
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await server.until(lambda: DESK in server.channels())
        await server.publish(DESK, {"data": {"tradingAccountId": "other", "balances": []}})
        await eventually(lambda: feed.market.health.channels[DESK].messages == 1)
        assert sum(feed.market.health.channels[DESK].rejected.values()) == 1
        assert "other" not in feed.market.accounts


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


async def test_a_second_run_is_refused(server: ScriptedServer) -> None:
    """A feed is run once."""
    async with feeding(server) as feed:
        await live(server, feed)
        with pytest.raises(RuntimeError):
            await feed.run()


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


async def test_a_channel_ended_with_code_0_is_not_taken_for_given_up(server: ScriptedServer) -> None:
    """The server ended it, and that is told."""
    async with feeding(server) as feed:
        await live(server, feed)
        end = {"code": 0, "reason": "delisted"}
        await server.send({"push": {"channel": TICKER, "unsubscribe": end}})
        facts = feed.market.health.channels[TICKER]
        await eventually(lambda: facts.state is ChannelState.FAILED)
        assert "delisted" in facts.reason
