"""What a client may send: the commands of the Centrifugo client protocol v2, JSON."""

from __future__ import annotations

from enum import Enum

import msgspec


class Error(Enum):
    """A reply's error: code, message, temporary."""

    INTERNAL = (100, "internal server error", True)
    UNAUTHORIZED = (101, "unauthorized", False)
    UNKNOWN_CHANNEL = (102, "unknown channel", False)
    PERMISSION_DENIED = (103, "permission denied", False)
    METHOD_NOT_FOUND = (104, "method not found", False)
    ALREADY_SUBSCRIBED = (105, "already subscribed", False)
    LIMIT_EXCEEDED = (106, "limit exceeded", False)
    BAD_REQUEST = (107, "bad request", False)
    NOT_AVAILABLE = (108, "not available", False)
    TOKEN_EXPIRED = (109, "token expired", False)
    UNRECOVERABLE = (112, "unrecoverable position", False)


class Close(Enum):
    """A close frame's code and reason."""

    SHUTDOWN = (3001, "shutdown")
    EXPIRED = (3005, "expired")
    SLOW = (3008, "slow")
    FORCE_RECONNECT = (3011, "force reconnect")
    NO_PONG = (3012, "no pong")
    INVALID_TOKEN = (3500, "invalid token")
    BAD_REQUEST = (3501, "bad request")
    STALE = (3502, "stale")
    FORCE_NO_RECONNECT = (3503, "force disconnect")
    INAPPROPRIATE_PROTOCOL = (3506, "inappropriate protocol")
    NOT_AVAILABLE = (3508, "not available")


class Refused(Exception):
    """A command is answered with an error; the connection stays."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.value[1])
        self.error = error


class Closed(Exception):
    """The connection is to be closed."""

    def __init__(self, close: Close) -> None:
        super().__init__(close.value[1])
        self.close = close


class Connect(msgspec.Struct):
    """``connect``."""

    token: str = ""
    name: str = ""
    version: str = ""


class Subscribe(msgspec.Struct):
    """``subscribe``. Positions and recovery are granted whether asked for or not."""

    channel: str = ""
    recover: bool = False
    epoch: str = ""
    offset: int = 0


class Unsubscribe(msgspec.Struct):
    """``unsubscribe``."""

    channel: str = ""


class Refresh(msgspec.Struct):
    """``refresh``."""

    token: str = ""


class Rpc(msgspec.Struct):
    """``rpc``."""

    method: str = ""
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class Since(msgspec.Struct):
    """A position in a history request."""

    offset: int = 0
    epoch: str = ""


class History(msgspec.Struct):
    """``history``. A limit of 0 asks for the position alone, below zero for all there is."""

    channel: str = ""
    limit: int = 0
    since: Since | None = None
    reverse: bool = False


class Command(msgspec.Struct):
    """One command; the field that is set says which. None of them set: a pong."""

    id: int = 0
    connect: Connect | None = None
    subscribe: Subscribe | None = None
    unsubscribe: Unsubscribe | None = None
    refresh: Refresh | None = None
    rpc: Rpc | None = None
    history: History | None = None
    presence: object = None
    presence_stats: object = None
    publish: object = None
    sub_refresh: object = None
    ping: object = None
    send: object = None


decode = msgspec.json.Decoder(Command).decode


def reply(command_id: int, name: str, result: bytes) -> bytes:
    """Return a reply with its result."""
    return b'{"id":%d,"%b":%b}' % (command_id, name.encode(), result)


def error_reply(command_id: int, error: Error) -> bytes:
    """Return a reply with an error."""
    code, message, temporary = error.value
    body: dict[str, object] = {"code": code, "message": message}
    if temporary:
        body["temporary"] = True
    return msgspec.json.encode({"id": command_id, "error": body})
