"""From the market and the user's choices to panes: asks ``view`` for each, and keeps what panes remember."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cadenza_tui.ui.account_panes import ACCOUNT_PANES, AccountPanes
from cadenza_tui.ui.keys import footer_end, footer_keys, goto_keys
from cadenza_tui.ui.market_keys import MarketKeys
from cadenza_tui.ui.market_panes import MarketPanes
from cadenza_tui.ui.panes import PANES
from cadenza_tui.ui.trusts import Trusts
from cadenza_tui.view.footer import footer, tabs
from cadenza_tui.view.health import health
from cadenza_tui.view.layout import Layout
from cadenza_tui.view.rows import Bars, Pane, Role, Span
from cadenza_tui.view.status import status
from cadenza_tui.view.table import TableWidths
from cadenza_tui.view.text import fit_row, row_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.source import Source
    from cadenza_tui.view.rows import Row


class Presenter:
    """Makes the panes and lines. Holds no market state: memories of panes and paused panes only."""

    def __init__(self, source: Source, desk: Desk, preferences: Preferences, *, bars: Bars) -> None:
        self._market = source.market
        self._desk = desk
        self._preferences = preferences
        self.places = Layout({}, ())
        self.prefix = False
        """Whether ``g`` waits for its letter."""
        self.trusts = Trusts(source)
        self.accounts = AccountPanes(source, desk, preferences, self.trusts)
        self.panes = MarketPanes(source, desk, preferences, self.trusts, self.accounts, bars=bars)
        self.keys = MarketKeys(source.market, desk, preferences, self.panes)
        self._table = TableWidths()
        self._frozen: dict[str, Pane] = {}
        self._makers: dict[str, Callable[[int, int, int], Pane]] = {
            "account": self.accounts.one,
            "accounts": self.accounts.all,
            "health": self._health,
            **self.panes.makers,
        }

    # -- panes -----------------------------------------------------------------------------------

    def pane(self, name: str, width: int, height: int, now: int) -> Pane:
        """Return the pane called ``name`` with a body of ``width`` x ``height`` cells."""
        if name in self._desk.paused:
            return self._paused(name, width, height, now)
        self._frozen.pop(name, None)
        return self._makers[name](width, height, now)

    def _paused(self, name: str, width: int, height: int, now: int) -> Pane:
        frozen = self._frozen.get(name)
        if frozen is None or len(frozen.body) > height:
            made = self._makers[name](width, height, now)
            frozen = Pane(made.title, (Span("‖ paused", Role.WARN),), made.body, dimmed=True)
            self._frozen[name] = frozen
        elif any(row_cells(row) != width for row in frozen.body):  # what stands stays, in another width
            return replace(frozen, body=tuple(fit_row(row, width) for row in frozen.body))
        return frozen

    def _health(self, width: int, height: int, now: int) -> Pane:
        return health(
            self._market,
            width=width,
            height=height,
            now=now,
            widths=self._table,
            scroll=self._desk.scroll.get("health", 0),
            masked=self._preferences.masked,
        )

    # -- lines -----------------------------------------------------------------------------------

    def line(self, name: str, width: int, now: int) -> Row:
        """Return the status line, the tab strip or the footer in ``width`` cells."""
        if name == "status":
            selected = self._desk.selected
            return status(
                self._market,
                selected,
                self.trusts.connection(now),
                self.trusts.book(selected, now) if selected is not None else None,
                width=width,
                now=now,
                notice=self._preferences.notice,
                clock=self._preferences.clock,
            )
        if name == "tabs":
            words = [(name, PANES[name].word) for name in self.places.order]
            return tabs(words, tuple(self.places.panes), self._desk.focused, width=width)
        return footer(self._keys(), width=width, end=self._footer_end())

    def _keys(self) -> list[tuple[str, str]]:
        if self.prefix:
            return goto_keys()
        return footer_keys(self._desk.focused, arrows=self.panes.bars is not Bars.ASCII)

    def _footer_end(self) -> Row:
        masked = (Span("amounts masked   ", Role.WARN),) if self._preferences.masked else ()
        keys = [
            span
            for at, (key, word) in enumerate(footer_end())
            for span in (Span("   " * bool(at) + key, Role.ACCENT), Span(" " + word, Role.MUTED))
        ]
        return (*masked, *keys)

    # -- what the user does ----------------------------------------------------------------------

    def pause(self, name: str) -> None:
        """Stop showing what is new in a pane."""
        self._desk.paused.add(name)
        self._frozen.pop(name, None)

    def resume(self) -> bool:
        """Show what is new in every pane again; return whether any stood."""
        stood = bool(self._desk.paused) | self.keys.resume_tape()
        self._desk.paused.clear()
        return stood

    def move(self, name: str, by: int) -> None:
        """Move the cursor of a pane, or its rows."""
        if name in ACCOUNT_PANES:
            self.accounts.move(name, by)
        elif name == "health":
            last = 2 * len(self._market.health.channels)
            self._desk.scroll[name] = min(max(self._desk.scroll.get(name, 0) + by, 0), last)
        elif (memory := self.panes.memory(name)) is not None:
            memory.move(by)

    def page(self, name: str, by: int, height: int) -> None:
        """Move a pane by almost all that is in sight."""
        if name in ACCOUNT_PANES:
            self.accounts.page(name, by)
        elif name == "health":
            self.move(name, by * max(height - 2, 1))
        elif (memory := self.panes.memory(name)) is not None:
            memory.page(by)

    def roll(self, name: str, by: int) -> None:
        """Move what is in sight, as a wheel does."""
        if name in ACCOUNT_PANES:
            self.accounts.roll(name, by)
        elif name == "instruments":
            self.panes.watch.scroll(by)
        else:
            self.move(name, by)

    def release(self, name: str) -> bool:
        """Let go of the row that is pointed at; return whether there was one."""
        if name in ACCOUNT_PANES:
            return self.accounts.release(name)
        memory = self.panes.memory(name)
        return memory is not None and memory.release()

    def centre(self, names: Collection[str]) -> None:
        """Bring the touch back to the middle and every list to its first row, in these panes."""
        for name in names:
            self._desk.scroll.pop(name, None)
        self.accounts.to_top(*[name for name in ACCOUNT_PANES if name in names])
        self.keys.centre(names)
