"""Commands that wait for their replies, each with a deadline; never more than a set number."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from cadenza_tui.centrifugo.errors import (
    CallTimeout,
    CentrifugoError,
    ConnectionLost,
    ReplyError,
    TooManyCalls,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.centrifugo.frames import Command, Reply
    from cadenza_tui.centrifugo.subscription import Subscription

    Done: TypeAlias = Callable[[Reply | CentrifugoError], None]


class Purpose(StrEnum):
    """What a command was sent for, and so what becomes of its reply."""

    CONNECT = "connect"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    REFRESH = "refresh"
    SUB_REFRESH = "sub_refresh"
    CALL = "call"


class Call:
    """One command under way, or a call that waits for a connection and has no id yet."""

    __slots__ = ("deadline", "done", "id", "purpose", "subscription")

    def __init__(
        self,
        purpose: Purpose,
        deadline: float,
        *,
        subscription: Subscription | None = None,
        done: Done | None = None,
    ) -> None:
        self.purpose = purpose
        self.deadline = deadline
        self.subscription = subscription
        self.done = done
        self.id = 0

    def finish(self, outcome: Reply | CentrifugoError) -> None:
        """Hand the outcome over, once."""
        done, self.done = self.done, None
        if done is None:
            return
        error = None if isinstance(outcome, CentrifugoError) else outcome.error
        done(outcome if error is None else ReplyError(error.code, error.message, temporary=error.temporary))

    def fail_lost(self) -> None:
        """The connection ended first."""
        self.finish(ConnectionLost("the connection was lost before the reply came"))

    def fail_timeout(self) -> None:
        """The deadline passed first."""
        self.finish(CallTimeout("the server did not answer in time"))


class Calls:
    """The commands under way by id, and the calls that wait for a connection. Ids are never used twice."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last_id = 0
        self._sent: dict[int, Call] = {}
        self._waiting: dict[Call, Command] = {}
        self._counted = (
            0  # calls of the program, sent and waiting; the protocol's own are bounded by the channels
        )

    def add(self, call: Call) -> int:
        """Count a command as sent, and return its id."""
        self._last_id += 1
        call.id = self._last_id
        self._sent[call.id] = call
        return call.id

    def reserve(self, call: Call, command: Command) -> None:
        """Let a call wait for a connection. Raises TooManyCalls."""
        if self._counted >= self._limit:
            raise TooManyCalls(
                f"{self._limit} calls wait for a reply already", remedy="try again in a moment"
            )
        self._counted += 1
        self._waiting[call] = command

    def send_waiting(self) -> list[Command]:
        """Count the calls that wait as sent, and return their commands, oldest first."""
        commands = []
        for call, command in self._waiting.items():
            command.id = self.add(call)
            commands.append(command)
        self._waiting.clear()
        return commands

    def take(self, call_id: int) -> Call | None:
        """Return and forget the command that a reply belongs to."""
        call = self._sent.pop(call_id, None)
        if call is not None and call.purpose is Purpose.CALL:
            self._counted -= 1
        return call

    def discard(self, call: Call) -> None:
        """Forget a command, wherever it stands."""
        if call in self._waiting:
            del self._waiting[call]
            self._counted -= 1
        elif self._sent.get(call.id) is call:
            self.take(call.id)

    def next_deadline(self) -> float | None:
        """Return the earliest deadline."""
        return min(
            (call.deadline for held in (self._sent.values(), self._waiting) for call in held), default=None
        )

    def expire(self, now: float) -> list[Call]:
        """Return and forget what is past its deadline."""
        held = [*self._sent.values(), *self._waiting]
        late = [call for call in held if call.deadline <= now]
        for call in late:
            self.discard(call)
        return late

    def lose(self) -> list[Call]:
        """Forget all that was sent, and return the program's calls among it."""
        lost = [call for call in self._sent.values() if call.purpose is Purpose.CALL]
        self._sent.clear()
        self._counted -= len(lost)
        return lost

    def take_all(self) -> list[Call]:
        """Return and forget the program's calls, sent or waiting."""
        calls = self.lose() + list(self._waiting)
        self._waiting.clear()
        self._counted = 0
        return calls
