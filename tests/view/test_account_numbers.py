"""Every number of the account panes against what it is made from, for accounts of any kind."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.market.records import (
    Balance,
    Execution,
    Fee,
    Instrument,
    Order,
    Portfolio,
    Position,
    Side,
    Summary,
    Ticker,
    TradingAccount,
    UpdateMode,
)
from cadenza_tui.market.state import Market
from cadenza_tui.view.account import TABS, account
from cadenza_tui.view.account_balances import AMOUNTS, assets_of
from cadenza_tui.view.account_frame import AccountMemory, Options
from cadenza_tui.view.accounts import account_view
from cadenza_tui.view.numbers import MINUS, UNKNOWN, money_decimals, quiet_age, until
from tests.view.support import LIVE, NOW, SECOND, bad_widths, plain, screen, text

if TYPE_CHECKING:
    from cadenza_tui.view.rows import Pane

ASSETS = ("BTC", "ETH", "USDT", "PEPE", "WIF")
EVERYTHING = 400
"""Cells in which no column is given up."""

amounts = (
    st.decimals(-(10**10), 10**10, places=18) | st.decimals(0, 10**6, places=2) | st.just(Decimal("0.000"))
)
known = amounts | st.none()


def full(asset: str, of: dict[str, Decimal | None]) -> Balance:
    """Return a balance of these amounts."""
    return Balance(asset, asset, status="ACTIVE", updated_at=NOW, **of)  # type: ignore[arg-type]


@st.composite
def balances(draw: st.DrawFn) -> list[tuple[Balance, ...]]:
    """Return the balances of one to four accounts, each with some of the assets."""
    accounts = []
    for _ in range(draw(st.integers(1, 4))):
        assets = draw(st.lists(st.sampled_from(ASSETS), unique=True, max_size=5))
        accounts.append(tuple(full(asset, {name: draw(known) for name in AMOUNTS}) for asset in assets))
    return accounts


def made(accounts: list[tuple[Balance, ...]]) -> Market:
    """Return a market with these accounts, and prices of BTC and ETH."""
    market = Market()
    listed = [
        Instrument(f"X:{base}/USDT", "X", f"{base}/USDT", base=base, quote="USDT") for base in ASSETS[:2]
    ]
    market.set_instruments(listed)
    for one, price in zip(listed, ("61837.64", "2684.19"), strict=True):
        market.apply_ticker(
            Ticker(one.instrument_id, NOW, bid_price=Decimal(price), ask_price=Decimal(price))
        )
    for number, held in enumerate(accounts):
        market.apply_account(TradingAccount(f"a{number}", f"desk{number}", "X", "SPOT", "ACTIVE"), NOW)
        market.apply_portfolio(Portfolio(f"a{number}", balances=held), NOW)
    return market


def view(market: Market, *, width: int = EVERYTHING, height: int = 60, **options: object) -> Pane:
    """Return the Account view of everything."""
    arguments: dict[str, object] = {"now": NOW, "trust": LIVE, "memory": AccountMemory(), **options}
    return account_view(list(market.accounts.values()), market, width=width, height=height, **arguments)  # type: ignore[arg-type]


def balance_rows(pane: Pane) -> dict[str, dict[str, str]]:
    """Return what each column of the balances says, by asset; columns are found under their headings."""
    rows = plain(pane)
    at = next(n for n, row in enumerate(rows) if row.strip().startswith("asset"))
    header = rows[at]
    names = ["asset", *AMOUNTS, "value USDT", "Δ session", "Δ day"]
    starts = [header.index(f" {name} ") for name in names]
    found = {}
    for row in rows[at + 1 :]:
        if not row.strip():
            break
        words = row[2:].split()
        found[words[0]] = dict(zip(names, words, strict=False))
    assert starts == sorted(starts)
    return found


def number(shown: str) -> Decimal:
    """Return the number that a cell says."""
    return Decimal(shown.replace(",", "").replace(MINUS, "-").replace("+", ""))


@settings(deadline=None, max_examples=60)
@given(balances())
def test_every_amount_is_the_exact_sum_over_the_accounts(accounts: list[tuple[Balance, ...]]) -> None:
    """Against a sum of fractions; "—" where not one of them is known."""
    market = made(accounts)
    found = balance_rows(view(market)) if any(accounts) else {}
    for asset in {balance.asset for held in accounts for balance in held}:
        for name in AMOUNTS:
            terms = [getattr(b, name) for held in accounts for b in held if b.asset == asset]
            told = [Fraction(term) for term in terms if term is not None]
            cell = found[asset][name]
            if not told:
                assert cell == UNKNOWN
            else:
                assert Fraction(number(cell)) == sum(told)


@settings(deadline=None, max_examples=60)
@given(balances())
def test_values_and_their_total_are_right(accounts: list[tuple[Balance, ...]]) -> None:
    """Each total by its price, to the cent; the title's sum is that of the nets, less what has no price."""
    market = made(accounts)
    prices = {"BTC": Fraction("61837.64"), "ETH": Fraction("2684.19"), "USDT": Fraction(1)}
    pane = view(market)
    found = balance_rows(pane) if any(accounts) else {}
    nets: list[Fraction] = []
    missing = set()
    for asset in {balance.asset for held in accounts for balance in held}:
        rows = [b for held in accounts for b in held if b.asset == asset]
        totals = [Fraction(b.total) for b in rows if b.total is not None]
        cell = found[asset]["value USDT"]
        if not totals or (asset not in prices and sum(totals, Fraction(0))):
            assert cell == UNKNOWN
            missing.add(asset)
            continue
        if asset not in prices:
            continue
        worth = sum(totals, Fraction(0)) * prices[asset]
        nets.append(
            (sum(totals, Fraction(0)) - sum((Fraction(b.borrowed) for b in rows if b.borrowed), Fraction(0)))
            * prices[asset]
        )
        if cell.startswith(("<", f"{MINUS}<")):
            assert 0 < abs(worth) < Fraction("0.005")
        else:
            assert abs(Fraction(number(cell)) - worth) <= Fraction("0.005")
    title = next(
        (
            row
            for row in plain(view(market, height=60))
            if "USDT" in row and row.startswith((" Balances", " Totals"))
        ),
        "",
    )
    if nets:
        shown = re.findall(r"(−?\d[\d,.]*)~? USDT", title)[-1]
        assert abs(Fraction(number(shown)) - sum(nets, Fraction(0))) <= Fraction("0.005")
    assert ("without" in title) is bool(missing & set(found))


