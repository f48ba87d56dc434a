"""The simulator as a process: paces the exchange by the wall clock, and serves it until told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from cadenza_tui.errors import CadenzaError

from . import tokens
from .auth import Auth
from .exchange import DEFAULT_RATE, Exchange
from .http import Http
from .instruments import DEFAULT_INSTRUMENTS
from .pacing import Pacer
from .server import Server, ServerOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

MOST_RATE = 20_000


async def serve(  # noqa: PLR0917
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    rate: float = DEFAULT_RATE,
    instruments: int = DEFAULT_INSTRUMENTS,
    secret: str | None = None,
    *,
    prints: float | None = None,
    stop: asyncio.Event,
    on_ready: Callable[[str, str, str], None],
    options: ServerOptions | None = None,
) -> None:
    """Serve a simulated market until ``stop`` is set. ``on_ready`` is given the URL, a token for ``demo``
    and the address of the REST that gives such tokens, which is on loopback in any case.

    Raises ``CadenzaError`` where it cannot: an address in use, a rate or a number of instruments out of
    bounds.
    """
    exchange = open_exchange(seed, rate, instruments, prints)
    secret = secret or tokens.new_secret()
    server = Server(exchange, secret, options)
    rest = Http(Auth(secret).routes())
    await server.start(host, port)
    try:
        await rest.start()
    except CadenzaError:
        await server.stop()
        raise
    pacing = asyncio.create_task(Pacer(server).run())
    stopping = asyncio.create_task(stop.wait())
    try:
        on_ready(server.url, tokens.mint(secret, now=time.time()), rest.url)
        await asyncio.wait({pacing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if pacing.done():
            pacing.result()
    finally:
        pacing.cancel()
        stopping.cancel()
        await asyncio.gather(pacing, stopping, return_exceptions=True)
        await rest.stop()
        await server.stop()


def simulate(  # noqa: PLR0917
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    rate: float = DEFAULT_RATE,
    instruments: int = DEFAULT_INSTRUMENTS,
    secret: str | None = None,
    *,
    prints: float | None = None,
    exit_with_stdin: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM; print ``{"url":…,"token":…,"rest":…}`` as one line on stdout when ready.

    With ``exit_with_stdin`` it also stops when stdin ends: a child that holds a pipe from its parent so ends
    with it, however the parent ended.
    """

    def ready(url: str, token: str, rest: str) -> None:
        print(json.dumps({"url": url, "token": token, "rest": rest}, separators=(",", ":")), flush=True)

    async def main(stop: asyncio.Event) -> None:
        await serve(host, port, seed, rate, instruments, secret, prints=prints, stop=stop, on_ready=ready)

    run_until_told(main, exit_with_stdin=exit_with_stdin)


def open_exchange(seed: int, rate: float, instruments: int, prints: float | None = None) -> Exchange:
    """Open an exchange whose time is now. Raises ``CadenzaError`` for numbers out of bounds."""
    if not 0 < rate <= MOST_RATE:
        raise CadenzaError(
            f"the rate is in book publications a second, up to {MOST_RATE}, was {rate:g}",
            remedy="pass --rate between 1 and 5000",
        )
    if prints is not None and not 0 <= prints <= MOST_RATE:
        raise CadenzaError(
            f"the prints are so many a second, up to {MOST_RATE}, was {prints:g}",
            remedy="pass --prints between 0 and 5000",
        )
    return Exchange(seed, instruments=instruments, rate=rate, prints=prints, start_ns=time.time_ns())


def run_until_told(
    main: Callable[[asyncio.Event], Coroutine[None, None, None]], *, exit_with_stdin: bool = False
) -> None:
    """Run ``main`` with an event that SIGINT and SIGTERM set, and the end of stdin where that is wanted."""

    async def run() -> None:
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
            await main(stop)
        finally:
            if descriptor is not None:
                loop.remove_reader(descriptor)

    asyncio.run(run())


def _read_stdin(descriptor: int, stop: asyncio.Event) -> None:
    try:
        ended = not os.read(descriptor, 4096)
    except OSError:
        ended = True
    if ended:
        asyncio.get_running_loop().remove_reader(descriptor)
        stop.set()
