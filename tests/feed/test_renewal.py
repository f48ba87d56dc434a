"""A feed that outlives its access tokens: they are renewed over REST, and the feed does not notice."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.credentials.rest import Rest
from cadenza_tui.credentials.session import Session
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.state import Market
from cadenza_tui.simulator import tokens
from cadenza_tui.simulator.auth import Auth
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.server import Server, ServerOptions
from tests.credentials.support import PROFILE, auth_server, file_store, log_in

from .waiting import eventually
from .world import World

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

OPTIONS = Options(backoff_min=0.05, backoff_max=0.2, token_retry_min=0.1, token_retry_max=0.2)
GRACE_S = 1.5


async def test_tokens_of_seconds_are_renewed_without_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refresh brings the server a newer token; nothing is reconnected and no publication is missing."""
    seen: list[str] = []
    verify = tokens.verify

    def spy(secret: str, token: str) -> tokens.Claims:
        seen.append(token)
        return verify(secret, token)

    monkeypatch.setattr(tokens, "verify", spy)
    secret = secrets.token_hex(32)
    exchange = Exchange(3, instruments=2, rate=400, start_ns=time.time_ns())
    server = Server(exchange, secret, ServerOptions(expired_close_delay=GRACE_S))
    await server.start("127.0.0.1", 0)
    auth, store = Auth(secret, access_seconds=2.0), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store)
        source = Session(PROFILE, Rest(url), store)
        await source.probe()
        feed = Feed(Market(), FeedSettings(server.url, token=source, options=OPTIONS))
        running = asyncio.create_task(feed.run())
        here = World(exchange, server, feed)
        try:
            await feed.bootstrapped.wait()
            await here.in_step()
            async with asyncio.timeout(20):
                while len(seen) < 4:
                    here.advance()
                    await asyncio.sleep(0.02)
            await here.in_step()
            connection = feed.market.health.connection
            assert (connection.state, connection.reconnects) == (ConnectionState.CONNECTED, 0)
            assert len(set(seen)) == len(seen)
            assert auth.renewals >= 3
            channels = feed.market.health.channels.values()
            assert sum(channel.messages for channel in channels) > 100
            assert not any(channel.gaps or channel.resyncs for channel in channels)
        finally:
            await feed.close()
            await running
            await server.stop()


async def test_a_login_that_is_over_ends_the_feed_with_the_command(tmp_path: Path) -> None:
    """Unauthorised, with the server's words and what to run."""
    auth, store = Auth("s" * 32), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store, access=False)
        auth.revoke()
        source = Session(PROFILE, Rest(url), store)
        feed = Feed(Market(), FeedSettings("ws://127.0.0.1:9/", token=source, options=OPTIONS))
        async with asyncio.timeout(10):
            await feed.run()
    connection = feed.market.health.connection
    assert connection.state is ConnectionState.UNAUTHORISED
    assert "Refresh Token Not Found" in connection.reason
    assert connection.remedy == "run `cadenza-tui login --profile desk`"


async def test_a_rest_server_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """The feed keeps trying, says why, and connects once it is back."""
    secret = secrets.token_hex(32)
    server = Server(Exchange(3, instruments=1, rate=10, start_ns=time.time_ns()), secret)
    await server.start("127.0.0.1", 0)
    auth, store = Auth(secret), file_store(tmp_path)
    async with auth_server(auth) as url:
        await log_in(Rest(url), store, access=False)
    source = Session(PROFILE, Rest(url), store)
    feed = Feed(Market(), FeedSettings(server.url, token=source, options=OPTIONS))
    running = asyncio.create_task(feed.run())
    connection = feed.market.health.connection
    try:
        await eventually(lambda: "127.0.0.1 refuses the connection" in connection.reason)
        from cadenza_tui.simulator.http import Http

        http = Http(auth.routes())
        await http.start(port=int(url.rpartition(":")[2]))
        try:
            await eventually(lambda: connection.state is ConnectionState.CONNECTED)
        finally:
            await http.stop()
    finally:
        await feed.close()
        await running
        await server.stop()
