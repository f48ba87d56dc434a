"""What a quantity is worth, and whether that can be trusted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadenza_tui.market.records import Instrument, Ticker
from cadenza_tui.market.state import Market
from cadenza_tui.market.valuation import STALE_AFTER_NS, PriceNow, Valuation, value
from tests.market.updates import INSTRUMENT, snapshot

D = Decimal
NOW = 10 * STALE_AFTER_NS
OLD = NOW - STALE_AFTER_NS - 1


@pytest.fixture
def market() -> Market:
    """A market with one instrument and nothing known of it."""
    market = Market()
    market.set_instruments([Instrument(INSTRUMENT, "BINANCE", "BTC/USDT", base="BTC", quote="USDT")])
    return market


def worth(market: Market, asset: str = "BTC", quantity: str = "2", quote: str = "USDT") -> Valuation:
    return value(asset, D(quantity), quote, market, now=NOW)


def test_an_asset_is_worth_itself(market: Market) -> None:
    """No price is needed."""
    assert worth(market, "USDT", "5.10") == Valuation(D("5.10"))


def test_without_a_price_the_value_is_unknown(market: Market) -> None:
    """Unknown is not zero, and says why."""
    assert worth(market) == Valuation(None, reason="no price of BTC in USDT")
    assert worth(market, "XYZ").value is None


def test_the_mid_of_a_book_in_sync_is_the_price(market: Market) -> None:
    """The product is exact."""
    market.apply_book(snapshot("100.01:1", "100.02:1", timestamp=NOW))
    market.apply_ticker(Ticker(INSTRUMENT, NOW, last_price=D(7)))
    assert worth(market, quantity="0.00000001") == Valuation(D("0.00000100015"))


def test_a_market_quoted_the_other_way_round_is_divided(market: Market) -> None:
    """The value of the quote in the base is rounded to a stated number of decimals."""
    market.apply_book(snapshot("2:1", "4:1", timestamp=NOW))
    assert worth(market, "USDT", "1", "BTC") == Valuation(D("0.333333333333"))


@pytest.mark.parametrize("trouble", ["gap", "crossed", "old"])
def test_a_book_that_cannot_be_trusted_gives_way_to_the_ticker(market: Market, trouble: str) -> None:
    """A fresh ticker is better than a book out of sync, crossed or old; alone the book's value is stale."""
    old = trouble == "old"
    bids = "103:1" if trouble == "crossed" else "99:1"
    market.apply_book(snapshot(bids, "101:1", timestamp=OLD if old else NOW))
    if trouble == "gap":
        market.book(INSTRUMENT).mark_out_of_sync("gap")
    found = worth(market)
    assert found.stale
    assert found.value is not None
    assert {"gap": "gap", "crossed": "it is crossed", "old": "it is old"}[trouble] in found.reason
    market.apply_ticker(Ticker(INSTRUMENT, NOW, bid_price=D(10), ask_price=D(20)))
    assert worth(market) == Valuation(D("30"))


def test_a_tickers_last_price_serves_where_it_has_no_touch(market: Market) -> None:
    """The middle of the ticker's touch, else its last price; old ones are stale."""
    market.apply_ticker(Ticker(INSTRUMENT, OLD, last_price=D(7)))
    found = worth(market)
    assert (found.value, found.stale) == (D(14), True)
    assert "old" in found.reason
    market.apply_ticker(Ticker(INSTRUMENT, NOW, last_price=D(8)))
    assert worth(market) == Valuation(D(16))
    assert value("BTC", D(2), "USDT", market).stale is False


def test_a_fresh_price_is_preferred_to_a_stale_one(market: Market) -> None:
    """Where two venues quote an asset, the one that can be trusted counts, in whatever order they stand."""
    other = Instrument("OKX:BTC/USDT", "OKX", "BTC/USDT", base="BTC", quote="USDT")
    market.set_instruments([*market.instruments.values(), other])

    def price_of(instrument: Instrument) -> PriceNow:
        stale = instrument.venue == "BINANCE"
        return PriceNow(D(1 if stale else 2), stale, "it is old" if stale else "")

    assert value("BTC", D(1), "USDT", market, price_of=price_of) == Valuation(D(2))
    market.set_instruments([Instrument(INSTRUMENT, "BINANCE", "BTC/USDT", base="BTC", quote="USDT")])
    assert value("BTC", D(1), "USDT", market, price_of=price_of) == Valuation(D(1), True, "it is old")


def test_a_price_that_is_not_above_zero_values_nothing(market: Market) -> None:
    """Dividing by it would be an error, and multiplying a lie."""
    assert value("BTC", D(1), "USDT", market, price_of=lambda _: PriceNow(D(0))).value is None
