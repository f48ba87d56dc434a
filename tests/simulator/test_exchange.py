"""The exchange as a whole: determinism, and messages that agree with each other and with the books."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cadenza_tui.errors import CadenzaError
from cadenza_tui.simulator.exchange import Exchange, Publication

from .invariants import NaiveBook, check_book, decoded, whole

START = 1_723_161_254_000_000_000
SECOND = 10**9


def exchange(**options: Any) -> Exchange:
    return Exchange(7, **{"start_ns": START, "rate": 200.0, **options})


def test_the_same_seed_gives_the_same_market_byte_for_byte() -> None:
    """Two exchanges of one seed publish the same bytes in the same order; another seed does not."""
    first = exchange().advance(START + 3 * SECOND)
    assert first == exchange().advance(START + 3 * SECOND)
    other = Exchange(8, start_ns=START, rate=200.0)
    assert first != other.advance(START + 3 * SECOND)


def test_the_market_does_not_depend_on_how_time_is_cut() -> None:
    """Many small advances publish what one large one does."""
    one = exchange()
    cut: list[Publication] = []
    for step in range(1, 301):
        cut += one.advance(START + step * SECOND // 100)
    assert cut == exchange().advance(START + 3 * SECOND)


def test_the_market_does_not_depend_on_who_listens() -> None:
    """With nothing wanted nothing is published, and the books are the same."""
    heard, unheard = exchange(), exchange()
    heard.advance(START + 2 * SECOND)
    assert unheard.advance(START + 2 * SECOND, lambda _: False) == []
    for key, market in heard.markets.items():
        assert whole(market) == whole(unheard.markets[key])


def test_diffs_upon_a_snapshot_give_the_book() -> None:
    """For every book type, after each publication, a client's book is the exchange's as of that moment."""
    one = exchange(instruments=12, rate=600.0)
    naive = {key: NaiveBook(market.instrument) for key, market in one.markets.items()}
    kinds = set()
    for key, book in naive.items():
        book.apply(json.loads(one.book_snapshot(key).data))
    for step in range(1, 80):
        publications = one.advance(START + step * SECOND // 20)
        for publication in publications:
            if ":orderBook:" in publication.channel:
                message = json.loads(publication.data)
                kinds.add(message["orderBookType"])
                naive[message["instrumentId"]].apply(message)
        for key, market in one.markets.items():
            if not (market.book.touched_bids or market.book.touched_asks):
                assert naive[key].rows() == whole(market)
    for key, kept in naive.items():
        market = one.markets[key]
        check_book(market.book)
        out: list[Publication] = []
        market.publish(one.now_ns, lambda channel: ":orderBook:" in channel, out)
        for publication in out:
            kept.apply(json.loads(publication.data))
        assert kept.rows() == whole(market)
        stamps = kept.timestamps
        assert stamps == sorted(stamps)
    assert kinds == {"L2", "L2_COUNTED", "L3_COUNTED"}


def test_rows_are_sorted_and_spelled_with_fixed_places() -> None:
    """Bids fall and asks rise, in snapshots and diffs, each number with the instrument's own places."""
    one = exchange(instruments=12)
    publications = [one.book_snapshot(key) for key in one.markets] + one.advance(START + SECOND)
    for publication in publications:
        if ":orderBook:" not in publication.channel:
            continue
        message = json.loads(publication.data)
        instrument = one.markets[message["instrumentId"]].instrument
        for side, sign in (("bids", -1), ("asks", 1)):
            prices = [sign * Decimal(row[0]) for row in message[side]]
            assert prices == sorted(prices)
            for row in message[side]:
                assert len(row[0].partition(".")[2]) == instrument.price_decimals
                assert len(row[1].partition(".")[2]) == instrument.quantity_decimals


def test_a_snapshot_comes_every_thirty_seconds() -> None:
    """Each book channel restates itself, so that a client of whatever history is right again."""
    one = exchange(instruments=2, rate=40.0)
    messages = decoded(one.advance(START + 65 * SECOND), "market:orderBook:BINANCE:BTC/USDT")
    snapshots = [message for message in messages if message["updateType"] == "SNAPSHOT"]
    assert len(snapshots) == 2
    assert len(snapshots[0]["bids"]) > 100


