"""Reading a table off a screen."""

from __future__ import annotations

import re

NUMBER = re.compile(r"[\d,]+(\.\d+)?")
RULES = "━─"
"""What a pane's lower edge and the line above its sums are made of."""


def column(text: str, word: str) -> list[str]:
    """Return the numbers that stand under the middle of a header's word, from the top down to the sums."""
    lines = text.split("\n")
    header = next((at for at, line in enumerate(lines) if f" {word} " in line), None)
    if header is None:
        return []
    middle = _middle(lines[header], word)
    prices = _middle(lines[header], "price") if " price " in lines[header] else middle
    found = []
    for line in lines[header + 1 :]:
        if line[prices : prices + 1] in RULES or line[middle : middle + 1] in RULES:
            break
        before = line[:middle].rpartition(" ")[2]
        token = before + line[middle:].partition(" ")[0]
        if NUMBER.fullmatch(token):
            found.append(token)
    return found


def pane(text: str, word: str) -> list[str]:
    """Return the lines within the border of the pane of this name, none where it is not shown."""
    lines = text.split("\n")
    top, left = next(
        ((y, x) for y, line in enumerate(lines) if (x := line.find(f"╭─ {word} ")) >= 0), (0, -1)
    )
    right = lines[top].find("╮", left)
    if left < 0 or right < 0:
        return []
    inside = [line[left + 1 : right] for line in lines[top + 1 :] if line[left] in "│╰"]
    return inside[: next((y for y, line in enumerate(inside) if not line.strip("─")), None)]


def _middle(header: str, word: str) -> int:
    return header.index(f" {word} ") + 1 + len(word) // 2
