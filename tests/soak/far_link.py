"""This side's hold on the far side's process: start, command, kill, and what it tells."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.support.truth import Place

if TYPE_CHECKING:
    from tests.support.truth import Truth

_LONGEST_LINE = 64 * 1024 * 1024


class FarGone(Exception):
    """The far side ended while an answer was awaited."""


class FarLink:
    """The far side, in its present life; ``starts`` counts its lives."""

    def __init__(self, truth: Truth, setup: dict[str, Any]) -> None:
        self.truth = truth
        self.setup = setup | {"port": _free_port()}
        self.url = f"ws://127.0.0.1:{self.setup['port']}/connection/websocket"
        self.starts = 0
        self.complaints: list[str] = []
        """What the far side wrote to stderr: it should not have to."""
        self._process: asyncio.subprocess.Process | None = None
        self._reading: list[asyncio.Task[None]] = []
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Start it, with another market each time, and wait until it serves."""
        self._ready.clear()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "tests.soak.far_side"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        setup = self.setup | {"seed": self.setup["seed"] + self.starts}
        self.starts += 1
        self._process.stdin.write(json.dumps(setup).encode() + b"\n")
        self._reading = [
            asyncio.create_task(self._read(self._process.stdout)),
            asyncio.create_task(self._listen(self._process.stderr)),
        ]
        async with asyncio.timeout(30):
            await self._ready.wait()

    async def kill(self) -> None:
        """End it with SIGKILL."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await self._gone(process)

    async def stop(self) -> None:
        """End it by ending its stdin; it has a moment to leave."""
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            self.complaints.append("it did not end when its stdin did")
        await self.kill()

    def pause(self, paused: bool) -> None:
        """Stop the process as it stands, or let it go on."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    async def do(self, what: str, **arguments: object) -> Any:
        """Give a command and return the answer; raises FarGone."""
        process = self._process
        if process is None or process.stdin is None:
            raise FarGone
        self._number += 1
        number = self._number
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        process.stdin.write(json.dumps({"id": number, "do": what, **arguments}).encode() + b"\n")
        try:
            async with asyncio.timeout(20):
                return await answer
        finally:
            self._answers.pop(number, None)

    async def _gone(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        await asyncio.gather(*self._reading, return_exceptions=True)
        self._process = None
        process._transport.close()  # type: ignore[attr-defined]

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            try:
                told = json.loads(line)
            except ValueError:
                continue  # cut off by the end of the process
            if "facts" in told:
                for channel, epoch, offset, fact in told["facts"]:
                    self.truth.tell(Place(channel, epoch, offset), fact)
                self.truth.tops(
                    {
                        sys.intern(channel): (sys.intern(top[0]), top[1])
                        for channel, top in told["tops"].items()
                        if "orderBook" in channel
                    }
                )
            elif "did" in told:
                answer = self._answers.get(told["did"])
                if answer is not None and not answer.done():
                    answer.set_result(told["answer"])
            else:
                self._ready.set()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(FarGone("it ended"))

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while line := await stderr.readline():
            if len(self.complaints) < 50:
                self.complaints.append(line.decode(errors="replace").rstrip())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
