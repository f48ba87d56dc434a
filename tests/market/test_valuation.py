"""What a quantity is worth, by which prices, and whether that can be trusted."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.prices import STALE_AFTER_NS, Origin, PriceNow
from cadenza_tui.market.records import Instrument, Ticker
from cadenza_tui.market.state import Market
from cadenza_tui.market.valuation import (
    INVERSE_PLACES,
    KINDS,
    Leg,
    Total,
    Valuation,
    currencies,
    path_text,
    total,
    value,
)
from tests.market.updates import INSTRUMENT, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

D = Decimal
NOW = 10 * STALE_AFTER_NS
OLD = NOW - STALE_AFTER_NS - 1


def listed(instrument_id: str, kind: str = "SPOT", status: str = "ACTIVE") -> Instrument:
    """Return an instrument whose id says everything."""
    venue, _, symbol = instrument_id.partition(":")
    base, _, quote = symbol.partition("/")
    return Instrument(instrument_id, venue, symbol, kind=kind, status=status, base=base, quote=quote)


def priced(**prices: str) -> Market:
    """Return a market where each instrument (``VENUE_BASE_QUOTE``) has a fresh ticker with a last price."""
    names = {name: "{}:{}/{}".format(*name.split("_")) for name in prices}
    market = Market()
    market.set_instruments(listed(name) for name in names.values())
    for name, price in prices.items():
        market.apply_ticker(Ticker(names[name], NOW, last_price=D(price)))
    return market


@pytest.fixture
def market() -> Market:
    """A market with one instrument and nothing known of it."""
    market = Market()
    market.set_instruments([listed(INSTRUMENT)])
    return market


def worth(market: Market, asset: str = "BTC", quantity: str = "2", currency: str = "USDT") -> Valuation:
    return value(asset, D(quantity), currency, market, now=NOW)


def test_an_asset_is_worth_itself(market: Market) -> None:
    """No price is needed."""
    assert worth(market, "USDT", "5.10") == Valuation(D("5.10"))


def test_without_a_price_the_value_is_unknown(market: Market) -> None:
    """Unknown is not zero, and says why."""
    assert worth(market) == Valuation(None, reason="no price of BTC in USDT")
    assert worth(market, "XYZ").value is None


def test_the_mid_of_a_book_in_sync_is_the_price(market: Market) -> None:
    """The product is exact, and the path says what it was made with."""
    market.apply_book(snapshot("100.01:1", "100.02:1", timestamp=NOW))
    market.apply_ticker(Ticker(INSTRUMENT, NOW, last_price=D(7)))
    assert worth(market, quantity="0.00000001") == Valuation(
        D("0.00000100015"), legs=(Leg(INSTRUMENT, inverse=False, price=D("100.015")),)
    )


def test_a_market_quoted_the_other_way_round_is_divided(market: Market) -> None:
    """The value of the quote in the base is rounded to a stated number of decimals."""
    market.apply_book(snapshot("2:1", "4:1", timestamp=NOW))
    found = worth(market, "USDT", "1", "BTC")
    assert (found.value, found.legs) == (D("0.333333333333"), (Leg(INSTRUMENT, inverse=True, price=D(3)),))


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
    assert (found.legs[0].stale, found.legs[0].reason) == (True, found.reason)
    market.apply_ticker(Ticker(INSTRUMENT, NOW, bid_price=D(10), ask_price=D(20)))
    found = worth(market)
    assert (found.value, found.stale) == (D(30), False)


@pytest.mark.parametrize(("ticked_at", "by"), [(OLD, 14), (OLD - 2, 200)])
def test_of_a_book_and_a_ticker_that_are_both_stale_the_later_counts(
    market: Market, ticked_at: int, by: int
) -> None:
    """It is nearer to now, and stale all the same."""
    market.apply_book(snapshot("99:1", "101:1", timestamp=OLD - 1))
    market.apply_ticker(Ticker(INSTRUMENT, ticked_at, last_price=D(7)))
    found = worth(market)
    assert (found.value, found.stale) == (D(by), True)


def test_a_tickers_last_price_serves_where_it_has_no_touch(market: Market) -> None:
    """The middle of the ticker's touch, else its last price; old ones are stale."""
    market.apply_ticker(Ticker(INSTRUMENT, OLD, last_price=D(7)))
    found = worth(market)
    assert (found.value, found.stale) == (D(14), True)
    assert "old" in found.reason
    assert value("BTC", D(2), "USDT", market).stale is False
    market.apply_ticker(Ticker(INSTRUMENT, NOW, last_price=D(8)))
    assert (worth(market).value, worth(market).stale) == (D(16), False)


