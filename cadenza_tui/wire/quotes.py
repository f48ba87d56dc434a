"""``ticker``, ``kline`` and trade messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from cadenza_tui.market.records import Candle, Kline, Print, Side, Ticker
from cadenza_tui.wire.book import addressed
from cadenza_tui.wire.read import (
    ABSENT,
    Bytes,
    Id,
    Time,
    decimal,
    name,
    needed,
    needed_time,
    not_negative,
    opens_with,
    present,
    read,
)
from cadenza_tui.wire.rejected import Rejected, RejectReason

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.wire.channels import ChannelName

MAXIMUM_PRINTS = 10_000
MAXIMUM_CANDLES = 10_000

Cell: TypeAlias = msgspec.Raw


class _Ticker(msgspec.Struct, rename="camel", gc=False):
    timestamp: int | str
    venue: str | None = None
    symbol: str | None = None
    instrument_id: str | None = None
    last_price: Cell = ABSENT
    last_quantity: Cell = ABSENT
    bid_price: Cell = ABSENT
    bid_quantity: Cell = ABSENT
    ask_price: Cell = ABSENT
    ask_quantity: Cell = ABSENT
    price_change_percent: Cell = ABSENT


class _Kline(msgspec.Struct, rename="camel"):
    interval: str
    candles: list[list[Cell]]
    timestamp: int | str
    is_closed: bool = False
    venue: str | None = None
    symbol: str | None = None
    instrument_id: str | None = None


class _Trade(msgspec.Struct, rename="camel", gc=False):
    """Every name by which the contract's shapes call the parts of a trade."""

    venue: str | None = None
    symbol: str | None = None
    instrument_id: str | None = None
    trade_id: Id = None
    external_trade_id: Id = None
    execution_id: Id = None
    price: Cell = ABSENT
    last_price: Cell = ABSENT
    executed_price: Cell = ABSENT
    quantity: Cell = ABSENT
    last_quantity: Cell = ABSENT
    executed_quantity: Cell = ABSENT
    size: Cell = ABSENT
    amount: Cell = ABSENT
    side: str | None = None
    taker_side: str | None = None
    order_side: str | None = None
    timestamp: Time = None
    executed_at: Time = None


_ticker = msgspec.json.Decoder(_Ticker)
_kline = msgspec.json.Decoder(_Kline)
_trade = msgspec.json.Decoder(_Trade)
_trades = msgspec.json.Decoder(list[_Trade])
_time = msgspec.json.Decoder(int | str)


def decode_ticker(data: Bytes, channel: ChannelName | None) -> Ticker:
    """Return a ticker, of whichever instrument of the venue on a venue's channel; or raise Rejected."""
    message = read(_ticker, data)
    return Ticker(
        addressed(message.instrument_id, message.venue, message.symbol, channel),
        needed_time(message.timestamp, "timestamp"),
        decimal(message.last_price, "lastPrice"),
        not_negative(decimal(message.last_quantity, "lastQuantity"), "lastQuantity"),
        decimal(message.bid_price, "bidPrice"),
        not_negative(decimal(message.bid_quantity, "bidQuantity"), "bidQuantity"),
        decimal(message.ask_price, "askPrice"),
        not_negative(decimal(message.ask_quantity, "askQuantity"), "askQuantity"),
        decimal(message.price_change_percent, "priceChangePercent"),
    )


def decode_kline(data: Bytes, channel: ChannelName | None) -> Kline:
    """Return candles in ascending order, or raise Rejected."""
    message = read(_kline, data)
    if len(message.candles) > MAXIMUM_CANDLES:
        raise Rejected(RejectReason.TOO_LARGE, f"{len(message.candles):,} candles")
    candles = [_candle(cells, f"candles[{place}]") for place, cells in enumerate(message.candles)]
    candles.sort(key=lambda candle: candle.open_time)
    return Kline(
        addressed(message.instrument_id, message.venue, message.symbol, channel),
        name(message.interval),
        tuple(candles),
        message.is_closed,
        needed_time(message.timestamp, "timestamp"),
    )


def _candle(cells: list[Cell], place: str) -> Candle:
    if len(cells) not in {5, 6}:
        raise Rejected(RejectReason.ROW_LENGTH, f"{place} has {len(cells)} of 6 columns")
    low, high, lowest, close = (needed(decimal(cell, place), place) for cell in cells[1:5])
    volume = decimal(cells[5], place) if len(cells) > 5 else None
    return Candle(
        needed_time(read(_time, cells[0]), place), low, high, lowest, close, not_negative(volume, place)
    )


def decode_prints(data: Bytes, channel: ChannelName | None) -> tuple[Print, ...]:
    """Return the prints of one publication, a single one or a list, in its order; or raise Rejected."""
    trades = read(_trades, data) if opens_with(data, b"[") else [read(_trade, data)]
    if len(trades) > MAXIMUM_PRINTS:
        raise Rejected(RejectReason.TOO_LARGE, f"{len(trades):,} trades")
    return tuple([_print(trade, channel) for trade in trades])


def _print(trade: _Trade, channel: ChannelName | None) -> Print:
    price = _first("price", trade.price, trade.last_price, trade.executed_price)
    quantity = _first(
        "quantity", trade.quantity, trade.last_quantity, trade.executed_quantity, trade.size, trade.amount
    )
    trade_id = trade.trade_id
    if trade_id is None:
        trade_id = trade.execution_id if trade.external_trade_id is None else trade.external_trade_id
    when = trade.timestamp if trade.executed_at is None else trade.executed_at
    return Print(
        addressed(trade.instrument_id, trade.venue, trade.symbol, channel),
        price,
        needed(not_negative(quantity, "quantity"), "quantity"),
        side(trade.taker_side or trade.side or trade.order_side),
        needed_time(when if when is not None else "", "timestamp"),
        name(trade_id),
    )


def _first(field: str, *cells: Cell) -> Decimal:
    for cell in cells:
        if cell is not ABSENT and present(cell):
            return needed(decimal(cell, field), field)
    raise Rejected(RejectReason.MISSING, field)


def side(text: str | None) -> Side | None:
    """Return the side, None where it is left out or called by a name that is not known."""
    return _SIDES.get(text.upper()) if text else None


_SIDES = {
    "BUY": Side.BUY,
    "SELL": Side.SELL,
    "BID": Side.BUY,
    "ASK": Side.SELL,
    "B": Side.BUY,
    "S": Side.SELL,
}
