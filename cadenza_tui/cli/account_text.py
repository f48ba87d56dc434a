"""What ``balances``, ``positions`` and ``orders`` print for people; ``—`` is unknown, never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.cli.table import Column, table
from cadenza_tui.market.valuation import path_text
from cadenza_tui.view.account_orders import family
from cadenza_tui.view.account_positions import roe
from cadenza_tui.view.numbers import UNKNOWN, age, exact, money_decimals, rounded, signed
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.cli.account_rows import Shown
    from cadenza_tui.cli.paper import Paper
    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Balance, Nanoseconds, Order, Position
    from cadenza_tui.market.valuation import Total

EMPTY = 9
"""A column of zeros is what a narrow terminal gives up first."""
STALE = "~"
"""Stands behind a value that a stale price is in."""


def heading(account: Account, paper: Paper, state: str = "", *, equity: bool = True) -> str:
    """Return the line above an account's table."""
    told = account.account
    parts = [account.account_id]
    if told is not None:
        parts = [told.nickname, account.account_id, told.venue, told.account_type]
    summary = account.summary
    if equity and summary is not None and summary.equity is not None:
        parts.append(f"equity {exact(summary.equity)} {summary.currency}".rstrip())
    parts.append(state)
    return paper.bold(" · ".join(dict.fromkeys(safe(part) for part in parts if part)))


def balances(rows: Sequence[Balance], shown: Shown, account: Account, paper: Paper) -> list[str]:
    """Return the table of some balances, with what they are worth where a currency was asked for."""
    if not rows:
        hidden = len(account.balances)
        return [f"no balances but {hidden} of zero: see --all" if hidden else "no balances"]
    amounts = {name: [getattr(row, name) for row in rows] for name in ("total", "free", "locked", "borrowed")}
    columns = [Column("asset", [_asset(row) for row in rows], "text")]
    columns += [
        Column(name, list(map(exact, amounts[name])), wanted=wanted if any(amounts[name]) else EMPTY)
        for name, wanted in (("total", 0), ("free", 1), ("locked", 3), ("borrowed", 2))
    ]
    for title, name, wanted in (("frozen", "frozen", 6), ("interest", "interest_owed", 7), ("net", "net", 5)):
        told = [getattr(row, name) for row in rows]
        if any(told) and told != amounts["total"]:
            columns.append(Column(title, [exact(amount) for amount in told], wanted=wanted))
    if shown.currency:
        worths = [shown.worth(account, row) for row in rows]
        places = money_decimals(shown.currency)
        columns.append(
            Column(
                f"value {safe(shown.currency)}",
                [rounded(worth.value, places) + (STALE if worth.stale else "") for worth in worths],
            )
        )
        columns.append(Column("by", [safe(path_text(worth)) for worth in worths], "text", 4))
    return table(columns, paper)


def _asset(row: Balance) -> str:
    status = row.status.lower() if row.status not in {"", "ACTIVE"} else ""
    return f"{safe(row.asset)} {safe(status)}".rstrip()


def total(worth: Total, currency: str, paper: Paper) -> str:
    """Return the line below all balances: the sum, and what is left out of it."""
    value = rounded(worth.value, money_decimals(currency)) + (STALE if worth.stale else "")
    line = paper.bold(f"total {value} {safe(currency)}")
    if worth.stale:
        line += f"   {STALE} stale prices"
    if worth.missing:
        line += f"   without {', '.join(map(safe, worth.missing))}: no price"
    return line


def positions(rows: Sequence[Position], paper: Paper, now: Nanoseconds) -> list[str]:
    """Return the table of some positions."""
    if not rows:
        return ["no positions"]
    columns = [
        Column("instrument", [safe(row.instrument_id or row.asset) for row in rows], "text"),
        Column("side", [safe(row.position_side.lower()) or UNKNOWN for row in rows], "text"),
        Column("quantity", [exact(row.quantity) for row in rows]),
        Column("entry", [exact(row.entry_price) for row in rows], wanted=2),
        Column("mark", [exact(row.current_price) for row in rows], wanted=3),
        Column("unrealised", [signed(row.unrealized_pnl) for row in rows]),
        Column("realised", [signed(row.realized_pnl) for row in rows], wanted=4),
    ]
    if any(row.margin is not None for row in rows):
        columns.append(Column("margin", [exact(row.margin) for row in rows], wanted=5))
        columns.append(Column("ROE %", [signed(roe(row), 2, rounds=True) for row in rows], wanted=1))
    if any(row.leverage is not None for row in rows):
        columns.append(Column("leverage", [exact(row.leverage) for row in rows], wanted=7))
    if any(row.status != "OPEN" for row in rows):
        columns.append(Column("status", [safe(row.status.lower()) for row in rows], "text", 1))
    columns.append(Column("age", _ages((row.updated_at or row.created_at for row in rows), now), "right", 6))
    return table(columns, paper)


def orders(rows: Sequence[Order], paper: Paper, now: Nanoseconds) -> list[str]:
    """Return the table of some orders, those that others bring to life below them."""
    if not rows:
        return ["no orders"]
    places = family(
        [(row.account_id, row.order_id) for row in rows],
        {(row.account_id, row.order_id): row for row in rows},
    )
    by_key = {(row.account_id, row.order_id): row for row in rows}
    rows = [by_key[key[0], key[1]] for key in places]  # type: ignore[index]
    prefixes = [place.prefix for place in places.values()]
    columns = [
        Column(
            "order", [prefix + safe(row.order_id) for prefix, row in zip(prefixes, rows, strict=True)], "text"
        ),
        Column("instrument", [safe(row.instrument_id) for row in rows], "text"),
        Column("side", [safe(str(row.side or "").lower()) or UNKNOWN for row in rows], "text"),
        Column("type", [safe(row.order_type.lower()) for row in rows], "text", 4),
        Column("TIF", [safe(row.time_in_force) for row in rows], "text", 6),
        Column("price", [exact(row.limit_price) for row in rows]),
        Column("filled", [exact(row.executed_quantity) for row in rows], wanted=1),
        Column("total", [exact(row.quantity) for row in rows]),
        Column("average", [exact(row.executed_price) for row in rows], wanted=7),
        Column("status", [safe(row.status.lower().replace("_", " ")) for row in rows], "text", 2),
        Column("age", _ages((row.created_at or row.updated_at for row in rows), now), "right", 3),
    ]
    if any(row.stop_price is not None for row in rows):
        columns.insert(6, Column("stop", [exact(row.stop_price) for row in rows], wanted=1))
    return table(columns, paper)


def _ages(moments: Iterable[Nanoseconds | None], now: Nanoseconds) -> list[str]:
    return [UNKNOWN if at is None else age(max(now - at, 0)) for at in moments]
