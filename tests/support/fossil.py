"""Fossil deltas made in the plainest way, to hold the decoder against."""

from __future__ import annotations

import struct
from typing import TypeAlias

DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"

SERVER_GRAM = 16
"""The shortest match that the real server's encoder looks for."""
CANDIDATES = 16
"""Places in the base that are tried for each match."""

Step: TypeAlias = tuple[int, int] | bytes
"""A copy, as offset and count, or the bytes of an insert."""


def number(value: int) -> bytes:
    """Return a number in the format's digits."""
    digits = b""
    while value or not digits:
        digits = DIGITS[value % 64 : value % 64 + 1] + digits
        value //= 64
    return digits


def checksum(content: bytes) -> int:
    """Return the sum of the big-endian words, zero padded, modulo 2**32."""
    padded = content + bytes(-len(content) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) % 2**32


def written(steps: list[Step], target: bytes) -> bytes:
    """Return the delta of these steps, which must make ``target``."""
    delta = number(len(target)) + b"\n"
    for step in steps:
        if isinstance(step, bytes):
            delta += number(len(step)) + b":" + step
        else:
            offset, count = step
            delta += number(count) + b"@" + number(offset) + b","
    return delta + number(checksum(target)) + b";"


def steps_between(base: bytes, target: bytes, gram: int = 4) -> list[Step]:
    """Return copies of the longest matches there are, from left to right, and inserts between them.

    A match is ``gram`` bytes at least.
    """
    places: dict[bytes, list[int]] = {}
    for place in range(len(base) - gram + 1):
        places.setdefault(base[place : place + gram], []).append(place)
    steps: list[Step] = []
    literal = b""
    position = 0
    while position < len(target):
        best_offset = best = 0
        for offset in places.get(target[position : position + gram], [])[:CANDIDATES]:
            count = 0
            while (
                base[offset + count : offset + count + 1] == target[position + count : position + count + 1]
            ):
                if position + count >= len(target):
                    break
                count += 1
            if count > best:
                best_offset, best = offset, count
        if best < gram:
            literal += target[position : position + 1]
            position += 1
            continue
        if literal:
            steps.append(literal)
            literal = b""
        steps.append((best_offset, best))
        position += best
    return [*steps, literal] if literal else steps


def encode(base: bytes, target: bytes) -> bytes:
    """Return a delta that makes ``target`` of ``base``."""
    return written(steps_between(base, target), target)
