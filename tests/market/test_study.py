"""What is kept up, for which instruments, and what is let go."""

from __future__ import annotations

from decimal import Decimal

from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.records import BookUpdate, Order, Print, Side
from cadenza_tui.market.state import Market, Topic
from cadenza_tui.market.study import IDLE
from tests.market.flows import told
from tests.market.updates import INSTRUMENT, diff, snapshot

SECOND = 1_000_000_000


def book_of(name: str, update: BookUpdate) -> BookUpdate:
    return BookUpdate(
        name, update.update_type, update.book_type, update.columns, update.bids, update.asks, update.timestamp
    )


def market_of(*names: str) -> Market:
    market = Market()
    for name in names:
        market.apply_book(book_of(name, snapshot("10:5 9:5", "11:5 12:5")))
    return market


def journaled(market: Market) -> set[str]:
    return {name for name, book in market.books.items() if book.bids.journal and book.asks.journal}


def test_nothing_is_written_down_of_what_nobody_looks_at() -> None:
    """Only the instrument that is shown and the one shown before it keep a journal."""
    market = market_of("A", "B", "C")
    assert journaled(market) == set()
    for shown, expected in (("A", {"A"}), ("B", {"A", "B"}), ("C", {"B", "C"}), ("B", {"B", "C"})):
        market.attend(shown, ["A", "B", "C"])
        assert market.study(shown).flow.known
        assert journaled(market) == expected
    market.attend(None, [])
    assert journaled(market) == {"B", "C"}


def test_the_way_back_finds_everything_whole() -> None:
    """What was counted of an instrument goes on while another is shown."""
    market = market_of("A", "B")
    market.attend("A", [])
    study = market.study("A")
    assert study.flow.known
    market.attend("B", [])
    market.apply_book(book_of("A", diff("10:7", "")))
    market.apply_print(Print("A", Decimal(11), Decimal(2), Side.BUY, 1))
    market.attend("A", [])
    assert market.study("A") is study
    change = told(study.flow, Decimal(10), bid=True)
    assert change is not None
    assert change.stacked == 2
    assert study.flow.traded(Decimal(11)).bought == 2


def test_the_same_wishes_again_change_nothing() -> None:
    """``attend`` may be called at any time: what is kept stays what it is."""
    market = market_of("A")
    market.attend("A", ["B"])
    study = market.study("A")
    assert study.flow.known
    journal = market.book("A").bids.journal
    market.attend("A", ["B"])
    assert market.study("A") is study
    assert market.book("A").bids.journal is journal


def test_looking_at_an_instrument_is_attending_to_it() -> None:
    """Whoever asks for a study has it from then on."""
    market = market_of("A", "B")
    market.attend("A", [])
    assert market.study("B").book is market.book("B")
    market.attend("C", [])
    assert market.study("B").flow.known
    market.attend("A", [])
    assert journaled(market) == set()


def test_liquidity_is_sampled_of_the_shown_one_and_of_nine_more() -> None:
    """One sample a second of each; what falls out of the list is let go, what stays keeps its samples."""
    names = [f"P{number}" for number in range(12)]
    market = market_of("A", *names)
    market.health.connection.state = ConnectionState.CONNECTED
    market.attend("A", names)
    market.dirty.take()
    market.sample(5 * SECOND)
    assert market.dirty.take() == {(Topic.BOOK, name) for name in ["A", *names[:9]]}
    market.sample(5 * SECOND)
    assert not market.dirty.any
    market.attend("A", names[:1])
    market.sample(6 * SECOND)
    assert market.dirty.take() == {(Topic.BOOK, "A"), (Topic.BOOK, "P0")}
    assert len(market.study("A").heat) == 2


def test_a_dead_connection_leaves_a_gap_in_the_samples() -> None:
    """What the books hold is not the market now while nothing arrives."""
    market = market_of("A")
    market.attend("A", [])
    market.sample(5 * SECOND)
    sample = market.study("A").heat.at(5)
    assert sample is not None
    assert sample.keys is None
    market.health.connection.state = ConnectionState.CONNECTED
    market.sample(6 * SECOND)
    sample = market.study("A").heat.at(6)
    assert sample is not None
    assert sample.keys is not None
    market.unfed.add("A")
    market.sample(7 * SECOND)
    sample = market.study("A").heat.at(7)
    assert sample is not None
    assert sample.keys is None, "nor while nothing arrives of that book alone"


