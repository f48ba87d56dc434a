"""The liquidity heatmap."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.heat import SECOND, Heat
from cadenza_tui.market.records import BookType, BookUpdate, Side, UpdateType
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.heatmap import CHOICES, HeatMemory, heatmap
from cadenza_tui.view.heatmap_cells import ASCII_SHADES
from cadenza_tui.view.heatmap_grid import LEVELS, CutOff
from cadenza_tui.view.rows import HEAT, HEAT_GROUNDS, Bars, Ground, Pane, Role, Row, Span
from tests.view.support import BTC, ID, LIVE, bad_widths, book, plain, print_, screen, text, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = 1_723_161_260
"""Seconds since the epoch: 23:54:20."""
BIDS = [("99", "1"), ("98", "2"), ("95", "8")]
ASKS = [("101", "1"), ("102", "4"), ("105", "16")]


class Scene:
    """A book that is sampled by hand, and the pane that is made of it."""

    def __init__(self, held: OrderBook | None = None) -> None:
        self.book = held or book(BIDS, ASKS)
        self.heat = Heat()
        self.memory = HeatMemory()
        self.now = BEGIN * SECOND

    def pass_by(self, seconds: int = 1, *, in_sync: bool = True) -> None:
        """Take samples, one a second."""
        for _ in range(seconds):
            self.heat.sample(self.book, in_sync, self.now)
            self.now += SECOND

    def change(self, bids: Sequence[tuple[str, str]] = (), asks: Sequence[tuple[str, str]] = ()) -> None:
        """Change levels of the book."""
        columns = ("price", "quantity")
        self.book.apply(
            BookUpdate(ID, UpdateType.DIFF, BookType.L2, columns, list(bids), list(asks), BEGIN * 2 * SECOND)
        )

    def pane(
        self, *, width: int = 40, height: int = 13, bars: Bars = Bars.BLOCKS, **arguments: object
    ) -> Pane:
        """Return the pane: cells of 1 and columns of 1 s, unless it is said otherwise."""
        options = {"column": "1", **arguments.pop("options", {})}  # type: ignore[dict-item]
        taken = {"group": Decimal(1), "trust": LIVE, "memory": self.memory, "options": options, **arguments}
        return heatmap(
            self.heat,
            self.book,
            BTC,
            width=width,
            height=height,
            bars=bars,
            now=self.now,
            **taken,  # type: ignore[arg-type]
        )


def cells(row: Row) -> list[Span]:
    """Return a row cell by cell."""
    return [Span(character, role, ground) for string, role, ground in row for character in string]


def row_of(scene: Scene, pane: Pane, price: int, per: int = 1) -> list[Span]:
    """Return the cells of the row that a price falls into, where cells are 1 high."""
    grid = scene.memory.grid
    assert grid is not None
    rows = grid.cells // per
    return cells(pane.body[rows - 1 - (price - grid.bottom) // per])


def test_a_large_level_is_brighter_than_a_small_one_and_nothing_is_dark() -> None:
    """Brightness says the size, from the ground up to the cut-off."""
    scene = Scene()
    scene.pass_by(3)
    pane = scene.pane()
    shades = {price: row_of(scene, pane, price)[1].text for price in (105, 102, 98, 103, 104, 96)}
    assert shades == {105: "█", 102: "░", 98: "░", 103: " ", 104: " ", 96: " "}
    assert row_of(scene, pane, 105)[1].role is HEAT[-1]


def test_two_prices_share_a_row_in_half_blocks() -> None:
    """The upper one is the glyph's colour, the lower one its ground."""
    scene = Scene()
    scene.pass_by(2)
    pane = scene.pane(bars=Bars.TINT, height=9, options={"touch": "off"})
    grid = scene.memory.grid
    assert grid is not None
    both = row_of(scene, pane, 102, per=2)[0]
    lower, upper = (102, 103) if (102 - grid.bottom) % 2 == 0 else (101, 102)
    assert {lower, upper} >= {102}
    assert both.text in "▀▄"
    assert both.role in HEAT
    assert both.ground in HEAT_GROUNDS


