"""Balances: of one account, or by asset over several."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import valuation
from cadenza_tui.market.exact import add, subtract
from cadenza_tui.view.account_frame import (
    MARK,
    MARKED_NS,
    Change,
    Section,
    age_cell,
    change_cell,
    total_of,
    value_cell,
)
from cadenza_tui.view.account_order import ASCENDING, DESCENDING, DUST, FILTERED, chosen, matches
from cadenza_tui.view.numbers import UNKNOWN, age, exact, money_decimals, quiet_age, rounded
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.table import MASK, Cell, Heading, Line, number_cell
from cadenza_tui.view.text import clip, safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Balance
    from cadenza_tui.market.valuation import Valuation
    from cadenza_tui.view.account_frame import Frame, Key

AMOUNTS = ("total", "free", "locked", "frozen", "borrowed", "net")
"""The columns of amounts, by the field's name."""
WANTED = {"total": 0, "free": 2, "locked": 6, "frozen": 9, "borrowed": 8, "net": 10}
SIDE_BY_SIDE = 4
"""At most so many accounts get a column each among the totals."""
NAMED = 2
"""How many assets are named that a total leaves out; the others are counted."""
LONGEST_ASSET = 16


class Entry(NamedTuple):
    """A balance and the account that it is of."""

    account: Account
    balance: Balance


class Asset(NamedTuple):
    """What a row is made of: the entries that it sums up, one where it is a balance of one account."""

    name: str
    entries: tuple[Entry, ...]

    def amount(self, field: str) -> Decimal | None:
        """Return the exact sum of a field, of what is known of it."""
        if len(self.entries) == 1:
            amount: Decimal | None = getattr(self.entries[0].balance, field)
            return amount
        return total_of([getattr(entry.balance, field) for entry in self.entries])

    def change(self, *, day: bool) -> Decimal | None:
        """Return the sum of the changes of the session, or of the day; None while one of them is unknown."""
        changes = [
            entry.account.day_change(entry.balance.key)
            if day
            else entry.account.session_change(entry.balance.key)
            for entry in self.entries
        ]
        known = [change for change in changes if change is not None]
        return add(*known) if known and len(known) == len(changes) else None

    @property
    def net(self) -> Decimal | None:
        """The total without what is borrowed."""
        total, borrowed = self.amount("total"), self.amount("borrowed")
        return subtract(total, borrowed) if total is not None and borrowed else total

    @property
    def venue(self) -> str:
        """The venue that all of it is on, nothing where there are several."""
        venues = {entry.account.account.venue for entry in self.entries if entry.account.account is not None}
        return next(iter(venues)) if len(venues) == 1 else ""


def assets_of(held: Sequence[Account]) -> dict[Key, Asset]:
    """Return the rows: a balance each of one account, or an asset each over several."""
    if len(held) == 1:
        account = held[0]
        return {
            (account.account_id, key): Asset(balance.asset, (Entry(account, balance),))
            for key, balance in account.balances.items()
        }
    by_name: dict[str, list[Entry]] = {}
    for account in held:
        for balance in account.balances.values():
            by_name.setdefault(balance.asset, []).append(Entry(account, balance))
    return {("", name): Asset(name, tuple(entries)) for name, entries in by_name.items()}


def balances(frame: Frame, held: Sequence[Account]) -> Section:
    """Return the section of balances: of one account, or the totals by asset over several."""
    name = "balances" if len(held) == 1 else "totals"
    rows = assets_of(held)
    worths = _Worths(frame, rows)
    sort, down = chosen(name, frame.options.sorts)
    memory = frame.memory
    keys = memory.arrangement(name).arrange(
        rows,
        lambda key: _rank(sort.name, rows[key], key, worths),
        lambda key: _why_hidden(frame, rows[key], key, worths),
        now=frame.now,
        signature=(sort, down, frame.options.filter, frame.options.hide_dust, frame.currency, len(held)),
        sort=sort,
        down=down,
        held=memory.cursor is not None and memory.cursor[0] == name,
    )
    arrangement = memory.arrangement(name)

    def shown() -> dict[Key, Asset]:
        """Return what the filter lets through, dust included: that is what the total is of."""
        return {key: row for key, row in rows.items() if arrangement.hidden.get(key) != FILTERED}

    each = list(held) if 1 < len(held) <= SIDE_BY_SIDE else []
    return Section(
        name,
        "Balances" if len(held) == 1 else "Totals by asset",
        keys,
        headings(frame, each, sort.column, down=down),
        lambda key: _line(frame, rows[key], key, worths, each),
        "no balances yet" if any(not account.has_snapshot for account in held) else "no balances",
        end=lambda short: total_row(frame, shown(), worths, short=short),
        detail=lambda key: _detail(frame, rows[key], key, worths),
        hidden=arrangement.count(FILTERED),
        dust=arrangement.count(DUST),
    )


