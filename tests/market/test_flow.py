"""Order flow against a naive count, through any sequence of messages and prints, in any order."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cadenza_tui.market import changes, exact, flow, traded
from cadenza_tui.market.records import BookType, BookUpdate, Print, Side, UpdateType
from cadenza_tui.market.state import Market
from cadenza_tui.market.study import IDLE
from tests.market.flows import told
from tests.market.naive_flow import NaiveFlow
from tests.market.test_book_model import CELLS, layouts, price_texts, quantity_texts
from tests.market.updates import INSTRUMENT, diff, snapshot

if TYPE_CHECKING:
    import pytest

    from cadenza_tui.market.changes import Change

MS = 1_000_000
INCREMENTS = (None, Decimal("0.5"), Decimal("0.25"), Decimal(3), Decimal("0.000003"))


def traded_print(price: str, quantity: str, side: Side | None = Side.BUY, at: int = 0) -> Print:
    return Print(INSTRUMENT, Decimal(price), Decimal(quantity), side, at)


def agree(market: Market, naive: NaiveFlow) -> None:
    """Compare everything that can be read."""
    real = market.study(INSTRUMENT).flow
    assert (real.since, real.touch_changes) == (naive.since, naive.touch_changes)
    recent = naive.recent()
    for index, bid in ((0, True), (1, False)):
        hits = Side.SELL if bid else Side.BUY
        sums = real.side(bid=bid)
        assert sums is not None
        assert sums.traded == sum(one.quantity for one in recent if one.aggressor is hits)
        assert Fraction(sums.stacked) == sum(naive.stacked[index].values())
        assert Fraction(sums.pulled) == sum(naive.pulled_at(one, index) for one in list(naive.taken[index]))
        assert Fraction(sums.net) == Fraction(sums.stacked) - Fraction(sums.pulled)
    assert real.unsided == sum(one.quantity for one in recent if one.aggressor is None)
    prices = {Fraction(one.price) for one in naive.prints}
    prices |= {price for side in (*naive.stacked, *naive.taken) for price in side}
    for increment in INCREMENTS:
        step = None if increment is None else Fraction(increment)
        shown = (
            prices
            if step is None
            else {price // step * step + up * step for price in prices for up in (0, 1)}
        )
        for price in sorted(shown)[:12]:
            at = exact.divide(Decimal(price.numerator), Decimal(price.denominator), 12)
            for index, bid in ((0, True), (1, False)):
                change = told(real, at, increment, bid=bid)
                assert change is not None
                assert change is told(real, at, increment, bid=bid)
                assert Fraction(change.stacked) == naive.stacked_in(price, index, step)
                assert Fraction(change.pulled) == naive.pulled_in(price, index, step)
            here = real.traded(at, increment)
            assert Fraction(here.bought) == naive.traded(price, Side.BUY, step)
            assert Fraction(here.sold) == naive.traded(price, Side.SELL, step)
            if increment is None:
                assert Fraction(here.unsided) == naive.traded(price, None, step)


CHECKS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def follow(data: st.DataObject, layout: tuple[BookType, tuple[str, ...]], fewest: int = 2) -> None:
    """Bring any messages and prints to a market and to the naive count, and compare the two now and then."""
    few = st.sampled_from(data.draw(st.lists(price_texts(), min_size=fewest, max_size=6)))
    cells = {**CELLS, "price": few}
    rows = st.lists(st.tuples(*(cells[column] for column in layout[1])), max_size=6)
    market, naive = Market(), NaiveFlow()
    study = market.study(INSTRUMENT)
    at = 1_000 * MS

    def message(kind: UpdateType) -> None:
        update = BookUpdate(INSTRUMENT, kind, *layout, data.draw(rows), data.draw(rows), at)
        assert market.apply_book(update).changed
        naive.apply(update)

    message(UpdateType.SNAPSHOT)
    assert study.flow.known
    for _ in range(data.draw(st.integers(1, 14))):
        at += data.draw(st.sampled_from([0, 1, MS // 2, MS]))
        what = data.draw(st.sampled_from(["diff", "diff", "diff", "print", "print", "read", "snapshot"]))
        if what == "print":
            one = Print(
                INSTRUMENT,
                Decimal(data.draw(few)),
                abs(Decimal(data.draw(quantity_texts()))),
                data.draw(st.sampled_from([Side.BUY, Side.SELL, None])),
                at + data.draw(st.sampled_from([-MS, -1, 0, 1, MS, 3 * MS])),
            )
            market.apply_print(one)
            naive.prints.append(one)
        elif what == "read":
            agree(market, naive)
        else:
            message(UpdateType.DIFF if what == "diff" else UpdateType.SNAPSHOT)
    agree(market, naive)
    market.book(INSTRUMENT).check()


@CHECKS
@given(data=st.data())
def test_flow_of_a_plain_book_is_what_a_naive_count_makes_of_it(data: st.DataObject) -> None:
    """Stacked, pulled and traded, at prices, in groups and in all, are exactly what Fractions come to."""
    follow(data, (BookType.L2, ("price", "quantity")))


@settings(CHECKS, max_examples=30)
@given(data=st.data(), layout=layouts())
def test_flow_of_every_type_of_book_is_what_a_naive_count_makes_of_it(
    data: st.DataObject, layout: tuple[BookType, tuple[str, ...]]
) -> None:
    """The same whatever a row is: a level, an order, what one exchange quotes; a VWAP book has no levels."""
    assume(layout[0] is not BookType.VWAP)
    follow(data, layout)


def watched(bids: str = "10:5 9:5", asks: str = "11:5 12:5") -> Market:
    market = Market()
    market.study(INSTRUMENT)
    market.apply_book(snapshot(bids, asks, timestamp=1_000 * MS))
    assert market.study(INSTRUMENT).flow.known
    return market


def changed(market: Market, price: str, increment: str = "", *, bid: bool) -> Change:
    step = Decimal(increment) if increment else None
    change = told(market.study(INSTRUMENT).flow, Decimal(price), step, bid=bid)
    assert change is not None
    return change


def test_a_trade_is_not_pulled_whichever_channel_is_first() -> None:
    """A decrease that a print explains is not pulled, be the print before the book's change or after it."""
    for first in ("print", "book"):
        market = watched()
        fresh = traded_print("11", "3", at=1_005 * MS)
        if first == "print":
            market.apply_print(fresh)
        market.apply_book(diff("", "11:1", timestamp=1_005 * MS))
        if first == "book":
            assert changed(market, "11", bid=False).pulled == 4
            market.apply_print(fresh)
        assert changed(market, "11", bid=False).pulled == 1


