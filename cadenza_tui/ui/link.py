"""What is known of the way to the terminal and back, from the frames that it has acknowledged.

A frame of ``n`` bytes that is sent at ``t`` is acknowledged at ``t + base + n / rate``, later where another
was still on its way before it. So each answer tells how long the link took for the frame's own bytes, and
from that follows how large the next may be: it shall take as long to draw as an answer takes to come back.
Then two frames in flight fill the link, and none waits behind the other.

Times are in seconds of any steady clock, sizes in bytes.
"""

from __future__ import annotations

from collections import deque
from math import isfinite
from typing import NamedTuple

MOST_IN_FLIGHT = 2
LEAST_ALLOWANCE = 400
MOST_ALLOWANCE = 1 << 16
LEAST_TARGET = 0.1
MOST_TARGET = 0.5
"""Bounds of how long a frame may take to draw, where the answers come very soon or very late."""
QUESTION = 8
"""What has at most so many bytes is a question without a frame."""
SMALL = 100
"""A frame of so few bytes measures the way itself."""
MEASURED = 200
"""A frame of so many bytes measures the rate."""
BASE_KEPT = 20.0
"""A way that was measured longer ago than this, or twice this, is measured again: routes change."""
LONG_WAY = 0.08
"""A round trip that is worth a second frame in flight."""
UNSEEN = 0.01
"""What takes a shorter time cannot be told from the time that the program itself takes."""
STOP = 0.5
STOP_TIMES = 10
"""A frame that took so long, and so many times what was to be expected, says that the terminal was stopped;
if the next one does as well, that the link is another."""


class Frame(NamedTuple):
    """A frame in flight."""

    sent: float
    size: int


class Link:
    """Frames in flight, and what their answers have taught."""

    def __init__(self, allowance: int = MOST_ALLOWANCE) -> None:
        self.allowance = allowance
        """Bytes that a frame should have at most."""
        self.base: float | None = None
        """The least round trip, None before the first answer."""
        self.rate: float | None = None
        """Bytes a second, infinite where the link is quicker than can be seen; None until it was measured."""
        self.round_trip: float | None = None
        """The latest round trip, of whatever size."""
        self._frames: deque[Frame] = deque()
        self._drained_before = float("-inf")
        """When the frame before the oldest in flight had left the link, as seen from here."""
        self._stopped = False
        self._base_of: list[float] = []
        self._base_since = float("-inf")

    @property
    def in_flight(self) -> int:
        """Frames that have not been acknowledged."""
        return len(self._frames)

    @property
    def bytes_in_flight(self) -> int:
        """Their bytes."""
        return sum(frame.size for frame in self._frames)

    @property
    def target(self) -> float:
        """How long a frame may take to draw."""
        return min(max(self.base or 0.0, LEAST_TARGET), MOST_TARGET)

    def sent(self, size: int, now: float) -> None:
        """A frame has been written, and its acknowledgement asked for."""
        self._frames.append(Frame(now, size))

    def forget(self) -> None:
        """Nothing is in flight any more: whoever had it is not there."""
        self._frames.clear()

    def free_at(self, *, hurried: bool) -> float | None:
        """Return when the next frame may be sent, None where it waits for an answer.

        The second one in flight is for a long way, and goes when the first should have left the link; or it
        is ``hurried``, and goes at once behind a small one.
        """
        if not self._frames:
            return float("-inf")
        first = self._frames[0]
        if len(self._frames) >= MOST_IN_FLIGHT:
            return None
        if self.base is None:  # the first frame goes behind the first question
            return None if first.size > QUESTION else float("-inf")
        if hurried and first.size <= self.allowance:
            return float("-inf")
        if self.base < LONG_WAY or self.rate is None:
            return None
        return max(first.sent, self._drained_before) + first.size / self.rate

    def answered(self, now: float) -> None:
        """The oldest frame in flight has been drawn."""
        if not self._frames:
            return
        frame = self._frames.popleft()
        self.round_trip = took = now - frame.sent
        began = max(frame.sent, self._drained_before)
        if frame.size <= SMALL and self._drained_before <= frame.sent:
            self._measure_base(took, now)
        elif self.base is None or took < self.base:
            self.base = took
        self._drained_before = now - (self.base or 0.0)
        self._learn(frame.size, max(self._drained_before - began, 0.0))

    def wants_probe(self, now: float) -> bool:
        """Whether the way should be measured with a bare question: busy frames have told the rate alone."""
        return self.base is not None and not self._frames and now - self._base_since > 2 * BASE_KEPT

    def _measure_base(self, took: float, now: float) -> None:
        """Keep the least of this stretch of time and of the one before."""
        if now - self._base_since > BASE_KEPT or not self._base_of:
            self._base_of = [*self._base_of[-1:], took]
            self._base_since = now
        self._base_of[-1] = min(self._base_of[-1], took)
        self.base = min(self._base_of)

    def _learn(self, size: int, drained_in: float) -> None:
        """Adapt to how long the link took for the bytes of one frame."""
        stopped = drained_in > STOP and self.rate is not None and size / self.rate < drained_in / STOP_TIMES
        if stopped and not self._stopped:
            self._stopped = True
            return
        self._stopped = False
        if size >= MEASURED:
            seen = size / drained_in if drained_in > UNSEEN else float("inf")
            if self.rate is not None and isfinite(self.rate) and isfinite(seen):
                seen = (self.rate + seen) / 2
            self.rate = seen
        if drained_in > 1.25 * self.target:
            fits = int(size * self.target / drained_in) if size >= self.allowance / 8 else self.allowance // 2
            self.allowance = max(min(fits, self.allowance), LEAST_ALLOWANCE)
        elif size >= self.allowance / 2:
            fits = int(size * self.target / drained_in) if drained_in > 0 else MOST_ALLOWANCE
            self.allowance = max(min(self.allowance * 2, fits, MOST_ALLOWANCE), self.allowance)
