"""What a network does to a connection; each through a real socket, with the real feed behind a proxy."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.market.trust import TrustState
from cadenza_tui.simulator.server import ServerOptions
from tests.feed.waiting import eventually

from .world import QUICK, SERVER, world

if TYPE_CHECKING:
    import pytest


async def test_a_reset_connection_is_made_anew_and_nothing_is_missed() -> None:
    """TCP reset: stale at once, with the reason; the books are recovered, not fetched."""
    async with world() as here:
        async with here.fault("TCP reset") as shown:
            here.tcp.cut()
            await eventually(lambda: not here.live)
        assert set(shown.states) <= {"live", "stale", "awaiting snapshot", "locked"}
        assert shown.states["stale"]
        assert here.feed.market.health.connection.reconnects == 1
        assert all(channel.gaps == 0 for channel in here.feed.market.health.channels.values())
        await here.settle()


async def test_a_half_open_link_is_given_up_after_the_ping_and_the_grace() -> None:
    """Half-open: TCP stays up and nothing comes; without a ping in time the feed connects anew."""
    options, server_options = replace(QUICK, dead_link_grace=0.5), replace(SERVER, ping=1.0, pong_timeout=0.9)
    async with world(options=options, server_options=server_options) as here:
        async with here.fault("half-open link") as shown:
            here.tcp.half_open()
            attempts = len(here.tcp.attempts)
            await eventually(lambda: len(here.tcp.attempts) > attempts)
        assert "no ping in time" in shown.states["stale"]
        await here.settle()


async def test_a_stall_of_a_minute_is_quiet_then_stale_then_over() -> None:
    """60 s: quiet after 5 s, stale after the ping's 25 s and 10 s more, when a new connection is tried."""
    server_options = replace(SERVER, ping=25.0, pong_timeout=20.0)
    async with world(server_options=server_options) as here:
        name = here.names[0]
        when: dict[str, float] = {}
        async with here.fault("stall of 60 s"):
            here.tcp.stall()
            await asyncio.sleep(0.05)  # what is on its way arrives
            attempts = len(here.tcp.attempts)
            start = here.clock.ahead
            while here.clock.ahead - start < 60:
                await here.jump(0.5)
                stalled = here.clock.ahead - start
                when.setdefault(str(here.trust(name).state), stalled)
                if stalled < 34:
                    assert here.connected
                    assert len(here.tcp.attempts) == attempts
                await asyncio.sleep(0.002)
            assert here.trust(name).dimmed
            await eventually(lambda: len(here.tcp.attempts) > attempts)
            here.tcp.flow()
        assert when["live"] == 0.5
        assert 4.5 <= when["quiet"] <= 5.5
        assert 34 <= when["stale"] <= 36
        await here.settle()


async def test_a_stall_shorter_than_the_dead_link_time_reconnects_nothing() -> None:
    """Ten seconds without a message: quiet, which is what it is; then all of it arrives and is right."""
    server_options = replace(SERVER, ping=25.0, pong_timeout=20.0)
    async with world(server_options=server_options) as here:
        name = here.names[0]
        async with here.fault("stall of 10 s") as shown:
            here.tcp.stall()
            await asyncio.sleep(0.05)
            await here.jump(10.0)
            trust = here.trust(name)
            assert trust.state is TrustState.QUIET
            assert trust.age_ns is not None
            assert trust.age_ns >= 10_000_000_000
            here.tcp.flow()
            await eventually(lambda: here.trust(name).state is TrustState.LIVE)
        assert "stale" not in shown.states
        assert len(here.tcp.attempts) == 1
        assert here.feed.market.health.connection.reconnects == 0
        await here.settle()


async def test_one_byte_at_a_time_is_slow_and_right() -> None:
    """Every frame arrives in pieces of one byte."""
    async with world(rate=40) as here:
        async with here.fault("1 byte at a time"):
            here.tcp.one_byte_at_a_time()
            before = here.feed.market.health.connection.messages
            await eventually(lambda: here.feed.market.health.connection.messages > before + 20)
            here.tcp.one_byte_at_a_time(False)
        assert here.feed.market.health.connection.rejected.total() == 0
        await here.settle()


