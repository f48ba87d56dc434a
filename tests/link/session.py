"""The program, its market and its link: started together, and asked how they fared."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from tests.link.ages import PLACES, Ages, following
from tests.link.market import INSTRUMENT, Told
from tests.support.link import LATE_S, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.link.ages import Frame, Sample


class Profile(TypedDict):
    """A link, the same both ways."""

    down: float
    up: float
    delay: float


SLOW: Profile = {"down": 2_000.0, "up": 2_000.0, "delay": 0.2}
QUICK: Profile = {"down": 20_000.0, "up": 20_000.0, "delay": 0.05}
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "cadenza_tui")
MARKET_VIEW = ("best bid", "best ask", "deep bid")
WHOLE_MARKET_VIEW = (*MARKET_VIEW, "print", "balance")
ACCOUNT_VIEW = ("balance", "equity", "order")
OVER_SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22", "SSH_TTY": "/dev/pts/9"}
SETTLE_S = 1.5
"""From the first whole screen until the link is taken to be running."""
ENOUGH = 8
"""So many good samples of each place are wanted."""
TRACE_S = 1.0
"""Between two lines of the trace."""
GOOD_SHARE = 0.5
"""With fewer good samples than this share the machine is too busy to tell anything."""


class Stall(NamedTuple):
    """What one line of the trace says."""

    ms: float
    """The longest time that the loop stood still."""
    late: float
    """For how many seconds of that line's second the machine was late."""


class MarketProcess:
    """``tests.link.market`` in a process of its own."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._arguments = ["quiet"] if quiet else []

    def __enter__(self) -> MarketProcess:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.link.market", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )
        self.url = str(self._said()["url"])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(5)
        self._process.stdout.close()

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.readline()))

    def told(self) -> Told:
        """Return what it did until now."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        return self._said()  # type: ignore[return-value]


class Session:
    """A monitor that is watched over a link."""

    def __init__(self, link: Link, market: MarketProcess, trace: Path) -> None:
        self.link = link
        self.market = market
        self.ages = Ages(link)
        link.on_frame = self.ages
        self._trace = trace

    def shows(self, places: Sequence[str]) -> bool:
        """Return whether all these places are on the screen."""
        text = self.link.text
        return all(PLACES[name].pattern.search(text) for name in places)

    def run(self, places: Sequence[str], timeout: float = 30.0) -> float:
        """Wait until the link is running and shows these places; return from when on."""
        return run_all([(self, places)], timeout)

    def oldest(self, places: Sequence[str], since: float, limit: float, longest: float) -> dict[str, float]:
        """Watch until there are enough good samples of each place; return each one's greatest age.

        Raises:
            AssertionError: there never were.
        """
        end = time.monotonic() + longest
        while True:
            self.link.watch(1.0)
            samples = self.samples(places, since)
            good = self.ages.good(samples, limit)
            ages = {name: [one.age for one in good if one.place == name] for name in places}
            enough = all(len(found) >= ENOUGH for found in ages.values())
            if enough and len(good) >= GOOD_SHARE * len(samples):
                return {name: max(found) for name, found in ages.items()}
            if time.monotonic() > end:
                counts = {name: len(found) for name, found in ages.items()}
                greatest = max((one.age for one in samples), default=float("nan"))
                raise AssertionError(
                    f"too little to tell: {counts} good samples, {len(samples) - len(good)} left out, "
                    f"the greatest age of all {greatest:.2f} s; the screen shows:\n{self.link.text}"
                )

    def samples(self, places: Sequence[str], since: float, until: float = float("inf")) -> list[Sample]:
        """Return all samples of these places in a span."""
        sent = self.market.told()["sent"]
        return [one for one in self.ages.samples(sent, since, until) if one.place in places]

    def age_in(self, frame: Frame, places: Sequence[str]) -> float:
        """Return how old the oldest of these places was in a frame; infinite where one is missing."""
        sent = self.market.told()["sent"]
        ages = [0.0]
        for name in places:
            if name not in frame.shown:
                return float("inf")
            newer = following(sent[PLACES[name].channel], frame.shown[name])
            ages.append(0.0 if newer is None else frame.at - newer)
        return max(ages)

    def stall_ms(self, since: float, until: float) -> float:
        """Return for how long the program's loop stood still at most, by its own trace.

        Raises:
            AssertionError: the machine was late in most of the trace's seconds.
        """
        stalls = self.stalls(since, until)
        good = [one.ms for one in stalls if one.late <= LATE_S]
        assert len(good) >= GOOD_SHARE * max(len(stalls), 1), f"the machine was late: {stalls}"
        return max(good)

    def stalls(self, since: float, until: float) -> list[Stall]:
        """Return the trace's lines of a span."""
        offset = time.time() - time.monotonic()
        found = []
        for line in self.trace():
            at = datetime.fromisoformat(line["time"]).timestamp() - offset
            if since <= at - TRACE_S and at <= until:
                stood = line["loop_stall_ms"] / 1000
                found.append(Stall(line["loop_stall_ms"], self.link.late(at - TRACE_S - stood - 0.1, at)))
        return found

    def trace(self) -> list[dict[str, Any]]:
        """Return the lines of the trace."""
        if not self._trace.exists():
            return []
        return [json.loads(line) for line in self._trace.read_text().splitlines() if line.endswith("}")]


def run_all(watched: Sequence[tuple[Session, Sequence[str]]], timeout: float = 30.0) -> float:
    """Wait until all links are running and show their places; return from when on.

    Raises:
        AssertionError: one never did.
    """
    for one, places in watched:
        one.link.wait_for(lambda _text, one=one, places=places: one.shows(places), timeout)  # type: ignore[misc]
    time.sleep(SETTLE_S)  # there is nothing to be awaited: what it began with is to be over
    for one, _ in watched:
        one.link.look()
    return time.monotonic()


def monitor(url: str, trace: Path) -> list[str]:
    """Return the monitor's command line."""
    return [*PROGRAM, INSTRUMENT, "--url", url, "--trace", str(trace)]


@contextmanager
def session(
    *arguments: str,
    columns: int = 80,
    rows: int = 24,
    down: float | None = None,
    up: float | None = None,
    delay: float = 0.0,
    buffer: int = 1 << 20,
    answers: bool = True,
    synchronized: bool = False,
    ssh: bool = True,
    quiet: bool = False,
    program: Callable[[str, Path], Sequence[str]] = monitor,
) -> Iterator[Session]:
    """Run a program on a market of its own, over a link, with no configuration.

    ``program`` makes its command line of the market's URL and the trace it is to write.
    """
    with tempfile.TemporaryDirectory() as folder, MarketProcess(quiet=quiet) as market:
        home = Path(folder)
        (home / "config.toml").touch()
        environment = {
            "HOME": folder,
            "XDG_CONFIG_HOME": folder,
            "XDG_STATE_HOME": folder,
            "CADENZA_CONFIG": str(home / "config.toml"),
            **(OVER_SSH if ssh else {}),
        }
        trace = home / "trace.ndjson"
        with Link(
            [*program(market.url, trace), *arguments],
            columns=columns,
            rows=rows,
            environment=environment,
            down=down,
            up=up,
            delay=delay,
            buffer=buffer,
            answers=answers,
            synchronized=synchronized,
        ) as link:
            yield Session(link, market, trace)
