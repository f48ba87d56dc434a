"""Every pane once: its word, what can be chosen about it, and how often it is painted at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cadenza_tui.view import chart, depth_chart, flow, heatmap, ladder_choices, tape, venues, watch_choices

if TYPE_CHECKING:
    from cadenza_tui.view.choices import Choice

NS = 1_000_000_000


class PaneKind(NamedTuple):
    """A pane. ``pause`` is the least time between two paints, in ns: 0 for what is followed, not read."""

    word: str
    choices: tuple[Choice, ...] = ()
    pause: int = 0
    grouped: str = ""
    """What its price step is called, where it has one that is kept by instrument."""
    coarser: str = ""
    """The choice that the keys for coarser and finer turn, where it has no price step."""
    more: str = ""
    """The choice that the keys for more and less turn."""

    def choice(self, name: str) -> Choice:
        """Return a choice by its name."""
        return next(choice for choice in self.choices if choice.name == name)


PANES = {
    "instruments": PaneKind("Instruments", watch_choices.CHOICES, NS // 4),
    "book": PaneKind("Book", ladder_choices.CHOICES, grouped="group"),
    "tape": PaneKind("Tape", tape.CHOICES, NS // 5, coarser="window"),
    "heat": PaneKind("Liquidity", heatmap.CHOICES, NS // 2, grouped="cells", more="cut"),
    "depth": PaneKind("Depth", depth_chart.CHOICES, NS // 4, coarser="range"),
    "flow": PaneKind("Flow", flow.CHOICES, NS // 4, coarser="size"),
    "chart": PaneKind("Chart", chart.CHOICES, NS // 2, coarser="interval"),
    "venues": PaneKind("Venues", venues.CHOICES, NS // 4, grouped="group"),
    "account": PaneKind("Account", pause=NS // 4),
    "accounts": PaneKind("Accounts", pause=NS // 4),
    "health": PaneKind("Health", pause=NS // 2),
}
LINES = {"status": NS // 4, "tabs": 0, "footer": 0}
"""The lines of the screen, and the least time between two paints of each, in ns."""
