"""Channels whose publications come as changes to the ones before, by scripted pushes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from cadenza_tui.centrifugo.codes import Local
from cadenza_tui.centrifugo.frames import Publication
from cadenza_tui.centrifugo.payloads import Loss, PayloadLost, Payloads
from tests.support.fossil import encode

from .recorder import STREAM, Bench, subscribes

# Seen on the real server.
BASE = (
    '{"symbol":"BTC/USDT","venue":"BINANCE","bids":[[65000.1,1.5],[65000.0,2.25]],'
    '"asks":[[65000.2,0.75],[65000.3,4.0]],"timestamp":1700000000000}'
)
DELTA = "2E\nv@0,1:21F@v,4:250}uPbss;"
RESULT = BASE.replace("1.5]", "1.25]").replace("000}", "250}")

NO_BASE = "delta without the message that it changes"
UNFIT = "delta that does not fit the message before it"
NOT_AGREED = "delta on a channel that agreed to none"
NOT_TEXT = "message of a delta channel that is not a JSON string"


class Bytes(Bench):
    """A bench that keeps what publications were told, to the byte."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.told: list[bytes] = []
        self.log.on_publication = (  # type: ignore[method-assign]
            lambda channel, publication: self.told.append(bytes(publication.data))
        )

    def delta(self, base: str, target: str, **fields: Any) -> None:
        """Push a change from one payload to another in channel a."""
        self.publish("a", encode(base.encode(), target.encode()).decode(), delta=True, **fields)


@pytest.fixture
def bench() -> Bytes:
    """A session in which channel a is subscribed with deltas, at offset 5, for a while."""
    bench = Bytes()
    bench.connect(ping=0)
    bench.subscribe("a", delta=True, **STREAM, offset=5)
    bench.later(5)
    bench.sent()
    bench.log.take()
    return bench


def asked_from_nowhere(bench: Bench) -> bool:
    """Whether the server was just told to forget the subscription, and asked for it without a position."""
    unsubscribe, subscribe = bench.sent()
    bench.commands = [subscribe]
    return bool(
        unsubscribe["unsubscribe"] == {"channel": "a"}
        and subscribe["subscribe"] == {"channel": "a", "recover": True, "epoch": "_", "delta": "fossil"}
    )


# --- payloads


def test_deltas_are_asked_for() -> None:
    """The only kind the server has is named in the subscribe; nothing is asked for otherwise."""
    bench = Bench()
    bench.connect()
    bench.session.subscribe("a", bench.now, delta=True)
    bench.session.subscribe("b", bench.now)
    assert subscribes(bench) == [{"channel": "a", "delta": "fossil"}, {"channel": "b"}]


def test_listener_is_told_full_payloads_of_full_texts_and_deltas(bench: Bytes) -> None:
    """The payload is the text inside the JSON string, changed as the delta says."""
    bench.publish("a", BASE, offset=6)
    bench.publish("a", DELTA, offset=7, delta=True)
    bench.publish("a", '7\n7:{"v":2}2qLFCY;', offset=8, delta=True)
    assert bench.told == [BASE.encode(), RESULT.encode(), b'{"v":2}']
    assert bench.log.subscribed[-1].delta


def test_publication_that_was_made_whole_is_no_delta(bench: Bytes) -> None:
    """Whoever looks at the publication sees one kind alone."""
    flags = []
    bench.log.on_publication = (  # type: ignore[method-assign]
        lambda channel, publication: flags.append(publication.delta)
    )
    bench.publish("a", BASE, offset=6)
    bench.publish("a", DELTA, offset=7, delta=True)
    assert flags == [False, False]


def test_base_is_kept_to_the_byte(bench: Bytes) -> None:
    """Odd white space, escapes and non-ASCII text of the payload are part of what the next delta changes."""
    first = '{ "é" : "\\u00e9\\n", "n": 1.50e0 }  '
    second = first.replace("1.50e0", "1.60e0")
    bench.publish("a", first, offset=6)
    bench.delta(first, second, offset=7)
    assert bench.told == [first.encode(), second.encode()]


