"""A listener that writes everything down, and a session under a clock that stands still."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cadenza_tui.centrifugo.listener import Connected, Listener, Subscribed
from cadenza_tui.centrifugo.options import Options
from cadenza_tui.centrifugo.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.centrifugo.frames import Publication

Event = tuple[Any, ...]
STREAM: dict[str, Any] = {"recoverable": True, "positioned": True, "epoch": "e"}
"""A subscribe result with positions."""


class Recorder(Listener):
    """Keeps each callback as ``(name, *arguments)``, but frames, which come in all tests."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.sizes: list[int] = []
        self.connected: list[Connected] = []
        self.subscribed: list[Subscribed] = []
        self.reasons: list[str] = []
        self.hooks: dict[str, Callable[..., None]] = {}
        """What to do inside a callback, by its name."""

    def _record(self, name: str, *arguments: Any) -> None:
        self.events.append((name, *arguments))
        if name in self.hooks:
            self.hooks[name](*arguments)

    def names(self) -> list[str]:
        """The events' names alone."""
        return [event[0] for event in self.events]

    def take(self) -> list[Event]:
        """The events since the last look."""
        events, self.events = self.events, []
        return events

    def on_connecting(self, code: int, reason: str) -> None:
        self.reasons.append(reason)
        self._record("connecting", code)

    def on_attempt_failed(self, error: str, next_attempt_in_s: float) -> None:
        self._record("attempt_failed", error, next_attempt_in_s)

    def on_waiting(self, next_attempt_in_s: float) -> None:
        self._record("waiting", next_attempt_in_s)

    def on_connected(self, connected: Connected) -> None:
        self.connected.append(connected)
        self._record("connected", connected.client)

    def on_disconnected(self, code: int, reason: str) -> None:
        self.reasons.append(reason)
        self._record("disconnected", code)

    def on_frame(self, size: int) -> None:
        self.sizes.append(size)
        if "frame" in self.hooks:
            self.hooks["frame"](size)

    def on_ping(self) -> None:
        self._record("ping")

    def on_subscribing(self, channel: str, code: int, reason: str) -> None:
        self.reasons.append(reason)
        self._record("subscribing", channel, code)

    def on_subscribed(self, channel: str, subscribed: Subscribed) -> None:
        self.subscribed.append(subscribed)
        self._record("subscribed", channel)

    def on_unsubscribed(self, channel: str, code: int, reason: str) -> None:
        self.reasons.append(reason)
        self._record("unsubscribed", channel, code)

    def on_publication(self, channel: str, publication: Publication) -> None:
        self._record("publication", channel, json.loads(bytes(publication.data)))

    def on_gap(self, channel: str, expected: int, received: int) -> None:
        self._record("gap", channel, expected, received)

    def on_malformed(self, reason: str) -> None:
        self._record("malformed", reason)


class Bench:
    """A session whose clock, randomness and server are the test's."""

    def __init__(self, **options: Any) -> None:
        self.now = 100.0
        self.log = Recorder()
        self.session = Session(self.log, Options(random=lambda: 0.5, **options))

    def begin(self) -> None:
        """Start, and open the transport, with nothing answered yet."""
        self.session.begin()
        self.session.opened("token", self.now)

    def connect(self, **result: Any) -> None:
        """Start, open, and let the server accept; forgets the events of that."""
        self.begin()
        self.accept(**result)

    def reopen(self, **result: Any) -> None:
        """Open a next transport, and let the server accept."""
        self.session.opened("token", self.now)
        self.accept(**result)

    def accept(self, **result: Any) -> None:
        """Let the server answer the connect that was just sent; other commands stay unanswered."""
        self.commands = self.sent()
        self.reply(self.commands[0], connect={"client": "c", "ping": 25, "pong": True} | result)

    def subscribe(self, channel: str, *, delta: bool = False, **result: Any) -> None:
        """Subscribe, and let the server accept, with deltas where they are asked for."""
        self.session.subscribe(channel, self.now, delta=delta)
        self.answer(channel, **({"delta": True} if delta else {}) | result)

    def answer(self, channel: str, **result: Any) -> None:
        """Let the server accept the last subscribe of a channel."""
        self.commands = [*getattr(self, "commands", []), *self.sent()]
        (*_, command) = [
            held for held in self.commands if held.get("subscribe", {}).get("channel") == channel
        ]
        self.reply(command, subscribe=result)

    def sent(self) -> list[dict[str, Any]]:
        """The commands sent since the last look, pongs as empty ones."""
        return [json.loads(line) for frame in self.session.take_outgoing() for line in frame.split(b"\n")]

    def lose(self, code: int, reason: str = "") -> None:
        """Lose the connection, and open the next transport; nothing is answered yet."""
        self.session.lost(code, reason)
        self.session.opened("token", self.now)

    def reply(self, command: dict[str, Any], **result: Any) -> None:
        """Answer a command."""
        self.say({"id": command["id"], **result})

    def publish(self, channel: str, data: Any, **fields: Any) -> None:
        """Push a publication."""
        self.say({"push": {"channel": channel, "pub": {"data": data, **fields}}})

    def push(self, channel: str = "", **push: Any) -> None:
        """Push something else."""
        self.say({"push": {"channel": channel, **push}})

    def say(self, *lines: Any) -> None:
        """Send a frame to the client."""
        self.session.receive(b"\n".join(json.dumps(line).encode() for line in lines), self.now)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.session.poll(self.now)


def subscribes(bench: Bench) -> list[dict[str, Any]]:
    """The subscribe commands sent since the last look."""
    bench.commands = bench.sent()
    return [command["subscribe"] for command in bench.commands if "subscribe" in command]