def test_a_late_print_lowers_what_its_group_was_pulled() -> None:
    """Groups follow their prices, whatever has changed there: the book or what explains it."""
    market = watched()
    market.apply_book(diff("", "11:1 12:3", timestamp=1_005 * MS))
    assert changed(market, "15", "5", bid=False).pulled == 6
    market.apply_print(traded_print("11", "3", at=1_005 * MS))
    assert changed(market, "15", "5", bid=False).pulled == 3


def test_a_trade_without_a_side_is_not_pulled_either() -> None:
    """Where the venue does not say who was the aggressor, a print explains what was taken at its price."""
    market = watched()
    market.apply_book(diff("10:4", "11:2", timestamp=1_005 * MS))
    market.apply_print(traded_print("11", "1", None, at=1_005 * MS))
    market.apply_print(traded_print("10", "1", None, at=1_005 * MS))
    real = market.study(INSTRUMENT).flow
    assert changed(market, "11", bid=False).pulled == 2
    assert changed(market, "10", bid=True).pulled == 0
    assert real.unsided == 2


def test_a_print_of_before_the_touch_changed_explains_nothing_after_it() -> None:
    """The trade that moved the touch comes late: it does not hide what is pulled afterwards."""
    market = watched()
    market.apply_book(diff("", "11:0", timestamp=1_005 * MS))
    market.apply_book(diff("", "11:5", timestamp=1_006 * MS))
    market.apply_print(traded_print("11", "5", at=1_005 * MS))
    market.apply_book(diff("", "11:2", timestamp=1_009 * MS))
    real = market.study(INSTRUMENT).flow
    assert changed(market, "11", bid=False).pulled == 3
    assert real.traded(Decimal(11)).bought == 5


