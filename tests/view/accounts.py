"""The Account view of markets made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.records import Portfolio, TradingAccount
from cadenza_tui.view.account_frame import AccountMemory
from cadenza_tui.view.accounts import account_view
from tests.view.support import LIVE, NOW, SECOND, balance, funded, market

if TYPE_CHECKING:
    from cadenza_tui.market.state import Market
    from cadenza_tui.view.rows import Pane

MINUTE = 60 * SECOND
SIZES = [(38, 8), (78, 20), (118, 36), (198, 56)]
"""The insides of 40x12, 80x24, 120x40 and 200x60."""


def view(held: Market | None = None, *, width: int = 138, height: int = 36, **options: object) -> Pane:
    """Return the Account view, of all accounts unless one is chosen."""
    held = held or funded()
    arguments: dict[str, object] = {"now": NOW, "trust": LIVE, "memory": AccountMemory(), **options}
    return account_view(list(held.accounts.values()), held, width=width, height=height, **arguments)  # type: ignore[arg-type]


def crowd(accounts: int = 8, assets: int = 200) -> Market:
    """Return a market with this many accounts of this many assets each."""
    made = market()
    for number in range(accounts):
        name = f"b{number}"
        made.apply_account(TradingAccount(name, f"desk {number}", "OKX", "SPOT", "ACTIVE"), NOW)
        held = tuple(balance(f"A{n:03}", f"{1 + n}.50000000") for n in range(assets))
        made.apply_portfolio(Portfolio(name, balances=held), NOW)
    return made
