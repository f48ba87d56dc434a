"""The Account view: all accounts or one, what stands where, what is scrolled and pointed at."""

from __future__ import annotations

import pytest

from cadenza_tui.market.records import Portfolio, TradingAccount, UpdateMode
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import TrustState
from cadenza_tui.view import account_page
from cadenza_tui.view.account_frame import AccountMemory, Options
from cadenza_tui.view.accounts import labels_of
from cadenza_tui.view.rows import Ground, Role
from tests.view.accounts import MINUTE, SIZES, crowd, view
from tests.view.support import (
    LIVE,
    NOW,
    SECOND,
    bad_widths,
    balance,
    funded,
    plain,
    screen,
    text,
    trust,
)


@pytest.mark.parametrize("chosen", ["", "a1", "a2"])
@pytest.mark.parametrize("width", range(30, 301, 27))
def test_the_account_view_fits_everywhere(width: int, chosen: str) -> None:
    """Every row is exactly as wide as the pane, and the border has room for its titles."""
    for height in (1, 4, 8, 20, 56):
        pane = view(width=width, height=height, chosen=chosen)
        assert bad_widths(pane.body, width) == []
        assert len(pane.body) <= height


def test_all_accounts_have_overview_totals_positions_orders_and_fills() -> None:
    """In this order, each under its name; the title says that it is all of them."""
    pane = view()
    words = screen(pane)
    wanted = ("account ▴", "Totals by asset", "Positions", "Working orders 1", "Latest fills")
    places = [words.index(f" {heading}") for heading in wanted]
    assert places == sorted(places)
    assert text(pane.title) == "Accounts · all 2"


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("chosen", ["", "a1"])
def test_asset_total_and_value_are_there_at_every_size(width: int, height: int, chosen: str) -> None:
    """At 40x12 too."""
    rows = plain(view(width=width, height=height, chosen=chosen))
    row = next(row for row in rows if " BTC " in row)
    assert "7.65" in row
    assert "473,057.9" in row
    assert any({"asset", "total", "value"} <= set(row.split()) for row in rows)


def test_a_tight_view_begins_with_the_balances_and_has_the_total_in_its_border() -> None:
    """Nothing is spent on titles and blanks there."""
    pane = view(width=38, height=8)
    assert plain(pane)[0].split()[:2] == ["asset", "total"]
    assert (text(pane.title), text(pane.trust)) == ("All 2", "1,286,062.53+ USDT")


def test_a_narrow_total_keeps_as_many_digits_as_it_can_and_marks_the_cut() -> None:
    """An amount too large to have its point over theirs costs the small ones no digit."""
    held = funded()
    more = (balance("USDT", "1064017.62694617"),)
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=more), NOW)
    rows = plain(view(held, width=38, height=8))
    assert any(" 1,065,018.12… " in row for row in rows)
    assert any(" 7.65000000 " in row for row in rows)
    more = (balance("PEPE", "2500000000.00000000"),)
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=more), NOW)
    rows = plain(view(held, width=38, height=8))
    assert any(" 1,065,018.12… " in row for row in rows)
    assert any(" 7.65000000 " in row for row in rows)
    assert any(" 2,500,000,000 " in row for row in rows)


def test_only_the_number_that_changed_is_strong() -> None:
    """The total moved, what is locked did not."""
    held, memory = funded(), AccountMemory()
    view(held, memory=memory, chosen="a1")
    moved = balance("USDT", "812005.1200", "790004.1200", "22000.0000")
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(moved,)), NOW + SECOND)
    pane = view(held, memory=memory, chosen="a1", now=NOW + SECOND)
    row = next(row for row in pane.body if "812,005" in text(row))
    strong = [span.text.strip() for span in row if span.role is Role.STRONG]
    assert strong == ["USDT", "812,005"]
    assert row[0].text == "• "


def test_one_account_has_its_summary_and_its_own_rows_alone() -> None:
    """The title says which it is; nothing of another account is there."""
    pane = view(chosen="a2")
    assert text(pane.title) == "Account · cold · OKX · SPOT · 2 of 2"
    assert "1,000.50" in screen(pane)
    assert "812,004" not in screen(pane)
    assert "no working orders" in screen(pane)


def test_an_only_account_needs_no_choice() -> None:
    """With one account all is that account."""
    held = funded()
    del held.accounts["a2"]
    assert text(view(held).title) == "Account · desk-1 · BINANCE · MARGIN"


def test_an_account_that_is_gone_gives_way_to_all() -> None:
    """A choice of yesterday never shows nothing."""
    assert text(view(chosen="a9").title) == "Accounts · all 2"