def test_each_price_of_a_pair_has_its_own_colour() -> None:
    """The largest level above or below a small one is told from it within a row."""
    scene = Scene(book([("100", "1")], [("102", "64"), ("103", "2")]))
    scene.pass_by(2)
    pane = scene.pane(bars=Bars.TINT, height=9, options={"touch": "off", "cut": "100"})
    row = row_of(scene, pane, 102, per=2)[0]
    grid = scene.memory.grid
    assert grid is not None
    assert grid.bottom % 2 == 0
    assert row == Span("▀", HEAT[0], Ground.HEAT_8)


@pytest.mark.parametrize("bars", Bars)
def test_a_gap_is_drawn_as_a_gap_and_carries_nothing_over(bars: Bars) -> None:
    """Seconds out of sync are hatched from top to bottom, though the levels stood before and after."""
    scene = Scene()
    scene.pass_by(2)
    scene.pass_by(3, in_sync=False)
    scene.pass_by(2)
    rows = [cells(row) for row in scene.pane(bars=bars, height=12).body[:-1]]
    hatch = "/" if bars is Bars.ASCII else "╱"
    for row in rows:
        assert [cell.text == hatch for cell in row[:7]] == [False, False, True, True, True, False, False]


def test_before_the_first_second_that_is_kept_there_is_nothing() -> None:
    """What was forgotten is blank: a gap is where something is missing."""
    scene = Scene()
    scene.pass_by(3)
    scene.pane()
    scene.memory.scope.first -= 2
    scene.memory.key = None
    row = row_of(scene, scene.pane(), 105)
    assert "".join(cell.text for cell in row[:6]) == "  ███ "
    assert row[0].ground is Ground.PANEL


def test_time_without_samples_up_to_now_is_a_gap() -> None:
    """A feed that is dead does not leave its last column standing as the present."""
    scene = Scene()
    scene.pass_by(2)
    scene.now += 5 * SECOND
    row = row_of(scene, scene.pane(), 105)
    assert "".join(cell.text for cell in row[:8]) == "██╱╱╱╱╱ "


def test_what_is_not_sampled_yet_is_blank() -> None:
    """On the right of the present there is nothing, not a gap."""
    scene = Scene()
    scene.pass_by(2)
    row = row_of(scene, scene.pane(), 105)
    assert {(cell.text, cell.ground) for cell in row[2:20]} == {(" ", Ground.PANEL)}


def test_the_cut_off_keeps_one_spoof_from_darkening_the_rest() -> None:
    """At a percentile the largest cell does not set the scale; at 100 it does."""
    levels = [(str(90 - n), "5") for n in range(8)]
    scene = Scene(book([("99", "5"), *levels], [("101", "5"), ("104", "1000000")]))
    scene.pass_by(3)
    by_percentile = row_of(scene, scene.pane(height=41, options={"cut": "90"}), 88)[0]
    by_largest = row_of(scene, scene.pane(height=41, options={"cut": "100"}), 88)[0]
    assert by_percentile.role is HEAT[-1]
    assert by_largest.role is HEAT[0]


sizes = st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=200)


@settings(max_examples=60, deadline=None)
@given(sizes, st.sampled_from([90.0, 95.0, 98.5, 99.5, 100.0]))
def test_the_cut_off_is_the_percentile(found: list[float], percentile: float) -> None:
    """Within one bucket of the size that so many of the cells do not pass, those that are empty left out."""
    cut = CutOff()
    cut.add([0.0, *found, 0.0])
    assert cut.settle(percentile, anew=True)
    rank = int(len(found) * (100 - percentile) / 100)
    wanted = sorted(found, reverse=True)[rank]
    assert cut.value <= wanted * (1 + 1e-9)
    assert wanted < cut.value * 1.13


@given(sizes, sizes)
def test_what_left_no_longer_counts_for_the_cut_off(stay: list[float], leave: list[float]) -> None:
    """Columns that went out of sight have no part in the scale."""
    cut, other = CutOff(), CutOff()
    cut.add(leave)
    cut.add(stay)
    cut.add(leave, -1)
    other.add(stay)
    cut.settle(98.5, anew=True)
    other.settle(98.5, anew=True)
    assert cut.steps == other.steps


