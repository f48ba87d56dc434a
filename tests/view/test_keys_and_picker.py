"""Footer, tab strip, help and the fuzzy picker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.records import Instrument
from cadenza_tui.view.footer import footer, tabs
from cadenza_tui.view.help import help_rows
from cadenza_tui.view.picker import fuzzy, label, matches, picker_rows
from cadenza_tui.view.rows import Ground, Role, Span
from tests.view.support import bad_widths, text

KEYS = [("/", "find"), ("n", "next"), ("1–9", "pinned"), ("space", "centre"), ("q", "quit")]
INSTRUMENTS = [
    Instrument(f"{venue}:{symbol}", venue, symbol, kind)
    for venue, symbol, kind in (
        ("BINANCE", "BTC/USDT", "SPOT"),
        ("OKX", "BTC/USDT", "SPOT"),
        ("BINANCE", "ETH/USDT", "SPOT"),
        ("DERIBIT", "BTC-PERPETUAL", "PERPETUAL"),
        ("B2C2", "XRP/USD", "SPOT"),
    )
]


@pytest.mark.parametrize("width", range(1, 301, 7))
def test_footer_and_tabs_fit_and_cut_no_key(width: int) -> None:
    """At every width the rows fit, and what is shown of the keys is whole."""
    row = footer(KEYS, width=width)
    assert (
        bad_widths([row, tabs([("book", "Book"), ("tape", "Tape")], ["book"], "book", width=width)], width)
        == []
    )
    accents = [span.text for span in row if span.role is Role.ACCENT]
    assert accents == [key for key, _ in KEYS][: len(accents)]
    assert all(f"{key} {word}" in text(row) for key, word in KEYS[: len(accents)])


def test_fewer_keys_as_it_narrows() -> None:
    """The most wanted keys stay longest."""
    assert text(footer(KEYS, width=60)).split("  ")[-1].strip() == ""
    assert "quit" in text(footer(KEYS, width=60))
    assert "quit" not in text(footer(KEYS, width=30))
    assert text(footer(KEYS, width=30, end=(Span("masked"),))).rstrip().endswith("masked")


@pytest.mark.parametrize("width", range(20, 90))
def test_the_keys_stay_apart_from_the_end(width: int) -> None:
    """However little room there is, blanks stand between the last key's word and what stands at the right."""
    shown = text(footer(KEYS, width=width, end=(Span("? help"),))).rstrip()
    assert shown.endswith("  ? help") or shown.strip() == "? help"


def test_help_has_every_key_once_in_its_group() -> None:
    """Each key stands under its group with its words, at any width that has room for them."""
    keys = [("/", "find", "Instruments"), ("n", "next", "Instruments"), ("z", "zoom", "Panes")]
    for width in (30, 80, 160):
        rows = help_rows(keys, width=width)
        assert bad_widths(rows, width) == []
        words = "\n".join(text(row) for row in rows)
        assert all(words.count(f"{key}  {name}") == 1 for key, name, _ in keys)
        assert "Instruments" in words
        assert "Panes" in words


@given(st.text("abc/ ", max_size=12), st.text("abc/ ", max_size=12))
def test_fuzzy_finds_exactly_the_subsequences(word: str, given_text: str) -> None:
    """A word matches if and only if its characters stand in the text in their order; the places prove it."""
    rest = iter(given_text)
    found = fuzzy(word, given_text)
    assert (found is not None) == all(character in rest for character in word)
    if found is not None:
        assert "".join(given_text[at] for at in sorted(found[1])) == word


def best(query: str) -> str:
    """Return the first match of a query."""
    return matches(query, INSTRUMENTS)[0].instrument.instrument_id


def test_words_may_come_in_any_order() -> None:
    """Symbol and venue are found whichever is typed first."""
    assert best("okx btc") == best("btc okx") == "OKX:BTC/USDT"
    assert best("perp") == "DERIBIT:BTC-PERPETUAL"
    assert best("ethb") == "BINANCE:ETH/USDT"
    assert matches("zzz", INSTRUMENTS) == []


def test_starts_of_words_rank_above_letters_in_between() -> None:
    """``b2`` means B2C2 before anything that merely contains the letters."""
    assert best("b2") == "B2C2:XRP/USD"
    assert best("usd xrp") == "B2C2:XRP/USD"


def test_pinned_come_first_among_equals() -> None:
    """Without a query everything is there, the pinned first in their order."""
    pinned = ["B2C2:XRP/USD", "OKX:BTC/USDT"]
    found = [match.instrument.instrument_id for match in matches("", INSTRUMENTS, pinned=pinned)]
    assert found[:2] == pinned
    assert len(found) == len(INSTRUMENTS)


@pytest.mark.parametrize("width", range(10, 120, 7))
def test_picker_rows_fit(width: int) -> None:
    """At every width each row fits, one of them under the cursor."""
    rows = picker_rows(matches("b", INSTRUMENTS), cursor=1, width=width, height=3)
    assert bad_widths(rows, width) == []
    assert sum(any(span.ground is Ground.CURSOR for span in row) for row in rows) == 1


def test_the_matched_characters_are_in_accent() -> None:
    """What was typed can be seen in what was found."""
    row = picker_rows(matches("eth", INSTRUMENTS), cursor=0, width=60, height=3)[0]
    assert "".join(span.text for span in row[1:] if span.role is Role.ACCENT) == "ETH"


def test_the_list_scrolls_with_the_cursor_and_says_when_it_is_empty() -> None:
    """The row under the cursor is always among those shown."""
    found = matches("", INSTRUMENTS)
    assert label(found[4].instrument).split()[0] in text(picker_rows(found, cursor=4, width=60, height=2)[-1])
    assert "no instrument matches" in text(picker_rows([], cursor=0, width=60, height=2)[0])
