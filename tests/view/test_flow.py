"""The Flow pane: every number of it, and what it says where there is none."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.records import BookType, BookUpdate, Instrument, Print, Side, UpdateType
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import Trust, TrustState
from cadenza_tui.view.flow import CHOICES, MOST_COST_WIDTH, FlowMemory, flow
from cadenza_tui.view.frame import framed
from cadenza_tui.view.numbers import digits
from tests.view.support import BTC, ID, LIVE, NOW, SECOND, bad_widths, plain, screen, text, trust

if TYPE_CHECKING:
    from cadenza_tui.view.rows import Pane

Rows = list[tuple[str, ...]]

BIDS: Rows = [("100.00", "1.00000"), ("99.99", "2.00000"), ("99.90", "40.00000")]
ASKS: Rows = [("100.02", "1.50000"), ("100.03", "2.00000"), ("100.50", "60.00000")]


def message(
    bids: Rows, asks: Rows, kind: UpdateType = UpdateType.DIFF, at: int = NOW, of: BookType = BookType.L2
) -> BookUpdate:
    return BookUpdate(ID, kind, of, ("price", "quantity"), bids, asks, at)


def watched(bids: Rows = BIDS, asks: Rows = ASKS, of: BookType = BookType.L2) -> Market:
    """Return a market that looks at one book."""
    market = Market()
    market.attend(ID, [])
    market.apply_book(message(bids, asks, UpdateType.SNAPSHOT, of=of))
    assert market.study(ID).flow.known is (of is not BookType.VWAP)
    return market


def traded(price: str, quantity: str, side: Side | None) -> Print:
    return Print(ID, Decimal(price), Decimal(quantity), side, NOW + SECOND)


def pane(
    market: Market,
    width: int = 120,
    height: int = 8,
    memory: FlowMemory | None = None,
    how: Trust = LIVE,
    instrument: Instrument | None = BTC,
    **options: str,
) -> Pane:
    return flow(
        market.book(ID),
        market.study(ID),
        instrument,
        width=width,
        height=height,
        trust=how,
        memory=memory or FlowMemory(),
        options=options,
        now=NOW + 2 * SECOND,
    )


def cells(row: str) -> list[str]:
    """Return the words of a row."""
    return row.split()


def test_each_side_has_its_line() -> None:
    """Traded with the aggressor's glyph, pulled, stacked, net, depth and notional; and the difference."""
    market = watched()
    market.apply_book(
        message([("99.99", "5.00000")], [("100.03", "0.50000"), ("100.02", "1.00000")], at=NOW + SECOND)
    )
    market.apply_print(traded("100.02", "0.20000", Side.BUY))
    market.apply_print(traded("100.00", "0.10000", Side.SELL))
    lines = plain(pane(market, width=100))
    assert cells(lines[0]) == ["traded", "pulled", "stacked", "net", "depth", "notional"]
    assert cells(lines[1]) == ["asks", "0.20000", "▲", "−1.80000", "0", "−1.80000", "61.50000", "6,180.04"]
    assert cells(lines[2]) == ["bids", "0.10000", "▼", "0", "+3.00000", "+3.00000", "46.00000", "4,595.95"]
    assert cells(lines[3]) == ["Δ", "+0.10000", "+4.80000", "−15.50000", "−1,584.08"]


def test_a_narrow_pane_has_a_row_for_each_number() -> None:
    """Nothing is left out of 42 cells but the differences, and the costs follow."""
    market = watched()
    market.apply_book(message([("99.99", "5.00000")], [("100.03", "0.50000")], at=NOW + SECOND))
    market.apply_print(traded("100.02", "0.20000", Side.BUY))
    lines = plain(pane(market, width=42, height=12, size="1"))
    assert [cells(line) for line in lines[:7]] == [
        ["asks", "bids"],
        ["traded", "0.20000", "▲", "0"],
        ["pulled", "−1.50000", "0"],
        ["stacked", "0", "+3.00000"],
        ["net", "−1.50000", "+3.00000"],
        ["depth", "62.00000", "46.00000"],
        ["notional", "6,230.04", "4,595.95"],
    ]
    assert cells(lines[8]) == ["BTC", "buy", "at", "bps", "sell", "at", "bps"]
    wide = plain(pane(market, width=64, height=12))
    assert cells(wide[0]) == ["asks", "bids", "Δ"]
    assert cells(wide[5])[-1] == "−16.00000"
    assert "traded" in plain(pane(market, width=60, height=6))[0]


