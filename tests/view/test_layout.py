"""Which panes are shown where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.view.arrangements import MARKET_PANES, VIEWS
from cadenza_tui.view.layout import Rect, layout, resized

names = st.sampled_from(MARKET_PANES)
panes = st.sampled_from(sorted({name for names in VIEWS.values() for name in names}))
keys = st.builds(lambda name, way: f"{name}-{way}", panes, st.sampled_from(["wide", "high"]))
sizes = st.dictionaries(keys, st.integers(1, 1000), max_size=6)


@given(
    st.integers(1, 320),
    st.integers(1, 100),
    st.one_of(st.none(), panes),
    panes,
    st.sampled_from(sorted(VIEWS)),
    sizes,
)
def test_the_screen_is_covered_once(
    width: int, height: int, zoomed: str | None, focused: str, view: str, shares: dict[str, int]
) -> None:
    """Every cell belongs to exactly one rectangle, whatever the size, of the screen and of the panes."""
    cells: set[tuple[int, int]] = set()
    area = 0
    made = layout(width, height, zoomed=zoomed, focused=focused, view=view, sizes=shares)
    for rect in made.panes.values():
        assert rect.x >= 0
        assert rect.y >= 0
        assert rect.x + rect.width <= width
        assert rect.y + rect.height <= height
        area += rect.width * rect.height
        cells |= {
            (x, y) for x in range(rect.x, rect.x + rect.width) for y in range(rect.y, rect.y + rect.height)
        }
    assert area == len(cells) == width * height


@given(st.integers(40, 300), st.integers(12, 90), st.sampled_from(sorted(VIEWS)), st.data(), sizes)
def test_the_focused_pane_is_always_seen(
    width: int, height: int, view: str, data: st.DataObject, shares: dict[str, int]
) -> None:
    """Whatever can have the focus has room with it, however sizes were set, and so has the status line."""
    order = layout(width, height, view=view).order
    focused = data.draw(st.sampled_from(order))
    made = layout(width, height, view=view, focused=focused, sizes=shares).panes
    assert made[focused].width >= 16
    assert made[focused].height >= 4
    assert made["status"] == Rect(0, 0, width, 1)


@given(
    st.integers(100, 260),
    st.integers(32, 70),
    st.sampled_from(sorted(VIEWS)),
    st.data(),
    st.booleans(),
    st.sampled_from([-1, 1]),
)
def test_a_pane_takes_from_its_neighbour(
    width: int, height: int, view: str, data: st.DataObject, across: bool, by: int
) -> None:
    """By two columns or one row, or not at all at the bounds; and the contrary leads back."""
    before = layout(width, height, view=view)
    pane = data.draw(st.sampled_from([name for name in before.order if name in before.panes]))
    before = layout(width, height, view=view, focused=pane)
    shares = resized(width, height, pane=pane, across=across, by=by, view=view)
    if shares is None:
        return
    after = layout(width, height, view=view, focused=pane, sizes=shares).panes[pane]
    was = before.panes[pane]
    grown = after.width - was.width if across else after.height - was.height
    assert grown in (by * (2 if across else 1), 0)
    assert (after.height == was.height) if across else (after.width == was.width)
    if grown:
        back = resized(width, height, pane=pane, across=across, by=-by, view=view, sizes=shares)
        assert layout(width, height, view=view, focused=pane, sizes=back).panes[pane] == was


def test_a_part_of_many_panes_keeps_room_for_each() -> None:
    """However wide its neighbour was made, two panes that stand beside each other have 16 cells each."""
    panes = layout(160, 50, view="wide", sizes={"instruments-wide": 1000, "account-high": 1000}).panes
    assert min(rect.width for name, rect in panes.items() if name in VIEWS["wide"]) >= 16
    assert min(rect.height for name, rect in panes.items() if name in VIEWS["wide"]) >= 4
    wider = resized(160, 50, pane="instruments", across=True, by=90, view="wide")
    assert layout(160, 50, view="wide", sizes=wider).panes["tape"].width >= 16


def test_the_intended_look_at_140x40() -> None:
    """All four panes stand where the design has them."""
    assert layout(140, 40).panes == {
        "status": Rect(0, 0, 140, 1),
        "footer": Rect(0, 39, 140, 1),
        "instruments": Rect(0, 1, 40, 27),
        "book": Rect(40, 1, 62, 27),
        "tape": Rect(102, 1, 38, 27),
        "account": Rect(0, 28, 140, 11),
    }


@pytest.mark.parametrize(
    ("width", "height", "focused", "panes"),
    [
        (80, 24, "book", {"book"}),
        (80, 24, "tape", {"tape"}),
        (100, 30, "book", {"book", "tape"}),
        (100, 30, "instruments", {"book", "instruments"}),
        (100, 30, "account", {"account"}),
        (120, 40, "book", {"instruments", "book", "tape", "account"}),
        (120, 24, "book", {"instruments", "book", "tape"}),
        (300, 90, "book", {"instruments", "book", "tape", "account"}),
    ],
)
def test_panes_by_size(width: int, height: int, focused: str, panes: set[str]) -> None:
    """One pane at 80 columns, two at 100, all four at 120x40; the tab strip where some are missing."""
    made = layout(width, height, focused=focused)
    assert set(made.panes) - {"status", "tabs", "footer"} == panes
    assert made.tabs == ("tabs" in made.panes) == (len(panes) < 4)
    assert set(made.order) == set(MARKET_PANES)


def test_zoom_gives_one_pane_everything() -> None:
    """The zoomed pane has all rows between the status line and the footer."""
    assert layout(140, 40, zoomed="tape").panes["tape"] == Rect(0, 1, 140, 38)


def test_the_other_views_are_one_pane() -> None:
    """The Account and Health views fill the screen."""
    assert layout(140, 40, view="account").panes["accounts"] == Rect(0, 1, 140, 38)
    assert layout(140, 40, view="health").order == ("health",)
