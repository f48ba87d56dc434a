"""The queries of the platform: requests as (method, parameters), and what the answers hold.

An answer is ``{"data", "pagination", "error"}``. Each decoder raises RpcFailed where the platform answers
with an error, and Rejected where the answer cannot be used. From a list, single entries that cannot be used
are left out when ``on_rejected`` is there to count them; without it the first of them raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from cadenza_tui.errors import CadenzaError
from cadenza_tui.market.records import Instrument, UpdateType
from cadenza_tui.wire.accounts import decode_account, decode_order, decode_portfolio_body
from cadenza_tui.wire.book import decode_book as _decode_book
from cadenza_tui.wire.channels import ChannelName, Kind
from cadenza_tui.wire.quotes import decode_kline, decode_ticker
from cadenza_tui.wire.read import ABSENT, Bytes, bounded, decimal, instrument, name, present, read
from cadenza_tui.wire.rejected import Rejected, RejectReason
from cadenza_tui.wire.text import MAXIMUM_SENTENCE, clean

if TYPE_CHECKING:
    from cadenza_tui.market.records import (
        AccountId,
        BookUpdate,
        InstrumentId,
        Kline,
        Order,
        Portfolio,
        Ticker,
        TradingAccount,
    )

Parameters: TypeAlias = dict[str, object]
Request: TypeAlias = tuple[str, Parameters]
OnRejected: TypeAlias = Callable[[Rejected], None]

T = TypeVar("T")

PAGE = 500
MAXIMUM_LISTED = 100_000
USER_DATA = "TRADING_ACCOUNT.SUBSCRIPTION.USER_DATA"


class RpcFailed(CadenzaError):
    """The platform answered a query with an error of its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(
            f"the platform answered {code}: {message}" if message else f"the platform answered {code}"
        )
        self.code = code
        self.message = message


class Pagination(msgspec.Struct, rename="camel"):
    """Which part of a list an answer holds, as far as it says."""

    total: int | None = None
    limit: int | None = None
    offset: int | None = None
    page: int | None = None
    page_size: int | None = None


class _Failure(msgspec.Struct):
    code: int | str = 0
    message: str | None = None


class _Answer(msgspec.Struct):
    data: msgspec.Raw = ABSENT
    pagination: msgspec.Raw = ABSENT
    error: _Failure | None = None


class _Instrument(msgspec.Struct, rename="camel"):
    venue: str | None = None
    symbol: str | None = None
    instrument_id: str | None = None
    instrument_type: str | None = None
    status: str | None = None
    base_asset: str | None = None
    quote_asset: str | None = None
    base_precision: int | None = None
    quote_precision: int | None = None
    lot_size: msgspec.Raw = ABSENT
    pip_size: msgspec.Raw = ABSENT


class _Venue(msgspec.Struct):
    venue: str


_answer = msgspec.json.Decoder(_Answer)
_page = msgspec.json.Decoder(Pagination)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_instrument = msgspec.json.Decoder(_Instrument)
_venue = msgspec.json.Decoder(_Venue | str)

MAXIMUM_PRECISION = 30


# --- requests


