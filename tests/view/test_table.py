"""Tables: points under each other, columns that only grow, what is given up and what is cut when narrow."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.view.numbers import digits, exact
from cadenza_tui.view.rows import Ground, Role, Row
from cadenza_tui.view.table import MASK, Cell, Heading, Line, TableWidths, number_cell, table
from tests.view.support import bad_widths, text

HEADINGS = (Heading("asset", 0, "text"), Heading("total"), Heading("free", 1), Heading("age", 2, "right"))


def line(asset: str, total: str, free: str, age: str = "1 m", mark: str = "") -> Line:
    """Return a row of cells."""
    return Line((Cell(asset, Role.STRONG), number_cell(total), number_cell(free), Cell(age)), mark)


def made(
    lines: list[Line], width: int, widths: TableWidths | None = None, cursor: int | None = None
) -> list[Row]:
    """Return the table."""
    widths = widths if widths is not None else TableWidths()
    return table("t", HEADINGS, lines, width=width, widths=widths, cursor=cursor)


TWO = [line("USDT", "812,004.1200", "790,004.1200"), line("BTC", "7.65000000", "7.15000000")]


def test_points_stand_under_each_other() -> None:
    """Whatever the digits before and behind them."""
    _, first, second = (text(row) for row in made(TWO, 80))
    assert [n for n, c in enumerate(first) if c == "."] == [n for n, c in enumerate(second) if c == "."]


def test_the_last_wanted_columns_go_first() -> None:
    """Age, then free; the others stay at any width."""
    seen = [text(made(TWO, width)[0]).split() for width in (80, 44, 34, 26)]
    assert seen == [
        ["asset", "total", "free", "age"], ["asset", "total", "free"], ["asset", "total"], ["asset", "total"],
    ]  # fmt: skip


def test_a_long_fraction_that_can_be_spared_is_cut_before_its_column_goes() -> None:
    """To eight decimals; the cut is marked where a digit went, and zeros go unmarked."""
    lines = [
        line("ETH", "1.500000000000000000", "1.123456789123456789"),
        line("BTC", "1.5", "1.120000000000000000"),
    ]
    rows = [text(row) for row in made(lines, 48)]
    assert "1.500000000000000000" in rows[1]
    assert "1.1234567…" in rows[1]
    assert "1.12000000 " in rows[2]


def test_when_nothing_can_go_the_longest_fraction_is_cut() -> None:
    """Then points give way, so that a small amount keeps its digits beside a large one."""
    lines = [line("PEPE", "2,500,000,000.00000000", "1"), line("BTC", "9.75123456", "1")]
    rows = [text(row) for row in made(lines, 26)]
    assert "2,500,000,000" in rows[1]
    assert "9.75123456" in rows[2]
    assert bad_widths(made(lines, 26), 26) == []


def test_no_digit_goes_without_a_mark_however_narrow_it_is() -> None:
    """A price is never shown as its whole part, nor something as nothing."""
    prices = ("61,837.63", "0.00003", "9.5", "−0.00003")
    lines = [Line((Cell("A"), number_cell(price), number_cell("1.25"), Cell("1 m"))) for price in prices]
    for width in range(4, 60):
        for row, price in zip(made(lines, width)[1:], prices, strict=True):
            for shown in re.findall(r"[−\d][\d,.]*[kmbt…]?", text(row)):
                assert shown[-1] in "kmbt…" or digits(shown) in {digits(price), Decimal("1.25"), 1}


def test_a_mask_needs_no_other_column_than_the_number() -> None:
    """Open and masked, everything stands where it stood."""
    widths = TableWidths()
    before = text(made(TWO, 80, widths)[0])
    masked = [line(asset, MASK, MASK) for asset in ("USDT", "BTC")]
    assert text(made(masked, 80, widths)[0]) == before
    assert text(made([line("USDT", MASK, "1")], 80)[0]) == text(made([line("USDT", "1", "1")], 80)[0])


def test_the_row_that_is_pointed_at_stands_out_by_a_glyph_and_its_ground() -> None:
    """One row alone; a mark of change gives way to it."""
    rows = made([*TWO, line("ETH", "1", "1", mark="•")], 80, cursor=2)
    assert [text(row)[:2] for row in rows] == ["  ", "  ", "  ", "▸ "]
    assert {span.ground for span in rows[3]} == {Ground.CURSOR}
    assert {span.ground for row in rows[:3] for span in row} == {Ground.PANEL}


def test_a_heading_keeps_room_for_its_mark() -> None:
    """A sort glyph that comes or goes moves nothing."""
    for mark in ("", "▾"):
        headings = (Heading("asset", 0, "text", mark), Heading("x", 0, "text"))
        row = text(table("t", headings, [Line((Cell("A"), Cell("b")))], width=40, widths=TableWidths())[1])
        assert row.index("b") == 2 + len("asset ▾") + 8


@pytest.mark.parametrize("shown", ["0", "0.00", "+0.0", "−0"])
def test_zero_is_a_muted_zero(shown: str) -> None:
    """However it is written."""
    assert number_cell(shown) == Cell("0", Role.MUTED)


@given(
    st.lists(
        st.tuples(
            st.text(max_size=12),
            st.decimals(-(10**12), 10**12, places=18),
            st.decimals(-(10**6), 10**6, places=2),
        ),
        max_size=8,
    ),
    st.integers(8, 120),
)
def test_every_row_is_as_wide_as_the_table(rows: list[tuple[str, Decimal, Decimal]], width: int) -> None:
    """Whatever the numbers, the names and the width; and what is not cut is right to the last digit."""
    made_ = made([line(asset, exact(total), exact(free)) for asset, total, free in rows], width)
    assert bad_widths(made_, width) == []
    for row, (_, total, _) in zip(made_[1:], rows, strict=True):
        shown = text(row)
        if width >= 70 and total:
            assert exact(total) in shown
