"""Accounts: what replaces what, and what is never overwritten."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.market import accounts
from cadenza_tui.market.accounts import TERMINAL_STATUSES, Account
from cadenza_tui.market.records import (
    WORKING_STATUSES,
    Balance,
    Execution,
    Order,
    Portfolio,
    Position,
    Side,
    Summary,
    TradingAccount,
    UpdateMode,
)

DESK = "desk-1"
BTC = "BINANCE:BTC/USDT"
NOW = 1_000


def balance(
    asset: str, total: int | str | None = 1, time: int | None = None, key: str | None = None
) -> Balance:
    amount = None if total is None else Decimal(total)
    return Balance(key or asset, asset, total=amount, updated_at=time)


def position(name: str, quantity: int = 1, time: int | None = None) -> Position:
    return Position(name, "BTC", BTC, quantity=Decimal(quantity), updated_at=time)


def snapshot(*balances: Balance, time: int | None = None, **parts: Any) -> Portfolio:
    return Portfolio(DESK, UpdateMode.SNAPSHOT, balances=balances, updated_at=time, **parts)


def delta(*balances: Balance, time: int | None = None, **parts: Any) -> Portfolio:
    return Portfolio(DESK, UpdateMode.DELTA, balances=balances, updated_at=time, **parts)


def execution(name: str, time: int | None = None) -> Execution:
    return Execution(name, BTC, Side.BUY, Decimal(1), Decimal(100), executed_at=time)


def order(name: str, status: str = "ACCEPTED", time: int | None = None, *fills: Execution) -> Order:
    return Order(name, DESK, BTC, Side.BUY, status, executions=fills, updated_at=time)


def totals(account: Account) -> dict[str, str]:
    return {key: str(held.total) for key, held in account.balances.items()}


def test_nothing_is_known_of_a_new_account() -> None:
    """Until something arrives everything is unknown, which is not the same as empty."""
    account = Account(DESK)
    assert not account.known
    assert (account.summary, account.account, account.updated_at, account.version) == (None, None, None, 0)
    account.check()


def test_a_snapshot_replaces_what_is_held() -> None:
    """Balances and positions that a whole portfolio does not have are gone."""
    account = Account(DESK)
    account.apply_portfolio(
        snapshot(balance("BTC"), balance("USDT"), positions=(position("p"),), time=1), NOW
    )
    assert account.apply_portfolio(snapshot(balance("USDT", 2), positions=(), time=2), NOW)
    assert totals(account) == {"USDT": "2"}
    assert account.positions == {}
    assert (account.has_snapshot, account.updated_at) == (True, 2)
    account.check()


def test_a_delta_merges() -> None:
    """An entry replaces the one with its key, the others stay."""
    account = Account(DESK)
    account.apply_portfolio(
        snapshot(balance("BTC"), balance("USDT"), positions=(position("p"),), time=1), NOW
    )
    account.apply_portfolio(delta(balance("USDT", 5), positions=(position("q", 2),), time=2), NOW)
    assert totals(account) == {"BTC": "1", "USDT": "5"}
    assert list(account.positions) == ["p", "q"]


def test_a_part_that_is_left_out_does_not_change() -> None:
    """Even in a snapshot, what is None was not said; what is empty was."""
    account = Account(DESK)
    account.apply_portfolio(
        snapshot(balance("BTC"), positions=(position("p"),), summary=Summary("USDT"), time=1), NOW
    )
    account.apply_portfolio(Portfolio(DESK, updated_at=2), NOW)
    assert (list(account.balances), list(account.positions)) == (["BTC"], ["p"])
    assert account.summary == Summary("USDT")
    account.apply_portfolio(Portfolio(DESK, balances=(), updated_at=3), NOW)
    assert account.balances == {}


def test_an_older_update_never_overwrites_a_newer() -> None:
    """What came late is not taken where something newer is held."""
    account = Account(DESK)
    account.apply_portfolio(snapshot(balance("USDT", 2), summary=Summary("USDT"), time=10), NOW)
    version = account.version
    late = delta(balance("USDT", 1), summary=Summary("EUR"), time=9)
    assert not account.apply_portfolio(late, NOW)
    assert (totals(account), account.summary, account.version) == ({"USDT": "2"}, Summary("USDT"), version)
    assert account.updated_at == 10


def test_an_older_snapshot_fills_in_what_is_not_known() -> None:
    """The answer to a query that a push overtook still brings all that the push did not."""
    account = Account(DESK)
    account.apply_portfolio(delta(balance("USDT", 9), time=10), NOW)
    account.apply_portfolio(snapshot(balance("USDT", 1), balance("BTC", 3), time=5), NOW)
    assert totals(account) == {"USDT": "9", "BTC": "3"}
    assert account.has_snapshot


def test_an_entry_without_any_time_counts_as_newest() -> None:
    """Where nobody says when, the order of arrival counts."""
    account = Account(DESK)
    account.apply_portfolio(snapshot(balance("USDT", 2), time=10), NOW)
    account.apply_portfolio(delta(balance("USDT", 3)), NOW)
    assert totals(account) == {"USDT": "3"}


def test_an_entrys_own_time_counts_where_the_message_has_none() -> None:
    """The later of both times is the entry's."""
    account = Account(DESK)
    account.apply_portfolio(delta(balance("USDT", 2, time=10)), NOW)
    account.apply_portfolio(delta(balance("USDT", 1, time=9)), NOW)
    assert totals(account) == {"USDT": "2"}
    account.apply_portfolio(delta(balance("USDT", 3, time=9), time=11), NOW)
    assert totals(account) == {"USDT": "3"}


