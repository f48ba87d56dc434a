"""An account's summary: gauges, warning levels, and what a margin level means."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadenza_tui.market.records import Summary
from cadenza_tui.view.account_facts import (
    exposure_percent,
    fact_rows,
    gauge,
    level_percent,
    level_threshold,
    margin_percent,
    summary_facts,
)
from cadenza_tui.view.rows import Role
from cadenza_tui.view.table import TableWidths
from tests.view.support import bad_widths, text

FULL = Summary(
    "USDT",
    leverage=Decimal("5.00"),
    equity=Decimal("1284113.20"),
    margin=Decimal("308187.17"),
    margin_loan=Decimal("150000.00"),
    margin_usage=Decimal("0.24"),
    margin_requirement=Decimal("308680.10"),
    margin_level=Decimal("4.16"),
    credit=Decimal(0),
    risk_exposure=Decimal("450000"),
    max_risk_exposure=Decimal("500000"),
)


@pytest.mark.parametrize(
    ("usage", "margin", "equity", "percent"),
    [
        ("0.24", None, None, "24"),
        ("24", None, None, "24"),
        ("0.5", "0.5", "100", "0.5"),
        ("1", "100", "100", "100"),
        ("0.0152", "10499", "1675723", "1.52"),
        ("0", "100", "100", "0"),
    ],
)
def test_margin_usage_is_read_as_share_or_percents(
    usage: str, margin: str | None, equity: str | None, percent: str
) -> None:
    """Both readings are understood, by margin and equity where they are known."""
    summary = Summary(
        margin_usage=Decimal(usage),
        margin=Decimal(margin) if margin else None,
        equity=Decimal(equity) if equity else None,
    )
    assert margin_percent(summary) == Decimal(percent)
    assert margin_percent(None) is None


def test_a_gauge_is_bounded() -> None:
    """Less than nothing is empty, more than everything full."""
    assert gauge(Decimal(-5), 4) == "▱▱▱▱"
    assert gauge(Decimal(50), 4) == "▰▰▱▱"
    assert gauge(Decimal(500), 4) == "▰▰▰▰"


@pytest.mark.parametrize(
    ("level", "required", "equity", "threshold", "percent"),
    [
        ("4.16", "1.1", "1000", "1.1", "26.442308"),  # a level
        ("4.00", "250", "1000", "1", "25"),  # an amount, and the level is equity over it
        ("0.90", "1111.11", "1000", "1", "100"),  # past it
        ("4.16", "250", "100000", None, None),  # neither
        ("4.16", None, "1000", None, None),
        (None, "1.1", "1000", None, None),
        ("4.16", "0", "1000", None, None),
    ],
)
def test_a_margin_level_is_measured_against_where_positions_are_closed(
    level: str | None, required: str | None, equity: str, threshold: str | None, percent: str | None
) -> None:
    """The requirement itself, or 1; unknown where the numbers say neither."""
    summary = Summary(
        margin_level=Decimal(level) if level else None,
        margin_requirement=Decimal(required) if required else None,
        equity=Decimal(equity),
    )
    assert level_threshold(summary) == (Decimal(threshold) if threshold else None)
    assert level_percent(summary) == (Decimal(percent) if percent else None)


def test_the_summary_has_every_fact_of_the_venue() -> None:
    """Each with its name; what the venue does not say is left out."""
    words = {fact.name: text(fact.shown) for fact in summary_facts(FULL, masked=False)}
    assert words == {
        "equity": "1,284,113.20 USDT",
        "margin usage": "▰▰▱▱▱▱▱▱▱ 24.0%",
        "level": "▰▰▱▱▱▱▱▱▱ 4.16 closes at 1",
        "requirement": "308,680.10",
        "margin": "308,187.17",
        "leverage": "5×",
        "loan": "150,000.00",
        "credit": "0.00",
        "exposure": "▰▰▰▰▰▰▰▰▱ 90.0% !!",
        "exposed": "450,000.00",
        "at most": "500,000.00",
    }
    assert [fact.name for fact in summary_facts(Summary(equity=Decimal(5)), masked=False)] == ["equity"]
    assert summary_facts(None, masked=False) == []


@pytest.mark.parametrize(
    ("usage", "mark", "role"),
    [("0.59", "", Role.TEXT), ("0.6", " !", Role.WARN), ("0.79", " !", Role.WARN), ("0.8", " !!", Role.WARN)],
)
def test_usage_warns_at_60_and_at_80_percent(usage: str, mark: str, role: Role) -> None:
    """In amber and by a mark that needs no colour."""
    fact = summary_facts(Summary(margin_usage=Decimal(usage)), masked=False)[0]
    assert text(fact.shown).endswith(f"%{mark}")
    assert fact.shown[1].role is role


def test_a_masked_summary_keeps_ratios_alone() -> None:
    """No amount, and the gauges of ratios stay."""
    words = " ".join(text(fact.shown) for fact in summary_facts(FULL, masked=True))
    assert all(amount not in words for amount in ("1,284", "308", "150,000", "450,000", "500,000"))
    assert "24.0%" in words


@pytest.mark.parametrize("width", [30, 60, 78, 100, 138, 200])
def test_the_facts_stand_in_columns_that_fit(width: int) -> None:
    """Every row is as wide as is asked for, and the equity is always there."""
    rows = fact_rows(summary_facts(FULL, masked=False), width)
    assert bad_widths(rows, width) == []
    assert 1 < len(rows) <= 4
    assert "1,284,113.20" in " ".join(text(row) for row in rows)


def test_the_columns_of_the_facts_only_grow() -> None:
    """A number with fewer digits moves nothing."""
    widths = TableWidths()
    before = fact_rows(summary_facts(FULL, masked=False), 138, widths=widths)
    small = Summary(
        **{**{name: getattr(FULL, name) for name in FULL.__struct_fields__}, "equity": Decimal(5)}
    )
    after = fact_rows(summary_facts(small, masked=False), 138, widths=widths)
    assert text(before[0]).index("requirement") == text(after[0]).index("requirement")


def test_exposure_needs_a_limit() -> None:
    """Without one there is no gauge."""
    assert exposure_percent(FULL) == Decimal(90)
    assert exposure_percent(Summary(risk_exposure=Decimal(5))) is None
    assert exposure_percent(Summary(risk_exposure=Decimal(5), max_risk_exposure=Decimal(0))) is None
