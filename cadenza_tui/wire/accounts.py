"""The account channel, and the same shapes as the queries answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from cadenza_tui.market.records import (
    Balance,
    Execution,
    Fee,
    Order,
    Portfolio,
    Position,
    Summary,
    TradingAccount,
    UpdateMode,
)
from cadenza_tui.wire.account_shapes import (
    AccountShape,
    BalanceShape,
    EnvelopeShape,
    ExecutionShape,
    FeeShape,
    OrderShape,
    PortfolioShape,
    PositionShape,
    SummaryShape,
)
from cadenza_tui.wire.quotes import side
from cadenza_tui.wire.read import (
    ABSENT,
    Bytes,
    Id,
    decimal,
    instrument,
    name,
    needed,
    not_negative,
    opens_with,
    present,
    read,
    time,
)
from cadenza_tui.wire.rejected import Rejected, RejectReason
from cadenza_tui.wire.text import MAXIMUM_SENTENCE, clean

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.records import AccountId

T = TypeVar("T")

AccountEvent: TypeAlias = Portfolio | Order | TradingAccount

MAXIMUM_ENTRIES = 10_000
"""Balances, positions, orders or executions of one message."""

_envelope = msgspec.json.Decoder(EnvelopeShape)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_account = msgspec.json.Decoder(AccountShape)
_portfolio = msgspec.json.Decoder(PortfolioShape)
_order = msgspec.json.Decoder(OrderShape)
_fees = msgspec.json.Decoder(list[FeeShape])

_MODES = {each.value: each for each in UpdateMode}


def decode_account_events(data: Bytes, account_id: AccountId | None) -> tuple[AccountEvent, ...]:
    """Return what one publication of an account channel says, or raise Rejected.

    ``account_id`` is the channel's, for bodies that leave theirs out. What a body is, its fields say; the
    event's name decides only where they do not.
    """
    envelope = read(_envelope, data)
    event = (
        (envelope.metadata.event_type if envelope.metadata else None) or envelope.event_type or envelope.type
    )
    event = clean(event or "")
    if not present(envelope.data):
        return (_event(data, envelope, event, account_id),)
    body: Bytes = envelope.data
    if not opens_with(body, b"["):
        return (_event(body, read(_envelope, body), event, account_id),)
    bodies = _bounded(read(_list, body), "events")
    return tuple([_event(each, read(_envelope, each), event, account_id) for each in bodies])


def _event(body: Bytes, fields: EnvelopeShape, event: str, account_id: AccountId | None) -> AccountEvent:
    if present(fields.order):
        return decode_order(fields.order, account_id, fields.new_status)
    if present(fields.portfolio):
        return decode_portfolio_body(fields.portfolio, account_id)
    if present(fields.trade_order_id):
        return decode_order(body, account_id, fields.new_status)
    if present(fields.balances) or present(fields.positions) or present(fields.summary):
        return decode_portfolio_body(body, account_id)
    for nested in (fields.trading_account, fields.account):
        if present(nested) and opens_with(nested, b"{"):
            return decode_account(nested, account_id)
    if present(fields.account_type) or present(fields.nickname):
        return decode_account(body, account_id)
    known = event.lower().replace("_", "")
    if "portfolio" in known or "balance" in known or "position" in known:
        return decode_portfolio_body(body, account_id)
    if "tradingaccount" in known:
        return decode_account(body, account_id)
    raise Rejected(RejectReason.EVENT, event or "neither an order, a portfolio nor an account")


def decode_account(raw: Bytes, account_id: AccountId | None = None) -> TradingAccount:
    """Return an account, or raise Rejected."""
    return _account_record(read(_account, raw), account_id)


def _account_record(shape: AccountShape, account_id: AccountId | None) -> TradingAccount:
    return TradingAccount(
        _needed_name(shape.trading_account_id, account_id, "tradingAccountId"),
        name(shape.nickname),
        name(shape.venue),
        name(shape.account_type),
        name(shape.status),
        name(shape.margin_mode),
        name(shape.position_mode),
    )


def decode_portfolio_body(raw: Bytes, account_id: AccountId | None = None) -> Portfolio:
    """Return a portfolio, or raise Rejected. Without an ``updateMode`` it is a whole one."""
    shape = read(_portfolio, raw)
    mode = UpdateMode.SNAPSHOT if shape.update_mode is None else _MODES.get(shape.update_mode.upper())
    if mode is None:
        raise Rejected(RejectReason.UPDATE_TYPE, f"updateMode {shape.update_mode}")
    account_id = _needed_name(shape.trading_account_id, account_id, "tradingAccountId")
    balances = shape.balances if shape.balances is None else _bounded(shape.balances, "balances")
    positions = shape.positions if shape.positions is None else _bounded(shape.positions, "positions")
    return Portfolio(
        account_id,
        mode,
        name(shape.venue),
        None if balances is None else tuple([_balance(each) for each in balances]),
        None if positions is None else tuple([_position(each) for each in positions]),
        None if shape.summary is None else _summary(shape.summary),
        None if shape.account_info is None else _account_record(shape.account_info, account_id),
        time(shape.updated_at, "updatedAt"),
    )


def _balance(shape: BalanceShape) -> Balance:
    asset = name(shape.security_symbol)
    identity = name(shape.balance_id) or name(shape.external_balance_id)
    return Balance(
        f"{asset}#{identity}" if identity else asset,
        asset,
        name(shape.security_type),
        name(shape.status),
        decimal(shape.total, "total"),
        decimal(shape.free, "free"),
        decimal(shape.locked, "locked"),
        decimal(shape.borrowed, "borrowed"),
        decimal(shape.frozen, "frozen"),
        decimal(shape.net, "net"),
        time(shape.updated_at, "updatedAt"),
        decimal(shape.interest_owed, "interestOwed"),
    )


def _position(shape: PositionShape) -> Position:
    asset = name(shape.security_symbol)
    instrument_id = name(shape.instrument_id)
    side_name = name(shape.position_side)
    position_id = name(shape.position_id) or ":".join(filter(None, (instrument_id or asset, side_name)))
    if not position_id:
        raise Rejected(RejectReason.MISSING, "positionId")
    return Position(
        position_id,
        asset,
        instrument_id,
        name(shape.status) or "OPEN",
        side_name,
        decimal(shape.quantity, "quantity"),
        decimal(shape.entry_price, "entryPrice"),
        decimal(shape.exit_price, "exitPrice"),
        decimal(shape.current_price, "currentPrice"),
        decimal(shape.unrealized_pnl, "unrealizedPnl"),
        decimal(shape.realized_pnl, "realizedPnl"),
        time(shape.created_at, "createdAt"),
        time(shape.updated_at, "updatedAt"),
        time(shape.closed_at, "closedAt"),
        _first_decimal(
            margin=shape.margin, initialMargin=shape.initial_margin, positionMargin=shape.position_margin
        ),
        decimal(shape.leverage, "leverage"),
    )


def _summary(shape: SummaryShape) -> Summary:
    return Summary(
        name(shape.currency),
        decimal(shape.leverage, "leverage"),
        decimal(shape.equity, "equity"),
        decimal(shape.margin, "margin"),
        decimal(shape.margin_loan, "marginLoan"),
        decimal(shape.margin_usage, "marginUsage"),
        decimal(shape.margin_requirement, "marginRequirement"),
        decimal(shape.margin_level, "marginLevel"),
        decimal(shape.credit, "credit"),
        decimal(shape.risk_exposure, "riskExposure"),
        decimal(shape.max_risk_exposure, "maxRiskExposure"),
        decimal(shape.risk_exposure_rate, "riskExposureRate"),
    )


def decode_order(raw: Bytes, account_id: AccountId | None = None, new_status: str | None = None) -> Order:
    """Return an order, or raise Rejected. ``new_status`` stands where the order itself has none."""
    shape = read(_order, raw)
    instrument_id = instrument(shape.instrument_id, shape.venue, shape.symbol)
    order_id = name(shape.trade_order_id) or name(shape.external_order_id) or name(shape.client_order_id)
    executions = _bounded(shape.executions or [], "executions")
    return Order(
        _needed_name(order_id, None, "tradeOrderId"),
        _needed_name(shape.trading_account_id, account_id, "tradingAccountId"),
        instrument_id,
        side(shape.order_side),
        name(shape.status or new_status) or "UNKNOWN",
        name(shape.order_type),
        name(shape.time_in_force),
        name(shape.client_order_id),
        decimal(shape.limit_price, "limitPrice"),
        decimal(shape.stop_price, "stopPrice"),
        not_negative(decimal(shape.quantity, "quantity"), "quantity"),
        not_negative(decimal(shape.executed_quantity, "executedQuantity"), "executedQuantity"),
        decimal(shape.executed_price, "executedPrice"),
        decimal(shape.executed_cost, "executedCost"),
        tuple([_execution(each, order_id, instrument_id, shape) for each in executions]),
        clean(shape.reject_reason or shape.cancel_reason or "", MAXIMUM_SENTENCE),
        time(shape.created_at, "createdAt"),
        time(shape.updated_at, "updatedAt"),
        time(shape.expire_at, "expireAt"),
        name(shape.venue),
        name(shape.parent_order_id) or name(shape.parent_trade_order_id),
        name(shape.order_list_id) or name(shape.trade_order_list_id),
        name(shape.external_order_id),
    )


def _execution(shape: ExecutionShape, order_id: str, instrument_id: str, order: OrderShape) -> Execution:
    quantity = needed(decimal(shape.executed_quantity, "executedQuantity"), "executedQuantity")
    not_negative(quantity, "executedQuantity")
    price = needed(decimal(shape.executed_price, "executedPrice"), "executedPrice")
    executed_at = time(shape.executed_at, "executedAt")
    return Execution(
        # One without an id is known by what it says, so that it is not taken twice.
        name(shape.execution_id)
        or name(shape.external_trade_id)
        or f"{order_id}@{executed_at or 0}:{quantity:f}x{price:f}",
        instrument(shape.instrument_id, shape.venue, shape.symbol) or instrument_id,
        side(shape.order_side or order.order_side),
        quantity,
        price,
        decimal(shape.executed_cost, "executedCost"),
        _fee_records(shape.fees),
        executed_at,
        name(shape.venue or order.venue),
    )


def _fee_records(raw: msgspec.Raw) -> tuple[Fee, ...]:
    """Return the fees that can be understood; an order is not refused over one that cannot."""
    if not present(raw):
        return ()
    try:
        shapes = _bounded(read(_fees, raw), "fees")
    except Rejected:
        return ()
    fees = []
    for shape in shapes:
        asset = name(shape.asset or shape.currency or shape.security_symbol or shape.fee_asset)
        cell = next((each for each in (shape.quantity, shape.amount, shape.fee) if present(each)), ABSENT)
        try:
            quantity = decimal(cell, "fee")
        except Rejected:
            continue
        if quantity is not None:
            fees.append(Fee(asset, quantity))
    return tuple(fees)


def _first_decimal(**cells: msgspec.Raw) -> Decimal | None:
    """Return the first of the fields that is there, under whichever of its names."""
    return next((decimal(cell, field) for field, cell in cells.items() if present(cell)), None)


def _needed_name(identity: Id, otherwise: str | None, field: str) -> str:
    found = name(identity) or otherwise
    if not found:
        raise Rejected(RejectReason.MISSING, field)
    return found


def _bounded(entries: list[T], what: str) -> list[T]:
    if len(entries) > MAXIMUM_ENTRIES:
        raise Rejected(RejectReason.TOO_LARGE, f"{len(entries):,} {what}")
    return entries
