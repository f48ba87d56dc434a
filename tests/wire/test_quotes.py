"""Tickers, candles and prints."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadenza_tui.market.records import Candle, Kline, Print, Side, Ticker
from cadenza_tui.wire import quotes
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.rejected import Rejected, RejectReason
from tests.wire.messages import (
    BTC,
    KLINE,
    KLINE_CHANNEL,
    TICKER,
    TICKER_CHANNEL,
    TIME_NS,
    TIME_TEXT,
    TRADE,
    TRADE_CHANNEL,
    Json,
    received,
    without,
)

PRINT = Print(BTC, Decimal("61837.63000000"), Decimal("0.02000000"), Side.SELL, TIME_NS, "3735683259")


def rejection(channel: ChannelName, message: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        received(channel, message)
    return caught.value


def test_a_ticker_is_read() -> None:
    """Every field of the contract's ticker is read exactly."""
    assert received(TICKER_CHANNEL, TICKER) == Ticker(
        BTC,
        TIME_NS,
        Decimal("61837.63"),
        Decimal("0.02"),
        Decimal("61837.63"),
        Decimal("3.78826"),
        Decimal("61837.64"),
        Decimal("1.54698"),
        Decimal("-1.24"),
    )


def test_a_ticker_may_leave_out_all_but_its_name_and_time() -> None:
    """What a venue leaves out is unknown, not zero."""
    ticker = received(TICKER_CHANNEL, {"venue": "BINANCE", "symbol": "BTC/USDT", "timestamp": TIME_TEXT})
    assert ticker == Ticker(BTC, TIME_NS)


def test_a_venues_channel_carries_the_tickers_of_its_instruments() -> None:
    """On a venue's channel the message says which instrument it is about, and it must be the venue's."""
    channel = ChannelName(Kind.VENUE_TICKER, venue="BINANCE")
    assert received(channel, TICKER).instrument_id == BTC
    assert received(channel, without(TICKER, "instrumentId")).instrument_id == BTC
    other = {**TICKER, "instrumentId": "OKX:BTC/USDT"}
    assert rejection(channel, other).reason is RejectReason.OTHER_INSTRUMENT
    assert rejection(channel, {"timestamp": 1}).reason is RejectReason.MISSING


@pytest.mark.parametrize("field", ["lastQuantity", "bidQuantity", "askQuantity"])
def test_a_negative_quantity_of_a_ticker_is_rejected(field: str) -> None:
    """No quantity is below zero."""
    assert rejection(TICKER_CHANNEL, {**TICKER, field: "-1"}).reason is RejectReason.NEGATIVE


def test_candles_are_read_in_ascending_order() -> None:
    """Candles have exact prices, a volume where the venue has one, and the order of their times."""
    message = {**KLINE, "candles": KLINE["candles"][::-1]}
    assert received(KLINE_CHANNEL, message) == Kline(
        BTC,
        "1m",
        (
            Candle(
                TIME_NS - 60 * 10**9,
                Decimal("1.0"),
                Decimal("2.0"),
                Decimal("0.5"),
                Decimal("1.5"),
                Decimal("100.25"),
            ),
            Candle(TIME_NS, Decimal("1.5"), Decimal("1.6"), Decimal("1.4"), Decimal("1.55"), None),
        ),
        False,
        TIME_NS,
    )


@pytest.mark.parametrize(
    ("candle", "reason"),
    [
        ([1, "1", "1", "1"], RejectReason.ROW_LENGTH),
        ([1, "1", "1", "1", "1", "1", "1"], RejectReason.ROW_LENGTH),
        ([1, "1", "1", "1", None, "1"], RejectReason.MISSING),
        ([1, "1", "1", "1", "x", "1"], RejectReason.DECIMAL),
        ([1, "1", "1", "1", "1", "-1"], RejectReason.NEGATIVE),
        (["never", "1", "1", "1", "1", "1"], RejectReason.TIME),
        ([[], "1", "1", "1", "1", "1"], RejectReason.SHAPE),
    ],
)
def test_a_candle_that_cannot_be_used_is_rejected(candle: list[object], reason: RejectReason) -> None:
    """A wrong candle is named by what is wrong with it."""
    assert rejection(KLINE_CHANNEL, {**KLINE, "candles": [candle]}).reason is reason


