"""A recording played like a live market, by its own clock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.errors import RecordingError
from cadenza_tui.feed.replay import MAX_SPEED, ReplayFeed, instrument_of
from cadenza_tui.market.health import ChannelState, ConnectionState
from cadenza_tui.market.interest import CandleOrigin, Interest
from cadenza_tui.market.records import Instrument
from cadenza_tui.market.state import Market
from cadenza_tui.market.times import DAY

from .recordings import line, write
from .scripted import book
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BTC, ETH = "BINANCE:BTC/USDT", "OKX:ETH/USDT"
CHANNEL = f"market:orderBook:{BTC}"
START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Monotonic:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 50 * SECOND

    def __call__(self) -> int:
        return self.now


def recording(tmp_path: Path, *times: float, name: str = "r.ndjson") -> Path:
    """Write a recording with a book message at each of the given seconds, each of which adds a bid."""
    lines = [
        line(
            START + int(at * SECOND),
            CHANNEL,
            book(
                BTC,
                "DIFF" if number else "SNAPSHOT",
                START // 1_000_000 + number,
                [[f"{number + 1}", "1"]],
                [],
            ),
            offset=number + 1,
        )
        for number, at in enumerate(times)
    ]
    return write(tmp_path / name, lines)


async def test_it_is_played_to_its_end(tmp_path: Path) -> None:
    """At top speed all is applied, and the state says that it has ended."""
    feed = ReplayFeed(Market(), recording(tmp_path, 0, 10, 3_000), speed=MAX_SPEED)
    assert feed.market.health.connection.state is ConnectionState.REPLAYING
    await feed.run()
    connection = feed.market.health.connection
    assert feed.market.book(BTC).bids.depth == 3
    assert (connection.state, connection.progress, connection.reason) == (ConnectionState.ENDED, 1.0, "")
    assert feed.now() == START + 3_000 * SECOND
    assert feed.market.health.channels[CHANNEL].state is ChannelState.LIVE


async def test_the_clock_is_the_recordings(tmp_path: Path) -> None:
    """It goes on with the wall's, times the speed, and the messages come when it gets to them."""
    clock = Monotonic()
    feed = ReplayFeed(Market(), recording(tmp_path, 0, 1, 10_000), speed=100.0, monotonic=clock)
    running = asyncio.create_task(feed.run())
    await eventually(lambda: feed.market.book(BTC).bids.depth == 1)
    assert feed.now() == START
    clock.now += SECOND // 100
    assert feed.now() == START + SECOND
    await eventually(lambda: feed.market.book(BTC).bids.depth == 2)
    clock.now += SECOND
    assert feed.now() == START + 101 * SECOND
    await feed.close()
    await running
    assert feed.market.book(BTC).bids.depth == 2
    assert feed.now() == START + SECOND


async def test_a_pause_stops_the_clock(tmp_path: Path) -> None:
    """And going on loses nothing."""
    clock = Monotonic()
    feed = ReplayFeed(Market(), recording(tmp_path, 0, 1, 2), monotonic=clock)
    running = asyncio.create_task(feed.run())
    await eventually(lambda: feed.market.book(BTC).bids.depth == 1)
    feed.pause()
    assert feed.paused
    clock.now += 3_600 * SECOND
    assert feed.now() == START
    feed.pause(paused=False)
    assert feed.now() == START
    clock.now += 2 * SECOND
    feed.set_speed(MAX_SPEED)
    await running
    assert feed.market.book(BTC).bids.depth == 3


async def test_another_speed_counts_from_where_it_is(tmp_path: Path) -> None:
    """The clock does not jump."""
    clock = Monotonic()
    feed = ReplayFeed(Market(), recording(tmp_path, 0, 100), monotonic=clock)
    running = asyncio.create_task(feed.run())
    await eventually(lambda: feed.market.book(BTC).bids.depth == 1)
    clock.now += 2 * SECOND
    feed.set_speed(10.0)
    assert feed.now() == START + 2 * SECOND
    clock.now += SECOND
    assert feed.now() == START + 12 * SECOND
    assert feed.market.health.connection.speed == 10.0
    await feed.close()
    await running


