"""The real program in a real pseudo-terminal, on the real simulator process."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.simulator.exchange import Exchange
from tests.end_to_end.program import (
    DEMO,
    HAS_PROC,
    PROGRAM,
    live,
    running,
    simulators,
    simulators_of,
    wait_until,
)
from tests.support.columns import column
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

BITCOIN = "BINANCE:BTC/USDT"
pytestmark = pytest.mark.skipif(not HAS_PROC, reason="reads /proc")


# --- what stands on the screen


def named(text: str) -> str:
    """Return symbol and venue from the top line."""
    return " ".join(text.partition("\n")[0].split()[:2])


def ladder(text: str) -> list[str]:
    """Return the prices of the book pane, mid included."""
    return column(text, "price")


def equals(text: str, book: dict[str, Any], depth: int) -> bool:
    """Whether the ladder's best levels are the book's, digit by digit."""

    def both(rows: list[list[str]]) -> list[tuple[str, str]]:
        return [(f"{int(p.partition('.')[0]):,}.{p.partition('.')[2]}", q) for p, q in rows[:depth]]

    asks, bids = both(book["asks"])[::-1], both(book["bids"])
    prices, bid_sizes, ask_sizes = ladder(text), column(text, "bid"), column(text, "ask")[-depth:]
    wanted = [price for price, _ in asks]
    if not wanted or wanted[-1] not in prices:
        return False
    middle = prices.index(wanted[-1]) + 1
    return (
        prices[middle - depth : middle] == wanted
        and prices[middle + 1 : middle + 1 + depth] == [price for price, _ in bids]
        and ask_sizes == [size for _, size in asks]
        and [size for _, size in bids]
        in (bid_sizes[:depth], bid_sizes[1 : depth + 1])  # the spread may be first
    )


# --- the demo


def test_the_demo_shows_a_moving_market() -> None:
    """A two-sided book that changes, a tape and balances; keys switch, the size changes live."""
    with Terminal(DEMO) as terminal:
        first = terminal.wait_for(lambda text: live(text) and "Market making" in text and "USDT  " in text)
        assert named(first) == "BTC/USDT BINANCE"
        terminal.wait_for(lambda text: ladder(text) != ladder(first))
        terminal.wait_for(lambda text: bool(re.search(r"\d\d:\d\d:\d\d\.\d{3} [▲▼] 6\d,\d{3}\.\d\d", text)))
        terminal.send("n")
        terminal.wait_for(lambda text: named(text) == "BTC/USDT OKX" and live(text))
        terminal.send("/")
        terminal.wait_for(lambda text: "Find an instrument" in text)
        terminal.send("eth bin\r")
        terminal.wait_for(lambda text: named(text) == "ETH/USDT BINANCE" and live(text))
        terminal.send("2")
        terminal.wait_for(lambda text: named(text) == "BTC/USDT OKX" and live(text))
        for columns, rows in ((80, 24), (200, 60), (120, 40)):
            terminal.resize(columns, rows)
            terminal.wait_for(
                lambda text, rows=rows: live(text) and "q quit" in text.split("\n")[rows - 1]  # type: ignore[misc]
            )


def test_keys_that_come_at_once_are_taken_in_turn() -> None:
    """A link hands over keys in bursts: what opens a prefix or the picker is acted on before the next key."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        terminal.send("2gh")
        terminal.wait_for(lambda text: "╭─ Health" in text and named(text) == "BTC/USDT OKX")
        terminal.send("gm/eth bin\r")
        terminal.wait_for(lambda text: named(text) == "ETH/USDT BINANCE" and live(text))


def test_quitting_leaves_the_terminal_as_it_was() -> None:
    """Exit code 0, the first screen and the cursor back, nothing typed into the shell, no child left."""
    shell = (
        '"$@"; code=$?; stty -icanon -echo min 0 time 3; '
        'printf "left <%s> code %s." "$(dd bs=64 count=1 2>/dev/null | od -An -c)" $code'
    )
    with Terminal(["/bin/sh", "-c", shell, "sh", *DEMO]) as terminal:
        terminal.wait_for(live)
        (simulator,) = simulators_of(terminal.process.pid)
        terminal.send("q")
        terminal.wait_for(lambda text: "left <> code 0." in text)
        assert terminal.wait_for_end() == 0
        left = terminal.raw_tail.rpartition(b"\x1b[?1049l")
        assert left[1]
        assert b"\x1b[?25h" in terminal.raw_tail
        after = re.sub(rb"\x1b\[[?>=<]?[\d;]*[a-zA-Z]", b"", left[2])
        assert after.replace(b"\r", b"").strip() == b"left <> code 0."
        wait_until(lambda: simulator not in running(), "the end of the simulator")


def test_a_terminated_monitor_leaves_the_terminal_as_it_was() -> None:
    """SIGTERM leaves as q does: the alternate screen left, the cursor shown, the signal's exit code."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        terminal.process.terminate()
        assert terminal.wait_for_end() == 128 + 15
        assert b"\x1b[?1049l" in terminal.raw_tail
        assert b"\x1b[?25h" in terminal.raw_tail


def test_a_killed_monitor_takes_its_simulator_along() -> None:
    """SIGKILL leaves no time to clean up, and none is needed."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        (simulator,) = simulators_of(terminal.process.pid)
        terminal.process.kill()
        terminal.process.wait()
        wait_until(lambda: simulator not in running(), "the end of the simulator")


