"""``cadenza-tui stream``: what arrives, as NDJSON on stdout."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from cadenza_tui.cli.account_options import EXIT_CODES_HELP
from cadenza_tui.cli.options import instruments_argument, need_server, server_options

if TYPE_CHECKING:
    from pathlib import Path

    from cadenza_tui.cli.options import Server
    from cadenza_tui.feed.ingest import Event


@click.command(epilog=EXIT_CODES_HELP)
@instruments_argument
@server_options
@click.option(
    "--depth",
    type=click.IntRange(0, 10_000),
    default=10,
    show_default=True,
    metavar="N",
    help="Levels a side of a book.",
)
def stream(
    *,
    instruments: tuple[str, ...],
    profile: str | None,
    url: str | None,
    accounts: tuple[str, ...],
    config_file: Path | None,
    trace: Path | None,
    depth: int,
) -> None:
    """Print normalised events as JSON lines, one for each message that was applied.

    "kind" is book (instrument, bids, asks, in_sync, timestamp), trade, ticker, account or status. A book
    that does not follow its stream any more is told once with in_sync false, until its next snapshot.
    Decimals are strings, times are ms since the epoch. Ends when nobody reads any more.
    """
    server = need_server(profile, url, config_file)
    asyncio.run(_stream(server, instruments, accounts, depth, trace))


async def _stream(
    server: Server,
    instruments: tuple[str, ...],
    accounts: tuple[str, ...],
    depth: int,
    trace: Path | None,
) -> None:
    import msgspec  # noqa: PLC0415  # heavy for a --help

    from cadenza_tui.cli.events import (  # noqa: PLC0415
        book_object,
        channel_object,
        event_object,
        status_object,
    )
    from cadenza_tui.cli.headless import Out, run_beside  # noqa: PLC0415
    from cadenza_tui.feed.worker import Feed  # noqa: PLC0415
    from cadenza_tui.market.state import Market  # noqa: PLC0415

    if server.tokens is not None:
        await server.tokens.probe()
    market = Market()
    out = Out()
    encode = msgspec.json.encode
    told: list[object] = [None]

    def on_event(event: Event) -> None:
        told_object = event_object(event, market, depth)
        if told_object is not None:
            out.line(encode(told_object).decode())

    def on_status() -> None:
        status = status_object(market.health.connection)
        if status != told[0]:
            told[0] = status
            out.line(encode(status).decode())

    def on_channel(channel: str) -> None:
        out.line(encode(channel_object(market.health.channels[channel])).decode())

    def on_unsynced(instrument_id: str) -> None:
        out.line(encode(book_object(market, instrument_id, depth)).decode())

    feed = Feed(
        market,
        server.settings(instruments, accounts),
        on_event=on_event,
        on_status=on_status,
        on_channel=on_channel,
        on_unsynced=on_unsynced,
    )
    await run_beside(feed, out, None, trace)
