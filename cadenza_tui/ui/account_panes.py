"""The panes of the accounts: which account and table they show, and what they remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.market.valuation import currencies
from cadenza_tui.ui.desk import View
from cadenza_tui.view import account_page
from cadenza_tui.view.account import TABS, account
from cadenza_tui.view.account_frame import AccountMemory, Options
from cadenza_tui.view.account_order import SORTS, following, turned
from cadenza_tui.view.accounts import account_view

if TYPE_CHECKING:
    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Order
    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.source import Source
    from cadenza_tui.ui.trusts import Trusts
    from cadenza_tui.view.rows import Pane

ACCOUNT_PANES = ("account", "accounts")


class AccountPanes:
    """Makes the Account view and the Market view's pane."""

    def __init__(self, source: Source, desk: Desk, preferences: Preferences, trusts: Trusts) -> None:
        self._market = source.market
        self._desk = desk
        self._preferences = preferences
        self._trusts = trusts
        self.memories = {name: AccountMemory() for name in ACCOUNT_PANES}

    def one(self, width: int, height: int, now: int) -> Pane:
        """Return the pane of one account."""
        accounts = self.accounts()
        chosen = self.chosen("account", accounts)
        return account(
            accounts,
            self._market,
            width=width,
            height=height,
            now=now,
            trust=self._trusts.accounts(accounts, chosen, now),
            memory=self.memories["account"],
            options=self._options(),
            chosen=chosen,
            tab=TABS[self._desk.tab % len(TABS)],
            trust_of=self._trusts.book,
        )

    def all(self, width: int, height: int, now: int) -> Pane:
        """Return the Account view."""
        accounts = self.accounts()
        chosen = self.chosen("accounts", accounts)
        return account_view(
            accounts,
            self._market,
            width=width,
            height=height,
            now=now,
            trust=self._trusts.accounts(accounts, chosen, now),
            memory=self.memories["accounts"],
            options=self._options(),
            chosen=chosen,
            trust_of=self._trusts.book,
        )

    def _options(self) -> Options:
        kept = self._preferences
        return Options(kept.currency, kept.sorts, kept.hide_dust, self._desk.filter, kept.masked)

    def accounts(self) -> list[Account]:
        """Return the accounts in a steady order."""
        return [self._market.accounts[key] for key in sorted(self._market.accounts)]

    def own_orders(self) -> list[Order]:
        """Return the working orders of every account."""
        return [order for account in self._market.accounts.values() for order in account.working_orders()]

    # -- what the user does ----------------------------------------------------------------------

    @property
    def present(self) -> str:
        """The pane that keys about accounts are for."""
        return "accounts" if self._desk.view is View.ACCOUNT else "account"

    def move(self, name: str, by: int) -> None:
        """Move the cursor of the rows."""
        account_page.move(self.memories[name], by)

    def page(self, name: str, by: int) -> None:
        """Move the cursor by almost all that is in sight."""
        memory = self.memories[name]
        account_page.move(memory, by * max(memory.room - 2, 1))

    def roll(self, name: str, by: int) -> None:
        """Move what is in sight, as a wheel does."""
        account_page.scroll(self.memories[name], by)

    def turn_tab(self, by: int) -> None:
        """Go to another table of the account."""
        if self._desk.view is View.ACCOUNT:
            account_page.turn(self.memories["accounts"], by)
            return
        self._desk.tab = (self._desk.tab + by) % len(TABS)
        self.to_top("account")

    def sort(self, *, turn: bool) -> None:
        """Sort the focused table by the next column, or the other way round."""
        table = self.memories[self.present].focused
        if table in SORTS:
            sorts = self._preferences.sorts
            sorts[table] = turned(table, sorts) if turn else following(table, sorts)

    def currency(self, by: int) -> str:
        """Return the next currency that everything can be valued in, empty for each account's own."""
        known = ["", *currencies(self._market)]
        now = self._preferences.currency
        at = known.index(now) if now in known else 0
        return known[(at + by) % len(known)]

    def point(self, name: str, x: int, y: int) -> None:
        """Point at what is at a cell of a pane's body."""
        account_page.point(self.memories[name], x, y)

    def release(self, name: str) -> bool:
        """Let go of the row that is pointed at; return whether there was one."""
        memory = self.memories.get(name)
        if memory is None or memory.cursor is None:
            return False
        memory.cursor = None
        return True

    def turn(self, by: int) -> None:
        """Go on from all accounts to the first one, the second, and round."""
        name = self.present
        accounts = self.accounts()
        if len(accounts) < 2:
            return
        places = ["", *(each.account_id for each in accounts)]
        at = places.index(self.chosen(name, accounts))
        self._desk.accounts[name] = places[(at + by) % len(places)]
        self.to_top(name)

    def chosen(self, name: str, accounts: list[Account]) -> str:
        """Return the id of the account that a pane shows, empty for all of them.

        Where nothing was chosen the Account view has all of them, and the Market view's pane the first.
        """
        ids = [each.account_id for each in accounts]
        if len(ids) == 1:
            return ids[0]
        wanted = self._desk.accounts.get(name)
        if wanted is None:
            return ids[0] if ids and name == "account" else ""
        return wanted if wanted in ids else ""

    def to_top(self, *names: str) -> None:
        """Let go of the row that is pointed at, and show the first rows."""
        for name in names:
            memory = self.memories[name]
            memory.cursor, memory.first = None, 0
