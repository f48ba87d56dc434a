"""In which order a table's rows stand, and which of them are shown.

Rows must not jump while they are read: an order that follows moving numbers is looked at anew every few
seconds alone, ties keep their places, and what comes in the meantime is put at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from cadenza_tui.view.text import unfilled

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

SETTLES_NS = 5_000_000_000
"""The least time between two looks at an order that follows moving numbers."""
HELD_NS = 30_000_000_000
"""The same while a row of the table is pointed at."""
YOUNG_NS = 10_000_000_000
"""So long after its first frame a table's order is looked at every ``YOUNG_PAUSE_NS``."""
YOUNG_PAUSE_NS = 1_000_000_000

FILTERED, DUST = "filtered", "dust"
DESCENDING, ASCENDING = "▾", "▴"


class Sort(NamedTuple):
    """A sort order. ``down`` is its natural direction: large and late things first.

    ``fixed`` is one whose keys do not change: new rows find their place at once.
    """

    name: str
    column: str
    """The heading that shows it."""
    down: bool = True
    fixed: bool = False


SORTS: dict[str, tuple[Sort, ...]] = {
    "accounts": (
        Sort("name", "account", down=False, fixed=True),
        Sort("equity", "equity"),
        Sort("usage", "margin usage"),
    ),
    "balances": (
        Sort("value", "value"),
        Sort("asset", "asset", down=False, fixed=True),
        Sort("total", "total"),
        Sort("session", "Δ session"),
        Sort("day", "Δ day"),
    ),
    "positions": (
        Sort("instrument", "instrument", down=False, fixed=True),
        Sort("unrealised", "unrealised"),
        Sort("realised", "realised"),
        Sort("age", "age", fixed=True),
    ),
    "orders": (
        Sort("age", "age", fixed=True),
        Sort("instrument", "instrument", down=False, fixed=True),
        Sort("distance", "to touch", down=False),
        Sort("filled", "%"),
    ),
    "fills": (
        Sort("time", "time", fixed=True),
        Sort("instrument", "instrument", down=False, fixed=True),
    ),
}
"""By table, the first being how it is found."""
SORTS["totals"] = SORTS["balances"]


def chosen(table: str, sorts: object) -> tuple[Sort, bool]:
    """Return the sort order of a table and whether it goes down, from ``name`` or ``name-`` in ``sorts``."""
    wanted = sorts.get(table, "") if hasattr(sorts, "get") else ""
    turned = wanted.endswith("-")
    orders = SORTS[table]
    sort = next((each for each in orders if each.name == wanted.removesuffix("-")), None)
    if sort is None:
        return orders[0], orders[0].down
    return sort, sort.down is not turned


def following(table: str, sorts: object) -> str:
    """Return how ``sorts`` is to name the next order of a table, round and round."""
    orders = SORTS[table]
    return orders[(orders.index(chosen(table, sorts)[0]) + 1) % len(orders)].name


def turned(table: str, sorts: object) -> str:
    """Return how ``sorts`` is to name the same order the other way round."""
    sort, down = chosen(table, sorts)
    return sort.name + "-" * (down is sort.down)


def matches(filter_: str, texts: Iterable[str]) -> bool:
    """Return whether every word of a filter is in one of the texts, whatever the case."""
    words = filter_.casefold().split()
    if not words:
        return True
    folded = [unfilled(text).casefold() for text in texts]
    return all(any(word in text for text in folded) for word in words)


@dataclass(slots=True)
class Arrangement:
    """The rows of one table in their order, and why others are not shown."""

    keys: list[Any] = field(default_factory=list)
    hidden: dict[Any, str] = field(default_factory=dict)
    signature: object = None
    at: int = 0
    since: int | None = None
    members: frozenset[Hashable] = frozenset()

    def count(self, why: str) -> int:
        """Return how many rows are hidden for a reason."""
        return sum(1 for reason in self.hidden.values() if reason == why) if self.hidden else 0

    def arrange(
        self,
        keys: Iterable[Any],
        rank: Callable[[Any], Any],
        admit: Callable[[Any], str],
        *,
        now: int,
        signature: object,
        sort: Sort,
        down: bool,
        held: bool = False,
    ) -> list[Any]:
        """Return the rows to show in their order.

        ``rank`` is what a row is sorted by, None standing last in both directions. ``admit`` says why a row
        is hidden, nothing where it is not. ``signature`` is what both depend on beside the moving numbers;
        ``held`` is whether the user points at a row.
        """
        present = list(keys)
        members = frozenset(present)
        new = members != self.members
        self.since = now if self.since is None or now < self.since else self.since
        young = now - self.since < YOUNG_NS
        pause = HELD_NS if held else YOUNG_PAUSE_NS if young else SETTLES_NS
        fresh = signature != self.signature or not 0 <= now - self.at < pause
        if fresh:
            self.at, self.signature = now, signature
            self.hidden = {}
        if fresh or new:
            known = set() if fresh else {*self.keys, *self.hidden}
            for key in present:
                if key not in known and (why := admit(key)):
                    self.hidden[key] = why
            if not fresh:
                self.hidden = {key: why for key, why in self.hidden.items() if key in members}
            if fresh or sort.fixed:
                shown = [key for key in present if key not in self.hidden]
                self.keys = _sorted(shown, rank, down=down)
            else:
                kept = [key for key in self.keys if key in members]
                self.keys = kept + [key for key in present if key not in known and key not in self.hidden]
            self.members = members
        return self.keys


def _sorted(keys: list[Any], rank: Callable[[Any], Any], *, down: bool) -> list[Any]:
    ranked = [(rank(key), key) for key in keys]
    known = [pair for pair in ranked if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=down)
    return [key for _, key in known] + [key for of, key in ranked if of is None]
