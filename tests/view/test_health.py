"""The Health view."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.market.health import ChannelHealth, ChannelState, ConnectionState, Drop
from cadenza_tui.market.state import Market
from cadenza_tui.view.health import bare_url, health, reasons
from tests.view.support import NOW, SECOND, bad_widths, plain, screen, text

if TYPE_CHECKING:
    from cadenza_tui.view.rows import Pane


def troubled() -> Market:
    """Return a market whose health has something of everything."""
    made = Market()
    link = made.health.connection
    link.url = "wss://user:secret@example.org:8443/connection/websocket?token=eyJh.TOKEN#x"
    link.state, link.since, link.label = ConnectionState.CONNECTED, NOW - 60 * SECOND, "prod"
    link.last_frame, link.last_ping = NOW, NOW - 3 * SECOND
    link.lag_p50_ms, link.lag_p99_ms, link.clock_offset_ms = 12.0, 140.0, -3.5
    link.messages, link.rate, link.bytes_received = 12_345, 272.0, 8_000_000
    link.reconnects = 2
    link.drops.append(Drop(NOW - 60 * SECOND, "3005 force reconnect"))
    link.rejected = Counter({"row length": 3, "negative quantity": 12})
    made.health.screen.frames, made.health.screen.skipped = 900, 4
    for name, state in (
        ("b live", ChannelState.LIVE),
        ("a live", ChannelState.LIVE),
        ("c rejecting", ChannelState.LIVE),
        ("d resyncing", ChannelState.RESYNCING),
        ("e failed", ChannelState.FAILED),
    ):
        made.health.channels[name] = ChannelHealth(
            name, state, messages=100, rate=2.5, last_message=NOW, offset=7
        )
    made.health.channels["c rejecting"].rejected["bad price"] = 1
    made.health.channels["d resyncing"].reason = "gap 120→123"
    made.health.channels["d resyncing"].gaps = 1
    return made


def shown(width: int = 138, height: int = 24, **options: object) -> Pane:
    """Return the view of the troubled market."""
    return health(troubled(), width=width, height=height, now=NOW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", range(30, 301, 27))
@pytest.mark.parametrize("height", [4, 12, 40])
def test_every_row_is_exactly_as_wide_as_the_pane(width: int, height: int) -> None:
    """At every size each row fits, and there are no more than there is room for."""
    pane = shown(width, height)
    assert bad_widths(pane.body, width) == []
    assert len(pane.body) <= height


def listed(pane: Pane) -> list[str]:
    """Return the channels in the order of their rows."""
    rows = plain(pane)
    header = next(at for at, row in enumerate(rows) if row.split()[:1] == ["channel"])
    return [row.split()[0] for row in rows[header + 1 :] if row.strip() and "╰" not in row]


def test_channels_in_trouble_come_first() -> None:
    """Failed, resyncing and rejecting channels stand above those that are well; why stands below each."""
    pane = shown(height=50)
    assert listed(pane) == ["e", "d", "c", "a", "b"]
    assert text(pane.trust) == "5 channels · 3 in trouble"
    rows = plain(pane)
    assert "╰ gap 120→123" in rows[next(at for at, row in enumerate(rows) if "d resyncing" in row) + 1]


def test_the_connections_facts_are_told() -> None:
    """Since when, pings, lag, clock, messages, bytes, frames, and what was rejected for what reason."""
    words = " ".join(screen(shown()).split())
    for fact in (
        "● live", "since 1 m", "wss://example.org:8443/connection/websocket prod", "p50 12 ms", "p99 140 ms",
        "clock 3.5 ms behind", "messages 12,345", "rate 272/s", "received 8.0 MB", "reconnects 2",
        "ping 3 s ago of 25 s", "painted 900 4 skipped", "unusable 12: negative quantity and 1 more",
    ):  # fmt: skip
        assert fact in words


def test_the_latest_losses_are_listed_with_their_times_and_reasons() -> None:
    """The newest first; where there is little room the newest alone, and how many more."""
    made = troubled()
    for number in range(10):
        made.health.connection.drops.append(Drop(NOW - (10 - number) * SECOND, f"reason {number}"))
    words = screen(health(made, width=138, height=50, now=NOW))
    assert [n for n in range(10) if f"reason {n}" in words] == [5, 6, 7, 8, 9]
    assert "losses and 3 more" in words
    assert words.index("reason 9") < words.index("reason 8")
    low = screen(health(made, width=78, height=22, now=NOW))
    assert "1 s ago: reason 9  and 7 more" in low
    assert "reason 8" not in low


def test_queries_that_brought_nothing_are_told() -> None:
    """With the reason; a list as long as there is room for."""
    made = troubled()
    made.health.troubles["instruments"] = "the server did not answer in time"
    for height in (22, 50):
        assert "the server did not answer in time" in screen(health(made, width=78, height=height, now=NOW))


def test_each_channel_has_its_own_state() -> None:
    """Live, quiet while the line is alive, stale when it is not: the same facts with another last frame."""
    made = troubled()
    made.health.channels["b live"].last_message = NOW - 20 * SECOND
    rows = plain(health(made, width=138, height=50, now=NOW))
    assert "◐ quiet" in next(row for row in rows if "b live" in row)
    made.health.connection.last_frame = NOW - 60 * SECOND
    rows = plain(health(made, width=138, height=50, now=NOW))
    assert "◔ stale" in next(row for row in rows if "b live" in row)


def test_what_a_channel_lacks_and_how_it_came_is_told() -> None:
    """Missing messages, a note that stays, offsets that there are none of, and who subscribed."""
    made = troubled()
    channel = made.health.channels["a live"]
    channel.missing, channel.note = 1_200, "the platform was asked to stream it: no"
    channel.positioned, channel.by_server, channel.delta = False, True, True
    rows = plain(health(made, width=138, height=50, now=NOW))
    at = next(at for at, row in enumerate(rows) if "a live" in row)
    assert rows[at + 1].strip() == (
        "╰ the platform was asked to stream it: no · 1,200 missing"
        " · by the server · delta · unnumbered: a gap cannot be seen"
    )
    assert " 7 " not in rows[at]


def test_a_narrow_table_names_channels_by_what_they_are_about() -> None:
    """Their names would leave no room for the facts."""
    made = Market()
    for name in ("market:orderBook:BINANCE:BTC/USDT", "tradingAccount:desk-1", "market:kline:OKX:A/B:1m"):
        made.health.channels[name] = ChannelHealth(name, ChannelState.LIVE)
    narrow = screen(health(made, width=78, height=30, now=NOW))
    for name in ("book BINANCE:BTC/USDT", "account desk-1", "candles OKX:A/B 1m"):
        assert name in narrow
    assert "market:orderBook:BINANCE:BTC/USDT" in screen(health(made, width=118, height=30, now=NOW))


@pytest.mark.parametrize(
    ("offset", "words"),
    [(0.0, "agrees"), (12.0, "12 ms ahead"), (-1_500.0, "1.5 s behind"), (-3_600_000.0, "1 h behind")],
)
def test_the_clocks_are_compared(offset: float, words: str) -> None:
    """How far the server's clock is ahead of ours, or behind."""
    made = troubled()
    made.health.connection.clock_offset_ms = offset
    assert f"clock {words}" in " ".join(screen(health(made, width=138, height=24, now=NOW)).split())


