"""What a user allows, and what follows from where the terminal is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.ui.bandwidth import BURST_S, LOCAL, REMOTE, Bandwidth, Budget

SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}


def test_on_this_machine_there_is_no_budget() -> None:
    """The pace is the eye's."""
    assert Bandwidth().pace({}) == LOCAL
    assert LOCAL.bytes_per_s is None


@pytest.mark.parametrize("environ", [SSH, {"SSH_TTY": "/dev/pts/3"}])
def test_over_ssh_frames_are_fewer_and_modest(environ: dict[str, str]) -> None:
    """Nobody had to say so."""
    pace = Bandwidth().pace(environ)
    assert pace == REMOTE
    assert pace.period == pytest.approx(1 / 6)
    assert pace.bytes_per_s is not None
    assert pace.allowance < LOCAL.allowance


@pytest.mark.parametrize("environ", [{}, SSH])
def test_what_the_user_says_is_the_budget(environ: dict[str, str]) -> None:
    """It holds everywhere, and for a terminal that never answers as well."""
    pace = Bandwidth(2).pace(environ)
    assert pace.bytes_per_s == 2048
    assert pace.mute_bytes_per_s == 2048
    assert pace.allowance <= 2048 * BURST_S


def test_over_ssh_a_terminal_that_never_answers_gets_what_a_thin_link_takes() -> None:
    """On 2 kB/s nothing piles up in the buffers in between."""
    assert REMOTE.mute_bytes_per_s is not None
    assert REMOTE.mute_bytes_per_s < 2000


@given(st.floats(500, 1e6), st.lists(st.tuples(st.integers(1, 50_000), st.floats(0, 2)), max_size=60))
def test_the_budget_is_kept(rate: float, frames: list[tuple[int, float]]) -> None:
    """Whoever waits for the debt to be paid sends no more than the rate, a burst and the last frame apart."""
    budget, now, sent = Budget(rate), 1000.0, 0
    began = now
    for size, pause in frames:
        now = max(now + pause, budget.free_at())
        assert sent <= rate * (now - began + BURST_S) * 1.001 + 1
        budget.spend(size, now)
        sent += size


def test_a_key_may_be_sent_into_a_small_debt() -> None:
    """It is answered now, and what it cost is paid later."""
    budget = Budget(1000)
    budget.spend(600, 10.0)
    assert budget.free_at() > 10.0
    assert budget.free_at(hurried=True) <= 10.0
    budget.spend(5000, 10.0)
    assert budget.free_at(hurried=True) > 10.0


def test_without_a_rate_nothing_is_owed() -> None:
    """No budget, no debt."""
    budget = Budget(None)
    budget.spend(10**9, 1.0)
    assert budget.free_at() < 1.0
