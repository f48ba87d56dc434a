"""The latest fills of one account, each once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cadenza_tui.market.records import Execution


class Fill(NamedTuple):
    """One execution and the order it belongs to."""

    order_id: str
    execution: Execution

    @property
    def time(self) -> int:
        """When it was executed, in ns; 0 where nobody says."""
        return self.execution.executed_at or 0


class Fills:
    """Fills newest first by the time of execution, the latest ``maximum`` of them."""

    def __init__(self, maximum: int) -> None:
        self.held: deque[Fill] = deque()
        self._maximum = maximum
        self._execution_ids: set[str] = set()

    def add(self, fill: Fill) -> bool:
        """Keep a fill in its place, and say whether it was not known."""
        execution_id, held = fill.execution.execution_id, self.held
        if execution_id and execution_id in self._execution_ids:
            return False
        time = fill.time
        if len(held) >= self._maximum and time < held[-1].time:
            return False  # as below, but at once: a message may bring thousands of those
        place = 0
        for each in held:
            if each.time <= time:
                break
            place += 1
        if place >= self._maximum:
            return False
        held.insert(place, fill)
        if execution_id:
            self._execution_ids.add(execution_id)
        if len(held) > self._maximum:
            self._execution_ids.discard(held.pop().execution.execution_id)
        return True

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        ids = [fill.execution.execution_id for fill in self.held if fill.execution.execution_id]
        assert len(ids) == len(set(ids)), "an execution is kept once"
        assert set(ids) == self._execution_ids, "ids are known for the kept fills alone"
        assert len(self.held) <= self._maximum, "fills are bounded"
        times = [fill.time for fill in self.held]
        assert times == sorted(times, reverse=True), "fills stand newest first"
