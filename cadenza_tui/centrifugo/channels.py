"""The channels of one client: which are asked for, which are live, and what becomes of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.backoff import Backoff
from cadenza_tui.centrifugo.calls import Call, Calls, Purpose
from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.errors import ChannelLimit
from cadenza_tui.centrifugo.frames import (
    Command,
    Error,
    Outbox,
    Publication,
    Reply,
    SubscribeRequest,
    SubscribeResult,
    UnsubscribePush,
    UnsubscribeRequest,
)
from cadenza_tui.centrifugo.subscription import Arrival, Subscription, SubscriptionState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cadenza_tui.centrifugo.listener import Guarded
    from cadenza_tui.centrifugo.options import Options

LONGEST_CHANNEL = 255
"""The server's own limit."""
_UNSUBSCRIBED_BY_SERVER = 2000

DUPLICATE = "duplicate publication"
STRAY = "publication of a channel that is not subscribed"
TOO_MANY = "server-side subscription beyond the channel limit"
STALE = "reply to a call that is over"


class Channels:
    """Subscriptions, declared by the program or made by the server, across connections."""

    def __init__(self, listener: Guarded, options: Options, calls: Calls, outbox: Outbox) -> None:
        self.live: dict[str, Subscription] = {}
        """The subscribed ones alone, so that a publication needs one look."""
        self.dropped: Counter[str] = Counter()
        """What was passed over on purpose, by name."""
        self._asked: dict[str, Subscription] = {}
        self._listener = listener
        self._options = options
        self._calls = calls
        self._outbox = outbox
        self._open = False

    def names(self) -> list[str]:
        """Return the channels asked for, live or not."""
        return list(self._asked)

    # --- what the program asks for

    def subscribe(self, channel: str, now: float, *, recoverable: bool) -> None:
        """Ask for a channel; see ``Session.subscribe``."""
        if channel in self._asked:
            return
        if not channel or len(channel) > LONGEST_CHANNEL:
            raise ValueError(f"a channel name has 1 to {LONGEST_CHANNEL} characters, not {len(channel)}")
        limit = self._options.channel_limit
        if len(self._asked) >= limit:
            raise ChannelLimit(
                f"{codes.printable(channel)} would be channel {limit + 1}, but a connection carries {limit}",
                remedy="watch fewer instruments at once",
            )
        subscription = self._add(channel, want_recoverable=recoverable)
        self._listener.tell(self._listener.to.on_subscribing, channel, Local.CALLED, "asked for")
        if self._open and self._asked.get(channel) is subscription:
            self._send(subscription, now)

    def unsubscribe(self, channel: str, now: float) -> None:
        """Give a channel up, and its position with it."""
        subscription = self._asked.get(channel)
        if subscription is None:
            return
        known_to_server = subscription.pending or subscription.state is SubscriptionState.SUBSCRIBED
        self._remove(subscription, Local.CALLED, codes.sentence(Local.CALLED))
        if self._open and known_to_server:
            call = Call(Purpose.UNSUBSCRIBE, now + self._options.reply_timeout)
            self._outbox.send(Command(id=self._calls.add(call), unsubscribe=UnsubscribeRequest(channel)))

    # --- the connection's life

    def positions(self) -> dict[str, SubscribeRequest]:
        """Return where the server-side subscriptions are to be recovered from."""
        positions = {}
        for channel, subscription in self._asked.items():
            if subscription.server_side and subscription.recoverable:
                request = subscription.request()
                positions[channel] = SubscribeRequest(
                    recover=True, offset=request.offset, epoch=request.epoch
                )
        return positions

    def opened(self, now: float) -> None:
        """Queue a subscribe for each channel, right behind the connect."""
        self._open = True
        for subscription in self._asked.values():
            if not subscription.server_side:
                self._send(subscription, now)

    def connected(self, subs: Mapping[str, SubscribeResult], now: float) -> None:
        """Take in what the server subscribed this client to by itself."""
        for subscription in [held for held in self._asked.values() if held.server_side]:
            if subscription.channel not in subs:
                self._remove(subscription, _UNSUBSCRIBED_BY_SERVER, codes.sentence(_UNSUBSCRIBED_BY_SERVER))
        for channel, result in subs.items():
            self.subscribed_by_server(channel, result, now)

    def lost(self, code: int, reason: str) -> None:
        """Nothing is live any more; positions are kept, but for 3014."""
        self._open = False
        self.live.clear()
        for subscription in list(self._asked.values()):
            if code == codes.STATE_INVALIDATED:
                subscription.forget_position()
            self._to_subscribing(subscription, code, reason)

    # --- what the server says

    def reply(self, call: Call, reply: Reply, now: float) -> None:
        """Take the reply to a subscribe in."""
        subscription = call.subscription
        if subscription is None or subscription.pending != reply.id:
            self.dropped[STALE] += 1
        elif reply.error is not None:
            self._refused(subscription, reply.error, now)
        else:
            subscription.backoff.reset()
            self._subscribed(subscription, reply.subscribe or SubscribeResult(), now)

    def subscribed_by_server(self, channel: str, result: SubscribeResult, now: float) -> None:
        """Take a server-side subscription in; where the program itself asked for the channel, that counts."""
        subscription = self._asked.get(channel)
        if subscription is None:
            if len(self._asked) >= self._options.channel_limit:
                self.dropped[TOO_MANY] += 1
                return
            subscription = self._add(channel, server_side=True)
        if subscription.server_side:
            self._subscribed(subscription, result, now)

    def unsubscribed_by_server(self, channel: str, push: UnsubscribePush, now: float) -> None:
        """End a subscription, or ask for it again, as the code says."""
        subscription = self._asked.get(channel)
        if subscription is None:
            return
        reason = codes.sentence(push.code, push.reason)
        if subscription.server_side or codes.decide_unsubscribe(push.code) is Decision.TERMINAL:
            self._remove(subscription, push.code, reason)
            return
        if push.code == codes.SUBSCRIPTION_STATE_INVALIDATED:
            subscription.forget_position()
        # At once, unless it lasted so briefly that the two sides might go round in circles.
        lasted = now - subscription.subscribed_at
        self.live.pop(channel, None)
        self._to_subscribing(subscription, push.code, reason)
        if self._asked.get(channel) is not subscription:  # the listener gave it up
            return
        if lasted < self._options.backoff_min:
            subscription.retry_at = now + subscription.backoff.next()
        else:
            self._send(subscription, now)

    def publish_out_of_step(self, subscription: Subscription, publication: Publication) -> None:
        """Take a publication in that is not the plain next one."""
        expected = subscription.offset + 1
        arrival = subscription.arrive(publication)
        if arrival is Arrival.DUPLICATE:
            self.dropped[DUPLICATE] += 1
            return
        if arrival is Arrival.GAP:
            channel = subscription.channel
            self._listener.tell(self._listener.to.on_gap, channel, expected, publication.offset)
            if self.live.get(channel) is not subscription:  # the listener gave it up
                return
        self._listener.publish(subscription.channel, publication)

    # --- time

    def next_retry(self) -> float | None:
        """Return when the next subscribe is to be tried again."""
        return min(
            (held.retry_at for held in self._asked.values() if held.retry_at is not None), default=None
        )

    def retry(self, now: float) -> None:
        """Try again what is due."""
        for subscription in self._asked.values():
            if subscription.retry_at is not None and now >= subscription.retry_at:
                self._send(subscription, now)

    # --- transitions

    def _add(
        self, channel: str, *, want_recoverable: bool = False, server_side: bool = False
    ) -> Subscription:
        options = self._options
        backoff = Backoff(options.backoff_min, options.backoff_max, options.random)
        subscription = Subscription(
            channel, backoff, want_recoverable=want_recoverable, server_side=server_side
        )
        self._asked[channel] = subscription
        return subscription

    def _send(self, subscription: Subscription, now: float) -> None:
        subscription.retry_at = None
        call = Call(Purpose.SUBSCRIBE, now + self._options.reply_timeout, subscription=subscription)
        subscription.pending = self._calls.add(call)
        self._outbox.send(Command(id=subscription.pending, subscribe=subscription.request()))

    def _subscribed(self, subscription: Subscription, result: SubscribeResult, now: float) -> None:
        channel = subscription.channel
        subscribed = subscription.accept(result, now)
        self.live[channel] = subscription
        self._listener.tell(self._listener.to.on_subscribed, channel, subscribed)
        for publication in result.publications:
            if self.live.get(channel) is not subscription:  # the listener gave it up
                return
            self.publish_out_of_step(subscription, publication)

    def _refused(self, subscription: Subscription, error: Error, now: float) -> None:
        subscription.pending = 0
        if codes.decide_error(error.code, temporary=error.temporary) is Decision.RETRY:
            subscription.retry_at = now + subscription.backoff.next()
        else:
            self._remove(subscription, error.code, codes.sentence(error.code, error.message))

    def _to_subscribing(self, subscription: Subscription, code: int, reason: str) -> None:
        was_subscribed = subscription.state is SubscriptionState.SUBSCRIBED
        subscription.state = SubscriptionState.SUBSCRIBING
        subscription.pending = 0
        subscription.retry_at = None
        if was_subscribed:
            self._listener.tell(self._listener.to.on_subscribing, subscription.channel, code, reason)

    def _remove(self, subscription: Subscription, code: int, reason: str) -> None:
        channel = subscription.channel
        subscription.state = SubscriptionState.UNSUBSCRIBED
        subscription.pending = 0
        self.live.pop(channel, None)
        self._asked.pop(channel, None)
        self._listener.tell(self._listener.to.on_unsubscribed, channel, code, reason)
