"""Failures a person can act on: a sentence, a remedy where there is one, and the exit code of a command."""

from __future__ import annotations

FAILED, UNUSABLE, UNAUTHORISED, UNREACHABLE, INCOMPLETE = 1, 2, 3, 4, 5

EXIT_CODES = {
    0: "all that was asked for",
    FAILED: "another failure",
    UNUSABLE: "no server is configured, or the configuration or the command line is at fault",
    UNAUTHORISED: "no token, one that is refused or expired, or no permission",
    UNREACHABLE: "no answer: not there, not in time, or TLS that fails",
    INCOMPLETE: "a part is missing: the rest is printed, stderr names what is not",
}
"""What a script can tell from a command's end; 130, 143 and 129 are those of the usual signals."""


class CadenzaError(Exception):
    """A failure that ends a command: ``str()`` is the sentence, ``remedy`` what to do about it."""

    exit_code = FAILED

    def __init__(self, sentence: str, *, remedy: str | None = None) -> None:
        super().__init__(sentence)
        self.remedy = remedy


class ConfigError(CadenzaError):
    """The configuration file or the command line cannot be used; names the file, line and key."""

    exit_code = UNUSABLE


class Unauthorised(CadenzaError):
    """The server lets nobody in like this, or not to what was asked for."""

    exit_code = UNAUTHORISED


class TokenError(Unauthorised):
    """No usable token could be had. Never carries any part of the token itself."""


class Unreachable(CadenzaError):
    """No answer could be had."""

    exit_code = UNREACHABLE


class Incomplete(CadenzaError):
    """What could be had was printed; the sentence names what is missing."""

    exit_code = INCOMPLETE


class RecordingError(CadenzaError):
    """A recording is missing, truncated or not a recording; names the file and line."""


class ThemeError(CadenzaError):
    """A theme file cannot be used; names the file and the role."""

    exit_code = UNUSABLE
