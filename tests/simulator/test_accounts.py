"""Balances, positions and reserves of an account."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.simulator.accounts import (
    Account,
    Execution,
    OwnOrder,
    base_amount,
    cost,
    fee,
)
from cadenza_tui.simulator.instruments import CATALOGUE, Instrument

SPOT = CATALOGUE[0]
PERPETUAL = next(one for one in CATALOGUE if one.instrument_id == "BINANCE:BTC-PERP/USDT")
UNIT = 10**8


def account() -> Account:
    return Account(
        "a",
        nickname="A",
        venue="BINANCE",
        account_type="MARGIN",
        totals={"USDT": 10_000_000 * UNIT, "BTC": 100 * UNIT},
        borrowed={},
        start_ns=0,
    )


def order(one: Instrument, is_buy: bool, lots: int, limit: int | None = None) -> OwnOrder:
    return OwnOrder(f"o{is_buy}{lots}{limit}", "a", one, is_buy, lots, limit, created_ns=1)


def execute(held: Account, placed: OwnOrder, lots: int, ticks: int, number: int = 1) -> None:
    amount = cost(placed.instrument, ticks, lots)
    held.fill(placed, Execution(f"e{number}", number, ticks, lots, amount, fee(amount, 2), number, True))


def test_a_resting_buy_locks_what_it_would_cost() -> None:
    """Price times quantity and the fee are locked, and freed when the order is cancelled."""
    held, placed = account(), order(SPOT, True, 100_000, 6_000_000)
    held.place(placed)
    assert held.balances["USDT"].locked == 60_000 * UNIT + 12 * UNIT
    held.cancel(placed, 2, "enough")
    assert (held.balances["USDT"].locked, placed.status) == (0, "CANCELLED")


def test_a_partial_fill_moves_assets_and_frees_its_part() -> None:
    """Base comes, cost and fee go, and only the rest stays locked."""
    held, placed = account(), order(SPOT, True, 100_000, 6_000_000)
    held.place(placed)
    execute(held, placed, 25_000, 6_000_000)
    usdt, btc = held.balances["USDT"], held.balances["BTC"]
    assert placed.status == "PARTIALLY_FILLED"
    assert btc.total == 100 * UNIT + UNIT // 4
    assert usdt.total == 10_000_000 * UNIT - 15_000 * UNIT - 3 * UNIT
    assert usdt.locked == 45_000 * UNIT + 9 * UNIT


def test_a_sell_locks_the_base() -> None:
    """A resting sell keeps the base asset from other orders."""
    held, placed = account(), order(SPOT, False, 150_000, 6_000_000)
    held.place(placed)
    assert held.balances["BTC"].locked == 150_000_000
    execute(held, placed, 150_000, 6_000_000)
    assert (held.balances["BTC"].locked, placed.status) == (0, "FILLED")


def test_an_order_beyond_the_free_balance_cannot_be_placed() -> None:
    """What others have locked is not there for the next order."""
    held = account()
    held.place(order(SPOT, False, 9_000_000, 6_000_000))
    assert not held.can_place(order(SPOT, False, 2_000_000, 6_000_000))
    assert held.can_place(order(SPOT, False, 1_000_000, 6_000_000))


def test_closing_a_perpetual_realises_its_gain() -> None:
    """Half a long sold higher pays half the gain into the quote balance; the entry price stays."""
    held = account()
    execute(held, order(PERPETUAL, True, 1_000), 1_000, 600_000, 1)
    execute(held, order(PERPETUAL, False, 500), 500, 610_000, 2)
    position = held.positions[PERPETUAL.instrument_id]
    assert (position.lots, position.basis, position.realized) == (500, 30_000 * UNIT, 500 * UNIT)
    fees = fee(60_000 * UNIT, 2) + fee(30_500 * UNIT, 2)
    assert held.balances["USDT"].total == 10_000_000 * UNIT + 500 * UNIT - fees
    assert position.unrealized(620_000) == 1_000 * UNIT


def test_selling_through_a_long_leaves_a_short() -> None:
    """The part beyond the position opens the other way at the fill's price."""
    held = account()
    execute(held, order(PERPETUAL, True, 100), 100, 600_000, 1)
    execute(held, order(PERPETUAL, False, 300), 300, 590_000, 2)
    position = held.positions[PERPETUAL.instrument_id]
    assert (position.lots, position.basis) == (-200, -cost(PERPETUAL, 590_000, 200))
    assert position.realized == -cost(PERPETUAL, 10_000, 100)


def test_a_position_of_nothing_is_closed() -> None:
    """Selling all of it closes the position, with its exit price and nothing left in its basis."""
    held = account()
    execute(held, order(PERPETUAL, True, 100), 100, 600_000, 1)
    execute(held, order(PERPETUAL, False, 100), 100, 590_000, 2)
    position = held.positions[PERPETUAL.instrument_id]
    assert (position.lots, position.basis, position.closed_ns, position.exit_ticks) == (0, 0, 2, 590_000)


FILLS = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(1, 5_000), st.integers(500_000, 700_000)), max_size=30
)


@settings(deadline=None)
@given(FILLS, st.integers(500_000, 700_000))
def test_value_is_conserved_but_for_fees(fills: list[tuple[bool, bool, int, int]], mark: int) -> None:
    """Against a ledger of the other side, no asset appears or goes but as a fee; to the last unit."""
    held = account()
    usdt, btc, contracts, paid = 10_000_000 * UNIT, 100 * UNIT, 0, 0
    for number, (is_spot, is_buy, lots, ticks) in enumerate(fills, 1):
        one = SPOT if is_spot else PERPETUAL
        execute(held, order(one, is_buy, lots), lots, ticks, number)
        sign = 1 if is_buy else -1
        amount = cost(one, ticks, lots)
        usdt -= sign * amount
        paid += fee(amount, 2)
        if is_spot:
            btc += sign * base_amount(one, lots)
        else:
            contracts += sign * lots
    open_gain = sum(position.unrealized(mark) for position in held.positions.values())
    assert held.balances["BTC"].total == btc
    assert held.fees_paid.get("USDT", 0) == paid
    assert held.balances["USDT"].total + open_gain + paid == usdt + cost(PERPETUAL, mark, contracts)