def test_the_costs_are_averages_and_their_distance_from_the_mid() -> None:
    """For three quantities, both ways: the average price to one decimal more, and basis points."""
    lines = plain(pane(watched(), width=80, height=9, size="1"))
    assert cells(lines[5]) == ["BTC", "buy", "at", "bps", "sell", "at", "bps"]
    assert cells(lines[6]) == ["1", "100.020", "1.00", "100.000", "1.00"]
    assert cells(lines[7]) == ["5", "100.168", "15.80", "99.956", "5.40"]
    assert cells(lines[8])[0] == "20"


def test_beside_each_other_where_there_is_room() -> None:
    """Four rows hold both tables on a wide pane; on a narrow one the costs follow."""
    wide, narrow = plain(pane(watched(), width=104, height=4)), plain(pane(watched(), width=103, height=9))
    assert "buy at" in wide[0]
    assert "traded" in wide[0]
    assert "buy at" in narrow[5]


def test_costs_come_with_a_number_or_not_at_all() -> None:
    """Where there is room for the names of their columns alone, that room stays empty."""
    assert len(plain(pane(watched(), width=80, height=5))) == 4
    assert "buy at" in plain(pane(watched(), width=80, height=6))[4]


@pytest.mark.parametrize("width", [8, 20, 30, 44, 60, 103, 104, 200])
@pytest.mark.parametrize("height", [0, 1, 4, 8, 20])
def test_rows_are_exactly_as_wide_as_the_pane(width: int, height: int) -> None:
    """Whatever the room, no row is wider or narrower, and there are never too many."""
    shown = pane(watched(), width, height)
    assert bad_widths(shown.body, width) == []
    assert len(shown.body) <= height


def test_the_border_says_since_when() -> None:
    """The time of the last change of the touch stands in the border, and the state of the book after it."""
    market = watched()
    market.apply_book(message([], [("100.02", "0")], at=NOW + SECOND))
    assert text(pane(market).trust) == "since 23:54:15Z · in sync · 0.1 s"


@pytest.mark.parametrize("width", range(30, 70))
def test_what_the_border_says_is_never_cut(width: int) -> None:
    """Where it is narrow, it says since when alone."""
    said = text(framed(pane(watched(), width=width), width + 2, 10)[0])
    assert "…" not in said
    assert "since " in said


@pytest.mark.parametrize("width", [128, 140, 148, 160])
def test_costs_have_room_to_grow_where_it_is_wide(width: int) -> None:
    """A larger quantity or a longer number takes no column away."""
    lines = plain(pane(watched(), width=width, height=4, size="1000"))
    assert "bps" in lines[0].partition("sell at")[2]
    assert "notional" in lines[0]


def test_nothing_is_said_of_the_flow_while_it_is_not_known() -> None:
    """Out of sync, or without anybody watching: pulled and stacked are unknown, and so says the pane."""
    market = watched()
    market.book(ID).mark_out_of_sync("a gap")
    shown = pane(market, how=trust(TrustState.RESYNCING, "a gap"))
    assert cells(plain(shown)[1])[:5] == ["asks", "—", "—", "—", "—"]
    assert shown.dimmed
    assert "since" not in text(shown.trust)
    alone = flow(
        market.book(ID), None, BTC, width=100, height=8, trust=LIVE, memory=FlowMemory(), options={}, now=NOW
    )
    assert cells(plain(alone)[1]) == ["asks", "—", "—", "—", "—", "63.50000", "6,380.09"]


