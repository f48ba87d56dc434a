"""Every key of the program, once: bindings, footer and help are made from this table."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    """One key or a few that do the same. ``shown`` is how help and footer write them."""

    id: str
    keys: str
    action: str
    shown: str
    word: str
    help: str
    group: str
    footer: int = 0
    """Place in the footer, 1 first; 0 is not in the footer."""
    account: int = 0
    """The same in the Account view."""
    first: bool = False
    """Whether the next key depends on it: it is acted on before that is looked at, however fast they come."""


KEYS = (
    Key("find", "slash", "find", "/", "find", "find an instrument", "Instruments", 1, first=True),
    Key("next", "n", "next_instrument", "n", "next", "next instrument", "Instruments", 2),
    Key("previous", "N", "previous_instrument", "N", "previous", "previous instrument", "Instruments"),
    Key(
        "pinned", "1,2,3,4,5,6,7,8,9", "pinned", "1–9", "pinned", "pinned instrument 1 to 9", "Instruments", 3
    ),
    Key(
        "last",
        "backspace",
        "last_instrument",
        "backspace",
        "last",
        "the last instrument again",
        "Instruments",
    ),
    Key("focus-next", "tab", "focus_pane(1)", "tab", "pane", "focus the next pane", "Panes", 5),
    Key(
        "focus-previous", "shift+tab", "focus_pane(-1)", "shift+tab", "pane", "focus the pane before", "Panes"
    ),
    Key("zoom", "z", "zoom", "z", "zoom", "maximise the focused pane, and back", "Panes", 6),
    Key("pause", "p", "pause", "p", "pause", "pause the focused pane, and go on", "Panes", 7),
    Key("down", "down,j", "move(1)", "down j", "down", "cursor or rows down", "Panes"),
    Key("up", "up,k", "move(-1)", "up k", "up", "cursor or rows up", "Panes"),
    Key("page-down", "ctrl+d,pagedown", "page(1)", "ctrl+d", "page", "a page down", "Panes"),
    Key("page-up", "ctrl+u,pageup", "page(-1)", "ctrl+u", "page", "a page up", "Panes"),
    Key(
        "centre",
        "space",
        "centre",
        "space",
        "centre",
        "centre the ladder, first rows",
        "Panes",
        4,
    ),
    Key(
        "account-next",
        "full_stop",
        "account(1)",
        ".",
        "account",
        "next account, or all",
        "Account",
        0,
        1,
    ),
    Key("account-previous", "comma", "account(-1)", ",", "account", "account before", "Account"),
    Key(
        "tab-right", "right", "account_tab(1)", "right", "table", "next table of the account", "Account", 0, 7
    ),
    Key("tab-left", "left", "account_tab(-1)", "left", "table", "table before", "Account"),
    Key("sort", "s", "sort", "s", "sort", "sort the table by the next column", "Account", 0, 2),
    Key("sort-turn", "S", "sort_turn", "S", "turn", "sort it the other way round", "Account"),
    Key("filter", "f", "filter", "f", "filter", "filter the rows", "Account", 0, 3, first=True),
    Key("dust", "0", "dust", "0", "dust", "hide and show dust", "Account", 0, 4),
    Key("currency", "v", "currency(1)", "v", "value in", "value in the next currency", "Account", 0, 5),
    Key("mask", "b", "mask", "b", "mask", "mask and unmask every amount", "Account", 8, 6),
    Key("goto", "g", "goto", "g", "views", "go to a view: g m, g a, g h", "Views", 9, 8, first=True),
    Key("view-market", "f1", "view('market')", "F1  g m", "market", "Market view", "Views"),
    Key("view-account", "f2", "view('account')", "F2  g a", "account", "Account view", "Views"),
    Key("view-health", "f3,i", "view('health')", "F3  g h  i", "health", "Health view", "Views"),
    Key("resync", "R", "resync", "R", "resync", "ask for the book again", "Feed"),
    Key("theme", "t", "theme", "t", "theme", "dark or light", "Program"),
    Key("clock", "T", "clock", "T", "clock", "hide and show the clock", "Program"),
    Key("suspend", "ctrl+z", "suspend_process", "ctrl+z", "suspend", "to the shell, fg returns", "Program"),
    Key("redraw", "ctrl+l", "redraw", "ctrl+l", "redraw", "write the whole screen again", "Program"),
    Key("palette", "ctrl+p,colon", "command_palette", "ctrl+p  :", "commands", "all commands", "Program"),
    Key("help", "question_mark", "help", "?", "help", "this help", "Program"),
    Key("back", "escape", "back", "escape", "back", "back one level", "Program"),
    Key("quit", "q,ctrl+c", "quit", "q", "quit", "quit", "Program"),
)

GOTO = {"m": "market", "a": "account", "h": "health"}
"""The letters after ``g``."""


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


def footer_keys(*, account: bool = False) -> list[tuple[str, str]]:
    """Return ``(key, word)`` for the footer, of the ``account`` view or of others, the most wanted first."""
    placed = [(key.account if account else key.footer, key.shown, key.word) for key in KEYS]
    return [(shown, word) for place, shown, word in sorted(placed) if place]


def footer_end() -> list[tuple[str, str]]:
    """Return ``(key, word)`` of the two keys that stay at the right of the footer however narrow it is."""
    return [(key.shown, key.word) for key in KEYS if key.id in ("help", "quit")]


def goto_keys() -> list[tuple[str, str]]:
    """Return ``(key, word)`` for the footer while ``g`` waits for its letter."""
    return [*GOTO.items(), ("escape", "back")]
