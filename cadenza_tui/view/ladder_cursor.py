"""The cursor of a ladder: the price that it stands on, and what it says of everything up to there."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.view.ladder_rows import tight
from cadenza_tui.view.ladder_widths import ABOUT_ZERO
from cadenza_tui.view.numbers import UNKNOWN, number, plain, rounded, short, signed
from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import cut, fit_row, on_ground, row_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.records import Instrument
    from cadenza_tui.view.ladder_lines import Read
    from cadenza_tui.view.ladder_widths import LadderWidths, Sums

ZERO = Decimal(0)
BRIEF = 8
LONGEST = 20
UNIT = 8
"""Cells of an asset's name."""
TEN_THOUSAND = Decimal(10_000)
LEAST_VWAP_DECIMALS = 1
"""Decimals of an average price beyond those of the prices."""


class Through(NamedTuple):
    """What stands from the touch to a price, exactly: taking it all would move so much for so much."""

    quantity: Decimal
    notional: Decimal


def prices_of(read: Read, widths: LadderWidths) -> list[Decimal]:
    """Return the prices of what has been read."""
    return [widths.size(level.price)[1] for level in read.levels]


def locate(cursor: Decimal, bid: bool, bids: Sequence[Decimal], asks: Sequence[Decimal]) -> int:
    """Return the line that a price belongs to: -1 is the best ask, +1 the best bid; 0 where there is none.

    It is the last one up to the price. The side is the one that the price is of now; between the two, and
    where they overlap, the one of before, ``bid``.
    """
    if not bids and not asks:
        return 0
    among_bids, among_asks = bool(bids) and cursor <= bids[0], bool(asks) and cursor >= asks[0]
    if among_bids != among_asks:
        bid = among_bids
    elif not (bids if bid else asks):
        bid = not bid
    if bid:
        return max(sum(price >= cursor for price in bids), 1)
    return -max(sum(price <= cursor for price in asks), 1)


def moved(at: int, by: int, bids: Sequence[Decimal], asks: Sequence[Decimal]) -> int:
    """Return the line ``by`` further down, of another price than before; 0, no line, begins at the touch."""
    wanted = at + by
    if (at < 0 <= wanted) or (at > 0 >= wanted):
        wanted += 1 if by > 0 else -1
    wanted = min(max(wanted, -len(asks)), len(bids)) or (1 if bids else -1 if asks else 0)
    step = 1 if by > 0 else -1
    while at and wanted != at and _price(at, bids, asks) == _price(wanted, bids, asks):
        further = wanted + step or step  # there is no line 0
        if not -len(asks) <= further <= len(bids):
            return at
        wanted = further
    return wanted


def _price(at: int, bids: Sequence[Decimal], asks: Sequence[Decimal]) -> Decimal:
    return bids[at - 1] if at > 0 else asks[-at - 1]


def through(read: Read, index: int, widths: LadderWidths, *, running: bool) -> Through:
    """Return what stands from the best line to the one at ``index``; ``running`` quantities are sums."""
    quantity = notional = ZERO
    for at in range(index if running else 0, index + 1):
        level = read.levels[at]
        if level.quantity:
            here = widths.size(level.quantity)[1]
            worth = read.notionals[at] if read.notionals is not None else None
            worth = exact.multiply(here, widths.size(level.price)[1]) if worth is None else worth
            quantity, notional = exact.CONTEXT.add(quantity, here), exact.CONTEXT.add(notional, worth)
    return Through(quantity, notional)


def distance(price: Decimal, mid: Decimal | None) -> str:
    """Return how far a price is from the mid, in basis points."""
    if mid is None or not mid:
        return UNKNOWN
    away = exact.multiply(exact.subtract(price, mid), TEN_THOUSAND)
    return signed(exact.divide(away, abs(mid), 2), 2)


def slippage(there: Through, mid: Decimal | None, *, bid: bool) -> str:
    """Return what trading through costs against the mid, in basis points: positive is a loss."""
    if mid is None or not mid or not there.quantity:
        return UNKNOWN
    fair = exact.multiply(there.quantity, mid)
    lost = exact.subtract(fair, there.notional) if bid else exact.subtract(there.notional, fair)
    return signed(exact.divide(exact.multiply(lost, TEN_THOUSAND), abs(fair), 2), 2).removeprefix("+")


class Pointed(NamedTuple):
    """What the cursor points at."""

    price: Decimal
    bid: bool
    there: Through | None
    """None between the sides."""
    mid: Decimal | None


def brief(total: Decimal) -> str:
    """Return a sum in three or four digits, however large or small it is."""
    shown = short(total)
    return shown if not total or shown.strip("0.,") else tight(plain(total), BRIEF)


def whole(total: Decimal, sums: Sums) -> str:
    """Return a sum in the decimals of its column, briefly where that is too long, or says nothing."""
    shown = sums.text(total)
    return brief(total) if shown == ABOUT_ZERO or len(shown) > LONGEST else shown


def cursor_row(
    pointed: Pointed, widths: LadderWidths, instrument: Instrument | None, decimals: int, width: int
) -> Row:
    """Return the line about the cursor: price, cumulative size and notional, distance, cost of trading."""
    price, bid, there, mid = pointed
    base, quote = (
        ("", "") if instrument is None else (cut(instrument.base, UNIT), cut(instrument.quote, UNIT))
    )
    shown = number(plain(price), decimals)
    side = Role.BID if bid else Role.ASK
    away = distance(price, mid)
    head: Row = (Span(" ▸ ", Role.ACCENT), Span(shown, side))
    if there is None or not there.quantity:
        return on_ground(fit_row((*head, Span(f"  {away} bps", Role.MUTED)), width), Ground.CURSOR)
    total, worth = whole(there.quantity, widths.sums), whole(there.notional, widths.worths)
    vwap = rounded(exact.divide(there.notional, there.quantity, decimals + LEAST_VWAP_DECIMALS), decimals + 1)
    slip = slippage(there, mid, bid=bid)
    act = "sell" if bid else "buy"
    brief_worth, brief_total = brief(there.notional), brief(there.quantity)
    tries: tuple[tuple[str, str, str], ...] = (
        (f"Σ {total} {base}  {worth} {quote}", f"{away} bps", f"{act} at {vwap}  {slip} bps"),
        (f"Σ {total}  {worth} {quote}", f"{away} bps", f"{act} {vwap}  {slip} bps"),
        (f"Σ {total}  {brief_worth}", f"{away} bps", f"{act} {vwap}  {slip}"),
        (f"Σ {brief_total}  {brief_worth}", f"{away}", f"{act} {vwap} {slip}"),
        (f"Σ {brief_total}", f"{away}", f"{act} {slip}"),
        (f"Σ {brief_total}", f"{away}", ""),
        (f"Σ {brief_total}", "", ""),
    )
    for wide in (3, 2, 1):
        for sums, far, deal in tries[: 5 if wide > 1 else None]:
            row: Row = (
                *head,
                Span(" " * wide + sums.rstrip(), Role.STRONG),
                Span(" " * wide + far if far else "", Role.MUTED),
                Span(" " * wide + deal if deal else "", Role.TEXT),
            )
            if row_cells(row) < width and (wide == 1 or (sums, far, deal) in tries[:4]):
                return on_ground(fit_row(tuple([s for s in row if s.text]), width), Ground.CURSOR)
    return on_ground(fit_row(head, width), Ground.CURSOR)
