"""What stands under or beside the prints: the sums over a window, or over every window as a table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.tally import ALL, WINDOWS
from cadenza_tui.view.numbers import MINUS, SECOND, UNKNOWN, age, clock, fitted, rate, rounded, short
from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import blank, fit_row, row_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.tally import Tally, Window

WORDS = {"10s": "10 s", "1m": "1 m", "5m": "5 m", "15m": "15 m", "1h": "1 h", ALL: "all"}
ABOUT = "≈"
"""Before a sum over a stretch in which prints are missing."""
RATE, RATE_DECIMALS = "/s", 18
SUM, LEAST_SUM = 10, 7
"""Cells of a sum, and where there is little room."""
AROUND = 15
"""Cells of words and blanks around a sum and a price that stand side by side."""
LEAST_TABLE = 46
TABLE_ROWS = 2 + len(WINDOWS)


@dataclass(slots=True)
class FigureMemory:
    """What the figures remember from frame to frame: decimals that only become fewer, and the slow ones."""

    decimals: int = 20
    key: tuple[object, ...] = ()
    at: int = -1
    """When the figures were last looked at."""
    slow: tuple[Row, ...] = ()


class Sums(NamedTuple):
    """The sums over the chosen window and over everything, and how many decimals they are shown in."""

    name: str
    window: Window | None
    total: Window | None
    decimals: int
    """Of quantities."""
    places: int
    """Of prices."""
    cells: int
    """Of a quantity."""


class Figures(NamedTuple):
    """The texts of one window."""

    label: str
    bought: str
    sold: str
    delta: str
    vwap: str
    prints: str
    volume: str
    about: str
    role: Role
    """Of the delta."""


def covered(name: str, window: Window) -> bool:
    """Return whether the tape has been watched for as long as a window is."""
    seconds = WINDOWS.get(name, 0)
    return window.span_ns >= (seconds - (60 if seconds > 900 else 1)) * SECOND


def texts(name: str, window: Window | None, sums: Sums) -> Figures:
    """Return a window's figures in as many decimals and cells as ``sums`` says."""
    if window is None:
        return Figures(WORDS[name], UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, "", Role.MUTED)
    delta = window.delta
    per_second = window.prints_per_second()
    return Figures(
        WORDS[name] if covered(name, window) else age(window.span_ns),
        _sum(window.bought, sums),
        _sum(window.sold, sums),
        ("+" if delta > 0 else "") + _sum(delta, sums),
        rounded(window.vwap(sums.places), sums.places),
        UNKNOWN if per_second is None else rate(per_second),
        UNKNOWN if per_second is None else short(window.volume_per_second(RATE_DECIMALS)) + RATE,
        "" if window.whole else ABOUT,
        Role.BID if delta > 0 else Role.ASK if delta < 0 else Role.MUTED,
    )


def _sum(value: Decimal, sums: Sums) -> str:
    """Return a sum in its decimals; abbreviated where that takes all of its cells, as a sign needs one, and
    in digits of its own where those decimals would make it 0."""
    shown = rounded(value, sums.decimals)
    if value and not shown.strip("0."):
        return fitted(short(value), sums.cells)
    return shown if len(shown.lstrip(MINUS)) < sums.cells else short(value)


def within(value: str, cells: int) -> str:
    """Return a number in at most so many cells; of a rate the number alone gives way."""
    if value.endswith(RATE) and cells > len(RATE):
        return fitted(value.removesuffix(RATE), cells - len(RATE)) + RATE
    return fitted(value, cells)


def adapt(memory: FigureMemory, wanted: int, windows: Sequence[Window | None], cells: int) -> int:
    """Return the decimals in which all sums of these windows fit; there are never more than before."""
    largest = max(
        (max(window.bought, window.sold, abs(window.delta)) for window in windows if window is not None),
        default=Decimal(0),
    )
    whole = len(f"{int(largest):,}")
    memory.decimals = max(min(memory.decimals, wanted, cells - 2 - whole), 0)
    return memory.decimals


def proportion(window: Window | None, width: int) -> Row:
    """Return a line of ``width`` cells: bought heavy, sold light, in the proportion of the window."""
    room = max(width - 2, 0)
    sided = window.bought + window.sold if window is not None else Decimal(0)
    if window is None or not sided:
        return fit_row((Span(" "), Span("╌" * room, Role.LINE)), width)
    bought = int(window.bought * room / sided + Decimal("0.5"))
    bought = min(max(bought, 1 if window.bought else 0), room - 1 if window.sold else room)
    spans = (Span(" "), Span("━" * bought, Role.BID), Span("─" * (room - bought), Role.ASK))
    return fit_row(tuple(span for span in spans if span.text), width)


def line(sums: Sums, width: int) -> Row:
    """Return everything that fits into one row, from the left: CVD, VWAP, delta, rate."""
    shown, all_of = _both(sums)
    parts = (
        _part("CVD", all_of.about, all_of.delta, all_of.role),
        _part("VWAP", shown.about, shown.vwap, Role.TEXT),
        _part(f"Δ {shown.label}", shown.about, shown.delta, shown.role),
        (Span(shown.prints, Role.MUTED),),
    )
    row: Row = ()
    for part in parts:
        joined = (*row, Span(" " if not row else "   "), *part)
        if row and row_cells(joined) > width:
            break
        row = joined
    return fit_row(row, width)


