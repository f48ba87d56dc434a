"""What levels come to, and the cost of trading through them, against Fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import Level, OrderBook
from cadenza_tui.market.depth import cost, costs, distance_bps, slippage_bps, through, totals
from cadenza_tui.market.grouped import Grouped
from cadenza_tui.market.records import BookType
from tests.market.updates import snapshot

PRICES = st.decimals("0.000000000001", "1e9", places=12, allow_nan=False).map(
    lambda price: format(price, "f")
)
QUANTITIES = st.decimals("1e-18", "1e6", places=18, allow_nan=False).map(lambda size: format(size, "f"))
LEVELS = st.lists(st.builds(Level, PRICES, QUANTITIES, st.none() | st.integers(0, 9), st.none()), max_size=8)
MIDS = st.decimals("1e-12", "1e9", places=13, allow_nan=False).filter(bool)


def rounded(value: Fraction, places: int) -> Fraction:
    """Round half to even, as Python's own integers do."""
    return Fraction(round(value * 10**places), 10**places)


def naive_cost(levels: list[Level], wanted: Fraction) -> tuple[Fraction, Fraction, Fraction | None, bool]:
    left, notional, worst = wanted, Fraction(0), None
    for level in levels:
        if left <= 0:
            break
        part = min(left, Fraction(level.quantity))
        notional += part * Fraction(level.price)
        left -= part
        worst = Fraction(level.price)
    return wanted - left, notional, worst, left <= 0


@settings(deadline=None)
@given(levels=LEVELS, wanted=st.lists(QUANTITIES, max_size=4), mid=MIDS, bid=st.booleans())
def test_a_cost_is_what_taking_level_after_level_comes_to(
    levels: list[Level], wanted: list[str], mid: Decimal, bid: bool
) -> None:
    """Filled, notional and worst price are exact, the average and the basis points rounded once."""
    asked = sorted(map(Decimal, wanted))
    for quantity, fill in zip(asked, costs(iter(levels), asked), strict=True):
        assert fill == cost(levels, quantity)
        filled, notional, worst, complete = naive_cost(levels, Fraction(quantity))
        assert (Fraction(fill.filled), Fraction(fill.notional)) == (filled, notional)
        assert (fill.worst, fill.complete) == (worst, complete)
        slip = fill.slippage_bps(mid, bid=bid)
        if not filled:
            assert fill.vwap is slip is None
            continue
        assert fill.vwap is not None
        assert slip is not None
        exponent = fill.vwap.as_tuple().exponent
        assert isinstance(exponent, int)
        assert -exponent >= 12
        assert Fraction(fill.vwap) == rounded(notional / filled, -exponent)
        away = (notional / filled - Fraction(mid)) * 10_000 / Fraction(mid)
        assert Fraction(slip) == rounded(-away if bid else away, 6)


@settings(deadline=None)
@given(levels=LEVELS.filter(bool), data=st.data(), mid=MIDS, bid=st.booleans())
def test_through_is_the_cost_of_all_that_stands_before(
    levels: list[Level], data: st.DataObject, mid: Decimal, bid: bool
) -> None:
    """The cursor's sums are those of the levels up to it, its basis points those of taking them all."""
    index = data.draw(st.integers(0, len(levels) - 1))
    there = levels[: index + 1]
    found = through(levels, index, mid, bid=bid)
    sums = totals(there)
    assert Fraction(found.quantity) == sum(Fraction(level.quantity) for level in there)
    assert Fraction(found.notional) == sum(Fraction(one.quantity) * Fraction(one.price) for one in there)
    assert (sums.quantity, sums.notional, sums.levels) == (found.quantity, found.notional, len(there))
    counts = [level.orders for level in there]
    assert sums.orders == (None if None in counts else sum(filter(None, counts)))
    assert found.slippage_bps == slippage_bps(found.notional, found.quantity, mid, bid=bid)
    assert found.vwap == cost(there, found.quantity).vwap
    assert found.distance_bps is not None
    away = (Fraction(levels[index].price) - Fraction(mid)) * 10_000 / Fraction(mid)
    assert Fraction(found.distance_bps) == rounded(away, 6)


def test_through_groups_is_through_their_levels() -> None:
    """A group counts with the notional of its levels, not with its own price."""
    book = OrderBook("X")
    book.apply(snapshot("", "10.1:1 10.2:3 10.7:8"))
    groups = Grouped(book.asks, Decimal("0.5")).rows(9)
    of_groups = through(groups, 0, Decimal(10), bid=False)
    of_levels = through(book.asks.levels(), 1, Decimal(10), bid=False)
    assert of_groups[:4] == of_levels[:4]
    assert of_groups.distance_bps == 500


def test_a_vwap_book_is_read_off_and_not_summed() -> None:
    """A quantity costs the price of the first point that has it; beyond the last one it is not complete."""
    points = [Level("10", "1", None, None), Level("11", "4", None, None)]
    small, exactly, middle, beyond = costs(points, [*map(Decimal, ("0.5", "1", "2", "9"))], BookType.VWAP)
    assert [*small] == [Decimal("0.5"), 5, 10, 10, True]
    assert [*exactly] == [1, 10, 10, 10, True]
    assert [*middle] == [2, 22, 11, 11, True]
    assert [*beyond] == [4, 44, 11, 11, False]
    assert [*totals(points, BookType.VWAP)] == [4, 44, None, 2]
    found = through(points, 1, Decimal(10), bid=False, book_type=BookType.VWAP)
    assert [*found] == [4, 44, 11, 1_000, 1_000]


def test_nothing_is_invented_without_a_mid_or_a_quantity() -> None:
    """Basis points need a mid that is not zero, an average something to average."""
    assert distance_bps(Decimal(1), None) is None
    assert distance_bps(Decimal(1), Decimal(0)) is None
    assert slippage_bps(Decimal(1), Decimal(0), Decimal(1), bid=True) is None
    assert [*cost([], Decimal(1))] == [0, 0, None, None, False]
