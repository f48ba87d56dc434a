"""How far something can be trusted, in a glyph, a word and a role: every state differs without its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.market.trust import TrustState
from cadenza_tui.view.numbers import age
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.text import message, row_cells, safe

if TYPE_CHECKING:
    from cadenza_tui.market.trust import Trust


class Sign(NamedTuple):
    """A state's glyph, word, role, and whether its age belongs to it."""

    glyph: str
    word: str
    role: Role
    aged: bool = False


SIGNS: dict[TrustState, Sign] = {
    TrustState.CONNECTING: Sign("◌", "connecting", Role.ACCENT),
    TrustState.AWAITING: Sign("○", "awaiting snapshot", Role.ACCENT),
    TrustState.LIVE: Sign("●", "live", Role.BID),
    TrustState.QUIET: Sign("◐", "quiet", Role.MUTED, aged=True),
    TrustState.STALE: Sign("◔", "stale", Role.WARN, aged=True),
    TrustState.RESYNCING: Sign("↻", "resyncing", Role.WARN),
    TrustState.CROSSED: Sign("⇄", "crossed", Role.WARN),
    TrustState.LOCKED: Sign("╪", "locked", Role.WARN),
    TrustState.UNAUTHORISED: Sign("⚠", "unauthorised", Role.ASK),
    TrustState.DISCONNECTED: Sign("✕", "disconnected", Role.ASK),
    TrustState.REPLAYING: Sign("▸", "replaying", Role.OWN),
    TrustState.FAILED: Sign("✗", "refused", Role.ASK),
    TrustState.ENDED: Sign("■", "ended", Role.MUTED),
}

CURRENT = frozenset({TrustState.LIVE, TrustState.QUIET, TrustState.REPLAYING})
"""States in which what is shown is the market as it is now."""

_ABSENT = {
    TrustState.CONNECTING: "Connecting",
    TrustState.AWAITING: "Awaiting the first snapshot",
    TrustState.LIVE: "Nothing yet",
    TrustState.QUIET: "Nothing yet",
    TrustState.STALE: "Nothing has arrived",
    TrustState.RESYNCING: "Awaiting a new snapshot",
    TrustState.UNAUTHORISED: "The server refuses the token",
    TrustState.DISCONNECTED: "Disconnected for good",
    TrustState.FAILED: "The server refused this channel",
    TrustState.REPLAYING: "Nothing in the recording so far",
    TrustState.ENDED: "The recording has ended",
}


def words(trust: Trust) -> str:
    """Return the state in a few words: ``live``, ``stale 14 s``, ``resyncing: gap 120→123``."""
    sign = SIGNS[trust.state]
    text = sign.word
    if sign.aged and trust.age_ns is not None:
        text += f" {age(trust.age_ns)}"
    if trust.reason and trust.state is not TrustState.LIVE and not sign.aged:
        text += f": {safe(trust.reason)}"
    return text


def state_row(trust: Trust) -> Row:
    """Return the state as a glyph and words for the status line."""
    sign = SIGNS[trust.state]
    quiet = sign.role in (Role.BID, Role.MUTED)
    return (Span(sign.glyph, sign.role), Span(" " + words(trust), Role.TEXT if quiet else sign.role))


def border(trust: Trust, kind: str = "", *, synced: str = "in sync", width: int = 1000) -> Row:
    """Return the state for the right of a pane's border: ``L2 · in sync · 0.1 s``.

    A reason that ``width`` has no room for is told as far as its first colon, then without ``kind``.
    """
    sign = SIGNS[trust.state]
    before = f"{kind} · " if kind else ""
    if trust.state in (TrustState.LIVE, TrustState.REPLAYING):
        since = f" · {age(trust.age_ns)}" if trust.age_ns is not None else ""
        return (Span(f"{before}{synced}{since}", Role.TITLE),)
    spans = (Span(before, Role.TITLE),) if before and trust.state is not TrustState.RESYNCING else ()
    text, reason = words(trust), safe(trust.reason)
    if kind and trust.state is TrustState.STALE and reason:  # on the book's pane, which has the room
        text += f" · {reason}"
    room = width - len(f"{sign.glyph} ")
    if row_cells(spans) + len(text) > room and reason and text.endswith(reason):
        text = text.removesuffix(reason) + reason.partition(": ")[0]
    if row_cells(spans) + len(text) > room:
        spans = ()
    return (*spans, Span(f"{sign.glyph} {text}", sign.role))


def absence(trust: Trust, what: str) -> str:
    """Return why there is nothing to show: ``Awaiting the first snapshot of BINANCE:BTC/USDT: …``."""
    text = _ABSENT.get(trust.state, "Nothing yet")
    if what:
        text += f" · {what}"
    if trust.reason:
        text += f" · {safe(trust.reason)}"
    if trust.state is TrustState.STALE and trust.age_ns is not None:
        text += f" · for {age(trust.age_ns)}"
    return text


def empty_pane(title: str, trust: Trust, width: int, height: int) -> Pane:
    """Return a pane that can show nothing at all yet, and says why."""
    words = absence(trust, "no instrument yet")
    return Pane((Span(title, Role.TITLE),), border(trust), message(words, width, height), dimmed=trust.dimmed)
