"""Every number of a ladder against a computation of its own from the raw rows."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cadenza_tui.market.records import BookType, BookUpdate, Print, Side, UpdateType
from cadenza_tui.market.study import Studies
from cadenza_tui.view.ladder import LadderMemory
from cadenza_tui.view.rows import Role
from tests.view.ladders import Seen, books, seen, shown
from tests.view.support import ID, NOW, book, plain, screen, text

Rows = list[tuple[str, str]]
INCREMENTS = (None, Decimal("0.02"), Decimal("0.05"), Decimal("0.50"), Decimal("1"), Decimal("10"))
increments = st.sampled_from(INCREMENTS)
shapes = st.sampled_from(("stack", "dom"))


def grouped(rows: Rows, increment: Decimal | None, *, bid: bool) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Return price, quantity and notional of each group, best first: bids down, asks up, added up."""
    found: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for price, quantity in rows:
        exactly, size = Decimal(price), Decimal(quantity)
        there = exactly
        if increment is not None:
            rounding = ROUND_FLOOR if bid else ROUND_CEILING
            there = (exactly / increment).to_integral_value(rounding) * increment
        before = found.get(there, (Decimal(0), Decimal(0)))
        found[there] = (before[0] + size, before[1] + size * exactly)
    return [(price, *found[price]) for price in sorted(found, reverse=bid)]


def rounded(value: Fraction, places: int) -> Decimal:
    """Return an exact fraction rounded once, half to even."""
    return Decimal(round(value * 10**places)).scaleb(-places)


def expected(rows: Rows, increment: Decimal | None, *, bid: bool, notional: bool) -> list[Seen]:
    """Return the rows of a side as they are to be read, best first."""
    total, made = Decimal(0), []
    for price, quantity, worth in grouped(rows, increment, bid=bid):
        total += worth if notional else quantity
        made.append(Seen(bid, price, quantity, total))
    return made


@settings(max_examples=60, deadline=None)
@given(books(), increments, shapes, st.booleans())
def test_every_row_is_what_the_raw_book_comes_to(
    sides: tuple[Rows, Rows], increment: Decimal | None, shape: str, notional: bool
) -> None:
    """Prices, sizes and cumulative sums are those of the raw rows, grouped bids down and asks up."""
    bids, asks = sides
    options = {"shape": shape, "cumulative": "notional" if notional else "quantity"}
    height = 300 if shape == "dom" else 70
    pane = shown(book(bids, asks), width=100, height=height, group=increment, options=options)
    found = seen(pane)
    wanted = [
        *expected(asks, increment, bid=False, notional=notional)[::-1],
        *expected(bids, increment, bid=True, notional=notional),
    ]
    assert [row[:3] for row in found] == [row[:3] for row in wanted]
    for row, want in zip(found, wanted, strict=True):
        assert want.sigma is not None
        if row.sigma is None:  # what its decimals cannot show is said to be about nothing
            assert want.sigma < (Decimal("0.5") if notional else Decimal("0.001"))
            continue
        places = -int(row.sigma.as_tuple().exponent)
        assert row.sigma == want.sigma.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


@settings(max_examples=40, deadline=None)
@given(books(), increments, shapes)
def test_no_row_has_a_bid_and_an_ask(sides: tuple[Rows, Rows], increment: Decimal | None, shape: str) -> None:
    """Grouped or not, whatever stands on a row is of one side."""
    pane = shown(book(*sides), width=100, height=60, group=increment, options={"shape": shape})
    header = 1 if shape == "dom" else 0
    for row in pane.body[header + 1 : -1]:
        roles = {span.role for span in row if span.text.strip()}
        assert not (roles & {Role.BID, Role.BID_STRONG} and roles & {Role.ASK, Role.ASK_STRONG})


@settings(max_examples=60, deadline=None)
@given(books(), increments, st.integers(1, 40), st.booleans())
def test_the_cursor_says_the_sums_and_the_cost_of_trading_through(
    sides: tuple[Rows, Rows], increment: Decimal | None, steps: int, down: bool
) -> None:
    """Σ, notional, distance, average price and slippage are those of the raw rows up to the level."""
    bids, asks = sides
    assume(bids and asks)
    groups = grouped(bids if down else asks, increment, bid=down)
    memory = LadderMemory()
    memory.move(steps if down else -steps)
    held = book(bids, asks)
    pane = shown(held, width=140, height=60, group=increment, memory=memory)
    at = min(steps, len(groups)) - 1
    assert memory.cursor == groups[at][0]
    assert memory.bid is down
    quantity = sum((group[1] for group in groups[: at + 1]), Decimal(0))
    notional = sum((group[2] for group in groups[: at + 1]), Decimal(0))
    words = text(pane.body[-1]).replace(",", "").replace("−", "-").split()
    mid = (Fraction(bids[0][0]) + Fraction(asks[0][0])) / 2
    average = Fraction(notional) / Fraction(quantity)
    lost = (mid - average if down else average - mid) / mid * 10_000
    places = -int(Decimal(words[words.index("Σ") + 1]).as_tuple().exponent)
    assert Decimal(words[1]) == groups[at][0]
    assert Decimal(words[words.index("Σ") + 1]) == rounded(Fraction(quantity), places)
    worth = Decimal(words[words.index("USDT") - 1])
    assert worth == rounded(Fraction(notional), -int(worth.as_tuple().exponent))
    bps = [index for index, word in enumerate(words) if word == "bps"]
    assert Decimal(words[bps[0] - 1]) == rounded((Fraction(groups[at][0]) - mid) / mid * 10_000, 2)
    assert words[bps[0] + 1] == ("sell" if down else "buy")
    assert Decimal(words[bps[0] + 3]) == rounded(average, 3)
    assert Decimal(words[bps[1] - 1]) == rounded(lost, 2)


