"""How far what is on the screen can be trusted."""

from __future__ import annotations

import pytest

from cadenza_tui.market.health import ChannelHealth, ChannelState, ConnectionState
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import (
    SECOND,
    Trust,
    TrustState,
    book_trust,
    channel_trust,
    connection_trust,
    worst,
)
from tests.market.updates import INSTRUMENT, snapshot

CHANNEL = "market:orderBook:BINANCE:BTC/USDT"
NOW = 1_000 * SECOND


def live(age_s: float = 1.0, frame_age_s: float = 1.0) -> Market:
    """A market that is connected and has a book, with the ages of its last message and frame."""
    market = Market()
    connection = market.health.connection
    connection.state = ConnectionState.CONNECTED
    connection.last_frame = NOW - int(frame_age_s * SECOND)
    channel = ChannelHealth(CHANNEL, ChannelState.LIVE)
    channel.last_message = NOW - int(age_s * SECOND)
    market.health.channels[CHANNEL] = channel
    market.apply_book(snapshot("100:1", "101:1"))
    return market


def trust(market: Market) -> Trust:
    return book_trust(market, INSTRUMENT, CHANNEL, NOW)


def test_a_book_with_news_is_live() -> None:
    """Connected, subscribed, in sync and recent: live, with the age of the last message."""
    assert trust(live()) == Trust(TrustState.LIVE, "", SECOND, dimmed=False)


def test_no_news_on_a_live_line_is_quiet() -> None:
    """A market may rest: as long as pings arrive nothing is wrong."""
    assert trust(live(age_s=4.9)).state is TrustState.LIVE
    assert trust(live(age_s=5.1)) == Trust(TrustState.QUIET, "", int(5.1 * SECOND), dimmed=False)


def test_not_even_a_ping_is_stale() -> None:
    """Past the ping's interval and its grace the content is not to be taken as current."""
    assert trust(live(30, frame_age_s=35)).state is TrustState.QUIET
    stale = trust(live(60, frame_age_s=36))
    assert (stale.state, stale.dimmed, stale.age_ns) == (TrustState.STALE, True, 60 * SECOND)
    assert stale.reason == "nothing for 36 s, not even a ping"


def test_a_server_with_fast_pings_is_stale_sooner() -> None:
    """The limit follows the ping interval that the server announced."""
    market = live(20, frame_age_s=12)
    market.health.connection.ping_interval_s = 1.0
    assert trust(market).state is TrustState.STALE


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ConnectionState.CONNECTING, TrustState.STALE),
        (ConnectionState.UNAUTHORISED, TrustState.UNAUTHORISED),
        (ConnectionState.DISCONNECTED, TrustState.DISCONNECTED),
        (ConnectionState.ENDED, TrustState.ENDED),
    ],
)
def test_without_a_connection_nothing_is_current(state: ConnectionState, expected: TrustState) -> None:
    """Whatever the book says of itself, without a line it is dimmed."""
    market = live()
    market.health.connection.state = state
    assert (trust(market).state, trust(market).dimmed) == (expected, True)


def test_before_the_first_connection_it_is_connecting() -> None:
    """Nothing has arrived yet: that is not stale."""
    assert connection_trust(Market().health, NOW) == Trust(TrustState.CONNECTING, "", None, dimmed=True)


def test_an_unauthorised_connection_says_what_to_do() -> None:
    """The remedy is the reason; without one the reason itself."""
    market = live()
    connection = market.health.connection
    connection.state = ConnectionState.UNAUTHORISED
    connection.reason = "token expired"
    assert trust(market).reason == "token expired"
    connection.remedy = "set CADENZA_TOKEN"
    assert trust(market).reason == "set CADENZA_TOKEN"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ChannelState.SUBSCRIBING, TrustState.AWAITING),
        (ChannelState.AWAITING, TrustState.AWAITING),
        (ChannelState.RESYNCING, TrustState.RESYNCING),
        (ChannelState.FAILED, TrustState.FAILED),
    ],
)
def test_a_channel_that_is_not_live_is_dimmed(state: ChannelState, expected: TrustState) -> None:
    """The channel's own state and reason are shown, over a book that it does not keep up."""
    market = live()
    market.health.channels[CHANNEL].state = state
    market.health.channels[CHANNEL].reason = "why"
    found = trust(market)
    assert (found.state, found.reason, found.dimmed) == (expected, "why", True)


