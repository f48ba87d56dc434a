"""Offsets, epochs, history and recovery."""

from __future__ import annotations

import itertools
import json

from cadenza_tui.simulator.hub import Hub, Position, Sink
from cadenza_tui.simulator.namespaces import Namespace

CHANNEL = "market:trade:X"


class Listener:
    """A sink that keeps what it is pushed."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def push(self, line: bytes) -> None:
        self.lines.append(line)

    def offsets(self) -> list[int]:
        return [json.loads(line)["push"]["pub"]["offset"] for line in self.lines]


def hub(history: int = 3) -> Hub:
    numbers = itertools.count(1)
    return Hub(history=history, linger=60, epoch=lambda: f"e{next(numbers)}")


def test_offsets_count_from_one() -> None:
    """Each publication has the next offset; the position at joining is the top before it."""
    one, listener = hub(), Listener()
    assert one.join(CHANNEL, CHANNEL, listener) == Position(0, "e1")
    one.publish(CHANNEL, b"1")
    one.publish(CHANNEL, b'{"a":2}')
    assert listener.lines[1] == b'{"push":{"channel":"market:trade:X","pub":{"data":{"a":2},"offset":2}}}'


def test_each_spelling_is_pushed_under_its_own_name() -> None:
    """Two spellings share offsets and history; each listener sees the name it asked for."""
    one, first, second = hub(), Listener(), Listener()
    one.join("a", "a", first)
    one.join("a", "b", second)
    one.publish("a", b"1")
    assert json.loads(first.lines[0])["push"]["channel"] == "a"
    assert json.loads(second.lines[0])["push"]["channel"] == "b"


def test_recovery_gives_what_was_missed() -> None:
    """All that came after the position, in order; nothing when nothing was missed."""
    one = hub()
    top = one.join(CHANNEL, CHANNEL, Listener())
    for number in range(3):
        one.publish(CHANNEL, b"%d" % number)
    recovered, missed = one.recover(CHANNEL, Position(1, top.epoch))
    assert recovered
    assert [json.loads(publication)["offset"] for publication in missed] == [2, 3]
    assert one.recover(CHANNEL, Position(3, top.epoch)) == (True, [])
    assert one.recover(CHANNEL, Position(2, "")).recovered


def test_a_position_beyond_history_cannot_be_recovered() -> None:
    """With the oldest missed publication gone, recovery gives nothing at all."""
    one = hub(history=3)
    top = one.join(CHANNEL, CHANNEL, Listener())
    for number in range(5):
        one.publish(CHANNEL, b"%d" % number)
    assert one.recover(CHANNEL, Position(1, top.epoch)) == (False, [])
    assert one.recover(CHANNEL, Position(2, top.epoch)).recovered


def test_a_position_of_another_epoch_or_of_the_future_cannot_be_recovered() -> None:
    """Neither an epoch that is not the stream's nor an offset past its top is honoured."""
    one = hub()
    top = one.join(CHANNEL, CHANNEL, Listener())
    one.publish(CHANNEL, b"1")
    assert not one.recover(CHANNEL, Position(1, "other")).recovered
    assert not one.recover(CHANNEL, Position(2, top.epoch)).recovered
    assert not one.recover("never seen", Position(0, "other")).recovered


def test_a_channel_outlives_its_listeners_for_a_while() -> None:
    """History grows on while a client is away; later the channel is gone, and returns with a new epoch."""
    one, listener = hub(), Listener()
    top = one.join(CHANNEL, CHANNEL, listener)
    one.leave(CHANNEL, CHANNEL, listener, now=100.0)
    one.publish(CHANNEL, b"1")
    one.expire(159.0)
    assert one.recover(CHANNEL, top) == (True, [b'{"data":1,"offset":1,"epoch":"e1"}'])
    one.expire(160.0)
    assert not one.wanted(CHANNEL)
    assert one.join(CHANNEL, CHANNEL, listener) == Position(0, "e2")


def test_nothing_is_kept_for_a_channel_nobody_asked_for() -> None:
    """A publication to it is dropped."""
    one = hub()
    one.publish(CHANNEL, b"1")
    assert not one.wanted(CHANNEL)


