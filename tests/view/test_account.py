"""The account pane and the Account view."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadenza_tui.market.records import Portfolio, Summary, UpdateMode
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.account import TABS, AccountWidths, account, account_view
from cadenza_tui.view.account_facts import gauge, margin_percent
from cadenza_tui.view.rows import Bars, Pane, Role
from tests.view.support import LIVE, NOW, SECOND, bad_widths, balance, funded, plain, screen, text, trust


def shown(held: Market | None = None, *, width: int = 138, height: int = 9, **options: object) -> Pane:
    """Return the pane of the first account."""
    held = held or funded()
    arguments: dict[str, object] = {"now": NOW, "trust": LIVE, "widths": AccountWidths(), **options}
    return account(held.accounts.get("a1"), held, width=width, height=height, **arguments)  # type: ignore[arg-type]


def everything(held: Market | None = None, *, width: int = 138, height: int = 36, **options: object) -> Pane:
    """Return the Account view of all accounts."""
    held = held or funded()
    arguments: dict[str, object] = {"now": NOW, "trust": LIVE, "widths": AccountWidths(), **options}
    return account_view(list(held.accounts.values()), held, width=width, height=height, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", range(30, 301, 27))
@pytest.mark.parametrize("tab", TABS)
def test_every_row_is_exactly_as_wide_as_the_pane(width: int, tab: str) -> None:
    """Every tab fits at every width, and so does its border."""
    pane = shown(width=width, tab=tab)
    assert bad_widths(pane.body, width) == []
    assert len(text(pane.title)) + len(text(pane.trust)) + 7 <= max(width, 40)


@pytest.mark.parametrize("width", range(30, 301, 27))
def test_the_account_view_fits_everywhere(width: int) -> None:
    """The whole view fits at every width."""
    assert bad_widths(everything(width=width).body, width) == []


def test_balances_keep_the_feeds_precision_with_points_in_one_column() -> None:
    """Amounts are shown digit for digit, their points under each other."""
    rows = plain(shown())
    assert rows[1].split()[:4] == ["USDT", "812,004.1200", "790,004.1200", "22,000.0000"]
    assert rows[2].split()[:4] == ["BTC", "7.65000000", "7.15000000", "0.50000000"]
    assert rows[1].index("812,004.1200") + 7 == rows[2].index("7.65000000") + 1


def test_a_fraction_is_dimmer_than_its_whole_part() -> None:
    """The whole part is text, the fraction muted."""
    row = shown().body[1]
    at = next(i for i, span in enumerate(row) if span.text.strip() == "812,004")
    assert (row[at].role, row[at + 1].text.strip(), row[at + 1].role) == (Role.TEXT, ".1200", Role.MUTED)


def test_zero_is_a_muted_zero_and_unknown_a_faint_dash() -> None:
    """What is not known is never shown as zero."""
    row = shown().body[3]
    cells = [(span.text.strip(), span.role) for span in row if span.text.strip()]
    assert ("0", Role.MUTED) in cells
    assert ("—", Role.FAINT) in cells


def test_a_value_that_cannot_be_known_says_so() -> None:
    """An asset without a market has no value, and a warning instead."""
    rows = plain(shown())
    assert "473,057.91" in rows[2]
    assert "no price" in rows[3]


def test_the_change_of_the_session_is_signed() -> None:
    """Δ session is the total minus the first one seen."""
    held = funded()
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(balance("BTC", "7.60000000"),)), NOW)
    assert "−0.05000000" in screen(shown(held))


def test_a_changed_balance_is_marked_for_a_moment() -> None:
    """After a change there is a mark and a strong number, and a while later there is none."""
    held, widths = funded(), AccountWidths()
    assert "•" not in screen(shown(held, widths=widths))
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(balance("BTC", "7.6"),)), NOW + SECOND)
    marked = shown(held, widths=widths, now=NOW + SECOND)
    assert plain(marked)[2].split()[0] == "•"
    assert any(span.role is Role.STRONG and span.text.strip() == "7" for span in marked.body[2])
    assert "•" not in screen(shown(held, widths=widths, now=NOW + 3 * SECOND))


def test_nothing_is_marked_while_stale() -> None:
    """A pane that cannot be trusted freezes its marks."""
    held, widths = funded(), AccountWidths()
    shown(held, widths=widths)
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(balance("BTC", "7.6"),)), NOW + SECOND)
    pane = shown(held, widths=widths, now=NOW + SECOND, trust=trust(TrustState.STALE, "", 14))
    assert "•" not in screen(pane)
    assert "◔ stale 14 s" in text(pane.trust)
    assert pane.dimmed


@pytest.mark.parametrize("tab", TABS)
def test_masked_shows_no_amount(tab: str) -> None:
    """Masked, no amount of the account can be read anywhere, and the columns stay."""
    widths = AccountWidths()
    open_, masked = shown(tab=tab, widths=widths), shown(tab=tab, widths=widths, masked=True)
    amounts = (
        "812,004",
        "7.65",
        "22,000",
        "473,057",
        "1.5",
        "2,756",
        "12.10",
        "0.25",
        "0.75",
        "15,450",
        "15.45",
        "1,284,113",
    )
    for amount in amounts:
        assert amount not in screen(masked)
        assert amount not in text(masked.trust)
    assert "•••••" in screen(masked)
    assert plain(open_)[0] == plain(masked)[0]


def test_the_account_view_can_be_masked_too() -> None:
    """No amount of any account is left in the Account view."""
    words = screen(everything(masked=True))
    for amount in ("812,004", "1,284,113", "1,000.50", "813,004", "15,450"):
        assert amount not in words
    assert "•••••" in words


def test_the_border_has_tabs_name_equity_and_margin() -> None:
    """Tabs with counts and the account on the left, equity and margin on the right."""
    pane = shown()
    assert text(pane.title) == "Balances ─ Positions 1 ─ Orders 1 ─ Fills ── desk-1 · BINANCE · MARGIN"
    assert text(pane.trust) == "equity 1,284,113.20 USDT   margin ▰▰▱▱▱▱▱▱▱ 24%"
    assert [span.text for span in pane.title if span.role is Role.ACCENT] == ["Balances"]


def test_positions_orders_and_fills() -> None:
    """The other tabs have what is needed to judge them."""
    assert plain(shown(tab="Positions"))[1].split() == [
        "BTC/USDT", "BIN", "▲", "long", "1.50000", "60,000.00", "61,837.64", "+2,756.46", "−12.10", "1", "h",
    ]  # fmt: skip
    row = plain(shown(tab="Orders"))[1].split()
    assert row[:7] == ["BTC/USDT", "BIN", "▲", "buy", "61,800.00", "0.25000/0.75000", "33%"]
    assert plain(shown(tab="Fills"))[1].split()[1:] == [
        "BTC/USDT", "BIN", "▲", "buy", "61,800.00", "0.25000", "15,450.00", "15.45", "USDT",
    ]  # fmt: skip


def test_empty_tabs_and_no_account_say_so() -> None:
    """Nothing to show is said, not left blank."""
    empty = Market()
    assert "No trading account" in screen(shown(empty))
    empty.account("a1")
    assert "Awaiting the account's portfolio" in screen(shown(empty))
    assert "No fills yet" in screen(shown(empty, tab="Fills"))
    assert "No working orders" in screen(shown(empty, tab="Orders"))


def test_rows_scroll_under_the_header() -> None:
    """The header stays, and the last row can be reached but not passed."""
    widths = AccountWidths()
    pane = shown(height=2, scroll=99, widths=widths)
    assert plain(pane)[0].split()[0] == "asset"
    assert plain(pane)[1].split()[0] == "BNB"
    assert widths.total_rows == 4


def test_totals_are_exact_over_all_accounts_and_side_by_side() -> None:
    """The Account view sums each asset over the accounts and shows each account's part."""
    row = next(row for row in plain(everything()) if row.split()[:1] == ["USDT"])
    assert row.split()[1] == "813,004.6200"
    assert row.split()[-2:] == ["812,004.1200", "1,000.50"]


