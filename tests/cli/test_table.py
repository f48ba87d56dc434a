"""Tables for a person at a prompt."""

from __future__ import annotations

from decimal import Decimal
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.cli.account_rows import Shown
from cadenza_tui.cli.account_text import balances, heading, total
from cadenza_tui.cli.paper import Paper
from cadenza_tui.cli.table import Column, at_the_point, table
from cadenza_tui.market.accounts import Account
from cadenza_tui.market.records import Balance, Instrument, Portfolio, Ticker, TradingAccount
from cadenza_tui.market.state import Market
from cadenza_tui.market.valuation import Total
from cadenza_tui.view.glyphs import Glyphs
from cadenza_tui.view.numbers import exact
from cadenza_tui.view.text import safe

PAPER = Paper()
NOW = 10**18
D = Decimal


def account(*held: Balance, nickname: str = "") -> Account:
    """Return an account that holds these."""
    made = Account("desk")
    made.apply_portfolio(Portfolio("desk", balances=held), 1)
    if nickname:
        made.apply_account(TradingAccount("desk", nickname), 1)
    return made


def rows(held: Account, shown: Shown | None = None, paper: Paper = PAPER) -> list[str]:
    """Return the table of an account's balances as it is printed."""
    shown = shown or Shown(Market(), NOW)
    return [paper.plain(line) for line in balances(shown.balances(held), shown, held, paper)]


def cells(text: str) -> int:
    """Return how many cells a terminal gives a text."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def test_unknown_amounts_are_not_zero() -> None:
    """They are a dash, and what is known keeps every digit."""
    held = account(
        Balance("USDT", "USDT", total=D("1234567.1"), free=D("-0.000000000000000001")), Balance("BTC", "BTC")
    )
    _, btc, usdt = rows(held)
    assert btc.split() == ["BTC", "—", "—", "—", "—"]
    assert usdt.split() == ["USDT", "1,234,567.1", "−0.000000000000000001", "—", "—"]


def test_balances_of_zero_are_shown_when_asked_for() -> None:
    """Else it is said that there are some; one of which nothing is known is none of them."""
    held = account(Balance("A", "A", total=D(0), free=D("0.00")))
    assert rows(held) == ["no balances but 1 of zero: see --all"]
    assert rows(held, Shown(Market(), NOW, everything=True))[1].split() == ["A", "0", "0.00", "—", "—"]
    assert rows(account()) == ["no balances"]
    assert len(rows(account(Balance("A", "A")))) == 2


def test_what_only_some_venues_give_has_a_column_where_it_is_given() -> None:
    """Frozen, owed interest and net."""
    plain = Balance("A", "A", total=D(1), net=D(1), frozen=D(0))
    assert rows(account(plain))[0].split() == ["asset", "total", "free", "locked", "borrowed"]
    owing = Balance("A", "A", total=D(1), net=D(-1), frozen=D(2), interest_owed=D(3))
    assert rows(account(owing))[0].split()[5:] == ["frozen", "interest", "net"]


def test_a_stale_value_is_marked_and_a_missing_one_a_dash() -> None:
    """The total says so, too."""
    market = Market()
    market.set_instruments([Instrument("X:A/USDT", "X", "A/USDT", base="A", quote="USDT")])
    market.apply_ticker(Ticker("X:A/USDT", 1, last_price=D("2.5")))
    held = account(Balance("A", "A", total=D(3)), Balance("B", "B", total=D(1)))
    shown = Shown(market, NOW, currency="USDT")
    _, a, b = rows(held, shown)
    assert a.split()[-2:] == ["7.50~", "A/USDT"]
    assert b.split()[-1] == "—"
    assert (
        total(shown.total([held]), "USDT", PAPER) == "total 7.50~ USDT   ~ stale prices   without B: no price"
    )
    assert total(Total(None, missing=("B",)), "USDT", PAPER).startswith("total — USDT")


@pytest.mark.parametrize(("width", "gone"), [(80, ""), (24, "c"), (12, "b, c"), (3, "b, c")])
def test_a_narrow_terminal_gives_up_the_least_wanted_columns(width: int, gone: str) -> None:
    """And says which; no digit of the others is cut."""
    columns = [
        Column("a", ["123456789"]), Column("b", ["12345678"], wanted=1), Column("c", ["1234567"], wanted=2)
    ]  # fmt: skip
    lines = table(columns, Paper(width=width))
    assert lines[1].split()[0] == "123456789"
    assert lines[2:] == ([f"no room for {gone}"] if gone else [])


def test_what_is_borrowed_stays_longer_than_a_column_of_zeros() -> None:
    """Whatever is worth something is not what goes first."""
    held = account(Balance("A", "A", total=D(1), free=D(1), locked=D(0), borrowed=D("123456789")))
    lines = rows(held, paper=Paper(width=38))
    assert lines[0].split() == ["asset", "total", "free", "borrowed"]
    assert lines[2:] == ["no room for locked"]


def test_only_a_terminal_is_painted() -> None:
    """Titles stand back there; nothing else changes."""
    column = [Column("a", ["1"])]
    assert table(column, Paper(colour=True)) == ["\x1b[2ma\x1b[0m", "1"]
    assert table(column, PAPER) == ["a", "1"]


@given(st.lists(st.sampled_from(["A", "漢字", "ﾊﾝ", "한글", "é", "e\u0301", "A\u200bB", "→"]), min_size=1))
def test_wide_text_keeps_the_columns_straight(names: list[str]) -> None:
    """The second column begins at one cell, whatever stands in the first."""
    lines = [
        PAPER.plain(line)
        for line in table(
            [Column("n", [safe(name) for name in names], "text"), Column("m", ["9"] * len(names))], PAPER
        )
    ]
    assert len({cells(line) for line in lines}) == 1


def test_a_nickname_cannot_move_the_cursor() -> None:
    """Control characters and marks go; what is wide stays wide."""
    assert PAPER.plain(heading(account(nickname="\x1b[31m口座\u0301"), PAPER)) == "[31m口座 · desk"
    assert Paper(glyphs=Glyphs.ASCII).plain(heading(account(nickname="口座 ä—"), PAPER)) == "???? ?- . desk"


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=6), min_size=1))
def test_points_stand_in_one_column(amounts: list[Decimal]) -> None:
    """Whatever the numbers are, and nothing of them is lost."""
    shown = at_the_point([exact(amount) for amount in amounts])
    assert len({cell.index(".") for cell in shown}) == 1
    assert [cell.strip() for cell in shown] == [exact(amount) for amount in amounts]
