"""The read queries, and the two subscribe commands, that the platform answers by RPC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from . import payloads
from .candles import INTERVALS
from .numbers import MILLISECOND, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounts import Account, OwnOrder
    from .exchange import Exchange
    from .markets import InstrumentMarket

_EPOCH = datetime.fromtimestamp(0, UTC)
PAGE = 100
MOST = 1_000


class UnknownMethod(Exception):
    """No such method."""


class _Failed(Exception):
    """The platform answers with an error of its own: code and message in the envelope."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Pagination(msgspec.Struct):
    """A part of a list: either ``offset`` and ``limit``, or ``page`` (from 1) and ``pageSize``."""

    limit: int | None = None
    offset: int | None = None
    page: int | None = None
    page_size: int | None = msgspec.field(name="pageSize", default=None)


class Params(msgspec.Struct, rename="camel"):
    """Every parameter of every query; each query reads its own."""

    instrument_id: str | None = None
    instrument_ids: list[str] | None = None
    venue: str | None = None
    symbols: list[str] | None = None
    security_type: str | None = None
    instrument_status: str | None = None
    depth: int = 10
    interval: str = "1m"
    trading_account_id: str | None = None
    trading_account: str | None = None
    subscription_type: str | None = None
    status: str | list[str] | None = None
    start_time: int | str | None = None
    end_time: int | str | None = None
    pagination: Pagination | None = None
    limit: int | None = None
    offset: int | None = None


_decode = msgspec.json.Decoder(Params).decode


def answer(exchange: Exchange, user: str, method: str, data: bytes) -> bytes:
    """Return the answer as JSON. Raises ``UnknownMethod``, or ``MsgspecError`` for wrong types."""
    query = _QUERIES.get(method)
    if query is None:
        raise UnknownMethod(method)
    params = Params() if data in {b"", b"null"} else _decode(data)
    try:
        result, pagination = query(exchange, user, params)
    except _Failed as failed:
        return msgspec.json.encode({"error": {"code": failed.code, "message": str(failed)}})
    envelope = {"data": result}
    if pagination is not None:
        envelope["pagination"] = pagination
    return msgspec.json.encode(envelope)


_Answer = tuple[Any, dict[str, int] | None]


def _page(params: Params, rows: list[Any], size: int = PAGE) -> tuple[list[Any], dict[str, int]]:
    asked = params.pagination or Pagination()
    limit = next((one for one in (asked.limit, asked.page_size, params.limit) if one is not None), size)
    limit = min(limit, MOST)
    if asked.page is not None and limit > 0:
        offset = (asked.page - 1) * limit
    else:
        offset = next((one for one in (asked.offset, params.offset) if one is not None), 0)
    if limit < 1 or offset < 0:
        raise _Failed(400, "pagination: limit is at least 1 and offset at least 0")
    return rows[offset : offset + limit], {
        "total": len(rows),
        "limit": limit,
        "offset": offset,
        "page": offset // limit + 1,
        "pageSize": limit,
    }


def _markets(exchange: Exchange, params: Params) -> list[InstrumentMarket]:
    for instrument_id in params.instrument_ids or ():
        if instrument_id not in exchange.markets:
            raise _Failed(404, f"instrument {instrument_id} not found")
    return [
        market
        for market in exchange.markets.values()
        if (params.instrument_ids is None or market.instrument.instrument_id in params.instrument_ids)
        and (params.venue is None or market.instrument.venue == params.venue)
        and (params.symbols is None or market.instrument.symbol in params.symbols)
    ]


def _instruments(exchange: Exchange, _user: str, params: Params) -> _Answer:
    rows = [
        payloads.instrument_payload(market.instrument)
        for market in _markets(exchange, params)
        if params.security_type in {None, market.instrument.kind}
        and params.instrument_status in {None, "ACTIVE"}
    ]
    return _page(params, rows, MOST)


def _venues(exchange: Exchange, _user: str, _params: Params) -> _Answer:
    venues = dict.fromkeys(one.venue for one in exchange.instruments)
    return [{"venue": venue, "status": "ACTIVE"} for venue in venues], None


def _book(exchange: Exchange, _user: str, params: Params) -> _Answer:
    market = exchange.markets.get(params.instrument_id or "")
    if market is None:
        raise _Failed(404, f"instrument {params.instrument_id} not found")
    if params.depth < 1:
        raise _Failed(400, "depth is at least 1")
    return market.state(params.depth, rfc3339), None