def test_the_rate_is_the_number_of_book_messages_a_second() -> None:
    """Over the whole exchange the rate is met, with one instrument as with twelve."""
    for instruments in (1, 12):
        one = exchange(instruments=instruments, rate=300.0)
        books = [name for name, _ in one.advance(START + 5 * SECOND) if ":orderBook:" in name]
        assert len(books) == pytest.approx(1_500, rel=0.06)


def test_a_ticker_is_the_touch_of_its_moment() -> None:
    """A ticker repeats the best levels of the book that was published with it."""
    one = exchange(instruments=3)
    naive = {key: NaiveBook(market.instrument) for key, market in one.markets.items()}
    for key, book in naive.items():
        book.apply(json.loads(one.book_snapshot(key).data))
    seen = 0
    for publication in one.advance(START + 5 * SECOND):
        message = json.loads(publication.data)
        if ":orderBook:" in publication.channel:
            naive[message["instrumentId"]].apply(message)
        elif publication.channel.startswith("market:ticker:") and publication.channel.count(":") == 3:
            bids, asks = naive[message["instrumentId"]].rows()
            assert [message["bidPrice"], message["bidQuantity"]] == bids[0][:2]
            assert [message["askPrice"], message["askQuantity"]] == asks[0][:2]
            seen += 1
    assert seen > 20


def test_a_ticker_repeats_the_last_print() -> None:
    """Last price and quantity are those of the newest print before it."""
    one = exchange(instruments=1)
    last: dict[str, Any] = {}
    for publication in one.advance(START + 5 * SECOND):
        message = json.loads(publication.data)
        if ":trade:" in publication.channel:
            last = message
        elif publication.channel == "market:ticker:BINANCE:BTC/USDT" and last:
            assert (message["lastPrice"], message["lastQuantity"]) == (last["price"], last["quantity"])


def test_candles_are_made_of_the_prints() -> None:
    """The last message about each minute has the prints' open, high, low, close and volume."""
    one = exchange(instruments=1, rate=30.0)
    publications = one.advance(START + 130 * SECOND, lambda name: ":kline:" in name or ":trade:" in name)
    minutes: dict[int, list[tuple[Decimal, Decimal]]] = {}
    for message in decoded(publications, "market:trade:BINANCE:BTC/USDT"):
        minutes.setdefault(message["timestamp"] // 60_000 * 60_000, []).append(
            (Decimal(message["price"]), Decimal(message["quantity"]))
        )
    published: dict[int, list[str]] = {}
    closed = set()
    for message in decoded(publications, "market:kline:BINANCE:BTC/USDT:1m"):
        for candle in message["candles"]:
            published[candle[0]] = candle[1:]
        if message["candles"][-1] != message["candles"][0] or message["isClosed"]:
            closed.add(message["candles"][0][0])
    finished = sorted(minutes)[:2]
    assert set(finished) <= closed
    for open_ms in finished:
        prices = [price for price, _ in minutes[open_ms]]
        volume = sum((quantity for _, quantity in minutes[open_ms]), Decimal(0))
        assert [Decimal(text) for text in published[open_ms]] == [
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            volume,
        ]


def test_prints_carry_the_aggressors_side_and_rising_ids() -> None:
    """Sides are both there, ids rise, and times never fall within a channel."""
    messages = decoded(exchange(instruments=1).advance(START + 10 * SECOND), "market:trade:BINANCE:BTC/USDT")
    assert {message["side"] for message in messages} == {"BUY", "SELL"}
    ids = [int(message["tradeId"]) for message in messages]
    assert ids == sorted(set(ids))
    assert [one["timestamp"] for one in messages] == sorted(one["timestamp"] for one in messages)


def test_a_halt_moves_time_and_nothing_else() -> None:
    """After a halt the same prints happen, later by as much."""
    halted, plain = exchange(instruments=2), exchange(instruments=2)
    halted.advance(START + SECOND)
    plain.advance(START + SECOND)
    halted.halt(3_600 * SECOND)
    late = halted.advance(START + 3_603 * SECOND)
    on_time = plain.advance(START + 3 * SECOND)
    channel = "market:trade:BINANCE:BTC/USDT"
    shifted = [one | {"timestamp": one["timestamp"] + 3_600_000} for one in decoded(on_time, channel)]
    assert shifted
    assert decoded(late, channel) == shifted


@pytest.mark.parametrize("count", [0, 30])
def test_a_number_of_instruments_out_of_bounds_is_refused(count: int) -> None:
    """The sentence names the bounds."""
    with pytest.raises(CadenzaError, match="1 to 29 instruments"):
        Exchange(0, instruments=count)
