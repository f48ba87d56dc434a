"""The RPC queries."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.queries import UnknownMethod, answer

from .invariants import NaiveBook, decoded

START = 1_723_161_254_000_000_000
SECOND = 10**9


@pytest.fixture(scope="module")
def one() -> Exchange:
    """An exchange two minutes old."""
    made = Exchange(5, start_ns=START, rate=40.0)
    made.advance(START + 120 * SECOND, lambda _: False)
    return made


def ask(exchange: Exchange, method: str, user: str = "demo", **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(answer(exchange, user, method, json.dumps(params).encode()))
    return result


def test_instruments_say_their_steps_and_assets(one: Exchange) -> None:
    """Tick and lot are exact, a perpetual is called one, and there are a dozen over several venues."""
    rows = {row["instrumentId"]: row for row in ask(one, "query.instrument.list")["data"]}
    assert len(rows) == 14
    assert len({row["venue"] for row in rows.values()}) >= 3
    pepe = rows["OKX:PEPE/USDT"]
    assert (pepe["pipSize"], pepe["lotSize"], pepe["baseAsset"]) == ("0.00000001", "1000", "PEPE")
    assert rows["DERIBIT:BTC-PERP/USDC"]["pipSize"] == "0.5"
    assert rows["DERIBIT:BTC-PERP/USDC"]["instrumentType"] == "PERPETUAL"


def test_instruments_are_filtered_and_paged(one: Exchange) -> None:
    """Venue, symbols, type, limit and offset narrow the list; the pagination says how many there are."""
    answered = ask(one, "query.instrument.list", venue="BINANCE", limit=2, offset=1)
    assert [row["symbol"] for row in answered["data"]] == ["ETH/USDT", "BTC-PERP/USDT"]
    assert answered["pagination"] == {"total": 5, "limit": 2, "offset": 1, "page": 1, "pageSize": 2}
    assert len(ask(one, "query.instrument.list", symbols=["BTC/USDT"])["data"]) == 3
    assert len(ask(one, "query.instrument.list", securityType="PERPETUAL")["data"]) == 2


def test_a_book_query_has_the_depth_asked_for(one: Exchange) -> None:
    """Ten levels by default, best first, as a SNAPSHOT with an RFC 3339 time."""
    book = ask(one, "query.orderbook.get", instrumentId="BINANCE:BTC/USDT")["data"]
    assert (book["updateType"], len(book["bids"]), len(book["asks"])) == ("SNAPSHOT", 10, 10)
    assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])
    assert book["timestamp"].startswith("2024-08-08T23:56:1")
    deep = ask(one, "query.orderbook.get", instrumentId="BINANCE:BTC/USDT", depth=500)["data"]
    assert deep["bids"][:10] == book["bids"]
    assert len(deep["bids"]) > 100


def test_a_book_query_in_the_midst_of_a_stream_is_never_newer_than_the_next_diff() -> None:
    """A client that takes the answer, then every later diff, has the exchange's book."""
    made = Exchange(5, start_ns=START, rate=400.0, instruments=2)
    made.book_snapshot("BINANCE:BTC/USDT")
    for step in range(1, 30):
        made.advance(START + step * 77_000_000)
        book = ask(made, "query.orderbook.get", instrumentId="BINANCE:BTC/USDT", depth=10_000)["data"]
        naive = NaiveBook(made.instruments[0])
        naive.apply(book)
        stamp = made.markets["BINANCE:BTC/USDT"].book_ms
        later = made.advance(START + step * 77_000_000 + 30_000_000)
        for message in decoded(later, "market:orderBook:BINANCE:BTC/USDT"):
            assert message["timestamp"] > stamp
            naive.apply(message)
        naive.apply(json.loads(made.book_snapshot("BINANCE:BTC/USDT").data) | {"updateType": "DIFF"})
        assert naive.rows() == made.markets["BINANCE:BTC/USDT"].text.whole()


def test_tickers_are_filtered(one: Exchange) -> None:
    """By ids, by venue, or all of them."""
    assert len(ask(one, "query.ticker.list")["data"]) == 14
    rows = ask(one, "query.ticker.list", instrumentIds=["OKX:BTC/USDT"])["data"]
    assert rows[0]["bidPrice"] == one.markets["OKX:BTC/USDT"].instrument.price_text(
        one.markets["OKX:BTC/USDT"].book.bid_prices[-1]
    )


def test_klines_reach_back_a_day(one: Exchange) -> None:
    """Hours are summed from the past and the prints; the running one is not closed."""
    (row,) = ask(one, "query.kline.list", instrumentIds=["BINANCE:BTC/USDT"], interval="1h")["data"]
    assert len(row["candles"]) == 25
    assert not row["isClosed"]
    assert all(later[0] - earlier[0] == 3_600_000 for earlier, later in pairwise(row["candles"]))


