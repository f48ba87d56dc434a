"""Prices of what the accounts hold, where no book of ours is followed for them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cadenza_tui.feed import worth
from cadenza_tui.feed.bootstrap import Bootstrap
from cadenza_tui.feed.prices import Prices
from cadenza_tui.feed.worth import Worth
from cadenza_tui.market.records import Balance, Instrument, Portfolio, Summary
from cadenza_tui.market.state import Market
from cadenza_tui.market.valuation import value
from tests.feed.waiting import eventually
from tests.market.updates import INSTRUMENT, snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = 1_800_000_000_000_000_000
BITCOIN, PEPE, EURO = INSTRUMENT, "OKX:PEPE/USDT", "OKX:EUR/USDT"


def listed(instrument_id: str) -> Instrument:
    """Return an instrument whose id says everything."""
    venue, _, symbol = instrument_id.partition(":")
    base, _, quote = symbol.partition("/")
    return Instrument(instrument_id, venue, symbol, kind="SPOT", base=base, quote=quote)


class Exchange:
    """Answers queries for tickers, and remembers which were asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def __call__(self, method: str, params: Any = None) -> msgspec.Raw:
        """Answer as the platform does."""
        assert method == "query.ticker.list"
        names = params["instrumentIds"]
        self.asked.append(names)
        tickers = [
            {
                "instrumentId": name,
                "venue": name.partition(":")[0],
                "symbol": name.partition(":")[2],
                "lastPrice": "2.5",
                "timestamp": NOW // 1_000_000,
            }
            for name in names
        ]
        return msgspec.Raw(msgspec.json.encode({"data": tickers}))


@pytest.fixture
def market() -> Market:
    """A market of three instruments, with nothing known of any."""
    market = Market()
    market.set_instruments([listed(BITCOIN), listed(PEPE), listed(EURO)])
    return market


def hold(market: Market, *assets: str, currency: str = "USDT") -> None:
    """Let the account hold one of each."""
    balances = tuple(Balance(asset, asset, total=Decimal(1)) for asset in assets)
    portfolio = Portfolio("desk", balances=balances, positions=(), summary=Summary(currency))
    market.apply_portfolio(portfolio, NOW)


@asynccontextmanager
async def kept(market: Market, **options: Any) -> AsyncIterator[tuple[Exchange, Worth]]:
    """Keep the prices at hand for a while."""
    exchange = Exchange()
    kept = Worth(market, Prices(Bootstrap(exchange, market, lambda: NOW)), **options)
    running = asyncio.create_task(kept.run())
    try:
        yield exchange, kept
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_what_is_held_gets_a_price(market: Market) -> None:
    """The ticker that leads from an asset to the account's currency is fetched, and no other."""
    hold(market, "PEPE", "USDT")
    async with kept(market) as (exchange, _):
        await eventually(lambda: value("PEPE", Decimal(2), "USDT", market, now=NOW).value == Decimal("5.0"))
    assert exchange.asked == [[PEPE]]


async def test_a_followed_book_needs_no_ticker(market: Market) -> None:
    """Nothing is asked for an asset that a book in sync values."""
    market.apply_book(snapshot("100:1", "101:1"))
    hold(market, "BTC", "PEPE")
    async with kept(market) as (exchange, _):
        await eventually(lambda: exchange.asked)
    assert exchange.asked == [[PEPE]]


async def test_an_asset_that_is_new_is_priced_at_once(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An asset that comes later does not wait for the next round."""
    monkeypatch.setattr(worth, "LOOK_S", 0.001)
    hold(market, "PEPE")
    async with kept(market) as (exchange, _):
        await eventually(lambda: exchange.asked)
        hold(market, "PEPE", "EUR")
        await eventually(lambda: len(exchange.asked) > 1)
    assert exchange.asked == [[PEPE], [EURO]]


async def test_another_currency_brings_its_prices(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prices of the chosen currency are fetched, over an asset in between where it must be."""
    monkeypatch.setattr(worth, "LOOK_S", 0.001)
    hold(market, "PEPE")
    async with kept(market) as (exchange, kept_):
        await eventually(lambda: exchange.asked)
        kept_.currency = "EUR"
        await eventually(lambda: value("PEPE", Decimal(1), "EUR", market, now=NOW).value == Decimal(1))
    assert EURO in exchange.asked[-1]


async def test_prices_are_fetched_again_before_they_are_old(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Round after round the tickers are asked for again."""
    monkeypatch.setattr(worth, "LOOK_S", 0.001)
    monkeypatch.setattr(worth, "EVERY_S", 0.01)
    hold(market, "PEPE")
    async with kept(market) as (exchange, _):
        await eventually(lambda: len(exchange.asked) >= 3)
    assert exchange.asked[:3] == [[PEPE]] * 3
