"""What a broker does to its stream, and what its messages can be; through a real socket and a proxy."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cadenza_tui.feed.subscriptions import ChannelOptions
from cadenza_tui.market.book import MAXIMUM_ROWS
from cadenza_tui.market.records import BookUpdate
from cadenza_tui.market.trust import TrustState
from cadenza_tui.simulator.instruments import choose
from cadenza_tui.simulator.namespaces import Namespace
from cadenza_tui.wire.channels import Kind
from tests.feed.waiting import eventually
from tests.soak.memory import resident_kib

from .world import QUICK, SERVER, world

if TYPE_CHECKING:
    from cadenza_tui.feed.ingest import Event
    from cadenza_tui.market.health import ChannelHealth

    from .world import World

HOUR_S = 3_600.0


async def test_publications_that_come_twice_count_once() -> None:
    """Duplicates of every kind of channel: dropped by their offset; prints are on the tape once."""
    async with world() as here:
        async with here.fault("duplicate publications") as shown:
            channels = list(here.feed.market.health.channels)
            for channel in channels:
                here.frames.duplicate(channel, 10)
            await eventually(lambda: here.frames.hit["duplicated"] >= 10 * len(here.names))
        assert set(shown.states) <= {"live", "locked"}
        assert here.feed._client is not None
        assert here.feed._client.session.dropped["duplicate publication"] >= 10
        await here.settle()
        for tape in here.feed.market.tapes.values():
            tape.check()


@pytest.mark.parametrize("what", ["one missing", "many missing", "out of order"])
async def test_a_book_that_missed_a_message_is_dimmed_until_it_is_fetched(what: str) -> None:
    """A jump in the offsets: marked with the gap, a snapshot is asked for, the other books go on."""
    async with world() as here:
        first = here.names[0]
        channel = here.book_channel(first)
        health = here.feed.market.health.channels[channel]
        async with here.fault(f"publications {what}"):
            if what == "out of order":
                here.frames.swap(channel)
            else:
                here.frames.drop(channel, 1 if what == "one missing" else 40)
            await eventually(lambda: health.gaps)
        assert health.resyncs == 1
        name, trust = here.unsynced[0]
        assert name == first
        assert trust.dimmed
        assert trust.state is TrustState.RESYNCING
        assert "gap" in trust.reason
        assert {name for name, _ in here.unsynced} == {first}
        assert here.feed.market.health.connection.reconnects == 0
        await here.settle()


@pytest.mark.parametrize("what", ["missing", "twice", "out of order"])
async def test_deltas_that_do_not_follow_their_base_never_make_a_book(what: str) -> None:
    """Fossil deltas: each needs the payload before it; one that lacks it is not applied to another."""
    namespaces = {name: Namespace(delta=True) for name in ("market", "tradingAccount")}
    server_options = replace(SERVER, namespaces=namespaces)
    async with world(server_options=server_options, channels=ChannelOptions(delta=True)) as here:
        channel = here.book_channel(here.names[0])
        health = here.feed.market.health.channels[channel]
        assert health.delta
        async with here.fault(f"deltas {what}"):
            for _ in range(3):
                hit, before = sum(here.frames.hit.values()), health.messages
                match what:
                    case "missing":
                        here.frames.drop(channel)
                    case "twice":
                        here.frames.duplicate(channel)
                    case _:
                        here.frames.swap(channel)
                await eventually(partial(_is_past, here, hit, health, before))
        if what != "twice":
            assert health.gaps
        await here.settle()


def _is_past(here: World, hit: int, health: ChannelHealth, before: int) -> bool:
    return sum(here.frames.hit.values()) > hit and health.messages > before + 5


async def test_a_broker_that_loses_messages_of_every_channel_is_made_up_for() -> None:
    """Lost for books, prints, tickers and accounts at once: all of it is fetched, and counted as missing."""
    async with world() as here:
        quiet = ("desk-2", "desk-3")
        channels = [name for name in here.feed.market.health.channels if not name.endswith(quiet)]
        async with here.fault("broker loses messages"):
            here.server.hub.lossy.update(channels)
            here.advance(3.0)
            here.server.hub.lossy.clear()
            here.advance(2.5)  # the margin account speaks every two seconds
            spoken = [
                health
                for channel, health in here.feed.market.health.channels.items()
                if channel in channels and ("orderBook" in channel or "tradingAccount" in channel)
            ]
            await eventually(lambda: all(health.gaps for health in spoken))
        assert len(spoken) > len(here.names)
        await here.settle()


async def test_publications_that_are_late_are_late_and_right() -> None:
    """One channel's messages are held up while all else passes: quiet at the most, then caught up with."""
    async with world() as here:
        channel = here.book_channel(here.names[0])
        health = here.feed.market.health.channels[channel]
        async with here.fault("publications delayed"):
            here.frames.delay(channel)
            await eventually(lambda: here.frames.hit["delayed"] >= 20)
            await here.frames.release(channel)
        assert health.gaps == 0
        await here.settle()


async def test_a_message_that_cannot_be_read_marks_its_book() -> None:
    """A diff that is not JSON of a book leaves a hole as any other: marked, and fetched anew."""
    async with world() as here:
        name = here.names[0]
        channel = here.book_channel(name)
        health = here.feed.market.health.channels[channel]
        broken = 0

        def rewrite(of: str, data: Any) -> Any:
            nonlocal broken
            if of != channel or broken:
                return data
            broken += 1
            return {"updateType": "DIFF", "bids": "none of your business"}

        async with here.fault("a message that cannot be read"):
            here.frames.rewrite = rewrite
            await eventually(health.rejected.total)
            here.frames.rewrite = None
            await eventually(lambda: health.resyncs)
        await here.settle()


