"""What a server does to its clients; each through a real socket, with the real feed behind a proxy."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace

import pytest

from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.health import ChannelState, ConnectionState
from cadenza_tui.market.state import Market
from cadenza_tui.market.trust import TrustState, book_trust
from cadenza_tui.simulator.commands import Close
from cadenza_tui.wire.channels import Kind
from tests.feed.waiting import eventually
from tests.soak.far_link import FarLink
from tests.support.truth import Truth, Watcher, book_digest

from .world import QUICK, SERVER, Shown, Tokens, world

INSTRUMENTS = ("BINANCE:BTC/USDT", "OKX:BTC/USDT", "BINANCE:ETH/USDT")


async def test_a_killed_server_is_marked_and_its_successors_books_replace_the_old_ones() -> None:
    """SIGKILL and a restart with another market: stale meanwhile, and no level of the old one is left."""
    truth, secret = Truth(), secrets.token_hex(32)
    watcher = Watcher(truth, stale_after=17.0, every=2)
    setup = {"seed": 1, "rate": 150, "instruments": 3, "secret": secret, "ping": 5.0, "pong_timeout": 4.0}
    far = FarLink(truth, setup | {"every": 2})
    settings = FeedSettings(far.url, token=Tokens(secret), pinned=INSTRUMENTS, options=QUICK)
    feed = Feed(Market(), settings, on_event=watcher.event)
    watcher.attach(feed)

    def live() -> bool:
        now = feed.now()
        return not any(
            book_trust(feed.market, name, feed.ingest.channel_of(Kind.BOOK, name), now).dimmed
            for name in INSTRUMENTS
        )

    await far.start()
    running = asyncio.create_task(feed.run())
    watching = asyncio.create_task(watcher.run())
    try:
        await eventually(lambda: live() and watcher.verified)
        connection = feed.market.health.connection
        epochs = {channel.epoch for channel in feed.market.health.channels.values()}
        await far.kill()
        await eventually(lambda: connection.attempts >= 1)
        assert connection.state is ConnectionState.CONNECTING
        shown = Shown("server killed and restarted", {"stale": connection.reason})
        await far.start()
        served = time.monotonic()
        await eventually(live)
        shown.recovery_s = time.monotonic() - served
        shown.write()
        verified = watcher.verified
        await eventually(lambda: watcher.verified > verified)
        assert watcher.samples[TrustState.STALE]
        assert connection.reconnects == 1
        assert not epochs & {channel.epoch for channel in feed.market.health.channels.values()}
        end = await far.do("freeze")
        await eventually(
            lambda: {name: book_digest(feed.market.book(name)) for name in INSTRUMENTS} == end["books"]
        )
        assert not watcher.violations
    finally:
        watching.cancel()
        await feed.close()
        await asyncio.gather(running, watching, return_exceptions=True)
        await far.stop()
    assert not far.complaints


async def test_a_broker_that_lost_its_history_is_not_trusted_about_it() -> None:
    """Every channel has a new epoch: nothing is recovered, so every book is replaced, and the loss told."""
    async with world() as here:
        async with here.fault("restart with new epochs") as shown:
            here.server.restart()
            await eventually(lambda: not here.live)
        assert shown.states["stale"]
        books = [here.feed.market.health.channels[here.book_channel(name)] for name in here.names]
        assert all(channel.gaps for channel in books)
        await here.settle()


async def test_a_client_that_is_too_slow_is_closed_and_comes_back_with_the_whole_book() -> None:
    """3008: the server's queue for us overflowed; what was missed is more than can be recovered."""
    server_options = replace(SERVER, queue_bytes=100_000, history=20)
    async with world(server_options=server_options) as here:
        async with here.fault("slow consumer, 3008") as shown:
            here.tcp.stall()
            connection = here.feed.market.health.connection
            while any(session.client for session in here.server.sessions):
                here.advance(1.0)
                await asyncio.sleep(0)
            here.tcp.flow()
            await eventually(lambda: connection.reconnects)
        assert shown.states["stale"]
        await here.settle()


@pytest.mark.parametrize("how", ["close frame", "disconnect push"])
@pytest.mark.parametrize("code", [1000, 3000, 3499, 4000, 4499])
async def test_a_code_that_may_pass_leads_back(code: int, how: str) -> None:
    """Below 3000, 3000 to 3499 and 4000 to 4499: another attempt, by itself."""
    async with world(instruments=1) as here:
        connection = here.feed.market.health.connection
        async with here.fault(f"code {code} by {how}") as shown:
            await (here.frames.close if how == "close frame" else here.frames.disconnect_push)(code, "so")
            await eventually(lambda: connection.reconnects == 1)
        assert shown.states["stale"]
        await here.settle()


