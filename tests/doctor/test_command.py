"""The command as a person runs it: a process of its own, against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from typing import TYPE_CHECKING

import pytest

from tests.doctor.rig import BTC, SECRET, token, unused_port
from tests.feed.scripted import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_S = 60


async def started(home: Path, *arguments: str, bearing: str | None = None) -> Process:
    """Start the command with an environment of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CADENZA")}
    environ |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONIOENCODING": "utf-8"}
    environ["CADENZA_TOKEN"] = token(exp=time.time() + 3_600) if bearing is None else bearing
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cadenza_tui", "doctor", *arguments, stdout=PIPE, stderr=PIPE, env=environ
    )


async def run(home: Path, *arguments: str, bearing: str | None = None) -> tuple[int | None, str, str]:
    """Run the command; return its exit code and what it said."""
    process = await started(home, *arguments, bearing=bearing)
    async with asyncio.timeout(WITHIN_S):
        out, err = await process.communicate()
    assert SECRET not in (out + err).decode()
    return process.returncode, out.decode(), err.decode()


async def test_a_server_that_is_well_ends_with_0(tmp_path: Path) -> None:
    """One line a check, without colour into a pipe, and the token never."""
    async with ScriptedServer() as server:
        server.on_connect = lambda _: {"time": int(time.time() * 1_000)}
        server.rpc["query.instrument.list"] = lambda _: [
            {"instrumentId": BTC, "venue": "BINANCE", "symbol": "BTC/USDT"}
        ]
        code, out, err = await run(tmp_path, "--url", server.url + "?apikey=hidden")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "hidden" not in out
    assert "✓ ok      connect" in out
    assert "· skipped terminal" in out
    assert out.rstrip().endswith("9 ok · 1 skipped")


async def test_a_server_that_is_not_there_ends_with_4_and_json_is_one_object(tmp_path: Path) -> None:
    """Whatever failed, the object is whole."""
    url = f"ws://127.0.0.1:{unused_port()}/x"
    code, out, err = await run(tmp_path, "--url", url, "--json")
    assert (code, err) == (4, "")
    told = json.loads(out)
    assert (told["ok"], told["url"]) == (False, url)
    by_name = {check["name"]: check["outcome"] for check in told["checks"]}
    assert (by_name["TCP"], by_name["connect"]) == ("fail", "skipped")


@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        (
            "[profiles.prod]\nacounts = []\n",
            "config.toml:2: profiles.prod.acounts is not a key",
            "'accounts'",
        ),
        ("[profiles.desk]\nurl = 'ws://far.example/'\n", "unencrypted", "wss://"),
        ("[profiles.desk]\nurl = 'wss://far.example/'\nca_file = 'none.pem'\n", "none.pem", ""),
    ],
    ids=["unknown key", "ws off loopback", "no such authority"],
)
async def test_a_configuration_that_cannot_be_used_is_a_finding(
    tmp_path: Path, text: str, says: str, remedy: str
) -> None:
    """Not the end of the command: the terminal is looked at all the same."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    code, out, _ = await run(tmp_path, "--config", str(path))
    assert code == 2
    assert "✗ fail    configuration" in out
    assert says in out
    assert remedy in out
    assert "skipped terminal" in out


async def test_a_token_that_is_refused_ends_with_3(tmp_path: Path) -> None:
    """Whether the server refuses it, or it is expired before it is sent."""
    async with ScriptedServer() as server:
        server.close_with = (3500, "invalid token")
        code, out, _ = await run(tmp_path, "--url", server.url)
        assert (code, "✗ fail    connect" in out) == (3, True)
        code, out, _ = await run(tmp_path, "--url", server.url, bearing=token(exp=1_000.0))
        assert (code, "✗ fail    token" in out) == (3, True)


async def test_queries_that_fail_end_with_1(tmp_path: Path) -> None:
    """As what has no code of its own."""
    async with ScriptedServer() as server:
        code, out, _ = await run(tmp_path, "--url", server.url)
        assert (code, "✗ fail    queries" in out) == (1, True)


async def test_a_profile_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """With the nearest name."""
    code, out, _ = await run(tmp_path, "--profile", "prd")
    assert code == 2
    assert "there is no profile 'prd'" in out
    assert "did you mean 'prod'?" in out


async def test_an_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    """With 130, no traceback, and the connection closed."""
    async with ScriptedServer() as server:
        server.mute = True
        process = await started(tmp_path, "--url", server.url)
        await server.until(lambda: bool(server.commands))
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
    assert process.returncode == 130
    assert err.decode() == ""
    assert "ok      TLS" in out.decode()
