"""The account pane: tabs, balances, what is marked and what is masked."""

from __future__ import annotations

import pytest

from cadenza_tui.market.records import Portfolio, UpdateMode
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.account import TABS, account
from cadenza_tui.view.account_frame import AccountMemory, Options
from cadenza_tui.view.account_page import scroll
from cadenza_tui.view.rows import Pane, Role
from tests.view.support import LIVE, NOW, SECOND, bad_widths, balance, funded, plain, screen, text, trust


def shown(held: Market | None = None, *, width: int = 138, height: int = 9, **options: object) -> Pane:
    """Return the pane of the first account."""
    held = held or funded()
    arguments: dict[str, object] = {"now": NOW, "trust": LIVE, "memory": AccountMemory(), **options}
    arguments.setdefault("chosen", "a1")
    return account(list(held.accounts.values()), held, width=width, height=height, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", range(30, 301, 27))
@pytest.mark.parametrize("tab", TABS)
def test_every_row_is_exactly_as_wide_as_the_pane(width: int, tab: str) -> None:
    """Every tab fits at every width, and so does its border."""
    pane = shown(width=width, tab=tab)
    assert bad_widths(pane.body, width) == []
    assert len(text(pane.title)) + len(text(pane.trust)) + 7 <= max(width, 40)


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


def test_a_value_that_cannot_be_known_is_a_dash() -> None:
    """An asset without a market has no value, and the total says what it is without."""
    held = funded()
    rows = plain(shown(held))
    assert "473,057.91" in rows[2]
    assert rows[3].split()[:5] == ["BNB", "12.04000000", "12.04000000", "0", "—"]
    assert "1,286,062.53+ USDT" in text(shown(held, chosen="", width=160).trust)


def test_a_value_by_a_stale_price_says_so() -> None:
    """``~`` stands behind it, and behind a total that holds it."""
    pane = shown(now=NOW + 120 * SECOND, chosen="", width=160)
    assert "473,057.91~" in screen(pane)
    assert "1,286,062.53+~ USDT" in text(pane.trust)


def test_the_change_of_the_session_is_signed() -> None:
    """Δ session is the total minus the first one seen."""
    held = funded()
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(balance("BTC", "7.60000000"),)), NOW)
    assert "−0.05000000" in screen(shown(held))


def test_a_changed_balance_is_marked_for_a_moment() -> None:
    """After a change there is a mark and a strong number, and a while later there is none."""
    held, memory = funded(), AccountMemory()
    assert "•" not in screen(shown(held, memory=memory))
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(balance("BTC", "7.6"),)), NOW + SECOND)
    marked = shown(held, memory=memory, now=NOW + SECOND)
    assert plain(marked)[2].split()[0] == "•"
    assert any(span.role is Role.STRONG and span.text.strip() == "7" for span in marked.body[2])
    assert "•" not in screen(shown(held, memory=memory, now=NOW + 3 * SECOND))


def test_nothing_is_marked_while_stale() -> None:
    """A pane that cannot be trusted freezes its marks."""
    held, memory = funded(), AccountMemory()
    shown(held, memory=memory)
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(balance("BTC", "7.6"),)), NOW + SECOND)
    pane = shown(held, memory=memory, now=NOW + SECOND, trust=trust(TrustState.STALE, "", 14))
    assert "•" not in screen(pane)
    assert "◔ stale 14 s" in text(pane.trust)
    assert pane.dimmed


@pytest.mark.parametrize("tab", TABS)
def test_masked_shows_no_amount(tab: str) -> None:
    """Masked, no amount of the account can be read anywhere, and the columns stay."""
    memory = AccountMemory()
    open_, masked = shown(tab=tab, memory=memory), shown(tab=tab, memory=memory, options=Options(masked=True))
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


def test_the_border_has_tabs_name_equity_and_margin() -> None:
    """Tabs with counts and the account on the left, equity and margin on the right."""
    pane = shown()
    assert text(pane.title) == "Balances ─ Positions 1 ─ Orders 1 ─ Fills ── desk-1 · BINANCE · MARGIN +1"
    assert text(pane.trust) == "equity 1,284,113.20 USDT   margin ▰▰▱▱▱▱▱▱▱ 24%"
    assert [span.text for span in pane.title if span.role is Role.ACCENT] == ["Balances"]


def test_positions_orders_and_fills() -> None:
    """The other tabs have what is needed to judge them."""
    assert plain(shown(tab="Positions"))[1].split() == [
        "BTC/USDT", "BIN", "▲", "long", "1.50000", "60,000.00", "61,837.64", "+2,756.46", "—", "−12.10",
        "—", "—", "1", "h",
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
    memory = AccountMemory()
    shown(height=2, memory=memory)
    assert (memory.total_rows, memory.room) == (4, 2)
    scroll(memory, 99)
    pane = shown(height=2, memory=memory)
    assert plain(pane)[0].split()[0] == "asset"
    assert plain(pane)[1].split()[0] == "BNB"
    scroll(memory, -99)
    assert plain(shown(height=2, memory=memory))[1].split()[0] == "USDT"
