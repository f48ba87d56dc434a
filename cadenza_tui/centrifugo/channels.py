"""The channels of one client: which are asked for, which are live, and what becomes of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.calls import Call, Calls, Purpose
from cadenza_tui.centrifugo.codes import Decision, Local, Source
from cadenza_tui.centrifugo.delivery import Delivery
from cadenza_tui.centrifugo.errors import ChannelLimit, CommandTooLarge
from cadenza_tui.centrifugo.frames import (
    Command,
    Error,
    Publication,
    RefreshResult,
    Reply,
    SubRefreshRequest,
    SubscribeRequest,
    SubscribeResult,
    UnsubscribePush,
    UnsubscribeRequest,
)
from cadenza_tui.centrifugo.subscription import Subscription, SubscriptionState
from cadenza_tui.centrifugo.tokens import TokenWant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cadenza_tui.centrifugo.listener import Guarded
    from cadenza_tui.centrifugo.options import Options
    from cadenza_tui.centrifugo.outbox import Outbox
    from cadenza_tui.centrifugo.payloads import Loss
    from cadenza_tui.centrifugo.tokens import ChannelTokenSource

LONGEST_CHANNEL = 255
"""The server's own limit."""
_UNSUBSCRIBED_BY_SERVER = 2000

STRAY = "publication of a channel that is not subscribed"
TOO_MANY = "server-side subscription beyond the channel limit"
STALE = "reply to a call that is over"
STALE_TOKEN = "token that is wanted no more"  # noqa: S105  # a name to count by
PLAIN_AGAIN = "channel whose deltas did not fit, asked for without"


