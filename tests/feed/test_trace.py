"""The trace file."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest

from cadenza_tui.errors import CadenzaError
from cadenza_tui.feed.trace import Trace
from cadenza_tui.market.records import BookType, BookUpdate, UpdateType
from cadenza_tui.market.state import Market

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [
    *("time", "messages", "rate", "lag_p50_ms", "lag_p99_ms", "frames", "skipped", "bytes"),
    *("books", "in_sync", "reconnects", "rejected", "loop_stall_ms"),
]


def market() -> Market:
    """Return a market of which something can be told."""
    made = Market()
    for name in ("X:A/USD", "X:B/USD"):
        made.apply_book(BookUpdate(name, UpdateType.SNAPSHOT, BookType.L2, ("price", "quantity"), [], [], 1))
    made.book("X:B/USD").mark_out_of_sync("gap")
    made.book("X:C/USD")
    health = made.health
    health.connection.messages, health.connection.rate, health.connection.reconnects = 40, 12.345, 2
    health.connection.lag_p50_ms, health.connection.lag_p99_ms = 1.23456, 9.0
    health.connection.rejected["line is not JSON"] = 3
    health.screen.frames, health.screen.skipped, health.screen.bytes_written = 5, 6, 7
    health.screen.loop_stall_ms = 11.5
    return made


def test_a_line_has_exactly_its_keys(tmp_path: Path) -> None:
    """Each value is the one that its name says."""
    trace = Trace(tmp_path / "t", market(), clock=lambda: 1_700_000_000.25)
    trace.write()
    line = json.loads((tmp_path / "t").read_text())
    trace.close()
    assert list(line) == KEYS
    assert list(line.values()) == [
        "2023-11-14T22:13:20.250Z", 40, 12.3, 1.235, 9.0, 5, 6, 7, 2, 1, 2, 3, 11.5
    ]  # fmt: skip


def test_a_stall_is_told_once(tmp_path: Path) -> None:
    """The longest is looked for anew after each line."""
    trace = Trace(tmp_path / "t", market())
    assert trace.line()["loop_stall_ms"] == 11.5
    assert trace.line()["loop_stall_ms"] == 0.0
    trace.close()


async def test_it_is_written_while_it_runs_and_when_it_ends(tmp_path: Path) -> None:
    """One line an interval, one at the end, each whole; a loop that stood still is noticed."""
    path = tmp_path / "t"
    running = asyncio.create_task(Trace(path, Market(), interval_s=0.02).run())
    async with asyncio.timeout(10):
        while len(path.read_bytes().splitlines()) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    before = len(path.read_bytes().splitlines())
    time.sleep(0.1)  # noqa: ASYNC251  # the loop is to stand still
    await asyncio.sleep(0.03)
    running.cancel()
    await asyncio.wait([running])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) > before
    assert max(line["loop_stall_ms"] for line in lines) > 50


def test_a_trace_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    """Before anything else starts."""
    with pytest.raises(CadenzaError, match="cannot be written"):
        Trace(tmp_path / "absent" / "t", Market())


def test_work_without_a_loop_writes_when_a_second_is_over(tmp_path: Path) -> None:
    """And no more often."""
    now = [100.0]
    trace = Trace(tmp_path / "t", Market(), clock=lambda: now[0])
    for moment in (100.5, 101.0, 101.5, 102.0):
        now[0] = moment
        trace.write_if_due()
    assert len((tmp_path / "t").read_text().splitlines()) == 2
    trace.close()
    assert len((tmp_path / "t").read_text().splitlines()) == 3
