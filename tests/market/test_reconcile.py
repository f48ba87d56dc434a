"""The answer to a query beside what pushes gave: which of both is taken, and what counts as a difference."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from cadenza_tui.market import reconcile
from cadenza_tui.market.accounts import Account
from cadenza_tui.market.differences import GRACE_NS, MAXIMUM_DIFFERENCES, MISSING
from cadenza_tui.market.records import (
    Balance,
    Execution,
    Order,
    Portfolio,
    Position,
    Side,
    Summary,
    UpdateMode,
)

DESK = "desk-1"
NOW = 1_000_000_000_000
MS = 1_000_000
LATER = NOW + GRACE_NS


def balance(total: int, time: int | None = None, asset: str = "USDT") -> Balance:
    return Balance(asset, asset, total=Decimal(total), updated_at=time)


def whole(*balances: Balance, time: int | None = None, positions: tuple[Position, ...] = ()) -> Portfolio:
    return Portfolio(DESK, balances=balances, positions=positions, updated_at=time)


def delta(*balances: Balance, time: int | None = None) -> Portfolio:
    return Portfolio(DESK, UpdateMode.DELTA, balances=balances, updated_at=time)


def order(name: str, status: str = "ACCEPTED", time: int | None = None, *fills: Execution) -> Order:
    filled = Decimal(len(fills))
    return Order(
        name,
        DESK,
        "V:BTC/USDT",
        Side.BUY,
        status,
        executed_quantity=filled,
        executions=fills,
        updated_at=time,
    )


def execution(name: str, time: int) -> Execution:
    return Execution(name, "V:BTC/USDT", Side.BUY, Decimal(1), Decimal(100), executed_at=time)


def trusted(*balances: Balance, orders: tuple[Order, ...] = ()) -> Account:
    """Return an account that is followed and was fetched once."""
    account = Account(DESK)
    question = reconcile.ask(account, NOW)
    reconcile.answer_portfolio(account, whole(*balances), question, NOW)
    reconcile.answer_orders(account, list(orders), question, NOW)
    account.followed = True
    account.settle(NOW)
    return account


def compare(account: Account, answer: Portfolio, *, after: Portfolio | None = None) -> None:
    """Ask, let ``after`` be pushed, and take the answer."""
    question = reconcile.ask(account, NOW)
    if after is not None:
        account.apply_portfolio(after, NOW)
    reconcile.answer_portfolio(account, answer, question, NOW)


def total(account: Account, key: str = "USDT") -> str:
    return str(account.balances[key].total)


def found(account: Account) -> list[tuple[str, str, str, str]]:
    account.settle(LATER)
    account.check()
    return [tuple(difference[1:]) for difference in account.differences]  # type: ignore[misc]


def test_an_answer_that_agrees_changes_nothing() -> None:
    """Whatever its trailing zeros."""
    account = trusted(balance(5, MS))
    version = account.version
    compare(account, whole(replace(balance(5, MS), total=Decimal("5.00"))))
    assert found(account) == []
    assert version + 1 >= account.version


def test_the_query_wins_and_the_difference_counts_when_no_push_explains_it() -> None:
    """At once, and after the grace."""
    account = trusted(balance(5, MS))
    compare(account, whole(balance(6, 2 * MS)))
    assert total(account) == "6"
    assert account.difference_count == 0
    assert found(account) == [("balance USDT", "total", "5", "6")]
    assert account.difference_count == 1


def test_a_push_that_was_only_slower_is_no_difference() -> None:
    """It brings the same within the grace."""
    account = trusted(balance(5, MS))
    compare(account, whole(balance(6, 2 * MS)))
    account.apply_portfolio(delta(balance(6, 2 * MS)), NOW + 1)
    assert found(account) == []


def test_another_push_does_not_explain_it() -> None:
    """What the query gave was never pushed."""
    account = trusted(balance(5, MS))
    compare(account, whole(balance(6, 2 * MS)))
    account.apply_portfolio(delta(balance(7, 3 * MS)), NOW + 1)
    assert total(account) == "7"
    assert found(account) == [("balance USDT", "total", "5", "6")]


def test_equal_times_and_other_amounts_are_a_difference() -> None:
    """The query wins."""
    account = trusted(balance(5, MS))
    compare(account, whole(balance(6, MS)))
    assert total(account) == "6"
    assert len(found(account)) == 1


def test_an_older_answer_is_passed_over() -> None:
    """As from a replica that lags: no difference, whatever its message says of the time."""
    account = trusted(balance(5, 3 * MS))
    compare(account, whole(balance(4, 2 * MS), time=9 * MS))
    assert total(account) == "5"
    assert found(account) == []


@pytest.mark.parametrize("time", [None, MS])
def test_a_push_since_the_question_wins_where_times_do_not_decide(time: int | None) -> None:
    """Nor is that a difference; it is asked again."""
    account = trusted(balance(5, time))
    compare(account, whole(balance(5, time)), after=delta(balance(7, time)))
    assert total(account) == "7"
    assert found(account) == []
    assert account.doubtful


def test_a_newer_answer_wins_over_a_push_since_the_question() -> None:
    """Entry times decide."""
    account = trusted(balance(5, MS))
    compare(account, whole(balance(8, 9 * MS)), after=delta(balance(7, 2 * MS)))
    assert total(account) == "8"


def test_nanoseconds_do_not_outrank_the_same_millisecond() -> None:
    """Answers are finer than publications: the next change within that millisecond is not older."""
    account = trusted(balance(5, MS))
    compare(account, whole(balance(6, 2 * MS + 300_000)))
    account.apply_portfolio(delta(balance(7, 2 * MS)), NOW + 1)
    assert total(account) == "7"


def test_what_is_missing_in_the_answer_is_gone() -> None:
    """A difference, unless there was nothing of it, or a push brought it meanwhile."""
    account = trusted(balance(5), balance(0, asset="DUST"), balance(1, asset="BTC"))
    compare(account, whole(balance(5)), after=delta(balance(2, asset="ETH")))
    assert list(account.balances) == ["USDT", "ETH"]
    assert found(account) == [("balance BTC", "total", "1", MISSING)]


def test_what_is_missing_here_is_taken() -> None:
    """A difference, unless a whole portfolio came meanwhile that did not have it."""
    account = trusted(balance(5))
    compare(account, whole(balance(5), balance(2, asset="ETH")), after=whole(balance(5)))
    assert list(account.balances) == ["USDT"]
    compare(account, whole(balance(5), balance(2, asset="ETH")))
    assert found(account) == [("balance ETH", "total", MISSING, "2")]


def test_positions_are_compared_by_what_does_not_move_with_the_market() -> None:
    """The mark is the query's; a quantity that differs is a difference; a closed one may be missing."""
    account = trusted()
    held = Position("p", "BTC", "V:BTC", quantity=Decimal(1), current_price=Decimal(9))
    account.apply_portfolio(whole(positions=(held, replace(held, position_id="q", status="CLOSED"))), NOW)
    compare(account, whole(positions=(replace(held, current_price=Decimal(8)),)))
    assert str(account.positions["p"].current_price) == "8"
    assert list(account.positions) == ["p"]
    assert found(account) == []
    compare(account, whole(positions=(replace(held, quantity=Decimal(2)),)))
    assert found(account) == [("position V:BTC", "quantity", "1", "2")]


