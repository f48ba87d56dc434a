"""What a call or a subscription can fail with."""

from __future__ import annotations

from cadenza_tui.centrifugo import codes
from cadenza_tui.errors import UNAUTHORISED, UNREACHABLE, CadenzaError


class CentrifugoError(CadenzaError):
    """Any failure of the client protocol."""


class ReplyError(CentrifugoError):
    """The server answered a call with an error."""

    def __init__(self, code: int, message: str, *, temporary: bool = False) -> None:
        super().__init__(codes.sentence(code, message), remedy=codes.meaning(code).remedy or None)
        self.code = code
        self.temporary = temporary


class ConnectionLost(CentrifugoError):
    """The connection ended before the reply came; whether the server acted is not known."""

    exit_code = UNREACHABLE


class CallTimeout(CentrifugoError, TimeoutError):
    """No reply came in time."""

    exit_code = UNREACHABLE


class TooManyCalls(CentrifugoError):
    """More calls wait for a reply than the client keeps count of."""


class ChannelLimit(CentrifugoError):
    """One more channel than a connection may carry."""


class CommandTooLarge(CentrifugoError):
    """A command is longer than the frame that the server accepts."""


class Unauthorized(CentrifugoError):
    """A token source has no token and will have none until a person acts: ends the client."""

    exit_code = UNAUTHORISED
