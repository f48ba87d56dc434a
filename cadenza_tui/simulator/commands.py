"""What a client may send: the commands of the Centrifugo client protocol v2, JSON."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeAlias

import msgspec

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


class Failure(NamedTuple):
    """A reply's error."""

    code: int
    message: str
    temporary: bool = False


class Error:
    """The errors that the server answers with."""

    INTERNAL = Failure(100, "internal server error", temporary=True)
    UNAUTHORIZED = Failure(101, "unauthorized")
    UNKNOWN_CHANNEL = Failure(102, "unknown channel")
    PERMISSION_DENIED = Failure(103, "permission denied")
    METHOD_NOT_FOUND = Failure(104, "method not found")
    ALREADY_SUBSCRIBED = Failure(105, "already subscribed")
    LIMIT_EXCEEDED = Failure(106, "limit exceeded")
    BAD_REQUEST = Failure(107, "bad request")
    NOT_AVAILABLE = Failure(108, "not available")
    TOKEN_EXPIRED = Failure(109, "token expired")
    EXPIRED = Failure(110, "expired")
    TOO_MANY_REQUESTS = Failure(111, "too many requests", temporary=True)
    UNRECOVERABLE = Failure(112, "unrecoverable position")


class Closing(NamedTuple):
    """A close frame's code and reason."""

    code: int
    reason: str


class Close:
    """The close frames that the server sends of its own accord, or that Centrifugo does."""

    CONNECTION_CLOSED = Closing(3000, "connection closed")
    SHUTDOWN = Closing(3001, "shutdown")
    INTERNAL = Closing(3004, "internal server error")
    EXPIRED = Closing(3005, "connection expired")
    SUBSCRIPTION_EXPIRED = Closing(3006, "subscription expired")
    SLOW = Closing(3008, "slow")
    INSUFFICIENT_STATE = Closing(3010, "insufficient state")
    FORCE_RECONNECT = Closing(3011, "force reconnect")
    NO_PONG = Closing(3012, "no pong")
    TOO_MANY_REQUESTS = Closing(3013, "too many requests")
    STATE_INVALIDATED = Closing(3014, "state invalidated")
    INVALID_TOKEN = Closing(3500, "invalid token")
    BAD_REQUEST = Closing(3501, "bad request")
    STALE = Closing(3502, "stale")
    FORCE_NO_RECONNECT = Closing(3503, "force disconnect")
    CONNECTION_LIMIT = Closing(3504, "connection limit")
    CHANNEL_LIMIT = Closing(3505, "channel limit")
    INAPPROPRIATE_PROTOCOL = Closing(3506, "inappropriate protocol")
    PERMISSION_DENIED = Closing(3507, "permission denied")
    NOT_AVAILABLE = Closing(3508, "not available")
    TOO_MANY_ERRORS = Closing(3509, "too many errors")


CLOSED = {one.code: one.reason for one in vars(Close).values() if isinstance(one, Closing)}
"""A close frame's reason, by its code."""

UNSUBSCRIBED = {
    2000: "server unsubscribe",
    2500: "insufficient state",
    2501: "subscription expired",
    2502: "state invalidated",
}
"""An unsubscribe push's reason, by its code."""


class Refused(Exception):
    """A command is answered with an error; the connection stays."""

    def __init__(self, error: Failure) -> None:
        super().__init__(error.message)
        self.error = error


class Closed(Exception):
    """The connection is to be closed."""

    def __init__(self, close: Closing) -> None:
        super().__init__(close.reason)
        self.close = close


class Wanted(msgspec.Struct):
    """A position in a channel that the server subscribes the client to."""

    recover: bool = False
    epoch: str = ""
    offset: Count = 0
    delta: str = ""


class Connect(msgspec.Struct):
    """``connect``."""

    token: str = ""
    name: str = ""
    version: str = ""
    subs: dict[str, Wanted] = msgspec.field(default_factory=dict)


class Subscribe(msgspec.Struct):
    """``subscribe``. Positions and recovery are as the namespace says, whether asked for or not."""

    channel: str = ""
    token: str = ""
    recover: bool = False
    epoch: str = ""
    offset: Count = 0
    delta: str = ""


class Unsubscribe(msgspec.Struct):
    """``unsubscribe``."""

    channel: str = ""


class Refresh(msgspec.Struct):
    """``refresh``."""

    token: str = ""


class SubRefresh(msgspec.Struct):
    """``sub_refresh``."""

    channel: str = ""
    token: str = ""


class Rpc(msgspec.Struct):
    """``rpc``."""

    method: str = ""
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class Since(msgspec.Struct):
    """A position in a history request."""

    offset: Count = 0
    epoch: str = ""


class History(msgspec.Struct):
    """``history``. A limit of 0 asks for the position alone, below zero for all there is."""

    channel: str = ""
    limit: int = 0
    since: Since | None = None
    reverse: bool = False


class Presence(msgspec.Struct):
    """``presence`` and ``presence_stats``."""

    channel: str = ""


class Publish(msgspec.Struct):
    """``publish``, which no client may; of it only the channel is read."""

    channel: str = ""


class Command(msgspec.Struct):
    """One command; the field that is set says which. None of them set: a pong."""

    id: int = 0
    connect: Connect | None = None
    subscribe: Subscribe | None = None
    unsubscribe: Unsubscribe | None = None
    refresh: Refresh | None = None
    rpc: Rpc | None = None
    history: History | None = None
    presence: Presence | None = None
    presence_stats: Presence | None = None
    publish: Publish | None = None
    sub_refresh: SubRefresh | None = None
    send: object = None


decode = msgspec.json.Decoder(Command).decode


def reply(command_id: int, name: str, result: bytes) -> bytes:
    """Return a reply with its result."""
    return b'{"id":%d,"%b":%b}' % (command_id, name.encode(), result)


def error_reply(command_id: int, error: Failure) -> bytes:
    """Return a reply with an error."""
    code, message, temporary = error
    body: dict[str, object] = {"code": code, "message": message}
    if temporary:
        body["temporary"] = True
    return msgspec.json.encode({"id": command_id, "error": body})
