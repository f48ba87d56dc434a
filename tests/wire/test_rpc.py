"""Queries and their answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cadenza_tui.market.records import Instrument, UpdateType
from cadenza_tui.wire import rpc
from cadenza_tui.wire.rejected import Rejected, RejectReason
from cadenza_tui.wire.rpc import Pagination, RpcFailed
from tests.wire.messages import (
    ACCOUNT,
    BOOK,
    BTC,
    KLINE,
    NAMED,
    ORDER,
    PORTFOLIO,
    TICKER,
    TIME_NS,
    TIME_TEXT,
    Json,
    wire,
    without,
)

INSTRUMENT: Json = {
    **NAMED,
    "instrumentType": "SPOT",
    "status": "ACTIVE",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "basePrecision": 8,
    "quotePrecision": 8,
    "lotSize": "0.00001000",
    "pipSize": "0.01000000",
    "minQuantity": "0.00001",
}


def answer(data: object, **more: object) -> bytes:
    return wire({"data": data, **more})


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (rpc.instrument_list(), ("query.instrument.list", {})),
        (
            rpc.instrument_list(venue="OKX", symbols=("BTC/USDT",), status="ACTIVE", limit=5, offset=10),
            (
                "query.instrument.list",
                {
                    "venue": "OKX",
                    "symbols": ["BTC/USDT"],
                    "instrumentStatus": "ACTIVE",
                    "limit": 5,
                    "offset": 10,
                },
            ),
        ),
        (rpc.venue_list(), ("query.venue.list", {})),
        (rpc.orderbook_get(BTC), ("query.orderbook.get", {"instrumentId": BTC, "depth": 10})),
        (rpc.ticker_list([BTC]), ("query.ticker.list", {"instrumentIds": [BTC]})),
        (rpc.kline_list("1m", venue="OKX"), ("query.kline.list", {"venue": "OKX", "interval": "1m"})),
        (
            rpc.trading_account_list(account_id="a", limit=2),
            ("query.trading_account.list", {"tradingAccountId": "a", "pagination": {"limit": 2}}),
        ),
        (rpc.portfolio_get("a"), ("query.portfolio.get", {"tradingAccountId": "a"})),
        (rpc.portfolio_list(), ("query.portfolio.list", {})),
        (
            rpc.trade_order_list("a", status="ACCEPTED", start_time=1),
            ("query.trade_order.list", {"tradingAccountId": "a", "status": "ACCEPTED", "startTime": 1}),
        ),
        (
            rpc.subscribe_orderbook([BTC]),
            ("command.market.subscription.orderbook.subscribe", {"instrumentIds": [BTC]}),
        ),
        (
            rpc.subscribe_trading_account("a"),
            (
                "command.trading_account.subscribe",
                {"tradingAccount": "a", "subscriptionType": "TRADING_ACCOUNT.SUBSCRIPTION.USER_DATA"},
            ),
        ),
    ],
)
def test_a_request_has_the_contracts_method_and_parameters(request_: Any, expected: Any) -> None:
    """What is not asked for is left out."""
    assert request_ == expected


def test_an_instrument_is_read() -> None:
    """Steps lose their trailing zeros, and the decimals come from them."""
    assert rpc.decode_instruments(answer([INSTRUMENT])) == [
        Instrument(
            BTC,
            "BINANCE",
            "BTC/USDT",
            "SPOT",
            "ACTIVE",
            "BTC",
            "USDT",
            Decimal("0.01"),
            Decimal("0.00001"),
            2,
            5,
        )
    ]


@pytest.mark.parametrize(
    ("change", "tick", "decimals"),
    [
        ({"pipSize": "0.50"}, "0.5", 1),
        ({"pipSize": "5"}, "5", 0),
        ({"pipSize": "100"}, "100", 0),
        ({"pipSize": "10.00"}, "10", 0),
        ({"pipSize": 0.25}, "0.25", 2),
        ({"pipSize": "0", "quotePrecision": 3}, "None", 3),
        ({"pipSize": None, "quotePrecision": 4}, "None", 4),
        ({"pipSize": None, "quotePrecision": None}, "None", None),
        ({"pipSize": None, "quotePrecision": 99}, "None", None),
    ],
)
def test_price_decimals_come_from_the_tick_else_from_the_precision(
    change: Json, tick: str, decimals: int | None
) -> None:
    """The contract's order: ``pipSize``, else ``quotePrecision``, else unknown."""
    (instrument,) = rpc.decode_instruments(answer([{**INSTRUMENT, **change}]))
    assert (str(instrument.tick), instrument.price_decimals) == (tick, decimals)


