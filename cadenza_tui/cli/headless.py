"""What the commands without a screen share: a feed beside a task, and stdout as a pipe that may close."""

from __future__ import annotations

import asyncio
import errno
import os
import select
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from click.exceptions import Exit

from cadenza_tui.cli.paper import Paper, paper_of
from cadenza_tui.errors import CadenzaError, Unauthorised
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.view.text import safe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from cadenza_tui.feed.worker import Feed

_POLL_S = 0.5
_ENDINGS = (signal.SIGTERM, signal.SIGHUP)


class Out:
    """Lines to stdout, flushed one by one. A closed pipe is noted, not raised: it may come in a callback."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.failure = ""
        """Why stdout cannot be written, other than that nobody reads it."""
        if sys.stdout is None:
            self._fail(os.strerror(errno.EBADF))

    @property
    def paper(self) -> Paper:
        """What stdout can show now: a terminal may have been resized."""
        return paper_of(sys.stdout, os.environ)

    def line(self, text: str) -> None:
        """Write one line for a program: UTF-8, whatever the locale."""
        self._write((text + "\n").encode())

    def text(self, text: str) -> None:
        """Write lines for a person, in what stdout can show."""
        encoding = sys.stdout.encoding or "ascii"
        self._write((self.paper.plain(text) + "\n").encode(encoding, "replace"))

    def _write(self, raw: bytes) -> None:
        if self.closed.is_set():
            return
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(raw)
            sys.stdout.buffer.flush()
        except OSError as error:
            self._fail("" if error.errno == errno.EPIPE else error.strerror or "it failed")

    def _fail(self, why: str) -> None:
        self.failure = why
        self.closed.set()

    async def watch(self) -> None:
        """Return when the reader of the pipe is gone, which a quiet market would not tell."""
        while not self.closed.is_set():
            if _hung_up():
                self.closed.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self.closed.wait()


def complain(text: str) -> None:
    """Write a line for a person to stderr, in what it can show; one that is closed is no failure."""
    paper = paper_of(sys.stderr, os.environ)
    with suppress(OSError, ValueError):
        encoding = sys.stderr.encoding or "ascii"
        sys.stderr.write(
            f"cadenza-tui: {paper.plain(safe(text))}\n".encode(encoding, "replace").decode(encoding)
        )
        sys.stderr.flush()


def _hung_up() -> bool:
    if not hasattr(select, "poll"):
        return False
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))


async def run_beside(
    feed: Feed, out: Out, work: Callable[[], Awaitable[None]] | None, trace: Path | None
) -> None:
    """Run the feed until ``work`` is done, the pipe is closed, or the server refused for good.

    Without ``work`` it goes on for as long as there is a reader. Raises what ``work`` raises,
    BrokenPipeError, Unauthorised for a refused token, CadenzaError for another refusal or a stdout that
    fails, and click's Exit (128 + its number) for a signal that ends it.
    """
    from cadenza_tui.feed.trace import Trace  # noqa: PLC0415  # where it is asked for

    tracing = None if trace is None else asyncio.create_task(Trace(trace, feed.market).run())
    running = asyncio.create_task(feed.run())
    watching = asyncio.create_task(out.watch())
    ended = _ended_by_signal()
    ends: set[asyncio.Future[Any]] = {running, watching, ended}
    if work is not None:
        ends.add(asyncio.ensure_future(work()))
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if out.failure:
            raise CadenzaError(f"stdout cannot be written: {out.failure}")
        if ended in done:
            raise Exit(128 + ended.result())
        for task in done - {running, watching}:
            task.result()
        if watching in done:
            raise BrokenPipeError(errno.EPIPE, "stdout is closed")
        if running in done:
            running.result()
            _raise_refusal(feed)
    finally:
        await feed.close()
        beside = [*ends] if tracing is None else [*ends, tracing]
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)


def _ended_by_signal() -> asyncio.Future[int]:
    """Return what holds the number of the first signal that asks for an end; one that is ignored stays so."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(number: int) -> None:
        if not ended.done():
            ended.set_result(number)

    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
                loop.add_signal_handler(number, end, int(number))
    return ended


def _raise_refusal(feed: Feed) -> None:
    connection = feed.market.health.connection
    sentence = f"{connection.url}: {connection.reason or connection.state}"
    if connection.state is ConnectionState.UNAUTHORISED:
        raise Unauthorised(sentence, remedy=connection.remedy or None)
    if connection.state is ConnectionState.DISCONNECTED:
        raise CadenzaError(sentence, remedy=connection.remedy or None)