def test_the_scale_is_that_of_what_is_in_sight() -> None:
    """However its columns grew, second by second and page by page, the cut-off is that of its cells."""
    scene = Scene()
    for n in range(150):
        scene.change([("95", str(n % 50 + 1))], [("105", str(n))])
        scene.pass_by()
        scene.pane(options={"column": "2"})
    grid = scene.memory.grid
    assert grid is not None
    fresh = CutOff()
    for column in grid.columns:
        assert column.sizes is not None
        fresh.add(column.sizes)
    fresh.settle(98.5, anew=True)
    grid.cut.settle(98.5, anew=True)
    assert grid.cut.steps == fresh.steps


@given(sizes)
def test_brightness_never_falls_as_size_grows(found: list[float]) -> None:
    """And only nothing at all is dark."""
    cut = CutOff()
    cut.add(found)
    cut.settle(98.5, anew=True)
    levels = list(cut.levels(sorted(found)))
    assert levels == sorted(levels)
    assert 1 <= levels[0] <= levels[-1] <= LEVELS
    assert list(cut.levels([0.0])) == [0]


@pytest.mark.parametrize(
    ("bars", "buyer", "seller", "unknown"),
    [(Bars.TINT, "•", "◦", "·"), (Bars.BLOCKS, "▴", "▾", "·"), (Bars.ASCII, "^", "v", "o")],
)
def test_prints_are_dots_by_aggressor(bars: Bars, buyer: str, seller: str, unknown: str) -> None:
    """At their price and second, in a shape of their side, which the colour only repeats."""
    scene = Scene(book([("97", "1")], [("103", "1")]))
    scene.pass_by()
    scene.heat.add_print(print_("102.9", "1", Side.BUY))
    scene.heat.add_print(print_("97.5", "1", Side.SELL))
    scene.heat.add_print(print_("100", "1", None))
    scene.pass_by()
    pane = scene.pane(bars=bars, options={"prints": "all"})
    per = 2 if bars is Bars.TINT else 1
    dots = [row_of(scene, pane, price, per)[1] for price in (102, 97, 100)]
    assert [dot.text for dot in dots] == [buyer, seller, unknown]
    assert [dot.role for dot in dots] == [Role.BID_STRONG, Role.ASK_STRONG, Role.STRONG]
    assert row_of(scene, pane, 102, per)[0].text != buyer, "not in the second before"


def test_a_cell_with_both_sides_shows_the_larger() -> None:
    """And its size is that side's alone."""
    scene = Scene()
    for price, quantity, side in (
        ("100.1", "2", Side.BUY),
        ("100.2", "5", Side.SELL),
        ("100.3", "2", Side.BUY),
    ):
        scene.heat.add_print(print_(price, quantity, side))
    scene.pass_by()
    assert row_of(scene, scene.pane(options={"prints": "all"}), 100)[0].text == "▾"


def test_small_prints_are_left_out_by_default_and_all_of_them_at_will() -> None:
    """One in four is drawn first of all; the very large ones are larger."""
    scene = Scene()
    for n in range(20):
        scene.heat.add_print(print_("100", str(n + 1)))
        scene.pass_by()
    row = "".join(cell.text for cell in row_of(scene, scene.pane(), 100)[:20])
    assert row == " " * 15 + "▴▴▴▴▲"
    row = "".join(cell.text for cell in row_of(scene, scene.pane(options={"prints": "all"}), 100)[:20])
    assert row == "▴" * 19 + "▲"
    assert "▴" not in screen(scene.pane(options={"prints": "off"}))


@pytest.mark.parametrize(
    ("bars", "bid", "ask", "both"), [(Bars.BLOCKS, "▔", "_", "─"), (Bars.ASCII, "~", "_", "x")]
)
def test_the_touch_is_a_line_on_each_side(bars: Bars, bid: str, ask: str, both: str) -> None:
    """The best bid and ask of each second, told apart without colour; one mark where they share a cell."""
    scene = Scene()
    scene.pass_by()
    scene.change([("100.1", "1")], [("100.2", "1")])
    scene.pass_by()
    pane = scene.pane(bars=bars)
    first = {price: row_of(scene, pane, price)[0].text for price in (99, 100, 101)}
    assert (first[99], first[101]) == (bid, ask)
    assert row_of(scene, pane, 100)[1].text == both
    assert both not in screen(scene.pane(bars=bars, options={"touch": "off"}))


