"""The two servers under the same tests."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from cadenza_tui.centrifugo.client import Client
from cadenza_tui.centrifugo.options import Options

from . import centrifugo, rpc_proxy
from .between import between
from .broker import Broker, RealBroker
from .simulated import SimulatedBroker
from .watching import Log, Watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from cadenza_tui.centrifugo.tokens import TokenSource

    from .between import Between

    Connect: TypeAlias = Callable[..., Watched]

SERVERS = ["centrifugo", "simulator"]
QUICK: dict[str, Any] = {
    "backoff_min": 0.02,
    "backoff_max": 0.2,
    "token_retry_min": 0.02,
    "token_retry_max": 0.05,
}


@pytest.fixture(scope="session")
def binary() -> Path:
    """The real server's program; without it the test is skipped, or fails in CI."""
    try:
        return centrifugo.find()
    except centrifugo.NoBinary as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def rpc_answers() -> Iterator[rpc_proxy.RpcProxy]:
    """Where the real servers ask for RPC answers."""
    yield from rpc_proxy.serving()


@pytest.fixture(scope="session")
def shared_process(
    binary: Path, rpc_answers: rpc_proxy.RpcProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[centrifugo.Process]:
    """One real server for all tests that leave it standing."""
    yield from centrifugo.running(binary, tmp_path_factory.mktemp("centrifugo"), rpc_answers.endpoint)


@pytest.fixture
def own_process(
    binary: Path, rpc_answers: rpc_proxy.RpcProxy, tmp_path: Path
) -> Iterator[centrifugo.Process]:
    """A real server for a test that ends it."""
    yield from centrifugo.running(binary, tmp_path, rpc_answers.endpoint)


@pytest.fixture(params=SERVERS)
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """A server that stays up."""
    if request.param == "centrifugo":
        process = request.getfixturevalue("shared_process")
        yield RealBroker(process, request.getfixturevalue("rpc_answers"))
        return
    simulated = SimulatedBroker()
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture(params=SERVERS)
async def own_broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """A server that the test may restart."""
    if request.param == "centrifugo":
        process = request.getfixturevalue("own_process")
        yield RealBroker(process, request.getfixturevalue("rpc_answers"))
        return
    simulated = SimulatedBroker()
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
def unique() -> str:
    """A word for the names of users and channels that no other test has."""
    return secrets.token_hex(6)


@pytest.fixture
async def connect(unique: str) -> AsyncIterator[Connect]:
    """Return a function that starts a client on a broker or a proxy to it, and closes it in the end."""
    started: list[Watched] = []

    def start(
        broker: Broker,
        *,
        user: str = "",
        url: str = "",
        token: TokenSource | None = None,
        run: bool = True,
        **options: Any,
    ) -> Watched:
        user = user or f"user-{unique}-{len(started)}"

        async def mint() -> str:
            return broker.token(user)

        log = Log()
        client = Client(url or broker.url, log, token=token or mint, options=Options(**{**QUICK, **options}))
        watched = Watched(client, log, user)
        started.append(watched)
        if run:
            watched.start()
        return watched

    yield start
    for watched in started:
        await watched.close()


@pytest.fixture
async def proxied(request: pytest.FixtureRequest) -> AsyncIterator[Between]:
    """A proxy to the broker of the test."""
    broker = request.getfixturevalue("broker")
    async with between(broker.url) as proxy:
        yield proxy
