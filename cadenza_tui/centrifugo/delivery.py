"""Publications on their way to the listener: whole, in the order of offsets, each at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw

from cadenza_tui.centrifugo.payloads import Loss, PayloadLost
from cadenza_tui.centrifugo.subscription import Arrival

if TYPE_CHECKING:
    from collections import Counter

    from cadenza_tui.centrifugo.frames import Publication
    from cadenza_tui.centrifugo.listener import Guarded
    from cadenza_tui.centrifugo.subscription import Subscription

DUPLICATE = "duplicate publication"


class Delivery:
    """The subscribed channels by how they are told, and the telling of what is not plain."""

    def __init__(self, listener: Guarded, dropped: Counter[str]) -> None:
        self.plain: dict[str, Subscription] = {}
        """Those whose payloads come as they are, kept apart so that a publication needs one look."""
        self.by_delta: dict[str, Subscription] = {}
        self._listener = listener
        self._dropped = dropped

    def add(self, subscription: Subscription) -> None:
        """Begin with a channel that was just subscribed."""
        (self.by_delta if subscription.delta else self.plain)[subscription.channel] = subscription

    def remove(self, channel: str) -> None:
        """End with a channel."""
        self.plain.pop(channel, None)
        self.by_delta.pop(channel, None)

    def find(self, channel: str) -> Subscription | None:
        """Return a subscribed channel, None where it is none."""
        return self.by_delta.get(channel) or self.plain.get(channel)

    def tell(self, subscription: Subscription, publication: Publication) -> Loss | None:
        """Tell any publication, and the gap before it; return why its payload could not be had, if so.

        A gap before a delta is not told: the payload is lost, and with it the stream begins anew.
        """
        expected = subscription.offset + 1
        arrival = subscription.arrive(publication) if subscription.positioned else Arrival.NEXT
        if arrival is Arrival.DUPLICATE:
            self._dropped[DUPLICATE] += 1
            return None
        if subscription.delta:
            if arrival is not Arrival.NEXT:
                subscription.payloads.forget()
            try:
                publication.data = Raw(subscription.payloads.take(publication))
            except PayloadLost as error:
                return error.loss
            publication.delta = False
        elif publication.delta:
            return Loss.NOT_AGREED
        if arrival is not Arrival.NEXT:
            channel = subscription.channel
            if arrival is Arrival.ANEW:  # its offsets are no measure of what the old one lacks
                expected = max(expected, publication.offset + 1)
            self._listener.tell(self._listener.to.on_gap, channel, expected, publication.offset)
            if not subscription.live:  # the listener gave it up
                return None
        self._listener.publish(subscription.channel, publication)
        return None
