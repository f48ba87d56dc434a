"""Working orders and positions: families, distance from the touch, time in force, return on margin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cadenza_tui.market.records import (
    BookType,
    BookUpdate,
    Order,
    Portfolio,
    Position,
    Side,
    UpdateMode,
    UpdateType,
)
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.account import account
from cadenza_tui.view.account_frame import AccountMemory, Options
from cadenza_tui.view.account_orders import family
from cadenza_tui.view.account_positions import roe
from cadenza_tui.view.rows import Pane, Role
from tests.view.support import ID, LIVE, NOW, SECOND, funded, market, order, plain, screen, text, trust

if TYPE_CHECKING:
    from cadenza_tui.market.state import Market
    from cadenza_tui.view.account_frame import Key

DAY = 86_400 * SECOND


def shown(
    held: Market, tab: str = "Orders", *, width: int = 150, height: int = 12, **options: object
) -> Pane:
    """Return the pane of the account a1."""
    arguments: dict[str, object] = {"now": NOW, "trust": LIVE, "memory": AccountMemory(), **options}
    return account(
        list(held.accounts.values()),
        held,
        width=width,
        height=height,
        chosen="a1",
        tab=tab,
        **arguments,  # type: ignore[arg-type]
    )


def touched(*orders: Order, bid: str = "61800.00", ask: str = "61800.10") -> Market:
    """Return a market with a live book of this touch and these orders."""
    made = market()
    made.apply_book(
        BookUpdate(
            ID, UpdateType.SNAPSHOT, BookType.L2, ("price", "quantity"), [(bid, "1")], [(ask, "1")], NOW
        )
    )
    for one in orders:
        made.apply_order(one, NOW)
    return made


def rows(held: Market) -> list[list[str]]:
    """Return the words of each row of the orders."""
    return [row.split() for row in plain(shown(held))[1:] if row.strip()]


@pytest.mark.parametrize(
    ("side", "price", "bps", "ticks"),
    [
        (Side.BUY, "61800.00", "0", "0"),
        (Side.BUY, "61790.00", "1.6", "1,000"),
        (Side.BUY, "61800.05", "−0.0", "−5"),
        (Side.BUY, "60000.00", "291", "180,000"),
        (Side.SELL, "61800.10", "0", "0"),
        (Side.SELL, "61860.10", "9.7", "6,000"),
    ],
)
def test_the_distance_from_the_touch_is_in_bps_and_ticks(
    side: Side, price: str, bps: str, ticks: str
) -> None:
    """Behind the best price of its own side, below zero where it is better than that."""
    row = rows(touched(order(side, price, "0.75")))[0]
    at = row.index("bps")
    shown_bps = row[at - 1]
    assert (shown_bps if shown_bps != "0" or bps != "−0.0" else bps, row[at + 1]) == (bps, ticks)


def test_without_a_book_in_sync_the_distance_is_unknown() -> None:
    """Never that of a book of long ago."""
    held = touched(order(Side.BUY, "61790.00", "0.75"))
    held.books[ID].out_of_sync_reason = "gap"
    assert "bps" not in rows(held)[0]
    del held.books[ID]
    assert "bps" not in rows(held)[0]


def test_the_distance_by_a_stale_book_is_faint() -> None:
    """It is there, and not to be relied upon."""
    held = touched(order(Side.BUY, "61790.00", "0.75"))
    late = trust(TrustState.STALE, "", 30)
    for of, role in ((None, Role.TEXT), (lambda *_: LIVE, Role.TEXT), (lambda *_: late, Role.FAINT)):
        body = shown(held, trust_of=of).body[1]
        assert next(span.role for span in body if span.text.strip() == "1") is role


def test_what_is_filled_has_its_share() -> None:
    """Filled over total in the instrument's decimals, and percent."""
    row = rows(touched(order(Side.BUY, "61800.00", "0.75", "0.25")))[0]
    assert "0.25000/0.75000" in row
    assert "33%" in row


def test_an_order_good_till_a_date_says_which() -> None:
    """The time today, the day otherwise; amber when it is soon."""
    held = touched(
        replace(order(Side.BUY, "1.00", "1"), time_in_force="GTD", expire_at=NOW + 240 * SECOND),
        replace(order(Side.BUY, "2.00", "1"), time_in_force="GTD", expire_at=NOW + DAY),
        replace(order(Side.BUY, "3.00", "1"), time_in_force="GTD", expire_at=NOW + 400 * DAY),
    )
    pane = shown(held)
    words = screen(pane)
    assert "limit gtd 23:58" in words
    assert "limit gtd 9 Aug 23:54" in words
    assert "limit gtd 12 Sep 2025" in words
    roles = {span.text.strip(): span.role for row in pane.body for span in row}
    assert roles["23:58"] is Role.WARN
    assert roles["9 Aug 23:54"] is Role.MUTED


def child(key: str, parent: str = "", list_id: str = "", side: Side = Side.BUY) -> Order:
    """Return an order of a family."""
    one = order(side, "61000.00", "1")
    return replace(one, order_id=key, parent_id=parent, list_id=list_id)


def tree(orders: list[Order]) -> list[tuple[str, str]]:
    """Return the orders as they stand, each with what is before it."""
    keyed: dict[Key, Order] = {("a1", one.order_id): one for one in orders}
    return [(place.prefix, str(key[1])) for key, place in family(list(keyed), keyed).items()]


