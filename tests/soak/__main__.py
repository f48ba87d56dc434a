"""The soak: a fast market, a real feed, and something that goes wrong every few seconds.

``python -m tests.soak --minutes 10 --report soak.json``. Prints the report as JSON and writes it to the file;
exits with 1 where anything was lost, wrong or leaked, and says what. The same ``--seed`` gives the same
market and the same faults in the same order; when they hit depends on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import secrets
import sys
import time
from collections import Counter, defaultdict
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any

from cadenza_tui.centrifugo.options import Options
from cadenza_tui.errors import TokenError
from cadenza_tui.feed.subscriptions import ChannelOptions
from cadenza_tui.feed.worker import Feed, FeedSettings
from cadenza_tui.market import heat, sides, tally
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.records import Print
from cadenza_tui.market.state import Market
from cadenza_tui.market.tape import Tape
from cadenza_tui.market.trust import book_trust
from cadenza_tui.simulator.instruments import choose
from cadenza_tui.simulator.tokens import mint
from cadenza_tui.wire.channels import Kind
from tests.soak import faults
from tests.soak.far_link import FarGone, FarLink
from tests.soak.looker import Looker
from tests.soak.memory import Use, slope_per_minute
from tests.support.truth import Truth, Watcher, book_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from cadenza_tui.feed.ingest import Event

PING_S, PONG_TIMEOUT_S, GRACE_S = 2.0, 1.8, 2.0
STALE_AFTER_S = PING_S + GRACE_S + 4.0
"""How long a dead link may go unnoticed, with room for a machine that is busy with other things."""
RECOVERY_S = 60.0
EVERY = 50
"""A digest is taken of one book message in so many."""
WARM_UP_S = 60.0
KEPT_PRINTS = 200
KEPT_SECONDS = 24
KEPT_TICKS = 256
"""So that each tape, the sums of its seconds, the samples of each heatmap and the prices that a book has
learnt are as many as are kept before the warm-up is over, and memory shows what grows without a bound."""
TOKEN_TTL_S = 30.0
SLOPE_KIB = 512.0
"""Growth in KiB a minute past which memory counts as not flat, in a run of ten minutes; a shorter one gets
more, since the noise of the allocator is the same."""


class Mint:
    """Tokens that expire soon, from a source that a fault can make fail."""

    source = "the soak's mint"
    fixed = False

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.fails: Callable[[], bool] = lambda: False
        self.fetched = 0

    async def __call__(self) -> str:
        """Return a token; raises TokenError."""
        if self.fails():
            raise TokenError("the soak has no token now")
        self.fetched += 1
        return mint(self._secret, now=time.time(), ttl=TOKEN_TTL_S)

    async def probe(self) -> None:
        """Do nothing: the first token is fetched when it is wanted."""


class Complaints(logging.Handler):
    """Keeps what the event loop and the libraries have to complain about."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        if len(self.said) < 50:
            self.said.append(f"{record.name}: {self.format(record)}")


