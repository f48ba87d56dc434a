"""What is missing is marked and brought back, on every kind of channel, over a real socket."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from cadenza_tui.feed import channels, resync
from cadenza_tui.feed.books import UNPROVEN
from cadenza_tui.feed.subscriptions import ChannelOptions
from cadenza_tui.market.book import DeltaRule, DeltaRules
from cadenza_tui.market.health import ChannelState
from cadenza_tui.market.trust import TrustState, channel_trust
from tests.feed.feeding import (
    BOOK,
    BTC,
    DESK,
    TICKER,
    TRADE,
    bids,
    diff,
    feeding,
    live,
    snapshot,
)
from tests.feed.scripted import Refused, ScriptedServer, book
from tests.feed.waiting import eventually

BOOK_QUERY = "query.orderbook.get"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "SNAPSHOT_WITHIN_S", 0.05)
    monkeypatch.setattr(resync, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(resync, "SHORTEST_PAUSE_S", 0.01)


def trade(number: int) -> dict[str, Any]:
    """Return a print."""
    return {"tradeId": str(number), "price": "100", "quantity": "1", "side": "BUY", "timestamp": number + 1}


async def test_a_snapshot_older_than_the_stream_is_not_taken(server: ScriptedServer) -> None:
    """The server answers out of an old cache: the book stays marked, with the reason, until it does not."""
    answers = iter([snapshot(3, [["99", "9"]]), snapshot(3, [["99", "9"]]), snapshot(5, [["98", "1"]])])
    reasons: list[str] = []

    def answer(_: dict[str, Any]) -> Any:
        reasons.append(feed.market.health.channels[BOOK].reason)
        assert not feed.market.book(BTC).in_sync
        return next(answers)

    async with feeding(server) as feed:
        await live(server, feed)
        server.rpc[BOOK_QUERY] = answer
        await server.publish(BOOK, diff(4, [["97", "1"]]), skip=1)
        await eventually(lambda: feed.market.health.channels[BOOK].gaps == 1)
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"98": "1"}
        assert "older than the stream (by 1 ms): asked for again" in reasons[-1]
        await server.publish(BOOK, diff(6, [["96", "1"]]))
        await eventually(lambda: bids(feed) == {"98": "1", "96": "1"})


async def test_a_server_without_snapshots_is_not_asked_in_a_storm(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new subscription is an attempt, and attempts keep their pace."""
    monkeypatch.setattr(resync, "FIRST_PAUSE_S", 30.0)
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(4, [["97", "1"]]), skip=1)
        await server.until(lambda: len(server.subscribes(BOOK)) == 2)
        await server.publish(TRADE, trade(1))
        await eventually(lambda: len(feed.market.tape(BTC)) == 1)
        await server.publish(TRADE, trade(2))
        await eventually(lambda: len(feed.market.tape(BTC)) == 2)
        assert len(server.subscribes(BOOK)) == 2
        assert sum(method == BOOK_QUERY for method, _ in server.calls) == 1


async def test_a_second_gap_while_a_snapshot_is_awaited_is_not_lost(server: ScriptedServer) -> None:
    """What was held before it is of no use: the snapshot has to be newer than what came after it."""
    server.silent.add(BOOK_QUERY)
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(4, [["97", "1"]]), skip=1)
        await server.until(lambda: any(method == BOOK_QUERY for method, _ in server.calls))
        await server.publish(BOOK, diff(8, [["96", "1"]]), skip=2)
        await eventually(lambda: feed.market.health.channels[BOOK].gaps == 2)
        server.silent.clear()
        server.rpc[BOOK_QUERY] = lambda _: snapshot(9, [["95", "1"]])
        stale = snapshot(6, [["94", "1"]])
        await server.send({"id": server.asked(BOOK_QUERY), "rpc": {"data": {"data": stale}}})
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"95": "1"}
        assert feed.market.health.channels[BOOK].missing == 3


