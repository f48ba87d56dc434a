"""The simulator as a process, and its pacing."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect

from cadenza_tui.errors import CadenzaError
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.pacing import HALT_NS, STEP_NS, Pacer
from cadenza_tui.simulator.run import serve
from cadenza_tui.simulator.server import Server

from .conftest import BOOK, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE = "from cadenza_tui.simulator.run import simulate; simulate(instruments=2, rate=200.0{})"


@pytest.fixture
def start() -> Iterator[Any]:
    """Return a function that starts the simulator as a child and reads its ready line."""
    children: list[subprocess.Popen[str]] = []

    def run(options: str = "") -> tuple[subprocess.Popen[str], dict[str, str]]:
        child = subprocess.Popen(
            [sys.executable, "-c", CODE.format(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        assert child.stdout is not None
        ready: dict[str, str] = json.loads(child.stdout.readline())
        return child, ready

    yield run
    for child in children:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(start: Any, number: signal.Signals) -> None:
    """Exit code 0, nothing on stderr, and nothing on stdout but the ready line."""
    child, ready = start()
    assert ready.keys() == {"url", "token", "rest"}
    child.send_signal(number)
    out, error = child.communicate(timeout=20)
    assert (child.returncode, out, error) == (0, "", "")


def test_the_end_of_stdin_ends_it(start: Any) -> None:
    """A parent that dies, however it dies, takes its child with it."""
    child, _ = start(", exit_with_stdin=True")
    child.stdin.close()
    assert child.wait(timeout=20) == 0


def test_a_file_for_stdin_is_a_sentence() -> None:
    """A file never ends the way a pipe from a parent does."""
    with open(__file__, encoding="utf-8") as file:
        ended = subprocess.run(
            [sys.executable, "-c", CODE.format(", exit_with_stdin=True")],
            stdin=file,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert ended.returncode == 1
    assert "stdin is a file" in ended.stderr


async def test_books_stream_from_the_process_at_the_walls_time(start: Any) -> None:
    """With the URL and token of the ready line a client gets a book whose times are now."""
    _, ready = start()
    async with connect(ready["url"], max_size=None, ping_interval=None) as socket:
        client = Client(socket)
        await client.call(connect={"token": ready["token"]})
        await client.subscribe(BOOK)
        async with asyncio.timeout(20):
            pushes = [await client.push() for _ in range(40)]
    assert pushes[0]["pub"]["data"]["updateType"] == "SNAPSHOT"
    assert abs(pushes[-1]["pub"]["data"]["timestamp"] - time.time() * 1000) < 5_000


def test_a_taken_port_is_an_error_sentence(start: Any) -> None:
    """A second simulator on the same port raises the sentence."""
    _, ready = start()
    port = int(ready["url"].split(":")[2].split("/")[0])

    async def second() -> None:
        await serve("127.0.0.1", port, instruments=1, stop=asyncio.Event(), on_ready=lambda *_: None)

    with pytest.raises(CadenzaError, match=f"127.0.0.1:{port}"):
        asyncio.run(second())


@pytest.mark.parametrize("rate", [0.0, -1.0, 1e9, float("nan")])
async def test_a_rate_out_of_bounds_is_a_sentence(rate: float) -> None:
    """Before anything is started."""
    with pytest.raises(CadenzaError, match="the rate is"):
        await serve(rate=rate, stop=asyncio.Event(), on_ready=lambda *_: None)


async def test_serving_ends_when_told_to() -> None:
    """``serve`` returns after ``stop`` is set, with its tasks gone."""
    stop = asyncio.Event()
    before = asyncio.all_tasks()
    await serve(instruments=1, stop=stop, on_ready=lambda *_: stop.set())
    assert asyncio.all_tasks() == before


def test_catching_up_is_done_in_bounded_steps() -> None:
    """However far behind, one call simulates one step at most."""
    exchange = Exchange(0, instruments=1, start_ns=time.time_ns() - 60 * 10**9)
    pacer = Pacer(Server(exchange, "secret"))
    before = exchange.now_ns
    pacer.catch_up()
    assert exchange.now_ns == before + STEP_NS


async def test_a_long_sleep_is_a_halt() -> None:
    """Behind by more than the bound, the exchange comes back to the present without simulating the gap."""
    exchange = Exchange(0, instruments=1, start_ns=time.time_ns() - HALT_NS - 3_600 * 10**9)
    pacing = asyncio.create_task(Pacer(Server(exchange, "secret")).run())
    async with asyncio.timeout(5):
        while exchange.now_ns < time.time_ns() - 10**9:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    pacing.cancel()
