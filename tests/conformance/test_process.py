"""The real server under test: found or named, and never left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from . import centrifugo
from .watching import eventually

if TYPE_CHECKING:
    from pathlib import Path

_STARTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.conformance.centrifugo import Process
process = Process(Path(sys.argv[1]), Path(sys.argv[2]), "http://127.0.0.1:1/rpc")
process.start()
print(process.port, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_server_ends_with_a_parent_that_is_killed(binary: Path, tmp_path: Path) -> None:
    """However the test session ends, even by SIGKILL, no server outlives it."""
    parent = subprocess.run(
        [sys.executable, "-c", _STARTS_AND_IS_KILLED, binary, tmp_path],
        stdout=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    port = int(parent.stdout)

    def refuses() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    asyncio.run(eventually(refuses))


def test_a_missing_binary_names_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has none is told how to get one."""
    monkeypatch.delenv("CADENZA_CENTRIFUGO", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(centrifugo.NoBinary, match="make centrifugo"):
        centrifugo.find()


def test_the_cache_folder_is_the_one_that_the_build_fills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.ci/centrifugo` finds a binary where the tests find it, and then builds nothing."""
    monkeypatch.delenv("CADENZA_CENTRIFUGO", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = tmp_path / "cadenza-tui" / f"centrifugo-{centrifugo.VERSION}" / "centrifugo"
    built.parent.mkdir(parents=True)
    built.write_text("#!/bin/sh\n")
    built.chmod(0o755)
    script = centrifugo.ROOT / ".ci" / "centrifugo"
    said = subprocess.run([script], capture_output=True, text=True, check=True, env=os.environ)
    assert said.stdout.strip() == str(built) == str(centrifugo.find())
