"""The Account view: all accounts and what they hold together, or one of them in full."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cadenza_tui.view.account_balances import balances
from cadenza_tui.view.account_facts import (
    corrected_row,
    equity_row,
    fact_rows,
    names,
    reconciled_row,
    summary_facts,
)
from cadenza_tui.view.account_fills import fills
from cadenza_tui.view.account_frame import Frame, Options, currency_of
from cadenza_tui.view.account_orders import orders
from cadenza_tui.view.account_overview import overview
from cadenza_tui.view.account_page import COLUMN_GAP, Band, Column, hidden_words, page
from cadenza_tui.view.account_positions import positions
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.states import absence, border
from cadenza_tui.view.text import blank, clip, message, row_cells, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.view.account_frame import AccountMemory, Section

TWO_COLUMNS = 168
TIGHT = 14
"""Below so many rows the balances come first and nothing is spent on blanks."""
NARROW = 60
SUMMARY_ROWS = 4
SHORT_NAME = 16
FRAME_ROOM = 7
"""Cells of the border's top edge that titles cannot have, counted from the body's width."""
LONGEST_FILTER = 24
NO_ACCOUNT = "No trading account · name one with --account, or in the profile"


def labels_of(accounts: Sequence[Account]) -> dict[str, str]:
    """Return the accounts' names by id; where two have one name, with the venue, or else the id instead."""
    labels = {account.account_id: names(account)[0] for account in accounts}
    for account in _alike(accounts, labels):
        labels[account.account_id] = " ".join(names(account)[:2])
    for account in _alike(accounts, labels):
        labels[account.account_id] = safe(account.account_id)
    return labels


def _alike(accounts: Sequence[Account], labels: dict[str, str]) -> list[Account]:
    counted = Counter(labels.values())
    return [account for account in accounts if counted[labels[account.account_id]] > 1]


def account_view(
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
    trust_of: Callable[[InstrumentId, int], Trust] | None = None,
) -> Pane:
    """Return the Account view with a body of ``width`` x ``height`` cells.

    ``chosen`` is the id of the account to show, empty for all of them. ``memory`` holds where it is scrolled
    to and is left with what can be scrolled and pointed at.
    """
    options = options if options is not None else Options()
    held = [account for account in accounts if account.account_id == chosen] or list(accounts)
    if not held or (trust.dimmed and not any(account.known or account.orders for account in held)):
        memory.sections, memory.total_rows = [], 0
        words = absence(trust, "no account yet") if trust.dimmed else NO_ACCOUNT
        title = _title(accounts, held, options, tight=False) if held else (Span("Accounts", Role.TITLE),)
        state = border(trust) if trust.dimmed else ()
        return Pane(title, state, message(words, width, height), dimmed=trust.dimmed)
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
    tight = height < TIGHT or width < NARROW
    sections = _sections(frame, held, tight=tight)
    body = page(frame, _bands(frame, held, sections, tight=tight), height=height)
    title = _title(accounts, held, options, tight=tight)
    if tight or len(held) > 1:  # the border is the first table's title
        title = (*title, Span(hidden_words(sections[0].hidden, sections[0].dust), Role.MUTED))
    ends = _ends(frame, held, sections, trust, tight=tight)
    return Pane(title, _fitting(title, ends, width), tuple(body[: max(height, 0)]), dimmed=trust.dimmed)


def _sections(frame: Frame, held: Sequence[Account], *, tight: bool) -> list[Section]:
    made = [balances(frame, held), positions(frame, held), orders(frame, held), fills(frame, held)]
    if len(held) > 1:
        made.insert(1 if tight else 0, overview(frame, held))
    return made


def _bands(frame: Frame, held: Sequence[Account], sections: list[Section], *, tight: bool) -> list[Band]:
    width = frame.width
    if tight:
        return [[Column(width, sections, headless=True, spaced=False)]]
    top = _summary(frame, held, width)
    several = len(held) > 1
    if width < TWO_COLUMNS:
        return [[Column(width, sections, top, headless=several)]]
    half = (width - COLUMN_GAP) // 2
    left = [section for section in sections if section.name in ("positions", "fills")]
    right = [section for section in sections if section.name == "orders"]
    whole = [section for section in sections if section not in left and section not in right]
    return [
        [Column(width, whole, top, headless=several)],
        [Column(half, left), Column(width - COLUMN_GAP - half, right)],
    ]


def _summary(frame: Frame, held: Sequence[Account], width: int) -> list[Row]:
    """Return the summary of one account; nothing where there are several."""
    facts = summary_facts(held[0].summary, masked=frame.masked) if len(held) == 1 else []
    if not facts:
        return []
    rows = fact_rows(facts, width, rows=SUMMARY_ROWS, widths=frame.memory.tables)
    return [*rows, (Span(blank(width)),)]


def _title(accounts: Sequence[Account], held: Sequence[Account], options: Options, *, tight: bool) -> Row:
    """Return what the view shows: ``Account · Market making · BINANCE · MARGIN · 1 of 2``."""
    if tight:
        spans = [
            Span(f"All {len(held)}" if len(held) > 1 else clip(names(held[0])[0], SHORT_NAME), Role.TITLE)
        ]
    elif len(held) > 1:
        spans = [Span("Accounts", Role.TITLE), Span(f" · all {len(held)}", Role.TITLE)]
    else:
        spans = [Span("Account", Role.TITLE), Span(" · " + " · ".join(names(held[0])), Role.TITLE)]
        if len(accounts) > 1:
            at = [account.account_id for account in accounts].index(held[0].account_id)
            spans.append(Span(f" · {at + 1} of {len(accounts)}", Role.MUTED))
    return (*spans, *filter_spans(options))


def filter_spans(options: Options) -> Row:
    """Return that a filter is on, and which."""
    if not options.filter.strip():
        return ()
    return (Span(f" · filter {clip(safe(options.filter), LONGEST_FILTER)}", Role.ACCENT),)


def _ends(
    frame: Frame, held: Sequence[Account], sections: Sequence[Section], trust: Trust, *, tight: bool
) -> list[Row]:
    """Return what stands at the right of the border, the most wanted first."""
    ends: list[Row] = [border(trust)] if trust.dimmed else []
    ends.append(corrected_row(held))
    if tight:
        ends += [section.end(True) for section in sections if section.end is not None]
    memory = frame.memory
    if memory.total_rows > memory.room:
        last = min(memory.first + memory.room, memory.total_rows)
        ends.append((Span(f"rows {memory.first + 1}–{last} of {memory.total_rows}", Role.TITLE),))
    if len(held) == 1:
        if tight:
            ends.append(equity_row(held[0].summary, masked=frame.masked))
        ends.append(reconciled_row(held[0], frame.now))
    return [end for end in ends if end]


def _fitting(title: Row, ends: Sequence[Row], width: int) -> Row:
    """Return the parts for which the border has room, joined."""
    room = width - FRAME_ROOM - row_cells(title)
    row: list[Span] = []
    for at, end in enumerate(ends):
        gap = 3 if row else 0
        if at and row_cells(row) + gap + row_cells(end) > room:
            continue
        if row:
            row.append(Span(" · ", Role.TITLE))
        row += end
    return tuple(row)
