"""The Health view: the connection, the screen, and every channel with those in trouble first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cadenza_tui.market.health import ChannelState, ConnectionState
from cadenza_tui.market.trust import connection_trust
from cadenza_tui.view.numbers import UNKNOWN, age, clock, count, milliseconds, rate, size
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.states import state_row
from cadenza_tui.view.table import Cell, Heading, Line, TableWidths, table
from cadenza_tui.view.text import blank, fit_row, left, row_cells, safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cadenza_tui.market.health import ChannelHealth, ConnectionHealth, ScreenHealth
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

TITLE: Row = (Span("Health", Role.TITLE),)
LABEL = 14
FACT = 38
NO_FACTS = "none"
LEAST_CHANNELS = 3
MAX_STALL_MS = 250

_STATES = {
    ChannelState.FAILED: (0, "✗", Role.ASK),
    ChannelState.RESYNCING: (1, "↻", Role.WARN),
    ChannelState.AWAITING: (2, "○", Role.ACCENT),
    ChannelState.SUBSCRIBING: (3, "◌", Role.ACCENT),
    ChannelState.LIVE: (5, "●", Role.BID),
}


def bare_url(url: str) -> str:
    """Return ``url`` without user, password, query and fragment: those may carry a token."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return UNKNOWN
    if not parts.scheme or not parts.hostname:
        return safe(url.partition("?")[0].partition("#")[0].rpartition("@")[2]) or UNKNOWN
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return safe(f"{parts.scheme}://{host}{port}{parts.path}")


def health(
    market: Market,
    *,
    width: int,
    height: int,
    now: int,
    widths: TableWidths | None = None,
    scroll: int = 0,
) -> Pane:
    """Return the Health view with a body of ``width`` x ``height`` cells, ``scroll`` rows on.

    The channels scroll under their header; where there is no room for that, the whole does. ``widths`` keeps
    the table's columns from frame to frame.
    """
    facts = market.health
    trust = connection_trust(facts, now)
    body = [*_facts(_connection(facts.connection, trust, now), width), (Span(blank(width)),)]
    body += [*_facts(_screen(facts.screen), width), (Span(blank(width)),)]
    channels = channel_rows(facts.channels, width=width, now=now, widths=widths or TableWidths())
    room = height - len(body) - 1
    if room < LEAST_CHANNELS:
        every = [*body, *channels]
        first = max(min(scroll, len(every) - height), 0)
        shown = every[first : first + max(height, 0)]
    else:
        first = max(min(scroll, len(channels) - 1 - room), 0)
        shown = [*body, *channels[:1], *channels[1 + first : 1 + first + room]]
    troubled = sum(1 for channel in facts.channels.values() if _rank(channel) < _rank_of(ChannelState.LIVE))
    words = f"{len(facts.channels)} channels" + (f" · {troubled} in trouble" if troubled else "")
    return Pane(TITLE, (Span(words, Role.WARN if troubled else Role.TITLE),), tuple(shown))


def _fact(name: str, *spans: Span) -> tuple[str, Row]:
    return name, spans


def _plain(name: str, text: str, role: Role = Role.TEXT) -> tuple[str, Row]:
    return name, (Span(text, role),)


def _connection(link: ConnectionHealth, trust: Trust, now: int) -> list[tuple[str, Row]]:
    up = link.state in (ConnectionState.CONNECTED, ConnectionState.REPLAYING)
    facts = [
        _fact("connection", *state_row(trust)),
        _plain("since", f"{age(now - link.since)}  {clock(link.since)}" if link.since else UNKNOWN),
        _plain(
            "server", f"{bare_url(link.url)}  {safe(link.label)}".strip() if link.url else safe(link.label)
        ),
        _plain(
            "reconnects",
            count(link.reconnects) + (f"  {safe(link.last_disconnect)}" if link.last_disconnect else ""),
            Role.WARN if link.reconnects else Role.TEXT,
        ),
    ]
    if not up and (link.reason or link.remedy):
        facts.append(
            _plain("why", safe(" · ".join(text for text in (link.reason, link.remedy) if text)), Role.WARN)
        )
    if link.attempts:
        wait = ""
        if link.next_attempt is not None and link.next_attempt > now:
            wait = f"  next in {age(link.next_attempt - now)}"
        facts.append(_plain("attempts", f"{count(link.attempts)}{wait}", Role.WARN))
    if link.speed is not None:
        speed = "max" if not link.speed else f"×{link.speed:g}"
        done = f"  {link.progress:.0%}" if link.progress is not None else ""
        facts.append(_plain("replay", speed + done))
    facts += [
        _plain("last frame", _ago(link.last_frame, now)),
        _plain("last ping", f"{_ago(link.last_ping, now)}  every {link.ping_interval_s:g} s"),
        _plain("lag p50 / p99", f"{milliseconds(link.lag_p50_ms)} / {milliseconds(link.lag_p99_ms)}"),
        _plain("lag now", milliseconds(link.lag_ms)),
        _plain("clock offset", milliseconds(link.clock_offset_ms)),
        _plain("messages", f"{count(link.messages)}  {rate(link.rate)}"),
        _plain("received", size(link.bytes_received)),
        _rejected("rejected", link.rejected),
    ]
    return facts


