"""The Health view."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.market.health import ChannelHealth, ChannelState, ConnectionState
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
    link.reconnects, link.last_disconnect = 2, "3005 force reconnect"
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


def test_channels_in_trouble_come_first() -> None:
    """Failed, resyncing and rejecting channels stand above those that are well."""
    names = [row.split()[0] for row in plain(shown())[-5:]]
    assert names == ["e", "d", "c", "a", "b"]
    assert text(shown().trust) == "5 channels · 3 in trouble"
    assert "gap 120→123" in screen(shown())


def test_the_connections_facts_are_told() -> None:
    """Since when, lag, clock, messages, reconnects and why, and what was rejected for what reason."""
    words = screen(shown())
    for fact in (
        "● live", "1 m", "wss://example.org:8443/connection/websocket", "12 ms / 140 ms", "−3.5 ms",
        "12,345  272/s", "8.0 MB", "2  3005 force reconnect", "12 negative quantity, 3 row length",
        "900  4 skipped",
    ):  # fmt: skip
        assert fact in words


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
    assert "token expired · bring a new one" in words
    assert "3  next in 4 s" in words


def test_reasons_are_sorted_by_count() -> None:
    """The most frequent reason comes first; none that never happened."""
    assert reasons(Counter(a=1, b=5, c=0)) == "5 b, 1 a"


def test_channels_scroll_under_their_header() -> None:
    """With more channels than rows the last can be reached."""
    made = troubled()
    for n in range(50):
        made.health.channels[f"z{n:02}"] = ChannelHealth(f"z{n:02}", ChannelState.LIVE)
    rows = plain(health(made, width=138, height=24, now=NOW, scroll=999))
    assert rows[-1].split()[0] == "z49"
    assert any(row.split()[:1] == ["channel"] for row in rows)
