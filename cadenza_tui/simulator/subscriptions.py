"""What one session is subscribed to: by its own commands, by its connection token, or by the server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from . import tokens
from .channels import Kind, Target, opening
from .commands import UNSUBSCRIBED, Close, Closed, Error, Refused, Wanted, reply
from .hub import Position

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .commands import SubRefresh, Subscribe, Unsubscribe
    from .exchange import Publication
    from .namespaces import Namespace
    from .server import Server
    from .session import Session

LONGEST_CHANNEL = 255
"""``channel_max_length``."""


@dataclass(slots=True)
class Subscription:
    """One channel under the name the client knows it by."""

    target: Target
    by_server: bool
    by_token: bool
    """By the connection's, as one of its ``channels``."""
    expiry: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Joined:
    """What subscribing came to: the results by channel, and what is to be published behind the reply."""

    results: dict[str, dict[str, object]] = field(default_factory=dict)
    openings: list[Publication] = field(default_factory=list)


class Subscriptions:
    """The channels of one session. Commands raise ``Refused`` or ``Closed``."""

    def __init__(self, server: Server, session: Session) -> None:
        self._server, self._session = server, session
        self._held: dict[str, Subscription] = {}

    def target(self, channel: str) -> Target | None:
        """Return what a channel stands for that the session is subscribed to."""
        held = self._held.get(channel)
        return None if held is None else held.target

    def agree_with(self, channels: Sequence[str]) -> bool:
        """Whether the channels of another connection token are those that the session has by its own."""
        return all(channel in self._held for channel in channels) and all(
            channel in channels for channel, held in self._held.items() if held.by_token
        )

    def subscribe(self, command_id: int, request: Subscribe) -> None:
        """Answer ``subscribe``: with what was missed, or else with the channel's present state behind it."""
        channel = request.channel
        if not channel or request.delta not in {"", "fossil"}:
            raise Closed(Close.BAD_REQUEST)
        if len(channel) > LONGEST_CHANNEL:
            raise Refused(Error.BAD_REQUEST)
        if channel in self._held:
            raise Refused(Error.ALREADY_SUBSCRIBED)
        if len(self._held) >= self._server.options.channel_limit:
            raise Refused(Error.LIMIT_EXCEEDED)
        namespace = self._server.namespace(channel)
        expires = self._admit(channel, request.token, namespace)
        target = self._find(channel, namespace)
        result: dict[str, object] = {}
        if expires is not None:
            ttl = expires - self._now()
            if ttl <= 0:
                raise Refused(Error.EXPIRED)
            result = {"expires": True, "ttl": ttl}
        wanted = Wanted(request.recover, request.epoch, request.offset, request.delta)
        joined = self._join(channel, target, namespace, wanted, by_server=False)
        self._set_expiry(channel, expires)
        result |= joined.results[channel]
        self._session.push(reply(command_id, "subscribe", msgspec.json.encode(result)))
        self._server.publish(joined.openings)

    def unsubscribe(self, command_id: int, request: Unsubscribe) -> None:
        """Answer ``unsubscribe``; a channel that is not held is none the less unsubscribed."""
        if not request.channel:
            raise Closed(Close.BAD_REQUEST)
        self._drop(request.channel)
        self._session.push(reply(command_id, "unsubscribe", b"{}"))

    def refresh(self, command_id: int, request: SubRefresh) -> None:
        """Answer ``sub_refresh``.

        A token that is expired itself is answered as if it were one without an end: so does Centrifugo 6.9.1.
        """
        channel = request.channel
        if not channel:
            raise Closed(Close.BAD_REQUEST)
        held = self._held.get(channel)
        if held is None:
            raise Refused(Error.PERMISSION_DENIED)
        if held.by_server:
            raise Closed(Close.BAD_REQUEST)
        if not request.token:
            raise Refused(Error.BAD_REQUEST)
        try:
            expires = self._verify(channel, request.token)
        except tokens.ExpiredToken:
            expires = None
        except tokens.InvalidToken as error:
            raise Closed(Close.INVALID_TOKEN) from error
        self._set_expiry(channel, expires)
        ttl = 0 if expires is None else expires - self._now()
        result: dict[str, object] = {} if expires is None else {"expires": True, "ttl": ttl}
        self._session.push(reply(command_id, "sub_refresh", msgspec.json.encode(result)))

    def at_connect(self, channels: Sequence[str], wanted: Mapping[str, Wanted]) -> Joined:
        """Subscribe to what the connection token names, and to what ``connect`` asks for and may have."""
        spaces = {channel: self._server.namespace(channel) for channel in channels}
        for channel in wanted:
            try:
                spaces.setdefault(channel, self._server.namespace(channel))
            except Refused as refused:
                raise Closed(Close.BAD_REQUEST) from refused
        targets: dict[str, Target] = {}
        for channel, namespace in spaces.items():
            try:
                if channel not in channels:
                    self._admit(channel, "", namespace)
                targets[channel] = self._find(channel, namespace)
            except Refused:
                if channel in channels:
                    raise
        if len(targets) > self._server.options.channel_limit:
            raise Closed(Close.CHANNEL_LIMIT)
        every = Joined()
        for channel, target in targets.items():
            since = wanted.get(channel, Wanted())
            by_token = channel in channels
            one = self._join(channel, target, spaces[channel], since, by_server=True, by_token=by_token)
            every.results |= one.results
            every.openings += one.openings
        return every

    def force(self, channel: str) -> None:
        """Subscribe the session from the server's side, and say so; again where it was already."""
        namespace = self._server.namespace(channel)
        target = self._find(channel, namespace)
        if channel not in self._held and len(self._held) >= self._server.options.channel_limit:
            self._session.close(Close.CHANNEL_LIMIT)
            return
        self._drop(channel)
        joined = self._join(channel, target, namespace, Wanted(), by_server=True)
        push = {"channel": channel, "subscribe": joined.results[channel]}
        self._session.push(msgspec.json.encode({"push": push}))
        self._server.publish(joined.openings)

    def take_out(self, channel: str, code: int, reason: str | None = None) -> None:
        """End a subscription, if there is one, and say so all the same. From 2500 on, the client returns."""
        self._drop(channel)
        said = {"code": code, "reason": UNSUBSCRIBED.get(code, "") if reason is None else reason}
        self._session.push(msgspec.json.encode({"push": {"channel": channel, "unsubscribe": said}}))

    def lose(self, channel: str, code: int, reason: str | None = None) -> None:
        """End a channel's subscriptions, under each spelling; one of the server's ends the connection."""
        for spelling, held in [*self._held.items()]:
            if held.target.channel != channel:
                continue
            if held.by_server and code >= 2500:
                expired = code == 2501
                self._session.close(Close.SUBSCRIPTION_EXPIRED if expired else Close.INSUFFICIENT_STATE)
                return
            self.take_out(spelling, code, reason)

    def leave_all(self) -> None:
        """Leave every channel without a word."""
        for channel in [*self._held]:
            self._drop(channel)

    def _join(
        self,
        channel: str,
        target: Target,
        namespace: Namespace,
        wanted: Wanted,
        *,
        by_server: bool,
        by_token: bool = False,
    ) -> Joined:
        server, hub = self._server, self._server.hub
        delta = wanted.delta == "fossil" and namespace.delta
        recoverable = namespace.recoverable and namespace.history != 0
        since = Position(wanted.offset, wanted.epoch) if wanted.recover and recoverable else None
        recovery = None if since is None else hub.recover(target.channel, since, delta=delta)
        recovered = recovery is not None and recovery.recovered
        if target.kind is Kind.KLINE:
            server.exchange.markets[target.key].intervals.add(target.interval)
        top = hub.join(target.channel, channel, self._session, namespace, delta=recovered if delta else None)
        self._held[channel] = Subscription(target, by_server, by_token)
        result: dict[str, object] = {}
        offset = since.offset if recovered and since is not None else top.offset
        if recoverable:
            result["recoverable"] = True
        if recoverable or namespace.positioned:
            result["epoch"] = top.epoch
        if recovery is not None and recovery.publications:
            result["publications"] = [msgspec.Raw(one) for one in recovery.publications]
        if recovered:
            result["recovered"] = True
        if recoverable or namespace.positioned:
            if offset:
                result["offset"] = offset
            result["positioned"] = True
        if wanted.recover:
            result["was_recovering"] = True
        if delta:
            result["delta"] = True
        # A stream that begins now is recovered by Centrifugo's rules, but has not told its state yet.
        openings = [] if recovered and top.offset else opening(target, server.exchange)
        return Joined({channel: result}, openings)

    def _admit(self, channel: str, token: str, namespace: Namespace) -> int | None:
        """Return when the subscription ends, None for never; raises where the token does not open it."""
        if not token:
            if namespace.token_required:
                raise Refused(Error.PERMISSION_DENIED)
            return None
        try:
            return self._verify(channel, token)
        except tokens.ExpiredToken as error:
            raise Refused(Error.TOKEN_EXPIRED) from error
        except tokens.InvalidToken as error:
            raise Refused(Error.PERMISSION_DENIED) from error

    def _verify(self, channel: str, token: str) -> int | None:
        claims = tokens.verify_subscription(self._server.secret, token)
        if (claims.channel, claims.user) != (channel, self._session.user):
            raise Closed(Close.INVALID_TOKEN)
        return claims.expires

    def _find(self, channel: str, namespace: Namespace) -> Target:
        target = self._server.find(channel, namespace)
        if target is None:
            raise Refused(Error.UNKNOWN_CHANNEL)
        if target.kind is Kind.ACCOUNT and target.key not in {
            account.account_id for account in self._server.exchange.accounts_of(self._session.user)
        }:
            raise Refused(Error.PERMISSION_DENIED)
        return target

    def _set_expiry(self, channel: str, expires: int | None) -> None:
        held = self._held[channel]
        if held.expiry is not None:
            held.expiry.cancel()
            held.expiry = None
        if expires is not None:
            wait = max(0, expires - self._now()) + self._server.options.expired_sub_close_delay
            held.expiry = asyncio.get_running_loop().call_later(wait, self.take_out, channel, 2501)

    def _drop(self, channel: str) -> None:
        held = self._held.pop(channel, None)
        if held is None:
            return
        if held.expiry is not None:
            held.expiry.cancel()
        self._server.leave(held.target, channel, self._session)

    def _now(self) -> int:
        return self._server.now_ms() // 1000
