"""The market's state and its dirty marks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market import candles
from cadenza_tui.market.book import Applied, DeltaRule, DeltaRules
from cadenza_tui.market.records import (
    Candle,
    Instrument,
    Kline,
    Order,
    Portfolio,
    Print,
    Ticker,
    TradingAccount,
    UpdateType,
)
from cadenza_tui.market.state import DirtyMarks, Market, Topic
from tests.market.updates import INSTRUMENT, diff, snapshot, update

if TYPE_CHECKING:
    import pytest

D = Decimal


def candle(time: int, close: int = 1) -> Candle:
    return Candle(time, D(1), D(1), D(1), D(close), None)


def test_marks_are_taken_once() -> None:
    """What changed is known until it is taken, and each thing once."""
    marks = DirtyMarks()
    assert not marks.any
    marks.mark(Topic.BOOK, "a")
    marks.mark(Topic.BOOK, "a")
    marks.mark(Topic.HEALTH)
    assert marks.any
    assert marks.take() == {(Topic.BOOK, "a"), (Topic.HEALTH, "")}
    assert marks.take() == frozenset()


def test_the_first_mark_wakes() -> None:
    """Someone who sleeps is woken by the first mark on a clean slate, and by no further one."""
    marks, woken = DirtyMarks(), []
    marks.on_first = lambda: woken.append(marks.any)
    marks.mark(Topic.BOOK, "a")
    marks.mark(Topic.TAPE, "a")
    assert woken == [True]
    marks.take()
    marks.mark(Topic.BOOK, "a")
    assert woken == [True, True]


def test_a_book_message_goes_to_its_book_and_marks_it() -> None:
    """What changed nothing marks nothing; what put a book out of sync does."""
    market = Market()
    assert market.apply_book(diff("1:1")) is Applied.NO_SNAPSHOT
    assert not market.dirty.any
    assert market.apply_book(snapshot("1:1")) is Applied.SNAPSHOT
    assert market.dirty.take() == {(Topic.BOOK, INSTRUMENT)}
    assert market.apply_book(update(UpdateType.DELTA, "2:1")) is Applied.DELTA_UNSUPPORTED
    assert market.dirty.take() == {(Topic.BOOK, INSTRUMENT)}
    assert not market.book(INSTRUMENT).in_sync


def test_the_rule_for_deltas_is_the_venues() -> None:
    """Books are made with the rule that was configured for their venue."""
    market = Market(delta_rules=DeltaRules(venues={INSTRUMENT.partition(":")[0]: DeltaRule.REPLACE_LEVELS}))
    market.apply_book(snapshot("1:1"))
    assert market.apply_book(update(UpdateType.DELTA, "2:1")) is Applied.DIFF


def test_a_print_is_marked_once() -> None:
    """A print that is on the tape already changes nothing."""
    market = Market()
    trade = Print(INSTRUMENT, D(1), D(1), None, 1, "t")
    assert market.apply_print(trade)
    assert market.dirty.take() == {(Topic.TAPE, INSTRUMENT)}
    assert not market.apply_print(trade)
    assert not market.dirty.any


def test_tickers_are_merged_field_by_field() -> None:
    """What a ticker leaves out stays as it was; the time is the latest."""
    market = Market()
    market.apply_ticker(Ticker(INSTRUMENT, 1, last_price=D(5), bid_price=D(4)))
    assert market.apply_ticker(Ticker(INSTRUMENT, 2, bid_price=D(3), ask_price=D(6)))
    assert market.tickers[INSTRUMENT] == Ticker(
        INSTRUMENT, 2, last_price=D(5), bid_price=D(3), ask_price=D(6)
    )
    assert market.dirty.take() == {(Topic.TICKER, INSTRUMENT)}


def test_an_older_ticker_is_not_taken() -> None:
    """Two channels may tell of one instrument; the older message changes nothing."""
    market = Market()
    market.apply_ticker(Ticker(INSTRUMENT, 2, last_price=D(5)))
    assert not market.apply_ticker(Ticker(INSTRUMENT, 1, last_price=D(4)))
    assert market.tickers[INSTRUMENT].last_price == 5


def test_candles_are_merged_by_their_opening() -> None:
    """A candle that came again replaces the one of its time; the order is by time."""
    market = Market()
    market.apply_kline(Kline(INSTRUMENT, "1m", (candle(1), candle(2)), True, 10))
    assert market.apply_kline(Kline(INSTRUMENT, "1m", (candle(2, 9), candle(3)), False, 11))
    kline = market.klines[INSTRUMENT, "1m"]
    assert kline.candles == (candle(1), candle(2, 9), candle(3))
    assert not kline.is_closed
    market.apply_kline(Kline(INSTRUMENT, "1m", (candle(1, 5),), True, 12))
    assert market.klines[INSTRUMENT, "1m"].candles[0] == candle(1, 5)
    assert not market.klines[INSTRUMENT, "1m"].is_closed
    assert not market.apply_kline(Kline(INSTRUMENT, "1m", (candle(4),), False, 9))
    assert market.dirty.take() == {(Topic.KLINE, INSTRUMENT)}


def test_candles_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the latest candles are kept, of the first message as of any other."""
    monkeypatch.setattr(candles, "MAXIMUM_CANDLES", 2)
    market = Market()
    market.apply_kline(Kline(INSTRUMENT, "1m", (candle(1), candle(2), candle(3)), False, 1))
    assert market.klines[INSTRUMENT, "1m"].candles == (candle(2), candle(3))
    market.apply_kline(Kline(INSTRUMENT, "1m", (candle(4),), False, 2))
    assert market.klines[INSTRUMENT, "1m"].candles == (candle(3), candle(4))


def test_account_updates_go_to_their_account_and_mark_it() -> None:
    """An update that changed nothing marks nothing."""
    market = Market()
    assert market.apply_account(TradingAccount("a", "x"), 1)
    assert market.apply_order(Order("o", "a", INSTRUMENT, None, "ACCEPTED"), 1)
    assert market.apply_portfolio(Portfolio("b", balances=()), 1)
    assert market.dirty.take() == {(Topic.ACCOUNT, "a"), (Topic.ACCOUNT, "b")}
    assert not market.apply_account(TradingAccount("a", "x"), 2)
    assert not market.dirty.any
    assert list(market.accounts) == ["a", "b"]


def test_instruments_are_replaced() -> None:
    """The list of what can be watched is known by id."""
    market = Market()
    market.set_instruments([Instrument("X:A/B", "X", "A/B")])
    market.set_instruments([Instrument(INSTRUMENT, "BINANCE", "BTC/USDT")])
    assert list(market.instruments) == [INSTRUMENT]
    assert market.dirty.take() == {(Topic.INSTRUMENTS, "")}
