"""What only queries bring: the lists, the portfolios, the working orders, and book snapshots on demand."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from cadenza_tui.errors import CadenzaError
from cadenza_tui.market.records import WORKING_STATUSES
from cadenza_tui.market.state import Topic
from cadenza_tui.market.trails import day_of
from cadenza_tui.wire import rpc
from cadenza_tui.wire.channels import Kind
from cadenza_tui.wire.rejected import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from msgspec import Raw

    from cadenza_tui.market.records import (
        AccountId,
        BookUpdate,
        InstrumentId,
        Nanoseconds,
        Ticker,
    )
    from cadenza_tui.market.state import Market
    from cadenza_tui.wire.channels import ChannelName

T = TypeVar("T")

SNAPSHOT_DEPTH = 1_000
PAGE = 500
MAX_PAGES = 40
MAX_TICKERS = 200
HOURS = "1h"


class Call(Protocol):
    """``Client.rpc``."""

    async def __call__(self, method: str, params: object = None) -> Raw:
        """Return the answer's raw JSON."""


class QueryFailed(CadenzaError):
    """An answer that cannot be used."""


@dataclass
class Bootstrap:
    """The queries of a feed. Each applies what it brings; why one brought nothing stands in ``troubles``."""

    call: Call
    market: Market
    now: Callable[[], Nanoseconds]
    troubles: dict[str, str] = field(default_factory=dict)

    async def instruments(self) -> None:
        """Replace the list of what can be watched, where the server has one."""
        with self._trouble("instruments"):
            found = await self._list(
                lambda offset: rpc.instrument_list(limit=PAGE, offset=offset), rpc.decode_instruments
            )
            if found:
                self.market.set_instruments(found)

    async def tickers(self, instruments: Sequence[InstrumentId]) -> None:
        """Fetch the tickers of some instruments."""
        known = self.market.instruments
        wanted = [name for name in instruments if not known or name in known][:MAX_TICKERS]
        if not wanted:
            return
        with self._trouble("tickers"):
            raw = await self._ask(rpc.ticker_list(wanted))
            for ticker in _usable(lambda: rpc.decode_tickers(raw, self._count)):
                if ticker.instrument_id in wanted:
                    self._take(ticker)

    async def accounts(self) -> None:
        """Fetch what the platform says of the accounts."""
        with self._trouble("accounts"):
            found = await self._list(
                lambda offset: rpc.trading_account_list(limit=PAGE, offset=offset), rpc.decode_accounts
            )
            for account in found:
                self.market.apply_account(account, self.now())

    async def account(self, account_id: AccountId) -> None:
        """Fetch an account's portfolio and its orders."""
        whole = True
        for fetch in (self._portfolio, self._orders):
            try:
                await fetch(account_id)
            except CadenzaError:
                whole = False
        if whole:
            self.market.reconciled(account_id, self.now())

    async def again(self, name: ChannelName) -> None:
        """Fetch all that a channel other than a book's is about; raises CadenzaError."""
        match name.kind:
            case Kind.ACCOUNT:
                account_id = name.account_id or ""
                await self._portfolio(account_id)
                await self._orders(account_id)
                self.market.reconciled(account_id, self.now())
            case Kind.TICKER:
                await self._tickers(rpc.ticker_list([name.instrument_id or ""]))
            case Kind.VENUE_TICKER:
                await self._tickers(rpc.ticker_list(venue=name.venue))
            case Kind.KLINE:
                await self.candles(name.instrument_id or "", name.interval or "")

    async def request_stream(self, instrument_id: InstrumentId) -> None:
        """Ask the platform to stream a book, which it does not for one that nobody watches."""
        raw = await self._ask(rpc.subscribe_orderbook([instrument_id]))
        _usable(lambda: rpc.confirm(raw))

    async def _tickers(self, request: rpc.Request) -> None:
        raw = await self._ask(request)
        known = self.market.instruments
        for ticker in _usable(lambda: rpc.decode_tickers(raw, self._count)):
            if not known or ticker.instrument_id in known:
                self._take(ticker)

    def _take(self, ticker: Ticker) -> None:
        if self.market.apply_ticker(ticker):
            self.market.trails.note_ticker(self.market.tickers[ticker.instrument_id])

    async def candles(self, instrument_id: InstrumentId, interval: str) -> None:
        """Fetch an instrument's candles; raises CadenzaError."""
        raw = await self._ask(rpc.kline_list(interval, [instrument_id]))
        for kline in _usable(lambda: rpc.decode_klines(raw, self._count)):
            if (kline.instrument_id, kline.interval) == (instrument_id, interval):
                self.market.apply_kline(kline)

    async def days(self, ids: Sequence[InstrumentId]) -> None:
        """Fetch what the last day of some instruments was, out of its hours; raises CadenzaError."""
        raw = await self._ask(rpc.kline_list(HOURS, list(ids)))
        for kline in _usable(lambda: rpc.decode_klines(raw, self._count)):
            if kline.interval == HOURS and kline.instrument_id in ids:
                self.market.trails.set_day(kline.instrument_id, day_of(kline.candles, self.now()))
                self.market.dirty.mark(Topic.TICKER, kline.instrument_id)

    async def _portfolio(self, account_id: AccountId) -> None:
        with self._trouble(f"portfolio of {account_id}", raises=True):
            question = self.market.ask(account_id, self.now())
            raw = await self._ask(rpc.portfolio_get(account_id))
            portfolio = _usable(lambda: rpc.decode_portfolio(raw, account_id))
            if portfolio.account_id != account_id:
                raise QueryFailed(f"the answer is about another account: {portfolio.account_id}")
            self.market.answer_portfolio(portfolio, question, self.now())

    async def _orders(self, account_id: AccountId) -> None:
        with self._trouble(f"orders of {account_id}", raises=True):
            await self._latest_orders(account_id)

    async def _latest_orders(self, account_id: AccountId) -> None:
        """Fetch the latest orders, and all that work where these are not all there are."""
        question = self.market.ask(account_id, self.now())
        raw = await self._ask(rpc.trade_order_list(account_id, limit=PAGE))
        unusable: list[Rejected] = []
        orders = _usable(lambda: rpc.decode_orders(raw, unusable.append))
        if not _is_all(raw, len(orders) + len(unusable)):
            for status in sorted(WORKING_STATUSES):
                orders += await self._list(
                    lambda offset, status=status: rpc.trade_order_list(  # type: ignore[misc]
                        account_id, status=status, limit=PAGE, offset=offset
                    ),
                    rpc.decode_orders,
                )
        for rejection in unusable:
            self._count(rejection)
        own = [order for order in orders if order.account_id == account_id]
        self.market.answer_orders(account_id, own, question, self.now())

    async def book(self, instrument_id: InstrumentId) -> BookUpdate:
        """Fetch a book's snapshot; raises CadenzaError."""
        raw = await self._ask(rpc.orderbook_get(instrument_id, SNAPSHOT_DEPTH))
        return _usable(lambda: rpc.decode_book(raw, instrument_id))

    # --- asking

    async def _ask(self, request: rpc.Request) -> Raw:
        return await self.call(*request)

    async def _list(
        self, request: Callable[[int], rpc.Request], decode: Callable[[Raw, rpc.OnRejected], list[T]]
    ) -> list[T]:
        """Return a whole list, page by page; entries that cannot be used are counted and left out."""
        found: list[T] = []
        seen = 0
        for _ in range(MAX_PAGES):
            raw = await self._ask(request(seen))
            unusable: list[Rejected] = []
            entries = _usable(lambda raw=raw, unusable=unusable: decode(raw, unusable.append))  # type: ignore[misc]
            for rejection in unusable:
                self._count(rejection)
            found += entries
            read = len(entries) + len(unusable)
            seen += read
            if not read or _is_all(raw, seen):
                break
        return found

    def _count(self, rejection: Rejected) -> None:
        self.market.health.connection.rejected[rejection.reason.value] += 1

    @contextmanager
    def _trouble(self, what: str, *, raises: bool = False) -> Iterator[None]:
        try:
            yield
        except CadenzaError as error:
            self.troubles[what] = str(error)
            if raises:
                raise
        else:
            self.troubles.pop(what, None)


def _usable(decode: Callable[[], T]) -> T:
    try:
        return decode()
    except Rejected as rejection:
        raise QueryFailed(f"the answer cannot be used: {rejection}") from None


def _is_all(raw: Raw, seen: int) -> bool:
    """Return whether ``seen`` entries are the whole list: its total says so, else a page that is not full."""
    pagination = _usable(lambda: rpc.decode_pagination(raw))
    if pagination is not None and pagination.total is not None:
        return seen >= pagination.total
    return seen % PAGE != 0
