"""Everything the program knows of the market, and which of it changed since it was last painted."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.market import reconcile
from cadenza_tui.market.accounts import Account
from cadenza_tui.market.book import Applied, DeltaRules, OrderBook
from cadenza_tui.market.candles import merged
from cadenza_tui.market.health import Health
from cadenza_tui.market.records import Ticker
from cadenza_tui.market.study import Studies
from cadenza_tui.market.tape import Tape
from cadenza_tui.market.trails import Trails
from cadenza_tui.market.trust import connection_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cadenza_tui.market.interest import CandleSource
    from cadenza_tui.market.reconcile import Question
    from cadenza_tui.market.records import (
        AccountId,
        BookUpdate,
        Instrument,
        InstrumentId,
        Kline,
        Nanoseconds,
        Order,
        Portfolio,
        Print,
        TradingAccount,
    )
    from cadenza_tui.market.study import Study


class Topic(StrEnum):
    """What can change; the mark's key is the instrument, the account, or empty."""

    INSTRUMENTS = "instruments"
    BOOK = "book"
    TAPE = "tape"
    TICKER = "ticker"
    KLINE = "kline"
    ACCOUNT = "account"
    HEALTH = "health"


class DirtyMarks:
    """What changed since the marks were last taken.

    ``on_first`` is called when the first mark is set on a clean slate: a painter that sleeps can wake by it.
    """

    __slots__ = ("_marks", "on_first")

    def __init__(self) -> None:
        self._marks: set[tuple[Topic, str]] = set()
        self.on_first: Callable[[], None] | None = None

    @property
    def any(self) -> bool:
        """Whether anything changed."""
        return bool(self._marks)

    def mark(self, topic: Topic, key: str = "") -> None:
        """Note that this changed."""
        first = not self._marks
        self._marks.add((topic, key))
        if first and self.on_first is not None:
            self.on_first()

    def take(self) -> frozenset[tuple[Topic, str]]:
        """Return the marks and start anew."""
        taken = frozenset(self._marks)
        self._marks.clear()
        return taken


