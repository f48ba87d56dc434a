"""The status line and the states it must tell apart."""

from __future__ import annotations

import pytest

from cadenza_tui.market.records import BookType
from cadenza_tui.market.trust import Trust, TrustState
from cadenza_tui.view.states import SIGNS, absence, border, empty_pane
from cadenza_tui.view.status import overall, status
from tests.view.support import ID, LIVE, NOW, bad_widths, book, market, screen, text, trust


def shown(
    connection: Trust = LIVE,
    of_book: Trust | None = LIVE,
    width: int = 140,
    instrument: str | None = ID,
    notice: str = "",
    clock: bool = True,
) -> str:
    """Return the status line over the shared market."""
    held = market()
    held.health.connection.label = "prod"
    held.health.connection.lag_p50_ms = 12.3
    held.health.connection.rate = 272
    held.health.screen.bytes_rate = 8123
    held.health.screen.fps = 2.46
    held.books[ID] = book([("61837.63", "2")], [("61837.64", "1")])
    return text(
        status(held, instrument, connection, of_book, width=width, now=NOW, notice=notice, clock=clock)
    )


@pytest.mark.parametrize("width", range(20, 301, 23))
@pytest.mark.parametrize("state", list(TrustState))
def test_the_line_is_exactly_as_wide_as_the_screen(width: int, state: TrustState) -> None:
    """Whatever the state and the width, the line fits."""
    assert len(shown(trust(state, "a reason of some length that says it all", 14), LIVE, width)) == width


def test_the_line_of_the_design() -> None:
    """Instrument, last price and change, touch, imbalance, state, lag, rate, bytes, frames, server, clock."""
    assert shown(width=150).split() == [
        "BTC/USDT", "BINANCE", "spot", "61,837.64", "▲", "1.24%", "61,837.63", "×", "61,837.64",
        "imb", "━━━━━━━━━━━", "+0.33", "●", "live", "12", "ms", "272/s",
        "8.1", "KB/s", "2.5", "fps", "prod", "23:54:14Z",
    ]  # fmt: skip


def test_the_clock_can_be_left_out() -> None:
    """Then the line stands still while nothing happens."""
    assert "23:54:14" in shown()
    assert "23:54:14" not in shown(clock=False)


@pytest.mark.parametrize(("seconds", "words"), [(7, "quiet 5 s"), (19, "quiet 10 s"), (59, "quiet 50 s")])
def test_what_is_only_quiet_counts_no_seconds(seconds: int, words: str) -> None:
    """Its age steps, so that a line on which nothing happens stands still for a while."""
    assert words in shown(of_book=trust(TrustState.QUIET, "", seconds))


def test_steady_figures_come_before_the_latest() -> None:
    """What flickers is traffic; where nobody reads them steadily, the latest are shown."""
    held = market()
    link, screen = held.health.connection, held.health.screen
    link.lag_p50_ms, link.rate, screen.bytes_rate = 12.3, 272, 8123
    screen.steady_lag_ms, screen.steady_messages_rate, screen.steady_bytes_rate = 20, 300, 9000
    line = text(status(held, ID, LIVE, LIVE, width=140, now=NOW))
    assert "20 ms" in line
    assert "300/s" in line
    assert "9.0 KB/s" in line


def test_the_touch_stays_at_80_columns() -> None:
    """At 80 columns the touch and the state are both there."""
    assert "61,837.63 × 61,837.64" in shown(width=80)
    assert "● live" in shown(width=80)


def test_a_book_that_is_not_current_has_no_imbalance() -> None:
    """It would be two colours for what may not be so any more."""
    assert "imb" in shown(width=200)
    assert "imb" not in shown(of_book=trust(TrustState.STALE, "", 14), width=200)


def test_a_curve_has_no_imbalance() -> None:
    """The sizes of a VWAP book are no orders that could be weighed against each other."""
    held = market()
    for kind in (BookType.L2, BookType.VWAP):
        held.books[ID] = book([("61837.63", "2")], [("61837.64", "1")], kind)
        assert ("imb" in text(status(held, ID, LIVE, LIVE, width=200, now=NOW))) is (kind is BookType.L2)


