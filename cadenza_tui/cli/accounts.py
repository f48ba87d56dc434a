"""Accounts printed once, or again on each change: what ``balances``, ``positions`` and ``orders`` share."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cadenza_tui.cli import account_text
from cadenza_tui.cli.account_rows import Shown
from cadenza_tui.cli.events import summary_object
from cadenza_tui.cli.headless import Out, complain, run_beside
from cadenza_tui.cli.standing import LIVE, MISSING, STALE, Lack, Standing, Standings, remedy, sentence
from cadenza_tui.errors import Incomplete
from cadenza_tui.feed.priced import PricedFeed
from cadenza_tui.market.health import ConnectionState
from cadenza_tui.market.state import Market
from cadenza_tui.view.numbers import clock
from cadenza_tui.wire import rpc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cadenza_tui.cli.options import Server
    from cadenza_tui.cli.paper import Paper
    from cadenza_tui.market.accounts import Account
    from cadenza_tui.market.records import AccountId

AT_MOST_EVERY_S = 1.0
PRICES_EVERY_S = 10.0
PUSHED_WITHIN_S = 2.0
"""What a query was refused may still be pushed: this long it is waited for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    accounts: tuple[str, ...] = ()
    watch: bool = False
    as_json: bool = False
    everything: bool = False
    timeout_s: float = 15.0
    currency: str = ""
    trace: Path | None = None


class Part(NamedTuple):
    """The part of an account that is printed: its name, its rows as objects and as lines, and its query.

    ``query`` is what the feed calls the query in its troubles, ``method`` what the platform calls it.
    """

    name: str
    objects: Callable[[Shown, Account], list[dict[str, Any]]]
    lines: Callable[[Shown, Account, Paper], list[str]]
    query: str = "portfolio"
    method: str = rpc.portfolio_get("")[0]


BALANCES = Part(
    "balances",
    Shown.balance_objects,
    lambda shown, account, paper: account_text.balances(shown.balances(account), shown, account, paper),
)
POSITIONS = Part(
    "positions",
    Shown.position_objects,
    lambda shown, account, paper: account_text.positions(shown.positions(account), paper, shown.now),
)
ORDERS = Part(
    "orders",
    Shown.order_objects,
    lambda shown, account, paper: account_text.orders(shown.orders(account), paper, shown.now),
    "orders",
)


PARTS = {part.name: part for part in (BALANCES, POSITIONS, ORDERS)}


async def print_accounts(server: Server, part: Part, asked: Asked) -> None:
    """Print a part of the accounts; raises CadenzaError with the exit code that fits what is missing."""
    if server.tokens is not None:
        await server.tokens.probe()
    printer = Printer(server, part, asked)
    await run_beside(printer.feed, printer.out, printer.work, asked.trace)