async def test_frames_cut_and_merged_anywhere_are_read_as_they_were_sent() -> None:
    """No boundary of a read is a boundary of a frame."""
    async with world() as here:
        async with here.fault("frames cut and merged"):
            here.tcp.cut_anywhere(seed=11)
            before = here.feed.market.health.connection.messages
            await eventually(lambda: here.feed.market.health.connection.messages > before + 300)
            here.tcp.cut_anywhere(None)
        assert here.feed.market.health.rejected == 0
        assert here.feed.market.health.connection.reconnects == 0
        await here.settle()


async def test_a_server_that_refuses_is_tried_again_until_it_does_not() -> None:
    """The screen says why there is no connection, and each further attempt comes later."""
    async with world() as here:
        async with here.fault("connections refused") as shown:
            here.tcp.shut_door()
            here.tcp.cut()
            await eventually(lambda: here.feed.market.health.connection.attempts >= 4)
            assert "refuses the connection" in here.feed.market.health.connection.reason
            await here.tcp.open_door()
        assert shown.states["stale"]
        await here.settle()


class Virtual:
    """Time that passes only while the client waits between attempts."""

    def __init__(self) -> None:
        self.now = 0.0
        self.attempts: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Wait, in no time; the end of the wait is an attempt."""
        self.now += seconds
        self.attempts.append(self.now)
        await asyncio.sleep(0)


async def test_a_hundred_disconnects_in_a_minute_are_a_hundred_attempts() -> None:
    """No storm: one attempt for each loss, never two within the shortest wait, whatever the server does."""
    virtual = Virtual()
    options = replace(QUICK, backoff_min=0.5, backoff_max=20.0, random=lambda: 0.1, sleep=virtual.sleep)
    async with world(options=options, instruments=1, rate=30) as here:
        async with here.fault("100 disconnects in 60 s"):
            for number in range(100):
                connection = here.feed.market.health.connection
                await eventually(lambda: here.connected)
                here.tcp.cut()
                await eventually(lambda: connection.reconnects > number)  # noqa: B023
        assert virtual.now <= 60.0
        assert len(here.tcp.attempts) == 101
        assert len(virtual.attempts) == 100
        gaps = [later - at for at, later in zip(virtual.attempts, virtual.attempts[1:], strict=False)]
        assert min(gaps) >= 0.5
        await here.settle()


async def test_a_server_that_never_answers_the_handshake_is_asked_ever_more_rarely() -> None:
    """Connections that come to nothing are no success: 60 s hold eight attempts, not a hundred."""
    virtual = Virtual()
    options = replace(QUICK, backoff_min=0.5, backoff_max=20.0, random=lambda: 0.5, sleep=virtual.sleep)
    async with world(options=options, instruments=1, rate=30) as here:
        async with here.fault("handshakes refused"):
            here.tcp.refuse()
            here.tcp.cut()
            await eventually(lambda: virtual.now > 60)
            here.tcp.refuse(False)
        within = [at for at in virtual.attempts if at <= 60]
        assert within[:5] == [0.75, 1.75, 3.25, 5.75, 10.25]
        assert len(within) <= 9
        await here.settle()


async def test_a_name_that_cannot_be_resolved_is_tried_until_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolution fails and comes back: the screen says which name, and the feed finds its way."""
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo
    down = False

    async def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "localhost":
            return await resolve(host, *arguments, **options)
        if down:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return await resolve("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    async with world(url=lambda url: url.replace("127.0.0.1", "localhost")) as here:
        async with here.fault("name resolution fails") as shown:
            down = True
            here.tcp.cut()
            await eventually(lambda: here.feed.market.health.connection.attempts >= 2)
            assert "localhost cannot be resolved" in here.feed.market.health.connection.reason
            down = False
        assert shown.states["stale"]
        await here.settle()


def test_the_defaults_are_what_the_table_of_faults_says() -> None:
    """``docs/reliability.md`` speaks of these."""
    options, server = Options(), ServerOptions()
    assert (options.backoff_min, options.backoff_max) == (0.5, 20.0)
    assert (server.ping, options.dead_link_grace) == (25.0, 10.0)
    assert (options.open_timeout, options.reply_timeout) == (10.0, 10.0)