@pytest.mark.parametrize(("bid", "ask"), [("0", "0"), ("-1", "2"), ("0", "9"), ("9", "8")])
def test_a_touch_that_is_no_market_is_not_a_price(market: Market, bid: str, ask: str) -> None:
    """Zero, below it, or crossed: the last price counts, and without one there is none."""
    market.apply_ticker(Ticker(INSTRUMENT, NOW, bid_price=D(bid), ask_price=D(ask)))
    assert worth(market).value is None
    market.apply_ticker(Ticker(INSTRUMENT, NOW, last_price=D(8)))
    assert worth(market).value == D(16)
    market.apply_ticker(Ticker(INSTRUMENT, NOW, last_price=D(0)))
    assert worth(market).value is None


def test_a_book_priced_at_zero_is_no_price(market: Market) -> None:
    """However well in sync."""
    market.apply_book(snapshot("0:1", "4:1", timestamp=NOW))
    assert worth(market).value is None


def test_a_price_that_is_not_above_zero_values_nothing(market: Market) -> None:
    """Dividing by it would be an error, and multiplying a lie."""
    assert value("BTC", D(1), "USDT", market, price_of=lambda _: PriceNow(D(0))).value is None


def test_two_prices_lead_where_none_leads_alone() -> None:
    """Through an asset in between, and the path can be read."""
    market = priced(OKX_PEPE_USDT="0.5", OKX_USDT_EUR="0.9")
    found = worth(market, "PEPE", "3", "EUR")
    assert (found.value, found.stale, path_text(found)) == (D("1.35"), False, "PEPE/USDT × USDT/EUR")


def test_a_path_that_divides_twice_rounds_once() -> None:
    """A third by a thousandth is all threes, not a thousand times a rounded third."""
    market = priced(OKX_B_A="3", BINANCE_C_B="0.001")
    found = worth(market, "A", "1", "C")
    assert found.value == D("333.333333333333")
    assert path_text(found) == "1/(OKX:B/A) × 1/(BINANCE:C/B)"


def test_the_path_of_what_needs_none_is_empty(market: Market) -> None:
    """As of what has none."""
    assert path_text(worth(market, "USDT")) == path_text(worth(market)) == ""


def test_two_fresh_prices_are_better_than_a_stale_one() -> None:
    """And a stale one is better than two of which one is stale."""
    market = priced(OKX_A_C="5", OKX_A_B="2", OKX_B_C="3")
    assert path_text(worth(market, "A", "1", "C")) == "A/C"
    market.tickers["OKX:A/C"] = Ticker("OKX:A/C", OLD, last_price=D(5))
    found = worth(market, "A", "1", "C")
    assert (found.value, found.stale) == (D(6), False)
    market.tickers["OKX:A/B"] = Ticker("OKX:A/B", OLD, last_price=D(2))
    found = worth(market, "A", "1", "C")
    assert (path_text(found), found.stale, found.reason) == ("A/C", True, "the ticker of OKX:A/C is old")


def test_a_path_names_each_reason_of_its_staleness() -> None:
    """Of every leg that is stale."""
    market = priced(OKX_A_B="2", OKX_B_C="3")
    market.set_instruments([listed("OKX:A/B", status="DELISTED"), listed("OKX:B/C")])
    market.tickers["OKX:B/C"] = Ticker("OKX:B/C", OLD, last_price=D(3))
    found = worth(market, "A", "1", "C")
    assert found.reason == "OKX:A/B is delisted; the ticker of OKX:B/C is old"
    assert [leg.stale for leg in found.legs] == [True, True]


