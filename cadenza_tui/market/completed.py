"""What pushes leave out and queries tell: how far it still holds when a push brings the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cadenza_tui.market import exact

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.records import Balance, Position


def amounts(balance: Balance) -> tuple[Decimal | None, ...]:
    """Return all that is told of how much there is."""
    return (
        balance.total,
        balance.free,
        balance.locked,
        balance.borrowed,
        balance.frozen,
        balance.net,
        balance.interest_owed,
    )


def completed_balance(fresh: Balance, held: Balance | None) -> Balance:
    """Return a balance with what pushes leave out and queries tell, as far as it still holds.

    ``frozen`` does where the rest of the total is what it was; the interest is as it was last told.
    """
    if held is None:
        return fresh
    if fresh.frozen is None and held.frozen is not None and _rest(fresh) == _rest(held):
        fresh = replace(fresh, frozen=held.frozen)
    if fresh.interest_owed is None and held.interest_owed is not None:
        fresh = replace(fresh, interest_owed=held.interest_owed)
    return fresh


def _rest(balance: Balance) -> Decimal | None:
    if balance.total is None or balance.free is None or balance.locked is None:
        return None
    return exact.subtract(balance.total, exact.add(balance.free, balance.locked))


def completed_position(fresh: Position, held: Position | None) -> Position:
    """Return a position with the margin and leverage last told, where it is as large as it was."""
    if held is None or fresh.quantity != held.quantity or fresh.position_side != held.position_side:
        return fresh
    if fresh.margin is None and held.margin is not None:
        fresh = replace(fresh, margin=held.margin)
    if fresh.leverage is None and held.leverage is not None:
        fresh = replace(fresh, leverage=held.leverage)
    return fresh
