"""The depth chart."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.heat import Heat
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from cadenza_tui.market.study import Study
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.depth_chart import LABELS, PERIOD, DepthMemory, depth_chart
from cadenza_tui.view.rows import Bars, Ground, Pane, Role, Row
from tests.view.support import BTC, ID, LIVE, NOW, bad_widths, book, plain, screen, text, trust

BIDS = [("99.98", "1.5"), ("99.97", "0.25"), ("99.90", "2"), ("99.00", "40")]
ASKS = [("100.02", "0.5"), ("100.03", "1.25"), ("100.12", "3"), ("101.50", "0.10")]


def shown(held: OrderBook, *, width: int = 60, height: int = 21, **arguments: object) -> Pane:
    """Return the chart of a book."""
    taken: dict[str, object] = {
        "trust": LIVE, "memory": DepthMemory(), "options": {}, "bars": Bars.BLOCKS, "now": NOW, **arguments
    }  # fmt: skip
    return depth_chart(held, BTC, width=width, height=height, **taken)  # type: ignore[arg-type]


def said(pane: Pane, *, asks: bool) -> dict[Decimal, str]:
    """Return what the rows of one side say: the sum by price, from the touch on."""
    half = (len(pane.body) - 1) // 2
    rows = plain(pane)[:half][::-1] if asks else plain(pane)[half + 1 :]
    return {
        Decimal(row.split()[0].replace(",", "")): row.split()[-1] for row in rows[::LABELS] if row.strip()
    }


def curve(row: Row) -> float:
    """Return the length of a row's curve, in cells."""
    eighths = " ▏▎▍▌▋▊▉"
    inside = [span for span in row if span.role in (Role.BID, Role.ASK) or span.ground.value.endswith("-bar")]
    return sum(
        1.0 if character in "█=░" or span.ground.value.endswith("-bar") else eighths.index(character) / 8
        for span in inside
        for character in span.text
    )


prices = st.integers(1, 400)
quantities = st.integers(1, 10**9).map(lambda n: f"{n / 10**5:.5f}")
sides = st.dictionaries(prices, quantities, min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(sides, sides, st.integers(5, 60), st.sampled_from(["auto", "5", "25", "100", "500"]), st.booleans())
def test_a_row_says_what_can_be_had_to_its_price(
    bids: dict[int, str], asks: dict[int, str], height: int, reach: str, studied: bool
) -> None:
    """The sum of all levels between the touch and the row's price, to the last digit."""
    held = book(
        [(f"{100 - n / 100:.2f}", quantity) for n, quantity in bids.items()],
        [(f"{100 + n / 100:.2f}", quantity) for n, quantity in asks.items()],
    )
    study = Study(held, Heat()) if studied else None
    pane = shown(held, height=height, options={"range": reach}, study=study)
    for is_ask, side in ((True, held.asks), (False, held.bids)):
        levels = [(Decimal(level.price), Decimal(level.quantity)) for level in side.levels()]
        rows = said(pane, asks=is_ask)
        for price, sum_said in rows.items():
            within = [q for p, q in levels if (p <= price if is_ask else p >= price)]
            if sum_said == "—":
                assert len(within) == len(levels), "only what lies beyond the book is unknown"
            else:
                assert Decimal(sum_said.replace(",", "")) == sum(within)


@settings(max_examples=40, deadline=None)
@given(sides, sides, st.integers(1, 90), st.integers(1, 50), st.sampled_from(Bars), st.booleans())
def test_every_row_is_exactly_as_wide_as_the_pane(
    bids: dict[int, str], asks: dict[int, str], width: int, height: int, bars: Bars, notional: bool
) -> None:
    """At every size; and as many rows as there are."""
    held = book(
        [(f"{100 - n / 100:.2f}", quantity) for n, quantity in bids.items()],
        [(f"{100 + n / 100:.2f}", quantity) for n, quantity in asks.items()],
    )
    options = {"sum": "notional" if notional else "quantity"}
    pane = shown(held, width=width, height=height, bars=bars, options=options)
    assert bad_widths(pane.body, width) == []
    assert len(pane.body) == height


@pytest.mark.parametrize("bars", Bars)
def test_the_curve_grows_with_the_sum(bars: Bars) -> None:
    """From the touch outwards it never becomes shorter, and sums in proportion have lengths in proportion."""
    pane = shown(
        book(BIDS, [("100.02", "10"), ("100.03", "10")]), bars=bars, options={"range": "5"}, height=13
    )
    asks = [curve(row) for row in pane.body[:6][::-1]]
    bids = [curve(row) for row in pane.body[7:]]
    assert asks[1] == pytest.approx(2 * asks[0], abs=1)
    assert bids == sorted(bids)


def test_the_curve_is_a_tint_with_an_edge() -> None:
    """Where there are tints its inside is as quiet as a size bar."""
    pane = shown(book(BIDS, ASKS), bars=Bars.TINT)
    grounds = {span.ground for row in pane.body for span in row}
    assert {Ground.BID_BAR, Ground.ASK_BAR} <= grounds


def test_beyond_the_book_there_is_no_curve() -> None:
    """What stands farther than the last price that is held is unknown, not nothing and not the same."""
    pane = shown(book([("99.98", "1")], [("100.02", "2"), ("100.03", "1")]), options={"range": "25"})
    assert list(said(pane, asks=True).values()) == ["3.00000", "—", "—", "—"]
    assert curve(pane.body[0]) == 0


def test_a_vwap_book_is_shown_as_the_curve_it_is() -> None:
    """Its quantities are running sums: they are not summed again."""
    held = book([("99.98", "1"), ("99.95", "4")], [("100.02", "2"), ("100.05", "9")], BookType.VWAP)
    pane = shown(held, options={"range": "5"}, height=11)
    assert said(pane, asks=True) == {Decimal("100.02"): "2.00000", Decimal("100.05"): "9.00000"}
    assert said(pane, asks=False) == {Decimal("99.98"): "1.00000", Decimal("99.95"): "4.00000"}


def test_notional_is_in_the_quote() -> None:
    """Each level's quantity times its price, summed, rounded to two decimals."""
    pane = shown(book(BIDS, ASKS), options={"sum": "notional", "range": "5"}, height=9)
    assert said(pane, asks=True)[Decimal("100.02")] == "50.01"


@pytest.mark.parametrize(
    ("bids", "asks", "words"),
    [
        ([("99.98", "1")], [("100.02", "1")], "100.00  spread 0.04  4.00 bps"),
        ([("100.02", "1")], [("100.02", "1")], "100.02  locked"),
        ([("100.04", "1")], [("100.02", "1")], "100.03  crossed −0.02"),
        ([], [("100.02", "1")], "no bids"),
        ([("100.02", "1")], [], "no asks"),
    ],
)
def test_the_row_between_the_sides_says_how_they_stand(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]], words: str
) -> None:
    """Mid and spread; a locked or crossed book and a side that is missing are said."""
    pane = shown(book(bids, asks), height=11)
    row = pane.body[5]
    assert words in text(row)
    assert all(span.ground is Ground.CURSOR for span in row)


