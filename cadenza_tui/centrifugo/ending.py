"""Where the client stands, and how one connection of it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo import codes

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.codes import Decision


class SessionState(StrEnum):
    """Where the client stands."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why one connection ended, and what follows. ``reason`` is a sentence for a person."""

    code: int
    reason: str
    decision: Decision
    was_connected: bool
    remedy: str = ""
    """What the token source advises, where it was that."""

    @property
    def token_spent(self) -> bool:
        """Whether the connection token must not be used again."""
        return self.code in (codes.TOKEN_EXPIRED, codes.EXPIRED, codes.STATE_INVALIDATED)
