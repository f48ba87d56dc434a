"""Integers to the text of the wire."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.simulator.instruments import CATALOGUE
from cadenza_tui.simulator.matching import LimitOrderBook
from cadenza_tui.simulator.numbers import fixed, rfc3339
from cadenza_tui.simulator.rows import BookText


@given(st.integers(-(10**30), 10**30), st.integers(0, 12))
def test_fixed_is_exact(value: int, decimals: int) -> None:
    """The text has exactly that many places and the value divided by that power of ten."""
    spelled = fixed(value, decimals)
    assert int(spelled.replace(".", "")) == value
    assert len(spelled.partition(".")[2]) == decimals


def test_fixed_keeps_the_sign_below_one() -> None:
    """A negative fraction keeps its sign though its whole part is zero."""
    assert fixed(-5, 2) == "-0.05"


def test_rfc3339_is_written_as_go_writes_it() -> None:
    """Trailing zeros of the fraction are left out, and the point with them."""
    assert rfc3339(1_723_161_254_087_891_268) == "2024-08-08T23:54:14.087891268Z"
    assert rfc3339(1_723_161_254_500_000_000) == "2024-08-08T23:54:14.5Z"
    assert rfc3339(1_723_161_254_000_000_000) == "2024-08-08T23:54:14Z"


def test_a_book_spells_quantities_as_the_instrument_does() -> None:
    """The faster spelling of book rows is the same text."""
    for one in CATALOGUE:
        if one.book_type == "VWAP":
            continue
        book = LimitOrderBook()
        for index, lots in enumerate((1, 12, 100_000)):
            book.limit(True, 10 + index, lots)
        rows = BookText(one, book).whole()[0]
        assert [row[1] for row in rows] == [one.quantity_text(lots) for lots in (100_000, 12, 1)]
        assert [Decimal(row[0]) for row in rows] == [Decimal(one.price_text(ticks)) for ticks in (12, 11, 10)]