class Market:
    """The state that the worker writes and the screens read."""

    def __init__(self, *, delta_rules: DeltaRules | None = None) -> None:
        self.delta_rules = delta_rules or DeltaRules()
        self.instruments: dict[InstrumentId, Instrument] = {}
        self.books: dict[InstrumentId, OrderBook] = {}
        self.tapes: dict[InstrumentId, Tape] = {}
        self.tickers: dict[InstrumentId, Ticker] = {}
        self.klines: dict[tuple[InstrumentId, str], Kline] = {}
        """By instrument and interval."""
        self.candle_sources: dict[tuple[InstrumentId, str], CandleSource] = {}
        """By instrument and interval, where the candles that are asked for come from."""
        self.unfed: set[InstrumentId] = set()
        """Instruments whose book's channel is down: what their books hold is not the market now."""
        self.trails = Trails()
        self.accounts: dict[AccountId, Account] = {}
        self._studies = Studies(self.book)
        self.health = Health()
        self.dirty = DirtyMarks()

    def book(self, instrument_id: InstrumentId) -> OrderBook:
        """Return the instrument's book, an empty one where there was none."""
        held = self.books.get(instrument_id)
        if held is None:
            held = self.books[instrument_id] = OrderBook(
                instrument_id, delta_rule=self.delta_rules.of(instrument_id)
            )
        return held

    def tape(self, instrument_id: InstrumentId) -> Tape:
        """Return the instrument's tape, an empty one where there was none."""
        held = self.tapes.get(instrument_id)
        if held is None:
            held = self.tapes[instrument_id] = Tape()
        return held

    def account(self, account_id: AccountId) -> Account:
        """Return the account, one of which nothing is known where there was none."""
        held = self.accounts.get(account_id)
        if held is None:
            held = self.accounts[account_id] = Account(account_id)
        return held

    def set_instruments(self, instruments: Iterable[Instrument]) -> None:
        """Replace what can be watched."""
        self.instruments = {instrument.instrument_id: instrument for instrument in instruments}
        self.dirty.mark(Topic.INSTRUMENTS)

    def apply_book(self, update: BookUpdate) -> Applied:
        """Apply a book message to its book."""
        book = self.book(update.instrument_id)
        version = book.version
        applied = book.apply(update)
        if book.version != version:
            self.dirty.mark(Topic.BOOK, update.instrument_id)
            self._studies.after_book(book, applied)
        return applied

    def apply_print(self, fresh: Print) -> bool:
        """Take a print and say whether it was new."""
        if not self.tape(fresh.instrument_id).add(fresh):
            return False
        self._studies.add_print(fresh)
        self.dirty.mark(Topic.TAPE, fresh.instrument_id)
        return True

    def lose_prints(self, instrument_id: InstrumentId, messages: int = 0) -> None:
        """Mark the tape: so many messages are missing here, 0 where nobody knows how many."""
        self.tape(instrument_id).lose(messages)
        self._studies.lose_prints(instrument_id)
        self.dirty.mark(Topic.TAPE, instrument_id)

    def study(self, instrument_id: InstrumentId) -> Study:
        """Return what is kept up for an instrument that is looked at: from now on, where it was not yet."""
        return self._studies.of(instrument_id)

    def attend(self, shown: InstrumentId | None, kept: Sequence[InstrumentId]) -> None:
        """Keep up what is read of the shown instrument, and the liquidity of the kept ones: see ``study``."""
        self._studies.attend(shown, kept)

    def sample(self, now: Nanoseconds) -> None:
        """Note the time, once a second: what is kept up by the second is."""
        alive = not connection_trust(self.health, now).dimmed
        for instrument_id in self._studies.sample(now, alive=alive, unfed=self.unfed):
            self.dirty.mark(Topic.BOOK, instrument_id)
        self._studies.see(order for account in self.accounts.values() for order in account.working_orders())

    def apply_ticker(self, ticker: Ticker) -> bool:
        """Merge a ticker: what it leaves out stays as it was. One older than what is held is not taken."""
        held = self.tickers.get(ticker.instrument_id)
        if held is not None:
            if ticker.timestamp < held.timestamp:
                return False
            ticker = _merged(held, ticker)
        self.tickers[ticker.instrument_id] = ticker
        self.dirty.mark(Topic.TICKER, ticker.instrument_id)
        return True

    def apply_kline(self, kline: Kline) -> bool:
        """Merge candles by their opening time: see ``candles.merged``."""
        key = (kline.instrument_id, kline.interval)
        fresh = merged(self.klines.get(key), kline)
        if fresh is None:
            return False
        self.klines[key] = fresh
        self.dirty.mark(Topic.KLINE, kline.instrument_id)
        return True

    def apply_portfolio(self, portfolio: Portfolio, now: Nanoseconds) -> bool:
        """Apply a portfolio to its account."""
        return self._marked(
            portfolio.account_id, self.account(portfolio.account_id).apply_portfolio(portfolio, now)
        )

    def apply_order(self, order: Order, now: Nanoseconds) -> bool:
        """Apply an order to its account."""
        return self._marked(order.account_id, self.account(order.account_id).apply_order(order, now))

    def apply_account(self, account: TradingAccount, now: Nanoseconds) -> bool:
        """Apply what the platform says of an account."""
        return self._marked(account.account_id, self.account(account.account_id).apply_account(account, now))

    def ask(self, account_id: AccountId, now: Nanoseconds) -> Question:
        """Return the question whose answer is given to one of the two below."""
        return reconcile.ask(self.account(account_id), now)

    def answer_portfolio(self, portfolio: Portfolio, question: Question, now: Nanoseconds) -> bool:
        """Take what a portfolio query gave: see ``market.reconcile``."""
        account = self.account(portfolio.account_id)
        return self._marked(
            portfolio.account_id, reconcile.answer_portfolio(account, portfolio, question, now)
        )

    def answer_orders(
        self, account_id: AccountId, orders: Sequence[Order], question: Question, now: Nanoseconds
    ) -> bool:
        """Take the orders that queries listed, all that work among them."""
        account = self.account(account_id)
        return self._marked(account_id, reconcile.answer_orders(account, orders, question, now))

    def reconciled(self, account_id: AccountId, now: Nanoseconds) -> None:
        """Note that an account has been compared with what the queries give."""
        self.account(account_id).reconciled_at = now
        self.dirty.mark(Topic.ACCOUNT, account_id)
        self.dirty.mark(Topic.HEALTH)

    def follow(self, account_id: AccountId, *, followed: bool, since: Nanoseconds) -> None:
        """Note whether all changes of an account arrive; if not, that some after ``since`` may be missing."""
        account = self.account(account_id)
        if account.followed and not followed:
            account.lose(since)
        account.followed = followed

    def roll_day(self, now: Nanoseconds) -> None:
        """Note the time, about once a second: the day may begin, and differences become certain."""
        for account_id, account in self.accounts.items():
            before = account.starts.midnight
            account.roll_day(now)
            if account.starts.midnight != before:
                self.dirty.mark(Topic.ACCOUNT, account_id)
            if account.settle(now):
                self.dirty.mark(Topic.ACCOUNT, account_id)
                self.dirty.mark(Topic.HEALTH)

    def _marked(self, account_id: AccountId, changed: bool) -> bool:
        if changed:
            self.dirty.mark(Topic.ACCOUNT, account_id)
        return changed


def _merged(held: Ticker, fresh: Ticker) -> Ticker:
    left_out = {
        name: getattr(held, name) for name in Ticker.__struct_fields__ if getattr(fresh, name) is None
    }
    return msgspec.structs.replace(fresh, **left_out) if left_out else fresh
