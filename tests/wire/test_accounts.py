"""The account channel's envelopes and bodies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cadenza_tui.market.records import (
    Balance,
    Execution,
    Fee,
    Order,
    Portfolio,
    Position,
    Side,
    Summary,
    TradingAccount,
    UpdateMode,
)
from cadenza_tui.wire import accounts
from cadenza_tui.wire.accounts import decode_order
from cadenza_tui.wire.rejected import Rejected, RejectReason
from tests.wire.messages import (
    ACCOUNT,
    ACCOUNT_CHANNEL,
    BALANCE,
    BTC,
    EXECUTION,
    METADATA,
    ORDER,
    PORTFOLIO,
    POSITION,
    TIME_NS,
    TIME_TEXT,
    Json,
    received,
    wire,
    without,
)

D = Decimal

PORTFOLIO_RECORD = Portfolio(
    "desk-1",
    UpdateMode.SNAPSHOT,
    "BINANCE",
    (
        Balance(
            "USDT",
            "USDT",
            "CURRENCY",
            "ACTIVE",
            total=D("812004.1200"),
            free=D("790004.1200"),
            locked=D("22000.0000"),
            borrowed=D("0.0000"),
            frozen=None,
            net=D("812004.1200"),
            updated_at=TIME_NS,
        ),
    ),
    (
        Position(
            "p-1",
            "BTC",
            "BINANCE:BTC/USDT:PERP",
            "OPEN",
            "LONG",
            quantity=D("0.500"),
            entry_price=D("61000.0"),
            exit_price=None,
            current_price=D("61837.5"),
            unrealized_pnl=D("418.75"),
            realized_pnl=D("-12.5"),
            created_at=TIME_NS - 10**9,
            updated_at=TIME_NS,
        ),
    ),
    Summary(
        "USDT", D(3), D("1284113.20"), D(100), D(0), D("0.1"), D(50), D("12.5"), D(0), D("30918.75"),
        D("3852339.6"), D("0.008"),
    ),
    None,
    TIME_NS,
)  # fmt: skip
EXECUTION_RECORD = Execution(
    "e-1",
    BTC,
    Side.BUY,
    D("0.2"),
    D("61837.62"),
    D("12367.524"),
    (Fee("USDT", D("6.18")),),
    TIME_NS,
    "BINANCE",
)
ORDER_RECORD = Order(
    "o-1",
    "desk-1",
    BTC,
    Side.BUY,
    "PARTIALLY_FILLED",
    "LIMIT",
    "GTC",
    "c-1",
    limit_price=D("61837.62"),
    quantity=D("0.5"),
    executed_quantity=D("0.2"),
    executed_price=D("61837.62"),
    executed_cost=D("12367.524"),
    executions=(EXECUTION_RECORD,),
    created_at=TIME_NS - 10**9,
    updated_at=TIME_NS,
    venue="BINANCE",
    external_id="x-1",
)
ACCOUNT_RECORD = TradingAccount("desk-1", "Desk one", "BINANCE", "MARGIN", "ACTIVE", "CROSS", "ONE_WAY")


def event(event_type: str, data: object) -> Json:
    return {"metadata": {**METADATA, "eventType": event_type}, "data": data}


@pytest.mark.parametrize(
    ("message", "record"),
    [
        (event("event.portfolio.updated", PORTFOLIO), PORTFOLIO_RECORD),
        (event("event.trade_order.updated", ORDER), ORDER_RECORD),
        (event("event.trading_account.updated", ACCOUNT), ACCOUNT_RECORD),
        ({"type": "orderUpdate", "order": ORDER}, ORDER_RECORD),
        ({"type": "portfolioUpdate", "portfolio": PORTFOLIO}, PORTFOLIO_RECORD),
        ({"type": "balanceUpdate", **PORTFOLIO}, PORTFOLIO_RECORD),
        ({"type": "accountUpdate", "account": ACCOUNT}, ACCOUNT_RECORD),
        ({"type": "accountUpdate", "tradingAccount": ACCOUNT}, ACCOUNT_RECORD),
        ({"data": PORTFOLIO}, PORTFOLIO_RECORD),
        ({"data": ORDER}, ORDER_RECORD),
        ({"data": ACCOUNT}, ACCOUNT_RECORD),
        ({"data": {"order": ORDER}}, ORDER_RECORD),
        (PORTFOLIO, PORTFOLIO_RECORD),
        (ORDER, ORDER_RECORD),
        (ACCOUNT, ACCOUNT_RECORD),
        (event("event.never.heard.of", ORDER), ORDER_RECORD),
        (event("event.portfolio.updated", without(PORTFOLIO, "tradingAccountId")), PORTFOLIO_RECORD),
    ],
    ids=lambda value: None if isinstance(value, dict) else type(value).__name__,
)
def test_every_envelope_is_understood(message: Json, record: object) -> None:
    """The event envelope, the typed body and the bare body say the same; fields tell a body from another."""
    assert received(ACCOUNT_CHANNEL, message) == (record,)


def test_an_order_status_change_carries_an_order() -> None:
    """``orderStatusChanged`` holds the order and both statuses; the order's own wins, else the new one."""
    data = {"order": ORDER, "previousStatus": "ACCEPTED", "newStatus": "FILLED"}
    assert received(ACCOUNT_CHANNEL, event("orderStatusChanged", data)) == (ORDER_RECORD,)
    data = {**data, "order": without(ORDER, "status")}
    assert received(ACCOUNT_CHANNEL, event("orderStatusChanged", data))[0].status == "FILLED"