def test_no_secret_of_the_url_is_shown() -> None:
    """User, password, query and fragment may carry a token and are left out."""
    words = screen(shown())
    for secret in ("user", "secret", "token=", "TOKEN"):
        assert secret not in words


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("ws://127.0.0.1:8000/c?t=1", "ws://127.0.0.1:8000/c"),
        ("ws://[::1]:80/c", "ws://[::1]:80/c"),
        ("ws://host:port/c?token=x", "—"),
        ("user:pass@host?token=x", "host"),
        ("", "—"),
    ],
)
def test_bare_url(url: str, bare: str) -> None:
    """Only scheme, host, port and path are left, even of an address that is none."""
    assert bare_url(url) == bare


def test_a_connection_that_is_down_says_why_and_what_to_do() -> None:
    """Reason and remedy stand in the view, and when the next attempt is."""
    made = troubled()
    link = made.health.connection
    link.state, link.reason, link.remedy = ConnectionState.UNAUTHORISED, "token expired", "bring a new one"
    link.attempts, link.next_attempt = 3, NOW + 4 * SECOND
    words = screen(health(made, width=138, height=24, now=NOW))
    assert "⚠ unauthorised" in words
    assert "token expired · bring a new one · 3 attempts so far · next in 4 s" in words


def test_reasons_are_sorted_by_count() -> None:
    """The most frequent reason comes first; none that never happened."""
    assert reasons(Counter(a=1, b=5, c=0)) == "5 b, 1 a"


def test_channels_scroll_under_their_header() -> None:
    """With more channels than rows the last can be reached."""
    made = troubled()
    for n in range(50):
        made.health.channels[f"z{n:02}"] = ChannelHealth(f"z{n:02}", ChannelState.LIVE)
    pane = health(made, width=138, height=24, now=NOW, scroll=999)
    rows = plain(pane)
    assert listed(pane)[-1] == "z49"
    assert any(row.split()[:1] == ["channel"] for row in rows)
