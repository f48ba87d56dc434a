"""A key is answered with the next frame, even where frames are rare."""

from __future__ import annotations

from tests.link.session import ACCOUNT_VIEW, SLOW, session

PRESSES = 2
BEGUN_S = 0.03
"""A frame that is written so soon after a key came in may have been painted before."""


def test_a_key_is_answered_with_the_next_frame() -> None:
    """At 2 kB/s and 200 ms the first frame after ``b`` came in hides the amounts, or shows them."""
    with session("--view", "account", **SLOW) as monitor:
        monitor.run(ACCOUNT_VIEW)
        hidden = False
        for press in range(PRESSES):
            monitor.link.watch(0.7 + 0.13 * press)
            known = len(monitor.ages.frames)
            reached = monitor.link.send("b") + 0.2
            hidden = not hidden

            def answers(known: int = known, reached: float = reached, hidden: bool = hidden) -> list[bool]:
                """Return of each frame that was painted after the key whether it shows what the key does."""
                frames = [frame for frame in monitor.ages.frames[known:] if frame.written > reached]
                painted = [
                    frame for frame in frames if frame.written > reached + BEGUN_S or frame != frames[0]
                ]
                return [("balance" in frame.shown) != hidden for frame in painted]

            assert monitor.link.watch(10.0, answers), monitor.link.text
            assert answers()[0], monitor.link.text