def test_children_stand_under_their_parent() -> None:
    """Wherever the order puts them, and theirs under them."""
    orders = [child("c2", "p"), child("x"), child("g", "c1"), child("p"), child("c1", "p")]
    assert tree(orders) == [("", "x"), ("", "p"), ("└ ", "c2"), ("└ ", "c1"), ("  └ ", "g")]


def test_what_is_left_of_a_list_stands_together() -> None:
    """Orphans of one list where the first of them would be."""
    orders = [child("a", "gone", "L"), child("x"), child("b", "gone", "L"), child("c", list_id="L")]
    assert tree(orders) == [("┌ ", "a"), ("├ ", "b"), ("└ ", "c"), ("", "x")]
    assert tree(orders[:2]) == [("", "a"), ("", "x")]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdefgh"), st.sampled_from(["", *"abcdefgh"]), st.sampled_from(["", "L", "M"])
        ),
        unique_by=lambda each: each[0],
    )
)
def test_every_order_stands_exactly_once(orders: list[tuple[str, str, str]]) -> None:
    """Circles and orders that are their own parents included."""
    assert sorted(key for _, key in tree([child(*one) for one in orders])) == sorted(one[0] for one in orders)


def test_families_are_on_the_screen() -> None:
    """The prefix is part of the first column."""
    held = touched(child("p"), child("c1", "p"), child("c2", "p"))
    assert [row[0] for row in rows(held)] == ["BTC/USDT", "└", "└"]


def test_masked_orders_show_no_quantity() -> None:
    """Prices are the market's and stay."""
    words = screen(shown(touched(order(Side.BUY, "61790.00", "0.75", "0.25")), options=Options(masked=True)))
    assert "•••••/•••••" in words
    assert "0.75" not in words
    assert "61,790.00" in words


# --- positions


def held_position(**fields: object) -> Position:
    """Return a position with these fields."""
    base: dict[str, object] = {"position_side": "LONG", "quantity": Decimal("1.5"), "updated_at": NOW}
    return Position("p1", "BTC", ID, **{**base, **fields})  # type: ignore[arg-type]


@given(
    st.decimals(-(10**6), 10**6, places=4),
    st.decimals(1, 10**6, places=4),
)
def test_the_return_is_the_profit_over_the_margin(profit: Decimal, margin: Decimal) -> None:
    """In percent, to four decimals."""
    found = roe(held_position(unrealized_pnl=profit, margin=margin))
    assert found is not None
    assert abs(found - profit / margin * 100) <= Decimal("0.0001")


@pytest.mark.parametrize(
    ("profit", "margin"), [(None, Decimal(1)), (Decimal(1), None), (Decimal(1), Decimal(0))]
)
def test_the_return_is_unknown_without_a_margin(profit: Decimal | None, margin: Decimal | None) -> None:
    """Never a division by nothing."""
    assert roe(held_position(unrealized_pnl=profit, margin=margin)) is None


def test_a_position_has_everything_that_is_known() -> None:
    """Side, quantity, entry, mark, both profits, return, margin, leverage, age."""
    held = funded()
    position = held_position(
        entry_price=Decimal("60000.00"), current_price=Decimal("61837.64"), unrealized_pnl=Decimal("2756.46"),
        realized_pnl=Decimal("-12.10"), margin=Decimal("18551.29"), leverage=Decimal(5),
        updated_at=NOW - 120 * SECOND,
    )  # fmt: skip
    held.apply_portfolio(Portfolio("a1", UpdateMode.SNAPSHOT, positions=(position,), updated_at=NOW), NOW)
    row = plain(shown(held, "Positions"))[1].split()
    assert row == [
        "BTC/USDT", "BIN", "▲", "long", "1.50000", "60,000.00", "61,837.64", "+2,756.46", "+14.86", "−12.10",
        "18,551.29", "5×", "2", "m",
    ]  # fmt: skip
    masked = screen(shown(held, "Positions", options=Options(masked=True)))
    assert all(amount not in masked for amount in ("1.5", "2,756", "14.86", "12.10", "18,551"))


@pytest.mark.parametrize(
    "fields", [{"status": "CLOSED"}, {"quantity": Decimal("0.00")}], ids=["closed", "none"]
)
def test_a_position_that_is_closed_is_none(fields: dict[str, object]) -> None:
    """Neither a row nor counted; one of unknown quantity is still one."""
    held = funded()
    for more, count in ((fields, ""), ({"quantity": None}, " 1")):
        entry = held_position(**more)
        held.apply_portfolio(Portfolio("a1", UpdateMode.SNAPSHOT, positions=(entry,), updated_at=NOW), NOW)
        pane = shown(held, "Positions")
        assert f"Positions{count} ─ Orders" in text(pane.title)
        assert ("No open positions" in screen(pane)) is not bool(count)


def test_a_mark_that_is_old_is_amber() -> None:
    """Its profit is as old as that."""
    held = funded()
    late = held_position(updated_at=NOW - 16 * 60 * SECOND)
    held.apply_portfolio(Portfolio("a1", UpdateMode.SNAPSHOT, positions=(late,), updated_at=NOW), NOW)
    row = shown(held, "Positions").body[1]
    assert next(span.role for span in row if span.text.strip() == "15 m") is Role.WARN


def test_the_title_counts_what_the_tabs_hold() -> None:
    """Positions and orders."""
    assert text(shown(funded()).title).startswith("Balances ─ Positions 1 ─ Orders 1 ─ Fills")
