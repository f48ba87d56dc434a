"""What every test of the ui takes for granted: a terminal with all colours."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def terminal_with_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on a terminal of 24-bit colours, whatever this one is."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    for name in ("NO_COLOR", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)
