"""Order flow as tests ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.changes import Change
    from cadenza_tui.market.flow import OrderFlow


def told(flow: OrderFlow, price: Decimal, increment: Decimal | None = None, *, bid: bool) -> Change | None:
    """Return what was stacked and pulled at a price, None while it is not known."""
    side = flow.changes(bid=bid)
    return None if side is None else side.read(price, increment)
