"""The account pane: balances, positions, orders or fills of one account or of all, and equity and margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.account_balances import balances
from cadenza_tui.view.account_facts import corrected_row, equity_row, margin_row, names
from cadenza_tui.view.account_fills import fills
from cadenza_tui.view.account_frame import Frame, Options, currency_of
from cadenza_tui.view.account_orders import orders
from cadenza_tui.view.account_page import Column, hidden_words, page
from cadenza_tui.view.account_positions import is_open, positions
from cadenza_tui.view.accounts import NO_ACCOUNT, filter_spans, labels_of
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.states import absence, border
from cadenza_tui.view.text import message, row_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.account_frame import AccountMemory, Section

TABS = ("Balances", "Positions", "Orders", "Fills")
_SECTIONS = {"Balances": balances, "Positions": positions, "Orders": orders, "Fills": fills}
FRAME_ROOM = 7
"""Cells of the border's top edge that titles cannot have, counted from the body's width."""


def account(
    accounts: Sequence[Account],
    market: Market,
    *,
    width: int,
    height: int,
    now: int,
    trust: Trust,
    memory: AccountMemory,
    options: Options | None = None,
    chosen: str = "",
    tab: str = TABS[0],
    trust_of: Callable[[InstrumentId, int], Trust] | None = None,
) -> Pane:
    """Return the account pane with a body of ``width`` x ``height`` cells.

    ``chosen`` is the id of the account to show, empty for all of them; ``tab`` is one of ``TABS``. ``memory``
    holds where the pane is scrolled to and is left with what can be scrolled and pointed at.
    """
    options = options if options is not None else Options()
    held = [each for each in accounts if each.account_id == chosen] or list(accounts)
    section: Section | None = None
    if held:
        frame = Frame(
            market,
            width,
            now,
            memory,
            options,
            currency_of(held[0], options),
            frozen=trust.dimmed,
            trust_of=trust_of,
            labels=labels_of(accounts),
        )
        section = _SECTIONS[tab](frame, held)
    title, trusted = titles(
        held, tab, trust, options, width=width, others=len(accounts) - len(held), section=section
    )
    if section is None or not (section.keys or section.hidden or section.dust):
        memory.sections, memory.total_rows = [], 0
        words = _absence(held, tab, trust)
        return Pane(title, trusted, message(words, width, height), dimmed=trust.dimmed)
    body = page(frame, [[Column(width, [section], titled=False, spaced=False)]], height=height)
    return Pane(title, trusted, tuple(body[: max(height, 0)]), dimmed=trust.dimmed)


def _absence(held: Sequence[Account], tab: str, trust: Trust) -> str:
    if trust.dimmed:
        return absence(trust, held[0].account_id if len(held) == 1 else "no account yet" if not held else "")
    if not held:
        return NO_ACCOUNT
    if tab == "Balances" and not any(account.has_snapshot for account in held):
        return "Awaiting the account's portfolio"
    nothing = {"Balances": "No balances", "Positions": "No open positions", "Orders": "No working orders"}
    return nothing.get(tab, "No fills yet")


def _count(held: Sequence[Account], tab: str) -> int:
    """Return the number that stands beside a tab's name."""
    if tab == "Positions":
        return sum(is_open(each) for account in held for each in account.positions.values())
    return sum(len(account.working_orders()) for account in held) if tab == "Orders" else 0


def titles(
    held: Sequence[Account],
    tab: str,
    trust: Trust,
    options: Options,
    *,
    width: int,
    others: int = 0,
    section: Section | None = None,
) -> tuple[Row, Row]:
    """Return tabs and name for the left of the border; equity, margin and corrections for its right."""
    spans: list[Span] = []
    for name in TABS:
        if spans:
            spans.append(Span(" ─ ", Role.LINE))
        counted = _count(held, name)
        text = f"{name} {counted}" if counted else name
        spans.append(Span(text, Role.ACCENT if name == tab else Role.MUTED))
    tabs: Row = tuple(spans)
    facts = names(held[0]) if len(held) == 1 else [f"all {len(held)} accounts" if held else "no account"]
    more = f" +{others}" if others else ""
    long, short = " · ".join(facts) + more, facts[0] + more
    hidden = hidden_words(section.hidden, section.dust) if section is not None else ""
    filtered: Row = (*filter_spans(options), *([Span(hidden, Role.MUTED)] if hidden else []))
    state: Row = border(trust) if trust.dimmed else ()
    one = held[0].summary if len(held) == 1 else None
    equity, margin, corrected = equity_row(one, masked=options.masked), margin_row(one), corrected_row(held)
    if len(held) > 1 and section is not None and section.end is not None:
        equity = section.end(True)
    active: Row = (tabs[TABS.index(tab) * 2],)
    for left, name, right in (
        (tabs, long, (state, corrected, equity, margin)),
        (tabs, short, (state, corrected, equity, margin)),
        (tabs, short, (state, corrected, equity)),
        (tabs, "", (state, corrected, equity)),
        (tabs, "", (state, corrected)),
        (active, short, (state, corrected)),
        (active, "", (state, corrected)),
        (active, "", (state,)),
    ):
        title = (*left, Span(" ── ", Role.LINE), Span(name, Role.TITLE)) if name else left
        title = (*title, *filtered)
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
