"""Timers that go off only when a test lets time go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Handle:
    """A timer that was set."""

    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when, self.callback, self.cancelled = when, callback, False

    def cancel(self) -> None:
        """Never go off."""
        self.cancelled = True


class Timers:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.handles: list[Handle] = []

    def time(self) -> float:
        """Return the time."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Handle:
        """Set a timer."""
        handle = Handle(self.now + delay, callback)
        self.handles.append(handle)
        return handle

    def advance(self, seconds: float) -> None:
        """Let time go by, and timers go off in their order."""
        end = self.now + seconds
        while due := [h for h in self.handles if not h.cancelled and h.when <= end + 1e-9]:
            handle = min(due, key=lambda h: h.when)
            self.handles.remove(handle)
            self.now = max(self.now, handle.when)
            handle.callback()
        self.now = end

    @property
    def waiting(self) -> int:
        """How many timers are set."""
        return sum(not handle.cancelled for handle in self.handles)
