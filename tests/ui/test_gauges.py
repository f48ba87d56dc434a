"""Figures that are calm."""

from __future__ import annotations

from cadenza_tui.market.health import Health
from cadenza_tui.ui.gauges import Gauges, Steady
from tests.ui.timers import Timers


def test_a_figure_that_wavers_is_not_changed() -> None:
    """What differs by little from second to second is shown as it was."""
    steady = Steady()
    shown = {steady.take(value) for value in [100, 108, 95, 103, 97, 110, 92, 100] * 5}
    assert shown == {100}


def test_a_figure_that_has_really_changed_follows() -> None:
    """Within a few seconds, and to the end."""
    steady = Steady()
    for value in [100.0] * 5 + [400.0] * 15:
        shown = steady.take(value)
    assert shown is not None
    assert abs(shown - 400) < 60


def test_a_figure_comes_to_rest_at_nothing() -> None:
    """A screen that writes nothing shows a nought."""
    steady = Steady()
    for value in [8000.0] * 5 + [0.0] * 60:
        shown = steady.take(value)
    assert shown == 0


def test_no_reading_is_no_figure() -> None:
    """A lag that is not known is not shown as one that was."""
    steady = Steady()
    steady.take(5)
    assert steady.take(None) is None


def test_the_readings_are_taken_once_a_second() -> None:
    """Frames and bytes become rates; what the feed counts is calmed."""
    health, timers = Health(), Timers()
    gauges = Gauges(health)
    gauges.start(timers)  # type: ignore[arg-type]
    for _ in range(5):
        health.screen.frames += 6
        health.screen.bytes_written += 3000
        health.connection.rate = 80
        timers.advance(1)
    assert health.screen.fps == 6
    assert health.screen.steady_bytes_rate == 3000
    assert health.screen.steady_messages_rate == 80
    assert health.screen.steady_lag_ms is None
    gauges.stop()
    assert timers.waiting == 0
