"""The Account view: every account, what they hold together, and what is working and was filled."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import add
from cadenza_tui.view import account_tables as tables
from cadenza_tui.view.account_facts import HIGH_USAGE, gauge, margin_percent, money, names
from cadenza_tui.view.account_tables import AccountWidths, Frame, quote_of, value_cell, whole_age
from cadenza_tui.view.bars import length
from cadenza_tui.view.numbers import UNKNOWN, exact, rounded
from cadenza_tui.view.rows import Bars, Pane, Role, Row, Span
from cadenza_tui.view.states import absence, border
from cadenza_tui.view.table import UNKNOWN_CELL, Cell, Heading, Line, number_cell, table
from cadenza_tui.view.text import blank, fit_row, message, pane_to_ascii, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Balance
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

TITLE: Row = (Span("Accounts", Role.TITLE),)
TWO_COLUMNS = 168
COLUMN_GAP = 3
LATEST_FILLS = 30
SIDE_BY_SIDE = 4
"""At most so many accounts get a column each among the totals."""
BAR = 10


def account_view(
    accounts: Sequence[Account],
    market: Market,
    *,
    width: int,
    height: int,
    now: int,
    trust: Trust,
    widths: AccountWidths,
    masked: bool = False,
    scroll: int = 0,
    bars: Bars = Bars.TINT,
) -> Pane:
    """Return the Account view with a body of ``width`` x ``height`` cells, ``scroll`` rows from its top.

    ``widths.total_rows`` is left at the number of rows there are.
    """
    held = list(accounts)
    if not held:
        widths.total_rows = 0
        words = "No trading account · name one with --account, or in the profile"
        if trust.dimmed:
            words = absence(trust, "no account yet")
        return Pane(
            TITLE, border(trust) if trust.dimmed else (), message(words, width, height), dimmed=trust.dimmed
        )
    frame = Frame(market, width, now, widths, masked=masked, frozen=trust.dimmed)
    rows = _sections(frame, held)
    widths.total_rows = len(rows)
    first = max(min(scroll, len(rows) - height), 0)
    shown = tuple(rows[first : first + max(height, 0)])
    words = f"{len(held)} account{'s' if len(held) != 1 else ''}"
    if len(rows) > height:
        words += f" · rows {first + 1}–{first + len(shown)} of {len(rows)}"
    state: Row = (*border(trust), Span(" · ", Role.TITLE)) if trust.dimmed else ()
    pane = Pane(TITLE, (*state, Span(words, Role.TITLE)), shown, dimmed=trust.dimmed)
    return pane_to_ascii(pane) if bars is Bars.ASCII else pane


def _sections(frame: Frame, held: Sequence[Account]) -> list[Row]:
    labels = {account.account_id: names(account)[0] for account in held}
    left: list[Callable[[Frame], list[Row]]] = [
        lambda f: _headed("Accounts", _overview(f, held), f.width),
        lambda f: _headed(f"Totals by asset over {len(held)} accounts", _totals(f, held, labels), f.width),
        lambda f: _headed("Positions", _positions(f, held, labels), f.width),
    ]
    right: list[Callable[[Frame], list[Row]]] = [
        lambda f: _headed("Working orders", _orders(f, held, labels), f.width),
        lambda f: _headed("Latest fills", _fills(f, held, labels), f.width),
    ]
    if frame.width < TWO_COLUMNS:
        return [row for section in (*left, *right) for row in section(frame)]
    half = (frame.width - COLUMN_GAP) // 2
    sizes = (half, frame.width - COLUMN_GAP - half)
    columns = [
        [row for section in sections for row in section(frame._replace(width=size))]
        for sections, size in zip((left, right), sizes, strict=True)
    ]
    rows: list[Row] = []
    for at in range(max(len(column) for column in columns)):
        parts = [
            column[at] if at < len(column) else (Span(blank(size)),)
            for column, size in zip(columns, sizes, strict=True)
        ]
        rows.append((*parts[0], Span(blank(COLUMN_GAP)), *parts[1]))
    return rows


def _headed(words: str, rows: list[Row], width: int) -> list[Row]:
    return [fit_row((Span(f" {words}", Role.STRONG),), width), *rows, (Span(blank(width)),)]


def _nothing(words: str, width: int) -> list[Row]:
    return [fit_row((Span(f"  {words}", Role.MUTED),), width)]


def _overview(frame: Frame, held: Sequence[Account]) -> list[Row]:
    """Return one row for each account: equity, margin usage and margin level as bars with their numbers."""
    most_equity = max((_float(a.summary.equity) for a in held if a.summary is not None), default=0.0)
    most_level = max((_float(a.summary.margin_level) for a in held if a.summary is not None), default=0.0)
    headings = (
        Heading("account", kind="text"),
        Heading("venue", 3, "text"),
        Heading("type", 5, "text"),
        Heading("equity", 0),
        Heading("", 6, "text"),
        Heading("margin usage", 1, "text"),
        Heading("margin level", 2, "text"),
        Heading("orders", 7, "right"),
        Heading("age", 4, "right"),
    )
    lines = [_account_line(frame, account, most_equity, most_level) for account in held]
    return table("accounts", headings, lines, width=frame.width, widths=frame.widths.tables)


def _account_line(frame: Frame, account: Account, most_equity: float, most_level: float) -> Line:
    known, summary = account.account, account.summary
    equity = summary.equity if summary is not None else None
    level = summary.margin_level if summary is not None else None
    share = margin_percent(summary)
    status = known.status if known is not None else ""
    currency = f" {quote_of(account)}" if equity is not None and not frame.masked else ""
    arrived = account.received_at
    return Line(
        (
            Cell(
                names(account)[0],
                Role.STRONG,
                f" {safe(status).lower()}" if status not in ("ACTIVE", "") else "",
                Role.WARN,
            ),
            Cell(safe(known.venue) if known is not None else UNKNOWN, Role.MUTED),
            Cell(safe(known.account_type).lower() if known is not None else UNKNOWN, Role.MUTED),
            number_cell(UNKNOWN if equity is None else money(equity), masked=frame.masked)._replace(
                tail=currency
            ),
            Cell("" if frame.masked else _bar(_float(equity), most_equity), Role.MUTED),
            UNKNOWN_CELL
            if share is None
            else Cell(
                gauge(share, BAR),
                Role.WARN if share >= HIGH_USAGE else Role.MUTED,
                f" {rounded(share, 0)}%",
                Role.TEXT,
            ),
            UNKNOWN_CELL
            if level is None
            else Cell(_bar(_float(level), most_level), Role.MUTED, f" {exact(level)}", Role.TEXT),
            Cell(str(len(account.working_orders())), Role.MUTED),
            Cell(
                whole_age(frame.now - arrived) if arrived is not None else UNKNOWN,
                Role.WARN if frame.frozen else Role.MUTED,
            ),
        )
    )


def _float(amount: Decimal | None) -> float:
    return float(amount) if amount is not None else 0.0


def _bar(amount: float, most: float) -> str:
    """Return an amount as a gauge relative to the largest among the accounts."""
    full = length(amount * amount, most * most, BAR)  # squared: bars of sizes are drawn by their square root
    return "▰" * full + "▱" * (BAR - full)


def _totals(frame: Frame, held: Sequence[Account], labels: dict[str, str]) -> list[Row]:
    """Return one row for each asset: the sums over all accounts, and each account's own total beside them."""
    assets: dict[str, list[tuple[Account, Balance]]] = {}
    for account in held:
        for balance in account.balances.values():
            assets.setdefault(balance.asset, []).append((account, balance))
    if not assets:
        return _nothing("no balances yet", frame.width)
    quote = quote_of(held[0])
    each = list(held) if 1 < len(held) <= SIDE_BY_SIDE else []
    headings = [
        Heading("asset", kind="text"),
        Heading("total"),
        Heading("available", 2),
        Heading("locked", 4),
        Heading("borrowed", 5),
        Heading(f"value {quote}", 1),
        *[Heading(_short(labels, account), 3) for account in each],
    ]
    lines: list[Line] = []
    for asset, entries in assets.items():
        balances = [balance for _, balance in entries]
        total = _sum([balance.total for balance in balances])
        cells = [
            Cell(safe(asset), Role.STRONG),
            *[
                number_cell(exact(amount), masked=frame.masked)
                for amount in (
                    total,
                    _sum([balance.free for balance in balances]),
                    _sum([balance.locked for balance in balances]),
                    _sum([balance.borrowed for balance in balances]),
                )
            ],
            value_cell(frame, asset, total, quote),
        ]
        for account in each:
            own = [balance.total for of, balance in entries if of is account]
            cells.append(number_cell(exact(_sum(own)) if own else UNKNOWN, masked=frame.masked))
        marked = not frame.frozen and any(
            _changed(frame, account, balance.key) for account, balance in entries
        )
        lines.append(Line(tuple(cells), tables.MARK if marked else ""))
    return table("totals", headings, lines, width=frame.width, widths=frame.widths.tables)


