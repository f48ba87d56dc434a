"""The market inside a real Centrifugo: published over its HTTP API, queried through its RPC proxy."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.simulator import proxied
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.http import Http
from cadenza_tui.simulator.publisher import Publisher
from cadenza_tui.simulator.tokens import mint
from tests.conformance import centrifugo

from .conftest import SECOND, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BOOK = "BINANCE:BTC/USDT"
CHANNEL = f"market:orderBook:{BOOK}"
WITHIN = 30.0


@pytest.fixture(scope="module")
def binary() -> Path:
    """The real server's program; without it the tests are skipped, or fail in CI."""
    try:
        return centrifugo.find()
    except centrifugo.NoBinary as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


class Beside:
    """A Centrifugo, and an exchange beside it whose time goes on when the test says so."""

    def __init__(self, process: centrifugo.Process, exchange: Exchange, publisher: Publisher) -> None:
        self.process, self.exchange, self.publisher = process, exchange, publisher

    def advance(self, seconds: float) -> None:
        """Let the exchange's time pass, and on until every change of the book is out."""
        until = self.exchange.now_ns + int(seconds * SECOND)
        while self.exchange.now_ns < until or self._pending():
            step = self.exchange.now_ns + SECOND // 50
            self.publisher.publish(self.exchange.advance(step, self.publisher.wanted))

    def _pending(self) -> bool:
        book = self.exchange.markets[BOOK].book
        return bool(book.touched_bids or book.touched_asks)

    def own(self) -> tuple[list[list[str]], list[list[str]]]:
        """Return the exchange's own book: bids and asks, best first."""
        return self.exchange.markets[BOOK].text.whole()


@asynccontextmanager
async def beside(binary: Path, folder: Path, told: list[str]) -> AsyncIterator[Beside]:
    """Start both."""
    exchange = Exchange(5, instruments=2, rate=120.0, start_ns=time.time_ns())
    rpc = Http(proxied.rpc_routes(exchange, lambda: None))
    await rpc.start()
    process = centrifugo.Process(binary, folder, rpc.url + proxied.PATH)
    await asyncio.to_thread(process.start)
    address = f"http://127.0.0.1:{process.port}"
    publisher = Publisher(exchange, address, centrifugo.API_KEY, told=told.append, backoff=(0.02, 0.2))
    running = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(WITHIN):
            await publisher.begun.wait()
        yield Beside(process, exchange, publisher)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(process.stop)
        await rpc.stop()


class Stream:
    """`cadenza-tui stream` as a child, and the latest book that it printed."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.book: tuple[Any, Any] | None = None
        self.trades = 0

    async def equals(self, here: Beside) -> None:
        """Read until the printed book is the exchange's own."""
        assert self._child.stdout is not None
        async with asyncio.timeout(WITHIN):
            while self.book != here.own():
                line = json.loads(await self._child.stdout.readline())
                if line["kind"] == "book" and line["in_sync"]:
                    self.book = (line["bids"], line["asks"])
                self.trades += line["kind"] == "trade"


@asynccontextmanager
async def stream(url: str) -> AsyncIterator[Stream]:
    """Run `cadenza-tui stream` on a server."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cadenza_tui", "stream", BOOK, "--url", url, "--depth", "10000"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
        env={**os.environ, "CADENZA_TOKEN": mint(centrifugo.SECRET, now=time.time())},
    )
    try:
        yield Stream(child)
    finally:
        child.kill()
        await child.wait()


async def test_a_book_read_through_centrifugo_is_the_exchanges_own(binary: Path, tmp_path: Path) -> None:
    """To the last level, after hundreds of diffs, by the program itself; prints come, and queries answer."""
    told: list[str] = []
    async with beside(binary, tmp_path, told) as here, stream(here.process.url) as child:
        here.advance(0.2)
        await child.equals(here)
        for _ in range(10):
            here.advance(0.3)
            await asyncio.sleep(0)
        await child.equals(here)
        assert child.trades > 0
        assert told == []


async def test_after_an_outage_every_book_begins_anew(binary: Path, tmp_path: Path) -> None:
    """The server is killed and started again: both are said, nothing is published meanwhile, and what comes
    first is the whole book, from which the program's is the exchange's own again."""
    told: list[str] = []
    async with beside(binary, tmp_path, told) as here, stream(here.process.url) as child:
        here.advance(0.5)
        await child.equals(here)
        await asyncio.to_thread(here.process.stop, signal.SIGKILL)
        async with asyncio.timeout(WITHIN):
            here.advance(0.1)
            await eventually(lambda: len(told) == 1)
            here.advance(1.0)
            await asyncio.to_thread(here.process.start)
            await eventually(lambda: len(told) == 2)
        here.advance(0.2)
        await child.equals(here)
        async with asyncio.timeout(WITHIN):
            await eventually(lambda: not here.publisher._waiting)
        kept = await asyncio.to_thread(here.process.call, "history", channel=CHANNEL, limit=100)
        kinds = [one["data"]["updateType"] for one in kept["publications"]]
        assert len(kinds) > 5
        assert (kinds[0], {*kinds[1:]}) == ("SNAPSHOT", {"DIFF"})
        other = await asyncio.to_thread(
            here.process.call, "history", channel=CHANNEL.replace("orderBook", "orderbook"), limit=100
        )
        assert [one["data"] for one in other["publications"]] == [one["data"] for one in kept["publications"]]
        assert "trying again" in told[0]


async def test_the_command_publishes_answers_and_ends(binary: Path, tmp_path: Path) -> None:
    """Its line says where and by what token the market is seen; a signal ends it with 0; the key is not
    told."""
    port = centrifugo.free_port()
    process = centrifugo.Process(binary, tmp_path, f"http://127.0.0.1:{port}/rpc")
    await asyncio.to_thread(process.start)
    key = tmp_path / "key"
    key.write_text(f"{centrifugo.API_KEY}\n")
    key.chmod(0o600)
    child = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "cadenza_tui",
            "simulate",
            "--publish-to",
            f"http://127.0.0.1:{process.port}",
        ),
        *("--api-key-file", str(key), "--rpc-port", str(port), "--secret", centrifugo.SECRET),
        *("--instruments", "2", "--until-stdin-closes"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert child.stderr is not None
        async with asyncio.timeout(WITHIN):
            line = await child.stdout.readline()
            ready = json.loads(line)
            assert (ready["rpc"], ready["url"]) == (f"http://127.0.0.1:{port}/rpc", process.url)
            asked = await _ask(process.url, ready["token"])
            assert {one["instrumentId"] for one in asked["data"]} == {BOOK, "OKX:BTC/USDT"}
            child.send_signal(signal.SIGTERM)
            rest, said = await child.communicate()
        assert (child.returncode, rest, said) == (0, b"", b"")
        assert centrifugo.API_KEY.encode() not in line
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        await asyncio.to_thread(process.stop)


async def _ask(url: str, token: str) -> dict[str, Any]:
    from websockets.asyncio.client import connect

    async with connect(url) as socket:
        for command in ({"id": 1, "connect": {"token": token}}, {"id": 2, "rpc": {"method": METHOD}}):
            await socket.send(json.dumps(command))
            answered = json.loads(await socket.recv())
        data: dict[str, Any] = answered["rpc"]["data"]
        return data


METHOD = "query.instrument.list"
