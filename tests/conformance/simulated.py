"""The embedded simulator behind the same surface: its server in the test's own process and event loop."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cadenza_tui.simulator.commands import Failure, Refused
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.namespaces import Namespace
from cadenza_tui.simulator.server import Server, ServerOptions

from .broker import Broker, as_json
from .centrifugo import SECRET
from .rpc_proxy import RpcRefused

if TYPE_CHECKING:
    from .rpc_proxy import Answer

OPTIONS = ServerOptions(
    ping=2.0,
    pong_timeout=1.0,
    stale=1.0,
    expired_close_delay=1.0,
    expired_sub_close_delay=1.0,
    channel_limit=128,
    close_timeout=1.0,
    namespaces={
        "market": Namespace(history=100, delta=True, history_for_subscriber=True, open=True),
        "tradingAccount": Namespace(history=100, open=True),
        "small": Namespace(history=2, open=True),
        "private": Namespace(history=100, token_required=True, open=True),
        "crowd": Namespace(history=0, recoverable=False, positioned=False, presence=True, open=True),
        "plain": Namespace(history=0, recoverable=False, positioned=False, open=True),
        "brief": Namespace(history=10, ttl=1.0, open=True),
    },
)


class SimulatedBroker(Broker):
    """The simulator's server. Its exchange stands still: what is published is the test's."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._server = self._new_server()

    @property
    def url(self) -> str:
        return self._server.url

    async def start(self, port: int = 0) -> None:
        """Listen."""
        await self._server.start("127.0.0.1", port)

    async def stop(self) -> None:
        """End."""
        await self._server.stop()

    async def publish(self, channel: str, *data: Any) -> None:
        for one in data:
            self._server.publish_to(channel, as_json(one).encode())

    async def disconnect(self, user: str, code: int, reason: str = "") -> None:
        self._server.disconnect_user(user, code, reason)

    async def subscribe(self, user: str, channel: str) -> None:
        self._server.subscribe_user(user, channel)

    async def unsubscribe(self, user: str, channel: str) -> None:
        self._server.unsubscribe_user(user, channel)

    async def refresh(self, user: str, *, expired: bool = False, expires_in: float = 0) -> None:
        self._server.refresh_user(
            user, expired=expired, expire_at=math.ceil(time.time() + expires_in) if expires_in else 0
        )

    async def remove_history(self, channel: str) -> None:
        self._server.remove_history(channel)

    async def lose_stream(self, channel: str) -> None:
        now = time.monotonic()
        for later in (now, now + 3600):  # the hub is told the time, and so its streams' time can be over now
            self._server.hub.expire(later)
        await self.publish(channel, "first of another stream")

    async def restart(self, *, kill: bool) -> None:
        port = urlsplit(self.url).port
        assert port is not None
        await self._server.stop(kill=kill)
        self._server = self._new_server()
        await self._server.start("127.0.0.1", port)

    def answer_rpc(self, method: str, answer: Answer) -> None:
        self._answers[method] = answer

    def _new_server(self) -> Server:
        server = Server(Exchange(0, instruments=1, start_ns=time.time_ns()), SECRET, OPTIONS)
        server.rpc = self._rpc
        return server

    async def _rpc(self, user: str, method: str, data: bytes) -> bytes | None:
        answer = self._answers.get(method)
        if answer is None:
            return None
        try:
            return as_json(answer(user, json.loads(data) if data else None)).encode()
        except RpcRefused as refused:
            raise Refused(Failure(**refused.error)) from refused
