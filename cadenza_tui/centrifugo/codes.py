"""What the protocol's numbers mean, and the decision each of them leads to.

Sources: the Centrifugo client protocol v2 and the tables of its server library.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Decision(StrEnum):
    """What follows a failure: another attempt by itself, or the end until a person acts."""

    RETRY = "retry"
    TERMINAL = "terminal"


class Source(StrEnum):
    """Where a code comes from: the same number means different things in different places."""

    CLOSE = "close"
    """A close frame, or a disconnect push."""
    ERROR = "error"
    """The error of a reply."""
    UNSUBSCRIBE = "unsubscribe"
    """An unsubscribe push."""


class Local(IntEnum):
    """Codes given on this side of the connection. The server's own start at 100."""

    CALLED = 0
    TRANSPORT_CLOSED = 1
    NO_PING = 2
    SUBSCRIBE_TIMEOUT = 3
    UNSUBSCRIBE_FAILED = 4
    CONNECT_TIMEOUT = 5
    UNAUTHORIZED = 6
    COMMAND_TOO_LARGE = 7
    SEND_TIMEOUT = 8
    TOKEN_FAILED = 9
    DELTA_LOST = 10
    BY_SERVER = 11
    """Stands for a code of the server's that would read as one of these."""


MESSAGE_TOO_BIG = 1009
TOKEN_EXPIRED = 109
EXPIRED = 3005
SUBSCRIPTION_EXPIRED_CLOSE = 3006
STATE_INVALIDATED = 3014
INVALID_TOKEN = 3500
SUBSCRIPTION_EXPIRED = 2501
SUBSCRIPTION_STATE_INVALIDATED = 2502
FIRST_RESUBSCRIBE = 2500
"""Unsubscribe pushes from this code on ask for another subscribe."""
FIRST_SERVER_ERROR = 100


class Meaning(NamedTuple):
    """A sentence for a person, and what to do about it ("" where waiting is all there is)."""

    sentence: str
    remedy: str = ""


_SIGN_IN = "bring a new token (CADENZA_TOKEN, CADENZA_TOKEN_FILE or the profile) and connect again"
_ASK_OPERATOR = "ask the operator of the server for the permission"
_REPORT = "update cadenza-tui, or report this with the server's version"

LOCAL_CODES: dict[int, Meaning] = {
    Local.CALLED: Meaning("closed on request"),
    Local.TRANSPORT_CLOSED: Meaning("the connection was lost"),
    Local.NO_PING: Meaning("the server fell silent: no ping in time"),
    Local.SUBSCRIBE_TIMEOUT: Meaning("the server did not answer a subscribe in time"),
    Local.UNSUBSCRIBE_FAILED: Meaning("the server did not confirm an unsubscribe"),
    Local.CONNECT_TIMEOUT: Meaning("the server did not answer the connect in time"),
    Local.UNAUTHORIZED: Meaning("there is no valid token", _SIGN_IN),
    Local.COMMAND_TOO_LARGE: Meaning("the token is too long to be sent", _SIGN_IN),
    Local.TOKEN_FAILED: Meaning("no token could be had"),
    Local.DELTA_LOST: Meaning("a change does not fit the message before it"),
    Local.SEND_TIMEOUT: Meaning("the server took nothing in for too long"),
    Local.BY_SERVER: Meaning("the server gave a code that has no meaning"),
}

CLOSE_CODES: dict[int, Meaning] = {
    1000: Meaning("the server closed the connection"),
    1001: Meaning("the server went away"),
    1006: Meaning("the connection was lost"),
    MESSAGE_TOO_BIG: Meaning(
        "a message was larger than the limit", "raise the limit, or watch fewer or shallower books"
    ),
    3000: Meaning("the server closed the connection"),
    3001: Meaning("the server is shutting down"),
    3004: Meaning("the server had an internal error"),
    EXPIRED: Meaning("the connection's token expired"),
    SUBSCRIPTION_EXPIRED_CLOSE: Meaning("a subscription's token expired"),
    3008: Meaning("this client read too slowly"),
    3009: Meaning("the server could not write"),
    3010: Meaning("the server lost the stream position"),
    3011: Meaning("the server asked for a reconnect"),
    3012: Meaning("the server saw no pong in time"),
    3013: Meaning("too many requests"),
    STATE_INVALIDATED: Meaning("the server invalidated the state"),
    INVALID_TOKEN: Meaning("the server refused the token as invalid", _SIGN_IN),
    3501: Meaning("the server refused a request as malformed", _REPORT),
    3502: Meaning("the server saw no connect command in time", "check the link, then connect again"),
    3503: Meaning("the server ended the connection for good", "ask the operator of the server why"),
    3504: Meaning("too many connections of this user", "close other sessions, then connect again"),
    3505: Meaning("too many channels on one connection", "watch fewer instruments at once"),
    3506: Meaning("the server does not speak this protocol here", "check the server's address"),
    3507: Meaning("permission denied", _ASK_OPERATOR),
    3508: Meaning("the server does not offer this", _ASK_OPERATOR),
    3509: Meaning("too many errors on this connection", _REPORT),
}