@pytest.mark.parametrize("prices", [("1", "2"), ("2", "1"), ("0.001", "900")])
def test_the_choice_between_equals_rests_while_prices_move(prices: tuple[str, str]) -> None:
    """It is made by names alone, but for the venue where the balance is."""
    market = priced(OKX_A_C=prices[0], BINANCE_A_C=prices[1])
    assert worth(market, "A", "1", "C").legs[0].instrument_id == "BINANCE:A/C"
    there = value("A", D(1), "C", market, now=NOW, venue="OKX")
    assert there.legs[0].instrument_id == "OKX:A/C"


def test_the_commonest_asset_leads_between() -> None:
    """Not the first by name."""
    market = priced(X_A_B="2", X_B_C="2", X_A_USDT="3", X_USDT_C="3", X_D_USDT="1")
    assert path_text(worth(market, "A", "1", "C")) == "A/USDT × USDT/C"


def test_a_wide_spread_comes_after_a_narrow_one() -> None:
    """Its middle is nobody's price, wherever the balance is."""
    market = priced(BINANCE_A_C="9", OKX_A_C="9")
    market.apply_ticker(Ticker("BINANCE:A/C", NOW, bid_price=D(1), ask_price=D(3)))
    market.apply_ticker(Ticker("OKX:A/C", NOW, bid_price=D("1.99"), ask_price=D("2.01")))
    found = value("A", D(1), "C", market, now=NOW, venue="BINANCE")
    assert found.legs[0].instrument_id == "OKX:A/C"


@pytest.mark.parametrize("kind", ["OPTION", "FUTURES", "CONTRACT", "SOMETHING"])
def test_only_what_is_a_price_of_the_base_values_it(kind: str) -> None:
    """An option's or a dated future's price is not, and an unknown kind's may not be."""
    market = priced(X_A_C="9")
    market.set_instruments([listed("X:A/C", kind=kind)])
    assert worth(market, "A", "1", "C").value is None
    assert currencies(market) == []


def test_a_spot_price_comes_before_a_perpetuals() -> None:
    """Which serves where there is no other."""
    market = priced(A_A_C="9", X_A_C="2")
    market.set_instruments([listed("A:A/C", kind="PERPETUAL"), listed("X:A/C")])
    assert worth(market, "A", "1", "C").value == D(2)
    market.set_instruments([listed("A:A/C", kind="PERPETUAL")])
    assert worth(market, "A", "1", "C").value == D(9)


def test_what_is_listed_anew_is_found(market: Market) -> None:
    """The index follows the instruments."""
    assert worth(market).value is None
    market.apply_ticker(Ticker("OKX:BTC/USDT", NOW, last_price=D(4)))
    market.set_instruments([listed("OKX:BTC/USDT")])
    assert worth(market).value == D(8)
    market.instruments["OKX:ETH/USDT"] = listed("OKX:ETH/USDT")
    market.apply_ticker(Ticker("OKX:ETH/USDT", NOW, last_price=D(3)))
    assert worth(market, "ETH").value == D(6)


def test_the_commonest_quotes_can_be_chosen_first() -> None:
    """Then by name; what is only a base cannot."""
    market = priced(X_A_EUR="1", X_A_USDT="1", X_B_USDT="1", X_A_BTC="1")
    assert currencies(market) == ["USDT", "BTC", "EUR"]


def test_a_total_names_what_is_left_out() -> None:
    """Once each, and says whether a price in it is stale."""
    unknown = Valuation(None, reason="no price")
    parts = [("A", Valuation(D("0.1"))), ("B", unknown), ("C", Valuation(D("0.20"))), ("B", unknown)]
    assert total(parts) == Total(D("0.30"), stale=False, missing=("B",))
    assert total([*parts, ("D", Valuation(D(1), stale=True))]) == Total(D("1.30"), True, ("B",))


