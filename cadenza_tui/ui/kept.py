"""What of a preferences file is taken: each value by itself, in bounds, of its own form; the rest is left."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from cadenza_tui.view.arrangements import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_SORTS = 16
MOST_PANES = 32
MOST_CHOICES = 32
MOST_INSTRUMENTS = 1_000
"""Instruments with a group or filter of their own, and pinned ones of a server."""
MOST_SERVERS = 16
LONGEST_NAME = 160
"""Characters of an instrument's id or a server's label."""
LARGEST_SHARE = 1_000

_SORT = re.compile(r"[a-z]{1,16}(?: [a-z]{1,16})?-?")
_TABLE = re.compile(r"[a-z]{1,16}")
_CURRENCY = re.compile(r"[A-Z0-9]{1,16}")
_VALUE = re.compile(r"[a-zA-Z0-9.]{1,12}")
_SIZE = re.compile(r"[a-z]{1,16}-(?:wide|high)")
_NUMBER = re.compile(r"[0-9]{1,24}(?:\.[0-9]{1,24})?", re.ASCII)


def currency(found: object) -> str:
    """Return a currency, "" where there is none."""
    return found if isinstance(found, str) and _CURRENCY.fullmatch(found) else ""


def view(found: object) -> str:
    """Return the name of a view, "" where there is none."""
    return found if isinstance(found, str) and found in VIEWS else ""


def sorts(found: object) -> dict[str, str]:
    """Return a sort order by table."""
    return {
        table: sort
        for table, sort in _entries(found, MOST_SORTS)
        if isinstance(sort, str) and _TABLE.fullmatch(table) and _SORT.fullmatch(sort)
    }


def options(found: object) -> dict[str, dict[str, str]]:
    """Return the chosen values by pane and choice; whether there is such a choice is for the pane to know."""
    return {
        pane: {
            name: value
            for name, value in _entries(chosen, MOST_CHOICES)
            if isinstance(value, str) and _TABLE.fullmatch(name) and _VALUE.fullmatch(value)
        }
        for pane, chosen in _entries(found, MOST_PANES)
        if _TABLE.fullmatch(pane)
    }


def groups(found: object) -> dict[str, dict[str, Decimal]]:
    """Return increments by pane and instrument."""
    return {pane: numbers(each) for pane, each in _entries(found, MOST_PANES) if _TABLE.fullmatch(pane)}


def numbers(found: object) -> dict[str, Decimal]:
    """Return numbers above zero by instrument."""
    return {
        name: number
        for name, text in _entries(found, MOST_INSTRUMENTS)
        if isinstance(text, str) and _name(name) and _NUMBER.fullmatch(text) and (number := Decimal(text)) > 0
    }


def sizes(found: object) -> dict[str, dict[str, int]]:
    """Return the shares of panes, in per mille, by view."""
    return {
        name: {
            key: share
            for key, share in _entries(shares, MOST_PANES)
            if type(share) is int and 0 < share <= LARGEST_SHARE and _SIZE.fullmatch(key)
        }
        for name, shares in _entries(found, len(VIEWS))
        if name in VIEWS
    }


def pinned(found: object) -> dict[str, list[str]]:
    """Return the pinned instruments by the server's label, each once."""
    return {
        label: list(dict.fromkeys(name for name in names[:MOST_INSTRUMENTS] if _name(name)))
        for label, names in _entries(found, MOST_SERVERS)
        if isinstance(names, list) and _name(label)
    }


def _entries(found: object, most: int) -> Iterator[tuple[str, object]]:
    return islice(found.items(), most) if isinstance(found, dict) else iter(())


def _name(found: object) -> bool:
    return isinstance(found, str) and 0 < len(found) <= LONGEST_NAME and found.isprintable()
