"""What an account is called, and its summary as words, numbers and gauges with warning levels."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import divide, multiply, subtract
from cadenza_tui.view.numbers import (
    clock,
    count,
    exact,
    money_decimals,
    number,
    plain,
    quiet_age,
    rounded,
)
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.table import MASK, TableWidths
from cadenza_tui.view.text import blank, clip, fit_row, row_cells, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Summary

GAUGE = 9
HIGH, CRITICAL = 60, 80
"""Percents of a limit from which it is a warning, and from which it is an urgent one."""
LARGEST_RATIO = 10
"""A margin requirement up to this is a level, one beyond it is an amount."""
NEAR = Decimal("0.02")
"""So near to the quotient of equity and requirement a margin level is taken for that quotient."""
FACT_GAP = 3
MOST_COLUMNS, LEAST_ROWS = 6, 2
MOST_FACT_GAP = 6


def names(account: Account) -> list[str]:
    """Return an account's name, venue and type, as far as they are known."""
    known = account.account
    if known is None:
        return [safe(account.account_id)]
    named = [known.nickname or known.account_id, known.venue, known.account_type]
    if known.status not in ("ACTIVE", ""):
        named.append(known.status)
    return [safe(text) for text in named if text]


def money(amount: Decimal, currency: str = "USDT") -> str:
    """Return an amount of a currency: rounded to its decimals, or all of its digits where it is small."""
    decimals = money_decimals(currency)
    return rounded(amount, decimals) if abs(amount) >= 1 else number(plain(amount), decimals)


# --- gauges


def gauge(percents: Decimal, cells: int = GAUGE) -> str:
    """Return percents of a whole as a gauge."""
    full = min(max(int(percents * cells / 100 + Decimal("0.5")), 0), cells)
    return "▰" * full + "▱" * (cells - full)


def urgency(percents: Decimal) -> tuple[Role, str]:
    """Return the role of a number that approaches its limit, and the mark that says the same."""
    if percents >= CRITICAL:
        return Role.WARN, " !!"
    return (Role.WARN, " !") if percents >= HIGH else (Role.TEXT, "")


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
        expected = abs(multiply(divide(summary.margin, summary.equity, 8), Decimal(100)))
        if expected and usage:
            return min((as_share, usage), key=lambda reading: _times(abs(reading), expected))
    return as_share if abs(usage) <= 1 else usage


def _times(amount: Decimal, other: Decimal) -> Decimal:
    """Return how many times the larger of two amounts is the smaller."""
    return divide(max(amount, other), min(amount, other), 8)


def level_threshold(summary: Summary) -> Decimal | None:
    """Return the margin level at which positions are closed, None where it cannot be told.

    A requirement that can be a level is that level. One that is an amount makes it 1 where the level is
    equity over requirement: at 1 they are the same.
    """
    level, required, equity = summary.margin_level, summary.margin_requirement, summary.equity
    if level is None or required is None or required <= 0:
        return None
    if required <= LARGEST_RATIO and (equity is None or equity > multiply(required, Decimal(LARGEST_RATIO))):
        return required
    if equity is not None and level > 0:
        apart = abs(subtract(divide(equity, required, 12), level))
        return Decimal(1) if apart <= multiply(level, NEAR) else None
    return None


def level_percent(summary: Summary) -> Decimal | None:
    """Return how near the margin level is to its threshold in percent: 100 is there, None is unknown."""
    level, threshold = summary.margin_level, level_threshold(summary)
    if level is None or threshold is None:
        return None
    return Decimal(100) if level <= threshold else multiply(divide(threshold, level, 8), Decimal(100))


def exposure_percent(summary: Summary) -> Decimal | None:
    """Return the risk exposure in percent of what is allowed, None where it is unknown."""
    exposure, most = summary.risk_exposure, summary.max_risk_exposure
    if exposure is None or most is None or most <= 0:
        return None
    return multiply(divide(exposure, most, 8), Decimal(100))


# --- the border


def equity_row(summary: Summary | None, *, masked: bool) -> Row:
    """Return the equity in its currency; nothing where there is none."""
    if summary is None or summary.equity is None:
        return ()
    shown = MASK if masked else money(summary.equity, summary.currency)
    currency = f" {clip(safe(summary.currency), 8)}" if summary.currency else ""
    return (Span("equity ", Role.TITLE), Span(shown + currency, Role.TEXT))


def margin_row(summary: Summary | None) -> Row:
    """Return the margin usage as a gauge with its number."""
    share = margin_percent(summary)
    if share is None:
        return ()
    role, mark = urgency(share)
    drawn = Span(gauge(share) + " ", role if mark else Role.TITLE)
    return (Span("margin ", Role.TITLE), drawn, Span(f"{rounded(share, 0)}%{mark}", role))


def corrected_row(accounts: Sequence[Account]) -> Row:
    """Return how much of what the pushes gave a query has corrected, and when it last did."""
    corrected = sum(account.difference_count for account in accounts)
    if not corrected:
        return ()
    at = max((account.differences[0].at for account in accounts if account.differences), default=None)
    return (
        Span(f"≠ {count(corrected)} corrected" + (f" {clock(at)[:5]}" if at is not None else ""), Role.WARN),
    )


