"""When tokens are wanted. Fetching them is the shell's part, and what they say only the server knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cadenza_tui.centrifugo.ending import Ending
    from cadenza_tui.centrifugo.options import Options

    TokenSource: TypeAlias = Callable[[], Awaitable[str]]
    ChannelTokenSource: TypeAlias = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, eq=False, slots=True)
class TokenWant:
    """One request for one token of one channel: the token that answers another request is discarded."""

    channel: str
    source: ChannelTokenSource = field(repr=False)


class Renewal:
    """When a token in use is to be replaced: at its time to live, and a while after a failure.

    Times are seconds of a monotonic clock.
    """

    __slots__ = ("_options", "at")

    def __init__(self, options: Options) -> None:
        self._options = options
        self.at: float | None = None
        """When the next token is wanted; None while there is no expiry, or one is asked for already."""

    def begin(self, expires: bool, ttl: int, now: float) -> None:
        """Start to count with a connection or a subscription."""
        self.at = now + ttl if expires else None

    def renewed(self, expires: bool, ttl: int, now: float) -> None:
        """Count on from a refresh, in such a way that refreshes do not chase each other."""
        self.at = now + max(ttl, self._options.token_retry_min) if expires else None

    def failed(self, now: float) -> None:
        """Ask again in a while."""
        self.at = now + self._options.token_retry()

    def due(self, now: float) -> bool:
        """Whether a token is to be asked for; True once."""
        if self.at is None or now < self.at:
            return False
        self.at = None
        return True

    def stop(self) -> None:
        """Ask for no more."""
        self.at = None


FRESH = 30.0
"""How old a token may be, in s, for its refusal to say something of its source: an older one aged here."""


class Bearer:
    """The connection's token between its source and the server. ``now`` in seconds of a monotonic clock.

    A token is kept until the server calls it expired, however long the attempts take: only the server knows,
    and a source may be a login, a program or a person, which are not to be asked at the rate of a dial.
    """

    __slots__ = ("_brought_at", "_last_spent", "_refusals", "token")

    def __init__(self) -> None:
        self.token: str | None = None
        """What to connect with; None: another one is to be fetched."""
        self._last_spent: str | None = None
        self._refusals = 0
        self._brought_at = 0.0

    def bring(self, token: str, now: float) -> None:
        """Take a token in that was just fetched."""
        self.token = token
        self._brought_at = now

    def spent(self, ending: Ending, now: float) -> str:
        """Give the token up, and return what is to be said of its source: "" the first time, or once it aged.

        A source that gives expired tokens looks like one that works: without a word of its own it would
        seem that the server were at fault, and be asked as often as a lost connection is dialled.
        """
        again = self.token == self._last_spent
        self._last_spent, self.token = self.token, None
        aged = now - self._brought_at > FRESH
        self._refusals = 0 if ending.was_connected or aged else self._refusals + 1
        if again and not ending.was_connected:
            return "the token expired, and its source gives the same one again: bring a new one"
        if self._refusals <= 1:
            return ""
        return "the server calls each token expired that its source gives: one of the clocks may be wrong"
