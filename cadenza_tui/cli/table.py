"""The table of ``balances``: numbers line up at the decimal point, digit for digit as the feed has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.numbers import exact, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.accounts import Account

COLUMNS = ("total", "free", "locked", "borrowed")
GAP = "  "


def balances_table(accounts: Sequence[Account]) -> str:
    """Return the balances of all accounts, a heading and a table for each; ``—`` is unknown, never 0."""
    return "\n\n".join(_account(account) for account in accounts)


def _account(account: Account) -> str:
    rows = sorted(account.balances.values(), key=lambda balance: (balance.asset, balance.key))
    assets = [balance.asset for balance in rows]
    columns = [_column(assets, "asset", right=False)]
    columns += [
        _column(at_the_point([exact(getattr(balance, name)) for balance in rows]), name) for name in COLUMNS
    ]
    lines = [_heading(account)]
    lines += [GAP.join(cells).rstrip() for cells in zip(*columns, strict=True)]
    if not rows:
        lines.append("no balances")
    return "\n".join(lines)


def _heading(account: Account) -> str:
    told = account.account
    if told is None:
        return account.account_id
    name = told.nickname or account.account_id
    return " · ".join(part for part in (name, told.venue, told.account_type) if part)


def _column(cells: Sequence[str], title: str, *, right: bool = True) -> list[str]:
    width = max(map(len, (*cells, title)))
    return [cell.rjust(width) if right else cell.ljust(width) for cell in (title, *cells)]


def at_the_point(numbers: Sequence[str]) -> list[str]:
    """Return numbers, all of one width, with their decimal points in one column."""
    parts = [split(number) for number in numbers]
    whole = max((len(left) for left, _ in parts), default=0)
    fraction = max((len(right) for _, right in parts), default=0)
    return [left.rjust(whole) + right.ljust(fraction) for left, right in parts]
