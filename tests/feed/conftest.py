"""What the feed's tests stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_tui.feed import channels, resync

from .scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for snapshots soon, so that tests need not wait for what is about time."""
    monkeypatch.setattr(channels, "SNAPSHOT_WITHIN_S", 0.05)
    monkeypatch.setattr(resync, "FIRST_PAUSE_S", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server."""
    async with ScriptedServer() as running:
        yield running
