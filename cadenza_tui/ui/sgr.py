"""Colours and attributes as the terminal is told them: only what differs from what it already has."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.color import Color, ColorSystem
    from rich.style import Style


class Look(NamedTuple):
    """A style as SGR parameters: attributes, foreground and background, each ``""`` when default."""

    attributes: str
    foreground: str
    background: str


PLAIN = Look("", "", "")


def _colour(colour: Color | None, system: ColorSystem, *, foreground: bool) -> str:
    if colour is None or colour.is_default:
        return ""
    return ";".join(colour.downgrade(system).get_ansi_codes(foreground=foreground))


@lru_cache(maxsize=2048)
def look_of(style: Style | None, system: ColorSystem | None) -> Look:
    """Return how ``style`` looks on a terminal with this colour system; None has attributes only."""
    if style is None:
        return PLAIN
    attributes = ";".join(
        code
        for code, wanted in (
            ("1", style.bold),
            ("2", style.dim),
            ("3", style.italic),
            ("4", style.underline),
            ("5", style.blink),
            ("7", style.reverse),
            ("9", style.strike),
        )
        if wanted
    )
    if system is None:
        return Look(attributes, "", "")
    return Look(
        attributes,
        _colour(style.color, system, foreground=True),
        _colour(style.bgcolor, system, foreground=False),
    )


@lru_cache(maxsize=8192)
def transition(now: Look, wanted: Look) -> str:
    """Return the shortest sequence that turns one look into the other, ``""`` when they are the same.

    An attribute can only be taken back by a reset, after which everything wanted is said again.
    """
    if now == wanted:
        return ""
    if wanted == PLAIN:
        return "\x1b[m"
    whole = ";".join(part for part in ("0", *wanted) if part)
    if now.attributes != wanted.attributes and now.attributes:
        return f"\x1b[{whole}m"
    parts: list[str] = []
    if now.attributes != wanted.attributes:
        parts.append(wanted.attributes)
    if now.foreground != wanted.foreground:
        parts.append(wanted.foreground or "39")
    if now.background != wanted.background:
        parts.append(wanted.background or "49")
    piecewise = ";".join(parts)
    shortest = piecewise if len(piecewise) <= len(whole) else whole
    return f"\x1b[{shortest}m"