def test_a_list_of_bodies_is_several_events() -> None:
    """``data`` may be a list; each entry is told apart by itself."""
    events = received(ACCOUNT_CHANNEL, {"data": [ORDER, PORTFOLIO, ACCOUNT]})
    assert events == (ORDER_RECORD, PORTFOLIO_RECORD, ACCOUNT_RECORD)


def test_an_event_names_a_body_whose_fields_do_not() -> None:
    """A portfolio without any part is one because its event says so."""
    body = {"tradingAccountId": "desk-1", "updatedAt": TIME_TEXT}
    assert received(ACCOUNT_CHANNEL, event("event.portfolio.updated", body)) == (
        Portfolio("desk-1", updated_at=TIME_NS),
    )
    account = event("event.trading_account.updated", {"status": "LOCKED"})
    assert received(ACCOUNT_CHANNEL, account) == (TradingAccount("desk-1", status="LOCKED"),)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"data": {"hello": 1}}, RejectReason.EVENT),
        ({"type": "heartbeat"}, RejectReason.EVENT),
        (event("event.risk.breached", {"level": "x"}), RejectReason.EVENT),
        ({"data": None}, RejectReason.EVENT),
        ({"data": "text"}, RejectReason.SHAPE),
        ({"data": [1]}, RejectReason.SHAPE),
        ([], RejectReason.SHAPE),
        ({"data": {**ORDER, "tradeOrderId": {}}}, RejectReason.SHAPE),
        ({"data": {**ORDER, "quantity": "-1"}}, RejectReason.NEGATIVE),
        ({"data": {**ORDER, "limitPrice": "much"}}, RejectReason.DECIMAL),
        ({"data": {**ORDER, "updatedAt": "late"}}, RejectReason.TIME),
        ({"data": {**ORDER, "executions": [without(EXECUTION, "executedPrice")]}}, RejectReason.MISSING),
        ({"data": {**ORDER, "executions": [{**EXECUTION, "executedQuantity": "-1"}]}}, RejectReason.NEGATIVE),
        ({"data": {**PORTFOLIO, "balances": [without(BALANCE, "securitySymbol")]}}, RejectReason.MISSING),
        ({"data": {**PORTFOLIO, "balances": [{**BALANCE, "free": "x"}]}}, RejectReason.DECIMAL),
        ({"data": {**PORTFOLIO, "updateMode": "MERGE"}}, RejectReason.UPDATE_TYPE),
        ({"data": {**PORTFOLIO, "positions": [{"quantity": "1"}]}}, RejectReason.MISSING),
        ({"data": {"order": {}}}, RejectReason.MISSING),
    ],
)
def test_an_event_that_cannot_be_used_is_rejected(message: object, reason: RejectReason) -> None:
    """A wrong event is named by what is wrong with it."""
    with pytest.raises(Rejected) as caught:
        received(ACCOUNT_CHANNEL, message)
    assert caught.value.reason is reason


def test_the_rpc_shape_of_a_portfolio_is_read() -> None:
    """RFC 3339 times, the update mode, the account's own data and the further balance fields are read."""
    balance = {
        **BALANCE,
        "frozen": "1.5",
        "interestOwed": "0",
        "collateralEnabled": True,
        "updatedAt": TIME_TEXT,
        "balanceId": 12,
        "externalBalanceId": "x",
    }
    message = {**PORTFOLIO, "balances": [balance], "updateMode": "DELTA", "accountInfo": ACCOUNT}
    (portfolio,) = received(ACCOUNT_CHANNEL, message)
    assert (portfolio.mode, portfolio.account) == (UpdateMode.DELTA, ACCOUNT_RECORD)
    (held,) = portfolio.balances
    assert (held.key, held.asset, held.frozen, held.updated_at) == ("USDT#12", "USDT", D("1.5"), TIME_NS)


def test_what_a_portfolio_leaves_out_is_not_changed() -> None:
    """A part that is missing or null is None, an empty list is empty."""
    (portfolio,) = received(ACCOUNT_CHANNEL, {"data": {"balances": [], "positions": None, "summary": {}}})
    assert (portfolio.balances, portfolio.positions, portfolio.summary) == ((), None, Summary())


def test_a_position_without_an_id_is_known_by_instrument_and_side() -> None:
    """A venue that gives no position ids still has one position for an instrument and a side."""
    (portfolio,) = received(ACCOUNT_CHANNEL, {**PORTFOLIO, "positions": [without(POSITION, "positionId")]})
    assert portfolio.positions[0].position_id == "BINANCE:BTC/USDT:PERP:LONG"