def test_the_touch_is_coloured_half_blocks_where_there_are_tints() -> None:
    """Bid, ask, and both: three colours of their own, each at its own half."""
    scene = Scene()
    scene.pass_by()
    scene.change([("100.1", "1")], [("100.2", "1")])
    scene.pass_by()
    pane = scene.pane(bars=Bars.TINT, height=9)
    roles = {cell.role for row in pane.body for cell in cells(row)}
    grounds = {cell.ground for row in pane.body for cell in cells(row)}
    looks = {look.value for look in roles | grounds}
    assert {"bid-line", "ask-line", "touch-line"} <= looks


def test_the_last_price_is_marked_on_the_axis() -> None:
    """On its row, to its last digit; where it is out of sight an arrow says on which side."""
    scene = Scene()
    scene.heat.add_print(print_("100.37", "1"))
    scene.pass_by()
    pane = scene.pane()
    assert "".join(cell.text for cell in row_of(scene, pane, 100)).rstrip().endswith("◂100.37")
    scene.memory.move(-40)
    assert text(scene.pane().body[-2]).rstrip().endswith("↓100.37")
    scene.memory.move(80)
    assert text(scene.pane().body[0]).rstrip().endswith("↑100.37")


def test_prices_on_the_axis_are_those_of_their_rows() -> None:
    """A label is the lowest price of its row, and a round one."""
    scene = Scene()
    scene.pass_by()
    pane = scene.pane(bars=Bars.TINT, height=21)
    grid = scene.memory.grid
    assert grid is not None
    found = {
        grid.bottom + 2 * (19 - at): Decimal(row[-9:].strip())
        for at, row in enumerate(plain(pane)[:-1])
        if row[-9:].strip()
    }
    assert found
    assert all(number == price and number % 10 == 0 for number, price in found.items())


def test_a_price_on_the_axis_is_never_cut() -> None:
    """Bids alone, below a power of ten, without a print: the prices above need a digit that no level has."""
    scene = Scene(book([("999999999.5", "1")], []))
    scene.pass_by()
    for height in (13, 14):
        pane = scene.pane(width=60, height=height, group=Decimal("0.5"))
        assert "1,000,000,00" in screen(pane)
        assert "…" not in screen(pane)
        assert bad_widths(pane.body, 60) == []


def test_times_stand_under_their_columns() -> None:
    """23:54:24 is four columns of a second from the left."""
    scene = Scene()
    scene.pass_by(30)
    row = text(scene.pane(width=60).body[-1])
    assert row.index("23:54:40") == 20


def test_a_column_is_the_mean_of_its_seconds() -> None:
    """A level that stood for half of a column is half as bright as one that stood all the time."""
    scene = Scene(book([("90", "4")], [("110", "4")]))
    scene.pass_by()
    scene.change([("95", "4")])
    scene.pass_by()
    scene.pane(height=31, options={"column": "2"})
    grid = scene.memory.grid
    assert grid is not None
    (column,) = grid.columns
    assert column.sizes is not None
    assert [column.sizes[price - grid.bottom] for price in (90, 95, 110)] == [4, 2, 4]


HARD_BOOKS = {
    "tiny": book([("0.000000000001", "0.000000000000000001")], [("0.000000000003", "5")]),
    "huge": book([("1000000000.5", "123456789012.000000000000000001")], [("1000000001", "1")]),
    "fine": book([("1.000000000000000001", "1")], [("1.000000000000000002", "1")]),
    "no bids": book([], [("101", "1")]),
    "no asks": book([("99", "1")], []),
    "crossed": book([("102", "1")], [("101", "1")]),
    "locked": book([("101", "1")], [("101", "1")]),
    "empty": book([], []),
}


@pytest.mark.parametrize("name", HARD_BOOKS)
@pytest.mark.parametrize("bars", Bars)
def test_books_that_are_hard_to_show_are_shown(name: str, bars: Bars) -> None:
    """Prices of any size, a side without levels, a crossed book, an instrument without a tick."""
    scene = Scene(HARD_BOOKS[name])
    scene.pass_by(3)
    for instrument in (None, BTC):
        pane = heatmap(
            scene.heat,
            scene.book,
            instrument,
            width=60,
            height=15,
            trust=LIVE,
            memory=HeatMemory(),
            options={},
            bars=bars,
            now=scene.now,
        )
        assert bad_widths(pane.body, 60) == []
        if name == "empty":
            assert screen(pane).strip() in ("The book is empty", f"Nothing yet · {ID}")
        else:
            shades = ".:-=+*#%@x_~" if bars is Bars.ASCII else "░▒▓█▔_─▀▄"
            grounds = {span.ground for row in pane.body for span in row}
            assert set(screen(pane)) & set(shades) or grounds & set(HEAT_GROUNDS[1:])


