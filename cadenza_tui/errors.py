"""Failures a person can act on: a sentence, and a remedy where there is one."""

from __future__ import annotations


class CadenzaError(Exception):
    """A failure that ends a command: ``str()`` is the sentence, ``remedy`` what to do about it."""

    exit_code = 1

    def __init__(self, sentence: str, *, remedy: str | None = None) -> None:
        super().__init__(sentence)
        self.remedy = remedy


class ConfigError(CadenzaError):
    """The configuration file or the command line cannot be used; names the file, line and key."""

    exit_code = 2


class TokenError(CadenzaError):
    """No usable token could be had. Never carries any part of the token itself."""


class RecordingError(CadenzaError):
    """A recording is missing, truncated or not a recording; names the file and line."""


class ThemeError(CadenzaError):
    """A theme file cannot be used; names the file and the role."""

    exit_code = 2
