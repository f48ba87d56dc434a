"""Which close codes bring the client back, and which end it: the boundaries, as a server sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cadenza_tui.centrifugo.codes import Local

if TYPE_CHECKING:
    from .between import Between
    from .broker import Broker
    from .conftest import Connect

RETRIED = [3000, 3001, 3011, 3499, 4000, 4499]
TERMINAL = [3500, 3501, 3503, 3999, 4500, 4999]
NEVER_ON_THE_WIRE = [0, 999, 1005, 1006, 2999, 5000]
"""A server can be told to use them, but a close frame cannot carry them."""


@pytest.mark.parametrize("code", RETRIED)
async def test_a_close_code_that_is_retried(broker: Broker, connect: Connect, code: int) -> None:
    """Below 3500, and from 4000 to 4499, the client goes back to connecting and connects again."""
    watched = connect(broker)
    await watched.log.event("connected")
    await broker.disconnect(watched.user, code, "of the test")
    lost = await watched.log.event("connecting")
    if code != 3000:  # the real server closes the bare connection for it
        assert lost[1] == code
    await watched.log.event("connected")


@pytest.mark.parametrize("code", TERMINAL)
async def test_a_close_code_that_is_terminal(broker: Broker, connect: Connect, code: int) -> None:
    """From 3500 to 3999, and from 4500 to 4999, the client ends with that code and the server's reason."""
    watched = connect(broker)
    await watched.log.event("connected")
    await broker.disconnect(watched.user, code, "of the test")
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (code, True)
    assert "of the test" in ended.reason
    assert ended.remedy
    assert watched.log.names() == ["connecting", "connected", "disconnected"]


@pytest.mark.parametrize("code", [1000, *NEVER_ON_THE_WIRE])
async def test_a_code_below_3000_or_from_5000_is_the_transport_s_and_retried(
    broker: Broker, connect: Connect, code: int
) -> None:
    """Whatever a server makes of such a code on the wire, the client comes back."""
    watched = connect(broker)
    await watched.log.event("connected")
    await broker.disconnect(watched.user, code)
    await watched.log.event("connecting")
    await watched.log.event("connected")


@pytest.mark.parametrize("code", [*RETRIED, 0, 1000, 2999, 5000])
async def test_a_disconnect_push_that_is_retried(
    broker: Broker, proxied: Between, connect: Connect, code: int
) -> None:
    """Said as a push in place of a close frame, the code decides the same, of whatever size it is."""
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    await proxied.push(disconnect={"code": code, "reason": "of the test"})
    await watched.log.event("connecting", code or Local.BY_SERVER)
    await watched.log.event("connected")


@pytest.mark.parametrize("code", TERMINAL)
async def test_a_disconnect_push_that_is_terminal(
    broker: Broker, proxied: Between, connect: Connect, code: int
) -> None:
    """Said as a push in place of a close frame, the code ends the client just so."""
    watched = connect(broker, url=proxied.url)
    await watched.log.event("connected")
    await proxied.push(disconnect={"code": code, "reason": "of the test"})
    ended = await watched.ended()
    assert (ended.code, ended.terminal) == (code, True)
