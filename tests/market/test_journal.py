"""What is written down of a side, where a price turns out to be finer than all before."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market import journal
from cadenza_tui.market.book import OrderBook
from cadenza_tui.market.changes import Change, SideChanges
from cadenza_tui.market.grouped import Grouped
from tests.market.updates import diff, snapshot

if TYPE_CHECKING:
    import pytest


def journaled(bids: str, asks: str = "") -> OrderBook:
    book = OrderBook("X")
    book.keep_journal(kept=True)
    book.apply(snapshot(bids, asks))
    return book


def test_a_finer_price_in_a_message_takes_the_rows_before_it_along() -> None:
    """What the message said before the finer price counts at its own price."""
    book = journaled("10:5 9:5")
    changes, groups = SideChanges(book.bids), Grouped(book.bids, Decimal(5))
    groups.rows(9)
    book.apply(diff("9:7 9.25:1", ""))
    assert changes.at(Decimal(9)) == Change(Decimal(2), Decimal(0))
    assert changes.at(Decimal("9.25")) == Change(Decimal(1), Decimal(0))
    assert [int(group.quantity) for group in groups.rows(9)] == [5, 8]
    book.check()


def test_the_best_price_is_known_after_the_keys_have_become_finer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every near key is rescaled with its side, and so is where they end."""
    monkeypatch.setattr(journal, "NEAR", 2)
    book = journaled("109:1 108:1 107:1 106:1 105:1 104:1 103:1", "201:1 202:1 203:1 204:1")
    book.apply(diff("100.5:1", "300.5:1"))
    for price in range(109, 103, -1):
        assert book.best_bid is not None
        assert book.best_bid.price == f"{price}"
        book.check()
        book.apply(diff(f"{price}:0", ""))
    for price in range(201, 205):
        assert book.best_ask is not None
        assert book.best_ask.price == f"{price}"
        book.check()
        book.apply(diff("", f"{price}:0"))


def test_a_turn_is_another_best_price_at_the_end_of_a_message() -> None:
    """Neither another quantity nor what a message takes back counts; an empty side does."""
    book = journaled("10:5 9:5")
    kept = book.bids.journal
    assert kept is not None
    for rows, turns in (("10:4", 0), ("10:0 10:3", 0), ("11:1 11:0", 0), ("11:1", 1), ("11:0", 2)):
        before = kept.turns
        book.apply(diff(rows, ""))
        assert kept.turns - before == min(turns, 1)
    before = kept.turns
    book.apply(diff("10:0 9:0", ""))
    book.apply(diff("10:1", ""))
    assert kept.turns - before == 2
