"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """It works, and yet a person should know."""
    FAIL = "fail"
    SKIPPED = "skipped"
    """It could not be checked, through no fault of its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's name, its outcome, one sentence, what to do where it is not ok, and what it took in ms.

    No part of a token, a password or a URL's query ever stands in one.
    """

    name: str
    outcome: Outcome
    sentence: str
    remedy: str = ""
    ms: float = 0.0

    @property
    def bears(self) -> bool:
        """Whether checks that need this one can go on."""
        return self.outcome in {Outcome.OK, Outcome.WARN}


def ok(name: str, sentence: str) -> Finding:
    """Return that all is well."""
    return Finding(name, Outcome.OK, sentence)


def warn(name: str, sentence: str, remedy: str) -> Finding:
    """Return that it works, with a remedy for what is not as it should be."""
    return Finding(name, Outcome.WARN, sentence, remedy)


def fail(name: str, sentence: str, remedy: str) -> Finding:
    """Return that it does not work."""
    return Finding(name, Outcome.FAIL, sentence, remedy)


def skipped(name: str, sentence: str) -> Finding:
    """Return that it was not checked."""
    return Finding(name, Outcome.SKIPPED, sentence)
