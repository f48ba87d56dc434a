"""Positions: what is held through contracts, what it gained, and on what margin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import divide, multiply
from cadenza_tui.view.account_frame import (
    OLD_NS,
    Section,
    age_cell,
    change_cell,
    instrument_cell,
    name_cell,
    price_cell,
    quantity_cell,
    side_cell,
)
from cadenza_tui.view.account_order import ASCENDING, DESCENDING, FILTERED, chosen, matches
from cadenza_tui.view.numbers import exact, signed, until
from cadenza_tui.view.rows import Role
from cadenza_tui.view.table import MASK, UNKNOWN_CELL, Cell, Heading, Line
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Position
    from cadenza_tui.view.account_frame import Frame, Key

ROE_PLACES = 6


def is_open(position: Position) -> bool:
    """Return whether a position is held: a venue may tell of one that it is closed, or of no quantity."""
    return position.status != "CLOSED" and (position.quantity is None or position.quantity != 0)


def roe(position: Position) -> Decimal | None:
    """Return the return on equity in percent: unrealised profit over margin, None where that is unknown."""
    if position.unrealized_pnl is None or not position.margin:
        return None
    return multiply(divide(position.unrealized_pnl, abs(position.margin), ROE_PLACES), Decimal(100))


def positions(frame: Frame, held: Sequence[Account]) -> Section:
    """Return the section of open positions."""
    rows: dict[Key, Position] = {
        (account.account_id, key): position
        for account in held
        for key, position in account.positions.items()
        if is_open(position)
    }
    venues = {account.account_id: account.account.venue for account in held if account.account is not None}
    sort, down = chosen("positions", frame.options.sorts)
    memory = frame.memory

    def why_hidden(key: Key) -> str:
        position, label = rows[key], frame.labels.get(str(key[0]), "")
        texts = (position.instrument_id, position.asset, label, venues.get(str(key[0]), ""))
        return "" if matches(frame.options.filter, texts) else FILTERED

    arrangement = memory.arrangement("positions")
    keys = arrangement.arrange(
        rows,
        lambda key: _rank(sort.name, rows[key]),
        why_hidden,
        now=frame.now,
        signature=(sort, down, frame.options.filter),
        sort=sort,
        down=down,
        held=memory.cursor is not None and memory.cursor[0] == "positions",
    )
    named = len(held) > 1
    return Section(
        "positions",
        "Positions",
        keys,
        _headings(sort.column, down=down, named=named),
        lambda key: _line(frame, rows[key], key, named=named),
        "no open positions",
        detail=lambda key: _detail(frame, rows[key]),
        hidden=arrangement.count(FILTERED),
    )


def _rank(sort: str, position: Position) -> object:
    if sort == "unrealised":
        return position.unrealized_pnl
    if sort == "realised":
        return position.realized_pnl
    if sort == "age":
        return position.created_at
    return position.instrument_id or position.asset


def _headings(sorted_by: str, *, down: bool, named: bool) -> list[Heading]:
    glyph = DESCENDING if down else ASCENDING

    def mark(name: str) -> str:
        return glyph if name == sorted_by else ""

    return [
        *([Heading("account", 3, "text")] if named else []),
        Heading("instrument", 0, "text", mark("instrument")),
        Heading("side", 0, "text"),
        Heading("quantity"),
        Heading("entry", 4),
        Heading("mark", 5),
        Heading("unrealised", 1, mark=mark("unrealised")),
        Heading("roe %", 2),
        Heading("realised", 6, mark=mark("realised")),
        Heading("margin", 8),
        Heading("lev", 9, "right"),
        Heading("age", 7, "right", mark("age")),
    ]


def _line(frame: Frame, position: Position, key: Key, *, named: bool) -> Line:
    instrument = frame.market.instruments.get(position.instrument_id)
    masked = frame.masked
    updated = position.updated_at or position.created_at
    age = None if updated is None else frame.now - updated
    leverage = position.leverage
    return Line(
        (
            *([name_cell(frame.labels.get(str(key[0]), str(key[0])))] if named else []),
            instrument_cell(position.instrument_id or position.asset),
            side_cell(position.position_side),
            quantity_cell(position.quantity, instrument, masked=masked),
            price_cell(position.entry_price, instrument),
            price_cell(position.current_price, instrument),
            change_cell(position.unrealized_pnl, masked=masked),
            roe_cell(position, masked=masked),
            change_cell(position.realized_pnl, masked=masked),
            quantity_cell(position.margin, None, masked=masked),
            UNKNOWN_CELL if leverage is None else Cell(f"{exact(leverage.normalize())}×", Role.MUTED),
            age_cell(age, old=frame.frozen or (age is not None and age >= OLD_NS)),
        )
    )


def roe_cell(position: Position, *, masked: bool) -> Cell:
    """Return the return on equity with two decimals."""
    percent = roe(position)
    if percent is None:
        return UNKNOWN_CELL
    if masked:
        return Cell(MASK, Role.MUTED)
    shown = signed(percent, 2, rounds=True)
    role = Role.MUTED if shown[0] not in "+−" else Role.BID if percent > 0 else Role.ASK
    return Cell(shown, role)


def _detail(frame: Frame, position: Position) -> str:
    parts = [safe(position.instrument_id or position.asset), safe(position.status.lower())]
    if position.margin is not None:
        parts.append(f"margin {MASK if frame.masked else exact(position.margin)}")
    if position.leverage is not None:
        parts.append(f"leverage {exact(position.leverage)}×")
    if position.exit_price is not None:
        parts.append(f"exit {exact(position.exit_price)}")
    if position.created_at is not None:
        parts.append(f"opened {until(position.created_at, frame.now)}")
    if position.updated_at is not None:
        parts.append(f"as of {until(position.updated_at, frame.now)}")
    parts.append(f"id {safe(position.position_id)}")
    return " · ".join(part for part in parts if part)
