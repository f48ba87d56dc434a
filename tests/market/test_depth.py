"""What levels come to, and the cost of trading through them, against Fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import Level, OrderBook
from cadenza_tui.market.depth import costs, slippage_bps, totals
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
        assert [fill] == costs(levels, (quantity,))
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
@given(levels=LEVELS)
def test_totals_are_the_sums_of_the_levels(levels: list[Level]) -> None:
    """Quantity and notional to the last digit; orders where every level counts them."""
    sums = totals(levels)
    assert Fraction(sums.quantity) == sum(Fraction(level.quantity) for level in levels)
    assert Fraction(sums.notional) == sum(Fraction(one.quantity) * Fraction(one.price) for one in levels)
    assert sums.levels == len(levels)
    counts = [level.orders for level in levels]
    assert sums.orders == (None if None in counts else sum(filter(None, counts)))


def test_a_group_counts_with_the_notional_of_its_levels() -> None:
    """Not with its own price, to which all of it can be had."""
    book = OrderBook("X")
    book.apply(snapshot("", "10.1:1 10.2:3 10.7:8"))
    groups = Grouped(book.asks, Decimal("0.5")).rows(9)
    assert totals(groups[:1])[:2] == totals(book.asks.top(2))[:2]


def test_a_vwap_book_is_read_off_and_not_summed() -> None:
    """A quantity costs the price of the first point that has it; beyond the last one it is not complete."""
    points = [Level("10", "1", None, None), Level("11", "4", None, None)]
    small, exactly, middle, beyond = costs(points, [*map(Decimal, ("0.5", "1", "2", "9"))], BookType.VWAP)
    assert [*small] == [Decimal("0.5"), 5, 10, 10, True]
    assert [*exactly] == [1, 10, 10, 10, True]
    assert [*middle] == [2, 22, 11, 11, True]
    assert [*beyond] == [4, 44, 11, 11, False]
    assert [*totals(points, BookType.VWAP)] == [4, 44, None, 2]


def test_nothing_is_invented_without_a_mid_or_a_quantity() -> None:
    """Basis points need a mid that is not zero, an average something to average."""
    for mid in (None, Decimal(0)):
        assert slippage_bps(Decimal(1), Decimal(1), mid, bid=True) is None
    assert slippage_bps(Decimal(1), Decimal(0), Decimal(1), bid=True) is None
    assert [*costs([], (Decimal(1),))[0]] == [0, 0, None, None, False]
