"""The simulator beside a real Centrifugo: publishes a market into it and answers its RPC proxy."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Literal

from . import proxied, tokens
from .exchange import DEFAULT_RATE
from .http import Http
from .instruments import DEFAULT_INSTRUMENTS
from .pacing import Pacer
from .publisher import Publisher
from .run import open_exchange, run_until_told
from .server import PATH

if TYPE_CHECKING:
    from collections.abc import Callable


async def publish(
    publish_to: str,
    api_key: str,
    *,
    host: str = "127.0.0.1",
    rpc_port: int = 0,
    seed: int = 0,
    rate: float = DEFAULT_RATE,
    instruments: int = DEFAULT_INSTRUMENTS,
    prints: float | None = None,
    stop: asyncio.Event,
    on_ready: Callable[[str], None],
    told: Callable[[str], None],
) -> None:
    """Publish a simulated market until ``stop`` is set. ``publish_to`` is the server's address without a
    path; ``on_ready`` is given the RPC proxy's URL when every channel has its state, ``told`` a sentence when
    the server stops answering and when it answers again.

    Raises ``CadenzaError`` where it cannot be done: a port in use, a refused API key, missing namespaces.
    """
    exchange = open_exchange(seed, rate, instruments, prints)
    publisher = Publisher(exchange, publish_to, api_key, told=told)
    pacer = Pacer(publisher)
    rpc = Http(proxied.rpc_routes(exchange, pacer.catch_up))
    await rpc.start(host, rpc_port)

    async def announce() -> None:
        await publisher.begun.wait()
        on_ready(rpc.url + proxied.PATH)

    running = {asyncio.create_task(work) for work in (pacer.run(), publisher.run())}
    telling = asyncio.create_task(announce())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            if task.done():
                task.result()
    finally:
        every: list[asyncio.Task[None] | asyncio.Task[Literal[True]]] = [*running, telling, stopping]
        for one in every:
            one.cancel()
        await asyncio.gather(*every, return_exceptions=True)
        await rpc.stop()


def simulate_beside(
    publish_to: str,
    api_key: str,
    secret: str | None,
    *,
    host: str = "127.0.0.1",
    rpc_port: int = 0,
    seed: int = 0,
    rate: float = DEFAULT_RATE,
    instruments: int = DEFAULT_INSTRUMENTS,
    prints: float | None = None,
    exit_with_stdin: bool = False,
) -> None:
    """Publish until SIGINT or SIGTERM. Prints ``{"rpc":…,"url":…,"token":…}`` as one line on stdout when
    ready, the token only where ``secret`` is given, which is the server's own; outages go to stderr."""
    scheme, _, rest = publish_to.partition("://")
    url = f"{'wss' if scheme == 'https' else 'ws'}://{rest.rstrip('/')}{PATH}"

    def ready(rpc: str) -> None:
        line = {"rpc": rpc, "url": url}
        if secret is not None:
            line["token"] = tokens.mint(secret, now=time.time())
        print(json.dumps(line, separators=(",", ":")), flush=True)

    def told(sentence: str) -> None:
        print(f"cadenza-tui: {sentence}", file=sys.stderr, flush=True)

    async def main(stop: asyncio.Event) -> None:
        await publish(
            publish_to,
            api_key,
            host=host,
            rpc_port=rpc_port,
            seed=seed,
            rate=rate,
            instruments=instruments,
            prints=prints,
            stop=stop,
            on_ready=ready,
            told=told,
        )

    run_until_told(main, exit_with_stdin=exit_with_stdin)
