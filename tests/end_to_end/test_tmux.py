"""In tmux, screen and mosh, as people run it for days: detached, resized, looked at twice, ended."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.program import DEMO, HAS_PROC, below, live, wait_for_ends
from tests.support import tmux
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCREEN = shutil.which("screen")
MOSH = shutil.which("mosh-server")
GONE_WITHIN = 2.0
"""Seconds in which a killed session takes the program and its children along."""
PREFIX = "\x02"

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="reads /proc")


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tmux.Server]:
    """A tmux server, of the type of terminal that a test asks for."""
    if tmux.TMUX is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs tmux")
        pytest.skip("needs tmux")
    with tmux.server(tmp_path, getattr(request, "param", "tmux-256color")) as running:
        yield running


def framed(text: str, columns: int, rows: int) -> bool:
    """Whether a live market fills a window of this size to its edges."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) != rows or not live(text) or "q quit" not in lines[-1]:
        return False
    borders = [line for line in lines if line.startswith(("╭", "│", "╰"))]
    return len(borders) >= rows - 4 and all(len(line) == columns and line[-1] in "╮│╯" for line in borders)


@pytest.mark.parametrize("server", ["tmux-256color", "screen-256color"], indirect=True)
def test_in_a_detached_window(server: tmux.Server) -> None:
    """Colours and borders are right, keys work, it follows the window's size, and ends with its session."""
    server.start(DEMO, 120, 40)
    server.wait_for(lambda text: framed(text, 120, 40))
    styled = server.screen(styled=True)
    assert {int(colour) for colour in re.findall(r"\x1b\[[\d;]*38;5;(\d+)", styled)} >= {72, 167}  # bid, ask
    server.resize(80, 24)
    server.wait_for(lambda text: framed(text, 80, 24))
    server.keys("ga")
    server.wait_for(lambda text: "╭─ Account" in text)
    server.keys("gm")
    server.resize(133, 43)
    server.wait_for(lambda text: framed(text, 133, 43))
    everybody = [server.pane(), *below(server.pane())]
    assert len(everybody) > 1
    server.kill_session()
    wait_for_ends(everybody, GONE_WITHIN)


def test_looked_at_from_several_terminals(server: tmux.Server) -> None:
    """Detached it goes on; attached again it shows the present; a second client may have another size."""
    server.start(DEMO, 120, 40)
    server.wait_for(live)
    with Terminal(server.attach(), columns=80, rows=24, environment=server.environment) as first:
        before = first.wait_for(lambda text: framed(text, 80, 24))
        first.send(PREFIX + "d")
        assert first.wait_for_end() == 0
        assert first.modes.left_on == set()
    with Terminal(server.attach(), columns=80, rows=24, environment=server.environment) as first:
        first.wait_for(lambda text: framed(text, 80, 24) and text != before)
        with Terminal(server.attach(), columns=120, rows=40, environment=server.environment) as second:
            second.wait_for(lambda text: framed(text, 120, 40))
            second.send("n")
            second.wait_for(lambda text: live(text) and "BTC/USDT OKX" in text.partition("\n")[0])
            first.send("n")
            first.wait_for(lambda text: live(text) and "ETH/USDT" in text.partition("\n")[0])
            second.send(PREFIX + "d")
            assert second.wait_for_end() == 0
        first.wait_for(lambda text: framed(text, 80, 24))


@pytest.mark.skipif(SCREEN is None, reason="there is no screen")
def test_in_screen(tmp_path: Path) -> None:
    """GNU screen takes it, too: live, detached and looked at again, ended with its session."""
    folder = tmp_path / "screens"
    folder.mkdir(mode=0o700)
    environment: dict[str, str | None] = {"SCREENDIR": str(folder), "COLORTERM": None}
    (tmp_path / "screenrc").write_text("startup_message off\naltscreen on\n")
    base = [str(SCREEN), "-U", "-c", str(tmp_path / "screenrc"), "-S", "watch"]
    with Terminal(
        [*base, "-T", "screen-256color", *DEMO], columns=80, rows=24, environment=environment
    ) as seen:
        before = seen.wait_for(lambda text: framed(text, 80, 24))
        seen.send("\x01d")
        seen.wait_for_end()
    with Terminal([*base[:4], "-r", "watch"], columns=100, rows=30, environment=environment) as seen:
        seen.wait_for(lambda text: framed(text, 100, 30) and text != before)
        (session,) = [int(name.name.partition(".")[0]) for name in folder.iterdir()]
        everybody = below(session)
        assert everybody
        quitting = {**os.environ, "SCREENDIR": str(folder)}
        subprocess.run([*base, "-X", "quit"], check=True, timeout=20, env=quitting)
        wait_for_ends(everybody, GONE_WITHIN)


@pytest.mark.skipif(MOSH is None, reason="there is no mosh")
def test_over_mosh() -> None:
    """Mosh keeps a screen of its own, and answers for the terminal; keys and sizes arrive, q ends it."""
    command = [str(MOSH), "new", "-i", "127.0.0.1", "-c", "256", "--", *DEMO]
    environment = {**os.environ, "TERM": "xterm-256color"}
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment, check=True)
    connect = re.search(r"MOSH CONNECT (\d+) (\S+)", said.stdout)
    server = re.search(r"pid = (\d+)", said.stderr)
    assert connect
    assert server
    client = ["mosh-client", "127.0.0.1", connect[1]]
    with Terminal(client, columns=100, rows=30, environment={"MOSH_KEY": connect[2]}) as seen:
        seen.wait_for(live)
        for columns, rows in ((80, 24), (100, 30)):
            seen.resize(columns, rows)
            seen.wait_for(lambda text, size=(columns, rows): framed(text, *size))  # type: ignore[misc]
        seen.send("n")
        seen.wait_for(lambda text: live(text) and "BTC/USDT OKX" in text.partition("\n")[0])
        everybody = below(int(server[1]))
        seen.send("q")
        assert seen.wait_for_end() == 0
        assert seen.modes.left_on == set()
        wait_for_ends(everybody, GONE_WITHIN)