class Printer:
    """One command: its feed, what it has printed and what it lacks."""

    def __init__(self, server: Server, part: Part, asked: Asked) -> None:
        self._part = part
        self._asked = asked
        self._market = Market()
        self._changed = asyncio.Event()
        settings = server.settings(accounts=tuple(dict.fromkeys(asked.accounts)), markets=False)
        self.out = Out()
        self.feed = PricedFeed(
            self._market,
            settings,
            on_event=lambda _event: self._changed.set(),
            on_status=self._changed.set,
            on_channel=lambda _channel: self._changed.set(),
        )
        self._standings = Standings(
            self.feed,
            part.name,
            part.query,
            part.method,
            chosen=bool(settings.accounts),
            watch=asked.watch,
            currency=asked.currency,
        )
        self._rounds = 0
        """How often prices were fetched."""
        self._printed: object = None
        self._told: list[str] = []
        self._stale_since = 0

    async def work(self) -> None:
        """Print once, and where that is wanted again on each change, at most once a second."""
        await self._gather()
        lacks = self._standings.lacks(self._rounds)
        self._print(lacks)
        self._standings.raise_what_ends(lacks, self._asked.timeout_s)
        if not self._asked.watch:
            if lacks:
                raise Incomplete(sentence(lacks), remedy=remedy(lacks))
            return
        self._complain(lacks)
        pricing = asyncio.create_task(self._keep_prices()) if self._asked.currency else None
        try:
            await self._follow()
        finally:
            if pricing is not None:
                pricing.cancel()

    async def _gather(self) -> None:
        """Wait until everything is known, or nothing more will be, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._asked.timeout_s):
                await self.feed.bootstrapped.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PUSHED_WITHIN_S):
                        while any(map(self._standings.may_come, self.feed.accounts)):
                            self._changed.clear()
                            await self._changed.wait()
                if self._asked.currency:
                    await self._bring_prices()

    async def _follow(self) -> None:
        before: object = None
        while True:
            await asyncio.sleep(AT_MOST_EVERY_S)
            now = time.monotonic()
            standings = [self._standings.of(name) for name in self.feed.accounts]
            versions = [self._market.account(name).version for name in self.feed.accounts]
            seen = (standings, versions, self._rounds, dict(self.feed.troubles), int(now // PRICES_EVERY_S))
            if seen == before:
                continue
            before = seen
            lacks = self._standings.lacks(self._rounds)
            self._print(lacks)
            self._complain(lacks)

    # --- prices

    async def _bring_prices(self) -> None:
        held = [self._market.account(name) for name in self.feed.accounts]
        assets = {row.asset for account in held for row in self._shown().balances(account) if row.total}
        await self.feed.prices.bring(sorted(assets), self._asked.currency)
        self._rounds += 1

    async def _keep_prices(self) -> None:
        while True:
            await asyncio.sleep(PRICES_EVERY_S)
            if self._market.health.connection.state is ConnectionState.CONNECTED:
                await self._bring_prices()

    # --- saying it

    def _shown(self) -> Shown:
        return Shown(self._market, time.time_ns(), self._asked.everything, self._asked.currency)

    def _print(self, lacks: Sequence[Lack]) -> None:
        shown = self._shown()
        standings = {name: self._standings.of(name) for name in self.feed.accounts}
        held = [self._market.account(name) for name, at in standings.items() if at.state != MISSING]
        content = {
            "state": STALE if any(at.state == STALE for at in standings.values()) else LIVE,
            "complete": not lacks,
            "missing": [lack._asdict() for lack in lacks],
            "accounts": [
                self._object(shown, self._market.account(name), at) for name, at in standings.items()
            ],
        }
        if self._asked.currency:
            content["total"] = shown.total_object(held)
        if content == self._printed or not (held or self.feed.bootstrapped.is_set()):
            return
        again, self._printed = self._printed is not None, content
        if self._asked.as_json:
            now = shown.now // 1_000_000
            self.out.line(msgspec.json.encode({"time": now, **content}).decode())
        elif held:
            self.out.text(("\n" if again else "") + self._text(shown, held, standings))

    def _object(self, shown: Shown, account: Account, standing: Standing) -> dict[str, Any]:
        told = account.account
        rows = None if standing.state == MISSING else self._part.objects(shown, account)
        found: dict[str, Any] = {
            "account": account.account_id,
            "nickname": told.nickname if told else "",
            "venue": told.venue if told else "",
            "type": told.account_type if told else "",
            "state": standing.state,
            "reason": standing.reason,
            self._part.name: rows,
        }
        if self._part.query == "portfolio":
            found["summary"] = None if account.summary is None else summary_object(account.summary)
        return found

    def _text(self, shown: Shown, held: Sequence[Account], standings: dict[AccountId, Standing]) -> str:
        paper = self.out.paper
        blocks = []
        for account in held:
            state = standings[account.account_id].state
            state = "" if state == LIVE else state
            lines = [account_text.heading(account, paper, state, equity=self._part.query == "portfolio")]
            blocks.append("\n".join(lines + self._part.lines(shown, account, paper)))
        if self._asked.currency:
            blocks.append(account_text.total(shown.total(held), self._asked.currency, paper))
        return "\n\n".join(blocks)

    def _complain(self, lacks: Sequence[Lack]) -> None:
        """Say on stderr what is missing or stale, once, and when it is not any more."""
        told = [str(lack) for lack in lacks]
        if not self._asked.as_json:
            told += self._stale()
        for text in told:
            if text not in self._told:
                complain(text)
        if self._told and not told:
            complain("live again, and complete")
        self._told = told

    def _stale(self) -> list[str]:
        whys = [at.reason for name in self.feed.accounts if (at := self._standings.of(name)).state == STALE]
        self._stale_since = (self._stale_since or time.time_ns()) if whys else 0
        return [f"stale since {clock(self._stale_since)}: {why}" for why in dict.fromkeys(whys)]
