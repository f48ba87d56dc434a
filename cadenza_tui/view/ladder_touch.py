"""The touch of a book in one row, and the foot of its ladder: what all the rows shown come to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market import exact
from cadenza_tui.market.analytics import microprice
from cadenza_tui.market.records import BookType
from cadenza_tui.view.numbers import bps, fitted, number, plain, short, signed, split
from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import blank, fit_row, on_ground, right

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.book import Level, OrderBook
    from cadenza_tui.view.ladder_widths import Geometry, LadderWidths


class Touch(NamedTuple):
    """What the touch row says; ``short`` is what it says where ``words`` do not fit."""

    words: str
    short: str
    role: Role
    mid: str
    aside: str = ""
    aside_role: Role = Role.MUTED


def touch_of(book: OrderBook, bid: Level | None, ask: Level | None, decimals: int) -> Touch:
    """Return spread, mid and microprice of the raw best prices; a cross or a lock is said."""
    if bid is None or ask is None:
        words = "the book is empty" if bid is ask else "no bids" if bid is None else "no asks"
        return Touch(words, words, Role.WARN, "—")
    bid_price, ask_price = Decimal(bid.price), Decimal(ask.price)
    spread = exact.subtract(ask_price, bid_price)
    mid = exact.halve(exact.add(ask_price, bid_price))
    shown_mid = number(plain(mid), decimals)
    ratio = f"{signed(bps(spread, mid), 2, rounds=True).removeprefix('+')} bps"
    if spread < 0:
        shown = signed(spread, decimals)
        words = f"crossed {shown}  {ratio}"
        return Touch(words, f"crossed {shown}", Role.WARN, shown_mid, "⇄ bid above ask", Role.WARN)
    if not spread:
        return Touch(f"locked  {ratio}", "locked", Role.WARN, shown_mid, "╪ bid equals ask", Role.WARN)
    shown = number(plain(spread), decimals)
    return Touch(f"spread {shown}  {ratio}", shown, Role.MUTED, shown_mid, *_lean(book, mid, decimals))


def _lean(book: OrderBook, mid: Decimal, decimals: int) -> tuple[str, Role]:
    """Return where the microprice stands, seen from the mid; a curve of averages has none."""
    micro = None if book.book_type is BookType.VWAP else microprice(book)
    if micro is None:
        return "", Role.MUTED
    away = exact.subtract(micro, mid)
    glyph, role = ("▲", Role.BID) if away > 0 else ("▼", Role.ASK) if away < 0 else ("·", Role.MUTED)
    return f"{glyph} microprice {signed(away, decimals + 1, rounds=True)}", role


def balance(bids: Decimal, asks: Decimal) -> str:
    """Return (bids − asks) / (bids + asks) to two decimals, from −1.00 to +1.00; empty for nothing at all."""
    both = exact.add(bids, asks)
    return signed(exact.divide(exact.subtract(bids, asks), both, 2), 2) if both else ""


def touch_row(
    touch: Touch,
    balanced: tuple[str, str],
    widths: LadderWidths,
    geometry: Geometry,
    *,
    width: int,
    away: str = "",
) -> Row:
    """Return the touch: spread on the left, mid under the prices, microprice and imbalance on the right.

    ``balanced`` is the imbalance and over how many levels; ``away`` a glyph where the touch is out of sight.
    """
    g = geometry
    tries = (touch.words, touch.words.partition("  ")[0], touch.short)
    words = next((said for said in tries if len(said) < g.left), touch.short)
    words = right(words, g.left - 1) + " " if g.left > 3 else blank(g.left)
    whole, point, fraction = touch.mid.partition(".")
    lead = (away or " ") + " "
    mid = lead + whole.rjust(widths.price.whole) + point + fraction
    if not point:
        mid = lead + touch.mid.rjust(widths.price.whole)
    space = max(width - g.left, 0)
    if len(mid) > space:  # wider than the prices of a coarse group, or than the pane
        mid = lead + fitted(touch.mid, max(space - len(lead), 0))
    mid = mid.ljust(g.price + 3)[:space]
    room = max(width - g.left - len(mid), 0)
    inner = room - g.after
    brief = touch.aside.replace("microprice ", "")  # shorter, but a number is never cut
    lean, depth = balanced
    leans = (f"imb({depth}) {lean}", f"imb {lean}") if lean else ()
    sides = [(aside, said) for aside in (touch.aside, brief) for said in leans] + [
        (touch.aside, ""),
        (brief, ""),
    ]
    for aside, said in sides:
        gap = inner - 1 - len(aside) - len(said)
        if gap >= (3 if said else 0):
            break
    else:
        aside, said, gap = "", "", max(inner - 1, 0)
    spans = (
        Span(words, touch.role),
        Span(mid, Role.STRONG),
        Span(" " + aside if room else "", touch.aside_role),
        Span((blank(gap) + said).ljust(room - 1 - len(aside)), Role.MUTED),
    )
    return on_ground(fit_row(tuple([span for span in spans if span.text]), width), Ground.CURSOR)


class Foot(NamedTuple):
    """What the rows shown come to, and a side's changes: (pulled, stacked, net) as texts."""

    bids: Decimal
    asks: Decimal
    bid_changes: Sequence[str] = ("", "", "")
    ask_changes: Sequence[str] = ("", "", "")


def foot_row(foot: Foot, widths: LadderWidths, geometry: Geometry, width: int) -> Row:
    """Return the total depth shown of each side under its sizes, and under the prices how they share it."""
    g = geometry
    if g.quantity < 3:
        return (Span(blank(width)),)
    bid_changes, ask_changes = (_changes(texts, g) for texts in (foot.bid_changes, foot.ask_changes))
    left = blank(g.outer - g.columns) + (blank(g.note + 1) if g.note else "")
    label = right("shown", len(left) - 1) + " " if len(left) >= 6 else left
    before = blank(g.before) + label + "".join([text + " " for text in bid_changes])
    bids = _total(foot.bids, widths, g.bid_zone - 1)
    asks = _total(foot.asks, widths, g.ask_zone - 1)
    share = _share(foot.bids, foot.asks, g.price)
    after = g.outer + g.after
    spans = [
        Span(before, Role.MUTED),
        Span(bids.rjust(g.bid_zone - 1) + blank(1 + g.traded + 2), Role.TEXT),
        Span("━" * share, Role.BID),
        Span("─" * (g.price - share if foot.bids or foot.asks else 0), Role.ASK),
        Span(blank(1 + g.traded) + asks.rjust(g.quantity + 1).ljust(g.ask_zone), Role.TEXT),
        Span("".join([" " + text for text in ask_changes[::-1]]).ljust(after), Role.MUTED),
    ]
    return fit_row(tuple([span for span in spans if span.text]), width)


def _changes(texts: Sequence[str], g: Geometry) -> list[str]:
    shown = texts[2:] if g.changes == 1 else texts[: g.changes]
    return [fitted(text, g.change).rjust(g.change) for text in shown]


def _total(total: Decimal, widths: LadderWidths, room: int) -> str:
    """Return a total with its point where those of the sizes stand."""
    text = widths.sums.text(total)
    whole, fraction = split(text)
    shown = whole + fraction.ljust(widths.quantity.fraction)
    if len(shown) <= room:
        return shown
    text = text if len(text) <= room else short(total)
    return text if len(text) <= room else fitted(text, room)


def _share(bids: Decimal, asks: Decimal, cells: int) -> int:
    """Return how many of the cells are the bids'."""
    both = exact.add(bids, asks)
    return int(exact.divide(exact.multiply(bids, Decimal(cells)), both, 0)) if both else 0
