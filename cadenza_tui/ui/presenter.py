"""From the market and the user's choices to panes: asks ``view`` for each, and keeps what panes remember."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cadenza_tui.market.trust import book_trust, channel_trust, connection_trust, worst
from cadenza_tui.market.valuation import currencies
from cadenza_tui.ui.desk import View
from cadenza_tui.ui.keys import footer_end, footer_keys, goto_keys
from cadenza_tui.view import account_page
from cadenza_tui.view.account import TABS, account
from cadenza_tui.view.account_frame import AccountMemory, Options
from cadenza_tui.view.account_order import SORTS, following, turned
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
    from cadenza_tui.ui.preferences import Preferences
    from cadenza_tui.ui.source import Source
    from cadenza_tui.view.rows import Bars, Row

ACCOUNT_PANES = ("account", "accounts")
PANE_WORDS = (("instruments", "Instruments"), ("book", "Book"), ("tape", "Tape"), ("account", "Account"))
LADDERS_KEPT = 64
TAPE_ROWS = 2000

Widths = TypeVar("Widths")


class Presenter:
    """Makes the panes. Holds no market state: column widths, scroll positions and paused panes only."""

    def __init__(self, source: Source, desk: Desk, preferences: Preferences, *, bars: Bars) -> None:
        self._source = source
        self._market = source.market
        self._desk = desk
        self._preferences = preferences
        self.bars = bars
        self.places = Layout({}, ())
        self.prefix = False
        """Whether ``g`` waits for its letter."""
        self._ladders: dict[str, LadderWidths] = {}
        self._tapes: dict[str, TapeWidths] = {}
        self._watch = WatchWidths()
        self.memories = {name: AccountMemory() for name in ACCOUNT_PANES}
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
            masked=self._preferences.masked,
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
        chosen = self.chosen("account", accounts)
        return account(
            accounts,
            self._market,
            width=width,
            height=height,
            now=now,
            trust=self._account_trust(accounts, chosen, now),
            memory=self.memories["account"],
            options=self._options(),
            chosen=chosen,
            tab=TABS[self._desk.tab % len(TABS)],
            trust_of=self.book_trust,
        )

    def _all_accounts(self, width: int, height: int, now: int) -> Pane:
        accounts = self.accounts()
        chosen = self.chosen("accounts", accounts)
        return account_view(
            accounts,
            self._market,
            width=width,
            height=height,
            now=now,
            trust=self._account_trust(accounts, chosen, now),
            memory=self.memories["accounts"],
            options=self._options(),
            chosen=chosen,
            trust_of=self.book_trust,
        )

    def _options(self) -> Options:
        kept = self._preferences
        return Options(kept.currency, kept.sorts, kept.hide_dust, self._desk.filter, kept.masked)

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
                notice=self._preferences.notice,
                clock=self._preferences.clock,
            )
        if name == "tabs":
            return tabs(PANE_WORDS, tuple(self.places.panes), self._desk.focused, width=width)
        return footer(self._keys(), width=width, end=self._footer_end())

    def _keys(self) -> list[tuple[str, str]]:
        if self.prefix:
            return goto_keys()
        return footer_keys(account=self._desk.view is View.ACCOUNT)

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
        """Stop showing what is new in a pane; the tape remembers from which print on."""
        selected = self._desk.selected
        count = self._market.tape(selected).count if name == "tape" and selected is not None else 0
        self._desk.paused[name] = count
        self._frozen.pop(name, None)

    def move(self, name: str, by: int, height: int) -> None:
        """Move the cursor of the ladder or of the accounts' rows, or another pane's first row.

        A cursor takes what is in sight along at its edge.
        """
        scroll = self._desk.scroll
        if name in self.memories:
            account_page.move(self.memories[name], by)
            return
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
            "health": 2 * len(self._market.health.channels) + height,
        }.get(name, 0)
        return max(rows - height, 0)

    def turn_tab(self, by: int) -> None:
        """Go to another tab of the account pane."""
        if self._desk.view is View.ACCOUNT:
            account_page.turn(self.memories["accounts"], by)
            return
        self._desk.tab = (self._desk.tab + by) % len(TABS)
        self.to_top("account")

    def page(self, name: str, by: int, height: int) -> None:
        """Move a pane by almost all that is in sight."""
        if name in self.memories:
            memory = self.memories[name]
            account_page.move(memory, by * max(memory.room - 2, 1))
        else:
            self.move(name, by * max(height - 2, 1), height)

    def roll(self, name: str, by: int, height: int) -> None:
        """Move what is in sight, as a wheel does."""
        if name in self.memories:
            account_page.scroll(self.memories[name], by)
        else:
            self.move(name, by, height)

    def sort(self, name: str, *, turn: bool) -> None:
        """Sort a pane's focused table by the next column, or the other way round."""
        table = self.memories[name].focused
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
        """Point at what is at a cell of an account pane's body."""
        account_page.point(self.memories[name], x, y)

    def release(self, name: str) -> bool:
        """Let go of the row that is pointed at; return whether there was one."""
        memory = self.memories.get(name)
        if memory is None or memory.cursor is None:
            return False
        memory.cursor = None
        return True

    def turn_account(self, by: int) -> None:
        """Go on from all accounts to the first one, the second, and round."""
        name = "accounts" if self._desk.view is View.ACCOUNT else "account"
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

    def _account_trust(self, accounts: list[Account], chosen: str, now: int) -> Trust:
        """Return how far what is shown of the accounts can be trusted: as far as the worst of them."""
        link = connection_trust(self._market.health, now)
        one = [each for each in accounts if each.account_id == chosen]
        if one:
            return self._one_account_trust(one[0], now)
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
