"""Waits between attempts."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.centrifugo.backoff import Backoff


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 200))
def test_wait_follows_the_formula(chance: float, step: int) -> None:
    """The wait is min(max, min + U(0, min(max, min·2^step))) seconds, at any step."""
    backoff = Backoff(0.5, 20.0, lambda: chance)
    for _ in range(step):
        backoff.next()
    assert backoff.next() == min(20.0, 0.5 + chance * min(20.0, 0.5 * 2 ** min(step, 32)))


@given(st.integers())
def test_waits_stay_within_their_bounds(seed: int) -> None:
    """No wait is shorter than the minimum or longer than the maximum."""
    backoff = Backoff(0.5, 20.0, random.Random(seed).random)
    assert all(0.5 <= backoff.next() <= 20.0 for _ in range(50))


def test_reset_starts_from_the_shortest_wait() -> None:
    """After a success the next failure waits briefly again."""
    backoff = Backoff(0.5, 20.0, lambda: 0.99)
    long = [backoff.next() for _ in range(10)][-1]
    backoff.reset()
    assert long == 20.0
    assert backoff.next() < 1.0
