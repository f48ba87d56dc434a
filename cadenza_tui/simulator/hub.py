"""The broker's memory: per channel a history with offsets and an epoch, and who listens. Pure, like
Centrifugo's.

A channel is kept while somebody listens and ``linger`` seconds longer; what is published to any other
channel is dropped, and when such a channel comes back it has a new epoch, so that no position taken earlier
is honoured.
"""

from __future__ import annotations

import secrets
from collections import deque
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from . import delta as fossil
from .namespaces import Namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HISTORY = 300
MOST_PUBLICATIONS = 300  # in one recovery or one history reply, as in Centrifugo
_DEFAULT = Namespace()


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

    __slots__ = (
        "deltas",
        "epoch",
        "history",
        "idle_since",
        "linger",
        "listeners",
        "numbered",
        "offset",
        "orphans",
        "prefixes",
        "seen_at",
        "seen_offset",
        "ttl",
    )

    def __init__(self, epoch: str, history: int, linger: float, ttl: float | None) -> None:
        self.epoch = epoch
        self.offset = 0
        self.numbered = history > 0
        self.history: deque[bytes] = deque(maxlen=history)
        self.listeners: dict[str, set[Sink]] = {}
        self.deltas: dict[str, dict[Sink, bool]] = {}
        """Who gets deltas; True from the first whole payload on."""
        self.orphans: set[Sink] = set()
        """Who listened when the stream was forgotten: their position means nothing any more."""
        self.prefixes: dict[str, bytes] = {}
        self.idle_since: float | None = None
        self.linger, self.ttl = linger, ttl
        self.seen_offset, self.seen_at = -1, 0.0  # what ``is_over`` knows

    @property
    def position(self) -> Position:
        """The stream's top."""
        return Position(self.offset, self.epoch)

    def publication(self, data: bytes, offset: int) -> bytes:
        """Return a publication as JSON. The stream's first tells its epoch."""
        if not self.numbered:
            return b'{"data":%b}' % data
        if offset > 1:
            return b'{"data":%b,"offset":%d}' % (data, offset)
        return b'{"data":%b,"offset":%d,"epoch":"%b"}' % (data, offset, self.epoch.encode())

    def latest(self, count: int) -> Iterable[bytes]:
        """Return the payloads of the latest publications, oldest first."""
        return islice(self.history, len(self.history) - count, None)

    def restart(self, epoch: str) -> None:
        """Begin again."""
        self.epoch, self.offset, self.seen_offset = epoch, 0, -1
        self.history.clear()

    def forget(self, epoch: str) -> None:
        """Begin again, and leave those who listen behind."""
        self.restart(epoch)
        for sinks in (*self.listeners.values(), *self.deltas.values()):
            self.orphans.update(sinks)
        self.listeners.clear()
        self.deltas.clear()

    def is_over(self, now: float) -> bool:
        """Whether nothing was published or read for ``ttl``, as seen by being asked now and then."""
        if self.ttl is None:
            return False
        if self.seen_offset != self.offset:
            self.seen_offset, self.seen_at = self.offset, now
        return now - self.seen_at >= self.ttl

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self.listeners or self.deltas or self.orphans)


