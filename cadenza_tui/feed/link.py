"""What the client tells of its link, turned into the facts of ``market.health``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.listener import Listener
from cadenza_tui.market.health import ConnectionState, Drop
from cadenza_tui.market.state import Topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.centrifugo.frames import Publication
    from cadenza_tui.centrifugo.listener import Connected, Subscribed
    from cadenza_tui.feed.channels import Channels
    from cadenza_tui.feed.ingest import Ingest
    from cadenza_tui.market.records import Nanoseconds

TOKEN_CODES = frozenset({codes.INVALID_TOKEN, codes.TOKEN_EXPIRED, 101, 110, int(Local.UNAUTHORIZED)})
"""Endings that a new token cures."""
BAD_REQUEST = 3501
"""How a server that lets nobody in without a token ends a connect that brings none."""


class Link(Listener):
    """The listener of one client. Writes the connection's health, and hands channels on.

    ``on_state`` is called after each change of the connection's state.
    """

    def __init__(
        self,
        ingest: Ingest,
        channels: Channels,
        now: Callable[[], Nanoseconds],
        on_state: Callable[[], None],
    ) -> None:
        self.anonymous = False
        """Whether there is no token to bring."""
        self.token_remedy = ""
        """What to do about a token that is refused, where more than the general remedy is known."""
        self._ingest = ingest
        self._channels = channels
        self._now = now
        self._on_state = on_state
        self._market = ingest.market
        self._health = ingest.market.health.connection
        self._dialled = now()

    def dialling(self) -> None:
        """Note that an attempt begins now."""
        self._dialled = self._now()

    def _enter(self, state: ConnectionState, reason: str, remedy: str = "") -> None:
        health = self._health
        if health.state is not state:
            health.since = self._now()
        health.state = state
        health.reason = reason
        health.remedy = remedy
        self._market.dirty.mark(Topic.HEALTH)
        self._on_state()

    def on_connecting(self, code: int, reason: str) -> None:
        """The link is being made, or was lost."""
        was_connected = self._health.state is ConnectionState.CONNECTED
        if was_connected:
            self._health.reconnects += 1
            self._health.drops.append(Drop(self._now(), reason))
        self._health.next_attempt = None
        self._health.attempts = 0
        self.dialling()
        self._channels.link_lost()
        self._enter(ConnectionState.CONNECTING, reason if was_connected else "")

    def on_waiting(self, next_attempt_in_s: float) -> None:
        """The connection was lost, and it is known when the next attempt comes."""
        self._health.next_attempt = self._now() + int(next_attempt_in_s * 1e9)
        self._market.dirty.mark(Topic.HEALTH)

    def on_attempt_failed(self, error: str, next_attempt_in_s: float) -> None:
        """One attempt failed; the next comes by itself."""
        now = self._now()
        self._health.attempts += 1
        self._health.next_attempt = now + int(next_attempt_in_s * 1e9)
        self._enter(ConnectionState.CONNECTING, error)

    def on_connected(self, connected: Connected) -> None:
        """The server let us in."""
        now = self._now()
        self._health.attempts = 0
        self._health.next_attempt = None
        self._health.ping_interval_s = float(connected.ping)
        self._health.last_frame = now
        self._measure_clock(connected.time_ms, now)
        self._enter(ConnectionState.CONNECTED, "")

    def _measure_clock(self, server_ms: int, now: int) -> None:
        """Tell the two clocks' difference from the time that the connect took.

        The server looked at its clock somewhere between the dial and the reply. Only a difference that no
        moment in between explains is one; else the lag would be corrected by the link's own delay. Before
        the connect came TCP, TLS and WebSocket, a round trip each: it was the last of four.
        """
        self._ingest.clock_offset = 0
        self._health.clock_offset_ms = None
        if not server_ms:
            return
        server = server_ms * 1_000_000
        if self._dialled - 1_000_000 <= server <= now + 1_000_000:
            self._health.clock_offset_ms = 0.0
            return
        offset = server - (now - (now - self._dialled) // 8)
        self._ingest.clock_offset = offset
        self._health.clock_offset_ms = offset / 1e6

    def on_disconnected(self, code: int, reason: str) -> None:
        """The end: closed on request, or for good."""
        self._health.next_attempt = None
        self._channels.link_lost()
        if code == Local.CALLED:
            self._enter(ConnectionState.DISCONNECTED, reason)
        elif self.anonymous and code == BAD_REQUEST:
            self._enter(ConnectionState.UNAUTHORISED, "the server wants a token", self.token_remedy)
        elif code in TOKEN_CODES:
            remedy = self.token_remedy or codes.meaning(code, reason).remedy
            self._enter(ConnectionState.UNAUTHORISED, reason, remedy)
        else:
            self._enter(ConnectionState.DISCONNECTED, reason, codes.meaning(code, reason).remedy)

    def on_frame(self, size: int) -> None:
        """Anything at all arrived."""
        self._health.bytes_received += size
        self._health.last_frame = self._now()

    def on_ping(self) -> None:
        """The server is alive."""
        self._health.last_ping = self._health.last_frame

    def on_subscribing(self, channel: str, code: int, reason: str) -> None:
        """A channel is asked for."""
        self._channels.subscribing(channel, "" if code == Local.CALLED else reason)

    def on_subscribed(self, channel: str, subscribed: Subscribed) -> None:
        """A channel is live."""
        self._channels.subscribed(channel, subscribed)

    def on_unsubscribed(self, channel: str, code: int, reason: str) -> None:
        """A channel ended."""
        self._channels.ended(channel, code, reason)

    def on_gap(self, channel: str, expected: int, received: int) -> None:
        """Publications are missing."""
        self._channels.gap(channel, received - expected)

    def on_malformed(self, reason: str) -> None:
        """A line could not be used."""
        self._health.rejected[reason] += 1
        self._market.dirty.mark(Topic.HEALTH)

    def on_publication(self, channel: str, publication: Publication) -> None:
        """One message of the market."""
        last_frame = self._health.last_frame
        self._ingest.publication(
            channel,
            publication.data,
            publication.offset,
            publication.epoch,
            self._now() if last_frame is None else last_frame,
        )
