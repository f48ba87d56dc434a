"""The broker's memory: per channel a history with offsets and an epoch, and who listens. Pure, like
Centrifugo's.

A channel is kept while somebody listens and ``linger`` seconds longer; what is published to any other
channel is dropped, and when such a channel comes back it has a new epoch, so that no position taken earlier
is honoured.
"""

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

HISTORY = 300  # what one recovery may hold, as in Centrifugo


class Sink(Protocol):
    """A connection, as far as the hub is concerned."""

    def push(self, line: bytes) -> None:
        """Queue one JSON object for sending."""


class Position(NamedTuple):
    """A place in a channel's stream."""

    offset: int
    epoch: str


class Recovery(NamedTuple):
    """What was missed, as JSON publications; ``recovered`` is False where it cannot be told."""

    recovered: bool
    publications: list[bytes]


class Stream:
    """One channel: its position, the latest publications and the listeners by the spelling they asked for."""

    __slots__ = ("epoch", "history", "idle_since", "listeners", "offset", "prefixes")

    def __init__(self, epoch: str, history: int) -> None:
        self.epoch = epoch
        self.offset = 0
        self.history: deque[bytes] = deque(maxlen=history)
        self.listeners: dict[str, set[Sink]] = {}
        self.prefixes: dict[str, bytes] = {}
        self.idle_since: float | None = None

    @property
    def position(self) -> Position:
        """The stream's top."""
        return Position(self.offset, self.epoch)


class Hub:
    """All channels. ``now`` is any monotonic time in seconds."""

    def __init__(
        self, *, history: int = HISTORY, linger: float = 60.0, epoch: Callable[[], str] | None = None
    ) -> None:
        self._history, self._linger = history, linger
        self._epoch = epoch or (lambda: secrets.token_hex(4))
        self._streams: dict[str, Stream] = {}
        self.lossy: set[str] = set()
        """Channels whose publications get their offsets and enter history, but reach nobody. For tests."""

    def wanted(self, channel: str) -> bool:
        """Whether anything published to the channel is kept."""
        return channel in self._streams

    def join(self, channel: str, spelling: str, sink: Sink) -> Position:
        """Add a listener; return the top of the stream at this moment."""
        stream = self._streams.get(channel)
        if stream is None:
            stream = self._streams[channel] = Stream(self._epoch(), self._history)
        stream.listeners.setdefault(spelling, set()).add(sink)
        if spelling not in stream.prefixes:
            name = msgspec.json.encode(spelling)
            stream.prefixes[spelling] = b'{"push":{"channel":' + name + b',"pub":'
        stream.idle_since = None
        return stream.position

    def leave(self, channel: str, spelling: str, sink: Sink, now: float) -> None:
        """Remove a listener, if it is one."""
        stream = self._streams.get(channel)
        if stream is None or spelling not in stream.listeners:
            return
        stream.listeners[spelling].discard(sink)
        if not stream.listeners[spelling]:
            del stream.listeners[spelling]
        if not stream.listeners:
            stream.idle_since = now

    def publish(self, channel: str, data: bytes) -> None:
        """Give a message the next offset, remember it, and push it to all who listen. It is encoded once."""
        stream = self._streams.get(channel)
        if stream is None:
            return
        stream.offset += 1
        publication = b'{"data":%b,"offset":%d}' % (data, stream.offset)
        stream.history.append(publication)
        if channel in self.lossy:
            return
        for spelling, sinks in stream.listeners.items():
            line = stream.prefixes[spelling] + publication + b"}}"
            for sink in sinks:
                sink.push(line)

    def recover(self, channel: str, since: Position) -> Recovery:
        """Return what came after ``since``: all of it, or nothing with ``recovered`` False.

        An empty epoch stands for any, as in Centrifugo.
        """
        stream = self._streams.get(channel)
        if stream is None or since.epoch not in {"", stream.epoch}:
            return Recovery(False, [])
        missed = stream.offset - since.offset
        if not 0 <= missed <= len(stream.history):
            return Recovery(False, [])
        return Recovery(True, [*stream.history][len(stream.history) - missed :])

    def history(
        self, channel: str, *, limit: int, since: Position | None = None, reverse: bool = False
    ) -> tuple[list[bytes], Position] | None:
        """Return up to ``limit`` publications (below zero: all) and the top; None for another epoch."""
        stream = self._streams.get(channel)
        if stream is None:
            return [], Position(0, "")
        publications = [*stream.history]
        if since is not None:
            if since.epoch not in {"", stream.epoch}:
                return None
            first = stream.offset - len(publications) + 1
            index = since.offset - first  # of the publication at ``since``
            publications = publications[: max(0, index)] if reverse else publications[max(0, index + 1) :]
        if reverse:
            publications.reverse()
        return publications if limit < 0 else publications[:limit], stream.position

    def expire(self, now: float) -> None:
        """Forget the channels that nobody has listened to for a while."""
        for channel, stream in [*self._streams.items()]:
            if stream.idle_since is not None and now - stream.idle_since >= self._linger:
                del self._streams[channel]

    def restart(self) -> None:
        """Lose all history, as a restarted server does: each channel begins again with a new epoch."""
        for stream in self._streams.values():
            stream.epoch, stream.offset = self._epoch(), 0
            stream.history.clear()

    @property
    def busy(self) -> bool:
        """Whether anybody listens to anything."""
        return any(stream.listeners for stream in self._streams.values())