def test_channel_without_positions_can_have_deltas() -> None:
    """Deltas change the publication before, whether or not it had an offset."""
    bench = Bytes()
    bench.connect()
    bench.subscribe("a", delta=True)
    for offset in (0, 9):
        bench.publish("a", BASE, offset=offset)
        bench.publish("a", DELTA, offset=offset, delta=True)
    assert bench.told == [BASE.encode(), RESULT.encode()] * 2


def test_server_that_grants_no_deltas_sends_payloads_as_they_are(bench: Bytes) -> None:
    """Then a JSON string is a payload like any other, null and scalars are too."""
    bench.subscribe("b", **STREAM)
    bench.session.subscribe("c", bench.now, delta=True)
    bench.answer("c", **STREAM)
    for channel in "bc":
        for offset, data in enumerate(["text", None, 1.5, {"x": 1}], 1):
            bench.publish(channel, data, offset=offset)
    assert bench.told == [b'"text"', b"null", b"1.5", b'{"x": 1}'] * 2


def test_deltas_that_nobody_asked_for_are_not_applied(bench: Bytes) -> None:
    """A server that grants what was not asked for changes nothing."""
    bench.session.subscribe("b", bench.now)
    bench.answer("b", **STREAM, delta=True)
    bench.push("s", subscribe=STREAM | {"delta": True})
    bench.publish("b", "text", offset=1)
    bench.publish("s", "text", offset=1)
    assert bench.told == [b'"text"', b'"text"']


def test_duplicates_do_not_touch_the_base(bench: Bytes) -> None:
    """A publication that is passed over changes nothing for the next delta."""
    bench.publish("a", BASE, offset=6)
    bench.publish("a", '{"old":1}', offset=3)
    bench.publish("a", DELTA, offset=6, delta=True)
    bench.publish("a", DELTA, offset=7, delta=True)
    assert bench.told == [BASE.encode(), RESULT.encode()]
    assert bench.session.dropped == {"duplicate publication": 2}


# --- across connections


def test_recovered_publications_go_on_from_the_base(bench: Bytes) -> None:
    """The base outlives the connection, as the position does."""
    bench.publish("a", BASE, offset=6)
    bench.lose(1006)
    bench.accept(ping=0)
    missed = [{"data": DELTA, "delta": True, "offset": 7}, {"data": '{"x":1}', "offset": 8}]
    bench.answer(
        "a", **STREAM, delta=True, was_recovering=True, recovered=True, offset=6, publications=missed
    )
    bench.delta('{"x":1}', '{"x":2}', offset=9)
    assert bench.told == [BASE.encode(), RESULT.encode(), b'{"x":1}', b'{"x":2}']


def test_delta_after_an_empty_recovery_goes_on_from_the_base(bench: Bytes) -> None:
    """With nothing missed the server goes on where it was."""
    bench.publish("a", BASE, offset=6)
    bench.lose(1006)
    bench.accept(ping=0)
    bench.answer("a", **STREAM, delta=True, was_recovering=True, recovered=True, offset=6)
    bench.publish("a", DELTA, offset=7, delta=True)
    assert bench.told == [BASE.encode(), RESULT.encode()]


def test_failed_recovery_begins_with_a_full_text(bench: Bytes) -> None:
    """After a loss there is no base, until a full text brings one."""
    bench.publish("a", BASE, offset=6)
    bench.lose(1006)
    bench.accept(ping=0)
    bench.answer("a", **STREAM, delta=True, was_recovering=True, offset=40)
    bench.publish("a", BASE, offset=41)
    bench.publish("a", DELTA, offset=42, delta=True)
    assert bench.told == [BASE.encode(), BASE.encode(), RESULT.encode()]


def test_delta_after_a_failed_recovery_is_not_applied_to_what_was_before(bench: Bytes) -> None:
    """Even one that would fit: the payload before it is another one."""
    bench.publish("a", BASE, offset=6)
    bench.lose(1006)
    bench.accept(ping=0)
    bench.answer("a", **STREAM, delta=True, was_recovering=True, offset=40)
    bench.publish("a", DELTA, offset=41, delta=True)
    assert bench.told == [BASE.encode()]
    assert bench.session.dropped == {NO_BASE: 1}


