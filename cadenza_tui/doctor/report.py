"""Findings as lines for a person, and as one object for a program."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cadenza_tui.doctor.finding import Finding, Outcome
from cadenza_tui.view.numbers import milliseconds
from cadenza_tui.view.text import safe, unfilled, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = {
    Outcome.OK: ("✓", "+", "32"),
    Outcome.WARN: ("▲", "!", "33"),
    Outcome.FAIL: ("✗", "x", "31"),
    Outcome.SKIPPED: ("·", "-", "2"),
}
"""A glyph, what stands for it in ASCII, and the SGR of both."""
_BOLD, _DIM = "1", "2"
WORD, NAME, TIME = 7, 13, 8
LEAST_SENTENCE = 24
TIMED = 100
"""Below so many columns the times give way to the sentences."""


class Report:
    """Writes findings in aligned columns. ``width`` is None where lines are not to be broken."""

    def __init__(self, *, colour: bool, unicode: bool, width: int | None = None) -> None:
        self._colour = colour
        self._unicode = unicode
        self._width = width
        self._timed = width is None or width >= TIMED
        self.indent = 2 + 2 + WORD + 1 + NAME + (1 + TIME if self._timed else 0) + 2
        """Cells before a sentence."""

    def heading(self, parts: Sequence[str]) -> list[str]:
        """Return what stands above the findings: in one line, or the last part in one of its own."""
        words = " · ".join(parts)
        if self._width is None or len(safe(words)) < self._width or len(parts) < 2:
            return [self._paint(self._text(words), _BOLD)]
        return [self._paint(self._text(" · ".join(parts[:-1])), _BOLD), "  " + self._text(parts[-1])]

    def lines(self, finding: Finding) -> list[str]:
        """Return a finding's line, and its remedy's below it where it is not ok."""
        glyph, plain, sgr = _SIGNS[finding.outcome]
        sign = f"{glyph if self._unicode else plain} {finding.outcome.value.ljust(WORD)}"
        took = "" if finding.outcome is Outcome.SKIPPED else milliseconds(finding.ms)
        time = " " + self._paint(took.rjust(TIME), _DIM) if self._timed else ""
        start = f"  {self._paint(sign, sgr)} {self._paint(finding.name.ljust(NAME), _BOLD)}{time}  "
        dim = finding.outcome is Outcome.SKIPPED
        sentence = self._broken(finding.sentence, 0)
        rows = [start + self._paint(sentence[0], _DIM if dim else "")]
        rows += [" " * self.indent + line for line in sentence[1:]]
        if finding.remedy:
            arrow = "→ " if self._unicode else "> "
            remedy = self._broken(finding.remedy, len(arrow))
            rows.append(" " * self.indent + self._paint(arrow + remedy[0], sgr))
            rows += [" " * (self.indent + len(arrow)) + self._paint(line, sgr) for line in remedy[1:]]
        return rows

    def summary(self, findings: Sequence[Finding]) -> str:
        """Return the line below the findings."""
        counted = Counter(finding.outcome for finding in findings)
        words = {
            Outcome.OK: "ok",
            Outcome.WARN: "to be looked at",
            Outcome.FAIL: "failed",
            Outcome.SKIPPED: "skipped",
        }
        parts = [
            self._paint(f"{counted[outcome]} {word}", _SIGNS[outcome][2])
            for outcome, word in words.items()
            if counted[outcome]
        ]
        return "  " + self._text(" · ").join(parts)

    def _broken(self, words: str, taken: int) -> list[str]:
        if self._width is None:
            return [self._text(words)]
        room = max(self._width - self.indent - taken - 1, LEAST_SENTENCE)
        return [self._text(line) for line in wrapped(words, room)] or [""]

    def _text(self, words: str) -> str:
        words = unfilled(safe(words))
        if self._unicode:
            return words
        return words.replace("·", "-").replace("×", "x").encode("ascii", "replace").decode()

    def _paint(self, words: str, sgr: str) -> str:
        return f"\x1b[{sgr}m{words}\x1b[0m" if self._colour and sgr and words else words


def failed(findings: Sequence[Finding]) -> bool:
    """Return whether one of the findings is a failure."""
    return any(finding.outcome is Outcome.FAIL for finding in findings)


def to_object(label: str, url: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return ``{"profile","url","ok","checks":[{"name","outcome","sentence","remedy","ms"}]}``."""
    return {
        "profile": label,
        "url": url,
        "ok": not failed(findings),
        "checks": [
            {
                "name": finding.name,
                "outcome": finding.outcome.value,
                "sentence": unfilled(safe(finding.sentence)),
                "remedy": unfilled(safe(finding.remedy)),
                "ms": round(finding.ms, 1),
            }
            for finding in findings
        ],
    }