@settings(deadline=None, max_examples=40)
@given(balances(), st.lists(balances(), max_size=3), st.sampled_from([38, 78, 118, 160, 400]))
def test_columns_never_shrink_and_rows_always_fit(
    first: list[tuple[Balance, ...]], later: list[list[tuple[Balance, ...]]], width: int
) -> None:
    """Whatever the numbers become."""
    memory = AccountMemory()
    before: dict[tuple[str, str], int] = {}
    for accounts in (first, *later):
        for height in (8, 40):
            pane = view(made(accounts), width=width, height=height, memory=memory)
            assert bad_widths(pane.body, width) == []
        for widths in (memory.tables.whole, memory.tables.fraction):
            for key, size in widths.items():
                assert size >= before.get((*key, id(widths)), 0)  # type: ignore[arg-type]
                before[(*key, id(widths))] = size  # type: ignore[index]


secret_amounts = st.lists(st.integers(10**10, 10**12), unique=True, min_size=24, max_size=24)


@st.composite
def secrets(draw: st.DrawFn) -> tuple[Market, set[Decimal]]:
    """Return a market whose account has every kind of amount, and all of these, each of eleven digits."""
    left = [Decimal(n).scaleb(-4) for n in draw(secret_amounts)]
    used: list[Decimal] = []

    def amount() -> Decimal:
        used.append(left.pop())
        return used[-1]

    market = made([(full("BTC", {name: amount() for name in AMOUNTS}),)])
    fill = Execution(
        "e", "X:BTC/USDT", Side.BUY, amount(), Decimal(2), amount(), (Fee("USDT", amount()),), NOW
    )
    position = Position(
        "p", "BTC", "X:BTC/USDT", position_side="LONG", quantity=amount(), unrealized_pnl=amount(),
        realized_pnl=-amount(), margin=amount(), updated_at=NOW,
    )  # fmt: skip
    summary = Summary(
        "USDT", equity=amount(), margin=amount(), margin_loan=amount(), margin_requirement=amount(),
        credit=amount(), risk_exposure=amount(), max_risk_exposure=amount(),
    )  # fmt: skip
    market.apply_portfolio(Portfolio("a0", UpdateMode.DELTA, positions=(position,), summary=summary), NOW)
    market.apply_order(
        Order(
            "o", "a0", "X:BTC/USDT", Side.BUY, "ACCEPTED", limit_price=Decimal(2), quantity=amount(),
            executed_quantity=amount(), executed_cost=amount(), executions=(fill,), created_at=NOW,
        ),
        NOW,
    )  # fmt: skip
    market.apply_portfolio(
        Portfolio("a0", UpdateMode.DELTA, balances=(Balance("BTC", "BTC", total=amount(), updated_at=NOW),)),
        NOW,
    )
    return market, set(used)


