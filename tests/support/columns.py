"""Reading a table off a screen."""

from __future__ import annotations

import re

NUMBER = re.compile(r"[\d,]+(\.\d+)?")


def column(text: str, word: str) -> list[str]:
    """Return the numbers that stand under the middle of a header's word, from the top."""
    lines = text.split("\n")
    header = next((at for at, line in enumerate(lines) if f" {word} " in line), None)
    if header is None:
        return []
    middle = lines[header].index(f" {word} ") + 1 + len(word) // 2
    found = []
    for line in lines[header + 1 :]:
        if line[middle : middle + 1] == "─":
            break  # the pane's lower edge
        before = line[:middle].rpartition(" ")[2]
        token = before + line[middle:].partition(" ")[0]
        if NUMBER.fullmatch(token):
            found.append(token)
    return found
