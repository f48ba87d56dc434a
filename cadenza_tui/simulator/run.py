"""The simulator as a process: paces the exchange by the wall clock, and serves it until told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from cadenza_tui.errors import CadenzaError

from . import tokens
from .exchange import DEFAULT_RATE, Exchange
from .instruments import DEFAULT_INSTRUMENTS
from .numbers import MILLISECOND, SECOND
from .server import Server, ServerOptions

if TYPE_CHECKING:
    from collections.abc import Callable

STEP_NS = 50 * MILLISECOND  # of exchange time simulated before the event loop gets its turn
SHORTEST_NS = 4 * MILLISECOND  # between two wake-ups, so that a fast market comes in batches
IDLE_NS = 500 * MILLISECOND  # between two wake-ups while nobody listens
HALT_NS = 5 * SECOND  # behind by more than this, the exchange was halted meanwhile
MOST_RATE = 20_000


class Pacer:
    """Keeps the exchange's time at the wall's: what that was at the start, plus what has elapsed."""

    def __init__(self, server: Server) -> None:
        self._server, self._exchange = server, server.exchange
        self._offset = time.time_ns() - time.monotonic_ns()
        self._asked = asyncio.Event()
        server.catch_up = self.catch_up

    def catch_up(self) -> None:
        """Advance towards the present, by one bounded step at most."""
        self._asked.set()
        self._advance(min(self._present(), self._exchange.now_ns + STEP_NS))

    async def run(self) -> None:
        """Advance for ever: wake when something is due, catch up in steps, never spin."""
        while True:
            self._server.hub.expire(time.monotonic())
            behind = self._present() - self._exchange.now_ns
            if behind > HALT_NS:
                self._exchange.halt(behind)
            while self._present() - self._exchange.now_ns > STEP_NS:
                self.catch_up()
                await asyncio.sleep(0)
            self.catch_up()
            pause = self._exchange.next_ns - self._present()
            if self._server.hub.busy:
                await asyncio.sleep(max(pause, SHORTEST_NS) / SECOND)
                continue
            self._asked.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), max(pause, IDLE_NS) / SECOND)

    def _present(self) -> int:
        return self._offset + time.monotonic_ns()

    def _advance(self, until_ns: int) -> None:
        if until_ns > self._exchange.now_ns:
            self._server.publish(self._exchange.advance(until_ns, self._server.hub.wanted))


async def serve(  # noqa: PLR0917
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    rate: float = DEFAULT_RATE,
    instruments: int = DEFAULT_INSTRUMENTS,
    secret: str | None = None,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[str, str], None],
    options: ServerOptions | None = None,
) -> None:
    """Serve a simulated market until ``stop`` is set. ``on_ready`` is given the URL and a token for
    ``demo``.

    Raises ``CadenzaError`` where it cannot: an address in use, a rate or a number of instruments out of
    bounds.
    """
    if not 0 < rate <= MOST_RATE:
        raise CadenzaError(
            f"the rate is in book publications a second, up to {MOST_RATE}, was {rate:g}",
            remedy="pass --rate between 1 and 5000",
        )
    secret = secret or tokens.new_secret()
    exchange = Exchange(seed, instruments=instruments, rate=rate, start_ns=time.time_ns())
    server = Server(exchange, secret, options)
    await server.start(host, port)
    pacing = asyncio.create_task(Pacer(server).run())
    stopping = asyncio.create_task(stop.wait())
    try:
        on_ready(server.url, tokens.mint(secret, now=time.time()))
        await asyncio.wait({pacing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if pacing.done():
            pacing.result()
    finally:
        pacing.cancel()
        stopping.cancel()
        await asyncio.gather(pacing, stopping, return_exceptions=True)
        await server.stop()


def simulate(  # noqa: PLR0917
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    rate: float = DEFAULT_RATE,
    instruments: int = DEFAULT_INSTRUMENTS,
    secret: str | None = None,
    *,
    exit_with_stdin: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM; print ``{"url":…,"token":…}`` as one line on stdout when ready.

    With ``exit_with_stdin`` it also stops when stdin ends: a child that holds a pipe from its parent so ends
    with it, however the parent ended.
    """

    def ready(url: str, token: str) -> None:
        print(json.dumps({"url": url, "token": token}, separators=(",", ":")), flush=True)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        descriptor = sys.stdin.fileno() if exit_with_stdin else None
        if descriptor is not None:
            try:
                loop.add_reader(descriptor, _read_stdin, descriptor, stop)
            except PermissionError as error:
                raise CadenzaError(
                    "stdin is a file: the simulator cannot wait for its end", remedy="start it with a pipe"
                ) from error
        try:
            await serve(host, port, seed, rate, instruments, secret, stop=stop, on_ready=ready)
        finally:
            if descriptor is not None:
                loop.remove_reader(descriptor)

    asyncio.run(main())


def _read_stdin(descriptor: int, stop: asyncio.Event) -> None:
    try:
        ended = not os.read(descriptor, 4096)
    except OSError:
        ended = True
    if ended:
        asyncio.get_running_loop().remove_reader(descriptor)
        stop.set()