def test_an_instrument_says_its_assets_by_its_id_where_it_must() -> None:
    """Venue, symbol, base and quote are read out of the id where they are left out."""
    (instrument,) = rpc.decode_instruments(answer([{"instrumentId": BTC}]))
    assert (instrument.venue, instrument.symbol) == ("BINANCE", "BTC/USDT")
    assert (instrument.base, instrument.quote) == ("BTC", "USDT")
    (instrument,) = rpc.decode_instruments(answer([{"venue": "OKX", "symbol": "A/B"}]))
    assert instrument.instrument_id == "OKX:A/B"


def test_a_book_is_a_snapshot_even_where_it_does_not_say() -> None:
    """The legacy shape of the query has objects, a sequence number and no update type."""
    legacy = {
        **without(BOOK, "updateType", "columns", "orderBookType"),
        "bids": [{"price": "1.0", "quantity": "2"}],
        "asks": None,
        "sequenceNumber": 7,
        "timestamp": TIME_TEXT,
    }
    update = rpc.decode_book(answer(legacy), BTC)
    assert update.update_type is UpdateType.SNAPSHOT
    assert (update.bids, update.asks, update.timestamp) == ([("1.0", "2")], [], TIME_NS)
    assert rpc.decode_book(answer(BOOK)).instrument_id == BTC


def test_a_book_of_another_instrument_is_refused() -> None:
    """An answer about something else than was asked for is not used."""
    with pytest.raises(Rejected) as caught:
        rpc.decode_book(answer(BOOK), "OKX:BTC/USDT")
    assert caught.value.reason is RejectReason.OTHER_INSTRUMENT


def test_lists_of_every_kind_are_read() -> None:
    """Tickers, klines, accounts, portfolios, orders and venues come as lists; null is an empty one."""
    assert [each.instrument_id for each in rpc.decode_tickers(answer([TICKER]))] == [BTC]
    assert [each.interval for each in rpc.decode_klines(answer([KLINE]))] == ["1m"]
    assert [each.nickname for each in rpc.decode_accounts(answer([ACCOUNT]))] == ["Desk one"]
    assert [each.account_id for each in rpc.decode_portfolios(answer([PORTFOLIO]))] == ["desk-1"]
    assert [each.order_id for each in rpc.decode_orders(answer([ORDER]))] == ["o-1"]
    assert rpc.decode_venues(answer([{"venue": "OKX", "status": "ACTIVE"}, "IBKR"])) == ["OKX", "IBKR"]
    assert rpc.decode_orders(answer(None)) == []
    assert rpc.decode_portfolio(answer(without(PORTFOLIO, "tradingAccountId")), "x").account_id == "x"


def test_one_bad_entry_does_not_cost_the_list() -> None:
    """With someone to count them, entries that cannot be used are left out; without, the first raises."""
    faults: list[Rejected] = []
    data = answer([ORDER, {**ORDER, "quantity": "x"}, 7, {**ORDER, "tradeOrderId": "o-2"}])
    assert [order.order_id for order in rpc.decode_orders(data, faults.append)] == ["o-1", "o-2"]
    assert [fault.reason for fault in faults] == [RejectReason.DECIMAL, RejectReason.SHAPE]
    with pytest.raises(Rejected):
        rpc.decode_orders(data)


def test_the_platforms_error_is_raised_with_its_code() -> None:
    """An answer with an error is a failure a person can read, made harmless."""
    raw = answer(None, error={"code": 404, "message": "instrument \x1b[31mX not found"})
    with pytest.raises(RpcFailed) as caught:
        rpc.decode_instruments(raw)
    assert (caught.value.code, caught.value.message) == (404, "instrument X not found")
    assert str(caught.value) == "the platform answered 404: instrument X not found"
    with pytest.raises(RpcFailed, match=r"answered 7$"):
        rpc.confirm(wire({"error": {"code": "7"}}))
    with pytest.raises(RpcFailed, match=r"answered 0$"):
        rpc.confirm(wire({"error": {"code": "E_X", "message": None}}))
    rpc.confirm(answer({"status": "ACTIVE"}, error=None))


def test_the_pagination_is_read() -> None:
    """Which part of the list this is, as far as the answer says."""
    page = {"total": 12, "limit": 10, "offset": 0, "page": 1, "pageSize": 10}
    assert rpc.decode_pagination(answer([], pagination=page)) == Pagination(12, 10, 0, 1, 10)
    assert rpc.decode_pagination(answer([])) is None


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"data":{}}', b'{"data":[{}]}', b'{"error":1}'])
def test_an_answer_that_cannot_be_used_is_rejected(raw: bytes) -> None:
    """Whatever an answer is, it is a list of instruments or a rejection."""
    with pytest.raises(Rejected):
        rpc.decode_instruments(raw)


def test_a_list_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of very many entries is refused."""
    monkeypatch.setattr(rpc, "MAXIMUM_LISTED", 1)
    with pytest.raises(Rejected) as caught:
        rpc.decode_venues(answer(["A", "B"]))
    assert caught.value.reason is RejectReason.TOO_LARGE