async def test_the_next_diff_makes_a_snapshot_of_the_same_time_worth_another_question(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for longer than that."""
    monkeypatch.setattr(resync, "FIRST_PAUSE_S", 30.0)
    latest = [4]
    server.rpc[BOOK_QUERY] = lambda _: snapshot(latest[0], [["98", str(latest[0])]])
    async with feeding(server) as feed:
        await live(server, feed)
        await server.publish(BOOK, diff(4, [["98", "4"]]), skip=1)
        await eventually(lambda: "own millisecond" in feed.market.health.channels[BOOK].reason)
        latest[0] = 5
        await server.publish(BOOK, diff(5, [["98", "5"]]))
        await eventually(lambda: feed.market.book(BTC).in_sync)
        assert bids(feed) == {"98": "5"}


async def test_a_fetched_book_is_proved_by_the_stream(server: ScriptedServer) -> None:
    """A first diff that is newer than the snapshot leaves a doubt, which a second snapshot ends."""
    answers = [snapshot(5, [["99", "1"]])]
    server.rpc[BOOK_QUERY] = lambda _: answers[-1]
    async with feeding(server) as feed:
        await eventually(lambda: feed.market.book(BTC).in_sync)
        answers.append(snapshot(9, [["98", "1"], ["97", "1"]]))
        await server.publish(BOOK, diff(8, [["97", "1"]]))
        await eventually(lambda: bids(feed) == {"98": "1", "97": "1"})
        assert feed.market.book(BTC).in_sync
        assert feed.market.health.channels[BOOK].gaps == 0
        assert UNPROVEN.startswith("the snapshot may be older")


async def test_missing_prints_mark_the_tape(server: ScriptedServer) -> None:
    """The hole stands between the prints around it; the channel goes on and counts."""
    async with feeding(server) as feed:
        await server.until(lambda: TRADE in server.channels())
        await server.publish(TRADE, trade(1))
        await server.publish(TRADE, trade(5), skip=3)
        await eventually(lambda: len(feed.market.tape(BTC)) == 2)
        assert feed.market.tape(BTC).kept_holes() == [(1, 3)]
        health = feed.market.health.channels[TRADE]
        assert (health.state, health.gaps, health.missing) == (ChannelState.LIVE, 1, 3)
        assert ("tape", BTC) in feed.market.dirty.take()


async def test_prints_that_could_not_be_recovered_mark_the_tape(server: ScriptedServer) -> None:
    """As many as the offsets tell; in another stream nobody knows. Where it stands as it stood, none is."""
    async with feeding(server) as feed:
        await server.until(lambda: TRADE in server.channels())
        await server.publish(TRADE, trade(1))
        await eventually(lambda: len(feed.market.tape(BTC)) == 1)
        await server.drop()
        await eventually(lambda: len(server.subscribes(TRADE)) == 2)
        await server.publish(TRADE, trade(2))
        await eventually(lambda: len(feed.market.tape(BTC)) == 2)
        assert feed.market.tape(BTC).kept_holes() == []
        server.on_subscribe[TRADE] = lambda _: {"was_recovering": True, "offset": 40}
        server.offsets[TRADE] = 40
        await server.drop()
        await eventually(lambda: bool(feed.market.tape(BTC).kept_holes()))
        assert feed.market.tape(BTC).kept_holes() == [(2, 38)]
        server.on_subscribe[TRADE] = lambda _: {"was_recovering": True, "offset": 90, "epoch": "e2"}
        await server.drop()
        await eventually(lambda: feed.market.health.channels[TRADE].epoch == "e2")
        assert feed.market.tape(BTC).kept_holes() == [(2, 0)]


async def test_a_ticker_that_missed_messages_is_fetched(server: ScriptedServer) -> None:
    """What it left out might be what was missed."""
    async with feeding(server) as feed:
        await feed.bootstrapped.wait()
        ticker = {"venue": "BINANCE", "symbol": "BTC/USDT", "lastPrice": "9", "timestamp": 4}
        server.rpc["query.ticker.list"] = lambda _: [ticker | {"bidPrice": "8", "timestamp": 6}]
        await server.publish(TICKER, ticker, skip=1)
        await eventually(lambda: str(getattr(feed.market.tickers.get(BTC), "bid_price", "")) == "8")
        await eventually(lambda: feed.market.health.channels[TICKER].state is ChannelState.LIVE)
        assert feed.market.health.channels[TICKER].missing == 1


async def test_an_account_that_missed_messages_is_not_in_sync_until_it_is_fetched(
    server: ScriptedServer,
) -> None:
    """Dimmed with the reason, whatever comes meanwhile; asked for again when that fails."""
    portfolio = "query.portfolio.get"
    orders = "query.trade_order.list"
    total = {"tradingAccountId": "desk", "balances": [{"securitySymbol": "USDT", "total": "1"}]}
    server.rpc[portfolio] = lambda _: total
    server.rpc[orders] = lambda _: []
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await feed.bootstrapped.wait()
        failures = iter([Refused(100, "busy"), None])
        gate = asyncio.Event()

        def answer(_: dict[str, Any]) -> Any:
            if (failure := next(failures)) is not None:
                raise failure
            gate.set()
            return total

        server.rpc[portfolio] = answer
        server.silent.add(orders)
        await server.publish(DESK, {"data": {"tradingAccountId": "desk", "balances": []}}, skip=2)
        await eventually(gate.is_set)
        trust = channel_trust(feed.market.health, DESK, feed.now())
        assert (trust.state, trust.dimmed) == (TrustState.RESYNCING, True)
        assert "gap: 2 messages are missing; not fetched: " in trust.reason
        server.silent.clear()
        await server.send({"id": server.asked(orders), "rpc": {"data": {"data": []}}})
        await eventually(lambda: feed.market.health.channels[DESK].state is ChannelState.LIVE)
        assert feed.market.health.channels[DESK].reason == ""


async def test_an_account_without_a_query_waits_for_a_whole_portfolio(server: ScriptedServer) -> None:
    """A part of one does not make it current."""
    server.rpc["query.trade_order.list"] = lambda _: []
    async with feeding(server, with_accounts=True, accounts=("desk",)) as feed:
        await feed.bootstrapped.wait()
        part = {"data": {"tradingAccountId": "desk", "updateMode": "DELTA", "balances": []}}
        await server.publish(DESK, part, skip=2)
        health = feed.market.health.channels[DESK]
        await eventually(lambda: health.state is ChannelState.AWAITING)
        await server.publish(DESK, part)
        await eventually(lambda: health.messages == 2)
        assert health.state is ChannelState.AWAITING
        whole = {"data": {"tradingAccountId": "desk", "updateMode": "SNAPSHOT", "balances": []}}
        await server.publish(DESK, whole)
        await eventually(lambda: health.state is ChannelState.LIVE)


async def test_a_delta_is_applied_as_the_venue_has_it(server: ScriptedServer) -> None:
    """The profile's rule reaches the book."""
    rules = DeltaRules(venues={"BINANCE": DeltaRule.ADD})
    async with feeding(server, delta_updates=rules) as feed:
        await live(server, feed)
        await server.publish(BOOK, book(BTC, "DELTA", 8, [["100", "-0.4"]], []))
        await eventually(lambda: bids(feed) == {"100": "0.6"})
        assert feed.market.book(BTC).in_sync


async def test_changes_alone_are_asked_for_where_the_profile_says_so(server: ScriptedServer) -> None:
    """And not otherwise."""
    async with feeding(server, channels=ChannelOptions(delta=True)) as feed:
        await server.until(lambda: bool(server.subscribes(BOOK)))
        assert server.subscribes(BOOK)[0]["delta"] == "fossil"
        assert feed.settings.channels.delta
    server.commands.clear()
    async with feeding(server):
        await server.until(lambda: bool(server.subscribes(BOOK)))
        assert "delta" not in server.subscribes(BOOK)[0]


async def test_streams_are_requested_once_for_each_book_and_a_refusal_is_told(server: ScriptedServer) -> None:
    """Only where the profile says so: it is a command."""
    method = "command.market.subscription.orderbook.subscribe"
    async with feeding(server, channels=ChannelOptions(request_streams=True)) as feed:
        await live(server, feed)
        await eventually(lambda: bool(feed.market.health.channels[BOOK].note))
        assert [params for name, params in server.calls if name == method] == [{"instrumentIds": [BTC]}]
        note = feed.market.health.channels[BOOK].note
        assert note.startswith("the platform was asked to stream it: ")
        server.rpc[method] = lambda _: []
        await server.drop()
        await eventually(lambda: not feed.market.health.channels[BOOK].note)
    server.calls.clear()
    server.commands.clear()
    async with feeding(server) as feed:
        await live(server, feed)
        await feed.bootstrapped.wait()
        assert not [name for name, _ in server.calls if name == method]


async def test_what_the_server_subscribes_us_to_is_shown_like_any_other(server: ScriptedServer) -> None:
    """A channel that tells what it is about is taken in, and let go with the subscription."""
    other = "market:trade:OKX:ETH/USDT"
    async with feeding(server) as feed:
        await server.until(lambda: bool(server.subscribes(BOOK)))
        sub = {"recoverable": True, "positioned": True, "epoch": "e1", "offset": 0}
        await server.send({"push": {"channel": other, "subscribe": sub}})
        await server.send({"push": {"channel": "chat:room", "subscribe": sub}})
        await server.publish(other, trade(1))
        await eventually(lambda: len(feed.market.tape("OKX:ETH/USDT")) == 1)
        feed.show(BTC)
        assert feed.market.health.channels[other].by_server
        assert "chat:room" not in feed.market.health.channels
        await server.send({"push": {"channel": other, "unsubscribe": {"code": 2000, "reason": "done"}}})
        await eventually(lambda: other not in feed.market.health.channels)


async def test_a_subscription_that_is_never_answered_says_so(server: ScriptedServer) -> None:
    """The link is made anew, and the list of losses has the reason."""
    from cadenza_tui.centrifugo.options import Options

    server.ignore.add(BOOK)
    options = Options(backoff_min=0.01, backoff_max=0.05, reply_timeout=0.2)
    async with feeding(server, options=options) as feed:
        await eventually(lambda: bool(feed.market.health.connection.drops))
        assert "answer" in feed.market.health.connection.drops[0].reason
        server.ignore.clear()
        server.rpc[BOOK_QUERY] = lambda _: snapshot(9, [["95", "1"]])
        await eventually(lambda: feed.market.book(BTC).in_sync)


async def test_a_query_that_is_never_answered_is_a_trouble(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that there was no answer in time."""
    from cadenza_tui.feed import worker

    monkeypatch.setattr(worker, "QUERY_TIMEOUT_S", 0.1)
    server.silent.add("query.instrument.list")
    async with feeding(server) as feed:
        await feed.bootstrapped.wait()
        assert "did not answer in time" in feed.market.health.troubles["instruments"]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_lag_is_right_whatever_the_servers_clock_says(server: ScriptedServer, hours: int) -> None:
    """The clocks' difference is measured at each connect, and taken out."""
    skew = [hours * 3_600_000]

    def server_ms() -> int:
        return int(time.time() * 1000) + skew[0]

    server.on_connect = lambda _: {"time": server_ms()}
    async with feeding(server) as feed:
        await live(server, feed)
        connection = feed.market.health.connection
        assert abs((connection.clock_offset_ms or 0) - skew[0]) < 5_000
        await server.publish(BOOK, diff(server_ms(), [["99", "1"]]))
        await eventually(lambda: "99" in bids(feed))
        assert abs(connection.lag_ms or 1e9) < 5_000
        skew[0] = 0
        await server.drop()
        await eventually(lambda: connection.clock_offset_ms == 0.0)