def test_a_book_that_the_feed_began_anew_is_followed() -> None:
    """A study is of the instrument's book, whichever object that is."""
    market = market_of("A")
    before = market.study("A")
    market.books.pop("A")
    market.apply_book(book_of("A", snapshot("10:5", "11:5")))
    assert market.study("A").book is market.book("A")
    assert market.study("A") is not before
    assert market.study("A").heat is before.heat
    assert market.study("A").flow.known
    market.apply_book(book_of("A", diff("10:9", "")))
    change = told(market.study("A").flow, Decimal(10), bid=True)
    assert change is not None
    assert change.stacked == 4


def test_groups_are_kept_and_few() -> None:
    """The same increment is the same reader; the one used longest ago goes; another side begins anew."""
    market = market_of("A")
    study, book = market.study("A"), market.book("A")
    first = study.grouped(book.bids, Decimal(1))
    assert study.grouped(book.bids, Decimal(1)) is first
    for size in (2, 5, 10):
        study.grouped(book.bids, Decimal(size))
    assert study.grouped(book.bids, Decimal(1)) is first
    study.grouped(book.bids, Decimal(20))
    study.grouped(book.asks, Decimal(1))
    assert study.grouped(book.bids, Decimal(1)) is first
    assert study.grouped(book.asks, Decimal(1)).rows(9)[0].price == 11
    book.clear()
    assert study.grouped(book.bids, Decimal(1)).rows(9) == []


def test_the_total_of_a_side_is_kept_up() -> None:
    """All that a side holds, with its notional and its levels, after any message."""
    market = market_of("A")
    study, book = market.study("A"), market.book("A")
    assert [*study.total(book.asks)] == [10, 115, None, 2]
    market.apply_book(book_of("A", diff("", "12:0 13:1")))
    assert [*study.total(book.asks)] == [6, 68, None, 2]
    assert [*study.total(book.bids)] == [10, 95, None, 2]
    study.grouped(book.bids, Decimal(5))
    market.apply_book(book_of("A", diff("9:1", "")))
    assert [*study.total(book.bids)] == [6, 59, None, 2]
    assert [*study.total(book.asks)] == [6, 68, None, 2]


def test_groups_keep_a_journal_while_they_are_read() -> None:
    """Without flow the journal is kept for the groups, bounded, and not longer than they are read."""
    market = market_of("A")
    study, book = market.study("A"), market.book("A")
    assert journaled(market) == set()
    study.grouped(book.bids, Decimal(1))
    assert journaled(market) == {"A"}
    rows = " ".join(f"8.{number:04}:{{0}}" for number in range(2_000))
    for number in range(10):
        market.apply_book(book_of("A", diff(rows.format(number + 1), "")))
    assert book.bids.journal is not None
    assert len(book.bids.journal.entries) <= 2_048
    assert study.grouped(book.bids, Decimal(1)).rows(9)[-1].quantity == 20_000
    for second in range(IDLE + 1):
        market.sample(second * SECOND)
    assert journaled(market) == set()
    assert study.total(book.bids).levels == 2_002


def test_own_orders_are_looked_at_once_a_second() -> None:
    """The bound of a queue is as old as the order, not as the pane that shows it."""
    market = market_of(INSTRUMENT)
    market.attend(INSTRUMENT, [])
    one = Order(
        "o", "a", INSTRUMENT, Side.BUY, "ACCEPTED", limit_price=Decimal(10), quantity=Decimal(1), created_at=1
    )
    market.apply_order(one, 1)
    market.sample(5 * SECOND)
    market.apply_book(diff("10:50", "", timestamp=6 * SECOND))
    ahead = market.study(INSTRUMENT).queue.ahead(one)
    assert ahead is not None
    assert ahead.quantity <= 5
