"""Every bound, timeout and clock of the client, in one place."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

LONGEST_NAME = 16
LONGEST_VERSION = 64


@dataclass(frozen=True, slots=True)
class Options:
    """In seconds and bytes. ``now`` is a monotonic clock."""

    name: str = "cadenza-tui"
    version: str = ""
    open_timeout: float = 10.0
    """For the name, the TCP, the TLS and the WebSocket handshake together."""
    reply_timeout: float = 10.0
    """For the reply to a command of the client's own, and for the server to take a frame in."""
    close_timeout: float = 1.0
    dead_link_grace: float = 10.0
    """Silence beyond the server's ping interval that makes a link count as dead."""
    backoff_min: float = 0.5
    backoff_max: float = 20.0
    token_retry_min: float = 5.0
    token_retry_max: float = 10.0
    """The two bound the wait before a token source that failed, or gave an expired token, is asked again."""
    token_timeout: float = 60.0
    """For a token source to answer, which may be a person's or another program's work."""
    token_fetches: int = 8
    """Token sources of channels asked at once: a reconnect may want a token for each."""
    max_frame_bytes: int = 64 * 1024 * 1024
    """A recovery or a deep snapshot is one frame and the server sets no limit; a larger one ends it all.

    A payload made by a delta may be as long, and no longer.
    """
    max_command_bytes: int = 65_536
    """The server refuses longer frames from a client."""
    max_queue: int = 16
    """Frames held before reading pauses: TCP then slows the server down, and memory stays bounded."""
    channel_limit: int = 128
    """The server's default for one connection."""
    max_calls: int = 256
    """RPC and history calls that may wait at once."""
    yield_after: float = 0.005
    """Work in one go before the event loop gets a turn: `recv()` does not yield while frames are queued."""
    gather: float = 0.04
    """Rest of a busy socket between two reads, half of what a frame stands on the screen: fewer wake-ups for
    a delay that no eye can see; 0 is none. A message's lag ends when it is read, the rest included."""
    compression: bool = False
    ssl: ssl.SSLContext | None = None
    now: Callable[[], float] = field(default=time.monotonic)
    random: Callable[[], float] = field(default=random.random)
    sleep: Callable[[float], Awaitable[None]] | None = None
    """How to wait between attempts; None is ``asyncio.sleep``."""

    def token_retry(self) -> float:
        """Return how long to wait before a token source is asked again."""
        return self.token_retry_min + self.random() * (self.token_retry_max - self.token_retry_min)

    def __post_init__(self) -> None:
        """Refuse what the server would refuse without a word."""
        if len(self.name) > LONGEST_NAME:
            raise ValueError(f"the client name may have {LONGEST_NAME} characters, has {len(self.name)}")
        if len(self.version) > LONGEST_VERSION:
            raise ValueError(
                f"the client version may have {LONGEST_VERSION} characters, has {len(self.version)}"
            )