def test_columns_are_given_up_in_a_sensible_order() -> None:
    """Net goes first, then what is side by side; the total and its value never."""
    seen = [
        {name for name in ("net", "locked", "free", "Δ", "age", "total", "value") if f" {name} " in header}
        for width in (138, 100, 78, 44)
        for header in [next(row for row in plain(view(width=width, chosen="a1")) if " asset" in row)]
    ]
    assert seen == sorted(seen, key=len, reverse=True)
    assert seen[0] == {"net", "locked", "free", "Δ", "age", "total", "value"}
    assert seen[-1] == {"total", "value"}


def test_wide_screens_show_orders_beside_positions_and_fills() -> None:
    """The balances keep the whole width and all of their columns."""
    rows = plain(view(width=198, height=56))
    line = next(row for row in rows if " Positions" in row)
    assert "Working orders 1" in line
    assert all(name in " ".join(rows) for name in ("frozen", "borrowed", "net", "by price of"))


def test_only_what_is_in_sight_is_made() -> None:
    """Of 8 accounts with 200 assets a frame makes the rows that it shows and no others."""
    held, memory = crowd(), AccountMemory()
    pane = view(held, width=118, height=36, memory=memory)
    assert memory.total_rows == (1 + 8) + 1 + (2 + 200) + 3 * (1 + 2)
    assert len(memory.visible) == 36 - 4  # but for two headers, a title and a blank
    assert len(pane.body) == 36
    assert len(memory.changes) == 8 * (36 - 4 - 8)  # what is marked is looked up for rows in sight alone


def test_the_view_scrolls_and_says_where_it_is() -> None:
    """What does not fit can be scrolled to; the table's header stays over its rows."""
    held, memory = crowd(1), AccountMemory()
    first = view(held, height=12, memory=memory)
    assert text(first.trust).startswith("rows 1–12 of") or "rows" in text(first.trust)
    account_page.scroll(memory, 100)
    pane = view(held, height=20, memory=memory)
    assert plain(pane)[0].split()[0] == "asset"
    assert f"rows 101–120 of {memory.total_rows}" in text(pane.trust)
    account_page.scroll(memory, 9_999)
    view(held, height=20, memory=memory)
    assert memory.first == memory.total_rows - 20


def test_the_cursor_goes_through_all_rows_and_stays_in_sight() -> None:
    """Down to the last row of the last table and back up to the first, one row a step."""
    held, memory = crowd(1, 30), AccountMemory()
    view(held, height=16, memory=memory)
    seen = []
    for _ in range(35):
        account_page.move(memory, 1)
        pane = view(held, height=16, memory=memory)
        pointed = [row for row in pane.body[:-3] if any(span.ground is Ground.CURSOR for span in row)]
        assert len(pointed) == 1
        seen.append(text(pointed[0]).split()[1])
    assert seen == [f"A{n:03}" for n in range(30)] + ["A029"] * 5
    for _ in range(40):
        account_page.move(memory, -1)
    view(held, height=16, memory=memory)
    assert memory.first == 0


def test_the_cursor_stays_on_its_row_when_the_order_changes() -> None:
    """It points at the asset, not at a place; where the row is gone it points at the next."""
    held, memory = crowd(1, 5), AccountMemory()
    view(held, memory=memory)
    account_page.move(memory, 1)
    account_page.move(memory, 1)
    for sort in ("asset", "asset-", "total"):
        pane = view(held, memory=memory, options=Options(sorts={"balances": sort}))
        row = next(row for row in plain(pane) if "▸" in row)
        assert row.split()[1] == "A001"
    fewer = tuple(balance(f"A{n:03}", f"{1 + n}.5") for n in (0, 2, 3, 4))
    held.apply_portfolio(Portfolio("b0", balances=fewer), NOW + SECOND)
    row = next(
        row
        for row in plain(view(held, memory=memory, options=Options(sorts={"balances": "total"})))
        if "▸" in row
    )
    assert row.split()[1] == "A000"  # the next in this order


def test_turning_goes_from_table_to_table() -> None:
    """Only those that have rows, round and round."""
    memory = AccountMemory()
    view(memory=memory)
    seen = []
    for _ in range(6):
        account_page.turn(memory, 1)
        view(memory=memory)
        seen.append(memory.focused)
    assert seen == ["accounts", "totals", "positions", "orders", "fills", "accounts"]
    account_page.turn(memory, -1)
    assert memory.focused == "fills"


def test_the_overview_has_gauges_with_their_numbers() -> None:
    """Equity, usage, level and orders of each account; a ≈ where the venue says no equity."""
    rows = plain(view())
    first = next(row for row in rows if "desk-1" in row)
    assert "1,284,113.20 USDT" in first
    assert "▰▰▱▱▱▱▱▱ 24%" in first
    assert "4.16" in first
    second = next(row for row in rows if "cold" in row)
    assert "1,000.50 USDT≈" in second


