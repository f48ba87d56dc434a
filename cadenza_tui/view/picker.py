"""The fuzzy instrument picker: which instruments a query means, best first, and their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadenza_tui.view.rows import Ground, Role, Row, Span
from cadenza_tui.view.text import blank, clip, fit_row, left, on_ground, safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cadenza_tui.market.records import Instrument, InstrumentId

MAX_QUERY = 64
START, AFTER_SEPARATOR, CONSECUTIVE, EXACT_WORD = 12, 8, 6, 10
"""Points of a matched character: first of the text, of a word, behind another match; and of a whole word."""
_IMPOSSIBLE = -1_000_000


@dataclass(frozen=True, slots=True)
class Match:
    """An instrument that a query means. ``positions`` are the matched characters of its ``label``."""

    instrument: Instrument
    score: int
    positions: frozenset[int]
    label: str


def label(instrument: Instrument) -> str:
    """Return the text that is searched and shown: symbol, venue, kind."""
    return safe(f"{instrument.symbol} {instrument.venue} {instrument.kind.lower()}")


def fuzzy(word: str, text: str) -> tuple[int, frozenset[int]] | None:
    """Match ``word`` as a subsequence of ``text``, ignoring case; None where it is none.

    Returns the best score over all ways to place it, and the places. Starts of words and runs count for more,
    gaps cost a little.
    """
    word, folded = word.lower(), _folded(text)
    if not word:
        return 0, frozenset()
    size = len(folded)
    # best[j]: the best score with the current character of the word at j, and how it came there.
    best = [_IMPOSSIBLE] * size
    came: list[list[int]] = []
    for i, wanted in enumerate(word):
        now = [_IMPOSSIBLE] * size
        origin = [-1] * size
        reach, reach_at = _IMPOSSIBLE, -1
        for j in range(size):
            if j >= 2 and best[j - 2] - 1 > reach - 1:
                reach, reach_at = best[j - 2], j - 2
            if folded[j] != wanted:
                continue
            bonus = START if j == 0 else AFTER_SEPARATOR if not folded[j - 1].isalnum() else 1
            if i == 0:
                now[j] = bonus
                continue
            follow = best[j - 1] + CONSECUTIVE if j else _IMPOSSIBLE
            jump = reach - 2
            if max(follow, jump) < _IMPOSSIBLE // 2:
                continue
            now[j], origin[j] = (follow + bonus, j - 1) if follow >= jump else (jump + bonus, reach_at)
        came.append(origin)
        best = now
    end = max(range(size), key=lambda j: (best[j], -j), default=-1)
    if end < 0 or best[end] < _IMPOSSIBLE // 2:
        return None
    score = best[end]
    places = [end]
    for origin in reversed(came[1:]):
        places.append(origin[places[-1]])
    first, last = places[-1], places[0]
    whole = last - first + 1 == len(word)
    if (
        whole
        and (first == 0 or not folded[first - 1].isalnum())
        and (last + 1 == size or not folded[last + 1].isalnum())
    ):
        score += EXACT_WORD
    return score, frozenset(places)


def _folded(text: str) -> str:
    """Return a text without case, character for character."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(c if len(c.lower()) != 1 else c.lower() for c in text)


def _may_mean(words: Sequence[str], folded: str) -> bool:
    """Return whether every word is a subsequence of a text, far faster than finding out how good a one."""
    for word in words:
        at = -1
        for character in word:
            at = folded.find(character, at + 1)
            if at < 0:
                return False
    return True


def matches(
    query: str, instruments: Iterable[Instrument], *, pinned: Sequence[InstrumentId] = ()
) -> list[Match]:
    """Return the instruments that every word of ``query`` means, in whatever order, best first.

    An empty query means all of them. Pinned ones come first among equals, in their own order.
    """
    words = safe(query[:MAX_QUERY]).lower().split()
    places = {instrument_id: at for at, instrument_id in enumerate(pinned)}
    found: list[Match] = []
    for instrument in instruments:
        text = label(instrument)
        score = 0
        positions: set[int] = set()
        if words and not _may_mean(words, _folded(text)):
            continue
        for word in words:
            match = fuzzy(word, text)
            if match is None:
                break
            score += match[0]
            positions |= match[1]
        else:
            found.append(Match(instrument, score, frozenset(positions), text))
    return sorted(
        found,
        key=lambda m: (
            -m.score,
            places.get(m.instrument.instrument_id, len(places)),
            len(m.label),
            m.label,
            m.instrument.instrument_id,
        ),
    )


def picker_rows(
    found: Sequence[Match], *, cursor: int, width: int, height: int, pinned: Sequence[InstrumentId] = ()
) -> tuple[Row, ...]:
    """Return at most ``height`` rows of ``width`` cells, the one under the cursor among them."""
    if not found:
        return (fit_row((Span(" no instrument matches", Role.MUTED),), width),)
    symbol_width = min(max(len(safe(m.instrument.symbol)) for m in found), max(width // 2, 8))
    venue_width = min(max(len(safe(m.instrument.venue)) for m in found), 14)
    first = max(min(cursor - height // 2, len(found) - height), 0)
    places = {instrument_id: at for at, instrument_id in enumerate(pinned)}
    shown = range(first, min(first + max(height, 0), len(found)))
    return tuple([_row(found[at], at == cursor, (symbol_width, venue_width), width, places) for at in shown])


def _row(match: Match, chosen: bool, sizes: tuple[int, int], width: int, places: dict[str, int]) -> Row:
    symbol_width, venue_width = sizes
    instrument = match.instrument
    symbol, venue, kind = safe(instrument.symbol), safe(instrument.venue), safe(instrument.kind.lower())
    place = places.get(instrument.instrument_id)
    mark = " " if place is None else str(place + 1) if place < 9 else "•"
    spans: list[Span] = [Span(f" {mark} ", Role.ACCENT if chosen else Role.FAINT)]
    start = 0
    for text, size, role in (
        (symbol, symbol_width, Role.STRONG),
        (venue, venue_width, Role.TEXT),
        (kind, 10, Role.MUTED),
    ):
        spans += _marked(text, size, start, match.positions, role)
        spans.append(Span("  "))
        start += len(text) + 1
    if instrument.status not in ("ACTIVE", ""):
        spans.append(Span(left(instrument.status.lower(), 10), Role.WARN))
    row = fit_row(tuple(spans), width)
    return on_ground(row, Ground.CURSOR) if chosen else row


def _marked(text: str, size: int, start: int, positions: frozenset[int], role: Role) -> list[Span]:
    """Return ``text`` in ``size`` cells, its matched characters in accent."""
    shown = clip(text, size)
    spans: list[Span] = []
    for at, character in enumerate(shown):
        wanted = Role.ACCENT if start + at in positions else role
        if spans and spans[-1].role is wanted:
            spans[-1] = Span(spans[-1].text + character, wanted)
        else:
            spans.append(Span(character, wanted))
    return [*spans, Span(blank(size - len(shown)))] if len(shown) < size else spans
