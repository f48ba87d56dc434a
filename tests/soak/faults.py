"""What goes wrong in a soak: each fault is done, lasts as long as it lasts, and is over when it returns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from tests.soak.far_link import FarLink

    Fault: TypeAlias = Callable[["Scene"], Awaitable[None]]

RECONNECTS = (3000, 3001, 3004, 3008, 3010, 3011, 3012, 3014, 3499, 4000, 4499)
"""Close codes that the client is to come back after."""


class Scene:
    """What a fault works on: the far side, the channels there are, and seeded chance."""

    def __init__(
        self,
        far: FarLink,
        random: Random,
        channels: Callable[[], Sequence[str]],
        on_killed: Callable[[], Awaitable[None]],
    ) -> None:
        self.far = far
        self.on_killed = on_killed
        self.random = random
        self._channels = channels
        self.token_fails = False

    def channel(self, part: str = "") -> str:
        """Return one of the channels, whose name has ``part`` in it."""
        return self.random.choice(sorted(name for name in self._channels() if part in name))

    async def last(self, shortest: float, longest: float) -> None:
        """Let the fault go on for a while."""
        await asyncio.sleep(self.random.uniform(shortest, longest))


async def reset(scene: Scene) -> None:
    await scene.far.do("cut")


async def half_open(scene: Scene) -> None:
    await scene.far.do("half_open")
    await scene.last(4.5, 6.0)


async def short_stall(scene: Scene) -> None:
    await scene.far.do("stall")
    await scene.last(0.3, 2.0)
    await scene.far.do("flow")


async def long_stall(scene: Scene) -> None:
    await scene.far.do("stall")
    await scene.last(4.5, 7.0)
    await scene.far.do("flow")


async def one_byte_at_a_time(scene: Scene) -> None:
    await scene.far.do("trickle", on=True)
    await scene.last(0.5, 1.5)
    await scene.far.do("trickle", on=False)


async def cut_and_merged(scene: Scene) -> None:
    await scene.far.do("chop", seed=scene.random.randrange(1 << 30))
    await scene.last(0.5, 2.0)
    await scene.far.do("chop", seed=None)


async def refused(scene: Scene) -> None:
    await scene.far.do("refuse", on=True)
    await scene.last(0.5, 3.0)
    await scene.far.do("refuse", on=False)


async def missing(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 4)):
        await scene.far.do("drop", channel=scene.channel(), count=scene.random.choice((1, 1, 3, 40)))


async def duplicate(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 4)):
        await scene.far.do("duplicate", channel=scene.channel(), count=scene.random.choice((1, 5, 40)))


async def reordered(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 4)):
        await scene.far.do("swap", channel=scene.channel())


async def delayed(scene: Scene) -> None:
    channel = scene.channel()
    await scene.far.do("delay", channel=channel)
    await scene.last(0.1, 1.5)
    await scene.far.do("release", channel=channel)


async def lossy(scene: Scene) -> None:
    channel = scene.channel()
    await scene.far.do("lossy", channel=channel, on=True)
    await scene.last(0.1, 1.0)
    await scene.far.do("lossy", channel=channel, on=False)


async def closed(scene: Scene) -> None:
    await scene.far.do("close", code=scene.random.choice(RECONNECTS))


async def disconnect_push(scene: Scene) -> None:
    await scene.far.do("disconnect_push", code=scene.random.choice(RECONNECTS))


async def evicted(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 3)):
        await scene.far.do("evict", channel=scene.channel(), code=scene.random.choice((2500, 2501, 2502)))


async def expired(scene: Scene) -> None:
    await scene.far.do("disconnect", close="EXPIRED")


async def no_token(scene: Scene) -> None:
    scene.token_fails = True
    await scene.far.do("disconnect", close="EXPIRED")
    await scene.last(0.5, 2.0)
    scene.token_fails = False


async def subscribe_unanswered(scene: Scene) -> None:
    await scene.far.do("withhold", on=True)
    await scene.far.do("cut")
    await scene.last(1.0, 4.0)
    await scene.far.do("withhold", on=False)


async def history_lost(scene: Scene) -> None:
    await scene.far.do("restart")


async def session_killed(scene: Scene) -> None:
    await scene.far.do("kill_session")


async def server_killed(scene: Scene) -> None:
    await scene.far.kill()
    await scene.on_killed()
    await scene.last(0.0, 1.0)
    await scene.far.start()


async def server_frozen(scene: Scene) -> None:
    scene.far.pause(True)
    await scene.last(0.3, 2.5)
    scene.far.pause(False)


ALL: dict[str, tuple[Fault, int]] = {
    "TCP reset": (reset, 3),
    "half-open link": (half_open, 1),
    "short stall": (short_stall, 3),
    "long stall": (long_stall, 1),
    "one byte at a time": (one_byte_at_a_time, 2),
    "cut and merged anywhere": (cut_and_merged, 3),
    "connections refused": (refused, 2),
    "publications missing": (missing, 4),
    "publications twice": (duplicate, 3),
    "publications out of order": (reordered, 3),
    "publications delayed": (delayed, 2),
    "broker loses publications": (lossy, 3),
    "closed with a code": (closed, 3),
    "disconnect push": (disconnect_push, 2),
    "unsubscribed by the server": (evicted, 3),
    "token expired": (expired, 2),
    "no token to be had": (no_token, 1),
    "subscribe never answered": (subscribe_unanswered, 1),
    "history lost, new epochs": (history_lost, 2),
    "connection killed by the server": (session_killed, 2),
    "server killed and restarted": (server_killed, 1),
    "server frozen": (server_frozen, 2),
}
"""By name, and how often of how many."""


def choose(random: Random) -> str:
    """Return the name of the next fault."""
    names = list(ALL)
    return random.choices(names, [ALL[name][1] for name in names])[0]