def test_an_entry_is_the_same_with_its_id_and_without() -> None:
    """A venue that gives a balance's id in one shape alone does not get a second row."""
    account = Account(DESK)
    account.apply_portfolio(snapshot(balance("USDT", 1), time=1), 10)
    account.apply_portfolio(delta(balance("USDT", 2, key="USDT#7"), time=2), 20)
    assert totals(account) == {"USDT#7": "2"}
    account.apply_portfolio(delta(balance("USDT", 3), time=3), 30)
    assert totals(account) == {"USDT#7": "3"}
    assert str(account.session_change("USDT#7")) == "2"
    account.apply_portfolio(delta(balance("USDT", 4, key="USDT#8"), time=4), 40)
    assert totals(account) == {"USDT#7": "3", "USDT#8": "4"}
    account.check()


def test_the_session_starts_with_the_first_total_seen() -> None:
    """The change over the session is exact, and unknown while either end is."""
    account = Account(DESK)
    assert account.session_change("BTC") is None
    account.apply_portfolio(snapshot(balance("BTC", None), time=1), NOW)
    assert account.session_change("BTC") is None
    account.apply_portfolio(snapshot(balance("BTC", "100000000000000000000.1"), time=2), NOW)
    account.apply_portfolio(snapshot(balance("BTC", "100000000000000000000.1000000000001"), time=3), NOW)
    assert str(account.session_change("BTC")) == "1E-13"


def test_it_is_known_when_an_amount_last_changed() -> None:
    """A balance that came again unchanged keeps the time of its last change."""
    account = Account(DESK)
    account.apply_portfolio(snapshot(balance("BTC"), balance("USDT"), time=1), 10)
    account.apply_portfolio(snapshot(balance("BTC"), balance("USDT", 2), time=2), 20)
    assert account.changed_at == {"BTC": 10, "USDT": 20}
    account.apply_portfolio(snapshot(balance("USDT", 2), time=3), 30)
    assert account.changed_at == {"USDT": 20}


def test_the_accounts_own_data_is_replaced() -> None:
    """The account's own data may come alone or with a portfolio; the same again is no change."""
    account = Account(DESK)
    told = TradingAccount(DESK, "Desk one")
    assert account.apply_account(told, NOW)
    assert not account.apply_account(told, NOW)
    account.apply_portfolio(snapshot(account=TradingAccount(DESK, "Desk 1"), time=1), NOW)
    assert account.account == TradingAccount(DESK, "Desk 1")


def test_working_orders_are_those_that_can_fill() -> None:
    """The contract's six statuses are working; an unknown one is not taken for it."""
    account = Account(DESK)
    for status in (*WORKING_STATUSES, *TERMINAL_STATUSES, "UNKNOWN", "PARKED"):
        account.apply_order(order(status, status), NOW)
    assert {held.status for held in account.working_orders()} == WORKING_STATUSES


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (("ACCEPTED", 1), ("FILLED", 2), "FILLED"),
        (("FILLED", 2), ("ACCEPTED", 1), "FILLED"),
        (("FILLED", 2), ("PARTIALLY_FILLED", 2), "FILLED"),
        (("FILLED", None), ("ACCEPTED", None), "FILLED"),
        (("FILLED", 2), ("ACCEPTED", None), "FILLED"),
        (("ACCEPTED", 2), ("PARTIALLY_FILLED", 2), "PARTIALLY_FILLED"),
        (("EXPIRED", 2), ("ACCEPTED", 3), "ACCEPTED"),
        (("ACCEPTED", None), ("CANCELLED", None), "CANCELLED"),
        (("CANCELLED", 2), ("FILLED", 2), "FILLED"),
    ],
)
def test_an_order_has_its_newest_state(
    first: tuple[str, int | None], second: tuple[str, int | None], status: str
) -> None:
    """An older state is not taken, and an order that has ended lives again only by a newer one."""
    account = Account(DESK)
    account.apply_order(order("o", *first), NOW)
    account.apply_order(order("o", *second), NOW)
    assert account.orders["o"].status == status


