"""How far the feed can be trusted: the facts the worker keeps and the screens show.

Plain mutable records, written by ``feed`` and read by ``view``; no clock, no I/O. Times are ns since the
epoch, durations named with their unit.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

DROPS_KEPT = 8


class ConnectionState(StrEnum):
    """Where the connection stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNAUTHORISED = "unauthorised"
    """Terminal until the user brings a new token."""
    DISCONNECTED = "disconnected"
    """Terminal for another reason."""
    REPLAYING = "replaying"
    ENDED = "ended"
    """A recording that has been played to its end."""


class ChannelState(StrEnum):
    """Where one subscription stands."""

    SUBSCRIBING = "subscribing"
    AWAITING = "awaiting snapshot"
    """Subscribed, but a book cannot be shown before its first snapshot."""
    LIVE = "live"
    RESYNCING = "resyncing"
    FAILED = "failed"
    """The server refused it for good; ``reason`` says why."""


class Drop(NamedTuple):
    """A connection that was lost: when, and why."""

    at: int
    reason: str


@dataclass(slots=True)
class ChannelHealth:
    """The facts of one channel."""

    channel: str
    state: ChannelState = ChannelState.SUBSCRIBING
    reason: str = ""
    since: int = 0
    messages: int = 0
    rate: float = 0.0
    """Messages a second over the last few seconds; a measurement for the eye, not money."""
    last_message: int | None = None
    lag_ns: int | None = None
    """How late a book's latest change came, by the clocks of the venue and of this machine."""
    late_ns: int = 0
    """How much later than usual its changes come: what is shown is that old."""
    offset: int | None = None
    epoch: str = ""
    positioned: bool | None = None
    """Whether the server numbers the messages; without that nobody can see that one is missing."""
    delta: bool = False
    """Whether the server sends changes of the payload alone."""
    by_server: bool = False
    """Whether the server subscribed us of its own accord."""
    gaps: int = 0
    missing: int = 0
    """Messages that were missed, as far as they could be counted."""
    resyncs: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Messages that could not be used, by named reason."""
    note: str = ""
    """What is to be said besides the state's reason, and stays when the state changes."""


@dataclass(slots=True)
class ConnectionHealth:
    """The facts of the connection."""

    url: str = ""
    label: str = ""
    """What the status line calls this server: the profile's name, ``demo`` or ``replay``."""
    state: ConnectionState = ConnectionState.CONNECTING
    since: int = 0
    reason: str = ""
    remedy: str = ""
    attempts: int = 0
    """Connection attempts since the last success."""
    next_attempt: int | None = None
    reconnects: int = 0
    drops: deque[Drop] = field(default_factory=lambda: deque(maxlen=DROPS_KEPT))
    """The latest connections that were lost, in their order."""
    last_frame: int | None = None
    """When anything at all arrived, pings included: quiet is told from dead by this."""
    ping_interval_s: float = 25.0
    last_ping: int | None = None
    messages: int = 0
    rate: float = 0.0
    bytes_received: int = 0
    bytes_rate: float = 0.0
    """Bytes received a second over the last few."""
    lag_p50_ms: float | None = None
    lag_p99_ms: float | None = None
    lag_ms: float | None = None
    """Lag of the latest message."""
    clock_offset_ms: float | None = None
    rejected: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    """What the client passed over on purpose, by name: duplicates, strays, deltas that did not fit."""
    speed: float | None = None
    """Replay speed; None means live, 0 means as fast as it goes."""
    progress: float | None = None
    """Share of the recording that has been played."""


@dataclass(slots=True)
class ScreenHealth:
    """The facts of the painter."""

    frames: int = 0
    skipped: int = 0
    bytes_written: int = 0
    bytes_rate: float = 0.0
    loop_stall_ms: float = 0.0
    """The longest time the event loop stood still since the last trace line."""
    paint_ms: float = 0.0
    """How long the last frame took to make."""
    fps: float = 0.0
    """Frames a second, smoothed, and left alone by small changes; so are the figures that are ``steady``."""
    steady_bytes_rate: float | None = None
    steady_messages_rate: float | None = None
    steady_lag_ms: float | None = None
    """None until they have been read, or where there is no screen."""
    in_flight: int = 0
    """Frames that the terminal has not acknowledged."""
    round_trip_ms: float | None = None
    """From the latest acknowledged frame to its acknowledgement; None where the terminal never answers."""
    allowance: int = 0
    """Bytes that a frame may have on this link."""


@dataclass(slots=True)
class Health:
    """Everything the Health view and the trace read."""

    connection: ConnectionHealth = field(default_factory=ConnectionHealth)
    channels: dict[str, ChannelHealth] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    """By query, why it brought nothing."""
    screen: ScreenHealth = field(default_factory=ScreenHealth)

    @property
    def rejected(self) -> int:
        """All messages that could not be used."""
        return sum(self.connection.rejected.values()) + sum(
            sum(channel.rejected.values()) for channel in self.channels.values()
        )