def test_a_restart_begins_every_channel_anew() -> None:
    """Offsets restart, history is gone and the epoch is another."""
    one, listener = hub(), Listener()
    top = one.join(CHANNEL, CHANNEL, listener)
    one.publish(CHANNEL, b"1")
    one.restart()
    assert not one.recover(CHANNEL, Position(0, top.epoch)).recovered
    one.publish(CHANNEL, b"2")
    assert listener.offsets() == [1, 1]


def test_a_lossy_channel_loses_pushes_but_not_history() -> None:
    """A publication lost on the way leaves a gap in the offsets, which recovery fills."""
    one, listener = hub(), Listener()
    top = one.join(CHANNEL, CHANNEL, listener)
    one.publish(CHANNEL, b"1")
    one.lossy.add(CHANNEL)
    one.publish(CHANNEL, b"2")
    one.lossy.discard(CHANNEL)
    one.publish(CHANNEL, b"3")
    assert listener.offsets() == [1, 3]
    assert len(one.recover(CHANNEL, Position(1, top.epoch)).publications) == 2


def test_a_forgotten_stream_leaves_its_listeners_behind() -> None:
    """After ``ttl`` without a publication or a subscription; they learn it from the next publication, which
    they do not get."""
    namespace = Namespace(history=5, ttl=10.0)
    one, behind, lost = hub(), Listener(), list[tuple[str, Sink]]()
    one.on_lost = lambda channel, sink: lost.append((channel, sink))
    top = one.join(CHANNEL, CHANNEL, behind, namespace)
    one.publish(CHANNEL, b"1")
    for now in (0.0, 9.0):
        one.expire(now)
    assert one.recover(CHANNEL, top).recovered
    for now in (10.0, 19.0):
        one.expire(now)
    assert one.recover(CHANNEL, top).recovered
    for now in (20.0, 30.0):
        one.expire(now)
    assert not one.recover(CHANNEL, top).recovered
    fresh = Listener()
    assert one.join(CHANNEL, CHANNEL, fresh, namespace) == Position(0, "e2")
    assert not lost
    one.publish(CHANNEL, b"2")
    assert (behind.offsets(), fresh.offsets(), lost) == ([1], [1], [(CHANNEL, behind)])


def test_a_channel_that_nobody_ever_listened_to_is_forgotten() -> None:
    """It lingers from when that was seen."""
    one = hub()
    one.open(CHANNEL)
    one.publish(CHANNEL, b"1")
    one.expire(100.0)
    one.expire(159.0)
    assert one.wanted(CHANNEL)
    one.expire(160.0)
    assert not one.wanted(CHANNEL)


def test_one_recovery_holds_300_publications_at_most() -> None:
    """However long the history is."""
    one = hub(history=1_000)
    top = one.open(CHANNEL)
    for _ in range(301):
        one.publish(CHANNEL, b"1")
    assert not one.recover(CHANNEL, top).recovered
    assert len(one.recover(CHANNEL, Position(1, "")).publications) == 300


def test_history_is_read_from_either_end() -> None:
    """Limit, position and order of a history request, as in Centrifugo."""
    one = hub(history=5)
    top = one.join(CHANNEL, CHANNEL, Listener())
    for number in range(1, 8):
        one.publish(CHANNEL, b"%d" % number)

    def read(**options: object) -> list[int]:
        found = one.history(CHANNEL, **options)  # type: ignore[arg-type]
        assert found is not None
        assert found[1] == Position(7, top.epoch)
        return [json.loads(publication)["data"] for publication in found[0]]

    assert read(limit=0) == []
    assert read(limit=2) == [3, 4]
    assert read(limit=-1) == [3, 4, 5, 6, 7]
    assert read(limit=2, reverse=True) == [7, 6]
    assert read(limit=-1, since=Position(5, top.epoch)) == [6, 7]
    assert read(limit=-1, since=Position(5, top.epoch), reverse=True) == [4, 3]
    assert one.history(CHANNEL, limit=1, since=Position(5, "other")) is None
