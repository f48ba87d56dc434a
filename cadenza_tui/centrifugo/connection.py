"""One WebSocket from its opening to its end: a reader that feeds the session, and a pump that obeys it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from cadenza_tui.centrifugo import codes, frames
from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.fetches import Fetches, put_down
from cadenza_tui.centrifugo.gather import Gather

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from cadenza_tui.centrifugo.options import Options
    from cadenza_tui.centrifugo.session import Session
    from cadenza_tui.centrifugo.tokens import TokenSource

_LONGEST_WAIT = 3600.0


class Connection:
    """The conversation on one open WebSocket. ``wake`` is set by whoever has something for the session."""

    def __init__(
        self,
        websocket: ClientConnection,
        session: Session,
        options: Options,
        wake: asyncio.Event,
        token: TokenSource,
    ) -> None:
        self._websocket = websocket
        self._session = session
        self._options = options
        self._wake = wake
        self._token = token

    async def converse(self) -> tuple[int, str]:
        """Talk until either side ends it; return the transport's closing code and reason."""
        pump = asyncio.create_task(self._pump())
        try:
            return await self._read()
        finally:
            try:
                await self._hang_up()
            finally:
                await put_down([pump])
            if not pump.cancelled():
                pump.result()

    async def _read(self) -> tuple[int, str]:
        session, now, wake = self._session, self._options.now, self._wake
        recv = self._websocket.recv
        budget, busy = self._options.yield_after, 0.0
        call_later = asyncio.get_running_loop().call_later
        gather = Gather(self._websocket.transport, self._options.gather, call_later)
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

    async def _pump(self) -> None:
        """Send what the session has to say, and call it when its deadlines pass."""
        session, options, wake = self._session, self._options, self._wake
        fetches = Fetches(session, self._token, options, wake.set)
        try:
            while session.ending is None:
                wake.clear()
                for frame in session.take_outgoing():
                    async with asyncio.timeout(options.reply_timeout):
                        await self._websocket.send(frame, text=True)
                fetches.follow()
                await self._wait(session.next_deadline())
                session.poll(options.now())
        except ConnectionClosed:
            return  # the reader knows it too, and why
        except TimeoutError:
            session.stalled()
        except Exception:  # a defect: let the reader end, so that it surfaces
            self._websocket.transport.abort()
            raise
        finally:
            await fetches.close()
        await self._hang_up()

    async def _wait(self, deadline: float | None) -> None:
        wait = _LONGEST_WAIT if deadline is None else min(deadline - self._options.now(), _LONGEST_WAIT)
        if wait <= 0:
            return
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _hang_up(self) -> None:
        """Close politely if the server lets us, and surely in any case."""
        try:
            async with asyncio.timeout(self._options.close_timeout):
                await self._websocket.close()
        except TimeoutError:
            self._websocket.transport.abort()
            await self._websocket.wait_closed()
        except asyncio.CancelledError:
            self._websocket.transport.abort()
            raise


def _close_code(closed: ConnectionClosed) -> tuple[int, str]:
    """Return the server's close code, else the one this side had to close with (1009, 1002 …)."""
    if closed.rcvd is not None and not (
        closed.sent is not None and closed.sent.code == codes.MESSAGE_TOO_BIG
    ):
        return closed.rcvd.code, closed.rcvd.reason
    if closed.sent is not None:
        return closed.sent.code, closed.sent.reason
    return Local.TRANSPORT_CLOSED, ""
