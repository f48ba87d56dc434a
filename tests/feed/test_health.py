"""Rates and lag in constant memory."""

from __future__ import annotations

from cadenza_tui.feed.health import LAG_WINDOW_NS, LEAST_WINDOW_NS, Backlog, Lag, Meter, Rate
from cadenza_tui.market.health import ChannelHealth, Health

SECOND = 1_000_000_000


def test_a_rate_is_over_the_last_seconds_alone() -> None:
    """What was long ago does not count."""
    rate = Rate()
    for second in range(20):
        rate.reading(second * 100, second * SECOND)
    assert rate.reading(2_000, 20 * SECOND) == 100.0
    for second in range(21, 27):
        latest = rate.reading(2_000, second * SECOND)
    assert latest == 0.0


def test_a_first_reading_is_no_rate() -> None:
    """One reading says nothing about time."""
    assert Rate().reading(1_000, SECOND) == 0.0


def test_a_total_that_went_back_begins_anew() -> None:
    """A channel that was let go and came back has no negative rate."""
    rate = Rate()
    rate.reading(1_000, SECOND)
    assert rate.reading(5, 2 * SECOND) == 0.0
    assert rate.reading(15, 3 * SECOND) == 10.0


def test_percentiles_are_those_of_the_window() -> None:
    """p50 and p99 come in ms, and old messages leave them after two windows at the latest."""
    lag = Lag()
    for _ in range(98):
        lag.record(10_000_000)
    lag.record(500_000_000)
    lag.record(500_000_000)
    p50, p99 = lag.percentiles_ms(SECOND) or (0.0, 0.0)
    assert abs(p50 - 10) < 0.2
    assert abs(p99 - 500) < 5
    lag.percentiles_ms(SECOND + LAG_WINDOW_NS)
    lag.record(20_000_000)
    assert lag.percentiles_ms(2 * SECOND + LAG_WINDOW_NS) is not None
    lag.percentiles_ms(SECOND + 2 * LAG_WINDOW_NS)
    p50, p99 = lag.percentiles_ms(2 * SECOND + 2 * LAG_WINDOW_NS) or (0.0, 0.0)
    assert abs(p99 - 20) < 0.5


def test_silence_has_no_percentiles() -> None:
    """Nothing measured is None, not zero."""
    lag = Lag()
    assert lag.percentiles_ms(SECOND) is None
    lag.record(5_000_000)
    assert lag.percentiles_ms(2 * SECOND) is not None
    assert lag.percentiles_ms(2 * SECOND + 3 * LAG_WINDOW_NS) is None


def test_clocks_that_disagree_do_no_harm() -> None:
    """A negative lag counts as none, an absurd one as the most."""
    lag = Lag()
    lag.record(-5_000_000_000)
    lag.record(10**20)
    p50, p99 = lag.percentiles_ms(SECOND) or (-1.0, -1.0)
    assert p50 < 0.01
    assert 3_500_000 < p99 < 3_700_000


def test_a_meter_follows_channels_that_come_and_go() -> None:
    """Each channel has its rate, and one that is gone leaves nothing behind."""
    health = Health()
    meter = Meter(health)
    health.channels["a"] = ChannelHealth("a")
    meter.measure(Lag(), SECOND, SECOND)
    health.channels["a"].messages = 30
    health.connection.messages = 40
    health.connection.bytes_received = 5_000
    meter.measure(Lag(), 2 * SECOND, 2 * SECOND)
    assert (health.channels["a"].rate, health.connection.rate) == (30.0, 40.0)
    assert health.connection.bytes_rate == 5_000.0
    del health.channels["a"]
    meter.measure(Lag(), 3 * SECOND, 3 * SECOND)
    health.channels["a"] = ChannelHealth("a", messages=7)
    meter.measure(Lag(), 4 * SECOND, 4 * SECOND)
    assert health.channels["a"].rate == 0.0


def test_a_backlog_is_what_a_message_is_later_than_the_least_late_one() -> None:
    """A venue whose clock is an hour off is not late for it; one that falls behind is."""
    hour = 3_600 * SECOND
    backlog = Backlog()
    assert backlog.reading(1, hour, SECOND) == 0
    assert backlog.reading(2, hour + 4 * SECOND, 2 * SECOND) == 4 * SECOND
    assert backlog.reading(3, hour - SECOND, 3 * SECOND) == 0
    assert backlog.reading(4, hour, 4 * SECOND) == SECOND


def test_a_channel_without_news_is_not_late() -> None:
    """Its latest message may have been late; nothing says that another one waits."""
    backlog = Backlog()
    backlog.reading(1, 0, SECOND)
    assert backlog.reading(2, 9 * SECOND, 2 * SECOND) == 9 * SECOND
    assert backlog.reading(2, 9 * SECOND, 3 * SECOND) == 0


def test_what_was_usual_long_ago_is_forgotten() -> None:
    """After two windows at the latest a lag is held against what came since."""
    backlog = Backlog()
    backlog.reading(1, 0, SECOND)
    assert backlog.reading(2, 5 * SECOND, SECOND + LEAST_WINDOW_NS) == 5 * SECOND
    assert backlog.reading(3, 5 * SECOND, SECOND + 2 * LEAST_WINDOW_NS) == 0


def test_a_clock_that_was_set_makes_no_book_late() -> None:
    """Lags before and after it cannot be compared; a backlog after it is told all the same."""
    health = Health()
    meter = Meter(health)
    facts = health.channels["a"] = ChannelHealth("a", messages=1, lag_ns=0)
    meter.measure(Lag(), SECOND, SECOND)
    facts.messages, facts.lag_ns = 2, 60 * SECOND
    meter.measure(Lag(), 2 * SECOND, 62 * SECOND)
    assert facts.late_ns == 0
    facts.messages, facts.lag_ns = 3, 64 * SECOND
    meter.measure(Lag(), 3 * SECOND, 63 * SECOND)
    assert facts.late_ns == 4 * SECOND
