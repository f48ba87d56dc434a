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
    Ticker,
    TradingAccount,
)

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
            "timestamp": _ms(event.timestamp),
        }
    if isinstance(event, Ticker):
        return {
            "kind": "ticker",
            "instrument": event.instrument_id,
            "last_price": _text(event.last_price),
            "last_quantity": _text(event.last_quantity),
            "bid_price": _text(event.bid_price),
            "bid_quantity": _text(event.bid_quantity),
            "ask_price": _text(event.ask_price),
            "ask_quantity": _text(event.ask_quantity),
            "price_change_percent": _text(event.price_change_percent),
            "timestamp": _ms(event.timestamp),
        }
    if isinstance(event, Portfolio):
        return _portfolio(event)
    if isinstance(event, Order):
        return {"kind": "account", "account": event.account_id, "event": "order", "order": _order(event)}
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
        "timestamp": _ms(book.timestamp),
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


def balance_object(balance: Balance) -> dict[str, Any]:
    """Return the object of one balance."""
    return {
        "asset": balance.asset,
        "total": _text(balance.total),
        "free": _text(balance.free),
        "locked": _text(balance.locked),
        "borrowed": _text(balance.borrowed),
        "frozen": _text(balance.frozen),
        "net": _text(balance.net),
        "updated_at": _ms(balance.updated_at),
    }


def _portfolio(event: Portfolio) -> dict[str, Any]:
    return {
        "kind": "account",
        "account": event.account_id,
        "event": "portfolio",
        "mode": event.mode,
        "balances": None if event.balances is None else [balance_object(item) for item in event.balances],
        "positions": None if event.positions is None else [_position(item) for item in event.positions],
        "equity": None if event.summary is None else _text(event.summary.equity),
        "currency": None if event.summary is None else event.summary.currency,
        "timestamp": _ms(event.updated_at),
    }


def _position(position: Position) -> dict[str, Any]:
    return {
        "position_id": position.position_id,
        "instrument": position.instrument_id,
        "asset": position.asset,
        "status": position.status,
        "side": position.position_side,
        "quantity": _text(position.quantity),
        "entry_price": _text(position.entry_price),
        "current_price": _text(position.current_price),
        "unrealized_pnl": _text(position.unrealized_pnl),
        "realized_pnl": _text(position.realized_pnl),
        "updated_at": _ms(position.updated_at),
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "instrument": order.instrument_id,
        "side": order.side,
        "type": order.order_type,
        "status": order.status,
        "limit_price": _text(order.limit_price),
        "quantity": _text(order.quantity),
        "executed_quantity": _text(order.executed_quantity),
        "executed_price": _text(order.executed_price),
        "reason": order.reason,
        "updated_at": _ms(order.updated_at),
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


def _text(value: Decimal | None) -> str | None:
    return None if value is None else text(value)


def _ms(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else nanoseconds // 1_000_000
