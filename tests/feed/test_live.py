"""The live feed on the real simulator, over a real WebSocket: its books equal the exchange's own."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.credentials import sources
from cadenza_tui.feed.child import Ready
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.state import Market
from cadenza_tui.market.valuation import value
from cadenza_tui.simulator.commands import Close
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.server import Server
from cadenza_tui.simulator.tokens import mint

from .waiting import eventually
from .world import QUICK, world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def test_books_of_every_type_equal_the_exchanges_own() -> None:
    """After thousands of updates, to the last digit; nothing was rejected."""
    async with world() as here:
        await here.feed.bootstrapped.wait()
        await eventually(lambda: len(here.feed.pinned) == 5)
        for _ in range(20):
            here.advance(5)
            await asyncio.sleep(0)
        await here.in_step()
        types = {book.book_type for book in here.feed.market.books.values()}
        assert len(types) >= 3
        assert here.feed.market.health.rejected == 0
        assert sum(tape.count for tape in here.feed.market.tapes.values()) > 100
        for name in here.feed.pinned:
            here.feed.market.book(name).check()


async def test_a_dropped_connection_recovers_without_a_word_lost() -> None:
    """Messages sent while nobody listened are recovered, and the books are right."""
    async with world() as here:
        await here.feed.bootstrapped.wait()
        await here.in_step()
        connection = here.feed.market.health.connection
        for _ in range(3):
            reconnects = connection.reconnects
            here.server.disconnect(Close.SHUTDOWN)
            here.advance(3)
            await eventually(partial(lambda before: connection.reconnects > before, reconnects))
            await here.in_step()
        assert all(channel.gaps == 0 for channel in here.feed.market.health.channels.values())


async def test_an_instrument_that_is_turned_to_has_its_book_at_once() -> None:
    """The sixth instrument of five pinned is subscribed when it is shown."""
    async with world() as here:
        await here.feed.bootstrapped.wait()
        here.feed.pin(())
        name = next(iter(here.feed.market.instruments))
        here.feed.show(name)
        await eventually(lambda: here.equal(name))
        assert set(here.feed.market.books) == {name}


async def test_accounts_and_their_orders_are_the_exchanges_own() -> None:
    """Balances agree to the last digit while orders rest and fill."""
    async with world() as here:
        await here.feed.bootstrapped.wait()
        here.advance(40)
        assert here.feed.accounts

        def agree() -> bool:
            for own in here.exchange.accounts_of("demo"):
                held = here.feed.market.account(own.account_id)
                payload = here.exchange.portfolio(own, rpc=True)
                expected = {row["securitySymbol"]: row["total"] for row in payload["balances"]}
                if {b.asset: format(b.total or 0, "f") for b in held.balances.values()} != expected:
                    return False
            return True

        await eventually(agree)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def simulator(
    port: int, secret: str, seed: int
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Ready]]:
    """Run the simulator's own command; it is gone afterwards, however that came."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cadenza_tui", "simulate", "--port", str(port)),
        *("--secret", secret, "--seed", str(seed), "--rate", "200", "--instruments", "4"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        yield process, msgspec.json.decode(line, type=Ready)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]


async def test_what_is_held_has_a_price_without_its_book_being_followed() -> None:
    """The exchange lists a market for an asset that the account holds: its ticker is fetched."""
    async with world("BINANCE:ETH/USDT") as here:
        market = here.feed.market
        held = "BINANCE:BTC/USDT"
        await eventually(lambda: value("BTC", Decimal(1), "USDT", market, now=time.time_ns()).value)
        assert held in market.tickers
        assert held not in market.books


async def test_a_server_that_was_killed_and_restarted_comes_back_with_its_new_books() -> None:
    """Another epoch, another market: no level of the old one is left, and the reconnect is told."""
    port, secret = free_port(), secrets.token_hex(32)
    async with simulator(port, secret, seed=1) as (process, ready):
        token = sources.fixed(ready.token)
        feed = Feed(Market(), FeedSettings(ready.url, token=token, options=QUICK))
        running = asyncio.create_task(feed.run())
        try:
            await eventually(lambda: len(feed.market.books) == 4 and _all_in_sync(feed))
            epochs = {channel.epoch for channel in feed.market.health.channels.values()}
            assert process.pid != os.getpid()
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await eventually(lambda: feed.market.health.connection.state is ConnectionState.CONNECTING)
            async with simulator(port, secret, seed=2):
                await eventually(
                    lambda: (
                        feed.market.health.connection.state is ConnectionState.CONNECTED
                        and _all_in_sync(feed)
                        and not epochs & {channel.epoch for channel in feed.market.health.channels.values()}
                    )
                )
                assert feed.market.health.connection.reconnects == 1
                assert all(not book.crossed for book in feed.market.books.values())
                assert {ready.url} == {feed.market.health.connection.url}
        finally:
            await feed.close()
            await running


def _all_in_sync(feed: Feed) -> bool:
    return all(book.in_sync for book in feed.market.books.values())


async def test_a_token_of_another_key_is_unauthorised() -> None:
    """The real server refuses it for good, and the feed says what to do."""
    exchange = Exchange(3, instruments=1, rate=10, start_ns=time.time_ns())
    server = Server(exchange, secrets.token_hex(32))
    await server.start("127.0.0.1", 0)
    try:
        token = sources.fixed(mint(secrets.token_hex(32), now=time.time()))
        feed = Feed(Market(), FeedSettings(server.url, token=token, options=QUICK))
        async with asyncio.timeout(10):
            await feed.run()
        connection = feed.market.health.connection
        assert connection.state is ConnectionState.UNAUTHORISED
        assert "token" in connection.remedy
    finally:
        await server.stop()
