"""Over a real ``sshd``: what is seen by who watches balances from afar, and what a dropped session leaves."""

from __future__ import annotations

import os
import re
import shlex
import signal
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cadenza_tui
from tests.end_to_end.program import DEMO, HAS_PROC, PROGRAM, below, command, simulators, wait_for_ends
from tests.support import sshd
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(cadenza_tui.__file__).resolve().parent.parent
DROPPED_WITHIN = 2.0
"""Seconds after which a dropped session has left no process."""
REMOTE_ALLOWANCE = 20_000.0
"""Bytes that the largest frame over SSH may have, however fast the link; a local terminal gets more."""
ROW = re.compile(r"^\W*([A-Z0-9]{2,8})\s+([\d,]+(?:\.\d+)?)\s")

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="reads /proc")


@pytest.fixture(autouse=True)
def openssh() -> None:
    """Skip where sshd cannot be had; where everything must be tested that is a failure."""
    why = sshd.obstacle()
    if not why:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[sshd.Host]:
    """A host to log in to, whose users have nothing configured."""
    environment = {
        "LANG": "C.UTF-8",
        "COLORTERM": "truecolor",
        "XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"],
        "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
    }
    with sshd.host(tmp_path / "sshd", environment) as running:
        yield running


def remote(argv: Sequence[str], **environment: str) -> str:
    """Return the command line that a user's shell over there would run."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    return f"cd {shlex.quote(str(ROOT))} && exec env {shlex.join([*variables, *argv])}"


def totals(text: str) -> dict[str, Decimal]:
    """Return the totals by asset that the Account view shows."""
    shown: dict[str, Decimal] = {}
    in_totals = False
    for line in text.split("\n"):
        if "Totals by asset" in line or "Balances" in line:
            in_totals = True
        elif in_totals and not line.strip(" │"):
            break
        elif in_totals and (row := ROW.match(line)):
            try:
                shown[row[1]] = Decimal(row[2].replace(",", ""))
            except InvalidOperation:
                continue
    return shown


def allowance(text: str) -> float:
    """Return how many bytes a frame may take, as the Health view says; 0 where it does not."""
    found = re.search(r"([\d.]+) (B|KB) a frame", text)
    return float(found[1]) * (1000 if found[2] == "KB" else 1) if found else 0.0


def monitor_of(host_: sshd.Host) -> tuple[int, list[int]]:
    """Return the session's monitor, and every process of the session, sshd's own among them."""
    session = below(host_.server)
    (monitor,) = [pid for pid in session if "cadenza_tui" in command(pid) and "simulate" not in command(pid)]
    return monitor, session


def test_balances_over_ssh(host: sshd.Host) -> None:
    """They are the exchange's own to the last digit, at any size, and the link is spared as a remote one."""
    with simulators() as start:
        server = start(3)
        argv = (*PROGRAM, "--url", server.url, "--view", "account")
        watch = host.command(remote(argv, CADENZA_TOKEN=server.token))
        with Terminal(watch, columns=80, rows=24) as terminal:
            terminal.wait_for(lambda text: totals(text) != {} and totals(text) == server.totals())
            for columns, rows in ((120, 40), (80, 24)):
                terminal.resize(columns, rows)
                terminal.wait_for(
                    lambda text, rows=rows: (
                        "q quit" in text.split("\n")[rows - 1]  # type: ignore[misc]
                        and totals(text) == server.totals()
                    )
                )
            monitor, _ = monitor_of(host)
            assert b"\0SSH_CONNECTION=127.0.0.1 " in Path(f"/proc/{monitor}/environ").read_bytes()
            terminal.send("gh")
            terminal.wait_for(lambda text: 0 < allowance(text) <= REMOTE_ALLOWANCE)
            terminal.send("q")
            assert terminal.wait_for_end() == 0
            assert terminal.modes.left_on == set()
            assert terminal.settings == terminal.settings_before


@pytest.mark.parametrize("dropped", ["client", "server"])
def test_a_dropped_session_leaves_no_process(host: sshd.Host, dropped: str) -> None:
    """Whether the client is gone or the server's end of it: monitor and simulator end within two seconds."""
    with Terminal(host.command(remote((*DEMO, "--view", "account"))), columns=80, rows=24) as terminal:
        terminal.wait_for(lambda text: totals(text) != {})
        monitor, session = monitor_of(host)
        assert [pid for pid in below(monitor) if "simulate" in command(pid)]
        if dropped == "client":
            terminal.process.kill()
        else:
            for pid in [pid for pid in session if command(pid)[0].startswith("sshd")]:
                os.kill(pid, signal.SIGKILL)
        wait_for_ends(session, DROPPED_WITHIN)
