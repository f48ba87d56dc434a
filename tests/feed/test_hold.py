"""Which held updates a snapshot has in it already, and how many are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.feed import hold
from cadenza_tui.feed.hold import Hold
from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType

if TYPE_CHECKING:
    import pytest


def update(
    time: int,
    bids: list[tuple[str, str]],
    kind: UpdateType = UpdateType.DIFF,
    book_type: BookType = BookType.L2,
) -> BookUpdate:
    """Return an update of the bids alone."""
    rows: list[tuple[str, ...]] = list(bids)
    return BookUpdate("X:A/B", kind, book_type, ("price", "quantity"), rows, [], time)


def test_older_updates_are_in_the_snapshot_and_newer_ones_are_not() -> None:
    """The stream goes on from the first update that is not in it."""
    held = Hold()
    updates = [update(time, [("1", "1")]) for time in (1, 2, 3, 4)]
    for one in updates:
        held.add(one)
    assert held.after(update(3, [], UpdateType.SNAPSHOT)) == updates[2:]


def test_order_rows_without_an_id_are_not_applied_twice() -> None:
    """For L3 an update of the snapshot's own time counts as in it."""
    held = Hold()
    updates = [update(time, [("1", "1")], book_type=BookType.L3) for time in (2, 3, 4)]
    for one in updates:
        held.add(one)
    assert held.after(update(3, [], UpdateType.SNAPSHOT, BookType.L3)) == updates[2:]


def test_a_stream_is_followed_in_its_own_order() -> None:
    """After the first update that counts all are taken, even one whose clock goes back."""
    held = Hold()
    updates = [update(time, [("1", "1")]) for time in (1, 5, 4, 2)]
    for one in updates:
        held.add(one)
    assert held.after(update(3, [], UpdateType.SNAPSHOT)) == updates[1:]


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many updates, or too many rows, are said to be so until it begins anew."""
    monkeypatch.setattr(hold, "MAX_UPDATES", 3)
    monkeypatch.setattr(hold, "MAX_ROWS", 5)
    held = Hold()
    for time in range(4):
        held.add(update(time, [("1", "1")]))
    assert (len(held), held.overflowed) == (3, True)
    held.clear()
    assert (len(held), held.overflowed) == (0, False)
    held.add(update(1, [(str(n), "1") for n in range(4)]))
    held.add(update(2, [(str(n), "1") for n in range(4)]))
    assert (len(held), held.overflowed) == (1, True)


LEVELS = st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from(["0", "5", "7"]))


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 1), st.lists(LEVELS, max_size=3, unique_by=lambda row: row[0])), max_size=12
    ),
    cut=st.integers(0, 12),
    held_from=st.integers(0, 12),
)
def test_a_snapshot_taken_anywhere_in_the_stream_leads_to_the_same_book(
    steps: list[tuple[int, list[tuple[str, str]]]], cut: int, held_from: int
) -> None:
    """Updates share times, the snapshot is of any moment since holding began, and the book ends right."""
    cut = min(cut, len(steps))
    held_from = min(held_from, cut)
    truth: dict[str, str] = {}
    held, snapshot, time = Hold(), update(0, [], UpdateType.SNAPSHOT), 0
    for number, (later, rows) in enumerate(steps):
        if number == cut:
            snapshot = update(time, list(truth.items()), UpdateType.SNAPSHOT)
        time += later
        for price, quantity in rows:
            truth.pop(price, None)
            if quantity != "0":
                truth[price] = quantity
        if number >= held_from:
            held.add(update(time, rows))
    if cut == len(steps):
        snapshot = update(time, list(truth.items()), UpdateType.SNAPSHOT)
    book = OrderBook("X:A/B")
    book.apply(snapshot)
    for one in held.after(snapshot):
        book.apply(one)
    assert {level.price: level.quantity for level in book.bids.levels()} == truth
