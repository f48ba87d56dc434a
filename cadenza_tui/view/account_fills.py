"""The latest fills."""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from cadenza_tui.view.account_frame import (
    Section,
    instrument_cell,
    name_cell,
    price_cell,
    quantity_cell,
    side_cell,
)
from cadenza_tui.view.account_order import ASCENDING, DESCENDING, FILTERED, chosen, matches
from cadenza_tui.view.numbers import UNKNOWN, exact, tape_time, until
from cadenza_tui.view.rows import Role
from cadenza_tui.view.table import MASK, Cell, Heading, Line, number_cell
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.fills import Fill
    from cadenza_tui.view.account_frame import Frame, Key

LATEST = 200
"""Fills that a frame has of all the accounts together: there may be a thousand of each."""


def fills(frame: Frame, held: Sequence[Account]) -> Section:
    """Return the section of the latest fills, newest first."""
    rows: dict[Key, Fill] = {}
    latest = merge(*(_timed(account) for account in held), key=lambda timed: -timed[0])
    for _, account_id, fill in islice(latest, LATEST):
        one = fill.execution
        key: Key = (account_id, one.execution_id or (fill.order_id, one.executed_at, one.price, one.quantity))
        rows[key] = fill
    venues = {account.account_id: account.account.venue for account in held if account.account is not None}
    sort, down = chosen("fills", frame.options.sorts)
    memory = frame.memory

    def why_hidden(key: Key) -> str:
        texts = (
            rows[key].execution.instrument_id,
            frame.labels.get(str(key[0]), ""),
            venues.get(str(key[0]), ""),
        )
        return "" if matches(frame.options.filter, texts) else FILTERED

    arrangement = memory.arrangement("fills")
    keys = arrangement.arrange(
        rows,
        lambda key: (
            rows[key].execution.instrument_id
            if sort.name == "instrument"
            else rows[key].execution.executed_at
        ),
        why_hidden,
        now=frame.now,
        signature=(sort, down, frame.options.filter, len(held)),
        sort=sort,
        down=down,
        held=memory.cursor is not None and memory.cursor[0] == "fills",
    )
    named = len(held) > 1
    return Section(
        "fills",
        "Latest fills",
        keys,
        _headings(sort.column, down=down, named=named),
        lambda key: _line(frame, rows[key], key, named=named),
        "no fills yet",
        detail=lambda key: _detail(frame, rows[key]),
        hidden=arrangement.count(FILTERED),
    )


def _timed(account: Account) -> Iterator[tuple[int, str, Fill]]:
    for fill in account.fills:
        yield fill.execution.executed_at or 0, account.account_id, fill


def _headings(sorted_by: str, *, down: bool, named: bool) -> list[Heading]:
    glyph = DESCENDING if down else ASCENDING
    return [
        Heading("time", 0, "text", glyph if sorted_by == "time" else ""),
        *([Heading("account", 2, "text")] if named else []),
        Heading("instrument", 0, "text", glyph if sorted_by == "instrument" else ""),
        Heading("side", 0, "text"),
        Heading("price", 1),
        Heading("quantity"),
        Heading("cost", 3),
        Heading("fee", 4, "right"),
    ]


def _line(frame: Frame, fill: Fill, key: Key, *, named: bool) -> Line:
    one = fill.execution
    instrument = frame.market.instruments.get(one.instrument_id)
    fee = " + ".join(f"{MASK if frame.masked else exact(fee.quantity)} {safe(fee.asset)}" for fee in one.fees)
    return Line(
        (
            Cell(tape_time(one.executed_at), Role.MUTED),
            *([name_cell(frame.labels.get(str(key[0]), str(key[0])))] if named else []),
            instrument_cell(one.instrument_id),
            side_cell(one.side),
            price_cell(one.price, instrument),
            quantity_cell(one.quantity, instrument, masked=frame.masked),
            number_cell(exact(one.cost), masked=frame.masked),
            Cell(fee or UNKNOWN, Role.MUTED if fee else Role.FAINT),
        )
    )


def _detail(frame: Frame, fill: Fill) -> str:
    one = fill.execution
    parts = [safe(one.instrument_id), f"filled {until(one.executed_at, frame.now)}"]
    if one.venue:
        parts.append(safe(one.venue))
    parts += [
        f"execution {safe(one.execution_id)}" if one.execution_id else "",
        f"order {safe(fill.order_id)}",
    ]
    return " · ".join(part for part in parts if part)
