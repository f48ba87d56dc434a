"""The Health view."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.market.differences import Difference
from cadenza_tui.market.health import ChannelHealth, ChannelState, ConnectionState, Drop
from cadenza_tui.market.state import Market
from cadenza_tui.view.health import bare_url, health, reasons
from cadenza_tui.view.rows import Role
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


@pytest.mark.parametrize("width", [78, 118, 138, 198])
def test_no_fact_is_cut_after_days_of_use(width: int) -> None:
    """At every usual width large numbers stand whole beside each other."""
    made = troubled()
    link, painted = made.health.connection, made.health.screen
    link.since, link.last_ping, link.last_frame = (
        NOW - 3 * 86_400 * SECOND,
        NOW - 14 * SECOND,
        NOW - 14 * SECOND,
    )
    link.reconnects, link.clock_offset_ms, link.lag_p99_ms = 1_234, -999.0, 12_345.0
    link.messages, link.rate = 1_234_567_890, 2_345.0
    link.bytes_received, link.bytes_rate = 580_000_000, 1_200_000.0
    painted.frames, painted.skipped, painted.loop_stall_ms = 1_234_567, 12_345, 1_234.0
    painted.bytes_written, painted.bytes_rate = 580_000_000, 1_200_000.0
    rows = plain(health(made, width=width, height=40, now=NOW))
    facts = rows[: next(at for at, row in enumerate(rows) if row.split()[:1] == ["losses"])]
    assert not [row for row in facts if "…" in row]
    words = " ".join(" ".join(facts).split())
    for fact in (
        "since 3 d", "14 s ago of 25 s", "reconnects 1,234", "p99 12.3 s", "999 ms behind", "2,345/s",
        "messages 1,234,567,890", "received 580 MB 1.2 MB/s", "written 580 MB 1.2 MB/s",
        "painted 1,234,567 12,345 skipped", "loop stall 1.2 s",
    ):  # fmt: skip
        assert fact in words


@pytest.mark.parametrize("width", [78, 118, 198])
def test_the_facts_stand_still_whatever_they_are(width: int) -> None:
    """The labels of the facts have the same places for small numbers and for large ones."""

    def places(made: Market) -> list[tuple[int, int]]:
        rows = plain(health(made, width=width, height=40, now=NOW))
        return [
            (y, row.index(name))
            for name in ("reconnects", "clock", "received", "loop stall")
            for y, row in enumerate(rows)
            if name in row
        ]

    large = troubled()
    large.health.connection.messages = large.health.connection.bytes_received = 10**12
    large.health.screen.skipped = 10**6
    assert len(places(large)) == 4
    assert places(large) == places(troubled())


def test_nothing_skipped_is_not_said() -> None:
    """Only frames that were skipped are a fact."""
    made = troubled()
    made.health.screen.skipped = 0
    assert "skipped" not in screen(health(made, width=138, height=40, now=NOW))


def test_while_the_connection_is_down_its_reason_stands_once() -> None:
    """Not below every channel; what a channel has of its own stays there."""
    made = troubled()
    link = made.health.connection
    link.state, link.reason = ConnectionState.CONNECTING, "the connection was lost"
    for channel in made.health.channels.values():
        channel.reason = "the connection was lost"
    made.health.channels["e failed"].reason = "permission denied"
    made.health.channels["a live"].missing = 3
    words = screen(health(made, width=138, height=50, now=NOW))
    assert words.count("the connection was lost") == 1
    assert "╰ 3 missing" in words
    assert "╰ permission denied" in words


def test_a_resync_tells_once_what_is_missing() -> None:
    """Its reason counts the messages; the sum stands there again when it is over."""
    made = troubled()
    channel = made.health.channels["d resyncing"]
    channel.reason, channel.missing = "gap: 2 messages are missing", 2
    assert screen(health(made, width=138, height=50, now=NOW)).count("missing") == 1
    channel.state, channel.reason = ChannelState.LIVE, ""
    assert "╰ 2 missing" in screen(health(made, width=138, height=50, now=NOW))


def test_without_channels_there_is_no_table() -> None:
    """Headings over nothing say nothing."""
    made = troubled()
    made.health.channels.clear()
    assert "messages  rate" not in screen(health(made, width=138, height=50, now=NOW))
    assert "offset" not in screen(health(made, width=138, height=50, now=NOW))


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
        "ping 3 s ago of 25 s", "painted 900 4 skipped", "not used 12: negative quantity and 1 more",
    ):  # fmt: skip
        assert fact in words


def test_the_links_pace_is_told() -> None:
    """Frames a second, how fast the terminal answers, and what a frame may have; or that it never answers."""
    made = troubled()
    assert "silent" in screen(health(made, width=138, height=40, now=NOW))
    painted = made.health.screen
    painted.fps, painted.round_trip_ms, painted.allowance, painted.paint_ms = 4.5, 212.0, 1_000, 1.5
    words = screen(health(made, width=138, height=40, now=NOW))
    assert "1.5 ms  4.5 fps" in words
    assert "screen 212 ms" in words
    assert "212 ms  1.0 KB a frame" in screen(health(made, width=78, height=40, now=NOW))


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
    assert words.count("bring a new one") == 1
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


@pytest.mark.parametrize("height", [22, 50])
def test_what_was_passed_over_is_told_without_alarm(height: int) -> None:
    """After what could not be used, by name, muted; it counts neither as rejected nor as trouble."""
    made = troubled()
    made.health.connection.rejected.clear()
    made.health.channels["c rejecting"].rejected.clear()
    made.health.connection.dropped = Counter({"duplicate publication": 1_200})
    pane = health(made, width=138, height=height, now=NOW)
    words = " ".join(screen(pane).split())
    assert "rejected 0" in words
    assert "1,200" in words
    (span,) = [span for row in pane.body for span in row if "duplicate publication" in span.text]
    assert span.role is Role.MUTED
    made.health.connection.rejected["row length"] = 3
    listed_last = screen(health(made, width=138, height=50, now=NOW))
    assert listed_last.index("row length") < listed_last.index("duplicate publication")


@pytest.mark.parametrize("height", [24, 40])
@pytest.mark.parametrize("masked", [False, True])
def test_what_a_query_corrected_is_listed(height: int, masked: bool) -> None:
    """The latest first, with what was held and what is; masked, without either."""
    market = troubled()
    for minute, (name, held) in enumerate((("a1", "7.65000000"), ("a2", "812004.12"))):
        account = market.account(name)
        account.compared.found.appendleft(
            Difference(NOW + minute * 60 * SECOND, "balance BTC", "total", held, "—")
        )
    words = screen(health(market, width=138, height=height, now=NOW, masked=masked))
    assert "corrected" in words
    assert "balance BTC total" in words
    assert ("held 812004.12, is —" in words) is not masked
    assert ("••••• → •••••" in words) is masked
    if height == 40:
        assert words.index("23:55:14Z  a2") < words.index("23:54:14Z  a1")
    else:
        assert "and 1 more" in words
