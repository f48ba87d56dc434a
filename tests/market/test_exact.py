"""Arithmetic that is exact or raises."""

from __future__ import annotations

from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.exact import add, divide, halve, multiply, subtract, text

DECIMALS = st.from_regex(r"\A-?[0-9]{1,40}(\.[0-9]{1,39})?\Z").map(Decimal)


@given(st.lists(DECIMALS, max_size=8))
def test_a_sum_is_exact(terms: list[Decimal]) -> None:
    """No digit is lost, however far apart the terms are, and the most decimals of any term stay."""
    total = add(*terms)
    assert Fraction(total) == sum(map(Fraction, terms), Fraction(0))
    assert total.as_tuple().exponent == min((term.as_tuple().exponent for term in terms), default=0)


@given(DECIMALS, DECIMALS)
def test_difference_and_product_are_exact(left: Decimal, right: Decimal) -> None:
    """Differences and products are those of the fractions."""
    assert Fraction(subtract(left, right)) == Fraction(left) - Fraction(right)
    assert Fraction(multiply(left, right)) == Fraction(left) * Fraction(right)


@given(DECIMALS)
def test_half_is_exact_and_has_a_decimal_more_only_where_it_must(amount: Decimal) -> None:
    """Twice the half is the whole; an even last digit needs no further one."""
    half = halve(amount)
    assert Fraction(half) * 2 == Fraction(amount)
    exponent, whole = half.as_tuple().exponent, amount.as_tuple().exponent
    assert isinstance(exponent, int)
    assert isinstance(whole, int)
    assert exponent == whole - amount.as_tuple().digits[-1] % 2


@given(DECIMALS, DECIMALS.filter(bool), st.integers(0, 30))
def test_a_quotient_is_rounded_once_half_to_even(dividend: Decimal, divisor: Decimal, places: int) -> None:
    """The quotient is the nearest of that many decimals, the even one of two."""
    quotient = divide(dividend, divisor, places)
    assert Fraction(quotient) == Fraction(
        round(Fraction(dividend) / Fraction(divisor) * 10**places), 10**places
    )
    assert quotient.as_tuple().exponent == -places


@pytest.mark.parametrize(
    ("dividend", "divisor", "places", "quotient"),
    [
        ("1", "8", 2, "0.12"),
        ("3", "8", 2, "0.38"),
        ("-1", "8", 2, "-0.12"),
        ("5", "-2", 0, "-2"),
        ("7", "2", 0, "4"),
    ],
)
def test_half_goes_to_even(dividend: str, divisor: str, places: int, quotient: str) -> None:
    """Ties are rounded to the even neighbour, below zero as above."""
    assert str(divide(Decimal(dividend), Decimal(divisor), places)) == quotient


def test_division_by_zero_is_an_error() -> None:
    """There is no quotient, and none is made up."""
    with pytest.raises(ZeroDivisionError):
        divide(Decimal(1), Decimal("0.00"), 2)


def test_rounding_is_an_error_and_never_silent() -> None:
    """What does not fit into the context raises instead of losing digits."""
    wide = Decimal("1" * 1_500)
    with pytest.raises(Inexact):
        multiply(wide, wide)


def test_the_callers_context_does_not_matter() -> None:
    """A narrow context of the caller's rounds nothing."""
    with localcontext(prec=3):
        assert str(add(Decimal("12345.678"), Decimal("0.0001"))) == "12345.6781"
        assert str(subtract(Decimal("1E+10"), Decimal(1))) == "9999999999"


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("1E+3", "1000"), ("1E-10", "0.0000000001"), ("1.500", "1.500"), ("-0.10", "-0.10")],
)
def test_text_is_plain(amount: str, expected: str) -> None:
    """There is never an exponent, and trailing zeros stay."""
    assert text(Decimal(amount)) == expected