def _tickers(exchange: Exchange, _user: str, params: Params) -> _Answer:
    now = rfc3339(exchange.now_ns // MILLISECOND * MILLISECOND)
    return [market.ticker(now) for market in _markets(exchange, params)], None


def _klines(exchange: Exchange, _user: str, params: Params) -> _Answer:
    if params.interval not in INTERVALS:
        raise _Failed(400, f"interval {params.interval} is none of {' '.join(INTERVALS)}")
    limit = 200 if params.limit is None else max(1, min(params.limit, MOST))
    now = rfc3339(exchange.now_ns)
    rows = []
    for market in _markets(exchange, params):
        candles = market.candles.latest(params.interval, limit)
        closed = market.is_closed(params.interval, candles, exchange.now_ns) if candles else False
        rows.append(payloads.kline_payload(market.instrument, params.interval, candles, closed, now))
    return rows, None


def _own_accounts(exchange: Exchange, user: str, params: Params) -> list[Account]:
    accounts = exchange.accounts_of(user)
    if params.trading_account_id is not None:
        accounts = [one for one in accounts if one.account_id == params.trading_account_id]
        if not accounts:
            raise _Failed(404, f"trading account {params.trading_account_id} not found")
    return [one for one in accounts if params.venue in {None, one.venue}]


def _accounts(exchange: Exchange, user: str, params: Params) -> _Answer:
    accounts = _own_accounts(exchange, user, params)
    return _page(params, [payloads.account_payload(one) for one in accounts if _status(params, "ACTIVE")])


def _portfolio(exchange: Exchange, user: str, params: Params) -> _Answer:
    if params.trading_account_id is None:
        raise _Failed(400, "tradingAccountId is required")
    return _portfolio_row(exchange, _own_accounts(exchange, user, params)[0]), None


def _portfolios(exchange: Exchange, user: str, params: Params) -> _Answer:
    return _page(params, [_portfolio_row(exchange, one) for one in _own_accounts(exchange, user, params)])


def _portfolio_row(exchange: Exchange, account: Account) -> dict[str, Any]:
    return {
        **exchange.portfolio(account, rpc=True),
        "accountInfo": payloads.account_payload(account),
        "updateMode": "SNAPSHOT",
    }


def _orders(exchange: Exchange, user: str, params: Params) -> _Answer:
    start, end = _time(params.start_time), _time(params.end_time)
    orders: list[OwnOrder] = [
        order
        for account in _own_accounts(exchange, user, params)
        for order in account.orders.values()
        if params.instrument_id in {None, order.instrument.instrument_id}
        and _status(params, order.status)
        and (start is None or order.created_ns >= start)
        and (end is None or order.created_ns <= end)
    ]
    orders.sort(key=lambda order: (-order.created_ns, order.order_id))
    rows, pagination = _page(params, orders)
    return [payloads.order_payload(order, rpc=True) for order in rows], pagination


def _status(params: Params, status: str) -> bool:
    wanted = params.status
    return wanted is None or (status in wanted if isinstance(wanted, list) else status == wanted)


def _time(value: int | str | None) -> int | None:
    """Read a time: integer ms, or RFC 3339."""
    if value is None:
        return None
    if isinstance(value, int):
        return value * MILLISECOND
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _Failed(400, "a time is integer ms or RFC 3339")
    return int((moment - _EPOCH) / timedelta(microseconds=1)) * 1_000


def _watch_books(exchange: Exchange, _user: str, params: Params) -> _Answer:
    now = rfc3339(exchange.now_ns)
    return [
        {
            "subscriptionId": f"orderbook-{market.instrument.instrument_id}",
            "instrumentId": market.instrument.instrument_id,
            "venue": market.instrument.venue,
            "symbol": market.instrument.symbol,
            "subscriptionType": "MARKET.SUBSCRIPTION.ORDERBOOK",
            "status": "ACTIVE",
            "createdAt": now,
        }
        for market in _markets(exchange, params)
    ], None


def _watch_account(exchange: Exchange, user: str, params: Params) -> _Answer:
    account_id = params.trading_account or params.trading_account_id
    if account_id not in {one.account_id for one in exchange.accounts_of(user)}:
        raise _Failed(404, f"trading account {account_id} not found")
    return {
        "subscriptionId": f"account-{account_id}",
        "tradingAccountId": account_id,
        "subscriptionType": params.subscription_type or "TRADING_ACCOUNT.SUBSCRIPTION.USER_DATA",
        "status": "ACTIVE",
        "createdAt": rfc3339(exchange.now_ns),
    }, None


_QUERIES: dict[str, Callable[[Exchange, str, Params], _Answer]] = {
    "query.instrument.list": _instruments,
    "query.venue.list": _venues,
    "query.orderbook.get": _book,
    "query.ticker.list": _tickers,
    "query.kline.list": _klines,
    "query.trading_account.list": _accounts,
    "query.portfolio.get": _portfolio,
    "query.portfolio.list": _portfolios,
    "query.trade_order.list": _orders,
    "command.market.subscription.orderbook.subscribe": _watch_books,
    "command.trading_account.subscribe": _watch_account,
}