@settings(max_examples=60, deadline=None)
@given(books(), increments, st.sampled_from(("5", "10", "20", "50", "all")))
def test_the_touch_line_is_of_the_raw_book(
    sides: tuple[Rows, Rows], increment: Decimal | None, depth: str
) -> None:
    """Spread, bps, mid, microprice and imbalance do not depend on the group."""
    bids, asks = sides
    assume(bids and asks)
    pane = shown(book(bids, asks), width=140, height=30, group=increment, options={"depth": depth})
    row = next(text(row) for row in pane.body if " spread " in text(row))
    words = row.replace(",", "").replace("−", "-").split()
    bid, ask = Fraction(bids[0][0]), Fraction(asks[0][0])
    mid = (bid + ask) / 2
    assert Decimal(words[1]) == Decimal(asks[0][0]) - Decimal(bids[0][0])
    assert Decimal(words[2]) == rounded((ask - bid) / mid * 10_000, 2)
    assert Fraction(words[4]) == mid
    bid_size, ask_size = Fraction(bids[0][1]), Fraction(asks[0][1])
    micro = (bid * ask_size + ask * bid_size) / (bid_size + ask_size)
    assert abs(Fraction(words[7]) - (micro - mid)) <= Fraction(6, 10_000)
    most = None if depth == "all" else int(depth)
    below, above = (sum((Fraction(size) for _, size in side[:most]), Fraction(0)) for side in (bids, asks))
    assert words[8] == f"imb({depth})"
    assert Decimal(words[9]) == rounded((below - above) / (below + above), 2)


@settings(max_examples=40, deadline=None)
@given(books(), increments, st.integers(10, 40))
def test_the_foot_is_the_total_of_what_is_shown(
    sides: tuple[Rows, Rows], increment: Decimal | None, height: int
) -> None:
    """Under each side stands the sum of the sizes above it."""
    pane = shown(book(*sides), width=100, height=height, group=increment)
    rows = seen(pane)
    totals = [sum((row.quantity for row in rows if row.bid is bid), Decimal(0)) for bid in (True, False)]
    words = [word for word in text(pane.body[-1]).split() if word[0] in "≈0123456789"]
    for word, total in zip(words, totals, strict=True):
        places = len(word.partition(".")[2])
        assert word == f"{total:,.{places}f}" or (word == "≈0" and total < Decimal("0.001"))


prints = st.lists(
    st.tuples(st.integers(0, 120), st.integers(1, 10**7), st.sampled_from((Side.BUY, Side.SELL))), max_size=25
)


@settings(max_examples=40, deadline=None)
@given(books(), increments, shapes, prints)
def test_what_was_traded_stands_at_its_price(
    sides: tuple[Rows, Rows], increment: Decimal | None, shape: str, trades: list[tuple[int, int, Side]]
) -> None:
    """Sold at the bid group and bought at the ask group of a print's price, added up."""
    assume(any(sides))
    held = book(*sides)
    studies = Studies(lambda _: held)
    study = studies.of(ID)
    sums: dict[tuple[Decimal, Side], Decimal] = {}
    for tick, units, side in trades:
        price, quantity = Decimal(10_000 + tick) / 100, Decimal(units) / 10**5
        studies.add_print(Print(ID, price, quantity, side, NOW + 10**9))
        there = price
        if increment is not None:
            rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
            there = (price / increment).to_integral_value(rounding) * increment
        sums[there, side] = sums.get((there, side), Decimal(0)) + quantity
    options = {"shape": shape, "traded": "on", "cumulative": "off"}
    pane = shown(held, width=100, height=300, group=increment, options=options, study=study)
    header = next(row for row in plain(pane) if "sold" in row)
    price_at = header.index("price")
    sold_to, bought_to = header.index("sold") + 4, header.index("bought") + 6
    for row in plain(pane):
        cells = row[price_at - 8 : price_at + 12].split()
        if "sold" in row or "spread" in row or not cells or not cells[0][0].isdigit() or "imb" in row:
            continue
        for side, word in (
            (Side.SELL, row[sold_to - 9 : sold_to]),
            (Side.BUY, row[bought_to - 9 : bought_to]),
        ):
            wanted = sums.get((Decimal(_price_of(row, price_at)), side))
            found = word.rpartition("  ")[2].strip().replace(",", "")
            places = len(found.partition(".")[2])
            assert found == ("" if not wanted else f"{wanted:.{places}f}") or (
                found == "≈0" and wanted is not None and wanted < Decimal("0.001")
            )