class Hub:
    """All channels. ``now`` is any monotonic time in seconds."""

    def __init__(
        self, *, history: int = HISTORY, linger: float = 60.0, epoch: Callable[[], str] | None = None
    ) -> None:
        self._history, self._linger = history, linger
        self._epoch = epoch or (lambda: secrets.token_hex(4))
        self._streams: dict[str, Stream] = {}
        self.on_lost: Callable[[str, Sink], None] = lambda _channel, _sink: None
        """Told of each listener whose position turns out to be lost: when the next publication comes."""
        self.lossy: set[str] = set()
        """Channels whose publications get their offsets and enter history, but reach nobody. For tests."""

    def wanted(self, channel: str) -> bool:
        """Whether anything published to the channel is kept."""
        return channel in self._streams

    def open(self, channel: str, namespace: Namespace = _DEFAULT) -> Position:
        """Keep a channel from now on, if it is not kept already; return its top."""
        stream = self._streams.get(channel)
        if stream is None:
            size = self._history if namespace.history is None else namespace.history
            stream = Stream(self._epoch(), size, self._linger, namespace.ttl)
            self._streams[channel] = stream
        stream.seen_offset = -1
        return stream.position

    def join(
        self,
        channel: str,
        spelling: str,
        sink: Sink,
        namespace: Namespace = _DEFAULT,
        *,
        delta: bool | None = None,
    ) -> Position:
        """Add a listener; return the top of the stream at this moment.

        ``delta`` is None for one that takes plain publications; else whether the listener holds the latest
        payload already, so that the next publication may be a delta.
        """
        top = self.open(channel, namespace)
        stream = self._streams[channel]
        stream.orphans.discard(sink)
        if delta is None:
            stream.listeners.setdefault(spelling, set()).add(sink)
        else:
            stream.deltas.setdefault(spelling, {})[sink] = delta
        if spelling not in stream.prefixes:
            name = msgspec.json.encode(spelling)
            stream.prefixes[spelling] = b'{"push":{"channel":' + name + b',"pub":'
        stream.idle_since = None
        return top

    def leave(self, channel: str, spelling: str, sink: Sink, now: float) -> None:
        """Remove a listener, if it is one."""
        stream = self._streams.get(channel)
        if stream is None:
            return
        sinks = stream.listeners.get(spelling)
        if sinks is not None:
            sinks.discard(sink)
            if not sinks:
                del stream.listeners[spelling]
        takers = stream.deltas.get(spelling)
        if takers is not None:
            takers.pop(sink, None)
            if not takers:
                del stream.deltas[spelling]
        stream.orphans.discard(sink)
        if stream.idle_since is None and not stream.heard:
            stream.idle_since = now

    def publish(self, channel: str, data: bytes) -> None:
        """Give a message the next offset, remember it, and push it to all who listen. It is encoded once."""
        stream = self._streams.get(channel)
        if stream is None:
            return
        offset = stream.offset = stream.offset + 1
        history = stream.history
        previous = history[-1] if stream.deltas and history else None
        history.append(data)
        if channel in self.lossy:
            return
        for spelling, sinks in stream.listeners.items():
            if offset > 1 and stream.numbered:  # nearly always
                line = b'%b{"data":%b,"offset":%d}}}' % (stream.prefixes[spelling], data, offset)
            else:
                line = b"%b%b}}" % (stream.prefixes[spelling], stream.publication(data, offset))
            for sink in sinks:
                sink.push(line)
        if stream.deltas:
            _push_deltas(stream, data, previous)
        if stream.orphans:
            for sink in [*stream.orphans]:
                self.on_lost(channel, sink)

    def recover(self, channel: str, since: Position, *, delta: bool = False) -> Recovery:
        """Return what came after ``since``: all of it, or nothing with ``recovered`` False.

        An empty epoch stands for any, as in Centrifugo. With ``delta`` the first publication is whole and
        each later one a delta on the one before, where that is shorter.
        """
        stream = self._streams.get(channel)
        if stream is None:  # its stream would begin now, at 0 and with an epoch of its own
            return Recovery(since == Position(0, ""), [])
        stream.seen_offset = -1
        if since.epoch not in {"", stream.epoch}:
            return Recovery(False, [])
        missed = stream.offset - since.offset
        if not 0 <= missed <= min(len(stream.history), MOST_PUBLICATIONS):
            return Recovery(False, [])
        missing = [*stream.latest(missed)]
        if delta:
            return Recovery(True, _as_deltas(missing, since.offset + 1))
        return Recovery(
            True, [stream.publication(data, since.offset + 1 + at) for at, data in enumerate(missing)]
        )

    def history(
        self, channel: str, *, limit: int, since: Position | None = None, reverse: bool = False
    ) -> tuple[list[bytes], Position] | None:
        """Return up to ``limit`` publications (below zero: all) and the top; None for another epoch."""
        stream = self._streams.get(channel)
        if stream is None:
            return [], Position(0, "")
        first = stream.offset - len(stream.history) + 1
        publications = [
            stream.publication(data, offset) for offset, data in enumerate(stream.history, start=first)
        ]
        if since is not None:
            if since.epoch not in {"", stream.epoch}:
                return None
            index = since.offset - first  # of the publication at ``since``
            if not reverse:
                publications = publications[max(0, index + 1) :]
            else:
                publications = publications[:index] if 0 <= index <= len(publications) else []
        if reverse:
            publications.reverse()
        most = MOST_PUBLICATIONS if limit < 0 else min(limit, MOST_PUBLICATIONS)
        return publications[:most], stream.position

    def remove_history(self, channel: str) -> None:
        """Forget a channel's publications; its position stays."""
        stream = self._streams.get(channel)
        if stream is not None:
            stream.history.clear()

    def expire(self, now: float) -> None:
        """Forget the channels that nobody has listened to for a while, and the streams whose time is over."""
        for channel, stream in [*self._streams.items()]:
            if stream.idle_since is None and not stream.heard:  # opened, never listened to
                stream.idle_since = now
            if stream.is_over(now):
                stream.forget(self._epoch())
            if stream.idle_since is not None and now - stream.idle_since >= stream.linger:
                del self._streams[channel]

    def restart(self) -> None:
        """Lose all history, as a restarted server does: each channel begins again with a new epoch."""
        for stream in self._streams.values():
            stream.restart(self._epoch())

    @property
    def busy(self) -> bool:
        """Whether anybody listens to anything."""
        return any(stream.heard for stream in self._streams.values())


def _push_deltas(stream: Stream, data: bytes, previous: bytes | None) -> None:
    """Push to those who take deltas: whole to whom has nothing yet, else a delta where that is shorter."""
    offset = stream.offset if stream.numbered else 0
    whole = _delta_publication(data, offset, patched=False)
    patched = whole if previous is None else _difference(previous, data, offset)
    for spelling, takers in stream.deltas.items():
        prefix = stream.prefixes[spelling]
        for sink, ready in takers.items():
            sink.push(prefix + (patched if ready else whole) + b"}}")
            if not ready:
                takers[sink] = True


def _as_deltas(payloads: list[bytes], first: int) -> list[bytes]:
    if not payloads:
        return []
    return [
        _delta_publication(payloads[0], first, patched=False),
        *(
            _difference(previous, data, offset)
            for offset, (previous, data) in enumerate(pairwise(payloads), start=first + 1)
        ),
    ]


def _difference(previous: bytes, data: bytes, offset: int) -> bytes:
    patch = fossil.create(previous, data)
    shorter = len(patch) < len(data)
    return _delta_publication(patch if shorter else data, offset, patched=shorter)


def _delta_publication(data: bytes, offset: int, *, patched: bool) -> bytes:
    """Return a publication whose data is a JSON string. Like Centrifugo's, it never tells an epoch, and a
    patch that cuts a character in two arrives spoilt."""
    text = msgspec.json.encode(data.decode(errors="replace"))
    return b'{"data":%b%b%b}' % (
        text,
        b',"offset":%d' % offset if offset else b"",
        b',"delta":true' if patched else b"",
    )
