"""The facts of connection, lag, feed and screen for the Health view, in groups beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.numbers import UNKNOWN, age, clock, count, milliseconds, rate, size
from cadenza_tui.view.rows import Role, Row, Span
from cadenza_tui.view.text import blank, fit_row, left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadenza_tui.market.health import Health, ScreenHealth

GROUP = 29
"""Cells that a group of facts needs, and what it is given at most."""
GROUP_MOST = 44
LABEL = 11
FACT = 16
"""Cells for a fact beside its label: ``10 s ago of 25 s``, ``580 MB  1.2 MB/s``."""
LONGEST_FACT = 24
"""The same in the last group: ``1,234,567 12,345 skipped``."""
MAX_STALL_MS = 250
MAX_CLOCK_MS = 1_000
SECOND_MS = 1_000

_Fact = tuple[str, Row]


def _fact(name: str, text: str, more: str = "", role: Role = Role.TEXT) -> _Fact:
    return name, (Span(text, role), Span(f"  {more}" if more else "", Role.MUTED))


def connection_facts(facts: Health, now: int) -> list[tuple[str, list[_Fact]]]:
    """Return the facts in groups of four."""
    link, screen = facts.connection, facts.screen
    if link.speed is not None:
        speed = "as fast as it goes" if not link.speed else f"×{link.speed:g}"
        alive = _fact("speed", speed, f"{link.progress:.0%}" if link.progress is not None else "")
    elif not link.ping_interval_s:
        alive = _fact("ping", "none", "the server sends none", Role.MUTED)
    else:
        alive = _fact("ping", _ago(link.last_ping, now), f"of {link.ping_interval_s:g} s")
    since = age(now - link.since) if link.since else UNKNOWN
    rejected = facts.rejected
    return [
        (
            "link",
            [
                _fact("since", since, clock(link.since) if link.since else ""),
                alive,
                _fact("reconnects", count(link.reconnects), role=_if(link.reconnects)),
                _fact("heard", _ago(link.last_frame, now)),
            ],
        ),
        (
            "lag",
            [
                _fact("p50", milliseconds(link.lag_p50_ms)),
                _fact("p99", milliseconds(link.lag_p99_ms)),
                _clock(link.clock_offset_ms),
                _answers(screen),
            ],
        ),
        (
            "feed",
            [
                _fact("messages", count(link.messages)),
                _fact("rate", rate(link.rate)),
                _fact("received", size(link.bytes_received), f"{size(link.bytes_rate)}/s"),
                _fact("rejected", count(rejected), role=_if(rejected)),
            ],
        ),
        (
            "screen",
            [
                _fact(
                    "painted",
                    count(screen.frames),
                    f"{count(screen.skipped)} skipped" if screen.skipped else "",
                ),
                _fact("last took", milliseconds(screen.paint_ms), _pace(screen)),
                _fact("written", size(screen.bytes_written), f"{size(screen.bytes_rate)}/s"),
                _fact(
                    "loop stall",
                    milliseconds(screen.loop_stall_ms),
                    role=_if(screen.loop_stall_ms > MAX_STALL_MS),
                ),
            ],
        ),
    ]


def _pace(screen: ScreenHealth) -> str:
    return f"{screen.fps:.{int(0 < screen.fps < 10)}f} fps" if screen.fps else ""


def _answers(screen: ScreenHealth) -> _Fact:
    """Return how fast the terminal acknowledges a frame, and how much it is sent at a time."""
    allowed = f"{size(screen.allowance)} a frame" if screen.allowance else ""
    if screen.round_trip_ms is None:
        return _fact("screen", "silent", allowed, Role.MUTED)
    return _fact("screen", milliseconds(screen.round_trip_ms), allowed)


def _if(trouble: object) -> Role:
    return Role.WARN if trouble else Role.TEXT


def _clock(offset_ms: float | None) -> _Fact:
    """Return how the server's clock stands to ours; lags are told without the difference."""
    if offset_ms is None:
        return _fact("clock", UNKNOWN, role=Role.FAINT)
    if not offset_ms:
        return _fact("clock", "agrees")
    far = abs(offset_ms)
    shown = age(int(far * 1e6)) if far >= 60 * SECOND_MS else milliseconds(far)
    return _fact("clock", shown, "ahead" if offset_ms > 0 else "behind", _if(far >= MAX_CLOCK_MS))


def _ago(at: int | None, now: int) -> str:
    return UNKNOWN if at is None else f"{age(now - at)} ago"


def groups(all_groups: Sequence[tuple[str, list[_Fact]]], width: int, *, spaced: bool) -> list[Row]:
    """Return groups of facts beside each other: all, two or one; ``spaced`` puts a line between them."""
    beside = next((n for n in (len(all_groups), 2) if n * GROUP < width), 1)
    cells = _cells(all_groups, beside, width - 1)
    rows: list[Row] = []
    for first in range(0, len(all_groups), beside):
        if first and spaced:
            rows.append((Span(blank(width)),))
        shown = list(zip(all_groups[first : first + beside], cells, strict=False))
        title: list[Span] = []
        for (name, _), (cell, _) in shown:
            title += [Span(f" {name} " if not title else f"  {name} ", Role.TITLE)]
            title.append(Span("─" * max(cell - len(name) - 3, 0), Role.LINE))
        rows.append(fit_row(tuple(title), width))
        for at in range(max(len(facts) for (_, facts), _ in shown)):
            row: list[Span] = []
            for (_, facts), (cell, label) in shown:
                name, spans = facts[at]
                row.append(Span(" " if not row else "  "))
                fact = (Span(left(name, label), Role.MUTED), *_fitting(spans, cell - 2 - label))
                row += fit_row(fact, cell - 2)
            rows.append(fit_row(tuple(row), width))
    return rows


def _cells(groups: Sequence[tuple[str, list[_Fact]]], beside: int, width: int) -> list[tuple[int, int]]:
    """Return for each group its cells, two of them a gap behind it, and those of its labels.

    Alone in their columns, groups have labels no wider than they must be, and share what is left over. No
    width depends on a value.
    """
    if beside < len(groups):
        return [(min(width // beside, GROUP_MOST), LABEL)] * len(groups)
    labels = [max(len(name) for name, _ in facts) + 1 for _, facts in groups]
    needs = [label + FACT + 2 for label in labels[:-1]] + [labels[-1] + LONGEST_FACT + 2]
    spare = max(width + 1 - sum(needs), 0) // len(groups)  # behind the last one the border is gap enough
    return [(min(need + spare, GROUP_MOST), label) for need, label in zip(needs, labels, strict=True)]


def _fitting(spans: Row, width: int) -> Row:
    """Return a fact; what stands beside it comes closer where room is scarce, and goes before it is cut."""
    text, more = spans
    for beside in (more.text, more.text[1:]):
        if beside and len(text.text) + len(beside) <= width:
            return text, more._replace(text=beside)
    return (text,)