def _price_of(row: str, price_at: int) -> str:
    left = row.rindex("  ", 0, price_at + 1) + 2
    return row[left:].split(maxsplit=1)[0].replace(",", "")


@pytest.mark.parametrize("kind", ["quantity", "notional"])
def test_a_curve_is_never_summed(kind: str) -> None:
    """A VWAP book's sizes and notionals are those of its points, its cost is read off them."""
    bids = [("100.00", "1"), ("99.00", "3"), ("98.50", "10")]
    held = book(bids, [("101.00", "2"), ("102.00", "5")], BookType.VWAP)
    memory = LadderMemory()
    memory.move(2)
    pane = shown(held, width=120, memory=memory, options={"cumulative": kind}, group=Decimal(1))
    found = seen(pane, sigma=kind == "notional")
    assert [row.quantity for row in found] == [Decimal(n) for n in ("5", "2", "1", "3", "10")]
    if kind == "notional":
        assert [row.sigma for row in found] == [510, 202, 100, 297, 985]
    words = text(pane.body[-1]).split()
    assert words[words.index("Σ") + 1] == "3.000"
    assert words[words.index("at") + 1] == "99.000"
    assert words[-2] == "149.25"


@pytest.mark.parametrize("depth", ["20", "all"])
def test_a_curve_has_no_microprice_and_no_imbalance(depth: str) -> None:
    """Averages of one quantity and of another cannot be weighed against each other; a book's levels can."""
    for kind, there in ((BookType.VWAP, False), (BookType.L2, True)):
        held = book([("100.00", "1"), ("99.00", "3")], [("101.00", "2"), ("102.00", "5")], kind)
        words = screen(shown(held, width=120, options={"depth": depth}))
        assert ("imb" in words) is there
        assert ("microprice" in words) is there
        assert "spread 1.00" in words


changes = st.lists(
    st.lists(st.tuples(st.booleans(), st.integers(1, 120), st.integers(0, 3)), min_size=1, max_size=6),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(books(), increments, shapes, changes)
def test_a_ladder_that_is_kept_up_reads_as_one_made_anew(
    sides: tuple[Rows, Rows],
    increment: Decimal | None,
    shape: str,
    messages: list[list[tuple[bool, int, int]]],
) -> None:
    """Frame after frame, with everything that is remembered, the numbers are those of the book as it is."""
    held = book(*sides)
    studies = Studies({ID: held}.__getitem__)
    study, memory = studies.of(ID), LadderMemory()
    options = {"shape": shape, "recentre": "always", "depth": "all"}
    for message in messages:
        rows: tuple[dict[str, str], dict[str, str]] = ({}, {})
        for bid, tick, size in message:
            rows[0 if bid else 1][f"{100 + tick / 100:.2f}"] = str(size)
        bids, asks = ([*side.items()] for side in rows)
        update = BookUpdate(ID, UpdateType.DIFF, BookType.L2, ("price", "quantity"), [*bids], [*asks], NOW)
        studies.after_book(held, held.apply(update))
        kept = shown(held, width=100, height=40, group=increment, options=options, study=study, memory=memory)
        anew = shown(held, width=100, height=40, group=increment, options=options)
        assert [row[:3] for row in seen(kept)] == [row[:3] for row in seen(anew)]
        for one, other in zip(seen(kept), seen(anew), strict=True):
            assert one.sigma is None or other.sigma is None or abs(one.sigma - other.sigma) <= Decimal("0.5")
        touches = [
            next(text(row).split() for row in pane.body if "imb" in text(row) or "empty" in text(row))
            for pane in (kept, anew)
        ]
        assert touches[0] == touches[1]


def test_a_mid_that_has_no_room_is_cut_with_a_mark() -> None:
    """Half a tick in a pane of nine cells: never other digits than it has."""
    for width in range(3, 30):
        rows = plain(shown(book([("61837.63", "1")], [("61837.64", "2")]), width=width, height=3))
        found = re.search(r"61\S*", rows[1])
        if found is not None and found.group()[-1] not in "…km":
            assert found.group() == "61,837.635"


@pytest.mark.parametrize("price", ["0." + "0" * 20 + "1234", "-0." + "0" * 20 + "1234", "0." + "1" * 30])
def test_more_decimals_than_there_is_room_for_anywhere_do_no_harm(price: str) -> None:
    """Prices and quantities of two dozen decimals, in a pane of any width, are told in short and not as 0."""
    for width in range(3, 40):
        held = book([(price, "0." + "0" * 25 + "7")], [])
        row = plain(shown(held, width=width, height=4))[-1]
        assert not re.fullmatch(r"\s*[−-]?0[.0]*\s*", row)


def test_a_notional_below_zero_has_its_sign_and_is_never_zero() -> None:
    """As of a spread or of power: what is summed up is about nothing or minus so much."""
    bids = [("-608", "0.00003"), ("-1240", "36.82514")]
    rows = plain(shown(book(bids, [("3", "9000")]), width=100, height=20, options={"cumulative": "notional"}))
    said = [row.split()[0] for row in rows if "−608" in row or "−1,240" in row]
    assert said == ["≈0", "−45,663"]
