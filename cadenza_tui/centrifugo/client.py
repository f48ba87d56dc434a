"""The asyncio shell around the session: it dials, reads, writes, waits, and decides nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from websockets.exceptions import ConnectionClosed

from cadenza_tui.centrifugo import codes, frames
from cadenza_tui.centrifugo.backoff import Backoff
from cadenza_tui.centrifugo.codes import Decision, Local
from cadenza_tui.centrifugo.dial import DialFailed, dial, validate_url
from cadenza_tui.centrifugo.errors import CentrifugoError, ConnectionLost, Unauthorized
from cadenza_tui.centrifugo.frames import (
    HistoryRequest,
    HistoryResult,
    Reply,
    RpcRequest,
    RpcResult,
    StreamPosition,
)
from cadenza_tui.centrifugo.gather import Gather
from cadenza_tui.centrifugo.listener import Ended, Listener
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.centrifugo.session import Ending, Session
from cadenza_tui.errors import CadenzaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from msgspec import Raw
    from websockets.asyncio.client import ClientConnection

    TokenSource: TypeAlias = Callable[[], Awaitable[str]]

_DEFAULTS = Options()
_LONGEST_WAIT = 3600.0


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
        self._token: str | None = None
        self._wake = asyncio.Event()
        self._life: asyncio.Task[Ended] | None = None
        self._closed = False

    # --- the program's side

    def subscribe(self, channel: str, *, recoverable: bool = False) -> None:
        """Ask for a channel, now or at any later connect; see ``Session.subscribe`` for what it raises."""
        self.session.subscribe(channel, self._options.now(), recoverable=recoverable)
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
        """Read a channel's history: ``limit`` 0 is the position alone, -1 all the server gives.

        Raises what ``rpc`` raises.
        """
        reply = await self._call(HistoryRequest(channel, limit, since, reverse), timeout)
        return reply.history or HistoryResult()

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
                if ending.token_spent:
                    self._token = None
                if ending.was_connected:  # the connect reply is what proves a server well
                    backoff.reset()
                delay = backoff.next()
                if not ending.was_connected:
                    self.session.attempt_failed(ending.reason, delay)
                await sleep(delay)
        finally:
            self.session.end(ended.code, ended.reason)

    async def _attempt(self) -> Ending:
        try:
            if self._token is None:
                self._token = await self._fetch_token()
        except Unauthorized as error:
            return Ending(Local.UNAUTHORIZED, str(error), Decision.TERMINAL, False, error.remedy or "")
        except Exception as error:
            return Ending(Local.TOKEN_FAILED, _token_sentence(error), Decision.RETRY, was_connected=False)
        try:
            websocket = await dial(self._url, self._options)
        except DialFailed as error:
            return Ending(Local.TRANSPORT_CLOSED, str(error), Decision.RETRY, was_connected=False)
        code, reason = int(Local.TRANSPORT_CLOSED), ""
        try:
            self.session.opened(self._token, self._options.now())
            code, reason = await self._converse(websocket)
        except BaseException:
            self.session.close()
            raise
        finally:
            ending = self.session.lost(code, reason)
        return ending

    async def _converse(self, websocket: ClientConnection) -> tuple[int, str]:
        pump = asyncio.create_task(self._pump(websocket))
        try:
            return await self._read(websocket)
        finally:
            await _hang_up(websocket, self._options.close_timeout)
            pump.cancel()
            await asyncio.wait([pump])
            if not pump.cancelled():
                pump.result()

    async def _read(self, websocket: ClientConnection) -> tuple[int, str]:
        session, now, recv, wake = self.session, self._options.now, websocket.recv, self._wake
        budget, busy = self._options.yield_after, 0.0
        gather = Gather(websocket.transport, self._options.gather, asyncio.get_running_loop().call_later)
        try:
            while session.ending is None:
                frame = await recv(decode=False)
                started = now()
                gather.frame(started, len(frame))
                session.arrived(len(frame), started)
                if len(frame) <= frames.PORTION_BYTES:
                    session.read(frame, started)
                    busy += now() - started
                else:
                    for portion in frames.portions(frame):
                        session.read(portion, started)
                        busy += now() - started
                        if busy >= budget:
                            busy = 0.0
                            await asyncio.sleep(0)
                        started = now()
                if session.has_news:
                    wake.set()
                if busy >= budget:
                    busy = 0.0
                    await asyncio.sleep(0)
        except ConnectionClosed as closed:
            return _close_code(closed)
        finally:
            gather.close()
        return Local.TRANSPORT_CLOSED, ""

    async def _pump(self, websocket: ClientConnection) -> None:
        """Send what the session has to say, and call it when its deadlines pass."""
        session, now, wake = self.session, self._options.now, self._wake
        refresh: asyncio.Task[None] | None = None
        try:
            while session.ending is None:
                wake.clear()
                for frame in session.take_outgoing():
                    async with asyncio.timeout(self._options.reply_timeout):
                        await websocket.send(frame, text=True)
                if session.token_wanted and (refresh is None or refresh.done()):
                    refresh = asyncio.create_task(self._refresh())
                await self._wait(session.next_deadline())
                session.poll(now())
        except ConnectionClosed:
            return  # the reader knows it too, and why
        except TimeoutError:
            session.stalled()
        except Exception:  # a defect: let the reader end, so that it surfaces
            websocket.transport.abort()
            raise
        finally:
            if refresh is not None:
                refresh.cancel()
                await asyncio.wait([refresh])
        await _hang_up(websocket, self._options.close_timeout)

    async def _wait(self, deadline: float | None) -> None:
        wait = _LONGEST_WAIT if deadline is None else min(deadline - self._options.now(), _LONGEST_WAIT)
        if wait <= 0:
            return
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    # --- tokens

    async def _fetch_token(self) -> str:
        return "" if self._token_source is None else await self._token_source()

    async def _refresh(self) -> None:
        try:
            self._token = await self._fetch_token()
        except Unauthorized as error:
            self.session.unauthorized(str(error), error.remedy or "")
        except Exception:
            self.session.refresh_failed(self._options.now())
        else:
            self.session.refresh(self._token, self._options.now())
        self._wake.set()

    # --- calls

    async def _call(self, request: RpcRequest | HistoryRequest, seconds: float) -> Reply:
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


def _token_sentence(error: Exception) -> str:
    """Say why there is no token; a foreign exception's text might hold a part of one, so it is left out."""
    return (
        str(error) if isinstance(error, CadenzaError) else f"no token could be had ({type(error).__name__})"
    )


def _close_code(closed: ConnectionClosed) -> tuple[int, str]:
    """Return the server's close code, else the one this side had to close with (1009, 1002 …)."""
    if closed.rcvd is not None and not (
        closed.sent is not None and closed.sent.code == codes.MESSAGE_TOO_BIG
    ):
        return closed.rcvd.code, closed.rcvd.reason
    if closed.sent is not None:
        return closed.sent.code, closed.sent.reason
    return Local.TRANSPORT_CLOSED, ""


async def _hang_up(websocket: ClientConnection, seconds: float) -> None:
    """Close politely if the server lets us, and surely in any case."""
    try:
        async with asyncio.timeout(seconds):
            await websocket.close()
    except TimeoutError:
        websocket.transport.abort()
        await websocket.wait_closed()