def test_a_fill_is_taken_once_even_from_an_older_state() -> None:
    """Executions are facts: the state may be old news, the fill is not."""
    account = Account(DESK)
    account.apply_order(order("o", "FILLED", 5, execution("b", 5)), NOW)
    assert account.apply_order(order("o", "PARTIALLY_FILLED", 3, execution("a", 3), execution("b", 5)), NOW)
    assert [fill.execution.execution_id for fill in account.fills] == ["b", "a"]
    assert account.orders["o"].status == "FILLED"
    assert not account.apply_order(order("o", "PARTIALLY_FILLED", 3, execution("a", 3)), NOW)
    account.check()


def test_finished_orders_are_let_go_working_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest finished orders go when there are too many; past the last bound new ones are counted."""
    monkeypatch.setattr(accounts, "MAXIMUM_FINISHED", 2)
    monkeypatch.setattr(accounts, "MAXIMUM_ORDERS", 5)
    account = Account(DESK)
    account.apply_order(order("w"), NOW)
    for name in "abcd":
        account.apply_order(order(name, "FILLED"), NOW)
    assert list(account.orders) == ["w", "c", "d"]
    for name in "1234":
        account.apply_order(order(name), NOW)
    assert len(account.orders) <= 5
    assert account.dropped
    assert "w" in account.orders


def test_entries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More assets than any account has are counted, not held; those that are held still change."""
    monkeypatch.setattr(accounts, "MAXIMUM_ENTRIES", 2)
    account = Account(DESK)
    account.apply_portfolio(snapshot(*map(balance, "ABCD"), time=1), NOW)
    assert (list(account.balances), account.dropped) == (["A", "B"], 2)
    account.apply_portfolio(delta(balance("B", 7), time=2), NOW)
    assert totals(account) == {"A": "1", "B": "7"}
    account.check()


TIMES = st.none() | st.integers(1, 6)


@st.composite
def portfolios(draw: st.DrawFn) -> Portfolio:
    assets = draw(st.lists(st.sampled_from("ABCD"), unique=True, max_size=4))
    balances = tuple(balance(asset, draw(st.integers(0, 9)), draw(TIMES)) for asset in assets)
    return Portfolio(
        DESK,
        draw(st.sampled_from(UpdateMode)),
        balances=draw(st.sampled_from([balances, balances, None])),
        updated_at=draw(TIMES),
    )


@given(st.lists(portfolios(), max_size=12))
def test_balances_agree_with_the_rule_in_plain_words(updates: list[Portfolio]) -> None:
    """Each balance is the last one taken, never an older; a whole portfolio removes what is not newer."""
    account = Account(DESK)
    naive: dict[str, tuple[Balance, int | None]] = {}
    for number, update in enumerate(updates):
        account.apply_portfolio(update, number)
        account.check()
        if update.balances is None:
            continue
        named = {each.key for each in update.balances}
        for each in update.balances:
            times = [time for time in (update.updated_at, each.updated_at) if time is not None]
            time = max(times) if times else None
            held = naive[each.key][1] if each.key in naive else None
            if time is None or held is None or time >= held:
                naive[each.key] = (each, held if time is None else time)
        if update.mode is UpdateMode.SNAPSHOT:
            for key, (_, held) in list(naive.items()):
                older = update.updated_at is not None and held is not None and update.updated_at < held
                if key not in named and not older:
                    del naive[key]
        assert account.balances == {key: each for key, (each, _) in naive.items()}


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 5)), max_size=30),
    st.integers(1, 5),
)
def test_fills_agree_with_a_sorted_list(arrivals: list[tuple[str, int]], maximum: int) -> None:
    """The latest fills by their time are kept, newest first, each once within them."""
    account = Account(DESK, maximum_fills=maximum)
    naive: list[tuple[int, str]] = []
    for number, (name, time) in enumerate(arrivals):
        account.apply_order(order("o", "ACCEPTED", number + 1, execution(name, time)), NOW)
        if all(held != name for _, held in naive):
            naive = sorted([(time, name), *naive], key=lambda fill: -fill[0])[:maximum]
        account.check()
        assert [fill.execution.execution_id for fill in account.fills] == [name for _, name in naive]
    assert isinstance(account.fills, deque)