def test_accounts_are_the_users_own(one: Exchange) -> None:
    """Another user sees none, and cannot ask for one by name."""
    rows = ask(one, "query.trading_account.list")["data"]
    assert [(row["tradingAccountId"], row["venue"], row["accountType"]) for row in rows] == [
        ("desk-1", "BINANCE", "MARGIN"),
        ("desk-2", "OKX", "SPOT"),
        ("desk-3", "BITFINEX", "SPOT"),
    ]
    assert ask(one, "query.trading_account.list", user="eve")["data"] == []
    assert ask(one, "query.portfolio.get", user="eve", tradingAccountId="desk-1")["error"]["code"] == 404


def test_a_portfolio_is_whole(one: Exchange) -> None:
    """It is a SNAPSHOT with the account, its balances, positions and summary."""
    row = ask(one, "query.portfolio.get", tradingAccountId="desk-1")["data"]
    assert (row["updateMode"], row["accountInfo"]["nickname"]) == ("SNAPSHOT", "Market making")
    for balance in row["balances"]:
        parts = [Decimal(balance[part]) for part in ("free", "locked", "frozen")]
        assert sum(parts) == Decimal(balance["total"])
        assert Decimal(balance["total"]) - Decimal(balance["borrowed"]) == Decimal(balance["net"])
    assert ask(one, "query.portfolio.list")["data"][0] == row


def test_orders_are_filtered_paged_and_newest_first(one: Exchange) -> None:
    """Account, instrument, status and times narrow the list; pages follow one another."""
    everything = ask(one, "query.trade_order.list", pagination={"limit": 1_000})["data"]
    created = [row["createdAt"] for row in everything]
    assert created == sorted(created, reverse=True)
    mine = ask(one, "query.trade_order.list", tradingAccountId="desk-2", status="FILLED")["data"]
    assert mine
    assert {(row["tradingAccountId"], row["status"]) for row in mine} == {("desk-2", "FILLED")}
    first = ask(one, "query.trade_order.list", pagination={"page": 1, "pageSize": 4})
    second = ask(one, "query.trade_order.list", pagination={"page": 2, "pageSize": 4})
    assert first["data"] + second["data"] == everything[:8]
    assert second["pagination"]["total"] == len(everything)
    after = ask(one, "query.trade_order.list", startTime=START // 10**6 + 60_000)["data"]
    before = ask(one, "query.trade_order.list", endTime="2024-08-08T23:55:14Z")["data"]
    assert len(after) + len(before) == len(everything)


def test_the_subscribe_commands_answer_with_a_subscription(one: Exchange) -> None:
    """For a book and for an account."""
    (book,) = ask(one, "command.market.subscription.orderbook.subscribe", instrumentIds=["OKX:BTC/USDT"])[
        "data"
    ]
    assert (book["instrumentId"], book["status"]) == ("OKX:BTC/USDT", "ACTIVE")
    account = ask(one, "command.trading_account.subscribe", tradingAccount="desk-1")["data"]
    assert account["subscriptionType"] == "TRADING_ACCOUNT.SUBSCRIPTION.USER_DATA"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("query.orderbook.get", {}, 404),
        ("query.orderbook.get", {"instrumentId": "NO:PE"}, 404),
        ("query.orderbook.get", {"instrumentId": "BINANCE:BTC/USDT", "depth": 0}, 400),
        ("query.ticker.list", {"instrumentIds": ["NO:PE"]}, 404),
        ("query.kline.list", {"interval": "7m"}, 400),
        ("query.portfolio.get", {}, 400),
        ("query.trade_order.list", {"startTime": "yesterday"}, 400),
        ("query.trade_order.list", {"pagination": {"limit": 0}}, 400),
        ("command.trading_account.subscribe", {"tradingAccount": "desk-9"}, 404),
    ],
)
def test_what_cannot_be_answered_is_an_error_in_the_envelope(
    one: Exchange, method: str, params: dict[str, Any], code: int
) -> None:
    """The platform's own error, without data."""
    answered = ask(one, method, **params)
    assert answered["error"]["code"] == code
    assert "data" not in answered


def test_an_unknown_method_and_a_wrong_type_are_refused(one: Exchange) -> None:
    """These two the server answers for itself."""
    with pytest.raises(UnknownMethod):
        answer(one, "demo", "query.nothing", b"{}")
    for data in (b"[]", b'{"depth":"ten"}', b"{"):
        with pytest.raises(msgspec.MsgspecError):
            answer(one, "demo", "query.orderbook.get", data)
