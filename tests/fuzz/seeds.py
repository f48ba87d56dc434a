"""Where fuzzing starts from: the contract's own examples, and what the protocol was seen to carry."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import msgspec

from tests.fuzz.market import CHANNELS
from tests.support import fossil
from tests.wire.messages import (
    ACCOUNT,
    BALANCE,
    BOOK,
    DIFF,
    EXECUTION,
    KLINE,
    METADATA,
    ORDER,
    PORTFOLIO,
    POSITION,
    TICKER,
    TIME_MS,
    TIME_TEXT,
    TRADE,
    wire,
    without,
)

FOUND = Path(__file__).with_name("found")

BOOK_CHANNEL = CHANNELS[b"b"][0]
TICKER_CHANNEL = "market:ticker:BINANCE:BTC/USDT"

L3 = {**DIFF, "updateType": "SNAPSHOT", "orderBookType": "L3_COUNTED"} | {
    "columns": ["price", "quantity", "orderId"],
    "bids": [["50000.00", "1.5", "o-1"], ["50000.00", "2", "o-2"]],
    "asks": [["50001.00", "1.5", "o-3"]],
}
EXCHANGES = {**L3, "orderBookType": "L2_EXCHANGE", "columns": ["exchange", "price", "quantity"]} | {
    "bids": [["OKX", "50000.00", "1.5"]],
    "asks": [["OKX", "50001.00", "1.5"], ["DERIBIT", "50001.00", "3"]],
}
BOOKS = [
    BOOK,
    DIFF,
    {**DIFF, "updateType": "DELTA", "bids": [["50000.00", "-0.5"]]},
    L3,
    {**L3, "updateType": "DIFF", "bids": [["50000.00", "0", "o-1"]]},
    {**without(L3, "columns"), "orderBookType": "L3"} | {"bids": [["1.0", "2"], ["1.00", "3"]], "asks": []},
    EXCHANGES,
    {**DIFF, "updateType": "SNAPSHOT", "orderBookType": "VWAP", "bids": [["1", "2"], ["0.9", "4"]]},
    {**without(DIFF, "columns", "orderBookType"), "bids": [{"price": "1", "quantity": "2"}]},
    {**DIFF, "bids": [[50000.5, 1e-8]], "timestamp": TIME_TEXT},
]
TRADES = [
    TRADE,
    [TRADE, {**TRADE, "tradeId": 7, "takerSide": "buy"}],
    {
        "instrumentId": "BINANCE:BTC/USDT",
        "executedPrice": "1.5",
        "executedQuantity": 2,
        "orderSide": "SELL",
        "executedAt": TIME_TEXT,
        "externalTradeId": "x",
    },
    {"venue": "BINANCE", "symbol": "BTCUSDT", "lastPrice": "1", "size": "3", "timestamp": TIME_MS},
]
EVENTS = [
    {"metadata": {**METADATA, "eventType": "event.portfolio.updated"}, "data": PORTFOLIO},
    {"type": "orderUpdate", "order": ORDER},
    {
        "metadata": {**METADATA, "eventType": "orderStatusChanged"},
        "data": {"order": ORDER, "previousStatus": "ACCEPTED", "newStatus": "FILLED"},
    },
    {"metadata": {**METADATA, "eventType": "event.trading_account.updated"}, "data": ACCOUNT},
    {"data": {**without(PORTFOLIO, "summary"), "updateMode": "DELTA", "accountInfo": ACCOUNT}},
    {"data": [ORDER, {"positions": [without(POSITION, "positionId")]}]},
    {"order": {**ORDER, "executions": [without(EXECUTION, "executionId", "externalTradeId")]}},
]
LONGER_BALANCE = {**BALANCE, "total": "812004.13", "frozen": "1", "interestOwed": "0.02"}
LONGER_POSITION = {**POSITION, "initialMargin": "12367.5", "leverage": "5"}
LISTED_ORDER = {**ORDER, "tradeOrderId": "o-2", "parentOrderId": "o-1", "orderListId": "l-1"}
LISTS = [
    {"data": BOOK},
    {"data": [TICKER]},
    {"data": [KLINE]},
    {"data": [ACCOUNT], "pagination": {"total": 1, "limit": 500, "offset": 0}},
    {"data": PORTFOLIO},
    {"data": [PORTFOLIO]},
    {"data": [ORDER, LISTED_ORDER]},
    {"data": {**PORTFOLIO, "balances": [LONGER_BALANCE], "positions": [LONGER_POSITION]}},
    {"data": ["BINANCE", {"venue": "OKX"}]},
    {
        "data": [
            {
                "instrumentId": "BINANCE:BTC/USDT",
                "venue": "BINANCE",
                "symbol": "BTC/USDT",
                "instrumentType": "SPOT",
                "status": "ACTIVE",
                "baseAsset": "BTC",
                "quoteAsset": "USDT",
                "basePrecision": 8,
                "quotePrecision": 8,
                "lotSize": "0.00001000",
                "pipSize": "0.01000000",
                "minQuantity": "0.0001",
            }
        ]
    },
    {"error": {"code": 40401, "message": "there is no such instrument"}},
]

CONNECTED = {
    "id": 1,
    "connect": {"client": "c", "version": "6.9.1", "ping": 25, "pong": True, "expires": True, "ttl": 60},
}
SUBSCRIBED = {"recoverable": True, "positioned": True, "epoch": "e"}


def _push(channel: str, data: object, offset: int, **more: object) -> bytes:
    return wire({"push": {"channel": channel, "pub": {"data": data, "offset": offset, **more}}})


def _frames() -> list[bytes]:
    return [
        wire(CONNECTED),
        wire({"id": 3, "subscribe": {**SUBSCRIBED, "offset": 3, "recovered": True, "was_recovering": True}}),
        b"\n".join([_push(BOOK_CHANNEL, BOOK, 1), _push(BOOK_CHANNEL, DIFF, 2), b"{}"]),
        wire({"id": 4, "error": {"code": 109, "message": "token expired"}}),
        wire({"id": 5, "rpc": {"data": LISTS[0]}}),
        wire({"push": {"channel": BOOK_CHANNEL, "unsubscribe": {"code": 2502, "reason": "state"}}}),
        wire({"push": {"disconnect": {"code": 3001, "reason": "shutdown"}}}),
        wire({"push": {"channel": "x", "join": {"info": {"user": "u"}}}}),
        wire({"id": 6, "history": {"publications": [{"data": None, "offset": 1}], "offset": 1}}),
    ]


def _sessions() -> list[bytes]:
    """Of the commands the connect is 1, ticker and book are 2 and 3, the call is 4, the account is 5."""

    def subscribed(number: int, **more: object) -> bytes:
        return wire({"id": number, "subscribe": {**SUBSCRIBED, **more}})

    def told(**what: object) -> bytes:
        return wire({"push": what})

    ticker, book, private = subscribed(2), subscribed(3), subscribed(5, expires=True, ttl=20)
    began = [wire(CONNECTED), ticker, book, wire({"id": 4, "rpc": {"data": LISTS[7]}}), private]
    full, change = '{"v":1}', '7\n7:{"v":2}2qLFCY;'
    lives = [
        [*began, _push(BOOK_CHANNEL, BOOK, 1), _push(BOOK_CHANNEL, DIFF, 3), b"{}", b"+40", b"{}"],
        [
            *began,
            b"!1006",
            wire({**CONNECTED, "id": 6}),
            subscribed(7),
            subscribed(8, recovered=True),
            b"!3500",
        ],
        [*began, told(channel=BOOK_CHANNEL, unsubscribe={"code": 2502}), b"+5", subscribed(6), b"+30"],
        [
            wire(CONNECTED),
            subscribed(3, delta=True),
            _push(BOOK_CHANNEL, full, 1),
            _push(BOOK_CHANNEL, change, 2, delta=True),
            _push(BOOK_CHANNEL, "7\n", 3, delta=True),
            b"+1",
            wire({"id": 6, "unsubscribe": {}}),
            subscribed(7, delta=True, was_recovering=True, offset=9),
            _push(BOOK_CHANNEL, change, 10, delta=True),
            b"?",
        ],
        [
            *began,
            b"+20",
            wire({"id": 6, "sub_refresh": {"expires": True, "ttl": 20}}),
            b"{}",
            b"-20",
            b"{}",
            b"+20",
            wire({"id": 7, "sub_refresh": {}}),
            wire({"id": 8, "refresh": {"expires": True, "ttl": 1}}),
            b"{}",
            b"-10",
        ],
        [
            wire({"id": 1, "connect": {"subs": {"s": SUBSCRIBED}}}),
            _push("s", 1, 1),
            _push("s", 2, 9, epoch="f"),
        ],
        [*began, told(disconnect={"code": 3005}), wire({**CONNECTED, "id": 6}), b"+15"],
        [wire(CONNECTED), wire({"id": 3, "error": {"code": 100, "temporary": True}}), b"+1", subscribed(6)],
        [wire(CONNECTED), wire({"id": 3, "error": {"code": 103}}), wire({"id": 2, "error": {"code": 109}})],
    ]
    return [b"\x1e".join(life) for life in lives]


def _markets() -> list[bytes]:
    crossed = {**DIFF, "bids": [["50001.00", "1"]], "timestamp": TIME_MS + 1}
    return [
        b"\n".join([b"b" + wire(BOOKS[0]), *(b"b" + wire(each) for each in BOOKS)]),
        b"\n".join(
            [b"b" + wire({**DIFF, "updateType": "SNAPSHOT"}), b"b" + wire(crossed), b"b" + wire(BOOKS[2])]
        ),
        b"\n".join([b"b" + wire(DIFF), b"s" + wire(without(BOOKS[1], "updateType")), b"b" + wire(DIFF)]),
        b"\n".join([b"t" + wire(each) for each in TRADES] + [b"i" + wire(TICKER), b"k" + wire(KLINE)]),
        b"\n".join(b"a" + wire(each) for each in EVENTS),
        b"\n".join(
            [
                b"a" + wire(EVENTS[0]),
                b"o" + wire({"data": [ORDER]}),
                b"p" + wire({"data": PORTFOLIO}),
                b"q",
                b"a" + wire({"data": {**PORTFOLIO, "updateMode": "DELTA", "positions": []}}),
                b"p" + wire({"data": {**PORTFOLIO, "balances": [LONGER_BALANCE], "positions": []}}),
                b"o" + wire({"data": [LISTED_ORDER]}),
            ]
        ),
        b"\n".join([b"b" + wire(L3), b"b" + wire(BOOKS[4]), b"a" + wire(EVENTS[4]), b"a" + wire(EVENTS[0])]),
    ]


def _views() -> list[bytes]:
    """A market that moves for a few seconds, looked at now and then; and every kind of book and candle."""
    chance = random.Random(7)
    listed = LISTS[9]["data"][0]  # type: ignore[index]
    levels = range(1, 40)
    book = {**DIFF, "updateType": "SNAPSHOT"} | {
        "bids": [[f"{50_000 - 0.5 * step:.2f}", f"{chance.uniform(0.01, 9):.5f}"] for step in levels],
        "asks": [[f"{50_000 + 0.5 * step:.2f}", f"{chance.uniform(0.01, 9):.5f}"] for step in levels],
    }
    moving = [b"n" + wire(listed), b"b" + wire(book), b"k" + wire(KLINE), b"v1"]
    for second in range(1, 8):
        step = chance.randrange(1, 9)
        row = [f"{50_000 - 0.5 * step:.2f}", f"{chance.uniform(0, 5):.5f}"]
        change = {**DIFF, "bids": [row], "asks": [], "timestamp": TIME_MS + 1_000 * second}
        price = f"{50_000 + 0.5 * chance.randrange(-3, 4):.2f}"
        told = {"tradeId": second, "price": price, "timestamp": TIME_MS + 1_000 * second}
        moving += [b"b" + wire(change), b"t" + wire({**TRADE, **told}), b"+1"]
        moving += [b"v%d" % second] * (second % 3 == 0)
    still = b"\n".join(b"a" + wire(each) for each in EVENTS[:3])
    return [
        b"\n".join(moving),
        b"\n".join([*moving[:9], b"-", b"+5", b"v2", b"-", b"+30", b"b" + wire(book), b"+1", b"v3"]),
        *(
            b"\n".join([still, b"b" + wire(one | {"updateType": "SNAPSHOT"}), b"+2", b"v4", b"v5"])
            for one in BOOKS[2:9]
        ),
        *_markets()[3:],
    ]


def _recordings() -> list[bytes]:
    lines = b"".join(
        msgspec.json.encode({"t": TIME_MS * 10**6 + number, **msgspec.json.decode(line)}) + b"\n"
        for number, line in enumerate([_push(BOOK_CHANNEL, BOOK, 1), _push(BOOK_CHANNEL, DIFF, 2), b"{}"])
    )
    return [lines, lines[:-20], gzip.compress(lines, mtime=0), gzip.compress(lines, mtime=0)[:-9]]


CONFIGURATION = b"""\
default_profile = "desk"
theme = "midnight"

