"""Fossil deltas: the bytes of a publication from those of the one before it. Pure.

``<size>\\n``, then ``<n>@<offset>,`` copies from the base, ``<n>:<bytes>`` inserts, and ``<checksum>;`` ends.
Numbers are big-endian base 64 over ``0-9A-Z_a-z~``, 32 bits at most. Source: the Fossil delta format.
"""

from __future__ import annotations

import re
from zlib import adler32

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
_VALUES = {ord(digit): value for value, digit in enumerate(_DIGITS)}
_NUMBERS = {digit.encode(): value for value, digit in enumerate(_DIGITS)}
_NUMBERS |= {high + low: h * 64 + v for high, h in _NUMBERS.items() for low, v in _NUMBERS.items()}
"""Every number of one or two digits, which most counts are."""

# Six digits hold 36 bits; what is longer is not a number of this format.
_SIZE = re.compile(rb"([0-9A-Z_a-z~]{1,6})\n").match
_STEP = re.compile(rb"([0-9A-Z_a-z~]{1,6})(?:@([0-9A-Z_a-z~]{1,6}),|([:;]))").match

_WORD = 0xFFFFFFFF
_BLOCK = 4 * 256


class DeltaError(ValueError):
    """A delta that does not apply. The message holds no byte of a payload."""


def apply(base: bytes, delta: bytes, limit: int) -> bytes:
    """Return what ``delta`` makes of ``base``, ``limit`` bytes at most. Raises DeltaError, and nothing else.

    Work and memory are linear in the delta and the result; a result that would be too long is refused by
    its announced size, before a byte of it is made.
    """
    found = _SIZE(delta)
    if found is None:
        raise DeltaError("a delta does not begin with its result's size")
    size = _number(found[1])
    if size > limit:
        raise DeltaError(f"a delta's result of {size} bytes is above the limit of {limit}")
    position = found.end()
    base_length = len(base)
    delta_length = len(delta)
    parts: list[bytes] = []
    made = 0
    numbers = _NUMBERS.get
    while (found := _STEP(delta, position)) is not None:
        count_digits, offset_digits, operator = found.groups()
        count = numbers(count_digits)
        if count is None:
            count = _number(count_digits)
        position = found.end()
        if offset_digits is not None:
            offset = numbers(offset_digits)
            if offset is None:
                offset = _number(offset_digits)
            end = offset + count
            if end > base_length:
                raise DeltaError("a delta copies from behind the end of its base")
            made += count
            if made > size:
                break
            parts.append(base[offset:end])
        elif operator == b":":
            end = position + count
            if end > delta_length:
                raise DeltaError("a delta ends within an insert")
            made += count
            if made > size:
                break
            parts.append(delta[position:end])
            position = end
        else:
            return _finished(parts, made, size, count, trailing=delta_length - position)
    if made > size:
        raise DeltaError("a delta makes more bytes than it announced")
    raise DeltaError("a delta is cut off, or is not a delta")


def checksum(content: bytes) -> int:
    """Return the sum of the big-endian 32-bit words, zero padded, modulo 2**32.

    The four byte columns are added up apart, by Adler-32, which is a sum in C: its lower half is the plain
    sum of the bytes as long as that is below 65,521, which 256 of them are.
    """
    first = second = third = fourth = 0
    for start in range(0, len(content), _BLOCK):
        end = start + _BLOCK
        first += adler32(content[start:end:4], 0) & 0xFFFF
        second += adler32(content[start + 1 : end : 4], 0) & 0xFFFF
        third += adler32(content[start + 2 : end : 4], 0) & 0xFFFF
        fourth += adler32(content[start + 3 : end : 4], 0) & 0xFFFF
    return (first << 24) + (second << 16) + (third << 8) + fourth & _WORD


def _finished(parts: list[bytes], made: int, size: int, announced: int, *, trailing: int) -> bytes:
    if trailing:
        raise DeltaError("a delta goes on behind its checksum")
    if made != size:
        raise DeltaError("a delta makes fewer bytes than it announced")
    result = b"".join(parts)
    if checksum(result) != announced:
        raise DeltaError("a delta's checksum is not that of its result")
    return result


def _number(digits: bytes) -> int:
    value = 0
    for digit in digits:
        value = value << 6 | _VALUES[digit]
    if value > _WORD:
        raise DeltaError("a number in a delta has more than 32 bits")
    return value
