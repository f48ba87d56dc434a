"""Texts from outside, made harmless: what comes out can be written to a terminal as it is."""

from __future__ import annotations

import re

MAXIMUM_NAME = 64
"""Characters of an identifier, a symbol, a status."""
MAXIMUM_SENTENCE = 200
"""Characters of a reason given by the server."""

_CONTROL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
)
"""CSI sequences, and OSC, DCS, SOS, PM and APC strings with what they carry."""


def clean(text: str, maximum: int = MAXIMUM_NAME) -> str:
    """Return the text without control, escape, bidirectional, invisible or unassigned characters.

    White space of any kind becomes a space. What is longer than ``maximum`` characters is cut, which an
    ellipsis shows.
    """
    if len(text) > maximum:
        text = text[: 4 * maximum + 64]
    if not (text.isascii() and text.isprintable()):
        text = _CONTROL_SEQUENCE.sub("", text)
        text = "".join(
            character if character.isprintable() else " "
            for character in text
            if character.isprintable() or character.isspace()
        )
    return text if len(text) <= maximum else text[: maximum - 1] + "…"