ERROR_CODES: dict[int, Meaning] = {
    100: Meaning("the server had an internal error"),
    101: Meaning("unauthorized", _SIGN_IN),
    102: Meaning("the server does not know the channel", "check the channel templates of the profile"),
    103: Meaning("permission denied", _ASK_OPERATOR),
    104: Meaning("the server does not know the method", "check the server's address and version"),
    105: Meaning("already subscribed", "close the subscription and open it again"),
    106: Meaning("a limit of the server is exceeded", "watch fewer instruments at once"),
    107: Meaning("the server refused a request as malformed", _REPORT),
    108: Meaning("the server does not offer this", _ASK_OPERATOR),
    TOKEN_EXPIRED: Meaning("the token expired"),
    110: Meaning("expired", _SIGN_IN),
    111: Meaning("too many requests"),
    112: Meaning("the position cannot be recovered", "close the subscription and open it again"),
    113: Meaning("the server's pagination is busy"),
}

UNSUBSCRIBE_CODES: dict[int, Meaning] = {
    2000: Meaning("unsubscribed by the server"),
    2500: Meaning("the server lost the stream position"),
    SUBSCRIPTION_EXPIRED: Meaning("the subscription expired"),
    SUBSCRIPTION_STATE_INVALIDATED: Meaning("the server invalidated the subscription's state"),
}

_MEANINGS = LOCAL_CODES | CLOSE_CODES | ERROR_CODES | UNSUBSCRIBE_CODES
_LONGEST_REASON = 200


def decide(source: Source, code: int, *, temporary: bool = False) -> Decision:
    """Decide what follows a code of the server's or of this side: the only place that does.

    A close frame or a disconnect push: 1009, 3500–3999 and 4500–4999 are terminal; all others (below 3000 the
    transport's own, 3000–3499, 4000–4499, and from 5000 on) lead to another attempt. An error reply is
    retried when it is ``temporary``, local (< 100) or 109. An unsubscribe push asks for the channel again
    from 2500 on.
    """
    match source:
        case Source.CLOSE:
            terminal = code == MESSAGE_TOO_BIG or 3500 <= code <= 3999 or 4500 <= code <= 4999
        case Source.ERROR:
            terminal = not temporary and code >= FIRST_SERVER_ERROR and code != TOKEN_EXPIRED
        case Source.UNSUBSCRIBE:
            terminal = code < FIRST_RESUBSCRIBE
    return Decision.TERMINAL if terminal else Decision.RETRY


def from_server(code: int) -> int:
    """Return the code by which one of the server's is told: below 100 it would be taken for this side's."""
    return code if code >= FIRST_SERVER_ERROR else Local.BY_SERVER


def printable(text: str) -> str:
    """Return the server's text without control, escape and bidirectional characters, at most 200 long."""
    text = text[: 4 * _LONGEST_REASON]
    if not text.isprintable():
        text = "".join(character for character in text if character.isprintable())
    return text[:_LONGEST_REASON]


def meaning(code: int, reason: str = "") -> Meaning:
    """Return the sentence and remedy of any code; an unknown one is told by the server's reason."""
    known = _MEANINGS.get(code)
    if known is not None:
        return known
    said = printable(reason)
    sentence = said or f"the server gave code {code}"
    terminal = decide(Source.CLOSE, code) is Decision.TERMINAL
    return Meaning(sentence, "ask the operator of the server why" if terminal else "")


def sentence(code: int, reason: str = "") -> str:
    """Return what a status line shows: the meaning, and the server's own words where they add."""
    told = meaning(code, reason).sentence
    said = printable(reason)
    if said and said.casefold() not in told.casefold():
        return f"{told} ({said})"
    return told
