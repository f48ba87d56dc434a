"""What the screen looks at, on the real simulator over a real WebSocket."""

from __future__ import annotations

import time
from decimal import Decimal
from functools import partial

import pytest

from cadenza_tui.feed import attention, subscriptions, worker
from cadenza_tui.market.interest import CandleOrigin, Interest
from cadenza_tui.market.trails import HOUR
from cadenza_tui.simulator import flow, instruments
from cadenza_tui.simulator.instruments import Instrument
from cadenza_tui.wire.channels import Kind

from .waiting import eventually
from .world import World, world

MANY = 300
SECOND = 1_000_000_000
BTC = "BINANCE:BTC/USDT"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """See to what is due more often than once a second."""
    monkeypatch.setattr(attention, "SETTLES_S", 0.01)
    monkeypatch.setattr(worker, "TICK_S", 0.05)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of very many small instruments over some venues."""
    listed = tuple(
        Instrument(f"V{number % 20}", f"C{number}/USD", 2, 2, 10_000 + number, 100, 20, 20, 1)
        for number in range(MANY)
    )
    monkeypatch.setattr(instruments, "CATALOGUE", listed)
    monkeypatch.setattr(flow, "_TABLE", 64)  # of drawn sizes: soon filled


def tickers(here: World) -> set[str]:
    """Return the instruments whose own tickers are subscribed to and live."""
    return {
        route.name.instrument_id or ""
        for route in here.feed.ingest.routes()
        if route.name.kind is Kind.TICKER and route.health.last_message is not None
    }


async def test_the_charts_candles_come_by_query_and_then_by_push() -> None:
    """Those before equal the exchange's own, and the running one follows it without being asked for again."""
    minute = time.time_ns() // (60 * SECOND) * 60 * SECOND
    async with world(BTC, start_ns=minute) as here:
        here.advance(20)
        here.feed.want(Interest(candles=(BTC, "1m")))
        market, text = here.exchange.markets[BTC], here.exchange.markets[BTC].instrument

        def own() -> list[tuple[int, str, str]]:
            return [
                (one.open_ms, text.price_text(one.close), text.quantity_text(one.volume))
                for one in market.candles.latest("1m", 150)
            ]

        def held() -> list[tuple[int, str, str]]:
            kline = here.feed.market.klines.get((BTC, "1m"))
            return [
                (one.open_time // 1_000_000, str(one.close), str(one.volume))
                for one in (() if kline is None else kline.candles[-150:])
            ]

        await eventually(lambda: held() == own())
        assert here.feed.market.candle_sources[BTC, "1m"].origin is CandleOrigin.SERVER
        before = held()
        here.advance(20)
        await eventually(lambda: held() != before)
        assert held()[:-1] == own()[:-1]
        assert held()[-1][0] == own()[-1][0]
        assert Decimal(held()[-1][2]) <= Decimal(own()[-1][2])
        assert here.feed.market.health.rejected == 0


@pytest.mark.usefixtures("many")
async def test_a_list_of_hundreds_has_the_tickers_of_what_is_in_sight() -> None:
    """Scrolled from end to end: each stop is live, and the limit of channels is never passed."""
    async with world(instruments=MANY) as here:
        feed = here.feed
        feed.want(Interest())
        await feed.bootstrapped.wait()
        ids = list(feed.market.instruments)
        assert len(ids) == MANY
        feed.pin(ids)
        feed.show(ids[0])
        for first in range(9, MANY, 58):
            seen = tuple(ids[first : first + 40])
            feed.want(Interest(visible=seen))
            await eventually(partial(lambda seen: {*seen} <= tickers(here), seen))
            subscribed = [r for r in feed.ingest.routes() if r.health.state.value != "failed"]
            assert len(subscribed) <= feed.wants.limit
        assert not [one for one in feed.market.health.channels.values() if one.reason]
        books = {r.name.instrument_id for r in feed.ingest.routes() if r.name.kind is Kind.BOOK}
        assert books == {*ids[:9]}


async def test_a_venues_one_channel_brings_all_its_tickers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where many of it are listed: also those out of sight."""
    monkeypatch.setattr("cadenza_tui.feed.subscriptions.WHOLE_FROM", 2)
    monkeypatch.setattr("cadenza_tui.feed.subscriptions.FULL_PINS", 1)
    async with world(instruments=14) as here:
        feed = here.feed
        feed.want(Interest())
        await feed.bootstrapped.wait()
        ids = list(feed.market.instruments)
        feed.pin(ids)
        await eventually(lambda: feed.ingest.channel_of(Kind.VENUE_TICKER, "BINANCE"))
        feed.market.tickers.clear()
        here.advance(20)
        own = {name for name in ids if name.startswith(("BINANCE:", "OKX:"))}
        await eventually(lambda: own <= feed.market.tickers.keys())
        assert feed.market.health.rejected == 0


async def test_the_venues_books_equal_the_exchanges_own() -> None:
    """One symbol over its venues, though none of them is pinned."""
    async with world("DERIBIT:BTC-PERP/USDC", instruments=14) as here:
        names = ("BINANCE:BTC/USDT", "OKX:BTC/USDT", "B2C2:BTC/USDT")
        here.feed.want(Interest(venues=names))
        await here.feed.bootstrapped.wait()
        here.advance(10)
        await eventually(lambda: all(here.equal(name) for name in names))


async def test_the_last_day_is_the_exchanges_own() -> None:
    """Its volume is what the exchange's hours add up to."""
    async with world(BTC) as here:
        here.feed.want(Interest(visible=(BTC,), days=True))
        await eventually(lambda: here.feed.market.trails.day(BTC))
        day = here.feed.market.trails.day(BTC)
        assert day is not None
        one = here.exchange.markets[BTC]
        first = day.at // HOUR - 23
        hours = one.candles.latest("1h", 30)
        lots = sum(candle.volume for candle in hours if candle.open_ms * 1_000_000 // HOUR >= first)
        assert str(day.volume) == one.instrument.quantity_text(lots)


async def test_what_was_traded_has_a_hole_where_prints_were_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The instrument looked at before is one of the venues still: its book and sums stay, its tape goes."""
    monkeypatch.setattr(subscriptions, "KEEP_NS", 1)
    async with world(BTC, start_ns=time.time_ns()) as here:
        market, other = here.feed.market, "BINANCE:ETH/USDT"
        here.feed.want(Interest(venues=(BTC, other)))
        here.feed.show(other)
        await eventually(lambda: market.book(other).in_sync)
        flow = market.study(other).flow

        def advanced() -> bool:
            here.advance()
            return flow.version > 0

        await eventually(advanced)
        assert flow.holes == 0
        here.feed.show(BTC)
        await eventually(lambda: other not in market.tapes)
        here.feed.show(other)
        assert market.study(other).flow is flow
        assert flow.holes == 1