def test_ages_are_quiet_until_they_matter() -> None:
    """A dot within the minute, whole minutes after; amber where an account has not been heard of for long."""
    held = funded()
    ages = {}
    for minutes in (0, 2, 14, 16):
        row = next(row for row in view(held, now=NOW + minutes * MINUTE).body if "desk-1" in text(row))
        ages[minutes] = next((s.text.strip(), s.role) for s in reversed(row) if s.text.strip())
    assert ages == {
        0: ("·", Role.FAINT),
        2: ("2 m", Role.MUTED),
        14: ("10 m", Role.MUTED),
        16: ("15 m", Role.WARN),
    }


def test_an_idle_view_is_the_same_from_second_to_second() -> None:
    """Nothing in it changes between two whole minutes of its ages, stale or not."""
    held, memory = funded(), AccountMemory()
    for trusted in (LIVE, trust(TrustState.STALE, "", None)):
        bodies = {
            view(held, memory=memory, trust=trusted, now=NOW + second * SECOND).body
            for second in range(31, 59, 3)
        }
        assert len(bodies) == 1


def test_a_stale_view_is_dimmed_and_marks_nothing() -> None:
    """The border says since when; numbers stay."""
    held, memory = funded(), AccountMemory()
    view(held, memory=memory)
    held.apply_portfolio(Portfolio("a1", UpdateMode.DELTA, balances=(balance("BTC", "7.6"),)), NOW + SECOND)
    pane = view(held, memory=memory, trust=trust(TrustState.STALE, "", 14), now=NOW + SECOND)
    assert pane.dimmed
    assert "◔ stale 14 s" in text(pane.trust)
    assert "• BTC" not in screen(pane)
    assert "7.6" in screen(pane)


def test_the_first_portfolio_is_awaited() -> None:
    """An account without any says so, and the others are shown."""
    held = funded()
    held.apply_account(TradingAccount("a3", "fresh", "OKX", "SPOT", "ACTIVE"), NOW)
    assert "no balances yet" in screen(view(held, chosen="a3"))
    assert "fresh" in screen(view(held))
    assert "Totals by asset" in screen(view(held))


def test_accounts_of_one_name_can_be_told_apart() -> None:
    """By the venue, or by the id where that is the same too."""
    held = funded()
    held.apply_account(TradingAccount("a2", "desk-1", "OKX", "SPOT", "ACTIVE"), NOW)
    assert {"desk-1 BINANCE", "desk-1 OKX"} == set(labels_of(list(held.accounts.values())).values())
    held.apply_account(TradingAccount("a2", "desk-1", "BINANCE", "SPOT", "ACTIVE"), NOW)
    assert {"a1", "a2"} == set(labels_of(list(held.accounts.values())).values())


def test_nothing_at_all_says_what_to_do() -> None:
    """No account, no word from the server, a refused token."""
    assert "name one with --account" in screen(view(Market()))
    refused = trust(TrustState.UNAUTHORISED, "set CADENZA_TOKEN anew")
    assert "set CADENZA_TOKEN anew" in " ".join(screen(view(Market(), trust=refused)).split())
    held = Market()
    held.account("a1")
    assert "set CADENZA_TOKEN anew" in " ".join(screen(view(held, trust=refused)).split())


def test_hostile_and_long_names_keep_the_columns() -> None:
    """Of an account and of an asset."""
    held = funded()
    held.apply_account(TradingAccount("a2", "Ж\x1b[2J" + "very long " * 30, "OKX", "SPOT", "LOCKED"), NOW)
    wild = balance("\u202eA\x07" * 40, "-1234567890.123456789012345678")
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(wild,)), NOW)
    for width, height in SIZES:
        for chosen in ("", "a2"):
            pane = view(held, width=width, height=height, chosen=chosen)
            assert bad_widths(pane.body, width) == []
            assert all(character.isprintable() for row in plain(pane) for character in row)
    assert "−1,234,567,890.123456789012345678" in screen(view(held, width=198, chosen="a2"))


def test_wide_names_keep_the_columns() -> None:
    """East-Asian characters take two cells each, in a nickname as in an asset."""
    held = funded()
    held.apply_account(
        TradingAccount("a2", "冷たい財布の長い名前です冷たい財布", "OKX", "SPOT", "ACTIVE"), NOW
    )
    held.apply_portfolio(Portfolio("a2", UpdateMode.DELTA, balances=(balance("比特币", "1.5"),)), NOW)
    for width, height in SIZES:
        for chosen in ("", "a2"):
            assert bad_widths(view(held, width=width, height=height, chosen=chosen).body, width) == []
    assert "冷" in screen(view(held))
