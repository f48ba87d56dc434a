"""Every key of the program, once: bindings, footer and help are made from these tables."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    """One key or a few that do the same. ``shown`` is how help and footer write them."""

    id: str
    keys: str
    action: str
    shown: str
    help: str
    group: str
    first: bool = False
    """Whether the next key depends on it: it is acted on before that is looked at, however fast they come."""


KEYS = (
    Key("find", "slash", "find", "/", "find an instrument", "Instruments", first=True),
    Key("next", "n", "next_instrument", "n", "next instrument", "Instruments"),
    Key("previous", "N", "previous_instrument", "N", "previous instrument", "Instruments"),
    Key("pinned", "1,2,3,4,5,6,7,8,9", "pinned", "1–9", "pinned instrument 1 to 9", "Instruments"),
    Key("last", "backspace", "last_instrument", "backspace", "the last instrument again", "Instruments"),
    Key("choose", "enter", "choose", "enter", "show the instrument pointed at", "Instruments"),
    Key("pin", "P", "pin", "P", "pin an instrument, or let go of it", "Instruments"),
    Key("coarser", "right_square_bracket", "group(1)", "]", "coarser: group, cells, interval", "The pane"),
    Key("finer", "left_square_bracket", "group(-1)", "[", "finer: group, cells, interval", "The pane"),
    Key("more", "plus,equals_sign", "least(1)", "+", "higher: least size, cut-off", "The pane"),
    Key("less", "minus", "least(-1)", "-", "lower: least size, cut-off", "The pane"),
    Key("options", "o", "options", "o", "all that can be chosen about it", "The pane", first=True),
    Key("down", "down,j", "move(1)", "down j", "cursor or rows down", "The pane"),
    Key("up", "up,k", "move(-1)", "up k", "cursor or rows up", "The pane"),
    Key("page-down", "ctrl+d,pagedown", "page(1)", "ctrl+d", "a page down", "The pane"),
    Key("page-up", "ctrl+u,pageup", "page(-1)", "ctrl+u", "a page up", "The pane"),
    Key("tab-left", "left", "aside(-1)", "left", "back in time, table before", "The pane"),
    Key("tab-right", "right", "aside(1)", "right", "on in time, next table", "The pane"),
    Key("centre", "space", "centre", "space", "centre the ladder, first rows, now", "The pane"),
    Key("pause", "p", "pause", "p", "pause it, and go on", "The pane"),
    Key("shape", "m", "turn('book','shape')", "m", "ladder: stack or DOM", "Depth and tape"),
    Key("unfold", "x", "unfold", "x", "ladder: orders of the level", "Depth and tape"),
    Key("heat", "h", "heat", "h", "heatmap, and back to the ladder", "Depth and tape"),
    Key("depth", "d", "view('depth')", "d", "Depth view", "Depth and tape"),
    Key(
        "aggregate", "a", "turn('tape','aggregate')", "a", "tape: prints of a sweep as one", "Depth and tape"
    ),
    Key("window", "w", "turn('tape','window')", "w", "tape: window of the sums", "Depth and tape"),
    Key("focus-next", "tab", "focus_pane(1)", "tab", "focus the next pane", "Panes"),
    Key("focus-previous", "shift+tab", "focus_pane(-1)", "shift+tab", "focus the pane before", "Panes"),
    Key("zoom", "z", "zoom", "z", "maximise the focused pane, and back", "Panes"),
    Key("wider", "greater_than_sign", "resize('wide',1)", ">", "wider", "Panes"),
    Key("narrower", "less_than_sign", "resize('wide',-1)", "<", "narrower", "Panes"),
    Key("higher", "right_curly_bracket", "resize('high',1)", "}", "higher", "Panes"),
    Key("lower", "left_curly_bracket", "resize('high',-1)", "{", "lower", "Panes"),
    Key("next-view", "backslash", "next_view", "\\", "next layout", "Views"),
    Key("goto", "g", "goto", "g", "go to a view: g and its letter", "Views", first=True),
    Key("view-market", "f1", "view('market')", "F1  g m", "Market view", "Views"),
    Key("view-account", "f2", "view('account')", "F2  g a", "Account view", "Views"),
    Key("view-health", "f3,i", "view('health')", "F3  g h  i", "Health view", "Views"),
    Key("view-depth", "f4", "view('depth')", "F4  g d", "Depth view", "Views"),
    Key("view-tape", "f5", "view('tape')", "F5  g t", "Tape view, with the chart", "Views"),
    Key("view-wide", "f6", "view('wide')", "F6  g w", "Wide view, all at once", "Views"),
    Key("account-next", "full_stop", "account(1)", ".", "next account, or all", "Account"),
    Key("account-previous", "comma", "account(-1)", ",", "account before", "Account"),
    Key("sort", "s", "sort", "s", "sort by the next column", "Account"),
    Key("sort-turn", "S", "sort_turn", "S", "sort the other way round", "Account"),
    Key("filter", "f", "filter", "f", "filter the rows", "Account", first=True),
    Key("dust", "0", "dust", "0", "hide and show dust", "Account"),
    Key("currency", "v", "currency(1)", "v", "value in the next currency", "Account"),
    Key("mask", "b", "mask", "b", "mask and unmask every amount", "Account"),
    Key("resync", "R", "resync", "R", "ask for the book again", "Program"),
    Key("theme", "t", "theme", "t", "dark or light", "Program"),
    Key("clock", "T", "clock", "T", "hide and show the clock", "Program"),
    Key("suspend", "ctrl+z", "suspend_process", "ctrl+z", "to the shell, fg returns", "Program"),
    Key("redraw", "ctrl+l", "redraw", "ctrl+l", "write the whole screen again", "Program"),
    Key("palette", "ctrl+p,colon", "command_palette", "ctrl+p  :", "all commands", "Program"),
    Key("help", "question_mark", "help", "?", "this help", "Program"),
    Key("back", "escape", "back", "escape", "back one level", "Program"),
    Key("quit", "q,ctrl+c", "quit", "q", "quit", "Program"),
)

GOTO = {"m": "market", "a": "account", "h": "health", "d": "depth", "t": "tape", "w": "wide"}
"""The letters after ``g``."""
CYCLE = ("market", "depth", "tape", "account", "wide")
"""The layouts that the key for the next one goes through."""


class Pair(NamedTuple):
    """Two keys that are one row of the help."""

    second: str
    words: str


PAIRS = {
    "next": Pair("previous", "next instrument, previous one"),
    "finer": Pair("coarser", "finer, coarser: group, interval"),
    "less": Pair("more", "lower, higher: least size, cut-off"),
    "down": Pair("up", "cursor or rows down, up"),
    "page-down": Pair("page-up", "a page down, up"),
    "tab-left": Pair("tab-right", "back in time, on; tables"),
    "focus-next": Pair("focus-previous", "focus the next pane, the last one"),
    "narrower": Pair("wider", "narrower, wider"),
    "lower": Pair("higher", "lower, higher"),
    "account-previous": Pair("account-next", "account before, next one, or all"),
    "sort": Pair("sort-turn", "sort by the next column, turn it round"),
}
"""By the key that is named first."""


class Hint(NamedTuple):
    """An entry of the footer: keys by their ids, and the word for what they do in the pane in focus."""

    ids: tuple[str, ...]
    word: str


FIND = (Hint(("find",), "find"), Hint(("next",), "next"))
GROUP = Hint(("finer", "coarser"), "group")
CENTRE = Hint(("centre",), "centre")
TIME = Hint(("tab-left", "tab-right"), "time")
CURSOR = Hint(("down", "up"), "cursor")
MASK = Hint(("mask",), "mask")
GENERAL = (
    Hint(("next-view",), "layout"),
    Hint(("options",), "options"),
    Hint(("focus-next",), "pane"),
    Hint(("zoom",), "zoom"),
    Hint(("pause",), "pause"),
)
ACCOUNT = (
    Hint(("account-next",), "account"),
    Hint(("sort",), "sort"),
    Hint(("filter",), "filter"),
    Hint(("dust",), "dust"),
    Hint(("currency",), "value in"),
    MASK,
    Hint(("tab-right",), "table"),
)

FOOTERS: dict[str, tuple[Hint, ...]] = {
    "instruments": (
        *FIND,
        Hint(("choose",), "show"),
        Hint(("pin",), "pin"),
        Hint(("sort",), "sort"),
        CURSOR,
        Hint(("pinned",), "pinned"),
        *GENERAL,
    ),
    "book": (
        *FIND,
        GROUP,
        CENTRE,
        Hint(("heat",), "heatmap"),
        CURSOR,
        Hint(("shape",), "shape"),
        *GENERAL,
        MASK,
    ),
    "tape": (
        *FIND,
        Hint(("less", "more"), "least"),
        Hint(("window",), "window"),
        Hint(("aggregate",), "sweeps"),
        Hint(("down", "up"), "scroll"),
        Hint(("centre",), "newest"),
        *GENERAL,
    ),
    "heat": (
        Hint(("heat",), "ladder"),
        Hint(("finer", "coarser"), "cells"),
        TIME,
        Hint(("less", "more"), "cut-off"),
        CENTRE,
        Hint(("down", "up"), "price"),
        *FIND,
        *GENERAL,
    ),
    "depth": (*FIND, Hint(("finer", "coarser"), "range"), Hint(("heat",), "heatmap"), *GENERAL),
    "flow": (*FIND, Hint(("finer", "coarser"), "size"), Hint(("heat",), "heatmap"), *GENERAL),
    "chart": (Hint(("finer", "coarser"), "interval"), TIME, Hint(("centre",), "now"), *FIND, *GENERAL),
    "venues": (*FIND, GROUP, CENTRE, CURSOR, *GENERAL),
    "account": (*ACCOUNT, Hint(("goto",), "views"), *FIND),
    "accounts": (*ACCOUNT, Hint(("goto",), "views"), Hint(("next-view",), "layout")),
    "health": (
        Hint(("down", "up"), "scroll"),
        *FIND,
        Hint(("goto",), "views"),
        Hint(("next-view",), "layout"),
    ),
}
"""What the footer shows while a pane has the focus, the most wanted first."""

_BY_ID = {key.id: key for key in KEYS}
_LETTERS = {"down j": "j", "up k": "k"}
_ARROWS = {"left": "←", "right": "→", **_LETTERS}
"""How the footer writes keys of which two stand together."""


def bindings() -> list[Binding]:
    """Return Textual's bindings, each with the id that a keymap names."""
    made: list[Binding] = []
    for key in KEYS:
        if key.id == "pinned":
            made += [
                Binding(digit, f"pinned({digit})", key.help, show=False, id=f"pinned-{digit}")
                for digit in key.keys.split(",")
            ]
        else:
            made.append(Binding(key.keys, key.action, key.help, show=False, id=key.id, priority=key.first))
    return made


