"""What is read out of a book."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.analytics import cumulative, imbalance, microprice
from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType
from tests.market.updates import INSTRUMENT, snapshot

QUANTITIES = st.from_regex(r"\A[1-9][0-9]{0,18}(\.[0-9]{1,18})?\Z")


def made(bids: str, asks: str, book_type: BookType = BookType.L2) -> OrderBook:
    book = OrderBook(INSTRUMENT)
    book.apply(snapshot(bids, asks, book_type))
    return book


@given(st.lists(QUANTITIES, max_size=20))
def test_running_sums_are_exact(quantities: list[str]) -> None:
    """Each sum has every digit of all quantities before it."""
    book = made(" ".join(f"{price}:{quantity}" for price, quantity in enumerate(quantities, 1)), "")
    total, sums = Fraction(0), []
    for quantity in reversed(quantities):
        total += Fraction(quantity)
        sums.append(total)
    assert [Fraction(each) for each in cumulative(book.bids.levels())] == sums


def test_a_vwap_books_quantities_are_sums_already() -> None:
    """They are not added up a second time."""
    book = made("100:1 99:3 98:6", "101:2", BookType.VWAP)
    assert list(map(str, cumulative(book.bids.levels(), book.book_type))) == ["1", "3", "6"]
    assert imbalance(book, 3) == 0.5


def test_the_microprice_leans_to_the_thinner_side() -> None:
    """Each price counts by the other side's quantity."""
    assert str(microprice(made("100.0:1", "101.0:3"))) == "100.250"
    assert str(microprice(made("100:3", "101:1"))) == "100.75"
    assert str(microprice(made("100:1", "101:2"))) == "100.33"
    assert microprice(made("100:1", "")) is None


def test_the_microprice_weighs_all_exchanges_of_a_price() -> None:
    """Three exchanges with one each weigh as one with three does."""
    book = made("100:1:A 100:1:B 99:9:A", "101:3:A 101:3:B 101:3:C", BookType.L2_EXCHANGE)
    assert microprice(book) == microprice(made("100:2", "101:9"))


@given(QUANTITIES, QUANTITIES)
def test_the_microprice_is_rounded_once(bid: str, ask: str) -> None:
    """It is the nearest value of two more decimals than the prices have."""
    found = microprice(made(f"100.5:{bid}", f"100.75:{ask}"))
    exactly = (Fraction("100.5") * Fraction(ask) + Fraction("100.75") * Fraction(bid)) / (
        Fraction(bid) + Fraction(ask)
    )
    assert found is not None
    assert Fraction(found) == Fraction(round(exactly * 10_000), 10_000)


def test_the_imbalance_is_a_rate() -> None:
    """From asks alone to bids alone, over the best levels that were asked for; unknown without any."""
    book = made("100:3 99:100", "101:1")
    assert imbalance(book, 1) == 0.5
    assert imbalance(book, 2) is not None
    assert imbalance(made("100:1", ""), 5) == 1.0
    assert imbalance(made("", "100:1"), 5) == -1.0
    assert imbalance(made("", ""), 5) is None
    assert imbalance(book, 0) is None


def test_a_sum_is_a_decimal_of_the_feeds_digits() -> None:
    """The first sum is the first quantity as it was spelled."""
    assert cumulative(made("100:1.500", "").bids.levels()) == [Decimal("1.500")]
