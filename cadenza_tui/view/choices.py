"""What can be chosen about a pane: named choices, each of a closed list of words.

Each pane has its own table of ``Choice``. The screen of options, the commands, the keys and the preferences
are made from these tables, so a choice is described once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Options: TypeAlias = "Mapping[str, str]"
"""The value of each choice that is not at its default, by the choice's name."""


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

    def turned(self, options: Options, by: int = 1) -> dict[str, str]:
        """Return the options with this choice ``by`` values on, round and round."""
        at = self.values.index(self.of(options))
        return {**options, self.name: self.values[(at + by) % len(self.values)]}


def understood(choices: Iterable[Choice], found: Mapping[object, object]) -> dict[str, str]:
    """Return what of ``found``, read from a file, is a value of one of these choices."""
    return {
        choice.name: value
        for choice in choices
        if isinstance(value := found.get(choice.name), str) and value in choice.values
    }
