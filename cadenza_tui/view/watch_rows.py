"""One row of the watchlist."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.exact import add, halve, subtract
from cadenza_tui.view.numbers import age, arrow, bps, fitted, number, percent, plain, quiet_age, rounded
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.sparkline import sparkline
from cadenza_tui.view.states import SIGNS
from cadenza_tui.view.text import blank, clip, left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.quote import Quote
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.watch_columns import Columns

SPREAD_BEYOND = Decimal(1000)


class Facts(NamedTuple):
    """What a row says."""

    key: str
    """The digit that selects it."""
    symbol: str
    venue: str
    quote: Quote
    price: str
    bid: str
    ask: str
    volume: Decimal | None
    trend: Sequence[float | None]
    trust: Trust
    selected: bool


def watch_row(facts: Facts, columns: Columns) -> Row:
    """Return one instrument's row. One that cannot be trusted has no colours but the mark that says so."""
    trust, now, selected = facts.trust, facts.quote, facts.selected
    dimmed = trust.dimmed
    key = facts.key or ("›" if selected else " ")
    spans = [
        Span(f" {key} ", Role.ACCENT if selected else Role.FAINT),
        Span(
            left(facts.symbol, columns.symbol),
            Role.STRONG if selected else Role.MUTED if dimmed else Role.TEXT,
        ),
    ]
    if columns.venue:
        spans.append(Span(" " + left(facts.venue, columns.venue), Role.MUTED))
    spans += _price(facts, columns)
    if columns.change:
        spans.append(_change(now.change, columns.change, dimmed=dimmed))
    if columns.spread:
        spans.append(_spread(now, trust, columns.spread, aged=not columns.age))
        spans.append(Span(" "))
    if columns.touch:
        for text, role in ((facts.bid, Role.BID), (facts.ask, Role.ASK)):
            shown = clip(text or "—", columns.touch).rjust(columns.touch)
            spans.append(Span(" " + shown, Role.FAINT if not text else Role.MUTED if dimmed else role))
        spans.append(Span(" "))
    if columns.volume:
        text = "—" if facts.volume is None else fitted(number(plain(facts.volume)), columns.volume)
        role = Role.FAINT if facts.volume is None else Role.MUTED
        spans.append(Span(f" {text.rjust(columns.volume)} ", role))
    if columns.trend:
        spans.append(_trend(facts.trend, columns.trend))
        spans.append(Span(" "))
    if columns.age:
        spans.append(_age(trust, columns.age))
        spans.append(Span(" "))
    return tuple(spans)


def _price(facts: Facts, columns: Columns) -> list[Span]:
    price, trust = facts.price, facts.trust
    if not price:
        unknown = ("—" + blank(columns.fraction or 0)).rjust(columns.price)
        return [Span(" " + unknown + " ", Role.FAINT)]
    if columns.fraction is not None:
        _, point, fraction = price.partition(".")
        price += blank(columns.fraction - len(point + fraction))
    text = clip(price.rjust(columns.price), columns.price)
    digits = text.rstrip()
    after = blank(len(text) - len(digits))
    shown = Span(" " + digits, Role.MUTED if trust.dimmed else Role.TEXT)
    if trust.dimmed and not columns.spread and not columns.age:
        return [shown, Span(after + SIGNS[trust.state].glyph, Role.WARN)]
    return [shown, Span("m" + after if facts.quote.is_mid else after + " ", Role.FAINT)]


def _change(change: Decimal | None, width: int, *, dimmed: bool) -> Span:
    if change is None:
        return Span("  " + "—".rjust(width) + " ", Role.FAINT)
    role = Role.BID if change > 0 else Role.ASK if change < 0 else Role.MUTED
    decimals = 2 if abs(change) < 10 else 1 if abs(change) < 100 else 0
    text = fitted(percent(change, decimals), width).rjust(width)
    return Span(f"{arrow(change)} {text} ", Role.MUTED if dimmed else role)


def _spread(now: Quote, trust: Trust, width: int, *, aged: bool) -> Span:
    """Return the spread in bps, or where no other column says it what is wrong: the age, else a glyph."""
    if trust.dimmed and aged:
        return Span(_wrong(trust).rjust(width), Role.WARN)
    if now.bid is None or now.ask is None:
        return Span("—".rjust(width), Role.FAINT)
    if now.bid > now.ask:
        return Span("⇄".rjust(width), Role.WARN)
    part = bps(subtract(now.ask, now.bid), halve(add(now.ask, now.bid)))
    if part is None or part >= SPREAD_BEYOND:
        return Span((">1k" if part is not None else "—").rjust(width), Role.MUTED)
    return Span(rounded(part, 1 if part < 100 else 0).rjust(width), Role.MUTED)


def _trend(prices: Sequence[float | None], width: int) -> Span:
    if all(price is None for price in prices):
        return Span("—".rjust(width), Role.FAINT)
    return Span(sparkline(prices, width), Role.FAINT)


def _age(trust: Trust, width: int) -> Span:
    if trust.dimmed:
        return Span(_wrong(trust).rjust(width), Role.WARN)
    text = "—" if trust.age_ns is None else quiet_age(trust.age_ns).replace(" ", "")
    return Span(text.rjust(width), Role.FAINT)


def _wrong(trust: Trust) -> str:
    """Return what is wrong in a few cells: the age when stale, else the state's glyph."""
    sign = SIGNS[trust.state]
    return age(trust.age_ns).replace(" ", "") if sign.aged and trust.age_ns is not None else sign.glyph
