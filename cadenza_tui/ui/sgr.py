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


_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
_RESET = "0"


def _attributes(now: str, wanted: str) -> list[str]:
    """Return the parameters that turn one set of attributes into the other, one by one."""
    had, has = set(now.split(";")) - {""}, set(wanted.split(";")) - {""}
    off = sorted({_OFF[code] for code in had - has})
    if "22" in off:  # it ends bold and dim alike
        had -= {"1", "2"}
    return [*off, *sorted(has - had)]


@lru_cache(maxsize=8192)
def transition(now: Look | None, wanted: Look) -> str:
    """Return the shortest sequence that turns one look into the other, ``""`` when they are the same.

    None is a look that is not known: nothing of it is relied on.
    """
    if now == wanted:
        return ""
    if wanted == PLAIN:
        return "\x1b[m"
    whole = ";".join(part for part in (_RESET, *wanted) if part)
    if now is None:
        return f"\x1b[{whole}m"
    parts = _attributes(now.attributes, wanted.attributes)
    if now.foreground != wanted.foreground:
        parts.append(wanted.foreground or "39")
    if now.background != wanted.background:
        parts.append(wanted.background or "49")
    piecewise = ";".join(parts)
    return f"\x1b[{piecewise if len(piecewise) <= len(whole) else whole}m"
