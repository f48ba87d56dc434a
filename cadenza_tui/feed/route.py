"""A channel's publications: where they go, and how that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadenza_tui.feed.hold import Hold
    from cadenza_tui.market.health import ChannelHealth
    from cadenza_tui.market.records import BookUpdate
    from cadenza_tui.wire.channels import ChannelName, Kind


class Route:
    """Where a channel's publications go, and how that stands."""

    __slots__ = ("by_server", "channel", "fetched_ms", "health", "hold", "name", "snapshot", "unproven")

    def __init__(self, channel: str, name: ChannelName, health: ChannelHealth) -> None:
        self.channel = channel
        self.name = name
        self.health = health
        self.hold: Hold | None = None
        """Book updates that wait for a snapshot, while one is being fetched."""
        self.snapshot: BookUpdate | None = None
        """The fetched snapshot, until the first update that is not in it."""
        self.fetched_ms = 0
        """The time of the last fetched snapshot, in ms."""
        self.unproven = False
        """Whether nothing that was streamed has shown yet that ``snapshot`` is not older than the stream."""
        self.by_server = False
        """Whether the server subscribed us of its own accord."""

    @property
    def subject(self) -> tuple[Kind, str]:
        """What the channel is about; candles of an instrument are ``{instrumentId}:{interval}``."""
        name = self.name
        if name.interval:
            return name.kind, f"{name.instrument_id}:{name.interval}"
        return name.kind, name.instrument_id or name.account_id or name.venue or ""