def test_before_the_first_snapshot_it_says_what_it_waits_for() -> None:
    """There is nothing to sum up yet."""
    market = Market()
    assert "Awaiting the first snapshot" in screen(pane(market, how=trust(TrustState.AWAITING)))


def test_what_a_book_does_not_hold_has_no_cost() -> None:
    """A quantity larger than the side, an empty side and a mid that is not known are all told apart."""
    lines = plain(pane(watched(BIDS, []), width=100, height=9, size="10"))
    assert cells(lines[1])[-2:] == ["0", "0.0000"]
    assert cells(lines[6])[1:] == ["—", "—", "99.928", "—"]
    assert cells(lines[7])[1:] == ["—", "—", "—", "—"]


def test_a_crossed_book_costs_less_than_nothing() -> None:
    """The basis points keep their sign: negative is better than the mid."""
    lines = plain(pane(watched([("101", "9")], [("100", "9")]), width=100, height=9, size="1"))
    assert cells(lines[6]) == ["1", "100.000", "−49.75", "101.000", "−49.75"]


def test_a_vwap_book_is_not_summed() -> None:
    """Its depth is its last point, and a quantity costs what the first point that has it says."""
    points: Rows = [("100.02", "1"), ("100.10", "10"), ("100.50", "30")]
    market = watched([("100", "1"), ("99.9", "25")], points, BookType.VWAP)
    lines = plain(pane(market, width=100, height=9, size="1"))
    assert cells(lines[1])[-2:] == ["30.00000", "3,015.00"]
    assert [cells(line)[1] for line in lines[6:]] == ["100.020", "100.100", "100.500"]
    assert cells(lines[1])[1:5] == ["—"] * 4, "nothing is stacked on averages, nor pulled"


def test_the_depth_is_of_as_many_levels_as_was_chosen() -> None:
    """``all`` is the whole side; a number is that many of the best levels."""
    bids: Rows = [("100.00", "1"), *((f"99.{n}", "2") for n in range(99, 89, -1))]
    market = watched(bids)
    assert cells(plain(pane(market, width=100, depth="5"))[2])[-2] == "9.00000"
    assert cells(plain(pane(market, width=100))[2])[-2] == "21.00000"


def test_the_quantities_stay_until_the_book_is_another_one() -> None:
    """One, five and twenty times 1, 2 or 5 of a power of ten; chosen anew four times deeper or shallower."""
    market, memory = watched(), FlowMemory()

    def quantities() -> list[str]:
        return [cells(line)[0] for line in plain(pane(market, 100, 9, memory))[6:]]

    assert quantities() == ["2", "10", "40"]
    market.apply_book(message([("99.90", "90")], [("100.50", "95")]))
    assert quantities() == ["2", "10", "40"]
    market.apply_book(message([("99.90", "9000")], [("100.50", "9500")]))
    assert quantities() == ["200", "1000", "4000"]


def test_what_the_numbers_leave_out_is_said() -> None:
    """Prints without a side, and prints that were missed."""
    market = watched()
    assert len(plain(pane(market, 100, 20))) == 9
    market.apply_print(traded("100.01", "0.5", None))
    market.lose_prints(ID, 2)
    assert "0.5000 traded without a side · prints are missing" in plain(pane(market, 100, 20))[-1]


def test_a_frame_in_which_nothing_changed_is_the_frame_before() -> None:
    """Rows are made once for their content."""
    market, memory = watched(), FlowMemory()
    first = pane(market, memory=memory)
    assert pane(market, memory=memory).body is first.body
    market.apply_book(message([("99.99", "7")], []))
    assert pane(market, memory=memory).body is not first.body
    assert pane(market, memory=memory, size="1").body is not pane(market, memory=memory, size="10").body


