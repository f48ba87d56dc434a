"""Frames: lines in, lines out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadenza_tui.centrifugo import frames
from cadenza_tui.centrifugo.frames import Malformed, Reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def decode(frame: bytes) -> tuple[list[Reply], list[Malformed]]:
    """Decode a frame, and keep what was rejected."""
    rejected: list[Malformed] = []
    return frames.decode(frame, rejected.append), rejected


def publication(data: object, offset: int = 1) -> bytes:
    """One publication's line."""
    return json.dumps({"push": {"channel": "c", "pub": {"data": data, "offset": offset}}}).encode()


def payloads(replies: list[Reply]) -> list[object]:
    """The payloads of publications."""
    return [json.loads(bytes(reply.push.pub.data)) for reply in replies if reply.push and reply.push.pub]


@given(st.lists(JSON, max_size=20))
def test_every_line_of_a_frame_is_decoded_in_order(data: list[object]) -> None:
    """Publications come out as they went in, whatever their payloads."""
    replies, rejected = decode(b"\n".join(publication(item) for item in data))
    assert payloads(replies) == data
    assert not rejected


@given(
    st.lists(st.tuples(JSON, st.sampled_from([None, b"{", b"nonsense", b"[1]", b'{"id":"x"}'])), max_size=10)
)
def test_malformed_lines_do_no_harm_to_the_others(lines: list[tuple[object, bytes | None]]) -> None:
    """A line that cannot be used is named; the lines around it are used."""
    frame = b"\n".join(publication(data) if bad is None else bad for data, bad in lines)
    replies, rejected = decode(frame)
    assert payloads(replies) == [data for data, bad in lines if bad is None]
    assert len(rejected) == sum(bad is not None for _, bad in lines)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", Malformed.NOT_JSON),
        (b'{"id":1', Malformed.NOT_JSON),
        (b"\x00\x01", Malformed.NOT_JSON),
        (b"[]", Malformed.WRONG_TYPE),
        (b"7", Malformed.WRONG_TYPE),
        (b'{"id":-1}', Malformed.WRONG_TYPE),
        (b'{"id":1.5}', Malformed.WRONG_TYPE),
        (b'{"id":1,"connect":{"ttl":9223372036854775808}}', Malformed.WRONG_TYPE),
        (b'{"id":1,"connect":{"ping":' + b"9" * 6000 + b"}}", Malformed.WRONG_TYPE),
        (b'{"push":{"disconnect":{"code":' + b"9" * 400 + b"}}}", Malformed.WRONG_TYPE),
        (b'{"push":{"pub":{"time":1e999}}}', Malformed.WRONG_TYPE),
        (b'{"push":{"channel":7}}', Malformed.WRONG_TYPE),
        (b'{"push":{"pub":{"offset":"1"}}}', Malformed.WRONG_TYPE),
        (b'{"push":{"channel":"\xff"}}', Malformed.NOT_UTF8),
        (b'{"push":{"pub":{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}}}", Malformed.TOO_DEEP),
    ],
)
@pytest.mark.parametrize("frame", [b"%b", b"{}\n%b\n{}"])
def test_malformed_lines_are_named(line: bytes, reason: Malformed, frame: bytes) -> None:
    """Each way of being malformed has a name, alone in a frame or among others."""
    replies, rejected = decode(frame % line)
    assert rejected == [reason]
    assert len(replies) == frame.count(b"{}")


@given(st.binary(max_size=200))
def test_no_bytes_raise(frame: bytes) -> None:
    """Whatever arrives, decoding returns."""
    decode(frame)


@pytest.mark.parametrize("frame", [b"", b" ", b"\n", b" \n\r\n", b"\n\n"])
def test_empty_lines_are_nothing(frame: bytes) -> None:
    """Blank lines are neither pings nor malformed."""
    assert decode(frame) == ([], [])


@pytest.mark.parametrize("data", [b"null", b"0", b"false", b'""'])
def test_falsy_payloads_are_payloads(data: bytes) -> None:
    """Presence is told by the key: null and scalars are data like any other."""
    (reply,), _ = decode(b'{"push":{"channel":"c","pub":{"data":' + data + b"}}}")
    assert reply.push is not None
    assert reply.push.pub is not None
    assert bytes(reply.push.pub.data) == data


def test_absent_payload_reads_as_null() -> None:
    """Zero values are left out on the wire."""
    (reply,), _ = decode(b'{"push":{"channel":"c","pub":{}}}')
    assert reply.push is not None
    assert reply.push.pub is not None
    assert bytes(reply.push.pub.data) == b"null"


def test_unknown_fields_and_pushes_are_ignored() -> None:
    """A newer server does not disturb."""
    (reply,), rejected = decode(b'{"push":{"channel":"c","novelty":{"x":[1]}},"more":true}')
    assert reply.push is not None
    assert reply.push.pub is None
    assert not rejected


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 80))
def test_portions_are_the_whole_frame_cut_between_lines(lengths: list[int], size: int) -> None:
    """Nothing is lost, no line is cut, and a portion is over size only where one line is."""
    frame = b"\n".join(b"x" * length for length in lengths)
    parts = list(frames.portions(frame, size))
    assert b"\n".join(parts) == frame
    assert all(len(part) <= size or b"\n" not in part for part in parts)
