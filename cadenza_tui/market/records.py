"""The records a market is made of, as the rest of the program knows them.

Prices and quantities that are only compared, shown and summed a few at a time are ``Decimal`` built from
the feed's own text, so their trailing zeros survive. Book rows stay text: see ``market.book``.
Times are integer nanoseconds since the epoch. ``None`` means *unknown*, never zero.
Text fields have had control characters removed by ``wire``; markup is not interpreted anywhere.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import msgspec

InstrumentId: TypeAlias = str
AccountId: TypeAlias = str
Nanoseconds: TypeAlias = int


class Side(StrEnum):
    """The aggressor of a print, or the side of an order."""

    BUY = "BUY"
    SELL = "SELL"


class Instrument(msgspec.Struct, frozen=True):
    """What can be watched. ``tick`` and ``lot`` are steps of price and quantity, None where not said."""

    instrument_id: InstrumentId
    venue: str
    symbol: str
    kind: str = "SPOT"
    status: str = "ACTIVE"
    base: str = ""
    quote: str = ""
    tick: Decimal | None = None
    lot: Decimal | None = None
    price_decimals: int | None = None
    quantity_decimals: int | None = None


class Print(msgspec.Struct, frozen=True):
    """One trade. ``aggressor`` is None where the venue does not say."""

    instrument_id: InstrumentId
    price: Decimal
    quantity: Decimal
    aggressor: Side | None
    timestamp: Nanoseconds
    trade_id: str = ""


class Ticker(msgspec.Struct, frozen=True):
    """The top of a market in one message; each field None where the venue left it out."""

    instrument_id: InstrumentId
    timestamp: Nanoseconds
    last_price: Decimal | None = None
    last_quantity: Decimal | None = None
    bid_price: Decimal | None = None
    bid_quantity: Decimal | None = None
    ask_price: Decimal | None = None
    ask_quantity: Decimal | None = None
    price_change_percent: Decimal | None = None


class Candle(msgspec.Struct, frozen=True):
    """One candle; ``open_time`` in ns, ``volume`` None where the venue has none."""

    open_time: Nanoseconds
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None


class Kline(msgspec.Struct, frozen=True):
    """Candles of one instrument and interval, ascending; ``is_closed`` speaks of the last one only."""

    instrument_id: InstrumentId
    interval: str
    candles: tuple[Candle, ...]
    is_closed: bool
    timestamp: Nanoseconds


class TradingAccount(msgspec.Struct, frozen=True):
    """An account as the platform lists it."""

    account_id: AccountId
    nickname: str = ""
    venue: str = ""
    account_type: str = ""
    status: str = ""
    margin_mode: str = ""
    position_mode: str = ""


class Balance(msgspec.Struct, frozen=True):
    """One asset of one account. ``key`` tells entries of one asset apart where the venue gives an id."""

    key: str
    asset: str
    asset_type: str = ""
    status: str = ""
    total: Decimal | None = None
    free: Decimal | None = None
    locked: Decimal | None = None
    borrowed: Decimal | None = None
    frozen: Decimal | None = None
    net: Decimal | None = None
    updated_at: Nanoseconds | None = None
    interest_owed: Decimal | None = None


class Position(msgspec.Struct, frozen=True):
    """One position; ``position_side`` LONG or SHORT, quantity as the venue gives it.

    ``margin`` is what the venue holds for it, in its quote asset; ``leverage`` a factor.
    """

    position_id: str
    asset: str
    instrument_id: InstrumentId
    status: str = "OPEN"
    position_side: str = ""
    quantity: Decimal | None = None
    entry_price: Decimal | None = None
    exit_price: Decimal | None = None
    current_price: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    realized_pnl: Decimal | None = None
    created_at: Nanoseconds | None = None
    updated_at: Nanoseconds | None = None
    closed_at: Nanoseconds | None = None
    margin: Decimal | None = None
    leverage: Decimal | None = None


class Summary(msgspec.Struct, frozen=True):
    """What the venue says of an account as a whole, in ``currency``."""

    currency: str = ""
    leverage: Decimal | None = None
    equity: Decimal | None = None
    margin: Decimal | None = None
    margin_loan: Decimal | None = None
    margin_usage: Decimal | None = None
    margin_requirement: Decimal | None = None
    margin_level: Decimal | None = None
    credit: Decimal | None = None
    risk_exposure: Decimal | None = None
    max_risk_exposure: Decimal | None = None
    risk_exposure_rate: Decimal | None = None


class Fee(msgspec.Struct, frozen=True):
    """What an execution cost, in ``asset``."""

    asset: str
    quantity: Decimal


class Execution(msgspec.Struct, frozen=True):
    """One fill of an own order."""

    execution_id: str
    instrument_id: InstrumentId
    side: Side | None
    quantity: Decimal
    price: Decimal
    cost: Decimal | None = None
    fees: tuple[Fee, ...] = ()
    executed_at: Nanoseconds | None = None
    venue: str = ""


WORKING_STATUSES = frozenset(
    {"CREATED", "SUBMITTED", "ACCEPTED", "PARTIALLY_FILLED", "PENDING_CANCEL", "PENDING_REPLACE"}
)


class Order(msgspec.Struct, frozen=True):
    """One own order. ``status`` keeps the venue's text where it is not a known one.

    ``parent_id`` is the order that brings this one to life, ``list_id`` the list that both belong to; "" for
    none.
    """

    order_id: str
    account_id: AccountId
    instrument_id: InstrumentId
    side: Side | None
    status: str
    order_type: str = ""
    time_in_force: str = ""
    client_order_id: str = ""
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    quantity: Decimal | None = None
    executed_quantity: Decimal | None = None
    executed_price: Decimal | None = None
    executed_cost: Decimal | None = None
    executions: tuple[Execution, ...] = ()
    reason: str = ""
    created_at: Nanoseconds | None = None
    updated_at: Nanoseconds | None = None
    expire_at: Nanoseconds | None = None
    venue: str = ""
    parent_id: str = ""
    list_id: str = ""
    external_id: str = ""
    """The venue's own id, by which an L3_COUNTED book names its orders; "" where it is not told."""

    @property
    def working(self) -> bool:
        """Whether the order can still fill."""
        return self.status in WORKING_STATUSES


