"""Names that people write: whatever they are written in, every column stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cadenza_tui.market.records import Portfolio, TradingAccount
from cadenza_tui.view.account import TABS, account
from cadenza_tui.view.account_frame import AccountMemory
from cadenza_tui.view.accounts import account_view
from cadenza_tui.view.frame import framed
from cadenza_tui.view.picker import matches, picker_rows
from cadenza_tui.view.status import status
from cadenza_tui.view.text import painted
from cadenza_tui.view.watch_memory import WatchMemory
from cadenza_tui.view.watchlist import watchlist
from tests.view.support import BTC, ID, LIVE, NOW, bad_widths, balance, book, funded, text

if TYPE_CHECKING:
    from cadenza_tui.market.state import Market
    from cadenza_tui.view.rows import Pane, Row

names = st.text("做市账户東京マーケット가나다ＡＢＣ。 abcé·/e\u0301\u200d💰İ", min_size=1, max_size=24)
widths = st.integers(20, 150)


def named(name: str) -> Market:
    """Return a market in which everything that has a name has this one."""
    made = funded()
    made.instruments[ID] = msgspec.structs.replace(BTC, venue=name, symbol=name, kind=name, status=name)
    for account_id in ("a1", "a2"):
        made.apply_account(TradingAccount(account_id, name, name, name, name), NOW)
    made.apply_portfolio(Portfolio("a1", venue=name, balances=(balance(name, "1.5", "1.0", "0.5"),)), NOW)
    made.books[ID] = book([("61837.63", "2")], [("61837.64", "1")])
    made.health.connection.label = name
    return made


def straight(pane: Pane, width: int) -> bool:
    """Whether the pane in its border is as wide as it should be, in every row."""
    return bad_widths(pane.body, width) == [] == bad_widths(framed(pane, width + 2, 30), width + 2)


def cells(row: Row) -> int:
    """Return how many cells a terminal gives a row."""
    return cell_len(text(painted(row)))


@given(names, widths, st.sampled_from(TABS))
def test_the_account_pane(name: str, width: int, tab: str) -> None:
    """Nicknames, venues, types, states and assets in any script."""
    held = named(name)
    for chosen in ("", "a1"):
        pane = account(
            list(held.accounts.values()),
            held,
            chosen=chosen,
            width=width,
            height=9,
            now=NOW,
            trust=LIVE,
            memory=AccountMemory(),
            tab=tab,
        )
        assert straight(pane, width)


@given(names, widths, st.integers(3, 40))
def test_the_account_view(name: str, width: int, height: int) -> None:
    """The same, all accounts beside each other."""
    held = named(name)
    pane = account_view(
        list(held.accounts.values()),
        held,
        width=width,
        height=height,
        now=NOW,
        trust=LIVE,
        memory=AccountMemory(),
    )
    assert straight(pane, width)


@given(names, widths)
def test_the_watchlist_the_picker_and_the_status_line(name: str, width: int) -> None:
    """Symbols, venues, kinds and servers in any script; the picker finds them by it."""
    held = named(name)
    pane = watchlist(
        held,
        [ID],
        ID,
        width=width,
        height=9,
        memory=WatchMemory(),
        options={},
        trust_of=lambda _one: LIVE,
        now=NOW,
    )
    assert straight(pane, width)
    for query in ("", name):
        found = matches(query, held.instruments.values(), pinned=[ID])
        assert bad_widths(picker_rows(found, cursor=0, width=width, height=9, pinned=[ID]), width) == []
    assert cells(status(held, ID, LIVE, LIVE, width=width, now=NOW)) == width
