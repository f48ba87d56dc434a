"""What all tables of the account panes share: the frame they are made for, what they remember, cells."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cadenza_tui.market import valuation
from cadenza_tui.market.exact import add
from cadenza_tui.market.records import Side
from cadenza_tui.view.account_order import Arrangement
from cadenza_tui.view.numbers import (
    UNKNOWN,
    exact,
    money_decimals,
    plain,
    price_decimals,
    quantity_decimals,
    quiet_age,
    rounded,
    signed,
    significant_decimals,
)
from cadenza_tui.view.rows import Role, Row
from cadenza_tui.view.table import (
    UNKNOWN_CELL,
    ZERO_CELL,
    Cell,
    Heading,
    Line,
    TableWidths,
    number_cell,
)
from cadenza_tui.view.text import clip, safe

if TYPE_CHECKING:
    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import Balance, Instrument, InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust
    from cadenza_tui.market.valuation import Total, Valuation

MARKED_NS = 1_500_000_000
"""How long a number that has changed is marked."""
OLD_NS = 15 * 60_000_000_000
"""From this age on what should have been confirmed every few minutes is old."""
MARK = "•"
DEFAULT_CURRENCY = "USDT"
LONGEST_NAME = 24
AGE = 4
"""Cells of an age: ``55 m``."""

Key: TypeAlias = tuple[Hashable, ...]
"""What a row is known by from frame to frame; it begins with the account's id, where it is of one."""


class Options(NamedTuple):
    """What the user has chosen. ``currency`` is empty for each account's own; ``filter`` is as typed."""

    currency: str = ""
    sorts: Mapping[str, str] = {}
    hide_dust: bool = False
    filter: str = ""
    masked: bool = False


@dataclass(slots=True)
class AccountMemory:
    """What an account pane remembers from frame to frame."""

    tables: TableWidths = field(default_factory=TableWidths)
    arrangements: dict[str, Arrangement] = field(default_factory=dict)
    """The order of the rows, by table."""
    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    worths: dict[str, Worth] = field(default_factory=dict)
    """What accounts are worth of which the venue does not say it, by id."""
    first: int = 0
    """The first row of the document that is in sight."""
    cursor: tuple[str, Key] | None = None
    """The table and the row that are pointed at."""
    cursor_at: int = 0
    """Where in its table that row was last seen."""
    visible: list[tuple[str, Key]] = field(default_factory=list)
    """The rows that the last frame had in sight."""
    spots: list[tuple[int, range, tuple[str, Key]]] = field(default_factory=list)
    """Where they are: the row and the cells of the pane's body."""
    moved: bool = False
    """Whether the cursor has moved since the last frame: it is brought into sight then."""
    sections: list[Section] = field(default_factory=list)
    """The tables of the last frame, in their order."""
    total_rows: int = 0
    """Rows that the last frame's document had: how far it can be scrolled."""
    room: int = 0
    """How many of them were in sight."""

    @property
    def focused(self) -> str:
        """The table that keys are for: the cursor's, else that of the balances, else the first one."""
        if self.cursor is not None:
            return self.cursor[0]
        names = [section.name for section in self.sections]
        return next((name for name in names if name in ("balances", "totals")), names[0] if names else "")

    def arrangement(self, name: str) -> Arrangement:
        """Return the order of a table's rows."""
        return self.arrangements.setdefault(name, Arrangement())


class Worth(NamedTuple):
    """What an account is worth: when it was found, in which currency, by which state of the account."""

    at: int
    currency: str
    version: int
    total: Total | None


class Change(NamedTuple):
    """A balance as it was last looked at: when it had changed, its amounts, and which had changed then."""

    at: int
    balance: Balance
    fields: frozenset[str] = frozenset()


