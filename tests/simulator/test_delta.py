"""Fossil deltas: any target comes back from any origin, by a decoder that knows nothing but the format."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from cadenza_tui.simulator.delta import BLOCK, create
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.numbers import SECOND

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
BOOK = (
    b'{"symbol":"BTC/USDT","venue":"BINANCE","bids":[[65000.1,1.5],[65000.0,2.25]],'
    b'"asks":[[65000.2,0.75],[65000.3,4.0]],"timestamp":1700000000000}'
)


def apply(origin: bytes, delta: bytes) -> bytes:
    """Decode, byte by byte; fails on anything that the format does not allow."""
    place = 0

    def number() -> int:
        nonlocal place
        value, began = 0, place
        while chr(delta[place]) in DIGITS:
            value = value * 64 + DIGITS.index(chr(delta[place]))
            place += 1
        assert place > began
        return value

    def sign() -> str:
        nonlocal place
        place += 1
        return chr(delta[place - 1])

    size = number()
    assert sign() == "\n"
    target = b""
    while True:
        count, kind = number(), sign()
        if kind == "@":
            offset = number()
            assert sign() == ","
            assert 0 < count <= len(origin) - offset
            target += origin[offset : offset + count]
        elif kind == ":":
            assert count > 0
            target += delta[place : place + count]
            place += count
        else:
            assert (kind, place) == (";", len(delta))
            padded = target + b"\0" * (-len(target) % 4)
            words = [int.from_bytes(padded[at : at + 4], "big") for at in range(0, len(padded), 4)]
            assert count == sum(words) % 2**32
            assert len(target) == size
            return target


@given(st.binary(max_size=300), st.binary(max_size=300))
@example(b"", b"")
@example(b"x" * 400, b"x" * 399)
@example(b"ab" * 200, b"ba" * 200)
@example(bytes(range(256)) * 2, bytes(range(255, -1, -1)) * 2)
def test_any_target_comes_back_from_any_origin(origin: bytes, target: bytes) -> None:
    """Whether they have anything in common or not."""
    assert apply(origin, create(origin, target)) == target


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=8), st.data())
def test_pieces_that_were_moved_changed_or_repeated_come_back(
    pieces: list[bytes], data: st.DataObject
) -> None:
    """As an edited message has them."""
    origin = b"".join(pieces)
    chosen = data.draw(st.lists(st.one_of(st.sampled_from(pieces), st.binary(max_size=20)), max_size=12))
    target = b"".join(chosen)
    assert apply(origin, create(origin, target)) == target


def test_a_delta_is_byte_for_byte_as_centrifugos() -> None:
    """Vectors that the real server sent."""
    target = BOOK.replace(b"1.5]", b"1.25]").replace(b"000000}", b"000250}")
    assert create(BOOK, target) == b"2E\nv@0,1:21F@v,4:250}uPbss;"
    assert create(BOOK, b'{"v":2}') == b'7\n7:{"v":2}2qLFCY;'
    one = '{"k":"' + "x" * 100 + '","n":0,"é":"ж"}'
    other = one.replace('"n":0', '"n":1')
    assert create(one.encode(), other.encode()) == '1x\n1l@0,C:1,"é":"ж"}16UkAY;'.encode()


@given(st.integers(0, 99), st.binary(max_size=2 * BLOCK))
def test_one_change_in_a_message_makes_a_short_delta(place: int, change: bytes) -> None:
    """What is before it and behind it is copied, wherever it is and whatever its length."""
    origin = b"".join(b'["%d.5","%d"],' % (number, number * 7) for number in range(100))
    at = len(origin) * place // 100
    target = origin[:at] + change + origin[at + 5 :]
    assert len(create(origin, target)) <= len(change) + 3 * BLOCK + 40


def test_books_that_follow_each_other_have_short_deltas() -> None:
    """A book of 20 levels a side costs a small part of itself."""
    exchange = Exchange(3, instruments=1, rate=200.0)
    market = next(iter(exchange.markets.values()))
    sizes, deltas, last = 0, 0, b""
    for _ in range(50):
        exchange.advance(exchange.now_ns + SECOND // 50)
        book = repr(market.state(20, lambda ns: ns)).encode()
        delta = create(last, book)
        assert apply(last, delta) == book
        sizes, deltas, last = sizes + len(book), deltas + len(delta), book
    assert deltas < sizes / 3
