"""One channel: its state, and its position in the server's stream."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.backoff import Backoff
from cadenza_tui.centrifugo.frames import Publication, SubscribeRequest, SubscribeResult
from cadenza_tui.centrifugo.listener import Subscribed
from cadenza_tui.centrifugo.payloads import FOSSIL, Payloads
from cadenza_tui.centrifugo.tokens import Renewal

if TYPE_CHECKING:
    from cadenza_tui.centrifugo.options import Options
    from cadenza_tui.centrifugo.tokens import ChannelTokenSource

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
    ANEW = "anew"
    """Of another stream, and not its first: nobody knows how many are missing."""


class Subscription:
    """The machine of one channel. The position, the delta base and the token outlive the connection."""

    __slots__ = (
        "backoff",
        "channel",
        "delta",
        "epoch",
        "offset",
        "payloads",
        "pending",
        "position_known",
        "positioned",
        "recoverable",
        "refreshing",
        "renewal",
        "retry_at",
        "server_side",
        "state",
        "subscribed_at",
        "token",
        "token_source",
        "want_delta",
        "want_recoverable",
    )

    def __init__(
        self,
        channel: str,
        options: Options,
        *,
        want_recoverable: bool = False,
        want_delta: bool = False,
        token_source: ChannelTokenSource | None = None,
        server_side: bool = False,
    ) -> None:
        self.channel = channel
        self.backoff = Backoff(options.backoff_min, options.backoff_max, options.random)
        self.want_recoverable = want_recoverable
        self.want_delta = want_delta
        self.token_source = token_source
        self.server_side = server_side
        self.state = SubscriptionState.SUBSCRIBING
        self.pending = 0
        """Id of the subscribe command under way; a reply to another one is stale."""
        self.retry_at: float | None = None
        self.subscribed_at = 0.0
        self.token = ""
        self.renewal = Renewal(options)
        self.refreshing = 0
        """Id of the sub_refresh command under way."""
        self.recoverable = False
        self.positioned = False
        """Whether offsets are kept: the server said recoverable or positioned."""
        self.position_known = False
        self.offset = 0
        self.epoch = ""
        self.delta = False
        """Whether the server sends this channel as deltas."""
        self.payloads = Payloads(options.max_frame_bytes)

    @property
    def live(self) -> bool:
        """Whether publications are told."""
        return self.state is SubscriptionState.SUBSCRIBED

    def request(self) -> SubscribeRequest:
        """Return the subscribe command, from the position where there is one."""
        request = SubscribeRequest(channel=self.channel, token=self.token, recoverable=self.want_recoverable)
        if self.want_delta:
            request.delta = FOSSIL
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
        if self.token_source is not None:
            self.renewal.begin(result.expires, result.ttl, now)
        self.recoverable = result.recoverable
        self.positioned = result.recoverable or result.positioned
        self.position_known = self.positioned
        self.delta = result.delta and self.want_delta
        if not goes_on:
            self.offset = result.offset
        if not goes_on or not self.delta:
            self.payloads.forget()
        self.epoch = result.epoch
        return Subscribed(
            was_recovering=result.was_recovering,
            recovered=result.recovered,
            offset=result.offset,
            epoch=result.epoch,
            recoverable=result.recoverable,
            positioned=self.positioned,
            data=result.data,
            delta=self.delta,
        )

    def leave(self, state: SubscriptionState) -> None:
        """Be live no more: nothing that is under way counts."""
        self.state = state
        self.pending = 0
        self.retry_at = None
        self.refreshing = 0
        self.renewal.stop()

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
            return Arrival.NEXT if whole else Arrival.ANEW
        expected = self.offset + 1
        if offset < expected:
            return Arrival.DUPLICATE
        self.offset = offset
        return Arrival.NEXT if offset == expected else Arrival.GAP

    def forget_position(self) -> None:
        """Lose position and base, but keep asking for recovery, so that the server says what was lost."""
        self.payloads.forget()
        if self.positioned:
            self.offset = 0
            self.epoch = FORGOTTEN_EPOCH
