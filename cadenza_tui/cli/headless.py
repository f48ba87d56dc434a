"""What the commands without a screen share: a feed beside a task, and stdout as a pipe that may close."""

from __future__ import annotations

import asyncio
import errno
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from cadenza_tui.errors import CadenzaError
from cadenza_tui.market.health import ConnectionState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from cadenza_tui.feed.worker import Feed

_POLL_S = 0.5


class Out:
    """Lines to stdout, flushed one by one. A closed pipe is noted, not raised: it may come in a callback."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def line(self, text: str) -> None:
        """Write one line."""
        if self.closed.is_set():
            return
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            self.closed.set()

    async def watch(self) -> None:
        """Return when the reader of the pipe is gone, which a quiet market would not tell."""
        while not self.closed.is_set():
            if _hung_up():
                self.closed.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self.closed.wait()


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
    BrokenPipeError, and CadenzaError for a refusal.
    """
    from cadenza_tui.feed.trace import Trace  # noqa: PLC0415  # where it is asked for

    tracing = None if trace is None else asyncio.create_task(Trace(trace, feed.market).run())
    running = asyncio.create_task(feed.run())
    watching = asyncio.create_task(out.watch())
    ends = {running, watching}
    if work is not None:
        ends.add(asyncio.ensure_future(work()))
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
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


def _raise_refusal(feed: Feed) -> None:
    connection = feed.market.health.connection
    if connection.state in {ConnectionState.UNAUTHORISED, ConnectionState.DISCONNECTED}:
        raise CadenzaError(
            f"{connection.url}: {connection.reason or connection.state}", remedy=connection.remedy or None
        )
