"""Size bars."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.view import bars
from cadenza_tui.view.rows import Bars

sizes = st.floats(0, 1e12, allow_nan=False)


@given(sizes, sizes, st.floats(1e-6, 1e12), st.integers(0, 400))
def test_length_is_monotone_and_bounded(one: float, other: float, scale: float, units: int) -> None:
    """A larger size never has a shorter bar, and no bar leaves its room."""
    short, long = sorted((one, other))
    assert 0 <= bars.length(short, scale, units) <= bars.length(long, scale, units) <= units


@given(st.floats(1e-9, 1e12), st.floats(1e-6, 1e12), st.integers(1, 400))
def test_nothing_but_nothing_is_invisible(size: float, scale: float, units: int) -> None:
    """Whatever is above zero can be seen; zero has no bar."""
    assert bars.length(size, scale, units) >= 1
    assert bars.length(0, scale, units) == 0


@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from((Bars.BLOCKS, Bars.ASCII)), st.booleans())
def test_glyphs_are_as_long_as_they_say(one: int, other: int, kind: Bars, leftwards: bool) -> None:
    """A bar of eighths takes the cells that they need, and longer ones are never shorter on the screen."""
    short, long = sorted((one, other))
    drawn = [bars.glyphs(n, kind, leftwards=leftwards) for n in (short, long)]
    assert len(drawn[0]) <= len(drawn[1]) == -(-long // 8)


@given(st.lists(st.floats(0.001, 1e9), max_size=40), st.floats(0, 1e9))
def test_a_full_bar_is_for_the_largest_but_never_for_a_huge_one(
    given_sizes: list[float], before: float
) -> None:
    """The scale covers every size up to ``HUGE`` medians and is never twice too large."""
    full, large = bars.scales(given_sizes, before)
    if not given_sizes:
        assert (full, large) == (before, inf)
        return
    middle = sorted(given_sizes)[len(given_sizes) // 2]
    wanted = min(max(given_sizes), middle * bars.HUGE)
    assert wanted <= full
    assert full < 2 * wanted or full == wanted


def test_the_scale_is_steady() -> None:
    """A frame's scale stays until it is passed or twice too large."""
    assert bars.scales([1.0, 2.0, 3.0], 4.0)[0] == 4.0
    assert bars.scales([1.0, 2.0, 5.0], 4.0)[0] == 5.0
    assert bars.scales([1.0, 1.5, 1.9], 4.0)[0] == 1.9


def test_few_sizes_have_no_large_one() -> None:
    """To stand out takes neighbours to stand out from."""
    assert bars.scales([1.0, 1.0, 90.0])[1] == inf
    assert bars.scales([1.0] * 9 + [90.0])[1] <= 90.0
