"""The picker's marks, and that its short cut finds the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market.records import Instrument
from cadenza_tui.view.picker import fuzzy, label, matches, picker_rows
from tests.view.support import text

LISTED = [Instrument(f"V:C{number}/USD", "V", f"C{number}/USD") for number in range(12)]
ALPHABET = "abcİσΣς ßé"


def test_what_is_pinned_is_marked_with_its_key_or_a_dot() -> None:
    """Beyond the ninth there is no key."""
    pinned = [one.instrument_id for one in LISTED[:11]]
    rows = picker_rows(matches("", LISTED, pinned=pinned), cursor=0, width=60, height=12, pinned=pinned)
    assert [text(row)[1] for row in rows] == [*"123456789", "•", "•", " "]


@given(st.text(ALPHABET, max_size=5), st.lists(st.text(ALPHABET, min_size=1, max_size=8), max_size=6))
def test_a_query_finds_just_what_every_word_of_it_means(query: str, names: list[str]) -> None:
    """Instruments are passed over early only where a word cannot be meant at all."""
    listed = [Instrument(f"V:{at}", "V", name) for at, name in enumerate(names)]
    naive = {one.instrument_id for one in listed if all(fuzzy(w, label(one)) for w in query.split())}
    assert {found.instrument.instrument_id for found in matches(query, listed)} == naive
