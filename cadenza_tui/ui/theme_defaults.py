"""Roles that a theme file may leave out, made of those that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.view.rows import HEAT

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSI = "ansi_"
"""What stands before the name of one of the terminal's own colours."""
LIKE = {"bid-line": "bid", "ask-line": "ask", "touch-line": "strong"}
"""What a role is where a file leaves it out."""
STEPS = tuple(role.value for role in HEAT)
"""The steps of a heatmap."""


def completed(roles: Mapping[str, tuple[str, frozenset[str]]]) -> dict[str, tuple[str, frozenset[str]]]:
    """Return the roles with those that a file may leave out, made of the others.

    The steps of a heatmap go from its ground to the strongest text by way of the accent; among the terminal's
    own colours they are weights of its text.
    """
    whole = {**{name: roles[like] for name, like in LIKE.items()}, **roles}
    ways = [roles[name][0] for name in ("ground", "accent", "strong")]
    blends = not any(colour.startswith(ANSI) for colour in ways)
    for at, name in enumerate(STEPS, 1):
        if name not in roles:
            part = 2 * at / len(STEPS)
            first, last = ways[:2] if part <= 1 else ways[1:]
            whole[name] = (
                (_mixed(first, last, part if part <= 1 else part - 1), frozenset())
                if blends
                else (f"{ANSI}default", frozenset(["dim"] if at <= 5 else ["bold"] if at > 6 else []))
            )
    return whole


def _mixed(first: str, last: str, part: float) -> str:
    """Return the colour at ``part`` (0 to 1) of the way between two."""
    pairs = ((int(first[i : i + 2], 16), int(last[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)
