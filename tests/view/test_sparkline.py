"""Lines of prices in one row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.view.sparkline import LEVELS, sparkline

prices = st.lists(st.one_of(st.none(), st.floats()), max_size=70)


def line(*values: int | None, cells: int = 8) -> str:
    """Return the line of these prices."""
    return sparkline([None if value is None else float(value) for value in values], cells)


def test_the_lowest_and_the_highest_fill_the_height() -> None:
    """Few prices are not stretched over the width; the latest stands at the right."""
    assert line(1, 7, 4) == "     ▁▇▄"
    assert line(5, 5, 5) == "     ▄▄▄"
    assert line(None, 1, None, 2) == "     ▁ ▇"
    assert line() == " " * 8


def test_more_prices_than_cells_share_them_from_the_oldest_on() -> None:
    """A cell has the last price of its share, so what is full never changes."""
    assert line(*range(14), cells=7) == "▁▂▃▄▅▆▇"
    assert line(*range(0, 160, 10), cells=4)[0] == line(*range(0, 160, 10), cells=4).strip()[0] == "▁"


@given(prices, st.integers(0, 30))
def test_a_line_has_its_cells_and_no_other_glyph(values: list[float | None], cells: int) -> None:
    """Whatever is known; the extremes that are shown have the extreme levels."""
    drawn = sparkline(values, cells)
    assert len(drawn) == cells
    assert set(drawn) <= {" ", *LEVELS}
    if len(set(drawn) - {" "}) > 1:
        assert {LEVELS[0], LEVELS[-1]} <= set(drawn)
