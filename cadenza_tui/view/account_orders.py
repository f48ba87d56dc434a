"""Working orders: what is filled of them, how far they stand from the touch, and which belong together."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from cadenza_tui.market.exact import CONTEXT, divide, subtract
from cadenza_tui.market.records import Side
from cadenza_tui.view.account_frame import (
    Section,
    age_cell,
    instrument_cell,
    name_cell,
    price_cell,
    price_text,
    side_cell,
)
from cadenza_tui.view.account_order import ASCENDING, DESCENDING, FILTERED, chosen, matches
from cadenza_tui.view.numbers import MINUS, UNKNOWN, bps, count, exact, quantity_decimals, rounded, until
from cadenza_tui.view.rows import Role
from cadenza_tui.view.table import MASK, UNKNOWN_CELL, Cell, Heading, Line
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Order
    from cadenza_tui.view.account_frame import Frame, Key

CHILD, FIRST, MIDDLE, LAST = "└ ", "┌ ", "├ ", "└ "
DEEPEST = 4
"""From here on children stand no further in."""
EXPIRES_SOON_NS = 5 * 60_000_000_000
ORDINARY = frozenset({"ACCEPTED", "SUBMITTED", "CREATED"})
"""Statuses that an order just waits in."""
FAR_BPS = 100
"""From so many basis points on their fraction says nothing."""


class Distance(NamedTuple):
    """How far an order stands behind the best price of its side, below zero where it is better than that."""

    price: Decimal
    bps: Decimal | None
    ticks: Decimal | None
    dimmed: bool
    """Whether the book cannot be trusted as current."""


def distance(frame: Frame, order: Order) -> Distance | None:
    """Return an order's distance from the touch, None without a limit price or a book in sync."""
    price, book = order.limit_price, frame.market.books.get(order.instrument_id)
    if price is None or order.side is None or book is None or not book.has_snapshot or not book.in_sync:
        return None
    best = book.best_bid if order.side is Side.BUY else book.best_ask
    if best is None:
        return None
    touch = Decimal(best.price)
    behind = subtract(touch, price) if order.side is Side.BUY else subtract(price, touch)
    instrument = frame.market.instruments.get(order.instrument_id)
    ticks = divide(behind, instrument.tick, 1) if instrument is not None and instrument.tick else None
    trust = frame.trust_of(order.instrument_id, frame.now) if frame.trust_of is not None else None
    return Distance(behind, bps(behind, touch), ticks, trust is not None and trust.dimmed)


class Place(NamedTuple):
    """Where an order stands: what is before it, and how many are below it."""

    prefix: str = ""
    children: int = 0


def family(keys: Sequence[Key], rows: Mapping[Key, Order]) -> dict[Key, Place]:
    """Return the orders with children under their parents, and what is left of a list side by side.

    Roots keep the order of ``keys``. An order whose parent is not here is a root; several of one list stand
    together where the first of them would.
    """
    children: dict[Key, list[Key]] = {}
    lists: dict[tuple[object, str], list[Key]] = {}
    roots: list[Key] = []
    for key in keys:
        order = rows[key]
        parent = (key[0], order.parent_id)
        if order.parent_id and parent in rows:
            children.setdefault(parent, []).append(key)
        else:
            roots.append(key)
            if order.list_id:
                lists.setdefault((key[0], order.list_id), []).append(key)
    if not children and not any(len(members) > 1 for members in lists.values()):
        return dict.fromkeys(keys, Place())
    placed: dict[Key, Place] = {}
    for key in roots:
        members = lists.get((key[0], rows[key].list_id), [key]) if rows[key].list_id else [key]
        for at, member in enumerate(members):
            one = len(members) == 1
            last = at == len(members) - 1
            prefix = "" if one else FIRST if not at else LAST if last else MIDDLE
            _place(member, prefix, 0, children, placed)
    for key in keys:  # parents that go round in a circle, or are their own
        placed.setdefault(key, Place())
    return placed


def _place(
    key: Key, prefix: str, depth: int, children: Mapping[Key, list[Key]], placed: dict[Key, Place]
) -> None:
    waiting = [(key, prefix, depth)]
    while waiting:
        key, prefix, depth = waiting.pop()
        if key in placed:
            continue
        below = children.get(key, [])
        placed[key] = Place(prefix, len(below))
        inner = "  " * min(depth, DEEPEST) + CHILD
        waiting += [(child, inner, depth + 1) for child in reversed(below)]


def orders(frame: Frame, held: Sequence[Account]) -> Section:
    """Return the section of working orders, newest first as it is found."""
    rows: dict[Key, Order] = {
        (account.account_id, order.order_id): order
        for account in held
        for order in reversed(account.working_orders())
    }
    venues = {account.account_id: account.account.venue for account in held if account.account is not None}
    sort, down = chosen("orders", frame.options.sorts)
    memory = frame.memory

    def why_hidden(key: Key) -> str:
        order, account_id = rows[key], str(key[0])
        texts = (
            order.instrument_id,
            frame.labels.get(account_id, ""),
            venues.get(account_id, ""),
            order.venue,
        )
        return "" if matches(frame.options.filter, texts) else FILTERED

    arrangement = memory.arrangement("orders")
    keys = arrangement.arrange(
        rows,
        lambda key: _rank(frame, sort.name, rows[key]),
        why_hidden,
        now=frame.now,
        signature=(sort, down, frame.options.filter, len(held)),
        sort=sort,
        down=down,
        held=memory.cursor is not None and memory.cursor[0] == "orders",
    )
    places = family(keys, rows)
    named = len(held) > 1
    return Section(
        "orders",
        f"Working orders {count(len(places))}" if places else "Working orders",
        list(places),
        _headings(sort.column, down=down, named=named),
        lambda key: _line(frame, rows[key], key, places[key], named=named),
        "no working orders",
        detail=lambda key: _detail(frame, rows[key], places.get(key, Place())),
        hidden=arrangement.count(FILTERED),
    )