class Soak:
    """One run."""

    def __init__(self, seed: int, minutes: float, rate: float, instruments: int, *, delta: bool) -> None:
        self.minutes = minutes
        self.random = Random(seed)
        secret = secrets.token_hex(32)
        self.truth = Truth()
        self.watcher = Watcher(self.truth, stale_after=STALE_AFTER_S, every=EVERY)
        self.far = FarLink(
            self.truth,
            {
                "seed": seed,
                "rate": rate,
                "instruments": instruments,
                "secret": secret,
                "ping": PING_S,
                "pong_timeout": PONG_TIMEOUT_S,
                "every": EVERY,
                "delta": delta,
            },
        )
        self.mint = Mint(secret)
        options = Options(
            reply_timeout=5.0,
            open_timeout=5.0,
            close_timeout=0.5,
            dead_link_grace=GRACE_S,
            backoff_min=0.1,
            backoff_max=1.0,
            token_retry_min=0.2,
            token_retry_max=0.5,
        )
        pinned = tuple(one.instrument_id for one in choose(instruments))
        settings = FeedSettings(
            self.far.url,
            token=self.mint,
            pinned=pinned,
            options=options,
            channels=ChannelOptions(delta=delta),
        )
        heat.KEPT, heat.CHAPTER = KEPT_SECONDS, KEPT_SECONDS // 3
        sides.KEPT_TICKS = KEPT_TICKS
        tally.KEPT = dict.fromkeys(tally.KEPT, KEPT_SECONDS)
        market = Market()
        market.tapes |= {one: Tape(KEPT_PRINTS) for one in pinned}
        self.feed = Feed(market, settings, on_event=self._event)
        self.watcher.attach(self.feed)
        self.looker = Looker(Random(seed))
        self.looker.attach(self.feed)
        self.events: Counter[str] = Counter()
        self.faults: list[dict[str, Any]] = []
        self.losses: list[str] = []
        self.use = Use()
        self._base: dict[str, int] = {}
        """By instrument, what was known to be missing when the present market's first print came."""

    def _event(self, event: Event) -> None:
        self.events[type(event).__name__] += 1
        if isinstance(event, Print) and event.instrument_id not in self.watcher.prints:
            self._base[event.instrument_id] = self._missing(event.instrument_id)
        self.watcher.event(event)
        self.looker.event(event)

    @property
    def live(self) -> bool:
        """Whether everything is on screen as current."""
        feed = self.feed
        if feed.market.health.connection.state is not ConnectionState.CONNECTED:
            return False
        now = feed.now()
        return not any(
            book_trust(feed.market, one, feed.ingest.channel_of(Kind.BOOK, one), now).dimmed
            for one in feed.pinned
        )

    async def until(self, condition: Callable[[], object], within: float) -> float | None:
        """Wait for ``condition`` and return how long it took, None where it did not come."""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > within:
                return None
            await asyncio.sleep(0.01)
        return time.monotonic() - start

    async def run(self) -> dict[str, Any]:
        """Run it all and return the report."""
        complaints = Complaints()
        logging.getLogger().addHandler(complaints)
        unhandled: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(
            lambda _loop, context: unhandled.append(
                f"{context.get('message')}: {context.get('exception')!r}"[:500]
            )
        )
        sys.unraisablehook = lambda raised: unhandled.append(f"unraisable: {raised.exc_value!r}"[:500])
        await self.far.start()
        before = asyncio.all_tasks()
        running = asyncio.create_task(self.feed.run())
        runs = (self.watcher.run(0.02), self.use.run(), self.looker.run())
        sides = [asyncio.create_task(run) for run in runs]
        started = time.monotonic()
        cpu = time.process_time()
        end: dict[str, Any] = {}
        try:
            if await self.until(lambda: self.live, 30) is None:
                self.losses.append("the feed never came up")
            else:
                await self._go_wrong(started + 60 * self.minutes)
                end = await self._rest()
        except (FarGone, TimeoutError) as error:
            self.losses.append(f"the far side failed: {error!r}")
        finally:
            elapsed, cpu = time.monotonic() - started, time.process_time() - cpu
            self.losses += [f"a watcher ended: {side.exception()!r}" for side in sides if side.done()]
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            if running.done():
                self.losses.append(f"the feed ended: {self.feed.market.health.connection.reason}")
            await self.feed.close()
            await asyncio.gather(running, return_exceptions=True)
            await asyncio.sleep(0.1)
            left = asyncio.all_tasks() - before - set(self.far._reading)
            await self.far.stop()
        report = self._report(elapsed, cpu, end)
        self._judge(report, unhandled, complaints.said, [task.get_name() for task in left])
        report["losses"] = self.losses
        report["ok"] = not self.losses
        return report

    # --- faults

    async def _go_wrong(self, until: float) -> None:
        scene = faults.Scene(
            self.far, self.random, lambda: list(self.feed.market.health.channels), self._new_market
        )
        self.mint.fails = lambda: scene.token_fails
        names = list(faults.ALL)
        self.random.shuffle(names)  # each once, then by their weights
        while time.monotonic() < until:
            await asyncio.sleep(self.random.uniform(0.5, 3.0))
            name = names.pop() if names else faults.choose(self.random)
            began = time.monotonic()
            await faults.ALL[name][0](scene)
            lasted = time.monotonic() - began
            await asyncio.sleep(0.05)
            took = await self.until(lambda: self.live, RECOVERY_S)
            self.faults.append({"fault": name, "lasted": lasted, "recovery": took})
            if took is None:
                self.losses.append(f"not live {RECOVERY_S:g} s after: {name}")
                self._explain()
                return

    def _explain(self) -> None:
        """Say what is not live."""
        feed = self.feed
        connection = feed.market.health.connection
        self.losses.append(f"connection {connection.state}: {connection.reason}")
        now = feed.now()
        for one in feed.pinned:
            trust = book_trust(feed.market, one, feed.ingest.channel_of(Kind.BOOK, one), now)
            if trust.dimmed:
                self.losses.append(f"{one} {trust.state}: {trust.reason}")

    async def _new_market(self) -> None:
        """Make ready for another exchange, whose prints are numbered anew, once the last old one is read."""
        connection = self.feed.market.health.connection
        await self.until(lambda: connection.state is not ConnectionState.CONNECTED, RECOVERY_S)
        self.watcher.prints.clear()

    # --- the end

    async def _rest(self) -> dict[str, Any]:
        """Let the market go on without faults, stop it, and compare what both sides hold."""
        await self.far.do("heal")
        await asyncio.sleep(10)
        await self.until(lambda: self.live, RECOVERY_S)
        truth: dict[str, Any] = await self.far.do("freeze")
        compared: dict[str, Callable[[], tuple[int, list[str]]]] = {
            "books": partial(self._books, truth),
            "balances": partial(self._balances, truth),
            "working orders": partial(self._working, truth),
            "tapes": partial(self._tapes, truth),
            "samples and sums": self.looker.end,
        }
        end: dict[str, Any] = {}
        for what, compare in compared.items():
            took = await self.until(partial(_is_right, compare), 20)
            count, wrong = compare()
            end[what] = {"compared": count, "wrong": len(wrong)}
            if took is None:
                self.losses += wrong
        return end

    def _books(self, truth: dict[str, Any]) -> tuple[int, list[str]]:
        held = self.feed.market.books
        wrong = [
            f"the book of {one} is not the exchange's"
            for one in self.feed.pinned
            if one not in held or not held[one].in_sync or book_digest(held[one]) != truth["books"][one]
        ]
        return len(self.feed.pinned), wrong

    def _balances(self, truth: dict[str, Any]) -> tuple[int, list[str]]:
        count, wrong = 0, []
        for account_id, rows in truth["balances"].items():
            held = self.feed.market.account(account_id).balances
            for asset, amounts in rows.items():
                count += 1
                own = next((one for one in held.values() if one.asset == asset), None)
                ours = None if own is None else [own.total, own.free, own.locked]
                if ours != [Decimal(amount) for amount in amounts]:
                    wrong.append(f"{asset} of {account_id}: the exchange has {amounts}, the feed {ours}")
        return count, wrong

    def _working(self, truth: dict[str, Any]) -> tuple[int, list[str]]:
        count, wrong = 0, []
        for account_id, orders in truth["working"].items():
            count += len(orders)
            ours = sorted(order.order_id for order in self.feed.market.account(account_id).working_orders())
            if ours != orders:
                wrong.append(f"working orders of {account_id}: the exchange has {orders}, the feed {ours}")
        return count, wrong

    def _tapes(self, truth: dict[str, Any]) -> tuple[int, list[str]]:
        """Compare prints received and known to be missing with the exchange's own numbers."""
        tails = self._tails(truth)
        count, wrong = 0, []
        for one in self.feed.pinned:
            prints = self.watcher.prints.get(one)
            latest = truth["prints"].get(one)
            if prints is None or latest is None:
                continue
            count += 1
            lacking = latest - prints.first + 1 - prints.count
            known = self._missing(one) - self._base[one] + tails[one]
            if lacking != known:
                made = latest - prints.first + 1
                wrong.append(
                    f"prints of {one}: the exchange made {made:,}, {prints.count:,} came, "
                    f"and the feed knows of {known:,} missing"
                )
        return count, wrong

    def _missing(self, instrument_id: str) -> int:
        channel = self.feed.ingest.channel_of(Kind.TRADE, instrument_id)
        return self.feed.market.health.channels[channel].missing

    def _tails(self, truth: dict[str, Any]) -> defaultdict[str, int]:
        """Return what was lost with the ends of streams and the starts of the next, which nobody counts."""
        tails: defaultdict[str, int] = defaultdict(int)
        for channel, epoch, offset in truth["deaths"]:
            held, joined = self.watcher.losses.get((channel, epoch), (None, 0))
            name = channel.removeprefix("market:trade:")
            if held is not None and name != channel:
                tails[name] += offset - held + joined
        return tails

    # --- the report

    def _report(self, elapsed: float, cpu: float, end: dict[str, Any]) -> dict[str, Any]:
        health = self.feed.market.health
        by_name: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for fault in self.faults:
            by_name[fault["fault"]].append(fault)
        warm_up = min(WARM_UP_S, elapsed / 2)
        settled = self.use.settled(warm_up)
        return {
            "minutes": round(elapsed / 60, 2),
            "seed": self.far.setup["seed"],
            "events": dict(self.events),
            "book_updates_per_second": round(self.events["BookUpdate"] / elapsed, 1),
            "megabytes": round(health.connection.bytes_received / 1e6, 1),
            "cpu_share": round(cpu / elapsed, 3),
            "faults": len(self.faults),
            "by_fault": {
                name: {
                    "times": len(one),
                    "recovery_s": _summary([fault["recovery"] for fault in one]),
                }
                for name, one in sorted(by_name.items())
            },
            "reconnects": health.connection.reconnects,
            "gaps": sum(channel.gaps for channel in health.channels.values()),
            "resyncs": sum(channel.resyncs for channel in health.channels.values()),
            "rejected": {
                **health.connection.rejected,
                **sum((channel.rejected for channel in health.channels.values()), Counter[str]()),
            },
            "tokens": self.mint.fetched,
            "watched": {
                "samples": dict(self.watcher.samples),
                "verified": self.watcher.verified,
                "unverified": self.watcher.unverified,
                "violations": self.watcher.violated,
                "marked_because": dict(self.watcher.reasons.most_common(40)),
            },
            "looked": dict(self.looker.compared),
            "end": end,
            "memory": {
                "first_kib": settled[0][1] if settled else 0,
                "last_kib": settled[-1][1] if settled else 0,
                "highest_kib": max((value for _, value in self.use.memory), default=0),
                "slope_kib_per_minute": round(slope_per_minute(settled), 1),
                "slope_of_last_half_kib_per_minute": round(slope_per_minute(settled[len(settled) // 2 :]), 1),
                "after_s": round(warm_up, 1),
            },
            "open_files": _range(self.use.files),
            "tasks": _range(self.use.tasks),
        }

    def _judge(
        self, report: dict[str, Any], unhandled: list[str], complaints: list[str], left: list[str]
    ) -> None:
        losses = self.losses
        losses += self.watcher.violations
        losses += self.looker.faults
        losses += [f"unhandled: {one}" for one in unhandled]
        losses += [f"logged: {one}" for one in complaints]
        losses += [f"far side: {one}" for one in self.far.complaints]
        losses += [f"task left: {one}" for one in left]
        errors = {
            name: count
            for name, count in report["rejected"].items()
            if "internal" in name or name.startswith("resync:")
        }
        if errors:
            losses.append(f"errors inside: {errors}")
        if not self.watcher.verified:
            losses.append("no book was ever compared")
        if not all(self.looker.compared[what] for what in ("groups", "totals", "traded", "stacked")):
            losses.append(f"not all was ever looked at: {dict(self.looker.compared)}")
        allowed = SLOPE_KIB * max(1.0, 10 / max(self.minutes, 0.1))
        if report["memory"]["slope_kib_per_minute"] > allowed:
            losses.append(f"memory grows by more than {allowed:g} KiB a minute")
        files = self.use.files[30:]
        if files and max(files[-30:]) > max(files[:30]) + 4:
            losses.append("open files grow")
        tasks = self.use.tasks[30:]
        if tasks and max(tasks[-30:]) > max(tasks[:30]) + 8:
            losses.append("tasks grow")


def _is_right(compare: Callable[[], tuple[int, list[str]]]) -> bool:
    return not compare()[1]


def _summary(times: list[float | None]) -> dict[str, float | None]:
    known = [one for one in times if one is not None]
    if not known:
        return {"median": None, "longest": None}
    return {"median": round(median(known), 2), "longest": round(max(known), 2)}


def _range(values: list[int]) -> dict[str, int]:
    return {
        "least": min(values, default=0),
        "most": max(values, default=0),
        "last": values[-1] if values else 0,
    }


def main() -> int:
    """Run a soak from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2_000.0, help="book updates a second")
    parser.add_argument("--instruments", type=int, default=9)
    parser.add_argument("--delta", action="store_true", help="take changes of payloads, as on a thin link")
    parser.add_argument("--report", type=Path, default=Path("soak-report.json"))
    arguments = parser.parse_args()
    soak = Soak(
        arguments.seed,
        arguments.minutes,
        arguments.rate,
        arguments.instruments,
        delta=arguments.delta,
    )
    report = asyncio.run(soak.run())
    text = json.dumps(report, indent=2)
    print(text)
    arguments.report.write_text(text + "\n")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