def test_the_account_view_has_all_its_sections() -> None:
    """Accounts with bars and numbers, totals, positions, working orders and fills."""
    words = screen(everything())
    for heading in (
        "Accounts",
        "Totals by asset over 2 accounts",
        "Positions",
        "Working orders",
        "Latest fills",
    ):
        assert heading in words
    first = next(row for row in plain(everything()) if "desk-1" in row)
    assert "1,284,113.20 USDT" in first
    assert "▰▰▱▱▱▱▱▱▱▱ 24%" in first
    assert first.rstrip().endswith("0 s")
    assert "4.16" in first


def test_the_account_view_scrolls() -> None:
    """What does not fit can be scrolled to, and the border says where one is."""
    widths = AccountWidths()
    pane = everything(height=6, scroll=3, widths=widths)
    assert text(pane.trust) == f"2 accounts · rows 4–9 of {widths.total_rows}"
    assert plain(everything(height=6, scroll=999))[-1] == plain(everything(height=99))[-1]


def test_wide_screens_show_two_columns() -> None:
    """With room the orders and fills stand beside the balances."""
    assert "Working orders" in plain(everything(width=200))[0]


def test_in_ascii_the_account_view_is_ascii() -> None:
    """No glyph beyond ASCII is left where only ASCII can be trusted."""
    assert screen(everything(bars=Bars.ASCII)).isascii()


@pytest.mark.parametrize(
    ("usage", "margin", "equity", "percent"),
    [
        ("0.24", None, None, "24"),
        ("24", None, None, "24"),
        ("0.5", "0.5", "100", "0.5"),
        ("1", "100", "100", "100"),
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
