"""``cadenza-tui balances``: what the accounts hold, for a terminal or a script."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import click

from cadenza_tui.cli.options import need_server, server_options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cadenza_tui.cli.options import Server
    from cadenza_tui.market.accounts import Account

WITHIN_S = 15.0
AT_MOST_EVERY_S = 1.0


@click.command()
@server_options
@click.option("--once", is_flag=True, help="Print once, then end; else again on each change.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead of a table.")
def balances(
    *,
    profile: str | None,
    url: str | None,
    accounts: tuple[str, ...],
    config_file: Path | None,
    trace: Path | None,
    once: bool,
    as_json: bool,
) -> None:
    """Print the balances of the accounts: those given, else the profile's, else all that are listed."""
    server = need_server(profile, url, config_file)
    asyncio.run(_balances(server, accounts, once=once, as_json=as_json, trace=trace))


async def _balances(
    server: Server, wanted: tuple[str, ...], *, once: bool, as_json: bool, trace: Path | None
) -> None:
    from cadenza_tui.cli.headless import Out, run_beside  # noqa: PLC0415  # heavy for a --help
    from cadenza_tui.cli.table import balances_table  # noqa: PLC0415
    from cadenza_tui.errors import CadenzaError  # noqa: PLC0415
    from cadenza_tui.feed.worker import Feed  # noqa: PLC0415
    from cadenza_tui.market.state import Market  # noqa: PLC0415

    if server.tokens is not None:
        await server.tokens.probe()
    market = Market()
    changed = asyncio.Event()
    feed = Feed(
        market,
        server.settings(accounts=wanted, markets=False),
        on_event=lambda _event: changed.set(),
        on_status=changed.set,
    )
    out = Out()
    shown: list[str] = [""]

    def show() -> None:
        held = [market.account(name) for name in feed.accounts]
        text = balances_json(held) if as_json else balances_table(held)
        if text == shown[0]:
            return
        again, shown[0] = bool(shown[0]), text
        if as_json:
            out.line(f'{{"time":{time.time_ns() // 1_000_000},{text[1:]}')
        else:
            out.line("\n" + text if again else text)

    def missing() -> list[str]:
        return [name for name in feed.accounts if not market.account(name).has_snapshot]

    async def first() -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                await feed.bootstrapped.wait()
                while missing():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            if len(missing()) < len(feed.accounts):
                show()
            connection = market.health.connection
            late = ", ".join(missing()) or "any account"
            why = "; ".join(feed.troubles.values()) or connection.reason
            raise CadenzaError(
                f"no balances of {late} within {WITHIN_S:g} s" + (f": {why}" if why else ""),
                remedy=connection.remedy or None,
            ) from None
        if not feed.accounts:
            raise CadenzaError("the server lists no account", remedy="name one with --account")

    async def work() -> None:
        await first()
        show()
        while not once:
            await asyncio.sleep(AT_MOST_EVERY_S)
            await changed.wait()
            changed.clear()
            show()

    await run_beside(feed, out, work, trace)


def balances_json(accounts: Sequence[Account]) -> str:
    """Return ``{"accounts":[{"account","nickname","venue","type","balances":[…]}]}`` in one line."""
    import msgspec  # noqa: PLC0415  # heavy for a --help

    from cadenza_tui.cli.events import balance_object  # noqa: PLC0415

    objects = []
    for account in accounts:
        told = account.account
        rows = sorted(account.balances.values(), key=lambda balance: (balance.asset, balance.key))
        objects.append(
            {
                "account": account.account_id,
                "nickname": told.nickname if told else "",
                "venue": told.venue if told else "",
                "type": told.account_type if told else "",
                "balances": [balance_object(balance) for balance in rows],
            }
        )
    return msgspec.json.encode({"accounts": objects}).decode()
