"""The balances, or the positions, of one account: what replaces what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from cadenza_tui.market.records import Balance, Position
from cadenza_tui.market.times import later, older

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cadenza_tui.market.records import Nanoseconds

Entry = TypeVar("Entry", Balance, Position)


class Entries(Generic[Entry]):
    """Entries by their keys, each with its time and the number of the push that brought it.

    An entry's time is the later of its message's and its own; one without any counts as newest.
    """

    def __init__(self, key_of: Callable[[Entry], str], maximum: int) -> None:
        self.key_of: Callable[[Entry], str] = key_of
        self.held: dict[str, Entry] = {}
        self.times: dict[str, Nanoseconds] = {}
        self.pushed: dict[str, int] = {}
        self.answered: dict[str, Nanoseconds] = {}
        """By key, when the latest answer to a query told of it, or that it is gone."""
        self.whole_time: Nanoseconds | None = None
        """The time of the newest whole list."""
        self.whole_pushed = 0
        """The number of the last push that was a whole list."""
        self.dropped = 0
        """Entries not held because there was no room."""
        self._maximum = maximum

    def push(
        self, entries: Iterable[Entry], time: Nanoseconds | None, number: int, *, whole: bool
    ) -> tuple[list[Entry], list[str]]:
        """Return the entries to take, and the keys that a whole list does not have any more.

        Nothing is taken yet: see ``put`` and ``drop``.
        """
        taken: list[Entry] = []
        named: set[str] = set()
        for entry in entries:
            key = self.key_of(entry)
            named.add(key)
            if not older(later(time, entry.updated_at), self.times.get(key)):
                taken.append(entry)
                self.pushed[key] = number
        if not whole:
            return taken, []
        if not older(time, self.whole_time):
            self.whole_time, self.whole_pushed = later(time, self.whole_time), number
        gone = [key for key in self.held if key not in named and not older(time, self.times.get(key))]
        return taken, gone

    def put(self, entry: Entry, time: Nanoseconds | None) -> bool:
        """Hold an entry as of ``time``, and say whether there was room."""
        key = self.key_of(entry)
        if key not in self.held and len(self.held) >= self._maximum:
            self.dropped += 1
            self.pushed.pop(key, None)
            return False
        self.held[key] = entry
        if time is not None:
            self.times[key] = time
        return True

    def drop(self, key: str) -> None:
        """Let an entry go."""
        del self.held[key]
        self.times.pop(key, None)
        self.pushed.pop(key, None)

    def rename(self, key: str, entry: Entry) -> None:
        """Hold by its own key what was held by ``key``."""
        new_key = self.key_of(entry)
        del self.held[key]
        self.held[new_key] = entry
        if key in self.times:
            self.times[new_key] = self.times.pop(key)
        if key in self.pushed:
            self.pushed[new_key] = self.pushed.pop(key)

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        assert all(key == self.key_of(entry) for key, entry in self.held.items())
        assert set(self.times) <= set(self.held), "no time without its entry"
        assert set(self.pushed) <= set(self.held), "no push without its entry"
        assert len(self.held) <= self._maximum, "entries are bounded"
