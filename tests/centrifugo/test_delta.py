"""The fossil decoder against a naive encoder, the official client's decoder and every kind of damage."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest
from centrifuge.fossil import apply_delta
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cadenza_tui.centrifugo.delta import DeltaError, apply, checksum
from tests.support import fossil

if TYPE_CHECKING:
    from tests.support.fossil import Step

LIMIT = 1 << 20
BOOK = (
    b'{"symbol":"BTC/USDT","venue":"BINANCE","bids":[[65000.1,1.5],[65000.0,2.25]],'
    b'"asks":[[65000.2,0.75],[65000.3,4.0]],"timestamp":1700000000000}'
)
LATER = BOOK.replace(b"65000.1,1.5]", b"65000.1,1.25]").replace(b"1700000000000", b"1700000000250")

CHECKS = settings(max_examples=300, deadline=None)

PAYLOADS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(str.encode),
    st.lists(st.sampled_from([b"[65000.1,1.5],", b'"bids":', "Δ€𝄞".encode(), b"\xff\x00"]), max_size=40).map(
        b"".join
    ),
)


@st.composite
def written_deltas(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A base, any copies and inserts whatever, empty ones too, and what they make."""
    base = draw(PAYLOADS)
    steps: list[Step] = []
    target = b""
    for _ in range(draw(st.integers(0, 8))):
        if draw(st.booleans()):
            inserted = draw(st.binary(max_size=80))
            steps.append(inserted)
            target += inserted
        else:
            offset = draw(st.integers(0, len(base)))
            count = draw(st.integers(0, len(base) - offset))
            steps.append((offset, count))
            target += base[offset : offset + count]
    return base, fossil.written(steps, target), target


def outcome(base: bytes, delta: bytes) -> bytes | None:
    """What came of it, None for a DeltaError; any other exception fails the test."""
    try:
        return apply(base, delta, LIMIT)
    except DeltaError:
        return None


@pytest.mark.parametrize(
    ("base", "delta", "target"),
    [
        (BOOK, b"2E\nv@0,1:21F@v,4:250}uPbss;", LATER),
        (BOOK, b'7\n7:{"v":2}2qLFCY;', b'{"v":2}'),
        (b"", b'7\n7:{"v":2}2qLFCY;', b'{"v":2}'),
        (BOOK, b"0\n0;", b""),
    ],
    ids=["copies and inserts", "insert alone", "no base", "nothing"],
)
def test_seen_deltas_apply(base: bytes, delta: bytes, target: bytes) -> None:
    """What a real server sent makes what it meant."""
    assert apply(base, delta, LIMIT) == target


@CHECKS
@given(PAYLOADS, PAYLOADS, st.integers(1, 16))
@example("€uro Δ 𝄞".encode(), "€uro Δx 𝄞".encode(), 4)
@example(b"", b"", 4)
@example(BOOK, LATER, 16)
def test_an_encoders_delta_gives_the_target_back(base: bytes, target: bytes, gram: int) -> None:
    """Whatever an encoder makes of base and target, it comes back, here and in the official client."""
    delta = fossil.written(fossil.steps_between(base, target, gram), target)
    assert apply(base, delta, len(target)) == target
    assert apply_delta(base, delta) == target


@CHECKS
@given(written_deltas())
def test_any_valid_delta_makes_what_the_official_client_makes(written: tuple[bytes, bytes, bytes]) -> None:
    """Copies and inserts in any order, of any length, overlapping or empty, give what they say."""
    base, delta, target = written
    assert apply(base, delta, LIMIT) == target
    assert bytes(apply_delta(base, delta)) == target


@CHECKS
@given(st.binary(max_size=3_000) | st.integers(0, 70_000).map(lambda size: b"\xff" * size))
@example(b"\xff" * 1_024)
@example(b"\xff" * 1_025)
@example(b"\xff" * 70_003)
def test_the_checksum_is_the_sum_of_the_words(content: bytes) -> None:
    """The checksum is that of the naive sum, however long and large the bytes."""
    assert checksum(content) == fossil.checksum(content)


def test_every_truncation_is_refused() -> None:
    """A delta cut off anywhere does not apply."""
    delta = fossil.encode(BOOK, LATER)
    assert [outcome(BOOK, delta[:length]) for length in range(len(delta))] == [None] * len(delta)


def test_every_changed_byte_is_refused_or_proved_by_the_checksum() -> None:
    """Each byte of a delta exchanged for each other byte: refused, or true to what the delta announces."""
    delta = b"2E\nv@0,1:21F@v,4:250}uPbss;"
    refused = 0
    for place in range(len(delta)):
        for byte in range(256):
            damaged = delta[:place] + bytes((byte,)) + delta[place + 1 :]
            if damaged == delta:
                continue
            made = outcome(BOOK, damaged)
            if made is None:
                refused += 1
            else:
                assert (fossil.number(len(made)), fossil.number(fossil.checksum(made))) == (b"2E", b"uPbss")
    assert refused > len(delta) * 250


