"""What an account is called, and its equity and margin as words and gauges."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.exact import divide, multiply
from cadenza_tui.view.numbers import number, plain, rounded
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.table import MASK
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Summary

GAUGE = 9
HIGH_USAGE = 80
"""Percents of margin usage from which it is a warning."""


def names(account: Account) -> list[str]:
    """Return an account's name, venue and type, as far as they are known."""
    known = account.account
    if known is None:
        return [safe(account.account_id)]
    named = [known.nickname or known.account_id, known.venue, known.account_type]
    if known.status not in ("ACTIVE", ""):
        named.append(known.status)
    return [safe(text) for text in named if text]


def equity_row(summary: Summary | None, *, masked: bool) -> Row:
    """Return the equity in its currency; nothing where there is none."""
    if summary is None or summary.equity is None:
        return ()
    shown = MASK if masked else money(summary.equity)
    currency = f" {safe(summary.currency)[:8]}" if summary.currency else ""
    return (Span("equity ", Role.TITLE), Span(shown + currency, Role.TEXT))


def money(amount: Decimal) -> str:
    """Return an amount of a currency: rounded to two decimals, or all of its digits where it is small."""
    return rounded(amount, 2) if abs(amount) >= 1 else number(plain(amount), 2)


def margin_row(summary: Summary | None) -> Row:
    """Return the margin usage as a gauge with its number."""
    share = margin_percent(summary)
    if share is None:
        return ()
    role = Role.WARN if share >= HIGH_USAGE else Role.TEXT
    drawn = Span(gauge(share) + " ", Role.WARN if share >= HIGH_USAGE else Role.TITLE)
    return (Span("margin ", Role.TITLE), drawn, Span(f"{rounded(share, 0)}%", role))


def margin_percent(summary: Summary | None) -> Decimal | None:
    """Return the margin usage in percent, None where it is unknown.

    The contract does not say whether it is a share or percents: where margin and equity are known the
    reading nearer to their quotient is taken, else anything up to 1 is a share.
    """
    if summary is None or summary.margin_usage is None:
        return None
    usage = summary.margin_usage
    as_share = multiply(usage, Decimal(100))
    if summary.margin is not None and summary.equity:
        expected = multiply(divide(summary.margin, summary.equity, 8), Decimal(100))
        return min((as_share, usage), key=lambda reading: abs(reading - expected))
    return as_share if abs(usage) <= 1 else usage


def gauge(percents: Decimal, cells: int = GAUGE) -> str:
    """Return percents of a whole as a gauge."""
    full = min(max(int(percents * cells / 100 + Decimal("0.5")), 0), cells)
    return "▰" * full + "▱" * (cells - full)