def test_a_second_that_passes_changes_one_column() -> None:
    """The columns before it stay where they are, cell for cell, until the page turns."""
    scene = Scene()
    scene.pass_by(5)
    before = scene.pane()
    scene.pass_by()
    after = scene.pane()
    changed = {
        x
        for old, new in zip(before.body, after.body, strict=True)
        for x, (a, b) in enumerate(zip(cells(old), cells(new), strict=True))
        if a != b
    }
    assert changed == {5}


def test_a_full_page_turns_and_leaves_room() -> None:
    """What is kept moves left at once; the newest column is in sight all the time."""
    scene = Scene()
    firsts = []
    for _ in range(70):
        scene.pass_by()
        scene.pane()
        grid = scene.memory.grid
        assert grid is not None
        assert len(grid.columns) <= grid.width
        assert grid.first + len(grid.columns) == scene.heat.end
        firsts.append(grid.first)
    assert len(set(firsts)) <= 70 // 5


def test_a_wider_pane_is_filled() -> None:
    """A pane that grows shows more of the past, and leaves as much free as a page that has just turned."""
    scene = Scene()
    scene.pass_by(90)
    scene.pane(width=40)
    scene.pane(width=80)
    grid = scene.memory.grid
    assert grid is not None
    assert len(grid.columns) == grid.width - grid.width // 6


def test_the_market_is_followed_in_price() -> None:
    """A touch that leaves the pane is brought back to its middle."""
    scene = Scene()
    scene.pass_by()
    scene.pane()
    scene.change([("199", "1")], [("101", "0"), ("102", "0"), ("105", "0"), ("201", "1")])
    scene.pass_by()
    scene.pane()
    grid = scene.memory.grid
    assert grid is not None
    assert grid.bottom < 199 < grid.bottom + grid.cells


def test_prices_can_be_moved_and_centred_again() -> None:
    """Upwards shows higher prices, and the market is not followed until it is wished."""
    scene = Scene()
    scene.pass_by()
    scene.pane()
    bottom = scene.memory.scope.bottom
    scene.memory.move(-3)
    scene.pane()
    assert scene.memory.scope.bottom == bottom + 3
    assert scene.memory.release()
    scene.pane()
    assert scene.memory.scope.bottom == bottom
    assert not scene.memory.release()


def test_one_can_go_back_in_time_as_far_as_there_is_something() -> None:
    """The border says until when; further steps on lead to the present, which is followed again."""
    scene = Scene()
    scene.pass_by(120)
    scene.pane()
    scene.memory.shift(-1)
    pane = scene.pane(width=80)
    assert "‹ to 23:5" in text(pane.trust)
    scene.memory.shift(-100)
    scene.pane()
    assert scene.memory.scope.first == BEGIN
    scene.memory.shift(100)
    pane = scene.pane()
    assert "‹" not in text(pane.trust)
    assert scene.memory.scope.in_present


def test_the_step_of_a_cell_is_chosen_or_suits_the_market() -> None:
    """Without one the way of the touch and ten basis points fit in; steps go 1, 2, 5."""
    scene = Scene(book([("61837.63", "1")], [("61837.64", "1")]))
    scene.pass_by()
    pane = scene.pane(width=80, height=31, bars=Bars.TINT, group=None)
    assert scene.memory.cell == Decimal(2)
    assert "2 a cell" in text(pane.trust)
    assert scene.memory.step(1) == Decimal(5)
    assert scene.memory.step(-1) == Decimal(1)
    assert scene.memory.step(-100) == Decimal("0.01")
    assert HeatMemory().step(1) is None


