"""Which characters a terminal can show, and what stands for those that it cannot, cell for cell."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FULL_WIDTH_OFFSET = 0xFEE0
"""From a character of ASCII to its full-width form."""
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""What Python sets LC_CTYPE to by itself where the locale is ``C`` (PEP 538)."""


class Glyphs(StrEnum):
    """What can be shown."""

    UNICODE = "unicode"
    CONSOLE = "console"
    """The kernel's own console: UTF-8, in a font of 256 or 512 characters."""
    ASCII = "ascii"


_ASCII = {
    # directions, marks, signs of states: those that can stand beside each other differ
    "▲": "^", "▼": "v", "▴": "^", "▾": "v", "◂": "<", "‹": "<", "▸": ">", "›": ">", "⏵": ">",
    "◆": "@", "•": "*", "●": "+", "○": "o", "◌": ":", "◐": "-", "◔": "%", "↻": "&", "⇄": "X", "╪": "=",
    "⚠": "!", "✕": "x", "✗": "/", "✓": "+", "■": "#", "‖": '"', "⏸": '"',
    "↑": "^", "↓": "v", "←": "<", "→": ">",
    # text
    "×": "x", "−": "-", "–": "-", "—": "-", "·": ".", "…": "~", "≈": "~", "≠": "!", "Σ": "S", "Δ": "d",
    "µ": "u", "≤": "<", "±": "~",
    # lines and borders
    "─": "-", "━": "=", "╌": "-", "│": "|", "┃": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+",
    "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+",
    # bars and blocks, those of Textual's own widgets among them
    "▰": "#", "▱": "-", "▪": "#", "█": "=", "▉": "=", "▊": "=", "▋": "=", "▌": "=", "▍": "=", "▎": "-",
    "▏": "-", "▐": "=", "▁": "_", "▂": "_", "▃": "_", "▄": "_", "▅": "=", "▆": "=", "▇": "=", "▀": "-",
    "╱": "/", "◦": "o", "▓": "#", "░": ":", "▒": "+",
    "▔": "-", "▕": "|", "▖": "_", "▗": "_", "▘": "-", "▝": "-", "▙": "+", "▛": "+", "▜": "+", "▟": "+",
    "╽": "|", "╿": "|", "╹": "|", "╻": "|", "╵": "|", "╷": "|", "┊": ":", "≥": ">",
    "🔎": "> ",
}  # fmt: skip
"""What stands for each character that the program writes by itself."""

_CONSOLE_HAS = "µ·←↑→↓≈─│╪┌┐└┘├┤┬┴┼█■▲▼"
_CONSOLE = {
    **{glyph: plain for glyph, plain in _ASCII.items() if glyph not in _CONSOLE_HAS},
    "╭": "┌", "╮": "┐", "╰": "└", "╯": "┘", "━": "─", "╌": "·", "┃": "│", "▴": "▲", "▾": "▼",
    "◆": "♦", "●": "•", "◂": "«", "‹": "«", "▸": "»", "›": "»", "⏵": "»", "▰": "■", "▱": "·", "▪": "■",
    "╱": "/", "◦": "·", "░": "░", "▒": "▒", "▓": "▒",
    "▏": "░", "▎": "░", "▍": "░", "▌": "▒", "▐": "▒", "▋": "▒", "▊": "█", "▉": "█",
    "╽": "▒", "╿": "▒", "╹": "▒", "╻": "▒", "╵": "│", "╷": "│", "┊": "│",
    "▁": "░", "▂": "░", "▃": "▒", "▄": "▒", "▅": "▒", "▆": "█", "▇": "█", "▀": "▒",
}  # fmt: skip
"""The kernel's built-in font, the Latin fonts of Debian and Terminus have these in common: no round corners,
no eighths of blocks, few signs."""

_TABLES = {Glyphs.ASCII: str.maketrans(_ASCII), Glyphs.CONSOLE: str.maketrans(_CONSOLE)}


def substituted(data: str, glyphs: Glyphs) -> str:
    """Return what is written to a terminal, escape sequences included, in what it can show; same cells."""
    if glyphs is Glyphs.UNICODE or data.isascii():
        return data
    data = data.translate(_TABLES[glyphs])
    if data.isascii():
        return data
    keeping = glyphs is Glyphs.CONSOLE
    return "".join([one if one.isascii() else _stand_in(one, keeping=keeping) for one in data])


@lru_cache(maxsize=1024)
def _stand_in(character: str, *, keeping: bool) -> str:
    """Return ASCII for a character of somebody's text, in as many cells as it takes.

    With ``keeping`` only for what no font of the console's has: wide characters.
    """
    code = ord(character)
    if keeping and unicodedata.east_asian_width(character) not in "WF":
        return character
    if 0xFF01 <= code <= 0xFF5E:
        return chr(code - FULL_WIDTH_OFFSET) + " "
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""
    return "??" if unicodedata.east_asian_width(character) in "WF" else "?"


def glyphs_of(environ: Mapping[str, str], encoding: str | None) -> Glyphs:
    """Return what a terminal can show, from the environment and the encoding that Python writes in.

    A locale that is ``C`` or ``POSIX``, or names another encoding than UTF-8, means ASCII, though Python
    itself would write UTF-8 there (PEP 538, PEP 540). Where no locale is set at all the terminal is taken for
    one of today.
    """
    if not (encoding or "utf-8").lower().startswith("utf"):
        return Glyphs.ASCII
    name = _locale(environ)
    codeset = name.partition("@")[0].partition(".")[2].lower().replace("-", "")
    if name in ("C", "POSIX") or codeset not in ("", "utf8"):
        return Glyphs.ASCII
    return Glyphs.CONSOLE if environ.get("TERM", "").startswith("linux") else Glyphs.UNICODE


def _locale(environ: Mapping[str, str]) -> str:
    every, own, fallback = (environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    if own in _COERCED and fallback in ("C", "POSIX"):
        own = ""  # Python's own doing, or that of one that has started us
    return every or own or fallback