def test_a_channel_that_is_not_there_awaits() -> None:
    """What is not subscribed cannot be live."""
    market = live()
    assert channel_trust(market.health, "other", NOW).state is TrustState.AWAITING


def test_a_book_without_a_snapshot_awaits_one() -> None:
    """A live channel is not a book yet."""
    market = live()
    market.books.clear()
    assert trust(market).state is TrustState.AWAITING
    assert trust(market).dimmed


def test_a_book_out_of_sync_is_resyncing() -> None:
    """The book's own doubt counts, with its reason."""
    market = live()
    market.book(INSTRUMENT).mark_out_of_sync("gap: 3 messages are missing")
    assert trust(market).state is TrustState.RESYNCING
    assert trust(market).reason == "gap: 3 messages are missing"


def test_a_crossed_book_is_dimmed_a_locked_one_is_not() -> None:
    """A bid above the ask is an error; both at one price is rare, but a market."""
    market = live()
    market.apply_book(snapshot("102:1", "101:1"))
    assert (trust(market).state, trust(market).dimmed) == (TrustState.CROSSED, True)
    market.apply_book(snapshot("101:1", "101:1"))
    assert (trust(market).state, trust(market).dimmed) == (TrustState.LOCKED, False)


def test_a_replay_runs_by_its_own_clock() -> None:
    """A replay is neither quiet nor stale; a crossed book is still one."""
    market = live(age_s=100, frame_age_s=100)
    market.health.connection.state = ConnectionState.REPLAYING
    assert trust(market) == Trust(TrustState.REPLAYING, "", 100 * SECOND, dimmed=False)
    market.apply_book(snapshot("102:1", "101:1"))
    assert trust(market).state is TrustState.CROSSED


def test_an_age_is_never_negative() -> None:
    """A clock that was set back does not make content younger than new."""
    assert trust(live(age_s=-5)).age_ns == 0


def test_where_the_server_sends_no_pings_silence_proves_nothing() -> None:
    """A quiet market cannot be told from a dead line, and is not called stale."""
    market = live(60, frame_age_s=600)
    market.health.connection.ping_interval_s = 0.0
    assert trust(market).state is TrustState.QUIET


def test_a_channel_is_quiet_while_the_line_is_alive_and_stale_when_it_is_not() -> None:
    """The same silence of a channel means the one or the other."""
    assert channel_trust(live(60, frame_age_s=1).health, CHANNEL, NOW).state is TrustState.QUIET
    assert channel_trust(live(60, frame_age_s=60).health, CHANNEL, NOW).state is TrustState.STALE


def test_a_book_whose_changes_come_late_is_stale() -> None:
    """Messages arrive all the time, and yet what they say is not what the venue has."""
    market = live()
    market.health.channels[CHANNEL].late_ns = int(2.9 * SECOND)
    assert trust(market).state is TrustState.LIVE
    market.health.channels[CHANNEL].late_ns = int(8.2 * SECOND)
    assert trust(market) == Trust(TrustState.STALE, "its changes come 8 s late", SECOND, dimmed=True)


def test_several_are_trusted_as_far_as_the_worst_of_them() -> None:
    """The first that is not current counts, else the first."""
    good, quiet = Trust(TrustState.LIVE), Trust(TrustState.QUIET)
    bad = Trust(TrustState.RESYNCING, "gap", dimmed=True)
    assert worst([good, bad, quiet]) is bad
    assert worst([quiet, good]) is quiet
    assert worst([]) is None