def _rank(frame: Frame, sort: str, order: Order) -> Any:
    if sort == "instrument":
        return order.instrument_id
    if sort == "distance":
        apart = distance(frame, order)
        return apart.bps if apart is not None else None
    if sort == "filled":
        return _share(order)
    return order.created_at or order.updated_at


def _share(order: Order) -> Decimal | None:
    """Return what is filled of an order, as a share; None where its quantity is unknown."""
    if not order.quantity:
        return None
    return CONTEXT_SHARE.divide(order.executed_quantity or Decimal(0), order.quantity)


CONTEXT_SHARE = CONTEXT.copy()
CONTEXT_SHARE.prec = 12
CONTEXT_SHARE.clear_traps()
"""A share is for a bar or two digits: it is rounded."""


def _headings(sorted_by: str, *, down: bool, named: bool) -> list[Heading]:
    glyph = DESCENDING if down else ASCENDING

    def mark(name: str) -> str:
        return glyph if name == sorted_by else ""

    return [
        *([Heading("account", 3, "text")] if named else []),
        Heading("instrument", 0, "text", mark("instrument")),
        Heading("side", 0, "text"),
        Heading("price"),
        Heading("filled / total", 1, "right"),
        Heading("%", 6, "right", mark("%")),
        Heading("to touch", 2, mark=mark("to touch")),
        Heading("ticks", 8, "right"),
        Heading("type", 5, "text"),
        Heading("status", 7, "text"),
        Heading("age", 4, "right", mark("age")),
    ]


def _line(frame: Frame, order: Order, key: Key, place: Place, *, named: bool) -> Line:
    instrument = frame.market.instruments.get(order.instrument_id)
    price = order.limit_price if order.limit_price is not None else order.stop_price
    decimals = quantity_decimals(instrument)
    filled = order.executed_quantity if order.executed_quantity is not None else Decimal(0)
    share = _share(order)
    at = order.created_at or order.updated_at
    amounts = f"{exact(filled, decimals)}/{exact(order.quantity, decimals)}"
    return Line(
        (
            *([name_cell(frame.labels.get(str(key[0]), str(key[0])))] if named else []),
            instrument_cell(order.instrument_id, place.prefix),
            side_cell(order.side),
            Cell("market", Role.MUTED)
            if price is None and order.order_type == "MARKET"
            else price_cell(price, instrument),
            Cell(f"{MASK}/{MASK}", Role.MUTED) if frame.masked else Cell(amounts, Role.OWN),
            UNKNOWN_CELL if share is None else Cell(f"{min(share, Decimal(1)):.0%}", Role.MUTED),
            *distance_cells(distance(frame, order)),
            _type_cell(order, frame.now),
            Cell(
                safe(order.status.lower()).replace("_", " "),
                Role.MUTED if order.status in ORDINARY else Role.TEXT,
            ),
            age_cell(None if at is None else frame.now - at),
        )
    )


def distance_cells(apart: Distance | None) -> tuple[Cell, Cell]:
    """Return the distance in basis points and in ticks; fainter where the book is stale."""
    if apart is None or apart.bps is None:
        return UNKNOWN_CELL, UNKNOWN_CELL
    role = Role.FAINT if apart.dimmed else Role.TEXT
    near = abs(apart.bps) < FAR_BPS
    shown = rounded(apart.bps, 1) if near else rounded(apart.bps, 0)
    ticks = UNKNOWN if apart.ticks is None else rounded(apart.ticks, 0)
    return (
        Cell(shown if any(c in "123456789" for c in shown) else "0", role, " bps", Role.FAINT),
        Cell(ticks if ticks != f"{MINUS}0" else "0", Role.FAINT if apart.dimmed else Role.MUTED),
    )


def _type_cell(order: Order, now: int) -> Cell:
    """Return the order's type and its time in force; of one that is good till a date, which."""
    type_ = safe(f"{order.order_type} {order.time_in_force}".strip().lower().replace("_", " "))
    if order.expire_at is None:
        return Cell(type_, Role.MUTED)
    soon = order.expire_at - now < EXPIRES_SOON_NS
    return Cell(type_, Role.MUTED, f" {until(order.expire_at, now)}", Role.WARN if soon else Role.MUTED)


def _detail(frame: Frame, order: Order, place: Place) -> str:
    instrument = frame.market.instruments.get(order.instrument_id)
    parts = [safe(order.instrument_id), safe(order.status.lower()).replace("_", " ")]
    for word, price in (("stop", order.stop_price), ("filled at", order.executed_price)):
        if price is not None:
            parts.append(f"{word} {price_text(price, instrument)}")
    if order.executed_cost:
        parts.append(f"cost {MASK if frame.masked else exact(order.executed_cost)}")
    if place.children:
        parts.append(f"{place.children} child{'ren' if place.children > 1 else ''}")
    if order.created_at is not None:
        parts.append(f"since {until(order.created_at, frame.now)}")
    if order.expire_at is not None:
        parts.append(f"until {until(order.expire_at, frame.now)}")
    for word, text in (
        ("", order.reason), ("list", order.list_id), ("parent", order.parent_id),
        ("id", order.order_id), ("client id", order.client_order_id),
    ):  # fmt: skip
        if text:
            parts.append(f"{word} {safe(text)}".strip())
    return " · ".join(parts)