def test_the_summary_is_compared_by_what_does_not_move_with_the_market() -> None:
    """Equity is the query's; another credit is a difference."""
    account = trusted()
    account.apply_portfolio(
        Portfolio(DESK, summary=Summary("USDT", equity=Decimal(1), credit=Decimal(0))), NOW
    )
    compare(account, Portfolio(DESK, summary=Summary("USDT", equity=Decimal(2), credit=Decimal(0))))
    assert found(account) == []
    compare(account, Portfolio(DESK, summary=Summary("USDT", equity=Decimal(2), credit=Decimal(3))))
    assert found(account) == [("summary", "credit", "0", "3")]


def test_a_fill_that_was_never_pushed_is_taken_and_counted() -> None:
    """And the order's state with it; what was listed before is no news."""
    account = trusted(orders=(order("a", "FILLED", MS, execution("a1", MS)), order("o", "ACCEPTED", MS)))
    listed = [
        order("o", "PARTIALLY_FILLED", 2 * MS, execution("o1", 2 * MS)),
        order("a", "FILLED", MS, execution("a1", MS), execution("a0", MS)),
    ]
    reconcile.answer_orders(account, listed, reconcile.ask(account, NOW), NOW)
    assert {fill.execution.execution_id for fill in account.fills} == {"a1", "o1", "a0"}
    assert account.orders["o"].status == "PARTIALLY_FILLED"
    assert {difference[0] for difference in found(account)} == {"fill o1", "order o", "order a"}


