"""The account channel's bodies as they stand on the wire, every field but the keys optional."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from cadenza_tui.wire.read import ABSENT, Id, Time

Cell: TypeAlias = msgspec.Raw
"""A decimal, read by ``read.decimal``."""


class AccountShape(msgspec.Struct, rename="camel"):
    """``account``."""

    trading_account_id: Id = None
    nickname: str | None = None
    venue: str | None = None
    account_type: str | None = None
    status: str | None = None
    margin_mode: str | None = None
    position_mode: str | None = None


class BalanceShape(msgspec.Struct, rename="camel"):
    """``balance``, in the REST and the RPC shape."""

    security_symbol: str
    balance_id: Id = None
    external_balance_id: Id = None
    security_type: str | None = None
    status: str | None = None
    free: Cell = ABSENT
    locked: Cell = ABSENT
    borrowed: Cell = ABSENT
    total: Cell = ABSENT
    net: Cell = ABSENT
    frozen: Cell = ABSENT
    interest_owed: Cell = ABSENT
    updated_at: Time = None


class PositionShape(msgspec.Struct, rename="camel"):
    """``position``."""

    position_id: Id = None
    security_symbol: str | None = None
    instrument_id: str | None = None
    security_type: str | None = None
    status: str | None = None
    position_side: str | None = None
    quantity: Cell = ABSENT
    entry_price: Cell = ABSENT
    exit_price: Cell = ABSENT
    current_price: Cell = ABSENT
    unrealized_pnl: Cell = ABSENT
    realized_pnl: Cell = ABSENT
    margin: Cell = ABSENT
    initial_margin: Cell = ABSENT
    position_margin: Cell = ABSENT
    leverage: Cell = ABSENT
    created_at: Time = None
    updated_at: Time = None
    closed_at: Time = None


class SummaryShape(msgspec.Struct, rename="camel"):
    """``summary``."""

    currency: str | None = None
    leverage: Cell = ABSENT
    equity: Cell = ABSENT
    margin: Cell = ABSENT
    margin_loan: Cell = ABSENT
    margin_usage: Cell = ABSENT
    margin_requirement: Cell = ABSENT
    margin_level: Cell = ABSENT
    credit: Cell = ABSENT
    risk_exposure: Cell = ABSENT
    max_risk_exposure: Cell = ABSENT
    risk_exposure_rate: Cell = ABSENT


class PortfolioShape(msgspec.Struct, rename="camel"):
    """``portfolio``, in the REST and the RPC shape."""

    trading_account_id: Id = None
    venue: str | None = None
    balances: list[BalanceShape] | None = None
    positions: list[PositionShape] | None = None
    summary: SummaryShape | None = None
    account_info: AccountShape | None = None
    update_mode: str | None = None
    updated_at: Time = None


class FeeShape(msgspec.Struct, rename="camel"):
    """The contract does not say what a fee looks like: these are the names its other shapes use."""

    asset: str | None = None
    currency: str | None = None
    security_symbol: str | None = None
    fee_asset: str | None = None
    quantity: Cell = ABSENT
    amount: Cell = ABSENT
    fee: Cell = ABSENT


class ExecutionShape(msgspec.Struct, rename="camel"):
    """``execution``."""

    execution_id: Id = None
    external_trade_id: Id = None
    venue: str | None = None
    instrument_id: str | None = None
    symbol: str | None = None
    order_side: str | None = None
    executed_quantity: Cell = ABSENT
    executed_price: Cell = ABSENT
    executed_cost: Cell = ABSENT
    fees: Cell = ABSENT
    executed_at: Time = None


class OrderShape(msgspec.Struct, rename="camel"):
    """``order``."""

    trade_order_id: Id = None
    client_order_id: Id = None
    external_order_id: Id = None
    parent_order_id: Id = None
    parent_trade_order_id: Id = None
    order_list_id: Id = None
    trade_order_list_id: Id = None
    trading_account_id: Id = None
    venue: str | None = None
    instrument_id: str | None = None
    symbol: str | None = None
    order_side: str | None = None
    order_type: str | None = None
    time_in_force: str | None = None
    status: str | None = None
    limit_price: Cell = ABSENT
    stop_price: Cell = ABSENT
    quantity: Cell = ABSENT
    executed_price: Cell = ABSENT
    executed_quantity: Cell = ABSENT
    executed_cost: Cell = ABSENT
    executions: list[ExecutionShape] | None = None
    reject_reason: str | None = None
    cancel_reason: str | None = None
    created_at: Time = None
    updated_at: Time = None
    expire_at: Time = None


class MetadataShape(msgspec.Struct, rename="camel"):
    """What an event says of itself."""

    event_type: str | None = None


class EnvelopeShape(msgspec.Struct, rename="camel"):
    """Every field that tells one envelope, and one body, from another."""

    metadata: MetadataShape | None = None
    type: str | None = None
    event_type: str | None = None
    data: Cell = ABSENT
    order: Cell = ABSENT
    portfolio: Cell = ABSENT
    account: Cell = ABSENT
    trading_account: Cell = ABSENT
    new_status: str | None = None
    trade_order_id: Cell = ABSENT
    balances: Cell = ABSENT
    positions: Cell = ABSENT
    summary: Cell = ABSENT
    account_type: Cell = ABSENT
    nickname: Cell = ABSENT
