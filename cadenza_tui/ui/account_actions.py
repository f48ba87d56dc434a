"""What keys do in the account panes: which account, which table, sorted, filtered, valued and masked how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from cadenza_tui.ui.account_panes import ACCOUNT_PANES
from cadenza_tui.ui.prompt import PromptScreen

if TYPE_CHECKING:
    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.presenter import Presenter
    from cadenza_tui.ui.source import Source


class AccountActions(Screen[None]):
    """The part of the monitor that is about accounts; what the user settles on is kept at once.

    Keys change nothing of accounts that are out of sight.
    """

    if TYPE_CHECKING:
        preferences: Preferences
        desk: Desk
        _presenter: Presenter
        _source: Source
        _shown: frozenset[str]

        def _invalidate(self, *names: str) -> None: ...
        def turn(self, pane: str, name: str, by: int = 1) -> None: ...

    @property
    def _present(self) -> bool:
        """Whether there are accounts in sight."""
        return self._presenter.accounts.present in self._shown

    def action_account(self, by: int) -> None:
        """Show another account."""
        if self._present:
            self._presenter.accounts.turn(by)
            self._invalidate(*ACCOUNT_PANES)

    def action_sort(self) -> None:
        """Sort the watchlist, or the focused table of the account, by its next column."""
        if self.desk.focused == "instruments":
            self.turn("instruments", "sort")
        elif self._present:
            self._presenter.accounts.sort(turn=False)
            self._keep()

    def action_sort_turn(self) -> None:
        """Sort the account's table the other way round, the watchlist by the column before."""
        if self.desk.focused == "instruments":
            self.turn("instruments", "sort", -1)
        elif self._present:
            self._presenter.accounts.sort(turn=True)
            self._keep()

    def action_dust(self) -> None:
        """Hide what is worth next to nothing, or show it again."""
        if self._present:
            self.preferences.hide_dust = not self.preferences.hide_dust
            self._keep()

    def action_currency(self, by: int) -> None:
        """Value everything in another currency."""
        if self._present:
            self.value_in(self._presenter.accounts.currency(by))

    def value_in(self, currency: str) -> None:
        """Value everything in a currency; empty is each account's own."""
        self.preferences.currency = currency
        self._source.value_in(currency)
        self._keep()

    def action_filter(self) -> None:
        """Ask for what the rows are to be filtered by; they follow as it is typed."""
        if not self._present:
            return
        before = self.desk.filter

        def typed(words: str) -> None:
            self.desk.filter = words
            self._invalidate(*ACCOUNT_PANES)

        def done(words: str | None) -> None:
            typed(before if words is None else words)

        self.app.push_screen(PromptScreen("filter", before, typed), done)

    def action_mask(self) -> None:
        """Hide or show every amount."""
        self.preferences.masked = not self.preferences.masked
        self._keep()

    def _keep(self) -> None:
        """Keep the preferences and show what they change."""
        self.preferences.save()
        self._invalidate(*self._shown)

    def action_clock(self) -> None:
        """Hide or show the clock."""
        self.preferences.clock = not self.preferences.clock
        self._keep()
