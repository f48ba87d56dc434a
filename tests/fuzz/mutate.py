"""Changes to an input that keep it mostly JSON: what changes bytes alone seldom comes past the parser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1e-8,
    1.5e300,
    2**31,
    2**53,
    2**63,
    2**64,
    -(2**63) - 1,
    10**30,
    "",
    "0",
    "-0",
    "-1",
    "0.00000000",
    "1e5",
    "NaN",
    "9" * 81,
    "0." + "0" * 70 + "1",
    "٣",
    "\x1b[2J",
    "\u202e",
    "\ud800",
    "Δ€𝄞",
    "x" * 300,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:60.999999999-23:59",
    "2024-08-08T23:54:14+00:00",
    [],
    {},
    [[]],
    [None],
    [["1", "2"]],
    {"a": {}},
)

_PIECES = re.compile(rb"([\n\x1e])")


def mutated(data: bytes, chance: random.Random, limit: int) -> bytes:
    """Return a changed input: one of its pieces, apart by line ends or separators, exchanged or changed."""
    pieces = _PIECES.split(data)
    places = range(0, len(pieces), 2)
    place = chance.choice(places)
    match chance.randrange(8):
        case 0 if len(places) > 1:
            pieces[place] = pieces[chance.choice(places)]
        case 1 if len(places) > 1:
            del pieces[place : place + 2]
        case 2:
            separator = b"\x1e" if b"\x1e" in data else b"\n"
            pieces[place:place] = [pieces[chance.choice(places)], separator]
        case 3:
            pieces[place] = _bytes_changed(pieces[place], chance)
        case _:
            pieces[place] = _piece_changed(pieces[place], chance)
    return b"".join(pieces)[:limit]


def _piece_changed(piece: bytes, chance: random.Random) -> bytes:
    start = next((at for at, byte in enumerate(piece[:2]) if byte in b"{["), None)
    if start is None:
        return _bytes_changed(piece, chance)
    try:
        value = json.loads(piece[start:])
    except (ValueError, RecursionError):
        return _bytes_changed(piece, chance)
    for _ in range(chance.choice((1, 1, 2, 4))):
        value = _value_changed(value, chance)
    spelled = json.dumps(value, separators=(",", ":"), ensure_ascii=chance.random() < 0.5)
    return piece[:start] + spelled.encode("utf-8", "surrogatepass")


def _value_changed(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        match chance.randrange(12):
            case 0:
                return {name: held for name, held in value.items() if name != key}
            case 1:
                return {**value, key: value[chance.choice(list(value))]}
            case _:
                return {**value, key: _value_changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = chance.randrange(len(value))
        match chance.randrange(8):
            case 0:
                return [*value[:place], *value[place + 1 :]]
            case 1:
                return [*value[:place], chance.choice(value), *value[place:]]
            case 2:
                return value * chance.choice((2, 3)) if len(value) < 50 else value
            case _:
                return [*value[:place], _value_changed(value[place], chance), *value[place + 1 :]]
    if isinstance(value, str) and chance.random() < 0.5:
        return _text_changed(value, chance)
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.5:
        return value + chance.choice((-(10**6), -1, 1, 1_000))
    return chance.choice(STRANGE)


def _text_changed(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    inserted = chance.choice(("", "0", "9", ".", "-", " ", ":", "/", "\x1b", "\u200b", "é", "00000"))
    return text[:place] + inserted + text[place + chance.randrange(2) :]


def _bytes_changed(piece: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(piece) + 1)
    inserted = chance.choice((b"", chance.randbytes(1), chance.randbytes(3), b"0", b"\xff", b"\x00", b'"'))
    return piece[:place] + inserted + piece[place + chance.randrange(4) :]
