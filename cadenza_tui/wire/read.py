"""Typed reading of raw JSON, decimals and times, with every failure a named ``Rejected``."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from cadenza_tui.wire.rejected import Rejected, RejectReason
from cadenza_tui.wire.text import MAXIMUM_NAME, clean

if TYPE_CHECKING:
    from cadenza_tui.market.records import Nanoseconds

T = TypeVar("T")

Bytes: TypeAlias = bytes | msgspec.Raw
Time: TypeAlias = int | str | None
Id: TypeAlias = str | int | None

MAXIMUM_BYTES = 16 * 1024 * 1024
MAXIMUM_DECIMAL = 80
"""Characters of a decimal outside book rows."""
MAXIMUM_TIME = 253_402_300_799_999
"""The last millisecond of the year 9999."""

ABSENT = msgspec.Raw(b"null")
"""A field that was left out, or null."""

_QUOTED = re.compile(rb'"(-?[0-9]+(?:\.[0-9]+)?)"').fullmatch
_BARE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?").fullmatch
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,9})[0-9]*)?"
    r"(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))"
).fullmatch
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800
_GO_ZERO_TIME = _YEAR_1 * 1_000_000_000
"""Go writes a time that was never set as 0001-01-01T00:00:00Z."""


def read(decoder: msgspec.json.Decoder[T], raw: Bytes) -> T:
    """Return what the decoder makes of it, or raise Rejected: MALFORMED, SHAPE, MISSING or TOO_DEEP."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        sentence = str(error)
        missing = "missing required field" in sentence
        raise Rejected(RejectReason.MISSING if missing else RejectReason.SHAPE, sentence) from None
    except RecursionError:
        raise Rejected(RejectReason.TOO_DEEP) from None
    except ValueError as error:  # DecodeError, and UnicodeDecodeError inside a string
        raise Rejected(RejectReason.MALFORMED, str(error)) from None


def bounded(raw: Bytes) -> Bytes:
    """Return the message, or raise Rejected where it is larger than any that is of use."""
    size = len(raw) if isinstance(raw, bytes) else len(memoryview(raw))
    if size > MAXIMUM_BYTES:
        raise Rejected(RejectReason.TOO_LARGE, f"{size:,} bytes")
    return raw


def opens_with(raw: Bytes, bracket: bytes) -> bool:
    """Whether the JSON begins so: a list with ``[``, an object with ``{``."""
    return bytes(raw).lstrip().startswith(bracket)


def present(raw: msgspec.Raw) -> bool:
    """Whether the field is there and not null."""
    return raw is not ABSENT and bytes(raw) != b"null"


def decimal(raw: msgspec.Raw, name: str) -> Decimal | None:
    """Return a decimal as it is spelled, None where it was left out or is null or empty text.

    Text must be ``-?digits(.digits)``. A JSON number is taken by its own digits, never through a float.
    """
    if raw is ABSENT:
        return None
    text = bytes(raw)
    quoted = _QUOTED(text)
    if quoted is not None and len(text) <= MAXIMUM_DECIMAL + 2:
        return Decimal(quoted[1].decode())
    if text in {b"null", b'""'}:
        return None
    return Decimal(plain(raw, name, MAXIMUM_DECIMAL))


def needed(amount: Decimal | None, name: str) -> Decimal:
    """Return the amount, or raise Rejected where it was left out."""
    if amount is None:
        raise Rejected(RejectReason.MISSING, name)
    return amount


def not_negative(amount: Decimal | None, name: str) -> Decimal | None:
    """Return the amount, or raise Rejected where it is below zero."""
    if amount is not None and amount < 0:
        raise Rejected(RejectReason.NEGATIVE, f"{name} {amount:f}")
    return amount


def plain(raw: Bytes, name: str, maximum: int) -> str:
    """Return a JSON string's or number's decimal in plain notation, digits as spelled, or raise Rejected."""
    text = bytes(raw)
    quoted = text.startswith(b'"')
    spelled = read(_STRING, raw) if quoted else text.decode("utf-8", "replace")
    if len(spelled) > maximum:
        raise Rejected(RejectReason.DECIMAL, f"{name} has {len(spelled):,} characters")
    if _BARE(spelled):
        return spelled
    if quoted or not _NUMBER(spelled):
        raise Rejected(RejectReason.DECIMAL, f"{name} {spelled!r}")
    spelled = format(Decimal(spelled), "f")
    if len(spelled) > maximum:
        raise Rejected(RejectReason.DECIMAL, f"{name} has {len(spelled):,} characters")
    return spelled


def name(text: Id, maximum: int = MAXIMUM_NAME) -> str:
    """Return an identifier or an enum's value as clean text, empty where it was left out."""
    if text is None:
        return ""
    return clean(text if isinstance(text, str) else str(text), maximum)


def instrument(instrument_id: str | None, venue: str | None, symbol: str | None) -> str:
    """Return the instrument's id, put together from venue and symbol where it was left out; else empty."""
    if instrument_id:
        return clean(instrument_id)
    return clean(f"{venue}:{symbol}") if venue and symbol else ""


def time(value: Time, name: str) -> Nanoseconds | None:
    """Return exact ns since the epoch from integer ms or RFC 3339 text; None where it was never set."""
    if not value:
        return None
    moment = _milliseconds(value, name) if isinstance(value, int) else _rfc3339(value, name)
    return None if moment == _GO_ZERO_TIME else moment


def needed_time(value: Time, name: str) -> Nanoseconds:
    """Return exact ns since the epoch, or raise Rejected where the time was left out."""
    if type(value) is int and 0 < value <= MAXIMUM_TIME:
        return value * 1_000_000
    moment = time(value, name)
    if moment is None:
        raise Rejected(RejectReason.MISSING, name)
    return moment


def _milliseconds(value: int, name: str) -> Nanoseconds:
    if not 0 <= value <= MAXIMUM_TIME:
        raise Rejected(RejectReason.TIME, f"{name} {str(value)[:40]}")
    return value * 1_000_000


def _rfc3339(value: str, name: str) -> Nanoseconds:
    match = _RFC3339(value) if len(value) <= MAXIMUM_NAME else None
    if match is None:
        raise Rejected(RejectReason.TIME, f"{name} {value[:40]!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, _, sign, offset_hours, offset_minutes = match.groups()[6:]
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        raise Rejected(RejectReason.TIME, f"{name} {value!r}") from None
    if hour > 23 or minute > 59 or second > 60:  # a leap second is the first of the next minute
        raise Rejected(RejectReason.TIME, f"{name} {value!r}")
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise Rejected(RejectReason.TIME, f"{name} {value!r}")
        offset = int(offset_hours) * 3_600 + int(offset_minutes) * 60
        seconds += -offset if sign == "+" else offset
    if not _YEAR_1 <= seconds < _YEAR_10000:  # an offset, or a leap second, can lead out of the calendar
        raise Rejected(RejectReason.TIME, f"{name} {value!r}")
    return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


_STRING = msgspec.json.Decoder(str)
