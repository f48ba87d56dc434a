"""What the live feed says of its token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.credentials import sources
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.state import Market

from .feeding import QUICK

if TYPE_CHECKING:
    from .scripted import ScriptedServer

pytestmark = pytest.mark.usefixtures("impatient")


async def test_a_refused_token_ends_as_unauthorised(server: ScriptedServer) -> None:
    """Nothing is raised; the reason and what to do stand in the health."""
    source = sources.fixed("a.b.c")
    feed = Feed(Market(), FeedSettings(server.url, token=source, options=QUICK))
    running = asyncio.create_task(feed.run())
    await server.until(lambda: bool(server.commands))
    await server.drop(3500, "invalid token")
    await running
    connection = feed.market.health.connection
    assert connection.state is ConnectionState.UNAUTHORISED
    assert "token" in connection.reason
    assert "CADENZA_TOKEN" in connection.remedy
    assert "a.b.c" not in repr(feed.market.health)


async def test_a_server_that_wants_a_token_is_unauthorised_without_one(server: ScriptedServer) -> None:
    """A connect without a token that is refused as bad says that a token is missing."""
    feed = Feed(Market(), FeedSettings(server.url, options=QUICK))
    running = asyncio.create_task(feed.run())
    await server.until(lambda: bool(server.commands))
    await server.drop(3501, "bad request")
    await running
    connection = feed.market.health.connection
    assert (connection.state, connection.reason) == (ConnectionState.UNAUTHORISED, "the server wants a token")
    assert connection.remedy


async def test_an_expired_token_of_the_environment_ends_before_a_connection(server: ScriptedServer) -> None:
    """It cannot get better by itself, and it is not sent."""
    expired = "e30.eyJleHAiOjEwMDB9.x"
    feed = Feed(Market(), FeedSettings(server.url, token=sources.fixed(expired), options=QUICK))
    await feed.run()
    connection = feed.market.health.connection
    assert connection.state is ConnectionState.UNAUTHORISED
    assert "expired" in connection.reason
    assert not server.commands