@pytest.mark.parametrize(("code", "kept"), [(2500, True), (2501, True), (2502, False)])
def test_base_is_given_up_with_the_state_alone(bench: Bytes, code: int, kept: bool) -> None:
    """Unsubscribe 2502 drops the base; other reasons to ask again keep it."""
    bench.publish("a", BASE, offset=6)
    bench.push("a", unsubscribe={"code": code})
    bench.answer("a", **STREAM, delta=True, was_recovering=True, recovered=True, offset=6 if kept else 0)
    bench.publish("a", DELTA, offset=7 if kept else 1, delta=True)
    assert (bench.told[1:] == [RESULT.encode()]) is kept
    assert bench.session.dropped == ({} if kept else {NO_BASE: 1})


def test_close_3014_gives_the_base_up(bench: Bytes) -> None:
    """After invalidated state nothing stands on what was before."""
    bench.publish("a", BASE, offset=6)
    bench.lose(3014)
    bench.accept(ping=0)
    bench.answer("a", **STREAM, delta=True, was_recovering=True, recovered=True)
    bench.publish("a", DELTA, offset=1, delta=True)
    assert bench.session.dropped == {NO_BASE: 1}


def test_base_is_given_up_while_the_server_grants_no_deltas(bench: Bytes) -> None:
    """What was told without deltas meanwhile is not what an old base stands for."""
    bench.publish("a", BASE, offset=6)
    for granted in (False, True):
        bench.lose(1006)
        bench.accept(ping=0)
        bench.answer("a", **STREAM, delta=granted, was_recovering=True, recovered=True, offset=6)
    bench.publish("a", DELTA, offset=7, delta=True)
    assert bench.session.dropped == {NO_BASE: 1}


# --- losses


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (None, {"data": DELTA, "delta": True}, NO_BASE),
        (BASE, {"data": DELTA[:-3], "delta": True}, UNFIT),
        (BASE.replace("venue", "VENUE"), {"data": DELTA, "delta": True}, UNFIT),
        (BASE, {"data": "", "delta": True}, UNFIT),
        (BASE, {"data": "zzzzzz\n", "delta": True}, UNFIT),
        (BASE, {"data": None}, NOT_TEXT),
        (BASE, {"data": {"v": 2}}, NOT_TEXT),
        (BASE, {"data": 7, "delta": True}, NOT_TEXT),
    ],
    ids=["no-base", "truncated", "another-base", "empty", "bomb", "null", "object", "number"],
)
def test_payload_that_cannot_be_had_asks_for_the_channel_anew(
    bench: Bytes, first: str | None, second: dict[str, Any], name: str
) -> None:
    """It is counted by name and told; position and base go; the server then says that messages are lost."""
    if first is not None:
        bench.publish("a", first, offset=6)
    bench.told.clear()
    bench.log.take()
    bench.say({"push": {"channel": "a", "pub": {"offset": 7 if first else 6, **second}}})
    assert bench.told == []
    assert bench.log.take() == [("subscribing", "a", Local.DELTA_LOST)]
    assert bench.log.reasons[-1] == "a change does not fit the message before it"
    assert bench.session.dropped == {name: 1}
    assert bench.session.ending is None
    assert asked_from_nowhere(bench)
    bench.publish("a", BASE, offset=8)  # from before the unsubscribe
    bench.answer("a", **STREAM, delta=True, was_recovering=True, offset=8)
    assert bench.log.subscribed[-1].was_recovering
    assert not bench.log.subscribed[-1].recovered
    bench.publish("a", BASE, offset=9)
    bench.publish("a", DELTA, offset=10, delta=True)
    assert bench.told == [BASE.encode(), RESULT.encode()]


def test_delta_that_cuts_a_character_in_two_asks_for_the_channel_anew(bench: Bytes) -> None:
    """Over JSON its halves cannot be sent: what comes instead is not taken for the payload."""
    first, second = '{"s":"é"}', '{"s":"è"}'  # the two share their first byte
    bench.publish("a", first, offset=6)
    cut = encode(first.encode(), second.encode())
    assert b"\xa8" in cut
    assert "è".encode() not in cut
    bench.publish("a", cut.decode(errors="replace"), offset=7, delta=True)
    assert bench.told == [first.encode()]
    assert bench.session.dropped == {UNFIT: 1}
    assert asked_from_nowhere(bench)