class _Worths:
    """The values of the rows, each found once a frame and only when it is asked for."""

    def __init__(self, frame: Frame, rows: Mapping[Key, Asset]) -> None:
        self._frame = frame
        self._rows = rows
        self._known: dict[Key, Valuation | None] = {}

    def __call__(self, key: Key) -> Valuation | None:
        """Return what a row's total is worth, None where the total is unknown."""
        if key not in self._known:
            row = self._rows[key]
            total = row.amount("total")
            self._known[key] = None if total is None else self._frame.worth(row.name, total, row.venue)
        return self._known[key]


def _rank(sort: str, row: Asset, key: Key, worths: _Worths) -> object:
    if sort == "asset":
        return row.name
    if sort == "total":
        return row.amount("total")
    if sort in ("session", "day"):
        return row.change(day=sort == "day")
    worth = worths(key)
    return worth.value if worth is not None else None


def _why_hidden(frame: Frame, row: Asset, key: Key, worths: _Worths) -> str:
    filter_ = frame.options.filter
    if filter_:
        texts = [row.name]
        for account, _ in row.entries:
            texts += [label_of(frame, account)]
            texts += [account.account.venue] if account.account is not None else []
        if not matches(filter_, texts):
            return FILTERED
    return DUST if frame.options.hide_dust and is_dust(frame, row, key, worths) else ""


def is_dust(frame: Frame, row: Asset, key: Key, worths: _Worths) -> bool:
    """Return whether a row is nothing, or worth less than one unit of money: a hundred yen, 0.00001 BTC."""
    total = row.amount("total")
    if total is None or row.amount("borrowed"):
        return False
    if not total:
        return not any(row.amount(field) for field in AMOUNTS)
    worth = worths(key)
    if worth is None or worth.value is None:
        return False
    decimals = money_decimals(frame.currency)
    least = {0: 100, 2: 1}.get(decimals)
    if least is not None:
        return abs(worth.value) < least
    return abs(worth.value).scaleb(decimals) < 1_000


def headings(frame: Frame, each: Sequence[Account], sorted_by: str, *, down: bool) -> list[Heading]:
    """Return the columns, each with how soon it is given up."""
    glyph = DESCENDING if down else ASCENDING

    def mark(name: str) -> str:
        return glyph if name == sorted_by else ""

    return [
        Heading("asset", 0, "text", mark("asset")),
        *(Heading(name, WANTED[name], mark=mark(name) if name == "total" else None) for name in AMOUNTS),
        Heading(f"value {clip(safe(frame.currency), 8)}", 0, mark=mark("value")),
        Heading("Δ session", 4, mark=mark("Δ session")),
        Heading("Δ day", 5, mark=mark("Δ day")),
        *(Heading(clip(label_of(frame, account), LONGEST_ASSET), 7) for account in each),
        Heading("age", 3, "right"),
        Heading("by price of", 11, "text"),
    ]


def _line(frame: Frame, row: Asset, key: Key, worths: _Worths, each: Sequence[Account]) -> Line:
    masked = frame.masked
    changed = changes(frame, row)
    cells = [Cell(clip(safe(row.name), LONGEST_ASSET), Role.STRONG, *_status(row))]
    for field in AMOUNTS:
        role = Role.STRONG if field in changed else Role.TEXT
        cells.append(number_cell(exact(row.amount(field)), role=role, masked=masked))
    worth = worths(key)
    cells += [
        value_cell(worth, frame.currency, masked=masked),
        change_cell(row.change(day=False), masked=masked),
        change_cell(row.change(day=True), masked=masked),
    ]
    for account in each:
        own = [entry.balance.total for entry in row.entries if entry.account is account]
        cells.append(number_cell(exact(total_of(own)) if own else UNKNOWN, masked=masked))
    at = [when for entry in row.entries if (when := _when(entry)) is not None]
    cells.append(age_cell(frame.now - max(at) if at else None, old=frame.frozen))
    cells.append(_path_cell(worth))
    return Line(tuple(cells), MARK if changed else "")


def _status(row: Asset) -> tuple[str, Role]:
    other = next((e.balance.status for e in row.entries if e.balance.status not in ("ACTIVE", "")), "")
    return (" " + safe(other.lower()) if other else ""), Role.WARN


def _when(entry: Entry) -> int | None:
    return entry.balance.updated_at or entry.account.changed_at.get(entry.balance.key)