def test_a_terminal_that_goes_away_takes_the_monitor_along() -> None:
    """A monitor whose terminal is gone ends, as does its simulator, instead of reading nothing for ever."""
    with Terminal(DEMO) as terminal:
        terminal.wait_for(live)
        (simulator,) = simulators_of(terminal.process.pid)
        terminal.hang_up()
        terminal.process.wait(20)
        wait_until(lambda: simulator not in running(), "the end of the simulator")


def test_a_terminal_that_goes_away_under_nohup_takes_the_monitor_along() -> None:
    """The signal that would end it is ignored there; a screen that is gone for good is no use to anybody."""
    with Terminal(["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *DEMO]) as terminal:
        terminal.wait_for(live)
        (simulator,) = simulators_of(terminal.process.pid)
        terminal.hang_up()
        terminal.process.wait(20)
        wait_until(lambda: simulator not in running(), "the end of the simulator")


def test_a_terminal_that_never_answers_gets_frames() -> None:
    """Nothing comes back for ESC[6n, and yet the market moves and keys work."""
    with Terminal(DEMO, answers=False) as terminal:
        first = terminal.wait_for(live)
        second = terminal.wait_for(lambda text: live(text) and ladder(text) != ladder(first))
        terminal.wait_for(lambda text: live(text) and ladder(text) != ladder(second))
        terminal.send("n")
        terminal.wait_for(lambda text: named(text) == "BTC/USDT OKX" and live(text))


def test_a_slow_terminal_gets_fewer_frames_and_none_that_are_old(tmp_path: Path) -> None:
    """At 20 kB/s a key is answered within two seconds' worth of bytes; frames are skipped."""
    trace = tmp_path / "trace.ndjson"
    demo = (*DEMO, "--rate", "1000", "--trace", str(trace))
    with Terminal(demo, columns=200, rows=60, bytes_per_second=20_000) as terminal:
        terminal.wait_for(live)
        for key, name in (("n", "BTC/USDT OKX"), ("3", "ETH/USDT BINANCE"), ("1", "BTC/USDT BINANCE")):
            before = terminal.bytes_read
            terminal.send(key)
            terminal.wait_for(lambda text, name=name: named(text) == name)  # type: ignore[misc]
            assert terminal.bytes_read - before < 40_000

        def skipped(_text: str) -> bool:
            lines = trace.read_text().splitlines() if trace.exists() else []
            return any(json.loads(line)["skipped"] for line in lines)

        terminal.wait_for(skipped)


# --- a server that dies


def test_a_killed_server_is_said_and_a_restarted_one_found_again() -> None:
    """Stale and dimmed while it is away; then live by itself, and the book is the new server's own."""
    with simulators() as start:
        server = start(1)
        environment = {"CADENZA_TOKEN": server.token}
        argv = (*PROGRAM, BITCOIN, "--url", server.url)
        with Terminal(argv, environment=environment) as terminal:
            terminal.wait_for(lambda text: live(text) and equals(text, server.book(BITCOIN, 6), 6))
            server.kill()
            text = terminal.wait_for(lambda text: "◔ stale" in text.partition("\n")[0])
            assert ladder(text)
            y = next(at for at, line in enumerate(terminal.lines) if " price " in line) + 2
            colours = {terminal.screen.buffer[y][x].fg for x in range(36, 84)}
            assert not colours & {"57b894", "e0707e"}
            again = start(2)
            terminal.wait_for(lambda text: live(text) and equals(text, again.book(BITCOIN, 6), 6), 40.0)


# --- recordings, and no terminal


def test_a_recording_is_played_to_its_end(tmp_path: Path) -> None:
    """Book and tape from the file, the word that it has ended, and ``q`` leaves with 0."""
    exchange = Exchange(7, instruments=1, rate=40, start_ns=1_723_161_254_000_000_000)
    published = [exchange.book_snapshot(BITCOIN)]
    published += exchange.advance(exchange.now_ns + 1_000_000_000, lambda channel: BITCOIN in channel)
    path = tmp_path / "small.ndjson"
    with path.open("w") as file:
        for at, (channel, data) in enumerate(published):
            pub = {"data": json.loads(data)}
            time_ns = 1_723_161_254_000_000_000 + at * 5_000_000
            file.write(json.dumps({"t": time_ns, "push": {"channel": channel, "pub": pub}}) + "\n")
    book = json.loads(exchange.book_snapshot(BITCOIN).data)
    with Terminal((*PROGRAM, "replay", str(path), "--speed", "4")) as terminal:
        terminal.wait_for(lambda text: "■ ended" in text.partition("\n")[0] and equals(text, book, 6))
        terminal.send("q")
        assert terminal.wait_for_end() == 0


@pytest.mark.parametrize(
    "arguments", [["demo"], ["replay", "any.ndjson"], [BITCOIN, "--url", "ws://127.0.0.1:9"]]
)
def test_without_a_terminal_there_is_a_sentence(arguments: list[str]) -> None:
    """Standard output into a pipe: exit code 2, one sentence on standard error, nothing on the pipe."""
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            stdin=slave,
            capture_output=True,
            env={**os.environ, "CADENZA_TOKEN": "a.b.c"},
            timeout=20,
            check=False,
        )
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 2
    assert b"needs a terminal, and stdout is not one" in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""
