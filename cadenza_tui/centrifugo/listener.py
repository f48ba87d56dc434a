"""What the client tells, and whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Raw

    from cadenza_tui.centrifugo.frames import Publication


@dataclass(frozen=True, slots=True)
class Connected:
    """What the server said of itself. ``ping`` in seconds (0: it sends none), ``time_ms`` since the epoch."""

    client: str
    version: str
    ping: int
    pong: bool
    time_ms: int
    session: str
    node: str
    data: Raw


@dataclass(frozen=True, slots=True)
class Subscribed:
    """How a subscription stands at its start.

    ``was_recovering`` without ``recovered`` means that publications are lost: refetch what they were about.
    """

    was_recovering: bool
    recovered: bool
    offset: int
    epoch: str
    recoverable: bool
    positioned: bool
    data: Raw
    delta: bool = False
    """Whether the server sends changes alone; publications are told in full all the same."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why the client ended. ``terminal`` is False where it was closed on request."""

    code: int
    reason: str
    terminal: bool
    remedy: str = ""


class Listener:
    """Synchronous callbacks, in the order of events; to subclass, overriding what is of interest.

    They may call ``subscribe`` and ``unsubscribe`` of the client. An exception is caught and counted, and
    ends nothing. ``reason`` is a sentence for a person, free of control characters.
    """

    def on_connecting(self, code: int, reason: str) -> None:
        """The client starts to connect, or lost its connection and will reconnect by itself."""

    def on_waiting(self, next_attempt_in_s: float) -> None:
        """How long it is from a loss to the next attempt; between attempts ``on_attempt_failed`` tells it."""

    def on_attempt_failed(self, error: str, next_attempt_in_s: float) -> None:
        """One attempt to connect failed; the next comes by itself."""

    def on_connected(self, connected: Connected) -> None:
        """The server accepted the connect."""

    def on_disconnected(self, code: int, reason: str) -> None:
        """The end: closed on request, or terminal (``codes.meaning(code)`` knows the remedy)."""

    def on_frame(self, size: int) -> None:
        """A frame of ``size`` bytes arrived, of whatever content."""

    def on_ping(self) -> None:
        """The server pinged."""

    def on_subscribing(self, channel: str, code: int, reason: str) -> None:
        """A channel is asked for, asked for again after it was live, or was refused for now.

        In the last case it was not live before, and the next try comes by itself.
        """

    def on_subscribed(self, channel: str, subscribed: Subscribed) -> None:
        """A channel is live; recovered publications follow, then live ones."""

    def on_unsubscribed(self, channel: str, code: int, reason: str) -> None:
        """A channel ended: on request, or refused for good."""

    def on_publication(self, channel: str, publication: Publication) -> None:
        """One publication, in the order of offsets, each at most once."""

    def on_gap(self, channel: str, expected: int, received: int) -> None:
        """Publications from offset ``expected`` to before ``received`` are missing; ``received`` follows.

        ``received`` below ``expected`` means that the server began another stream, and says no number.
        """

    def on_malformed(self, reason: str) -> None:
        """A line could not be used; ``reason`` is one of a fixed set of names."""


class Guarded:
    """The way to the listener: an exception out of a callback is counted by its class and goes no further."""

    __slots__ = ("errors", "to")

    def __init__(self, listener: Listener) -> None:
        self.to = listener
        self.errors: Counter[str] = Counter()

    def tell(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call back."""
        try:
            callback(*arguments)
        except Exception as error:
            self.errors[type(error).__name__] += 1

    def publish(self, channel: str, publication: Publication) -> None:
        """Call back for one publication; ``tell`` without its detours, since this is the hot path."""
        try:
            self.to.on_publication(channel, publication)
        except Exception as error:
            self.errors[type(error).__name__] += 1
