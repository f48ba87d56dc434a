"""The way out to terminals that take nothing, take little, or are gone."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import termios
import time
import tty
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.ui.writer import MOST_PENDING, TerminalWriter, ThreadWriter, Writer, open_writer, reopened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MORE_THAN_A_TERMINAL_HOLDS = b"x" * 100_000


class Pair:
    """A pseudo-terminal: the end a program writes to, and the end a terminal reads from."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)

    def read(self) -> bytes:
        """Take what is there."""
        try:
            return os.read(self.master, 1 << 16)
        except BlockingIOError:
            return b""

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self.master)
        self.master = -1


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Give a terminal."""
    pair = Pair()
    yield pair
    for fd in (pair.master, pair.slave):
        if fd >= 0:
            os.close(fd)


@pytest.fixture(params=["descriptor", "thread"])
def make(request: pytest.FixtureRequest) -> Callable[[Pair], Writer]:
    """Return what makes a writer of each kind."""
    if request.param == "thread":
        return lambda pair: ThreadWriter(os.dup(pair.slave), asyncio.get_running_loop())
    return lambda pair: open_writer(pair.slave, asyncio.get_running_loop())


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop go on until it is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # a writer tells the loop of nothing but its draining
            await asyncio.sleep(0)


async def received(pair: Pair, size: int) -> bytes:
    """Read slowly, as a link does, until so much has come."""
    data = b""
    async with asyncio.timeout(10):
        while len(data) < size:
            data += pair.read()
            await asyncio.sleep(0.001)  # the other end is no event of this loop
    return data


async def test_a_terminal_that_nobody_reads_makes_nobody_wait(
    pair: Pair, make: Callable[[Pair], Writer]
) -> None:
    """What it does not take stays pending, and each call returns at once."""
    writer = make(pair)
    started = time.monotonic()
    writer.write(MORE_THAN_A_TERMINAL_HOLDS)
    assert writer.pending > 0
    assert not writer.drain(0.05)
    assert writer.drop()
    writer.close()
    assert time.monotonic() - started < 1


async def test_what_was_pending_comes_whole_and_in_order(pair: Pair, make: Callable[[Pair], Writer]) -> None:
    """A terminal that reads slowly gets every byte once."""
    writer = make(pair)
    data = b"".join(b"%07d." % number for number in range(10_000))
    writer.write(data[:60_000])
    writer.write(data[60_000:])
    assert await received(pair, len(data)) == data
    await until(lambda: not writer.pending)
    writer.close()


@pytest.mark.parametrize("kind", [TerminalWriter, ThreadWriter])
async def test_whoever_waits_for_room_is_told(pair: Pair, kind: type[TerminalWriter | ThreadWriter]) -> None:
    """Once the terminal has taken what was pending, the loop hears of it."""
    drained = asyncio.Event()
    own = reopened(pair.slave) if kind is TerminalWriter else os.dup(pair.slave)
    assert own is not None
    writer = kind(own, asyncio.get_running_loop(), drained.set)
    writer.write(MORE_THAN_A_TERMINAL_HOLDS)
    assert not drained.is_set()
    await received(pair, len(MORE_THAN_A_TERMINAL_HOLDS))
    async with asyncio.timeout(5):
        await drained.wait()
    assert writer.pending == 0
    writer.close()


async def test_a_terminal_that_is_gone_takes_everything_and_keeps_nothing(
    pair: Pair, make: Callable[[Pair], Writer]
) -> None:
    """After a hang-up writes are dropped, and nothing is pending."""
    writer = make(pair)
    pair.hang_up()
    writer.write(b"x")
    await until(lambda: writer.gone)
    writer.write(b"x")
    assert writer.pending == 0
    writer.close()


async def test_a_hang_up_while_bytes_are_pending_is_noticed(pair: Pair) -> None:
    """The event loop finds out by itself, and watches no more."""
    writer = open_writer(pair.slave, asyncio.get_running_loop())
    writer.write(MORE_THAN_A_TERMINAL_HOLDS)
    pair.hang_up()
    await until(lambda: writer.gone)
    assert writer.pending == 0
    writer.close()


async def test_draining_waits_for_a_terminal_that_reads(pair: Pair) -> None:
    """The last words are written before the program ends."""
    writer = open_writer(pair.slave, asyncio.get_running_loop())
    writer.write(MORE_THAN_A_TERMINAL_HOLDS)
    reading = asyncio.get_running_loop().run_in_executor(None, _read_all, pair)
    await asyncio.to_thread(lambda: None)
    assert writer.drain(10)
    writer.close()
    assert await reading == len(MORE_THAN_A_TERMINAL_HOLDS)


def _read_all(pair: Pair) -> int:
    size = 0
    end = time.monotonic() + 10
    while size < len(MORE_THAN_A_TERMINAL_HOLDS) and time.monotonic() < end:
        size += len(pair.read())
    return size


async def test_what_is_kept_has_a_bound(pair: Pair, make: Callable[[Pair], Writer]) -> None:
    """However much is written to a stopped terminal, only so much is remembered."""
    writer = make(pair)
    for _ in range(20):
        writer.write(MORE_THAN_A_TERMINAL_HOLDS)
    assert writer.pending <= MOST_PENDING + 2 * len(MORE_THAN_A_TERMINAL_HOLDS)
    writer.drop()
    writer.close()


async def test_the_shells_descriptors_keep_their_flags(pair: Pair) -> None:
    """Only a description of our own becomes non-blocking."""
    before = fcntl.fcntl(pair.slave, fcntl.F_GETFL)
    writer = open_writer(pair.slave, asyncio.get_running_loop())
    assert isinstance(writer, TerminalWriter)
    writer.write(b"x")
    assert fcntl.fcntl(pair.slave, fcntl.F_GETFL) == before
    assert not before & os.O_NONBLOCK
    writer.close()


async def test_a_loop_that_cannot_watch_a_terminal_looks_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no readiness is told, the rest is written all the same."""
    loop = asyncio.get_running_loop()

    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(loop, "add_writer", refuse)
    writer = open_writer(pair.slave, loop)
    writer.write(MORE_THAN_A_TERMINAL_HOLDS)
    assert len(await received(pair, len(MORE_THAN_A_TERMINAL_HOLDS))) == len(MORE_THAN_A_TERMINAL_HOLDS)
    writer.close()


def test_what_is_no_terminal_is_not_opened_again() -> None:
    """A pipe has no name: a thread will write to it."""
    reader, writer = os.pipe()
    try:
        assert reopened(writer) is None
    finally:
        os.close(reader)
        os.close(writer)


def test_a_reopened_terminal_is_the_same_one(pair: Pair) -> None:
    """What is written there comes out at the other end of this one."""
    own = reopened(pair.slave)
    assert own is not None
    os.write(own, b"here")
    assert pair.read() == b"here"
    assert termios.tcgetattr(own) == termios.tcgetattr(pair.slave)
    os.close(own)
