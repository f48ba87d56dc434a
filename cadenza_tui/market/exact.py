"""Arithmetic that is exact, whatever the width.

Python's default decimal context silently rounds to 28 digits, which a sum of large and fine quantities can
pass. Everything here either is exact or raises; only ``divide`` rounds, and says to how many places.
"""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)

_HALF = Decimal("0.5")

CONTEXT = Context(
    prec=2_000,
    Emin=MIN_EMIN,
    Emax=MAX_EMAX,
    traps=[Clamped, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow, Underflow],
)
"""Wide enough for any sum or product of texts that ``wire`` lets in; rounding raises ``Inexact``."""


def add(*terms: Decimal) -> Decimal:
    """Return the exact sum, with the most decimals of any term; 0 for none."""
    total = Decimal(0)
    for term in terms:
        total = CONTEXT.add(total, term)
    return total


def subtract(minuend: Decimal, subtrahend: Decimal) -> Decimal:
    """Return the exact difference."""
    return CONTEXT.subtract(minuend, subtrahend)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product."""
    return CONTEXT.multiply(left, right)


def halve(amount: Decimal) -> Decimal:
    """Return exactly half of ``amount``: with its decimals where they are enough, else with one more."""
    half = CONTEXT.multiply(amount, _HALF)
    return CONTEXT.quantize(half, amount) if half.as_tuple().digits[-1] == 0 else half


def divide(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """Return the quotient rounded once, half to even, to ``places`` decimals.

    Raises ZeroDivisionError when ``divisor`` is zero.
    """
    above, below = dividend.as_integer_ratio()
    over, under = divisor.as_integer_ratio()
    numerator, denominator = above * under * 10**places, below * over
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient % 2):
        quotient += 1
    return CONTEXT.scaleb(Decimal(quotient), -places)


def text(amount: Decimal) -> str:
    """Return the amount in plain notation, never with an exponent, its trailing zeros kept."""
    return format(amount, "f")
