"""From the market and the user's choices to panes: asks ``view`` for each, and keeps what panes remember."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cadenza_tui.market.trust import book_trust, channel_trust, connection_trust, worst
from cadenza_tui.ui.desk import View
from cadenza_tui.ui.keys import footer_end, footer_keys, goto_keys
from cadenza_tui.view.account import TABS, account
from cadenza_tui.view.account_tables import AccountWidths
from cadenza_tui.view.accounts import account_view
from cadenza_tui.view.footer import footer, tabs
from cadenza_tui.view.health import health
from cadenza_tui.view.ladder import ladder, sides
from cadenza_tui.view.ladder_widths import LadderWidths
from cadenza_tui.view.layout import Layout
from cadenza_tui.view.rows import Pane, Role, Span
from cadenza_tui.view.states import empty_pane
from cadenza_tui.view.status import status
from cadenza_tui.view.table import TableWidths
from cadenza_tui.view.tape import TapeWidths, tape
from cadenza_tui.view.watchlist import WatchWidths, listed, watchlist
from cadenza_tui.wire.channels import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import InstrumentId, Order
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.ui.desk import Desk
    from cadenza_tui.ui.source import Source
    from cadenza_tui.view.rows import Bars, Row

PANE_WORDS = (("instruments", "Instruments"), ("book", "Book"), ("tape", "Tape"), ("account", "Account"))
LADDERS_KEPT = 64
TAPE_ROWS = 2000

Widths = TypeVar("Widths")


class Presenter:
    """Makes the panes. Holds no market state: column widths, scroll positions and paused panes only."""

    def __init__(self, source: Source, desk: Desk, *, bars: Bars) -> None:
        self._source = source
        self._market = source.market
        self._desk = desk
        self.bars = bars
        self.places = Layout({}, ())
        self.prefix = False
        """Whether ``g`` waits for its letter."""
        self._ladders: dict[str, LadderWidths] = {}
        self._tapes: dict[str, TapeWidths] = {}
        self._watch = WatchWidths()
        self._account = AccountWidths()
        self._table = TableWidths()
        self._frozen: dict[str, Pane] = {}
        self._latest: dict[str, Pane] = {}
        self._watch_height = 0

    # -- panes -----------------------------------------------------------------------------------

    def pane(self, name: str, width: int, height: int, now: int) -> Pane:
        """Return the pane called ``name`` with a body of ``width`` x ``height`` cells."""
        if name in self._desk.paused and name != "tape":
            return self._paused(name, width, height, now)
        self._frozen.pop(name, None)
        makers: dict[str, Callable[[int, int, int], Pane]] = {
            "instruments": self._instruments,
            "book": self._book,
            "tape": self._tape,
            "account": self._one_account,
            "accounts": self._all_accounts,
            "health": self._health,
        }
        made = makers[name](width, height, now)
        self._latest[name] = made
        return made

    def _paused(self, name: str, width: int, height: int, now: int) -> Pane:
        frozen = self._frozen.get(name)
        if frozen is None or len(frozen.body) > height:
            self._desk.paused.pop(name, None)
            frozen = self.pane(name, width, height, now)
            self._desk.paused[name] = 0
            frozen = Pane(frozen.title, (Span("‖ paused", Role.WARN),), frozen.body, dimmed=True)
            self._frozen[name] = frozen
        return frozen

    def _instruments(self, width: int, height: int, now: int) -> Pane:
        self._watch_height = height
        shown = dict.fromkeys((*self._desk.pinned, *([self._desk.selected] if self._desk.selected else [])))
        return watchlist(
            self._market,
            self._desk.pinned,
            self._desk.selected,
            width=width,
            height=height,
            widths=self._watch,
            trusts={instrument_id: self.book_trust(instrument_id, now) for instrument_id in shown},
            scroll=self._desk.scroll.get("instruments", 0),
        )

    def _book(self, width: int, height: int, now: int) -> Pane:
        selected = self._desk.selected
        if selected is None:
            return self._nothing("Book", width, height, now)
        return ladder(
            self._market.book(selected),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self.book_trust(selected, now),
            widths=self._kept(self._ladders, selected, LadderWidths),
            cursor=self._desk.cursor,
            centre=self._desk.scroll.get("book", 0),
            own_orders=self._own_orders(),
            bars=self.bars,
            masked=self._desk.masked,
        )

    def _tape(self, width: int, height: int, now: int) -> Pane:
        selected = self._desk.selected
        if selected is None:
            return self._nothing("Tape", width, height, now)
        return tape(
            self._market.tape(selected),
            self._market.instruments.get(selected),
            width=width,
            height=height,
            trust=self._channel_trust(Kind.TRADE, selected, now),
            widths=self._kept(self._tapes, selected, TapeWidths),
            instrument_id=selected,
            paused_at=self._desk.paused.get("tape"),
            scroll=self._desk.scroll.get("tape", 0),
            bars=self.bars,
        )

    def _one_account(self, width: int, height: int, now: int) -> Pane:
        accounts = self.accounts()
        return account(
            accounts[self._desk.account % len(accounts)] if accounts else None,
            self._market,
            width=width,
            height=height,
            now=now,
            trust=self._account_trust(accounts, now),
            widths=self._account,
            tab=TABS[self._desk.tab % len(TABS)],
            masked=self._desk.masked,
            scroll=self._desk.scroll.get("account", 0),
            others=max(len(accounts) - 1, 0),
        )

    def _all_accounts(self, width: int, height: int, now: int) -> Pane:
        accounts = self.accounts()
        return account_view(
            accounts,
            self._market,
            width=width,
            height=height,
            now=now,
            trust=self._account_trust(accounts, now),
            widths=self._account,
            masked=self._desk.masked,
            scroll=self._desk.scroll.get("accounts", 0),
            bars=self.bars,
        )

    def _health(self, width: int, height: int, now: int) -> Pane:
        return health(
            self._market,
            width=width,
            height=height,
            now=now,
            widths=self._table,
            scroll=self._desk.scroll.get("health", 0),
        )

    def _nothing(self, title: str, width: int, height: int, now: int) -> Pane:
        """Return a pane that says why there is no instrument yet."""
        trust = connection_trust(self._market.health, now)
        return empty_pane(title, trust, width, height)

    # -- lines -----------------------------------------------------------------------------------

    def line(self, name: str, width: int, now: int) -> Row:
        """Return the status line, the tab strip or the footer in ``width`` cells."""
        if name == "status":
            selected = self._desk.selected
            return status(
                self._market,
                selected,
                connection_trust(self._market.health, now),
                self.book_trust(selected, now) if selected is not None else None,
                width=width,
                now=now,
            )
        if name == "tabs":
            return tabs(PANE_WORDS, tuple(self.places.panes), self._desk.focused, width=width)
        return footer(goto_keys() if self.prefix else footer_keys(), width=width, end=self._footer_end())

    def _footer_end(self) -> Row:
        masked = (Span("amounts masked   ", Role.WARN),) if self._desk.masked else ()
        keys = [
            span
            for at, (key, word) in enumerate(footer_end())
            for span in (Span("   " * bool(at) + key, Role.ACCENT), Span(" " + word, Role.MUTED))
        ]
        return (*masked, *keys)

    # -- what the user does ----------------------------------------------------------------------

    def pause(self, name: str) -> None:
        """Stop showing what is new in a pane; the tape remembers from which print on."""
        selected = self._desk.selected
        count = self._market.tape(selected).count if name == "tape" and selected is not None else 0
        self._desk.paused[name] = count
        self._frozen.pop(name, None)

    def move(self, name: str, by: int, height: int) -> None:
        """Move the ladder's cursor, which takes the ladder along at its edge, or another pane's first row."""
        scroll = self._desk.scroll
        if name != "book":
            scroll[name] = min(max(scroll.get(name, 0) + by, 0), self._last_scroll(name, height))
            return
        cursor = self._desk.cursor + by
        if cursor == 0 and self._desk.cursor != 0:
            cursor = by
        asks, bids = sides(height, scroll.get("book", 0))
        if cursor < -asks:
            scroll["book"] = scroll.get("book", 0) - cursor - asks
        elif cursor > bids:
            scroll["book"] = scroll.get("book", 0) - (cursor - bids)
        rows = sum(sides(height, 0))
        scroll["book"] = min(max(scroll.get("book", 0), -rows), rows)
        asks, bids = sides(height, scroll["book"])
        self._desk.cursor = min(max(cursor, -asks), bids)

    def _last_scroll(self, name: str, height: int) -> int:
        """Return how far a pane can be scrolled: its last row stays in sight."""
        selected = self._desk.selected
        rows = {
            "instruments": len(self._desk.pinned) + 1,
            "tape": len(self._market.tape(selected).latest(TAPE_ROWS)) if selected is not None else 0,
            "account": self._account.total_rows,
            "accounts": self._account.total_rows,
            "health": 2 * len(self._market.health.channels) + height,
        }.get(name, 0)
        return max(rows - height, 0)

    def turn_tab(self, by: int) -> None:
        """Go to another tab of the account pane."""
        self._desk.tab = (self._desk.tab + by) % len(TABS)
        self._desk.scroll.pop("account", None)

    def turn_account(self, by: int) -> None:
        """Go to another account."""
        count = len(self.accounts())
        if count:
            self._desk.account = (self._desk.account + by) % count
        self._desk.scroll.pop("account", None)

    def instrument_at(self, row: int) -> InstrumentId | None:
        """Return the instrument in a body row of the watchlist."""
        shown = listed(
            self._desk.pinned,
            self._desk.selected,
            self._watch_height,
            self._desk.scroll.get("instruments", 0),
        )
        return shown[row - 1][1] if 0 < row <= len(shown) else None

    # -- what they are made from -----------------------------------------------------------------

    def accounts(self) -> list[Account]:
        """Return the accounts in a steady order."""
        return [self._market.accounts[key] for key in sorted(self._market.accounts)]

    def book_trust(self, instrument_id: InstrumentId, now: int) -> Trust:
        """Return how far an instrument's book can be trusted."""
        channel = self._source.ingest.channel_of(Kind.BOOK, instrument_id)
        return book_trust(self._market, instrument_id, channel, now)

    def _channel_trust(self, kind: Kind, instrument_id: InstrumentId, now: int) -> Trust:
        channel = self._source.ingest.channel_of(kind, instrument_id)
        return channel_trust(self._market.health, channel, now)

    def _account_trust(self, accounts: list[Account], now: int) -> Trust:
        """Return how far what is shown of the accounts can be trusted: as far as the worst of them."""
        link = connection_trust(self._market.health, now)
        if self._desk.view is not View.ACCOUNT and accounts:
            accounts = [accounts[self._desk.account % len(accounts)]]
            return self._one_account_trust(accounts[0], now)
        channel_of = self._source.ingest.channel_of
        watched = [each for each in accounts if channel_of(Kind.ACCOUNT, each.account_id)]
        return link if link.dimmed else worst(self._one_account_trust(each, now) for each in watched) or link

    def _one_account_trust(self, account: Account, now: int) -> Trust:
        channel = self._source.ingest.channel_of(Kind.ACCOUNT, account.account_id)
        return channel_trust(self._market.health, channel, now)

    def _own_orders(self) -> list[Order]:
        return [order for account in self._market.accounts.values() for order in account.working_orders()]

    @staticmethod
    def _kept(kept: dict[str, Widths], key: str, make: Callable[[], Widths]) -> Widths:
        if key not in kept and len(kept) >= LADDERS_KEPT:
            kept.clear()
        return kept.setdefault(key, make())
