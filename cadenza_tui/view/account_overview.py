"""One row for each account: equity, margin usage and level with their gauges, orders, how old it is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market import valuation
from cadenza_tui.market.exact import divide, multiply
from cadenza_tui.view.account_facts import (
    exposure_percent,
    gauge,
    level_percent,
    margin_percent,
    money,
    names,
    urgency,
)
from cadenza_tui.view.account_frame import (
    LONGEST_NAME,
    OLD_NS,
    Section,
    Worth,
    age_cell,
    currency_of,
    total_of,
)
from cadenza_tui.view.account_order import ASCENDING, DESCENDING, FILTERED, SETTLES_NS, chosen, matches
from cadenza_tui.view.numbers import UNKNOWN, clock, count, exact, money_decimals, rounded
from cadenza_tui.view.rows import Role
from cadenza_tui.view.table import MASK, UNKNOWN_CELL, Cell, Heading, Line, number_cell
from cadenza_tui.view.text import clip, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.valuation import Total
    from cadenza_tui.view.account_frame import Frame, Key

BAR = 8


def overview(frame: Frame, held: Sequence[Account]) -> Section:
    """Return the section of accounts."""
    rows: dict[Key, Account] = {(account.account_id,): account for account in held}
    currencies = {account.summary.currency for account in held if account.summary is not None}
    whole = (
        total_of([a.summary.equity for a in held if a.summary is not None]) if len(currencies) == 1 else None
    )
    corrected = any(account.difference_count for account in held)
    sort, down = chosen("accounts", frame.options.sorts)
    memory = frame.memory

    def why_hidden(key: Key) -> str:
        known = rows[key].account
        texts = (frame.labels.get(str(key[0]), ""), str(key[0]), known.venue if known is not None else "")
        assets = [balance.asset for balance in rows[key].balances.values()]
        return "" if matches(frame.options.filter, (*texts, *assets)) else FILTERED

    arrangement = memory.arrangement("accounts")
    keys = arrangement.arrange(
        rows,
        lambda key: _rank(frame, sort.name, rows[key]),
        why_hidden,
        now=frame.now,
        signature=(sort, down, frame.options.filter),
        sort=sort,
        down=down,
        held=memory.cursor is not None and memory.cursor[0] == "accounts",
    )
    return Section(
        "accounts",
        "Accounts",
        keys,
        _headings(sort.column, down=down, corrected=corrected),
        lambda key: _line(frame, rows[key], whole, corrected=corrected),
        "no accounts",
        detail=lambda key: _detail(frame, rows[key]),
        hidden=arrangement.count(FILTERED),
    )


def _rank(frame: Frame, sort: str, account: Account) -> object:
    if sort == "equity":
        return account.summary.equity if account.summary is not None else None
    if sort == "usage":
        return margin_percent(account.summary)
    return (frame.labels.get(account.account_id, "").casefold(), account.account_id)


def _headings(sorted_by: str, *, down: bool, corrected: bool) -> list[Heading]:
    glyph = DESCENDING if down else ASCENDING

    def mark(name: str) -> str:
        return glyph if name == sorted_by else ""

    return [
        Heading("account", 0, "text", mark("account")),
        Heading("venue", 5, "text"),
        Heading("type", 6, "text"),
        Heading("equity", 0, mark=mark("equity")),
        Heading("share", 8, "text"),
        Heading("margin usage", 1, "text", mark("margin usage")),
        Heading("margin level", 2, "text"),
        Heading("orders", 7, "right"),
        *([Heading("≠", 3, "right")] if corrected else []),
        Heading("age", 4, "right"),
    ]


def _line(frame: Frame, account: Account, whole: Decimal | None, *, corrected: bool) -> Line:
    known, summary = account.account, account.summary
    status = known.status if known is not None else ""
    usage = margin_percent(summary)
    differences = account.difference_count
    heard = max(account.received_at or 0, account.reconciled_at or 0)
    age = frame.now - heard if heard else None
    return Line(
        (
            Cell(
                clip(frame.labels.get(account.account_id, names(account)[0]), LONGEST_NAME),
                Role.STRONG,
                f" {safe(status.lower())}" if status not in ("ACTIVE", "") else "",
                Role.WARN,
            ),
            Cell(safe(known.venue) if known is not None else UNKNOWN, Role.MUTED),
            Cell(safe(known.account_type.lower()) if known is not None else UNKNOWN, Role.MUTED),
            _equity_cell(frame, account),
            _share_cell(frame, account, whole),
            UNKNOWN_CELL if usage is None else _gauge_cell(usage, f"{rounded(usage, 0)}%"),
            _level_cell(account),
            Cell(count(orders) if (orders := len(account.working_orders())) else "0", Role.MUTED),
            *([Cell(count(differences) if differences else "", Role.WARN)] if corrected else []),
            age_cell(age, old=frame.frozen or (age is not None and age >= OLD_NS)),
        )
    )


def _equity_cell(frame: Frame, account: Account) -> Cell:
    """Return the venue's equity, else what the balances are worth, marked as that."""
    summary = account.summary
    if summary is not None and summary.equity is not None:
        currency = currency_of(account, frame.options._replace(currency=""))
        cell = number_cell(money(summary.equity, currency), masked=frame.masked)
        return cell._replace(tail=f" {clip(safe(currency), 8)}")
    worth = _worth(frame, account)
    if worth is None or worth.value is None:
        return UNKNOWN_CELL
    cell = number_cell(rounded(worth.value, money_decimals(frame.currency)), masked=frame.masked)
    return cell._replace(tail=f" {clip(safe(frame.currency), 8)}≈")


