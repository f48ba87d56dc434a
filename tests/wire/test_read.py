"""Decimals and times, exact to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.wire.read import ABSENT, bounded, decimal, needed_time, opens_with, plain, time
from cadenza_tui.wire.rejected import Rejected, RejectReason


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


@pytest.mark.parametrize(
    ("json", "spelled"),
    [
        ('"50000.00"', "50000.00"),
        ('"0.000000000000000001"', "0.000000000000000001"),
        ('"-1.50"', "-1.50"),
        ('"007.10"', "7.10"),
        (
            '"123456789012345678901234567890.123456789012345678"',
            "123456789012345678901234567890.123456789012345678",
        ),
        ("1.10", "1.10"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1e-7", "0.0000001"),
        ("1.5E3", "1500"),
        ('"\\u0031.5"', "1.5"),
    ],
)
def test_a_decimal_keeps_its_digits(json: str, spelled: str) -> None:
    """Text and JSON numbers alike keep every digit and trailing zero; no float is in between."""
    amount = decimal(raw(json), "price")
    assert amount is not None
    assert format(amount, "f") == spelled


@pytest.mark.parametrize("json", ["null", '""'])
def test_a_decimal_left_out_is_unknown(json: str) -> None:
    """Null and empty text mean unknown, not zero."""
    assert decimal(raw(json), "price") is None
    assert decimal(ABSENT, "price") is None


@pytest.mark.parametrize(
    "json",
    [
        '"NaN"',
        '"Infinity"',
        '"1e5"',
        '" 1"',
        '"1 "',
        '"1_000"',
        '"1,5"',
        '".5"',
        '"5."',
        '"+1"',
        '"-"',
        '"--1"',
        '"1.2.3"',
        '"x"',
        '"١"',
        "true",
        "[]",
        "{}",
        "1e999",
        '"' + "9" * 81 + '"',
        "9" * 81,
        "1e-90",
    ],
)
def test_what_is_not_a_decimal_is_rejected(json: str) -> None:
    """Anything but digits and one point is named as not a decimal."""
    with pytest.raises(Rejected) as caught:
        decimal(raw(json), "price")
    assert caught.value.reason is RejectReason.DECIMAL
    assert "price" in caught.value.detail


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9), st.booleans())
def test_any_decimal_comes_back_as_written(amount: Decimal, quoted: bool) -> None:
    """Written in plain notation, as text or as a number, a decimal is read exactly."""
    text = format(amount, "f")
    if len(text) <= 80:
        assert str(decimal(raw(f'"{text}"' if quoted else text), "x")) == str(Decimal(text))
        assert plain(raw(text), "x", 80) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1723161254206, 1723161254206 * 10**6),
        ("1970-01-01T00:00:00Z", 0),
        ("2024-08-08T23:54:14.206Z", 1723161254206 * 10**6),
        ("2024-08-08T23:54:14.123456789Z", 1723161254123456789),
        ("2024-08-09T01:54:14.1+02:00", 1723161254100000000),
        ("2024-08-08T20:24:14-03:30", 1723161254000000000),
        ("2024-08-08t23:54:14z", 1723161254000000000),
        ("2024-08-08 23:54:14,5Z", 1723161254500000000),
        ("2016-12-31T23:59:60Z", 1483228800000000000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("9999-12-31T23:59:59.999999999Z", 253402300799999999999),
    ],
)
def test_a_time_is_exact_nanoseconds(value: int | str, expected: int) -> None:
    """Integer ms and RFC 3339 of up to nine fractional digits, with any offset, are read exactly."""
    assert time(value, "timestamp") == expected


@pytest.mark.parametrize("value", [None, "", 0, "0001-01-01T00:00:00Z"])
def test_a_time_that_was_never_set_is_unknown(value: int | str | None) -> None:
    """Null, zero and Go's zero time mean unknown; where the time is needed the message is rejected."""
    assert time(value, "createdAt") is None
    with pytest.raises(Rejected) as caught:
        needed_time(value, "timestamp")
    assert caught.value.reason is RejectReason.MISSING


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2024-08-08",
        "2024-08-08T23:54:14",
        "2024-13-08T23:54:14Z",
        "2024-02-30T00:00:00Z",
        "2024-08-08T24:00:00Z",
        "2024-08-08T23:60:00Z",
        "2024-08-08T23:54:61Z",
        "2024-08-08T23:54:14+24:00",
        "2024-08-08T23:54:14+00:60",
        "1723161254206",
        "0000-01-01T00:00:00Z",
        -1,
        10**18,
        253402300800000,
        "2024-08-08T23:54:14.Z",
        "2024-08-08T23:54:14Z" + "0" * 80,
    ],
)
def test_what_is_not_a_time_is_rejected(value: int | str) -> None:
    """A time that does not exist, or cannot be one in ms, is named as not a time."""
    with pytest.raises(Rejected) as caught:
        time(value, "timestamp")
    assert caught.value.reason is RejectReason.TIME


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31)),
    st.integers(0, 999),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_any_instant_is_read_exactly(moment: datetime, nanoseconds: int, minutes: int) -> None:
    """An instant written in any time zone is the same number of nanoseconds."""
    instant = moment.replace(tzinfo=UTC)
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    try:
        local = instant.astimezone(timezone(timedelta(minutes=minutes)))
    except OverflowError:
        return
    text = f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond:06d}{nanoseconds:03d}{zone}".zfill(35)
    expected = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000 + nanoseconds
    assert (time(text, "t") or 0) == expected


def test_a_message_of_many_megabytes_is_rejected_unread() -> None:
    """What is larger than any message of use is refused before it is decoded."""
    with pytest.raises(Rejected) as caught:
        bounded(b"x" * (16 * 1024 * 1024 + 1))
    assert caught.value.reason is RejectReason.TOO_LARGE


def test_how_a_json_begins_is_seen_past_white_space() -> None:
    """Lists and objects are told apart by their first bracket."""
    assert opens_with(b" \n[1]", b"[")
    assert not opens_with(msgspec.Raw(b"{}"), b"[")


def test_a_rejection_says_a_clean_short_sentence() -> None:
    """Neither control characters nor a long text of the server's get into a rejection's words."""
    rejected = Rejected(RejectReason.EVENT, "\x1b[2J\u202e" + "x" * 1_000)
    assert str(rejected).startswith("unknown account event: xxx")
    assert len(rejected.detail) <= 200
    assert str(Rejected(RejectReason.TOO_DEEP)) == "nested too deeply"
