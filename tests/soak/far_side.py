"""The other side of a soak, as a process of its own: exchange, server and the two proxies in front of it.

The first line of stdin is the set-up, each later one a command; stdout carries one JSON object a line: what
the exchange's books were, how far its channels are, and the answers to commands.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from cadenza_tui.simulator.channels import Kind
from cadenza_tui.simulator.commands import Close
from cadenza_tui.simulator.exchange import Exchange
from cadenza_tui.simulator.namespaces import Namespace
from cadenza_tui.simulator.server import Server, ServerOptions
from tests.support.frames import FrameProxy
from tests.support.proxy import TcpProxy
from tests.support.truth import Ledger, Place, market_digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Command = dict[str, Any]

TELL_EVERY_S = 0.1
STEP_NS = 10_000_000
MOST_BEHIND_NS = 1_000_000_000
REST_S = 0.002


def tell(**line: object) -> None:
    """Write one line to the parent."""
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


class FarSide:
    """Everything between the feed's socket and the exchange's books."""

    def __init__(self, setup: Command) -> None:
        self.exchange = Exchange(
            setup["seed"], instruments=setup["instruments"], rate=setup["rate"], start_ns=time.time_ns()
        )
        options = ServerOptions(
            ping=setup["ping"],
            pong_timeout=setup["pong_timeout"],
            expired_close_delay=2,
            namespaces={
                name: Namespace(delta=setup.get("delta", False)) for name in ("market", "tradingAccount")
            },
        )
        self.server = Server(self.exchange, setup["secret"], options)
        self.facts: list[tuple[Place, str]] = []
        self.ledger = Ledger(
            self.server, lambda place, fact: self.facts.append((place, fact)), every=setup["every"]
        )
        self.setup = setup
        self.pacing: asyncio.Task[None] | None = None
        self.frames: FrameProxy
        self.tcp: TcpProxy

    async def run(self, commands: asyncio.StreamReader) -> None:
        """Serve until stdin ends."""
        await self.server.start("127.0.0.1", 0)
        async with (
            FrameProxy(self.server.url) as frames,
            TcpProxy(frames.url, port=self.setup["port"]) as tcp,
        ):
            self.frames, self.tcp = frames, tcp
            self.pacing = asyncio.create_task(self._pace())
            telling = asyncio.create_task(self._tell())
            tell(ready=tcp.url)
            while line := await commands.readline():
                command = json.loads(line)
                tell(did=command["id"], answer=await self._do(command))
            ends = [task for task in (telling, self.pacing) if task is not None]
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        await self.server.stop()

    async def _pace(self) -> None:
        """Let the market's time go with the clock, in small steps, so that the proxies get their turns too.

        Where the machine is too slow for the market, the market rests: the report tells the rate there was.
        """
        offset = self.exchange.now_ns - time.monotonic_ns()
        while True:
            behind = offset + time.monotonic_ns() - self.exchange.now_ns
            if behind > MOST_BEHIND_NS:
                self.exchange.halt(behind - STEP_NS)
                behind = STEP_NS
            until = self.exchange.now_ns + min(behind, STEP_NS)
            self.server.publish(self.exchange.advance(until, self.server.wanted))
            await asyncio.sleep(REST_S)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            if self.pacing is not None and self.pacing.done():
                self.pacing.result()
            facts, self.facts = self.facts, []
            tell(facts=[[*place, fact] for place, fact in facts], tops=self.ledger.hub.tops())

    async def _do(self, command: Command) -> object:
        what = command.pop("do")
        method: Callable[..., Awaitable[object]] = getattr(self, f"do_{what}")
        return await method(**{name: value for name, value in command.items() if name != "id"})

    # --- faults of the link

    async def do_cut(self) -> None:
        self.tcp.cut()

    async def do_half_open(self) -> None:
        self.tcp.half_open()

    async def do_stall(self) -> None:
        self.tcp.stall()

    async def do_flow(self) -> None:
        self.tcp.flow()

    async def do_trickle(self, on: bool) -> None:
        self.tcp.one_byte_at_a_time(on)

    async def do_chop(self, seed: int | None) -> None:
        self.tcp.cut_anywhere(seed)

    async def do_refuse(self, on: bool) -> None:
        self.tcp.refuse(on)
        if on:
            self.tcp.cut()

    # --- faults of the server and of its broker

    async def do_drop(self, channel: str, count: int) -> None:
        self.frames.drop(channel, count)

    async def do_duplicate(self, channel: str, count: int) -> None:
        self.frames.duplicate(channel, count)

    async def do_swap(self, channel: str) -> None:
        self.frames.swap(channel)

    async def do_delay(self, channel: str) -> None:
        self.frames.delay(channel)

    async def do_release(self, channel: str) -> None:
        await self.frames.release(channel)

    async def do_withhold(self, on: bool) -> None:
        self.frames.withhold_subscribes = on

    async def do_close(self, code: int) -> None:
        await self.frames.close(code)

    async def do_disconnect_push(self, code: int) -> None:
        await self.frames.disconnect_push(code)

    async def do_lossy(self, channel: str, on: bool) -> None:
        (self.server.hub.lossy.add if on else self.server.hub.lossy.discard)(channel)

    async def do_evict(self, channel: str, code: int) -> None:
        self.server.evict(channel, code)

    async def do_disconnect(self, close: str) -> None:
        self.server.disconnect(getattr(Close, close))

    async def do_restart(self) -> None:
        self.server.restart()

    async def do_kill_session(self) -> None:
        for session in list(self.server.sessions):
            session.kill()

    async def do_heal(self) -> None:
        self.tcp.heal()
        self.frames.heal()
        self.server.hub.lossy.clear()

    # --- the end

    async def do_freeze(self) -> object:
        """Stop the exchange's time, publish what is left to be, and tell all of it."""
        if self.pacing is not None:
            self.pacing.cancel()
            await asyncio.gather(self.pacing, return_exceptions=True)
            self.pacing = None
        for market in self.exchange.markets.values():
            out: list[Any] = []
            market.publish(self.exchange.now_ns, self.server.hub.wanted, out)
            self.server.publish(out)
        markets = self.exchange.markets
        return {
            "books": {name: market_digest(market) for name, market in markets.items()},
            "prints": {
                name: market.flow.last.trade_id for name, market in markets.items() if market.flow.last
            },
            "balances": {
                account.account_id: {
                    row["securitySymbol"]: [row["total"], row["free"], row["locked"]]
                    for row in self.exchange.portfolio(account, rpc=True)["balances"]
                }
                for account in self.exchange.accounts_of("demo")
            },
            "working": {
                account.account_id: sorted(order.order_id for order in account.working())
                for account in self.exchange.accounts_of("demo")
            },
            "tops": self.ledger.hub.tops(),
            "deaths": [[*stream, offset] for stream, offset in self.ledger.deaths.items()],
            "kinds": sorted(kind.value for kind in Kind),
        }


async def main() -> None:
    """Run until stdin ends."""
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    setup = json.loads(await commands.readline())
    await FarSide(setup).run(commands)


if __name__ == "__main__":
    asyncio.run(main())
