"""Connection tokens: expired, refreshed, refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.errors import Unauthorized

from .watching import eventually

if TYPE_CHECKING:
    from .between import Between
    from .broker import Broker
    from .conftest import Connect


class Source:
    """Mints tokens that last as long as the next of ``lasting`` says, the last of them for ever after."""

    def __init__(self, broker: Broker, user: str, *lasting: float | None) -> None:
        self.asked = 0
        self._broker, self._user, self._lasting = broker, user, lasting

    async def __call__(self) -> str:
        """Return a token."""
        lasting = self._lasting[min(self.asked, len(self._lasting) - 1)]
        self.asked += 1
        return self._broker.token(self._user, lasting)


async def test_a_token_is_refreshed_without_a_gap(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """At the end of the token's time another is sent, on the same connection, and the feed goes on."""
    channel, user = f"market:{unique}", f"user-{unique}"
    source = Source(broker, user, 1, 3600)
    watched = connect(broker, url=proxied.url, user=user, token=source)
    watched.client.subscribe(channel)
    await watched.log.subscribed(channel)
    sent = 0
    while not (refreshed := [line["refresh"] for line in proxied.heard if "refresh" in line]):
        await broker.publish(channel, sent)
        sent += 1
        await asyncio.sleep(0.05)  # so that there are some before, during and after
    await broker.publish(channel, sent)
    assert await watched.log.publications(channel, sent + 1) == [(n, n + 1) for n in range(sent + 1)]
    assert refreshed[0]["ttl"] > 3500
    assert watched.log.names().count("connected") == 1
    assert len(watched.log.of("subscribed", channel)) == 1
    assert source.asked == 2


async def test_a_refresh_whose_source_fails_is_tried_again_in_time(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """A source that fails once, within the grace of the server, costs nothing."""
    user = f"user-{unique}"
    minted = Source(broker, user, 1, 3600)
    failures = iter([False, True, False])

    async def source() -> str:
        if next(failures):
            raise OSError("no way")
        return await minted()

    watched = connect(broker, url=proxied.url, user=user, token=source)
    await watched.log.event("connected")
    await eventually(lambda: proxied.sent("refresh"))
    await watched.settle(broker, f"market:{unique}-fence")
    assert watched.log.names().count("connected") == 1


async def test_an_expired_token_at_connect_is_replaced(
    broker: Broker, proxied: Between, connect: Connect, unique: str
) -> None:
    """109 to the connect: the token is dropped, another one fetched, and that connects."""
    user = f"user-{unique}"
    source = Source(broker, user, -60, 3600)
    watched = connect(broker, url=proxied.url, user=user, token=source)
    await watched.log.event("connected")
    assert source.asked == 2
    assert len(watched.log.of("attempt_failed")) == 1


async def test_a_connection_that_expires_unrefreshed_is_closed_with_3005_and_comes_back(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """A source too slow for the grace: 3005, and a connection with its next token."""
    user = f"user-{unique}"
    minted = Source(broker, user, 1, 3600)
    lost = asyncio.Event()

    async def source() -> str:
        if minted.asked:
            await lost.wait()
        return await minted()

    watched = connect(broker, user=user, token=source)
    await watched.log.event("connected")
    await watched.log.event("connecting", 3005)
    lost.set()
    await watched.log.event("connected")


async def test_a_refresh_with_a_token_of_another_user_is_terminal(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """The server refuses it as invalid: 3500."""
    user = f"user-{unique}"
    tokens = iter([broker.token(user, 1), "not.a.token"])

    async def source() -> str:
        return next(tokens)

    watched = connect(broker, user=user, token=source)
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (3500, True)


async def test_a_source_that_turns_unauthorized_at_the_refresh_is_terminal(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """The session of the person is over: the client ends, with the source's remedy."""
    user = f"user-{unique}"
    minted = Source(broker, user, 1)

    async def source() -> str:
        if minted.asked:
            raise Unauthorized("signed out", remedy="sign in again")
        return await minted()

    watched = connect(broker, user=user, token=source)
    ended = await watched.ended()
    assert (ended.code, ended.terminal, ended.remedy) == (Local.UNAUTHORIZED, True, "sign in again")


async def test_no_token_is_told_in_a_log_of_the_client(broker: Broker, connect: Connect, unique: str) -> None:
    """Neither what is told to the listener nor the representations of the client hold a token."""
    user = f"user-{unique}"
    token = broker.token(user, 3600)

    async def source() -> str:
        return token

    watched = connect(broker, user=user, token=source)
    await watched.log.event("connected")
    await broker.disconnect(user, 3500, "invalid token")
    ended = await watched.ended()
    told = f"{watched.log.events!r} {ended!r} {watched.client!r} {watched.client.session!r}"
    assert token not in told


async def test_a_refresh_by_the_server_that_expired_closes_with_3005(
    broker: Broker, connect: Connect, unique: str
) -> None:
    """The server ends a connection's time: 3005, another token, and the client is back."""
    user = f"user-{unique}"
    source = Source(broker, user, None)
    watched = connect(broker, user=user, token=source)
    await watched.log.event("connected")
    await broker.refresh(user, expired=True)
    await watched.log.event("connecting", 3005)
    await watched.log.event("connected")
    assert source.asked == 2
