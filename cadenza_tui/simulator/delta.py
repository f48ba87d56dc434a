"""The fossil delta format, encoded: how a target is made of pieces of an origin and of what is not in it.

A delta is ``<size>\\n``, then copies ``<n>@<offset>,`` and inserts ``<n>:<bytes>``, then ``<checksum>;``.
Numbers are in base 64 with the digits ``0-9A-Z_a-z~``; the checksum is the sum of the target's big-endian
32-bit words, zero-padded, mod 2³² (https://fossil-scm.org/home/doc/tip/www/delta_format.wiki).
"""

from __future__ import annotations

from struct import unpack

BLOCK = 16  # the shortest piece that is looked for, as in Fossil
_STRIDE = 64
_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"


def create(origin: bytes, target: bytes) -> bytes:
    """Return a delta that turns ``origin`` into ``target``. It may be longer than the target itself.

    The origin's blocks are indexed by their content; the target is read a byte at a time until a block of
    it is found there, and the match is grown both ways. Behind a match, the place that would carry it on is
    tried first: that is where a message whose numbers changed goes on.
    """
    end = len(target)
    out = [_number(end), b"\n"]
    index: dict[bytes, int] = {}
    for place in range(len(origin) - len(origin) % BLOCK - BLOCK, -1, -BLOCK):
        index[origin[place : place + BLOCK]] = place
    done = here = shift = 0  # ``shift`` is origin's place minus target's in the last match
    last = end - BLOCK if index else -1
    while here <= last:
        block = target[here : here + BLOCK]
        aligned = here + shift
        if aligned >= 0 and origin[aligned : aligned + BLOCK] == block:
            found = aligned
        else:
            found = index.get(block, -1)
            if found < 0:
                here += 1
                continue
        length = BLOCK + _common(origin, found + BLOCK, target, here + BLOCK)
        start = here
        while start > done and found > 0 and origin[found - 1] == target[start - 1]:
            start -= 1
            found -= 1
        length += here - start
        if start > done:
            out += (_number(start - done), b":", target[done:start])
        out += (_number(length), b"@", _number(found), b",")
        done = here = start + length
        shift = found - start
    if done < end:
        out += (_number(end - done), b":", target[done:])
    out += (_number(_checksum(target)), b";")
    return b"".join(out)


def _common(one: bytes, at_one: int, other: bytes, at_other: int) -> int:
    """Return how many bytes are the same from there on."""
    most = min(len(one) - at_one, len(other) - at_other)
    length, step = 0, _STRIDE
    while step:
        while (
            length + step <= most
            and one[at_one + length : at_one + length + step]
            == other[at_other + length : at_other + length + step]
        ):
            length += step
        step //= 4
    return length


def _number(value: int) -> bytes:
    if value < 64:
        return _DIGITS[value : value + 1]
    digits = bytearray()
    while value:
        digits.append(_DIGITS[value & 63])
        value >>= 6
    digits.reverse()
    return bytes(digits)


def _checksum(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    words: tuple[int, ...] = unpack(f">{len(padded) // 4}I", padded)
    return sum(words) & 0xFFFF_FFFF
