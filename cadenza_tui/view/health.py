"""The Health view: the connection, the screen, and every channel with those in trouble first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.trust import TrustState, channel_trust, connection_trust
from cadenza_tui.view.numbers import UNKNOWN, age, clock, count, milliseconds, rate, size
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.states import SIGNS, state_row
from cadenza_tui.view.table import Cell, Heading, Line, TableWidths, table
from cadenza_tui.view.text import blank, both_ends, clip, fit_row, left, safe, wrapped
from cadenza_tui.wire.channels import Kind, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cadenza_tui.market.health import ChannelHealth, ConnectionHealth, Health
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

TITLE: Row = (Span("Health", Role.TITLE),)
GROUP = 28
"""Cells that a group of facts needs, and what it is given at most."""
GROUP_MOST = 44
LABEL = 11
LEAST_CHANNELS = 4
TALL = 32
"""From so many rows on there is room for the lists above the channels; before, each has one row."""
LIST_MOST = 5
LONGEST_NAME = 9
SHORT_NAMES = 100
"""Below so many cells a channel is told by what it is about instead of its name."""
MAX_STALL_MS = 250
MAX_CLOCK_MS = 1_000
SECOND_MS = 1_000

_URGENCY = {
    TrustState.FAILED: 0,
    TrustState.UNAUTHORISED: 0,
    TrustState.DISCONNECTED: 0,
    TrustState.RESYNCING: 1,
    TrustState.STALE: 2,
    TrustState.AWAITING: 3,
    TrustState.CONNECTING: 3,
}
"""What needs a look first; all else is well."""
_REJECTING = 4
_WELL = 5
_KINDS = {
    Kind.BOOK: "book",
    Kind.TRADE: "trades",
    Kind.TICKER: "ticker",
    Kind.VENUE_TICKER: "tickers",
    Kind.KLINE: "candles",
    Kind.ACCOUNT: "account",
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
    trusts = {name: channel_trust(facts, name, now) for name in facts.channels}
    empty: Row = (Span(blank(width)),)
    tall = height >= TALL
    body = [*_heading(facts.connection, trust, now, width), empty]
    body += [*_groups(_facts(facts, now), width, spaced=tall), empty]
    lists = [each for each in (_losses(facts, now), _troubles(facts), _rejected(facts)) if each is not None]
    if tall:
        body += [row for each in lists for row in (*_listed(each, width), empty)]
    elif lists:
        body += [*(_latest(each, width) for each in lists), empty]
    channels = channel_rows(facts.channels, trusts, width=width, now=now, widths=widths or TableWidths())
    room = height - len(body) - 1
    if room < LEAST_CHANNELS:
        every = [*body, *channels]
        first = max(min(scroll, len(every) - height), 0)
        shown = every[first : first + max(height, 0)]
    else:
        first = max(min(scroll, len(channels) - 1 - room), 0)
        shown = [*body, *channels[:1], *channels[1 + first : 1 + first + room]]
    troubled = sum(_urgency(facts.channels[name], trusts[name]) < _WELL for name in facts.channels)
    words = f"{len(facts.channels)} channels" + (f" · {troubled} in trouble" if troubled else "")
    return Pane(TITLE, (Span(words, Role.WARN if troubled else Role.TITLE),), tuple(shown))


# --- the connection


def _heading(link: ConnectionHealth, trust: Trust, now: int, width: int) -> list[Row]:
    """Return the state and the server; where it is not up, why, what to do, and when it is tried again."""
    place = bare_url(link.url) if link.url else ""
    label = safe(link.label)
    end: Row = (Span(place, Role.MUTED), Span(f"  {label}" if label else "", Role.TEXT), Span(" "))
    rows = [both_ends((Span(" "), *state_row(trust)), end, width)]
    if link.state in {ConnectionState.CONNECTED, ConnectionState.REPLAYING}:
        return rows
    words = [link.reason, link.remedy]
    if link.attempts:
        words.append(f"{count(link.attempts)} attempt{'s' if link.attempts != 1 else ''} so far")
    if link.next_attempt is not None and link.next_attempt > now:
        words.append(f"next in {age(link.next_attempt - now)}")
    lines = wrapped(" · ".join(word for word in words if word), max(width - 4, 8))
    return rows + [fit_row((Span("   " + line, Role.WARN),), width) for line in lines[:3]]


_Fact = tuple[str, Row]


def _fact(name: str, text: str, more: str = "", role: Role = Role.TEXT) -> _Fact:
    return name, (Span(text, role), Span(f"  {more}" if more else "", Role.MUTED))


def _facts(facts: Health, now: int) -> list[tuple[str, list[_Fact]]]:
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
                _fact("latest", milliseconds(link.lag_ms)),
                _clock(link.clock_offset_ms),
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
                _fact("painted", count(screen.frames), f"{count(screen.skipped)} skipped"),
                _fact("last took", milliseconds(screen.paint_ms)),
                _fact("written", size(screen.bytes_written), f"{size(screen.bytes_rate)}/s"),
                _fact(
                    "loop stall",
                    milliseconds(screen.loop_stall_ms),
                    role=_if(screen.loop_stall_ms > MAX_STALL_MS),
                ),
            ],
        ),
    ]


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


def _groups(groups: Sequence[tuple[str, list[_Fact]]], width: int, *, spaced: bool) -> list[Row]:
    """Return groups of facts beside each other, as many as fit; ``spaced`` puts a line between their rows."""
    beside = max(min((width - 1) // GROUP, len(groups)), 1)
    cell = min((width - 1) // beside, GROUP_MOST)
    rows: list[Row] = []
    for first in range(0, len(groups), beside):
        if first and spaced:
            rows.append((Span(blank(width)),))
        shown = groups[first : first + beside]
        title: list[Span] = [Span(" ")]
        for name, _ in shown:
            line = max(cell - len(name) - 3, 0)
            title += [Span(f"{name} ", Role.TITLE), Span("─" * line, Role.LINE), Span("  ")]
        rows.append(fit_row(tuple(title), width))
        for at in range(max(len(facts) for _, facts in shown)):
            row: list[Span] = [Span(" ")]
            for _, facts in shown:
                name, spans = facts[at]
                label = Span(left(name, LABEL), Role.MUTED)
                row += fit_row((label, *(span for span in spans if span.text)), cell - 2)
                row.append(Span("  "))
            rows.append(fit_row(tuple(row), width))
    return rows


# --- lists: what was lost, what was not answered, what could not be used


_Entries = tuple[str, list[tuple[str, str]]]
"""A list: its name, and of each entry a short text and a long one."""


def _latest(lines: _Entries, width: int) -> Row:
    """Return a list in one row: its first entry, and how many more there are."""
    name, entries = lines
    short, long = entries[0]
    more = f"  and {count(len(entries) - 1)} more" if len(entries) > 1 else ""
    words = f"{' '.join(short.split())}: {safe(long)}"
    room = max(width - 2 - LONGEST_NAME - 1 - len(more), 8)
    named = Span(" " + left(name, LONGEST_NAME) + " ", Role.TITLE)
    return fit_row((named, Span(clip(words, room), Role.WARN), Span(more, Role.MUTED)), width)


def _listed(lines: _Entries, width: int) -> list[Row]:
    """Return a list under its name; what there is no room for is counted."""
    name, entries = lines
    most = LIST_MOST
    more = f" and {count(len(entries) - most)} more" if len(entries) > most else ""
    rule = max(width - 3 - len(name) - len(more), 0)
    rows: list[Row] = [
        fit_row(
            (Span(f" {name}", Role.TITLE), Span(more, Role.MUTED), Span(" "), Span("─" * rule, Role.LINE)),
            width,
        )
    ]
    first = min(max((len(short) for short, _ in entries[:most]), default=0), max(width // 3, 8))
    for short, long in entries[:most]:
        rows.append(
            fit_row((Span(" " + left(short, first) + "  ", Role.MUTED), Span(safe(long), Role.WARN)), width)
        )
    return rows


def _losses(facts: Health, now: int) -> tuple[str, list[tuple[str, str]]] | None:
    drops = list(reversed(facts.connection.drops))
    entries = [(f"{clock(drop.at)}  {age(now - drop.at):>5} ago", drop.reason) for drop in drops]
    return ("losses", entries) if entries else None


def _troubles(facts: Health) -> tuple[str, list[tuple[str, str]]] | None:
    return ("queries", sorted(facts.troubles.items())) if facts.troubles else None


def _rejected(facts: Health) -> tuple[str, list[tuple[str, str]]] | None:
    """Return what of the connection could not be used; what of a channel stands there."""
    counted = [(n, reason) for reason, n in facts.connection.rejected.items() if n]
    entries = [(count(n), reason) for n, reason in sorted(counted, key=lambda item: (-item[0], item[1]))]
    return ("unusable", entries) if entries else None


def reasons(rejected: Mapping[str, int]) -> str:
    """Return counts by reason, the most frequent first: ``12 bad price, 1 row length``."""
    ordered = sorted(
        ((n, reason) for reason, n in rejected.items() if n), key=lambda item: (-item[0], item[1])
    )
    return ", ".join(f"{count(n)} {safe(reason)}" for n, reason in ordered)


# --- the channels


def _urgency(channel: ChannelHealth, trust: Trust) -> int:
    """Return how soon a channel needs a look: its state, and a well one that rejects before others."""
    return _URGENCY.get(trust.state, _REJECTING if any(channel.rejected.values()) else _WELL)


def channel_rows(
    channels: Mapping[str, ChannelHealth],
    trusts: Mapping[str, Trust],
    *,
    width: int,
    now: int,
    widths: TableWidths,
) -> list[Row]:
    """Return the table of channels: first those in trouble, then by name."""
    headings = (
        Heading("state", 0, "text"),
        Heading("messages", 5, "right"),
        Heading("rate", 2, "right"),
        Heading("age", 1, "right"),
        Heading("offset", 7, "right"),
        Heading("gaps", 4, "right"),
        Heading("resyncs", 6, "right"),
        Heading("errors", 3, "right"),
    )
    ordered = sorted(channels.values(), key=lambda c: (_urgency(c, trusts[c.channel]), c.channel))
    lines = [_channel(channel, trusts[channel.channel], now) for channel in ordered]
    names = [_name(channel.channel) if width < SHORT_NAMES else channel.channel for channel in ordered]
    name_width = max(min(max(map(len, names), default=8), width - 24, 60), 8)
    room = max(width - name_width - 1, 8)
    facts = table(
        "channels", headings, lines, width=min(room, _table_width(headings, lines, widths)), widths=widths
    )
    rows: list[Row] = [fit_row((Span(" " + left("channel", name_width), Role.FAINT), *facts[0]), width)]
    for channel, name, row in zip(ordered, names, facts[1:], strict=True):
        rows.append(fit_row((Span(" " + left(name, name_width)), *row), width))
        why, aside = _why(channel), _aside(channel)
        if why or aside:
            words = (Span(why, Role.WARN), Span(" · " if why and aside else ""), Span(aside, Role.MUTED))
            rows.append(fit_row((Span("   ╰ ", Role.FAINT), *(span for span in words if span.text)), width))
    return rows


def _table_width(headings: Sequence[Heading], lines: Sequence[Line], widths: TableWidths) -> int:
    """Return the cells that the columns need with a gap of two between them."""
    total = 3
    for at, heading in enumerate(headings):
        longest = max((len(line.cells[at].text) + len(line.cells[at].tail) for line in lines), default=0)
        total += max(longest, len(heading.name), widths.whole.get(("channels", heading.name), 0)) + 2
    return total - 2


def _name(channel: str) -> str:
    """Return what a channel is about: ``book BINANCE:BTC/USDT``."""
    known = parse(channel)
    if known is None:
        return channel
    subject = known.instrument_id or known.account_id or known.venue or ""
    return " ".join(part for part in (_KINDS[known.kind], subject, known.interval) if part)


def _why(channel: ChannelHealth) -> str:
    """Return what is wrong with a channel, or was."""
    missing = f"{count(channel.missing)} missing" if channel.missing else ""
    texts = (channel.reason, channel.note, missing, reasons(channel.rejected))
    return " · ".join(safe(text) for text in texts if text)


def _aside(channel: ChannelHealth) -> str:
    """Return what is out of the ordinary about a channel without being wrong."""
    texts = (
        "by the server" if channel.by_server else "",
        "delta" if channel.delta else "",
        "unnumbered: a gap cannot be seen" if channel.positioned is False else "",
    )
    return " · ".join(text for text in texts if text)


def _channel(channel: ChannelHealth, trust: Trust, now: int) -> Line:
    sign = SIGNS[trust.state]
    well = _URGENCY.get(trust.state) is None
    rejected = sum(channel.rejected.values())
    offset = UNKNOWN if channel.offset is None or channel.positioned is False else count(channel.offset)
    return Line(
        (
            Cell(sign.glyph, sign.role, f" {sign.word}", Role.TEXT if well else sign.role),
            Cell(count(channel.messages), Role.TEXT),
            Cell(rate(channel.rate), Role.MUTED),
            Cell(age(now - channel.last_message) if channel.last_message is not None else UNKNOWN, Role.TEXT),
            Cell(offset, Role.MUTED),
            Cell(count(channel.gaps), Role.WARN if channel.gaps else Role.MUTED),
            Cell(count(channel.resyncs), Role.WARN if channel.resyncs else Role.MUTED),
            Cell(count(rejected), Role.WARN if rejected else Role.MUTED),
        )
    )
