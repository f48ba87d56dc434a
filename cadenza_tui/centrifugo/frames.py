"""Frames on the wire: lines of JSON both ways, typed; payloads stay the bytes they came as."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from cadenza_tui.centrifugo.errors import CommandTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Code = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
NULL = Raw(b"null")
PORTION_BYTES = 65_536
PONG = b"{}"
LARGEST_ID = 2**53 - 1
"""No id will be longer when written."""


class Malformed(StrEnum):
    """Why a line, or a whole frame, could not be used."""

    NOT_JSON = "line is not JSON"
    WRONG_TYPE = "line has a field of the wrong type"
    NOT_UTF8 = "line is not UTF-8"
    TOO_DEEP = "line is nested too deeply"


# From the server. Zero values are left out on the wire, so each field has its zero as default; a payload that
# is absent reads as null, and null and scalars are payloads like any other.


class Publication(Struct, gc=False):
    """One message of a channel. ``data`` is raw JSON; ``offset`` 0 means the channel keeps no positions."""

    data: Raw = NULL
    offset: Count = 0
    epoch: str = ""
    time: Count = 0
    delta: bool = False
    tags: dict[str, str] | None = None


class UnsubscribePush(Struct, gc=False):
    """The server ends a subscription, for good or for another try."""

    code: Code = 0
    reason: str = ""


class DisconnectPush(Struct, gc=False):
    """The server is about to close the connection."""

    code: Code = 0
    reason: str = ""


class SubscribeResult(Struct, gc=False):
    """The reply to a subscribe, and what a server-side subscription is told by."""

    expires: bool = False
    ttl: Count = 0
    recoverable: bool = False
    positioned: bool = False
    epoch: str = ""
    offset: Count = 0
    publications: list[Publication] = []
    recovered: bool = False
    was_recovering: bool = False
    delta: bool = False
    data: Raw = NULL


class Push(Struct, gc=False):
    """What the server says unasked. Kinds that are not listed are ignored."""

    channel: str = ""
    pub: Publication | None = None
    unsubscribe: UnsubscribePush | None = None
    disconnect: DisconnectPush | None = None
    subscribe: SubscribeResult | None = None


class Error(Struct, gc=False):
    """The error of a reply."""

    code: Code = 0
    message: str = ""
    temporary: bool = False


class ConnectResult(Struct, gc=False):
    """The reply to a connect. ``ttl`` and ``ping`` in seconds, ``time`` in ms since the epoch."""

    client: str = ""
    version: str = ""
    expires: bool = False
    ttl: Count = 0
    ping: Count = 0
    pong: bool = False
    session: str = ""
    node: str = ""
    time: Count = 0
    data: Raw = NULL
    subs: dict[str, SubscribeResult] = {}


class RefreshResult(Struct, gc=False):
    """The reply to a refresh."""

    expires: bool = False
    ttl: Count = 0


class RpcResult(Struct, gc=False):
    """The reply to an rpc."""

    data: Raw = NULL


class HistoryResult(Struct, gc=False):
    """The reply to a history call, and the stream's top at that moment."""

    publications: list[Publication] = []
    offset: Count = 0
    epoch: str = ""


class Reply(Struct, gc=False):
    """One line: a reply where ``id`` is set, else a push, else a ping."""

    id: Count = 0
    push: Push | None = None
    error: Error | None = None
    connect: ConnectResult | None = None
    subscribe: SubscribeResult | None = None
    refresh: RefreshResult | None = None
    rpc: RpcResult | None = None
    history: HistoryResult | None = None


# To the server.


class StreamPosition(Struct, omit_defaults=True):
    """A place in a channel's stream."""

    offset: int = 0
    epoch: str = ""


class SubscribeRequest(Struct, omit_defaults=True):
    """Ask for a channel, from a position where ``recover`` is set."""

    channel: str = ""
    token: str = ""
    recover: bool = False
    epoch: str = ""
    offset: int = 0
    positioned: bool = False
    recoverable: bool = False
    delta: str = ""


class ConnectRequest(Struct, omit_defaults=True):
    """The first command. ``subs`` carries the positions of server-side subscriptions."""

    token: str = ""
    name: str = ""
    version: str = ""
    subs: dict[str, SubscribeRequest] = {}

    def __repr__(self) -> str:
        """Keep the token out of logs and tracebacks."""
        return f"ConnectRequest(name={self.name!r}, version={self.version!r})"


class UnsubscribeRequest(Struct):
    """Give a channel up."""

    channel: str


class RefreshRequest(Struct):
    """Bring a new connection token."""

    token: str

    def __repr__(self) -> str:
        """Keep the token out of logs and tracebacks."""
        return "RefreshRequest()"


class RpcRequest(Struct, omit_defaults=True):
    """Call a method; ``data`` is anything msgspec can encode, or raw JSON."""

    method: str
    data: Any | UnsetType = UNSET


class HistoryRequest(Struct, omit_defaults=True):
    """Read a channel's history: ``limit`` 0 is the position alone, -1 as much as the server gives."""

    channel: str
    limit: int = 0
    since: StreamPosition | None = None
    reverse: bool = False


class Command(Struct, omit_defaults=True):
    """One line to the server."""

    id: int
    connect: ConnectRequest | None = None
    subscribe: SubscribeRequest | None = None
    unsubscribe: UnsubscribeRequest | None = None
    refresh: RefreshRequest | None = None
    rpc: RpcRequest | None = None
    history: HistoryRequest | None = None


_decoder = msgspec.json.Decoder(Reply)
_encoder = msgspec.json.Encoder()


def decode(frame: bytes, reject: Callable[[Malformed], None]) -> list[Reply]:
    """Return the replies of a frame in order; ``reject`` is told of each line that could not be used.

    Payloads are passed over unread: that they are UTF-8 and make sense is for their reader to check.
    """
    try:
        if b"\n" in frame:
            return _decoder.decode_lines(frame)
        return [_decoder.decode(frame)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _salvage(frame, reject)


def _salvage(frame: bytes, reject: Callable[[Malformed], None]) -> list[Reply]:
    replies = []
    for line in frame.split(b"\n"):
        if not line or line.isspace():
            continue
        try:
            replies.append(_decoder.decode(line))
        except msgspec.ValidationError:
            reject(Malformed.WRONG_TYPE)
        except msgspec.DecodeError:
            reject(Malformed.NOT_JSON)
        except UnicodeDecodeError:
            reject(Malformed.NOT_UTF8)
        except RecursionError:
            reject(Malformed.TOO_DEEP)
    return replies


def portions(frame: bytes, size: int = PORTION_BYTES) -> Iterator[bytes]:
    """Cut a large frame into runs of whole lines of about ``size`` bytes; one long line stays whole."""
    start = 0
    while len(frame) - start > size:
        end = frame.rfind(b"\n", start, start + size)
        if end < 0:
            end = frame.find(b"\n", start + size)
            if end < 0:
                break
        yield frame[start:end]
        start = end + 1
    yield frame[start:]


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
