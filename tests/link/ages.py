"""How old what stands on the far screen is, told by the screen's own numbers."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from benchmarks._screen import IdealDiff
from tests.link.market import BOOK, MODULO, PORTFOLIO, PRINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.support.link import Arrival, Link


class Place(NamedTuple):
    """Where on the screen a number says when it was sent."""

    channel: str
    pattern: re.Pattern[str]


PLACES = {
    "best bid": Place(BOOK, re.compile(r"(?<![\d,.])7\.(\d{5})\b")),
    "best ask": Place(BOOK, re.compile(r"(?<![\d,.])8\.(\d{5})\b")),
    "deep bid": Place(BOOK, re.compile(r"(?<![\d,.])9\.(\d{5})\b")),
    "print": Place(PRINTS, re.compile(r"(?<![\d,.])6\.(\d{5})\b")),
    "balance": Place(PORTFOLIO, re.compile(r"(?<![\d,.])5\.(\d{5})(?:000)?\b")),
    "equity": Place(PORTFOLIO, re.compile(r"(?<![\d,.])9(\d{2}),(\d{3})\.25(?:0*)\b")),
    "order": Place(PORTFOLIO, re.compile(r"(?<![\d,.])4\.(\d{5})/")),
}
LATE_SHARE = 0.05
"""A sample is left out where the machine was late for longer than this share of the limit."""


class Frame(NamedTuple):
    """What the far screen shows from one frame on."""

    at: float
    """When its last byte came; CLOCK_MONOTONIC, in seconds."""
    written: float
    """When the program wrote that."""
    shown: dict[str, float]
    """When what each place shows was sent, to the millisecond; of several numbers the oldest."""


class Sample(NamedTuple):
    """The greatest age that a place reached before something newer was shown there."""

    place: str
    age: float
    """In seconds: since the moment at which something newer was sent."""
    since: float
    until: float


class Ages:
    """Watches a link's frames. Set it as the link's ``on_frame``."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.frames: list[Frame] = []

    def __call__(self, frame: Arrival) -> None:
        """Take note of what the screen shows after a frame."""
        self.frames.append(Frame(frame.at, frame.written, shown(self.link.text, frame.at)))

    def samples(self, sent: Mapping[str, Sequence[float]], since: float, until: float) -> list[Sample]:
        """Return a sample for each time that a place changed between two moments."""
        samples = []
        frames = [frame for frame in self.frames if since <= frame.at <= until]
        for name, place in PLACES.items():
            for before, after in pairwise(frames):
                old, new = before.shown.get(name), after.shown.get(name)
                if old is None or new is None or old == new:
                    continue
                newer = following(sent[place.channel], old)
                if newer is not None:
                    samples.append(Sample(name, after.at - newer, newer, after.at))
        return samples

    def good(self, samples: Iterable[Sample], limit: float) -> list[Sample]:
        """Return the samples in which the machine was not late for long enough to tell."""
        return [one for one in samples if self.link.late(one.since, one.until) <= LATE_SHARE * limit]


class Ratio:
    """Adds up a link's bytes and those of an ideal diff of the same frames. Set it as ``on_frame``."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._ideal = IdealDiff(link.screen)
        self._since: float | None = None
        self._until = 0.0
        self._before = 0
        self.frames = 0

    def __call__(self, frame: Arrival) -> None:
        """Count a frame; the first one, of which a part may have been there before, only begins the count."""
        self._ideal.frame()
        self._until = frame.at
        if self._since is None:
            self._since, self._before = frame.at, self._ideal.bytes
        else:
            self.frames += 1

    @property
    def seconds(self) -> float:
        """How long was counted."""
        return 0.0 if self._since is None else self._until - self._since

    @property
    def written(self) -> int:
        """The bytes that went over the link."""
        since = float("inf") if self._since is None else self._since
        return sum(len(one.data) for one in self._link.arrivals(since, self._until))

    @property
    def over_ideal(self) -> float:
        """Bytes divided by the ideal's; NaN of nothing."""
        ideal = self._ideal.bytes - self._before
        return self.written / ideal if ideal else float("nan")


def shown(text: str, at: float) -> dict[str, float]:
    """Return when what stands on a screen was sent, place by place: a marker's last moment before ``at``."""
    found: dict[str, float] = {}
    now = int(at * 1000)
    for name, place in PLACES.items():
        ages = [(now - int("".join(match.groups()))) % MODULO for match in place.pattern.finditer(text)]
        if ages:  # a tape keeps old prints
            found[name] = (now - (min(ages) if name == "print" else max(ages))) / 1000
    return found


def following(times: Sequence[float], moment: float) -> float | None:
    """Return when the first message after that of a moment (to the millisecond) was sent."""
    later = bisect_right(times, moment + 0.001)
    return times[later] if later < len(times) else None