def changes(frame: Frame, row: Asset) -> set[str]:
    """Return the amounts that have changed a moment ago; being there for the first time is no change."""
    changed: set[str] = set()
    seen = frame.memory.changes
    for account, balance in row.entries:
        at = account.changed_at.get(balance.key, 0)
        place = (account.account_id, balance.key)
        before = seen.get(place)
        if before is None:
            seen[place] = Change(at, balance)
            continue
        if before.at != at:
            fields = {name for name in AMOUNTS if getattr(before.balance, name) != getattr(balance, name)}
            before = seen[place] = Change(at, balance, frozenset(fields))
        if before.fields and not frame.frozen and 0 <= frame.now - at < MARKED_NS:
            changed |= before.fields
    return changed


def _path_cell(worth: Valuation | None) -> Cell:
    if worth is None or not worth.legs:
        return Cell("", Role.FAINT)
    return Cell(safe(valuation.path_text(worth)), Role.FAINT)


# --- the total


def total_row(frame: Frame, rows: Mapping[Key, Asset], worths: _Worths, *, short: bool = False) -> Row:
    """Return what all of it is worth without loans, and which assets have no price and are left out.

    A ``short`` one says by ``+`` that some are.
    """
    parts: list[tuple[str, Valuation]] = []
    loans = False
    for key, row in rows.items():
        worth = worths(key)
        if worth is not None and row.net is not None and row.amount("borrowed"):
            worth = frame.worth(row.name, row.net, row.venue)
            loans = True
        if worth is None:
            parts.append((row.name, valuation.Valuation(None)))
        elif worth.value is not None or row.amount("total"):
            parts.append((row.name, worth))
    if not parts:
        return ()
    total = valuation.total(parts)
    spans = [
        Span(
            MASK if frame.masked else rounded(total.value, money_decimals(frame.currency)),
            Role.MUTED if frame.masked or total.value is None else Role.STRONG,
        ),
        Span("+" if short and total.missing else "", Role.MUTED),
        Span("~" if total.stale else "", Role.WARN),
        Span(f" {clip(safe(frame.currency), 8)}", Role.MUTED),
        Span("" if short else " net of loans" * loans + left_out(total.missing), Role.MUTED),
    ]
    return tuple(span for span in spans if span.text)


def left_out(missing: Sequence[str]) -> str:
    """Return the assets that a total is without: `` · without PEPE, WIF, 3 more``."""
    if not missing:
        return ""
    names = [clip(safe(name), LONGEST_ASSET) for name in missing[:NAMED]]
    more = [f"{len(missing) - NAMED} more"] if len(missing) > NAMED else []
    return " · without " + ", ".join([*names, *more])


# --- the row that is pointed at


def _detail(frame: Frame, row: Asset, key: Key, worths: _Worths) -> str:
    """Return how the value of a row comes about, and what its columns may have had no room for."""
    worth = worths(key)
    parts = [safe(row.name)]
    if worth is not None:
        parts.append(price_words(frame, worth, row.name))
    if len(row.entries) > 1:
        parts.append(", ".join(_share(frame, entry) for entry in row.entries))
    else:
        balance = row.entries[0].balance
        for field in (*AMOUNTS, "interest_owed"):
            amount = getattr(balance, field)
            if amount:
                word = field.replace("_", " ")
                parts.append(f"{word} {MASK if frame.masked else exact(amount)}")
        parts += [safe(text.lower()) for text in (balance.asset_type, balance.status) if text]
    return " · ".join(part for part in parts if part)


def label_of(frame: Frame, account: Account) -> str:
    """Return what an account is called."""
    return frame.labels.get(account.account_id, safe(account.account_id))


def _share(frame: Frame, entry: Entry) -> str:
    """Return what one account has of an asset: ``Treasury OKX 2.10000000``."""
    account, balance = entry
    label = label_of(frame, account)
    venue = f" {safe(account.account.venue)}" if account.account is not None and account.account.venue else ""
    return f"{label}{venue} {MASK if frame.masked else exact(balance.total)}"


def price_words(frame: Frame, worth: Valuation, asset: str) -> str:
    """Return the prices that a value was made by, how old they are, and why they are stale."""
    if worth.value is None:
        return worth.reason
    if not worth.legs:
        return "the currency itself" if asset == frame.currency else ""
    words: list[str] = []
    for leg in worth.legs:
        market = frame.market
        book = market.books.get(leg.instrument_id)
        ticker = market.tickers.get(leg.instrument_id)
        at = max(book.timestamp if book is not None else 0, ticker.timestamp if ticker is not None else 0)
        old = frame.now - at
        since = (quiet_age(old) if old >= 60_000_000_000 else "") if not leg.stale else age(old)
        over = "1/" if leg.inverse else ""
        words.append(
            f"{over}{safe(leg.instrument_id)} {exact(leg.price)}"
            + (f" {since} old" if at and since else "")
            + (f" stale: {safe(leg.reason)}" if leg.stale else "")
        )
    return "~ " * worth.stale + " × ".join(words)
