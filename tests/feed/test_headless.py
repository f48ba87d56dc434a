"""A whole recording applied at once, against an independent naive reading of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza_tui.errors import RecordingError
from cadenza_tui.feed.headless import Applied
from cadenza_tui.feed.recording import Recording

from .recordings import line, naive, real_recording, write
from .scripted import book

BTC, ETH = "BINANCE:BTC/USDT", "OKX:ETH/USDT"


def play(path: Path, depth: int) -> list[Any]:
    """Apply a recording and return its outcomes."""
    applied = Applied()
    with Recording(path) as recording:
        applied.apply(recording)
    return list(applied.outcomes(depth))


PRICES = st.sampled_from(["99", "99.5", "100.10", "100.2", "101", "102.000"])
QUANTITIES = st.sampled_from(["0", "0.000", "1", "2.50", "0.00000001", "123456789012345678901234567890.5"])
ROWS = st.lists(st.tuples(PRICES, QUANTITIES), max_size=4, unique_by=lambda row: row[0])
NONZERO = ROWS.map(lambda rows: [row for row in rows if float(row[1])])


@st.composite
def recordings(draw: st.DrawFn) -> list[str]:
    """Draw a recording of two instruments, each of which begins with a snapshot."""
    time = 0
    lines = [line(time, f"market:orderBook:{name}", book(name, "SNAPSHOT", 1, [], [])) for name in (BTC, ETH)]
    for _ in range(draw(st.integers(0, 25))):
        name = draw(st.sampled_from([BTC, ETH]))
        kind = draw(st.sampled_from(["SNAPSHOT", "DIFF", "DIFF", "DIFF", "trade", "ticker"]))
        time += draw(st.integers(0, 3)) * 1_000_000
        venue, _, symbol = name.partition(":")
        stamp = 1 + time // 1_000_000
        of = {"instrumentId": name, "venue": venue, "symbol": symbol, "timestamp": stamp}
        if kind == "trade":
            lines.append(
                line(time, f"market:trade:{name}", of | {"price": "1", "quantity": "2", "side": "BUY"})
            )
        elif kind == "ticker":
            lines.append(line(time, f"market:ticker:{name}", of | {"lastPrice": "3"}))
        else:
            rows = NONZERO if kind == "SNAPSHOT" else ROWS
            bids, asks = ([list(row) for row in draw(rows)] for _ in range(2))
            lines.append(line(time, f"market:orderBook:{name}", book(name, kind, stamp, bids, asks)))
    return lines


@given(lines=recordings(), depth=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_any_recording_gives_what_a_naive_reading_gives(lines: list[str], depth: int) -> None:
    """Books to the last digit as the feed spelled them, and every count."""
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "r.ndjson", lines)
        assert {outcome["instrument"]: outcome for outcome in play(path, depth)} == naive(path, depth)


def test_the_recording_of_a_real_market_gives_what_a_naive_reading_gives() -> None:
    """41,247 pushes, fifty levels a side."""
    path = real_recording()
    if path is None:
        pytest.skip("no recording: name one with CADENZA_RECORDING")
    assert {outcome["instrument"]: outcome for outcome in play(path, 50)} == naive(path, 50)


def test_what_cannot_be_used_is_counted_for_its_instrument(tmp_path: Path) -> None:
    """Bad rows, a diff before a snapshot and an unknown update type; the rest is applied."""
    channel = f"market:orderBook:{BTC}"
    path = write(
        tmp_path / "r",
        [
            line(1, channel, book(BTC, "DIFF", 1, [["1", "1"]], [])),
            line(2, channel, book(BTC, "SNAPSHOT", 2, [["1", "1"]], [])),
            line(3, channel, book(BTC, "DIFF", 3, [["1"]], [])),
            line(4, channel, book(BTC, "SIDEWAYS", 4, [], [])),
            line(5, channel, book(BTC, "DELTA", 5, [["1", "9"]], [])),
            line(6, channel, book(BTC, "DIFF", 6, [["2", "1.0"]], [])),
            line(7, f"market:trade:{BTC}", {"price": "x"}),
        ],
    )
    (outcome,) = play(path, 5)
    assert (outcome["rejected"], outcome["diffs"]) == (5, 1)
    assert outcome["bids"] == [["2", "1.0"], ["1", "1"]]


def test_what_came_before_a_fault_is_kept(tmp_path: Path) -> None:
    """A recording that is cut short leaves its market as it was there."""
    path = write(
        tmp_path / "r", [line(1, f"market:orderBook:{BTC}", book(BTC, "SNAPSHOT", 1, [["7", "1"]], []))]
    )
    path.write_bytes(path.read_bytes() + b'{"t":2,"push":{"cha')
    applied = Applied()
    with Recording(path) as recording, pytest.raises(RecordingError, match=":2: cut short"):
        applied.apply(recording)
    assert applied.outcomes(5)[0]["bids"] == [["7", "1"]]


def test_an_instrument_without_a_book_is_told_too(tmp_path: Path) -> None:
    """Prints alone make an outcome with empty sides."""
    trade = {"price": "1", "quantity": "2", "side": "SELL", "timestamp": 3}
    path = write(tmp_path / "r.gz", [line(1, f"market:trade:{ETH}", trade)])
    (outcome,) = play(path, 5)
    assert (outcome["instrument"], outcome["bids"], outcome["trades"]) == (ETH, [], 1)


def test_both_spellings_of_a_channel_are_one_instrument(tmp_path: Path) -> None:
    """A recording may be of either."""
    path = write(
        tmp_path / "r",
        [
            line(1, f"market:orderbook:{BTC}", book(BTC, "SNAPSHOT", 1, [["7", "1"]], [])),
            line(2, f"market:orderBook:{BTC}", book(BTC, "DIFF", 2, [["8", "1"]], [])),
        ],
    )
    (outcome,) = play(path, 5)
    assert outcome["bids"] == [["8", "1"], ["7", "1"]]


def test_an_unknown_channel_is_no_instrument(tmp_path: Path) -> None:
    """It is counted on the connection, and prints nothing."""
    path = write(tmp_path / "r", [line(1, "chat:room", {"text": "hello"})])
    applied = Applied()
    with Recording(path) as recording:
        applied.apply(recording)
    assert applied.outcomes(5) == []
    assert applied.market.health.connection.rejected == {"unknown channel": 1}
