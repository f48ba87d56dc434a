"""What the levels of a side come to: sums, and what it costs to trade through them. Free functions, exact.

Levels come best first. Those of a VWAP book are not levels but points of a curve: a quantity is what can be
traded in all, and its price what that costs on average. They are never summed; a quantity is priced by the
first point that has it, as the venue quotes it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cadenza_tui.market import exact
from cadenza_tui.market.grouped import Group, Totals
from cadenza_tui.market.records import BookType
from cadenza_tui.market.sides import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Fill", "Totals", "costs", "slippage_bps", "totals"]

Priced: TypeAlias = Level | Group

ZERO = Decimal(0)
BPS_DECIMALS = 6
VWAP_DECIMALS = 4
"""Decimals of an average price beyond those of the prices that it averages."""
_TEN_THOUSAND = Decimal(10_000)


class Fill(NamedTuple):
    """What a market order would have come to."""

    filled: Decimal
    notional: Decimal
    vwap: Decimal | None
    """Notional over filled, rounded half to even; None where nothing could be filled."""
    worst: Decimal | None
    """The price of the last level taken."""
    complete: bool
    """Whether the levels given hold that much."""

    def slippage_bps(self, mid: Decimal | None, *, bid: bool) -> Decimal | None:
        """Return what the average price costs against the mid: see ``slippage_bps``."""
        return slippage_bps(self.notional, self.filled, mid, bid=bid)


def totals(levels: Iterable[Priced], book_type: BookType | None = None) -> Totals:
    """Return what the levels hold together, a VWAP book's last one; no orders where one does not say."""
    quantity = notional = ZERO
    orders: int | None = 0
    number = 0
    running = book_type is BookType.VWAP
    for level in levels:
        number += 1
        here, worth = _parts(level)
        orders = None if orders is None or level.orders is None else orders + level.orders
        if running:
            quantity, notional = here, worth
        else:
            quantity, notional = exact.CONTEXT.add(quantity, here), exact.CONTEXT.add(notional, worth)
    return Totals(quantity, notional, orders, number)


def costs(
    levels: Iterable[Level], quantities: Sequence[Decimal], book_type: BookType | None = None
) -> list[Fill]:
    """Return what it costs to take each of ``quantities``, which ascend, from the levels, the last in part.

    One walk, no further than needed. Asks are bought, bids are sold into: the sums are the same.
    """
    left = iter(levels)
    level = next(left, None)
    running = book_type is BookType.VWAP
    taken = worth = ZERO
    worst: Decimal | None = None
    decimals = 0
    fills: list[Fill] = []
    for wanted in quantities:
        while level is not None:
            price, here = Decimal(level.price), Decimal(level.quantity)
            reach = here if running else exact.CONTEXT.add(taken, here)
            if reach >= wanted:
                break
            worth = exact.multiply(here, price) if running else exact.add(worth, exact.multiply(here, price))
            taken, worst, decimals = reach, price, max(decimals, _decimals(level.price))
            level = next(left, None)
        if level is None or wanted <= taken:
            vwap = average(worth, taken, decimals)
            fills.append(Fill(taken, worth, vwap, worst, complete=taken >= wanted))
            continue
        part = wanted if running else exact.subtract(wanted, taken)
        notional = exact.multiply(part, price)
        notional = notional if running else exact.add(worth, notional)
        vwap = average(notional, wanted, max(decimals, _decimals(level.price)))
        fills.append(Fill(wanted, notional, vwap, price, complete=True))
    return fills


def average(notional: Decimal, quantity: Decimal, decimals: int) -> Decimal | None:
    """Return notional over quantity to ``VWAP_DECIMALS`` more than ``decimals``; None for no quantity."""
    return exact.divide(notional, quantity, decimals + VWAP_DECIMALS) if quantity else None


def slippage_bps(notional: Decimal, quantity: Decimal, mid: Decimal | None, *, bid: bool) -> Decimal | None:
    """Return what an average price costs against the mid, in basis points of it: positive is worse.

    ``bid`` says that bids are sold into; asks are bought. None for no quantity, or where the mid is unknown
    or 0. Rounded once, half to even, to ``BPS_DECIMALS``.
    """
    if not mid or not quantity:
        return None
    at_mid = exact.multiply(quantity, mid)
    away = exact.subtract(at_mid, notional) if bid else exact.subtract(notional, at_mid)
    return exact.divide(exact.multiply(away, _TEN_THOUSAND), abs(at_mid), BPS_DECIMALS)


def _parts(level: Priced) -> tuple[Decimal, Decimal]:
    """Return the quantity and the notional of a level or a group."""
    if isinstance(level, Group):
        return level.quantity, level.notional
    quantity = Decimal(level.quantity)
    return quantity, exact.multiply(quantity, Decimal(level.price))


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])