def instrument_list(
    *,
    venue: str | None = None,
    symbols: Sequence[str] | None = None,
    status: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Request:
    """Ask for the instruments; ``decode_instruments`` reads the answer."""
    return "query.instrument.list", _given(
        venue=venue, symbols=symbols, instrumentStatus=status, limit=limit, offset=offset
    )


def venue_list() -> Request:
    """Ask for the venues; ``decode_venues`` reads the answer."""
    return "query.venue.list", {}


def orderbook_get(instrument_id: InstrumentId, depth: int = 10) -> Request:
    """Ask for a book's snapshot of ``depth`` levels a side; ``decode_book`` reads the answer."""
    return "query.orderbook.get", {"instrumentId": instrument_id, "depth": depth}


def ticker_list(
    instrument_ids: Sequence[InstrumentId] | None = None,
    *,
    venue: str | None = None,
    symbols: Sequence[str] | None = None,
) -> Request:
    """Ask for tickers; ``decode_tickers`` reads the answer."""
    return "query.ticker.list", _given(instrumentIds=instrument_ids, venue=venue, symbols=symbols)


def kline_list(
    interval: str,
    instrument_ids: Sequence[InstrumentId] | None = None,
    *,
    venue: str | None = None,
    symbols: Sequence[str] | None = None,
) -> Request:
    """Ask for candles; ``decode_klines`` reads the answer."""
    return "query.kline.list", _given(
        instrumentIds=instrument_ids, venue=venue, symbols=symbols, interval=interval
    )


def trading_account_list(
    *,
    account_id: AccountId | None = None,
    venue: str | None = None,
    status: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Request:
    """Ask for the accounts; ``decode_accounts`` reads the answer."""
    return "query.trading_account.list", _given(
        tradingAccountId=account_id, venue=venue, status=status, pagination=_pagination(limit, offset)
    )


def portfolio_get(account_id: AccountId) -> Request:
    """Ask for one account's portfolio; ``decode_portfolio`` reads the answer."""
    return "query.portfolio.get", {"tradingAccountId": account_id}


def portfolio_list(
    *, account_id: AccountId | None = None, limit: int | None = None, offset: int | None = None
) -> Request:
    """Ask for portfolios; ``decode_portfolios`` reads the answer."""
    return "query.portfolio.list", _given(tradingAccountId=account_id, pagination=_pagination(limit, offset))


def trade_order_list(
    account_id: AccountId | None = None,
    *,
    instrument_id: InstrumentId | None = None,
    status: str | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Request:
    """Ask for orders, times in ms; ``decode_orders`` reads the answer."""
    return "query.trade_order.list", _given(
        tradingAccountId=account_id,
        instrumentId=instrument_id,
        status=status,
        startTime=start_time,
        endTime=end_time,
        pagination=_pagination(limit, offset),
    )


def subscribe_orderbook(
    instrument_ids: Sequence[InstrumentId] | None = None,
    *,
    venue: str | None = None,
    symbols: Sequence[str] | None = None,
) -> Request:
    """Ask the platform to stream books that nobody watches yet; ``confirm`` reads the answer."""
    return "command.market.subscription.orderbook.subscribe", _given(
        instrumentIds=instrument_ids, venue=venue, symbols=symbols
    )


def subscribe_trading_account(account_id: AccountId) -> Request:
    """Ask the platform to stream an account; ``confirm`` reads the answer."""
    return "command.trading_account.subscribe", {
        "tradingAccount": account_id,
        "subscriptionType": USER_DATA,
    }


def _pagination(limit: int | None, offset: int | None) -> Parameters | None:
    return _given(limit=limit, offset=offset) or None


def _given(**parameters: object) -> Parameters:
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in parameters.items()
        if value is not None
    }


# --- answers


def confirm(raw: Bytes) -> None:
    """Return where the platform did as it was asked; raise RpcFailed where it did not."""
    _data(raw)


def decode_pagination(raw: Bytes) -> Pagination | None:
    """Return which part of the list the answer holds, None where it does not say."""
    answer = read(_answer, bounded(raw))
    return read(_page, answer.pagination) if present(answer.pagination) else None


def decode_instruments(raw: Bytes, on_rejected: OnRejected | None = None) -> list[Instrument]:
    """Return what can be watched."""
    return _each(raw, _instrument_record, on_rejected)


def decode_venues(raw: Bytes, on_rejected: OnRejected | None = None) -> list[str]:
    """Return the venues' names."""
    return _each(raw, _venue_name, on_rejected)


def decode_book(raw: Bytes, instrument_id: InstrumentId | None = None) -> BookUpdate:
    """Return a book's snapshot; of ``instrument_id`` and no other, where that is given."""
    channel = None if instrument_id is None else ChannelName(Kind.BOOK, instrument_id)
    return _decode_book(_data(raw), channel, UpdateType.SNAPSHOT)


def decode_tickers(raw: Bytes, on_rejected: OnRejected | None = None) -> list[Ticker]:
    """Return the tickers."""
    return _each(raw, lambda entry: decode_ticker(entry, None), on_rejected)


def decode_klines(raw: Bytes, on_rejected: OnRejected | None = None) -> list[Kline]:
    """Return the candles of each instrument."""
    return _each(raw, lambda entry: decode_kline(entry, None), on_rejected)


def decode_accounts(raw: Bytes, on_rejected: OnRejected | None = None) -> list[TradingAccount]:
    """Return the accounts."""
    return _each(raw, decode_account, on_rejected)


def decode_portfolio(raw: Bytes, account_id: AccountId | None = None) -> Portfolio:
    """Return one account's portfolio; ``account_id`` stands where the answer leaves it out."""
    return decode_portfolio_body(_data(raw), account_id)


def decode_portfolios(raw: Bytes, on_rejected: OnRejected | None = None) -> list[Portfolio]:
    """Return the portfolios."""
    return _each(raw, decode_portfolio_body, on_rejected)


def decode_orders(raw: Bytes, on_rejected: OnRejected | None = None) -> list[Order]:
    """Return the orders."""
    return _each(raw, decode_order, on_rejected)


def _data(raw: Bytes) -> msgspec.Raw:
    answer = read(_answer, bounded(raw))
    if answer.error is not None:
        code = answer.error.code
        digits = str(code)
        code = int(digits) if digits.lstrip("-").isdecimal() and len(digits) < 10 else 0
        raise RpcFailed(code, clean(answer.error.message or "", MAXIMUM_SENTENCE))
    return answer.data


def _each(raw: Bytes, record: Callable[[msgspec.Raw], T], on_rejected: OnRejected | None) -> list[T]:
    data = _data(raw)
    entries = read(_list, data) if present(data) else []
    if len(entries) > MAXIMUM_LISTED:
        raise Rejected(RejectReason.TOO_LARGE, f"{len(entries):,} entries")
    records = []
    for entry in entries:
        try:
            records.append(record(entry))
        except Rejected as rejection:
            if on_rejected is None:
                raise
            on_rejected(rejection)
    return records


def _venue_name(raw: msgspec.Raw) -> str:
    shape = read(_venue, raw)
    return name(shape if isinstance(shape, str) else shape.venue)


def _instrument_record(raw: msgspec.Raw) -> Instrument:
    shape = read(_instrument, raw)
    instrument_id = instrument(shape.instrument_id, shape.venue, shape.symbol)
    if not instrument_id:
        raise Rejected(RejectReason.MISSING, "instrumentId")
    venue, _, symbol = instrument_id.partition(":")
    base, _, quote = symbol.partition("/")
    tick, lot = _step(shape.pip_size, "pipSize"), _step(shape.lot_size, "lotSize")
    return Instrument(
        instrument_id,
        name(shape.venue) or venue,
        name(shape.symbol) or symbol,
        name(shape.instrument_type) or "SPOT",
        name(shape.status) or "ACTIVE",
        name(shape.base_asset) or base,
        name(shape.quote_asset) or quote,
        tick,
        lot,
        _decimals(tick, shape.quote_precision),
        _decimals(lot, shape.base_precision),
    )


def _step(raw: msgspec.Raw, field: str) -> Decimal | None:
    """Return a step without trailing zeros, None where it is left out or is not one."""
    step = decimal(raw, field)
    if step is None or step <= 0:
        return None
    return Decimal(format(step, "f").rstrip("0").rstrip(".") if step.as_tuple().exponent else step)


def _decimals(step: Decimal | None, precision: int | None) -> int | None:
    """Return the decimals that a step asks for, else the stated ones: the contract's own order."""
    if step is not None:
        exponent = step.as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else None
    return precision if precision is not None and 0 <= precision <= MAXIMUM_PRECISION else None