def _worth(frame: Frame, account: Account) -> Total | None:
    """Return what the balances are worth, found anew when one has changed or a few seconds have passed."""
    kept = frame.memory.worths.get(account.account_id)
    same = kept is not None and kept[1:3] == (frame.currency, account.version)
    if kept is not None and same and 0 <= frame.now - kept.at < SETTLES_NS:
        return kept.total
    parts = [
        (balance.asset, frame.worth(balance.asset, balance.total))
        for balance in account.balances.values()
        if balance.total
    ]
    total = valuation.total(parts) if parts else None
    frame.memory.worths[account.account_id] = Worth(frame.now, frame.currency, account.version, total)
    return total


def _share_cell(frame: Frame, account: Account, whole: Decimal | None) -> Cell:
    equity = account.summary.equity if account.summary is not None else None
    if frame.masked or equity is None or whole is None or whole <= 0 or equity < 0:
        return Cell("", Role.MUTED)
    return Cell(gauge(multiply(divide(equity, whole, 6), Decimal(100)), BAR), Role.MUTED)


def _gauge_cell(percents: Decimal, shown: str) -> Cell:
    role, mark = urgency(percents)
    return Cell(gauge(percents, BAR), role if mark else Role.MUTED, f" {shown}{mark}", role)


def _level_cell(account: Account) -> Cell:
    summary = account.summary
    if summary is None or summary.margin_level is None:
        return UNKNOWN_CELL
    near = level_percent(summary)
    if near is None:
        return Cell(" " * BAR, Role.MUTED, f" {exact(summary.margin_level)}", Role.TEXT)
    return _gauge_cell(near, exact(summary.margin_level))


def _detail(frame: Frame, account: Account) -> str:
    parts = [" · ".join(names(account)), safe(account.account_id)]
    if account.summary is not None and (exposure := exposure_percent(account.summary)) is not None:
        parts.append(f"exposure {rounded(exposure, 1)}% of what is allowed")
    if account.reconciled_at is not None:
        parts.append(f"reconciled {clock(account.reconciled_at)[:5]}")
    for difference in list(account.differences)[:2]:
        held, queried = (MASK, MASK) if frame.masked else (safe(difference.held), safe(difference.queried))
        what = safe(f"{difference.what} {difference.field}")
        parts.append(f"≠ {clock(difference.at)[:5]} {what}: {held} → {queried}")
    return " · ".join(parts)