async def test_five_thousand_publications_in_one_frame_leave_the_loop_its_turns() -> None:
    """A flood in one frame: read portion by portion, with a turn of the event loop between any two."""
    async with world(options=replace(QUICK, yield_after=0.0, gather=0.0)) as here:
        await here.close_market()
        await here.settle()
        channel = here.feed.ingest.channel_of(Kind.TRADE, here.names[0])
        held = here.feed.market.health.channels[channel]
        turns = 0
        seen: dict[int, int] = {}

        def count(_event: Event) -> None:
            seen[turns] = seen.get(turns, 0) + 1

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        lines = _prints(here, channel, (held.offset or 0) + 1, 5_000)
        portion = 65_536 // min(map(len, lines)) + 2
        here.events.append(count)
        turning = asyncio.create_task(turn())
        before = held.messages
        async with here.fault("5,000 publications in one frame"):
            await here.frames.inject(*lines)
            await eventually(lambda: held.messages == before + 5_000)
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        assert sum(seen.values()) >= 5_000
        assert max(seen.values()) <= portion
        assert len(here.feed.market.tape(here.names[0])) <= 2_000


def _prints(here: World, channel: str, offset: int, count: int) -> list[bytes]:
    name = here.names[0]
    venue, symbol = name.split(":")
    first = here.exchange.markets[name].flow.last
    number = 10**15 if first is None else first.trade_id + 1
    return [
        json.dumps(
            {
                "push": {
                    "channel": channel,
                    "pub": {
                        "offset": offset + at,
                        "data": {
                            "instrumentId": name,
                            "venue": venue,
                            "symbol": symbol,
                            "tradeId": str(number + at),
                            "price": "100.5",
                            "quantity": "1",
                            "side": "BUY",
                            "timestamp": here.exchange.now_ns // 1_000_000,
                        },
                    },
                }
            }
        ).encode()
        for at in range(count)
    ]


def _huge(name: str, rows: int) -> tuple[bytes, bytes]:
    """Return a snapshot publication of ``rows`` a side; between the two parts belongs the offset."""
    venue, symbol = name.split(":")
    bids, asks = (
        ",".join(f'["{rows + side * (at + 1)}.25","1.5"]' for at in range(rows)) for side in (-1, 1)
    )
    channel = f"market:orderBook:{name}"
    return (
        b'{"push":{"channel":"%b","pub":{"offset":' % channel.encode(),
        b',"data":{"updateType":"SNAPSHOT","venue":"%b","symbol":"%b","orderBookType":"L2",'
        b'"columns":["price","quantity"],"bids":[%b],"asks":[%b],"timestamp":%d}}}}'
        % (venue.encode(), symbol.encode(), bids.encode(), asks.encode(), time.time_ns() // 1_000_000),
    )


async def test_a_snapshot_of_twenty_megabytes_is_not_taken_for_the_book() -> None:
    """More rows than a book may hold: said so on the screen, memory stays bounded, the other books go on."""
    first, second = (one.instrument_id for one in choose(2))
    head, tail = _huge(first, 600_000)
    assert len(tail) > 20_000_000
    async with world(instruments=2) as here:
        channel = here.book_channel(first)
        health = here.feed.market.health.channels[channel]
        before = resident_kib()
        async with here.fault("a snapshot of 20 MB"):
            here.frames.drop(channel, 1_000_000)
            await eventually(lambda: here.frames.hit["dropped"] >= 3)
            await here.frames.inject(head + b"%d" % ((health.offset or 0) + 1) + tail)
            await eventually(lambda: here.trust(first).dimmed)
            assert here.trust(first).reason
            assert not here.trust(second).dimmed
            here.frames.heal()
        assert here.feed.market.book(first).bids.rows <= MAXIMUM_ROWS
        assert resident_kib() - before < 600_000
        assert here.feed.market.health.connection.reconnects == 0
        await here.settle()


@pytest.mark.parametrize("skew_s", [HOUR_S, -HOUR_S])
async def test_clocks_an_hour_apart_change_neither_lag_nor_staleness(skew_s: float) -> None:
    """The server's clock is an hour off: told by its connect reply, and taken out of the lag."""
    async with world(skew_s=skew_s) as here:
        connection = here.feed.market.health.connection
        async with here.fault(f"clock skew of {skew_s / HOUR_S:+.0f} h") as shown:
            messages = connection.messages
            await eventually(lambda: connection.messages > messages + 50)
        assert connection.clock_offset_ms is not None
        assert abs(connection.clock_offset_ms - skew_s * 1_000) < 1_000
        assert connection.lag_ms is not None
        assert abs(connection.lag_ms) < 2_000
        assert set(shown.states) <= {"live", "locked"}
        await here.settle()
        await here.jump(6.0)
        assert here.trust(here.names[0]).state is TrustState.QUIET


async def test_lags_are_told_of_messages_that_are_late_though_the_clocks_differ() -> None:
    """With the skew taken out, what is left is what the link really took."""
    async with world(skew_s=HOUR_S) as here:
        connection = here.feed.market.health.connection
        here.tcp.stall()
        await asyncio.sleep(0.05)
        late: list[float] = []

        def look(event: Event, late: list[float]) -> None:
            if isinstance(event, BookUpdate):
                late.append(connection.lag_ms or 0.0)

        here.events.append(partial(look, late=late))
        await asyncio.sleep(0.3)  # this is how late they are
        here.tcp.flow()
        await eventually(lambda: len(late) > 20)
        assert max(late) >= 250
        await here.settle()