def _part(word: str, about: str, value: str, role: Role) -> Row:
    marked = (Span(about + " ", Role.WARN),) if about else ()
    return (Span(word + " ", Role.MUTED), *marked, Span(value, role))


def _both(sums: Sums) -> tuple[Figures, Figures]:
    return (
        texts(sums.name, sums.window, sums),
        texts(ALL, sums.total, sums),
    )


def grid(sums: Sums, width: int, rows: int) -> list[Row]:
    """Return the figures in two columns of aligned numbers and ``rows`` rows: 2 or 5."""
    shown, all_of = _both(sums)
    since = UNKNOWN if sums.total is None else clock(sums.total.since)[:5]
    if rows < 5:
        left = [(shown.label, "Δ", shown.delta, shown.role, shown.about)]
        left.append(("CVD", "", all_of.delta, all_of.role, all_of.about))
        right = [("VWAP", shown.vwap, shown.about, Role.TEXT), ("rate", shown.prints, "", Role.TEXT)]
    else:
        left = [
            (shown.label, "▲", shown.bought, Role.TEXT, shown.about),
            ("", "▼", shown.sold, Role.TEXT, shown.about),
            ("", "Δ", shown.delta, shown.role, shown.about),
            ("CVD", "", all_of.delta, all_of.role, all_of.about),
        ]
        right = [
            ("VWAP", shown.vwap, shown.about, Role.TEXT),
            ("prints", shown.prints, "", Role.TEXT),
            ("volume", shown.volume, "", Role.TEXT),
            ("since", since, "", Role.MUTED),
        ]
    made = [proportion(sums.window, width)] if rows >= 5 else []
    if min(width - LEFT - sums.cells - 1, 28) < len(shown.vwap) + len(shown.about) + len(SHORT["VWAP"]) + 2:
        parts = [_part("CVD", all_of.about, all_of.delta, all_of.role)]
        parts.append(_part("VWAP", shown.about, shown.vwap, Role.TEXT))
        parts.append(_part(f"Δ {shown.label}", shown.about, shown.delta, shown.role))
        parts.append((Span("prints ", Role.MUTED), Span(shown.prints, Role.TEXT)))
        return made + [fit_row((Span(" "), *part), width) for part in parts[: rows - len(made)]]
    for first, second in zip(left, right, strict=True):
        made.append(fit_row((*_left(first, sums.cells), *_right(second, width - LEFT - sums.cells)), width))
    return made


def _left(part: tuple[str, str, str, Role, str], cells: int) -> Row:
    word, glyph, value, role, about = part
    side = Role.BID if glyph == "▲" else Role.ASK if glyph == "▼" else Role.MUTED
    return (
        Span(f" {word:<5}", Role.MUTED),
        Span(f"{glyph:<1}", side),
        Span(f"{about:>1}", Role.WARN),
        Span(value.rjust(cells), role),
    )


LEFT = 8
SHORT = {"VWAP": "VW", "prints": "pr", "volume": "vo", "since": "si", "rate": "pr"}
"""What is left of a word where there is no room for it."""


def _right(part: tuple[str, str, str, Role], width: int) -> Row:
    """Return a word and its number at the right; the word is shortened, never left out."""
    word, value, about, role = part
    room = min(width - 1, 28)
    gap = 3 if room >= 20 else 2 if room >= 15 else 1
    value = within(value, max(room - gap - len(about) - len(SHORT[word]) - 1, 1))
    if room - gap - len(word) - len(value) - len(about) < 1:
        word = SHORT[word]
    between = max(room - gap - len(word) - len(value) - len(about), 1)
    return (
        Span(blank(gap) + word, Role.MUTED),
        Span(blank(between)),
        Span(about, Role.WARN),
        Span(value, role),
    )


def table(tally: Tally, sums: Sums, price: int, *, width: int, now: int) -> list[Row]:
    """Return the figures of every window, one a row; the columns on the right go where there is no room.

    A window that is longer than the tape has been watched is not known, but for the chosen one, which says
    how much of it is.
    """
    columns = [("bought ▲", SUM + 1), ("sold ▼", SUM + 1), ("CVD Δ", SUM + 2), ("VWAP", max(price, 4) + 3)]
    columns += [("prints", 9), ("volume", 10)]
    while len(columns) > 3 and 7 + sum(size for _, size in columns) > width:
        columns.pop()
    head = "".join(word.rjust(size) for word, size in columns)
    rows: list[Row] = [fit_row((Span(" window" + head, Role.FAINT),), width)]
    for name in (*WINDOWS, ALL):
        here = name == sums.name
        window = tally.window(name, now)
        if window is not None and not here and not covered(name, window):
            window = None
        shown = texts(name, window, sums)
        role = Role.STRONG if here else Role.TEXT
        ground = Ground.CURSOR if here else Ground.PANEL
        values = (
            (shown.bought, role), (shown.sold, role), (shown.delta, shown.role), (shown.vwap, role),
            (shown.prints, role), (shown.volume, role),
        )  # fmt: skip
        spans = [Span(("›" if here else " ") + f"{shown.label:<5}", role if here else Role.MUTED, ground)]
        spans.append(Span(shown.about or " ", Role.WARN, ground))
        for (value, of), (_, size) in zip(values, columns, strict=False):
            spans.append(Span(within(value, size - 1).rjust(size), of, ground))
        rows.append(fit_row(tuple(spans), width, ground))
    return rows