@CHECKS
@given(written_deltas(), st.data())
def test_damage_is_refused_or_proved_by_the_checksum(
    written: tuple[bytes, bytes, bytes], data: st.DataObject
) -> None:
    """Bytes cut out, put in or exchanged anywhere: refused, or the size and checksum hold."""
    base, delta, _ = written
    place = data.draw(st.integers(0, len(delta)))
    removed = data.draw(st.integers(0, 3))
    damaged = delta[:place] + data.draw(st.binary(max_size=3)) + delta[place + removed :]
    made = outcome(base, damaged)
    if made is not None:
        size, total = fossil.number(len(made)), fossil.number(fossil.checksum(made))
        announced = damaged[: damaged.index(b"\n")]
        assert announced.lstrip(b"0") == size.lstrip(b"0")
        assert damaged.endswith(total.lstrip(b"0") + b";")


@CHECKS
@given(PAYLOADS, st.binary(max_size=100) | st.text("0123@:,;~\n", max_size=60).map(str.encode))
def test_arbitrary_bytes_are_at_worst_refused(base: bytes, delta: bytes) -> None:
    """Nothing but a DeltaError comes of bytes that are no delta."""
    outcome(base, delta)


@pytest.mark.parametrize(
    ("delta", "sentence"),
    [
        (b"", "begin"),
        (b"\n", "begin"),
        (b"-1\n0;", "begin"),
        (b"5", "begin"),
        (b"0000005\n", "begin"),
        (b"\xb5\n", "begin"),
        ("5€\n".encode(), "begin"),
        (b"~~~~~~\n0;", "32 bits"),
        (b"1~~\n0;", "limit"),
        (b"4\n4@0", "cut off"),
        (b"4\n4@0;", "cut off"),
        (b"4\n4", "cut off"),
        (b"4\n@0,0;", "cut off"),
        (b"4\n4@,0;", "cut off"),
        (b"4\n-4@0,0;", "cut off"),
        (b"4\n4!0,0;", "cut off"),
        (b"4\n4@4,0;", "behind the end of its base"),
        (b"4\n4@5,0;", "behind the end of its base"),
        (b"4\n9@0,0;", "behind the end of its base"),
        (b"4\n0@9,0;", "behind the end of its base"),
        (b"4\n4@3~~~~~,0;", "behind the end of its base"),
        (b"4\n4@~~~~~~,0;", "32 bits"),
        (b"4\n~~~~~~:abcd0;", "32 bits"),
        (b"4\n4:abc", "within an insert"),
        (b"4\n3~~~~~:abcd0;", "within an insert"),
        (b"4\n4@0,1@0,0;", "more bytes"),
        (b"4\n4@0,1:x0;", "more bytes"),
        (b"4\n3@0,0;", "fewer bytes"),
        (b"4\n4@0,0;", "checksum"),
        (b"4\n4@0,~~~~~~;", "32 bits"),
        (b"0\n0;\n", "goes on"),
        (b"0\n0;0;", "goes on"),
    ],
)
def test_a_delta_that_does_not_apply_says_why(delta: bytes, sentence: str) -> None:
    """Each kind of fault is a DeltaError with its own sentence."""
    with pytest.raises(DeltaError, match=sentence):
        apply(b"payload", delta, 4096)


def test_a_refusal_tells_nothing_of_the_payload() -> None:
    """No byte of base or delta stands in an error, since a private channel's payload may be secret."""
    for delta in (b"6\nsecret", b"6\n6:secret0;", b"6\n5:secret0;", b"9\n6:secret0;", b"z\n6:secret"):
        with pytest.raises(DeltaError) as caught:
            apply(b"secret", delta, 1_000)
        assert "secret" not in repr(caught.value)


def test_a_result_up_to_the_limit_is_made_and_one_above_is_not() -> None:
    """The limit is the longest result, to the byte."""
    delta = fossil.encode(b"", b"x" * 100)
    assert apply(b"", delta, 100) == b"x" * 100
    with pytest.raises(DeltaError, match="limit of 99"):
        apply(b"", delta, 99)


@pytest.mark.parametrize("announced", [b"~~~~~", b"4000"], ids=["a gigabyte", "what is allowed"])
def test_a_delta_of_a_million_copies_is_refused_before_memory_is_used(announced: bytes) -> None:
    """A short delta that would copy a terabyte is refused by its size, whatever size it announces."""
    base = bytes(LIMIT)
    delta = announced + b"\n" + b"4000@0," * 1_000_000 + b"0;"
    tracemalloc.start()
    try:
        with pytest.raises(DeltaError):
            apply(base, delta, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()
