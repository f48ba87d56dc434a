"""A client under watch: each callback is an event to be awaited, in order."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from cadenza_tui.centrifugo.listener import Connected, Listener, Subscribed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.centrifugo.client import Client
    from cadenza_tui.centrifugo.frames import Publication
    from cadenza_tui.centrifugo.listener import Ended

    from .broker import Broker

Event = tuple[Any, ...]
WITHIN = 10.0


class Log(Listener):
    """Keeps each callback as ``(name, *arguments)``; frames and pings are counted alone.

    A publication is ``("publication", channel, data, offset)``, its data decoded from JSON.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.pings = 0
        self.largest_frame = 0
        self.hooks: dict[str, Callable[..., None]] = {}
        """What to do inside a callback, by its name."""
        self._read = 0
        self._news = asyncio.Event()

    async def event(self, name: str, *arguments: Any) -> Event:
        """Return the next event of a name (and first arguments) after the last returned."""

        def found() -> bool:
            while self._read < len(self.events):
                event = self.events[self._read]
                self._read += 1
                if event[: 1 + len(arguments)] == (name, *arguments):
                    return True
            return False

        await self.until(found)
        return self.events[self._read - 1]

    async def until(self, condition: Callable[[], object], within: float = WITHIN) -> None:
        """Return when a condition on what was told holds."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"it did not happen; the last events: {self.events[-20:]}") from None

    async def publications(self, channel: str, count: int) -> list[tuple[Any, int]]:
        """Return ``(data, offset)`` of all publications of a channel, once there are ``count``."""
        await self.until(lambda: len(self.published(channel)) >= count)
        return self.published(channel)

    def published(self, channel: str) -> list[tuple[Any, int]]:
        """``(data, offset)`` of all publications of a channel so far."""
        return [(event[2], event[3]) for event in self.of("publication", channel)]

    async def subscribed(self, channel: str) -> Subscribed:
        """Return the next report of a subscription that stands."""
        subscribed: Subscribed = (await self.event("subscribed", channel))[2]
        return subscribed

    def of(self, name: str, *arguments: Any) -> list[Event]:
        """All events of a name so far."""
        return [event for event in self.events if event[: 1 + len(arguments)] == (name, *arguments)]

    def names(self) -> list[str]:
        """The events' names alone."""
        return [event[0] for event in self.events]

    def _record(self, name: str, *arguments: Any) -> None:
        self.events.append((name, *arguments))
        self._news.set()
        if name in self.hooks:
            self.hooks[name](*arguments)

    def on_connecting(self, code: int, reason: str) -> None:
        self._record("connecting", code, reason)

    def on_attempt_failed(self, error: str, next_attempt_in_s: float) -> None:
        self._record("attempt_failed", error)

    def on_connected(self, connected: Connected) -> None:
        self._record("connected", connected)

    def on_disconnected(self, code: int, reason: str) -> None:
        self._record("disconnected", code, reason)

    def on_frame(self, size: int) -> None:
        self.largest_frame = max(self.largest_frame, size)

    def on_ping(self) -> None:
        self.pings += 1
        self._news.set()

    def on_subscribing(self, channel: str, code: int, reason: str) -> None:
        self._record("subscribing", channel, code, reason)

    def on_subscribed(self, channel: str, subscribed: Subscribed) -> None:
        self._record("subscribed", channel, subscribed)

    def on_unsubscribed(self, channel: str, code: int, reason: str) -> None:
        self._record("unsubscribed", channel, code, reason)

    def on_publication(self, channel: str, publication: Publication) -> None:
        self._record("publication", channel, json.loads(bytes(publication.data)), publication.offset)

    def on_gap(self, channel: str, expected: int, received: int) -> None:
        self._record("gap", channel, expected, received)

    def on_malformed(self, reason: str) -> None:
        self._record("malformed", reason)


async def eventually(condition: Callable[[], object]) -> None:
    """Return when a condition holds for which there is no event of the listener's."""
    async with asyncio.timeout(WITHIN):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.003)


class Watched:
    """A client, its log, and its life as a task."""

    def __init__(self, client: Client, log: Log, user: str) -> None:
        self.client, self.log, self.user = client, log, user
        self.life: asyncio.Task[Ended] | None = None

    def start(self) -> None:
        """Let it run."""
        self.life = asyncio.create_task(self.client.run())

    async def ended(self) -> Ended:
        """Return how its life ended, once it has."""
        assert self.life is not None
        async with asyncio.timeout(WITHIN):
            return await self.life

    async def settle(self, broker: Broker, fence: str) -> None:
        """Return when all that the server said before has arrived: one connection keeps its order."""
        self.client.subscribe(fence)
        await self.log.until(lambda: self.log.of("subscribed", fence))
        await broker.publish(fence, "passed")
        await self.log.publications(fence, 1)

    async def close(self) -> None:
        """Close it, and let its life end."""
        await self.client.close()
        if self.life is not None:
            await asyncio.wait([self.life])
