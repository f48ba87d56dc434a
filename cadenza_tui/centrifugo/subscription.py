"""One channel: its state, and its position in the server's stream."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.frames import Publication, SubscribeRequest, SubscribeResult
from cadenza_tui.centrifugo.listener import Subscribed

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.backoff import Backoff

FORGOTTEN_EPOCH = "_"
"""No stream has it, so a recovery from it always fails, and says so."""


class SubscriptionState(StrEnum):
    """Where a channel stands."""

    SUBSCRIBING = "subscribing"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class Arrival(Enum):
    """How a publication's offset stands to the position."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    """Already seen: to be dropped."""
    GAP = "gap"


class Subscription:
    """The machine of one channel. The position outlives the connection."""

    __slots__ = (
        "backoff",
        "channel",
        "epoch",
        "offset",
        "pending",
        "position_known",
        "positioned",
        "recoverable",
        "retry_at",
        "server_side",
        "state",
        "subscribed_at",
        "want_recoverable",
    )

    def __init__(
        self, channel: str, backoff: Backoff, *, want_recoverable: bool = False, server_side: bool = False
    ) -> None:
        self.channel = channel
        self.backoff = backoff
        self.want_recoverable = want_recoverable
        self.server_side = server_side
        self.state = SubscriptionState.SUBSCRIBING
        self.pending = 0
        """Id of the subscribe command under way; a reply to another one is stale."""
        self.retry_at: float | None = None
        self.subscribed_at = 0.0
        self.recoverable = False
        self.positioned = False
        """Whether offsets are kept: the server said recoverable or positioned."""
        self.position_known = False
        self.offset = 0
        self.epoch = ""

    def request(self) -> SubscribeRequest:
        """Return the subscribe command, from the position where there is one."""
        request = SubscribeRequest(channel=self.channel, recoverable=self.want_recoverable)
        if self.recoverable and self.position_known:
            request.recover = True
            request.offset = self.offset
            request.epoch = self.epoch
        return request

    def accept(self, result: SubscribeResult, now: float) -> Subscribed:
        """Take a subscribe result in, and return what the listener is to know.

        A successful recovery goes on from the position that was asked for, which the result's ``offset``
        echoes, and the recovered publications advance it; otherwise the result's is the stream's top.
        """
        goes_on = result.recovered and self.position_known
        self.state = SubscriptionState.SUBSCRIBED
        self.subscribed_at = now
        self.pending = 0
        self.retry_at = None
        self.recoverable = result.recoverable
        self.positioned = result.recoverable or result.positioned
        self.position_known = self.positioned
        if not goes_on:
            self.offset = result.offset
        self.epoch = result.epoch
        return Subscribed(
            was_recovering=result.was_recovering,
            recovered=result.recovered,
            offset=result.offset,
            epoch=result.epoch,
            recoverable=result.recoverable,
            positioned=self.positioned,
            data=result.data,
        )

    def arrive(self, publication: Publication) -> Arrival:
        """Move the position on to a publication, and say how it stood to the one before."""
        offset = publication.offset
        if not offset:  # published past the history: it has no place in the stream
            return Arrival.NEXT
        if publication.epoch and publication.epoch != self.epoch:
            # Another stream. Nothing is missing if this is its first after an empty one.
            whole = self.offset == 0 and offset == 1
            self.epoch = publication.epoch
            self.offset = offset
            return Arrival.NEXT if whole else Arrival.GAP
        expected = self.offset + 1
        if offset < expected:
            return Arrival.DUPLICATE
        self.offset = offset
        return Arrival.NEXT if offset == expected else Arrival.GAP

    def forget_position(self) -> None:
        """Lose the position but keep asking for recovery, so that the server says what was lost."""
        if self.positioned:
            self.offset = 0
            self.epoch = FORGOTTEN_EPOCH
