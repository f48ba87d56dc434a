"""Publications, decoded and applied to a market, whose invariants must hold after each.

An input is lines. A line's first letter names its channel: ``b`` book, ``t`` trade, ``i`` ticker, ``k``
kline, ``a`` account, ``s`` a snapshot that was asked for; the rest is the payload. Where an account is asked
about, ``q`` is the question, ``p`` the portfolio and ``o`` the orders that are answered.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.feed.ingest import INTERNAL, Ingest
from cadenza_tui.market import analytics, exact
from cadenza_tui.market.book import DeltaRule, DeltaRules
from cadenza_tui.market.candles import MAXIMUM_CANDLES
from cadenza_tui.market.differences import MAXIMUM_DIFFERENCES
from cadenza_tui.market.records import (
    BookUpdate,
    Instrument,
    Kline,
    Order,
    Portfolio,
    Print,
    Ticker,
    TradingAccount,
)
from cadenza_tui.market.state import Market
from cadenza_tui.market.times import SECOND
from cadenza_tui.market.valuation import value
from cadenza_tui.wire import rpc
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.decode import decode
from cadenza_tui.wire.rejected import Rejected

if TYPE_CHECKING:
    from cadenza_tui.market.reconcile import Question
    from cadenza_tui.wire.decode import Decoded

BTC = "BINANCE:BTC/USDT"
ACCOUNT_ID = "desk-1"
MAXIMUM_LINES = 64
NOW = 1_723_161_300_000_000_000

CHANNELS = {
    b"b": ("market:orderBook:BINANCE:BTC/USDT", ChannelName(Kind.BOOK, BTC)),
    b"t": ("market:trade:BINANCE:BTC/USDT", ChannelName(Kind.TRADE, BTC)),
    b"i": ("market:ticker:BINANCE", ChannelName(Kind.VENUE_TICKER, venue="BINANCE")),
    b"k": ("market:kline:BINANCE:BTC/USDT:1m", ChannelName(Kind.KLINE, BTC, interval="1m")),
    b"a": ("tradingAccount:desk-1", ChannelName(Kind.ACCOUNT, account_id="desk-1")),
}
ASKED_FOR = b"s"


def _markets(data: bytes) -> list[Market]:
    """Return a market of each rule for a DELTA, as far as the rule can matter."""
    rules = list(DeltaRule) if b"DELTA" in data else [DeltaRule.RESYNC]
    markets = [Market(delta_rules=DeltaRules(rule)) for rule in rules]
    for market in markets:
        market.set_instruments([Instrument(BTC, "BINANCE", "BTC/USDT", base="BTC", quote="USDT")])
    return markets


def lines(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return an input's lines: their letters, and what follows."""
    return [(line[:1], line[1:]) for line in data.split(b"\n")[:MAXIMUM_LINES]]


def run(data: bytes) -> None:
    """Decode each line, and apply what came of it under each rule there is for a DELTA."""
    markets = _markets(data)
    questions = [market.ask(ACCOUNT_ID, NOW) for market in markets]
    for number, (letter, payload) in enumerate(lines(data), 1):
        if letter == b"q":
            for market in markets:
                market.follow(ACCOUNT_ID, followed=True, since=NOW)
            questions = [market.ask(ACCOUNT_ID, NOW + number * SECOND) for market in markets]
        elif letter in {b"p", b"o"}:
            for market, question in zip(markets, questions, strict=True):
                _answer(market, letter, payload, question, NOW + number * SECOND)
                check(market)
        channel = CHANNELS.get(letter)
        if channel is None:
            continue
        try:
            decoded = decode(channel[1].kind, payload, channel[1])
        except Rejected:
            continue
        for market in markets:
            _apply(market, decoded)
            check(market)


def _answer(market: Market, letter: bytes, payload: bytes, question: Question, now: int) -> None:
    """Take a query's answer, and the differences that it makes certain."""
    try:
        if letter == b"p":
            portfolio = rpc.decode_portfolio(payload, ACCOUNT_ID)
            if portfolio.account_id == ACCOUNT_ID:
                market.answer_portfolio(portfolio, question, now)
        else:
            orders = [order for order in rpc.decode_orders(payload) if order.account_id == ACCOUNT_ID]
            market.answer_orders(ACCOUNT_ID, orders, question, now)
    except (Rejected, rpc.RpcFailed):
        return
    market.roll_day(now)


def _apply(market: Market, decoded: Decoded) -> None:
    for event in decoded if isinstance(decoded, tuple) else (decoded,):
        match event:
            case BookUpdate():
                market.apply_book(event)
            case Ticker():
                market.apply_ticker(event)
            case Kline():
                market.apply_kline(event)
            case Print():
                market.apply_print(event)
            case Portfolio():
                market.apply_portfolio(event, NOW)
            case Order():
                market.apply_order(event, NOW)
            case TradingAccount():
                market.apply_account(event, NOW)


def check(market: Market) -> None:
    """Raise AssertionError where the market is not as it must be; read all that can be read of it."""
    for book in market.books.values():
        book.check()
        spread, mid = book.spread(), book.mid()
        assert (spread is None) == (mid is None) == (book.touch() is None)
        assert spread is None or (spread < 0) == book.crossed
        assert not (book.crossed and book.locked)
        analytics.microprice(book)
        share = analytics.imbalance(book, 10)
        assert share is None or -1 <= share <= 1
        for side in (book.bids, book.asks):
            assert all(Decimal(level.quantity) > 0 for level in side.levels()), "no level is empty"
            sums = analytics.cumulative(side.top(20), book.book_type)
            assert len(sums) == min(20, side.depth)
    for tape in market.tapes.values():
        tape.check()
    for kline in market.klines.values():
        times = [candle.open_time for candle in kline.candles]
        assert times == sorted(set(times)), "candles ascend"
        assert len(times) <= MAXIMUM_CANDLES
    for account in market.accounts.values():
        account.check()
        account.working_orders()
        for key, balance in account.balances.items():
            account.session_change(key)
            account.day_change(key)
            if balance.total is not None:
                value(balance.asset, balance.total, "USDT", market, now=NOW)
        assert len(account.differences) <= min(account.difference_count, MAXIMUM_DIFFERENCES)
        exact.add(*(each.total for each in account.balances.values() if each.total is not None))
    market.dirty.take()


class _Watch:
    """Notes what the ingest says of books."""

    def __init__(self) -> None:
        self.lost: list[str] = []

    def on_book_lost(self, channel: str, reason: str) -> None:
        """Note it."""
        assert reason
        self.lost.append(channel)

    def on_book_found(self, channel: str) -> None:
        """Note it."""

    def on_book_held(self, channel: str) -> None:
        """Note it."""


def ingest(data: bytes) -> None:
    """Give each line to the feed's ingest, which holds books back and brings them up to date by itself."""
    for market in _markets(data):
        watch = _Watch()
        feed = Ingest(market, lambda: NOW, watch=watch)
        for channel, name in CHANNELS.values():
            feed.register(channel, name)
        for number, (letter, payload) in enumerate(lines(data), 1):
            if letter == ASKED_FOR:
                try:
                    snapshot = rpc.decode_book(b'{"data":%b}' % payload, BTC)
                except (Rejected, rpc.RpcFailed):
                    continue
                feed.snapshot(CHANNELS[b"b"][0], snapshot, NOW + number)
            elif letter in CHANNELS:
                feed.publication(CHANNELS[letter][0], payload, number, "e", NOW + number)
            check(market)
        for route in feed.routes():
            assert not route.health.rejected[INTERNAL], f"an exception in {route.channel}"