def test_bytes_that_are_not_utf8_ask_for_the_channel_anew(bench: Bytes) -> None:
    """Raw bytes inside the JSON string are no text."""
    line = b'{"push":{"channel":"a","pub":{"data":"\xc3","delta":true,"offset":6}}}'
    bench.session.receive(line, bench.now)
    assert bench.session.dropped == {NOT_TEXT: 1}
    assert asked_from_nowhere(bench)


def test_payload_beyond_the_frame_limit_is_not_made() -> None:
    """A short delta cannot fill the memory: its result is bounded as a frame is."""
    bench = Bytes(max_frame_bytes=100)
    bench.connect(ping=0)
    bench.subscribe("a", delta=True, **STREAM)
    text = json.dumps("x" * 60)
    bench.publish("a", text, offset=1)
    bench.delta(text, text + text, offset=2)
    assert bench.session.dropped == {UNFIT: 1}


def test_gap_before_a_full_text_is_told_and_goes_on(bench: Bytes) -> None:
    """A full text needs nothing before it."""
    bench.publish("a", BASE, offset=6)
    bench.publish("a", '{"x":1}', offset=9)
    bench.delta('{"x":1}', '{"x":2}', offset=10)
    assert bench.log.take() == [("gap", "a", 7, 9)]
    assert bench.told == [BASE.encode(), b'{"x":1}', b'{"x":2}']


def test_gap_before_a_delta_is_never_bridged(bench: Bytes) -> None:
    """Even where the delta would fit what is held, something is missing in between: ask anew."""
    bench.publish("a", BASE, offset=6)
    bench.publish("a", DELTA, offset=8, delta=True)
    assert bench.told == [BASE.encode()]
    assert bench.session.dropped == {NO_BASE: 1}
    assert asked_from_nowhere(bench)


def test_loss_among_recovered_publications_stops_the_rest(bench: Bytes) -> None:
    """What stands on a lost payload is not told; the channel is asked for anew after a pause."""
    bench.publish("a", BASE, offset=6)
    bench.lose(1006)
    bench.accept(ping=0)
    missed = [{"data": "nonsense", "delta": True, "offset": 7}, {"data": BASE, "offset": 8}]
    bench.answer(
        "a", **STREAM, delta=True, was_recovering=True, recovered=True, offset=6, publications=missed
    )
    assert bench.told == [BASE.encode()]
    bench.later(0.75)
    assert asked_from_nowhere(bench)


def test_listener_may_give_the_channel_up_when_a_payload_is_lost(bench: Bytes) -> None:
    """A channel that nobody wants any more is not asked for again."""
    bench.log.hooks = {"subscribing": lambda channel, *_: bench.session.unsubscribe(channel, bench.now)}
    bench.publish("a", None, offset=6)
    assert [list(command)[1] for command in bench.sent()] == ["unsubscribe"]
    assert bench.session.channels == []


def test_lost_payload_leaves_no_base_behind() -> None:
    """After a failure even a delta that would fit what was before is refused."""
    payloads = Payloads(10_000)
    payloads.take(Publication(Raw(json.dumps(BASE).encode())))
    change = Publication(Raw(json.dumps(DELTA).encode()), delta=True)
    with pytest.raises(PayloadLost) as unfit:
        payloads.take(Publication(Raw(b'"nonsense"'), delta=True))
    with pytest.raises(PayloadLost) as no_base:
        payloads.take(change)
    assert (unfit.value.loss, no_base.value.loss) == (Loss.UNFIT, Loss.NO_BASE)


def lose_payloads(bench: Bench, times: int, apart: float) -> dict[str, Any]:
    """Lose a payload several times, and return the last subscribe."""
    for _ in range(times):
        bench.later(apart)
        bench.publish("a", None)
        unsubscribe, subscribe = bench.sent()
        bench.reply(unsubscribe, unsubscribe={})
        asked: dict[str, Any] = subscribe["subscribe"]
        bench.reply(subscribe, subscribe=STREAM | {"delta": "delta" in asked})
    return asked


