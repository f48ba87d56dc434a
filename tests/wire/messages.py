"""Messages as the contract writes them."""

from __future__ import annotations

from typing import Any

import msgspec

from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.decode import decode

Json = dict[str, Any]

BTC = "BINANCE:BTC/USDT"
BOOK_CHANNEL = ChannelName(Kind.BOOK, BTC)
TRADE_CHANNEL = ChannelName(Kind.TRADE, BTC)
TICKER_CHANNEL = ChannelName(Kind.TICKER, BTC)
KLINE_CHANNEL = ChannelName(Kind.KLINE, BTC, interval="1m")
ACCOUNT_CHANNEL = ChannelName(Kind.ACCOUNT, account_id="desk-1")

TIME_MS = 1723161254206
TIME_NS = TIME_MS * 1_000_000
TIME_TEXT = "2024-08-08T23:54:14.206Z"

NAMED = {"venue": "BINANCE", "symbol": "BTC/USDT", "instrumentId": BTC}

BOOK: Json = {
    "updateType": "SNAPSHOT",
    **NAMED,
    "orderBookType": "L2_COUNTED",
    "columns": ["price", "quantity", "orderCount"],
    "bids": [["50000.00", "1.5", "3"], ["49999.50", "0.25", "1"]],
    "asks": [["50000.50", "2", "4"]],
    "timestamp": TIME_MS,
}
DIFF: Json = {
    "updateType": "DIFF",
    **NAMED,
    "orderBookType": "L2",
    "columns": ["price", "quantity"],
    "bids": [["50000.00", "0.00000000"], ["49999.50", "0.25"]],
    "asks": [],
    "timestamp": TIME_MS,
}
TRADE: Json = {
    **NAMED,
    "tradeId": "3735683259",
    "price": "61837.63000000",
    "quantity": "0.02000000",
    "side": "SELL",
    "timestamp": TIME_MS,
}
TICKER: Json = {
    **NAMED,
    "lastPrice": "61837.63",
    "lastQuantity": "0.02",
    "bidPrice": "61837.63",
    "bidQuantity": "3.78826",
    "askPrice": "61837.64",
    "askQuantity": "1.54698",
    "priceChangePercent": "-1.24",
    "timestamp": TIME_MS,
}
KLINE: Json = {
    **NAMED,
    "interval": "1m",
    "candles": [
        [TIME_MS - 60_000, "1.0", "2.0", "0.5", "1.5", "100.25"],
        [TIME_MS, "1.5", "1.6", "1.4", "1.55", None],
    ],
    "isClosed": False,
    "timestamp": TIME_MS,
}
BALANCE: Json = {
    "securitySymbol": "USDT",
    "securityType": "CURRENCY",
    "status": "ACTIVE",
    "free": "790004.1200",
    "locked": "22000.0000",
    "borrowed": "0.0000",
    "total": "812004.1200",
    "net": "812004.1200",
    "updatedAt": TIME_MS,
}
POSITION: Json = {
    "positionId": "p-1",
    "securitySymbol": "BTC",
    "instrumentId": "BINANCE:BTC/USDT:PERP",
    "securityType": "PERPETUAL",
    "status": "OPEN",
    "positionSide": "LONG",
    "quantity": "0.500",
    "entryPrice": "61000.0",
    "currentPrice": "61837.5",
    "unrealizedPnl": "418.75",
    "realizedPnl": "-12.5",
    "createdAt": TIME_MS - 1_000,
    "updatedAt": TIME_MS,
}
SUMMARY: Json = {
    "currency": "USDT",
    "leverage": "3",
    "equity": "1284113.20",
    "margin": "100",
    "marginLoan": "0",
    "marginUsage": "0.1",
    "marginRequirement": "50",
    "marginLevel": "12.5",
    "credit": "0",
    "riskExposure": "30918.75",
    "maxRiskExposure": "3852339.6",
    "riskExposureRate": "0.008",
}
PORTFOLIO: Json = {
    "tradingAccountId": "desk-1",
    "venue": "BINANCE",
    "balances": [BALANCE],
    "positions": [POSITION],
    "summary": SUMMARY,
    "updatedAt": TIME_MS,
}
EXECUTION: Json = {
    "executionId": "e-1",
    "externalTradeId": "3735683259",
    "venue": "BINANCE",
    "instrumentId": BTC,
    "orderSide": "BUY",
    "executedQuantity": "0.2",
    "executedPrice": "61837.62",
    "executedCost": "12367.524",
    "fees": [{"asset": "USDT", "quantity": "6.18"}],
    "executedAt": TIME_MS,
}
ORDER: Json = {
    "tradeOrderId": "o-1",
    "clientOrderId": "c-1",
    "externalOrderId": "x-1",
    "tradingAccountId": "desk-1",
    "venue": "BINANCE",
    "instrumentId": BTC,
    "orderSide": "BUY",
    "orderType": "LIMIT",
    "timeInForce": "GTC",
    "status": "PARTIALLY_FILLED",
    "limitPrice": "61837.62",
    "quantity": "0.5",
    "executedPrice": "61837.62",
    "executedQuantity": "0.2",
    "executedCost": "12367.524",
    "fees": [{"asset": "USDT", "quantity": "6.18"}],
    "executions": [EXECUTION],
    "createdAt": TIME_MS - 1_000,
    "updatedAt": TIME_MS,
}
ACCOUNT: Json = {
    "tradingAccountId": "desk-1",
    "nickname": "Desk one",
    "venue": "BINANCE",
    "accountType": "MARGIN",
    "status": "ACTIVE",
    "marginMode": "CROSS",
    "positionMode": "ONE_WAY",
    "externalTradingAccountId": "ext-1",
}
METADATA: Json = {
    "eventId": "evt-1",
    "timestamp": TIME_MS,
    "sender": "cadenza",
    "receiver": "tradingAccount:desk-1",
    "traceId": "t-1",
}


def wire(message: object) -> bytes:
    return msgspec.json.encode(message)


def received(channel: ChannelName, message: object) -> Any:
    return decode(channel.kind, wire(message), channel)


def without(message: Json, *names: str) -> Json:
    return {key: value for key, value in message.items() if key not in names}