@settings(deadline=None, max_examples=40)
@given(secrets(), st.sampled_from([38, 78, 138, 200]))
def test_a_masked_frame_has_no_digit_of_any_amount(made_: tuple[Market, set[Decimal]], width: int) -> None:
    """In no table, title, border or detail, whatever is pointed at; and open, they are there."""
    market, used = made_
    masked = Options(masked=True)
    frames = [view(market, width=width, height=50, options=masked)]
    memory = AccountMemory()
    view(market, width=width, memory=memory, options=masked)
    for section in list(memory.sections):
        for key in section.keys:
            pointed = AccountMemory(cursor=(section.name, key))
            frames.append(view(market, width=width, memory=pointed, options=masked))
    frames += [
        account(list(market.accounts.values()), market, width=width, height=9, now=NOW, trust=LIVE,
                memory=AccountMemory(), options=masked, tab=tab)
        for tab in TABS
    ]  # fmt: skip
    words = " ".join(screen(pane) + text(pane.title) + text(pane.trust) for pane in frames)
    for value in used:
        assert f"{int(value):,}" not in words
        assert str(int(value)) not in words
    open_ = screen(view(market)).replace(",", "")
    assert sum(str(int(value)) in open_ for value in used) > len(used) // 2


# --- what ages, money and moments look like


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "·"), (0, "·"), (59, "·"), (60, "1 m"), (299, "4 m"), (300, "5 m"), (599, "5 m"), (600, "10 m"),
     (3599, "55 m"), (3600, "1 h"), (86_399, "23 h"), (86_400, "1 d"), (10**7, "115 d")],
)  # fmt: skip
def test_a_quiet_age_changes_seldom(seconds: int, shown: str) -> None:
    """Not at all in the first minute, then by minutes, by fives, by hours."""
    assert quiet_age(seconds * SECOND) == shown


@pytest.mark.parametrize(
    ("currency", "decimals"), [("USDT", 2), ("USD", 2), ("EUR", 2), ("JPY", 0), ("BTC", 8), ("FDUSD", 2)]
)
def test_money_has_its_currencys_decimals(currency: str, decimals: int) -> None:
    """Cents, none, or eight."""
    assert money_decimals(currency) == decimals


def test_a_moment_to_come_has_its_day_when_it_is_another() -> None:
    """And its year when that is."""
    assert until(NOW, NOW) == "23:54"
    assert until(NOW + 86_400 * SECOND, NOW) == "9 Aug 23:54"
    assert until(NOW + 400 * 86_400 * SECOND, NOW) == "12 Sep 2025"
    assert until(None, NOW) == until(-1, NOW) == UNKNOWN


def test_each_row_of_one_account_is_one_balance() -> None:
    """Two entries of one asset are two rows there, and one among all accounts."""
    entries = tuple(Balance(key, "USDT", total=Decimal(1), updated_at=NOW) for key in ("x", "y"))
    market = made([entries, ()])
    held = list(market.accounts.values())
    assert len(assets_of(held[:1])) == 2
    assert [row.amount("total") for row in assets_of(held).values()] == [Decimal(2)]