def test_unknown_statuses_and_types_are_kept_as_text() -> None:
    """An enum value that is new is text, with nothing in it that a terminal would obey."""
    order = {**ORDER, "status": "\x1b[1mPARKED", "orderType": "PEGGED", "timeInForce": "GTX"}
    (found,) = received(ACCOUNT_CHANNEL, order)
    assert (found.status, found.order_type, found.time_in_force) == ("PARKED", "PEGGED", "GTX")
    assert not found.working


def test_reasons_are_sentences_made_harmless() -> None:
    """The reject reason, else the cancel reason, is kept clean and bounded."""
    (order,) = received(ACCOUNT_CHANNEL, {**ORDER, "rejectReason": "no \x1b[31mfunds\n" + "x" * 300})
    assert order.reason.startswith("no funds xxx")
    assert len(order.reason) == 200
    (order,) = received(ACCOUNT_CHANNEL, {**ORDER, "cancelReason": "by user"})
    assert order.reason == "by user"


@pytest.mark.parametrize(
    ("fees", "expected"),
    [
        ([{"currency": "BNB", "amount": "0.1"}], (Fee("BNB", D("0.1")),)),
        ([{"securitySymbol": "BNB", "fee": 0.1}], (Fee("BNB", D("0.1")),)),
        ([{"asset": "BNB", "quantity": "x"}, {"asset": "USDT", "quantity": "1"}], (Fee("USDT", D(1)),)),
        ([{"asset": "BNB"}], ()),
        ("0.1", ()),
        ({"BNB": "0.1"}, ()),
        (None, ()),
    ],
)
def test_fees_are_read_where_they_can_be(fees: Any, expected: tuple[Fee, ...]) -> None:
    """An execution is not refused over fees in a shape that the contract does not describe."""
    (order,) = received(ACCOUNT_CHANNEL, {**ORDER, "executions": [{**EXECUTION, "fees": fees}]})
    assert order.executions[0].fees == expected


def test_an_execution_takes_from_its_order_what_it_leaves_out() -> None:
    """Instrument, side and venue are the order's own; without an id it is known by what it says."""
    bare = without(EXECUTION, "executionId", "externalTradeId", "instrumentId", "venue", "orderSide")
    (order,) = received(ACCOUNT_CHANNEL, {**ORDER, "executions": [bare]})
    execution = order.executions[0]
    assert (execution.instrument_id, execution.side, execution.venue) == (BTC, Side.BUY, "BINANCE")
    (again,) = received(ACCOUNT_CHANNEL, {**ORDER, "executions": [bare]})
    assert execution.execution_id == again.executions[0].execution_id != ""


def test_an_order_is_named_by_venue_and_symbol_where_it_has_no_instrument_id() -> None:
    """The instrument id is put together from venue and symbol."""
    message = {**without(ORDER, "instrumentId"), "symbol": "BTC/USDT"}
    assert decode_order(wire(message)).instrument_id == BTC


def test_lists_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of very many balances, positions, executions or events is refused."""
    monkeypatch.setattr(accounts, "MAXIMUM_ENTRIES", 1)
    for message in (
        {**PORTFOLIO, "balances": [BALANCE] * 2},
        {**PORTFOLIO, "positions": [POSITION] * 2},
        {**ORDER, "executions": [EXECUTION] * 2},
        {"data": [ORDER] * 2},
    ):
        with pytest.raises(Rejected) as caught:
            received(ACCOUNT_CHANNEL, message)
        assert caught.value.reason is RejectReason.TOO_LARGE


def test_what_only_the_longer_shape_has_is_read() -> None:
    """The interest that is owed; a position's margin under any of its names, and its leverage."""
    message = {
        "balances": [{**BALANCE, "frozen": "2.50", "interestOwed": "0.02283105"}],
        "positions": [
            {**POSITION, "margin": "12367.52", "initialMargin": "1", "leverage": 5},
            {**POSITION, "margin": None, "initialMargin": "7.5"},
            {**POSITION, "positionMargin": "8.25"},
        ],
    }
    (portfolio,) = received(ACCOUNT_CHANNEL, message)
    (balance,) = portfolio.balances
    assert (balance.frozen, balance.interest_owed) == (D("2.50"), D("0.02283105"))
    assert [(each.margin, each.leverage) for each in portfolio.positions] == [
        (D("12367.52"), D(5)),
        (D("7.5"), None),
        (D("8.25"), None),
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"parentOrderId": "p-1", "orderListId": "l-1"}, ("p-1", "l-1")),
        ({"parentTradeOrderId": 7, "tradeOrderListId": 8}, ("7", "8")),
        ({"parentOrderId": None, "orderListId": ""}, ("", "")),
    ],
)
def test_an_order_of_a_list_names_its_parent_and_the_list(
    fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    """Under either of the names; empty where there is none."""
    order = decode_order(wire({**ORDER, **fields}))
    assert (order.parent_id, order.list_id) == expected