def test_the_border_says_what_a_column_a_cell_and_the_brightest_stand_for() -> None:
    """As much of it as there is room for; in a state that is not current, the state."""
    scene = Scene()
    scene.pass_by()
    assert text(scene.pane(width=80).trust) == "1 s a column · 1 a cell · cut at p98.5"
    assert text(scene.pane(width=34).trust) == "1 s · 1 · p98.5"
    stale = scene.pane(width=80, trust=trust(TrustState.STALE, "no pings", 14))
    assert stale.dimmed
    assert "stale 14 s" in text(stale.trust)


def test_without_samples_it_says_so() -> None:
    """Before the first snapshot, and for books that have no levels."""
    empty = Scene(OrderBook(ID))
    assert "Awaiting the first snapshot" in screen(empty.pane(trust=trust(TrustState.AWAITING)))
    curve = Scene(book(BIDS, ASKS, BookType.VWAP))
    assert "curve of average prices" in " ".join(screen(curve.pane(width=90)).split())


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 140),
    st.integers(1, 50),
    st.sampled_from(Bars),
    st.integers(0, 90),
    st.sampled_from(["1", "2", "5", "10"]),
    st.sampled_from([None, Decimal("0.01"), Decimal(1), Decimal(500)]),
    st.lists(
        st.tuples(st.sampled_from(["move", "page", "shift", "centre"]), st.integers(-30, 30)), max_size=5
    ),
)
def test_every_row_is_exactly_as_wide_as_the_pane(
    width: int,
    height: int,
    bars: Bars,
    seconds: int,
    column: str,
    group: Decimal | None,
    moves: list[tuple[str, int]],
) -> None:
    """At every size, whatever was chosen and wherever it was moved to; and no more rows than there are."""
    scene = Scene()
    scene.pass_by(seconds // 2)
    scene.heat.add_print(print_("100", "1"))
    scene.now += 3 * SECOND
    scene.pass_by(seconds - seconds // 2)
    arguments: dict[str, object] = {"options": {"column": column, "prints": "all"}, "group": group}
    scene.pane(width=width, height=height, bars=bars, **arguments)
    for name, by in moves:
        getattr(scene.memory, name)(*(() if name == "centre" else (by,)))
        pane = scene.pane(width=width, height=height, bars=bars, **arguments)
        assert bad_widths(pane.body, width) == []
        assert len(pane.body) <= height


@pytest.mark.parametrize("choice", CHOICES)
def test_each_choice_has_words_that_preferences_can_hold(choice: object) -> None:
    """Short and lower-case, so that they can be read from a file."""
    values = choice.values  # type: ignore[attr-defined]
    assert all(
        set(value) <= set("abcdefghijklmnopqrstuvwxyz0123456789.") and len(value) <= 12 for value in values
    )


def test_a_frame_in_which_nothing_changed_is_the_same_frame() -> None:
    """The rows are the very same objects, so that nothing is painted."""
    scene = Scene()
    scene.pass_by(5)
    assert scene.pane().body is scene.pane().body


def test_shades_are_in_order() -> None:
    """Without colour a glyph says the brightness: each has more ink than the one before."""
    assert ASCII_SHADES == " .:-=+*#%@"
    scene = Scene(book([(str(99 - n), str((n + 1) ** 2)) for n in range(8)], [("101", "1")]))
    scene.pass_by()
    pane = scene.pane(bars=Bars.ASCII, height=31, options={"cut": "100", "touch": "off"})
    found = [row_of(scene, pane, 99 - n)[0].text for n in range(8)]
    assert [ASCII_SHADES.index(shade) for shade in found] == sorted(map(ASCII_SHADES.index, found))
    assert len(set(found)) >= 4


@pytest.mark.parametrize("column", ["1", "2", "5"])
def test_what_is_sampled_late_is_drawn_where_a_gap_stood(column: str) -> None:
    """A clock may be ahead of what is sampled, as a recording's is where the reader is late."""
    scene = Scene()
    options = {"column": column}
    scene.pass_by(3)
    sampled = scene.now
    scene.now += 20 * SECOND
    assert "╱" in screen(scene.pane(options=options))
    for _ in range(4):
        scene.now, ahead = sampled, scene.now
        scene.pass_by(5)
        sampled, scene.now = scene.now, ahead
        drawn = plain(scene.pane(options=options))
        assert drawn == plain(scene.pane(options=options, memory=HeatMemory()))
    assert "╱" not in screen(scene.pane(options=options))
