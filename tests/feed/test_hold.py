"""Which snapshots serve, which held updates are in them already, and how many are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.feed import hold
from cadenza_tui.feed.hold import SAME_TIME, Hold
from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType

if TYPE_CHECKING:
    import pytest


def update(
    time: int,
    bids: list[tuple[str, str]],
    kind: UpdateType = UpdateType.DIFF,
    book_type: BookType = BookType.L2,
    *,
    ns: int = 0,
) -> BookUpdate:
    """Return an update of the bids alone; ``time`` in ms."""
    rows: list[tuple[str, ...]] = list(bids)
    return BookUpdate("X:A/B", kind, book_type, ("price", "quantity"), rows, [], time * 1_000_000 + ns)


def holding(*times: int, applied: int = 0, missed: bool = True) -> tuple[Hold, list[BookUpdate]]:
    """Return what holds an update of each time, and the updates."""
    held = Hold(applied * 1_000_000, missed=missed)
    updates = [update(time, [("1", "1")]) for time in times]
    for one in updates:
        held.add(one)
    return held, updates


def snapshot(time: int, *, ns: int = 0) -> BookUpdate:
    """Return an empty snapshot."""
    return update(time, [], UpdateType.SNAPSHOT, ns=ns)


def test_older_updates_are_in_the_snapshot_and_newer_ones_are_not() -> None:
    """The stream goes on from the first update that is not in it."""
    held, updates = holding(1, 2, 3, 4)
    assert held.after(snapshot(3)) == updates[2:]


def test_what_is_finer_than_a_millisecond_is_not_compared() -> None:
    """A snapshot told in ns does not have a diff of its own ms, told in ms, for sure."""
    held, updates = holding(1, 3)
    assert held.after(snapshot(3, ns=999)) == updates[1:]


def test_a_stream_is_followed_in_its_own_order() -> None:
    """After the first update that counts all are taken, even one whose clock goes back."""
    held, updates = holding(1, 5, 4, 2)
    assert held.after(snapshot(3)) == updates[1:]


def test_a_snapshot_older_than_the_first_update_after_a_gap_is_refused() -> None:
    """It may lack what was missed; one of a later ms has it."""
    held, _ = holding(5, 8)
    assert held.refusal(snapshot(3)) == "the snapshot is older than the stream (by 2 ms)"
    assert held.refusal(snapshot(6)) == ""


def test_a_snapshot_of_the_same_millisecond_is_taken_once_the_stream_rests() -> None:
    """It may have been made in the middle of that ms, but not for long."""
    held, _ = holding(5)
    assert held.refusal(snapshot(5)) == SAME_TIME
    assert held.refusal(snapshot(5), settled=True) == ""


def test_where_nothing_was_missed_the_last_applied_update_counts() -> None:
    """The held ones go on top of any newer snapshot."""
    held, updates = holding(5, applied=3, missed=False)
    assert held.refusal(snapshot(3)) == SAME_TIME
    assert held.refusal(snapshot(4)) == ""
    assert held.after(snapshot(4)) == updates


def test_a_gap_in_what_is_held_begins_anew() -> None:
    """What came before it is of no use, and the snapshot has to be newer than what comes after it."""
    held, _ = holding(5, 6)
    held.gap()
    assert (len(held), held.missed) == (0, True)
    held.add(update(9, []))
    assert held.refusal(snapshot(8))
    assert not held.refusal(snapshot(10))


def test_a_new_streams_time_begins_anew() -> None:
    """A server that was set up again may have another clock."""
    held, _ = holding(500)
    held.gap(new_stream=True)
    assert held.refusal(snapshot(3)) == ""


def test_an_update_that_cannot_be_applied_has_to_be_in_the_snapshot() -> None:
    """With all that came before it."""
    held, _ = holding(5)
    held.pass_over(update(7, [], UpdateType.DELTA))
    assert held.refusal(snapshot(7)) == SAME_TIME
    assert held.refusal(snapshot(8)) == ""
    assert held.after(snapshot(8)) == []


def test_a_change_of_the_snapshots_own_millisecond_is_not_counted_twice() -> None:
    """Nothing tells whether the snapshot has it, so that snapshot does not serve, however long it rests."""
    held, _ = holding(5)
    held.add(update(7, [("1", "-1")], UpdateType.DELTA))
    assert held.refusal(snapshot(7), settled=True, adds=True) == SAME_TIME
    assert held.refusal(snapshot(8), adds=True) == ""
    assert held.refusal(snapshot(7)) == ""


def test_what_is_held_is_bounded_and_what_was_let_go_counts_as_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of too many updates, or rows, the oldest go; a snapshot has to be newer than those left."""
    monkeypatch.setattr(hold, "MAX_UPDATES", 3)
    monkeypatch.setattr(hold, "MAX_ROWS", 5)
    held, _ = holding(1, 2, 3, 4)
    assert len(held) == 3
    assert held.refusal(snapshot(2)) == SAME_TIME
    assert held.refusal(snapshot(3)) == ""
    held.add(update(5, [(str(n), "1") for n in range(4)]))
    assert len(held) == 2
    assert held.refusal(snapshot(4)) == SAME_TIME


LEVELS = st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from(["0", "5", "7"]))


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 1), st.lists(LEVELS, max_size=3, unique_by=lambda row: row[0])), max_size=12
    ),
    cut=st.integers(0, 12),
    held_from=st.integers(0, 12),
    book_type=st.sampled_from([BookType.L2, BookType.L3]),
)
def test_a_snapshot_taken_anywhere_in_the_stream_leads_to_the_same_book(
    steps: list[tuple[int, list[tuple[str, str]]]], cut: int, held_from: int, book_type: BookType
) -> None:
    """Updates share times, the snapshot is of any moment since holding began, and the book ends right."""
    cut = min(cut, len(steps))
    held_from = min(held_from, cut)
    truth: dict[str, str] = {}
    held, time = Hold(), 0
    taken = update(0, [], UpdateType.SNAPSHOT, book_type)
    for number, (later, rows) in enumerate(steps):
        if number == cut:
            taken = update(time, list(truth.items()), UpdateType.SNAPSHOT, book_type)
        time += later
        for price, quantity in rows:
            truth.pop(price, None)
            if quantity != "0":
                truth[price] = quantity
        if number >= held_from:
            held.add(update(time, rows, book_type=book_type))
    if cut == len(steps):
        taken = update(time, list(truth.items()), UpdateType.SNAPSHOT, book_type)
    book = OrderBook("X:A/B")
    book.apply(taken)
    for one in held.after(taken):
        book.apply(one)
    assert {level.price: level.quantity for level in book.bids.levels()} == truth