class Channels:
    """Subscriptions, declared by the program or made by the server, across connections."""

    def __init__(self, listener: Guarded, options: Options, calls: Calls, outbox: Outbox) -> None:
        self.token_wants: dict[str, TokenWant] = {}
        """The tokens to be brought, by channel."""
        self.dropped: Counter[str] = Counter()
        """What was passed over on purpose, by name."""
        self._asked: dict[str, Subscription] = {}
        self._delivery = Delivery(listener, self.dropped)
        self._listener = listener
        self._options = options
        self._calls = calls
        self._outbox = outbox
        self._open = False

    @property
    def plain(self) -> Mapping[str, Subscription]:
        """The subscribed channels whose payloads come as they are; the same mapping always."""
        return self._delivery.plain

    def names(self) -> list[str]:
        """Return the channels asked for, live or not."""
        return list(self._asked)

    # --- what the program asks for

    def subscribe(
        self,
        channel: str,
        now: float,
        *,
        recoverable: bool,
        delta: bool,
        token: ChannelTokenSource | None,
    ) -> None:
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
        subscription = Subscription(
            channel, self._options, want_recoverable=recoverable, want_delta=delta, token_source=token
        )
        self._asked[channel] = subscription
        self._tell_subscribing(subscription, Local.CALLED, "asked for")
        if self._open and self._wanted(subscription):
            self._send(subscription, now)

    def unsubscribe(self, channel: str, now: float) -> None:
        """Give a channel up, and its position with it."""
        subscription = self._asked.get(channel)
        if subscription is not None:
            self._give_up(subscription, Local.CALLED, codes.sentence(Local.CALLED), now)

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
        for subscription in list(self._asked.values()):
            if not subscription.server_side and self._wanted(subscription):
                self._send(subscription, now)

    def connected(self, subs: Mapping[str, SubscribeResult], now: float) -> None:
        """Take in what the server subscribed this client to by itself."""
        for subscription in [held for held in self._asked.values() if held.server_side]:
            if subscription.channel not in subs and self._wanted(subscription):
                self._remove(subscription, _UNSUBSCRIBED_BY_SERVER, codes.sentence(_UNSUBSCRIBED_BY_SERVER))
        for channel, result in subs.items():
            self.subscribed_by_server(channel, result, now)

    def lost(self, code: int, reason: str) -> None:
        """Nothing is live any more; positions, bases and tokens are kept, but for 3014 and 3006."""
        self._open = False
        for subscription in list(self._asked.values()):
            if code == codes.STATE_INVALIDATED:
                subscription.forget_position()
            if code in (codes.STATE_INVALIDATED, codes.SUBSCRIPTION_EXPIRED_CLOSE):
                subscription.token = ""
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

    def refresh_reply(self, call: Call, reply: Reply, now: float) -> None:
        """Take the reply to a sub_refresh in."""
        subscription = call.subscription
        if subscription is None or subscription.refreshing != reply.id:
            self.dropped[STALE] += 1
            return
        subscription.refreshing = 0
        error = reply.error
        if error is not None and error.code == codes.TOKEN_EXPIRED:
            subscription.token = ""
        if error is None:
            result = reply.sub_refresh or RefreshResult()
            subscription.renewal.renewed(result.expires, result.ttl, now)
        elif codes.decide(Source.ERROR, error.code, temporary=error.temporary) is Decision.RETRY:
            subscription.renewal.failed(now)
        else:
            self._give_up(subscription, error.code, codes.sentence(error.code, error.message), now)

    def refresh_timed_out(self, call: Call, now: float) -> None:
        """Ask for another token in a while: no reply came."""
        subscription = call.subscription
        if subscription is not None and subscription.refreshing == call.id:
            subscription.refreshing = 0
            subscription.renewal.failed(now)

    def subscribed_by_server(self, channel: str, result: SubscribeResult, now: float) -> None:
        """Take a server-side subscription in; where the program itself asked for the channel, that counts."""
        subscription = self._asked.get(channel)
        if subscription is None:
            if len(self._asked) >= self._options.channel_limit:
                self.dropped[TOO_MANY] += 1
                return
            subscription = Subscription(channel, self._options, server_side=True)
            self._asked[channel] = subscription
        if subscription.server_side:
            self._subscribed(subscription, result, now)

    def unsubscribed_by_server(self, channel: str, push: UnsubscribePush, now: float) -> None:
        """End a subscription, or ask for it again, as the code says."""
        subscription = self._asked.get(channel)
        if subscription is None:
            return
        code = codes.from_server(push.code)
        reason = codes.sentence(code, push.reason)
        decision = codes.decide(Source.UNSUBSCRIBE, push.code)
        if subscription.server_side or decision is Decision.TERMINAL:
            if subscription.pending:  # the server may take it yet
                self._send_unsubscribe(subscription, now)
            self._remove(subscription, code, reason)
            return
        if push.code in (codes.SUBSCRIPTION_EXPIRED, codes.SUBSCRIPTION_STATE_INVALIDATED):
            subscription.token = ""
        if push.code == codes.SUBSCRIPTION_STATE_INVALIDATED:
            subscription.forget_position()
        if subscription.live:  # else a subscribe is under way or will be, and decides
            self._resubscribe(subscription, code, reason, now)

    def tell(self, subscription: Subscription, publication: Publication, now: float) -> None:
        """Take a publication in that is not the plain next one."""
        expected = subscription.offset + 1
        loss = self._delivery.tell(subscription, publication)
        if loss is not None:
            self._payload_lost(subscription, loss, expected, now)

    def tell_elsewhere(self, channel: str, publication: Publication, now: float) -> None:
        """Take a publication in that is of none of the ``plain`` channels, or a delta of one."""
        subscription = self._delivery.find(channel)
        if subscription is None:
            self.dropped[STRAY] += 1
        else:
            self.tell(subscription, publication, now)

    def _payload_lost(self, subscription: Subscription, loss: Loss, expected: int, now: float) -> None:
        self.dropped[loss.value] += 1
        if subscription.server_side:  # the server alone can subscribe it anew
            received = max(expected, subscription.offset) + 1
            self._listener.tell(self._listener.to.on_gap, subscription.channel, expected, received)
            return
        subscription.forget_position()
        if subscription.want_delta and subscription.payloads.lost(now):
            subscription.want_delta = False
            self.dropped[PLAIN_AGAIN] += 1
        self._send_unsubscribe(subscription, now)  # else the server would answer 105
        self._resubscribe(subscription, Local.DELTA_LOST, codes.sentence(Local.DELTA_LOST), now)

    # --- tokens

    def token_came(self, want: TokenWant, token: str, now: float) -> None:
        """Subscribe, or go on being subscribed, with a token."""
        subscription = self._take_want(want)
        if subscription is None:
            return
        if not token:
            self._give_up(subscription, Local.UNAUTHORIZED, codes.sentence(Local.UNAUTHORIZED), now)
            return
        subscription.token = token
        if subscription.live:
            self._send_refresh(subscription, now)
        else:
            self._send(subscription, now)

    def token_failed(self, want: TokenWant, reason: str, now: float) -> None:
        """Ask the source again in a while."""
        subscription = self._take_want(want)
        if subscription is None:
            return
        if subscription.live:
            subscription.renewal.failed(now)
        else:
            self._try_later(subscription, Local.TOKEN_FAILED, reason, now)

    def token_refused(self, want: TokenWant, reason: str, now: float) -> None:
        """End the subscription: there will be no token for it until a person acts."""
        subscription = self._take_want(want)
        if subscription is not None:
            self._give_up(subscription, Local.UNAUTHORIZED, reason, now)

    def _take_want(self, want: TokenWant) -> Subscription | None:
        if self.token_wants.get(want.channel) is not want:
            self.dropped[STALE_TOKEN] += 1
            return None
        del self.token_wants[want.channel]
        return self._asked[want.channel]

    def _want_token(self, subscription: Subscription, source: ChannelTokenSource) -> None:
        self.token_wants[subscription.channel] = TokenWant(subscription.channel, source)

    # --- time

    def next_deadline(self) -> float | None:
        """Return when ``poll`` is wanted next: for another subscribe, or another token."""
        times = (at for held in self._asked.values() for at in (held.retry_at, held.renewal.at))
        return min((at for at in times if at is not None), default=None)

    def poll(self, now: float) -> None:
        """Do what is due."""
        for subscription in list(self._asked.values()):
            if subscription.retry_at is not None and now >= subscription.retry_at:
                self._send(subscription, now)
            elif subscription.token_source is not None and subscription.renewal.due(now):
                self._want_token(subscription, subscription.token_source)

    # --- transitions

    def _wanted(self, subscription: Subscription) -> bool:
        """Whether the listener has left it as it was."""
        return self._asked.get(subscription.channel) is subscription

    def _send(self, subscription: Subscription, now: float) -> None:
        subscription.retry_at = None
        if subscription.token_source is not None and not subscription.token:
            self._want_token(subscription, subscription.token_source)
            return
        call = Call(Purpose.SUBSCRIBE, now + self._options.reply_timeout, subscription=subscription)
        command = Command(id=self._calls.add(call), subscribe=subscription.request())
        if self._sent(subscription, call, command, now):
            subscription.pending = call.id

    def _send_refresh(self, subscription: Subscription, now: float) -> None:
        call = Call(Purpose.SUB_REFRESH, now + self._options.reply_timeout, subscription=subscription)
        refresh = SubRefreshRequest(subscription.channel, subscription.token)
        if self._sent(subscription, call, Command(id=self._calls.add(call), sub_refresh=refresh), now):
            subscription.refreshing = call.id

    def _sent(self, subscription: Subscription, call: Call, command: Command, now: float) -> bool:
        try:
            self._outbox.send(command)
        except CommandTooLarge:  # by its token, or by the epoch that the server gave
            self._calls.discard(call)
            self._give_up(subscription, Local.COMMAND_TOO_LARGE, codes.sentence(Local.COMMAND_TOO_LARGE), now)
            return False
        return True

    def _send_unsubscribe(self, subscription: Subscription, now: float) -> None:
        """Tell the server, if it knows of the subscription."""
        if self._open and (subscription.pending or subscription.live):
            call = Call(Purpose.UNSUBSCRIBE, now + self._options.reply_timeout)
            unsubscribe = UnsubscribeRequest(subscription.channel)
            self._outbox.send(Command(id=self._calls.add(call), unsubscribe=unsubscribe))

    def _subscribed(self, subscription: Subscription, result: SubscribeResult, now: float) -> None:
        channel = subscription.channel
        subscribed = subscription.accept(result, now)
        self._delivery.add(subscription)
        self._listener.tell(self._listener.to.on_subscribed, channel, subscribed)
        for publication in result.publications:
            if not subscription.live:  # the listener gave it up, or a payload was lost
                return
            self.tell(subscription, publication, now)

    def _refused(self, subscription: Subscription, error: Error, now: float) -> None:
        subscription.pending = 0
        code = codes.from_server(error.code)
        reason = codes.sentence(code, error.message)
        if code == codes.TOKEN_EXPIRED:
            subscription.token = ""
        if codes.decide(Source.ERROR, error.code, temporary=error.temporary) is Decision.RETRY:
            self._try_later(subscription, code, reason, now)
        else:
            self._remove(subscription, code, reason)

    def _try_later(self, subscription: Subscription, code: int, reason: str, now: float) -> None:
        subscription.retry_at = now + subscription.backoff.next()
        self._tell_subscribing(subscription, code, reason)

    def _resubscribe(self, subscription: Subscription, code: int, reason: str, now: float) -> None:
        """Ask again: at once, unless it lasted so briefly that the two sides might go round in circles."""
        lasted = now - subscription.subscribed_at
        self._to_subscribing(subscription, code, reason)
        if not self._wanted(subscription):
            return
        if lasted < self._options.backoff_min:
            subscription.retry_at = now + subscription.backoff.next()
        else:
            self._send(subscription, now)

    def _to_subscribing(self, subscription: Subscription, code: int, reason: str) -> None:
        was_live = subscription.live
        self._leave(subscription, SubscriptionState.SUBSCRIBING)
        if was_live:
            self._tell_subscribing(subscription, code, reason)

    def _give_up(self, subscription: Subscription, code: int, reason: str, now: float) -> None:
        """End it, on both sides."""
        self._send_unsubscribe(subscription, now)
        self._remove(subscription, code, reason)

    def _remove(self, subscription: Subscription, code: int, reason: str) -> None:
        channel = subscription.channel
        self._leave(subscription, SubscriptionState.UNSUBSCRIBED)
        del self._asked[channel]
        self._listener.tell(self._listener.to.on_unsubscribed, channel, code, reason)

    def _leave(self, subscription: Subscription, state: SubscriptionState) -> None:
        subscription.leave(state)
        self._delivery.remove(subscription.channel)
        self.token_wants.pop(subscription.channel, None)

    def _tell_subscribing(self, subscription: Subscription, code: int, reason: str) -> None:
        self._listener.tell(self._listener.to.on_subscribing, subscription.channel, code, reason)
