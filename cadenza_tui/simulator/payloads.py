"""The contract's JSON shapes, as dictionaries. Times: integer ms in publications, RFC 3339 in answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .accounts import DECIMALS, LEVERAGE, cost, text
from .numbers import MILLISECOND, fixed, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounts import Account, Execution, OwnOrder, Position
    from .candles import Candle
    from .flow import Trade
    from .instruments import Instrument
    from .matching import LimitOrderBook

Payload = dict[str, Any]

CREDIT_LINE = 500_000 * 10**DECIMALS
"""What a margin account can borrow altogether, in USDT."""


def stamp(time_ns: int, rpc: bool) -> int | str:
    """Return a time as the shape writes it."""
    return rfc3339(time_ns) if rpc else time_ns // MILLISECOND


def _name(one: Instrument) -> Payload:
    return {"instrumentId": one.instrument_id, "venue": one.venue, "symbol": one.symbol}


def book_payload(
    one: Instrument, update_type: str, rows: tuple[list[list[str]], list[list[str]]], timestamp: int | str
) -> Payload:
    """``orderBook``."""
    return {
        "updateType": update_type,
        **_name(one),
        "orderBookType": one.book_type,
        "columns": one.columns,
        "bids": rows[0],
        "asks": rows[1],
        "timestamp": timestamp,
    }


def trade_payload(one: Instrument, trade: Trade) -> Payload:
    """A market print; ``side`` is the aggressor's."""
    return {
        **_name(one),
        "tradeId": str(trade.trade_id),
        "price": one.price_text(trade.price),
        "quantity": one.quantity_text(trade.quantity),
        "side": "BUY" if trade.is_buy else "SELL",
        "timestamp": trade.time_ns // MILLISECOND,
    }


def ticker_payload(
    one: Instrument, book: LimitOrderBook, last: Trade | None, day_open: int, timestamp: int | str
) -> Payload:
    """``ticker``: the touch, the last print, and the change since 24 hours ago in percent."""
    payload = _name(one)
    if last is not None:
        payload["lastPrice"] = one.price_text(last.price)
        payload["lastQuantity"] = one.quantity_text(last.quantity)
        payload["priceChangePercent"] = fixed(round((last.price - day_open) * 10_000 / day_open), 2)
    if book.bid_prices:
        best = book.bid_prices[-1]
        payload["bidPrice"], payload["bidQuantity"] = (
            one.price_text(best),
            one.quantity_text(book.bids[best].quantity),
        )
    if book.ask_prices:
        best = book.ask_prices[0]
        payload["askPrice"], payload["askQuantity"] = (
            one.price_text(best),
            one.quantity_text(book.asks[best].quantity),
        )
    payload["timestamp"] = timestamp
    return payload


def kline_payload(
    one: Instrument, interval: str, candles: list[Candle], is_closed: bool, timestamp: int | str
) -> Payload:
    """``kline``; ``is_closed`` speaks of the last candle."""
    return {
        **_name(one),
        "interval": interval,
        "candles": [
            [
                candle.open_ms,
                *(one.price_text(price) for price in candle[1:5]),
                one.quantity_text(candle.volume),
            ]
            for candle in candles
        ],
        "isClosed": is_closed,
        "timestamp": timestamp,
    }


def instrument_payload(one: Instrument) -> Payload:
    """``instrument``."""
    return {
        **_name(one),
        "instrumentType": one.kind,
        "status": "ACTIVE",
        "baseAsset": one.base,
        "quoteAsset": one.quote,
        "basePrecision": one.quantity_decimals,
        "quotePrecision": one.price_decimals,
        "lotSize": one.quantity_text(1),
        "pipSize": one.price_text(1),
        "minQuantity": one.quantity_text(1),
    }


def account_payload(account: Account) -> Payload:
    """``account``."""
    return {
        "tradingAccountId": account.account_id,
        "nickname": account.nickname,
        "venue": account.venue,
        "accountType": account.account_type,
        "status": "ACTIVE",
        "marginMode": "CROSS" if account.account_type == "MARGIN" else "CASH",
        "positionMode": "ONE_WAY",
        "externalTradingAccountId": f"ext-{account.account_id}",
    }


def balance_payload(account: Account, asset: str, rpc: bool) -> Payload:
    """``balance``."""
    held = account.balances[asset]
    payload: Payload = {
        "securitySymbol": asset,
        "securityType": "CURRENCY",
        "status": "ACTIVE",
        "free": text(held.free),
        "locked": text(held.locked),
        "borrowed": text(held.borrowed),
        "frozen": text(held.frozen),
        "interestOwed": text(held.interest),
        "total": text(held.total),
        "net": text(held.total - held.borrowed),
        "updatedAt": stamp(held.updated_ns, rpc),
    }
    if rpc:
        payload["collateralEnabled"] = account.account_type == "MARGIN"
    return payload


def position_payload(held: Position, mark: int, rpc: bool) -> Payload:
    """``position``; ``mark`` is the current price in ticks, the entry price a rounded mean."""
    one = held.instrument
    payload: Payload = {
        "positionId": held.position_id,
        "securitySymbol": one.base,
        "instrumentId": one.instrument_id,
        "securityType": one.kind,
        "status": "CLOSED" if held.closed_ns is not None else "OPEN",
        "positionSide": "SHORT" if held.lots < 0 else "LONG",
        "quantity": one.quantity_text(abs(held.lots)),
        "currentPrice": one.price_text(mark),
        "unrealizedPnl": text(held.unrealized(mark)),
        "realizedPnl": text(held.realized),
        "margin": text(held.margin(mark)),
        "leverage": str(held.leverage),
        "createdAt": stamp(held.created_ns, rpc),
        "updatedAt": stamp(held.updated_ns, rpc),
    }
    if held.lots:
        payload["entryPrice"] = _mean_price(one, abs(held.basis), abs(held.lots))
    if held.exit_ticks is not None:
        payload["exitPrice"] = one.price_text(held.exit_ticks)
    if held.closed_ns is not None:
        payload["closedAt"] = stamp(held.closed_ns, rpc)
    return payload


