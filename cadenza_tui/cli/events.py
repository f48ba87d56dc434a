"""The normalised events of ``stream``: JSON objects whose ``kind`` says what they are.

Decimals are strings, as exact as the feed's; ``timestamp`` and the other times are integer ms since the
epoch, as on the wire; what a venue left out is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cadenza_tui.market.exact import text
from cadenza_tui.market.records import (
    Balance,
    BookUpdate,
    Order,
    Portfolio,
    Position,
    Print,
    Summary,
    Ticker,
    TradingAccount,
)
from cadenza_tui.view.account_positions import roe

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.market.book import BookSide
    from cadenza_tui.market.health import ChannelHealth, ConnectionHealth
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market


def event_object(event: Event, market: Market, depth: int) -> dict[str, Any] | None:
    """Return the object of an event that was just applied; None for what ``stream`` does not tell."""
    if isinstance(event, BookUpdate):
        return book_object(market, event.instrument_id, depth)
    if isinstance(event, Print):
        return {
            "kind": "trade",
            "instrument": event.instrument_id,
            "price": text(event.price),
            "quantity": text(event.quantity),
            "side": event.aggressor,
            "trade_id": event.trade_id,
            "timestamp": time_ms(event.timestamp),
        }
    if isinstance(event, Ticker):
        return {
            "kind": "ticker",
            "instrument": event.instrument_id,
            "last_price": decimal_text(event.last_price),
            "last_quantity": decimal_text(event.last_quantity),
            "bid_price": decimal_text(event.bid_price),
            "bid_quantity": decimal_text(event.bid_quantity),
            "ask_price": decimal_text(event.ask_price),
            "ask_quantity": decimal_text(event.ask_quantity),
            "price_change_percent": decimal_text(event.price_change_percent),
            "timestamp": time_ms(event.timestamp),
        }
    if isinstance(event, Portfolio):
        return _portfolio(event)
    if isinstance(event, Order):
        return {
            "kind": "account",
            "account": event.account_id,
            "event": "order",
            "order": order_object(event),
        }
    if isinstance(event, TradingAccount):
        return {"kind": "account", "account": event.account_id, "event": "account", **_account(event)}
    return None


def book_object(market: Market, instrument_id: InstrumentId, depth: int) -> dict[str, Any]:
    """Return the ``book`` event of an instrument as it is now, best levels first."""
    book = market.book(instrument_id)
    return {
        "kind": "book",
        "instrument": instrument_id,
        "bids": _levels(book.bids, depth),
        "asks": _levels(book.asks, depth),
        "in_sync": book.in_sync,
        "timestamp": time_ms(book.timestamp),
    }


def status_object(connection: ConnectionHealth) -> dict[str, Any]:
    """Return the ``status`` event of the connection."""
    return {
        "kind": "status",
        "state": str(connection.state),
        "url": connection.url,
        "reason": connection.reason,
        "remedy": connection.remedy,
    }


def channel_object(channel: ChannelHealth) -> dict[str, Any]:
    """Return the ``status`` event of one channel."""
    return {
        "kind": "status",
        "channel": channel.channel,
        "state": str(channel.state),
        "reason": channel.reason,
    }


def summary_object(summary: Summary) -> dict[str, Any]:
    """Return the object of what a venue says of an account as a whole."""
    amounts = {name: getattr(summary, name) for name in Summary.__struct_fields__ if name != "currency"}
    return {"currency": summary.currency} | {name: decimal_text(held) for name, held in amounts.items()}


def balance_object(balance: Balance) -> dict[str, Any]:
    """Return the object of one balance."""
    return {
        "asset": balance.asset,
        "total": decimal_text(balance.total),
        "free": decimal_text(balance.free),
        "locked": decimal_text(balance.locked),
        "borrowed": decimal_text(balance.borrowed),
        "frozen": decimal_text(balance.frozen),
        "net": decimal_text(balance.net),
        "interest_owed": decimal_text(balance.interest_owed),
        "updated_at": time_ms(balance.updated_at),
    }


def _portfolio(event: Portfolio) -> dict[str, Any]:
    return {
        "kind": "account",
        "account": event.account_id,
        "event": "portfolio",
        "mode": event.mode,
        "balances": None if event.balances is None else [balance_object(item) for item in event.balances],
        "positions": None if event.positions is None else [position_object(item) for item in event.positions],
        "equity": None if event.summary is None else decimal_text(event.summary.equity),
        "currency": None if event.summary is None else event.summary.currency,
        "timestamp": time_ms(event.updated_at),
    }


def position_object(position: Position) -> dict[str, Any]:
    """Return the object of one position; ``roe_percent`` is None where the margin is not known."""
    return {
        "position_id": position.position_id,
        "instrument": position.instrument_id,
        "asset": position.asset,
        "status": position.status,
        "side": position.position_side,
        "quantity": decimal_text(position.quantity),
        "entry_price": decimal_text(position.entry_price),
        "current_price": decimal_text(position.current_price),
        "unrealized_pnl": decimal_text(position.unrealized_pnl),
        "realized_pnl": decimal_text(position.realized_pnl),
        "margin": decimal_text(position.margin),
        "leverage": decimal_text(position.leverage),
        "roe_percent": decimal_text(roe(position)),
        "created_at": time_ms(position.created_at),
        "updated_at": time_ms(position.updated_at),
    }


def order_object(order: Order) -> dict[str, Any]:
    """Return the object of one own order."""
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "parent_id": order.parent_id,
        "list_id": order.list_id,
        "venue": order.venue,
        "instrument": order.instrument_id,
        "side": order.side,
        "type": order.order_type,
        "time_in_force": order.time_in_force,
        "status": order.status,
        "limit_price": decimal_text(order.limit_price),
        "stop_price": decimal_text(order.stop_price),
        "quantity": decimal_text(order.quantity),
        "executed_quantity": decimal_text(order.executed_quantity),
        "executed_price": decimal_text(order.executed_price),
        "executed_cost": decimal_text(order.executed_cost),
        "reason": order.reason,
        "created_at": time_ms(order.created_at),
        "updated_at": time_ms(order.updated_at),
        "expire_at": time_ms(order.expire_at),
    }


def _account(account: TradingAccount) -> dict[str, Any]:
    return {
        "nickname": account.nickname,
        "venue": account.venue,
        "type": account.account_type,
        "status": account.status,
    }


def _levels(side: BookSide, depth: int) -> list[list[str]]:
    return [[level.price, level.quantity] for level in side.top(depth)]


def decimal_text(value: Decimal | None) -> str | None:
    """Return a decimal as JSON has it."""
    return None if value is None else text(value)


def time_ms(nanoseconds: int | None) -> int | None:
    """Return a time as JSON has it."""
    return None if nanoseconds is None else nanoseconds // 1_000_000
