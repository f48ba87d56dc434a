"""Numbers as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.records import Instrument
from cadenza_tui.view import numbers

plain_numbers = st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", fullmatch=True)
decimals = st.one_of(st.none(), st.integers(0, 20))


@given(plain_numbers, decimals)
def test_digits_of_the_feed_survive(text: str, places: int | None) -> None:
    """What is shown reads back as exactly the number that the feed gave."""
    assert numbers.digits(numbers.number(text, places)) == Decimal(text)


@given(plain_numbers, st.integers(0, 20))
def test_at_least_the_wanted_decimals(text: str, places: int) -> None:
    """A number has the decimals of its format, and more only where its digits need them."""
    _, _, fraction = numbers.number(text, places).partition(".")
    assert len(fraction) == max(places, numbers.significant_decimals(text))


@given(st.lists(plain_numbers, min_size=2, max_size=12), decimals)
def test_distinct_numbers_never_print_alike(texts: list[str], places: int | None) -> None:
    """Two different prices are two different texts in any column."""
    column = numbers.Column(places)
    column.grow(texts)
    shown = {text: column.text(text) for text in texts}
    for one in texts:
        for other in texts:
            if Decimal(one) != Decimal(other):
                assert shown[one] != shown[other]


@given(st.lists(plain_numbers, min_size=1, max_size=12), decimals)
def test_points_of_a_column_stand_under_each_other(texts: list[str], places: int | None) -> None:
    """Every number of a column is equally wide and has its point at the same cell."""
    column = numbers.Column(places)
    column.grow(texts)
    for text in texts:
        shown = column.text(text)
        assert len(shown) == column.width
        assert "." not in shown or shown.index(".") == column.whole
        assert len(shown[: column.whole].rstrip()) == column.whole


@given(st.lists(plain_numbers, min_size=1, max_size=12), decimals)
def test_columns_only_grow(texts: list[str], places: int | None) -> None:
    """A column never becomes narrower, whatever comes next."""
    column = numbers.Column(places)
    before = (0, 0)
    for text in texts:
        column.grow([text])
        assert column.whole >= before[0]
        assert column.fraction >= before[1]
        before = (column.whole, column.fraction)


@given(plain_numbers, st.integers(4, 30))
def test_a_fitted_number_fits_and_says_what_it_lost(text: str, width: int) -> None:
    """A number squeezed into a width fits, and is exact unless it carries a mark."""
    shown = numbers.fitted(numbers.number(text), width)
    assert len(shown) <= width
    if shown[-1] not in "…kmbt" and "…" not in shown:
        assert numbers.digits(shown) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "places", "shown"),
    [
        ("61837.63000000", 2, "61,837.63"),
        ("61837.63000000", None, "61,837.63000000"),
        ("61837.635", 2, "61,837.635"),
        ("61837", 2, "61,837.00"),
        ("0.10", 1, "0.1"),
        ("-1234.5", 2, "−1,234.50"),
        ("-0.00", 2, "0.00"),
        ("007", 0, "7"),
        ("1000000", 0, "1,000,000"),
        ("not a number", 2, "not a number"),
        ("\x1b[31m1", 2, "[31m1"),
    ],
)
def test_number(text: str, places: int | None, shown: str) -> None:
    """Thousands are separated, decimals kept to the format, and nothing that is no number is made one."""
    assert numbers.number(text, places) == shown


def test_a_number_that_rounds_up_to_the_next_thousand_is_abbreviated_by_that() -> None:
    """Its whole part is not cut for want of one cell."""
    assert numbers.fitted("999,999", 4) == "1.0m"
    assert numbers.fitted("−999,999,999.5", 6) == "−1.00b"
    assert numbers.fitted("999,499", 4) == "999k"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0.0000"),
        ("0.0012345", "0.0012"),
        ("0.00003", "0.000030"),
        ("-0.00000314", "−0.0000031"),
        ("-0.0000000314", "−3.1e−8"),
        ("1182.83", "1,182.83"),
        ("185900", "185.9k"),
    ],
)
def test_a_short_number_is_nothing_only_where_there_is_nothing(text: str, shown: str) -> None:
    """However small it is, it has two digits."""
    assert numbers.short(Decimal(text)) == shown


@pytest.mark.parametrize(
    ("tick", "places"),
    [("0.01", 2), ("0.50", 1), ("1", 0), ("25", 0), ("0.00000100", 6), ("1E-8", 8), ("0", 0)],
)
def test_decimals_of_a_step(tick: str, places: int) -> None:
    """A step needs the decimals of its last digit that is not zero."""
    assert numbers.decimals_of(Decimal(tick)) == places


def test_decimals_come_from_the_tick_then_the_precision_then_the_feed() -> None:
    """The tick says the decimals, without it the quote precision, without both nobody does."""
    both = Instrument("V:S", "V", "S", tick=Decimal("0.5"), price_decimals=8)
    assert numbers.price_decimals(both) == 1
    assert numbers.price_decimals(Instrument("V:S", "V", "S", price_decimals=8)) == 8
    assert numbers.price_decimals(Instrument("V:S", "V", "S")) is None
    assert numbers.price_decimals(None) is None


def test_a_column_without_known_decimals_shows_what_the_feed_needs() -> None:
    """Zeros that no number of the column needs are not shown, all that one needs are shown by all."""
    column = numbers.Column()
    column.grow(["1.50000000", "2.25000000"])
    assert column.text("1.50000000") == "1.50"
    column.grow(["3.125"])
    assert column.text("1.50000000") == "1.500"


@pytest.mark.parametrize(
    ("value", "shown"), [("1.5", "+1.50"), ("-1.5", "−1.50"), ("0", "0.00"), ("-0.0", "0.00"), (None, "—")]
)
def test_signed(value: str | None, shown: str) -> None:
    """Plus and minus are written, zero has no sign, unknown is never zero."""
    assert numbers.signed(None if value is None else Decimal(value), 2) == shown


def test_a_sign_does_not_outlive_rounding() -> None:
    """What rounds to zero has no sign."""
    assert numbers.signed(Decimal("-0.0001"), 2, rounds=True) == "0.00"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (0.1, "0.1 s"),
        (14, "14 s"),
        (59.9, "59 s"),
        (240, "4 m"),
        (7300, "2 h"),
        (300_000, "3 d"),
    ],
)
def test_age(seconds: float, shown: str) -> None:
    """Ages are for the eye: one unit, tenths only within the first second."""
    assert numbers.age(int(seconds * 1e9)) == shown


def test_an_age_is_never_negative() -> None:
    """A clock that is ahead of ours makes nothing younger than now."""
    assert numbers.age(-5_000_000_000) == "0.0 s"
    assert numbers.age(None) == "—"


def test_clocks_are_utc() -> None:
    """The clock has seconds and a Z, the tape has milliseconds."""
    moment = 1_723_184_911_342_900_000
    assert numbers.clock(moment) == "06:28:31Z"
    assert numbers.tape_time(moment) == "06:28:31.342"
    assert numbers.clock(None) == numbers.clock(-1) == numbers.clock(10**30) == "—"


@pytest.mark.parametrize(
    ("n", "shown"),
    [(0, "0 B"), (812, "812 B"), (8123, "8.1 KB"), (81_230, "81 KB"), (1_200_000, "1.2 MB"), (5e9, "5.0 GB")],
)
def test_sizes(n: float, shown: str) -> None:
    """Bytes are written in the unit that keeps them short."""
    assert numbers.size(n) == shown


def test_basis_points() -> None:
    """Basis points are ten thousandths, and of zero there are none."""
    assert numbers.bps(Decimal("0.01"), Decimal(100)) == 1
    assert numbers.bps(Decimal(1), Decimal(0)) is None
