"""What every screen is made of: rows of spans, each a text with a role and a ground.

A role names what the text *is*; a ground names what stands behind it. Themes decide how both look. Rows are
tuples of tuples of interned strings, so that they can be compared, hashed and cached by content.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Role(StrEnum):
    """What a text is. The values are the names of the theme's roles."""

    TEXT = "text"
    STRONG = "strong"
    MUTED = "muted"
    FAINT = "faint"
    LINE = "line"
    TITLE = "title"
    BID = "bid"
    ASK = "ask"
    BID_STRONG = "bid-strong"
    ASK_STRONG = "ask-strong"
    ACCENT = "accent"
    OWN = "own"
    WARN = "warn"
    HEAT_1 = "heat-1"
    HEAT_2 = "heat-2"
    HEAT_3 = "heat-3"
    HEAT_4 = "heat-4"
    HEAT_5 = "heat-5"
    HEAT_6 = "heat-6"
    HEAT_7 = "heat-7"
    HEAT_8 = "heat-8"
    BID_LINE = "bid-line"
    """The best bid's way through a heatmap; so the other two."""
    ASK_LINE = "ask-line"
    TOUCH_LINE = "touch-line"
    """Where the best bid and the best ask share a cell."""


class Ground(StrEnum):
    """What stands behind a text."""

    PANEL = "panel"
    CURSOR = "cursor"
    BID_BAR = "bid-bar"
    BID_LARGE = "bid-large"
    ASK_BAR = "ask-bar"
    ASK_LARGE = "ask-large"
    GROUND = "ground"
    """The app's own ground, for the status line, the footer, and where a heatmap has nothing."""
    HEAT_1 = "heat-1"
    HEAT_2 = "heat-2"
    HEAT_3 = "heat-3"
    HEAT_4 = "heat-4"
    HEAT_5 = "heat-5"
    HEAT_6 = "heat-6"
    HEAT_7 = "heat-7"
    HEAT_8 = "heat-8"
    BID_LINE = "bid-line"
    ASK_LINE = "ask-line"
    TOUCH_LINE = "touch-line"


HEAT = tuple(Role(f"heat-{n}") for n in range(1, 9))
"""From the least to the most: each is farther from the ground in lightness than the one before."""
HEAT_GROUNDS = (Ground.GROUND, *(Ground(f"heat-{n}") for n in range(1, 9)))
"""The same as grounds, nothing at all before them."""


class Span(NamedTuple):
    """A run of text in one role on one ground. The text has no control characters and no markup."""

    text: str
    role: Role = Role.TEXT
    ground: Ground = Ground.PANEL


Row: TypeAlias = tuple[Span, ...]


class Bars(StrEnum):
    """How a size bar is drawn."""

    TINT = "tint"
    """A tint of the ground behind the number."""
    BLOCKS = "blocks"
    """Eighth-blocks, where tints cannot be had: 16 colours, ANSI themes, NO_COLOR."""
    ASCII = "ascii"
    """``=``, where only ASCII can be trusted."""


@dataclass(frozen=True, slots=True)
class Pane:
    """A pane of the screen: its border titles and its body.

    ``title`` is what it is (left, in the border), ``trust`` how far it can be trusted (right, in the
    border). ``body`` rows are exactly as wide as the pane's inside; missing rows are blank. ``dimmed`` means
    the content is not to be trusted as current: the ui paints every role one step fainter.
    """

    title: Row
    trust: Row
    body: tuple[Row, ...]
    dimmed: bool = False