[profiles.desk]
url = "wss://cadenza.example/connection/websocket"
token_command = "pass show cadenza"
accounts = ["desk-1"]
instruments = ["BINANCE:BTC/USDT"]
channels = "openapi"

[profiles.own]
url = "ws://127.0.0.1:8000/connection/websocket"
token_file = "~/token"
[profiles.own.channels]
book = "market:orderBook:{instrumentId}"
"""

FOSSIL_BASE = (
    b'{"symbol":"BTC/USDT","venue":"BINANCE","bids":[[65000.1,1.5],[65000.0,2.25]],'
    b'"asks":[[65000.2,0.75],[65000.3,4.0]],"timestamp":1700000000000}'
)

SEEDS: dict[str, list[bytes]] = {
    "book": [wire(each) for each in BOOKS],
    "trade": [wire(each) for each in TRADES],
    "ticker": [wire(TICKER), wire({**TICKER, "lastPrice": None, "bidPrice": "", "askPrice": 1.5e3})],
    "venue_ticker": [wire(TICKER), wire(without(TICKER, "instrumentId"))],
    "kline": [wire(KLINE), wire({**KLINE, "candles": [["2024-08-08T23:54:14Z", 1, "2", "0.5", "1.5"]]})],
    "account": [wire(each) for each in EVENTS],
    "rpc": [wire(each) for each in LISTS],
    "channels": [
        b"market:orderBook:BINANCE:BTC/USDT",
        b"market:kline:BINANCE:BTC/USDT:PERP:1m",
        b"market:ticker:BINANCE",
        b"tradingAccount:desk-1",
        b"own.{venue}.{symbol}\x1eBINANCE:BTC/USDT",
        b"{instrumentId}{symbol}",
    ],
    "text": [
        b"BTC/USDT",
        b"\x1b[2J\x1b]0;title\x07red\x1b[31m",
        "\u202eevil\u200b Δ€𝄞\ud7ff".encode(),
        b"\x9b31m\x90dcs\x9c" + b"x" * 300,
    ],
    "frames": _frames(),
    "session": _sessions(),
    "delta": [
        FOSSIL_BASE + b"\x1e2E\nv@0,1:21F@v,4:250}uPbss;",
        FOSSIL_BASE + b"\x1e" + fossil.encode(FOSSIL_BASE, FOSSIL_BASE[:60] + FOSSIL_BASE[20:]),
        b'\x1e7\n7:{"v":2}2qLFCY;',
        b"\x1e0\n0;",
        "Δ€𝄞\x1e".encode() + fossil.encode("Δ€𝄞".encode(), "€Δ€𝄞€".encode()),
    ],
    "market": _markets(),
    "ingest": _markets(),
    "views": _views(),
    "config": [CONFIGURATION, b"theme = 1\n", b"[profiles.x]\n"],
    "recording": _recordings(),
}


def found(target: str) -> list[Path]:
    """Return the files of inputs that once were a fault."""
    return sorted(path for path in (FOUND / target).glob("*") if path.is_file())


def corpus(target: str) -> list[bytes]:
    """Return the seeds of a target, and what was found."""
    return [*SEEDS[target], *(path.read_bytes() for path in found(target))]
