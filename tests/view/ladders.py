"""What the ladder's tests share: ladders made by hand, and their rows taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from cadenza_tui.view.ladder import LadderMemory, ladder
from cadenza_tui.view.numbers import digits
from cadenza_tui.view.rows import Bars, Role
from tests.view.support import BTC, LIVE, text

if TYPE_CHECKING:
    from decimal import Decimal

    from cadenza_tui.market.book import OrderBook
    from cadenza_tui.view.rows import Pane, Row

BIDS = [("100.01", "1.5"), ("100.00", "0.25"), ("99.50", "2"), ("99.00", "40")]
ASKS = [("100.02", "0.5"), ("100.10", "1.25"), ("101.00", "3"), ("101.50", "0.10")]
PRICES = (Role.BID, Role.BID_STRONG, Role.ASK, Role.ASK_STRONG)


def shown(
    held: OrderBook,
    *,
    width: int = 60,
    height: int = 12,
    memory: LadderMemory | None = None,
    **options: object,
) -> Pane:
    """Return the ladder of a book."""
    arguments: dict[str, object] = {
        "instrument": BTC,
        "trust": LIVE,
        "memory": memory or LadderMemory(),
        "options": {},
        "group": None,
        "study": None,
        "own_orders": (),
        "bars": Bars.TINT,
        "masked": False,
        "now": 0,
        **options,
    }
    return ladder(held, width=width, height=height, **arguments)  # type: ignore[arg-type]


class Seen(NamedTuple):
    """One price of one side as it can be read off the screen."""

    bid: bool
    price: Decimal
    quantity: Decimal
    sigma: Decimal | None


def seen(pane: Pane, *, sigma: bool = True) -> list[Seen]:
    """Return the rows with a size from the top down: no column but sigma's beside it, and a foot below."""
    found: list[Seen] = []
    for row in pane.body[:-1]:
        at = _price_at(row)
        if at is None:
            continue
        price = row[at].text.strip()
        before, after = text(row[:at]), text(row[at + 1 :])
        bid = bool(before.split())
        words = before.split() if bid else after.split()[::-1]
        total = words.pop(0) if sigma else "≈0"
        summed = None if total == "≈0" else digits(total)
        found.append(Seen(bid, digits(price), digits(words[0]), summed))
    return found


def _price_at(row: Row) -> int | None:
    """Return which span is the price of a row with a size; None for the touch, the header and bare prices."""
    for at, span in enumerate(row):
        if span.role in PRICES and span.text.strip()[:1].isdigit():
            return at
    return None


ticks = st.integers(1, 120)
sizes = st.integers(1, 10**9).map(lambda units: f"{units / 10**5:.5f}")


@st.composite
def books(draw: st.DrawFn, most: int = 30) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Draw the sides of an uncrossed book with prices of two decimals, best first."""
    prices = draw(st.lists(ticks, unique=True, max_size=most))
    middle = draw(st.integers(0, 121))
    held = {price: draw(sizes) for price in prices}
    rows = [(price, f"{100 + price / 100:.2f}") for price in sorted(held)]
    bids = [(price, held[tick]) for tick, price in rows[::-1] if tick < middle]
    return bids, [(price, held[tick]) for tick, price in rows if tick >= middle]
