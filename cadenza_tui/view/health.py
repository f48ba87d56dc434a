"""The Health view: the connection, the screen, and every channel with those in trouble first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from cadenza_tui.market.health import ChannelState, ConnectionState
from cadenza_tui.market.trust import TrustState, channel_trust, connection_trust
from cadenza_tui.view.account_facts import names
from cadenza_tui.view.health_facts import connection_facts, groups
from cadenza_tui.view.numbers import UNKNOWN, age, clock, count, rate
from cadenza_tui.view.rows import Pane, Role, Row, Span
from cadenza_tui.view.states import CURRENT, SIGNS, state_row
from cadenza_tui.view.table import MASK, Cell, Heading, Line, TableWidths, table
from cadenza_tui.view.text import blank, both_ends, clip, fit_row, left, safe, wrapped
from cadenza_tui.wire.channels import Kind, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cadenza_tui.market.health import ChannelHealth, ConnectionHealth, Health
    from cadenza_tui.market.state import Market
    from cadenza_tui.market.trust import Trust

TITLE: Row = (Span("Health", Role.TITLE),)
LEAST_CHANNELS = 4
TALL = 32
"""From so many rows on there is room for the lists above the channels; before, each has one row."""
LIST_MOST = 5
LONGEST_NAME = 9
SHORT_NAMES = 100
"""Below so many cells a channel is told by what it is about instead of its name."""

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
    masked: bool = False,
) -> Pane:
    """Return the Health view with a body of ``width`` x ``height`` cells, ``scroll`` rows on.

    The channels scroll under their header; where there is no room for that, the whole does. ``widths`` keeps
    the table's columns from frame to frame. ``masked`` shows no amount of what a query has corrected.
    """
    facts = market.health
    trust = connection_trust(facts, now)
    trusts = {name: channel_trust(facts, name, now) for name in facts.channels}
    empty: Row = (Span(blank(width)),)
    tall = height >= TALL
    body = [*_heading(facts.connection, trust, now, width), empty]
    body += [*groups(connection_facts(facts, now), width, spaced=tall), empty]
    every_list = (
        _losses(facts, now),
        _corrected(market, masked=masked),
        _troubles(facts),
        _rejected(facts),
    )
    lists = [each for each in every_list if each is not None]
    if tall:
        body += [row for each in lists for row in (*_listed(each, width), empty)]
    elif lists:
        body += [*(_latest(each, width) for each in lists), empty]
    widths = widths or TableWidths()
    channels = channel_rows(
        facts.channels, trusts, width=width, now=now, widths=widths, down=trust.state not in CURRENT
    )
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
    if link.state in {ConnectionState.CONNECTED, ConnectionState.REPLAYING}:
        return [both_ends((Span(" "), *state_row(trust)), end, width)]
    rows = [both_ends((Span(" "), *state_row(replace(trust, reason=""))), end, width)]
    words = [link.reason, link.remedy]
    if link.attempts:
        words.append(f"{count(link.attempts)} attempt{'s' if link.attempts != 1 else ''} so far")
    if link.next_attempt is not None and link.next_attempt > now:
        words.append(f"next in {age(link.next_attempt - now)}")
    lines = wrapped(" · ".join(word for word in words if word), max(width - 4, 8))
    return rows + [fit_row((Span("   " + line, Role.WARN),), width) for line in lines[:3]]


# --- lists: what was lost, what was not answered, what could not be used


class _Entry(NamedTuple):
    short: str
    long: str
    role: Role = Role.WARN


_Entries = tuple[str, list[_Entry]]
"""A list: its name, and of each entry a short text and a long one."""


def _latest(lines: _Entries, width: int) -> Row:
    """Return a list in one row: its first entry, and how many more there are."""
    name, entries = lines
    short, long, role = entries[0]
    more = f"  and {count(len(entries) - 1)} more" if len(entries) > 1 else ""
    words = f"{' '.join(short.split())}: {safe(long)}"
    room = max(width - 2 - LONGEST_NAME - 1 - len(more), 8)
    named = Span(" " + left(name, LONGEST_NAME) + " ", Role.TITLE)
    return fit_row((named, Span(clip(words, room), role), Span(more, Role.MUTED)), width)


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
    first = min(max((len(entry.short) for entry in entries[:most]), default=0), max(width // 3, 8))
    for short, long, role in entries[:most]:
        rows.append(
            fit_row((Span(" " + left(short, first) + "  ", Role.MUTED), Span(safe(long), role)), width)
        )
    return rows


def _losses(facts: Health, now: int) -> _Entries | None:
    drops = list(reversed(facts.connection.drops))
    entries = [_Entry(f"{clock(drop.at)}  {age(now - drop.at):>5} ago", drop.reason) for drop in drops]
    return ("losses", entries) if entries else None


def _corrected(market: Market, *, masked: bool) -> _Entries | None:
    """Return what of the accounts a query has found to differ from what the pushes gave, the latest first."""
    found = sorted(
        ((difference, account) for account in market.accounts.values() for difference in account.differences),
        key=lambda each: -each[0].at,
    )
    entries = [
        _Entry(
            f"{clock(difference.at)}  {names(account)[0]}",
            f"{difference.what} {difference.field}".strip()
            + (f": {MASK} → {MASK}" if masked else f": held {difference.held}, is {difference.queried}"),
        )
        for difference, account in found
    ]
    return ("corrected", entries) if entries else None


def _troubles(facts: Health) -> _Entries | None:
    return ("queries", [_Entry(*item) for item in sorted(facts.troubles.items())]) if facts.troubles else None


def _rejected(facts: Health) -> _Entries | None:
    """Return what of the connection could not be used, then, muted, what was passed over on purpose.

    What of a channel could not be used stands there.
    """
    link = facts.connection
    entries = [
        _Entry(count(n), reason, role)
        for counted, role in ((link.rejected, Role.WARN), (link.dropped, Role.MUTED))
        for reason, n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        if n
    ]
    return ("not used", entries) if entries else None


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
    down: bool = False,
) -> list[Row]:
    """Return the table of channels: first those in trouble, then by name; nothing where there are none.

    While the connection is ``down`` the reason is the same for all and is told with the connection.
    """
    if not channels:
        return []
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
        why, aside = _why(channel, down=down and channel.state is not ChannelState.FAILED), _aside(channel)
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


def _why(channel: ChannelHealth, *, down: bool) -> str:
    """Return what is wrong with a channel, or was; while the connection is ``down``, without the reason."""
    told = channel.state is ChannelState.RESYNCING and channel.reason  # that says what is missing
    missing = f"{count(channel.missing)} missing" if channel.missing and not told else ""
    texts = ("" if down else channel.reason, channel.note, missing, reasons(channel.rejected))
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
