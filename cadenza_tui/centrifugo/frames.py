"""Frames on the wire: lines of JSON both ways, typed; payloads stay the bytes they came as."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Code = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
NULL = Raw(b"null")
PORTION_BYTES = 65_536
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


class RefreshResult(Struct, gc=False):
    """The reply to a refresh of either kind, and the push of a connection's new ``ttl`` in seconds."""

    expires: bool = False
    ttl: Count = 0


class Push(Struct, gc=False):
    """What the server says unasked. Kinds that are not listed are ignored."""

    channel: str = ""
    pub: Publication | None = None
    unsubscribe: UnsubscribePush | None = None
    disconnect: DisconnectPush | None = None
    subscribe: SubscribeResult | None = None
    refresh: RefreshResult | None = None


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


class RpcResult(Struct, gc=False):
    """The reply to an rpc."""

    data: Raw = NULL


class HistoryResult(Struct, gc=False):
    """The reply to a history call, and the stream's top at that moment."""

    publications: list[Publication] = []
    offset: Count = 0
    epoch: str = ""


class ClientInfo(Struct, gc=False):
    """One connection that is subscribed to a channel; what is known of it is raw JSON."""

    user: str = ""
    client: str = ""
    conn_info: Raw = NULL
    chan_info: Raw = NULL


class PresenceResult(Struct, gc=False):
    """The reply to a presence call: who is subscribed, by the connection's id."""

    presence: dict[str, ClientInfo] = {}


class PresenceStats(Struct, gc=False):
    """The reply to a presence_stats call: how many are subscribed."""

    num_clients: Count = 0
    num_users: Count = 0


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
    sub_refresh: RefreshResult | None = None
    presence: PresenceResult | None = None
    presence_stats: PresenceStats | None = None


# To the server.


class Secretive(Struct, omit_defaults=True):
    """A request with a token in it, which its representations leave out: logs and tracebacks show those."""

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the fields but the token."""
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name != "token"]

    def __repr__(self) -> str:
        """Return the fields but the token."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"


class StreamPosition(Struct, omit_defaults=True):
    """A place in a channel's stream."""

    offset: int = 0
    epoch: str = ""


class SubscribeRequest(Secretive, omit_defaults=True):
    """Ask for a channel, from a position where ``recover`` is set."""

    channel: str = ""
    token: str = ""
    recover: bool = False
    epoch: str = ""
    offset: int = 0
    positioned: bool = False
    recoverable: bool = False
    delta: str = ""


class ConnectRequest(Secretive, omit_defaults=True):
    """The first command. ``subs`` carries the positions of server-side subscriptions."""

    token: str = ""
    name: str = ""
    version: str = ""
    subs: dict[str, SubscribeRequest] = {}


class UnsubscribeRequest(Struct):
    """Give a channel up."""

    channel: str


class RefreshRequest(Secretive):
    """Bring a new connection token."""

    token: str


class SubRefreshRequest(Secretive):
    """Bring a new token for a channel."""

    channel: str
    token: str


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


class PresenceRequest(Struct):
    """Ask who is subscribed to a channel."""

    channel: str


class PresenceStatsRequest(Struct):
    """Ask how many are subscribed to a channel."""

    channel: str


Request: TypeAlias = RpcRequest | HistoryRequest | PresenceRequest | PresenceStatsRequest
"""What a program can call the server for."""


class Command(Struct, omit_defaults=True):
    """One line to the server."""

    id: int
    connect: ConnectRequest | None = None
    subscribe: SubscribeRequest | None = None
    unsubscribe: UnsubscribeRequest | None = None
    refresh: RefreshRequest | None = None
    sub_refresh: SubRefreshRequest | None = None
    rpc: RpcRequest | None = None
    history: HistoryRequest | None = None
    presence: PresenceRequest | None = None
    presence_stats: PresenceStatsRequest | None = None

    @classmethod
    def calling(cls, request: Request) -> Command:
        """Return the command of a program's call; its id is the longest there is until it is sent."""
        command = cls(LARGEST_ID)
        match request:
            case RpcRequest():
                command.rpc = request
            case HistoryRequest():
                command.history = request
            case PresenceRequest():
                command.presence = request
            case PresenceStatsRequest():
                command.presence_stats = request
        return command


_decoder = msgspec.json.Decoder(Reply)


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
