"""Exact integers to the text of the wire: decimals with a fixed number of places, and times."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


def fixed(value: int, decimals: int) -> str:
    """Return ``value`` · 10^-``decimals`` with exactly that many places: ``fixed(-5, 2)`` is ``-0.05``."""
    if not decimals:
        return str(value)
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d}"


def rfc3339(time_ns: int) -> str:
    """Return a UTC time as Go's ``time.Time`` writes it: up to nine places, trailing zeros left out."""
    seconds, fraction = divmod(time_ns, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    places = f"{fraction:09d}".rstrip("0")
    return f"{text}.{places}Z" if places else f"{text}Z"