@pytest.mark.parametrize("code", [0, 2999, 5000])
async def test_a_pushed_code_out_of_the_ranges_leads_back(code: int) -> None:
    """No close frame can carry these, a disconnect push can."""
    async with world(instruments=1) as here:
        connection = here.feed.market.health.connection
        async with here.fault(f"code {code} by disconnect push"):
            await here.frames.disconnect_push(code, "so")
            await eventually(lambda: connection.reconnects == 1)
        await here.settle()


@pytest.mark.parametrize("how", ["close frame", "disconnect push"])
@pytest.mark.parametrize("code", [1009, 3500, 3999, 4500, 4999])
async def test_a_code_that_is_final_ends_the_feed_and_says_why(code: int, how: str) -> None:
    """1009, 3500 to 3999 and 4500 to 4999: no other attempt; the books stay, marked, with what to do."""
    async with world(instruments=1) as here:
        name = here.names[0]
        await (here.frames.close if how == "close frame" else here.frames.disconnect_push)(code, "so it is")
        await eventually(here.running.done)
        trust = here.trust(name)
        assert trust.dimmed
        expected = TrustState.UNAUTHORISED if code == 3500 else TrustState.DISCONNECTED
        assert trust.state is expected
        assert trust.reason
        assert here.feed.market.health.connection.remedy
        assert len(here.tcp.attempts) == 1


@pytest.mark.parametrize("code", [2500, 2501, 2502])
async def test_an_unsubscribe_that_may_pass_is_followed_by_a_subscribe(code: int) -> None:
    """From 2500 on the channel is asked for again, on the same connection; the book is right afterwards."""
    async with world() as here:
        name = here.names[0]
        channel = here.book_channel(name)
        health = here.feed.market.health.channels[channel]
        since = health.since
        async with here.fault(f"unsubscribed with {code}"):
            here.server.evict(channel, code, "so")
            await eventually(lambda: health.since != since)
        assert here.feed.market.health.connection.reconnects == 0
        await here.settle()


async def test_an_unsubscribe_that_is_final_is_marked_on_its_book_alone() -> None:
    """2499: the book stays on screen, dimmed, with the reason; the others go on."""
    async with world() as here:
        first, second, *_ = here.names
        here.server.evict(here.book_channel(first), 2499, "not for you")
        await eventually(lambda: here.trust(first).state is TrustState.FAILED)
        assert "not for you" in here.trust(first).reason
        assert here.trust(first).dimmed
        assert not here.trust(second).dimmed
        assert here.feed.market.health.channels[here.book_channel(first)].state is ChannelState.FAILED


async def test_a_subscribe_that_is_never_answered_forces_a_new_connection() -> None:
    """The server may have taken it: a bare retry would be refused, so the connection is made anew."""
    async with world(options=replace(QUICK, reply_timeout=1.0)) as here:
        async with here.fault("subscribe never answered") as shown:
            here.frames.withhold_subscribes = True
            here.tcp.cut()
            attempts = len(here.tcp.attempts)
            await eventually(lambda: len(here.tcp.attempts) >= attempts + 2)
            here.frames.withhold_subscribes = False
        assert here.frames.hit["withheld"]
        assert "did not answer a subscribe" in " ".join(here.watcher.reasons)
        assert shown.states
        await here.settle()


async def test_a_token_that_expires_in_mid_session_is_renewed_without_a_gap() -> None:
    """The connection is told of the new token before the old one's time is over: nothing is ever marked."""
    async with world() as here:
        here.tokens.ttl = 1.0
        here.server.disconnect(Close.EXPIRED)
        await eventually(lambda: here.live and here.feed.market.health.connection.reconnects == 1)
        fetched, marked = here.tokens.fetched, here.watcher.samples.total()
        async with here.fault("token renewed in time"):
            await eventually(lambda: here.tokens.fetched >= fetched + 2)
        assert here.feed.market.health.connection.reconnects == 1
        assert here.watcher.samples.total() > marked
        await here.settle()


async def test_a_token_that_expired_brings_a_new_one() -> None:
    """3005 and then 109 for the old token: another is fetched, and the books are recovered."""
    async with world() as here:
        fetched = here.tokens.fetched
        async with here.fault("token expired") as shown:
            here.server.disconnect(Close.EXPIRED)
            await eventually(lambda: not here.live)
        assert "expired" in shown.states["stale"]
        assert here.tokens.fetched > fetched
        await here.settle()
