"""What can be chosen about a pane: named choices, each of a closed list of words.

Each pane has its own table of ``Choice``. The screen of options, the commands, the keys and the preferences
are made from these tables, so a choice is described once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Options: TypeAlias = "Mapping[str, str]"
"""The value of each choice that is not at its default, by the choice's name."""


_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_592_000}
_MEASURE = re.compile(r"([0-9.]+)([smhdwM]?)")
SWITCH = ("off", "on")


class Choice(NamedTuple):
    """One thing to choose. The first of ``values`` is the default; ``word`` names it to a person."""

    name: str
    word: str
    values: tuple[str, ...]
    help: str

    def of(self, options: Options) -> str:
        """Return the value in force; one that is not of the list counts as the default."""
        value = options.get(self.name, "")
        return value if value in self.values else self.values[0]

    @property
    def ordered(self) -> tuple[str, ...]:
        """The values as they are shown and gone through: numbers ascending, ``auto`` before and other words
        after them; a switch is off, then on; words alone stand as they are."""
        if set(self.values) == set(SWITCH):
            return SWITCH
        return tuple(sorted(self.values, key=_measure))

    def turned(self, options: Options, by: int = 1) -> dict[str, str]:
        """Return the options with this choice ``by`` values on, round and round."""
        values = self.ordered
        return {**options, self.name: values[(values.index(self.of(options)) + by) % len(values)]}

    def stepped(self, options: Options, by: int) -> dict[str, str]:
        """Return the options with this choice ``by`` values larger, as far as there are any."""
        values = self.ordered
        at = values.index(self.of(options)) + by
        return {**options, self.name: values[min(max(at, 0), len(values) - 1)]}


def _measure(value: str) -> float:
    found = _MEASURE.fullmatch(value)
    if found is None:
        return -1.0 if value == "auto" else float("inf")
    return float(found[1]) * _SECONDS[found[2]]


def understood(choices: Iterable[Choice], found: Mapping[object, object]) -> dict[str, str]:
    """Return what of ``found``, read from a file, is a value of one of these choices."""
    return {
        choice.name: value
        for choice in choices
        if isinstance(value := found.get(choice.name), str) and value in choice.values
    }
