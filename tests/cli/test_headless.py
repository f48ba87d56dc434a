"""The commands without a screen, as processes on a real simulator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.feed.child import SimulatorChild

from ..feed.recordings import line, naive, real_recording, write
from ..feed.scripted import book
from ..support.terminal import Terminal
from .desk import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cadenza_tui.feed.child import Ready

BTC = "BINANCE:BTC/USDT"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Ready]:
    """A simulator for all tests of this module."""
    with SimulatorChild(("--seed", "5", "--rate", "100", "--instruments", "4")) as child:
        yield child.ready()


@contextmanager
def command(ready: Ready | None, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run the program, on the simulator where there is one; kill it if it is left running."""
    given = {key: value for key, value in os.environ.items() if not key.startswith("CADENZA_")}
    given |= {"CADENZA_CONFIG": os.devnull}
    if ready is not None:
        words = (*words, "--url", ready.url)
        given["CADENZA_TOKEN"] = ready.token
    with subprocess.Popen(
        [sys.executable, "-m", "cadenza_tui", *words],
        env=given | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finished(ready: Ready | None, *words: str, **environment: str) -> tuple[int, str, str]:
    """Run the program to its end and return its code and what it said."""
    with command(ready, *words, **environment) as process:
        output, errors = process.communicate(timeout=40)
        return process.returncode, output, errors


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Return the events of a stream as they come."""
    assert process.stdout is not None
    for text in process.stdout:
        yield json.loads(text)


def test_a_stream_has_every_kind_of_event(simulator: Ready) -> None:
    """Each is one JSON line; a book is cut to its depth and both its sides are in order."""
    found: dict[str, dict[str, Any]] = {}
    with command(simulator, "stream", BTC, "--depth", "3") as process:
        for event in events(process):
            found.setdefault(event["kind"], event)
            if len(found) == 5:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    top = found["book"]
    assert set(top) == {"kind", "instrument", "bids", "asks", "in_sync", "timestamp"}
    assert (top["instrument"], top["in_sync"], len(top["bids"]), len(top["asks"])) == (BTC, True, 3, 3)
    assert all(isinstance(cell, str) for row in top["bids"] for cell in row)
    assert [float(price) for price, _ in top["bids"]] == sorted(
        (float(p) for p, _ in top["bids"]), reverse=True
    )
    assert found["trade"]["side"] in {"BUY", "SELL"}
    assert found["ticker"]["instrument"] == BTC
    assert found["status"]["state"] == "connecting"
    assert found["account"]["account"].startswith("desk")


def test_a_stream_ends_quietly_when_nobody_reads(simulator: Ready) -> None:
    """As in `stream | head -1`."""
    with command(simulator, "stream", BTC) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_a_stream_that_is_quiet_notices_a_closed_pipe(simulator: Ready) -> None:
    """Nothing needs to be written for it to end."""
    with command(simulator, "stream", "NOWHERE:NO/THING", "--account", "nobody") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("words", [("stream", BTC), ("balances", "--watch")])
def test_a_signal_is_quiet(simulator: Ready, words: tuple[str, ...], number: int, code: int) -> None:
    """The shell's own exit code and not a word."""
    with command(simulator, *words) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (code, "")


def test_a_refused_token_ends_a_stream_with_a_sentence(simulator: Ready) -> None:
    """The status is told as an event too, and the token nowhere."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.forged"
    code, output, errors = finished(simulator, "stream", BTC, CADENZA_TOKEN=token)
    assert code == 3
    assert json.loads(output.splitlines()[-1])["state"] == "unauthorised"
    assert "CADENZA_TOKEN" in errors
    assert "forged" not in output + errors
    assert "Traceback" not in errors


def test_an_expired_token_is_said_before_anything_is_sent(simulator: Ready) -> None:
    """With the time since when."""
    code, output, errors = finished(simulator, "stream", CADENZA_TOKEN="e30.eyJleHAiOjEwMDB9.x")
    assert (code, output) == (3, "")
    assert "the token expired" in errors
    assert "1970-01-01 00:16 UTC" in errors


@pytest.mark.parametrize("part", ["balances", "positions", "orders"])
def test_a_real_market_is_printed_once(simulator: Ready, part: str) -> None:
    """As a table with a heading for each account, and as JSON of the account that was asked for."""
    code, output, errors = finished(simulator, part)
    assert (code, errors) == (0, "")
    headings = [block.splitlines()[0] for block in output.split("\n\n")]
    assert [heading.split(" · ")[1] for heading in headings] == ["desk-1", "desk-2", "desk-3"]
    code, output, errors = finished(simulator, part, "--json", "--account", "desk-2")
    assert (code, errors) == (0, "")
    found = told(output)
    assert (found.state, [account.account for account in found.accounts]) == ("live", ["desk-2"])


def test_balances_are_aligned_at_the_point_and_valued(simulator: Ready) -> None:
    """Each digit is there, and the total is the sum of what has a price."""
    code, output, _ = finished(simulator, "balances", "--json", "--currency", "USDT")
    assert code == 0
    found = told(output)
    values = [row.value for account in found.accounts for row in account.balances or () if row.value]
    assert found.total is not None
    assert found.total.value is not None
    assert Decimal(found.total.value) == sum(map(Decimal, values))
    assert not found.total.stale
    _, output, _ = finished(simulator, "balances", "--account", "desk-1")
    points = {
        tuple(place for place, sign in enumerate(row) if sign == ".") for row in output.splitlines()[2:]
    }
    assert len(points) == 1


@pytest.mark.parametrize(("to", "why"), [(">/dev/full", "No space left"), (">&-", "Bad file descriptor")])
@pytest.mark.parametrize("words", [f"stream {BTC}", "balances --json", "positions"])
def test_a_stdout_that_cannot_be_written_is_a_failure(
    simulator: Ready, words: str, to: str, why: str
) -> None:
    """With a sentence, and no traceback: a script is not to take it for done."""
    done = subprocess.run(
        f"{sys.executable} -m cadenza_tui {words} --url {simulator.url} {to}",
        shell=True,
        env=os.environ | {"CADENZA_CONFIG": os.devnull, "CADENZA_TOKEN": simulator.token},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"cadenza-tui: stdout cannot be written: {why}")


@pytest.mark.parametrize("no_color", [None, "1"])
def test_on_a_terminal_a_table_fits(simulator: Ready, no_color: str | None) -> None:
    """What has no room is named; titles are painted unless colours are not wanted."""
    words = ("balances", "--account", "desk-1", "--url", simulator.url)
    environment = {"CADENZA_CONFIG": os.devnull, "CADENZA_TOKEN": simulator.token, "NO_COLOR": no_color}
    argv = [sys.executable, "-m", "cadenza_tui", *words]
    with Terminal(argv, columns=50, environment=environment) as terminal:
        assert terminal.wait_for_end() == 0
        assert "no room for " in terminal.text
        assert "total" in terminal.text
        assert max(map(len, terminal.text.splitlines())) <= 50
        assert (b"\x1b[" in terminal.raw_tail) == (no_color is None)


def test_a_trace_is_written_beside_a_stream(simulator: Ready, tmp_path: Path) -> None:
    """Of the books that it keeps."""
    path = tmp_path / "trace"
    with command(simulator, "stream", BTC, "--trace", str(path)) as process:
        for event in events(process):
            if event["kind"] == "book":
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["books"], last["in_sync"], last["rejected"]) == (1, 1, 0)
    assert last["messages"] > 0


def recording(tmp_path: Path) -> Path:
    """Write a small recording."""
    channel = f"market:orderBook:{BTC}"
    return write(
        tmp_path / "r.ndjson.gz",
        [
            line(1, channel, book(BTC, "SNAPSHOT", 1, [["1.50", "2"], ["1.40", "1"]], [["1.60", "3"]])),
            line(2, channel, book(BTC, "DIFF", 2, [["1.40", "0"], ["1.70", "1"]], [])),
        ],
    )


def test_headless_prints_one_object_for_each_instrument(tmp_path: Path) -> None:
    """Exactly the keys and texts that were promised."""
    code, output, errors = finished(None, "replay", str(recording(tmp_path)), "--headless", "--depth", "5")
    assert (code, errors) == (0, "")
    assert output == (
        '{"instrument":"BINANCE:BTC/USDT","bids":[["1.70","1"],["1.50","2"]],"asks":[["1.60","3"]],'
        '"trades":0,"tickers":0,"diffs":1,"crossed":1,"rejected":0}\n'
    )


def test_headless_prints_what_it_has_before_a_fault(tmp_path: Path) -> None:
    """The sentence goes to stderr, with file and line, and the code is 1."""
    path = recording(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    code, output, errors = finished(None, "replay", str(path), "--headless")
    assert (code, errors.startswith(f"cadenza-tui: {path}: ")) == (1, True)
    assert "cut short" in errors
    assert output == "" or json.loads(output)["instrument"] == BTC


def test_headless_agrees_with_a_naive_reading_of_a_real_market() -> None:
    """The whole program, as a person would call it."""
    path = real_recording()
    if path is None:
        pytest.skip("no recording: name one with CADENZA_RECORDING")
    code, output, _ = finished(None, "replay", str(path), "--headless", "--depth", "50")
    told = [json.loads(text) for text in output.splitlines()]
    assert (code, {one["instrument"]: one for one in told}) == (0, naive(path, 50))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_simulate_stops_cleanly(number: signal.Signals) -> None:
    """One ready line, then exit code 0 on either signal."""
    with command(None, "simulate", "--instruments", "1", "--secret", "s" * 32) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "token", "rest"}
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
        assert (process.returncode, output, errors) == (0, "", "")