def test_the_touch_stays_though_the_state_has_a_long_reason() -> None:
    """The reason goes before the touch does; it stands in the book's border, too."""
    gap = trust(TrustState.RESYNCING, "gap: 2 messages are missing", 1)
    narrow, wide = shown(of_book=gap, width=80), shown(of_book=gap, width=140)
    assert "61,837.63 × 61,837.64" in narrow
    assert "↻ resyncing" in narrow
    assert "↻ resyncing: gap: 2 messages are missing" in wide


def test_a_gap_fits_the_border_of_a_narrow_book() -> None:
    """What kind of trouble it is, without its details."""
    gap = trust(TrustState.RESYNCING, "gap: 2 messages are missing", 1)
    assert text(border(gap, "L2", width=37)) == "↻ resyncing: gap"


def test_every_state_has_its_own_glyph_and_word() -> None:
    """No two states look alike without their colours."""
    assert set(SIGNS) == set(TrustState)
    assert len({sign.glyph for sign in SIGNS.values()}) == len(SIGNS)
    assert len({sign.word for sign in SIGNS.values()}) == len(SIGNS)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TrustState.CONNECTING, "◌ connecting: attempt 3"),
        (TrustState.STALE, "◔ stale 14 s"),
        (TrustState.UNAUTHORISED, "⚠ unauthorised: attempt 3"),
        (TrustState.DISCONNECTED, "✕ disconnected: attempt 3"),
        (TrustState.RESYNCING, "↻ resyncing: attempt 3"),
    ],
)
def test_a_state_says_why(state: TrustState, words: str) -> None:
    """Glyph, word, and the reason or the age stand in the line."""
    assert words in shown(trust(state, "attempt 3", 14))


def test_live_only_when_connection_and_book_are() -> None:
    """The line says live only if the connection is up and this book is in sync."""
    resyncing = trust(TrustState.RESYNCING, "gap 120→123")
    down = trust(TrustState.STALE, "", 40)
    assert "● live" not in shown(LIVE, resyncing)
    assert "↻ resyncing: gap 120→123" in shown(LIVE, resyncing)
    assert "◔ stale 40 s" in shown(down, LIVE)
    assert overall(LIVE, trust(TrustState.CROSSED)).state is TrustState.CROSSED
    assert overall(LIVE, None) is LIVE


def test_a_replay_is_never_called_live() -> None:
    """While a recording plays the line says so, with its speed."""
    replaying = trust(TrustState.REPLAYING)
    assert "▸ replay" in shown(replaying, replaying)
    assert "live" not in shown(replaying, LIVE)


def test_without_an_instrument_the_connection_is_told() -> None:
    """Before there is anything to show the line still says how the connection stands."""
    assert "no instrument" in shown(trust(TrustState.CONNECTING), None, instrument=None)


def test_a_notice_is_shown_while_there_is_room() -> None:
    """A notice comes before the details."""
    assert "amounts masked" in shown(notice="amounts masked", width=110)


def test_the_border_of_a_stale_pane_and_an_empty_one() -> None:
    """Borders name state and age; an empty pane says what it waits for and why."""
    assert text(border(trust(TrustState.STALE, "", 14), "L2")) == "L2 · ◔ stale 14 s"
    assert absence(trust(TrustState.UNAUTHORISED, "renew the token"), "") == (
        "The server refuses the token · renew the token"
    )
    pane = empty_pane("Book", trust(TrustState.CONNECTING), 40, 9)
    assert "Connecting" in screen(pane)
    assert bad_widths(pane.body, 40) == []


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (60, "L2 · ◔ stale 14 s · the host refuses: nothing listens there"),
        (40, "L2 · ◔ stale 14 s · the host refuses"),
        (34, "◔ stale 14 s · the host refuses"),
    ],
)
def test_a_reason_is_shortened_before_it_is_cut(width: int, words: str) -> None:
    """What stands behind its colon goes first, then the book's kind."""
    stale = trust(TrustState.STALE, "the host refuses: nothing listens there", 14)
    assert text(border(stale, "L2", width=width)) == words


def test_what_the_server_says_cannot_reach_the_terminal() -> None:
    """A reason with escape characters is shown without them."""
    assert "\x1b" not in shown(trust(TrustState.DISCONNECTED, "\x1b]0;evil\x07 bye"))
