"""The program as the tests start it, its processes, and what stands on its screen."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

from tests.support.columns import column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PROGRAM = (sys.executable, "-m", "cadenza_tui")
DEMO = (*PROGRAM, "demo", "--seed", "7")
HAS_PROC = Path("/proc/self/stat").exists()


def running() -> dict[int, int]:
    """Return the parents of all processes that have not ended, by process id."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(stat.parent.name)] = int(parent)
    return parents


def command(pid: int) -> list[str]:
    """Return the command line of a process; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def below(pid: int) -> list[int]:
    """Return the processes somewhere below a process."""
    parents = running()
    found = []
    for child in parents:
        at = child
        while at in parents and at != pid:
            at = parents[at]
        if at == pid and child != pid:
            found.append(child)
    return found


def simulators_of(pid: int) -> list[int]:
    """Return the simulator processes somewhere below a process."""
    return [child for child in below(pid) if "simulate" in command(child)]


def wait_until(condition: Callable[[], object], what: str, within: float = 20.0) -> None:
    """Wait for something outside the terminal."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.02)  # another process: it has no event to be awaited here


def wait_for_ends(pids: Iterable[int], within: float) -> None:
    """Wait until none of these processes is there any more."""
    wanted = set(pids)
    wait_until(lambda: not wanted & set(running()), f"the end of {sorted(wanted)}", within)


def live(text: str) -> bool:
    """Whether a live two-sided book is shown."""
    return (
        "● live" in text.partition("\n")[0] and len(column(text, "bid")) > 3 and len(column(text, "ask")) > 3
    )


# --- a platform


class Simulator:
    """``cadenza-tui simulate`` on a port of its own choice, or on a given one."""

    def __init__(self, port: int, secret: str, seed: int) -> None:
        command = [*PROGRAM, "simulate", "--port", str(port), "--secret", secret, "--seed", str(seed)]
        self.process = subprocess.Popen(
            [*command, "--rate", "4", "--instruments", "2"], stdout=subprocess.PIPE, start_new_session=True
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.url, self.token = str(ready["url"]), str(ready["token"])

    def kill(self) -> None:
        """End it without a word to anybody."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def query(self, method: str, **data: Any) -> Any:
        """Return the server's own answer to one of the platform's queries."""
        with connect(self.url) as socket_:
            query = {"method": f"query.{method}", "data": data}
            socket_.send(json.dumps({"id": 1, "connect": {"token": self.token}}))
            socket_.send(json.dumps({"id": 2, "rpc": query}))
            while True:
                for line in str(socket_.recv(10)).splitlines():
                    reply = json.loads(line)
                    if reply.get("id") == 2:
                        return reply["rpc"]["data"]["data"]

    def book(self, instrument_id: str, depth: int) -> dict[str, Any]:
        """Return the server's own book."""
        book: dict[str, Any] = self.query("orderbook.get", instrumentId=instrument_id, depth=depth)
        return book

    def totals(self) -> dict[str, Decimal]:
        """Return what all accounts together hold of each asset."""
        held: dict[str, Decimal] = {}
        for portfolio in self.query("portfolio.list"):
            for balance in portfolio["balances"]:
                asset = balance["securitySymbol"]
                held[asset] = held.get(asset, Decimal(0)) + Decimal(balance["total"])
        return held


@contextmanager
def simulators() -> Iterator[Callable[[int], Simulator]]:
    """Return what starts a simulator of a seed, always on one port with one secret; all end with the test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = secrets.token_hex(32)
    started: list[Simulator] = []

    def start(seed: int) -> Simulator:
        started.append(Simulator(port, secret, seed))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.kill()