def _short(labels: dict[str, str], account: Account) -> str:
    """Return a column's name for an account; by its id where two have one name."""
    label = labels[account.account_id]
    alike = sum(1 for other in labels.values() if other == label) > 1
    return (safe(account.account_id) if alike else label)[:16]


def _changed(frame: Frame, account: Account, key: str) -> bool:
    changed = account.changed_at.get(key, 0)
    first = frame.widths.first_seen.setdefault((account.account_id, key), changed)
    return changed != first and 0 <= frame.now - changed < tables.MARKED_NS


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Return the exact sum of what is known; None where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return add(*known) if known else None


def _positions(frame: Frame, held: Sequence[Account], labels: dict[str, str]) -> list[Row]:
    entries = [(labels[a.account_id], position) for a in held for position in a.positions.values()]
    if not entries:
        return _nothing("no open positions", frame.width)
    return tables.positions(frame, entries, named=len(held) > 1)


def _orders(frame: Frame, held: Sequence[Account], labels: dict[str, str]) -> list[Row]:
    entries = [(labels[a.account_id], order) for a in held for order in reversed(a.working_orders())]
    if not entries:
        return _nothing("no working orders", frame.width)
    return tables.orders(frame, entries, named=len(held) > 1)


def _fills(frame: Frame, held: Sequence[Account], labels: dict[str, str]) -> list[Row]:
    entries = [(labels[a.account_id], fill) for a in held for fill in islice(a.fills, LATEST_FILLS)]
    if not entries:
        return _nothing("no fills yet", frame.width)
    entries.sort(key=lambda entry: entry[1].execution.executed_at or 0, reverse=True)
    return tables.fills(frame, entries[:LATEST_FILLS], named=len(held) > 1)