def test_a_print_is_read() -> None:
    """The default names of a trade are read; the side is the aggressor's."""
    assert received(TRADE_CHANNEL, TRADE) == (PRINT,)


BARE = without(TRADE, "price", "quantity", "side", "timestamp", "tradeId")


@pytest.mark.parametrize(
    "names",
    [
        {
            "lastPrice": "price",
            "lastQuantity": "quantity",
            "takerSide": "side",
            "timestamp": "timestamp",
            "tradeId": "tradeId",
        },
        {
            "executedPrice": "price",
            "executedQuantity": "quantity",
            "orderSide": "side",
            "executedAt": "timestamp",
            "externalTradeId": "tradeId",
        },
        {
            "price": "price",
            "size": "quantity",
            "side": "side",
            "timestamp": "timestamp",
            "executionId": "tradeId",
        },
        {
            "price": "price",
            "amount": "quantity",
            "side": "side",
            "timestamp": "timestamp",
            "tradeId": "tradeId",
        },
    ],
)
def test_the_other_names_of_a_trade_are_read(names: Json) -> None:
    """What the contract's other shapes call the parts of a trade is understood."""
    message = {**BARE, **{theirs: TRADE[ours] for theirs, ours in names.items()}}
    assert received(TRADE_CHANNEL, message) == (PRINT,)


@pytest.mark.parametrize(
    ("side", "aggressor"),
    [("BUY", Side.BUY), ("sell", Side.SELL), ("Buy", Side.BUY), ("UNKNOWN", None), (None, None), ("", None)],
)
def test_a_side_in_any_case_or_none(side: str | None, aggressor: Side | None) -> None:
    """Lower case is understood; a side that is missing or unknown is not guessed."""
    assert received(TRADE_CHANNEL, {**TRADE, "side": side})[0].aggressor is aggressor
    assert received(TRADE_CHANNEL, without(TRADE, "side"))[0].aggressor is None


def test_a_publication_may_carry_a_list_of_trades() -> None:
    """A list is read in its order; an empty one is nothing."""
    prints = received(TRADE_CHANNEL, [TRADE, {**TRADE, "tradeId": 7}])
    assert [each.trade_id for each in prints] == ["3735683259", "7"]
    assert received(TRADE_CHANNEL, []) == ()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (without(TRADE, "price"), RejectReason.MISSING),
        (without(TRADE, "quantity"), RejectReason.MISSING),
        (without(TRADE, "timestamp"), RejectReason.MISSING),
        ({**TRADE, "quantity": "-1"}, RejectReason.NEGATIVE),
        ({**TRADE, "price": "free"}, RejectReason.DECIMAL),
        ({**TRADE, "price": ""}, RejectReason.MISSING),
        ({**TRADE, "instrumentId": "OKX:BTC/USDT"}, RejectReason.OTHER_INSTRUMENT),
        ({**TRADE, "side": 1}, RejectReason.SHAPE),
        ("trade", RejectReason.SHAPE),
        ([TRADE, 7], RejectReason.SHAPE),
    ],
)
def test_a_trade_that_cannot_be_used_is_rejected(message: object, reason: RejectReason) -> None:
    """A wrong trade is named by what is wrong with it."""
    assert rejection(TRADE_CHANNEL, message).reason is reason


def test_lists_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publication of very many trades or candles is refused."""
    monkeypatch.setattr(quotes, "MAXIMUM_PRINTS", 2)
    monkeypatch.setattr(quotes, "MAXIMUM_CANDLES", 1)
    assert rejection(TRADE_CHANNEL, [TRADE] * 3).reason is RejectReason.TOO_LARGE
    assert rejection(KLINE_CHANNEL, KLINE).reason is RejectReason.TOO_LARGE