class UpdateMode(StrEnum):
    """How a portfolio message changes what is held."""

    SNAPSHOT = "SNAPSHOT"
    DELTA = "DELTA"


class Portfolio(msgspec.Struct, frozen=True):
    """Balances, positions and summary of one account. A field the message left out is None: not changed."""

    account_id: AccountId
    mode: UpdateMode = UpdateMode.SNAPSHOT
    venue: str = ""
    balances: tuple[Balance, ...] | None = None
    positions: tuple[Position, ...] | None = None
    summary: Summary | None = None
    account: TradingAccount | None = None
    updated_at: Nanoseconds | None = None


class UpdateType(StrEnum):
    """How a book message changes what is held."""

    SNAPSHOT = "SNAPSHOT"
    DIFF = "DIFF"
    DELTA = "DELTA"


class BookType(StrEnum):
    """The layouts of the contract; what makes a row unique differs between them."""

    L2 = "L2"
    L2_COUNTED = "L2_COUNTED"
    L3 = "L3"
    L3_COUNTED = "L3_COUNTED"
    L2_EXCHANGE = "L2_EXCHANGE"
    VWAP = "VWAP"


class BookUpdate(msgspec.Struct, frozen=True, gc=False):
    """One book message. Rows are tuples of the feed's own text, laid out as ``columns`` says.

    ``wire`` has checked that each row is as long as ``columns``, that prices and quantities are decimals,
    and that no quantity is negative, but for a DELTA's, which may be a change.
    """

    instrument_id: InstrumentId
    update_type: UpdateType
    book_type: BookType
    columns: tuple[str, ...]
    bids: list[tuple[str, ...]]
    asks: list[tuple[str, ...]]
    timestamp: Nanoseconds
