"""The columns of the ladder that can be chosen, what goes when it narrows, and numbers of every size."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.market.records import BookType, BookUpdate, Instrument, Print, Side, UpdateType
from cadenza_tui.market.study import Studies
from cadenza_tui.view.ladder import CHOICES, LadderMemory
from cadenza_tui.view.rows import Bars, Ground
from tests.view.ladders import ASKS, BIDS, shown
from tests.view.support import ID, NOW, bad_widths, book, order, plain, screen, text

if TYPE_CHECKING:
    from cadenza_tui.market.book import OrderBook

ALL_ON = {"traded": "on", "stacked": "on"}


def update(bids: list[tuple[str, str]], asks: list[tuple[str, str]], at: int = 1) -> BookUpdate:
    """Return a diff of these rows, ``at`` seconds after the snapshot."""
    kind = UpdateType.DIFF
    return BookUpdate(ID, kind, BookType.L2, ("price", "quantity"), [*bids], [*asks], NOW + at * 10**9)


def followed(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> tuple[OrderBook, Studies]:
    """Return a book that is looked at closely."""
    held = book(bids, asks)
    studies = Studies(lambda _: held)
    assert studies.of(ID).flow.side(bid=True) is not None
    return held, studies


def test_pulled_and_stacked_stand_at_their_level_with_the_totals_below() -> None:
    """What left untraded is pulled, what came is stacked; the foot has both of each side."""
    held, studies = followed(BIDS, ASKS)
    for diff in (
        update([("100.00", "1.25"), ("99.50", "0.5")], [("100.10", "1")]),
        update([], [("101.00", "3.5")]),
    ):
        studies.after_book(held, held.apply(diff))
    studies.add_print(Print(ID, Decimal("100.10"), Decimal("0.1"), Side.BUY, NOW + 2 * 10**9))
    study = studies.of(ID)
    rows = plain(shown(held, study=study, options=ALL_ON, width=120, height=12))
    by_price = {price: next(row for row in rows if f" {price} " in row).split() for price, _ in BIDS + ASKS}
    assert by_price["100.00"][:2] == ["2.750", "+1.000"]
    assert by_price["99.50"][:2] == ["3.250", "−1.500"]
    assert by_price["100.10"] == ["100.10", "0.100", "1.00000", "−0.150", "1.500"]
    assert by_price["101.00"] == ["101.00", "3.50000", "+0.500", "5.000"]
    assert rows[-1].split()[1:4] == ["−1.500", "+1.000", "43.250"]
    assert rows[-1].split()[-2:] == ["+0.500", "−0.150"]
    narrower = plain(shown(held, study=study, options=ALL_ON, width=66, height=12))
    assert "net" in narrower[0]
    assert next(row for row in narrower if " 99.50 " in row).split()[0] == "−1.500"


def test_out_of_sync_nothing_is_said_of_pulled_and_stacked() -> None:
    """Their totals are unknown then."""
    held, studies = followed(BIDS, ASKS)
    held.mark_out_of_sync("a gap")
    assert plain(shown(held, study=studies.of(ID), options=ALL_ON, width=120))[-1].split().count("—") == 4


def test_what_was_pulled_at_a_price_that_left_is_still_said_on_the_axis() -> None:
    """A price where nothing stands any more keeps its row and what was pulled there."""
    held, studies = followed(BIDS, [("100.02", "1"), ("100.03", "2")])
    studies.after_book(held, held.apply(update([("100.00", "0")], [])))
    options = {"shape": "dom", "stacked": "on"}
    rows = plain(shown(held, study=studies.of(ID), options=options, width=90, height=20))
    row = next(row for row in rows if " 100.00 " in row)
    assert row.split() == ["−0.250", "100.00"]


def test_columns_of_flow_are_there_before_the_first_print() -> None:
    """Nothing moves when the first print comes."""
    held, studies = followed(BIDS, ASKS)
    memory = LadderMemory()
    before = plain(shown(held, study=studies.of(ID), options=ALL_ON, width=100, memory=memory))[0]
    studies.add_print(Print(ID, Decimal("100.02"), Decimal("0.5"), Side.BUY, NOW + 10**9))
    after = plain(shown(held, study=studies.of(ID), options=ALL_ON, width=100, memory=memory))
    assert after[0] == before
    assert "0.500" in next(row for row in after if " 100.02 " in row)


@pytest.mark.parametrize("bars", list(Bars))
def test_narrow_drops_the_cumulative_then_the_bars_then_the_counts(bars: Bars) -> None:
    """Width by width, what is there is a beginning of: price and size, counts, bars, cumulative."""
    columns = ("price", "quantity", "orderCount")
    bids, asks = ([(*row, "17") for row in side] for side in (BIDS, ASKS))
    held = book(bids, asks, BookType.L2_COUNTED, columns)
    seen_: list[tuple[bool, bool, bool]] = []
    for width in range(100, 29, -1):
        pane = shown(held, width=width, bars=bars)
        body = screen(pane)
        drawn = "█" in body or "==" in body or any(s.ground is Ground.BID_BAR for r in pane.body for s in r)
        seen_.append(("Σ" in body, drawn, " 17" in body))
        assert "100.01" in body
        assert "1.50000" in body
        assert bad_widths(pane.body, width) == []
    for sigma, drawn, counts in seen_:
        assert drawn or not sigma
        assert counts or not drawn or bars is Bars.TINT  # a tint takes no room
        assert counts or not sigma
    assert len(set(seen_)) >= 3
    assert seen_ == sorted(seen_, reverse=True)


@pytest.mark.parametrize(
    ("option", "value", "there", "gone"),
    [
        ("cumulative", "off", "100.01", "Σ"),
        ("cumulative", "notional", "Σ USDT", "4.750"),
        ("touch", "off", "100.015", "spread"),
        ("depth", "5", "imb(5) +0.80", "imb(20)"),
        ("depth", "all", "imb(all) +0.80", "imb(20)"),
    ],
)
def test_choices_show_and_hide(option: str, value: str, there: str, gone: str) -> None:
    """Each choice does what it says."""
    body = screen(shown(book(BIDS, ASKS), width=90, options={option: value}))
    assert there in body
    assert gone not in body


def test_exchanges_and_counts_can_be_left_out() -> None:
    """Who quotes a level is told in full where there is room, and not where it is not wanted."""
    rows = [("100.00", "1", "NASDAQ"), ("100.00", "2", "ARCA"), ("99.00", "3", "ARCA")]
    held = book(rows, [("101.00", "1", "BATS")], BookType.L2_EXCHANGE, ("price", "quantity", "exchange"))
    body = plain(shown(held, width=90))
    assert [row.split() for row in body if "100.00" in row] == [
        ["2.000", "ARCA", "2.00000", "100.00"],
        ["3.000", "NASDAQ", "1.00000", "100.00"],
    ]
    assert "ARCA" not in screen(shown(held, width=90, options={"exchange": "off"}))
    grouped = plain(shown(held, width=90, group=Decimal(10)))
    row = next(row for row in grouped if "3.00000" in row)
    assert row.split() == ["3.000", "×2", "3.00000", "100"]
    counted = book([("100.00", "1", "17")], [], BookType.L2_COUNTED, ("price", "quantity", "orderCount"))
    assert " 17 " not in screen(shown(counted, width=90, options={"orders": "off"}))


@pytest.mark.parametrize("kind", ["root", "linear", "log", "off"])
def test_bars_grow_as_they_are_told(kind: str) -> None:
    """A tenth of the largest size has a tenth of the bar, the root of it, two thirds, or none at all."""
    bids = [("100.00", "10"), ("99.00", "1"), ("98.00", "1.1"), ("97.00", "1.2")]
    pane = shown(book(bids, []), width=120, height=20, options={"bars": kind})
    cells = [
        sum(len(s.text) for s in row if s.ground in (Ground.BID_BAR, Ground.BID_LARGE))
        for row in pane.body
        if " 100.00 " in text(row) or " 99.00 " in text(row)
    ]
    wanted = {"root": 0.316, "linear": 0.1, "log": 0.667, "off": 0}[kind]
    assert cells[1] == pytest.approx(cells[0] * wanted, abs=1)
    assert (cells[0] > 20) is (kind != "off")


@pytest.mark.parametrize("shape", ["stack", "dom"])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize(
    ("bid", "ask", "size"),
    [
        ("0.000000000001", "0.000000000002", "123456789.5"),
        ("999999999.99", "1000000000.00", "0.000001"),
        ("1.5", "1.6", "0.000000000000000123"),
        ("1.5", "1.6", "1.234567890123456789"),
    ],
)
def test_numbers_of_every_size_can_be_read(bid: str, ask: str, size: str, width: int, shape: str) -> None:
    """Without a tick, from 1e-12 to 1e9 and with sizes of 18 decimals: prices whole, sizes never as zero."""
    held = book([(bid, size)], [(ask, size)])
    nothing_known = Instrument(ID, "BINANCE", "BTC/USDT")
    memory = LadderMemory()
    memory.move(1)
    pane = shown(
        held, instrument=nothing_known, width=width, height=14, memory=memory, options={"shape": shape}
    )
    assert bad_widths(pane.body, width) == []
    rows = [row.replace(",", "") for row in plain(pane)]
    row = next(row for row in rows[1:-1] if row.split()[-1:] == [bid])
    quantity = next(word for word in row.split()[::-1] if word != bid)
    assert any(digit in quantity for digit in "123456789")
    if width >= 80:
        assert quantity == size or size.startswith(quantity.rstrip("…"))
    assert bid in rows[-1].split()


def test_another_frame_of_the_same_is_the_same() -> None:
    """Nothing is made twice: the rows of an unchanged book are the very ones of the frame before."""
    held, memory = book(BIDS, ASKS), LadderMemory()
    first = shown(held, memory=memory).body
    assert shown(held, memory=memory).body is first
    own = order(Side.BUY, "100.00", "1")
    assert shown(held, memory=memory, own_orders=[own]).body is not first
    assert "◆" in screen(shown(held, memory=memory, own_orders=[own]))
    held.apply(update([("100.00", "7")], []))
    assert "7.00000" in screen(shown(held, memory=memory))


def test_every_choice_has_its_values_in_small_words() -> None:
    """Names and values can be written into a file and read back."""
    assert len({choice.name for choice in CHOICES}) == len(CHOICES)
    for choice in CHOICES:
        assert all(value.islower() or value.isdigit() for value in choice.values)