def _screen(screen: ScreenHealth) -> list[tuple[str, Row]]:
    return [
        _plain("frames", f"{count(screen.frames)}  {count(screen.skipped)} skipped"),
        _plain("last frame in", milliseconds(screen.paint_ms)),
        _plain("written", f"{size(screen.bytes_written)}  {size(screen.bytes_rate)}/s"),
        _plain(
            "loop stall",
            milliseconds(screen.loop_stall_ms),
            Role.WARN if screen.loop_stall_ms > MAX_STALL_MS else Role.TEXT,
        ),
    ]


def _ago(at: int | None, now: int) -> str:
    return UNKNOWN if at is None else f"{age(now - at)} ago"


def reasons(rejected: Mapping[str, int]) -> str:
    """Return counts by reason, the most frequent first: ``12 bad price, 1 row length``."""
    ordered = sorted(
        ((n, reason) for reason, n in rejected.items() if n), key=lambda item: (-item[0], item[1])
    )
    return ", ".join(f"{count(n)} {safe(reason)}" for n, reason in ordered)


def _rejected(name: str, rejected: Mapping[str, int]) -> tuple[str, Row]:
    text = reasons(rejected)
    return _plain(name, text or NO_FACTS, Role.WARN if text else Role.MUTED)


def _facts(facts: Sequence[tuple[str, Row]], width: int) -> list[Row]:
    """Return facts beside each other, in as many columns as fit; a long one has the rest of its row."""
    columns = max(min((width - 1) // FACT, 4), 1)
    cell = (width - 1) // columns
    rows: list[Row] = []
    row: list[Span] = [Span(" ")]
    at = 0
    for name, spans in facts:
        fact: Row = (Span(left(name, LABEL), Role.MUTED), Span("  "), *spans)
        needed = min(-(-(row_cells(fact) + 2) // cell), columns)
        if at and at + needed > columns:
            rows.append(fit_row(tuple(row), width))
            row, at = [Span(" ")], 0
        row += fit_row(fact, cell * needed - 2 if cell * needed > 2 else cell * needed)
        row.append(Span("  "))
        at += needed
        if at >= columns:
            rows.append(fit_row(tuple(row), width))
            row, at = [Span(" ")], 0
    if at:
        rows.append(fit_row(tuple(row), width))
    return rows


def _rank(channel: ChannelHealth) -> int:
    """Return how urgent a channel is: its state, and a live one that rejects before one that does not."""
    rejects = channel.state is ChannelState.LIVE and any(channel.rejected.values())
    return _rank_of(channel.state) - (1 if rejects else 0)


def _rank_of(state: ChannelState) -> int:
    return _STATES[state][0]


def channel_rows(
    channels: Mapping[str, ChannelHealth], *, width: int, now: int, widths: TableWidths
) -> list[Row]:
    """Return the table of channels: first those in trouble, then by name."""
    headings = (
        Heading("state", 0, "text"),
        Heading("messages", 2, "right"),
        Heading("rate", 3, "right"),
        Heading("age", 1, "right"),
        Heading("offset", 7, "right"),
        Heading("gaps", 5, "right"),
        Heading("resyncs", 6, "right"),
        Heading("rejected", 4, "right"),
        Heading("why", 8, "text"),
    )
    ordered = sorted(channels.values(), key=lambda channel: (_rank(channel), channel.channel))
    lines = [_channel(channel, now) for channel in ordered]
    longest = max((len(channel.channel) for channel in ordered), default=8)
    name_width = max(min(longest, width - 24, 60), 8)
    rows = table("channels", headings, lines, width=max(width - name_width - 1, 8), widths=widths)
    names = ["channel", *[channel.channel for channel in ordered]]
    return [
        fit_row((Span(" " + left(name, name_width), Role.FAINT if not at else Role.TEXT), *row), width)
        for at, (name, row) in enumerate(zip(names, rows, strict=True))
    ]


def _channel(channel: ChannelHealth, now: int) -> Line:
    _, glyph, role = _STATES[channel.state]
    rejected = sum(channel.rejected.values())
    why = " · ".join(text for text in (safe(channel.reason), reasons(channel.rejected)) if text)
    return Line(
        (
            Cell(
                glyph,
                role,
                f" {channel.state.value}",
                Role.TEXT if channel.state is ChannelState.LIVE else role,
            ),
            Cell(count(channel.messages), Role.TEXT),
            Cell(rate(channel.rate), Role.MUTED),
            Cell(age(now - channel.last_message) if channel.last_message is not None else UNKNOWN, Role.TEXT),
            Cell(count(channel.offset) if channel.offset is not None else UNKNOWN, Role.MUTED),
            Cell(count(channel.gaps), Role.WARN if channel.gaps else Role.MUTED),
            Cell(count(channel.resyncs), Role.WARN if channel.resyncs else Role.MUTED),
            Cell(count(rejected), Role.WARN if rejected else Role.MUTED),
            Cell(why, Role.WARN),
        )
    )
