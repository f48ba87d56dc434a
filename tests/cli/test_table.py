"""The table of balances."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.cli.table import at_the_point, balances_table
from cadenza_tui.market.accounts import Account
from cadenza_tui.market.records import Balance, Portfolio
from cadenza_tui.view.numbers import exact


def test_unknown_amounts_are_not_zero() -> None:
    """They are a dash, and what is known keeps every digit."""
    account = Account("desk")
    balances = (
        Balance("USDT", "USDT", total=Decimal("1234567.1"), free=Decimal("-0.000000000000000001")),
        Balance("BTC", "BTC"),
    )
    account.apply_portfolio(Portfolio("desk", balances=balances), 1)
    lines = balances_table([account]).splitlines()
    assert lines[0] == "desk"
    assert lines[2].split() == ["BTC", "—", "—", "—", "—"]
    assert lines[3].split() == ["USDT", "1,234,567.1", "−0.000000000000000001", "—", "—"]


def test_an_account_without_balances_says_so() -> None:
    """Instead of an empty table."""
    assert balances_table([Account("desk")]).splitlines()[-1] == "no balances"


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=6), min_size=1))
def test_points_stand_in_one_column(amounts: list[Decimal]) -> None:
    """Whatever the numbers are, and nothing of them is lost."""
    cells = at_the_point([exact(amount) for amount in amounts])
    assert len({cell.index(".") for cell in cells}) == 1
    assert [cell.strip() for cell in cells] == [exact(amount) for amount in amounts]