async def test_the_event_loop_gets_its_turns_at_top_speed(tmp_path: Path) -> None:
    """A screen can be painted while a long recording is taken in."""
    path = recording(tmp_path, *(n / 50 for n in range(20_000)))
    feed = ReplayFeed(Market(), path, speed=MAX_SPEED)
    turns = 0
    running = asyncio.create_task(feed.run())
    while not running.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10


async def test_instruments_are_known_before_it_plays(tmp_path: Path) -> None:
    """Those at its beginning are pinned, as the ids alone tell of them."""
    lines = [
        line(START, f"market:trade:{name}", {"price": "1", "quantity": "1", "timestamp": 1})
        for name in (BTC, ETH)
    ]
    feed = ReplayFeed(Market(), write(tmp_path / "r", lines), speed=MAX_SPEED)
    assert list(feed.pinned) == [BTC, ETH]
    assert instrument_of(ETH) == Instrument(ETH, "OKX", "ETH/USDT", base="ETH", quote="USDT")
    feed.pin([ETH])
    feed.show(ETH)
    feed.resync(ETH)
    assert (list(feed.pinned), feed.shown) == ([ETH], ETH)
    await feed.run()
    assert feed.market.tape(ETH).count == 1


async def test_a_fault_ends_it_with_its_reason(tmp_path: Path) -> None:
    """All that came before is there, and the error can be asked for."""
    path = recording(tmp_path, *(n / 1_000 for n in range(900)))
    path.write_bytes(path.read_bytes() + b"{nonsense\n")
    feed = ReplayFeed(Market(), path, speed=MAX_SPEED)
    await feed.run()
    connection = feed.market.health.connection
    assert isinstance(feed.error, RecordingError)
    assert (connection.state, connection.reason) == (ConnectionState.ENDED, str(feed.error))
    assert feed.market.book(BTC).diffs == 899


@pytest.mark.parametrize("content", ["", "hello\n", '{"t":1}\n'])
def test_what_is_no_recording_is_refused_at_once(tmp_path: Path, content: str) -> None:
    """Before a screen is opened."""
    path = tmp_path / "r"
    path.write_text(content)
    with pytest.raises(RecordingError):
        ReplayFeed(Market(), path)


async def test_missing_messages_are_counted_and_told(tmp_path: Path) -> None:
    """A recording with a gap is played as it is."""
    lines = [
        line(START, CHANNEL, book(BTC, "SNAPSHOT", 1, [["1", "1"]], []), offset=1),
        line(START, CHANNEL, book(BTC, "DIFF", 2, [["2", "1"]], []), offset=5),
    ]
    feed = ReplayFeed(Market(), write(tmp_path / "r", lines), speed=MAX_SPEED)
    await feed.run()
    health = feed.market.health.channels[CHANNEL]
    assert health.gaps == 1
    assert health.reason == "the recording lacks 3 messages after offset 1"
    assert feed.market.book(BTC).bids.depth == 2


async def test_it_is_measured_by_the_real_clock(tmp_path: Path) -> None:
    """Lag is between the recorded receive time and the venue's: 250 ms here, whatever the speed."""
    stamp = START // 1_000_000 - 250
    lines = [
        line(START, CHANNEL, book(BTC, "DIFF" if number else "SNAPSHOT", stamp, [["1", "1"]], []))
        for number in range(50)
    ]
    feed = ReplayFeed(Market(), write(tmp_path / "r", lines), speed=MAX_SPEED)
    await feed.run()
    assert feed.market.health.connection.lag_ms == 250.0
    percentiles = feed.ingest.lag.percentiles_ms(time.monotonic_ns())
    assert percentiles is not None
    assert abs(percentiles[0] - 250) < 3