def test_nothing_is_known_while_the_book_is_out_of_sync() -> None:
    """After a gap what was stacked and pulled is unknown; the next snapshot begins anew."""
    market = watched()
    market.apply_book(diff("", "11:9", timestamp=1_005 * MS))
    market.book(INSTRUMENT).mark_out_of_sync("a gap")
    real = market.study(INSTRUMENT).flow
    assert real.side(bid=True) is None
    assert told(real, Decimal(11), bid=False) is None
    market.apply_book(diff("", "11:20", timestamp=1_006 * MS))
    assert told(real, Decimal(11), bid=False) is None
    market.apply_book(snapshot("10:5", "11:20", timestamp=1_010 * MS))
    sums = real.side(bid=False)
    assert sums is not None
    assert [*sums] == [0, 0, 0]
    assert real.since == 1_010 * MS


def test_nothing_is_stacked_or_pulled_in_a_book_of_averages() -> None:
    """A VWAP book has means and running sums; what was traded is known all the same."""
    market = Market()
    real = market.study(INSTRUMENT).flow
    market.apply_book(snapshot("10:5 9:9", "11:5", BookType.VWAP, timestamp=1_000 * MS))
    market.apply_book(diff("10:7", "", BookType.VWAP, timestamp=1_001 * MS))
    market.apply_print(traded_print("11", "3", at=1_002 * MS))
    assert not real.known
    assert real.side(bid=True) is None
    assert told(real, Decimal(10), bid=True) is None
    assert real.traded(Decimal(11)).bought == 3


def test_a_book_that_was_cleared_is_followed_again_from_its_snapshot() -> None:
    """A book that the feed has emptied, or laid out otherwise, has its flow from the next snapshot on."""
    market = watched()
    market.book(INSTRUMENT).clear()
    assert market.study(INSTRUMENT).flow.side(bid=True) is None
    market.apply_book(snapshot("10:5:a", "11:5:b", BookType.L3_COUNTED, timestamp=1_010 * MS))
    market.apply_book(diff("10:2:c", "", BookType.L3_COUNTED, timestamp=1_011 * MS))
    assert changed(market, "10", bid=True).stacked == 2


def test_what_a_finer_price_traded_is_not_forgotten() -> None:
    """A print at a price finer than the book has shown explains what is taken there later."""
    market = watched()
    market.apply_print(traded_print("11.25", "2", at=1_002 * MS))
    market.apply_book(diff("", "11.25:5.5", timestamp=1_003 * MS))
    market.apply_book(diff("", "11.25:0.5", timestamp=1_004 * MS))
    assert [*changed(market, "11.25", bid=False)] == [Decimal("5.5"), 3]


def test_what_a_finer_price_traded_keeps_its_size_among_finer_quantities() -> None:
    """What waits for its price to be seen is told in the decimals that quantities have by then."""
    market = watched()
    market.apply_print(traded_print("11.25", "2", at=1_002 * MS))
    assert changed(market, "11", bid=False).pulled == 0
    market.apply_book(diff("", "12:1.125", timestamp=1_003 * MS))
    assert changed(market, "12", bid=False) is not None
    market.apply_book(diff("", "11.25:5.5", timestamp=1_004 * MS))
    market.apply_book(diff("", "11.25:0.5", timestamp=1_005 * MS))
    assert [*changed(market, "11.25", bid=False)] == [Decimal("5.5"), 3]