def test_an_order_that_is_not_listed_is_not_ended_by_an_old_list() -> None:
    """A list without anything as new as the order may be older: the next one decides."""
    account = trusted(orders=(order("o", "ACCEPTED", 5 * MS),))
    account.apply_order(order("p", "ACCEPTED", 6 * MS), NOW)
    question = reconcile.ask(account, NOW)
    reconcile.answer_orders(account, [order("o", "ACCEPTED", 5 * MS)], question, NOW)
    assert (account.orders["p"].status, account.doubtful) == ("ACCEPTED", True)
    account.apply_order(order("p", "ACCEPTED", 7 * MS), NOW)
    reconcile.answer_orders(account, [order("o", "ACCEPTED", 8 * MS)], question, NOW)
    assert account.orders["p"].status == "ACCEPTED"  # it was pushed since that question


def test_an_order_that_is_not_listed_twice_has_ended() -> None:
    """Nothing tells how; a push that does within the grace is an explanation."""
    for explained in (False, True):
        account = trusted(orders=(order("o", "ACCEPTED", 5 * MS),))
        for _ in range(2):
            reconcile.answer_orders(account, [], reconcile.ask(account, NOW), NOW)
        assert account.orders["o"].status == "UNKNOWN"
        if explained:
            account.apply_order(order("o", "CANCELLED", 6 * MS), NOW)
        assert found(account) == ([] if explained else [("order o", "status", "ACCEPTED", MISSING)])


def test_after_a_known_loss_nothing_is_a_difference() -> None:
    """It is taken: that messages were missing has been said."""
    account = trusted(balance(5, MS))
    account.lose(NOW)
    compare(account, whole(balance(6, 2 * MS)))
    assert total(account) == "6"
    assert found(account) == []


def test_a_push_that_was_lost_with_the_link_is_no_difference() -> None:
    """While the link is down nothing is certain; what is fetched or recovered then explains it."""
    for recovered in (False, True):
        account = trusted(balance(5, MS))
        compare(account, whole(balance(6, 2 * MS)))
        account.lose(NOW)
        assert not account.settle(LATER)
        if recovered:
            account.apply_portfolio(delta(balance(6, 2 * MS)), LATER)
        else:
            compare(account, whole(balance(6, 2 * MS)))
        account.followed = True
        assert found(account) == []


def test_a_push_just_after_an_answer_that_may_be_older_makes_it_doubtful() -> None:
    """Times do not tell which of both is old; after the grace a push is a change like any other."""
    account = trusted(balance(5))
    compare(account, whole(balance(5)))
    assert not account.doubtful
    account.apply_portfolio(delta(balance(6)), LATER)
    assert not account.doubtful
    account.apply_portfolio(delta(balance(7)), NOW + 1)
    assert account.doubtful


def test_what_pushes_leave_out_stays_as_the_query_told_it() -> None:
    """The interest as last told; what is frozen as long as the rest of the total is what it was."""
    account = Account(DESK)
    told = replace(
        balance(10), free=Decimal(7), locked=Decimal(1), frozen=Decimal(2), interest_owed=Decimal(3)
    )
    account.apply_portfolio(whole(told), NOW)
    pushed = replace(balance(11), free=Decimal(8), locked=Decimal(1))
    account.apply_portfolio(delta(pushed), NOW)
    assert (account.balances["USDT"].frozen, account.balances["USDT"].interest_owed) == (
        Decimal(2),
        Decimal(3),
    )
    account.apply_portfolio(delta(replace(pushed, free=Decimal(9))), NOW)
    assert account.balances["USDT"].frozen is None


def test_differences_are_bounded_and_counted() -> None:
    """The newest are kept."""
    account = trusted(balance(0, MS))
    for number in range(1, MAXIMUM_DIFFERENCES + 3):
        compare(account, whole(balance(number, (number + 1) * MS)))
        account.settle(LATER)
    assert len(account.differences) == MAXIMUM_DIFFERENCES
    assert account.difference_count == MAXIMUM_DIFFERENCES + 2
    assert account.differences[0].queried == str(MAXIMUM_DIFFERENCES + 2)