def reconciled_row(account: Account, now: int) -> Row:
    """Return how long ago a query has confirmed what is held; nothing where none has."""
    at = account.reconciled_at
    if at is None:
        return ()
    ago = quiet_age(now - at)
    return (Span("reconciled" + ("" if ago == "·" else f" {ago} ago"), Role.MUTED),)


# --- the summary of one account


class Fact(NamedTuple):
    """One fact: its name, and what it is."""

    name: str
    shown: Row

    @property
    def cells(self) -> int:
        """Cells that it takes."""
        return len(self.name) + 1 + row_cells(self.shown)


def summary_facts(summary: Summary | None, *, masked: bool) -> list[Fact]:
    """Return what the venue says of an account, the most wanted first; what it does not say is left out."""
    if summary is None:
        return []
    facts: list[Fact] = []
    currency = clip(safe(summary.currency), 8)

    def amount(name: str, value: Decimal | None, role: Role = Role.TEXT, *, unit: bool = False) -> None:
        if value is None:
            return
        shown = MASK if masked else money(value, summary.currency)
        spans: list[Span] = [Span(shown, Role.MUTED if masked or not value else role)]
        if unit and currency:
            spans.append(Span(f" {currency}", Role.MUTED))
        facts.append(Fact(name, tuple(spans)))

    amount("equity", summary.equity, Role.STRONG, unit=True)
    usage = margin_percent(summary)
    if usage is not None:
        facts.append(Fact("margin usage", _gauged(usage, f"{rounded(usage, 1)}%")))
    if summary.margin_level is not None:
        facts.append(Fact("level", _level(summary)))
    amount("requirement", summary.margin_requirement)
    if summary.leverage is not None:
        facts.append(Fact("leverage", (Span(f"{exact(summary.leverage.normalize())}×", Role.TEXT),)))
    amount("loan", summary.margin_loan)
    amount("credit", summary.credit)
    exposure = exposure_percent(summary)
    if exposure is not None:
        facts.append(Fact("exposure", _gauged(exposure, f"{rounded(exposure, 1)}%")))
    amount("margin", summary.margin)
    amount("exposed", summary.risk_exposure)
    amount("at most", summary.max_risk_exposure)
    return facts


def _gauged(percents: Decimal, shown: str) -> Row:
    role, mark = urgency(percents)
    return (Span(gauge(percents), role if mark else Role.MUTED), Span(f" {shown}{mark}", role))


def _level(summary: Summary) -> Row:
    """Return the margin level, with a gauge that is full where positions are closed."""
    level = summary.margin_level
    near, threshold = level_percent(summary), level_threshold(summary)
    if level is None or near is None or threshold is None:
        return (Span(exact(level), Role.TEXT),)
    role, mark = urgency(near)
    return (
        Span(gauge(near), role if mark else Role.MUTED),
        Span(f" {exact(level)}{mark}", role),
        Span(f" closes at {exact(threshold)}", Role.MUTED),
    )


def fact_rows(
    facts: Sequence[Fact], width: int, *, rows: int = 4, widths: TableWidths | None = None
) -> list[Row]:
    """Return the facts in columns of ``width`` cells, in at most ``rows`` rows; the last ones are left out.

    ``widths`` keeps the columns from frame to frame.
    """
    widths = widths if widths is not None else TableWidths()
    for fact in facts:
        widths.grow(("summary", fact.name), fact.cells - len(fact.name), 0)
    for columns in range(min(len(facts), MOST_COLUMNS), 0, -1):
        shown = facts[: rows * columns]
        height = max(-(-len(shown) // columns), LEAST_ROWS)
        stacks = [shown[at : at + height] for at in range(0, len(shown), height)]
        sizes = [_stack_cells(stack, widths) for stack in stacks]
        needed = 2 + sum(sizes) + FACT_GAP * (len(stacks) - 1)
        if needed <= width or columns == 1:
            break
    gap = min(max((width - 2 - sum(sizes)) // len(stacks), FACT_GAP), MOST_FACT_GAP)
    made: list[Row] = []
    aligned = [_aligned(stack) for stack in stacks]
    for y in range(min(max(len(stack) for stack in stacks), rows)):
        spans: list[Span] = [Span("  ")]
        for x, stack in enumerate(aligned):
            cells = 0
            if y < len(stack):
                spans += [Span(stack[y].name + " ", Role.MUTED), *stack[y].shown]
                cells = stack[y].cells
            if x < len(aligned) - 1:
                spans.append(Span(blank(sizes[x] - cells + gap)))
        made.append(fit_row(tuple(span for span in spans if span.text), width))
    return made


def _stack_cells(stack: Sequence[Fact], widths: TableWidths) -> int:
    longest = max(len(fact.name) for fact in stack)
    return longest + max(widths.whole.get(("summary", fact.name), 0) for fact in stack)


def _aligned(stack: Sequence[Fact]) -> list[Fact]:
    """Return facts with their names in equal width."""
    longest = max(len(fact.name) for fact in stack)
    return [fact._replace(name=fact.name.ljust(longest)) for fact in stack]