async def test_a_recorded_midnight_begins_the_day_at_any_speed(tmp_path: Path) -> None:
    """The change since then counts from what was held, though a whole evening passes in no time."""
    midnight = 20_000 * DAY

    def told(total: int, mode: str) -> dict[str, Any]:
        balances = [{"securitySymbol": "USDT", "total": str(total)}]
        return {"data": {"tradingAccountId": "desk", "updateMode": mode, "balances": balances}}

    channel = "tradingAccount:desk"
    lines = [
        line(midnight - 3_600 * SECOND, channel, told(5, "SNAPSHOT")),
        *(
            line(midnight + second * SECOND, CHANNEL, book(BTC, "SNAPSHOT", 1, [["1", "1"]], []))
            for second in range(-8, 8, 3)
        ),
        line(midnight + 3_600 * SECOND, channel, told(9, "DELTA")),
    ]
    market = Market()
    await ReplayFeed(market, write(tmp_path / "r.ndjson", lines), speed=MAX_SPEED).run()
    assert str(market.account("desk").day_change("USDT")) == "4"


class Watched(Market):
    """A market that notes what it is asked to keep up, and when it is sampled."""

    def __init__(self) -> None:
        super().__init__()
        self.attended: list[tuple[str | None, tuple[str, ...]]] = []
        self.bids_at: dict[int, int] = {}

    def attend(self, shown: str | None, kept: Sequence[str]) -> None:
        """Note what is looked at."""
        self.attended.append((shown, tuple(kept)))

    def sample(self, now: int) -> None:
        """Note how many bids there are at each second of the recording."""
        self.bids_at[(now - START) // SECOND] = self.book(BTC).bids.depth


async def test_it_is_sampled_by_its_own_clock_at_any_speed(tmp_path: Path) -> None:
    """Each second as it was when it began, quiet ones too; a pause of the recorder is a gap."""
    market = Watched()
    await ReplayFeed(market, recording(tmp_path, 0.5, 1.5, 3.2, 60.1), speed=MAX_SPEED).run()
    assert market.bids_at == {0: 0, 1: 1, 2: 2, 3: 2, 60: 3}


async def test_nothing_is_sampled_that_was_not_read_yet(tmp_path: Path) -> None:
    """A clock that is ahead of the reader does not make a gap of what is still to be read."""
    market, clock = Watched(), Monotonic()
    feed = ReplayFeed(market, recording(tmp_path, 0.5, 1.5, 3.2), speed=60, monotonic=clock)
    clock.now += 20 * SECOND
    feed.go_on()
    assert market.bids_at == {0: 0}
    await feed.run()
    assert market.bids_at == {0: 0, 1: 1, 2: 2, 3: 2}


async def test_what_is_looked_at_is_kept_up(tmp_path: Path) -> None:
    """The first instruments that appear, then what is shown and pinned."""
    market = Watched()
    feed = ReplayFeed(market, recording(tmp_path, 0, 1), speed=MAX_SPEED)
    assert market.attended == [(None, (BTC,))]
    feed.show(BTC)
    feed.pin([ETH, BTC, ETH])
    assert market.attended[1:] == [(BTC, (BTC,)), (BTC, (ETH, BTC))]
    assert feed.pinned == (ETH, BTC)
    await feed.run()


async def test_its_candles_are_its_own_or_made_from_prints(tmp_path: Path) -> None:
    """Where the recording has none the market says so; and no longer once they come."""
    channel = f"market:kline:{BTC}:1m"
    candles = {
        "instrumentId": BTC,
        "interval": "1m",
        "candles": [[START // 1_000_000, "1", "2", "1", "2", None]],
        "timestamp": START // 1_000_000,
    }
    path = write(tmp_path / "r.ndjson", [line(START, channel, candles), line(START + 5, channel, candles)])
    feed = ReplayFeed(Market(), path, speed=MAX_SPEED)
    sources = feed.market.candle_sources
    feed.want(Interest(candles=(BTC, "1m")))
    assert sources[BTC, "1m"].origin is CandleOrigin.PRINTS
    await feed.run()
    assert sources[BTC, "1m"].origin is CandleOrigin.SERVER
    feed.want(Interest(candles=(BTC, "5m")))
    assert set(sources) == {(BTC, "5m")}
    assert sources[BTC, "5m"].origin is CandleOrigin.PRINTS
    feed.want(Interest())
    assert not sources