def test_server_whose_deltas_never_fit_is_asked_for_plain_payloads(bench: Bytes) -> None:
    """After three losses in short order the channel comes without deltas, rather than not at all."""
    assert "delta" in lose_payloads(bench, 2, apart=30)
    assert "delta" not in lose_payloads(bench, 1, apart=30)
    bench.publish("a", {"x": 1}, offset=1)
    assert bench.told == [b'{"x": 1}']
    assert bench.session.dropped["channel whose deltas did not fit, asked for without"] == 1


def test_rare_losses_leave_deltas_on(bench: Bytes) -> None:
    """One lost payload now and then is no reason to do without."""
    assert "delta" in lose_payloads(bench, 6, apart=61)


PAYLOADS = st.lists(st.text(max_size=40), min_size=1, max_size=25)


@given(PAYLOADS, st.data())
def test_whatever_is_sent_as_deltas_is_told_as_it_was(texts: list[str], data: st.DataObject) -> None:
    """Full or changed, repeated, with connections lost in between: what is told is what was published."""
    bench = Bytes()
    bench.connect(ping=0)
    bench.subscribe("a", delta=True, **STREAM)
    payloads = [json.dumps(text) for text in texts]
    for offset, payload in enumerate(payloads, 1):
        event = data.draw(st.sampled_from(["delta", "full", "again", "reconnect"]))
        if event == "reconnect":
            bench.lose(1006)
            bench.accept(ping=0)
            bench.answer("a", **STREAM, delta=True, was_recovering=True, recovered=True, offset=offset - 1)
        if event == "full" or offset == 1:
            bench.publish("a", payload, offset=offset)
        else:
            bench.delta(payloads[offset - 2], payload, offset=offset)
        if event == "again":
            bench.publish("a", payload, offset=offset)
    assert bench.told == [payload.encode() for payload in payloads]


# --- deltas that were not agreed to


@pytest.mark.parametrize("wanted", [True, False], ids=["refused", "not asked for"])
@pytest.mark.parametrize("positions", [STREAM | {"offset": 5}, {}], ids=["positioned", "plain"])
def test_delta_without_an_agreement_is_a_lost_payload(wanted: bool, positions: dict[str, Any]) -> None:
    """It is not told but counted by name; the channel is asked for anew, and a position of it is given up."""
    bench = Bytes()
    bench.connect(ping=0)
    bench.session.subscribe("a", bench.now, delta=wanted)
    bench.answer("a", **positions)
    bench.later(5)
    bench.sent()
    bench.log.take()
    offset = {"offset": 6} if positions else {}
    bench.publish("a", {"v": 1}, **offset)
    bench.publish("a", DELTA, delta=True, **({"offset": 7} if positions else {}))
    assert bench.told == [b'{"v": 1}']
    assert bench.log.take() == [("subscribing", "a", Local.DELTA_LOST)]
    assert bench.session.dropped == {NOT_AGREED: 1}
    unsubscribe, subscribe = bench.sent()
    assert unsubscribe["unsubscribe"] == {"channel": "a"}
    assert subscribe["subscribe"] == (
        {"channel": "a"}
        | ({"recover": True, "epoch": "_"} if positions else {})
        | ({"delta": "fossil"} if wanted else {})
    )


def test_recovered_delta_without_an_agreement_is_a_lost_payload() -> None:
    """What a subscribe reply brings is no exception, and what follows it there is not told either."""
    bench = Bytes()
    bench.connect(ping=0)
    bench.session.subscribe("a", bench.now)
    recovered = [{"data": DELTA, "delta": True, "offset": 6}, {"data": {"v": 2}, "offset": 7}]
    bench.answer("a", **STREAM, offset=5, recovered=True, publications=recovered)
    assert bench.told == []
    assert bench.session.dropped == {NOT_AGREED: 1}


def test_channel_that_wanted_no_deltas_is_not_said_to_do_without() -> None:
    """Losses on it are counted each, and it is asked for at the rate of its backoff."""
    bench = Bytes()
    bench.connect(ping=0)
    bench.session.subscribe("a", bench.now)
    for _ in range(5):
        bench.answer("a")
        bench.sent()
        bench.publish("a", DELTA, delta=True)
        assert subscribes(bench) == []
        bench.later(1)
    assert bench.session.dropped == {NOT_AGREED: 5}
