"""What was added to and taken from each price of a side, message by message, out of its journal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from cadenza_tui.market import exact
from cadenza_tui.market.units import Units

if TYPE_CHECKING:
    from cadenza_tui.market.journal import Entry
    from cadenza_tui.market.sides import SortedSide

MAXIMUM_PRICES = 65_536
"""Prices kept one by one; past that the sums go on, but the prices begin anew."""
MAXIMUM_ODD = 256
MAXIMUM_WAITING = 256
MAXIMUM_TABLES = 4
MAXIMUM_READS = 4_096
NOTHING = (0, 0)


class Change(NamedTuple):
    """What was added at a price or group, and what was taken away that no print explains."""

    stacked: Decimal
    pulled: Decimal


UNCHANGED = Change(Decimal(0), Decimal(0))
_Read: TypeAlias = tuple[int, int | None, tuple[int, int], Change]
"""What was read at a price: in which state, its key or group, the integers, and what was made of them."""
UNREAD: _Read = (-1, None, NOTHING, UNCHANGED)


class _Table:
    """The sums of the groups of one increment, kept up by the prices that changed."""

    def __init__(self) -> None:
        self.waiting: set[int] = set()
        self.known: dict[int, tuple[int, int]] = {}
        """What each price has put into its group: stacked, pulled."""
        self.groups: dict[int, tuple[int, int]] = {}


class SideChanges:
    """The changes of one side since ``begin``. Reads of the journal wait until somebody asks."""

    def __init__(self, side: SortedSide[Any, Any]) -> None:
        journal = side.journal
        assert journal is not None, "there is one to read"
        self.side = side
        self.journal = journal
        self.thinned = False
        """Whether prices were dropped whose changes the sums still hold."""
        self._scale = side.decimals
        self._units = Units()
        self._decimals = 0
        """Decimals of the integers that are kept."""
        self._position = 0
        self._stacked: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        self._hits: dict[int, int] = {}
        """What was traded, by key."""
        self._waiting: list[tuple[Decimal, Decimal]] = []
        """What was traded since somebody asked: most of it is forgotten as the touch changes."""
        self._odd: dict[Decimal, int] = {}
        """What was traded at prices finer than any of the side so far."""
        self._up = self._down = self._settled = 0
        """Sums of what was stacked and taken, and, of what was dropped, what prints have explained."""
        self._tables: dict[Decimal, _Table] = {}
        self._state = 0
        """Grows with every change of what can be read."""
        self._reads: dict[Decimal | None, dict[Decimal, _Read]] = {}
        self.begin()

    def begin(self) -> None:
        """Begin anew from here."""
        journal = self.journal
        self._position = journal.end
        journal.trim()
        self._waiting.clear()
        self._scale = self.side.decimals
        if self._up or self._down or self._hits or self._odd:
            self._odd.clear()
            self._stacked.clear()
            self._taken.clear()
            self._hits.clear()
            self._tables.clear()
            self._up = self._down = self._settled = 0
        self.thinned = False
        self._state += 1

    def hit(self, price: Decimal, quantity: Decimal) -> None:
        """Take a trade that took from this side."""
        if self._scale != self.side.decimals:
            self._rescale()
        self._state += 1
        self._waiting.append((price, quantity))
        if len(self._waiting) >= MAXIMUM_WAITING:
            self._take()

    def _take(self) -> None:
        """Count in the trades that wait."""
        for price, quantity in self._waiting:
            key = self.side.key_of(price)
            units = self._learn(exact.text(quantity))
            if key is None:
                if len(self._odd) < MAXIMUM_ODD:
                    self._odd[price] = self._odd.get(price, 0) + units
                continue
            self._hits[key] = self._hits.get(key, 0) + units
            for table in self._tables.values():
                table.waiting.add(key)
            if len(self._hits) > MAXIMUM_PRICES:
                self._thin()
        self._waiting.clear()

    def stacked(self) -> Decimal:
        """Return what was added in all."""
        self.follow()
        return self._units.decimal(self._up)

    def pulled(self) -> Decimal:
        """Return what was taken away in all that no print explains."""
        self.follow()
        taken = self._taken
        explained = sum(min(taken.get(key, 0), hit) for key, hit in self._hits.items())
        return self._units.decimal(self._down - self._settled - explained)

    def at(self, price: Decimal, increment: Decimal | None = None) -> Change:
        """Return what happened at a price, or in the group of an increment that it falls into.

        The same object for as long as it is the same.
        """
        self.follow()
        return self.read(price, increment)

    def read(self, price: Decimal, increment: Decimal | None = None) -> Change:
        """Return the same as of the latest ``follow``: for one who asks about many prices in a row."""
        reads = self._reads.get(increment)
        if reads is None or len(reads) >= MAXIMUM_READS:
            if len(self._reads) > MAXIMUM_TABLES:
                self._reads.clear()
            reads = self._reads[increment] = {}
        state, key, parts, change = reads.get(price, UNREAD)
        if state == self._state:
            return change
        if increment is None:
            key = self.side.key_of(price) if key is None else key
            now = NOTHING if key is None else self._at(key)
        else:
            key = self._number(price, increment) if key is None else key
            now = self._table(increment).groups.get(key, NOTHING)
        if now != parts:
            change = (
                Change(self._units.decimal(now[0]), self._units.decimal(now[1])) if any(now) else UNCHANGED
            )
        reads[price] = (self._state, key, now, change)
        return change

    def follow(self) -> None:
        """Read what the journal has."""
        if self._scale != self.side.decimals:
            self._rescale()
        if self._waiting:
            self._take()
        journal = self.journal
        if journal.end == self._position:
            return
        self._state += 1
        entries = journal.since(self._position)
        assert entries is not None, "what is not read is not trimmed, and a snapshot is a beginning"
        self._position = journal.end
        self._read(entries)
        if max(len(self._stacked), len(self._taken)) > MAXIMUM_PRICES:
            self._thin()
        journal.trim()

    def _read(self, entries: list[Entry]) -> None:
        stacked, taken, learn = self._stacked, self._taken, self._learn
        if isinstance(self.side.endless, tuple):
            entries = [(key[0], before, after) for key, before, after in entries]
        for table in self._tables.values():
            table.waiting.update([key for key, _, _ in entries])
        up = down = 0
        decimals = self._decimals
        point, end = -decimals - 1, -decimals
        for key, before, after in entries:
            # nearly all have the same decimals, and to read their digits is quicker than to look them up
            if before is None:
                was = 0
            else:
                was = int(before.replace(".", "")) if before[point:end] == "." else learn(before)
            if after is None:
                now = 0
            else:
                now = int(after.replace(".", "")) if after[point:end] == "." else learn(after)
            if self._decimals != decimals:
                was, now = learn(before), learn(after)
                factor = 10 ** (self._decimals - decimals)
                up, down, decimals = up * factor, down * factor, self._decimals
                point, end = -decimals - 1, -decimals
            change = now - was
            if change > 0:
                stacked[key] = stacked.get(key, 0) + change
                up += change
            elif change:
                taken[key] = taken.get(key, 0) - change
                down -= change
        self._up += up
        self._down += down

    def _at(self, key: int) -> tuple[int, int]:
        taken = self._taken.get(key, 0)
        return self._stacked.get(key, 0), max(0, taken - self._hits.get(key, 0))

    def _table(self, increment: Decimal) -> _Table:
        """Return the groups of an increment, brought up to date."""
        table = self._tables.get(increment)
        if table is None:
            if len(self._tables) >= MAXIMUM_TABLES:
                del self._tables[next(iter(self._tables))]
            table = self._tables[increment] = _Table()
            table.waiting.update(self._stacked, self._taken)
        if table.waiting:
            known, groups = table.known, table.groups
            price = exact.CONTEXT.scaleb(Decimal(self.side.sign), -self._scale)
            for key in table.waiting:
                number = self._number(exact.multiply(price, Decimal(key)), increment)
                (up, down), (was_up, was_down) = self._at(key), known.get(key, (0, 0))
                known[key] = (up, down)
                group_up, group_down = groups.get(number, (0, 0))
                groups[number] = (group_up + up - was_up, group_down + down - was_down)
            table.waiting.clear()
        return table

    def _number(self, price: Decimal, increment: Decimal) -> int:
        """Return which group a price falls into: away from the touch, as in ``market.grouped``."""
        above, below = price.as_integer_ratio()
        over, under = increment.as_integer_ratio()
        return -(-self.side.sign * above * under // (below * over))

    def _thin(self) -> None:
        """Drop the single prices; the sums stay."""
        taken = self._taken
        self._settled += sum(min(taken.get(key, 0), hit) for key, hit in self._hits.items())
        taken.clear()
        self._stacked.clear()
        self._hits.clear()
        self._odd.clear()
        self._tables.clear()
        self.thinned = True

    def _rescale(self) -> None:
        """Follow the side to keys of finer prices."""
        factor = 10 ** (self.side.decimals - self._scale)
        self._scale = self.side.decimals
        for held in (self._stacked, self._taken, self._hits):
            scaled = {key * factor: units for key, units in held.items()}
            held.clear()
            held.update(scaled)
        for price, units in list(self._odd.items()):
            key = self.side.key_of(price)
            if key is not None:
                self._hits[key] = self._hits.get(key, 0) + units
                del self._odd[price]
        self._tables.clear()
        self._reads.clear()

    def _learn(self, text: str | None) -> int:
        """Return the integer of a quantity; one that is finer than all before makes all of them finer."""
        units = self._units.of(text)
        if self._units.decimals != self._decimals:
            factor = 10 ** (self._units.decimals - self._decimals)
            self._decimals = self._units.decimals
            for held in (self._stacked, self._taken, self._hits):
                held.update({key: value * factor for key, value in held.items()})
            self._odd.update({price: value * factor for price, value in self._odd.items()})
            self._up, self._down, self._settled = (
                self._up * factor,
                self._down * factor,
                self._settled * factor,
            )
            self._tables.clear()
            self._reads.clear()
        return units

    def check(self) -> None:
        """Raise AssertionError where an invariant does not hold."""
        self.follow()
        assert len(self._stacked) <= MAXIMUM_PRICES >= len(self._taken), "the prices are bounded"
        assert self.thinned or (self._up, self._down) == (
            sum(self._stacked.values()),
            sum(self._taken.values()),
        ), "the sums are those of the prices"
