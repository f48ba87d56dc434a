"""Balances, positions, orders and fills as tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.records import Side
from cadenza_tui.market.valuation import value
from cadenza_tui.view.numbers import (
    SECOND,
    UNKNOWN,
    age,
    exact,
    plain,
    price_decimals,
    quantity_decimals,
    rounded,
    signed,
    significant_decimals,
    tape_time,
)
from cadenza_tui.view.rows import Role, Row
from cadenza_tui.view.table import (
    MASK,
    UNKNOWN_CELL,
    Cell,
    Heading,
    Line,
    TableWidths,
    number_cell,
    table,
)
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.market.accounts import Account, Fill
    from cadenza_tui.market.records import Balance, Instrument, Order, Position
    from cadenza_tui.market.state import Market

MARKED_NS = 1_500_000_000
"""How long a number that has changed is marked."""
MARK = "•"
DEFAULT_QUOTE = "USDT"


@dataclass(slots=True)
class AccountWidths:
    """What the account panes remember from frame to frame."""

    tables: TableWidths = field(default_factory=TableWidths)
    first_seen: dict[tuple[str, str], int] = field(default_factory=dict)
    """When a balance had last changed as it was first shown: being there is no change."""
    total_rows: int = 0
    """Rows that the last list had before it was cut to the pane: how far it can be scrolled."""


class Frame(NamedTuple):
    """What all tables of one frame share."""

    market: Market
    width: int
    now: int
    widths: AccountWidths
    masked: bool = False
    frozen: bool = False
    """Nothing is marked as changed: the content is not current."""


def quote_of(account: Account | None) -> str:
    """Return the currency that an account is valued in."""
    summary = account.summary if account is not None else None
    return summary.currency if summary is not None and summary.currency else DEFAULT_QUOTE


def whole_age(ns: int | None) -> str:
    """Return an age in whole seconds and more."""
    return age(ns if ns is None or ns >= SECOND else 0).replace("0.0 s", "0 s")


def balances(frame: Frame, account: Account) -> list[Row]:
    """Return the balances of one account."""
    quote = quote_of(account)
    headings = (
        Heading("asset", kind="text"),
        Heading("total"),
        Heading("available", 1),
        Heading("locked", 4),
        Heading("borrowed", 6),
        Heading(f"value {quote}", 2),
        Heading("Δ session", 5),
        Heading("age", 3, "right"),
    )
    lines = [_balance(frame, account, key, held, quote) for key, held in account.balances.items()]
    return table("balances", headings, lines, width=frame.width, widths=frame.widths.tables)


def _balance(frame: Frame, account: Account, key: str, held: Balance, quote: str) -> Line:
    changed = account.changed_at.get(key, 0)
    first = frame.widths.first_seen.setdefault((account.account_id, key), changed)
    marked = not frame.frozen and changed != first and 0 <= frame.now - changed < MARKED_NS
    strong = Role.STRONG if marked else Role.TEXT
    masked = frame.masked
    change = account.session_change(key)
    updated = held.updated_at or account.changed_at.get(key)
    return Line(
        (
            Cell(
                safe(held.asset),
                Role.STRONG,
                "" if held.status in ("ACTIVE", "") else " " + held.status.lower(),
            ),
            number_cell(exact(held.total), role=strong, masked=masked),
            number_cell(exact(held.free), role=strong, masked=masked),
            number_cell(exact(held.locked), role=strong, masked=masked),
            number_cell(exact(held.borrowed), role=strong, masked=masked),
            value_cell(frame, held.asset, held.total, quote),
            change_cell(change, masked=masked),
            Cell(
                whole_age(frame.now - updated) if updated is not None else UNKNOWN,
                Role.WARN if frame.frozen else Role.MUTED,
            ),
        ),
        MARK if marked else "",
    )


def value_cell(frame: Frame, asset: str, quantity: Decimal | None, quote: str) -> Cell:
    """Return what a quantity is worth, rounded to cents; ``~`` marks a price that is stale."""
    if quantity is None:
        return UNKNOWN_CELL
    if not quantity:
        return Cell("0", Role.MUTED)
    worth = value(asset, quantity, quote, frame.market, now=frame.now)
    if worth.value is None:
        return Cell("—  no price", Role.WARN)
    cell = number_cell(rounded(worth.value, 2), masked=frame.masked)
    return cell._replace(tail="~", tail_role=Role.WARN) if worth.stale else cell


def change_cell(change: Decimal | None, *, masked: bool, decimals: int | None = None) -> Cell:
    """Return a signed amount in the colour of its direction."""
    if change is None:
        return UNKNOWN_CELL
    role = Role.BID if change > 0 else Role.ASK
    return number_cell(signed(change, decimals), role=role, masked=masked)


def _instrument_cell(instrument_id: str) -> Cell:
    venue, _, symbol = instrument_id.partition(":")
    if not symbol:
        return Cell(safe(instrument_id), Role.STRONG)
    return Cell(safe(symbol), Role.STRONG, " " + safe(venue)[:3])


def side_cell(side: Side | str | None) -> Cell:
    """Return a side or a direction with its glyph."""
    text = str(side.value if isinstance(side, Side) else side or "")
    if text in ("BUY", "LONG"):
        return Cell(f"▲ {text.lower()}", Role.BID)
    if text in ("SELL", "SHORT"):
        return Cell(f"▼ {text.lower()}", Role.ASK)
    return Cell(f"· {safe(text).lower()}" if text else UNKNOWN, Role.MUTED)


def _price(value_: Decimal | None, instrument: Instrument | None) -> Cell:
    if value_ is None:
        return UNKNOWN_CELL
    decimals = price_decimals(instrument)
    return number_cell(
        exact(value_, decimals if decimals is not None else significant_decimals(plain(value_)))
    )


def _quantity(value_: Decimal | None, instrument: Instrument | None, *, masked: bool) -> Cell:
    return number_cell(exact(value_, quantity_decimals(instrument)), masked=masked)


def positions(frame: Frame, held: Iterable[tuple[str, Position]], *, named: bool = False) -> list[Row]:
    """Return positions, each with the name of its account; ``named`` shows the name."""
    headings = [
        Heading("instrument", kind="text"),
        Heading("side", 0, "text"),
        Heading("quantity"),
        Heading("entry", 2),
        Heading("current", 3),
        Heading("unrealised", 1),
        Heading("realised", 4),
        Heading("age", 5, "right"),
    ]
    if named:
        headings.insert(0, Heading("account", 6, "text"))
    lines: list[Line] = []
    for name, position in held:
        instrument = frame.market.instruments.get(position.instrument_id)
        cells = [
            _instrument_cell(position.instrument_id or position.asset),
            side_cell(position.position_side),
            _quantity(position.quantity, instrument, masked=frame.masked),
            _price(position.entry_price, instrument),
            _price(position.current_price, instrument),
            change_cell(position.unrealized_pnl, masked=frame.masked),
            change_cell(position.realized_pnl, masked=frame.masked),
            _age_cell(frame, position.updated_at or position.created_at),
        ]
        lines.append(Line(tuple([Cell(safe(name), Role.MUTED), *cells] if named else cells)))
    return table("positions", headings, lines, width=frame.width, widths=frame.widths.tables)


def orders(frame: Frame, working: Iterable[tuple[str, Order]], *, named: bool = False) -> list[Row]:
    """Return working orders with what is filled of them."""
    headings = [
        Heading("instrument", kind="text"),
        Heading("side", 0, "text"),
        Heading("price"),
        Heading("filled / total", 1, "right"),
        Heading("%", 4, "right"),
        Heading("type", 3, "text"),
        Heading("status", 2, "text"),
        Heading("age", 5, "right"),
    ]
    if named:
        headings.insert(0, Heading("account", 6, "text"))
    lines: list[Line] = []
    for name, order in working:
        instrument = frame.market.instruments.get(order.instrument_id)
        price = order.limit_price if order.limit_price is not None else order.stop_price
        decimals = quantity_decimals(instrument)
        total = order.quantity
        filled = order.executed_quantity if order.executed_quantity is not None else Decimal(0)
        share = f"{min(filled / total, Decimal(1)):.0%}" if total else UNKNOWN
        cells = [
            _instrument_cell(order.instrument_id),
            side_cell(order.side),
            Cell("market", Role.MUTED)
            if price is None and order.order_type == "MARKET"
            else _price(price, instrument),
            Cell(
                f"{MASK}/{MASK}" if frame.masked else f"{exact(filled, decimals)}/{exact(total, decimals)}",
                Role.OWN,
            ),
            Cell(share, Role.MUTED),
            Cell(
                safe(f"{order.order_type} {order.time_in_force}".strip()).lower().replace("_", " "),
                Role.MUTED,
            ),
            Cell(safe(order.status).lower().replace("_", " "), Role.TEXT),
            _age_cell(frame, order.created_at or order.updated_at),
        ]
        lines.append(Line(tuple([Cell(safe(name), Role.MUTED), *cells] if named else cells)))
    return table("orders", headings, lines, width=frame.width, widths=frame.widths.tables)


def fills(frame: Frame, latest: Sequence[tuple[str, Fill]], *, named: bool = False) -> list[Row]:
    """Return fills, newest first as they come."""
    headings = [
        Heading("time", kind="text"),
        Heading("instrument", kind="text"),
        Heading("side", 0, "text"),
        Heading("price"),
        Heading("quantity", 0),
        Heading("cost", 2),
        Heading("fee", 3, "right"),
    ]
    if named:
        headings.insert(1, Heading("account", 4, "text"))
    lines: list[Line] = []
    for name, fill in latest:
        execution = fill.execution
        instrument = frame.market.instruments.get(execution.instrument_id)
        fee = " + ".join(
            f"{MASK if frame.masked else exact(fee.quantity)} {safe(fee.asset)}" for fee in execution.fees
        )
        cells = [
            Cell(tape_time(execution.executed_at), Role.MUTED),
            _instrument_cell(execution.instrument_id),
            side_cell(execution.side),
            _price(execution.price, instrument),
            _quantity(execution.quantity, instrument, masked=frame.masked),
            number_cell(exact(execution.cost), masked=frame.masked),
            Cell(fee or UNKNOWN, Role.MUTED if fee else Role.FAINT),
        ]
        if named:
            cells.insert(1, Cell(safe(name), Role.MUTED))
        lines.append(Line(tuple(cells)))
    return table("fills", headings, lines, width=frame.width, widths=frame.widths.tables)


def _age_cell(frame: Frame, at: int | None) -> Cell:
    return Cell(whole_age(frame.now - at) if at is not None else UNKNOWN, Role.MUTED)
