"""Sorting, filtering and hiding rows: where each stands, and that none jumps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.view.account_order import (
    DUST,
    FILTERED,
    HELD_NS,
    SETTLES_NS,
    SORTS,
    YOUNG_NS,
    Arrangement,
    Sort,
    chosen,
    following,
    matches,
    turned,
)
from cadenza_tui.view.text import safe

SECOND = 1_000_000_000
MOVING = Sort("value", "value")
FIXED = Sort("age", "age", fixed=True)


def arranged(
    arrangement: Arrangement, ranks: dict[str, int | None], *, now: int, sort: Sort = MOVING, **options: Any
) -> list[str]:
    """Return the order of rows whose ranks these are."""
    options.setdefault("signature", sort)
    down = options.pop("down", True)
    admit = options.pop("admit", lambda key: "")
    return list(
        arrangement.arrange(ranks, ranks.__getitem__, admit, now=now, sort=sort, down=down, **options)
    )


def test_moving_numbers_reorder_nothing_between_two_looks() -> None:
    """Once a table is no longer young, an order stands for a few seconds whatever the numbers do."""
    table = Arrangement()
    old = YOUNG_NS + SECOND
    assert arranged(table, {"a": 1, "b": 2}, now=0) == ["b", "a"]
    assert arranged(table, {"a": 1, "b": 2}, now=old) == ["b", "a"]
    assert arranged(table, {"a": 3, "b": 2}, now=old + SETTLES_NS - 1) == ["b", "a"]
    assert arranged(table, {"a": 3, "b": 2}, now=old + SETTLES_NS) == ["a", "b"]


def test_a_young_table_is_looked_at_every_second() -> None:
    """Prices arrive one after the other at first."""
    table = Arrangement()
    arranged(table, {"a": None, "b": 2}, now=0)
    assert arranged(table, {"a": 3, "b": 2}, now=SECOND) == ["a", "b"]


def test_a_pointed_at_table_keeps_its_order_longer() -> None:
    """Nothing moves under the cursor."""
    table = Arrangement()
    arranged(table, {"a": 1, "b": 2}, now=0)
    for now in (YOUNG_NS + SETTLES_NS, HELD_NS - 1):
        assert arranged(table, {"a": 3, "b": 2}, now=now, held=True) == ["b", "a"]
    assert arranged(table, {"a": 3, "b": 2}, now=now) == ["a", "b"]


def test_another_order_is_taken_at_once() -> None:
    """A key is answered by the very next frame."""
    table = Arrangement()
    arranged(table, {"a": 1, "b": 2}, now=0)
    assert arranged(table, {"a": 1, "b": 2}, now=1, down=False, signature="other") == ["a", "b"]


def test_rows_come_at_the_end_and_go_at_once() -> None:
    """Between two looks; in an order that does not move they find their place at once."""
    table, fixed = Arrangement(), Arrangement()
    for each, sort in ((table, MOVING), (fixed, FIXED)):
        arranged(each, {"a": 1, "b": 2}, now=0, sort=sort)
    assert arranged(table, {"a": 1, "b": 2, "c": 9}, now=1) == ["b", "a", "c"]
    assert arranged(table, {"a": 1, "c": 9}, now=2) == ["a", "c"]
    assert arranged(fixed, {"a": 1, "b": 2, "c": 9}, now=1, sort=FIXED) == ["c", "b", "a"]


def test_a_row_that_comes_is_looked_at_before_it_is_shown() -> None:
    """The filter holds between two looks too, and a row that is gone is no longer counted as hidden."""
    table = Arrangement()

    def admit(key: str) -> str:
        return FILTERED if key.startswith("x") else ""

    arranged(table, {"a": 1}, now=0, admit=admit)
    assert arranged(table, {"a": 1, "x": 2}, now=1, admit=admit) == ["a"]
    assert table.count(FILTERED) == 1
    assert table.count(DUST) == 0
    arranged(table, {"a": 1}, now=2, admit=admit)
    assert table.count(FILTERED) == 0


def test_a_clock_that_goes_back_does_not_freeze_an_order() -> None:
    """A recording may start anew."""
    table = Arrangement()
    arranged(table, {"a": 1, "b": 2}, now=1_000 * SECOND)
    assert arranged(table, {"a": 3, "b": 2}, now=0) == ["a", "b"]


@given(st.lists(st.tuples(st.integers(0, 5) | st.none()), max_size=30), st.booleans())
def test_ties_keep_their_places_and_the_unknown_stand_last(
    ranks: list[tuple[int | None]], down: bool
) -> None:
    """In both directions."""
    rows = {f"r{n:02}": rank[0] for n, rank in enumerate(ranks)}
    order = arranged(Arrangement(), rows, now=0, down=down)
    known = [key for key in rows if rows[key] is not None]
    expected = sorted(known, key=lambda key: (rows[key] or 0) * (-1 if down else 1))
    assert order == expected + [key for key in rows if rows[key] is None]


@pytest.mark.parametrize("table", SORTS)
def test_the_sort_key_goes_round(table: str) -> None:
    """Through every order of a table and back to the first, and each can be turned and turned back."""
    sorts: dict[str, str] = {}
    seen = []
    for _ in SORTS[table]:
        sorts[table] = following(table, sorts)
        sort, down = chosen(table, sorts)
        assert down is sort.down
        sorts[table] = turned(table, sorts)
        assert chosen(table, sorts) == (sort, not sort.down)
        sorts[table] = turned(table, sorts)
        assert chosen(table, sorts) == (sort, sort.down)
        seen.append(sort.name)
    assert sorted(seen) == sorted(sort.name for sort in SORTS[table])


def test_an_order_that_there_is_none_of_is_the_first() -> None:
    """Whatever a file says."""
    assert chosen("balances", {"balances": "nonsense-"})[0].name == "value"


def test_a_wide_name_is_found_by_what_it_is_written_with() -> None:
    """Not by the cells that it takes."""
    assert matches("東京", [safe("東京 desk")])


@pytest.mark.parametrize(
    ("filter_", "found"),
    [("", True), ("  ", True), ("btc", True), ("BTC okx", True), ("btc eth", False), ("z desk", False)],
)
def test_every_word_of_a_filter_must_be_somewhere(filter_: str, found: bool) -> None:
    """Whatever the case, in any of the texts."""
    assert matches(filter_, ["BTC/USDT", "OKX", "desk-1"]) is found