class Frame(NamedTuple):
    """What all tables of one frame share."""

    market: Market
    width: int
    now: int
    memory: AccountMemory
    options: Options
    currency: str
    frozen: bool = False
    """Nothing is marked as changed: the content is not current."""
    trust_of: Callable[[InstrumentId, int], Trust] | None = None
    """How far an instrument's book can be trusted; without it a book is trusted if it is in sync."""
    labels: Mapping[str, str] = {}
    """The accounts' names by id."""

    @property
    def masked(self) -> bool:
        """Whether no amount may be seen."""
        return self.options.masked

    def worth(self, asset: str, quantity: Decimal, venue: str = "") -> Valuation:
        """Return what a quantity is worth in the frame's currency."""
        return valuation.value(asset, quantity, self.currency, self.market, now=self.now, venue=venue)


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a pane: which rows there are, and how each is made when it is in sight.

    ``end`` stands at the right of the title; it is asked whether that has to be short. ``detail`` says of a
    row what its columns have no room for.
    """

    name: str
    title: str
    keys: Sequence[Key]
    headings: Sequence[Heading]
    line: Callable[[Key], Line]
    empty: str
    end: Callable[[bool], Row] | None = None
    detail: Callable[[Key], str] | None = None
    hidden: int = 0
    """Rows that the filter hides."""
    dust: int = 0
    """Rows that are hidden as dust."""


def currency_of(account: Account | None, options: Options) -> str:
    """Return the chosen currency, else the one that the account is valued in."""
    if options.currency:
        return options.currency
    summary = account.summary if account is not None else None
    return summary.currency if summary is not None and summary.currency else DEFAULT_CURRENCY


def total_of(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Return the exact sum of what is known; None where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return add(*known) if known else None


# --- cells


def value_cell(worth: Valuation | None, currency: str, *, masked: bool) -> Cell:
    """Return a value rounded to the currency's decimals; ``~`` marks one by a price that is stale."""
    if worth is None or worth.value is None:
        return UNKNOWN_CELL
    if not worth.value:
        return ZERO_CELL if not masked else number_cell("0", masked=True)
    decimals = money_decimals(currency)
    shown = rounded(worth.value, decimals)
    cell = number_cell(shown, masked=masked)
    if cell is ZERO_CELL:
        sign = "−" if worth.value < 0 else ""
        cell = Cell(f"{sign}<{rounded(Decimal(1).scaleb(-decimals), decimals)}", Role.MUTED)
    return cell._replace(tail="~" if worth.stale else " ", tail_role=Role.WARN)  # in both cases as wide


def change_cell(change: Decimal | None, *, masked: bool, decimals: int | None = None) -> Cell:
    """Return a signed amount in the colour of its direction."""
    if change is None:
        return UNKNOWN_CELL
    role = Role.BID if change > 0 else Role.ASK
    return number_cell(signed(change, decimals), role=role, masked=masked)


def age_cell(age_ns: int | None, *, old: bool = False) -> Cell:
    """Return an age in few steps, amber where it is ``old``; a dot for less than a minute."""
    if age_ns is None:
        return UNKNOWN_CELL
    shown = quiet_age(age_ns)
    return Cell(shown.rjust(AGE), Role.WARN if old else Role.FAINT if shown == "·" else Role.MUTED)


def name_cell(text: str) -> Cell:
    """Return an account's name."""
    return Cell(clip(safe(text), LONGEST_NAME), Role.MUTED)


def instrument_cell(instrument_id: str, prefix: str = "") -> Cell:
    """Return an instrument as its symbol with the beginning of its venue."""
    venue, _, symbol = instrument_id.partition(":")
    if not symbol:
        return Cell(prefix + safe(instrument_id), Role.STRONG)
    return Cell(prefix + safe(symbol), Role.STRONG, " " + clip(safe(venue), 3, mark=""))


def side_cell(side: Side | str | None) -> Cell:
    """Return a side or a direction with its glyph."""
    text = str(side.value if isinstance(side, Side) else side or "")
    if text in ("BUY", "LONG"):
        return Cell(f"▲ {text.lower()}", Role.BID)
    if text in ("SELL", "SHORT"):
        return Cell(f"▼ {text.lower()}", Role.ASK)
    return Cell(f"· {safe(text.lower())}" if text else UNKNOWN, Role.MUTED)


def price_cell(price: Decimal | None, instrument: Instrument | None) -> Cell:
    """Return a price in its instrument's decimals."""
    return UNKNOWN_CELL if price is None else number_cell(price_text(price, instrument))


def price_text(price: Decimal, instrument: Instrument | None) -> str:
    """Return a price in its instrument's decimals, else in as many as it needs."""
    decimals = price_decimals(instrument)
    return exact(price, decimals if decimals is not None else significant_decimals(plain(price)))


def quantity_cell(quantity: Decimal | None, instrument: Instrument | None, *, masked: bool) -> Cell:
    """Return a quantity in its instrument's decimals."""
    return number_cell(exact(quantity, quantity_decimals(instrument)), masked=masked)
