"""Commands on their way to the server: lines of JSON, packed into as few frames as it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cadenza_tui.centrifugo.errors import CommandTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cadenza_tui.centrifugo.frames import Command

PONG = b"{}"

_encoder = msgspec.json.Encoder()


def encode(command: Command, limit: int) -> bytes:
    """Return one command's line. Raises CommandTooLarge beyond ``limit`` bytes, TypeError for odd data."""
    line = _encoder.encode(command)
    if len(line) > limit:
        raise CommandTooLarge(
            f"a command of {len(line):,} bytes is longer than the {limit:,} that fit a frame"
        )
    return line


def pack(lines: Iterable[bytes], limit: int) -> list[bytes]:
    """Join lines into as few frames as keep each within ``limit`` bytes, in order."""
    frames: list[bytes] = []
    held: list[bytes] = []
    size = -1
    for line in lines:
        if held and size + 1 + len(line) > limit:
            frames.append(b"\n".join(held))
            held, size = [], -1
        held.append(line)
        size += 1 + len(line)
    if held:
        frames.append(b"\n".join(held))
    return frames


class Outbox:
    """Lines on their way to the server."""

    __slots__ = ("_limit", "_lines", "_pong_due")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: list[bytes] = []
        self._pong_due = False

    def __bool__(self) -> bool:
        return self._pong_due or bool(self._lines)

    def send(self, command: Command) -> None:
        """Queue a command. Raises CommandTooLarge."""
        self._lines.append(encode(command, self._limit))

    def pong(self) -> None:
        """Queue a pong; several pings in a row are answered once, so that they cannot flood the queue."""
        self._pong_due = True

    def take(self) -> list[bytes]:
        """Return the frames to send, in order, and forget them."""
        if self._pong_due:
            self._lines.append(PONG)
        packed = pack(self._lines, self._limit)
        self.clear()
        return packed

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._lines.clear()
        self._pong_due = False
