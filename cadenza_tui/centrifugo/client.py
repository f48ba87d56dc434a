"""The asyncio shell around the session: it dials, lets a connection talk, waits, and decides nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo import codes
from cadenza_tui.centrifugo.backoff import Backoff
from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.connection import Connection
from cadenza_tui.centrifugo.dial import DialFailed, dial, validate_url
from cadenza_tui.centrifugo.ending import Ending
from cadenza_tui.centrifugo.errors import CentrifugoError, ConnectionLost, Unauthorized
from cadenza_tui.centrifugo.fetches import token_sentence, within
from cadenza_tui.centrifugo.frames import (
    HistoryRequest,
    HistoryResult,
    PresenceRequest,
    PresenceResult,
    PresenceStats,
    PresenceStatsRequest,
    Reply,
    RpcRequest,
    RpcResult,
    StreamPosition,
)
from cadenza_tui.centrifugo.listener import Ended, Listener
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.centrifugo.session import Session
from cadenza_tui.centrifugo.tokens import Bearer

if TYPE_CHECKING:
    from msgspec import Raw

    from cadenza_tui.centrifugo.frames import ClientInfo, Request
    from cadenza_tui.centrifugo.tokens import ChannelTokenSource, TokenSource

_DEFAULTS = Options()


class Client:
    """One connection to a Centrifugo server, kept up until closed or refused for good.

    ``token`` is awaited for the first connect, and again whenever the server called the last one expired;
    it may raise Unauthorized to end the client, anything else is retried. All methods belong to one event
    loop. Raises ConfigError where the address cannot be one.
    """

    def __init__(
        self,
        url: str,
        listener: Listener,
        *,
        token: TokenSource | None = None,
        options: Options = _DEFAULTS,
    ) -> None:
        self.session = Session(listener, options)
        self._url = validate_url(url)
        self._options = options
        self._token_source = token
        self._bearer = Bearer()
        self._wake = asyncio.Event()
        self._life: asyncio.Task[Ended] | None = None
        self._closed = False

    # --- the program's side

    def subscribe(
        self,
        channel: str,
        *,
        recoverable: bool = False,
        delta: bool = False,
        token: ChannelTokenSource | None = None,
    ) -> None:
        """Ask for a channel, now or at any later connect; see ``Session.subscribe`` for what it raises.

        ``delta`` lets the server send changes alone where it can; publications are told in full all the same.
        ``token`` is awaited with the channel's name before the first subscribe, at the end of each token's
        time, and after one was refused as expired. It may raise Unauthorized (or return nothing) to end the
        subscription, anything else is retried; it is cancelled when its token is wanted no more.
        """
        self.session.subscribe(
            channel, self._options.now(), recoverable=recoverable, delta=delta, token=token
        )
        self._wake.set()

    def unsubscribe(self, channel: str) -> None:
        """Give a channel up; does nothing where it is not asked for."""
        self.session.unsubscribe(channel, self._options.now())
        self._wake.set()

    async def rpc(self, method: str, params: object = None, timeout: float = 10.0) -> Raw:  # noqa: ASYNC109
        """Call a method and return the raw JSON of its result's ``data``; waits for a connection.

        Raises ReplyError, CallTimeout (``timeout`` in seconds, the wait included), ConnectionLost,
        TooManyCalls, CommandTooLarge, or TypeError where ``params`` is not JSON.
        """
        reply = await self._call(RpcRequest(method, params), timeout)
        return (reply.rpc or RpcResult()).data

    async def history(
        self,
        channel: str,
        limit: int = 0,
        since: StreamPosition | None = None,
        *,
        reverse: bool = False,
        timeout: float = 10.0,  # noqa: ASYNC109
    ) -> HistoryResult:
        """Read a channel's history: ``limit`` 0 is the position alone, -1 all the server gives at once (300).

        ``since`` is exclusive; ``reverse`` goes from the newest, or from ``since``, towards the oldest.
        Raises what ``rpc`` raises; of ReplyError, 112 is a ``since`` of another epoch or beyond the history,
        113 a page that another reader is at.
        """
        reply = await self._call(HistoryRequest(channel, limit, since, reverse), timeout)
        return reply.history or HistoryResult()

    async def presence(self, channel: str, timeout: float = 10.0) -> dict[str, ClientInfo]:  # noqa: ASYNC109
        """Return who is subscribed to a channel, by the connection's id. Raises what ``rpc`` raises."""
        reply = await self._call(PresenceRequest(channel), timeout)
        return (reply.presence or PresenceResult()).presence

    async def presence_stats(self, channel: str, timeout: float = 10.0) -> PresenceStats:  # noqa: ASYNC109
        """Return how many are subscribed to a channel. Raises what ``rpc`` raises."""
        reply = await self._call(PresenceStatsRequest(channel), timeout)
        return reply.presence_stats or PresenceStats()

    async def run(self) -> Ended:
        """Connect, and stay connected. Returns when closed, or when the server refused for good."""
        if self._life is not None:
            raise RuntimeError("the client is running already")
        if self._closed:
            return self._ended_on_request()
        self._life = asyncio.create_task(self._live())
        try:
            return await self._life
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if self._closed and current is not None and not current.cancelling():
                return self._ended_on_request()
            raise
        finally:
            self._life = None

    async def close(self) -> None:
        """End for good. Returns when the connection and all tasks are gone."""
        self._closed = True
        life = self._life
        if life is not None:
            life.cancel()
            await asyncio.wait([life])

    # --- one life: attempts, connections, waits

    async def _live(self) -> Ended:
        backoff = Backoff(self._options.backoff_min, self._options.backoff_max, self._options.random)
        sleep = self._options.sleep or asyncio.sleep
        self.session.begin()
        ended = self._ended_on_request()
        try:
            while True:
                ending = await self._attempt()
                if ending.decision is Decision.TERMINAL:
                    remedy = ending.remedy or codes.meaning(ending.code).remedy
                    ended = Ended(ending.code, ending.reason, terminal=True, remedy=remedy)
                    return ended
                if ending.was_connected:  # the connect reply is what proves a server well
                    backoff.reset()
                delay = backoff.next()
                reason = ending.reason
                if ending.token_spent and (complaint := self._bearer.spent(ending, self._options.now())):
                    reason = complaint
                    delay = max(delay, self._options.token_retry())
                if ending.was_connected:
                    self.session.waiting(delay)
                else:
                    self.session.attempt_failed(reason, delay)
                await sleep(delay)
        finally:
            self.session.end(ended.code, ended.reason)

    async def _attempt(self) -> Ending:
        try:
            token = self._bearer.token
            if token is None:
                token = await within(self._options.token_timeout, self._fetch_token())
        except Unauthorized as error:
            return Ending(Local.UNAUTHORIZED, str(error), Decision.TERMINAL, False, error.remedy or "")
        except Exception as error:
            return Ending(Local.TOKEN_FAILED, token_sentence(error), Decision.RETRY, was_connected=False)
        try:
            websocket = await dial(self._url, self._options)
        except DialFailed as error:
            return Ending(Local.TRANSPORT_CLOSED, str(error), Decision.RETRY, was_connected=False)
        code, reason = int(Local.TRANSPORT_CLOSED), ""
        connection = Connection(websocket, self.session, self._options, self._wake, self._fetch_token)
        try:
            self.session.opened(token, self._options.now())
            code, reason = await connection.converse()
        except BaseException:
            self.session.close()
            raise
        finally:
            ending = self.session.lost(code, reason)
        return ending

    async def _fetch_token(self) -> str:
        token = "" if self._token_source is None else await self._token_source()
        self._bearer.bring(token, self._options.now())
        return token

    # --- calls

    async def _call(self, request: Request, seconds: float) -> Reply:
        if self._closed:
            raise ConnectionLost("the client is closed")
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Reply] = loop.create_future()

        def done(result: Reply | CentrifugoError) -> None:
            if outcome.done():
                return
            if isinstance(result, CentrifugoError):
                outcome.set_exception(result)
            else:
                outcome.set_result(result)

        call = self.session.call(request, self._options.now() + seconds, done)
        self._wake.set()
        timer = loop.call_later(seconds, self._poll)  # there may be no connection, and so no pump
        try:
            return await outcome
        finally:
            timer.cancel()
            self.session.cancel(call)

    def _poll(self) -> None:
        self.session.poll(self._options.now())
        self._wake.set()

    @staticmethod
    def _ended_on_request() -> Ended:
        return Ended(Local.CALLED, codes.sentence(Local.CALLED), terminal=False)
