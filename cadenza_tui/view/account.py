"""The account pane: one account's balances, positions, orders or fills, and its equity and margin."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from cadenza_tui.view import account_tables as tables
from cadenza_tui.view.account_facts import equity_row, margin_row, names
from cadenza_tui.view.account_tables import AccountWidths, Frame
from cadenza_tui.view.accounts import account_view
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.states import absence, border
from cadenza_tui.view.text import message, row_cells

if TYPE_CHECKING:
    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

__all__ = ["TABS", "AccountWidths", "account", "account_view"]

TABS = ("Balances", "Positions", "Orders", "Fills")
COUNTED = ("Positions", "Orders")
FRAME_ROOM = 7
"""Cells of the border's top edge that titles cannot have, counted from the body's width."""


def account(
    account: Account | None,
    market: Market,
    *,
    width: int,
    height: int,
    now: int,
    trust: Trust,
    widths: AccountWidths,
    tab: str = TABS[0],
    masked: bool = False,
    scroll: int = 0,
    others: int = 0,
) -> Pane:
    """Return the pane of one account with a body of ``width`` x ``height`` cells.

    ``tab`` is one of ``TABS``. ``scroll`` leaves out that many rows under the header. ``others`` is how many
    more accounts there are. ``widths.total_rows`` is left at the number of rows there are, header included.
    """
    title, trusted = titles(account, tab, trust, masked=masked, width=width, others=others)
    if account is None or not _held(account, tab):
        widths.total_rows = 0
        words = _absence(account, tab, trust)
        return Pane(title, trusted, message(words, width, height), dimmed=trust.dimmed)
    frame = Frame(market, width, now, widths, masked=masked, frozen=trust.dimmed)
    total = _held(account, tab)
    first = max(min(scroll, total - height + 1), 0)
    last = first + max(height - 1, 0)
    if tab == "Balances":
        rows = tables.balances(frame, account)
        rows = [*rows[:1], *rows[1 + first : 1 + last]]
    elif tab == "Positions":
        rows = tables.positions(
            frame, [("", held) for held in islice(account.positions.values(), first, last)]
        )
    elif tab == "Orders":
        newest = account.working_orders()[::-1]
        rows = tables.orders(frame, [("", order) for order in newest[first:last]])
    else:
        rows = tables.fills(frame, [("", fill) for fill in islice(account.fills, first, last)])
    widths.total_rows = total + 1
    return Pane(title, trusted, tuple(rows[: max(height, 0)]), dimmed=trust.dimmed)


def _held(account: Account, tab: str) -> int:
    """Return how many rows a tab has."""
    if tab == "Balances":
        return len(account.balances)
    if tab == "Positions":
        return len(account.positions)
    return len(account.working_orders()) if tab == "Orders" else len(account.fills)


def _absence(account: Account | None, tab: str, trust: Trust) -> str:
    if trust.dimmed:
        return absence(trust, account.account_id if account is not None else "no account yet")
    if account is None:
        return "No trading account · name one with --account, or in the profile"
    if tab == "Balances" and not account.has_snapshot:
        return "Awaiting the account's portfolio"
    nothing = {"Balances": "No balances", "Positions": "No open positions", "Orders": "No working orders"}
    return nothing.get(tab, "No fills yet")


def titles(
    account: Account | None, tab: str, trust: Trust, *, masked: bool, width: int, others: int = 0
) -> tuple[Row, Row]:
    """Return the tabs and the account's name for the left of the border, equity and margin for its right."""
    spans: list[Span] = []
    for name in TABS:
        if spans:
            spans.append(Span(" ─ ", Role.LINE))
        count = _held(account, name) if account is not None and name in COUNTED else 0
        text = f"{name} {count}" if count else name
        spans.append(Span(text, Role.ACCENT if name == tab else Role.MUTED))
    tabs: Row = tuple(spans)
    facts = names(account) if account is not None else ["no account"]
    more = f" +{others}" if others else ""
    long, short = " · ".join(facts) + more, facts[0] + more
    state: Row = border(trust) if trust.dimmed else ()
    summary = account.summary if account is not None else None
    equity = equity_row(summary, masked=masked)
    margin = margin_row(summary)
    active: Row = (tabs[TABS.index(tab) * 2],)
    for left, name, right in (
        (tabs, long, (state, equity, margin)),
        (tabs, short, (state, equity, margin)),
        (tabs, short, (state, equity)),
        (tabs, "", (state, equity)),
        (tabs, "", (state,)),
        (active, "", (state,)),
    ):
        title = (*left, Span(" ── ", Role.LINE), Span(name, Role.TITLE)) if name else left
        trusted = _joined(right)
        if row_cells(title) + row_cells(trusted) + FRAME_ROOM <= width:
            return title, trusted
    return active, ()


def _joined(parts: tuple[Row, ...]) -> Row:
    joined: list[Span] = []
    for part in parts:
        if part and joined:
            joined.append(Span("   ", Role.LINE))
        joined += part
    return tuple(joined)
