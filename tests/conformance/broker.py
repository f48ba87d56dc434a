"""What a conformance test may ask of a server, whichever it is; and the real server behind that surface."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import jwt

from .centrifugo import SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .centrifugo import Process
    from .rpc_proxy import Answer, RpcProxy


class Broker(ABC):
    """A server that speaks the client protocol, and the levers on it.

    Namespaces: `market` (history 100, delta, client history), `tradingAccount` (history 100), `small`
    (history 2), `private` (subscription tokens only, history 100), `crowd` (presence), `plain` (neither
    history nor positions), `brief` (loses its whole stream after a second or two without publications).
    Pings every 2 s, pongs within 1 s, tokens and subscriptions end 1 s after they expired, 128 channels.
    """

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    def token(self, user: str, expires_in: float | None = None) -> str:
        """Return a connection token; ``expires_in`` in seconds from now, None for ever."""
        return _sign({"sub": user}, expires_in)

    def sub_token(self, user: str, channel: str, expires_in: float | None = None) -> str:
        """Return a subscription token for a channel of `private`."""
        return _sign({"sub": user, "channel": channel}, expires_in)

    @abstractmethod
    async def publish(self, channel: str, *data: Any) -> None:
        """Publish each of ``data``, in order."""

    @abstractmethod
    async def disconnect(self, user: str, code: int, reason: str = "") -> None:
        """Close every connection of a user."""

    @abstractmethod
    async def subscribe(self, user: str, channel: str) -> None:
        """Subscribe every connection of a user to a channel, from the server's side."""

    @abstractmethod
    async def unsubscribe(self, user: str, channel: str) -> None:
        """Take every connection of a user out of a channel, with 2000."""

    @abstractmethod
    async def refresh(self, user: str, *, expired: bool = False, expires_in: float = 0) -> None:
        """Let every connection of a user end at once, in ``expires_in`` seconds, or (with neither) never."""

    @abstractmethod
    async def remove_history(self, channel: str) -> None:
        """Forget a channel's publications; offset and epoch stay."""

    @abstractmethod
    async def lose_stream(self, channel: str) -> None:
        """Let a channel of `brief` lose its stream, and begin another under those who listen."""

    @abstractmethod
    async def restart(self, *, kill: bool) -> None:
        """End and start again on the same port: by SIGTERM with 3001, or by SIGKILL without a word."""

    @abstractmethod
    def answer_rpc(self, method: str, answer: Answer) -> None:
        """Answer a method from now on."""


def _sign(claims: Mapping[str, Any], expires_in: float | None) -> str:
    # Rounded up, since the time of a token is counted in whole seconds: one for 1 s must not be born expired.
    ends = {} if expires_in is None else {"exp": math.ceil(time.time() + expires_in)}
    return jwt.encode({**claims, **ends}, SECRET, algorithm="HS256")


class RealBroker(Broker):
    """Centrifugo, over its HTTP API."""

    def __init__(self, process: Process, rpc: RpcProxy) -> None:
        self._process, self._rpc = process, rpc

    @property
    def url(self) -> str:
        return self._process.url

    async def publish(self, channel: str, *data: Any) -> None:
        for one in data:
            await self._call("publish", channel=channel, data=one)

    async def disconnect(self, user: str, code: int, reason: str = "") -> None:
        await self._call("disconnect", user=user, disconnect={"code": code, "reason": reason})

    async def subscribe(self, user: str, channel: str) -> None:
        await self._call("subscribe", user=user, channel=channel)

    async def unsubscribe(self, user: str, channel: str) -> None:
        await self._call("unsubscribe", user=user, channel=channel)

    async def refresh(self, user: str, *, expired: bool = False, expires_in: float = 0) -> None:
        expire_at = math.ceil(time.time() + expires_in) if expires_in else 0
        await self._call("refresh", user=user, expired=expired, expire_at=expire_at)

    async def remove_history(self, channel: str) -> None:
        await self._call("history_remove", channel=channel)

    async def lose_stream(self, channel: str) -> None:
        # To look whether it is gone yet would keep it: two ticks of a second, and one to spare.
        await asyncio.sleep(3)
        await self.publish(channel, "first of another stream")

    async def restart(self, *, kill: bool) -> None:
        await asyncio.to_thread(self._process.stop, signal.SIGKILL if kill else signal.SIGTERM)
        await asyncio.to_thread(self._process.start)

    def answer_rpc(self, method: str, answer: Answer) -> None:
        self._rpc.answers[method] = answer

    async def _call(self, method: str, **parameters: Any) -> None:
        await asyncio.to_thread(self._process.call, method, **parameters)


def as_json(data: Any) -> str:
    """Return the text that travels, with all characters as they are."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
