"""``cadenza-tui balances``: what the accounts hold, for a terminal or a script."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
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
    from cadenza_tui.market.health import ChannelState  # noqa: PLC0415
    from cadenza_tui.market.state import Market  # noqa: PLC0415
    from cadenza_tui.wire.channels import Kind  # noqa: PLC0415

    if server.tokens is not None:
        await server.tokens.probe()
    market = Market()
    changed = asyncio.Event()
    feed = Feed(
        market,
        server.settings(accounts=wanted, markets=False),
        on_event=lambda _event: changed.set(),
        on_status=changed.set,
        on_channel=lambda _channel: changed.set(),
    )
    out = Out()
    shown: list[str] = [""]

    def missing() -> list[str]:
        return [name for name in feed.accounts if not market.account(name).has_snapshot]

    def refused(name: str) -> bool:
        channel = market.health.channels.get(feed.ingest.channel_of(Kind.ACCOUNT, name))
        failed = channel is not None and channel.state is ChannelState.FAILED
        return failed and f"portfolio of {name}" in feed.troubles

    def show() -> None:
        held = [market.account(name) for name in feed.accounts if market.account(name).has_snapshot]
        text = balances_json(held) if as_json else balances_table(held)
        if text == shown[0] or not held:
            return
        again, shown[0] = bool(shown[0]), text
        if as_json:
            out.line(f'{{"time":{time.time_ns() // 1_000_000},{text[1:]}')
        else:
            out.line("\n" + text if again else text)

    async def known() -> None:
        """Wait until each account is known, or none of the others will be."""
        await feed.bootstrapped.wait()
        while not all(refused(name) for name in missing()):
            changed.clear()
            await changed.wait()

    async def first() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                await known()
        show()
        connection = market.health.connection
        if not feed.bootstrapped.is_set():
            raise CadenzaError(
                f"no answer from {connection.url} within {WITHIN_S:g} s"
                + (f": {connection.reason}" if connection.reason else ""),
                remedy=connection.remedy or None,
            )
        if not feed.accounts:
            why = feed.troubles.get("accounts")
            raise CadenzaError(
                "the server lists no account" + (f": {why}" if why else ""), remedy="name one with --account"
            )
        if names := missing():
            whys = "; ".join(dict.fromkeys(feed.troubles.get(f"portfolio of {name}", "") for name in names))
            raise CadenzaError(f"no balances of {', '.join(names)}" + (f": {whys}" if whys else ""))

    async def work() -> None:
        await first()
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
