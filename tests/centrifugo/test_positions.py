"""Positions in streams, and recovery from them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .recorder import STREAM, Bench, subscribes


@pytest.fixture
def bench() -> Bench:
    """A session that is connected, its events taken."""
    bench = Bench()
    bench.connect()
    bench.log.take()
    return bench


def test_publications_in_order_are_told(bench: Bench) -> None:
    """Offsets one after the other are the normal case."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    for offset in (6, 7, 8):
        bench.publish("a", offset, offset=offset)
    assert bench.log.take() == [("publication", "a", offset) for offset in (6, 7, 8)]


def test_duplicates_and_older_offsets_are_dropped(bench: Bench) -> None:
    """A publication that was told is not told again."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    for offset in (5, 6, 6, 2, 7):
        bench.publish("a", offset, offset=offset)
    assert [event[2] for event in bench.log.take()] == [6, 7]
    assert bench.session.dropped["duplicate publication"] == 3


def test_gap_is_told_before_the_publication_behind_it(bench: Bench) -> None:
    """The listener hears what is missing, then goes on from there."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=9)
    bench.publish("a", "y", offset=10)
    assert bench.log.take() == [("gap", "a", 6, 9), ("publication", "a", "x"), ("publication", "a", "y")]


@given(st.integers(0, 50), st.lists(st.integers(1, 60), max_size=60))
def test_told_offsets_always_rise_and_gaps_fill_the_rest(start: int, offsets: list[int]) -> None:
    """Whatever arrives: told offsets rise strictly, and those between are told to be missing, once."""
    bench = Bench()
    bench.connect()
    bench.subscribe("a", **STREAM, offset=start)
    bench.log.take()
    for offset in offsets:
        bench.publish("a", offset, offset=offset)
    covered: list[int] = []
    for event in bench.log.take():
        covered += range(event[2], event[3]) if event[0] == "gap" else [event[2]]
    assert covered == list(range(start + 1, max([start, *offsets]) + 1))


def test_channel_without_positions_is_not_checked(bench: Bench) -> None:
    """Where the server keeps no position, offsets say nothing."""
    bench.subscribe("a")
    bench.log.take()
    for offset in (5, 3, 0):
        bench.publish("a", offset, offset=offset)
    assert [event[2] for event in bench.log.take()] == [5, 3, 0]


def test_publication_without_offset_in_a_positioned_channel_is_told(bench: Bench) -> None:
    """What was published past the history has no place in the stream and moves nothing."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x")
    bench.publish("a", "y", offset=6)
    assert bench.log.names() == ["publication", "publication"]


def test_first_publication_may_bring_the_epoch(bench: Bench) -> None:
    """In a stream that was empty the publication with offset 1 names the epoch, and recovery uses it."""
    bench.subscribe("a", recoverable=True)
    bench.publish("a", 1, offset=1, epoch="new")
    assert "gap" not in bench.log.names()
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [{"channel": "a", "recover": True, "epoch": "new", "offset": 1}]


def test_stream_that_begins_anew_is_a_gap(bench: Bench) -> None:
    """Offset 1 with another epoch behind a known position: the old stream's rest is missing."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=1, epoch="other")
    bench.publish("a", "y", offset=2)
    assert bench.log.take() == [("gap", "a", 6, 1), ("publication", "a", "x"), ("publication", "a", "y")]


@pytest.mark.parametrize("offset", [3, 5, 6, 90])
def test_publication_of_another_stream_is_never_taken_for_a_duplicate(bench: Bench, offset: int) -> None:
    """Whatever its offset, it is told as of another stream, and not by a number of what is missing."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=offset, epoch="other")
    bench.publish("a", "y", offset=offset + 1)
    (_, _, expected, received), *rest = bench.log.take()
    assert received == offset
    assert received < expected
    assert rest == [("publication", "a", "x"), ("publication", "a", "y")]


def test_epoch_that_is_known_changes_nothing(bench: Bench) -> None:
    """A publication that repeats the epoch is placed by its offset."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.log.take()
    bench.publish("a", "x", offset=6, epoch="e")
    bench.publish("a", "y", offset=1, epoch="e")
    assert bench.log.take() == [("publication", "a", "x")]


def reconnect(bench: Bench, **result: Any) -> None:
    """Lose the connection, connect again, and answer the subscribe of channel a."""
    bench.session.lost(1006, "")
    bench.reopen()
    bench.log.take()
    bench.answer("a", **STREAM, was_recovering=True, **result)


def test_recovery_asks_from_the_last_publication(bench: Bench) -> None:
    """The position survives the connection and advances with each publication."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.publish("a", 1, offset=6)
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [{"channel": "a", "recover": True, "epoch": "e", "offset": 6}]


def test_recovered_publications_follow_subscribed_and_precede_live_ones(bench: Bench) -> None:
    """The reply's offset echoes the one asked for; recovered publications count on from it."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(
        bench,
        recovered=True,
        offset=5,
        publications=[{"data": "x", "offset": 6}, {"data": "y", "offset": 7}],
    )
    bench.publish("a", "z", offset=8)
    assert bench.log.take() == [
        ("subscribed", "a"),
        ("publication", "a", "x"),
        ("publication", "a", "y"),
        ("publication", "a", "z"),
    ]
    assert bench.log.subscribed[-1].recovered


def test_recovered_publications_survive_a_reply_that_names_the_top(bench: Bench) -> None:
    """A server that answers with the stream's top instead of the echo loses us nothing."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(bench, recovered=True, offset=6, publications=[{"data": "x", "offset": 6}])
    bench.publish("a", "y", offset=7)
    assert bench.log.names() == ["subscribed", "publication", "publication"]


def test_recovery_with_nothing_missed_is_normal(bench: Bench) -> None:
    """Recovered without publications: the next one is the next offset."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(bench, recovered=True, offset=5)
    bench.publish("a", "x", offset=6)
    assert bench.log.names() == ["subscribed", "publication"]


def test_failed_recovery_is_told_and_goes_on_from_the_top(bench: Bench) -> None:
    """Was recovering but not recovered: the loss is told, and live publications count from the new top."""
    bench.subscribe("a", **STREAM, offset=5)
    reconnect(bench, offset=400)
    bench.publish("a", "x", offset=401)
    assert bench.log.names() == ["subscribed", "publication"]
    assert bench.log.subscribed[-1].was_recovering
    assert not bench.log.subscribed[-1].recovered


def test_channel_that_lost_its_recovery_is_asked_for_plainly(bench: Bench) -> None:
    """A server that no longer keeps positions for a channel is not asked for them."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.session.lost(1006, "")
    bench.reopen()
    bench.answer("a")
    bench.session.lost(1006, "")
    bench.session.opened("token", bench.now)
    assert subscribes(bench) == [{"channel": "a"}]


def test_giving_a_channel_up_gives_its_position_up(bench: Bench) -> None:
    """A new subscribe starts afresh."""
    bench.subscribe("a", **STREAM, offset=5)
    bench.session.unsubscribe("a", bench.now)
    bench.session.subscribe("a", bench.now)
    assert subscribes(bench) == [{"channel": "a"}]
