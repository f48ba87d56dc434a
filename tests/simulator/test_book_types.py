"""Every book type of the contract: published, read by the market's own book, held against the exchange's."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction

import pytest

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.instruments import CATALOGUE, DEFAULT_INSTRUMENTS, Instrument
from cadenza_tui.simulator.markets import InstrumentMarket, Publication
from cadenza_tui.simulator.numbers import SECOND
from cadenza_tui.simulator.rows import EXCHANGES

EVERY = {one.book_type: one for one in CATALOGUE[::-1]}
START = 1_700_000_000 * SECOND


def publish(one: Instrument, seconds: int = 5) -> tuple[InstrumentMarket, list[Publication]]:
    """Return one instrument's market after a while, and its book messages."""
    market = InstrumentMarket(one, 7, 40, START, float(one.price))
    out = [market.snapshot(START)]
    for step in range(1, seconds * 20):
        now = START + step * SECOND // 20
        market.run(now, float(one.price))
        market.publish(now, lambda channel: "orderBook" in channel, out)
    return market, out


def read(one: Instrument, publications: list[Publication]) -> OrderBook:
    """Return what the market makes of the messages."""
    book = OrderBook(one.instrument_id)
    for publication in publications:
        data = json.loads(publication.data)
        bids, asks = ([tuple(row) for row in data[side]] for side in ("bids", "asks"))
        update = BookUpdate(
            one.instrument_id,
            UpdateType(data["updateType"]),
            BookType(data["orderBookType"]),
            tuple(data["columns"]),
            bids,
            asks,
            data["timestamp"] * 1_000_000,
        )
        assert book.apply(update).changed
    book.check()
    return book


def sums(market: InstrumentMarket, one: Instrument, *, bid: bool) -> dict[Decimal, Decimal]:
    """Return quantity by price as the exchange has it."""
    levels = market.book.bids if bid else market.book.asks
    return {
        Decimal(one.price_text(price)): Decimal(one.quantity_text(level.quantity))
        for price, level in levels.items()
    }


def test_every_type_of_the_contract_can_be_simulated() -> None:
    """All six, and the default market is of the three that venues use most."""
    assert set(EVERY) == {kind.value for kind in BookType}
    assert {one.book_type for one in CATALOGUE[:DEFAULT_INSTRUMENTS]} == {"L2", "L2_COUNTED", "L3_COUNTED"}


@pytest.mark.parametrize("kind", ["L2", "L2_COUNTED", "L3", "L3_COUNTED", "L2_EXCHANGE"])
def test_the_diffs_of_a_type_keep_its_book(kind: str) -> None:
    """After hundreds of diffs every price holds what the exchange holds there, and nothing else does."""
    one = EVERY[kind]
    market, publications = publish(one)
    book = read(one, publications)
    assert book.diffs > 50
    for bid, side in ((True, book.bids), (False, book.asks)):
        found: dict[Decimal, Decimal] = defaultdict(Decimal)
        for level in side.levels():
            found[Decimal(level.price)] += Decimal(level.quantity)
        assert found == sums(market, one, bid=bid)


def test_an_anonymous_book_has_a_row_for_each_order() -> None:
    """The orders of a price are counted by their rows."""
    one = EVERY["L3"]
    market, publications = publish(one)
    best = read(one, publications).best_bid
    assert best is not None
    assert best.orders == len(market.book.bids[market.book.bid_prices[-1]].orders)


def test_a_book_by_exchange_says_who_quotes() -> None:
    """Each exchange has its own quantity at a price: that of its orders."""
    one = EVERY["L2_EXCHANGE"]
    market, publications = publish(one)
    found = {
        (Decimal(x.price), x.exchange): Decimal(x.quantity) for x in read(one, publications).asks.levels()
    }
    expected: Counter[tuple[Decimal, str]] = Counter()
    for price, level in market.book.asks.items():
        for key, order in level.orders.items():
            expected[Decimal(one.price_text(price)), EXCHANGES[key % 4]] += order.remaining
    assert found == {key: Decimal(one.quantity_text(lots)) for key, lots in expected.items()}


def test_a_vwap_book_is_a_curve() -> None:
    """Each point is what all up to a level costs on average, never better than it is, and sizes only grow."""
    one = EVERY["VWAP"]
    market, publications = publish(one)
    points = read(one, publications).asks.levels()
    prices = sorted(market.book.asks)
    total = cost = Fraction(0)
    exact: dict[Fraction, Fraction] = {}
    for price in prices[:24]:
        size = Fraction(one.quantity_text(market.book.asks[price].quantity))
        total, cost = total + size, cost + size * Fraction(one.price_text(price))
        exact[total] = cost / total
    assert len(points) > 10
    for point in points:
        over = Fraction(point.price) - exact[Fraction(point.quantity)]
        assert 0 <= over < Fraction(1, 10**6)
    sizes = [Decimal(point.quantity) for point in points]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(("rate", "prints"), [(1_000.0, 200.0), (20.0, 100.0), (500.0, 0.0)])
def test_prints_are_set_apart_from_book_updates(rate: float, prints: float) -> None:
    """So many prints a second, however many book messages there are."""
    exchange = Exchange(7, instruments=1, rate=rate, prints=prints)
    made = Counter(one.channel.split(":")[1] for one in exchange.advance(5 * SECOND))
    assert abs(made["trade"] - 5 * prints) <= max(0.05 * 5 * prints, 30 if prints else 2)
    assert made["orderBook"] > 4 * rate


def test_candles_and_a_venues_tickers_are_published_as_they_change() -> None:
    """Whoever subscribes to a venue's tickers or to an interval's candles hears of every second."""
    exchange = Exchange(7, instruments=3, rate=100)
    exchange.kline("BINANCE:BTC/USDT", "1m")
    exchange.markets["BINANCE:BTC/USDT"].intervals.add("5m")
    made = exchange.advance(10 * SECOND)
    tickers = {json.loads(one.data)["instrumentId"] for one in made if one.channel == "market:ticker:BINANCE"}
    assert tickers == {"BINANCE:BTC/USDT", "BINANCE:ETH/USDT"}
    for interval in ("1m", "5m"):
        candles = [one for one in made if one.channel == f"market:kline:BINANCE:BTC/USDT:{interval}"]
        assert 5 <= len(candles) <= 11