def test_a_total_of_nothing_known_is_unknown() -> None:
    """Of nothing at all it is zero."""
    assert total([("A", Valuation(None))]) == Total(None, missing=("A",))
    assert total([]) == Total(D(0))


PRICES = st.builds(
    PriceNow,
    st.decimals("-0.1", "10", places=3),
    st.sampled_from((False, False, True)),
    st.just("why"),
    st.sampled_from((Origin.TICKER, Origin.TICKER, Origin.BOOK)),
    st.just(value=False) | st.booleans(),
)
LEGS = ("A/B", "B/A", "B/C", "C/B", "A/D", "D/A", "D/C", "C/D")
IDS = [
    *map("{}:{}".format, "XYZXYZXY", LEGS),
    *map("{}:{}".format, "YZXYZXYZ", LEGS),
    "X:C/A",
    "Y:A/C",
    "X:A/A",
]
LISTED = st.dictionaries(
    st.sampled_from(IDS),
    st.tuples(
        st.sampled_from(("SPOT", "SPOT", "SPOT", "PERPETUAL", "OPTION")),
        st.sampled_from(("ACTIVE", "ACTIVE", "ACTIVE", "DELISTED")),
        PRICES,
    ),
    min_size=8,
)


def every_path(
    instruments: list[Instrument], prices: dict[str, PriceNow], asset: str, currency: str, venue: str
) -> Iterator[tuple[tuple[object, ...], Fraction, list[str], bool]]:
    """Try all pairs of all legs; give rank, worth of one, ids and staleness of each that leads there."""
    listings = [name for each in instruments for name in (each.base, each.quote) if each.base != each.quote]
    usable = []
    for each in instruments:
        price = prices[each.instrument_id]
        if price.price <= 0 or each.base == each.quote:
            continue
        stale = price.stale or each.status != "ACTIVE"
        rank = (stale, 1, KINDS[each.kind], price.origin, price.wide, bool(venue) and each.venue != venue)
        usable.append((each.base, each.quote, Fraction(price.price), rank, each.instrument_id))
        usable.append((each.quote, each.base, 1 / Fraction(price.price), rank, each.instrument_id))
    for start, end, price_of_one, rank, name in usable:
        if (start, end) == (asset, currency):
            yield (rank, (), "", (name,)), price_of_one, [name], rank[0]
    for (start, via, first, rank1, one), (then, end, second, rank2, two) in product(usable, usable):
        if start == asset and via == then and end == currency and via not in (asset, currency):
            both = tuple(a + b for a, b in zip(rank1, rank2, strict=True))
            yield (both, -listings.count(via), via, (one, two)), first * second, [one, two], bool(both[0])


@settings(max_examples=300)
@given(LISTED, st.sampled_from(["", "X", "Z"]), st.decimals("-1000", "1000", places=4))
def test_the_best_path_is_the_one_that_a_naive_search_finds(
    given_instruments: dict[str, tuple[str, str, PriceNow]], venue: str, quantity: Decimal
) -> None:
    """Of all pairs of all prices, and worth the exact fraction, rounded once where it was divided."""
    market = Market()
    market.set_instruments(
        listed(name, kind, status) for name, (kind, status, _) in given_instruments.items()
    )
    prices = {name: price for name, (_, _, price) in given_instruments.items()}
    found = value("A", quantity, "C", market, price_of=lambda each: prices[each.instrument_id], venue=venue)
    usable = [each for each in market.instruments.values() if each.kind in KINDS]
    paths = sorted(every_path(usable, prices, "A", "C", venue), key=lambda path: path[0])
    if not paths:
        assert (found.value, found.legs) == (None, ())
        return
    _, price, names, stale = paths[0]
    assert ([leg.instrument_id for leg in found.legs], found.stale) == (names, stale)
    assert found.value is not None
    exactly = Fraction(quantity) * price
    if any(leg.inverse for leg in found.legs):
        assert Fraction(found.value) == round(exactly, INVERSE_PLACES)
    else:
        assert Fraction(found.value) == exactly