def summary_payload(account: Account, price: Callable[[str], int], mark: Callable[[str], int]) -> Payload:
    """``summary`` in USDT. ``price`` is an asset's in units of USDT, ``mark`` an instrument's in ticks."""
    one_unit: int = 10**DECIMALS
    equity = loan = exposure = margin = 0
    for asset, held in account.balances.items():
        equity += (held.total - held.borrowed) * price(asset) // one_unit
        loan += held.borrowed * price(asset) // one_unit
    for instrument_id, position in account.positions.items():
        equity += position.unrealized(mark(instrument_id))
        exposure += abs(cost(position.instrument, mark(instrument_id), position.lots))
        margin += position.margin(mark(instrument_id))
    required = margin // 2 + loan // 10
    payload: Payload = {"currency": "USDT", "equity": text(equity), "riskExposure": text(exposure)}
    if account.account_type == "MARGIN":
        limit = max(1, 3 * equity)
        payload |= {
            "leverage": str(LEVERAGE),
            "margin": text(margin),
            "marginLoan": text(loan),
            "marginUsage": fixed((margin + loan // 10) * 10_000 // max(1, equity), 4),
            "marginRequirement": text(required),
            "marginLevel": fixed(equity * 100 // max(1, required), 2),
            "credit": text(max(0, CREDIT_LINE - loan)),
            "maxRiskExposure": text(limit),
            "riskExposureRate": fixed(exposure * 10_000 // limit, 4),
        }
    return payload


def order_payload(order: OwnOrder, rpc: bool) -> Payload:
    """``order`` with its executions and fees."""
    one = order.instrument
    payload: Payload = {
        "tradeOrderId": order.order_id,
        "clientOrderId": f"c-{order.order_id}",
        "externalOrderId": f"x-{order.order_id}",
        "tradingAccountId": order.account_id,
        "venue": one.venue,
        "instrumentId": one.instrument_id,
        "orderSide": "BUY" if order.is_buy else "SELL",
        "orderType": _order_type(order),
        "timeInForce": "GTC" if order.limit is not None or order.stop is not None else "IOC",
        "status": order.status,
        "quantity": one.quantity_text(order.lots),
        "executedQuantity": one.quantity_text(order.executed),
        "executedCost": text(sum(each.cost for each in order.executions)),
        "fees": _fees(order, order.executions),
        "executions": [execution_payload(order, each, rpc) for each in order.executions],
        "createdAt": stamp(order.created_ns, rpc),
        "updatedAt": stamp(order.updated_ns, rpc),
    }
    if order.limit is not None:
        payload["limitPrice"] = one.price_text(order.limit)
    if order.stop is not None:
        payload["stopPrice"] = one.price_text(order.stop)
    if order.parent_id:
        payload["parentOrderId"] = order.parent_id
    if order.list_id:
        payload["orderListId"] = order.list_id
    if order.executed:
        payload["executedPrice"] = _mean_price(
            one, sum(each.cost for each in order.executions), order.executed
        )
    if order.reject_reason:
        payload["rejectReason"] = order.reject_reason
    if order.cancel_reason:
        payload["cancelReason"] = order.cancel_reason
    return payload


def _order_type(order: OwnOrder) -> str:
    if order.stop is not None:
        return "STOP_MARKET"
    return "MARKET" if order.limit is None else "LIMIT"


def execution_payload(order: OwnOrder, one: Execution, rpc: bool) -> Payload:
    """``execution``; ``externalTradeId`` is the print's ``tradeId``."""
    instrument = order.instrument
    return {
        "executionId": one.execution_id,
        "externalTradeId": str(one.trade_id),
        "venue": instrument.venue,
        "instrumentId": instrument.instrument_id,
        "orderSide": "BUY" if order.is_buy else "SELL",
        "executedQuantity": instrument.quantity_text(one.lots),
        "executedPrice": instrument.price_text(one.ticks),
        "executedCost": text(one.cost),
        "fees": _fees(order, [one]),
        "executedAt": stamp(one.time_ns, rpc),
    }


def envelope(event_type: str, number: int, account: Account, data: Payload) -> Payload:
    """The account channel's envelope."""
    key = f"{account.account_id}-{number}"
    return {
        "metadata": {
            "eventType": event_type,
            "eventId": f"evt-{key}",
            "sender": "cadenza-simulator",
            "receiver": account.channel,
            "traceId": f"trace-{key}",
        },
        "data": data,
    }


def _fees(order: OwnOrder, executions: list[Execution]) -> list[Payload]:
    paid = sum(each.fee for each in executions)
    return [{"asset": order.instrument.quote, "quantity": text(paid)}] if executions else []


def _mean_price(one: Instrument, amount: int, lots: int) -> str:
    """Return amount ÷ quantity with two places more than a price has, rounded half up."""
    places = one.price_decimals + 2
    numerator = amount * 10 ** (places + one.quantity_decimals)
    divisor = lots * one.lot * 10**DECIMALS
    return fixed((2 * numerator + divisor) // (2 * divisor), places)