def hinted(hint: Hint, *, arrows: bool = True) -> tuple[str, str]:
    """Return ``(keys, word)`` as the footer writes a hint.

    Without ``arrows`` those keys are words: in ASCII an arrow would be written as another key.
    """
    shown = [_BY_ID[name].shown for name in hint.ids]
    if len(shown) > 1:
        short = _ARROWS if arrows else _LETTERS
        shown = [short.get(key, key) for key in shown]
    return " ".join(shown), hint.word


def footer_keys(pane: str, *, arrows: bool = True) -> list[tuple[str, str]]:
    """Return ``(keys, word)`` for the footer while a pane has the focus, the most wanted first."""
    return [hinted(hint, arrows=arrows) for hint in FOOTERS[pane]]


def footer_end() -> list[tuple[str, str]]:
    """Return ``(key, word)`` of the two keys that stay at the right of the footer however narrow it is."""
    return [(_BY_ID[name].shown, name) for name in ("help", "quit")]


def goto_keys() -> list[tuple[str, str]]:
    """Return ``(key, word)`` for the footer while ``g`` waits for its letter."""
    return [*GOTO.items(), ("escape", "back")]


def help_keys(pane: str, word: str, *, arrows: bool = True) -> list[tuple[str, str, str]]:
    """Return ``(keys, words, group)`` for the help: what the footer says of the pane in focus, then all."""
    shown = [hint for hint in FOOTERS[pane] if hint not in (*GENERAL, *FIND)]
    made = [(*hinted(hint, arrows=arrows), f"{word}, in focus now") for hint in shown]
    seconds = {pair.second for pair in PAIRS.values()}
    for key in KEYS:
        pair = PAIRS.get(key.id)
        if pair is not None:
            made.append((f"{key.shown} {_BY_ID[pair.second].shown}", pair.words, key.group))
        elif key.id not in seconds:
            made.append((key.shown, key.help, key.group))
    return made