def test_columns_stand_still_when_numbers_shrink() -> None:
    """Widths only grow: nothing moves because numbers have become shorter."""
    market, memory = watched([("100", "123456.123"), ("99", "1")], ASKS), FlowMemory()
    market.apply_book(message([("100", "1")], []))
    before = plain(pane(market, 100, 9, memory))
    market.apply_book(message([("100", "0")], []))
    after = plain(pane(market, 100, 9, memory))
    assert "−123,455.12300" in before[2]
    assert "123" not in after[2]
    assert before[0] == after[0]


SIZES = st.integers(1, 10**24).map(lambda units: format(Decimal(units).scaleb(-18), "f"))
TICKS = st.integers(1, 10**9)


@settings(max_examples=40, deadline=None)
@given(
    bids=st.dictionaries(TICKS, SIZES, min_size=1, max_size=6),
    asks=st.dictionaries(TICKS, SIZES, min_size=1, max_size=6),
    exponent=st.sampled_from([-12, -2, 0]),
    changes=st.lists(st.tuples(st.booleans(), SIZES), max_size=4),
)
def test_every_number_is_what_fractions_come_to(
    bids: dict[int, str], asks: dict[int, str], exponent: int, changes: list[tuple[bool, str]]
) -> None:
    """Depth, stacked and pulled digit for digit; an average price rounded once; at any scale of prices."""

    def price(ticks: int) -> str:
        return format(Decimal(ticks).scaleb(exponent), "f")

    market = watched(
        [(price(ticks), size) for ticks, size in sorted(bids.items(), reverse=True)],
        [(price(ticks), size) for ticks, size in sorted(asks.items())],
    )
    held = {True: dict(bids), False: dict(asks)}
    stacked, pulled = {True: Fraction(0), False: Fraction(0)}, {True: Fraction(0), False: Fraction(0)}
    for bid, size in changes:
        best = max(bids) if bid else min(asks)
        change = Fraction(size) - Fraction(held[bid][best])
        (stacked if change > 0 else pulled)[bid] += abs(change)
        held[bid][best] = size
        rows: Rows = [(price(best), size)]
        market.apply_book(message(rows if bid else [], [] if bid else rows, at=NOW + SECOND))
    lines = plain(pane(market, width=240, height=9, instrument=None, size="0.001"))
    for bid, line in ((False, lines[1]), (True, lines[2])):
        shown = cells(line[:-MOST_COST_WIDTH])
        assert Fraction(digits(shown[3])) == stacked[bid]
        assert Fraction(digits(shown[2])) == -pulled[bid]
        assert Fraction(digits(shown[4])) == stacked[bid] - pulled[bid]
        assert Fraction(digits(shown[5])) == sum(map(Fraction, held[bid].values()))
    first = cells(lines[1][-MOST_COST_WIDTH:])
    left, notional = Fraction("0.001"), Fraction(0)
    for ticks, size in sorted(held[False].items()):
        part = min(left, Fraction(size))
        notional += part * Fraction(price(ticks))
        left -= part
    if left:
        assert first[1] == "—"
    else:
        average = digits(first[1])
        places = -int(average.as_tuple().exponent)
        assert Fraction(average) == Fraction(round(notional * 1000 * 10**places), 10**places)


def test_every_choice_changes_what_is_shown() -> None:
    """The choices of the pane are those that it obeys."""
    bids: Rows = [(f"{200 - n}", "2") for n in range(60)]

    def shown(options: dict[str, str]) -> str:
        return screen(
            flow(
                market.book(ID),
                None,
                BTC,
                width=100,
                height=9,
                trust=LIVE,
                memory=FlowMemory(),
                options=options,
                now=NOW,
            )
        )

    market = watched(bids, [(f"{201 + n}", "2") for n in range(60)])
    for choice in CHOICES:
        assert len({shown({choice.name: value}) for value in choice.values}) == len(choice.values)
        assert shown({}) == shown({choice.name: choice.values[0]})
