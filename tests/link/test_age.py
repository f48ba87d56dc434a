"""What stands on the far screen is not old, whatever the link."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.link.session import (
    ACCOUNT_VIEW,
    MARKET_VIEW,
    QUICK,
    SLOW,
    WHOLE_MARKET_VIEW,
    Profile,
    run_all,
    session,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SMALL, LARGE = (80, 24), (120, 40)


def check(
    link: Profile,
    screens: Mapping[tuple[str, tuple[int, int]], Sequence[str]],
    *,
    limit: float,
    longest: float,
) -> None:
    """Watch screens, each over a link of its own, and check that no number that tells is ever older."""
    with ExitStack() as stack:
        watched = [
            (stack.enter_context(session("--view", view, columns=columns, rows=rows, **link)), places)
            for (view, (columns, rows)), places in screens.items()
        ]
        since = run_all(watched)
        ages = [monitor.oldest(places, since, limit, longest) for monitor, places in watched]
    found = dict(zip(screens, ages, strict=True))
    assert all(age <= limit for places in ages for age in places.values()), found


def test_at_2_kb_a_second_nothing_is_older_than_two_seconds() -> None:
    """2 kB/s, 200 ms each way and 1 MiB of buffer before them, at 80x24."""
    screens = {
        ("market", SMALL): MARKET_VIEW,
        ("account", SMALL): ACCOUNT_VIEW,
        ("wide", SMALL): MARKET_VIEW,
    }
    check(SLOW, screens, limit=2.0, longest=30.0)


def test_at_20_kb_a_second_nothing_is_older_than_half_a_second() -> None:
    """20 kB/s, 50 ms each way and 1 MiB of buffer before them, at 80x24 and 120x40."""
    screens = {
        ("market", SMALL): MARKET_VIEW,
        ("account", SMALL): ACCOUNT_VIEW,
        ("market", LARGE): WHOLE_MARKET_VIEW,
        ("account", LARGE): ACCOUNT_VIEW,
        ("wide", LARGE): (*MARKET_VIEW, "print"),
    }
    check(QUICK, screens, limit=0.5, longest=20.0)
