"""The status line: what is watched, what it costs now, and how far all of this can be trusted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from cadenza_tui.market.analytics import imbalance
from cadenza_tui.market.quote import quote
from cadenza_tui.market.records import BookType
from cadenza_tui.market.trust import QUIET_AFTER_NS, SECOND, TrustState
from cadenza_tui.view.numbers import (
    UNKNOWN,
    Column,
    arrow,
    milliseconds,
    number,
    percent,
    plain,
    price_decimals,
    rate,
    signed,
    size,
)
from cadenza_tui.view.numbers import clock as time_of_day
from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.states import CURRENT, SIGNS, words
from cadenza_tui.view.text import blank, clip, cut, fit_row, on_ground, row_cells, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.records import InstrumentId
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

GAP = 3
IMBALANCE_DEPTH = 20
"""Levels a side: as in the ladder where nothing else was chosen, lest two numbers of one name differ."""
IMBALANCE_CELLS = 11
MOST = 9
QUIET_STEP_NS = 10 * SECOND
KINDS = frozenset({"spot", "futures", "perpetual", "option", "cfd", "contract"})
"""Kinds of instruments: they stand close to the venue."""


def overall(connection: Trust, book: Trust | None) -> Trust:
    """Return what the status line says: live only if the connection is up and this book is in sync."""
    if book is None or connection.state not in CURRENT:
        return connection
    if connection.state is TrustState.REPLAYING and book.state in CURRENT:
        return connection
    return book


def status(
    market: Market,
    instrument_id: InstrumentId | None,
    connection: Trust,
    book: Trust | None,
    *,
    width: int,
    now: int,
    notice: str = "",
    clock: bool = True,
) -> Row:
    """Return the status line of ``width`` cells.

    ``connection`` and ``book`` are the trust in the connection and in the instrument's book. As it narrows
    the details go; instrument, touch and state stay. ``notice`` comes before the details. Rates are the
    screen's steady ones where there are any; without ``clock`` nothing here changes while nothing happens.
    """
    trust = _calm(overall(connection, book))
    health = market.health
    end: list[tuple[int, Row]] = [(0, _state(market, trust))]
    if notice:
        end.insert(0, (1, (Span(safe(notice), Role.ACCENT),)))
    link, screen = health.connection, health.screen
    if trust.state in (*CURRENT, TrustState.CROSSED, TrustState.LOCKED):
        if link.lag_p50_ms is not None and link.speed is None:
            lag = _steady(screen.steady_lag_ms, link.lag_p50_ms)
            end.append((5, (Span(milliseconds(lag), Role.MUTED),)))
        end.append((6, (Span(rate(_steady(screen.steady_messages_rate, link.rate)), Role.MUTED),)))
    written = f"{size(_steady(screen.steady_bytes_rate, screen.bytes_rate))}/s"
    end.append((8, (Span(f"{written} {frame_rate(screen.fps)}", Role.MUTED),)))
    if link.label:
        end.append((7, (Span(cut(link.label, 16), Role.MUTED),)))
    if clock:
        end.append((4, (Span(time_of_day(now), Role.MUTED),)))
    start = _instrument(market, instrument_id, dimmed=book is not None and book.dimmed)
    brief: Row = (Span(f"{SIGNS[trust.state].glyph} {SIGNS[trust.state].word}", SIGNS[trust.state].role),)
    return on_ground(_arranged(start, end, width, brief), Ground.GROUND)


def _calm(trust: Trust) -> Trust:
    """Let the age of what is only quiet step: a line that counts seconds is traffic while nothing happens."""
    if trust.state is not TrustState.QUIET or trust.age_ns is None:
        return trust
    step = QUIET_STEP_NS if trust.age_ns >= QUIET_STEP_NS else QUIET_AFTER_NS
    return replace(trust, age_ns=trust.age_ns // step * step)


def _steady(steady: float | None, latest: float) -> float:
    return latest if steady is None else steady


def frame_rate(fps: float) -> str:
    """Return frames a second for the eye: ``0.4 fps``, ``12 fps``."""
    return f"{fps:.1f} fps" if 0 < fps < 9.95 else f"{fps:.0f} fps"


def _arranged(
    start: Sequence[tuple[int, Row]], end: Sequence[tuple[int, Row]], width: int, brief: Row
) -> Row:
    """Fill the line with the parts that fit, the least wanted (the highest number) going first.

    The touch (1) goes after the state's reason: before it would, the state is ``brief``.
    """
    short = [(wanted, row if wanted else brief) for wanted, row in end]
    tries = [*((most, end) for most in range(MOST, 0, -1)), (2, short), (1, short), (0, end), (0, short)]
    for most, parts in tries:
        for gap in (GAP, GAP - 1):
            first = _joined([row for wanted, row in start if wanted <= most], gap)
            last = _joined([row for wanted, row in parts if wanted <= most], gap)
            room = width - 2 - row_cells(first) - row_cells(last)
            if room >= gap:
                return fit_row((Span(" "), *first, Span(blank(room)), *last, Span(" ")), width)
    first = _joined([row for wanted, row in start if wanted == 0], 1)
    last = _joined([row for wanted, row in end if wanted == 0], 1)
    room = width - 1 - row_cells(first)
    if room < 3:
        return fit_row(first, width)
    clipped = _clipped(last, room)
    return fit_row((*first, Span(blank(room + 1 - row_cells(clipped))), *clipped), width)


def _clipped(row: Row, width: int) -> Row:
    """Cut the state from its end: its glyph, which comes first, stays."""
    kept: list[Span] = []
    for span in row:
        room = width - row_cells(kept)
        if room <= 0:
            break
        kept.append(span._replace(text=clip(span.text, room)))
    return tuple(kept)


def _joined(rows: Sequence[Row], gap: int) -> Row:
    joined: list[Span] = []
    for row in rows:
        if joined and row:
            joined.append(Span(blank(1 if row[0].text in KINDS else gap)))
        joined += row
    return tuple(joined)


def _state(market: Market, trust: Trust) -> Row:
    sign = SIGNS[trust.state]
    text = words(trust)
    if trust.state in (TrustState.CROSSED, TrustState.LOCKED):
        text = sign.word
    if trust.state is TrustState.REPLAYING:
        speed = market.health.connection.speed
        text = "replay" if speed is None else "replay ×max" if not speed else f"replay ×{speed:g}"
        if market.health.connection.progress is not None:
            text += f" {market.health.connection.progress:.0%}"
    return (
        Span(sign.glyph, sign.role),
        Span(" " + clip(text, 48), Role.TEXT if sign.role in (Role.BID, Role.MUTED, Role.OWN) else sign.role),
    )


def _instrument(market: Market, instrument_id: InstrumentId | None, *, dimmed: bool) -> list[tuple[int, Row]]:
    if instrument_id is None:
        return [(0, (Span("no instrument", Role.MUTED),))]
    instrument = market.instruments.get(instrument_id)
    venue, _, symbol = instrument_id.rpartition(":")
    kind = ""
    if instrument is not None:
        venue, symbol, kind = instrument.venue, instrument.symbol, instrument.kind.lower()
    parts: list[tuple[int, Row]] = []
    names = (Span(cut(symbol, 20), Role.STRONG), Span(" " + cut(venue, 14), Role.MUTED))
    parts.append((0, names))
    if kind in KINDS:
        parts.append((3, (Span(kind, Role.MUTED),)))
    known = quote(market, instrument_id)
    column = Column(price_decimals(instrument))
    column.grow([plain(price) for price in (known.bid, known.ask) if price is not None])
    decimals = column.shown_decimals
    change = known.change
    role = Role.TEXT if change is None or dimmed else Role.BID_STRONG if change > 0 else Role.ASK_STRONG
    if known.price is not None:
        last: Row = (Span(number(plain(known.price), decimals), role if change else Role.STRONG),)
        if change is not None:
            side = Role.BID if change > 0 else Role.ASK if change < 0 else Role.MUTED
            last = (*last, Span(f" {arrow(change)} {percent(change)}%", Role.MUTED if dimmed else side))
        parts.append((2, last))
    else:
        parts.append((2, (Span(UNKNOWN, Role.FAINT),)))
    if known.bid is not None or known.ask is not None:
        bid, ask = (number(plain(p), decimals) if p is not None else UNKNOWN for p in (known.bid, known.ask))
        crossed = known.bid is not None and known.ask is not None and known.bid > known.ask
        parts.append(
            (
                1,
                (
                    Span(bid, Role.MUTED if dimmed else Role.BID),
                    Span(" × " if not crossed else " ⇄ ", Role.WARN if crossed else Role.FAINT),
                    Span(ask, Role.MUTED if dimmed else Role.ASK),
                ),
            )
        )
    book = market.books.get(instrument_id)
    weighed = book is not None and book.in_sync and book.book_type is not BookType.VWAP and not dimmed
    lean = imbalance(book, IMBALANCE_DEPTH) if book is not None and weighed else None
    if lean is not None:
        parts.append((9, _imbalance(lean)))
    return parts


def _imbalance(lean: float) -> Row:
    """Return the imbalance as a line of two colours and its number."""
    bids = min(max(round((lean + 1) / 2 * IMBALANCE_CELLS), 0), IMBALANCE_CELLS)
    spans = (
        Span("imb ", Role.MUTED),
        Span("━" * bids, Role.BID),
        Span("━" * (IMBALANCE_CELLS - bids), Role.ASK),
        Span(" " + signed(Decimal(f"{lean:.2f}"), 2), Role.TEXT),
    )
    return tuple(span for span in spans if span.text)
