"""A real market, decoded and applied, against the plainest replay of the same file."""

from __future__ import annotations

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cadenza_tui.market.book import Applied
from cadenza_tui.market.records import BookUpdate
from cadenza_tui.market.state import Market
from cadenza_tui.wire.channels import parse
from cadenza_tui.wire.decode import decode

NAME = "btcusdt-spot.ndjson.gz"
BTC = "BINANCE:BTC/USDT"

Levels = dict[Decimal, tuple[str, str]]


def recording() -> Path:
    """Return the recording, from ``CADENZA_RECORDING`` or beside the checkout, or skip the test."""
    named = os.environ.get("CADENZA_RECORDING")
    path = Path(named) if named else Path(__file__).parents[3] / "shared" / "data" / NAME
    if not path.is_file():
        pytest.skip(f"no recording at {path}: set CADENZA_RECORDING to one")
    return path


class Naive:
    """The recording as plain JSON, kept in dicts of Decimals."""

    def __init__(self) -> None:
        self.sides: dict[str, Levels] = {"bids": {}, "asks": {}}
        self.diffs = self.trades = self.tickers = 0
        self.ticker: dict[str, Any] = {}

    def take(self, channel: str, data: Any) -> None:
        if ":trade:" in channel:
            self.trades += 1
        elif ":ticker:" in channel:
            self.tickers += 1
            self.ticker.update(data)
        else:
            for side, levels in self.sides.items():
                if data["updateType"] == "SNAPSHOT":
                    levels.clear()
                for price, quantity in data[side]:
                    if Decimal(quantity) == 0:
                        levels.pop(Decimal(price), None)
                    else:
                        levels[Decimal(price)] = (price, quantity)
            self.diffs += data["updateType"] == "DIFF"

    def read(self, side: str) -> list[tuple[str, str]]:
        levels = self.sides[side]
        return [levels[price] for price in sorted(levels, reverse=side == "bids")]


class _Pub(msgspec.Struct):
    data: msgspec.Raw


class _Push(msgspec.Struct):
    channel: str
    pub: _Pub


class _Line(msgspec.Struct):
    t: int
    push: _Push


def test_a_real_market_is_kept_exactly() -> None:
    """Every level, in the feed's own text, at many moments and at the end; every print and ticker counted."""
    decode_line = msgspec.json.Decoder(_Line).decode
    market, naive = Market(), Naive()
    moments = 0
    with gzip.open(recording()) as lines:
        for number, raw in enumerate(lines):
            line = decode_line(raw)
            plain = json.loads(raw)["push"]
            naive.take(plain["channel"], plain["pub"]["data"])
            name = parse(line.push.channel)
            assert name is not None
            record = decode(name.kind, line.push.pub.data, name)
            if isinstance(record, BookUpdate):
                assert market.apply_book(record) in {Applied.SNAPSHOT, Applied.DIFF}
            elif isinstance(record, tuple):
                assert [market.apply_print(each) for each in record] == [True]  # type: ignore[arg-type]
            else:
                assert market.apply_ticker(record)  # type: ignore[arg-type]
            if number % 2_000 == 1_999:
                moments += 1
                book = market.book(BTC)
                for side, levels in (("bids", book.bids.levels()), ("asks", book.asks.levels())):
                    assert [(level.price, level.quantity) for level in levels] == naive.read(side)
    book = market.book(BTC)
    book.check()
    for side, levels in (("bids", book.bids.levels()), ("asks", book.asks.levels())):
        assert [(level.price, level.quantity) for level in levels] == naive.read(side)
    assert moments > 10
    assert not book.crossed
    assert (book.diffs, market.tape(BTC).count) == (naive.diffs, naive.trades)
    ticker = market.tickers[BTC]
    assert str(ticker.bid_price) == naive.ticker["bidPrice"]
    assert str(ticker.ask_quantity) == naive.ticker["askQuantity"]
