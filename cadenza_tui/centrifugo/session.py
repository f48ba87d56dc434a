"""The protocol as a machine without I/O: frames and times in, callbacks, commands and deadlines out.

One ``Session`` lives as long as the client and sees many connections. Times are seconds of a monotonic clock.
The order of calls for one connection: ``opened``, then any of ``receive``, ``poll``, ``take_outgoing``, until
the transport is gone or ``ending`` is set, then ``lost``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadenza_tui.centrifugo import codes, frames
from cadenza_tui.centrifugo.calls import Call, Calls, Purpose
from cadenza_tui.centrifugo.channels import STALE, Channels
from cadenza_tui.centrifugo.codes import Decision, Local, Source
from cadenza_tui.centrifugo.ending import Ending, SessionState
from cadenza_tui.centrifugo.errors import CommandTooLarge
from cadenza_tui.centrifugo.frames import (
    Command,
    ConnectRequest,
    ConnectResult,
    Error,
    Push,
    RefreshRequest,
    RefreshResult,
    Reply,
)
from cadenza_tui.centrifugo.listener import Connected, Guarded, Listener
from cadenza_tui.centrifugo.outbox import Outbox, encode
from cadenza_tui.centrifugo.tokens import Renewal

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from cadenza_tui.centrifugo.calls import Done
    from cadenza_tui.centrifugo.frames import Request
    from cadenza_tui.centrifugo.options import Options
    from cadenza_tui.centrifugo.tokens import ChannelTokenSource, TokenWant


class Session:
    """The client's state machine. Callbacks are called from inside its methods."""

    def __init__(self, listener: Listener, options: Options) -> None:
        self.state = SessionState.DISCONNECTED
        self.ending: Ending | None = None
        """Set once this connection must be closed."""
        self.token_wanted = False
        """Whether a new connection token is to be brought by ``refresh``."""
        self.ping = 0
        self._listener = Guarded(listener)
        self._options = options
        self._outbox = Outbox(options.max_command_bytes)
        self._calls = Calls(options.max_calls)
        self._channels = Channels(self._listener, options, self._calls, self._outbox)
        self._pong = False
        self._last_frame = 0.0
        self._renewal = Renewal(options)
        self._deadlines_moved = False

    @property
    def channels(self) -> list[str]:
        """The channels asked for, live or not."""
        return self._channels.names()

    @property
    def dropped(self) -> Counter[str]:
        """What was passed over on purpose, by name: duplicates, stale replies, strays."""
        return self._channels.dropped

    @property
    def listener_errors(self) -> Counter[str]:
        """Exceptions out of callbacks, by class."""
        return self._listener.errors

    # --- what the program asks for

    def subscribe(
        self,
        channel: str,
        now: float,
        *,
        recoverable: bool = False,
        delta: bool = False,
        token: ChannelTokenSource | None = None,
    ) -> None:
        """Ask for a channel, now and after each reconnect. Does nothing where it is already asked for.

        ``recoverable`` asks for positions and recovery where the server leaves that to the client, ``delta``
        for changes instead of whole payloads on the wire. ``token`` comes back in ``sub_tokens_wanted``
        whenever the channel wants one. Raises ChannelLimit for one more than a connection may carry,
        ValueError for an impossible name.
        """
        self._channels.subscribe(channel, now, recoverable=recoverable, delta=delta, token=token)

    def unsubscribe(self, channel: str, now: float) -> None:
        """Give a channel up, and its position with it. Does nothing where it is not asked for."""
        self._channels.unsubscribe(channel, now)

    def call(self, request: Request, deadline: float, done: Done) -> Call:
        """Make a call, at once or as soon as there is a connection; ``done`` is called once unless cancelled.

        Raises TooManyCalls, CommandTooLarge, or TypeError for parameters that are not JSON.
        """
        command = Command.calling(request)
        encode(command, self._options.max_command_bytes)  # what cannot be sent is refused here and now
        call = Call(Purpose.CALL, deadline, done=done)
        self._calls.reserve(call, command)
        if self.state is SessionState.CONNECTED:
            self._send_waiting()
        return call

    def cancel(self, call: Call) -> None:
        """Forget a call; its reply will be passed over."""
        self._calls.discard(call)

    # --- tokens

    def refresh(self, token: str, now: float) -> None:
        """Send a new connection token to the server."""
        self.token_wanted = False
        if self.state is SessionState.CONNECTED:
            self._send(Purpose.REFRESH, now, refresh=RefreshRequest(token))

    def refresh_failed(self, now: float) -> None:
        """No new token could be had: it is asked for again in a while."""
        self.token_wanted = False
        self._renewal.failed(now)

    def unauthorized(self, reason: str, remedy: str = "") -> None:
        """There will be no new token until a person acts."""
        self._end(Local.UNAUTHORIZED, reason, Decision.TERMINAL, remedy)

    @property
    def sub_tokens_wanted(self) -> Mapping[str, TokenWant]:
        """The tokens of channels to be brought, by channel; a request that is gone from it is void."""
        return self._channels.token_wants

    def sub_token(self, want: TokenWant, token: str, now: float) -> None:
        """Bring a channel's token; one that is wanted no more is discarded."""
        self._channels.token_came(want, token, now)

    def sub_token_failed(self, want: TokenWant, reason: str, now: float) -> None:
        """No token could be had for a channel: it is asked for again in a while."""
        self._channels.token_failed(want, reason, now)

    def sub_token_refused(self, want: TokenWant, reason: str, now: float) -> None:
        """There will be no token for a channel until a person acts: the subscription ends."""
        self._channels.token_refused(want, reason, now)

    # --- the connection's life

    def begin(self) -> None:
        """Leave *disconnected*: attempts to connect start."""
        self.state = SessionState.CONNECTING
        self._listener.tell(self._listener.to.on_connecting, Local.CALLED, "connecting")

    def attempt_failed(self, error: str, next_attempt_in_s: float) -> None:
        """An attempt to connect came to nothing."""
        self._listener.tell(self._listener.to.on_attempt_failed, error, next_attempt_in_s)

    def waiting(self, next_attempt_in_s: float) -> None:
        """The connection was lost, and the next attempt has its time."""
        self._listener.tell(self._listener.to.on_waiting, next_attempt_in_s)

    def opened(self, token: str, now: float) -> None:
        """The transport is open: queue the connect command, and each channel's subscribe right behind it."""
        self.ending = None
        request = ConnectRequest(
            token=token,
            name=self._options.name,
            version=self._options.version,
            subs=self._channels.positions(),
        )
        self._send(Purpose.CONNECT, now, connect=request)
        if self.ending is None:
            self._channels.opened(now)

    def close(self) -> None:
        """End this connection on request."""
        self._end(Local.CALLED, decision=Decision.TERMINAL)

    def stalled(self) -> None:
        """End this connection: the server takes nothing in."""
        self._end(Local.SEND_TIMEOUT)

    def lost(self, code: int, reason: str) -> Ending:
        """The transport is gone: fail what waits for it, and return what follows.

        ``code`` and ``reason`` are the transport's; where the session itself had ended, its own count.
        """
        if code == Local.CALLED:  # what this side asked for has its ending already
            code = Local.BY_SERVER
        ending = self.ending or self._end(code, reason, codes.decide(Source.CLOSE, code))
        self._outbox.clear()
        self._renewal.stop()
        self.token_wanted = False
        self.state = SessionState.CONNECTING
        if ending.decision is Decision.RETRY and ending.was_connected:
            self._listener.tell(self._listener.to.on_connecting, ending.code, ending.reason)
        self._channels.lost(ending.code, ending.reason)
        for call in self._calls.lose():
            call.fail_lost()
        return ending

    def end(self, code: int, reason: str) -> None:
        """Enter *disconnected* for good. Channels stay asked for, should the client run again."""
        self.state = SessionState.DISCONNECTED
        for call in self._calls.take_all():
            call.fail_lost()
        self._listener.tell(self._listener.to.on_disconnected, code, reason)

    # --- frames in

    def receive(self, frame: bytes, now: float) -> None:
        """Take a whole frame in."""
        self.arrived(len(frame), now)
        self.read(frame, now)

    def arrived(self, size: int, now: float) -> None:
        """Note that a frame arrived, of whatever content: the link is alive."""
        self._last_frame = now
        self._listener.tell(self._listener.to.on_frame, size)

    def read(self, lines: bytes, now: float) -> None:
        """Take whole lines of a frame in, and call back for each."""
        if self.ending is not None:
            return
        plain, publish = self._channels.plain, self._listener.publish
        for reply in frames.decode(lines, self._malformed):
            push = reply.push
            if reply.id:
                self._reply(reply, now)
            elif push is None:
                self._pinged()
            elif push.pub is None:
                self._push(push, now)
            else:
                publication = push.pub
                subscription = plain.get(push.channel)
                if subscription is None or publication.delta:
                    self._channels.tell_elsewhere(push.channel, publication, now)
                elif not subscription.positioned:
                    publish(push.channel, publication)
                elif publication.offset == subscription.offset + 1 and not publication.epoch:
                    subscription.offset = publication.offset
                    publish(push.channel, publication)
                else:
                    self._channels.tell(subscription, publication, now)
                continue
            if self.ending is not None:
                return

    def _pinged(self) -> None:
        if self._pong:
            self._outbox.pong()
        self._listener.tell(self._listener.to.on_ping)

    def _push(self, push: Push, now: float) -> None:
        self._deadlines_moved = True
        if push.disconnect is not None:
            code = push.disconnect.code
            decision = codes.decide(Source.CLOSE, code)
            self._end(codes.from_server(code), push.disconnect.reason, decision)
        elif push.unsubscribe is not None:
            self._channels.unsubscribed_by_server(push.channel, push.unsubscribe, now)
        elif push.subscribe is not None:
            self._channels.subscribed_by_server(push.channel, push.subscribe, now)
        elif push.refresh is not None and self.state is SessionState.CONNECTED:
            self._renewal.renewed(push.refresh.expires, push.refresh.ttl, now)

    def _reply(self, reply: Reply, now: float) -> None:
        self._deadlines_moved = True
        call = self._calls.take(reply.id)
        if call is None:
            self._channels.dropped[STALE] += 1
            return
        match call.purpose:
            case Purpose.CONNECT:
                self._connect_reply(reply.error, reply.connect or ConnectResult(), now)
            case Purpose.SUBSCRIBE:
                self._channels.reply(call, reply, now)
            case Purpose.UNSUBSCRIBE:
                if reply.error is not None:
                    self._end(Local.UNSUBSCRIBE_FAILED, reply.error.message)
            case Purpose.REFRESH:
                self._refresh_reply(reply.error, reply.refresh or RefreshResult(), now)
            case Purpose.SUB_REFRESH:
                self._channels.refresh_reply(call, reply, now)
            case Purpose.CALL:
                call.finish(reply)

    def _connect_reply(self, error: Error | None, result: ConnectResult, now: float) -> None:
        if error is not None:
            decision = codes.decide(Source.ERROR, error.code, temporary=error.temporary)
            self._end(codes.from_server(error.code), error.message, decision)
            return
        self.state = SessionState.CONNECTED
        self.ping = result.ping
        self._pong = result.pong and result.ping > 0
        self._renewal.begin(result.expires, result.ttl, now)
        connected = Connected(
            client=result.client,
            version=codes.printable(result.version),
            ping=result.ping,
            pong=result.pong,
            time_ms=result.time,
            session=result.session,
            node=codes.printable(result.node),
            data=result.data,
        )
        self._listener.tell(self._listener.to.on_connected, connected)
        self._send_waiting()
        self._channels.connected(result.subs, now)

    def _refresh_reply(self, error: Error | None, result: RefreshResult, now: float) -> None:
        if error is None:
            self._renewal.renewed(result.expires, result.ttl, now)
        elif codes.decide(Source.ERROR, error.code, temporary=error.temporary) is Decision.RETRY:
            self._renewal.failed(now)
        else:
            self._end(error.code, error.message, Decision.TERMINAL)

    # --- time

    def next_deadline(self) -> float | None:
        """Return when ``poll`` is wanted next, None for never."""
        due = [self._calls.next_deadline(), self._renewal.at, self._silent_at()]
        if self.state is SessionState.CONNECTED:
            due.append(self._channels.next_deadline())
        return min((at for at in due if at is not None), default=None)

    def poll(self, now: float) -> None:
        """Do what is due: time calls out, retry subscribes, ask for a token, give a silent link up."""
        for call in self._calls.expire(now):
            match call.purpose:
                case Purpose.CALL:
                    call.fail_timeout()
                case Purpose.REFRESH:
                    self._renewal.failed(now)
                case Purpose.SUB_REFRESH:
                    self._channels.refresh_timed_out(call, now)
                case Purpose.CONNECT:
                    self._end(Local.CONNECT_TIMEOUT)
                case Purpose.SUBSCRIBE:
                    # The server may have taken it, and a bare retry would be answered by 105.
                    self._end(Local.SUBSCRIBE_TIMEOUT)
                case Purpose.UNSUBSCRIBE:
                    self._end(Local.UNSUBSCRIBE_FAILED)
        silent_at = self._silent_at()
        if silent_at is not None and now >= silent_at:
            self._end(Local.NO_PING)
        if self.ending is not None or self.state is not SessionState.CONNECTED:
            return
        if self._renewal.due(now):
            self.token_wanted = True
        self._channels.poll(now)

    def _silent_at(self) -> float | None:
        if self.state is not SessionState.CONNECTED or not self.ping:
            return None
        return self._last_frame + self.ping + self._options.dead_link_grace

    # --- commands out

    @property
    def has_news(self) -> bool:
        """Whether ``take_outgoing`` or ``next_deadline`` may have something new since ``take_outgoing``."""
        return self._deadlines_moved or bool(self._outbox)

    def take_outgoing(self) -> list[bytes]:
        """Return the frames to send, in order."""
        self._deadlines_moved = False
        return self._outbox.take()

    def _send(
        self,
        purpose: Purpose,
        now: float,
        *,
        connect: ConnectRequest | None = None,
        refresh: RefreshRequest | None = None,
    ) -> None:
        call = Call(purpose, now + self._options.reply_timeout)
        try:
            self._outbox.send(Command(id=self._calls.add(call), connect=connect, refresh=refresh))
        except CommandTooLarge:
            self._calls.discard(call)
            self._end(Local.COMMAND_TOO_LARGE, decision=Decision.TERMINAL)

    def _send_waiting(self) -> None:
        for command in self._calls.send_waiting():
            self._outbox.send(command)

    def _end(
        self, code: int, reason: str = "", decision: Decision = Decision.RETRY, remedy: str = ""
    ) -> Ending:
        if self.ending is None:
            connected = self.state is SessionState.CONNECTED
            self.ending = Ending(code, codes.sentence(code, reason), decision, connected, remedy)
        return self.ending

    def _malformed(self, reason: frames.Malformed) -> None:
        self._listener.tell(self._listener.to.on_malformed, reason.value)