@pytest.mark.parametrize(
    ("bid", "ask"),
    [("0.000000000001", "0.000000000003"), ("1000000000.5", "1000000001"), ("1", "1.000000000000000002")],
)
@pytest.mark.parametrize("quantity", ["0.000000000000000001", "123456789012.000000000000000001"])
def test_numbers_of_any_size_are_shown_or_marked_as_cut(bid: str, ask: str, quantity: str) -> None:
    """Prices from 1e-12 to 1e9, quantities of 18 decimals, no tick: every row fits and the touch is there."""
    held = book([(bid, quantity)], [(ask, quantity)])
    pane = depth_chart(
        held,
        None,
        width=70,
        height=11,
        trust=LIVE,
        memory=DepthMemory(),
        options={},
        bars=Bars.BLOCKS,
        now=NOW,
    )
    assert bad_widths(pane.body, 70) == []
    assert curve(pane.body[4]) > 0
    assert curve(pane.body[6]) > 0


def test_an_empty_book_says_so() -> None:
    """With a snapshot of nothing, and before the first."""
    assert "The book is empty" in screen(shown(book([], [])))
    assert "Awaiting the first snapshot" in screen(shown(OrderBook(ID), trust=trust(TrustState.AWAITING)))


def test_it_is_drawn_anew_only_now_and_then() -> None:
    """A book that changes with every message moves the curve a few times a second."""
    held, memory = book(BIDS, ASKS), DepthMemory()
    before = shown(held, memory=memory).body
    held.apply(BookUpdate(ID, UpdateType.DIFF, BookType.L2, ("price", "quantity"), [("99.98", "9")], [], NOW))
    assert shown(held, memory=memory, now=NOW + PERIOD // 2).body is before
    after = shown(held, memory=memory, now=NOW + PERIOD).body
    assert after != before
    assert shown(held, memory=memory, now=NOW + 3 * PERIOD).body is after


def test_while_the_clock_stands_it_is_of_the_book_as_it_is() -> None:
    """A replay that pauses just after the curve was drawn does not leave it behind the ladder."""
    held, memory = book(BIDS, ASKS), DepthMemory()
    before = shown(held, memory=memory).body
    held.apply(BookUpdate(ID, UpdateType.DIFF, BookType.L2, ("price", "quantity"), [("99.98", "9")], [], NOW))
    assert shown(held, memory=memory, now=NOW + 1).body is before
    assert shown(held, memory=memory, now=NOW + 1).body != before


def test_a_notional_is_never_nothing_where_there_is_something() -> None:
    """Of a price of a millionth two decimals would be zeros."""
    rows = shown(book([("0.000001", "5")], [("0.000002", "2")]), options={"sum": "notional"})
    assert "0.000005" in screen(rows)


def test_the_border_says_the_step_and_the_state() -> None:
    """The book's type and the step of price, or what is wrong."""
    assert text(shown(book(BIDS, ASKS), options={"range": "5"}, height=21).trust) == "L2 · 0.01 a row"
    stale = shown(book(BIDS, ASKS), trust=trust(TrustState.STALE, "no pings", 14))
    assert stale.dimmed
    assert "stale 14 s" in text(stale.trust)