def test_trades_that_wait_to_be_counted_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a frame for a long time trades are counted in before there are too many, and none is lost."""
    monkeypatch.setattr(changes, "MAXIMUM_WAITING", 3)
    market = watched()
    for number in range(10):
        market.apply_print(traded_print("11", "0.25", at=1_002 * MS + number))
    market.apply_book(diff("", "11:1", timestamp=1_003 * MS))
    assert changed(market, "11", bid=False).pulled == Decimal("1.5")


def test_nobody_pays_for_what_nobody_asks_about() -> None:
    """The flow sleeps until it is asked, and again when nobody has for a while; prints go on counting."""
    market = Market()
    study = market.study(INSTRUMENT)
    book = market.book(INSTRUMENT)
    market.apply_book(snapshot("10:5", "11:5", timestamp=1_000 * MS))
    market.apply_book(diff("10:9", "", timestamp=1_001 * MS))
    assert book.bids.journal is None
    assert changed(market, "10", bid=True).stacked == 0
    market.apply_book(diff("10:11", "", timestamp=1_002 * MS))
    assert changed(market, "10", bid=True).stacked == 2
    for second in range(IDLE + 1):
        assert book.bids.journal is not None
        market.sample(second * 1_000 * MS)
    assert book.bids.journal is None
    market.apply_print(traded_print("11", "1", at=1_003 * MS))
    market.apply_book(diff("10:12", "", timestamp=1_003 * MS))
    assert changed(market, "10", bid=True).stacked == 0
    assert study.flow.traded(Decimal(11)).bought == 1


def test_prints_that_are_missing_are_counted() -> None:
    """What was traded says that prints were missed since watching began."""
    market = watched()
    market.lose_prints(INSTRUMENT, 3)
    assert market.study(INSTRUMENT).flow.holes == 1


def test_the_prices_traded_at_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The price traded at longest ago goes, from its groups as well, and is counted as forgotten."""
    table = traded.TradedAt(maximum=2)
    for price in ("10", "11", "10", "12"):
        table.at(Decimal(10), Decimal(5))
        table.add(traded_print(price, "1", Side.SELL))
    assert table.forgotten == 1
    assert table.at(Decimal(11)).sold == 0
    assert table.at(Decimal(10)).sold == 2
    assert table.at(Decimal(10), Decimal(5)).sold == 3


def test_the_changed_prices_are_bounded_and_the_sums_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the single prices begin anew and say so; sums of the side stay exact."""
    monkeypatch.setattr(changes, "MAXIMUM_PRICES", 2)
    market = watched("10:5", "11:5 12:5 13:5 14:5")
    real = market.study(INSTRUMENT).flow
    market.apply_print(traded_print("12", "1", at=1_001 * MS))
    market.apply_book(diff("", "12:3 13:9 14:1", timestamp=1_002 * MS))
    market.apply_book(diff("", "12:4 13:6", timestamp=1_003 * MS))
    sums = real.side(bid=False)
    assert sums is not None
    assert [*map(int, sums[1:])] == [4 + 1, 2 - 1 + 4 + 3]
    market.apply_book(diff("", "14:2", timestamp=1_004 * MS))
    market.apply_book(diff("", "13:1", timestamp=1_004 * MS))
    market.apply_book(diff("", "12:9", timestamp=1_004 * MS))
    sums = real.side(bid=False)
    assert sums is not None
    assert [*map(int, sums[1:])] == [5 + 1 + 5, 8 + 5]
    assert real.thinned
    market.apply_book(diff("10:0", "", timestamp=1_005 * MS))
    assert not real.thinned


def test_what_nobody_reads_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a frame for a long time the journal is read and trimmed, and the sums miss nothing."""
    monkeypatch.setattr(flow, "MAXIMUM_CHANGES", 50)
    market = watched()
    for number in range(500):
        market.apply_book(diff("9:5", f"12:{6 + number}", timestamp=1_002 * MS))
    journal = market.book(INSTRUMENT).asks.journal
    assert journal is not None
    assert len(journal.entries) <= 2_048
    sums = market.study(INSTRUMENT).flow.side(bid=False)
    assert sums is not None
    assert [*map(int, sums[1:])] == [500, 0]
